/* graph.h: a phase of the model as values and nodes, and the passes from there to the plan's kernels and places. */
#ifndef GRAPH_H
#define GRAPH_H

#include "base/base.h"
#include "plan/op.h"
#include "word.h"

/* ---- graph.c: values and nodes; nodes in topological order ---- */

struct value {
    struct tensor t;   /* what the plan will say of it */
    struct node *def;  /* NULL: a source (input, target, parameter, state, control) */
    int out;           /* which output of def */
    struct loc loc;    /* where the text made it */
    const char *maker; /* for messages: "conv2", "ReLU", "input image" */
    int lr_of,
        decay_of; /* parameters: from which row of the model's groups on 1 they have these; 0: the optimizer's own */
    bool frozen;  /* parameters: never change */
    bool begun;   /* parameters: the layer says how they begin */
    bool apart;   /* and: not by the optimizer's first rule (word.beside) */
    struct value *grad;      /* parameters, after grad.c; NULL: it has none */
    struct value *instead;   /* what simplify.c put in its place; NULL: it stands */
    struct value *member_of; /* group that holds its bytes, at t.at */
    int id;                  /* index in graph.value */
};

struct node {
    const struct op *op;
    double *attr; /* as many as the op has */
    int nin, nout;
    struct value **in, **out;
    struct loc loc;
    const char *layer; /* path of the layer it came from: "conv1", "stage1.0.bn1" */
    int group;         /* kernel it belongs to, after fuse.c */
    bool dead;
    bool late; /* runs behind all that is none (fuse.c) */
};

/* Where a layer stands while it builds its nodes. */
struct site {
    struct graph *graph;
    struct diag *diag;
    struct loc loc;   /* of the layer's name */
    const char *path; /* "conv1", "stage1.0.conv1": prefix of its parameters */
};

struct named_value {
    const char *name;
    struct value *value;
    enum role role;
};

struct graph {
    enum phase phase;
    const struct layout *layout; /* of values with rows, unless an op says otherwise */
    struct region *region;
    struct diag *diag;
    struct loc at;     /* where the text of the nodes being added stands ... */
    const char *layer; /* ... and the layer they belong to: set before word.build */
    int nvalue;
    struct value **value;
    int nnode;
    struct node **node;
    int serial; /* nodes ever made: their values' names stay unique */
    int ngroup;
    struct group **group; /* after fuse.c: kernels in the order in which they run */
    int noutput;
    struct named_value *output; /* in the order of `output` */
    struct value *loss;         /* per-row losses, before the mean; NULL in PHASE_PREDICT */
    struct value *control;
    bool mixes; /* samples of two classes are mixed: by mix_target, which a loss then asks */
};

/* A kernel to be: an anchor and the maps around it, or maps alone. */
struct group {
    int nnode;
    struct node **node;
    int id;
    const char *apart; /* why its first node did not join */
};

struct graph *graph_new(enum phase ph, struct region *r, struct diag *d);
struct graph *graph_copy(const struct graph *g); /* values and nodes too, of a graph without groups */
/* A source. dims excludes the batch; rows says whether it has one; the name is kept, not copied. */
struct value *graph_source(struct graph *g, enum role role, enum dtype d, bool rows, int rank, const int64_t *dim,
                           const char *name, struct loc loc);
/* Parameter or state `<site path>.<name>`; the same name in two phases is the same tensor. */
struct value *graph_param(struct site *s, enum role role, const char *name, int rank, const int64_t *dim,
                          enum init init, double bound, int fan_in);
/* y and one parameter `bias` for each of its channels, if argument `wanted` is true, which begins as argument `init` says. */
struct value *graph_bias(struct site *s, const struct args *a, int wanted, int init, struct value *y, double bound,
                         int fan_in);
/* init_rule.c: a parameter that begins as argument `arg` (ARG_INIT) says, or else evenly within the bound. */
struct value *graph_begun(struct site *s, const struct args *a, int arg, const char *name, int rank, const int64_t *dim,
                          double bound, int fan_in);
/* The same of all weights (matrices, and kernels of convolutions) of which their layers say nothing. */
void graph_begin(struct graph *g, const double *given);
/* What a rule of its op says of a node; 0 where there is none. */
int64_t node_count(const struct node *n, op_count *rule);
int64_t node_scratch(const struct node *n, const struct target *t, bool rows); /* floats of workspace: op_scratch */
/* Appends a node. The op's shape rule must accept the operands (else exit 70): layers check what users can get wrong. */
struct node *graph_node(struct graph *g, const char *op, const double *attr, struct value *const *in, int nin);
/* The same, for its first output (NULL: it has none); NULL-terminated operands. attr may be NULL. */
struct value *graph_op(struct graph *g, const char *op, const double *attr, ...);
const char *shape_text(struct region *r, const struct value *v);  /* "64x12x12", "10", "1" */
const char *shape_words(struct region *r, const struct value *v); /* for messages: "64x12x12", "a vector of 10" */
int64_t value_elements(const struct value *v);
void graph_verify(const struct graph *g, const char *after_pass); /* exits 70 naming pass and node if broken */
void graph_print(const struct graph *g, FILE *out);

/* ---- the passes after build, in order; each on the graph of one phase (compile.c has the table) ---- */

/* report.c. Needs loss. Adds what the host reads after a step. */
void report(struct graph *g, const struct model *m);
/* grad.c. Needs loss. Leaves gradient nodes behind the forward ones; value.grad of the parameters that the loss depends on. */
void grad(struct graph *g);
/* The rule of losses: the gradient of the batch's loss is their second result, the root of the backward pass. */
void loss_grad(struct graph *g, struct node *n, struct value *const *gy, struct value **gx);
/* update.c. Needs value.grad. Adds groups (parameters, gradients, one per slot) and the optimizer's update over them. */
void update(struct graph *g, struct model *m);
/* What an optimizer whose step is several ops builds them of (word.step): one group's parameters. */
struct step {
    struct graph *graph;
    const struct args *args; /* of the optimizer */
    const struct op *op;     /* its first, which makes a direction of a gradient, in its place */
    int group;
    struct value *parameters, *gradients, *slot[MAX_OPERANDS]; /* the group's, as vectors */
    struct value *norm;                                        /* of all gradients; NULL: nobody clips by it */
    int n;                                                     /* of parameters: */
    struct value **member;
    int64_t *at; /* in the vectors */
};
/* How many parameters from `first` on, at most so many, go together: those of about as many values as the largest alone, so that what
 * is made of them costs little memory. */
int step_together(const struct step *s, int first, int most);
/* The part of a vector that is parameter i: a matrix, where that has two or more sizes. */
struct value *step_part(const struct step *s, struct value *of, int i);
/* Parameter i's direction. Its gradient stays as it is: people look at it. */
struct value *step_direction(const struct step *s, int i);
/* ops/norms.c. The norms of n tensors without rows (MAX_OPERANDS at most), and of them number i. */
struct value *tensor_norms(struct graph *g, struct value *const *x, int n);
struct value *tensor_norm(struct graph *g, struct value *norms, int i);
/* ops/matmul.c. alpha a b + beta c (NULL: none), a and b transposed where ta and tb say so. */
struct value *matmul(struct graph *g, struct value *a, bool ta, struct value *b, bool tb, double alpha, struct value *c,
                     double beta);
/* simplify.c. Rewrites pairs of nodes into cheaper ones, binds inputs to the data set, drops what nothing needs. */
void simplify(struct graph *g);
void drop_dead(struct graph *g); /* the last of these, again */
/* specialise.c. Puts what the target computes otherwise in the place of what all can. */
void specialise(struct graph *g, const struct target *t);
/* fuse.c. Leaves groups. */
void fuse(struct graph *g);
/* schedule.c. Appends the graph's schedule, kernels and tensors to the plan, lifetimes filled. */
void schedule(const struct graph *g, struct plan *p, const struct target *t);
/* memory.c. Merges in-place chains, places every tensor of the plan; fills the sizes of the schedules. */
void memory(struct plan *p);

void groups_print(const struct graph *g, FILE *out);

#endif
