"""Runs the part of the .net language that the cases use, in PyTorch.

A case is the text of its network's body, so the network that netc compiles and the one that PyTorch runs are the
same text. Understood: lines `NAME = EXPR -> STAGE -> ...` (a stage is `Layer(args)` or `name: Layer(args)`), where
EXPR is a value, a sum of two values, or Concat of values.
"""

import ast
import re

import torch
import torch.nn.functional as F


def split(text, separator=","):
    """Splits at separators that stand outside brackets."""
    parts, depth = [""], 0
    for char in text:
        depth += (char in "([") - (char in ")]")
        if char == separator and depth == 0:
            parts.append("")
        else:
            parts[-1] += char
    return [part.strip() for part in parts if part.strip()]


def literal(text):
    return {"true": True, "false": False}[text] if text in ("true", "false") else ast.literal_eval(text)


def parse_stage(text):
    """`name: Layer(3, key = 4)` gives (name or None, "Layer", [3], {"key": 4})."""
    name, kind, inside = re.fullmatch(r"(?:(\w+)\s*:\s*)?(\w+)(?:\((.*)\))?", text).groups()
    positional, named = [], {}
    for argument in split(inside or ""):
        if "=" in argument:
            key, value = (part.strip() for part in argument.split("="))
            named[key] = literal(value)
        else:
            positional.append(literal(argument))
    return name, kind, positional, named


def parse_body(body):
    """The lines of a body as (value, expression, [stages])."""
    lines = []
    for line in body.strip().splitlines():
        value, right = (part.strip() for part in line.split("=", 1))
        first, *stages = (part.strip() for part in right.split("->"))
        lines.append((value, first, [parse_stage(stage) for stage in stages]))
    return lines


def margin_of_sign(x):
    """Distance of the value nearest to zero from zero; exact zeros do not count."""
    size = x.detach().abs()
    return size[size > 0].min().item()


def margin_of_maximum(x, kernel, stride, pad):
    """Smallest difference between the two largest values of any pooling window; exact ties do not count."""
    x = F.pad(x.detach(), (pad[1], pad[1], pad[0], pad[0]), value=float("-inf"))
    windows = x.unfold(2, kernel[0], stride[0]).unfold(3, kernel[1], stride[1]).flatten(4)
    if windows.shape[4] == 1:
        return float("inf")
    top = windows.topk(2, dim=4).values
    gap = top[..., 0] - top[..., 1]
    return gap[gap > 0].min().item() if (gap > 0).any() else float("inf")


def pair(value):
    return list(value) if isinstance(value, (list, tuple)) else [value, value]


class Network:
    """A body with its parameters, made on the first run by `new(shape, kind, fan_in)`; names are PyTorch's."""

    def __init__(self, body, new):
        self.lines = parse_body(body)
        self.new = new
        self.params = {}
        self.buffers = {}
        self.margin = float("inf")      # distance to the nearest kink (sign of ReLU, choice of a maximum)

    def run(self, x, training=True):
        values = {"x": x}
        for value, expression, stages in self.lines:
            y = self.expression(expression, values)
            for stage in stages:
                y = self.layer(*stage, y, training)
            values[value] = y
        return values["y"]

    def expression(self, text, values):
        if text.startswith("Concat("):
            return torch.cat([values[name] for name in split(text[len("Concat("):-1])], dim=1)
        total, *rest = (values[name] for name in split(text, "+"))
        for value in rest:
            total = total + value
        return total

    def param(self, name, shape, kind, fan_in=1):
        if name not in self.params:
            self.params[name] = self.new(shape, kind, fan_in).requires_grad_(True)
        return self.params[name]

    def buffer(self, name, shape, kind):
        if name not in self.buffers:
            self.buffers[name] = self.new(shape, kind, 1)
        return self.buffers[name]

    def layer(self, name, kind, positional, named, x, training):
        return getattr(self, "layer_" + kind)(x, *positional, **named, **self.context(kind, name, training))

    @staticmethod
    def context(kind, name, training):
        if kind == "BatchNorm":
            return {"name": name, "training": training}
        return {"name": name} if kind in ("Conv", "Linear") else {}

    def layer_Conv(self, x, channels, kernel, name, stride=1, pad=0, dilation=1, groups=1, bias=True):
        kernel, fan_in = pair(kernel), x.shape[1] // groups * pair(kernel)[0] * pair(kernel)[1]
        weight = self.param(name + ".weight", [channels, x.shape[1] // groups] + kernel, "weight", fan_in)
        b = self.param(name + ".bias", [channels], "bias", fan_in) if bias else None
        return F.conv2d(x, weight, b, pair(stride), pair(pad), pair(dilation), groups)

    def layer_Linear(self, x, features, name, bias=True):
        weight = self.param(name + ".weight", [features, x.shape[1]], "weight", x.shape[1])
        b = self.param(name + ".bias", [features], "bias", x.shape[1]) if bias else None
        return F.linear(x, weight, b)

    def layer_BatchNorm(self, x, name, training, momentum=0.1, eps=1e-5):
        channels = [x.shape[1]]
        weight, bias = self.param(name + ".weight", channels, "scale"), self.param(name + ".bias", channels, "shift")
        mean = self.buffer(name + ".running_mean", channels, "shift")
        var = self.buffer(name + ".running_var", channels, "scale")
        return F.batch_norm(x, mean, var, weight, bias, training, momentum, eps)

    def layer_Flatten(self, x):
        return x.flatten(1)

    def layer_ReLU(self, x):
        self.margin = min(self.margin, margin_of_sign(x))
        return F.relu(x)

    def layer_LeakyReLU(self, x, slope=0.01):
        self.margin = min(self.margin, margin_of_sign(x))
        return F.leaky_relu(x, slope)

    def layer_Sigmoid(self, x):
        return torch.sigmoid(x)

    def layer_Tanh(self, x):
        return torch.tanh(x)

    def layer_GELU(self, x):
        return F.gelu(x)

    def layer_Softmax(self, x):
        return F.softmax(x, dim=1)

    def layer_MaxPool(self, x, kernel, stride=None, pad=0):
        stride = kernel if stride is None else stride
        self.margin = min(self.margin, margin_of_maximum(x, pair(kernel), pair(stride), pair(pad)))
        return F.max_pool2d(x, pair(kernel), pair(stride), pair(pad))

    def layer_AvgPool(self, x, kernel, stride=None, pad=0):
        return F.avg_pool2d(x, pair(kernel), pair(kernel if stride is None else stride), pair(pad))

    def layer_GlobalMaxPool(self, x):
        self.margin = min(self.margin, margin_of_maximum(x, x.shape[2:], [1, 1], [0, 0]))
        return F.adaptive_max_pool2d(x, 1)

    def layer_GlobalAvgPool(self, x):
        return F.adaptive_avg_pool2d(x, 1)


def wrapped(line):
    """A line of a body; a long one gets one stage per line."""
    return line if len(line) <= 80 else line.replace(" -> ", "\n    -> ")


def net_text(name, note, input_shape, target, body, train, transform=None):
    """The .net file around a body; `target` is (name, type), `train` the (key, value) entries in order."""
    names = max(1, len(target[0]))
    keys = max(len(key) for key, _ in train)
    values = "\n".join(wrapped(line.strip()) for line in body.strip().splitlines())
    entries = "\n".join(f"    {key:<{keys}} = {value}" for key, value in train)
    data = f"data {{\n    transform = {transform}\n}}\n\n" if transform else ""
    return f"""# {note}
net {name}

input  {'x':<{names}} : f32[{', '.join(map(str, input_shape))}]
target {target[0]:<{names}} : {target[1]}

{values}

output y

{data}train {{
{entries}
}}
"""
