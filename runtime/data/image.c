#include "image.h"

#include "image_png.h"
#include "regular_file.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* One image; larger files than this are refused before they are read. */
#define MAX_FILE_BYTES ((uint64_t)256 << 20)
#define MAX_NPY_RANK 8

/* The whole file, and how far it has been understood. */
struct source {
    const char *path;
    unsigned char *bytes; /* a zero follows the last one */
    size_t size, at;
    bool transparent; /* some pixels are, more or less */
};

/* What the caller wants, and where it goes. */
struct wanted {
    int64_t channels, height, width;
    enum data_type type;
    void *out;
};

static void store(const struct wanted *wanted, int64_t index, float value)
{
    if (wanted->type == DATA_U8)
        ((unsigned char *)wanted->out)[index] = (unsigned char)value;
    else
        ((float *)wanted->out)[index] = value;
}

static bool load(const char *path, struct source *source, struct data_error *error)
{
    uint64_t size;
    *source = (struct source){.path = path};
    FILE *stream = regular_open(path, &size, error);
    if (!stream)
        return false;
    bool ok = size <= MAX_FILE_BYTES;
    if (!ok)
        data_fail(error, "%s: larger than %" PRIu64 " MiB; expected one image", path, MAX_FILE_BYTES >> 20);
    if (ok) {
        source->size = (size_t)size;
        source->bytes = malloc(source->size + 1);
        ok = source->bytes && fread(source->bytes, 1, source->size, stream) == source->size;
        if (ok)
            source->bytes[source->size] = 0;
        else
            data_fail(error, "%s: cannot be read", path);
    }
    fclose(stream);
    return ok;
}

static bool is_vector(const struct wanted *wanted)
{
    return wanted->channels == 1 && wanted->height == 1;
}

/* A vector takes the size of the image, if that has as many values: height and width are below 2^31. */
static bool check_size(const struct source *source, struct wanted *wanted, uint64_t height, uint64_t width,
                       struct data_error *error)
{
    uint64_t values = (uint64_t)wanted->width;
    if (is_vector(wanted) && (height * width == values || (values % 3 == 0 && height * width == values / 3)))
        *wanted = (struct wanted){height * width == values ? 1 : 3, (int64_t)height, (int64_t)width, wanted->type,
                                  wanted->out};
    if (wanted->channels != 1 && wanted->channels != 3)
        return data_fail(error, "%s: the network takes %" PRId64 " channels; an image file has 1 or 3 (use .npy)",
                         source->path, wanted->channels);
    if (height != (uint64_t)wanted->height || width != (uint64_t)wanted->width)
        return data_fail(error,
                         "%s: the image is %" PRIu64 " wide and %" PRIu64 " high; the network takes %" PRId64
                         " wide and %" PRId64 " high",
                         source->path, width, height, wanted->width, wanted->height);
    return true;
}

/* Turns 8-bit pixels [H, W, channels] into the wanted planes. */
static void store_pixels(const struct wanted *wanted, const unsigned char *pixels, int channels)
{
    int64_t area = wanted->height * wanted->width;
    for (int64_t i = 0; i < area; i++) {
        const unsigned char *p = pixels + i * channels;
        if (channels == 3 && wanted->channels == 1)
            store(wanted, i, (float)((299 * p[0] + 587 * p[1] + 114 * p[2] + 500) / 1000));
        else
            for (int64_t c = 0; c < wanted->channels; c++)
                store(wanted, c * area + i, (float)p[channels == 3 ? c : 0]);
    }
}

/* PNG */

static bool read_png(struct source *source, struct wanted *wanted, struct data_error *error)
{
    uint32_t height, width;
    int channels;
    struct png_reader *reader = png_reader_open(source->path, source->bytes, source->size, &height, &width, error);
    if (!reader)
        return false;
    bool sized = check_size(source, wanted, height, width, error);
    unsigned char *pixels = sized ? png_reader_pixels(reader, &channels, &source->transparent, error) : NULL;
    png_reader_close(reader);
    if (pixels)
        store_pixels(wanted, pixels, channels);
    free(pixels);
    return pixels != NULL;
}

/* PGM and PPM */

/* The next number of the text, after spaces and comments. */
static bool read_number(struct source *source, uint32_t most, uint32_t *number, struct data_error *error)
{
    const unsigned char *b = source->bytes;
    while (isspace(b[source->at]) || b[source->at] == '#')
        if (b[source->at++] == '#')
            while (b[source->at] && b[source->at] != '\n')
                source->at++;
    size_t start = source->at;
    uint64_t value = 0;
    while (isdigit(b[source->at]) && value <= most)
        value = value * 10 + (uint64_t)(b[source->at++] - '0');
    if (source->at == start || value > most)
        return data_fail(error, "%s: byte %zu: expected a number of at most %u%s", source->path, start, most,
                         start >= source->size ? ", but the file ends" : "");
    *number = (uint32_t)value;
    return true;
}

static bool read_sample(struct source *source, bool text, uint32_t most, uint32_t *value, struct data_error *error)
{
    if (text)
        return read_number(source, most, value, error);
    size_t bytes = most > 255 ? 2 : 1;
    if (source->size - source->at < bytes)
        return data_fail(error, "%s: truncated: it ends at byte %zu, within the pixels", source->path, source->size);
    *value = source->bytes[source->at];
    if (bytes == 2)
        *value = *value << 8 | source->bytes[source->at + 1];
    if (*value > most)
        return data_fail(error, "%s: byte %zu: pixel %u; expected at most %u", source->path, source->at, *value, most);
    source->at += bytes;
    return true;
}

static bool read_pnm(struct source *source, struct wanted *wanted, struct data_error *error)
{
    int kind = source->bytes[1] - '0', channels = kind == 3 || kind == 6 ? 3 : 1;
    bool text = kind <= 3;
    uint32_t width, height, most, value;
    source->at = 2;
    if (!read_number(source, UINT16_MAX, &width, error) || !read_number(source, UINT16_MAX, &height, error) ||
        !check_size(source, wanted, height, width, error) || !read_number(source, UINT16_MAX, &most, error))
        return false;
    if (most == 0 || !isspace(source->bytes[source->at]))
        return data_fail(error, "%s: byte %zu: expected a largest value of 1 to 65535 and one space", source->path,
                         source->at);
    source->at++;
    size_t samples = (size_t)width * height * (size_t)channels;
    unsigned char *pixels = malloc(samples);
    if (!pixels)
        return data_fail(error, "%s: out of memory", source->path);
    bool ok = true;
    for (size_t i = 0; ok && i < samples; i++)
        if ((ok = read_sample(source, text, most, &value, error)))
            pixels[i] = (unsigned char)((value * 255 + most / 2) / most);
    while (ok && source->at < source->size && isspace(source->bytes[source->at]) && text)
        source->at++;
    if (ok && source->at != source->size)
        ok = data_fail(error, "%s: byte %zu: more data follow; expected one image", source->path, source->at);
    if (ok)
        store_pixels(wanted, pixels, channels);
    free(pixels);
    return ok;
}

/* .npy: magic, version, length of the header, a Python dict as text, the array.
 * https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html */

static bool fail_npy(const struct source *source, const char *expected, struct data_error *error)
{
    return data_fail(error, "%s: byte %zu: damaged or unsupported .npy header; expected %s", source->path, source->at,
                     expected);
}

static void skip_spaces(struct source *source, size_t end)
{
    while (source->at < end && isspace(source->bytes[source->at]))
        source->at++;
}

static bool skip_char(struct source *source, size_t end, char c)
{
    skip_spaces(source, end);
    if (source->at >= end || source->bytes[source->at] != (unsigned char)c)
        return false;
    source->at++;
    return true;
}

/* A quoted text without escapes. */
static bool read_quoted(struct source *source, size_t end, char *text, size_t room)
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

static bool read_npy_shape(struct source *source, size_t end, struct npy *npy, struct data_error *error)
{
    if (!skip_char(source, end, '('))
        return fail_npy(source, "a shape in parentheses", error);
    while (!skip_char(source, end, ')')) {
        uint32_t size;
        if (npy->rank == MAX_NPY_RANK)
            return fail_npy(source, "at most 8 sizes", error);
        if (!read_number(source, INT32_MAX, &size, error))
            return false;
        npy->dims[npy->rank++] = size;
        if (!skip_char(source, end, ',') && source->bytes[source->at] != ')')
            return fail_npy(source, "a comma or a parenthesis", error);
    }
    npy->have_shape = true;
    return true;
}

static bool read_npy_entry(struct source *source, size_t end, struct npy *npy, struct data_error *error)
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

static bool read_npy_header(struct source *source, struct npy *npy, struct data_error *error)
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

static bool check_npy_shape(const struct source *source, const struct npy *npy, const struct wanted *wanted,
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
    same = same || (is_vector(wanted) && values == wanted->width);
    if (same)
        return true;
    char has[120], takes[80];
    format_shape(has, sizeof has, npy->dims, npy->rank);
    format_shape(takes, sizeof takes, expected, 3);
    return data_fail(error, "%s: the array is %s; the network takes %s", source->path, has, takes);
}

static bool read_npy(struct source *source, struct wanted *wanted, struct data_error *error)
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
        store(wanted, i, value);
    }
    return true;
}

enum { MAGIC = 8 };

static bool is_png(const unsigned char *start)
{
    return memcmp(start, "\x89PNG\r\n\x1a\n", 8) == 0;
}

static bool is_pnm(const unsigned char *start)
{
    return start[0] == 'P' && start[1] && strchr("2356", start[1]);
}

static bool is_npy(const unsigned char *start)
{
    return memcmp(start, "\x93NUMPY", 6) == 0;
}

static const struct format {
    bool (*is)(const unsigned char *start); /* MAGIC bytes; zeros where the file is shorter */
    bool (*read)(struct source *source, struct wanted *wanted, struct data_error *error);
} formats[] = {{is_png, read_png}, {is_pnm, read_pnm}, {is_npy, read_npy}};

static const struct format *recognise(const unsigned char *bytes, size_t size)
{
    unsigned char start[MAGIC] = {0};
    memcpy(start, bytes, size < MAGIC ? size : MAGIC);
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (formats[i].is(start))
            return &formats[i];
    return NULL;
}

bool image_is(const char *path)
{
    unsigned char start[MAGIC];
    return recognise(start, regular_start(path, start, sizeof start));
}

bool image_read(const char *path, int64_t channels, int64_t height, int64_t width, enum data_type type, void *out,
                bool *transparent, struct data_error *error)
{
    struct source source;
    struct wanted wanted = {channels, height, width, type, out};
    bool ok = load(path, &source, error);
    if (ok) {
        const struct format *format = recognise(source.bytes, source.size);
        ok = format ? format->read(&source, &wanted, error)
                    : data_fail(error,
                                "%s: byte 0: not an image known here; expected PNG, PGM, PPM (P2, P3, P5, P6) or .npy",
                                path);
    }
    *transparent = source.transparent;
    free(source.bytes);
    return ok;
}
