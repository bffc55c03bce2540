#include "image.h"

#include "image_format.h"
#include "image_png.h"
#include "regular_file.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* One image; larger files than this are refused before they are read. */
#define MAX_FILE_BYTES ((uint64_t)256 << 20)

void image_store(const struct image_wanted *wanted, int64_t index, float value)
{
    if (wanted->type == DATA_U8)
        ((unsigned char *)wanted->out)[index] = (unsigned char)value;
    else
        ((float *)wanted->out)[index] = value;
}

static bool load(const char *path, struct image_source *source, struct data_error *error)
{
    uint64_t size;
    *source = (struct image_source){.path = path};
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

bool image_is_vector(const struct image_wanted *wanted)
{
    return wanted->channels == 1 && wanted->height == 1;
}

/* A vector takes the size of the image, if that has as many values: height and width are below 2^31. */
static bool check_size(const struct image_source *source, struct image_wanted *wanted, uint64_t height, uint64_t width,
                       struct data_error *error)
{
    uint64_t values = (uint64_t)wanted->width;
    if (image_is_vector(wanted) && (height * width == values || (values % 3 == 0 && height * width == values / 3)))
        *wanted = (struct image_wanted){height * width == values ? 1 : 3, (int64_t)height, (int64_t)width, wanted->type,
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
static void store_pixels(const struct image_wanted *wanted, const unsigned char *pixels, int channels)
{
    int64_t area = wanted->height * wanted->width;
    for (int64_t i = 0; i < area; i++) {
        const unsigned char *p = pixels + i * channels;
        if (channels == 3 && wanted->channels == 1)
            image_store(wanted, i, (float)((299 * p[0] + 587 * p[1] + 114 * p[2] + 500) / 1000));
        else
            for (int64_t c = 0; c < wanted->channels; c++)
                image_store(wanted, c * area + i, (float)p[channels == 3 ? c : 0]);
    }
}

/* PNG */

static bool read_png(struct image_source *source, struct image_wanted *wanted, struct data_error *error)
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

bool image_read_number(struct image_source *source, uint32_t most, uint32_t *number, struct data_error *error)
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

static bool read_sample(struct image_source *source, bool text, uint32_t most, uint32_t *value,
                        struct data_error *error)
{
    if (text)
        return image_read_number(source, most, value, error);
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

static bool read_pnm(struct image_source *source, struct image_wanted *wanted, struct data_error *error)
{
    int kind = source->bytes[1] - '0', channels = kind == 3 || kind == 6 ? 3 : 1;
    bool text = kind <= 3;
    uint32_t width, height, most, value;
    source->at = 2;
    if (!image_read_number(source, UINT16_MAX, &width, error) ||
        !image_read_number(source, UINT16_MAX, &height, error) || !check_size(source, wanted, height, width, error) ||
        !image_read_number(source, UINT16_MAX, &most, error))
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
    bool (*read)(struct image_source *source, struct image_wanted *wanted, struct data_error *error);
} formats[] = {{is_png, read_png}, {is_pnm, read_pnm}, {is_npy, image_read_npy}};

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
    struct image_source source;
    struct image_wanted wanted = {channels, height, width, type, out};
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
