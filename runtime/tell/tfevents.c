#include "tfevents.h"

#include <string.h>

/* Numbers of fields, by message. */
enum { EVENT_TIME = 1, EVENT_NUMBER = 2, EVENT_VERSION = 3, EVENT_GRAPH = 4, EVENT_SUMMARY = 5, EVENT_SESSION = 7 };
enum { SESSION_STATUS = 1, SESSION_START = 1 };
enum { SUMMARY_VALUE = 1, VALUE_TAG = 1, VALUE_SIMPLE = 2, VALUE_IMAGE = 4, VALUE_HISTOGRAM = 5, VALUE_METADATA = 9 };
enum {
    METADATA_PLUGIN = 1,
    METADATA_DESCRIPTION = 3,
    METADATA_CLASS = 4,
    CLASS_TENSOR = 2,
    CLASS_BLOBS = 3,
    PLUGIN_NAME = 1,
    PLUGIN_CONTENT = 2
};
enum { IMAGE_HEIGHT = 1, IMAGE_WIDTH = 2, IMAGE_CHANNELS = 3, IMAGE_PNG = 4 };
enum { HPARAMS_EXPERIMENT = 2, HPARAMS_START = 3, HPARAMS_END = 4 };
enum { EXPERIMENT_HPARAM = 4, EXPERIMENT_METRIC = 5, HPARAM_NAME = 1, HPARAM_TYPE = 4, METRIC_NAME = 1, NAME_TAG = 2 };
enum { START_HPARAM = 1, START_GROUP = 4, START_TIME = 5, ENTRY_KEY = 1, ENTRY_VALUE = 2, NUMBER = 2, TEXT = 3 };
enum { END_STATUS = 1, END_TIME = 2, TYPE_TEXT = 1, TYPE_NUMBER = 3, STATUS_SUCCESS = 1, STATUS_FAILURE = 2 };
enum {
    GRAPH_NODE = 1,
    GRAPH_VERSIONS = 4,
    VERSIONS_PRODUCER = 1,
    NODE_NAME = 1,
    NODE_OP = 2,
    NODE_INPUT = 3,
    NODE_ATTR = 5
};
enum { ATTR_LIST = 1, ATTR_TEXT = 2, ATTR_INTEGER = 3, LIST_SHAPE = 7, SHAPE_DIM = 2, DIM_SIZE = 1, PRODUCER = 1 };

uint32_t crc32c(const void *bytes, size_t size)
{
    static const uint32_t quarter[16] = {0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3,
                                         0x61c69362, 0x7198540d, 0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
                                         0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75};
    uint32_t crc = 0xffffffff;
    for (const unsigned char *b = bytes; size > 0; size--, b++) {
        crc ^= *b;
        crc = crc >> 4 ^ quarter[crc & 15];
        crc = crc >> 4 ^ quarter[crc & 15];
    }
    return ~crc;
}

static void put_little(unsigned char *to, uint64_t value, size_t size)
{
    for (size_t i = 0; i < size; i++)
        to[i] = (unsigned char)(value >> 8 * i);
}

/* Checksums are rotated and shifted, or those of data that hold checksums would be weak. */
static uint32_t masked(const void *bytes, size_t size)
{
    uint32_t crc = crc32c(bytes, size);
    return (crc >> 15 | crc << 17) + 0xa282ead8;
}

/* A record: length, its checksum, the event, its checksum. */
static bool write_event(struct tfevents *t)
{
    const struct proto *p = &t->event;
    unsigned char head[12], tail[4];
    if (p->lost)
        return false;
    put_little(head, p->size, 8);
    put_little(head + 8, masked(head, 8), 4);
    put_little(tail, masked(p->bytes, p->size), 4);
    return fwrite(head, sizeof head, 1, t->to) == 1 && fwrite(p->bytes, p->size, 1, t->to) == 1 &&
           fwrite(tail, sizeof tail, 1, t->to) == 1 && fflush(t->to) == 0;
}

bool tfevents_start(struct tfevents *t, FILE *to, double time)
{
    t->to = to;
    proto_clear(&t->event);
    proto_double(&t->event, EVENT_TIME, time);
    proto_text(&t->event, EVENT_VERSION, "brain.Event:2");
    return write_event(t);
}

bool tfevents_session(struct tfevents *t, double time, int64_t step)
{
    proto_clear(&t->event);
    proto_double(&t->event, EVENT_TIME, time);
    if (step)
        proto_integer(&t->event, EVENT_NUMBER, (uint64_t)step);
    proto_open(&t->event, EVENT_SESSION);
    proto_integer(&t->event, SESSION_STATUS, SESSION_START);
    proto_close(&t->event);
    return write_event(t);
}

void tfevents_begin(struct tfevents *t, double time, int64_t step)
{
    proto_clear(&t->event);
    proto_double(&t->event, EVENT_TIME, time);
    if (step)
        proto_integer(&t->event, EVENT_NUMBER, (uint64_t)step);
    proto_open(&t->event, EVENT_SUMMARY);
}

bool tfevents_end(struct tfevents *t)
{
    proto_close(&t->event);
    return write_event(t);
}

static void open_value(struct tfevents *t, const char *tag)
{
    proto_open(&t->event, SUMMARY_VALUE);
    proto_text(&t->event, VALUE_TAG, tag);
}

void tfevents_scalar(struct tfevents *t, const char *tag, double value)
{
    open_value(t, tag);
    proto_float(&t->event, VALUE_SIMPLE, (float)value);
    proto_close(&t->event);
}

/* `plugin`: that of TensorBoard which shows such values, as `class`; only of values with both it reads what is said about them. */
static void close_value(struct tfevents *t, const char *plugin, int class, const char *about)
{
    if (about) {
        proto_open(&t->event, VALUE_METADATA);
        proto_open(&t->event, METADATA_PLUGIN);
        proto_text(&t->event, PLUGIN_NAME, plugin);
        proto_close(&t->event);
        proto_text(&t->event, METADATA_DESCRIPTION, about);
        proto_integer(&t->event, METADATA_CLASS, (uint64_t) class);
        proto_close(&t->event);
    }
    proto_close(&t->event);
}

void tfevents_histogram(struct tfevents *t, const char *tag, const char *about, const struct tfevents_histogram *h)
{
    const double number[] = {h->min, h->max, h->n, h->sum, h->squares}; /* fields 1 to 5 */
    open_value(t, tag);
    proto_open(&t->event, VALUE_HISTOGRAM);
    for (int i = 0; i < 5; i++)
        if (number[i] != 0)
            proto_double(&t->event, i + 1, number[i]);
    proto_doubles(&t->event, 6, h->limit, h->bins);
    proto_doubles(&t->event, 7, h->count, h->bins);
    proto_close(&t->event);
    close_value(t, "histograms", CLASS_TENSOR, about);
}

void tfevents_image(struct tfevents *t, const char *tag, const char *about, const struct tfevents_image *image)
{
    open_value(t, tag);
    proto_open(&t->event, VALUE_IMAGE);
    proto_integer(&t->event, IMAGE_HEIGHT, (uint64_t)image->height);
    proto_integer(&t->event, IMAGE_WIDTH, (uint64_t)image->width);
    proto_integer(&t->event, IMAGE_CHANNELS, (uint64_t)image->channels);
    proto_bytes(&t->event, IMAGE_PNG, image->png, image->bytes);
    proto_close(&t->event);
    close_value(t, "images", CLASS_BLOBS, about);
}

/* ---- the graph ---- */

/* An entry of a map; its value is open. */
static void open_attribute(struct proto *p, const char *name)
{
    proto_open(p, NODE_ATTR);
    proto_text(p, ENTRY_KEY, name);
    proto_open(p, ENTRY_VALUE);
}

static void close_attribute(struct proto *p)
{
    proto_close(p);
    proto_close(p);
}

/* What TensorBoard writes beside the edges that leave a node. */
static void put_shape(struct proto *p, const struct tfevents_node *n)
{
    open_attribute(p, "_output_shapes");
    proto_open(p, ATTR_LIST);
    proto_open(p, LIST_SHAPE);
    for (int i = 0; i < n->rank; i++) {
        proto_open(p, SHAPE_DIM);
        proto_integer(p, DIM_SIZE, (uint64_t)n->dim[i]);
        proto_close(p);
    }
    proto_close(p);
    proto_close(p);
    close_attribute(p);
}

static void put_node(struct proto *p, const struct tfevents_node *n)
{
    proto_open(p, GRAPH_NODE);
    proto_text(p, NODE_NAME, n->name);
    proto_text(p, NODE_OP, n->op);
    for (int i = 0; i < n->inputs; i++)
        proto_text(p, NODE_INPUT, n->input[i]);
    put_shape(p, n);
    for (int i = 0; i < n->attributes; i++) {
        const struct tfevents_attribute *a = &n->attribute[i];
        open_attribute(p, a->name);
        if (a->text)
            proto_text(p, ATTR_TEXT, a->text);
        else
            proto_integer(p, ATTR_INTEGER, (uint64_t)a->number);
        close_attribute(p);
    }
    proto_close(p);
}

bool tfevents_graph(struct tfevents *t, double time, const struct tfevents_node *node, size_t n)
{
    struct proto *p = &t->event;
    proto_clear(p);
    proto_double(p, EVENT_TIME, time);
    proto_open(p, EVENT_GRAPH);
    for (size_t i = 0; i < n; i++)
        put_node(p, &node[i]);
    proto_open(p, GRAPH_VERSIONS);
    proto_integer(p, VERSIONS_PRODUCER, PRODUCER);
    proto_close(p);
    proto_close(p);
    return write_event(t);
}

/* ---- hyper-parameters: events without a value, whose metadata hold a message of the plugin ---- */

static void open_hparams(struct tfevents *t, double time, const char *tag, int kind)
{
    tfevents_begin(t, time, 0);
    open_value(t, tag);
    proto_open(&t->event, VALUE_METADATA);
    proto_open(&t->event, METADATA_PLUGIN);
    proto_text(&t->event, PLUGIN_NAME, "hparams");
    proto_open(&t->event, PLUGIN_CONTENT);
    proto_open(&t->event, kind);
}

static bool end_hparams(struct tfevents *t)
{
    for (int open = 5; open > 0; open--)
        proto_close(&t->event);
    return tfevents_end(t);
}

static bool put_experiment(struct tfevents *t, double time, const struct tfevents_hparam *hparam, size_t n,
                           const char *const *metric, size_t metrics)
{
    open_hparams(t, time, "_hparams_/experiment", HPARAMS_EXPERIMENT);
    for (size_t i = 0; i < n; i++) {
        proto_open(&t->event, EXPERIMENT_HPARAM);
        proto_text(&t->event, HPARAM_NAME, hparam[i].name);
        proto_integer(&t->event, HPARAM_TYPE, hparam[i].text ? TYPE_TEXT : TYPE_NUMBER);
        proto_close(&t->event);
    }
    for (size_t i = 0; i < metrics; i++) {
        proto_open(&t->event, EXPERIMENT_METRIC);
        proto_open(&t->event, METRIC_NAME);
        proto_text(&t->event, NAME_TAG, metric[i]);
        proto_close(&t->event);
        proto_close(&t->event);
    }
    return end_hparams(t);
}

bool tfevents_hparams(struct tfevents *t, double time, const char *run, const struct tfevents_hparam *hparam, size_t n,
                      const char *const *metric, size_t metrics)
{
    if (!put_experiment(t, time, hparam, n, metric, metrics))
        return false;
    open_hparams(t, time, "_hparams_/session_start_info", HPARAMS_START);
    for (size_t i = 0; i < n; i++) {
        proto_open(&t->event, START_HPARAM);
        proto_text(&t->event, ENTRY_KEY, hparam[i].name);
        proto_open(&t->event, ENTRY_VALUE);
        if (hparam[i].text)
            proto_text(&t->event, TEXT, hparam[i].text);
        else
            proto_double(&t->event, NUMBER, hparam[i].number);
        proto_close(&t->event);
        proto_close(&t->event);
    }
    proto_text(&t->event, START_GROUP, run);
    proto_double(&t->event, START_TIME, time);
    return end_hparams(t);
}

bool tfevents_hparams_end(struct tfevents *t, double time, bool good)
{
    open_hparams(t, time, "_hparams_/session_end_info", HPARAMS_END);
    proto_integer(&t->event, END_STATUS, good ? STATUS_SUCCESS : STATUS_FAILURE);
    proto_double(&t->event, END_TIME, time);
    return end_hparams(t);
}
