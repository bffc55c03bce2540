/* IDX, plain or gzip. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    return fuzz_source("files", 2, "", bytes, size);
}
