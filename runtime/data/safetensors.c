/* What a file must keep to be read (a file that breaks a rule could hide data, or make a reader run out of bounds):
 *   - 8 + N <= size of the file; N <= ST_MAX_HEADER
 *   - the header starts with '{', ends with '}' and spaces, is valid UTF-8 and JSON without duplicate keys or deep
 * nesting
 *   - __metadata__ maps strings to strings; every other entry has exactly dtype, shape and data_offsets
 *   - product(shape) * size of dtype does not overflow and is end - begin
 *   - in the order of their offsets, the tensors cover the rest of the file: no hole, overlap or rest */
#include "safetensors.h"

#include "regular_file.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    uint64_t size;
} types[ST_N_TYPES] = {
    [ST_BOOL] = {"BOOL", 1},       [ST_U8] = {"U8", 1},   [ST_I8] = {"I8", 1},   [ST_F8_E5M2] = {"F8_E5M2", 1},
    [ST_F8_E4M3] = {"F8_E4M3", 1}, [ST_I16] = {"I16", 2}, [ST_U16] = {"U16", 2}, [ST_F16] = {"F16", 2},
    [ST_BF16] = {"BF16", 2},       [ST_I32] = {"I32", 4}, [ST_U32] = {"U32", 4}, [ST_F32] = {"F32", 4},
    [ST_C64] = {"C64", 8},         [ST_F64] = {"F64", 8}, [ST_I64] = {"I64", 8}, [ST_U64] = {"U64", 8},
};

const char *st_type_name(enum st_type type)
{
    return types[type].name;
}

uint64_t st_type_size(enum st_type type)
{
    return types[type].size;
}

bool st_tensor_bytes(const struct st_tensor *tensor, uint64_t *bytes)
{
    *bytes = types[tensor->type].size;
    for (int i = 0; i < tensor->rank; i++)
        if (__builtin_mul_overflow(*bytes, tensor->dims[i], bytes))
            return false;
    return true;
}

/* A file whose header is being read. */
struct reader {
    const char *path;
    struct st_file *file;
    struct data_error *error;
    uint64_t header_size, buffer_size;
};

static bool read_type(const struct reader *r, const char *name, const json_t *value, enum st_type *type)
{
    const char *text = json_string_value(value);
    for (int i = 0; text && i < ST_N_TYPES; i++)
        if (strcmp(types[i].name, text) == 0) {
            *type = (enum st_type)i;
            return true;
        }
    return data_fail(r->error, "%s: tensor `%s`: %s is not a known dtype", r->path, name, text ? text : "dtype");
}

static bool read_shape(const struct reader *r, const json_t *value, struct st_tensor *tensor)
{
    size_t rank = json_array_size(value);
    if (!json_is_array(value) || rank > ST_MAX_RANK)
        return data_fail(r->error, "%s: tensor `%s`: expected a shape of at most %d sizes", r->path, tensor->name,
                         ST_MAX_RANK);
    tensor->rank = (int)rank;
    for (size_t i = 0; i < rank; i++) {
        const json_t *size = json_array_get(value, i);
        if (!json_is_integer(size) || json_integer_value(size) < 0)
            return data_fail(r->error, "%s: tensor `%s`: size %zu of its shape is not a whole number", r->path,
                             tensor->name, i);
        tensor->dims[i] = (uint64_t)json_integer_value(size);
    }
    if (!st_tensor_bytes(tensor, &tensor->bytes))
        return data_fail(r->error, "%s: tensor `%s`: its shape is larger than any memory", r->path, tensor->name);
    return true;
}

static bool read_offsets(const struct reader *r, const json_t *value, struct st_tensor *tensor)
{
    const char *name = tensor->name;
    const json_t *begin = json_array_get(value, 0), *end = json_array_get(value, 1);
    if (json_array_size(value) != 2 || !json_is_integer(begin) || !json_is_integer(end) ||
        json_integer_value(begin) < 0 || json_integer_value(end) < json_integer_value(begin))
        return data_fail(r->error, "%s: tensor `%s`: expected data_offsets [begin, end], begin <= end", r->path, name);
    uint64_t last = (uint64_t)json_integer_value(end);
    tensor->begin = (uint64_t)json_integer_value(begin);
    if (last > r->buffer_size)
        return data_fail(r->error, "%s: tensor `%s` ends at byte %" PRIu64 " of the data, which are %" PRIu64 " bytes",
                         r->path, name, last, r->buffer_size);
    if (last - tensor->begin != tensor->bytes)
        return data_fail(r->error,
                         "%s: tensor `%s` has %" PRIu64 " bytes of data, but its shape and dtype make %" PRIu64,
                         r->path, name, last - tensor->begin, tensor->bytes);
    return true;
}

static bool read_entry(const struct reader *r, const char *name, const json_t *entry, struct st_tensor *tensor)
{
    const json_t *type = json_object_get(entry, "dtype"), *shape = json_object_get(entry, "shape");
    const json_t *offsets = json_object_get(entry, "data_offsets");
    if (!type || !shape || !offsets || json_object_size(entry) != 3)
        return data_fail(r->error, "%s: tensor `%s`: expected exactly dtype, shape and data_offsets", r->path, name);
    tensor->name = name;
    return read_type(r, name, type, &tensor->type) && read_shape(r, shape, tensor) && read_offsets(r, offsets, tensor);
}

static int compare_places(const void *a, const void *b)
{
    const struct st_tensor *x = a, *y = b;
    if (x->begin != y->begin)
        return x->begin < y->begin ? -1 : 1;
    if (x->bytes != y->bytes)
        return x->bytes < y->bytes ? -1 : 1;
    return strcmp(x->name, y->name);
}

static bool check_cover(const struct reader *r, const struct st_tensor *tensor, size_t n)
{
    uint64_t at = 0;
    for (size_t i = 0; i < n; i++) {
        if (tensor[i].begin != at)
            return data_fail(r->error,
                             "%s: tensor `%s` begins at byte %" PRIu64 " of the data; expected %" PRIu64 ", %s",
                             r->path, tensor[i].name, tensor[i].begin, at,
                             tensor[i].begin > at ? "so there is a hole" : "so tensors overlap");
        at += tensor[i].bytes;
    }
    if (at != r->buffer_size)
        return data_fail(r->error, "%s: byte %" PRIu64 ": %" PRIu64 " bytes follow the last tensor; expected the end",
                         r->path, 8 + r->header_size + at, r->buffer_size - at);
    return true;
}

static bool read_metadata(const struct reader *r, json_t *metadata)
{
    struct st_file *file = r->file;
    if (!json_is_object(metadata))
        return data_fail(r->error, "%s: " ST_METADATA " is not an object of strings", r->path);
    file->metadata = calloc(json_object_size(metadata) + 1, sizeof *file->metadata);
    if (!file->metadata)
        return data_fail(r->error, "%s: out of memory", r->path);
    const char *key;
    json_t *value;
    json_object_foreach(metadata, key, value)
    {
        if (!json_is_string(value))
            return data_fail(r->error, "%s: " ST_METADATA ": the value of `%s` is not a string", r->path, key);
        file->metadata[file->n_metadata++] = (struct st_pair){key, json_string_value(value)};
    }
    return true;
}

static bool read_tensors(const struct reader *r, json_t *header)
{
    struct st_file *file = r->file;
    const char *name;
    json_t *entry;
    file->tensors = calloc(json_object_size(header) + 1, sizeof *file->tensors);
    if (!file->tensors)
        return data_fail(r->error, "%s: out of memory", r->path);
    json_object_foreach(header, name, entry)
    {
        bool ok = strcmp(name, ST_METADATA) == 0 ? read_metadata(r, entry)
                                                 : read_entry(r, name, entry, &file->tensors[file->n_tensors++]);
        if (!ok)
            return false;
    }
    if (file->n_tensors)
        qsort(file->tensors, file->n_tensors, sizeof *file->tensors, compare_places);
    return check_cover(r, file->tensors, file->n_tensors);
}

static bool parse_header(struct reader *r, const char *text)
{
    uint64_t end = r->header_size;
    while (end && text[end - 1] == ' ')
        end--;
    if (end < 2 || text[0] != '{' || text[end - 1] != '}')
        return data_fail(r->error, "%s: the header is not a JSON object, padded with spaces only", r->path);
    json_error_t reason;
    json_t *header = json_loadb(text, end, JSON_REJECT_DUPLICATES, &reason);
    if (!header)
        return data_fail(r->error, "%s: byte %" PRIu64 ": the header is not valid JSON: %s", r->path,
                         8 + (uint64_t)reason.position, reason.text);
    r->file->header = header;
    return read_tensors(r, header);
}

/* `size` of the whole file is known; leaves the stream at the data. */
static bool read_header(struct reader *r, FILE *stream, uint64_t size)
{
    unsigned char prefix[8];
    if (size < sizeof prefix || fread(prefix, 1, sizeof prefix, stream) != sizeof prefix)
        return data_fail(r->error,
                         "%s: truncated: %" PRIu64 " bytes; expected at least 8 with the length of the header", r->path,
                         size);
    for (int i = 7; i >= 0; i--)
        r->header_size = r->header_size << 8 | prefix[i];
    if (r->header_size > ST_MAX_HEADER)
        return data_fail(r->error,
                         "%s: byte 0: a header of %" PRIu64 " bytes; expected at most %" PRIu64
                         ". Is it a safetensors file?",
                         r->path, r->header_size, ST_MAX_HEADER);
    if (r->header_size > size - 8)
        return data_fail(r->error,
                         "%s: truncated: the header needs %" PRIu64 " bytes from byte 8, the file has %" PRIu64,
                         r->path, r->header_size, size);
    r->buffer_size = size - 8 - r->header_size;
    char *text = malloc(r->header_size + 1);
    if (!text)
        return data_fail(r->error, "%s: out of memory", r->path);
    bool ok = fread(text, 1, r->header_size, stream) == r->header_size
                  ? parse_header(r, text)
                  : data_fail(r->error, "%s: cannot be read", r->path);
    free(text);
    return ok;
}

bool st_open(const char *path, struct st_file *file, struct data_error *error)
{
    struct reader r = {.path = path, .file = file, .error = error};
    uint64_t size;
    *file = (struct st_file){.path = path, .stream = regular_open(path, &size, error)};
    bool ok = file->stream && read_header(&r, file->stream, size);
    file->data_at = 8 + r.header_size;
    if (!ok)
        st_free(file);
    return ok;
}

static bool get(const struct st_file *file, uint64_t at, void *to, uint64_t size, struct data_error *error)
{
    if (fseeko(file->stream, (off_t)(file->data_at + at), SEEK_SET) != 0 || fread(to, 1, size, file->stream) != size)
        return data_fail(error, "%s: byte %" PRIu64 ": cannot be read", file->path, file->data_at + at);
    return true;
}

bool st_fetch(const struct st_file *file, const struct st_tensor *tensor, uint64_t at, void *to, size_t size,
              struct data_error *error)
{
    return get(file, tensor->begin + at, to, size, error);
}

static bool read_data(struct st_file *file, struct data_error *error)
{
    uint64_t size = 0;
    for (size_t i = 0; i < file->n_tensors; i++)
        size += file->tensors[i].bytes;
    file->buffer = malloc(size + 1);
    if (!file->buffer)
        return data_fail(error, "%s: out of memory: %" PRIu64 " bytes wanted", file->path, size);
    for (size_t i = 0; i < file->n_tensors; i++)
        file->tensors[i].data = (const char *)file->buffer + file->tensors[i].begin;
    return get(file, 0, file->buffer, size, error);
}

bool st_read(const char *path, struct st_file *file, struct data_error *error)
{
    if (!st_open(path, file, error))
        return false;
    if (!read_data(file, error)) {
        st_free(file);
        return false;
    }
    fclose(file->stream);
    file->stream = NULL;
    return true;
}

void st_free(struct st_file *file)
{
    if (file->stream)
        fclose(file->stream);
    json_decref(file->header);
    free(file->tensors);
    free(file->metadata);
    free(file->buffer);
    *file = (struct st_file){0};
}

const struct st_tensor *st_find(const struct st_file *file, const char *name)
{
    for (size_t i = 0; i < file->n_tensors; i++)
        if (strcmp(file->tensors[i].name, name) == 0)
            return &file->tensors[i];
    return NULL;
}

const char *st_metadata(const struct st_file *file, const char *key)
{
    for (size_t i = 0; i < file->n_metadata; i++)
        if (strcmp(file->metadata[i].key, key) == 0)
            return file->metadata[i].value;
    return NULL;
}
