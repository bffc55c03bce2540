/* From emitted CUDA to code for a GPU, by way of NVRTC and the cache of objects. */
#ifndef NVRTC_H
#define NVRTC_H

#include "cuda.h"

#include <stddef.h>

/* Code for exactly this architecture, or, for a GPU newer than NVRTC, PTX that its driver compiles. */
struct nvrtc_target {
    int arch;
    bool exact;
};

struct nvrtc_options {
    const char *name;     /* of the net: names the source file and stands in messages */
    const char *emit_dir; /* the source is kept there as <name>.cu; NULL: it is not */
    bool verbose, quiet;  /* as in struct device_options */
};

struct nvrtc_code {
    char *bytes;       /* a CUBIN, and behind it PTX of the same program, ended by '\0'; owned */
    size_t cubin, ptx; /* sizes; cubin 0: there is none */
    bool cached;       /* nothing had to be compiled */
};

/* How NVRTC serves a GPU of `arch` (compute capability times ten). Status 5 if it does not, with what it does. */
bool nvrtc_serve(const struct cuda *c, int arch, struct nvrtc_target *t, struct device_error *e);

/* The code of a source, from the cache or newly compiled. An object is found again by source, options, target and
 * version of NVRTC. Errors: 4: emit_dir cannot be written; 5: NVRTC fails; 70: it refuses the source, its log is the
 * text. */
bool nvrtc_load(const struct cuda *c, const char *source, const struct nvrtc_target *t, const struct nvrtc_options *o,
                struct nvrtc_code *code, struct device_error *e);
/* The same without cache; target: "sm_90a", "compute_90". */
bool nvrtc_compile(const struct cuda *c, const char *source, const char *target, struct nvrtc_code *code,
                   struct device_error *e);
void nvrtc_free(struct nvrtc_code *code);

#endif
