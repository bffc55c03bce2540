/* target_c_scalar.c: a processor without vectors, by way of C whose loops are those that the ops mean. The schedules are those of
 * target_cpu; its kernels are for reading, and what the faster ones are compared with. */
#include "language.h"

const struct target target_c_scalar = {
    .name = "c-scalar",
    .doc = "a processor: C as plain loops, to read",
    .runs = &target_cpu,
    .lanes = 1,
    .flops = 4,
    .bytes = 8,
    .language = &language_c,
};
