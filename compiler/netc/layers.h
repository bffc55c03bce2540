/* layers.h: a compiled model as its author wrote it: layers, and what became of each. */
#ifndef LAYERS_H
#define LAYERS_H

#include "compile.h"

struct layer {
    const char *path;        /* "stage1.0.conv1", "relu_2", "stage1.0.+"; an input's own name */
    const char *label;       /* "Conv 3x3 / 2", "ReLU", "Add", "input" */
    const char *word;        /* "Conv"; NULL: an input or a sum */
    const char *fate;        /* "kernel + ReLU + MaxPool 2", "fused into conv1", "view, no copy" */
    const struct value *out; /* its result */
    int nfrom;
    int *from;           /* indices of the layers whose results it reads, in the order of its operands; x + x: twice */
    const char *outputs; /* of the network, that are its result: "logits", "logits, y"; NULL: none */
    enum op_kind kind;   /* of its first node that is no view */
    bool named;          /* the path stands in the source, or in the names of its parameters */
    bool input;
    bool predicts, trains; /* in which graphs it is */
    int line;              /* index of the layer on whose line it is told: its own, or one before it */
    int number;            /* from 1, in the order of the source; 0: an input */
    int64_t params;
    int64_t macs;      /* multiply-adds of one sample, forward */
    int64_t grad_macs; /* and of its gradients, by operand and weight: those that a training step makes */
    bool bias;
    int64_t kept; /* bytes a sample that the backward pass reads and the forward pass made */
};

/* Inputs and layers in the order in which they are computed, blocks and repeats expanded; owned by c->region. */
struct layer *layers_of(const struct compilation *c, int *count);

/* flops.c: what layer i counts by a rule, of one sample: of its forward pass, or of a training step; 0 if that is without it. */
int64_t layer_flops(const struct layer *list, int i, enum flops rule);

const char *grouped(struct region *r, int64_t n); /* summary.c: "1,218,048"; "-" for nothing */

/* parts.c: which part of the training step each node of a graph belongs to. */
enum part { PART_FORWARD, PART_BACKWARD, PART_UPDATE };
/* One entry a node, owned by g->region. Without a loss all is forward. */
enum part *parts_of(const struct graph *g);

#endif
