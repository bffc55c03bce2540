/* npy.h: the header of NumPy's files: magic, version, length, a Python dict as text.
 * https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html */
#ifndef NPY_H
#define NPY_H

#include "array.h"

bool npy_is(const unsigned char start[DATA_START]);
/* Of a file whose first `size` bytes these are; *start: where its numbers begin. */
bool npy_parse(const char *path, const unsigned char *bytes, size_t size, struct array *a, size_t *start,
               struct data_error *error);

/* A whole file as samples or labels (array_read). `channels`: "first", "last" or "auto": samples [h, w, 1] or [h, w, 3], unless h is
 * 1 or 3 itself, have channels last. Closes it; NULL: it could not be opened, which `error` says. */
bool npy_read(struct gz *file, const char *channels, const struct data_source *from, struct data_split *split,
              struct data_field *field, struct data_error *error);

#endif
