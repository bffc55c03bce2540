/* format_pictures.c: a folder of pictures for each class. */
#include "each_file.h"

#include <inttypes.h>

static void say(const struct pixels *p, char text[EACH_TEXT])
{
    snprintf(text, EACH_TEXT, "%" PRId64 " wide and %" PRId64 " high", p->width, p->height);
}

static const char *colours(int channels)
{
    return channels == 1 ? "grey" : "in colour";
}

static bool alike(const struct pixels *p, const struct pixels *first, const char *path, struct data_error *error)
{
    if (p->channels != first->channels)
        return data_fail(
            error,
            "the picture is %s, but %s is %s; `Gray` or `Color` makes them alike: `data { transform = [Gray, ...] }`",
            colours(p->channels), path, colours(first->channels));
    return (p->height == first->height && p->width == first->width) ||
           data_fail(error,
                     "the picture is %" PRId64 " wide and %" PRId64 " high, but %s is %" PRId64 " and %" PRId64
                     "; `data { transform = [Resize(%" PRId64 ", %" PRId64 "), ...] }` makes them alike",
                     p->width, p->height, path, first->width, first->height, first->height, first->width);
}

const struct each_kind each_picture = {
    .one = "picture", .type = DATA_U8, .read = picture_read, .say = say, .alike = alike};

static bool read(const struct data_source *from, struct data_split *split, struct data_error *error)
{
    return each_file_read(&each_picture, from, split, error);
}

_Static_assert((int)DATA_START == (int)PICTURE_START, "what the tree reads of a file is what tells a picture");

const struct data_format format_pictures = {
    .name = "pictures",
    .is = picture_is,
    .ends = picture_ends,
    .cached = true,
    .read = read,
};
