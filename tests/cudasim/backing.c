#define _GNU_SOURCE
#include "backing.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PATTERN_BYTES = 16 << 20 }; /* smaller buffers are simply filled */

/* A file of 0xFF bytes in memory; private mappings of it copy a page when they write to it. */
static int pattern(void)
{
    static int file = -1;
    if (file >= 0)
        return file;
    file = memfd_create("cudasim", MFD_CLOEXEC);
    if (file < 0 || ftruncate(file, PATTERN_BYTES))
        return -1;
    void *memory = mmap(NULL, PATTERN_BYTES, PROT_WRITE, MAP_SHARED, file, 0);
    if (memory == MAP_FAILED)
        return -1;
    memset(memory, 0xff, PATTERN_BYTES);
    munmap(memory, PATTERN_BYTES);
    return file;
}

static size_t mapped(size_t bytes)
{
    return (bytes + PATTERN_BYTES - 1) / PATTERN_BYTES * PATTERN_BYTES;
}

uint8_t *backing_allocate(size_t bytes)
{
    if (bytes < PATTERN_BYTES) {
        uint8_t *memory = aligned_alloc(64, (bytes + 127) / 64 * 64);
        return memory ? memset(memory, 0xff, bytes) : NULL;
    }
    const size_t length = mapped(bytes);
    const int file = pattern();
    if (file < 0)
        return NULL;
    uint8_t *memory = mmap(NULL, length, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED)
        return NULL;
    for (size_t at = 0; at < length; at += PATTERN_BYTES)
        if (mmap(memory + at, PATTERN_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED | MAP_NORESERVE, file,
                 0) == MAP_FAILED) {
            munmap(memory, length);
            return NULL;
        }
    return memory;
}

void backing_free(uint8_t *memory, size_t bytes)
{
    if (bytes < PATTERN_BYTES)
        free(memory);
    else if (memory)
        munmap(memory, mapped(bytes));
}
