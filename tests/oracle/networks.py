"""The networks of models/ as PyTorch modules under the same parameter names, dropout off, and their recipes."""

import gzip
import os
from collections import namedtuple

import numpy as np
import torch
from torch import nn

Recipe = namedtuple("Recipe",
                    "net module data mean std optimizer arguments text batch steps variant warmup", defaults=[0])


def conv(inputs, outputs, kernel=3, stride=1, pad=1, bias=True):
    return nn.Conv2d(inputs, outputs, kernel, stride, pad, bias=bias)


class Mlp(nn.Module):
    def __init__(self, *widths):
        super().__init__()
        self.count = len(widths) - 1
        for i in range(self.count):
            setattr(self, f"fc{i + 1}", nn.Linear(widths[i], widths[i + 1]))

    def forward(self, x):
        x = self.fc1(x.flatten(1))
        for i in range(1, self.count):
            x = getattr(self, f"fc{i + 1}")(torch.relu(x))
        return x


class Xor(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(2, 8), nn.Linear(8, 1)

    def forward(self, x):
        return self.fc2(torch.tanh(self.fc1(x)))


class MnistCnn(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = conv(1, 16), conv(16, 32)
        self.fc1, self.fc2 = nn.Linear(1568, 128), nn.Linear(128, 10)

    def forward(self, x):
        x = torch.max_pool2d(torch.relu(self.conv1(x)), 2)
        x = torch.max_pool2d(torch.relu(self.conv2(x)), 2)
        return self.fc2(torch.relu(self.fc1(x.flatten(1))))


class StridedCnn(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.conv2, self.conv3 = conv(1, 32), conv(32, 64, stride=2), conv(64, 128, stride=2)
        self.pool = nn.AdaptiveMaxPool2d(1)
        self.fc1, self.fc2 = nn.Linear(128, 64), nn.Linear(64, 10)

    def forward(self, x):
        x = torch.relu(self.conv1(x))
        x = torch.relu(self.conv2(x))
        x = torch.relu(self.conv3(x))
        return self.fc2(torch.relu(self.fc1(self.pool(x).flatten(1))))


class FashionLenet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = conv(1, 6, 5, pad=0), conv(6, 12, 5, pad=0)
        self.fc1, self.fc2, self.out = nn.Linear(192, 120), nn.Linear(120, 60), nn.Linear(60, 10)

    def forward(self, x):
        x = torch.max_pool2d(torch.relu(self.conv1(x)), 2)
        x = torch.max_pool2d(torch.relu(self.conv2(x)), 2)
        x = torch.relu(self.fc1(x.flatten(1)))
        return self.out(torch.relu(self.fc2(x)))


class Residual(nn.Module):
    """Two convolutions around a shortcut, which is a strided 1x1 convolution where the width changes."""

    def __init__(self, inputs, outputs):
        super().__init__()
        self.wider = inputs != outputs
        self.conv1 = conv(inputs, outputs, stride=1 + self.wider, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = conv(outputs, outputs, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        if self.wider:
            self.proj = conv(inputs, outputs, 1, stride=2, pad=0, bias=False)
            self.bn3 = nn.BatchNorm2d(outputs)

    def forward(self, x):
        y = self.bn2(self.conv2(torch.relu(self.bn1(self.conv1(x)))))
        return torch.relu(y + (self.bn3(self.proj(x)) if self.wider else x))


class Resnet20(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv0, self.bn0 = conv(3, 16, bias=False), nn.BatchNorm2d(16)
        self.stage1 = nn.Sequential(*[Residual(16, 16) for _ in range(3)])
        self.down2 = Residual(16, 32)
        self.stage2 = nn.Sequential(*[Residual(32, 32) for _ in range(2)])
        self.down3 = Residual(32, 64)
        self.stage3 = nn.Sequential(*[Residual(64, 64) for _ in range(2)])
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(64, 10)

    def forward(self, x):
        x = torch.relu(self.bn0(self.conv0(x)))
        x = self.stage3(self.down3(self.stage2(self.down2(self.stage1(x)))))
        return self.fc(self.pool(x).flatten(1))


MNIST = {"data": "mnist", "mean": [0.1307], "std": [0.3081]}
FASHION = {"data": "fashion", "mean": None, "std": None}
CIFAR = {"data": "cifar10", "mean": [0.4914, 0.4822, 0.4465], "std": [0.2470, 0.2435, 0.2616]}
XOR = {"data": "xor", "mean": None, "std": None}


def sgd(lr, momentum):
    return {"optimizer": torch.optim.SGD, "arguments": {"lr": lr, "momentum": momentum},
            "text": f"SGD(lr = {lr}, momentum = {momentum})"}


def adam(lr):
    return {"optimizer": torch.optim.Adam, "arguments": {"lr": lr}, "text": f"Adam(lr = {lr})"}


def mlp():
    return Mlp(784, 128, 10)


def mlp3():
    return Mlp(784, 128, 64, 10)


RESNET20 = {"net": "resnet20", "module": Resnet20, "optimizer": torch.optim.SGD,
            "arguments": {"lr": 0.1, "momentum": 0.9, "weight_decay": 5e-4},
            "text": "SGD(lr = 0.1, momentum = 0.9, decay = 5e-4)", "warmup": 400}

# `variant` picks initial weights for which rounding in float32 changes the sign of no ReLU's input (mlp, mlp3), or
# of none that shows in the gradients (the others). No weights do that for resnet20 with batch 128, so its strict
# check has batch 4. `warmup` is that of the schedule in models/, which reaches beyond the steps taken here.
RECIPES = {
    "xor": Recipe("xor", Xor, **XOR, **adam(0.05), batch=4, steps=200, variant=0),
    "mlp": Recipe("mlp", mlp, **MNIST, **adam(0.001), batch=64, steps=100, variant=29),
    "mlp3": Recipe("mlp3", mlp3, **MNIST, **sgd(0.01, 0.5), batch=64, steps=100, variant=14),
    "mnist_cnn": Recipe("mnist_cnn", MnistCnn, **MNIST, **adam(0.001), batch=128, steps=5, variant=2),
    "strided_cnn": Recipe("strided_cnn", StridedCnn, **MNIST, **sgd(0.01, 0.5), batch=64, steps=5, variant=1),
    "fashion_lenet": Recipe("fashion_lenet", FashionLenet, **FASHION, **adam(0.01), batch=1000, steps=5, variant=2),
    "resnet20": Recipe(**RESNET20, **CIFAR, batch=128, steps=5, variant=0),
}
SMALL_RESNET20 = Recipe(**RESNET20, **CIFAR, batch=4, steps=5, variant=26)

INPUT_SHAPES = {"xor": [2], "mnist": [1, 28, 28], "fashion": [1, 28, 28], "cifar10": [3, 32, 32]}


def transform_text(recipe):
    """The transform of a recipe in the .net language."""
    if recipe.data == "xor":
        return "[]"

    def number(values):
        return str(values[0]) if len(values) == 1 else str(values)
    normalize = f", Normalize(mean = {number(recipe.mean)}, std = {number(recipe.std)})" if recipe.mean else ""
    return f"[Scale(1/255){normalize}]"


def read_unpacked(folder, name):
    with gzip.open(os.path.join(os.environ["DATA"], folder, name + ".gz")) as file:
        return np.frombuffer(file.read(), np.uint8)


def training_data(recipe, count, dtype):
    """The first `count` training samples in file order, transformed, and their targets."""
    if recipe.data == "xor":
        inputs = torch.tensor([[0, 0], [0, 1], [1, 0], [1, 1]], dtype=dtype)
        targets = torch.tensor([[0], [1], [1], [0]], dtype=dtype)
        return inputs.repeat(count // 4, 1), targets.repeat(count // 4, 1)
    if recipe.data == "cifar10":
        records = read_unpacked("cifar10", "data_batch_1.bin").reshape(-1, 3073)[:count]
        labels, pixels = records[:, 0], records[:, 1:]
    else:
        labels = read_unpacked(recipe.data, "train-labels-idx1-ubyte")[8:8 + count]
        pixels = read_unpacked(recipe.data, "train-images-idx3-ubyte")[16:16 + count * 784]
    pixels = pixels.reshape([count] + INPUT_SHAPES[recipe.data])
    x = torch.from_numpy(pixels.copy()).to(dtype) / 255
    if recipe.mean:
        x = (x - torch.tensor(recipe.mean, dtype=dtype).view(-1, 1, 1)) / torch.tensor(
            recipe.std, dtype=dtype).view(-1, 1, 1)
    return x, torch.from_numpy(labels.astype(np.int64))


def loss_function(recipe):
    return nn.functional.mse_loss if recipe.data == "xor" else nn.functional.cross_entropy
