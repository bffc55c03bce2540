/* The safetensors format, for weights and checkpoints: eight bytes with the length N of the header (little-endian), a
 * JSON header of N bytes, then the tensors, row-major and little-endian.
 * https://github.com/huggingface/safetensors */
#ifndef SAFETENSORS_H
#define SAFETENSORS_H

#include "base/data_error.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define ST_MAX_RANK 8
#define ST_METADATA "__metadata__"
#define ST_MAX_HEADER ((uint64_t)64 << 20) /* bytes; the format allows 100 MB */

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
    const void *data; /* read from a file, it may be aligned to one byte only: copy, do not cast. NULL: not in memory */
    uint64_t bytes;   /* product(dims) * st_type_size(type) */
    uint64_t begin;   /* of a file that is read: its first byte among the data */
};

struct st_pair {
    const char *key, *value;
};

struct st_file {
    const char *path;          /* the caller's, who keeps it */
    struct st_tensor *tensors; /* in the order of their data */
    size_t n_tensors;
    struct st_pair *metadata;
    size_t n_metadata;
    void *header, *buffer; /* own what the members above point to */
    FILE *stream;          /* while tensors are fetched; NULL: all are in memory */
    uint64_t data_at;      /* bytes of the file before its data */
};

enum { ST_PART = 1 << 16 }; /* bytes of a tensor that are moved at a time */

const char *st_type_name(enum st_type type);
uint64_t st_type_size(enum st_type type); /* bytes of an element */
/* Bytes of a tensor by its type and shape; false on overflow. */
bool st_tensor_bytes(const struct st_tensor *tensor, uint64_t *bytes);

/* Reads the header, after checking that the file keeps every rule of the format (safetensors.c lists them). The tensors
 * stay in the file: st_fetch gives `size` bytes of one from byte `at` on. On failure `file` holds nothing. */
bool st_open(const char *path, struct st_file *file, struct data_error *error);
bool st_fetch(const struct st_file *file, const struct st_tensor *tensor, uint64_t at, void *to, size_t size,
              struct data_error *error);
/* The same, and all tensors into memory. */
bool st_read(const char *path, struct st_file *file, struct data_error *error);
void st_free(struct st_file *file);

const struct st_tensor *st_find(const struct st_file *file, const char *name); /* NULL: none */
const char *st_metadata(const struct st_file *file, const char *key);          /* NULL: none */

/* Gives `size` <= ST_PART bytes of tensor number `tensor` from byte `at` on. */
typedef bool st_source(void *context, size_t tensor, uint64_t at, void *to, size_t size, struct data_error *error);

/* Replaces `path` atomically. Tensors without data come from `source`, a part at a time, so that they need no memory
 * here. The same content gives the same bytes, in whatever order it is passed. The error is one of the content (a name
 * twice or not UTF-8, a size that does not fit the shape), of the source, or of the disk. */
bool st_write(const char *path, const struct st_tensor *tensors, size_t n_tensors, const struct st_pair *metadata,
              size_t n_metadata, st_source *source, void *context, struct data_error *error);

#endif
