"""Do netrun's accuracies over seeds scatter as PyTorch's do? One network, one recipe, many seeds a side.

Each run is one line of the results file: side, seed, test accuracy in percent after each epoch. A file that is there
already is gone on with. At the end, for every epoch: means and standard deviations of both sides, and how often a
random split of all runs into two sides would differ as much (permutation tests of the difference of means, and of the
ratio of standard deviations about each side's own mean).
"""

import argparse
import json
import math
import os
import random
import shlex
import statistics
import subprocess
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor, as_completed

from machine import header
from peer import Trainer, torch
from torch_nets import RECIPES

SIDES = ["netrun", "PyTorch"]


def netrun_run(plan, data, seed, epochs):
    with tempfile.TemporaryDirectory() as folder:
        command = ["build/netrun", plan, "--train", data, "--device", "cpu", "--threads", "1", "--runs", folder,
                   "--progress", "none", "--json", "--seed", str(seed), "--epochs", str(epochs)]
        done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{shlex.join(command)}: exit {done.returncode}\n{done.stderr}")
    return [100 * event["test"]["accuracy"] for event in map(json.loads, done.stdout.splitlines())
            if event["event"] == "epoch"]


def torch_run(net, seed, epochs):
    torch.set_num_threads(1)
    trainer = Trainer(net, "eager", seed)
    trainer.module.to(memory_format=torch.channels_last)     # the faster one
    values = []
    for _ in range(epochs):
        trainer.epoch()
        values.append(100 * trainer.accuracy())
    return values


def run(side, plan, options, seed):
    if side == "netrun":
        return netrun_run(plan, os.path.join(os.environ["DATA"], RECIPES[options.net].data), seed, options.epochs)
    return torch_run(options.net, seed, options.epochs)


def read_runs(path):
    """{side: {seed: accuracies}} of a results file."""
    runs = {side: {} for side in SIDES}
    if os.path.exists(path):
        with open(path) as file:
            for line in file:
                fields = line.rstrip("\n").split("\t")
                if fields[0] in runs:
                    runs[fields[0]][int(fields[1])] = [float(value) for value in fields[2:]]
    return runs


def log_ratio(one, other):
    return abs(math.log(statistics.stdev(one) / statistics.stdev(other)))


def permutation_p(one, other, statistic, rounds=10000):
    """The share of random splits in which the statistic is at least as large; Phipson & Smyth (2010) count the split itself."""
    seen, everything, chance = statistic(one, other), one + other, random.Random(1)
    larger = 0
    for _ in range(rounds):
        chance.shuffle(everything)
        larger += statistic(everything[:len(one)], everything[len(one):]) >= seen
    return (larger + 1) / (rounds + 1)


def compare(ours, theirs, epochs):
    lines = ["# epoch\tnetrun mean\tsd\tPyTorch mean\tsd\tp of means\tp of sds"]
    for epoch in range(epochs):
        one, other = ([values[epoch] for values in side.values()] for side in (ours, theirs))
        means = [statistics.mean(side) for side in (one, other)]
        p_means = permutation_p(one, other, lambda a, b: abs(statistics.mean(a) - statistics.mean(b)))
        about = [[value - mean for value in side] for side, mean in zip((one, other), means)]
        p_sds = permutation_p(*about, log_ratio)
        lines.append(f"# {epoch + 1}\t{means[0]:.3f}\t{statistics.stdev(one):.3f}\t{means[1]:.3f}\t"
                     f"{statistics.stdev(other):.3f}\t{p_means:.3f}\t{p_sds:.3f}")
    return lines


def main():
    parser = argparse.ArgumentParser(prog="bench/spread", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--net", default="mnist_cnn", choices=RECIPES)
    parser.add_argument("--seeds", type=int, default=200, help="of each side")
    parser.add_argument("--first", type=int, default=1, help="the first seed: others than those that raised a question answer it")
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)), help="runs at a time, a thread each")
    parser.add_argument("--out", required=True, help="results file")
    options = parser.parse_args()
    runs = read_runs(options.out)
    if not os.path.exists(options.out):
        with open(options.out, "w") as file:
            file.write("".join(f"# {line}\n" for line in header(shlex.join(["bench/spread"] + sys.argv[1:]))))
            file.write("\t".join(["side", "seed"] + [f"epoch {i + 1}" for i in range(options.epochs)]) + "\n")
    with tempfile.TemporaryDirectory() as folder, ProcessPoolExecutor(options.jobs) as pool, \
            open(options.out, "a") as file:
        plan = f"{folder}/{options.net}.plan"
        subprocess.run(["build/netc", f"models/{options.net}.net", "-o", plan], check=True)
        waiting = {pool.submit(run, side, plan, options, seed): (side, seed) for seed in range(options.first, options.first + options.seeds)
                   for side in SIDES if seed not in runs[side]}
        for done in as_completed(waiting):
            side, seed = waiting[done]
            runs[side][seed] = done.result()
            file.write("\t".join([side, str(seed)] + [f"{value:.2f}" for value in runs[side][seed]]) + "\n")
            file.flush()
        lines = compare(*runs.values(), options.epochs)
        file.write("\n".join(lines) + "\n")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
