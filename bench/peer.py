"""The networks of nets.py trained by PyTorch, as its tutorials do it, but with all data in memory as tensors, or on the
device.

As a program it is a worker of speed.py: peers.py.
"""

import sys
import time

import torch

from peers import PEERS, answer
from samples import read_set
from torch_nets import recipe_of, training_data


def load(recipe, train):
    """All samples of the training or test set, transformed, and their classes."""
    if recipe.data == "xor":
        return training_data(recipe, 4, torch.float32)
    x, y = map(torch.from_numpy, read_set(recipe.data, train))
    if recipe.mean:
        x = (x - torch.tensor(recipe.mean).view(-1, 1, 1)) / torch.tensor(recipe.std).view(-1, 1, 1)
    return x.contiguous(), y


class Trainer:
    """Steps over a shuffled training set; a new order each epoch. What `options` has goes to the optimizer."""

    def __init__(self, net, mode="eager", seed=1, batch=0, device="cpu", channels_last=False, bf16=False, **options):
        torch.manual_seed(seed)
        recipe = recipe_of(net)
        self.batch = batch or recipe.batch
        self.recipe, self.module, self.loss_of = recipe, recipe.module().to(device).train(), recipe.loss
        if mode != "eager":
            options["fused"] = True
        self.optimizer = recipe.optimizer(self.module.parameters(), **recipe.arguments, **options)
        self.forward = torch.compile(self.module) if mode == "compile" else self.module
        self.x, self.y = (values.to(device) for values in load(recipe, True))
        self.channels_last, self.bf16 = channels_last, bf16
        if channels_last:
            self.module.to(memory_format=torch.channels_last)
            self.x = self.x.permute(0, 2, 3, 1).contiguous()        # so that the rows of a batch are so, too
        self.loss_sum = torch.zeros((), dtype=torch.float64, device=device)
        self.new_epoch()

    def new_epoch(self):
        self.order, self.at = torch.randperm(len(self.x), device=self.x.device), 0
        self.loss_sum.zero_()

    def loss(self, rows):
        x = self.x[rows]
        return self.loss_of(self.forward(x.permute(0, 3, 1, 2) if self.channels_last else x), self.y[rows])

    def train_on(self, rows):
        if self.bf16:
            with torch.autocast(self.x.device.type, torch.bfloat16):
                loss = self.loss(rows)
        else:
            loss = self.loss(rows)
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


def mean_loss(trainer, steps):
    """Of the first steps."""
    steps = min(steps, len(trainer.x) // trainer.batch)
    trainer.full_steps(steps)
    return trainer.loss_sum.item() / (steps * trainer.batch)


def main():
    net, name, threads = sys.argv[1:4]
    torch.set_num_threads(int(threads))
    options = PEERS[name].options
    trainer = Trainer(net, **options)
    trainer.full_steps(3)
    answer(sys.stdin, trainer.full_steps, lambda steps: mean_loss(Trainer(net, **options), steps))


if __name__ == "__main__":
    main()
