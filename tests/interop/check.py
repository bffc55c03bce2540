"""What other programs read in a run's folder: TensorBoard's own reader and pandas, against metrics.jsonl.

    python3 tests/interop/check.py RUN      (pip install tensorboard pandas)
"""

import json
import math
import sys

import numpy
import pandas
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import plugin_data_pb2


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


def main(folder):
    """Raises AssertionError where two files of the run differ."""
    with open(f"{folder}/metrics.jsonl", encoding="utf-8") as lines:
        events = [json.loads(line) for line in lines]
    epochs = [event for event in events if event["event"] == "epoch"]
    assert epochs, "no epoch"
    table = pandas.read_csv(f"{folder}/metrics.csv")
    board = EventAccumulator(folder, {"histograms": 0, "images": 0, "graph": 1, "scalars": 0, "tensors": 0})
    board.Reload()

    assert list(table["epoch"]) == [event["epoch"] for event in epochs]
    assert pandas.to_datetime(table["time"]).is_monotonic_increasing
    for column, (of, name) in {"train_loss": ("train", "loss"), "test_loss": ("test", "loss")}.items():
        written = [event[of][name] for event in epochs]
        scalars = board.Scalars(f"{name}/{of}")
        assert [scalar.step for scalar in scalars] == [event["steps"] for event in epochs]
        for one, two, three in zip(written, table[column], scalars):
            assert math.isclose(one, two, rel_tol=1e-7) and math.isclose(one, three.value, rel_tol=1e-6), (one, two)
    assert len(board.Scalars("lr")) == len(epochs)

    plugin = board.SummaryMetadata("_hparams_/session_start_info").plugin_data
    start = plugin_data_pb2.HParamsPluginData.FromString(plugin.content).session_start_info
    assert start.hparams["train.batch"].number_value > 0 and start.hparams["train.optimizer"].string_value, start
    end = board.SummaryMetadata("_hparams_/session_end_info").plugin_data
    assert plugin_data_pb2.HParamsPluginData.FromString(end.content).session_end_info.status == 1
    histograms = check_histograms(board, folder, epochs)
    print(f"{folder}: TensorBoard and pandas read {len(epochs)} epochs, {len(board.Tags()['scalars'])} scalars, "
          f"{len(start.hparams)} settings, histograms of {histograms} parameters")


main(sys.argv[1])
