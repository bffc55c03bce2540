"""The recipes of examples/cifar10_accuracy by netrun and by its pytorch.py, over several seeds: do they come to the same accuracy?

    DATA=folder python3 bench/recipes.py [--recipes resnet20,fast] [--seeds 5] [--threads 2]     makes bench/results/DATE-recipes.tsv

For each recipe: means, their difference with its 95 % interval (Welch), and whether it is within the interval and below a point.
Sides run in turns, each a process of its own. Python needs torch and numpy. NETRUN names another program than build/netrun.
"""

import argparse
import json
import math
import os
import re
import shlex
import statistics
import subprocess
import sys
import tempfile
import time

from machine import header, results_path

FOLDER = os.path.abspath("examples/cifar10_accuracy")
NETS = {
    "resnet20": ["models/resnet20.net", "-D", "data.augment=[RandomCrop(pad = 4), RandomFlip]"],
    "fast": [f"{FOLDER}/fast.net"],
}
# 97.5 % quantiles of Student's t for 1 to 30 degrees of freedom; rounded down to a whole number of them, which widens the interval.
STUDENT = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110,
           2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042]


def timed(command):
    start = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{shlex.join(command)}: exit {done.returncode}\n{done.stderr}")
    return done.stdout, time.perf_counter() - start


def by_netrun(recipe, data, seed, threads):
    with tempfile.TemporaryDirectory() as runs:
        out, seconds = timed([os.environ.get("NETRUN", "build/netrun"), *NETS[recipe], "--train", data, "--device", "cpu", "--threads",
                              str(threads), "--seed", str(seed), "--runs", runs, "--json"])
    last = [json.loads(line) for line in out.splitlines() if line.startswith('{"event":"epoch"')][-1]
    return 100 * last["test"]["accuracy"], seconds


def by_python(recipe, data, seed, threads):
    out, seconds = timed([sys.executable, f"{FOLDER}/pytorch.py", recipe, data, "--seed", str(seed), "--threads", str(threads)])
    return float(re.search(r"accuracy ([0-9.]+)", out)[1]), seconds


SIDES = {"netrun": by_netrun, "PyTorch, channels_last": by_python}


def verdict(ours, theirs):
    difference = statistics.mean(ours) - statistics.mean(theirs)
    a, b = (statistics.variance(values) / len(values) for values in (ours, theirs))
    freedom = max(1, int((a + b) ** 2 / (a ** 2 / (len(ours) - 1) + b ** 2 / (len(theirs) - 1)))) if a + b else 1
    half = STUDENT[min(freedom, len(STUDENT)) - 1] * math.sqrt(a + b)
    judged = "good" if abs(difference) <= min(half, 1) else "apart"
    return f"{statistics.mean(ours):.2f} and {statistics.mean(theirs):.2f} %, difference {difference:+.2f} ± {half:.2f} points: {judged}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipes", default=",".join(NETS))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    arguments = parser.parse_args()
    data = os.path.join(os.environ["DATA"], "cifar10")
    path = results_path("recipes")
    with open(path, "w", encoding="utf-8") as out:
        for line in header(shlex.join(["bench/recipes.py", *sys.argv[1:]])):
            print("#", line, file=out)
        print(f"# {arguments.threads} thread(s) a side, in turns; accuracy of the test set after the last epoch, seconds of a whole process", file=out)
        print("recipe", "side", "seed", "accuracy", "seconds", sep="\t", file=out, flush=True)
        for recipe in arguments.recipes.split(","):
            found = {side: [] for side in SIDES}
            for seed in range(1, arguments.seeds + 1):
                for side, run in SIDES.items():
                    accuracy, seconds = run(recipe, data, seed, arguments.threads)
                    found[side].append(accuracy)
                    print(recipe, side, seed, f"{accuracy:.2f}", f"{seconds:.0f}", sep="\t", file=out, flush=True)
            line = f"{recipe}, {' and '.join(SIDES)}: {verdict(*found.values())}"
            print("#", line, file=out, flush=True)
            print(line)
    print(path)


main()
