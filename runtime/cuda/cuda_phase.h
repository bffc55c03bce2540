/* One phase on a GPU: the launches of its kernels, bound to the arena and captured as graphs. */
#ifndef CUDA_PHASE_H
#define CUDA_PHASE_H

#include "cuda_products.h"
#include "cuda_module.h"

enum { GRAPH_RUNS = 4 }; /* of the larger graph: to launch one takes the host longer than short kernels run */

struct cuda_launch {
    int kernel;          /* of the plan; -1: none */
    CUfunction function; /* NULL: a product for the library */
    unsigned blocks, threads;
    int first; /* of its parameters */
    struct cuda_product product;
};

struct cuda_phase {
    const struct schedule *schedule; /* NULL: not armed */
    int64_t rows;
    bool parts; /* batches run in parts (device_rows) */
    CUdeviceptr control, ring, workspace;
    int64_t workspace_bytes;
    const struct cuda_products *library; /* NULL: nothing for it in this phase */
    int launches;
    struct cuda_launch *launch; /* nr_begin, the kernels, nr_end */
    CUdeviceptr *value;         /* parameters of all launches, and pointers to them */
    void **parameter;
    CUgraphExec graph, several; /* of one run and of GRAPH_RUNS; NULL: kernels are launched one by one */
};

/* Places and parameters in the arena, for a phase with schedule and rows. Large products go to the library if it is open. Needs cuda_phase_free, also if it fails. */
bool cuda_phase_bind(struct cuda_phase *phase, const struct plan *p, const struct cuda_module *m,
                     const struct cuda_products *l, CUdeviceptr arena, struct device_error *e);
/* Makes the graphs. */
bool cuda_phase_capture(struct cuda_phase *phase, const struct cuda *c, CUstream stream, struct device_error *e);
/* Queues some of `most` runs that stand in a row; returns how many, 0: it failed. */
int cuda_phase_launch(const struct cuda_phase *phase, const struct cuda *c, CUstream stream, int most,
                      struct device_error *e);
/* One run, kernel by kernel: each is timed by events and waited for. */
bool cuda_phase_trace(const struct cuda_phase *phase, const struct cuda *c, CUstream stream, device_traced *traced,
                      void *to, struct device_error *e);
void cuda_phase_free(struct cuda_phase *phase, const struct cuda *c);

#endif
