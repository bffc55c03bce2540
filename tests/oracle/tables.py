"""Writes tests/expect/tables: a table with what tables have, and what pandas and scikit-learn make of it.

    python3 tests/oracle/tables.py      needs numpy, pandas and scikit-learn

train.csv and test.csv are read by pandas; SimpleImputer(mean), OneHotEncoder and StandardScaler are fitted to the training set. Columns of
inputs: a, big (far from 0), constant, kind as one-hot p, q; numbers are kept as 32-bit floats, as netrun keeps them.
learnt.txt: a line each of means, deviations, means of what is there. test.txt: the inputs of each row of the test set.
"""

import pathlib
import random

import numpy
import pandas
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import OneHotEncoder, StandardScaler

here = pathlib.Path(__file__).resolve().parent.parent / "expect" / "tables"
here.mkdir(parents=True, exist_ok=True)
draw = random.Random(7)


def write(name, rows):
    with open(here / name, "w", encoding="ascii", newline="") as out:
        out.write("a,name,big,constant,kind,y\n")
        for i in range(rows):
            a = ["", "NA"][i % 2] if draw.random() < 0.2 else f"{draw.gauss(3, 2):.3f}"
            constant = "7.3" if name == "train.csv" else f"{draw.gauss(7, 1):.1f}"
            out.write(f'{a},"row, {i}",{draw.gauss(20000, 30):.2f},{constant},{draw.choice("pq")},{draw.gauss(0, 1):.3f}\n')


def numbers(name):
    table = pandas.read_csv(here / name)
    return table, table[["a", "big", "constant"]].to_numpy(numpy.float32).astype(numpy.float64)


write("train.csv", 60)
write("test.csv", 8)
train, x = numbers("train.csv")
fill = SimpleImputer(strategy="mean").fit(x)
kind = OneHotEncoder(categories=[["p", "q"]], sparse_output=False).fit(train[["kind"]])
rows = numpy.hstack([fill.transform(x), kind.transform(train[["kind"]])])
scaler = StandardScaler().fit(rows)
test, x = numbers("test.csv")
rows = scaler.transform(numpy.hstack([fill.transform(x), kind.transform(test[["kind"]])]))

with open(here / "learnt.txt", "w", encoding="ascii") as out:
    means = numpy.concatenate([fill.statistics_, kind.transform(train[["kind"]]).mean(0)])
    for line in (scaler.mean_, scaler.scale_, means):
        out.write(" ".join(f"{v:.17g}" for v in line) + "\n")
numpy.savetxt(here / "test.txt", rows, fmt="%.9g")
