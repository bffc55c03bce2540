/* target_cuda.c: a GPU, by way of CUDA. */
#include "language.h"

const struct target target_cuda = {
    .name = "cuda", .doc = "a GPU: CUDA, a thread a sample", .prefix = "cuda_", .ring = true, .lanes = 1,
    .language = &language_cuda,
};
