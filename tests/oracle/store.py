"""Writes the stored numbers: safetensors files and JSON, the same bytes on every run."""

import json
import os
import struct

import numpy as np

EXPECT = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "expect")

DTYPES = {"float64": "F64", "int64": "I64", "float32": "F32"}


def write_text(path, text):
    """Writes text to a path below tests/expect, making its folders."""
    path = os.path.join(EXPECT, path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


def write_json(path, value):
    """Writes an object with one line per key, and one per element of the objects and lists of objects in it."""
    def lines(inner):
        if isinstance(inner, dict):
            return "{\n" + ",\n".join(f"  {json.dumps(k)}: {json.dumps(v)}" for k, v in inner.items()) + "\n }"
        if isinstance(inner, list) and isinstance(inner[0], dict):
            return "[\n" + ",\n".join("  " + json.dumps(v) for v in inner) + "\n ]"
        return json.dumps(inner)

    write_text(path, "{\n" + ",\n".join(f" {json.dumps(k)}: {lines(v)}" for k, v in value.items()) + "\n}\n")


def write_safetensors(path, tensors):
    """Writes {name: numpy array} to a path below tests/expect; returns the size of the file in bytes.

    Wide types come first, then names in order, so that every tensor is aligned to its own element size.
    """
    def rank(name):
        return -tensors[name].dtype.itemsize, DTYPES[tensors[name].dtype.name], name

    header, data = {}, b""
    for name in sorted(tensors, key=rank):
        array = tensors[name]
        raw = array.astype(array.dtype.newbyteorder("<")).tobytes(order="C")
        header[name] = {"dtype": DTYPES[array.dtype.name], "shape": list(array.shape),
                        "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header, separators=(",", ":")).encode("ascii")
    text += b" " * (-len(text) % 8)

    path = os.path.join(EXPECT, path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)
    return 8 + len(text) + len(data)


def float32(tensor):
    """A float64 PyTorch tensor rounded once to float32, as a numpy array."""
    return np.asarray(tensor.detach().numpy()).astype(np.float32)
