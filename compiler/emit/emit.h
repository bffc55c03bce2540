/* emit.h: plan in, kernel source out. What the runtime may know of the compiler besides plan.h.
 *
 * One C file a plan: no headers beyond <stdint.h> and <math.h>, every shape, stride and tile a constant; pointers, valid
 * rows and task range are arguments. A kernel is split into tasks that write disjoint memory and whose work does not
 * depend on who runs them, so any partition over threads gives the same bits. */
#ifndef EMIT_H
#define EMIT_H

#include "abi.h"
#include "plan/plan.h"

enum { EMIT_ABI = 3 };
/* The kernels of a C file stand in so many pieces of about equal length, in order. With -DFIRST_PIECE=a -DLAST_PIECE=b only those
 * from a to before b are compiled, and the table with piece 0: objects of all pieces, made at the same time, are linked to what
 * the whole file makes. */
enum { EMIT_PIECES = 8 };
enum { WIDEST = ROW_BLOCK }; /* floats of the widest vector: the samples of a block */

struct emit_options {
    const struct target *target; /* of emit_kernels; NULL: target_cpu */
    int lanes;                   /* floats in one vector of the machine: 4, 8 or WIDEST */
    bool f64;                    /* compute in double (gradient tests); tensors DT_F32 then hold doubles */
    enum precision precision;    /* CUDA */
    const char *file; /* what the head calls the model, above the table of kernels; NULL: neither is written */
};

/* Row emit_row(p, &target_cpu, k) of the table that the emitted object exports (abi.h) belongs to plan.kernel[k]. */
/* How many of the plan's first `kernel` kernels are for this target. */
int emit_row(const struct plan *p, const struct target *t, int kernel);

/* The first kernel of a target whose body, which the plan asks for by name, does not apply in this precision, so that another
 * writes it; NULL: there is none. choose.c */
const struct kernel *emit_unheeded(const struct plan *p, const struct target *t, enum precision precision);

/* False on a write error, or if a kernel cannot be written, and then nothing is. The plan must have passed plan_check. */
bool emit_kernels(const struct plan *p, const struct emit_options *o, FILE *out);

/* What a kernel has to do in a run of so many samples, whichever body writes it: flops, in the words of count.h, of its plain body;
 * bytes of its operands, each read once and each result written once. work.c */
struct emit_work {
    bool known;                /* are its flops? */
    double flops, fixed_flops; /* of a sample; besides, once a run */
    double bytes, fixed_bytes;
};
void emit_work(const struct plan *p, int kernel, struct emit_work *w);

/* ---- CUDA ---- */

/* c[m][n] = a[m][k] b[k][n], where sizes of 0 are the row capacity. Matrices lie row by row; a may be stored as [k][m]. */
struct emit_matrix {
    int tensor;   /* of the plan */
    int64_t at;   /* floats from its beginning for each row of the capacity */
    int64_t step; /* floats from one row of the matrix to the next, 0: the row capacity */
};
struct emit_product {
    int64_t m, n, k;
    bool transposed;
    struct emit_matrix a, b, c;
};

enum emit_when { EMIT_ALWAYS, EMIT_WITHOUT_LIBRARY, EMIT_WITH_LIBRARY };

/* One launch of a kernel of the plan; a kernel may need several, which then stand in a row. */
struct emit_launch {
    int kernel;  /* of the plan */
    char *entry; /* name of the function; equal kernels share one */
    int threads; /* of a thread block */
    int blocks_per_task,
        splits; /* thread blocks: (blocks_per_task ? ceil(capacity / ROW_BLOCK / blocks_per_task) : 1) * splits */
    enum emit_when when; /* large products are for a library (cuBLAS), where there is one */
    bool multiplies;     /* the library's product comes right behind it */
    struct emit_product product;
};
struct emit_launches {
    int n;
    struct emit_launch *launch;
    struct region *region;
};

/* One CUDA file a plan, for NVRTC with --device-as-default-execution-space: no #include. Entries take, as pointers, the
 * kernel_operands() in order, the control block, and a workspace: EMIT_WITH_LIBRARY plan_row_workspace of the kernel, else
 * plan_workspace of the schedule (null if it has none); then, as 64-bit numbers, the kernel_streams(). They are launched for
 * the row capacity; rows beyond CTL_ROWS are skipped, or packed as zeros for a product. Besides:
 *     nr_begin(control, ring)   one block of CTL_WORDS threads: the next control block of the ring becomes the control block
 *     nr_end(control, ring)     the same: its results go back into the ring, ring[0] counts
 * False as emit_kernels. `l` is freed with emit_launches_free. */
bool emit_cuda(const struct plan *p, const struct emit_options *o, FILE *out, struct emit_launches *l);
void emit_launches_free(struct emit_launches *l);

#endif
