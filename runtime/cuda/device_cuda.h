/* The cuda device: one context, one module a plan, one allocation. */
#ifndef DEVICE_CUDA_H
#define DEVICE_CUDA_H

#include "device/device.h"
#include "emit/emit.h"

/* The GPU of this number. Status 5 if there is none that can be used, with the reason. */
struct device *device_cuda_open(const struct device_options *o, int ordinal, struct device_error *e);

/* With another emitter than emit_cuda: for tests. */
typedef bool cuda_emitter(const struct plan *p, const struct emit_options *o, FILE *out, struct emit_launches *l);
struct device *device_cuda_open_with(const struct device_options *o, int ordinal, cuda_emitter *emit,
                                     struct device_error *e);

/* Bytes that arm needs at least behind the arena of these rows, for the data set or one staging buffer. It succeeds if
 * schedule_needs, rounded up to FIXED_ALIGN, and this are within the room. */
int64_t device_cuda_beside(const struct device *d, const struct device_rows *rows, const struct device_data *split,
                           int nsplit);

/* Where the memory is: what was measured, and what was taken. */
struct device_cuda_report {
    const char *gpu; /* "NVIDIA H200" */
    int arch;        /* 90 */
    bool exact;      /* compiled for this architecture; false: PTX, compiled by the driver */
    bool resident;   /* the data set is on the device; false: it is brought batch by batch */
    bool graphs;     /* runs are graphs; false: kernels are launched one by one */
    bool library;    /* cuBLAS makes the large products */
    int64_t total;   /* of the device */
    int64_t context; /* in use once the context was there: what is above 1 GiB is other processes' */
    int64_t modules;
    int64_t arena;   /* as planned */
    int64_t data;    /* behind it: data set or staging */
    int64_t lazy;    /* what else was gone after each phase had run; a budget that is asked for again knows it */
    int64_t reserve; /* left alone, whatever the budget */
};
void device_cuda_report(const struct device *d, struct device_cuda_report *r);

#endif
