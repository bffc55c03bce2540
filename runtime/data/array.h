/* array.h: arrays of numbers as IDX and NumPy's files hold them, and how they become samples or targets. */
#ifndef ARRAY_H
#define ARRAY_H

#include "format.h"
#include "gz.h"

struct array {
    char kind;                       /* 'u', 'i' with a sign, 'f' of IEEE 754, 'b' a byte of 0 or 1 */
    int size;                        /* bytes of a number: 1, 2, 4 or 8 */
    bool big;                        /* the most significant byte comes first */
    bool last;                       /* channels are the last dimension of images, and will be the first of a sample */
    int rank;                        /* 0: one number */
    int64_t dims[DATA_MAX_RANK + 1]; /* the first counts the samples */
    uint64_t total;                  /* bytes of all numbers */
};

/* The next dimension, which stands in byte `at` of the file: none is 0, and a->total, times all of them, is DATA_MAX_BYTES at most. */
bool array_add_size(struct array *a, uint64_t size, const char *path, uint64_t at, struct data_error *error);

/* Of any type as the nearest double. */
double array_number(const struct array *a, const unsigned char *at);

/* Reads what follows in the file to its end as samples (field == &split->sample; puts split->count) or as labels. Bytes and 32-bit
 * floats stay what they are, other numbers become 32-bit floats; integers among these are to be exact. Integers of labels are
 * classes, or values where the network's target is or where there are several for a sample. */
bool array_read(struct gz *file, const struct array *a, const struct data_source *from, struct data_split *split,
                struct data_field *field, struct data_error *error);

#endif
