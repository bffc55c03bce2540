/* inspect_json.h: what --inspect shows, as JSON: docs/inspecting.md has the fields. */
#ifndef INSPECT_JSON_H
#define INSPECT_JSON_H

#include "data.h"
#include "value_stats.h"

#include <jansson.h>

json_t *dataset_json(const char *folder, const struct dataset *set);
/* Of a folder with tables; *is false: it has none. NULL: one cannot be read, or there is none. */
json_t *table_json(const char *folder, bool *is, struct data_error *error);
/* NULL: a file cannot be read. */
json_t *weights_json(const char *path, struct data_error *error);
json_t *difference_json(const char *first, const char *second, struct data_error *error);
/* Initial weights: of a list of such tensors, which it takes. */
json_t *tensor_json(const char *name, int rank, const int64_t *dims, int64_t values, const struct value_stats *s);
json_t *initial_json(const char *net, int64_t params, uint32_t seed, json_t *tensors);
/* Writes and frees it; false: out of memory, or nobody reads. */
bool inspect_json_put(json_t *all, FILE *out);

#endif
