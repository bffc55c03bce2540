/* augment_colour.h: the augmentation that changes colours. Behind augment.h, which says what its functions are; kernels hold this very
 * text, too. */
#ifndef AUGMENT_COLOUR_H
#define AUGMENT_COLOUR_H

#include "augment.h"

/* ---- ColorJitter(brightness, contrast, saturation, hue): four changes in any order ---- */

static inline float augment_cut(float v, float top)
{
    return v < 0 ? 0 : v > top ? top : v;
}

static inline float augment_grey(const float *rgb)
{
    return rgb[1] < 0 ? rgb[0] : 0.2989f * rgb[0] + 0.587f * rgb[1] + 0.114f * rgb[2];
}

/* n: the factors of brightness, contrast and saturation, the shift of the hue, the order as digits of base 4, and, once it is known,
 * the mean grey of the picture that contrast is measured from. */
static inline void color_jitter_draw(struct augment_stream *s, const double (*arg)[2], int height, int width, float *n)
{
    int order[4] = {0, 1, 2, 3}, code = 0;
    (void)height, (void)width;
    for (int i = 3; i > 0; i--) {
        const int k = augment_below(s, i + 1), kept = order[i];
        order[i] = order[k];
        order[k] = kept;
    }
    for (int i = 3; i >= 0; i--)
        code = code * 4 + order[i];
    for (int i = 0; i < 3; i++)
        n[i] = (float)augment_between(s, arg[i][0] < 1 ? 1 - arg[i][0] : 0, 1 + arg[i][0]);
    n[3] = (float)augment_between(s, -arg[3][0], arg[3][0]);
    n[4] = (float)code;
    n[AUGMENT_MEAN] = 0;
}

/* A. R. Smith, "Color gamut transform pairs", SIGGRAPH 1978. */
static inline void color_jitter_hue(float shift, float *rgb)
{
    const float r = rgb[0], g = rgb[1], b = rgb[2];
    const float most = r > g   ? (r > b ? r : b)
                       : g > b ? g
                               : b,
                least = r < g   ? (r < b ? r : b)
                        : g < b ? g
                                : b,
                range = most - least;
    if (!(range > 0))
        return;
    float h = most == r ? (g - b) / range : most == g ? 2 + (b - r) / range : 4 + (r - g) / range;
    h = h / 6 + shift + 2;
    h = (h - (float)(int)h) * 6;
    const int i = (int)h < 6 ? (int)h : 0;
    const float f = h - (float)(int)h, q = most - range * f, t = most - range * (1 - f);
    rgb[0] = i == 0 || i == 5 ? most : i == 1 ? q : i == 4 ? t : least;
    rgb[1] = i == 1 || i == 2 ? most : i == 3 ? q : i == 0 ? t : least;
    rgb[2] = i == 3 || i == 4 ? most : i == 5 ? q : i == 2 ? t : least;
}

/* Up to the change of contrast, which needs the mean of what those before it make, or with it and the rest. */
static inline void color_jitter_part(const float *n, float top, float *rgb, int whole)
{
    const int grey = rgb[1] < 0;
    for (int i = 0; i < 4; i++) {
        const int change = (int)n[4] >> 2 * i & 3;
        const float factor = change == 0 ? n[0] : change == 1 ? n[1] : n[2];
        if (change == 1 && !whole)
            return;
        if (change == 3) {
            if (!grey && n[3] != 0)
                color_jitter_hue(n[3], rgb);
            continue;
        }
        const float to = change == 0 ? 0 : change == 1 ? n[AUGMENT_MEAN] : augment_grey(rgb);
        for (int c = 0; c < (grey ? 1 : 3); c++)
            rgb[c] = augment_cut(factor * rgb[c] + (1 - factor) * to, top);
    }
}

static inline void color_jitter_colour(const float *n, float top, float *rgb)
{
    color_jitter_part(n, top, rgb, 1);
}

/* The grey of a pixel there. */
static inline float color_jitter_before(const float *n, float top, float *rgb)
{
    color_jitter_part(n, top, rgb, 0);
    return augment_grey(rgb);
}

#endif
