/* netc.h: the compiler, in the order in which the data meets it:
 * text -> syntax tree -> graph -> (shape, grad, simplify, fuse, schedule, memory) -> plan. */
#ifndef NETC_H
#define NETC_H

#include "plan.h"
#include "emit.h"

/* ---- util.c: memory that is freed at once, strings, checked arithmetic ---- */

struct region;                                         /* zeroed memory, freed as a whole */
struct region *region_new(void);
void region_free(struct region *r);
void *region_alloc(struct region *r, size_t count, size_t size);   /* never NULL: exits 70 if there is none */
char *region_copy(struct region *r, const char *text);
char *region_printf(struct region *r, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Doubles `*v` when *count reaches a power of two; call before writing v[*count]. */
#define region_grow(r, v, count) ((v) = region_grow_((r), (v), (count), sizeof *(v)))
void *region_grow_(struct region *r, void *v, int count, size_t size);

/* lookup.c: numbers by name. All zero is an empty table; keys are kept, not copied. */
struct lookup_row { const char *key; int number; };
struct lookup { size_t n, room; struct lookup_row *row; };
int *lookup_at(struct lookup *t, const char *key);                 /* to be changed; NULL: not in it */
int lookup_find(const struct lookup *t, const char *key);          /* -1: not in it */
void lookup_add(struct region *r, struct lookup *t, const char *key, int number);    /* the first number of a key stays */

#define COUNT(a) ((int)(sizeof(a) / sizeof((a)[0])))

/* ---- diag.c: errors with carets ---- */

struct loc { int line, col, end; };                    /* 1-based; columns [col, end) on that line; line 0: nowhere */

struct diag {
    const char *file, *text;                           /* the source being compiled */
    int errors, warnings;
    FILE *out;                                         /* stderr, or a buffer in tests */
    bool colour;
    struct region *region;
    struct message *first, *last;                      /* collected; printed by diag_flush, sorted by line */
    int nmark; const char **mark;                      /* starts of some lines of the text */
};

/* Starts a message; the calls below add to it. `label` stands beside the caret (NULL: none). Codes: N01xx names,
 * N02xx shapes, N03xx syntax, N04xx attributes and settings, N05xx memory. Stops printing after 20 errors. */
void diag_error(struct diag *d, const char *code, struct loc at, const char *label, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
void diag_warning(struct diag *d, const char *code, struct loc at, const char *label, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
void diag_place(struct diag *d, struct loc at, const char *format, ...) __attribute__((format(printf, 3, 4)));
void diag_note(struct diag *d, const char *format, ...) __attribute__((format(printf, 2, 3)));
void diag_help(struct diag *d, const char *format, ...) __attribute__((format(printf, 2, 3)));
void diag_flush(struct diag *d);
/* The nearest of `n` names (Damerau-Levenshtein at most max(1, len / 3), case-insensitive first); NULL: none. */
const char *diag_nearest(const char *name, const char *const *names, int n);

/* ---- ast.c: what the text says, before anything is looked up ---- */

enum ast_kind {
    AST_NUMBER,          /* number; also 8KiB (unit in text) and 80% (number = 0.8, percent set) */
    AST_STRING,          /* text */
    AST_NAME,            /* text */
    AST_CALL,            /* text ( args ); called is false for a bare stage name such as ReLU */
    AST_LIST,            /* args, none named */
    AST_NEGATE,          /* left */
    AST_BINARY,          /* left op right; op is one of + - * / */
    AST_APPLY            /* left -> [label :] right, right an AST_CALL or AST_NAME */
};

struct ast {
    enum ast_kind kind;
    struct loc loc;      /* for AST_CALL the name only; for AST_BINARY the operator */
    const char *text;
    const char *label;   /* AST_APPLY: the name before ':' or NULL */
    struct loc label_loc;
    double number;
    bool percent;
    char op;
    struct ast *left, *right;
    int narg;
    struct ast_arg *arg;
};
struct ast_arg { const char *name; struct loc loc; struct ast *value; };   /* name NULL: positional */

enum decl_kind { DECL_PARAM, DECL_INPUT, DECL_TARGET, DECL_OUTPUT, DECL_BIND, DECL_BLOCK, DECL_DATA, DECL_TRAIN, DECL_SWEEP };

struct ast_name { const char *text; struct loc loc; };
struct ast_type { const char *name; struct loc loc; int ndim; struct ast **dim; };      /* f32[1, 28, 28], class[10] */
struct ast_entry { const char *path; struct loc loc; struct ast *value; };              /* optimizer.lr = 0.1 */

struct decl {
    enum decl_kind kind;
    struct loc loc;                                    /* of the name, or of the keyword */
    const char *name;
    struct ast *value;                                 /* PARAM, BIND */
    struct ast_type type;                              /* INPUT, TARGET; type.name NULL for a block's input */
    int nname; struct ast_name *names;                 /* OUTPUT; formals of BLOCK; INPUT in a block: names */
    int nbody; struct decl *body;                      /* BLOCK */
    int nentry; struct ast_entry *entry;               /* DATA, TRAIN, SWEEP */
};

struct ast_file { const char *name; struct loc loc; int ndecl; struct decl *decl; };

/* NULL only if nothing could be made of the text; errors are in d. Defined beside grammar/net.y. */
struct ast_file *parse(const char *text, size_t length, struct diag *d, struct region *r);
void ast_print(const struct ast_file *f, FILE *out);   /* normalised .net text: the dump of the parse pass */

/* ---- words: everything a .net file can name, found in tables and never in the grammar ---- */

enum word_kind { WORD_LAYER, WORD_LOSS, WORD_OPTIMIZER, WORD_SCHEDULE, WORD_TRANSFORM, WORD_METRIC };

enum arg_type {
    ARG_INT,             /* one integer */
    ARG_PAIR,            /* an integer or [h, w]: two numbers in args.num[i] */
    ARG_NUMBER,
    ARG_NUMBERS,         /* a number, or a list with one for each channel of the input: its first dimension */
    ARG_BOOL,            /* true, false */
    ARG_VALUE            /* a value of the graph (losses) */
};
enum { MAX_WORD_ARGS = 8 };

struct arg {
    const char *name, *help;
    enum arg_type type;
    bool required;
    double otherwise, second;                          /* default; ARG_PAIR: second number, 0: the same as the first */
    double min, max;                                   /* allowed range, closed; both 0: any */
    bool below;                                        /* max itself is not allowed */
};

struct args {                                          /* evaluated against a word's arg table */
    double *num[MAX_WORD_ARGS];                        /* at least two: a single number, or default, is in both */
    int count[MAX_WORD_ARGS];                          /* numbers given; 0: the default is in num[i] */
    bool given[MAX_WORD_ARGS];
    struct value *value[MAX_WORD_ARGS];
    struct loc loc[MAX_WORD_ARGS];                     /* of the argument, or of the word if it was left out */
};

struct graph;
struct value;
struct node;

/* Where a layer stands while it builds its nodes. */
struct site {
    struct graph *graph;
    struct diag *diag;
    struct loc loc;                                    /* of the layer's name */
    const char *path;                                  /* "conv1", "stage1.0.conv1": prefix of its parameters */
};

struct word {
    enum word_kind kind;
    const char *name, *doc;
    struct arg arg[MAX_WORD_ARGS];                     /* name NULL ends it */
    int bare;                                          /* arguments that may stand without a name; 0: all, -1: none */
    const char *bare_help;                             /* what to say of more */
    int nvalue;                                        /* layers: operands besides the one before ->; -1: a call over >= 2 values */
    /* The rule of the word: without the one of its kind netc refuses it as unfinished. Schedules: runtime/schedule.c.
     * Layers, losses and metrics: builds nodes, returns the result, or NULL after a diagnostic. x[0] is the value before
     * '->' (losses: the values given as ARG_VALUE, in order; metrics: the operands of the loss, which `check` has
     * looked at; their result is 1 or 0 for each row). */
    struct value *(*build)(struct site *s, const struct args *a, struct value *const *x, int nx);
    enum role reads;                                   /* losses: what an output is that they read as x[0]; 0: ROLE_OUTPUT */
    /* Optimizers: the scalar op of the update (a name in the op tables) for these arguments, and its slots. */
    const char *(*update)(const struct args *a);
    /* Transforms: puts x' = f(x) over x = scale v + shift, for one channel whose arguments are num[]. */
    void (*affine)(const double *num, double *scale, double *shift);
    /* Recipe: what no argument shows alone, once each is within its range; x as for build. False after an error. NULL: nothing. */
    bool (*check)(struct site *s, const struct args *a, struct value *const *x, int nx);
    /* Graph-shaping arguments are the others' complement: those netrun may change at any time. Bit i = argument i. */
    unsigned free_args;
};

const struct word *word_find(enum word_kind k, const char *name);
const struct word *word_at(int i);                     /* all words, sorted by kind and name; NULL ends */

/* ---- ops: what the graph is made of. One op, one file under ops/; build/oplist.h lists them ---- */

enum op_kind {
    OP_MAP,              /* one scalar expression per element: a row of ops/scalar.c */
    OP_CONTRACT,         /* sums of products with affine index maps */
    OP_WINDOW,           /* pooling and its gradients */
    OP_REDUCE,           /* sums over rows (and places) into something without rows, in fixed order */
    OP_ROW,              /* several reductions over one sample's values: softmax */
    OP_MOVE,             /* copies: gather, concat, slice, change of layout */
    OP_VIEW              /* no code: another shape of the same bytes */
};

/* How an op can share a kernel with others (fuse.c). */
enum op_form {
    FORM_ALONE,
    FORM_TILE,                                         /* maps may follow in its tile, then a pool or a scatter */
    FORM_POOL,                                         /* maps may follow; may stand behind a tile */
    FORM_SCATTER,                                      /* gradient of a pool: may end a tile */
    FORM_REPORT                                        /* reports go together */
};

/* When an update happens. */
enum gate {
    GATE_OPEN,
    GATE_FINITE,                                       /* if the loss is finite */
    GATE_STEP                                          /* and the run is the last of its batch */
};

struct writer;           /* emit.c */
typedef int64_t op_count(const double *attr, const struct tensor *const *in, const struct tensor *const *out);

struct op {
    const char *name, *doc;
    enum op_kind kind;
    enum op_form form;
    bool optional;                                     /* does not write results that have no place (maps, tiles, pools never do) */
    int nin, nout;                                     /* nin -1: one or more */
    const char *attr[MAX_ATTRS];                       /* names; NULL ends */
    /* OP_MAP and OP_REDUCE: expressions (expr.c) per element. Names: the inputs a b c d e f i j; y, y1, y2 the results
     * so far; attributes; control words lr h0..h7 k0..k7 (1 - h) bias1 bias2 inv_run begin (1 in the first run of a
     * batch, else 0); live (1 for valid rows, else 0); keep (dropout's mask). In bwd also g, the gradient of y. */
    const char *fwd[3];                                /* one per output; OP_REDUCE: those summed */
    const char *bwd[8];                                /* one per input; NULL: no gradient */
    const char *letters;                               /* names of the inputs; NULL: "abcdefij" */
    const char *slot[2];                               /* optimizers: PyTorch's names of the state between a and the gradient */
    bool spread;                                       /* a variance over rows and places: of a single value it is 0 */
    bool update;                                       /* writes its first inputs in place: output o over input o */
    enum gate gate;                                    /* updates: when */
    /* Sets shape, dtype, layout and rows of out[] from in[] and attributes; false if they do not fit together. The only
     * guard between a plan from a stranger and emitted code: it must refuse every attribute that the code cannot bear. */
    bool (*shape)(const double *attr, const struct tensor *const *in, int nin, struct tensor *out, int nout);
    /* Builds the nodes of the gradients: given gy[] of the outputs (NULL: none), sets gx[] (NULL: none). */
    void (*grad)(struct graph *g, struct node *n, struct value *const *gy, struct value **gx);
    /* CUDA: floats of workspace that its kernel needs, for the phase and for each row; NULL: none. */
    op_count *scratch, *row_scratch;
    op_count *macs;                                    /* multiply-adds of one sample; NULL: none that are counted */
    /* Writes the loops (all kinds but OP_MAP and OP_VIEW). See emit.h. */
    void (*emit)(struct writer *w, const struct stage *s);
};

/* The gradient of a map is a map as well: `relu.da` is the derivative of relu by its input a, made from its row. */
const struct op *op_find(const char *name);            /* NULL: none */
const struct op *op_at(int i);                         /* NULL ends; derived ones not listed */
int op_attr(const struct op *op, const char *name);    /* index, -1 */
int op_attrs(const struct op *op);                     /* how many it has; plan.c */
const char *op_letters(const struct op *op);
bool map_shape(const double *attr, const struct tensor *const *in, int nin, struct tensor *out, int nout);
bool same_shape(const struct tensor *a, const struct tensor *b);
bool attr_whole(double v, double lo, double hi);            /* an attribute that is an integer in [lo, hi] */

/* ---- graph.c: values and nodes; nodes in topological order ---- */

struct value {
    struct tensor t;                                   /* what the plan will say of it */
    struct node *def;                                  /* NULL: a source (input, target, parameter, state, control) */
    int out;                                           /* which output of def */
    struct loc loc;                                    /* where the text made it */
    const char *maker;                                 /* for messages: "conv2", "ReLU", "input image" */
    struct value *grad;                                /* parameters, after grad.c */
    struct value *instead;                             /* what simplify.c put in its place; NULL: it stands */
    struct value *member_of;                           /* group that holds its bytes, at t.at */
    int id;                                            /* index in graph.value */
};

struct node {
    const struct op *op;
    double *attr;                                      /* as many as the op has */
    int nin, nout;
    struct value **in, **out;
    struct loc loc;
    const char *layer;                                 /* path of the layer it came from: "conv1", "stage1.0.bn1" */
    int group;                                         /* kernel it belongs to, after fuse.c */
    bool dead;
};

struct named_value { const char *name; struct value *value; enum role role; };

struct graph {
    enum phase phase;
    enum layout layout;                                /* of values with rows, unless an op says otherwise */
    struct region *region;
    struct diag *diag;
    struct loc at;                                     /* where the text of the nodes being added stands ... */
    const char *layer;                                 /* ... and the layer they belong to: set before word.build */
    int nvalue; struct value **value;
    int nnode; struct node **node;
    int serial;                                        /* nodes ever made: their values' names stay unique */
    int ngroup; struct group **group;                  /* after fuse.c: kernels in the order in which they run */
    int noutput; struct named_value *output;           /* in the order of `output` */
    struct value *loss;                                /* per-row losses, before the mean; NULL in PHASE_PREDICT */
    struct value *control;
};

/* A kernel to be: an anchor and the maps around it, or maps alone. */
struct group { int nnode; struct node **node; int id; const char *apart; /* why its first node did not join */ };

struct graph *graph_new(enum phase ph, struct region *r, struct diag *d);
/* A source. dims excludes the batch; rows says whether it has one; the name is kept, not copied. */
struct value *graph_source(struct graph *g, enum role role, enum dtype d, bool rows, int rank, const int64_t *dim,
                           const char *name, struct loc loc);
/* Parameter or state `<site path>.<name>`; the same name in two phases is the same tensor. */
struct value *graph_param(struct site *s, enum role role, const char *name, int rank, const int64_t *dim,
                          enum init init, double bound, int fan_in);
/* What a rule of its op says of a node; 0 where there is none. */
int64_t node_count(const struct node *n, op_count *rule);
/* Appends a node. The op's shape rule must accept the operands (else exit 70): layers check what users can get wrong. */
struct node *graph_node(struct graph *g, const char *op, const double *attr, struct value *const *in, int nin);
/* The same, for its first output (NULL: it has none); NULL-terminated operands. attr may be NULL. */
struct value *graph_op(struct graph *g, const char *op, const double *attr, ...);
const char *shape_text(struct region *r, const struct value *v);   /* "64x12x12", "10", "1" */
const char *shape_words(struct region *r, const struct value *v);  /* for messages: "64x12x12", "a vector of 10" */
int64_t value_elements(const struct value *v);
void graph_verify(const struct graph *g, const char *after_pass);  /* exits 70 naming pass and node if broken */
void graph_print(const struct graph *g, FILE *out);

/* ---- build.c: syntax tree -> graph and settings. Scopes, blocks, repeat, -D, argument checking from the word tables ---- */

struct define { const char *name; const char *text; bool used; };        /* -D name=expression */

struct model {
    const char *net;
    int nsetting; struct setting *setting;             /* every entry of data and train, defaults included */
    const struct word *loss, *optimizer, *schedule;
    struct args loss_args, optimizer_args;
    int nmetric; const struct word **metric; struct args *metric_args;
};

/* Builds the forward graph for one phase; layers that differ between phases (Dropout, BatchNorm) look at graph->phase.
 * Reports to d; returns NULL if there were errors. Settings are filled when m is not NULL. */
struct graph *build(const struct ast_file *f, enum phase ph, struct define *defines, int ndefine, struct model *m,
                    struct diag *d, struct region *r);

/* ---- emit.c: kernels as text; emit_file.c makes files of them. Bodies are written once, in a dialect whose values `V` are a vector of samples in C:
 * ld/st, vec(x) (all lanes), sel(mask, a, b), num(x) (a constant), v_exp ... ---- */

enum { MAX_LAUNCHES = 3 };                             /* of one kernel */

struct writer {
    FILE *out;
    const struct plan *plan;
    const struct kernel *kernel;
    struct region *region;
    enum target target;
    enum precision precision;
    int lanes;                                         /* floats in a vector; 1 for CUDA, whose lanes are threads */
    int indent;
    int blocks_per_task, splits;                       /* set by the anchor; see emit.h */
    int threads;                                       /* CUDA: of a thread block; set before open_kernel, 0: 256 */
    bool pads;                                         /* CUDA: rows of the first operand behind the batch are written too */
    int nlaunch;                                       /* functions written (C: one), and what each was closed with */
    struct emit_launch launch[MAX_LAUNCHES];           /* `entry` is what its name ends in, set before open_kernel as `when` is */
};

/* One line at the current indentation; `{` at its end indents what follows, `}` at its start takes back. */
void put(struct writer *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
const struct tensor *tensor_of(const struct writer *w, int tensor);
const char *name_of(struct writer *w, int tensor);     /* C name of a stored tensor's pointer */
bool is_stored(const struct writer *w, int tensor);    /* false: lives in the variable `v<var_of>` only */
int var_of(const struct writer *w, int tensor);        /* number of the variable, -1: not made in this kernel */
/* A kernel of maps only: over samples and their elements, or over the values of tensors without rows. */
void put_map_kernel(struct writer *w);
/* Head of a kernel function: declares pointers of stored tensors, control words that the stages name. */
void open_kernel(struct writer *w);
void close_kernel(struct writer *w);
/* Loops over (block, split) tasks and the lanes of a block: declares block, part, lane, rows left. */
void open_tasks(struct writer *w, int blocks_per_task, int splits);
void close_tasks(struct writer *w);
/* Loops over (block, element e < n, lane): on CUDA an element of a sample is a thread's; in C a task has `splits` parts of
 * them. close_elements ends them. */
void open_elements(struct writer *w, int64_t n, int splits);
/* The same over elements (c, p, q) of images: declares those. */
void open_image(struct writer *w, int64_t C, int64_t P, int64_t Q);
void close_elements(struct writer *w);
/* Loops over blocks and lanes: on CUDA a thread has a sample. close_tasks ends them. */
void open_rows(struct writer *w);
/* Map stages [from, to) of the kernel for one element: `e` and `c` are C expressions of the element's index within a
 * sample and of its channel; `block` names the block. Results not stored stay in variables. In text, `@` is the kernel's name. */
void put_maps(struct writer *w, int from, int to, const char *block, const char *e, const char *c);
/* Index of the first stage >= from that is not a map. */
int maps_end(const struct writer *w, int from);
int stage_index(const struct writer *w, const struct stage *s);
/* C expression of the element's place in tensor t with rows in blocks: "((block * E + e) * 16 + lane)". */
const char *place_of(struct writer *w, int tensor, const char *block, const char *e);
/* Reads a stored tensor at an element, or names the variable. */
const char *read_of(struct writer *w, int tensor, const char *block, const char *e, const char *c);

/* pool.c, used behind a convolution too: a window stage over `tile`, a C expression of the value at (r, s) of the
 * window; the results at element e. */
void put_window(struct writer *w, const struct stage *s, const char *block, const char *e, const char *tile, bool guarded);
/* Gradient of a window behind a convolution: the value of place (p, q) of channel c goes to its window. */
void put_scatter(struct writer *w, const struct stage *s, const char *block, const char *c, const char *p, const char *q);
bool scatter_fits_tile(const double *attr, const struct tensor *in);     /* windows cover the image, each place once */
bool window_fits_tile(const double *attr, const struct tensor *in);      /* windows cover the image, no padding, tile small */

/* ---- the passes after build, in order; each on the graph of one phase (compile.c has the table) ---- */

/* report.c. Needs loss. Adds what the host reads after a step. */
void report(struct graph *g, const struct model *m);
/* grad.c. Needs loss. Leaves gradient nodes behind the forward ones; value.grad of the parameters that the loss depends on. */
void grad(struct graph *g);
/* update.c. Needs value.grad. Adds groups (parameters, gradients, one per slot) and the optimizer's update over them. */
void update(struct graph *g, const struct model *m);
/* simplify.c. Rewrites pairs of nodes into cheaper ones, binds inputs to the data set, drops what nothing needs. */
void simplify(struct graph *g);
/* fuse.c. Leaves groups. */
void fuse(struct graph *g);
/* schedule.c. Appends the graph's schedule, kernels and tensors to the plan, lifetimes filled. */
void schedule(const struct graph *g, struct plan *p, enum target t);
/* memory.c. Merges in-place chains, places every tensor of the plan; fills the sizes of the schedules. */
void memory(struct plan *p);

void groups_print(const struct graph *g, FILE *out);

/* What one file under ops/ exports, as `const struct module module_<file>`. */
struct module { const struct op *op; int nop; const struct word *word; int nword; };

#endif
