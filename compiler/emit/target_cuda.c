/* target_cuda.c: a GPU, by way of CUDA. */
#include "language.h"

const struct target target_cuda = {
    .name = "cuda",
    .doc = "a GPU: CUDA, a thread a sample",
    .prefix = "cuda_",
    .ring = true,
    .lanes = 1,
    .flops = 128,
    .bytes = 128, /* a multiprocessor of an H100: half of what its maker states */
    .language = &language_cuda,
};
