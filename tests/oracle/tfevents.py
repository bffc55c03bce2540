"""Makes tests/expect/tfevents.bin with TensorBoard's own messages and record writer (pip install tensorboard)."""

import os

from google.protobuf import struct_pb2
from tensorboard.compat.proto import event_pb2, summary_pb2
from tensorboard.plugins.hparams import api_pb2, metadata, plugin_data_pb2
from tensorboard.summary.writer.record_writer import RecordWriter

PATH = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "expect", "tfevents.bin")
Value = summary_pb2.Summary.Value


def hparams(tag, **content):
    """A summary without a value, as the plugin's own writers make them."""
    content = plugin_data_pb2.HParamsPluginData(**content).SerializeToString()
    plugin = summary_pb2.SummaryMetadata.PluginData(plugin_name=metadata.PLUGIN_NAME, content=content)
    return summary_pb2.Summary(value=[Value(tag=tag, metadata=summary_pb2.SummaryMetadata(plugin_data=plugin))])


def events():
    """What tests/unit/test_tfevents.c tells, in order."""
    yield event_pb2.Event(wall_time=1700000000.25, file_version="brain.Event:2")
    yield event_pb2.Event(wall_time=1700000001, summary=hparams(
        metadata.EXPERIMENT_TAG, experiment=api_pb2.Experiment(
            hparam_infos=[api_pb2.HParamInfo(name="lr", type=api_pb2.DATA_TYPE_FLOAT64),
                          api_pb2.HParamInfo(name="optimizer", type=api_pb2.DATA_TYPE_STRING)],
            metric_infos=[api_pb2.MetricInfo(name=api_pb2.MetricName(tag="accuracy/test"))])))
    start = plugin_data_pb2.SessionStartInfo(group_name="mlp-1", start_time_secs=1700000001)
    start.hparams["lr"].CopyFrom(struct_pb2.Value(number_value=0.001))
    start.hparams["optimizer"].CopyFrom(struct_pb2.Value(string_value="Adam"))
    yield event_pb2.Event(wall_time=1700000001, summary=hparams(metadata.SESSION_START_INFO_TAG,
                                                                session_start_info=start))
    bins = [-1.0 + i / 16 for i in range(33)]
    yield event_pb2.Event(wall_time=1700000002.5, step=938, summary=summary_pb2.Summary(value=[
        Value(tag="loss/train", simple_value=0.125), Value(tag="loss/test", simple_value=float("nan")),
        Value(tag="weights/fc1.weight", histo=summary_pb2.HistogramProto(
            min=-1, max=1, num=66, sum=0.5, sum_squares=2.25, bucket_limit=bins, bucket=[2.0] * 33)),
        Value(tag="data", image=summary_pb2.Summary.Image(
            height=28, width=300, colorspace=1, encoded_image_string=bytes(i % 251 for i in range(2000))))]))
    yield event_pb2.Event(wall_time=1700000003, summary=hparams(
        metadata.SESSION_END_INFO_TAG, session_end_info=plugin_data_pb2.SessionEndInfo(
            status=api_pb2.STATUS_SUCCESS, end_time_secs=1700000003)))


with open(PATH, "wb") as out:
    records = RecordWriter(out)
    for event in events():
        records.write(event.SerializeToString(deterministic=True))
    records.flush()
