"""The networks of models/ trained by PyTorch, as its tutorials do it, but with all data in memory as tensors, or on the
device.

As a program it is a worker of speed.py: `peer.py NET MODE THREADS` prints "ready"; then, for every line with a number
of steps on stdin, it takes so many WINDOWS times and prints the seconds of each time.
"""

import glob
import gzip
import os
import sys
import time

import numpy as np
import torch
from torch import nn

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "tests", "oracle"))
from networks import INPUT_SHAPES, RECIPES, MnistCnn, loss_function, training_data  # noqa: E402

WINDOWS = 5     # measurements of a round
MODES = {
    "eager": "PyTorch eager",
    "fused": "PyTorch eager, fused optimizer",
    "compile": "PyTorch compile, fused optimizer",
}


class MnistCnnDropout(MnistCnn):
    """mnist_cnn as in models/; the one of the oracle has no dropout."""

    def forward(self, x):
        x = torch.max_pool2d(torch.relu(self.conv1(x)), 2)
        x = torch.max_pool2d(torch.relu(self.conv2(x)), 2)
        x = torch.relu(self.fc1(x.flatten(1)))
        return self.fc2(nn.functional.dropout(x, 0.3, self.training))


def module_of(net):
    return MnistCnnDropout() if net == "mnist_cnn" else RECIPES[net].module()


def read_bytes(folder, name):
    path = os.path.join(os.environ["DATA"], folder, name)
    with gzip.open(path + ".gz") if os.path.exists(path + ".gz") else open(path, "rb") as file:
        return np.frombuffer(file.read(), np.uint8)


def load(recipe, train):
    """All samples of the training or test set, transformed, and their classes."""
    if recipe.data == "xor":
        return training_data(recipe, 4, torch.float32)
    if recipe.data == "cifar10":
        pattern = os.path.join(os.environ["DATA"], "cifar10", "data_batch_*" if train else "test_batch*")
        names = sorted(os.path.basename(path).removesuffix(".gz") for path in glob.glob(pattern))
        records = np.concatenate([read_bytes("cifar10", name) for name in names]).reshape(-1, 3073)
        labels, pixels = records[:, 0], records[:, 1:]
    else:
        prefix = "train" if train else "t10k"
        labels = read_bytes(recipe.data, prefix + "-labels-idx1-ubyte")[8:]
        pixels = read_bytes(recipe.data, prefix + "-images-idx3-ubyte")[16:]
    x = torch.from_numpy(pixels.reshape([-1] + INPUT_SHAPES[recipe.data]).astype(np.float32)) / 255
    if recipe.mean:
        x = (x - torch.tensor(recipe.mean).view(-1, 1, 1)) / torch.tensor(recipe.std).view(-1, 1, 1)
    return x.contiguous(), torch.from_numpy(labels.astype(np.int64))


class Trainer:
    """Steps over a shuffled training set; a new order each epoch."""

    def __init__(self, net, mode="eager", seed=1, batch=0, device="cpu", **options):
        torch.manual_seed(seed)
        recipe = RECIPES[net]
        self.batch = batch or recipe.batch
        self.recipe, self.module, self.loss_of = recipe, module_of(net).to(device).train(), loss_function(recipe)
        if mode != "eager":
            options["fused"] = True
        self.optimizer = recipe.optimizer(self.module.parameters(), **recipe.arguments, **options)
        self.forward = torch.compile(self.module) if mode == "compile" else self.module
        self.x, self.y = (values.to(device) for values in load(recipe, True))
        self.loss_sum = torch.zeros((), dtype=torch.float64, device=device)
        self.new_epoch()

    def new_epoch(self):
        self.order, self.at = torch.randperm(len(self.x), device=self.x.device), 0
        self.loss_sum.zero_()

    def train_on(self, rows):
        loss = self.loss_of(self.forward(self.x[rows]), self.y[rows])
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        self.loss_sum.add_(loss.detach(), alpha=len(rows))

    def step(self):
        rows = self.order[self.at:self.at + self.batch]
        self.train_on(rows)
        self.at += len(rows)

    def epoch(self):
        """Returns the mean training loss."""
        self.new_epoch()
        while self.at < len(self.x):
            self.step()
        return self.loss_sum.item() / len(self.x)

    def accuracy(self):
        x, y = load(self.recipe, False)
        self.module.eval()
        with torch.no_grad():
            right = sum((self.module(x[i:i + 500]).argmax(1) == y[i:i + 500]).sum().item()
                        for i in range(0, len(x), 500))
        self.module.train()
        return right / len(x)

    def full_steps(self, count):
        """Takes steps of whole batches; returns the seconds."""
        start = time.perf_counter()
        for _ in range(count):
            if self.at + self.batch > len(self.x):
                self.new_epoch()
            self.step()
        return time.perf_counter() - start


def main():
    net, mode, threads = sys.argv[1:4]
    torch.set_num_threads(int(threads))
    trainer = Trainer(net, mode)
    trainer.full_steps(3)
    print("ready", flush=True)
    for line in sys.stdin:
        print(*[trainer.full_steps(int(line)) for _ in range(WINDOWS)], flush=True)


if __name__ == "__main__":
    main()
