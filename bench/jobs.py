"""The jobs of examples/ that train on MNIST, done by their pytorch.py and by netrun in turn, and the curves of both in one picture.

    bench/jobs.py run DATA [--epochs 3] [--seeds 1 2 3] [--threads 1]     makes bench/results/DATE-jobs.tsv
    bench/jobs.py draw RESULTS PICTURE.svg

DATA is a folder as torchvision makes it: DATA/MNIST/raw. Python needs torch, torchvision and matplotlib. Each run is a process of its
own; wall time and the processor's time are of the whole process, with imports, reading data, compiling and testing. NETRUN names another
program than build/netrun.
"""

import argparse
import json
import os
import resource
import shlex
import statistics
import subprocess
import sys
import tempfile
import time

from machine import header, results_path

JOBS = {"devices": ("mlp", "MNIST, mlp"), "small_cnn": ("mnist_cnn", "MNIST, SmallCNN")}    # folder: model, title
MEAN_OF = 67                                                    # steps; a curve of their means can be read
PYTHON = "PyTorch"
COLUMNS = ["job", "side", "seed", "what", "step", "value"]

# What is run in place of a pytorch.py: the program itself, with other constants; then it tells what it has seen.
RUN_PROGRAM = """
import json, sys
folder, epochs, seed, out = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
text = open(folder + "/pytorch.py", encoding="utf-8").read()
for old, new in (("EPOCHS, SEED = 5, 1", f"EPOCHS, SEED = {epochs}, {seed}"),
                 ("DATASETS = [datasets.MNIST, datasets.FashionMNIST]", "DATASETS = [datasets.MNIST]")):
    text = text.replace(old, new)
names = {"__name__": "__main__"}
exec(compile(text, folder + "/pytorch.py", "exec"), names)
h = names.get("history") or {"steps": names["step_losses"], "test": names["test_losses"], "accuracy": names["accuracies"]}
json.dump(h, open(out, "w"))
"""


def timed(command, folder, threads):
    """Runs a command in a folder; its seconds by the clock and of the processor."""
    environment = dict(os.environ, OMP_NUM_THREADS=str(threads))
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    after, seconds = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter() - start
    if done.returncode:
        sys.exit(f"{shlex.join(command)}: exit {done.returncode}\n{done.stderr}")
    return seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def by_python(job, data, epochs, seed, threads):
    with tempfile.TemporaryDirectory() as folder:
        os.symlink(os.path.abspath(data), f"{folder}/data")
        seconds = timed([sys.executable, "-c", RUN_PROGRAM, os.path.abspath(f"examples/{job}"), str(epochs), str(seed), "seen.json"],
                        folder, threads)
        with open(f"{folder}/seen.json", encoding="utf-8") as file:
            seen = json.load(file)
    return seen["steps"], seen["test"], seen["accuracy"], seconds


def by_netrun(job, data, epochs, seed, threads):
    model = os.path.abspath(f"models/{JOBS[job][0]}.net")
    with tempfile.TemporaryDirectory() as folder:
        seconds = timed([os.path.abspath(os.environ.get("NETRUN", "build/netrun")), model, "--train", os.path.abspath(f"{data}/MNIST/raw"), "--device", "cpu",
                         "--threads", str(threads), "--epochs", str(epochs), "--seed", str(seed), "--log-every", "1", "--quiet"],
                        folder, threads)
        with open(f"{folder}/runs/{JOBS[job][0]}-1/metrics.jsonl", encoding="utf-8") as lines:
            events = [json.loads(line) for line in lines]
    ends = [event for event in events if event["event"] == "epoch"]
    return ([event["loss"] for event in events if event["event"] == "step"], [event["test"]["loss"] for event in ends],
            [event["test"]["accuracy"] for event in ends], seconds)


def run(arguments):
    path = results_path("jobs")
    with open(path, "w", encoding="utf-8") as out:
        for line in header(shlex.join(["bench/jobs.py", *sys.argv[1:]])):
            print("#", line, file=out)
        print(f"# {arguments.threads} thread(s) a side, in turns; train: mean of {MEAN_OF} steps before that step", file=out)
        print(*COLUMNS, sep="\t", file=out)
        for job in arguments.jobs:
            for seed in arguments.seeds:
                for side, does in (("netrun", by_netrun), (PYTHON, by_python)):
                    steps, test, accuracy, (wall, cpu) = does(job, arguments.data, arguments.epochs, seed, arguments.threads)
                    rows = [("train", i + MEAN_OF, statistics.mean(steps[i:i + MEAN_OF])) for i in range(0, len(steps) - MEAN_OF + 1, MEAN_OF)]
                    for epoch, (loss, right) in enumerate(zip(test, accuracy), 1):
                        at = len(steps) * epoch // len(test)
                        rows += [("test", at, loss), ("accuracy", at, right)]
                    for what, step, value in rows + [("wall", len(steps), wall), ("cpu", len(steps), cpu)]:
                        print(job, side, seed, what, step, f"{value:.5g}", sep="\t", file=out)
                    out.flush()
                    print(f"{job} {side} seed {seed}: accuracy {100 * accuracy[-1]:.2f} %, {wall:.0f} s, processor {cpu:.0f} s", flush=True)
    print(path)


def read(path):
    """{job: {side: {what: {step: [value of each seed]}}}}"""
    table = {}
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            if line.startswith(("#", "job\t")):
                continue
            job, side, _, what, step, value = line.rstrip("\n").split("\t")
            table.setdefault(job, {}).setdefault(side, {}).setdefault(what, {}).setdefault(int(step), []).append(float(value))
    return table


def draw(arguments):
    import matplotlib
    matplotlib.use("svg")
    import matplotlib.pyplot as plt
    matplotlib.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "netc", "font.size": 9, "font.family": "sans-serif"})
    table = read(arguments.results)
    figure, axes = plt.subplots(1, len(table), figsize=(4.5 * len(table), 3.4), squeeze=False)
    for axis, (job, sides) in zip(axes[0], table.items()):
        for (side, values), colour, mark in zip(sides.items(), ("#0060ad", "#dd6e00"), ("o", "x")):
            steps = sorted(values["train"])
            seeds = len(values["train"][steps[0]])
            axis.plot(steps, [statistics.mean(values["train"][s]) for s in steps], color=colour, lw=1.2, label=f"{side}, training")
            if seeds > 1:
                axis.fill_between(steps, [min(values["train"][s]) for s in steps], [max(values["train"][s]) for s in steps],
                                  color=colour, alpha=0.25, lw=0)
            ends = sorted(values["test"])
            axis.plot([s for s in ends for _ in values["test"][s]], [v for s in ends for v in values["test"][s]], mark, color=colour, ms=4,
                      mfc="none", label=f"{side}, test")
        axis.set(yscale="log", xlabel="step", ylabel="loss", title=f"{JOBS[job][1]}, {seeds} seeds")
        axis.set_yticks([0.02, 0.05, 0.1, 0.2, 0.5, 1], ["0.02", "0.05", "0.1", "0.2", "0.5", "1"])
        axis.minorticks_off()
        axis.grid(color="#dddddd", lw=0.5)
        axis.legend(frameon=False)
    figure.tight_layout()
    figure.savefig(arguments.picture, metadata={"Date": None})
    print(arguments.picture)
    for job, sides in table.items():
        for side, values in sides.items():
            last = [v[-1] for v in (sorted(values["accuracy"].items())[-1],)][0]
            print(f"{job}  {side}: accuracy {100 * min(last):.2f} to {100 * max(last):.2f} %,"
                  f" wall {statistics.median(*values['wall'].values()):.1f} s, processor {statistics.median(*values['cpu'].values()):.1f} s")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    runs = commands.add_parser("run")
    runs.add_argument("data")
    runs.add_argument("--jobs", nargs="+", choices=JOBS, default=list(JOBS))
    runs.add_argument("--epochs", type=int, default=3)
    runs.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    runs.add_argument("--threads", type=int, default=1)
    runs.set_defaults(do=run)
    draws = commands.add_parser("draw")
    draws.add_argument("results")
    draws.add_argument("picture")
    draws.set_defaults(do=draw)
    arguments = parser.parse_args()
    arguments.do(arguments)


main()
