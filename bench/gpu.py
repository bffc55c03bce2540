"""Each model of models/ on a GPU, in netrun and in PyTorch, side by side.

Same batch, fp32 with TF32 off, all data on the device. Rounds are interleaved: netrun, then PyTorch in each of its
modes, then netrun again; a round is some windows of whole epochs, or of 64 steps where an epoch takes more than a
second. Each side is one process that is stopped while it is the others' turn, and whose first window of a round does not
count. The step time of a round is the median of its windows; the table has the median of the rounds. A cold start
goes from the start of the process to the end of its first step, data read. Memory is what the process takes of the
card, context included, seen by another process. The ratio is PyTorch's step time by netrun's: above 1 netrun is
faster. Besides, netrun trains a network of large layers with cuBLAS's products ("netrun") and with its own ("own").
"""

import argparse
import json
import os
import shlex
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import namedtuple

from lines import Lines, Lost, last_line
from machine import header, results_path

B = os.environ.get("B", "build")
DATA_OF = {"xor": None, "mlp": "mnist", "mlp3": "mnist", "mnist_cnn": "mnist", "strided_cnn": "mnist",
           "fashion_lenet": "fashion", "resnet20": "cifar10"}
WIDE = "wide"       # a network of tests/ with products for cuBLAS
MODES = ("eager", "graph", "compile")
CHUNK = 64          # steps of a window where an epoch is long: as many as netrun may launch at once
ROUND = 0.5         # seconds of one side in a round
MOST_WINDOWS = 20
COLUMNS = ["model", "batch", "steps", "side", "median_ms", "best_ms", "images_per_s", "ratio", "epoch_s", "first_step_s",
           "warm_first_step_s", "memory_MiB"]

Shape = namedtuple("Shape", "batch samples steps")                  # steps: of an epoch
Side = namedtuple("Side", "name seconds first warm memory close")   # seconds(windows, steps): of each window


# ---- data ----

def write(path, *parts):
    with open(path, "wb") as file:
        for part in parts:
            file.write(part)


def classes(count):
    return bytes(value % 10 for value in os.urandom(count))


def write_idx(folder, prefix, count):
    write(f"{folder}/{prefix}-images-idx3-ubyte", b"\0\0\x08\x03", *(n.to_bytes(4, "big") for n in (count, 28, 28)),
          os.urandom(count * 784))
    write(f"{folder}/{prefix}-labels-idx1-ubyte", b"\0\0\x08\x01", count.to_bytes(4, "big"), classes(count))


def write_cifar(path, count):
    labels, pixels = classes(count), os.urandom(count * 3072)
    write(path, *(labels[i:i + 1] + pixels[i * 3072:(i + 1) * 3072] for i in range(count)))


def noise(folder, name, small):
    """Data of the published form and size, but noise: the time of a step does not depend on what they show."""
    os.makedirs(f"{folder}/{name}")
    if name == "cifar10":
        for i in range(1, 6):
            write_cifar(f"{folder}/{name}/data_batch_{i}.bin", 64 if small else 10000)
        write_cifar(f"{folder}/{name}/test_batch.bin", 64 if small else 10000)
    else:
        write_idx(f"{folder}/{name}", "train", 640 if small else 60000)
        write_idx(f"{folder}/{name}", "t10k", 64 if small else 10000)


def provide(work, nets, small):
    """Makes $DATA a folder with the sets of these nets. Returns the names of those that are noise."""
    given, folder, made = os.environ.get("DATA"), f"{work}/data", []
    os.makedirs(folder)
    for name in sorted({DATA_OF[net] for net in nets} - {None} | {"mnist"}):
        if given and os.path.isdir(f"{given}/{name}") and not small:
            os.symlink(os.path.abspath(f"{given}/{name}"), f"{folder}/{name}")
        else:
            noise(folder, name, small)
            made.append(name)
    os.environ["DATA"] = folder
    return made


# ---- the card ----

class Watcher:
    """Free bytes of the card, seen by a process of its own all the time."""

    def __init__(self):
        self.process = subprocess.Popen([f"{B}/gpu/free", "10"], stdout=subprocess.PIPE, text=True)
        self.now = self.least = int(self.process.stdout.readline().split()[0])
        threading.Thread(target=self.watch, daemon=True).start()

    def watch(self):
        for line in self.process.stdout:
            self.now = int(line.split()[0])
            self.least = min(self.least, self.now)

    def begin(self):
        time.sleep(0.3)             # what ended before has given back its memory
        self.least = self.before = self.now

    def taken(self):
        return (self.before - self.least) / 2**20

    def close(self):
        self.process.terminate()
        self.process.wait()


# ---- netrun ----

def netrun_command(work, net, *options):
    kind = "mnist" if net == WIDE else DATA_OF[net]
    data = [f"{os.environ['DATA']}/{kind}"] if kind else []
    return [f"{B}/netrun", f"{work}/{net}.plan", "--train", *data, "--device", "cuda", "--runs", f"{work}/runs",
            "--progress", "none", "--json", *map(str, options)]


def netrun_events(work, net, *options):
    command = netrun_command(work, net, *options)
    try:
        done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60)
    except subprocess.TimeoutExpired as late:
        raise Lost(f"{shlex.join(command)}: more than {late.timeout} s") from late
    if done.returncode:
        raise Lost(f"{shlex.join(command)}: exit {done.returncode}: {last_line(done.stderr)}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def netrun_first_step(work, net, limit):
    """Seconds from start to the end of the first step."""
    start, until = time.perf_counter(), time.monotonic() + limit
    with open(f"{work}/first.log", "w+") as log:
        process = subprocess.Popen(netrun_command(work, net, "--steps", 1, "--log-every", 1), stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=log)
        lines, line, seconds = Lines(process), "{}", None
        while line:
            if json.loads(line).get("event") == "step":
                seconds = time.perf_counter() - start
            line = lines.next(until)
        if process.wait() or seconds is None:
            log.seek(0)
            raise Lost(f"netrun: exit {process.returncode}: {last_line(log.read())}")
    return seconds


class Netrun:
    """netrun, training without end, stopped when nobody asks for its times."""

    def __init__(self, work, net, shape, limit, **environment):
        self.arguments, self.shape, self.limit, self.environment = (work, net), shape, limit, environment
        self.process = None

    def start(self, every):
        self.log = open(f"{self.arguments[0]}/netrun.log", "w+")
        command = netrun_command(*self.arguments, "--epochs", 10**6, "--log-every", every)
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self.log,
                                        env={**os.environ, **self.environment})
        self.lines, self.last = Lines(self.process), None

    def window(self, until):
        """Seconds from the step before this event, or from the beginning of its epoch."""
        while True:
            line = self.lines.next(until)
            if not line:
                self.log.seek(0)
                raise Lost(f"netrun: {last_line(self.log.read())}")
            event = json.loads(line)
            if event["event"] == "step":
                before = self.last["seconds"] if self.last and self.last["epoch"] == event["epoch"] else 0
                self.last = event
                return event["seconds"] - before

    def seconds(self, windows, steps):
        """Of each window; `steps` 0: whole epochs. One process serves one kind of windows."""
        every, until = steps or self.shape.steps, time.monotonic() + self.limit
        if self.process and self.every != every:
            self.close()
        if not self.process:
            self.every = every
            self.start(every)
        else:
            self.process.send_signal(signal.SIGCONT)
        self.window(until)                          # it began before the others' turn
        times = [self.window(until) for _ in range(windows)]
        self.process.send_signal(signal.SIGSTOP)
        os.waitpid(self.process.pid, os.WUNTRACED)
        self.lines.drop()
        return times

    def close(self):
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None


def netrun_side(work, net, watcher, limit):
    folder = "tests" if net == WIDE else "models"
    subprocess.run([f"{B}/netc", f"{folder}/{net}.net", "-o", f"{work}/{net}.plan"], check=True)
    os.environ["XDG_CACHE_HOME"] = f"{work}/cache-{net}"
    first = netrun_first_step(work, net, limit)
    watcher.begin()
    warm = netrun_first_step(work, net, limit)
    memory = watcher.taken()
    start = netrun_events(work, net, "--steps", 1)[0]
    shape = Shape(start["batch"], start["samples"], -(-start["samples"] // start["batch"]))
    process = Netrun(work, net, shape, limit)
    return shape, Side("netrun", process.seconds, first, warm, memory, process.close)


# ---- PyTorch ----

class Worker:
    """PyTorch in a process of its own, which sleeps until it is asked."""

    def __init__(self, net, mode, watcher, work, limit):
        environment = {**os.environ, "TORCHINDUCTOR_CACHE_DIR": f"{work}/inductor-{net}"}
        watcher.begin()
        start = time.perf_counter()
        self.log = open(f"{work}/peer.log", "w+")
        self.process = subprocess.Popen([sys.executable, os.path.join(os.path.dirname(__file__), "gpu_peer.py"), net, mode],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, env=environment)
        self.lines, self.limit, until = Lines(self.process), limit, time.monotonic() + limit
        try:
            self.expect("first", until)
            self.first = time.perf_counter() - start
            self.expect("ready", until)
        except Lost:
            self.close()
            raise
        time.sleep(0.05)
        self.memory = watcher.taken()

    def expect(self, word, until):
        if self.lines.next(until).strip() != word:
            raise Lost(self.why())

    def why(self):
        self.close()
        self.log.seek(0)
        return last_line(self.log.read())

    def seconds(self, windows, steps):
        try:
            self.process.stdin.write(f"{windows + 1} {steps}\n".encode())
            self.process.stdin.flush()
            line = self.lines.next(time.monotonic() + self.limit)
        except BrokenPipeError:
            line = ""
        if not line:
            raise Lost(f"PyTorch: {self.why()}")
        return [float(word) for word in line.split()[1:]]

    def close(self):
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass
        self.process.wait()


# ---- measuring ----

def plan_windows(side, shape):
    """Windows of a round, and the steps of each: 0: whole epochs."""
    chunk = CHUNK if shape.steps > 2 * CHUNK else 0
    pilot = statistics.median(side.seconds(1, chunk))
    epoch = pilot * shape.steps / chunk if chunk else pilot
    steps = chunk if epoch > 1 and chunk else 0
    window = epoch * steps / shape.steps if steps else epoch
    most = shape.steps // steps - 1 if steps else MOST_WINDOWS
    return max(1, min(most, int(ROUND / window))), steps


def measure(sides, shape, rounds):
    """Milliseconds of a step: for each side the medians of its rounds."""
    windows, steps = plan_windows(sides[0], shape)
    times = {side.name: [] for side in sides}
    for _ in range(rounds):
        for side in sides:
            times[side.name].append(statistics.median(side.seconds(windows, steps)) / (steps or shape.steps) * 1e3)
    return times, steps


def text(value, digits):
    return "-" if value is None else f"{value:.{digits}f}"


def rows_of(net, shape, sides, times, steps):
    ours = statistics.median(times["netrun"])
    for side in sides:
        median, best = statistics.median(times[side.name]), min(times[side.name])
        yield [net, str(shape.batch), str(steps or shape.steps), side.name, text(median, 4), text(best, 4),
               text(shape.samples / shape.steps / median * 1e3, 0), text(median / ours, 2),
               text(median * shape.steps / 1e3, 4), text(side.first, 2), text(side.warm, 2), text(side.memory, 0)]


def constants(limit):
    """What the driver itself costs, a line as soon as it is known: bench/gpu_constants.c."""
    with subprocess.Popen([f"{B}/gpu/constants"], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        lines, until = Lines(process), time.monotonic() + limit
        try:
            while line := lines.next(until):
                yield line
        except Lost as lost:
            yield f"constants end here: {lost}"
            return
        if process.wait():
            yield f"constants end here: {last_line(process.stderr.read().decode())}"


class Bench:
    def __init__(self, options, work):
        self.options, self.work = options, work
        self.until = time.monotonic() + options.seconds
        folder = os.path.join(os.environ.get("here", ""), options.out) if options.out else "bench/results"
        self.file = None if options.sim else open(results_path("gpu", folder), "w", buffering=1)
        self.watcher = Watcher()
        self.netrun = {}                # by net: shape, side
        self.lost = False

    def say(self, line):
        print(line, flush=True)
        if self.file:
            print(line, file=self.file)

    def compare(self, net, modes, reserve):
        """Rows of netrun and of PyTorch in these modes; modes that begin with less than `reserve` seconds are left out."""
        if time.monotonic() > self.until - 10:
            self.say(f"# left out  {net}: no time")
            return
        workers = []
        try:
            self.measure(net, modes, reserve, workers)
        except Lost as lost:
            self.lost = True
            self.say(f"# left out  {net}: {lost}")
        for _, worker in workers:
            worker.close()
        if net in self.netrun:
            self.netrun[net][1].close()

    def measure(self, net, modes, reserve, workers):
        again = net in self.netrun
        if not again:
            self.netrun[net] = netrun_side(self.work, net, self.watcher, self.options.limit)
        os.environ["XDG_CACHE_HOME"] = f"{self.work}/cache-{net}"
        shape, ours = self.netrun[net]
        for mode in modes:
            if time.monotonic() > self.until - reserve:
                self.say(f"# left out  {net}, {mode}: no time")
                continue
            try:
                workers.append((mode, Worker(net, mode, self.watcher, self.work, self.options.limit)))
            except Lost as lost:
                self.say(f"# left out  {net}, {mode}: {lost}")
        if workers or not again:
            sides = [ours] + [Side(mode, worker.seconds, worker.first, None, worker.memory, worker.close) for mode, worker in workers]
            for row in rows_of(net, shape, sides, *measure(sides, shape, self.options.rounds)):
                if row[3] != "netrun" or not again:
                    self.say("\t".join(row))

    def compare_products(self):
        if time.monotonic() > self.until - 20:
            self.say(f"# left out  {WIDE}: no time")
            return
        try:
            shape, ours = netrun_side(self.work, WIDE, self.watcher, self.options.limit)
            process = Netrun(self.work, WIDE, shape, self.options.limit, NETRUN_CUBLAS="0")
            own = Side("own", process.seconds, None, None, None, process.close)
            try:
                for row in rows_of(WIDE, shape, [ours, own], *measure([ours, own], shape, self.options.rounds)):
                    self.say("\t".join(row))
            finally:
                ours.close()
                own.close()
        except Lost as lost:
            self.lost = True
            self.say(f"# left out  {WIDE}: {lost}")

    def run(self, modes):
        quick = [mode for mode in modes if mode != "compile"]
        for net in self.options.models:
            self.compare(net, quick, 20)
        self.compare_products()
        if "compile" in modes:              # slow to start, so last
            for net in self.options.models:
                self.compare(net, ["compile"], 60)


def torch_has_gpu():
    try:
        import torch
    except ImportError:
        return False
    return torch.cuda.is_available()


def read_options():
    parser = argparse.ArgumentParser(prog="bench/gpu", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", help=f"names, separated by commas ({','.join(DATA_OF)})")
    parser.add_argument("--modes", default=",".join(MODES), help="of PyTorch: eager, graph, compile (all)")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=460, help="what would begin later is left out (460)")
    parser.add_argument("--sim", action="store_true", help="netrun's side alone on the simulated device, to test this "
                        "program; nothing is written")
    parser.add_argument("--limit", type=float, default=90, help="seconds that one side may take to start, or for a round (90)")
    parser.add_argument("--out", metavar="DIR", help="folder of the results file, a new one, which has "
                        "each line as soon as it is known (bench/results)")
    options = parser.parse_args()
    options.models = (options.models or ("mlp,xor" if options.sim else ",".join(DATA_OF))).split(",")
    options.modes = options.modes.split(",") if options.modes else []
    for name in options.models:
        if name not in DATA_OF:
            parser.error(f"no model {name}; there are {', '.join(DATA_OF)}")
    for mode in options.modes:
        if mode not in MODES:
            parser.error(f"no mode {mode}; there are {', '.join(MODES)}")
    return options


def main():
    options = read_options()
    if options.sim:
        os.environ["NETRUN_CUDA_LIBDIR"] = f"{B}/cudasim"
        options.modes, options.rounds = [], min(options.rounds, 2)
    card = subprocess.run([f"{B}/gpu/free", "--card"], capture_output=True, text=True)
    if card.returncode:
        print(f"bench: there is no GPU: {card.stderr.strip()}", file=sys.stderr)
        return 5
    with tempfile.TemporaryDirectory() as work:
        bench = Bench(options, work)
        made = provide(work, options.models, options.sim)
        for line in header(shlex.join(["bench/gpu"] + sys.argv[1:])) + card.stdout.strip().splitlines():
            bench.say(f"# {line}")
        if options.modes and not torch_has_gpu():
            bench.say("# left out  PyTorch: not installed for this GPU")
            options.modes = []
        if made:
            bench.say(f"# noise     stands in for {', '.join(made)}, in form and size as published")
        bench.say(f"# rounds    {options.rounds}, interleaved; fp32, TF32 off; data on the device on both sides")
        for line in constants(options.limit):
            bench.say(f"# {line}")
        bench.say("\t".join(COLUMNS))
        bench.run(options.modes)
        bench.watcher.close()
        if bench.file:
            print(f"written: {bench.file.name}")
        return 1 if bench.lost else 0


if __name__ == "__main__":
    sys.exit(main())
