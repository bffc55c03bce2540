"""What other programs read in a run's folder: TensorBoard's own reader and pandas, against metrics.jsonl.

    python3 tests/interop/check.py RUN      (pip install tensorboard pandas)
"""

import json
import math
import sys

import pandas
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import plugin_data_pb2


def main(folder):
    """Raises AssertionError where two files of the run differ."""
    with open(f"{folder}/metrics.jsonl", encoding="utf-8") as lines:
        events = [json.loads(line) for line in lines]
    epochs = [event for event in events if event["event"] == "epoch"]
    assert epochs, "no epoch"
    table = pandas.read_csv(f"{folder}/metrics.csv")
    board = EventAccumulator(folder)
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
    print(f"{folder}: TensorBoard and pandas read {len(epochs)} epochs, {len(board.Tags()['scalars'])} scalars, "
          f"{len(start.hparams)} settings")


main(sys.argv[1])
