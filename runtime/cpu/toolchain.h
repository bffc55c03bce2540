/* The system's C compiler: which one, how it is called, and what makes two of its objects the same. */
#ifndef TOOLCHAIN_H
#define TOOLCHAIN_H

#include "command.h"
#include "device/device.h"

#include <xxhash.h>

struct toolchain {
    struct command words; /* of $CC, or the name of the compiler found */
    char *path;           /* the file that runs */
    char version[1024];   /* what it says to --version */
    int lanes;            /* vector width in floats that code will ask for */
};

/* $CC if set, else the first of cc, gcc, clang that answers. Status 5 with what to do if there is none. */
bool toolchain_find(struct toolchain *t, int lanes, struct device_error *e);
void toolchain_free(struct toolchain *t);

/* Equal for equal source, compiler, flags and processor. False if there is no memory. */
bool toolchain_key(const struct toolchain *t, const char *source, size_t length, XXH128_hash_t *key);

/* Compiles a source file of so many bytes, one of emit_kernels(), to a shared object; a long one by several compilers at a time,
 * whose objects lie beside that one for a while. Status 5 with the end of the compiler's messages if it does not. */
bool toolchain_compile(const struct toolchain *t, const char *source, size_t length, const char *object, bool verbose,
                       struct device_error *e);

#endif
