/* target_cpu.c: a processor, by way of C whose vectors are as wide as the machine's. */
#include "language.h"

const struct target target_cpu = {
    .name = "cpu",
    .doc = "a processor: C with vectors of samples",
    .prefix = "",
    .flops = 64,
    .bytes = 128, /* two FMA of 512 bits, two loads */
    .language = &language_c,
};
