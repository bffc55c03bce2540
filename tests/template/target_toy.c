/* target_toy.c: a target that is added by this file alone: with schedules of its own, and kernels in a language that is there. */
#include "emit/language.h"

const struct target target_toy = {
    .name = "toy",
    .doc = "machine of toys",
    .prefix = "toy_",
    .ring = true,
    .lanes = 1,
    .flops = 1,
    .bytes = 4,
    .language = &language_c,
};
