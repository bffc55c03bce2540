"""What other programs read in a run's folder, against metrics.jsonl: TensorBoard's own reader, pandas, matplotlib.

    python3 tests/interop/check.py RUN [PICTURE.png...]      (pip install tensorboard pandas matplotlib)

Each PICTURE must be readable, and not of one colour.
"""

import io
import json
import math
import sys

import matplotlib
import numpy
import pandas
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import plugin_data_pb2

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402


def weights_of(path):
    """The tensors of a safetensors file: https://github.com/huggingface/safetensors."""
    with open(path, "rb") as file:
        raw = file.read()
    size = int.from_bytes(raw[:8], "little")
    head = json.loads(raw[8:8 + size])
    return {name: numpy.frombuffer(raw[8 + size:][slice(*about["data_offsets"])], "<f4")
            for name, about in head.items() if name != "__metadata__" and about["dtype"] == "F32"}


def check_histograms(board, folder, epochs):
    """Those of the last epoch are of last.safetensors, and of values that were counted once each."""
    tensors = weights_of(f"{folder}/last.safetensors")
    tags = [tag for tag in board.Tags()["histograms"] if tag.startswith("weights/")]
    for tag in tags:
        name, events = tag.removeprefix("weights/"), board.Histograms(tag)
        value, shown = tensors[name].astype(float), events[-1].histogram_value
        assert [event.step for event in events] == [event["steps"] for event in epochs], tag
        assert (shown.min, shown.max, shown.num) == (value.min(), value.max(), value.size), (tag, shown)
        assert math.isclose(shown.sum, value.sum(), rel_tol=1e-6, abs_tol=1e-6)
        assert math.isclose(shown.sum_squares, (value ** 2).sum(), rel_tol=1e-6)
        below = numpy.searchsorted(numpy.sort(value), shown.bucket_limit)
        assert list(numpy.diff(below, prepend=0)) == list(shown.bucket), tag
        for kind in "gradients", "updates":
            assert board.Histograms(f"{kind}/{name}")[-1].histogram_value.num == value.size
    assert tags
    return len(tags)


def close(one, two, tolerance):
    return math.isclose(one, two, rel_tol=tolerance)


def check_images(board):
    """PNGs of the size that is said, with something on them."""
    for tag in "data/train", "confusion":
        (event,) = board.Images(tag)
        pixels = plt.imread(io.BytesIO(event.encoded_image_string), format="png")
        assert pixels.shape[:2] == (event.height, event.width) and pixels.std() > 0.05, tag


def check_graph(graph):
    """Layers of models/mnist_cnn.net, each behind the one that it reads."""
    names = [node.name for node in graph.node]
    for at, node in enumerate(graph.node):
        assert all(name in names[:at] for name in node.input), node
    shape = {node.name: [dim.size for dim in node.attr["_output_shapes"].list.shape[0].dim] for node in graph.node}
    assert shape["image"] == [-1, 1, 28, 28] and shape["conv2"] == [-1, 32, 14, 14] and shape["logits"] == [-1, 10]
    layer = {node.name: node for node in graph.node}
    assert layer["conv2"].op == "Conv" and layer["conv2"].attr["parameters"].i == 4640
    assert layer["logits"].op == "output" and list(layer["logits"].input) == ["fc2"]


def check_board(folder, epochs):
    """Scalars, settings and histograms of the event file, how many of each; its images and its graph."""
    board = EventAccumulator(folder, {"histograms": 0, "images": 0, "graph": 1, "scalars": 0, "tensors": 0})
    board.Reload()
    for of, name in (("train", "loss"), ("test", "loss")):
        scalars = board.Scalars(f"{name}/{of}")
        assert [scalar.step for scalar in scalars] == [event["steps"] for event in epochs]
        for event, scalar in zip(epochs, scalars):
            assert close(event[of][name], scalar.value, 1e-6), (event[of][name], scalar.value)
    assert len(board.Scalars("lr")) == len(epochs)

    plugin = board.SummaryMetadata("_hparams_/session_start_info").plugin_data
    start = plugin_data_pb2.HParamsPluginData.FromString(plugin.content).session_start_info
    assert start.hparams["train.batch"].number_value > 0 and start.hparams["train.optimizer"].string_value, start
    end = board.SummaryMetadata("_hparams_/session_end_info").plugin_data
    assert plugin_data_pb2.HParamsPluginData.FromString(end.content).session_end_info.status == 1
    check_images(board)
    check_graph(board.Graph())
    return len(board.Tags()["scalars"]), len(start.hparams), check_histograms(board, folder, epochs)


def check_table(folder, epochs):
    """metrics.csv in pandas, and drawn by matplotlib as a notebook would."""
    table = pandas.read_csv(f"{folder}/metrics.csv")
    assert list(table["epoch"]) == [event["epoch"] for event in epochs]
    assert pandas.to_datetime(table["time"]).is_monotonic_increasing
    axes = table.plot(x="steps", y=["train_loss", "test_loss"], logy=True, style="o-")
    axes.figure.canvas.draw()
    for of, line in zip(("train", "test"), axes.get_lines()):
        assert list(line.get_xdata()) == [event["steps"] for event in epochs]
        for event, value in zip(epochs, line.get_ydata()):
            assert close(event[of]["loss"], value, 1e-7), (event[of]["loss"], value)
    assert axes.get_yscale() == "log" and axes.get_ylim()[0] > 0
    plt.close(axes.figure)


def check_picture(path):
    pixels = plt.imread(path)
    assert pixels.ndim in (2, 3) and min(pixels.shape[:2]) > 16, (path, pixels.shape)
    assert pixels.std() > 0.02, f"{path} is empty"
    print(f"{path.rsplit('/', 1)[-1]}: matplotlib reads {pixels.shape[1]} x {pixels.shape[0]}")


def main(folder, *pictures):
    """Raises AssertionError where two files of the run differ, or a picture shows nothing."""
    with open(f"{folder}/metrics.jsonl", encoding="utf-8") as lines:
        events = [json.loads(line) for line in lines]
    epochs = [event for event in events if event["event"] == "epoch"]
    assert epochs, "no epoch"
    scalars, settings, histograms = check_board(folder, epochs)
    check_table(folder, epochs)
    for picture in pictures:
        check_picture(picture)
    print(f"{folder}: TensorBoard, pandas and matplotlib read {len(epochs)} epochs, {scalars} scalars, {settings} settings, "
          f"histograms of {histograms} parameters")


main(*sys.argv[1:])
