/* format_sounds.c: a folder of sounds for each class. */
#include "each_file.h"
#include "sound.h"

#include <inttypes.h>

static void say(const struct pixels *p, char text[EACH_TEXT])
{
    snprintf(text, EACH_TEXT, "%" PRId64 " values long (%.3g s)", p->width, (double)p->width / p->rate);
}

static bool alike(const struct pixels *p, const struct pixels *first, const char *path, struct data_error *error)
{
    if (p->rate != first->rate)
        return data_fail(error, "the sound has %d values a second, but %s has %d; expected one sample rate", p->rate,
                         path, first->rate);
    if (p->channels != first->channels)
        return data_fail(error, "the sound has %d channel%s, but %s has %d; expected as many", p->channels,
                         p->channels > 1 ? "s" : "", path, first->channels);
    return p->width == first->width ||
           data_fail(error,
                     "the sound is %" PRId64 " values long, but %s is %" PRId64 "; `data { transform = [Crop(%" PRId64
                     "), Pad(%" PRId64 "), ...] }` makes them alike",
                     p->width, path, first->width, first->width, first->width);
}

static const struct each_kind sound = {
    .one = "sound", .type = DATA_F32, .sound = true, .read = sound_read, .say = say, .alike = alike};

static bool read(const struct data_source *from, struct data_split *split, struct data_error *error)
{
    return each_file_read(&sound, from, split, error);
}

const struct data_format format_sounds = {
    .name = "sounds",
    .is = sound_is,
    .ends = ".wav .wave .flac",
    .read = read,
};
