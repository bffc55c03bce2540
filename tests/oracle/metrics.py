"""Metrics of a pass in two batches: tests/expect/metrics/<case>.net and <case>.safetensors, by scikit-learn.

The network is a Linear, or for masks a Conv, whose weight is the identity, so that its input is what it says. A pass is a batch of 16 and one of 7.
"""

import math

import numpy as np
from sklearn import metrics

from store import write_safetensors, write_text

BATCH = 16

HEAD = """# A pass over 23 samples, compared with scikit-learn.
net {name}

input  x : f32[{width}]
target t : {target}

y = x -> fc: Linear({width})

output y

train {{
    loss      = {loss}
    optimizer = SGD(lr = 0.1)
    epochs    = 1
    batch     = {batch}
    metrics   = [{metrics}]
}}
"""

CLASSES = "Accuracy, F1, BalancedAccuracy, MeanIoU, Perplexity, AUC"


def write(name, width, target, loss, words, x, t, want):
    write_text(f"metrics/{name}.net",
               HEAD.format(name=name, width=width, target=target, loss=loss, batch=BATCH, metrics=words))
    tensors = {"input": x, "target": t, "fc.weight": np.eye(width, dtype=np.float32),
               "fc.bias": np.zeros(width, dtype=np.float32)}
    for key, value in want.items():
        tensors["want." + key] = np.array(value, dtype=np.float64)
    write_safetensors(f"metrics/{name}.safetensors", tensors)


def classes(name, width, x, t):
    logits = x.astype(np.float64)
    p = np.exp(logits - logits.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    said = logits.argmax(1)
    seen = sorted(set(t))
    if width == 2:
        auc = metrics.roc_auc_score(t, logits[:, 1] - logits[:, 0])
    else:
        auc = np.mean([metrics.roc_auc_score(t == k, p[:, k]) for k in seen])
        if len(seen) == width:
            assert abs(auc - metrics.roc_auc_score(t, p, multi_class="ovr", average="macro")) < 1e-12
    nll = -np.log(p[np.arange(len(t)), t]).mean()
    write(name, width, f"class[{width}]", "CrossEntropy(y, t, smoothing = 0.1)" if name.endswith("smooth") else "CrossEntropy(y, t)",
          CLASSES, x, t.astype(np.int64),
          {"f1": metrics.f1_score(t, said, average="macro"),
           "balanced_accuracy": metrics.balanced_accuracy_score(t, said),
           "mean_iou": metrics.jaccard_score(t, said, average="macro"),
           "perplexity": math.exp(nll), "auc": auc})


def values(name, width, x, t):
    x64, t64 = x.astype(np.float64), t.astype(np.float64)
    write(name, width, f"f32[{width}]", "MSE(y, t)", "MAE, R2", x, t,
          {"mae": metrics.mean_absolute_error(t64, x64), "r2": metrics.r2_score(t64, x64)})


def masks(name, x, t):
    """A class at each place; 255 is none."""
    n, width, rows, columns = x.shape
    said, known = x.argmax(1)[t != 255], t[t != 255]
    text = HEAD.format(name=name, width=f"{width}, {rows}, {columns}", target=f"class[{width}, {rows}, {columns}]",
                       loss="CrossEntropy(y, t)", batch=BATCH, metrics="PixelAccuracy, F1, BalancedAccuracy, MeanIoU")
    write_text(f"metrics/{name}.net", text.replace(f"Linear({width}, {rows}, {columns})", f"Conv({width}, kernel = 1)"))
    want = {"pixel_accuracy": metrics.accuracy_score(known, said), "f1": metrics.f1_score(known, said, average="macro"),
            "balanced_accuracy": metrics.balanced_accuracy_score(known, said),
            "mean_iou": metrics.jaccard_score(known, said, average="macro")}
    tensors = {"input": x, "target": t, "fc.weight": np.eye(width, dtype=np.float32).reshape(width, width, 1, 1),
               "fc.bias": np.zeros(width, dtype=np.float32)}
    write_safetensors(f"metrics/{name}.safetensors",
                      tensors | {"want." + key: np.array(value, dtype=np.float64) for key, value in want.items()})


random = np.random.default_rng(7)
N = 23
k = random.integers(0, 5, N)
logits = random.normal(size=(N, 5)) + 1.5 * np.eye(5)[k]
classes("five_smooth", 5, logits.astype(np.float32), k)
k = random.integers(0, 2, N)
logits = random.normal(size=(N, 2)) + np.eye(2)[k]
logits[3:9] = np.round(logits[3:9])       # equal scores
classes("two", 2, logits.astype(np.float32), k)
k = random.integers(0, 3, N) * 2          # classes 1 and 3 to 6 of 7 have no sample; some are still taken for 3
logits = random.normal(size=(N, 7)) + np.eye(7)[k] - 9 * np.eye(7)[[1]] - 9 * np.eye(7)[[5]]
classes("absent", 7, logits.astype(np.float32), k)
y = random.normal(size=(N, 3)) * [1, 10, 0.1] + [0, 100, -3]
x = y + random.normal(size=(N, 3)) * [0.5, 20, 0.01]
values("three", 3, x.astype(np.float32), y.astype(np.float32))
y = np.full((N, 1), 4.0)                  # constant: R2 is 0 by convention
values("constant", 1, (y + random.normal(size=(N, 1))).astype(np.float32), y.astype(np.float32))
k = random.integers(0, 4, (N, 3, 5))       # of 5 classes the last has no place; some are of none
logits = random.normal(size=(N, 5, 3, 5)) + 2 * np.moveaxis(np.eye(5)[k], 3, 1)
k[random.random(k.shape) < 0.2] = 255
masks("mask", logits.astype(np.float32), k)
