/* picture_pnm.c: PGM and PPM. https://netpbm.sourceforge.net/doc/ppm.html */
#include "picture.h"

#include <ctype.h>
#include <stdlib.h>

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

bool picture_pnm(struct image_source *source, picture_fits *fits, void *wanted, struct pixels *p,
                 struct data_error *error)
{
    int kind = source->bytes[1] - '0';
    bool text = kind <= 3;
    uint32_t most, value, width, height;
    source->at = 2;
    p->channels = kind == 3 || kind == 6 ? 3 : 1;
    if (!image_read_number(source, UINT16_MAX, &width, error) || !image_read_number(source, UINT16_MAX, &height, error))
        return false;
    p->width = width;
    p->height = height;
    if (!picture_wanted(source, fits, wanted, p, error) || !image_read_number(source, UINT16_MAX, &most, error))
        return false;
    if (most == 0 || !isspace(source->bytes[source->at]))
        return data_fail(error, "%s: byte %zu: expected a largest value of 1 to 65535 and one space", source->path,
                         source->at);
    source->at++;
    size_t samples = (size_t)(p->width * p->height * p->channels);
    p->at = malloc(samples);
    if (!p->at)
        return data_fail(error, "%s: out of memory", source->path);
    for (size_t i = 0; i < samples; i++) {
        if (!read_sample(source, text, most, &value, error))
            return false;
        p->at[i] = (unsigned char)((value * 255 + most / 2) / most);
    }
    while (source->at < source->size && isspace(source->bytes[source->at]) && text)
        source->at++;
    return source->at == source->size ||
           data_fail(error, "%s: byte %zu: more data follow; expected one image", source->path, source->at);
}
