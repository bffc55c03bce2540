"""Models of models/ trained on real data by netrun and by PyTorch, over several seeds, with the same recipe.

For each case: the test accuracy after the last epoch in percent, or for fashion_lenet the mean training loss of the
first epoch; mean, least and largest over the seeds, and whether the mean is as it should be.
"""

import argparse
import json
import os
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from collections import namedtuple

import torch

from machine import header, results_path
from peer import Trainer
from torch_nets import RECIPES

# Accuracy is judged beside PyTorch's own mean, measured in the same run; `low` and `high` bound netrun's mean loss.
Case = namedtuple("Case", "net epochs batch value low high")
CASES = {
    "mlp": Case("mlp", 5, 64, "accuracy", None, None),
    "mlp3": Case("mlp3", 10, 64, "accuracy", None, None),
    "mnist_cnn": Case("mnist_cnn", 5, 128, "accuracy", None, None),
    "fashion_1000": Case("fashion_lenet", 1, 1000, "loss", 0.90, 1.08),
    "fashion_10000": Case("fashion_lenet", 1, 10000, "loss", 2.05, 2.30),
    "strided_cnn": Case("strided_cnn", 2, 64, "accuracy", None, None),
}
MARGIN = 0.2    # points of accuracy that a mean may be below PyTorch's
COLUMNS = ["case", "epochs", "batch", "side", "value", "mean", "least", "largest", "seeds", "seconds_a_run", "verdict"]


def netrun_value(folder, case, seed, threads):
    command = ["build/netrun", f"{folder}/{case.net}.plan", "--train",
               os.path.join(os.environ["DATA"], RECIPES[case.net].data), "--device", "cpu", "--threads", str(threads),
               "--runs", f"{folder}/runs", "--progress", "none", "--json", "--seed", str(seed),
               "--epochs", str(case.epochs), "--batch", str(case.batch)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"bench: {shlex.join(command)}: exit {done.returncode}\n{done.stderr}")
    last = [event for event in map(json.loads, done.stdout.splitlines()) if event["event"] == "epoch"][-1]
    return 100 * last["test"]["accuracy"] if case.value == "accuracy" else last["train"]["loss"]


def torch_value(case, seed, threads):
    torch.set_num_threads(threads)
    trainer = Trainer(case.net, "eager", seed, case.batch)
    for _ in range(case.epochs):
        loss = trainer.epoch()
    return 100 * trainer.accuracy() if case.value == "accuracy" else loss


def timed(function, *arguments):
    start = time.perf_counter()
    return function(*arguments), time.perf_counter() - start


def verdict(case, ours, theirs):
    mean = statistics.mean(ours)
    if case.low is not None and mean < case.low:
        return f"below {case.low}"
    if case.high is not None and mean > case.high:
        return f"above {case.high}"
    if case.value == "accuracy" and not theirs:
        return "not compared"
    if case.value == "accuracy" and mean < statistics.mean(theirs) - MARGIN:
        return f"more than {MARGIN} below PyTorch"
    return "good"


def row(name, case, side, runs, verdict_text):
    values, seconds = zip(*runs)
    digits = 2 if case.value == "accuracy" else 3
    figures = [f"{f(values):.{digits}f}" for f in (statistics.mean, min, max)]
    return [name, str(case.epochs), str(case.batch), side, case.value, *figures, str(len(values)),
            f"{statistics.median(seconds):.1f}", verdict_text]


def main():
    parser = argparse.ArgumentParser(prog="bench/train", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", default=",".join(CASES), help="names, separated by commas (all)")
    parser.add_argument("--seeds", type=int, default=5, help="seeds of netrun")
    parser.add_argument("--peer-seeds", type=int, help="seeds of PyTorch (as many); 0: leave it out")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--out", help="results file (a new one in bench/results)")
    options = parser.parse_args()
    names = options.cases.split(",")
    for name in names:
        if name not in CASES:
            parser.error(f"no case {name}; there are {', '.join(CASES)}")
    peer_seeds = options.seeds if options.peer_seeds is None else options.peer_seeds

    lines = [f"# {line}" for line in header(shlex.join(["bench/train"] + sys.argv[1:]))]
    lines += ["# accuracy  on the test set after the last epoch, percent; loss: of the training set, mean of the epoch",
              "# seconds   of a whole run: start, data, compiled kernels from the cache, training, tests",
              "\t".join(COLUMNS)]
    print("\n".join(lines), flush=True)
    bad = 0
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            case = CASES[name]
            subprocess.run(["build/netc", f"models/{case.net}.net", "-o", f"{folder}/{case.net}.plan"], check=True)
            ours = [timed(netrun_value, folder, case, seed + 1, options.threads) for seed in range(options.seeds)]
            theirs = [timed(torch_value, case, seed + 1, options.threads) for seed in range(peer_seeds)]
            judged = verdict(case, [value for value, _ in ours], [value for value, _ in theirs])
            bad += judged not in ("good", "not compared")
            lines.append("\t".join(row(name, case, "netrun", ours, judged)))
            print(lines[-1], flush=True)
            if theirs:
                lines.append("\t".join(row(name, case, "PyTorch eager", theirs, "")))
                print(lines[-1], flush=True)
    path = options.out or results_path("train")
    with open(path, "w") as file:
        file.write("\n".join(lines) + "\n")
    print(f"written: {path}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
