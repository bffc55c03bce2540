/* device.h: what a device must do. Fillings: cpu/device_cpu.c, cuda/device_cuda.c.
 *
 * Life: open -> compile -> room -> arm -> (data, run, copy)* -> close. Everything that can fail for want of memory happens up to arm;
 * afterwards run allocates nothing. */
#ifndef DEVICE_H
#define DEVICE_H

#include "plan/plan.h"

struct device_error {
    int status;
    char text[1024];
}; /* status: exit status of netrun (3, 4, 5 or 70) */

struct device_options {
    int threads;              /* cpu: 0 = all cores that the process may use */
    const char *emit_dir;     /* keep the emitted sources there; NULL: do not */
    bool verbose;             /* say on stderr what is compiled, and with what */
    bool quiet;               /* do not say that kernels cannot be kept */
    bool again;               /* do not say what a device of this kind has said in this process */
    enum precision precision; /* cuda */
};

/* Rows that each phase can hold; the arena is the largest of them. 0: the phase is not armed. `parts`: batches of the training
 * may run in parts, and their gradients are summed; else each run of it is a whole batch. */
struct device_rows {
    int64_t rows[PHASE_COUNT];
    bool parts;
};

/* Samples that devices do not read from memory themselves. Its buffers take `bytes`; `waited`: seconds that rows() has waited for files in all. */
struct device_source {
    /* Puts the samples of a run's rows, in its order, one after the other. Runs that follow each other are expected. */
    bool (*rows)(struct device_source *s, const uint32_t control[CTL_WORDS], void *to, struct device_error *e);
    void (*close)(struct device_source *s);
    const uint32_t *draws; /* what an epoch is drawn by (order.h), targets as well; NULL: it has each sample once */
    int64_t bytes;
    double waited;
};

/* The split that gather stages read. Memory stays the caller's and must outlive the device. For arm, one without samples stands
 * for those that data() will bring later, at most `count` at once. */
struct device_data {
    const void *samples, *targets;
    bool samples_f32;
    int64_t count, sample_bytes, target_bytes;
    struct device_source *source; /* of the samples, which are NULL then; NULL: they are in memory, or come later */
};

/* After kernel `kernel` of the plan, which took so long. May read tensors that the kernel touches. */
typedef void device_traced(void *to, int kernel, double seconds);

/* What the machine reaches at best, measured. */
enum { PEAK_SIZES = 7 };
struct device_triad {
    double bytes, per_second; /* of three arrays in all; that are read and written in a second */
};
struct device_peak {
    double flops; /* a second, of multiply-adds (two each) of float by all cores; 0: not known */
    int sizes;
    struct device_triad triad[PEAK_SIZES]; /* smallest first */
};

struct device {
    const char *name; /* "cpu" */
    const struct target *target;
    const char *gpu; /* "NVIDIA H200"; NULL: none */
    const char
        *compiler; /* of its kernels, once compiled: "gcc (Debian 12.2.0-14) 12.2.0", "NVRTC 13.0"; NULL: not known */
    const char *driver; /* of the GPU: "580.65.06, for CUDA up to 13.0"; NULL: none, or not known */
    int threads;        /* of the host that compute, once armed; 0 with a GPU */
    int most_runs;      /* the largest useful n of run */
    /* Emits, compiles (or finds in the cache) and loads all kernels of the plan. */
    bool (*compile)(struct device *d, const struct plan *p, struct device_error *e);
    int64_t (*memory)(const struct device *d); /* bytes that the device has in all */
    /* Once compiled: bytes that arm may take if the whole process may use `budget` of the device, INT64_MAX: all but a reserve.
     * Negative: so much is missing before there is any. */
    int64_t (*room)(struct device *d, int64_t budget);
    /* Bytes of the room that arm needs at least besides the arena of these rows. */
    int64_t (*beside)(const struct device *d, const struct device_rows *rows, const struct device_data *split,
                      int nsplit);
    /* Takes the arena in one piece, at most `room` bytes, zeroes it and binds every tensor. `split`: the data sets that will be
     * read; a device with memory of its own keeps them where they fit in what is left of the room. */
    bool (*arm)(struct device *d, const struct device_rows *rows, const struct device_data *split, int nsplit,
                int64_t room, struct device_error *e);
    bool (*data)(struct device *d, const struct device_data *data,
                 struct device_error *e); /* what runs read from now on */
    /* Runs the phase's schedule n times, 0 < n <= most_runs, each with its control words; returns when all are done, with the
     * results in them (CTL_LOSS and behind). */
    bool (*run)(struct device *d, enum phase ph, uint32_t (*control)[CTL_WORDS], int n, struct device_error *e);
    /* One such run, to the same bits, kernel by kernel: they do not overlap, and each is waited for. */
    bool (*trace)(struct device *d, enum phase ph, uint32_t control[CTL_WORDS], device_traced *traced, void *to,
                  struct device_error *e);
    /* Once armed, in about half a second. What tensors hold may be lost. */
    bool (*peak)(struct device *d, struct device_peak *p, struct device_error *e);
    /* Bytes of a tensor as it lies in the arena (persistent, or of the phase run last). False if out of range. */
    bool (*read)(struct device *d, enum phase ph, int tensor, int64_t at, void *to, int64_t bytes);
    bool (*write)(struct device *d, enum phase ph, int tensor, int64_t at, const void *from, int64_t bytes);
    int64_t (*arena)(const struct device *d); /* bytes taken by arm */
    void (*close)(struct device *d);
};

#endif
