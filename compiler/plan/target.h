/* target.h: what kernels can be made for. Its row says all that the other rooms must know of a target; the rows stand in
 * emit/, one target, one file target_NAME.c, and build/targetlist.h lists those. */
#ifndef TARGET_H
#define TARGET_H

#include <stdbool.h>

enum { MOST_TARGETS = 16 };

struct language; /* emit/language.h */

struct target {
    const char *name; /* of plans and of --target: "cpu" */
    const char *doc;
    const struct target *runs; /* whose schedules it runs; NULL: it has its own in every plan */
    /* Of targets with schedules of their own. */
    const char *prefix; /* of its kernels' names */
    bool ring;          /* its device runs several steps at a call: their control blocks need a place */
    /* How its kernels are written. */
    int lanes;           /* floats of a vector; 0: the emitter is told */
    double flops, bytes; /* a cycle of a core that our kernels may reach: what prices go by */
    const struct language *language;
};

extern const struct target target_cpu, target_cuda, target_c_scalar;

const struct target *target_at(int i);              /* sorted by name; NULL ends */
const struct target *target_find(const char *name); /* NULL: none */
/* The target whose schedules t runs: itself, or another. */
const struct target *target_schedules(const struct target *t);
/* The same as target_at, without those that run another's schedules. */
const struct target *target_planned(int i);

#endif
