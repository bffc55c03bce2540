/* op.h: what an op is. Its row says all that the other rooms must know of it; the rows stand in ops/, one op, one file, and
 * build/oplist.h lists those. */
#ifndef OP_H
#define OP_H

#include "plan.h"

enum op_kind {
    OP_MAP,      /* one scalar expression per element: a row of ops/scalar.c */
    OP_CONTRACT, /* sums of products with affine index maps */
    OP_WINDOW,   /* pooling and its gradients */
    OP_REDUCE,   /* sums over rows (and places) into something without rows, in fixed order */
    OP_ROW,      /* several reductions over one sample's values: softmax */
    OP_MOVE,     /* copies: gather, concat, slice, change of layout */
    OP_VIEW      /* no code: another shape of the same bytes */
};

/* How an op can share a kernel with others (fuse.c). */
enum op_form {
    FORM_ALONE,
    FORM_TILE,    /* maps may follow in its tile, then a pool or a scatter */
    FORM_POOL,    /* maps may follow; may stand behind a tile */
    FORM_SCATTER, /* gradient of a pool: may end a tile */
    FORM_REPORT   /* reports go together */
};

/* When an update happens.
 *
 * Between the kernels that make gradients and the optimizer's update there is one place for whoever sums gradients. It takes
 * those of the run in @gradients and leaves there what the update shall see, so that neither side knows of it. Its kernels
 * are left out where nothing is summed (kernel_runs): a batch in one piece pays neither time nor bytes. Here the parts of a
 * batch are summed; a sum over processes (MPI, NCCL) is one more gate, whose kernel comes behind this one. */
enum gate {
    GATE_OPEN,
    GATE_FINITE, /* if the loss is finite */
    GATE_STEP,   /* and the run is the last of its batch */
    GATE_PARTS   /* where batches run in parts; else its kernel is not there */
};

struct graph;
struct value;
struct node;
struct writer; /* emit/writer.h */
typedef int64_t op_count(const double *attr, const struct tensor *const *in, const struct tensor *const *out);

/* What a body takes for each sample of a batch, and what its sums lose. */
struct price {
    double flops;                    /* that are executed, the padding of tiles included */
    double bytes;                    /* between registers and the nearest caches, or shared memory */
    double cycles;                   /* of a core or multiprocessor: the longer of both */
    double error;                    /* bound of a sum, in units of 2^-24 times the sum of its terms' magnitudes */
    double fixed_flops, fixed_bytes; /* once, whatever the batch; of the plain body, and where no operand has rows */
};

/* A way to write an op's kernel for one target, beside the plain one that every target can use. */
struct body {
    const char *name; /* of --algorithm; NULL ends */
    const struct target *target;
    bool (*applies)(const struct writer *w, const struct stage *s); /* NULL: always */
    void (*emit)(struct writer *w, const struct stage *s);
    void (*price)(const struct writer *w, const struct stage *s, struct price *p); /* NULL: touches each value once */
    op_count *scratch, *row_scratch; /* floats of workspace that it may need, for the phase and for each row */
    bool transformed;                /* it multiplies other numbers than the op names: netc --exact does without it */
};

struct op {
    const char *name, *doc;
    enum op_kind kind;
    enum op_form form;
    bool optional;               /* does not write results that have no place (maps, tiles, pools never do) */
    int nin, nout;               /* nin -1: one or more */
    const char *attr[MAX_ATTRS]; /* names; NULL ends */
    /* OP_MAP and OP_REDUCE: expressions (expr.c) per element, evaluated in the order written. Names: the inputs a b c d e f i j;
     * attributes; control words inv_run, begin (1 in the first run of a batch, else 0); live (1 for valid rows, else 0);
     * keep (dropout's mask). In bwd also y, the result, and g, its gradient. GATE_STEP: op_numbers() as well.
     * `m = ...` in an update replaces input m, which is the new value in the expressions behind it. */
    const char *fwd[MAX_OPERANDS];  /* one per output, of which they are in order; OP_REDUCE: those summed */
    const char *bwd[8];             /* one per input; NULL: no gradient */
    const char *letters;            /* names of the inputs; NULL: "abcdefij" */
    const char *slot[MAX_OPERANDS]; /* optimizers: PyTorch's names of the state between p and the gradient */
    bool spread;                    /* a variance over rows and places: of a single value it is 0 */
    bool update;                    /* writes its first inputs in place: output o over input o */
    enum gate gate;                 /* updates: when */
    /* Sets shape, dtype, layout and rows of out[] from in[] and attributes; false if they do not fit together. The only
     * guard between a plan from a stranger and emitted code: it must refuse every attribute that the code cannot bear. */
    bool (*shape)(const double *attr, const struct tensor *const *in, int nin, struct tensor *out, int nout);
    /* Builds the nodes of the gradients: given gy[] of the outputs (NULL: none), sets gx[] (NULL: none). */
    void (*grad)(struct graph *g, struct node *n, struct value *const *gy, struct value **gx);
    /* FORM_POOL, FORM_SCATTER: can it stand behind a tile that makes `in`? */
    bool (*fits_tile)(const double *attr, const struct tensor *in);
    /* An op that does what another does of maxpool_dx(g, place), from g and place: g is the operand that was the gradient, place
     * the last. specialise.c puts it there for targets that have a body of it, where it pays. */
    const char *stands_for; /* NULL: none */
    bool (*pays)(const double *attr, const struct tensor *const *in, const struct tensor *const *out);
    op_count *macs; /* multiply-adds of one sample; NULL: none that are counted */
    /* Writes the loops (all kinds but OP_MAP and OP_VIEW): the plain body, for every target whose vectors are of one float, and
     * where it says nothing of lanes for all. See writer.h. */
    void (*emit)(struct writer *w, const struct stage *s);
    bool scalar;             /* that one bears no vectors of several samples */
    const struct body *body; /* the others, NULL: none; emit/choose.c takes the cheapest */
    /* OP_CONTRACT: fills what its bodies go by: a struct contraction or a struct geometry (emit/contract.h). */
    void (*sizes)(const double *attr, const struct tensor *const *in, const struct tensor *const *out, void *to);
};

/* The gradient of a map is a map as well: `relu.da` is the derivative of relu by its input a, made from its row. */
const struct op *op_find(const char *name);         /* NULL: none */
const struct op *op_at(int i);                      /* NULL ends; derived ones not listed */
int op_attr(const struct op *op, const char *name); /* index, -1 */
int op_attrs(const struct op *op);                  /* how many it has; plan.c */
const char *op_letters(const struct op *op);
/* Expression i without the name of what it replaces; *out: the output that it makes. NULL: there is none. */
const char *op_formula(const struct op *op, int i, int *out);
/* What an optimizer's expressions name besides inputs and lr, in the order written: arguments of its word (`decay`), and what
 * the host computes of them, of lr and of t, the number of the step from 1 on, in double (`{1 - pow(beta1, t)}`). list has room
 * for CTL_NUMBERS. Returns how many. */
int op_numbers(const struct op *op, struct region *r, const char **list);
/* Those of all ops that make the optimizer's step, in the order of the plan, each once: number i is word CTL_NUMBER + i of the
 * control block. A plan from a stranger may have more than CTL_NUMBERS: they are counted, and not in the list. */
int plan_numbers(const struct plan *p, struct region *r, const char **list);
/* An optimizer's update whose gradients are clipped first, by the word of `clip` (NULL: none), and that keeps the moving mean of the
 * parameters: "adam.norm.ema". The last operand of .norm is the norm of all gradients (update_norm). */
const char *update_variant(struct region *r, const char *update, const char *clip, bool ema);
#define MEAN_OF_WEIGHTS "q = ema * q + {t == 1 ? 1 : 1 - ema} * p"
bool update_norm(const struct op *op);
bool update_clips(const char *clip); /* are there such variants for the word? */
bool map_shape(const double *attr, const struct tensor *const *in, int nin, struct tensor *out, int nout);
/* The same with attribute `group` first: an update of the optimizer that names lr or decay. */
enum { UPDATE_GROUP };
bool update_shape(const double *attr, const struct tensor *const *in, int nin, struct tensor *out, int nout);
bool same_shape(const struct tensor *a, const struct tensor *b);
bool is_rows(const struct tensor *t, enum dtype d, int rank); /* that kernels read by lanes */
/* Floats of workspace that the op needs on a target, for the phase or for each row: the most that one of its bodies may. */
int64_t op_scratch(const struct op *op, const struct target *t, bool rows, const double *attr,
                   const struct tensor *const *in, const struct tensor *const *out);
extern const char body_plain[]; /* the name of the body that is in no table: op.emit */
/* Is there a body of that name for some target, the plain one included? */
bool op_knows(const struct op *op, const char *algorithm);
bool attr_whole(double v, double lo, double hi); /* an attribute that is an integer in [lo, hi] */
/* A shape as attributes DIMS_ATTRS, the first of the op: sets rank and dim of t; false if it is none. */
enum { DIMS_RANK, DIMS_D0 };
#define DIMS_ATTRS "rank", "d0", "d1", "d2", "d3"
bool attr_dims(const double *attr, struct tensor *t);

/* What kernel k draws its masks from, stage by stage. They are arguments of kernels, so that one function serves all layers
 * that drop out alike. list has room for MAX_STAGES. Returns how many. */
int kernel_streams(const struct plan *p, int k, uint32_t *list);

/* The first op of the optimizer's step; NULL: nothing is trained. */
const struct op *plan_optimizer(const struct plan *p);

/* Parameters are in groups that have learning rate and decay of their own, and each update of the optimizer is that of one, by its
 * attribute `group`: which of them kernel k's is; -1: of none. How many the plan has. */
int kernel_group(const struct plan *p, int k);
int plan_groups(const struct plan *p);

/* Does kernel k run where batches run in parts, or else where they run in one piece? */
bool kernel_runs(const struct plan *p, int k, bool parts);

/* What one file under ops/ exports, as `const struct module module_<file>`. */
struct word; /* graph/word.h */
struct module {
    const struct op *op;
    int nop;
    const struct word *word;
    int nword;
};
const struct module *module_at(int i); /* NULL ends */

#endif
