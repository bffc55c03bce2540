"""Makes tests/expect/tfevents.bin with TensorBoard's own messages and record writer (pip install tensorboard)."""

import bisect
import os
import struct

from google.protobuf import struct_pb2
from tensorboard.compat.proto import (attr_value_pb2, event_pb2, graph_pb2, node_def_pb2, summary_pb2, tensor_shape_pb2,
                                      versions_pb2)
from tensorboard.plugins.hparams import api_pb2, metadata, plugin_data_pb2
from tensorboard.summary.writer.record_writer import RecordWriter

PATH = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "expect", "tfevents.bin")
Value = summary_pb2.Summary.Value


def hparams(tag, **content):
    """A summary without a value, as the plugin's own writers make them."""
    content = plugin_data_pb2.HParamsPluginData(**content).SerializeToString(deterministic=True)
    plugin = summary_pb2.SummaryMetadata.PluginData(plugin_name=metadata.PLUGIN_NAME, content=content)
    return summary_pb2.Summary(value=[Value(tag=tag, metadata=summary_pb2.SummaryMetadata(plugin_data=plugin))])


def limits():
    """Every second one of TensorFlow's default bounds (histogram.cc, InitDefaultBucketsInner)."""
    bounds, v = [], 1e-12
    while v < 1e20:
        bounds.append(v)
        v *= 1.1
    bounds = bounds[::2]
    return [-b for b in reversed(bounds)] + [0.0] + bounds + [1.7976931348623157e308]


def histogram(values, about=None, tag=None):
    """Counted the slow way; below a thousandth of the largest magnitude there are three bins."""
    values = [struct.unpack("f", struct.pack("f", v))[0] for v in values]
    values = [v for v in values if v - v == 0]
    small = max(abs(v) for v in values) / 1000
    bounds = [b for b in limits() if abs(b) >= small or b in (0, 1e-12)]
    count = [0] * len(bounds)
    for v in values:
        count[bisect.bisect_right(bounds, v)] += 1
    used = [i for i, n in enumerate(count) if n]
    shown = []
    for i in range(used[0], used[-1] + 1):
        if count[i] == 0 and shown and shown[-1][1] == 0:
            shown.pop()
        shown.append((bounds[i], count[i]))
    cut = 1 if len(values) == 3 else 1000 // 3 - 2  # the test counts in two parts; two values of the first are not finite
    parts = values[:cut], values[cut:]
    value = Value(tag=tag, histo=summary_pb2.HistogramProto(
        min=min(values), max=max(values), num=len(values), sum=running(parts, 1), sum_squares=running(parts, 2),
        bucket_limit=[b for b, _ in shown], bucket=[n for _, n in shown]))
    if about:
        value.metadata.plugin_data.plugin_name = "histograms"
        value.metadata.summary_description = about
        value.metadata.data_class = summary_pb2.DATA_CLASS_TENSOR
    return value


def running(parts, power):
    """Added one after the other in each part; Python's sum() compensates."""
    total = 0.0
    for part in parts:
        inner = 0.0
        for v in part:
            inner += v ** power
        total += inner
    return total


def values():
    """As make_values() of the test."""
    cubes = [(i * 37 % 1000 - 400) ** 3 * 2.0 ** -30 for i in range(1000)]
    cubes[7], cubes[11], cubes[13], cubes[17] = -0.0, 1e-30, float("nan"), float("-inf")
    return cubes


def shape(*dims):
    """What TensorBoard reads the shapes of edges from."""
    dims = [tensor_shape_pb2.TensorShapeProto.Dim(size=d) for d in dims]
    shapes = attr_value_pb2.AttrValue.ListValue(shape=[tensor_shape_pb2.TensorShapeProto(dim=dims)])
    return attr_value_pb2.AttrValue(list=shapes)


def graph():
    """Two layers."""
    node = node_def_pb2.NodeDef(name="block/fc1", op="Linear", input=["image"])
    node.attr["_output_shapes"].CopyFrom(shape(-1, 10))
    node.attr["layer"].s = b"Linear"
    node.attr["line"].i = 7
    image = node_def_pb2.NodeDef(name="image", op="input")
    image.attr["_output_shapes"].CopyFrom(shape(-1, 1, 28, 28))
    return graph_pb2.GraphDef(node=[image, node], versions=versions_pb2.VersionDef(producer=1))


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
    yield event_pb2.Event(wall_time=1700000001, step=469, session_log=event_pb2.SessionLog(
        status=event_pb2.SessionLog.START))
    yield event_pb2.Event(wall_time=1700000001.5, graph_def=graph().SerializeToString(deterministic=True))
    image = Value(tag="data", image=summary_pb2.Summary.Image(
        height=28, width=300, colorspace=1, encoded_image_string=bytes(i % 251 for i in range(2000))))
    image.metadata.plugin_data.plugin_name = "images"
    image.metadata.summary_description = "What is seen."
    image.metadata.data_class = summary_pb2.DATA_CLASS_BLOB_SEQUENCE
    yield event_pb2.Event(wall_time=1700000002.5, step=938, summary=summary_pb2.Summary(value=[
        Value(tag="loss/train", simple_value=0.125), Value(tag="loss/test", simple_value=float("nan")),
        histogram(values(), "All *1000* of them.", "weights/fc1.weight"),
        histogram([0, 0, 0], tag="weights/fc1.bias"), histogram([-2e-5, -1, 3e30], tag="updates/fc1.bias"), image]))
    yield event_pb2.Event(wall_time=1700000003, summary=hparams(
        metadata.SESSION_END_INFO_TAG, session_end_info=plugin_data_pb2.SessionEndInfo(
            status=api_pb2.STATUS_SUCCESS, end_time_secs=1700000003)))


with open(PATH, "wb") as out:
    records = RecordWriter(out)
    for event in events():
        records.write(event.SerializeToString(deterministic=True))
    records.flush()
