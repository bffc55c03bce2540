/* plan.h: the plan, the only data that crosses from netc to netrun.
 *
 * A plan holds, for each target and phase, a schedule of kernels over tensors with places in one arena. It is data:
 * kernel source is emitted from it (emit.h) after it has been read, checked (plan_check) and judged (plan_judge).
 *
 * Words (used one way everywhere): N rows of a batch, C channels in, K channels out, H W input height and width,
 * R S kernel height and width, P Q output height and width. Intervals are half-open. Sizes are bytes, 64-bit.
 *
 * The arena of one phase, from its start:
 *     [ persistent | fixed of the phase | rows * (per-row of the phase) | parts ]
 * so   arena(rows) = persistent + fixed + rows * per_row,   rows a multiple of ROW_BLOCK,
 * and `parts` more where a batch runs in parts: they come last, so that a batch in one piece does without them.
 * Slots of the optimizer come first, and where no phase that is armed trains, the arena begins behind them (arena_skip).
 */
#ifndef PLAN_H
#define PLAN_H

#if defined __FINITE_MATH_ONLY__ && __FINITE_MATH_ONLY__
#error "netc and netrun must see NaN and infinities: compile them without -ffast-math and -ffinite-math-only"
#endif

#include "base/bounds.h"
#include "layout.h"
#include "target.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum {
    PLAN_VERSION = 3,
    FIXED_ALIGN = 256, /* offsets of fixed tensors */
    PARAM_ALIGN = 64,  /* a parameter within its group */
    RING_STEPS = 64,   /* runs that one launch of a GPU may hold */
};

/* ---- tensors ---- */

enum dtype { DT_F32, DT_U8, DT_I32, DT_U32, DT_F64, DT_COUNT };

enum role {
    ROLE_VALUE, /* made and used within a phase: activations, their gradients */
    ROLE_INPUT, /* filled from the data set by a gather stage */
    ROLE_TARGET,
    ROLE_PARAM, /* trained; in group "parameters", persistent */
    ROLE_STATE, /* persistent but not trained: running statistics */
    ROLE_GRAD,  /* in group "gradients" */
    ROLE_SUM,  /* gradients summed over the parts of a batch: what a run leaves for the next. In `parts` of the arena */
    ROLE_SLOT, /* optimizer state, one group per slot, persistent */
    ROLE_CONTROL,   /* the control block: what changes from step to step (struct control) */
    ROLE_WORKSPACE, /* scratch: fixed, of one phase (partial sums, a library's); with rows, of one kernel */
    ROLE_TALLY,     /* f64, persistent: sums over samples, of which the host makes metrics; it also clears them */
    ROLE_SCORES,    /* f32, row by row: what metrics that rank samples are made of; of the phase that evaluates */
    ROLE_RING,      /* cuda: u32 [1 + RING_STEPS][CTL_WORDS]: number of runs done, then the control block of each */
    /* Outputs of the network, named OUTPUT_PREFIX + the model's name; f32, row by row, of the phase that predicts: */
    ROLE_OUTPUT,   /* one that no target belongs to */
    ROLE_LOGITS,   /* the loss takes its softmax for probabilities of the target's classes */
    ROLE_ESTIMATE, /* the loss compares it with the target, value by value */
    ROLE_COUNT
};

enum init {
    INIT_ZERO,
    INIT_ONE,
    INIT_UNIFORM,    /* U(-bound, bound) */
    INIT_CONSTANT,   /* bound */
    INIT_NORMAL,     /* N(0, bound^2) */
    INIT_TRUNCATED,  /* the same, drawn again outside [-2, 2] */
    INIT_ORTHOGONAL, /* bound times a matrix, first dimension by the others, whose shorter side is orthonormal */
    INIT_COUNT
};

#define OUTPUT_PREFIX "output."

struct tensor {
    char *
        name; /* PyTorch's for parameters; the model's for inputs; else with an @ (relu@4, @control). Unique within its schedule, or among those that persist */
    enum role role;
    enum dtype dtype;
    bool rows;                   /* has a batch axis in front of dim[] */
    const struct layout *layout; /* of rows; NULL: without */
    int rank;
    int64_t dim[MAX_RANK];
    int schedule;    /* index of the schedule it belongs to, -1: persistent */
    int base;        /* tensor whose bytes it shares, -1: none. Bases have no base themselves */
    int64_t at;      /* byte offset within the base (per row if rows) */
    int64_t bytes;   /* per row if rows, a multiple of PLACE_ALIGN then */
    int64_t offset;  /* in its region of the arena; per row if rows. Meaningless with a base */
    int first, last; /* steps of the schedule during which the bytes live, [first, last) */
    int line;        /* of the .net file that made it, 0: none */
    enum init init;  /* parameters and states */
    double bound;
    int fan_in; /* parameters: for the record */
};

/* ---- kernels ---- */

struct op; /* op.h; known here by name only */

struct stage {
    const struct op *op;
    double *attr; /* as many as the op has, in the order of op->attr */
    int nin, nout;
    int *in, *out;         /* tensor indices; results of earlier stages of the kernel included */
    int line;              /* of the .net file, 0: none */
    const char *algorithm; /* of the kernel's first stage: the name of the body that writes it; NULL: the cheapest */
};

struct kernel {
    char *name;
    int schedule;
    int nstage;
    struct stage *stage;
    const struct tensor
        *scratch; /* floats with rows that live during its step, for itself; NULL: none. plan_link sets it */
};

/* Of the operands of contractions on a GPU; sums are always float. Not part of a plan. TF32 and BF16 need compute capability 8.0. */
enum precision { PRECISION_FP32, PRECISION_TF32, PRECISION_BF16, PRECISION_COUNT };
enum phase {
    PHASE_TRAIN, /* on a batch or on a part of one: then gradients are summed over the runs, and the last one updates */
    PHASE_EVALUATE,
    PHASE_PREDICT,
    PHASE_COUNT
};

struct schedule {
    const struct target *target;
    enum phase phase;
    int first_kernel, last_kernel; /* [first, last) in plan.kernel; step k of the schedule is kernel first + k */
    int64_t fixed;                 /* bytes besides the persistent ones, whatever the rows */
    int64_t parts;                 /* bytes behind all others, there only where batches run in parts; training's */
    int64_t per_row;               /* bytes a row */
    int64_t bound_per_row;         /* LB of per_row: the largest live set */
    int peak_step;                 /* a step at which that set is live */
};

/* ---- settings ---- */

/* One entry of the data or train block after -D and defaults; `graph` entries shaped the graph, so netrun --set
 * refuses to change them. Value lists (normalisation, inline samples) are flattened. */
struct setting {
    char *key;  /* "train.epochs", "train.optimizer.lr", "data.transform.0.mean" */
    char *text; /* word values ("Adam", "auto"), NULL for numbers */
    int n;
    double *num;
    bool graph;
};

/* What transforms take from the training set: known when netrun runs, and no part of the plan's text. NULL: not known, or no
 * transform takes it. */
struct learnt {
    double *mean, *deviation; /* Standardize: of each channel of the input, in the unit of the data */
    double *fill;             /* Missing: of each value of the input */
};

struct region;
struct plan {
    char *net;            /* name */
    char *source;         /* text of the .net file */
    char *file;           /* its name as given to netc */
    uint64_t source_hash; /* XXH3 of source */
    int nsetting, ntensor, nkernel, nschedule;
    struct setting *setting;
    struct tensor *tensor;
    struct kernel *kernel;
    struct schedule *schedule;
    int64_t persistent;   /* bytes */
    int64_t params, macs; /* counts: values of parameters, frozen or not; multiply-adds of one sample's forward pass */
    struct learnt learnt;
    struct region *region; /* owns everything above */
};

/* The control block: 32-bit words, written by the host between steps, read (and for results written) by kernels. */
enum control_word {
    CTL_ROWS,          /* u32: valid rows of this batch */
    CTL_BATCH,         /* u32: rows of the whole optimisation batch: what losses divide by */
    CTL_STEP,          /* u32: optimizer steps done before this one */
    CTL_POSITION,      /* u32: position in the epoch of the batch's first sample */
    CTL_EPOCH,         /* u32 */
    CTL_COUNT_SAMPLES, /* u32: samples in the split being read */
    CTL_SHUFFLE,       /* u32: 1 = order by shuffle_index, 0 = file order */
    CTL_SEED0,
    CTL_SEED1,  /* u32 */
    CTL_LR,     /* f32: learning rate of this step */
    CTL_NUMBER, /* f32 x CTL_NUMBERS: what else the optimizer's expressions name: plan_numbers() */
    CTL_NUMBERS = 18,
    CTL_CHAIN =
        CTL_NUMBER + CTL_NUMBERS, /* u32: 1 = updates also wait for the losses of the runs before to be finite */
    CTL_FIRST,                    /* f32: 1 = the first run of a batch: sums of gradients begin anew, else 0 */
    CTL_LAST,                     /* u32: 1 = the last run of a batch: the optimizer's update happens */
    CTL_INV_RUN,                  /* f32: 1 / valid rows of this run: what batch statistics divide by */
    CTL_SAMPLES,
    CTL_TARGETS = CTL_SAMPLES + 2, /* u64, low word first, set by devices: addresses of the data set */
    CTL_DATA = CTL_TARGETS + 2,    /* set by devices: SAMPLES_F32 | SAMPLES_STAGED */
    CTL_LOSS,                      /* f32 result: mean loss of the batch */
    CTL_FINITE,                    /* u32 result: 1 = the loss is finite, the update happens */
    CTL_METRIC,                    /* u32 x 8 results: correct predictions per metric, summed over the batch */
    CTL_RESULTS_END = CTL_METRIC + 8,
    CTL_INV_WEIGHT = CTL_RESULTS_END, /* f32: 1 / mean weight of the targets of the whole batch in the loss */
    CTL_GROUP, /* f32 x GROUP_WORDS x CTL_GROUPS: of each group, where parameters are in several */
    CTL_WORDS = 64
};
enum group_word { GROUP_LR, GROUP_DECAY, GROUP_WORDS }; /* its numbers, from CTL_GROUP + GROUP_WORDS * group on */
enum { CTL_GROUPS = ((int)CTL_WORDS - (int)CTL_GROUP) / (int)GROUP_WORDS };
_Static_assert(CTL_GROUPS == 8, "docs/language.md says how many kinds of parameters there may be");
enum {
    SAMPLES_F32 = 1,
    SAMPLES_STAGED = 2
}; /* samples are f32, not u8; row i of the batch is sample i of the buffer */

/* What the host writes of it: all but the results. */
void control_give(uint32_t to[CTL_WORDS], const uint32_t from[CTL_WORDS]);

/* ---- plan.c: the text form ---- */

struct plan_error {
    char text[512];
    int line;
};

/* Byte-identical for identical plans. Returns false on a write error. */
bool plan_write(const struct plan *p, FILE *out);
/* To a file that is replaced as a whole (atomic_file.h). */
struct data_error;
bool plan_save(const struct plan *p, const char *path, struct data_error *e);
/* Reads, checks the checksum, bounds every count, resolves op names, then runs plan_check and plan_judge.
 * NULL with *e filled if anything is off. Never crashes, whatever the bytes. */
struct plan *plan_read(const char *text, size_t length, struct plan_error *e);
void plan_free(struct plan *p);
void plan_link(struct plan *p); /* once tensors and kernels are there: by a place each, so that nobody has to search */
const struct setting *plan_setting(const struct plan *p, const char *key);
double plan_number(const struct plan *p, const char *key, double otherwise);
int plan_find_tensor(const struct plan *p, int schedule, const char *name);                        /* -1: none */
const struct schedule *plan_schedule(const struct plan *p, const struct target *t, enum phase ph); /* NULL: none */
/* The source line of a layer whose training normalises each channel over the samples of a run alone; 0: there is none. */
int plan_lone_variance(const struct plan *p, const struct target *t);
bool phase_trains(enum phase ph); /* makes gradients */

extern const char *const precision_word[PRECISION_COUNT];
int plan_workspace(const struct plan *p, int schedule);   /* its scratch of floats; -1: none */
int plan_row_workspace(const struct plan *p, int kernel); /* its scratch of floats a row; -1: none */

/* ---- arena.c: arithmetic of places, overflow-checked; -1 where it would overflow ---- */

int64_t dtype_bytes(enum dtype d);
/* Has bytes in the arena; false: lives in the registers of one kernel, first == last == its step. */
bool tensor_stored(const struct tensor *t);
int64_t tensor_elements(const struct tensor *t); /* of one row, or of all if without rows */
bool role_is_output(enum role r);
int64_t schedule_arena(const struct plan *p, const struct schedule *s, int64_t rows);
/* The same, if `parts` where batches run in parts. */
int64_t schedule_needs(const struct plan *p, const struct schedule *s, int64_t rows, bool parts);
/* The same where this phase alone is armed: without slots, unless it trains. */
int64_t schedule_alone(const struct plan *p, const struct schedule *s, int64_t rows);
/* Largest multiple of ROW_BLOCK whose arena fits `budget` bytes in this schedule; 0: not even one block. */
int64_t schedule_fit(const struct plan *p, const struct schedule *s, int64_t budget);
/* Bytes at the start of the arena that only training touches: the slots. */
int64_t plan_slots(const struct plan *p);
/* Bytes at its start that the phases with rows do not need: those of the slots, or 0 if one of them trains. */
int64_t arena_skip(const struct plan *p, const int64_t rows[PHASE_COUNT]);
/* Byte offset of a tensor in the arena of its schedule for a row capacity, slots included. Of one of the parts it lies behind
 * the arena of a batch in one piece. */
int64_t tensor_place(const struct plan *p, const struct schedule *s, int tensor, int64_t rows);

/* Stored tensors that kernel k touches, each once, in order of first appearance. list has room for
 * MAX_STAGES * 2 * MAX_OPERANDS. Returns how many. A tensor with first == last lives only inside its kernel. */
int kernel_operands(const struct plan *p, int k, int *list);

/* ---- kernel_name.c ---- */

enum { KERNEL_LAYER = 256 };
/* "stage1.0.conv1", or "relu_3" of one without parameters, where a _ may be a dot. */
void kernel_layer(const struct plan *p, const struct kernel *k, char layer[KERNEL_LAYER]);
int kernel_line(const struct kernel *k); /* of the source, of its first stage that has one; 0: none */

/* ---- budget.c: how many samples of each phase fit, for netc and netrun alike ---- */

struct wish {
    int64_t batch;                /* samples of an optimizer step; 0: as many as fit */
    int64_t most;                 /* bound of as many as fit */
    int64_t micro;                /* samples of one run, if the batch has been run in parts before; 0: any */
    int64_t evaluation;           /* batch of the phases that do not train; fewer will do */
    int64_t samples[PHASE_COUNT]; /* of the split that a phase reads; 0: it does not run */
    bool split_statistics;        /* statistics of a batch may be those of its parts */
};
enum verdict {
    GRANTED,
    NO_ROOM,    /* not even a block of rows fits */
    NO_SPLIT,   /* the batch does not fit in one piece, and parts would change its statistics */
    NO_SCHEDULE /* the plan has none for the target */
};
struct grant {
    enum verdict verdict;
    int64_t batch, evaluation;
    int64_t micro;                /* samples of one run: the batch, or a part of it */
    bool parts;                   /* the batch runs in parts, be it one */
    int64_t rows[PHASE_COUNT];    /* capacities; 0: the phase does not run */
    int64_t would_fit;            /* the largest batch in one piece */
    const struct schedule *tight; /* refused: what does not fit */
};
/* What is granted of a wish if the arena may take `room` bytes: a pure function. False: nothing. */
bool budget_grant(const struct plan *p, const struct target *t, const struct wish *w, int64_t room, struct grant *g);
/* The least room in which the wish is granted; INT64_MAX: none. */
int64_t budget_least(const struct plan *p, const struct target *t, const struct wish *w);
/* Bytes of the arena that is granted. */
int64_t budget_arena(const struct plan *p, const struct target *t, const struct grant *g);
/* Says why not, and what would do. `beside`: bytes of the budget that are not the arena's; `budget`: the budget in words. */
void budget_refuse(const struct plan *p, const struct target *t, const struct wish *w, const struct grant *g,
                   int64_t room, int64_t beside, const char *program, const char *budget, FILE *out);
/* "batch 4096 runs as 2 x 2048, ...": for a grant in parts. */
const char *budget_split_text(const struct plan *p, const struct target *t, const struct grant *g, char *text,
                              size_t size);

/* ---- check.c: does every stage agree with the shapes, types and layouts of its operands? ---- */
bool plan_check(const struct plan *p, struct plan_error *e);

/* ---- within.c ---- */
/* Is it within bounds.h? If not, e->line is the line of the .net file that asks for most; 0: none. */
bool plan_within(const struct plan *p, struct plan_error *e);

/* ---- judge.c: shares no code with the packer; O(n^2) and simple ---- */
/* No two tensors that live at the same time overlap; all lie within their regions; views within their bases;
 * kernels touch only tensors that live; sums as stated. */
bool plan_judge(const struct plan *p, struct plan_error *e);

#endif
