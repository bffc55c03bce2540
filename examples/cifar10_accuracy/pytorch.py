"""The two recipes of this folder in PyTorch: all data in memory as tensors, pictures augmented a batch at a time, no loader.

    python pytorch.py resnet20|fast FOLDER [--seed 1] [--threads N] [--epochs N]     FOLDER: data_batch_*.bin and test_batch.bin, or packed
"""

import argparse
import glob
import gzip
import math

import numpy
import torch
from torch import nn
from torch.nn import functional

MEAN, STD = (torch.tensor(values).view(3, 1, 1) for values in ([0.4914, 0.4822, 0.4465], [0.2470, 0.2435, 0.2616]))


def conv(inputs, outputs, kernel=3, stride=1, pad=1):
    return nn.Conv2d(inputs, outputs, kernel, stride, pad, bias=False)


class Residual(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        stride = 1 if inputs == outputs else 2
        self.body = nn.Sequential(conv(inputs, outputs, stride=stride), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True),
                                  conv(outputs, outputs), nn.BatchNorm2d(outputs))
        self.skip = nn.Identity() if stride == 1 else nn.Sequential(conv(inputs, outputs, 1, 2, 0), nn.BatchNorm2d(outputs))

    def forward(self, x):
        return torch.relu(self.skip(x) + self.body(x))


def resnet20():
    blocks = [Residual(i, o) for i, o in zip([16, 16, 16, 16, 32, 32, 32, 64, 64], [16, 16, 16, 32, 32, 32, 64, 64, 64])]
    return nn.Sequential(conv(3, 16), nn.BatchNorm2d(16), nn.ReLU(inplace=True), *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))


def fast(width=32):
    layers, inputs = [nn.Conv2d(3, 24, 2), nn.GELU()], 24
    for outputs in (width, 2 * width, 4 * width):
        layers += [conv(inputs, outputs), nn.MaxPool2d(2), nn.BatchNorm2d(outputs), nn.GELU(),
                   conv(outputs, outputs), nn.BatchNorm2d(outputs), nn.GELU()]
        inputs = outputs
    return nn.Sequential(*layers, nn.MaxPool2d(3), nn.Flatten(), nn.Linear(inputs, 10))


def cosine(optimizer, steps):
    warmup = 400
    return torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda s: (s + 1) / warmup if s < warmup else 0.5 * (1 + math.cos(math.pi * (s - warmup) / (steps - warmup))))


def one_cycle(optimizer, steps):
    return torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.2, total_steps=steps, pct_start=0.25, anneal_strategy="linear", cycle_momentum=False)


RECIPES = {
    "resnet20": dict(model=resnet20, epochs=30, batch=128, pad=4, mode="constant", smoothing=0, ema=None, schedule=cosine,
                     optimizer=dict(lr=0.1, momentum=0.9, weight_decay=5e-4)),
    "fast": dict(model=fast, epochs=15, batch=125, pad=2, mode="reflect", smoothing=0.2, ema=0.98, schedule=one_cycle,
                 optimizer=dict(lr=0.2, momentum=0.85, nesterov=True, weight_decay=1e-3)),
}


def load(folder, pattern):
    parts = [(gzip.open if path.endswith(".gz") else open)(path, "rb").read() for path in sorted(glob.glob(f"{folder}/{pattern}"))]
    records = torch.from_numpy(numpy.frombuffer(b"".join(parts), numpy.uint8).copy()).view(-1, 3073)
    return records[:, 1:].float().view(-1, 3, 32, 32) / 255, records[:, 0].long()


def crop_and_flip(images, pad, mode):
    """Each picture moved and mirrored by itself, with a gather: nothing of Python's speed stands in the way."""
    n = len(images)
    padded = functional.pad(images, [pad] * 4, mode=mode)
    rows = torch.arange(32).view(1, 32) + torch.randint(2 * pad + 1, (n, 1))
    columns = torch.arange(32).view(1, 32) + torch.randint(2 * pad + 1, (n, 1))
    columns = torch.where(torch.rand(n, 1) < 0.5, columns.flip(1), columns)
    return padded[torch.arange(n).view(n, 1, 1, 1), torch.arange(3).view(1, 3, 1, 1), rows.view(n, 1, 32, 1), columns.view(n, 1, 1, 32)]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("recipe", choices=RECIPES)
    parser.add_argument("folder")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--epochs", type=int)
    arguments = parser.parse_args()
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    torch.manual_seed(arguments.seed)
    recipe = RECIPES[arguments.recipe]
    epochs = arguments.epochs or recipe["epochs"]

    images, labels = load(arguments.folder, "data_batch_*")
    model = recipe["model"]().to(memory_format=torch.channels_last)
    optimizer = torch.optim.SGD(model.parameters(), fused=True, **recipe["optimizer"])
    schedule = recipe["schedule"](optimizer, epochs * math.ceil(len(images) / recipe["batch"]))
    tested = model
    if recipe["ema"]:
        average = torch.optim.swa_utils.get_ema_multi_avg_fn(recipe["ema"])
        tested = torch.optim.swa_utils.AveragedModel(model, multi_avg_fn=average)
    for _ in range(epochs):
        for some in torch.randperm(len(images)).split(recipe["batch"]):
            pictures = (crop_and_flip(images[some], recipe["pad"], recipe["mode"]) - MEAN) / STD
            scores = model(pictures.contiguous(memory_format=torch.channels_last))
            loss = functional.cross_entropy(scores, labels[some], label_smoothing=recipe["smoothing"])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            if recipe["ema"]:
                tested.update_parameters(model)

    if recipe["ema"]:    # running statistics are the training's, as netrun has them
        for mine, its in zip(tested.module.buffers(), model.buffers()):
            mine.copy_(its)
    images, labels = load(arguments.folder, "test_batch*")
    tested.eval()
    with torch.no_grad():
        right = sum((tested((x - MEAN) / STD).argmax(1) == y).sum().item() for x, y in zip(images.split(1000), labels.split(1000)))
    print(f"accuracy {100 * right / len(labels):.2f} %")


main()
