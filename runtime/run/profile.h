/* profile.h: where the time of a step goes: measured kernel by kernel, beside what the machine could do. */
#ifndef PROFILE_H
#define PROFILE_H

#include "run.h"

#include <jansson.h>

enum step_part { STEP_FORWARD, STEP_BACKWARD, STEP_UPDATE, STEP_PARTS };
extern const char *const step_part_word[STEP_PARTS];

/* What was done in some time, and the least time in which the machine could. */
struct effort {
    double seconds;
    double flops;        /* NAN: not known */
    double bytes;        /* operands, each read once and each result written once; samples of a gather included */
    double least;        /* seconds: the longer of both by the peaks; NAN: not known. Of several kernels: their sum */
    double least_memory; /* the part of `least` in which bytes were the longer */
};

struct profile_kernel {
    int kernel; /* of the plan */
    const char *name;
    char layer[KERNEL_LAYER]; /* "stage1.0.conv1", "relu_3"; of a layer without parameters with _ for . */
    enum step_part part;
    int line; /* of the .net file; 0: none */
    struct effort effort;
};

struct profile_layer {
    const char *name;
    int line;
    double seconds[STEP_PARTS];
    struct effort effort;
};

/* A training step, or a batch of the test. */
struct profile_phase {
    enum phase phase;
    int64_t rows, runs; /* samples; runs of the schedule: more than one where a batch runs in parts */
    int64_t steps;      /* that were traced, and as many were not */
    double seconds;     /* of one that was not: the fastest, */
    double median;      /* and the median: far from it if other programs use the machine */
    int kernels, layers;
    struct profile_kernel *kernel; /* in the order of the schedule; seconds: of the fastest time */
    struct profile_layer *layer;   /* in the order of their first kernels */
    struct effort all;             /* of the kernels together */
};

struct profile {
    struct device_peak peak;
    int phases;
    struct profile_phase phase[PHASE_COUNT];
};

/* profile.c: a few steps of training and of the test, on a job that train_prepare() has made ready; `steps` of each, 0: for about
 * a second. What was learnt is spoilt. */
int profile_measure(struct job *j, int64_t steps, struct profile *p);
void profile_free(struct profile *p);
int profile(struct job *j);     /* --profile */
int profile_own(struct job *j); /* behind a training, into its folder: profile.json */

/* profile_work.c: kernels and layers of a phase, what each has to do, and, once they were timed, how far that is from the peak. */
bool profile_kernels(const struct job *j, struct profile_phase *f); /* those that run; false: out of memory */
void profile_compare(const struct device_peak *peak, struct profile_phase *f);

/* profile_text.c: two tables a phase, of at most 80 columns; of kernels the slowest only, unless `all`. */
void profile_print(const struct job *j, const struct profile *p, bool all, FILE *out);

/* profile_json.c: all of it, as docs/profiling.md tells; and a row a kernel. */
json_t *profile_json(const struct job *j, const struct profile *p);
void profile_csv(const struct job *j, const struct profile *p, FILE *out);

#endif
