"""Sums over 10 to 10 million terms with large means: tests/expect/sums/<case>.net and <case>.safetensors.

Gradients, statistics and losses in float64, and how far PyTorch's float32 is from them. The data come from a formula that
C repeats (README.md), so that only sums are stored.
"""

import sys

import numpy as np
import torch
import torch.nn.functional as F

from language import Network, net_text
from store import write_safetensors, write_text

NORM = "b1: BatchNorm(eps = 0.1, momentum = 1) -> b2: BatchNorm(eps = 0.01, momentum = 1)"

# name, rows, shape, body, loss, mean of the input, mean of the target; both deviate from it by less than 1
CASES = [
    ("norm_10", 10, (8,), f"y = x -> {NORM}", "MSE", 1e4, 1e4),
    ("norm_1000", 40, (8, 5, 5), f"y = x -> {NORM}", "MSE", 1e4, 1e4),
    ("norm_100000", 40, (4, 50, 50), f"y = x -> {NORM}", "MSE", 1e4, 1e4),
    ("norm_10000000", 40, (1, 500, 500), f"y = x -> {NORM}", "MSE", 1e4, 1e4),
    ("norm_centred", 40, (8, 5, 5), f"y = x -> {NORM}", "MSE", 0.5, 0.0),
    ("linear_10", 10, (5,), "y = x -> fc: Linear(3)", "MSE", 1e4, -1e4),
    ("linear_1000", 1000, (5,), "y = x -> fc: Linear(3)", "MSE", 1e4, -1e4),
    ("linear_100000", 100000, (5,), "y = x -> fc: Linear(3)", "MSE", 1e4, -1e4),
    ("linear_10000000", 10000000, (1,), "y = x -> fc: Linear(1)", "MSE", 1e4, -1e4),
    ("linear_long", 10, (4000,), "y = x -> fc: Linear(1)", "MSE", 1e4, -1e4),
    ("conv_1000", 10, (2, 10, 10), "y = x -> c: Conv(3, kernel = 3, pad = 1)", "MSE", 1e4, -1e4),
    ("conv_100000", 40, (2, 50, 50), "y = x -> c: Conv(3, kernel = 3, pad = 1)", "MSE", 1e4, -1e4),
    ("conv_10000000", 40, (1, 500, 500), "y = x -> c: Conv(1, kernel = 3, pad = 1)", "MSE", 1e4, -1e4),
    ("conv_winograd", 40, (16, 50, 50), "y = x -> c: Conv(8, kernel = 3, pad = 1)", "MSE", 1e4, -1e4),
    ("linear_pieces", 5000, (5,), "y = x -> fc: Linear(3)", "MSE", 1e4, -1e4),
    ("conv_pieces", 4200, (1, 1, 300), "y = x -> c: Conv(1, kernel = 1)", "MSE", 1e4, -1e4),
    ("pool_1000000", 10, (1, 1000, 1000), "y = x -> c: Conv(2, kernel = 1) -> GlobalAvgPool", "MSE", 1e4, -1e4),
    ("pool_norm_100000", 40, (2, 50, 50), f"y = x -> c: Conv(3, kernel = 3) -> {NORM} -> GlobalAvgPool", "MSE", 1e4, 0.5),
    ("classes_100000", 100000, (4,), "y = x -> fc: Linear(5)", "CrossEntropy", 1.0, 0.0),
]


def words(count, stream):
    """32-bit words: the finalizer of MurmurHash3 over the index of the element."""
    h = np.arange(count, dtype=np.uint32) + np.uint32(stream * 0x9E3779B9 % 2 ** 32)
    h ^= h >> np.uint32(16)
    h *= np.uint32(0x85EBCA6B)
    h ^= h >> np.uint32(13)
    h *= np.uint32(0xC2B2AE35)
    return h ^ h >> np.uint32(16)


def values(shape, stream, mean):
    u = (words(int(np.prod(shape)), stream) >> np.uint32(8)) * 2.0 ** -24
    return (mean + 2 * u - 1).astype(np.float32).reshape(shape)


def step(body, params, x, target, loss, dtype):
    """The results of one step by name, as float64."""
    network = Network(body, lambda shape, kind, fan_in: (torch.zeros if kind == "shift" else torch.ones)(shape, dtype=dtype))
    network.params = {key: value.to(dtype, copy=True).requires_grad_(True) for key, value in params.items()}
    y = network.run(torch.from_numpy(x).to(dtype))
    value = F.mse_loss(y, torch.from_numpy(target).to(dtype)) if loss == "MSE" else F.cross_entropy(y, torch.from_numpy(target))
    value.backward()
    results = {"loss": value.detach().reshape(1)}
    results.update({"grad." + key: param.grad for key, param in network.params.items()})
    results.update({"after." + key: buffer for key, buffer in network.buffers.items()})
    return {key: tensor.double().numpy() for key, tensor in results.items()}


def parameters(body, shape):
    """By name, and the shape of the output. BatchNorm starts as PyTorch has it, the others within 1 / sqrt(fan_in)."""
    random = np.random.RandomState(1)
    ranges = {"scale": (1, 1), "shift": (0, 0)}
    network = Network(body, lambda shape, kind, fan_in: torch.from_numpy(
        random.uniform(*ranges.get(kind, (-fan_in ** -0.5, fan_in ** -0.5)), shape).astype(np.float32)))
    y = network.run(torch.from_numpy(values((2,) + shape, 1, 0.0)))
    return {key: value.detach() for key, value in network.params.items()}, tuple(y.shape[1:])


def main():
    torch.backends.mkldnn.enabled = False          # its convolutions are a thousand times further away
    torch.set_num_threads(1)
    total = 0
    for name, rows, shape, body, loss, mean, target_mean in CASES:
        if len(sys.argv) > 1 and name not in sys.argv:
            continue
        start, outputs = parameters(body, shape)
        x = values((rows,) + shape, 1, mean)
        target = values((rows,) + outputs, 2, target_mean) if loss == "MSE" else words(rows, 2).astype(np.int64) % outputs[0]
        exact, single = (step(body, start, x, target, loss, dtype) for dtype in (torch.float64, torch.float32))
        stored = {key: value.numpy() for key, value in start.items()}
        stored["means"] = np.array([mean, target_mean])
        stored["rows"] = np.array([rows])
        for key, want in exact.items():
            stored["want." + key] = want
            stored["torch." + key] = np.array([np.abs(single[key] - want).max()])
        kind = ("t", f"f32[{', '.join(map(str, outputs))}]") if loss == "MSE" else ("t", f"class[{outputs[0]}]")
        train = [("loss", f"{loss}(y, t)"), ("optimizer", "SGD(lr = 0.1)"), ("epochs", 1), ("batch", rows)]
        write_text(f"sums/{name}.net", net_text(name, "Sums with large means, compared with PyTorch.", shape, kind, body, train))
        total += write_safetensors(f"sums/{name}.safetensors", stored)
        print(name, {key: f"{np.abs(single[key] - want).max() / np.abs(want).max():.1e}" for key, want in exact.items()})
    print(f"{len(CASES)} cases, {total} bytes")


if __name__ == "__main__":
    main()
