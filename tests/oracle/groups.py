"""20 steps with groups of parameters: tests/expect/optimizers/groups_<case>.net and .safetensors, as optimizers.py makes the others.

PyTorch has each parameter in one group, which is here made of all rows that meet it, the later ones first.
"""

import fnmatch
import sys

import numpy as np
import torch
import torch.nn.functional as F

from language import Network, net_text
from muon import Muon
from optimizers import ADAM, ADAMW, BODY, SGD, STEPS, rate
from store import float32, write_safetensors, write_text

# name, PyTorch's optimizer, its arguments, ours, rows, schedule
CASES = [
    ("sgd", SGD, {"lr": 0.1, "momentum": 0.9, "weight_decay": 1e-2}, "SGD(lr = 0.1, momentum = 0.9, decay = 1e-2)",
     [("*.bias", {"decay": 0}), ("fc1.*", {"lr": 0.02})], ("Cosine(warmup = 5)", {"warmup": 5})),
    ("frozen", ADAMW, {"lr": 1e-2}, "AdamW(lr = 1e-2)", [("fc1.*", {"lr": 0})], (None, None)),
    ("all", ADAM, {"lr": 1e-2}, "Adam(lr = 1e-2)", [("*", {"lr": 5e-3}), ("fc2.weight", {"decay": 0.1})],
     ("Step(every = 5)", {"every": 5, "gamma": 0.1})),
    ("muon", Muon, {"lr": 1e-2}, "Muon(lr = 1e-2)",
     [("fc2.weight", {"muon": False}), ("fc1.*", {"lr": 2e-3, "decay": 0.2}), ("fc1.bias", {"lr": 1e-3})],
     ("Cosine(warmup = 5)", {"warmup": 5})),
    ("one", SGD, {"lr": 0.5}, "SGD(lr = 0.5)", [("*", {"lr": 0.1, "decay": 0.05})], (None, None)),
]


def run(name, make, arguments, rows, schedule):
    random = np.random.RandomState(7)

    def new(shape, kind, fan_in):
        values = random.uniform(-fan_in ** -0.5, fan_in ** -0.5, shape)
        return torch.from_numpy(values.astype(np.float32).astype(np.float64))

    x, target = new([8, 6], "input", 0.25), new([8, 3], "target", 1)
    network = Network(BODY, new)
    network.run(x)
    stored = {"input": float32(x), "target": float32(target)}
    stored.update({key: float32(value) for key, value in network.params.items()})
    groups = []
    for key, value in network.params.items():
        own = {"params": [value]}
        for pattern, numbers in rows:
            if fnmatch.fnmatchcase(key, pattern):
                own.update({"weight_decay" if k == "decay" else k: v for k, v in numbers.items()})
        groups.append(own)
    optimizer = make(groups, **arguments)
    base = [group["lr"] for group in optimizer.param_groups]
    losses, rates = [], []
    for step in range(STEPS):
        for group, lr in zip(optimizer.param_groups, base):
            group["lr"] = rate(step, lr, schedule)
        loss = F.mse_loss(network.run(x), target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        rates.append(rate(step, arguments["lr"], schedule))
        stored.update({f"step{step + 1}.{key}": float32(value) for key, value in network.params.items()})
    stored["loss"], stored["lr"] = np.array(losses, np.float32), np.array(rates, np.float32)
    write_safetensors(f"optimizers/groups_{name}.safetensors", stored)


for name, make, arguments, text, rows, (schedule_text, schedule) in [c for c in CASES if c[0] in sys.argv[1:]] or CASES:
    listed = ", ".join(f'group("{pattern}", ' + ", ".join(f"{k} = {str(v).lower()}" for k, v in numbers.items()) + ")"
                       for pattern, numbers in rows)
    train = [("loss", "MSE(y, t)"), ("optimizer", text), ("optimizer.groups", f"[{listed}]")]
    train += [("schedule", schedule_text)] if schedule_text else []
    train += [("epochs", STEPS), ("batch", 8)]
    note = "Twenty steps on one batch, compared with PyTorch step by step."
    write_text(f"optimizers/groups_{name}.net", net_text(f"groups_{name}", note, [6], ("t", "f32[3]"), BODY, train))
    run(name, make, arguments, rows, schedule)
