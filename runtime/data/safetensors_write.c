/* Writing: the same tensors and metadata give the same bytes, in whatever order they come. */
#include "safetensors.h"

#include "base/atomic_file.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static int compare_tensors(const void *a, const void *b)
{
    const struct st_tensor *x = *(const struct st_tensor *const *)a, *y = *(const struct st_tensor *const *)b;
    if (x->type != y->type)
        return x->type > y->type ? -1 : 1;
    return strcmp(x->name, y->name);
}

static int compare_keys(const void *a, const void *b)
{
    return strcmp((*(const struct st_pair *const *)a)->key, (*(const struct st_pair *const *)b)->key);
}

/* Pointers to the n elements of an array, sorted; NULL without memory. */
static const void **sorted(const void *array, size_t n, size_t size, int (*compare)(const void *, const void *))
{
    const void **order = malloc((n + 1) * sizeof *order);
    for (size_t i = 0; order && i < n; i++)
        order[i] = (const char *)array + i * size;
    if (order && n)
        qsort(order, n, sizeof *order, compare);
    return order;
}

/* Adds what json_pack made; refuses a name twice, and NULL, which stands for a text that is not UTF-8. */
static bool add_unique(json_t *object, const char *key, json_t *value, const char *path, struct data_error *error)
{
    if (json_object_get(object, key)) {
        json_decref(value);
        return data_fail(error, "%s: `%s` is there twice", path, key);
    }
    if (!value || json_object_set_new(object, key, value) != 0)
        return data_fail(error, "%s: `%s` or its value is not valid UTF-8", path, key);
    return true;
}

static bool add_metadata(json_t *header, const struct st_pair *const *pairs, size_t n, const char *path,
                         struct data_error *error)
{
    json_t *object = json_object();
    if (!add_unique(header, ST_METADATA, object, path, error))
        return false;
    for (size_t i = 0; i < n; i++)
        if (!add_unique(object, pairs[i]->key, json_string(pairs[i]->value), path, error))
            return false;
    return true;
}

static bool add_tensor(json_t *header, const struct st_tensor *tensor, uint64_t *offset, const char *path,
                       struct data_error *error)
{
    uint64_t bytes, end;
    if (strcmp(tensor->name, ST_METADATA) == 0)
        return data_fail(error, "%s: no tensor can be called " ST_METADATA, path);
    if (tensor->rank < 0 || tensor->rank > ST_MAX_RANK || !st_tensor_bytes(tensor, &bytes) || bytes != tensor->bytes ||
        __builtin_add_overflow(*offset, bytes, &end) || end > INT64_MAX)
        return data_fail(error, "%s: tensor `%s`: its shape and its %" PRIu64 " bytes do not agree", path, tensor->name,
                         tensor->bytes);
    json_t *shape = json_array();
    for (int i = 0; i < tensor->rank; i++)
        json_array_append_new(shape, json_integer((json_int_t)tensor->dims[i]));
    json_t *entry = json_pack("{s:s, s:o, s:[I,I]}", "dtype", st_type_name(tensor->type), "shape", shape,
                              "data_offsets", (json_int_t)*offset, (json_int_t)end);
    *offset = end;
    return add_unique(header, tensor->name, entry, path, error);
}

/* The header as text of a multiple of 8 bytes; NULL with the reason in `error`. */
static char *header_text(const struct st_tensor *const *tensors, size_t n_tensors, const struct st_pair *const *pairs,
                         size_t n_pairs, const char *path, struct data_error *error)
{
    json_t *header = json_object();
    uint64_t offset = 0;
    bool ok = n_pairs == 0 || add_metadata(header, pairs, n_pairs, path, error);
    for (size_t i = 0; ok && i < n_tensors; i++)
        ok = add_tensor(header, tensors[i], &offset, path, error);
    char *text = ok ? json_dumps(header, JSON_COMPACT) : NULL;
    json_decref(header);
    if (!ok)
        return NULL;
    size_t length = text ? strlen(text) : 0, padded = (length + 7) / 8 * 8;
    char *grown = text ? realloc(text, padded + 1) : NULL;
    if (!grown) {
        free(text);
        data_fail(error, "%s: out of memory", path);
        return NULL;
    }
    memset(grown + length, ' ', padded - length);
    grown[padded] = '\0';
    return grown;
}

struct writing {
    const struct st_tensor *tensors; /* as they were passed */
    st_source *source;
    void *context;
    struct data_error *error;
};

static bool write_tensor(struct atomic_file *file, const struct writing *w, const struct st_tensor *tensor)
{
    unsigned char part[ST_PART];
    if (tensor->data)
        return atomic_write(file, tensor->data, tensor->bytes, w->error);
    for (uint64_t at = 0, size; at < tensor->bytes; at += size) {
        size = tensor->bytes - at < sizeof part ? tensor->bytes - at : sizeof part;
        if (!w->source(w->context, (size_t)(tensor - w->tensors), at, part, size, w->error)) {
            atomic_abandon(file);
            return false;
        }
        if (!atomic_write(file, part, size, w->error))
            return false;
    }
    return true;
}

static bool write_file(const char *path, const char *header, const struct st_tensor *const *order, size_t n,
                       const struct writing *w)
{
    struct atomic_file file;
    uint64_t size = strlen(header);
    unsigned char prefix[8];
    for (int i = 0; i < 8; i++)
        prefix[i] = (unsigned char)(size >> 8 * i);
    bool ok = atomic_open(&file, path, w->error) && atomic_write(&file, prefix, sizeof prefix, w->error) &&
              atomic_write(&file, header, size, w->error);
    for (size_t i = 0; ok && i < n; i++)
        ok = write_tensor(&file, w, order[i]);
    return ok && atomic_commit(&file, w->error);
}

bool st_write(const char *path, const struct st_tensor *tensors, size_t n_tensors, const struct st_pair *metadata,
              size_t n_metadata, st_source *source, void *context, struct data_error *error)
{
    const struct writing w = {tensors, source, context, error};
    const void **order = sorted(tensors, n_tensors, sizeof *tensors, compare_tensors);
    const void **pairs = sorted(metadata, n_metadata, sizeof *metadata, compare_keys);
    const struct st_tensor *const *in_order = (const struct st_tensor *const *)order;
    bool ok = false;
    if (!order || !pairs) {
        data_fail(error, "%s: out of memory", path);
    } else {
        char *header = header_text(in_order, n_tensors, (const struct st_pair *const *)pairs, n_metadata, path, error);
        ok = header && write_file(path, header, in_order, n_tensors, &w);
        free(header);
    }
    free(order);
    free(pairs);
    return ok;
}
