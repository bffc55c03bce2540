"""The published data sets in memory, as numpy reads them; $DATA names the folder that has them."""

import glob
import gzip
import os

import numpy as np

SHAPES = {"mnist": [1, 28, 28], "fashion": [1, 28, 28], "cifar10": [3, 32, 32]}


def read_bytes(folder, name):
    path = os.path.join(os.environ["DATA"], folder, name)
    with gzip.open(path + ".gz") if os.path.exists(path + ".gz") else open(path, "rb") as file:
        return np.frombuffer(file.read(), np.uint8)


def read_noise(folder):
    """What nets.py has written."""
    def read(pattern):
        with open(*glob.glob(os.path.join(folder, pattern)), "rb") as file:
            _, _, kind, rank = file.read(4)
            sizes = np.frombuffer(file.read(4 * rank), ">u4")
            return np.frombuffer(file.read(), {8: np.uint8, 13: ">f4"}[kind]).reshape(sizes)
    x, y = read("train-images*"), read("train-labels*")
    return x.astype(np.float32) / 255, y.astype(np.int64 if y.ndim == 1 else np.float32)


def read_set(data, train):
    """All samples of the training or test set, float32 from 0 to 1, and their classes, int64. A path: noise."""
    if os.path.isdir(data):
        return read_noise(data)
    if data == "cifar10":
        pattern = os.path.join(os.environ["DATA"], "cifar10", "data_batch_*" if train else "test_batch*")
        names = sorted(os.path.basename(path).removesuffix(".gz") for path in glob.glob(pattern))
        records = np.concatenate([read_bytes("cifar10", name) for name in names]).reshape(-1, 3073)
        labels, pixels = records[:, 0], records[:, 1:]
    else:
        prefix = "train" if train else "t10k"
        labels = read_bytes(data, prefix + "-labels-idx1-ubyte")[8:]
        pixels = read_bytes(data, prefix + "-images-idx3-ubyte")[16:]
    return pixels.reshape([-1] + SHAPES[data]).astype(np.float32) / 255, labels.astype(np.int64)
