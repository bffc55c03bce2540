"""Time to an accuracy: how long a process takes from its start until a network of examples/mnist_accuracy has been trained and tested.

    DATA=folder python3 bench/reach.py [--seeds 10] [--threads 2]     makes bench/results/DATE-reach.tsv

Sides run in turns, each a process of its own: netrun with kernels that a run before has left, netrun that compiles them first, and
pytorch.py beside the network in both layouts. Python needs torch and numpy. NETRUN names another program than build/netrun.
"""

import argparse
import glob
import gzip
import json
import os
import re
import resource
import shlex
import statistics
import subprocess
import sys
import tempfile
import time

from machine import header, results_path

FOLDER = os.path.abspath("examples/mnist_accuracy")


def timed(command, folder, environment):
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(command, cwd=folder, env=dict(os.environ, **environment), capture_output=True, text=True)
    after, seconds = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter() - start
    if done.returncode:
        sys.exit(f"{shlex.join(command)}: exit {done.returncode}\n{done.stderr}")
    return done.stdout, seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def by_netrun(cold):
    def run(data, seed, threads, kept):
        with tempfile.TemporaryDirectory() as folder:
            out, wall, cpu = timed(
                [os.path.abspath(os.environ.get("NETRUN", "build/netrun")), f"{FOLDER}/fast.net", "--train", data, "--device", "cpu",
                 "--threads", str(threads), "--seed", str(seed), "--json"], folder, {"XDG_CACHE_HOME": folder if cold else kept})
        last = [json.loads(line) for line in out.splitlines() if line.startswith('{"event":"epoch"')][-1]
        return last["test"]["accuracy"], wall, cpu
    return run


def by_python(layout):
    def run(data, seed, threads, _):
        out, wall, cpu = timed([sys.executable, f"{FOLDER}/pytorch.py", data, str(seed), "--layout", layout, "--threads", str(threads)],
                               FOLDER, {})
        return float(re.search(r"accuracy ([0-9.]+)", out)[1]) / 100, wall, cpu
    return run


SIDES = {"netrun": by_netrun(False), "netrun, compiling": by_netrun(True),
         "PyTorch": by_python("NCHW"), "PyTorch, channels_last": by_python("channels_last")}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    arguments = parser.parse_args()
    found = {side: [] for side in SIDES}
    with tempfile.TemporaryDirectory() as work:
        for path in glob.glob(os.path.join(os.environ["DATA"], "mnist", "*-ubyte*")):    # unpacked for all
            with (gzip.open if path.endswith(".gz") else open)(path, "rb") as packed, \
                    open(os.path.join(work, os.path.basename(path).removesuffix(".gz")), "wb") as plain:
                plain.write(packed.read())
        kept = os.path.join(work, "cache")
        SIDES["netrun"](work, 1, arguments.threads, kept)
        path = results_path("reach")
        with open(path, "w", encoding="utf-8") as out:
            for line in header(shlex.join(["bench/reach.py", *sys.argv[1:]])):
                print("#", line, file=out)
            print(f"# {arguments.threads} thread(s) a side, in turns; seconds of a whole process: start, reading, training, testing", file=out)
            print("side", "seed", "accuracy", "wall", "cpu", sep="\t", file=out)
            for seed in range(1, arguments.seeds + 1):
                for side, run in SIDES.items():
                    one = run(work, seed, arguments.threads, kept)
                    found[side].append(one)
                    print(side, seed, f"{one[0]:.4f}", f"{one[1]:.2f}", f"{one[2]:.2f}", sep="\t", file=out, flush=True)
            for side, runs in found.items():
                accuracy, wall, cpu = zip(*runs)
                line = (f"{side}: {min(accuracy):.2%} to {max(accuracy):.2%}, mean {statistics.mean(accuracy):.2%}; wall median "
                        f"{statistics.median(wall):.2f} s ({min(wall):.2f} to {max(wall):.2f}), processor {statistics.median(cpu):.2f} s")
                print("#", line, file=out)
                print(line)
    print(path)


main()
