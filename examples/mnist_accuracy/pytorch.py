"""fast.net in PyTorch, as fast as we know how there: no loader, all data in memory as tensors, a fused optimizer.

    python pytorch.py FOLDER [SEED] [--layout NCHW|channels_last] [--threads N]     FOLDER: the four files of MNIST
"""

import argparse
import math

import numpy
import torch
from torch import nn
from torch.nn import functional

EPOCHS, BATCH, LR, WARMUP = 1, 64, 1.5e-2, 50

parser = argparse.ArgumentParser()
parser.add_argument("folder")
parser.add_argument("seed", nargs="?", type=int, default=1)
parser.add_argument("--layout", choices=["NCHW", "channels_last"], default="channels_last")
parser.add_argument("--threads", type=int)
arguments = parser.parse_args()
if arguments.threads:
    torch.set_num_threads(arguments.threads)
torch.manual_seed(arguments.seed)
layout = torch.channels_last if arguments.layout == "channels_last" else torch.contiguous_format


def load(split):
    images = numpy.fromfile(f"{arguments.folder}/{split}-images-idx3-ubyte", numpy.uint8, offset=16).reshape(-1, 1, 28, 28)
    labels = numpy.fromfile(f"{arguments.folder}/{split}-labels-idx1-ubyte", numpy.uint8, offset=8)
    images = (torch.from_numpy(images).float() / 255 - 0.1307) / 0.3081
    return images.to(memory_format=layout), torch.from_numpy(labels).long()


model = nn.Sequential(nn.Conv2d(1, 8, 5), nn.MaxPool2d(2), nn.ReLU(), nn.Conv2d(8, 32, 5), nn.MaxPool2d(2), nn.ReLU(), nn.Flatten(),
                      nn.Linear(512, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Linear(64, 10)).to(memory_format=layout)
images, labels = load("train")
steps = EPOCHS * math.ceil(len(images) / BATCH)
optimizer = torch.optim.Adam(model.parameters(), lr=LR, fused=True)
schedule = torch.optim.lr_scheduler.LambdaLR(
    optimizer, lambda s: (s + 1) / WARMUP if s < WARMUP else 0.5 * (1 + math.cos(math.pi * (s - WARMUP) / (steps - WARMUP))))
for _ in range(EPOCHS):
    for some in torch.randperm(len(images)).split(BATCH):
        loss = functional.cross_entropy(model(images[some]), labels[some], label_smoothing=0.1)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()

images, labels = load("t10k")
model.eval()
with torch.no_grad():
    right = sum((model(x).argmax(1) == y).sum().item() for x, y in zip(images.split(1000), labels.split(1000)))
print(f"accuracy {100 * right / len(labels):.2f} %")
