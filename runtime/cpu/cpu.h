/* The cpu device from within: device_cpu.c opens it, compiles, runs and copies; cpu_arm.c takes its memory. */
#ifndef CPU_H
#define CPU_H

#include "device_cpu.h"
#include "jit.h"
#include "pool.h"

struct step {
    int number; /* of the kernel in the plan */
    const struct nr_kernel *kernel;
    void *const *operand;
};

/* One phase as it was armed. */
struct armed {
    const struct schedule *schedule; /* NULL: not armed */
    int64_t rows;
    bool parts; /* sums outlive a run: those that the next part of a batch goes on with */
    int steps;
    struct step *step;
    void **operand; /* of all steps, one after the other */
    uint32_t *control;
};

struct cpu {
    struct device device;
    struct device_options options;
    emitter *emit;
    bool poison;
    const struct plan *plan;
    struct jit jit;
    struct pool *pool;
    char *arena;
    int64_t bytes, skip; /* skip: of the places in the plan, before the arena begins */
    struct armed phase[PHASE_COUNT];
    enum phase last; /* run last, or the first one armed */
    struct device_data data;
    char *stage; /* of samples that do not lie in memory, and their targets; NULL: there are none */
    int64_t stage_bytes;
};

static inline struct cpu *cpu_of(const struct device *d)
{
    return (struct cpu *)d;
}

/* peak.c: device.h's peak */
bool cpu_peak(struct device *d, struct device_peak *p, struct device_error *e);
bool cpu_arm(struct device *d, const struct device_rows *rows, const struct device_data *split, int nsplit,
             int64_t room, struct device_error *e);                                             /* device.h's arm */
int64_t cpu_stage(const struct device_rows *rows, const struct device_data *split, int nsplit); /* its bytes */
void cpu_disarm(struct cpu *c); /* frees what cpu_arm took */

#endif
