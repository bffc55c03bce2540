#include "image.h"

#include "npy.h"
#include "picture.h"
#include "base/pixels.h"
#include "regular_file.h"
#include "sound.h"

#include "graph/word.h"

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

bool image_load(const char *path, struct image_source *source, struct data_error *error)
{
    uint64_t size;
    *source = (struct image_source){.path = path};
    FILE *stream = regular_open(path, &size, error);
    if (!stream)
        return false;
    struct stat status;
    bool ok = fstat(fileno(stream), &status) == 0 && size <= MAX_FILE_BYTES;
    if (ok && file_settled(&status))
        source->stamp = file_stamp(&status);
    if (!ok)
        data_fail(error, "%s: larger than %" PRIu64 " MiB; expected one picture or sound", path, MAX_FILE_BYTES >> 20);
    if (ok) {
        source->size = (size_t)size;
        source->bytes = malloc(source->size + 1);
        bool read = source->bytes && fread(source->bytes, 1, source->size, stream) == source->size;
        ok = file_unchanged(stream, &status, path, error) && (read || data_fail(error, "%s: cannot be read", path));
        if (ok)
            source->bytes[source->size] = 0;
    }
    fclose(stream);
    return ok;
}

bool image_is_vector(const struct image_wanted *wanted)
{
    return wanted->channels == 1 && wanted->height == 1;
}

struct asked {
    struct image_wanted *wanted;
    const struct picture_step *step;
    int steps;
};

/* A vector takes the size of the picture, if that has as many values. */
static bool check_size(void *to, const struct pixels *p, struct data_error *error)
{
    const struct asked *asked = to;
    struct image_wanted *wanted = asked->wanted;
    struct pixels made = *p;
    const char *why = picture_sized(asked->step, asked->steps, &made);
    uint64_t values = (uint64_t)wanted->width, area = (uint64_t)made.height * (uint64_t)made.width;
    if (why)
        return data_fail(error, "the image is %" PRId64 " wide and %" PRId64 " high, and %s", p->width, p->height, why);
    if (image_is_vector(wanted) && (area == values || (values % 3 == 0 && area == values / 3)))
        *wanted = (struct image_wanted){area == values ? 1 : 3, made.height, made.width, wanted->type, wanted->out};
    if (wanted->channels != 1 && wanted->channels != 3)
        return data_fail(error, "the network takes %" PRId64 " channels; an image file has 1 or 3 (use .npy)",
                         wanted->channels);
    if (made.height != wanted->height || made.width != wanted->width)
        return data_fail(error,
                         "the image is %" PRId64 " wide and %" PRId64 " high%s; the network takes %" PRId64
                         " wide and %" PRId64 " high",
                         made.width, made.height, asked->steps ? " after its transforms" : "", wanted->width,
                         wanted->height);
    return true;
}

/* Turns 8-bit pixels [H, W, channels] into the wanted planes. */
static void store_pixels(const struct image_wanted *wanted, const unsigned char *pixels, int channels)
{
    int64_t area = wanted->height * wanted->width;
    for (int64_t i = 0; i < area; i++) {
        const unsigned char *p = pixels + i * channels;
        if (channels == 3 && wanted->channels == 1)
            image_store(wanted, i, (float)pixels_grey(p));
        else
            for (int64_t c = 0; c < wanted->channels; c++)
                image_store(wanted, c * area + i, (float)p[channels == 3 ? c : 0]);
    }
}

static bool read_picture(struct image_source *source, struct asked *asked, struct image_seen *seen,
                         struct data_error *error)
{
    struct pixels p;
    if (!picture_read(source, check_size, asked, &p, error))
        return false;
    seen->transparent = p.transparent;
    if (!picture_made(asked->step, asked->steps, &p))
        return data_fail(error, "%s: out of memory", source->path);
    store_pixels(asked->wanted, p.at, p.channels);
    free(p.at);
    return true;
}

/* Channels of so many values, or a vector of all. */
static bool check_length(void *to, const struct pixels *p, struct data_error *error)
{
    const struct asked *asked = to;
    const struct image_wanted *wanted = asked->wanted;
    struct pixels made = *p;
    const char *why = picture_sized(asked->step, asked->steps, &made);
    const int64_t channels = wanted->channels * wanted->height;
    if (why)
        return data_fail(error, "the sound is %" PRId64 " values long, and %s", p->width, why);
    return (made.width == wanted->width && made.channels == channels) ||
           (channels == 1 && made.width * made.channels == wanted->width) ||
           data_fail(error,
                     "the sound is %" PRId64 " values long%s, in %d channel%s; the network takes %" PRId64
                     ", in %" PRId64,
                     made.width, asked->steps ? " after its transforms" : "", made.channels,
                     made.channels > 1 ? "s" : "", wanted->width, channels);
}

static bool read_sound(struct image_source *source, struct asked *asked, struct image_seen *seen,
                       struct data_error *error)
{
    struct pixels p;
    if (!sound_read(source, check_length, asked, &p, error))
        return false;
    seen->rate = p.rate;
    if (!picture_made(asked->step, asked->steps, &p))
        return data_fail(error, "%s: out of memory", source->path);
    pixels_to_planes(&p, asked->wanted->out);
    free(p.at);
    return true;
}

bool image_is(const char *path)
{
    unsigned char start[PICTURE_START] = {0};
    regular_start(path, start, sizeof start);
    return picture_is(start) || sound_is(start) || npy_is(start);
}

bool image_read(const char *path, const struct picture_step *step, int steps, int64_t channels, int64_t height,
                int64_t width, enum data_type type, void *out, struct image_seen *seen, struct data_error *error)
{
    struct image_source source;
    struct image_wanted wanted = {channels, height, width, type, out};
    struct asked asked = {&wanted, step, steps};
    unsigned char start[PICTURE_START] = {0};
    bool ok = image_load(path, &source, error);
    *seen = (struct image_seen){0};
    if (ok) {
        memcpy(start, source.bytes, source.size < sizeof start ? source.size : sizeof start);
        ok = picture_is(start)                     ? read_picture(&source, &asked, seen, error)
             : sound_is(start) && type == DATA_F32 ? read_sound(&source, &asked, seen, error)
             : npy_is(start)                       ? image_read_npy(&source, &wanted, error)
                             : data_fail(error, "%s: byte 0: not an image known here; expected %s, %s or .npy", path,
                                         picture_formats, sound_formats);
    }
    free(source.bytes);
    return ok;
}
