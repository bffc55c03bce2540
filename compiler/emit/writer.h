/* writer.h: what ops call to write their kernels (emit.c); emit_file.c makes files of them. Bodies are written once, in a dialect
 * whose values `V` are a vector of samples in C: ld/st, vec(x) (all lanes), sel(mask, a, b), num(x) (a constant), v_exp ... */
#ifndef WRITER_H
#define WRITER_H

#include "base/base.h"
#include "emit.h"
#include "plan/op.h"

enum { MAX_LAUNCHES = 3 }; /* of one kernel */
enum { MAX_LINE = 8192 };  /* characters */

struct writer {
    FILE *out;
    const struct plan *plan;
    const struct kernel *kernel;
    struct region *region;
    const struct target *target;
    enum precision precision;
    int lanes; /* floats in a vector; 1 for CUDA, whose lanes are threads */
    int indent;
    int blocks_per_task, splits;             /* set by the anchor; see emit.h */
    int threads;                             /* CUDA: of a thread block; set before open_kernel, 0: 256 */
    bool pads;                               /* CUDA: rows of the first operand behind the batch are written too */
    int nlaunch;                             /* functions written (C: one), and what each was closed with */
    struct counter *counter;                 /* of a body that is counted, not written: count.h; else NULL */
    struct emit_launch launch[MAX_LAUNCHES]; /* `entry` is what its name ends in, set before open_kernel as `when` is */
};

/* One line at the current indentation; `{` at its end indents what follows, `}` at its start takes back. In all text `@` is
 * the kernel's name and `$` ROW_BLOCK, the samples of a block. */
void put(struct writer *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
const struct tensor *tensor_of(const struct writer *w, int tensor);
const char *name_of(struct writer *w, int tensor);  /* C name of a stored tensor's pointer */
bool is_stored(const struct writer *w, int tensor); /* false: lives in the variable `v<var_of>` only */
int var_of(const struct writer *w, int tensor);     /* number of the variable, -1: not made in this kernel */
/* The kernel by its plain body; nothing if its op has none. */
void put_plain_kernel(struct writer *w);
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
/* Within open_tasks(w, 1, copy_parts(w)), which share it: a loop over elements e < n, without a brace. */
int copy_parts(const struct writer *w);
void open_share(struct writer *w, int64_t n);
/* A loop over values without rows, NAME < n, each the work of one thread; in C a task has n / splits of them. `}` ends it. */
void open_values(struct writer *w, const char *name, int64_t n, int splits);
/* Sums over rows: a team, a task in C and a thread block on CUDA, makes those of each c < n. open_terms: its loops over all blocks
 * and lanes, and the elements e of channel c, of `places` each; declares `live`; two `}` end them. */
void open_team(struct writer *w, int64_t n);
void open_terms(struct writer *w, int64_t places);
void open_turns(struct writer *w, const char *name, const char *n); /* the team's loop over NAME < n, without a brace */
/* Behind all terms: declares NAME, the sum in double over the team of what each member has; `first` of several. */
void put_fold(struct writer *w, const char *name, const char *sum, bool first);
void open_lead(struct writer *w); /* what is done once by a team, till close_lead */
void close_lead(struct writer *w);
void close_team(struct writer *w);
/* Map stages [from, to) of the kernel for one element: `e` and `c` are C expressions of the element's index within a
 * sample and of its channel; `block` names the block. Results not stored stay in variables. */
void put_maps(struct writer *w, int from, int to, const char *block, const char *e, const char *c);
/* How often, on average and at most, the loop runs that is next and whose bounds are no numbers; or what share of the times is left
 * behind the `continue` that is next. For the counter, which reads all else from the lines. */
void put_times(struct writer *w, double times, double most);
/* Index of the first stage >= from that is not a map. */
int maps_end(const struct writer *w, int from);
int stage_index(const struct writer *w, const struct stage *s);
/* C expression of the element's place in tensor t with rows in blocks: "(block * E + e) * 16 + lane". */
const char *place_of(struct writer *w, int tensor, const char *block, const char *e);
/* C expression of element e of sample `row` of a stored tensor with rows, whatever its layout. */
const char *row_value(struct writer *w, int tensor, const char *row, const char *e);
/* Reads a stored tensor at an element, or names the variable. */
const char *read_of(struct writer *w, int tensor, const char *block, const char *e, const char *c);

/* ---- augmented.c: samples as training sees them ---- */

/* Before open_kernel: writes @_draw(a, at, row), which returns a struct @_drawn for sample `at` in that row, and what augmented_text
 * calls. Returns how many words there are; 0: nothing is written, for this kernel reads samples as they are. `shared`: means over
 * pictures are left to put_augment_means. */
int put_augmented(struct writer *w, const struct tensor *t, bool shared);
/* CUDA: $ x $ threads make them for at[lane] and drawn[lane], both shared; all threads must come here. */
void put_augment_means(struct writer *w, const struct tensor *t);
/* C expressions: a sample and a pointer to what it drew; of the one that is mixed in, which a `from` of augment_partner names, the
 * same. */
struct augmented {
    const char *at, *drawn, *other, *other_drawn;
};
/* C expressions: "channel, row, column" of element e; and the pixel there, before the transforms of numbers, given those n words. */
const char *augment_place(struct writer *w, const struct tensor *t, const char *e);
const char *augmented_text(struct writer *w, int n, const struct augmented *of, const char *place);
/* Before open_kernel: writes @_share(a, row), the share of its target that a sample keeps. False: it keeps all, and nothing is
 * written. */
bool put_augment_share(struct writer *w);

/* ---- losses.c ---- */

/* Before open_kernel: writes the table @_weight[] of what each of K classes weighs in the loss. False: they weigh alike, and nothing is
 * written. */
bool put_class_weights(struct writer *w, int64_t K);
/* A kernel that is a loop over blocks and lanes, in which open_losses declares `live`. */
void open_samples(struct writer *w);
void open_losses(struct writer *w);
void close_samples(struct writer *w);
/* Element e of a result, where that has a place. */
void put_stored(struct writer *w, int tensor, const char *e, const char *value);
/* Softmax with cross-entropy of a sample, or of a place of it, where `x` is the C expression of the value of class k. Both declare `top`, the
 * largest, and `exps`, the sum of exp(x - top), and return the loss as a C expression. Of a class, `target`; or `mixed`: of that and
 * `other`, `share` being its part. The expression takes `total`, the sum of exps, which is still to be declared. */
const char *put_class_sums(struct writer *w, const char *x, int64_t K, double smoothing, bool mixed);
/* Of any shares, `q` of class k: declares `total` as well, and `all`, the sum of the shares. What has none counts for nothing, be it
 * infinite. */
const char *put_share_sums(struct writer *w, const char *x, const char *q, int64_t K);

#endif
