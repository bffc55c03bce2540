/* look.h: what a training's own steps show of the network: the last ones of an epoch run kernel by kernel, to the same bits, and
 * what they leave in memory is looked at: which units of ReLUs are never active, which classes are predicted, and after the last of
 * them how large gradients are beside their weights. */
#ifndef LOOK_H
#define LOOK_H

#include "device/device.h"
#include "layer.h"

struct job;

enum {
    LOOK_SAMPLES = 32, /* a look takes so many at least, or else all: a unit that none of them moves is hardly used */
    LOOK_ROWS = 128,   /* of a run are looked at, at most */
};

/* A ReLU, by the tensor that shows it: its own or, where that lies in registers, what a pool behind it leaves, which is 0
 * only where all of its window is. */
struct look_relu {
    int kernel, stage, tensor;
    int64_t units, places; /* channels of a map, or values of a vector; values of each in a sample */
    int64_t active;        /* units that were not 0 somewhere */
    unsigned char *was;    /* of each unit: whether it was */
};

/* Weights of a layer. */
struct look_layer {
    int parameter, gradient;
    double weight, slope; /* root mean squares of its weights, of their gradient */
};

struct looking {
    int relus, layers;
    struct look_relu *relu;   /* in the order in which they run */
    struct look_layer *layer; /* in the order of the parameters */
    int64_t rows;             /* that were looked at since look_begin */
    /* Of a classifier: what was predicted, and what was true; -1: nothing yet, -2: several classes. */
    int logits, target, judge; /* tensors; the kernel that compares them, -1: none */
    int64_t predicted, truth;
    char *room;
    struct job *job;
    const uint32_t *control;
};

/* What there is to look at. False: no memory. */
bool look_open(struct looking *l, struct job *j);
void look_close(struct looking *l);
void look_begin(struct looking *l); /* forgets what was seen */
/* The step of an epoch from which on steps are followed: its last ones, of LOOK_SAMPLES samples together. */
int64_t look_from(const struct job *j);
/* One run of the training, followed; control as in device->run. */
bool look_run(struct looking *l, uint32_t control[CTL_WORDS], struct device_error *e);
/* Behind the last step of an epoch, before another phase runs. */
void look_end(struct looking *l);

#endif
