/* pixels.h: a picture in memory; or a sound, which is one row, of floats. */
#ifndef PIXELS_H
#define PIXELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PIXELS_MOST = 1 << 28 }; /* of one picture; more are taken for damage, or for a trap */

struct pixels {
    int64_t height, width; /* 0: not known yet; of a sound 1, and its length */
    int channels;          /* side by side: 1 grey, 3 red, green, blue; of a sound any; 0: not known yet */
    bool sound;
    bool mask; /* of classes: nothing is mixed, and they have no colour */
    int rate;  /* of a sound: values a second; 0: not known yet */
    unsigned char *
        at; /* [height, width, channels], rows from the top, 0..255 whatever the depth was; sound: floats, full scale +-1 */
    bool transparent; /* some were, more or less, and are laid over white now */
};

static inline size_t pixels_bytes(const struct pixels *p)
{
    return (size_t)(p->height * p->width * p->channels) * (p->sound ? sizeof(float) : 1);
}

/* Luma of ITU-R BT.601 in 16 bits, as Pillow's convert("L"). */
static inline unsigned char pixels_grey(const unsigned char *rgb)
{
    return (unsigned char)((19595u * rgb[0] + 38470u * rgb[1] + 7471u * rgb[2] + 0x8000) >> 16);
}

/* [height, width, channels] becomes [channels, height, width], and back. */
static inline void pixels_to_planes(const struct pixels *p, void *plane)
{
    int64_t area = p->height * p->width;
    for (int64_t i = 0; i < area; i++)
        for (int c = 0; c < p->channels; c++)
            if (p->sound)
                ((float *)plane)[c * area + i] = ((const float *)(const void *)p->at)[i * p->channels + c];
            else
                ((unsigned char *)plane)[c * area + i] = p->at[i * p->channels + c];
}

static inline void pixels_from_planes(const struct pixels *p, const unsigned char *plane)
{
    int64_t area = p->height * p->width;
    for (int64_t i = 0; i < area; i++)
        for (int c = 0; c < p->channels; c++)
            p->at[i * p->channels + c] = plane[c * area + i];
}

#endif
