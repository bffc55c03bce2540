/* The code of a plan on a GPU. */
#ifndef CUDA_MODULE_H
#define CUDA_MODULE_H

#include "device_cuda.h"
#include "nvrtc.h"

struct cuda_module {
    CUmodule handle; /* NULL: not loaded */
    bool exact;      /* a CUBIN; false: PTX, which the driver compiled */
    struct emit_launches list;
    CUfunction begin, end, *function; /* nr_begin, nr_end, and one for each of the list */
};

/* Emits the plan's kernels, compiles them or finds them in the cache, loads them and looks at each: it takes the
 * pointers that launches pass, and as many threads. On failure nothing is held. */
bool cuda_module_load(struct cuda_module *m, const struct cuda *c, const struct plan *p, enum precision precision,
                      cuda_emitter *emit, const struct nvrtc_target *t, const struct nvrtc_options *o,
                      struct device_error *e);
/* Loads code alone: sets handle and exact. */
bool cuda_module_image(struct cuda_module *m, const struct cuda *c, const struct nvrtc_code *code,
                       struct device_error *e);
void cuda_module_unload(struct cuda_module *m, const struct cuda *c);

#endif
