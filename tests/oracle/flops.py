"""What five tools and PyTorch itself count of a forward pass: tests/expect/flops.json.

Each network is one text: netc compiles it, and here each of its layers is the module of torch.nn that docs/language.md
names, sums and Concat are `+` and torch.cat. One sample, evaluation. The tools' packages are asked, not their rules:

    thop        thop 0.1.1.post2209072238            thop-old    thop 0.0.31.post2005241907
    fvcore      fvcore 0.1.5.post20221221            ptflops     ptflops 0.7.5, its PyTorch backend
    torchinfo   torchinfo 1.8.0                      torch       torch.utils.flop_counter.FlopCounterMode
    macs        none: convolutions and Linear layers, without biases, by the shapes

The older thop goes into a folder of its own, THOP_OLD: pip install --no-deps --target FOLDER thop==0.0.31.post2005241907.
"""

import collections.abc
import importlib
import io
import logging
import os
import sys
import warnings

import torch
from torch import nn

from language import parse_body, split
from store import write_json

LAYERS = {
    "Conv": lambda x, channels, kernel, stride=1, pad=0, dilation=1, groups=1, bias=True: nn.Conv2d(
        x.shape[1], channels, kernel, stride, pad, dilation, groups, bias),
    "Linear": lambda x, features, bias=True: nn.Linear(x.shape[1], features, bias),
    "BatchNorm": lambda x: nn.BatchNorm2d(x.shape[1]) if x.dim() == 4 else nn.BatchNorm1d(x.shape[1]),
    "Flatten": lambda x: nn.Flatten(),
    "ReLU": lambda x: nn.ReLU(),
    "LeakyReLU": lambda x: nn.LeakyReLU(),
    "Sigmoid": lambda x: nn.Sigmoid(),
    "Tanh": lambda x: nn.Tanh(),
    "GELU": lambda x: nn.GELU(),
    "Softmax": lambda x: nn.Softmax(1),
    "MaxPool": lambda x, kernel, stride=None, pad=0: nn.MaxPool2d(kernel, stride, pad),
    "AvgPool": lambda x, kernel, stride=None, pad=0: nn.AvgPool2d(kernel, stride, pad),
    "GlobalMaxPool": lambda x: nn.AdaptiveMaxPool2d(1),
    "GlobalAvgPool": lambda x: nn.AdaptiveAvgPool2d(1),
    "Dropout": lambda x, p=0.5: nn.Dropout(p),
}


class Network(nn.Module):
    """A body whose layers are modules, made on the first run."""

    def __init__(self, body, x):
        super().__init__()
        self.lines = parse_body(body)
        self.layers = nn.ModuleDict()
        self.eval()
        self(x)
        self.eval()

    def layer(self, line, at, stage, x):
        _, kind, positional, named = stage
        key = f"{line}_{at}"
        if key not in self.layers:
            self.layers[key] = LAYERS[kind](x, *positional, **named).eval()
        return self.layers[key](x)

    def forward(self, x):
        values = {"x": x}
        for line, (value, first, stages) in enumerate(self.lines):
            if first.startswith("Concat("):
                y = torch.cat([values[name] for name in split(first[len("Concat("):-1])], dim=1)
            else:
                y, *rest = (values[name] for name in split(first, "+"))
                for more in rest:
                    y = y + more
            for at, stage in enumerate(stages):
                y = self.layer(line, at, stage, y)
            values[value] = y
        return values["y"]


# ---- networks ----

def resnet20():
    """models/resnet20.net without blocks."""
    def conv(channels, kernel=3, stride=1):
        return f"Conv({channels}, kernel = {kernel}, stride = {stride}, pad = {kernel // 2}, bias = false) -> BatchNorm"
    lines, last = [f"a = x -> {conv(16)} -> ReLU"], "a"
    for number, (channels, wider) in enumerate([(16, 0)] * 3 + [(32, 1)] + [(32, 0)] * 2 + [(64, 1)] + [(64, 0)] * 2):
        lines.append(f"b{number} = {last} -> {conv(channels, stride=1 + wider)} -> ReLU -> {conv(channels)}")
        skip = last
        if wider:
            skip = f"c{number}"
            lines.append(f"{skip} = {last} -> {conv(channels, kernel=1, stride=2)}")
        last = f"d{number}"
        lines.append(f"{last} = {skip} + b{number} -> ReLU")
    return "\n".join(lines + [f"y = {last} -> GlobalAvgPool -> Flatten -> Linear(10)"])


def resnet50():
    """Bottlenecks with the stride in the middle (torchvision's), 224 x 224."""
    def conv(channels, kernel=1, stride=1):
        return f"Conv({channels}, kernel = {kernel}, stride = {stride}, pad = {kernel // 2}, bias = false) -> BatchNorm"
    lines, last = [f"a = x -> {conv(64, 7, 2)} -> ReLU -> MaxPool(3, stride = 2, pad = 1)"], "a"
    number = 0
    for width, count in ((64, 3), (128, 4), (256, 6), (512, 3)):
        for block in range(count):
            stride = 2 if block == 0 and width > 64 else 1
            lines.append(f"b{number} = {last} -> {conv(width)} -> ReLU -> {conv(width, 3, stride)} -> ReLU"
                         f" -> {conv(4 * width)}")
            skip = last
            if block == 0:
                skip = f"c{number}"
                lines.append(f"{skip} = {last} -> {conv(4 * width, 1, stride)}")
            last = f"d{number}"
            lines.append(f"{last} = {skip} + b{number} -> ReLU")
            number += 1
    return "\n".join(lines + [f"y = {last} -> GlobalAvgPool -> Flatten -> Linear(1000)"])


MNIST = [1, 28, 28]
# The networks of models/, word by word.
MODELS = {
    "xor": ([2], "y = x -> Linear(8) -> Tanh -> Linear(1)"),
    "mlp": (MNIST, "y = x -> Flatten -> Linear(128) -> ReLU -> Linear(10)"),
    "mlp3": (MNIST, "y = x -> Flatten -> Linear(128) -> ReLU -> Linear(64) -> ReLU -> Linear(10)"),
    "mnist_cnn": (MNIST, "y = x -> Conv(16, kernel = 3, pad = 1) -> ReLU -> MaxPool(2) -> Conv(32, kernel = 3, pad = 1)"
                  " -> ReLU -> MaxPool(2) -> Flatten -> Linear(128) -> ReLU -> Dropout(0.3) -> Linear(10)"),
    "strided_cnn": (MNIST, "y = x -> Conv(32, kernel = 3, pad = 1) -> ReLU -> Conv(64, kernel = 3, stride = 2, pad = 1)"
                    " -> ReLU -> Conv(128, kernel = 3, stride = 2, pad = 1) -> ReLU -> GlobalMaxPool -> Flatten"
                    " -> Linear(64) -> ReLU -> Linear(10)"),
    "fashion_lenet": (MNIST, "y = x -> Conv(6, kernel = 5) -> ReLU -> MaxPool(2) -> Conv(12, kernel = 5) -> ReLU"
                      " -> MaxPool(2) -> Flatten -> Linear(120) -> ReLU -> Linear(60) -> ReLU -> Linear(10)"),
    "resnet20": ([3, 32, 32], resnet20()),
}
# One layer each, or what goes together.
CASES = {
    "conv": ([3, 9, 8], "y = x -> Conv(6, kernel = [3, 2], stride = [2, 1], pad = 1)"),
    "conv_without_bias": ([3, 9, 8], "y = x -> Conv(6, kernel = 3, bias = false)"),
    "conv_groups": ([4, 9, 8], "y = x -> Conv(6, kernel = 3, groups = 2, dilation = 2)"),
    "linear": ([7], "y = x -> Linear(5)"),
    "linear_without_bias": ([7], "y = x -> Linear(5, bias = false)"),
    "batchnorm": ([3, 6, 5], "y = x -> BatchNorm"),
    "batchnorm_flat": ([7], "y = x -> BatchNorm"),
    "relu": ([3, 6, 5], "y = x -> ReLU"),
    "leaky_relu": ([3, 6, 5], "y = x -> LeakyReLU"),
    "sigmoid": ([3, 6, 5], "y = x -> Sigmoid"),
    "tanh": ([3, 6, 5], "y = x -> Tanh"),
    "gelu": ([3, 6, 5], "y = x -> GELU"),
    "softmax": ([7], "y = x -> Softmax"),
    "maxpool": ([3, 7, 6], "y = x -> MaxPool(3, stride = 2, pad = 1)"),
    "avgpool": ([3, 7, 6], "y = x -> AvgPool(3, stride = 2, pad = 1)"),
    "global_maxpool": ([3, 6, 5], "y = x -> GlobalMaxPool"),
    "global_avgpool": ([3, 6, 5], "y = x -> GlobalAvgPool"),
    "dropout": ([3, 6, 5], "y = x -> Dropout(0.3)"),
    "flatten": ([3, 6, 5], "y = x -> Flatten"),
    "sum": ([3, 6, 5], "y = x + x"),
    "concat": ([3, 6, 5], "y = Concat(x, x)"),
    # The CNN of PyTorch's MNIST example, and ResNet-50: numbers for them have been published.
    "mnist_example": (MNIST, "y = x -> Conv(32, kernel = 3) -> ReLU -> Conv(64, kernel = 3) -> ReLU -> MaxPool(2)"
                      " -> Dropout(0.25) -> Flatten -> Linear(128) -> ReLU -> Dropout(0.5) -> Linear(10)"),
    "resnet50": ([3, 224, 224], resnet50()),
}
# Known before, from the tools' own pages or users; what is counted here must agree with it.
PUBLISHED = {
    "mlp": {"macs": 101632, "thop": 101632, "thop-old": 101632, "torchinfo": 101770, "torch": 203264},
    "resnet20": {"macs": 40813184, "thop": 41620160, "thop-old": 41218752, "torchinfo": 40814762, "torch": 81626368},
    "mnist_example": {"macs": 11992448, "thop": 11992448, "thop-old": 12050944, "torchinfo": 12051082,
                      "torch": 23984896},
    "resnet50": {"macs": 4089184256, "thop": 4133742592, "thop-old": 4111514624, "torch": 8178368512},
}


# ---- tools ----

def macs(network, x):
    total = 0

    def hook(layer, _, output):
        nonlocal total
        total += output.numel() * layer.weight[0].numel()

    handles = [m.register_forward_hook(hook) for m in network.modules() if isinstance(m, (nn.Conv2d, nn.Linear))]
    network(x)
    for handle in handles:
        handle.remove()
    return total


def thop(network, x):
    return importlib.import_module("thop").profile(network, inputs=(x,), verbose=False)[0]


def thop_old(network, x):
    """The same package in a folder of its own; it wants a name that Python 3.10 has taken from `collections`."""
    collections.Iterable = collections.abc.Iterable
    kept = {name: sys.modules.pop(name) for name in list(sys.modules) if name.split(".")[0] == "thop"}
    sys.path.insert(0, os.environ["THOP_OLD"])
    count = thop(network, x)
    sys.path.pop(0)
    for name in [name for name in sys.modules if name.split(".")[0] == "thop"]:
        del sys.modules[name]
    sys.modules.update(kept)
    return count


def fvcore(network, x):
    from fvcore.nn import FlopCountAnalysis
    return FlopCountAnalysis(network, x).unsupported_ops_warnings(False).uncalled_modules_warnings(False).total()


def ptflops(network, x):
    from ptflops import get_model_complexity_info
    return get_model_complexity_info(network, tuple(x.shape[1:]), print_per_layer_stat=False, as_strings=False,
                                     backend="pytorch", ost=io.StringIO())[0]


def torchinfo(network, x):
    from torchinfo import summary
    return summary(network, input_data=x, verbose=0, depth=9).total_mult_adds


def torch_counter(network, x):
    from torch.utils.flop_counter import FlopCounterMode
    with FlopCounterMode(display=False) as counter:
        network(x)
    return counter.get_total_flops()


RULES = {"macs": macs, "thop": thop, "thop-old": thop_old, "fvcore": fvcore, "ptflops": ptflops,
         "torchinfo": torchinfo, "torch": torch_counter}


def main():
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    found = {}
    for name, (shape, body) in {**MODELS, **CASES}.items():
        found[name] = {} if name in MODELS else {"input": shape, "body": body}
        for rule, tool in RULES.items():
            x = torch.ones([1] + shape)
            with torch.no_grad():
                count = tool(Network(body, x), x)
            assert count == int(count)
            found[name][rule] = int(count)
            assert count == PUBLISHED.get(name, {}).get(rule, count), (name, rule, count)
        print(name, {rule: found[name][rule] for rule in RULES})
    write_json("flops.json", found)


if __name__ == "__main__":
    main()
