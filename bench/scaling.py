"""A step of netrun and of its peers as one size grows: the batch, the width or depth of an MLP, the side of a CNN's images.

One size at a time; the others are those of mlp3 and mnist_cnn, about (nets.py). Rounds and ratios are those of bench/run. What takes more
than 4 GiB in netrun's plan is left out.
"""

import argparse
import tempfile
from collections import namedtuple

import plot
from machine import results_path
from peers import PEERS
from speed import COLUMNS, Bench, File, compile_net, head

Axis = namedtuple("Axis", "net key values")
AXES = {
    "batch": Axis("mlp_of_width", "batch", (1, 4, 16, 64, 256, 1000, 4000, 20000)),
    "width": Axis("mlp_of_width", "width", (16, 64, 128, 512, 2048, 8192)),
    "depth": Axis("mlp_of_width", "depth", (1, 2, 5, 10, 20, 50, 100, 200)),
    "side": Axis("cnn_of_side", "side", (8, 16, 28, 56, 112, 224)),
}
MOST = 4 << 30
CLOSE = 1.03


def read_options():
    parser = argparse.ArgumentParser(prog="bench/scaling", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--axes", default=list(AXES), type=lambda words: words.split(","), help=f"{', '.join(AXES)} (all)")
    parser.add_argument("--peers", default=["fused", "fused_cl", "jax"], type=lambda words: words.split(","), help=f"{', '.join(PEERS)} (fused,fused_cl,jax)")
    parser.add_argument("--threads", default=[1], type=lambda words: [int(word) for word in words.split(",")], help="(1)")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--limit", type=float, default=60, metavar="S", help="as in bench/run (60)")
    parser.add_argument("--out", metavar="FILE.tsv", help="results file (a new one in bench/results)")
    options = parser.parse_args()
    for known, words in ((AXES, options.axes), (PEERS, options.peers)):
        if unknown := set(words) - set(known):
            parser.error(f"no {', '.join(unknown)}; there are {', '.join(known)}")
    return options


def closing(measured):
    """Where netrun is slower than the best peer."""
    slower = 0
    for (name, value, threads), (ours, *others) in measured.items():
        best = min((row for row in others if row.precision == ours.precision), key=lambda row: row.best, default=None)
        if best and ours.best > CLOSE * best.best:
            slower += 1
            yield f"slower: {name} {value}, threads {threads}: {ours.best:.3f} ms, {best.side} {best.best:.3f}"
    yield f"{len(measured)} sizes, {slower} of them with a peer faster by more than {100 * (CLOSE - 1):.0f} %, by best times"


def main():
    options = read_options()
    results = File(options.out or results_path("scaling"))
    for line in head(options, "bench/scaling"):
        results.say(line)
    results.say("\t".join(["axis", "value"] + COLUMNS))
    measured = {}
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(options, folder, results.say)
        for name in options.axes:
            axis = AXES[name]
            for value in axis.values:
                net = f"{axis.net}:{axis.key}={value}"
                compile_net(folder, net)
                for threads in options.threads:
                    if rows := bench.measure(net, threads, name, str(value), most=MOST):
                        measured[name, value, threads] = rows
    for line in closing(measured):
        results.say(f"# {line}")
    for written in [results.path, *plot.draw(results.path)]:
        print(f"written: {written}")


if __name__ == "__main__":
    main()
