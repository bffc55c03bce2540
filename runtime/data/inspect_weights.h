/* For people: what is in files of weights, tensor by tensor. */
#ifndef INSPECT_WEIGHTS_H
#define INSPECT_WEIGHTS_H

#include "value_stats.h"

/* A line: name, shape ("128x784", "scalar"), number of values, mean, deviation, range, and how many are not finite. */
struct weights_columns {
    int name, shape; /* columns that they need */
};
void weights_widen(struct weights_columns *c, const char *name, const char *shape);
void weights_head(const struct weights_columns *c, FILE *out);
/* `values`: of the tensor; more than the stats have seen: its type has none. */
void weights_line(const struct weights_columns *c, const char *name, const char *shape, int64_t values,
                  const struct value_stats *s, FILE *out);

/* What those lines are made of. */
int64_t weights_elements(const struct st_tensor *t);
bool weights_survey(const struct st_file *file, const struct st_tensor *t, struct value_stats *s,
                    struct data_error *error);
/* Of two tensors, the difference. */
struct apart {
    int64_t n, others; /* pairs of finite numbers; other pairs, unless they are the same */
    double max, sum, squares, first_squares;
};
bool weights_same_shape(const struct st_tensor *a, const struct st_tensor *b);
bool weights_apart(const struct st_file *file[2], const struct st_tensor *t[2], struct apart *d,
                   struct data_error *error); /* they have the same shape */
void apart_add(struct apart *all, const struct apart *d);
double apart_relative(const struct apart *d); /* length of the difference beside that of the first */

/* All tensors of a file. False: it cannot be read. */
bool inspect_weights(const char *path, FILE *out, struct data_error *error);
/* How far the second file's tensors are from those of the same name in the first: largest and mean difference, and the length of
 * the difference beside that of the first (Euclidean); what is in one file alone, or of another shape. */
bool inspect_difference(const char *first, const char *second, FILE *out, struct data_error *error);

#endif
