/* The safetensors format, for weights and checkpoints: eight bytes with the length N of the header (little-endian), a
 * JSON header of N bytes, then the tensors, row-major and little-endian.
 * https://github.com/huggingface/safetensors */
#ifndef SAFETENSORS_H
#define SAFETENSORS_H

#include "data_error.h"

#include <stddef.h>
#include <stdint.h>

#define ST_MAX_RANK 8
#define ST_MAX_HEADER ((uint64_t)16 << 20) /* bytes; the format allows 100 MB */

/* In ascending order of alignment as the reference has it; files hold the tensors in descending order. */
enum st_type {
    ST_BOOL,
    ST_U8,
    ST_I8,
    ST_F8_E5M2,
    ST_F8_E4M3,
    ST_I16,
    ST_U16,
    ST_F16,
    ST_BF16,
    ST_I32,
    ST_U32,
    ST_F32,
    ST_C64,
    ST_F64,
    ST_I64,
    ST_U64,
    ST_N_TYPES
};

struct st_tensor {
    const char *name;
    enum st_type type;
    int rank; /* 0: a scalar */
    uint64_t dims[ST_MAX_RANK];
    const void *data; /* read from a file, it may be aligned to one byte only: copy, do not cast */
    uint64_t bytes;   /* product(dims) * st_type_size(type) */
};

struct st_pair {
    const char *key, *value;
};

struct st_file {
    struct st_tensor *tensors; /* in the order of their data */
    size_t n_tensors;
    struct st_pair *metadata;
    size_t n_metadata;
    void *header, *buffer; /* own what the members above point to */
};

const char *st_type_name(enum st_type type);
uint64_t st_type_size(enum st_type type); /* bytes of an element */

/* Reads the whole file, after checking that it keeps every rule of the format (safetensors.c lists them). On failure
 * `file` holds nothing. */
bool st_read(const char *path, struct st_file *file, struct data_error *error);
void st_free(struct st_file *file);

const struct st_tensor *st_find(const struct st_file *file, const char *name); /* NULL: none */
const char *st_metadata(const struct st_file *file, const char *key);          /* NULL: none */

/* Replaces `path` atomically. The same content gives the same bytes, in whatever order it is passed. The error is one
 * of the content (a name twice or not UTF-8, a size that does not fit the shape) or of the disk. */
bool st_write(const char *path, const struct st_tensor *tensors, size_t n_tensors, const struct st_pair *metadata,
              size_t n_metadata, struct data_error *error);

#endif
