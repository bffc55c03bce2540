#include "picture.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static bool is_png(const unsigned char *start)
{
    return memcmp(start, "\x89PNG\r\n\x1a\n", 8) == 0;
}

static bool is_jpeg(const unsigned char *start)
{
    return memcmp(start, "\xff\xd8\xff", 3) == 0;
}

static bool is_pnm(const unsigned char *start)
{
    return start[0] == 'P' && start[1] && strchr("2356", start[1]);
}

static const struct format {
    bool (*is)(const unsigned char *start);
    picture_reader *read;
} formats[] = {{is_png, picture_png}, {is_jpeg, picture_jpeg}, {is_pnm, picture_pnm}};
const char picture_formats[] = "PNG, JPEG, PGM, PPM (P2, P3, P5, P6)";
const char picture_ends[] = ".png .jpg .jpeg .pgm .ppm .pnm";

static const struct format *recognise(const unsigned char start[PICTURE_START])
{
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (formats[i].is(start))
            return &formats[i];
    return NULL;
}

bool picture_is(const unsigned char start[PICTURE_START])
{
    return recognise(start);
}

bool picture_wanted(const struct image_source *source, picture_fits *fits, void *wanted, const struct pixels *p,
                    struct data_error *error)
{
    struct data_error why;
    if (fits && !fits(wanted, p, &why))
        return data_fail(error, "%s: %s", source->path, why.text);
    return (p->height > 0 && p->width > 0 && p->height * p->width <= PIXELS_MOST) ||
           data_fail(error, "%s: %" PRId64 " x %" PRId64 " pixels; expected at least one, and at most 2^28",
                     source->path, p->width, p->height);
}

bool picture_read(struct image_source *source, picture_fits *fits, void *wanted, struct pixels *p,
                  struct data_error *error)
{
    unsigned char start[PICTURE_START] = {0};
    memcpy(start, source->bytes, source->size < sizeof start ? source->size : sizeof start);
    const struct format *format = recognise(start);
    *p = (struct pixels){0};
    if (!format)
        return data_fail(error, "%s: byte 0: not a picture known here; expected %s", source->path, picture_formats);
    bool ok = format->read(source, fits, wanted, p, error);
    if (!ok) {
        free(p->at);
        p->at = NULL;
    }
    return ok;
}
