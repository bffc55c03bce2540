"""Each kernel of a training step by each body that can write it, in turns: does netc choose the fastest?

    DATA=folder python3 bench/bodies.py [--models mnist_cnn,resnet20] [--rounds 5] [--threads 1]     makes bench/results/DATE-bodies.tsv

Rounds go over the bodies; a round is a `netrun --profile` for each. The least of all rounds counts. A line for each kernel and body that
is not `plain`: milliseconds of a step, and by how much the chosen one is slower than the best. Needs no PyTorch.
"""

import argparse
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile

from machine import header, results_path

DATA = {"mlp": "mnist", "mlp3": "mnist", "mnist_cnn": "mnist", "fashion_lenet": "fashion", "strided_cnn": "mnist", "resnet20": "cifar10"}


def run(command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{shlex.join(command)}: exit {done.returncode}\n{done.stderr}")
    return done


def bodies_of(text):
    """Of -d c: what each kernel can be written by, the chosen one first."""
    found, kernel = {}, None
    for line in text.splitlines():
        if line and line[0] not in " #":
            kernel = found.setdefault(line.split()[0], [])
        elif match := re.match(r"  ([ *]) (\S+) .* cycles", line):
            kernel.insert(0 if match[1] == "*" else len(kernel), match[2])
    return found


def profile(plan, data, threads):
    out = run(["build/netrun", plan, "--profile", data, "--device", "cpu", "--threads", str(threads), "--json"]).stdout
    phase = next(phase for phase in json.loads(out)["phases"] if phase["phase"] == "train")
    return {kernel["kernel"]: kernel for kernel in phase["kernels"]}, phase["seconds"]


def measure(net, options, folder):
    model, data = f"models/{net}.net", os.path.join(os.environ["DATA"], DATA[net])
    chosen = f"{folder}/{net}.plan"
    bodies = bodies_of(run(["build/netc", model, "-d", "c", "-o", chosen]).stderr)
    layer = {name: kernel.get("layer") for name, kernel in profile(chosen, data, options.threads)[0].items()}
    plans = {"as chosen": chosen}
    for body in sorted({body for names in bodies.values() for body in names} - {"plain"}):
        layers = {layer[kernel] for kernel, names in bodies.items() if layer.get(kernel) and body in names and len(set(names) - {"plain"}) > 1}
        if layers:
            plans[body] = f"{folder}/{net}-{body}.plan"
            run(["build/netc", model, "-o", plans[body]] + [word for name in sorted(layers) for word in ("--algorithm", f"{name}={body}")])
    least, step = {}, {}
    for _ in range(options.rounds):
        for body, plan in plans.items():
            kernels, seconds = profile(plan, data, options.threads)
            step[body] = min(step.get(body, seconds), seconds)
            for name, kernel in kernels.items():
                which = bodies[name][0] if body == "as chosen" or body not in bodies[name] else body
                least.setdefault(name, {}).setdefault(which, kernel["seconds"])
                least[name][which] = min(least[name][which], kernel["seconds"])
    for name, times in least.items():
        for body, seconds in times.items() if len(times) > 1 else ():
            mark = "*" if body == bodies[name][0] else ""
            yield [net, name, body, mark, f"{seconds * 1e3:.4f}", f"{seconds / min(times.values()):.2f}"]
    for body, seconds in step.items():
        yield [net, "step", body, "", f"{seconds * 1e3:.4f}", f"{seconds / min(step.values()):.2f}"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", default=",".join(DATA))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    path = results_path("bodies")
    with tempfile.TemporaryDirectory() as folder, open(path, "w", encoding="utf-8") as out:
        for line in header(shlex.join(["bench/bodies.py", *sys.argv[1:]])):
            print("#", line, file=out)
        print(f"# {options.threads} thread(s), least of {options.rounds} rounds; * is what netc chooses; by_best: by the fastest body", file=out)
        print("model", "kernel", "body", "chosen", "ms", "by_best", sep="\t", file=out, flush=True)
        for net in options.models.split(","):
            for row in measure(net, options, folder):
                print(*row, sep="\t", file=out, flush=True)
                print(*row, sep="\t")
    print(path)


main()
