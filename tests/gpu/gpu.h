/* gpu.h: what the programs of this folder share: CUDA's libraries and one GPU, or an end with its reason. */
#ifndef GPU_H
#define GPU_H

#include "cuda/cuda.h"

#include <stdio.h>
#include <stdlib.h>

static inline _Noreturn void gpu_stop(const struct device_error *e)
{
    fprintf(stderr, "%s\n", e->text);
    exit(e->status);
}

/* The first GPU, its primary context current. */
static inline void gpu_open(struct cuda *c, struct cuda_gpu *g)
{
    struct device_error e;
    CUcontext context;
    int count;
    if (!cuda_start(c, &count, &e) || !cuda_gpu(c, 0, g, &e) ||
        !CUDA_CALL(c, &e, cuDevicePrimaryCtxRetain, &context, g->device) || !CUDA_CALL(c, &e, cuCtxSetCurrent, context))
        gpu_stop(&e);
}

static inline void gpu_close(struct cuda *c, const struct cuda_gpu *g)
{
    c->cuDevicePrimaryCtxRelease_v2(g->device);
}

static inline int64_t gpu_free(const struct cuda *c)
{
    struct device_error e;
    int64_t unused, total;
    if (!cuda_memory(c, &unused, &total, &e))
        gpu_stop(&e);
    return unused;
}

static inline int64_t gpu_total(const struct cuda *c)
{
    struct device_error e;
    int64_t unused, total;
    if (!cuda_memory(c, &unused, &total, &e))
        gpu_stop(&e);
    return total;
}

#endif
