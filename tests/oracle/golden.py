"""Parameters and multiply-accumulates of every network of models/: tests/expect/counts.json.

`macs` counts convolutions and Linear layers only, for one sample, without biases. `thop` follows the rule of thop
since 0.1: the same, and 4 for each input value of a BatchNorm, and for an adaptive average pooling its window's size
plus 1 for each output value; adaptive maximum pooling, ReLU, sums and functional calls count nothing.
"""

import torch
from torch import nn

from networks import INPUT_SHAPES, RECIPES
from store import write_json

# parameters, MACs, thop's total
GOLDEN = {
    "xor": (33, 24, 24),
    "mlp": (101770, 101632, 101632),
    "mlp3": (109386, 109184, 109184),
    "mnist_cnn": (206922, 1218048, 1218048),
    "strided_cnn": (101578, 7459968, 7459968),
    "resnet20": (272474, 40813184, 41620160),
}


def count(recipe):
    """(parameters, MACs, thop's total) of one sample, from the shapes that a forward pass shows."""
    module = recipe.module().eval()
    totals = {"macs": 0, "extra": 0}

    def hook(layer, inputs, output):
        x = inputs[0]
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            totals["macs"] += output.numel() * layer.weight[0].numel()
        elif isinstance(layer, nn.BatchNorm2d):
            totals["extra"] += 4 * x.numel()
        elif isinstance(layer, nn.AdaptiveAvgPool2d):
            totals["extra"] += output.numel() * (x.numel() // output.numel() + 1)

    for layer in module.modules():
        layer.register_forward_hook(hook)
    with torch.no_grad():
        module(torch.zeros([1] + INPUT_SHAPES[recipe.data]))
    params = sum(param.numel() for param in module.parameters())
    return params, totals["macs"], totals["macs"] + totals["extra"]


def main():
    counts = {}
    for name, recipe in RECIPES.items():
        params, macs, thop = count(recipe)
        expected = GOLDEN.get(name, (params, macs, thop))
        assert (params, macs, thop) == expected, f"{name}: {(params, macs, thop)}, expected {expected}"
        counts[name] = {"params": params, "macs": macs, "thop": thop}
        print(f"{name}: {params} parameters, {macs} MACs, thop {thop}")
    write_json("counts.json", counts)


if __name__ == "__main__":
    main()
