/* From emitted C to functions in this process, by way of the system's C compiler and the cache of objects. */
#ifndef JIT_H
#define JIT_H

#include "device/device.h"
#include "emit/emit.h"

#include <stddef.h>

struct jit_options {
    const char *name;               /* of the net: names the source file and stands in messages */
    const char *emit_dir;           /* the source is kept there as <name>.c; NULL: it is not */
    bool verbose, quiet;            /* as in struct device_options */
    int kernels, lanes, real_bytes; /* what the object must say of itself */
};

struct jit {
    void *handle;
    const struct nr_object *object;
    int file;           /* kept open: the loader knows the object by this descriptor's path */
    bool cached;        /* nothing had to be compiled */
    char compiler[128]; /* the first line of what it says to --version */
};

/* Loads the object of a source, from the cache or newly compiled.
 *
 * The compiler is $CC if set (words split at blanks), else the first of cc, gcc, clang that answers to --version; the
 * words of $NETRUN_CFLAGS come after the flags. An object is found again by source, compiler, flags and processor.
 *
 * Errors: status 5: no compiler, it failed (the source stays, its path is in the text), the object cannot be loaded;
 * 4: emit_dir cannot be written; 70: no memory, or the object is not what `o` expects. */
bool jit_load(const char *source, size_t length, const struct jit_options *o, struct jit *j, struct device_error *e);
/* The object's functions are gone afterwards. Does nothing to a zeroed struct. */
void jit_unload(struct jit *j);

/* Floats in one vector of this processor: 16 (AVX-512F), 8 (AVX), else 4. */
int jit_lanes(void);

#endif
