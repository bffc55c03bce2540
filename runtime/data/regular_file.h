/* regular_file.h: opening what a user named: only a file that ends. A FIFO would wait for a writer, a device may never end. */
#ifndef REGULAR_FILE_H
#define REGULAR_FILE_H

#include "base/data_error.h"

#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <xxhash.h>

/* Opens a regular file to read. NULL, with path and cause in `error`, for what is none. */
FILE *regular_open(const char *path, uint64_t *size, struct data_error *error);
/* Up to `size` bytes from its beginning; 0 where it cannot be read. */
size_t regular_start(const char *path, void *start, size_t size);
/* Nothing has written to the file since `before`, as far as size and time tell; else `error` says that it changed. */
bool file_unchanged(FILE *stream, const struct stat *before, const char *path, struct data_error *error);

/* Of size, inode and the times of the last changes: another one, and the file may be another. It shows no change that comes within a
 * tick of the one before, so that of a file changed just now it says nothing: `settled` is false. */
XXH128_hash_t file_stamp(const struct stat *s);
bool file_settled(const struct stat *s);

#endif
