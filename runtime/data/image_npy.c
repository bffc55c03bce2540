/* image_npy.c: magic, version, length of the header, a Python dict as text, the array.
 * https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html */
#include "image_source.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

#define MAX_NPY_RANK 8

static bool fail_npy(const struct image_source *source, const char *expected, struct data_error *error)
{
    return data_fail(error, "%s: byte %zu: damaged or unsupported .npy header; expected %s", source->path, source->at,
                     expected);
}

static void skip_spaces(struct image_source *source, size_t end)
{
    while (source->at < end && isspace(source->bytes[source->at]))
        source->at++;
}

static bool skip_char(struct image_source *source, size_t end, char c)
{
    skip_spaces(source, end);
    if (source->at >= end || source->bytes[source->at] != (unsigned char)c)
        return false;
    source->at++;
    return true;
}

/* A quoted text without escapes. */
static bool read_quoted(struct image_source *source, size_t end, char *text, size_t room)
{
    skip_spaces(source, end);
    char quote = (char)source->bytes[source->at];
    if ((quote != '\'' && quote != '"') || !skip_char(source, end, quote))
        return false;
    size_t length = 0;
    while (source->at < end && source->bytes[source->at] != (unsigned char)quote && length + 1 < room)
        text[length++] = (char)source->bytes[source->at++];
    text[length] = '\0';
    return skip_char(source, end, quote);
}

struct npy {
    bool is_float, have_type, have_order, have_shape;
    int rank;
    int64_t dims[MAX_NPY_RANK];
};

static bool read_npy_shape(struct image_source *source, size_t end, struct npy *npy, struct data_error *error)
{
    if (!skip_char(source, end, '('))
        return fail_npy(source, "a shape in parentheses", error);
    while (!skip_char(source, end, ')')) {
        uint32_t size;
        if (npy->rank == MAX_NPY_RANK)
            return fail_npy(source, "at most 8 sizes", error);
        if (!image_read_number(source, INT32_MAX, &size, error))
            return false;
        npy->dims[npy->rank++] = size;
        if (!skip_char(source, end, ',') && source->bytes[source->at] != ')')
            return fail_npy(source, "a comma or a parenthesis", error);
    }
    npy->have_shape = true;
    return true;
}

static bool read_npy_entry(struct image_source *source, size_t end, struct npy *npy, struct data_error *error)
{
    char key[16], type[8];
    if (!read_quoted(source, end, key, sizeof key) || !skip_char(source, end, ':'))
        return fail_npy(source, "a key in quotes and a colon", error);
    if (strcmp(key, "descr") == 0) {
        if (!read_quoted(source, end, type, sizeof type) || (strcmp(type, "|u1") != 0 && strcmp(type, "<f4") != 0))
            return fail_npy(source, "an array of u8 ('|u1') or f32 ('<f4': .astype(np.float32) makes it so)", error);
        npy->is_float = type[1] == 'f';
        npy->have_type = true;
        return true;
    }
    if (strcmp(key, "fortran_order") == 0) {
        skip_spaces(source, end);
        if (end - source->at < 5 || memcmp(source->bytes + source->at, "False", 5) != 0)
            return fail_npy(source, "fortran_order False (numpy.ascontiguousarray makes it so)", error);
        source->at += 5;
        npy->have_order = true;
        return true;
    }
    if (strcmp(key, "shape") == 0 && !npy->have_shape)
        return read_npy_shape(source, end, npy, error);
    return fail_npy(source, "descr, fortran_order and shape, once each", error);
}

static bool read_npy_header(struct image_source *source, struct npy *npy, struct data_error *error)
{
    const unsigned char *b = source->bytes;
    int version = source->size > 6 ? b[6] : 0;
    size_t start = version == 1 ? 10 : 12;
    if (version < 1 || version > 3 || source->size < start)
        return fail_npy(source, "version 1, 2 or 3", error);
    uint64_t length = b[8] | (uint64_t)b[9] << 8;
    if (version > 1)
        length |= (uint64_t)b[10] << 16 | (uint64_t)b[11] << 24;
    if (length > source->size - start)
        return data_fail(error, "%s: truncated: the header needs %" PRIu64 " bytes from byte %zu", source->path, length,
                         start);
    size_t end = start + length;
    source->at = start;
    if (!skip_char(source, end, '{'))
        return fail_npy(source, "a dict", error);
    while (!skip_char(source, end, '}')) {
        if (!read_npy_entry(source, end, npy, error))
            return false;
        if (!skip_char(source, end, ',') && source->bytes[source->at] != '}')
            return fail_npy(source, "a comma or a brace", error);
    }
    if (!npy->have_type || !npy->have_order || !npy->have_shape)
        return fail_npy(source, "descr, fortran_order and shape", error);
    source->at = end;
    return true;
}

/* The shape as text, for the message. */
static void format_shape(char *text, size_t room, const int64_t *dims, int rank)
{
    size_t used = (size_t)snprintf(text, room, "[");
    for (int i = 0; i < rank && used < room; i++)
        used += (size_t)snprintf(text + used, room - used, "%s%" PRId64, i ? ", " : "", dims[i]);
    if (used < room)
        snprintf(text + used, room - used, "]");
}

static int leading_ones(const int64_t *dims, int rank)
{
    int ones = 0;
    while (ones < rank && dims[ones] == 1)
        ones++;
    return ones;
}

static bool check_npy_shape(const struct image_source *source, const struct npy *npy, const struct image_wanted *wanted,
                            struct data_error *error)
{
    int64_t expected[3] = {wanted->channels, wanted->height, wanted->width};
    int skip = leading_ones(npy->dims, npy->rank), skip_expected = leading_ones(expected, 3);
    bool same = npy->rank - skip == 3 - skip_expected;
    for (int i = 0; same && i < npy->rank - skip; i++)
        same = npy->dims[skip + i] == expected[skip_expected + i];
    int64_t values = 1;
    for (int i = 0; i < npy->rank && values <= wanted->width; i++)
        values *= npy->dims[i];
    same = same || (image_is_vector(wanted) && values == wanted->width);
    if (same)
        return true;
    char has[120], takes[80];
    format_shape(has, sizeof has, npy->dims, npy->rank);
    format_shape(takes, sizeof takes, expected, 3);
    return data_fail(error, "%s: the array is %s; the network takes %s", source->path, has, takes);
}

bool image_read_npy(struct image_source *source, struct image_wanted *wanted, struct data_error *error)
{
    struct npy npy = {0};
    if (!read_npy_header(source, &npy, error) || !check_npy_shape(source, &npy, wanted, error))
        return false;
    int64_t n = wanted->channels * wanted->height * wanted->width;
    uint64_t bytes = (uint64_t)n * (npy.is_float ? 4 : 1);
    if (source->size - source->at != bytes)
        return data_fail(error, "%s: %zu bytes from byte %zu; expected %" PRIu64 " for the array", source->path,
                         source->size - source->at, source->at, bytes);
    for (int64_t i = 0; i < n; i++) {
        float value = source->bytes[source->at + (size_t)i];
        if (npy.is_float)
            memcpy(&value, source->bytes + source->at + 4 * (size_t)i, sizeof value);
        if (wanted->type == DATA_U8 && !(value >= 0 && value <= 255 && value == floorf(value)))
            return data_fail(error, "%s: byte %zu: value %g; expected whole numbers 0 to 255", source->path,
                             source->at + 4 * (size_t)i, (double)value);
        image_store(wanted, i, value);
    }
    return true;
}
