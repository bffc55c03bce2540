/* CIFAR-100, and what CIFAR-10 shares with it. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    return fuzz_source("cifar100", 1, "coarse", bytes, size);
}
