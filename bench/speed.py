"""One training step of each network of nets.py in netrun and in its peers, PyTorch and JAX, side by side.

All have the same batch, the same number of threads and all data in memory. Rounds are interleaved: netrun, then each
peer, then netrun again; a round is several short measurements, one after the other. Only steps are timed: no start,
compilation, warm-up or test. A ratio is the peer's time by netrun's: above 1 netrun is faster. At the end stands the
ratio to the best peer, which may be another for each model; what computes in another precision than netrun is no such
peer. Then netrun tells of its kernels, and pictures are drawn of both: bench/plot.py.
"""

import argparse
import importlib.util
import json
import os
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from collections import namedtuple

import plot
from lines import Lines, Lost, last_line
from machine import header, package_version, results_path
from nets import NETS, SECONDS, SEEDS, Case
from peers import PEERS, WINDOWS, script_path

B = os.environ.get("B", "build")
COLUMNS = ["model", "threads", "batch", "steps", "side", "precision", "median_ms", "best_ms", "images_per_s", "ratio", "ratio_of_best"]
KERNEL_COLUMNS = ["model", "threads", "kernel", "layer", "part", "seconds", "flops", "bytes"]
Row = namedtuple("Row", "side precision median best")       # milliseconds


# ---- netrun ----

def compile_net(folder, net):
    this = Case(net)
    defines = [word for key, value in this.params.items() for word in ("-D", f"{key}={value}")]
    subprocess.run([f"{B}/netc", *defines, this.net.model, "-o", f"{folder}/{net}.plan"], check=True)


def netrun(folder, net, threads, *options):
    """What the command prints."""
    command = [f"{B}/netrun", f"{folder}/{net}.plan", *options, "--device", "cpu", "--threads", str(threads)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"bench: {shlex.join(command)}: exit {done.returncode}\n{done.stderr}")
    return done.stdout


def netrun_seconds(folder, net, steps, threads):
    """What it says at the start; and WINDOWS figures, the seconds of `steps` steps each, after as many steps for warming up."""
    batch = Case(net).given_batch
    told = netrun(folder, net, threads, "--train", Case(net).data(folder), "--runs", f"{folder}/runs", "--progress", "none",
                  "--no-report", "--no-tensorboard", "--json", *(["--batch", str(batch)] if batch else []), "--steps", str((WINDOWS + 1) * steps), "--log-every", str(steps))
    events = [json.loads(line) for line in told.splitlines()]
    times = [event["seconds"] for event in events if event["event"] == "step"]
    return events[0], [after - before for before, after in zip(times, times[1:])]


def text(value):
    return "" if value is None else f"{value:.7g}" if isinstance(value, float) else str(value)


def kernel_rows(folder, net, threads):
    """Of KERNEL_COLUMNS: what this machine can do (part `peak`), then the kernels of a training step."""
    netrun(folder, net, threads, "--profile", Case(net).data(folder), "--output", f"{folder}/profile.json")
    with open(f"{folder}/profile.json") as file:
        profile = json.load(file)
    peak, train = profile["peak"], next(phase for phase in profile["phases"] if phase["phase"] == "train")
    yield ["multiply_adds", "", "peak", 1, peak["flops_per_second"], ""]
    for triad in peak["triad"]:
        yield ["triad", "", "peak", triad["bytes"] / triad["bytes_per_second"], "", triad["bytes"]]
    for kernel in train["kernels"]:
        yield [kernel[name] for name in ("kernel", "layer", "part", "seconds", "flops", "bytes")]
    yield ["between", "", "between", train["between_seconds"], "", ""]


# ---- peers ----

class Worker:
    """A peer in a process of its own, which sleeps until it is asked."""

    def __init__(self, peer, net, threads, folder, limit):
        self.peer, self.limit = peer, limit
        self.log = open(f"{folder}/{peer.name}.log", "w+")
        self.process = subprocess.Popen([sys.executable, script_path(peer), net, peer.name, str(threads)],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log,
                                        env=dict(os.environ, NOISE=folder))
        self.lines = Lines(self.process)
        try:
            if self.answer() != ["ready"]:
                raise Lost(self.why())
        except Lost:
            self.close()
            raise

    def answer(self):
        """The words of the next line."""
        try:
            line = self.lines.next(time.monotonic() + self.limit)
        except Lost as late:
            raise Lost(f"took longer than {self.limit:g} s") from late
        return line.split()

    def why(self):
        self.close()
        self.log.seek(0)
        return last_line(self.log.read())

    def ask(self, line):
        """The figures of the answer."""
        try:
            self.process.stdin.write(f"{line}\n".encode())
            self.process.stdin.flush()
        except BrokenPipeError:
            pass
        words = self.answer()
        if not words:
            raise Lost(self.why())
        return [float(word) for word in words]

    def close(self):
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass
        self.process.wait()


class Bench:
    def __init__(self, options, folder, say):
        self.options, self.folder, self.say = options, folder, say
        self.peers = []
        for peer in (PEERS[name] for name in options.peers):
            if importlib.util.find_spec(peer.package):
                self.peers.append(peer)
            else:
                self.say(f"# left out  {peer.name}: {peer.package} is not installed")

    def start(self, net, threads):
        """The workers of a model; those that do not start are named."""
        workers = []
        for peer in self.peers:
            if Case(net).net.images or not peer.images:
                try:
                    workers.append(Worker(peer, net, threads, self.folder, self.options.limit))
                except Lost as lost:
                    self.say(f"# left out  {net}, threads {threads}, {peer.name}: {lost}")
        return workers

    def each(self, net, threads, workers, question):
        """(worker, its answer) for each; one that has none is named, and asked no more."""
        for worker in list(workers):
            try:
                yield worker, worker.ask(question)
            except Lost as lost:
                workers.remove(worker)
                worker.close()
                self.say(f"# left out  {net}, threads {threads}, {worker.peer.name}: {lost}")

    def measure(self, net, threads, *before, most=None):
        """The rows of a model, netrun's first; each is said behind `before`. Of more than `most` bytes it has none."""
        start, times = netrun_seconds(self.folder, net, 1, threads)     # compiles the kernels into the cache
        if most and start["arena"] > most:
            self.say(f"# left out  {net}: {start['arena']} bytes")
            return []
        steps = Case(net).net.steps or max(1, min(Case(net).most_steps(WINDOWS), int(SECONDS / min(times))))
        batch = start["batch"]
        workers = self.start(net, threads)
        ours, times = [], {worker: [] for worker in workers}
        for _ in range(self.options.rounds):
            ours += netrun_seconds(self.folder, net, steps, threads)[1]
            for worker, seconds in self.each(net, threads, workers, steps):
                times[worker] += seconds
        rows = [self.row("netrun", "fp32", ours, steps)]
        for worker in workers:
            rows.append(self.row(worker.peer.name, worker.peer.precision, times[worker], steps))
            worker.close()
        for row in rows:
            self.say("\t".join([*before, net, str(threads), str(batch), str(steps), row.side, row.precision, f"{row.median:.4f}",
                                f"{row.best:.4f}", f"{batch / row.median * 1e3:.0f}", f"{row.median / rows[0].median:.2f}",
                                f"{row.best / rows[0].best:.2f}"]))
        return rows

    def row(self, side, precision, seconds, steps):
        return Row(side, precision, statistics.median(seconds) / steps * 1e3, min(seconds) / steps * 1e3)

    def losses(self, net, threads):
        """Whether peers learn alike: mean losses of the first steps."""
        workers = self.start(net, threads)
        for worker, (loss,) in self.each(net, threads, workers, f"loss {self.options.losses}"):
            self.say(f"{net}\t{threads}\t{worker.peer.name}\t{loss:.4f}")
        for worker in workers:
            worker.close()


# ---- what is said at the end ----

def closing(rows):
    """A table in Markdown: netrun beside the best of its peers, by medians and by best times, for each key of `rows`."""
    yield "| model | threads | netrun, ms: median | best | best peer, ms: median | ratio | best | ratio |"
    yield "| --- | --- | --- | --- | --- | --- | --- | --- |"
    for (net, threads), (ours, *others) in rows.items():
        peers = [row for row in others if row.precision == ours.precision]
        cells = [net, threads, f"{ours.median:.3f}", f"{ours.best:.3f}"]
        for value in ("median", "best"):
            best = min(peers, key=lambda row: getattr(row, value), default=None)
            cells += [f"{best.side} {getattr(best, value):.3f}",
                      f"**{getattr(best, value) / getattr(ours, value):.2f}**"] if best else ["-", "-"]
        yield "| " + " | ".join(map(str, cells)) + " |"


def head(options, command="bench/run"):
    lines = header(shlex.join([command] + sys.argv[1:]))
    lines += [f"JAX       {package_version('jax')}",
              f"threads   {','.join(map(str, options.threads))}, as many on each side",
              f"rounds    {options.rounds}, interleaved, of {WINDOWS} measurements of `steps` steps each",
              "ratio     time of this side by that of netrun, medians; ratio_of_best: of the best measurements"]
    return [f"# {line}" for line in lines + [f"{name:9s} {PEERS[name].words}" for name in options.peers]]


def read_options():
    parser = argparse.ArgumentParser(prog="bench/run", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)

    def names(known, what):
        def read(words):
            for word in words.split(","):
                if word not in known:
                    parser.error(f"no {what} {word}; there are {', '.join(known)}")
            return words.split(",")
        return read
    parser.add_argument("--models", default=SEEDS, type=names(NETS, "model"),
                        help=f"names, separated by commas, of {', '.join(NETS)} (the first six, those of models/)")
    parser.add_argument("--peers", default=list(PEERS), type=names(PEERS, "peer"), help=f"{', '.join(PEERS)} (all)")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", default=[1, 2], type=lambda words: [int(word) for word in words.split(",")],
                        help="numbers of threads, one after the other (1,2)")
    parser.add_argument("--limit", type=float, default=300, metavar="S",
                        help="seconds that a peer may take to start, and for a round; one that takes longer is left out (300)")
    parser.add_argument("--quick", action="store_true", help="2 rounds, PyTorch eager only")
    parser.add_argument("--losses", type=int, metavar="STEPS", help="measures nothing: mean losses of the first steps of "
                        "each peer, to see that all train the same; no file")
    parser.add_argument("--out", metavar="FILE.tsv", help="results file; kernels are in FILE-kernels.tsv (a new one in bench/results)")
    options = parser.parse_args()
    if options.quick:
        options.rounds, options.peers = 2, ["eager"]
    return options


class File:
    """A file of results, which has each line as soon as it is known; so has stdout."""

    def __init__(self, path, quiet=False):
        self.path, self.quiet = path, quiet
        self.file = open(path, "w", buffering=1)

    def say(self, line):
        print(line, file=self.file)
        if not self.quiet:
            print(line, flush=True)


def main():
    options = read_options()
    path = options.out or results_path("cpu")
    with tempfile.TemporaryDirectory() as folder:
        if options.losses:
            bench = Bench(options, folder, lambda line: print(line, flush=True))
            for net in options.models:
                for threads in options.threads:
                    bench.losses(net, threads)
            return
        results, kernels = File(path), File(path.removesuffix(".tsv") + "-kernels.tsv", quiet=True)
        lines = head(options)
        for line in lines:
            results.say(line)
        for line in [line for line in lines if line.split()[1] in ("date", "command", "machine", "system", "netrun", "compiler")]:
            kernels.say(line)
        bench = Bench(options, folder, results.say)
        results.say("\t".join(COLUMNS))
        kernels.say("\t".join(KERNEL_COLUMNS))
        rows = {}
        for net in options.models:
            compile_net(folder, net)
            for threads in options.threads:
                rows[net, threads] = bench.measure(net, threads)
                for row in kernel_rows(folder, net, threads):
                    kernels.say("\t".join([net, str(threads), *map(text, row)]))
        for line in closing(rows):
            results.say(f"# {line}")
    for written in [results.path, kernels.path, *plot.draw(results.path), *plot.draw(kernels.path)]:
        print(f"written: {written}")


if __name__ == "__main__":
    main()
