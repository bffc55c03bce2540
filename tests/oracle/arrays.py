"""NumPy's own files for tests/unit/test_arrays.c, from the root of the repository: tests/arrays/*.npz. Needs NumPy."""
import zipfile

import numpy as np


def still(path):
    """The same archive without the time at which it was written."""
    with zipfile.ZipFile(path) as old:
        parts = [(i, old.read(i)) for i in old.infolist()]
    with zipfile.ZipFile(path, "w") as new:
        for info, data in parts:
            again = zipfile.ZipInfo(info.filename)
            again.compress_type = info.compress_type
            with new.open(again, "w", force_zip64=True) as part:     # as numpy.savez does
                part.write(data)


def save(name, packed, **arrays):
    path = f"tests/arrays/{name}.npz"
    (np.savez_compressed if packed else np.savez)(path, **arrays)
    still(path)


# Sample i has the numbers 3 i, 3 i + 1, 3 i + 2, signed and real types the same less 5; its class is 2 - i % 3.
n = 6
count = np.arange(3 * n).reshape(n, 3)
types = {}
for t in ["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f2", "f4", "f8"]:
    for order in "<>":
        values = count if t[0] == "u" else count - 5
        types[f"x_{t}_{'big' if order == '>' else 'little'}"] = values.astype(order + t)
        types[f"y_{t}_{'big' if order == '>' else 'little'}"] = (2 - np.arange(n) % 3).astype(order + t)
types["x_b1"] = count % 2 == 1
types["y_b1"] = np.arange(n) % 2 == 1
types["y_column"] = (2 - np.arange(n) % 3).reshape(n, 1)
types["y_several"] = (count % 2).astype(np.int64)
types["y_wide"] = np.array([0, 1, 2, 3, 2**40, 5])
types["x_inexact"] = np.array([[0, 2**24], [1, 2**24 + 1]] * 3)
types["x_beyond"] = np.array([[0, 1e38], [1, 1e300]] * 3)
types["x_last"] = np.arange(n * 4 * 5 * 3).reshape(n, 4, 5, 3).astype(np.uint8)
types["x_last_float"] = types["x_last"].astype(np.float64)
types["x_first"] = np.ascontiguousarray(types["x_last"].transpose(0, 3, 1, 2))
types["x_either"] = np.arange(n * 3 * 5 * 3).reshape(n, 3, 5, 3).astype(np.uint8)
types["x_fortran"] = np.asfortranarray(count)
types["x_complex"] = count.astype(np.complex64)
types["x_one"] = np.array(3.0)
types["x_none"] = np.zeros((0, 3))
save("types", True, **types)

# As Keras' mnist.npz: 5 images for training, 3 to test; pixel p of image i is 10 i + p.
images = 10 * np.arange(8).reshape(8, 1, 1) + np.arange(6).reshape(2, 3)
images = images.astype(np.uint8)
classes = (np.arange(8) % 4).astype(np.uint8)
save("keras", False, x_train=images[:5], y_train=classes[:5], x_test=images[5:], y_test=classes[5:])
