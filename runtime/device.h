/* device.h: what a device must do. Fillings: device_cpu.c; the CUDA one comes beside it.
 *
 * Life: open -> compile -> arm -> (run, copy)* -> close. Everything that can fail for want of memory happens up to arm;
 * afterwards run allocates nothing. */
#ifndef DEVICE_H
#define DEVICE_H

#include "plan.h"

struct device_error { int status; char text[1024]; };    /* status: exit status of netrun (3, 4, 5 or 70) */

struct device_options {
    int threads;              /* cpu: 0 = all cores that the process may use */
    const char *emit_dir;     /* keep the emitted sources there; NULL: do not */
    bool verbose;             /* say on stderr what is compiled, and with what */
};

/* Rows that each phase can hold; the arena is the largest of them. 0: the phase is not armed. */
struct device_rows { int64_t rows[PHASE_COUNT]; };

/* The split that gather stages read. Memory stays the caller's. */
struct device_data { const void *samples, *targets; bool samples_f32; int64_t count; };

struct device {
    const char *name;         /* "cpu" */
    enum target target;
    int threads;              /* of the host that compute, once armed */
    /* Emits, compiles (or finds in the cache) and loads all kernels of the plan. */
    bool (*compile)(struct device *d, const struct plan *p, struct device_error *e);
    /* Takes the arena in one piece, zeroes it and binds every tensor. */
    bool (*arm)(struct device *d, const struct device_rows *rows, struct device_error *e);
    void (*data)(struct device *d, const struct device_data *data);
    /* Writes the control words (CTL_*, results excluded) and runs every step of the phase's schedule once; returns when done. */
    bool (*run)(struct device *d, enum phase ph, const uint32_t control[CTL_WORDS], struct device_error *e);
    /* Bytes of a tensor as it lies in the arena (persistent, or of the phase run last). False if out of range. */
    bool (*read)(struct device *d, enum phase ph, int tensor, int64_t at, void *to, int64_t bytes);
    bool (*write)(struct device *d, enum phase ph, int tensor, int64_t at, const void *from, int64_t bytes);
    void (*control)(struct device *d, uint32_t control[CTL_WORDS]);      /* reads the control block, results included */
    int64_t (*arena)(const struct device *d);                            /* bytes taken by arm */
    void (*close)(struct device *d);
};

/* NULL with *e filled if it cannot be had. */
struct device *device_cpu_open(const struct device_options *o, struct device_error *e);

#endif
