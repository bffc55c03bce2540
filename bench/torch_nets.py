"""The networks of nets.py as PyTorch modules, with their recipes."""

import os
import sys
from collections import namedtuple

import torch
from torch import nn

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "tests", "oracle"))
from networks import RECIPES, Mlp, MnistCnn, Residual, loss_function, training_data  # noqa: E402

from nets import Case  # noqa: E402

# loss  of outputs and targets; data: a data set, or a folder of noise
Recipe = namedtuple("Recipe", "module data mean std optimizer arguments batch loss")


class MnistCnnDropout(MnistCnn):
    """mnist_cnn as in models/; the one of the oracle has no dropout."""

    def forward(self, x):
        x = torch.max_pool2d(torch.relu(self.conv1(x)), 2)
        x = torch.max_pool2d(torch.relu(self.conv2(x)), 2)
        x = torch.relu(self.fc1(x.flatten(1)))
        return self.fc2(nn.functional.dropout(x, 0.3, self.training))


class CnnOfSide(MnistCnn):
    def __init__(self, side):
        super().__init__()
        self.fc1 = nn.Linear(32 * (side // 4)**2, 128)


def normal(inputs, outputs, *kernel, **options):
    """A convolution, its normalisation and ReLU."""
    return [nn.Conv2d(inputs, outputs, *kernel, **options), nn.BatchNorm2d(outputs), nn.ReLU()]


def classifier(layers, channels):
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 10))


def resnet18():
    layers, width = normal(3, 64, 3, padding=1, bias=False), 64
    for channels in (64, 128, 256, 512):
        layers += [Residual(width, channels), Residual(channels, channels)]
        width = channels
    return classifier(layers, 512)


def vgg11():
    layers, width = [], 3
    for channels in (64, 0, 128, 0, 256, 256, 0, 512, 512, 0, 512, 512, 0):
        layers += normal(width, channels, 3, padding=1) if channels else [nn.MaxPool2d(2)]
        width = channels or width
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(512, 10))


def mobilenet():
    layers, width = normal(3, 32, 3, padding=1, bias=False), 32
    for channels, stride in [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2)] + [(512, 1)] * 5 + [(1024, 2), (1024, 1)]:
        layers += normal(width, width, 3, stride, padding=1, groups=width, bias=False) + normal(width, channels, 1, bias=False)
        width = channels
    return classifier(layers, 1024)


class Dense(nn.Module):
    def __init__(self, inputs):
        super().__init__()
        self.bn, self.conv = nn.BatchNorm2d(inputs), nn.Conv2d(inputs, 12, 3, padding=1, bias=False)

    def forward(self, x):
        return torch.cat([x, self.conv(torch.relu(self.bn(x)))], 1)


def densenet40():
    layers, width = [nn.Conv2d(3, 16, 3, padding=1, bias=False)], 16
    for stage in range(3):
        for _ in range(12):
            layers.append(Dense(width))
            width += 12
        layers += [nn.BatchNorm2d(width), nn.ReLU()]
        if stage < 2:
            layers += [nn.Conv2d(width, width, 1, bias=False), nn.AvgPool2d(2)]
    return classifier(layers, width)


def sgd(lr, momentum):
    return torch.optim.SGD, {"lr": lr, "momentum": momentum}


ADAM = torch.optim.Adam, {"lr": 1e-3}
OTHERS = {
    "resnet18": (resnet18, (torch.optim.SGD, {"lr": 0.05, "momentum": 0.9, "weight_decay": 5e-4})),
    "vgg11": (vgg11, sgd(0.01, 0.9)),
    "mobilenet": (mobilenet, sgd(0.01, 0.9)),
    "densenet40": (densenet40, sgd(0.01, 0.9)),
    "autoencoder": (lambda: Mlp(784, 256, 32, 256, 784), ADAM),
    "mlp_of_width": (lambda width=128, depth=2: Mlp(784, *[width] * depth, 10), sgd(0.01, 0.5)),
    "cnn_of_side": (lambda side=28: CnnOfSide(side), ADAM),
}


def recipe_of(text):
    """Of a case."""
    if text in RECIPES:
        r = RECIPES[text]
        return Recipe(MnistCnnDropout if text == "mnist_cnn" else r.module, r.data, r.mean, r.std, r.optimizer, r.arguments, r.batch,
                      loss_function(r))
    this = Case(text)
    module, (optimizer, arguments) = OTHERS[this.name]
    return Recipe(lambda: module(**this.params), this.data(os.environ["NOISE"]), None, None, optimizer, arguments, this.batch,
                  nn.functional.cross_entropy if this.net.classes else nn.functional.mse_loss)
