/* ZIP archives of arrays x_train and y_train. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    return fuzz_source("npz", 1, "", bytes, size);
}
