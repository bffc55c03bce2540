/* abi.h: what emitted C and the program that runs it agree on. Emitted files hold this very text. */
#ifndef ABI_H
#define ABI_H

#include <stdint.h>

struct nr_args {
    void *const *t;         /* kernel_operands() in order: their first bytes in the arena */
    uint32_t *control;      /* control block */
    const void *samples;    /* of the split being read: u8 or f32, sample-major */
    const void *targets;    /* i32 class or f32 values, sample-major */
    int32_t samples_f32;    /* 1: samples are f32 as given (transforms still apply), 0: u8 */
    int32_t blocks;         /* blocks of samples that hold the valid rows */
    int32_t staged;         /* 1: samples and targets are those of the run, row by row, 0: all of the split */
    const uint32_t *stream; /* kernel_streams() in order, as the table has them */
};

struct nr_kernel {
    void (*run)(const struct nr_args *a, int64_t first, int64_t last); /* tasks [first, last) */
    int32_t blocks_per_task; /* 0: the number of tasks does not depend on the rows */
    int32_t splits;          /* tasks = (blocks_per_task ? ceil(blocks / blocks_per_task) : 1) * splits */
    const uint32_t *stream;  /* NULL: it draws nothing */
};

struct nr_object {
    int32_t abi, kernels, lanes, real_bytes;
    const struct nr_kernel *kernel;
};
/* exported symbol: const struct nr_object nr_object */

#endif
