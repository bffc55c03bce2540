#include "array.h"

#include "float_types.h"
#include "loaders.h"
#include "store.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 1 << 16 };
#define EXACT (1 << 24) /* 32-bit floats hold all integers up to it */

bool array_add_size(struct array *a, uint64_t size, const char *path, uint64_t at, struct data_error *error)
{
    if (a->rank == DATA_MAX_RANK + 1)
        return data_fail(error, "%s: byte %" PRIu64 ": more than %d sizes", path, at, DATA_MAX_RANK + 1);
    if (size == 0)
        return data_fail(error, "%s: byte %" PRIu64 ": size %d is 0; expected at least 1", path, at, a->rank + 1);
    if (__builtin_mul_overflow(a->total, size, &a->total) || a->total > DATA_MAX_BYTES)
        return data_fail(error,
                         "%s: byte %" PRIu64 ": size %" PRIu64 " makes the array larger than %" PRIu64
                         " GiB, which no file here can be",
                         path, at, size, DATA_MAX_BYTES >> 30);
    a->dims[a->rank++] = (int64_t)size;
    return true;
}

static uint64_t bits_of(const struct array *a, const unsigned char *at)
{
    uint64_t bits = 0;
    for (int i = 0; i < a->size; i++)
        bits = bits << 8 | at[a->big ? i : a->size - 1 - i];
    return bits;
}

static double float_of(uint64_t bits, int size)
{
    uint16_t half = (uint16_t)bits;
    uint32_t single = (uint32_t)bits;
    double number;
    float f;
    memcpy(&number, &bits, sizeof number);
    if (size == 8)
        return number;
    if (size == 4)
        memcpy(&f, &single, sizeof f);
    else
        float_values(ST_F16, &half, 1, &f);
    return (double)f;
}

double array_number(const struct array *a, const unsigned char *at)
{
    const uint64_t bits = bits_of(a, at);
    const int unused = 64 - 8 * a->size;
    if (a->kind == 'f')
        return float_of(bits, a->size);
    return a->kind == 'i' ? (double)((int64_t)(bits << unused) >> unused) : (double)bits;
}

/* ---- what a field becomes ---- */

static bool is_byte(const struct array *a)
{
    return a->size == 1 && a->kind != 'i';
}

static enum data_type type_of(const struct array *a, const struct data_source *from, bool label, int rank)
{
    const bool classes = label && a->kind != 'f' && from->wish.target != TARGET_VALUES &&
                         (rank != 1 || from->wish.target == TARGET_CLASS);
    if (is_byte(a) && (classes || !label))
        return DATA_U8;
    return classes ? DATA_I32 : DATA_F32;
}

/* Type, shape, bytes and path. */
static bool describe(struct gz *file, const struct array *a, const struct data_source *from, bool label,
                     struct data_field *field, struct data_error *error)
{
    int rank = a->rank - 1;
    if (label && a->kind != 'f' && from->wish.target != TARGET_VALUES)
        while (rank > 0 && a->dims[rank] == 1) /* Keras has classes as [n, 1] */
            rank--;
    field->type = type_of(a, from, label, rank);
    field->rank = rank;
    field->bytes = a->total / (uint64_t)a->size / (uint64_t)a->dims[0] * (field->type == DATA_U8 ? 1 : 4);
    for (int i = 0; i < rank; i++)
        field->dims[i] = a->dims[a->last && !label ? (i + rank - 1) % rank + 1 : i + 1];
    if (field->bytes > DATA_MAX_BYTES / (uint64_t)a->dims[0])
        return data_fail(error, "%s: as 32-bit numbers more than %" PRIu64 " GiB", gz_path(file), DATA_MAX_BYTES >> 30);
    field->path = strdup(gz_path(file));
    return field->path || data_fail(error, "%s: out of memory", gz_path(file));
}

static bool same_bytes(const struct array *a, enum data_type type)
{
    return (type == DATA_U8 && is_byte(a)) || (type == DATA_F32 && a->kind == 'f' && a->size == 4 && !a->big);
}

/* n numbers; the first that cannot be that type, or n. */
static int64_t convert(const struct array *a, const unsigned char *from, int64_t n, enum data_type type, void *to)
{
    if (same_bytes(a, type)) {
        memcpy(to, from, (size_t)n * (size_t)a->size);
        return n;
    }
    for (int64_t i = 0; i < n; i++) {
        const double number = array_number(a, from + i * a->size);
        if (type == DATA_I32) {
            if (number < INT32_MIN || number > INT32_MAX)
                return i;
            ((int32_t *)to)[i] = (int32_t)number;
        } else {
            ((float *)to)[i] = (float)number;
            if (a->kind == 'f' ? isfinite(number) && !isfinite((float)number) : fabs(number) > EXACT)
                return i;
        }
    }
    return n;
}

/* [positions, channels] to [channels, positions]. */
static void channels_first(const struct data_field *field, const unsigned char *from, unsigned char *to)
{
    const size_t size = field->type == DATA_U8 ? 1 : 4;
    const int64_t channels = field->dims[0], n = (int64_t)(field->bytes / size) / channels;
    for (int64_t i = 0; i < n; i++)
        for (int64_t c = 0; c < channels; c++)
            memcpy(to + (size_t)(c * n + i) * size, from + (size_t)(i * channels + c) * size, size);
}

static bool fail_number(struct gz *file, const struct array *a, uint64_t at, int64_t sample,
                        const unsigned char *number, enum data_type type, struct data_error *error)
{
    return data_fail(error, "%s: byte %" PRIu64 ": %.17g in sample %" PRId64 " is no %s", gz_path(file), at,
                     array_number(a, number), sample,
                     type == DATA_I32 ? "class index" : "32-bit float (integers: up to 16777216)");
}

struct rows {
    int64_t n;      /* of a block */
    uint64_t bytes; /* of a row in the file */
    unsigned char *raw, *made,
        *turned; /* the block as it stands there, as it will be; NULL: the same; a row in between, or NULL */
};

static bool rows_open(struct rows *r, const struct array *a, const struct data_field *field, bool label,
                      const char *path, struct data_error *error)
{
    const bool turns = a->last && !label, made = turns || !same_bytes(a, field->type);
    *r = (struct rows){.bytes = a->total / (uint64_t)a->dims[0]};
    r->n = r->bytes < BLOCK ? BLOCK / (int64_t)r->bytes : 1;
    r->raw = malloc((size_t)r->n * r->bytes);
    r->made = made ? malloc((size_t)r->n * field->bytes) : NULL;
    r->turned = turns ? malloc(field->bytes) : NULL;
    return (r->raw && (r->made || !made) && (r->turned || !turns)) || data_fail(error, "%s: out of memory", path);
}

static void rows_close(struct rows *r)
{
    free(r->raw);
    free(r->made);
    free(r->turned);
}

/* The first `n` of the block, which begins with sample `first` in byte `at` of the file. */
static bool make_rows(struct gz *file, const struct array *a, const struct rows *r, const struct data_field *field,
                      uint64_t at, int64_t first, int64_t n, struct data_error *error)
{
    const int64_t numbers = (int64_t)(r->bytes / (uint64_t)a->size);
    for (int64_t i = 0; i < n; i++) {
        unsigned char *to = r->made + (uint64_t)i * field->bytes;
        const unsigned char *raw = r->raw + (uint64_t)i * r->bytes;
        const int64_t done = convert(a, raw, numbers, field->type, r->turned ? r->turned : to);
        if (done < numbers)
            return fail_number(file, a, at + (uint64_t)i * r->bytes + (uint64_t)(done * a->size), first + i,
                               raw + done * a->size, field->type, error);
        if (r->turned)
            channels_first(field, r->turned, to);
    }
    return true;
}

static bool read_rows(struct gz *file, const struct array *a, const struct rows *r, const struct data_field *field,
                      struct store *store, struct data_error *error)
{
    const int64_t count = a->dims[0];
    for (int64_t first = 0; first < count; first += r->n) {
        const int64_t n = count - first < r->n ? count - first : r->n;
        const uint64_t at = gz_offset(file);
        if (!gz_read(file, r->raw, (uint64_t)n * r->bytes, "the array", error) ||
            (r->made && !make_rows(file, a, r, field, at, first, n, error)) ||
            !store_put(store, first, r->made ? r->made : r->raw, n, error))
            return false;
    }
    return true;
}

/* Bytes and floats that are too many for memory, and can be read from the file one sample at a time. */
static bool stays(struct gz *file, const struct array *a, const struct data_source *from,
                  const struct data_field *field)
{
    const bool same = field->type == DATA_U8 ? is_byte(a) : a->kind == 'f' && a->size == 4;
    return same && !a->last && gz_is_plain(file) && from->most > 0 && a->total > (uint64_t)from->most;
}

/* Nothing else may follow them. */
static bool leave(struct gz *file, const struct array *a, struct data_split *split, struct data_error *error)
{
    struct data_field *field = &split->sample;
    const struct data_piece piece = {gz_path(file), gz_offset(file), field->bytes, a->dims[0]};
    const uint64_t end = gz_offset(file) + a->total;
    if (gz_at_most(file) != end)
        return data_fail(error, "%s: byte %" PRIu64 ": more data follow, but the file should end here", gz_path(file),
                         end);
    field->header = gz_offset(file);
    split->reader = data_reader_open(&piece, 1, field->bytes, a->big && field->type != DATA_U8, error);
    return split->reader;
}

bool array_read(struct gz *file, const struct array *a, const struct data_source *from, struct data_split *split,
                struct data_field *field, struct data_error *error)
{
    const bool label = field == &split->label;
    const uint64_t at_most = gz_at_most(file);
    if (a->rank == 0)
        return data_fail(error, "%s: one number; expected an array with a row for each sample", gz_path(file));
    if (a->total > at_most || gz_offset(file) > at_most - a->total)
        return data_fail(error,
                         "%s: truncated: its sizes announce %" PRIu64 " bytes in all, the file holds at most %" PRIu64,
                         gz_path(file), gz_offset(file) + a->total, at_most);
    if (!describe(file, a, from, label, field, error))
        return false;
    if (!label)
        split->count = a->dims[0];
    if (!data_head(from, split, a->dims[0], field, error))
        return false;
    if (!label && stays(file, a, from, field))
        return leave(file, a, split, error);
    const uint64_t start = gz_offset(file);
    struct rows rows;
    struct store store = {.of = NULL};
    bool ok = rows_open(&rows, a, field, label, gz_path(file), error) &&
              store_open(&store, field->path, field->bytes, a->dims[0], label ? 0 : from->most, error) &&
              read_rows(file, a, &rows, field, &store, error) && gz_end(file, error);
    field->header = a->size == (field->type == DATA_U8 ? 1 : 4) && !rows.turned ? start : 0;
    if (ok && label) {
        field->values = store.values;
        store.values = NULL;
    } else if (ok)
        ok = store_give(&store, split, error);
    store_close(&store);
    rows_close(&rows);
    return ok;
}
