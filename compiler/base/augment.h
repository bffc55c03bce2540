/* augment.h: what training makes of a picture before it sees it, as a pure function of the seed, the epoch and the sample's position
 * in the epoch, whose order is one of seed and epoch as well.
 *
 * Self-contained C: emitted kernels hold this very text, so host and kernels draw the same numbers and make the same pixels. Word i
 * of a list draws, for each sample, numbers from the words of philox4x32(counter = (k, position, epoch, AUGMENT_STREAM + i), key =
 * seed) for k = 0, 1, ..., four each, in order; in double, of +, -, *, / and sqrt alone, that no two compilers round a rectangle to
 * other pixels. For each word NAME of the language
 *
 *     NAME_draw(stream, arg, height, width, n)       puts up to AUGMENT_NUMBERS numbers for one sample; arg[i] is argument i
 *
 * and one that makes a pixel of what the words before it have made:
 *
 *     NAME_place(n, height, width, &y, &x)           puts the place from which pixel (y, x) comes; outside is black
 *     NAME_value(id, n, top, y, x, v)                what becomes of the value v there; values range from 0 to top
 *
 * All are total: whatever the arguments are within their ranges, nothing outside the picture is read. Formulas are torchvision's. */
#ifndef AUGMENT_H
#define AUGMENT_H

#include "philox.h"

/* With the word's place in its list, 0 .. 255, on top: no layer's index is as large, and SHUFFLE_STREAM is another. */
#define AUGMENT_STREAM 0x41554700u
#define AUGMENT_NUMBERS 8

#ifdef __CUDACC__
#define BUILTIN(f) f
#else
#define BUILTIN(f) __builtin_##f
#endif

struct augment_id {
    uint32_t key[2], position, epoch;
};

struct augment_stream {
    struct augment_id id;
    uint32_t stream, drawn, word[4];
};

static inline struct augment_stream augment_stream(const struct augment_id *id, int word)
{
    struct augment_stream s = {*id, AUGMENT_STREAM + (uint32_t)word, 0, {0, 0, 0, 0}};
    return s;
}

static inline uint32_t augment_word(struct augment_stream *s)
{
    const uint32_t i = s->drawn++ % 4;
    if (i == 0) {
        const uint32_t counter[4] = {s->drawn / 4, s->id.position, s->id.epoch, s->stream};
        philox4x32(counter, s->id.key, s->word);
    }
    return i == 0 ? s->word[0] : i == 1 ? s->word[1] : i == 2 ? s->word[2] : s->word[3];
}

/* Uniform in [low, high). */
static inline double augment_between(struct augment_stream *s, double low, double high)
{
    return low + (high - low) * (augment_word(s) * 0x1p-32);
}

/* Uniform among 0 .. n - 1. */
static inline int augment_below(struct augment_stream *s, int n)
{
    return (int)((uint64_t)augment_word(s) * (uint32_t)n >> 32);
}

static inline int augment_chance(struct augment_stream *s, double p)
{
    return augment_between(s, 0, 1) < p;
}

/* e^x for |x| <= 32: a series for x / 64, squared six times. */
static inline double augment_exp(double x)
{
    double y = 1;
    for (int i = 9; i > 0; i--)
        y = 1 + x / 64 * y / i;
    for (int i = 0; i < 6; i++)
        y *= y;
    return y;
}

/* ln x for 1e-4 <= x <= 1e4, by Halley's rule. */
static inline double augment_log(double x)
{
    double y = 0;
    for (int i = 0; i < 12; i++) {
        const double e = augment_exp(y);
        y += 2 * (x - e) / (x + e);
    }
    return y;
}

static inline int augment_inside(int y, int x, int height, int width)
{
    return y >= 0 && y < height && x >= 0 && x < width;
}

/* ---- RandomCrop(pad, reflect): of a picture with `pad` pixels of black around it, or of itself mirrored ---- */

static inline void random_crop_draw(struct augment_stream *s, const double (*arg)[2], int height, int width, float *n)
{
    const int y = (int)arg[0][0], x = (int)arg[0][1];
    (void)height, (void)width;
    n[0] = (float)(augment_below(s, 2 * y + 1) - y);
    n[1] = (float)(augment_below(s, 2 * x + 1) - x);
    n[2] = (float)arg[1][0];
}

static inline int augment_mirrored(int i, int size)
{
    i = i < 0 ? -i : i >= size ? 2 * (size - 1) - i : i;
    return i < 0 ? 0 : i >= size ? size - 1 : i;
}

static inline void random_crop_place(const float *n, int height, int width, int *y, int *x)
{
    *y += (int)n[0];
    *x += (int)n[1];
    if (n[2] != 0) {
        *y = augment_mirrored(*y, height);
        *x = augment_mirrored(*x, width);
    }
}

/* ---- RandomFlip(p, vertical) ---- */

static inline void random_flip_draw(struct augment_stream *s, const double (*arg)[2], int height, int width, float *n)
{
    (void)height, (void)width;
    n[0] = augment_chance(s, arg[0][0]) ? (arg[1][0] != 0 ? 2 : 1) : 0;
}

static inline void random_flip_place(const float *n, int height, int width, int *y, int *x)
{
    *x = n[0] == 1 ? width - 1 - *x : *x;
    *y = n[0] == 2 ? height - 1 - *y : *y;
}

/* ---- RandomShift(height, width): by whole pixels, at most these shares of the picture; black comes in ---- */

static inline float random_shift_by(struct augment_stream *s, double most)
{
    const double by = augment_between(s, -most, most);
    return by < 0 ? -(float)(int)(0.5 - by) : (float)(int)(by + 0.5);
}

static inline void random_shift_draw(struct augment_stream *s, const double (*arg)[2], int height, int width, float *n)
{
    n[0] = random_shift_by(s, arg[0][0] * height);
    n[1] = random_shift_by(s, arg[1][0] * width);
}

static inline void random_shift_place(const float *n, int height, int width, int *y, int *x)
{
    (void)height, (void)width;
    *y -= (int)n[0];
    *x -= (int)n[1];
}

/* ---- Erase(p, scale, ratio, fill), Cutout(size, fill): n is top, left, height and width of a rectangle, and what fills it ---- */

/* Z. Zhong et al., "Random erasing data augmentation", AAAI 2020: ten times a rectangle of a share of the area and a ratio of height
 * to width is drawn; the first that is smaller than the picture is erased. */
static inline void erase_draw(struct augment_stream *s, const double (*arg)[2], int height, int width, float *n)
{
    n[0] = n[1] = n[2] = n[3] = 0;
    n[4] = (float)arg[3][0];
    if (!augment_chance(s, arg[0][0]))
        return;
    const double low = augment_log(arg[2][0]), high = augment_log(arg[2][1]);
    for (int i = 0; i < 10; i++) {
        const double area = (double)height * width * augment_between(s, arg[1][0], arg[1][1]);
        const double aspect = augment_exp(augment_between(s, low, high));
        const int h = (int)(BUILTIN(sqrt)(area * aspect) + 0.5), w = (int)(BUILTIN(sqrt)(area / aspect) + 0.5);
        if (h >= height || w >= width)
            continue;
        n[0] = (float)augment_below(s, height - h + 1);
        n[1] = (float)augment_below(s, width - w + 1);
        n[2] = (float)h;
        n[3] = (float)w;
        return;
    }
}

static inline float erase_value(const struct augment_id *id, const float *n, float top, int y, int x, float v)
{
    (void)id;
    return y >= (int)n[0] && y < (int)(n[0] + n[2]) && x >= (int)n[1] && x < (int)(n[1] + n[3]) ? n[4] * top : v;
}

/* T. DeVries, G. W. Taylor, "Improved regularization of convolutional neural networks with cutout", 2017: a square around any
 * pixel, of which what lies outside the picture is lost. */
static inline void cutout_draw(struct augment_stream *s, const double (*arg)[2], int height, int width, float *n)
{
    const int size = (int)arg[0][0];
    n[0] = (float)(augment_below(s, height) - size / 2);
    n[1] = (float)(augment_below(s, width) - size / 2);
    n[2] = n[3] = (float)(size / 2 * 2);
    n[4] = (float)arg[1][0];
}

static inline float cutout_value(const struct augment_id *id, const float *n, float top, int y, int x, float v)
{
    return erase_value(id, n, top, y, x, v);
}

#endif
