"""One training step of each model of models/ in netrun and in PyTorch, side by side.

Both sides have the same batch, the same number of threads and all data in memory. Rounds are interleaved: netrun,
then PyTorch in each of its modes, then netrun again; a round is several short measurements, one after the other.
Only steps are timed: no start, compilation, warm-up or test. The ratio is PyTorch's time by netrun's: above 1 netrun
is faster.
"""

import argparse
import json
import os
import shlex
import statistics
import subprocess
import sys
import tempfile

from machine import header, results_path
from peer import MODES, RECIPES, WINDOWS

# Steps of one measurement, around a tenth of a second for small networks; all of a round are of one epoch.
STEPS = {"mlp": 150, "mlp3": 150, "mnist_cnn": 15, "strided_cnn": 5, "fashion_lenet": 5, "resnet20": 1}


def netrun_seconds(folder, net, steps, threads):
    """WINDOWS figures, the seconds of `steps` steps each, after as many steps for warming up."""
    command = ["build/netrun", f"{folder}/{net}.plan", "--train", os.path.join(os.environ["DATA"], RECIPES[net].data),
               "--device", "cpu", "--threads", str(threads), "--runs", f"{folder}/runs", "--progress", "none", "--json",
               "--steps", str((WINDOWS + 1) * steps), "--log-every", str(steps)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"bench: {shlex.join(command)}: exit {done.returncode}\n{done.stderr}")
    events = [json.loads(line) for line in done.stdout.splitlines()]
    times = [event["seconds"] for event in events if event["event"] == "step"]
    return [after - before for before, after in zip(times, times[1:])]


class Worker:
    """PyTorch in a process of its own, which sleeps until it is asked."""

    def __init__(self, net, mode, threads):
        self.mode = mode
        self.process = subprocess.Popen(
            [sys.executable, os.path.join(os.path.dirname(__file__), "peer.py"), net, mode, str(threads)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if self.process.stdout.readline().strip() != "ready":
            lines = self.process.communicate()[1].strip().splitlines()
            sys.exit(f"bench: {MODES[mode]}, {net}: {lines[-1] if lines else 'no answer'}")

    def seconds(self, steps):
        """As netrun_seconds."""
        self.process.stdin.write(f"{steps}\n")
        self.process.stdin.flush()
        return [float(text) for text in self.process.stdout.readline().split()]

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def measure(folder, net, options):
    """Milliseconds of one step, a list of all measurements for each side."""
    subprocess.run(["build/netc", f"models/{net}.net", "-o", f"{folder}/{net}.plan"], check=True)
    steps = STEPS[net]
    workers = [Worker(net, mode, options.threads) for mode in options.modes]
    netrun_seconds(folder, net, 1, options.threads)         # compiles the kernels into the cache
    times = {"netrun": [], **{mode: [] for mode in options.modes}}
    for _ in range(options.rounds):
        times["netrun"] += netrun_seconds(folder, net, steps, options.threads)
        for worker in workers:
            times[worker.mode] += worker.seconds(steps)
    for worker in workers:
        worker.close()
    return steps, {side: [seconds / steps * 1e3 for seconds in values] for side, values in times.items()}


def rows_of(net, steps, times):
    batch, ours = RECIPES[net].batch, times["netrun"]
    for side, values in times.items():
        median = statistics.median(values)
        yield [net, str(batch), str(steps), side, f"{median:.3f}", f"{min(values):.3f}", f"{batch / median * 1e3:.0f}",
               f"{median / statistics.median(ours):.2f}", f"{min(values) / min(ours):.2f}"]


COLUMNS = ["model", "batch", "steps", "side", "median_ms", "best_ms", "images_per_s", "ratio", "ratio_of_best"]


def main():
    parser = argparse.ArgumentParser(prog="bench/run", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", default=",".join(STEPS), help="names, separated by commas (all)")
    parser.add_argument("--modes", default=",".join(MODES), help="of PyTorch: eager, fused, compile (all)")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--quick", action="store_true", help="2 rounds, PyTorch eager only")
    parser.add_argument("--out", help="results file (a new one in bench/results)")
    options = parser.parse_args()
    if options.quick:
        options.rounds, options.modes = 2, "eager"
    options.modes = options.modes.split(",")
    nets = options.models.split(",")
    for name in nets:
        if name not in STEPS:
            parser.error(f"no model {name}; there are {', '.join(STEPS)}")
    for mode in options.modes:
        if mode not in MODES:
            parser.error(f"no mode {mode}; there are {', '.join(MODES)}")

    lines = [f"# {line}" for line in header(shlex.join(["bench/run"] + sys.argv[1:]))]
    lines += [f"# threads   {options.threads} on both sides",
              f"# rounds    {options.rounds}, interleaved, of {WINDOWS} measurements of `steps` steps each",
              "# ratio     time of this side by that of netrun, medians; ratio_of_best: of the best measurements"]
    lines += [f"# {mode:9s} {MODES[mode]}" for mode in options.modes]
    lines.append("\t".join(COLUMNS))
    print("\n".join(lines), flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for net in nets:
            for row in rows_of(net, *measure(folder, net, options)):
                lines.append("\t".join(row))
                print(lines[-1], flush=True)
    path = options.out or results_path("cpu")
    with open(path, "w") as file:
        file.write("\n".join(lines) + "\n")
    print(f"written: {path}")


if __name__ == "__main__":
    main()
