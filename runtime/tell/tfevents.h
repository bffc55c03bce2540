/* TensorBoard's event files: records of TensorFlow (lengths and checksums) that hold messages `Event` (event.proto,
 * summary.proto and the plugin hparams of github.com/tensorflow/tensorboard). */
#ifndef TFEVENTS_H
#define TFEVENTS_H

#include "base/data_error.h"
#include "protobuf.h"

#include <stdio.h>

struct tfevents {
    FILE *to; /* NULL: nobody is told */
    struct proto event;
};

/* CRC-32C (Castagnoli): polynomial 0x1EDC6F41, reflected. */
uint32_t crc32c(const void *bytes, size_t size);

/* Starts a file, at `time` (seconds since 1970). false: the disk is full. */
bool tfevents_start(struct tfevents *t, FILE *to, double time);

/* Steps are counted on from here: what an earlier file of the run says of this step or a later one is out of date. */
bool tfevents_session(struct tfevents *t, double time, int64_t step);

/* An event of a step with any number of values, written and flushed by tfevents_end; false: the disk is full, or there is no
 * memory. Tags are paths: "accuracy/test". */
void tfevents_begin(struct tfevents *t, double time, int64_t step);
void tfevents_scalar(struct tfevents *t, const char *tag, double value);
bool tfevents_end(struct tfevents *t);

/* Counts of n > 0 values over bins: limit[i] is the upper end of bin i, in ascending order, the last one that of all values. `about`:
 * what TensorBoard tells of the tag where it is asked, in Markdown; it suffices once. NULL: nothing. */
struct tfevents_histogram {
    double min, max, n, sum, squares;
    size_t bins;
    const double *limit, *count;
};
void tfevents_histogram(struct tfevents *t, const char *tag, const char *about, const struct tfevents_histogram *h);

/* A PNG of height x width and 1 or 3 channels. */
struct tfevents_image {
    int64_t height, width;
    int channels;
    const void *png;
    size_t bytes;
};
void tfevents_image(struct tfevents *t, const char *tag, const char *about, const struct tfevents_image *image);

/* What is computed from what: a GraphDef of TensorFlow. Names are unique and paths, whose folders are frames: "stage1/conv1". */
struct tfevents_attribute {
    const char *name, *text; /* text NULL: a number */
    int64_t number;
};
struct tfevents_node {
    const char *name, *op;
    int inputs, rank, attributes;
    const char *const *input;                   /* names of nodes */
    const int64_t *dim;                         /* of the result; -1: any number */
    const struct tfevents_attribute *attribute; /* in the order of their names */
};
bool tfevents_graph(struct tfevents *t, double time, const struct tfevents_node *node, size_t n);

/* Hyper-parameters of a run, all of them and in one event, before others: the plugin shows the columns of the first one. */
struct tfevents_hparam {
    const char *name;
    const char *text; /* NULL: a number */
    double number;
};
bool tfevents_hparams(struct tfevents *t, double time, const char *run, const struct tfevents_hparam *hparam, size_t n,
                      const char *const *metric, size_t metrics);
/* How the run ended. */
bool tfevents_hparams_end(struct tfevents *t, double time, bool good);

#endif
