#include "npy.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { PREFIX = 12, LONGEST = 1 << 16 }; /* bytes before the dict, at most; of the dict */

/* The dict, and how far it has been understood. */
struct text {
    const char *path;
    const unsigned char *bytes;
    size_t at, end;
};

static bool fail(const struct text *t, const char *expected, struct data_error *error)
{
    return data_fail(error, "%s: byte %zu: damaged or unsupported .npy header; expected %s", t->path, t->at, expected);
}

static int next(struct text *t)
{
    while (t->at < t->end && isspace(t->bytes[t->at]))
        t->at++;
    return t->at < t->end ? t->bytes[t->at] : -1;
}

static bool skip(struct text *t, char c)
{
    if (next(t) != (unsigned char)c)
        return false;
    t->at++;
    return true;
}

/* A quoted text without escapes. */
static bool quoted(struct text *t, char *text, size_t room)
{
    const int quote = next(t);
    size_t length = 0;
    if (quote != '\'' && quote != '"')
        return false;
    for (t->at++; t->at < t->end && t->bytes[t->at] != quote && length + 1 < room; t->at++)
        text[length++] = (char)t->bytes[t->at];
    text[length] = '\0';
    return skip(t, (char)quote);
}

static bool read_type(struct text *t, struct array *a, struct data_error *error)
{
    char type[8] = "";
    const bool text = quoted(t, type, sizeof type);
    a->big = type[0] == '>';
    a->kind = type[1];
    a->size = text && type[1] && type[2] && !type[3] ? type[2] - '0' : 0;
    const bool order = type[0] && strchr("<>|=", type[0]),
               power = a->size == 1 || a->size == 2 || a->size == 4 || a->size == 8;
    if (!order || !power || !strchr("uifb", a->kind) || (a->kind == 'f' && a->size == 1) ||
        (a->kind == 'b' && a->size > 1))
        return fail(t, "numbers: bool, u8 to u64, i8 to i64, f16, f32 or f64 (.astype(np.float32) makes it so)", error);
    return true;
}

static bool read_shape(struct text *t, struct array *a, struct data_error *error)
{
    if (!skip(t, '('))
        return fail(t, "a shape in parentheses", error);
    while (!skip(t, ')')) {
        uint64_t size = 0;
        if (!isdigit(next(t)))
            return fail(t, "a size", error);
        const size_t at = t->at;
        for (; t->at < t->end && isdigit(t->bytes[t->at]) && size < UINT64_MAX / 100; t->at++)
            size = 10 * size + (uint64_t)(t->bytes[t->at] - '0');
        if (!array_add_size(a, size, t->path, at, error))
            return false;
        if (!skip(t, ',') && next(t) != ')')
            return fail(t, "a comma or a parenthesis", error);
    }
    return true;
}

/* `seen`: which there have been. a->total counts numbers as yet, of whatever type. */
static bool read_entry(struct text *t, struct array *a, bool seen[3], struct data_error *error)
{
    static const char *const keys[] = {"descr", "fortran_order", "shape"};
    char key[16];
    int k = 0;
    if (!quoted(t, key, sizeof key) || !skip(t, ':'))
        return fail(t, "a key in quotes and a colon", error);
    while (k < 3 && strcmp(keys[k], key) != 0)
        k++;
    if (k == 3 || seen[k])
        return fail(t, "descr, fortran_order and shape, once each", error);
    seen[k] = true;
    if (k == 0)
        return read_type(t, a, error);
    if (k == 2)
        return read_shape(t, a, error);
    next(t);
    if (t->end - t->at < 5 || memcmp(t->bytes + t->at, "False", 5) != 0)
        return fail(t, "fortran_order False (numpy.ascontiguousarray makes it so)", error);
    t->at += 5;
    return true;
}

static bool read_dict(struct text *t, struct array *a, struct data_error *error)
{
    bool seen[3] = {false};
    *a = (struct array){.total = 1};
    if (!skip(t, '{'))
        return fail(t, "a dict", error);
    while (!skip(t, '}')) {
        if (!read_entry(t, a, seen, error))
            return false;
        if (!skip(t, ',') && next(t) != '}')
            return fail(t, "a comma or a brace", error);
    }
    if (!seen[0] || !seen[1] || !seen[2])
        return fail(t, "descr, fortran_order and shape", error);
    a->total *= (uint64_t)a->size;
    return a->total <= DATA_MAX_BYTES || fail(t, "less than 64 GiB of numbers", error);
}

bool npy_is(const unsigned char start[DATA_START])
{
    return memcmp(start, "\x93NUMPY", 6) == 0;
}

/* Where the dict lies, by the first PREFIX bytes. */
static bool find_dict(const char *path, const unsigned char *b, struct text *t, struct data_error *error)
{
    const int version = npy_is(b) ? b[6] : 0;
    uint64_t length = b[8] | (uint64_t)b[9] << 8;
    if (version > 1)
        length |= (uint64_t)b[10] << 16 | (uint64_t)b[11] << 24;
    *t = (struct text){.path = path, .at = version == 1 ? 10 : 12};
    if (version < 1 || version > 3)
        return fail(t, "version 1, 2 or 3", error);
    if (length > LONGEST)
        return data_fail(error, "%s: byte 8: a .npy header of %" PRIu64 " bytes; expected less", path, length);
    t->end = t->at + (size_t)length;
    return true;
}

bool npy_parse(const char *path, const unsigned char *bytes, size_t size, struct array *a, size_t *start,
               struct data_error *error)
{
    struct text t;
    if (size < PREFIX)
        return data_fail(error, "%s: truncated: %zu bytes are no .npy file", path, size);
    if (!find_dict(path, bytes, &t, error))
        return false;
    if (t.end > size)
        return data_fail(error, "%s: truncated: the header needs %zu bytes from byte %zu", path, t.end - t.at, t.at);
    t.bytes = bytes;
    *start = t.end;
    return read_dict(&t, a, error);
}

static bool read_head(struct gz *file, struct array *a, struct data_error *error)
{
    unsigned char *b = malloc(PREFIX + LONGEST);
    struct text t;
    bool ok = b || data_fail(error, "%s: out of memory", gz_path(file));
    ok = ok && gz_read(file, b, PREFIX, "the .npy header", error) && find_dict(gz_path(file), b, &t, error);
    /* A dict has more than the two bytes that are read of it in version 1. */
    ok = ok && (t.end >= PREFIX || fail(&t, "a dict", error)) &&
         gz_read(file, b + PREFIX, t.end - PREFIX, "the .npy header", error);
    if (ok) {
        t.bytes = b;
        ok = read_dict(&t, a, error);
    }
    free(b);
    return ok;
}

static bool is_colour(int64_t channels)
{
    return channels == 1 || channels == 3;
}

bool npy_read(struct gz *file, const char *channels, const struct data_source *from, struct data_split *split,
              struct data_field *field, struct data_error *error)
{
    struct array a;
    bool ok = file && read_head(file, &a, error);
    if (ok) {
        a.last = a.rank == 4 && (strcmp(channels, "last") == 0 ||
                                 (strcmp(channels, "auto") == 0 && is_colour(a.dims[3]) && !is_colour(a.dims[1])));
        ok = array_read(file, &a, from, split, field, error);
    }
    gz_close(file);
    return ok;
}
