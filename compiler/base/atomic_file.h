/* Replacing a file so that a crash or a full disk leaves either the old one or the new one, never a part. A symbolic link stays,
 * and what it leads to is replaced; what is no file (a FIFO, a device, somebody's open stdout) is written to as it is. */
#ifndef ATOMIC_FILE_H
#define ATOMIC_FILE_H

#include "data_error.h"

#include <stdint.h>
#include <stdio.h>

struct atomic_file {
    FILE *stream;    /* write here */
    char *path;      /* as it was given */
    char *target;    /* behind symbolic links */
    char *temporary; /* hidden, in the target's folder; "": the target is written to in place */
};

/* Each fails with the path and the cause in `error`; then the temporary file is gone, the old file is as it was and
 * the struct holds nothing. */
bool atomic_open(struct atomic_file *file, const char *path, struct data_error *error);
bool atomic_write(struct atomic_file *file, const void *data, uint64_t size, struct data_error *error);
/* Flushes to the disk, renames, and makes the renaming durable. */
bool atomic_commit(struct atomic_file *file, struct data_error *error);

/* Gives up an open file; nothing happens to one that failed or was committed. */
void atomic_abandon(struct atomic_file *file);

/* Is that the name of such a temporary file? */
bool atomic_is_temporary(const char *name);

/* `output` and `input` are one and the same file, by whatever paths, so that writing the one would destroy the other. `input` may
 * be "-", stdin. */
bool atomic_destroys(const char *output, const char *input);

/* The three in one. */
bool atomic_save(const char *path, const void *data, uint64_t size, struct data_error *error);

#endif
