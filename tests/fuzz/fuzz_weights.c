/* Safetensors: the header, and each tensor. */
#include "fuzz.h"

#include "data/safetensors.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    char path[64], part[64];
    struct st_file file;
    struct data_error error;
    snprintf(path, sizeof path, "%s/%s", FUZZ_FOLDER, fuzz_file(bytes, size));
    if (st_open(path, &file, &error))
        for (size_t i = 0; i < file.n_tensors; i++)
            st_fetch(&file, &file.tensors[i], 0, part, 1, &error);
    st_free(&file);
    if (st_read(path, &file, &error))
        st_free(&file);
    return 0;
}
