"""The networks that are measured: the six of models/ on their data sets, and others on noise, which costs as much.

A case is a name, or NAME:KEY=NUMBER,... with `batch` and params of the model: "mlp_of_width:width=512,batch=256".
"""

import array
import os
import random
import sys
from collections import namedtuple

# shape, classes  of noise; None: `data` names a data set. classes 0: a sample's target is the sample
# steps           of one measurement; None: as many as take about SECONDS
Net = namedtuple("Net", "model images data steps shape classes batch", defaults=[None, None, None])
NETS = {
    "mlp": Net("models/mlp.net", False, "mnist", 150),
    "mlp3": Net("models/mlp3.net", False, "mnist", 150),
    "mnist_cnn": Net("models/mnist_cnn.net", True, "mnist", 15),
    "strided_cnn": Net("models/strided_cnn.net", True, "mnist", 5),
    "fashion_lenet": Net("models/fashion_lenet.net", True, "fashion", 5),
    "resnet20": Net("models/resnet20.net", True, "cifar10", 1),
}
SEEDS = list(NETS)
GREY, COLOUR = (1, 28, 28), (3, 32, 32)
NETS |= {
    "resnet18": Net("examples/transfer/resnet18.net", True, None, None, COLOUR, 10, 32),
    "vgg11": Net("bench/models/vgg11.net", True, None, None, COLOUR, 10, 64),
    "mobilenet": Net("bench/models/mobilenet.net", True, None, None, COLOUR, 10, 64),
    "densenet40": Net("bench/models/densenet40.net", True, None, None, COLOUR, 10, 64),
    "autoencoder": Net("bench/models/autoencoder.net", False, None, None, GREY, 0, 64),
    "mlp_of_width": Net("bench/models/mlp.net", False, None, None, GREY, 10, 64),
    "cnn_of_side": Net("bench/models/cnn.net", True, None, None, GREY, 10, 128),
}
SECONDS, MOST_STEPS, MOST_BYTES = 0.15, 150, 96 << 20


class Case:
    """ValueError, KeyError: the text is none."""

    def __init__(self, text):
        self.text = text
        name, _, given = text.partition(":")
        self.net, self.name = NETS[name], name
        self.params = {key: int(value) for key, value in (pair.split("=") for pair in given.split(",") if pair)}
        self.given_batch = self.params.pop("batch", None)
        self.batch = self.given_batch or self.net.batch
        side = self.params.get("side")
        self.shape = (1, side, side) if side else self.net.shape

    def data(self, folder):
        """The folder of its samples; noise is made there."""
        if self.net.data:
            return os.path.join(os.environ["DATA"], self.net.data)
        path = os.path.join(folder, self.text.replace(":", ".").replace(",", "."))
        if not os.path.isdir(path):
            os.mkdir(path)
            make_noise(path, self.samples(), self.shape, self.net.classes)
        return path

    def samples(self):
        """Of noise: enough for a round of measurements within one epoch, where memory allows that many."""
        each = self.shape[0] * self.shape[1] * self.shape[2] * (1 if self.net.classes else 5)
        return max(2 * self.batch, min(7 * MOST_STEPS * self.batch, MOST_BYTES // each // self.batch * self.batch))

    def most_steps(self, windows):
        """Of one measurement, so that a round stays within one epoch."""
        return max(1, min(MOST_STEPS, self.samples() // self.batch // (windows + 1)))


def idx_head(kind, sizes):
    return bytes([0, 0, kind, len(sizes)]) + b"".join(size.to_bytes(4, "big") for size in sizes)


def make_noise(path, count, shape, classes):
    """A training set as IDX files: bytes, and classes or the same numbers from 0 to 1."""
    draw = random.Random(1)
    size = shape[0] * shape[1] * shape[2]
    pixels = draw.randbytes(count * size)
    with open(f"{path}/train-images-idx{len(shape) + 1}-ubyte", "wb") as file:
        file.write(idx_head(8, (count, *shape)) + pixels)
    if classes:
        with open(f"{path}/train-labels-idx1-ubyte", "wb") as file:
            file.write(idx_head(8, (count,)) + bytes(draw.randrange(classes) for _ in range(count)))
        return
    values = array.array("f", [pixel / 255 for pixel in pixels])
    if sys.byteorder == "little":
        values.byteswap()
    with open(f"{path}/train-labels-idx2-float", "wb") as file:
        file.write(idx_head(13, (count, size)) + values.tobytes())
