/* What a CUBIN says of a kernel. The format is not documented; of it only what is used here is believed, and every
 * offset is checked. Works without a GPU and without any library of CUDA. */
#ifndef CUBIN_H
#define CUBIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CUBIN_PARAMETERS = 1024 };

struct cubin_kernel {
    uint32_t registers;   /* of a thread */
    uint32_t frame;       /* bytes of local memory of a thread: 0 = no spill and no local array */
    uint64_t shared;      /* static bytes of a block, with what sm_90 and later reserve (1024) */
    uint32_t max_threads; /* of a block, by __launch_bounds__; 0: not said */
    uint32_t parameter_bytes;
    int parameters;
    struct {
        uint16_t offset, size;
    } parameter[CUBIN_PARAMETERS];
};

/* False if these bytes are no CUBIN, are damaged, or have no such kernel. */
bool cubin_kernel(const void *image, size_t bytes, const char *name, struct cubin_kernel *k);

#endif
