"""Pictures of results files, as SVG beside them: `bench/plot.py FILE.tsv ...`.

A file of bench/run becomes bars, the milliseconds of a step of each side; its file of kernels becomes one picture a model:
what each kernel of a training step does in a second over its flops per byte, under the roofs of that machine (Williams,
Waterman and Patterson 2009).
"""

import math
import re
import statistics
import sys
from html import escape

FONT = 12
PART_COLOURS = {"forward": "#2f6f9f", "backward": "#c8553d", "update": "#4b8f5a"}
SIDE_COLOURS = {"netrun": "#c8553d", "jax": "#4b8f5a"}      # the others are PyTorch
TORCH, OTHER_PRECISION = "#5b7c99", "#b9c6d3"
LISTED = 16     # kernels with a number
HALO = {"stroke": "white", "stroke_width": 3, "paint_order": "stroke"}


class Svg:
    def __init__(self):
        self.parts, self.width, self.height = [], 0, 0

    def add(self, name, words=None, **attributes):
        told = "".join(f' {key.replace("_", "-")}="{value if isinstance(value, str) else format(value, ".6g")}"'
                       for key, value in attributes.items())
        self.parts.append(f"<{name}{told}/>" if words is None else f"<{name}{told}>{escape(words)}</{name}>")

    def text(self, x, y, words, size=FONT, **attributes):
        self.add("text", words, x=x, y=y, font_size=size, **attributes)

    def line(self, x1, y1, x2, y2, colour="#ccc", width=1.0, **attributes):
        self.add("line", x1=x1, y1=y1, x2=x2, y2=y2, stroke=colour, stroke_width=width, **attributes)

    def reach(self, x, y):
        """The picture goes as far as this."""
        self.width, self.height = max(self.width, x), max(self.height, y)

    def write(self, path):
        with open(path, "w") as file:
            file.write(f'<svg xmlns="http://www.w3.org/2000/svg" width="{self.width:.0f}" height="{self.height:.0f}" '
                       'font-family="DejaVu Sans, Verdana, sans-serif">\n<rect width="100%" height="100%" fill="white"/>\n')
            file.write("\n".join(self.parts) + "\n</svg>\n")
        return path


def wide(words, size=FONT):
    """About how many units a text takes."""
    return 0.64 * size * len(words)


def short(value):
    """Three figures."""
    return f"{value:.{max(0, 2 - math.floor(math.log10(value)))}f}" if value > 0 else "0"


def memory_size(bytes):
    return f"{bytes / 2**20:g} MiB" if bytes >= 2**20 else f"{bytes / 2**10:g} KiB"


def ticks(end, count=5):
    """Round numbers from 0 to `end`."""
    rough = end / count
    power = 10 ** math.floor(math.log10(rough))
    step = next(power * n for n in (1, 2, 5, 10) if power * n >= rough)
    return [step * i for i in range(int(end / step + 1e-9) + 1)]


def read(path):
    """What stands at the head, by its first word; and the rows, by column."""
    with open(path) as file:
        lines = file.read().splitlines()
    head = dict((line[2:].split(None, 1) + [""])[:2] for line in lines if line.startswith("# "))
    table = [line.split("\t") for line in lines if line and not line.startswith("#")]
    if not table or any(len(row) != len(table[0]) for row in table):
        sys.exit(f"bench: {path}: no table of a results file, whose rows have as many cells as its first line")
    return head, [dict(zip(table[0], row)) for row in table[1:]]


def groups(rows, *columns):
    found = {}
    for row in rows:
        found.setdefault(tuple(row[column] for column in columns), []).append(row)
    return found


def legend_of(head):
    return f"{head.get('date', '')[:10]}, {head.get('machine', '')}"


# ---- bars ----

BAR, GAP, LABELS, BARS, VALUES = 15, 6, 95, 300, 145


def axis_end(times):
    """As far as the slowest, unless it is far from most: such a bar is cut off."""
    usual = 3 * statistics.median(times)
    return max(times) if max(times) < 1.3 * usual else max(usual, 1.2 * times[0])


def panel(svg, x, y, title, rows):
    """Bars of one model; returns its height."""
    times = [float(row["median_ms"]) for row in rows]
    end, top, bottom = axis_end(times), y + 24, y + 24 + len(rows) * (BAR + GAP)
    ours, left = rows[0], x + LABELS
    peers = [row for row in rows if row is not ours and row["precision"] == ours["precision"]]
    best = min(peers, key=lambda row: float(row["median_ms"]), default=None)
    svg.text(x, y + 12, title, font_weight="bold")
    for value in ticks(end):
        at = left + value / end * BARS
        svg.line(at, top - 2, at, bottom)
        svg.text(at, bottom + 13, f"{value:g}", 10, text_anchor="middle")
    svg.text(left + BARS + 20, bottom + 13, "ms a step", 10)
    for row, time in zip(rows, times):
        weight = {"font_weight": "bold"} if row is ours or row is best else {}
        colour = SIDE_COLOURS.get(row["side"], TORCH) if row["precision"] == ours["precision"] else OTHER_PRECISION
        svg.text(left - 6, top + 12, row["side"], text_anchor="end", **weight)
        svg.add("rect", x=left, y=top, width=min(time, end) / end * BARS, height=BAR, fill=colour)
        at = left + float(row["best_ms"]) / end * BARS
        if at < left + BARS:
            svg.line(at, top + 2, at, top + BAR - 2, "black", 1.5)
        told = short(time) + ("" if row is ours else f" ({float(row['ratio']):.2f} x)")
        if time > end:
            svg.add("path", d=f"M{left + BARS - 12} {top - 1} l6 {BAR + 2} h4 l-6 {-BAR - 2} z", fill="white")
        svg.text(left + min(time, end) / end * BARS + 6, top + 12, told, **weight, **HALO)
        top += BAR + GAP
    svg.reach(left + BARS + VALUES, bottom + 30)
    return bottom + 30 - y


def bars(head, rows, stem):
    svg, y = Svg(), 62
    svg.text(12, 24, "Milliseconds of a training step", 16, font_weight="bold")
    svg.text(12, 44, legend_of(head))
    for net, of_net in groups(rows, "model").items():
        x, height = 12, 0
        for (threads,), some in groups(of_net, "threads").items():
            title = f"{net[0]}, batch {some[0]['batch']}, {threads} thread{'s' if threads != '1' else ''}"
            height = max(height, panel(svg, x, y, title, some))
            x += LABELS + BARS + VALUES
        y += height + 12
    sides = {row["side"] for row in rows} - {"netrun"}
    notes = ["Bars: medians; black marks: best times; x: times netrun's; bold: netrun and the best peer in its precision. Cut bars are longer."]
    notes += [f"{name}: {words}" for name, words in head.items() if name in sides]
    for note in notes:
        svg.text(12, y + 6, note, 11)
        y += 17
        svg.reach(wide(note, 11), y + 4)
    return [svg.write(f"{stem}.svg")]


# ---- rooflines ----

WIDTH, HEIGHT = 520, 380


class Log:
    """Logarithmic axis from `low` to `high`, which lie at `start` and `stop`."""

    def __init__(self, values, start, stop):
        self.low, self.high = math.log10(min(values)) - 0.15, math.log10(max(values)) + 0.15
        self.start, self.stop = start, stop

    def at(self, value):
        return self.start + (math.log10(value) - self.low) / (self.high - self.low) * (self.stop - self.start)

    def marks(self):
        """(value, whether it is a power of ten)"""
        for power in range(math.floor(self.low), math.ceil(self.high) + 1):
            for n in (1, 2, 5):
                if self.low <= power + math.log10(n) <= self.high:
                    yield n * 10.0**power, n == 1


def place(taken, x, y, words, area):
    """Where the text may stand near a point without lying on another; it takes that place."""
    w, h = wide(words, 10), 10
    best = None
    for radius in (10, 16, 24, 34, 46, 60, 78):
        for turn in range(16):
            cx, cy = x + radius * math.cos(turn * math.pi / 8), y - radius * math.sin(turn * math.pi / 8)
            box = (cx - w / 2 - 1, cy - h / 2 - 1, cx + w / 2 + 1, cy + h / 2 + 1)
            inside = area[0] <= box[0] and area[1] <= box[1] and box[2] <= area[2] and box[3] <= area[3]
            if inside and not any(box[0] < b[2] and b[0] < box[2] and box[1] < b[3] and b[1] < box[3] for b in taken):
                taken.append(box)
                return cx, cy, radius
            best = best or (cx, cy, radius)
    return best


def axes(svg, x, y, across_words, up_words):
    """Grid, numbers and titles of a picture with logarithmic axes."""
    left, right, top, bottom = x.start, x.stop, y.stop, y.start
    for axis, across in ((x, True), (y, False)):
        for value, whole in axis.marks():
            at, colour = axis.at(value), "#ccc" if whole else "#eee"
            if across:
                svg.line(at, top, at, bottom, colour)
                if whole or axis.at(2 * value) - at > wide(f"{value:g}", 10) + 6:
                    svg.text(at, bottom + 15, f"{value:g}", 10, text_anchor="middle")
            else:
                svg.line(left, at, right, at, colour)
                svg.text(left - 6, at + 4, f"{value:g}", 10, text_anchor="end")
    svg.add("rect", x=left, y=top, width=right - left, height=bottom - top, fill="none", stroke="#888")
    svg.text((left + right) / 2, bottom + 33, across_words, text_anchor="middle")
    svg.text(left - 46, (top + bottom) / 2, up_words, text_anchor="middle",
             transform=f"rotate(-90 {left - 46:.0f} {(top + bottom) / 2:.0f})")


def roofs_of(rows):
    """GFLOP/s of multiply-adds; of the fastest triad and of the largest: GB/s and words."""
    peak = max(float(row["flops"]) for row in rows if row["kernel"] == "multiply_adds") / 1e9
    triads = [(float(row["bytes"]), float(row["bytes"]) / float(row["seconds"]) / 1e9) for row in rows if row["kernel"] == "triad"]
    ends = {"8 4": max(triads, key=lambda triad: triad[1]), "2 4": max(triads)}
    return peak, [(dash, rate, f"{short(rate)} GB/s, triad over {memory_size(size)}") for dash, (size, rate) in ends.items()]


def listing(svg, x, y, rows, peak, memory):
    """Right of the picture: roofs, kernels with their numbers, and what is not drawn."""
    step = sum(float(row["seconds"]) for row in rows if row["part"] != "peak")
    for dash, words in [("", f"{short(peak)} GFLOP/s, multiply-adds")] + [(dash, words) for dash, _, words in memory]:
        svg.line(x, y - 4, x + 28, y - 4, "#333", 1.5, stroke_dasharray=dash or "none")
        svg.text(x + 36, y, words, 11)
        y += 16
    for i, (part, colour) in enumerate(PART_COLOURS.items()):
        svg.add("circle", cx=x + 6 + 95 * i, cy=y - 4, r=5, fill=colour)
        svg.text(x + 16 + 95 * i, y, part, 11)
    y += 24
    right = x + 380
    svg.text(right - 60, y, "ms", 11, text_anchor="end", font_weight="bold")
    svg.text(right, y, "of step", 11, text_anchor="end", font_weight="bold")
    kernels = sorted((row for row in rows if row["part"] != "peak"), key=lambda row: -float(row["seconds"]))
    drawn = [row for row in kernels if shown(row)]
    others = {"other kernels in the picture": drawn[LISTED:],
              "not drawn: no flops, or no time": [row for row in kernels if not shown(row) and row["part"] != "between"],
              "between kernels": [row for row in kernels if row["part"] == "between"]}
    lines = [(str(i + 1), re.sub(r"^[a-z]+\d+_", "", row["kernel"]), [row]) for i, row in enumerate(drawn[:LISTED])]
    lines += [("", f"{len(some)} {words}" if words != "between kernels" else words, some) for words, some in others.items() if some]
    for number, words, some in lines:
        y += 15
        seconds = sum(float(row["seconds"]) for row in some)
        svg.text(x + 16, y, number, 11, text_anchor="end", font_weight="bold")
        svg.text(x + 24, y, words if len(words) <= 36 else words[:35] + "…", 11)
        svg.text(right - 60, y, f"{seconds * 1e3:.4f}", 11, text_anchor="end")
        svg.text(right, y, f"{seconds / step * 100:.1f} %", 11, text_anchor="end")
    svg.reach(right + 12, y + 16)


def shown(row):
    return row["part"] in PART_COLOURS and all(row[name] and float(row[name]) > 0 for name in ("seconds", "flops", "bytes"))


def roofline(svg, left, top, title, rows):
    """The picture of one model; returns its height."""
    kernels = sorted(filter(shown, rows), key=lambda row: -float(row["seconds"]))
    points = [(float(row["flops"]) / float(row["bytes"]), float(row["flops"]) / float(row["seconds"]) / 1e9) for row in kernels]
    peak, memory = roofs_of(rows)
    step = sum(float(row["seconds"]) for row in rows if row["part"] != "peak")
    svg.text(left, top + 12, title, font_weight="bold")
    area = (left + 70, top + 26, left + 70 + WIDTH, top + 26 + HEIGHT)
    x = Log([p[0] for p in points] + [2 * peak / rate for _, rate, _ in memory], area[0], area[2])
    y = Log([p[1] for p in points] + [peak], area[3], area[1])
    axes(svg, x, y, "flops per byte", "GFLOP/s")
    ridge = min(peak / rate for _, rate, _ in memory)
    svg.line(x.at(max(ridge, 10**x.low)), y.at(peak), area[2], y.at(peak), "#333", 1.5)
    for dash, rate, _ in memory:
        first = max(10**x.low, 10**y.low / rate)
        svg.line(x.at(first), y.at(first * rate), x.at(peak / rate), y.at(peak), "#333", 1.5, stroke_dasharray=dash)
    sizes = [3 + 9 * math.sqrt(float(row["seconds"]) / step) for row in kernels]
    taken = []
    for (flops, rate), size, row in zip(points, sizes, kernels):
        svg.add("circle", cx=x.at(flops), cy=y.at(rate), r=size, fill=PART_COLOURS[row["part"]], fill_opacity=0.75, stroke="white")
        taken.append((x.at(flops) - size, y.at(rate) - size, x.at(flops) + size, y.at(rate) + size))
    for number, (flops, rate) in enumerate(points[:LISTED], 1):
        at, level, radius = place(taken, x.at(flops), y.at(rate), str(number), area)
        if radius > 16:
            svg.line(x.at(flops), y.at(rate), at, level, "#999", 0.7)
        svg.add("rect", x=at - wide(str(number), 10) / 2, y=level - 5, width=wide(str(number), 10), height=10, fill="white", fill_opacity=0.7)
        svg.text(at, level + 3.6, str(number), 10, text_anchor="middle", font_weight="bold")
    listing(svg, area[2] + 24, area[1] + 8, rows, peak, memory)
    svg.reach(area[2], area[3] + 44)
    return HEIGHT + 80


def rooflines(head, rows, stem):
    written = []
    for (net,), of_net in groups(rows, "model").items():
        svg, top = Svg(), 62
        svg.text(12, 24, f"Kernels of a training step of {net}", 16, font_weight="bold")
        svg.text(12, 44, legend_of(head))
        svg.reach(wide(legend_of(head)), 62)
        for (threads,), some in groups(of_net, "threads").items():
            top += roofline(svg, 12, top, f"{threads} thread{'s' if threads != '1' else ''}; area of a point: its time", some)
        written.append(svg.write(f"{stem}-{net}.svg"))
    return written


# ---- a size that grows ----

AXIS_WORDS = {"batch": "samples of a batch", "width": "width of the hidden layers", "depth": "hidden layers", "side": "height and width of images"}


def curve(svg, left, top, title, rows):
    """Microseconds a sample of each side."""
    times = [(row["side"], float(row["value"]), float(row["best_ms"]) / float(row["batch"]) * 1e3) for row in rows]
    svg.text(left, top + 12, title, font_weight="bold")
    area = (left + 70, top + 26, left + 70 + WIDTH, top + 26 + HEIGHT)
    x = Log([value for _, value, _ in times], area[0], area[2])
    y = Log([time for _, _, time in times], area[3], area[1])
    axes(svg, x, y, AXIS_WORDS[rows[0]["axis"]], "microseconds a sample")
    for i, ((side,), some) in enumerate(groups([dict(zip(("side", "x", "y"), time)) for time in times], "side").items()):
        colour, dash = SIDE_COLOURS.get(side, TORCH), "6 4" if side.endswith("_cl") else "none"
        points = [(x.at(point["x"]), y.at(point["y"])) for point in some]
        svg.add("polyline", points=" ".join(f"{a:.1f},{b:.1f}" for a, b in points), fill="none", stroke=colour, stroke_width=2.0,
                stroke_dasharray=dash)
        for a, b in points:
            svg.add("circle", cx=a, cy=b, r=3, fill=colour)
        svg.line(area[0] + 14, area[1] + 18 + 17 * i, area[0] + 44, area[1] + 18 + 17 * i, colour, 2, stroke_dasharray=dash)
        svg.text(area[0] + 52, area[1] + 22 + 17 * i, side, 11, **HALO)
    svg.reach(area[2] + 20, area[3] + 44)


def curves(head, rows, stem):
    svg, top = Svg(), 62
    svg.text(12, 24, "Time of a training step by sample, as one size grows; best times", 16, font_weight="bold")
    svg.text(12, 44, legend_of(head))
    for _, of_axis in groups(rows, "axis").items():
        for i, ((threads,), some) in enumerate(groups(of_axis, "threads").items()):
            title = f"{some[0]['model'].split(':')[0]}, {threads} thread{'s' if threads != '1' else ''}"
            curve(svg, 12 + i * (WIDTH + 110), top, title, some)
        top += HEIGHT + 90
    return [svg.write(f"{stem}.svg")]


def draw(path):
    """The files written."""
    head, rows = read(path)
    stem = path.removesuffix(".tsv")
    for column, picture in {"axis": curves, "median_ms": bars, "kernel": rooflines}.items():
        if rows and {column, "threads"} <= set(rows[0]):
            return picture(head, rows, stem)
    sys.exit(f"bench: {path}: no results of bench/run, which have the columns threads and median_ms or kernel")


def main():
    if not sys.argv[1:] or sys.argv[1].startswith("-"):
        print(__doc__.strip())
        return
    for path in sys.argv[1:]:
        for written in draw(path):
            print(f"written: {written}")


if __name__ == "__main__":
    main()
