"""What an epoch costs with all that tells of it, beside metrics files and checkpoints alone; and what TensorBoard's file costs.

Sides run in turn, in an order that is turned round each round. Of each run two numbers are taken: the times between its epochs as
metrics.jsonl has them, which hold everything that is done for an epoch; and the processor time of an epoch, as that of a run of many
epochs less that of a run of one. The second is what counts on a machine that is busy with other things. What is made before the
first epoch and after the last (graph, images, curves, report.html) is in neither.
"""

import argparse
import json
import os
import pty
import statistics
import subprocess
import sys
import tempfile
import threading

from machine import header

LEAST = ["--quiet", "--no-tensorboard"]
CASES = {  # network: epochs of a run, sides and their options; whether a terminal shows a bar
    "mlp": (10, {"metrics and checkpoints": (LEAST, False),
                 "all sinks": (["--json", "--log-every", "100"], True)}),
    "mnist_cnn": (3, {"without TensorBoard": (LEAST, False), "with TensorBoard": (["--quiet"], False)}),
}


def drain(end):
    """Reads a terminal until nobody writes to it."""
    try:
        while os.read(end, 65536):
            pass
    except OSError:
        pass


def run(plan, data, epochs, options, terminal):
    """Seconds between the epochs of a run, and of processor time in all."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["build/netrun", plan, "--train", data, "--device", "cpu", "--threads", "1", "--runs", folder,
                   "--no-report", "--epochs", str(epochs), *options]
        ours, theirs = pty.openpty()
        reader = threading.Thread(target=drain, args=(ours,))
        reader.start()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL,
                                   stderr=theirs if terminal else subprocess.DEVNULL,
                                   env={**os.environ, "TERM": "xterm"})
        os.close(theirs)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        reader.join()
        os.close(ours)
        if status:
            sys.exit(f"{' '.join(command)}: exit status {process.returncode}")
        name = os.listdir(folder)[0]
        with open(f"{folder}/{name}/metrics.jsonl", encoding="utf-8") as lines:
            epoch = [e for e in map(json.loads, lines) if e["event"] == "epoch"]
        size = sum(os.path.getsize(f"{folder}/{name}/{file}") for file in os.listdir(f"{folder}/{name}")
                   if "tfevents" in file)
    times = [parse(e["time"]) for e in epoch]
    return [b - a for a, b in zip(times, times[1:])], usage.ru_utime + usage.ru_stime, size


def parse(time):
    """2026-01-31T23:59:59.123Z: the seconds of a day will do."""
    hours, minutes, seconds = time[11:].rstrip("Z").split(":")
    return 3600 * int(hours) + 60 * int(minutes) + float(seconds)


def measure(case, args, say):
    """All rounds of one network."""
    epochs, sides = CASES[case]
    plan = f"{args.work}/{case}.plan"
    subprocess.run(["build/netc", f"models/{case}.net", "-o", plan], check=True)
    data = f"{os.environ['DATA']}/mnist"
    wall, rounds, spent = ({s: [] for s in sides} for _ in range(3))
    size = {}
    for turn in range(args.rounds):
        for side in list(sides)[::1 if turn % 2 else -1]:
            options, terminal = sides[side]
            periods, many, large = run(plan, data, epochs, options, terminal)
            _, one, small = run(plan, data, 1, options, terminal)
            wall[side] += [p % 86400 for p in periods]
            rounds[side].append(statistics.median(p % 86400 for p in periods))
            spent[side].append((many - one) / (epochs - 1))
            size[side] = (large - small) / (epochs - 1)
    least, most = sides
    for side in sides:
        low, middle, high = statistics.quantiles(wall[side], n=4)
        say(f"{case}\t{side}\t{1e3 * middle:.1f}\t{1e3 * low:.1f}\t{1e3 * high:.1f}\t{1e3 * min(wall[side]):.1f}\t"
            f"{1e3 * statistics.median(spent[side]):.1f}\t{1e3 * min(spent[side]):.1f}\t{size[side]:.0f}")
    turns = [b / a for a, b in zip(rounds[least], rounds[most])]
    say(f"{case}\tratio\t{statistics.median(wall[most]) / statistics.median(wall[least]):.3f}\t\t\t"
        f"{min(wall[most]) / min(wall[least]):.3f}\t{statistics.median(spent[most]) / statistics.median(spent[least]):.4f}\t"
        f"{min(spent[most]) / min(spent[least]):.4f}\t")
    say(f"# {case}: the ratio of medians, round by round: {' '.join(f'{t:.3f}' for t in sorted(turns))}")


def main():
    """Rows of a table, with a head that says where they come from."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rounds", type=int, default=10)
    options.add_argument("--cases", default=",".join(CASES))
    options.add_argument("--out", help="a results file")
    args = options.parse_args()
    if not os.path.isdir(f"{os.environ.get('DATA', '')}/mnist"):
        sys.exit("bench/sinks: DATA names no folder with mnist/ in it")
    out = open(args.out, "w", encoding="utf-8") if args.out else sys.stdout

    def say(line):
        print(line, file=out, flush=True)

    with tempfile.TemporaryDirectory() as args.work:
        for line in header(" ".join(["bench/sinks", *sys.argv[1:]])):
            if not line.startswith("PyTorch"):
                say(f"# {line}")
        say(f"# milliseconds of an epoch, --threads 1, {args.rounds} rounds; load {os.getloadavg()[0]:.1f}")
        say("network\tside\tmedian\tquartile\tquartile\tleast\tprocessor\tleast of it\tbytes for TensorBoard")
        for case in args.cases.split(","):
            measure(case, args, say)


main()
