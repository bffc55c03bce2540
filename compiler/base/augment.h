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
 *     NAME_taps(n, height, width, y, x)              the four pixels between which it lies
 *     NAME_value(s, n, top, e, y, x, v)              what becomes of v, element e of the sample; values range from 0 to top
 *     NAME_mix(n, y, x, v, w)                        what becomes of v and of the other sample's w: the last word alone; the share
 *                                                    of v in all is n[0]
 *     NAME_colour(n, top, rgb)                       what becomes of a pixel's red, green and blue, or of its grey: rgb[1], rgb[2] < 0
 *
 * All are total: whatever the arguments are within their ranges, nothing outside the picture is read. Formulas are torchvision's. */
#ifndef AUGMENT_H
#define AUGMENT_H

#include "philox.h"

/* With the word's place in its list, 0 .. 255, on top: no layer's index is as large, and SHUFFLE_STREAM is another. */
#define AUGMENT_STREAM 0x41554700u
#define AUGMENT_NUMBERS 8
#define AUGMENT_MEAN 7 /* the place of a mean over the picture, which is not drawn */

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

static inline float erase_value(const struct augment_stream *s, const float *n, float top, int e, int y, int x, float v)
{
    (void)s, (void)e;
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

static inline float cutout_value(const struct augment_stream *s, const float *n, float top, int e, int y, int x,
                                 float v)
{
    return erase_value(s, n, top, e, y, x, v);
}

/* ---- what lies between pixels ---- */

/* Rows y[0], y[1] and columns x[0], x[1]; the second ones have these weights. What of them lies outside the picture is black, and
 * the sum is multiplied by the weight of what lies inside, as torchvision does where it fills with black. */
struct augment_taps {
    int y[2], x[2];
    float down, right;
};

/* Of pixel (y[k / 2], x[k % 2]). */
static inline float augment_weight(const struct augment_taps *t, int k)
{
    return (k & 2 ? t->down : 1 - t->down) * (k & 1 ? t->right : 1 - t->right);
}

static inline void augment_tap(float at, int at_index[2], float *weight)
{
    const int low = (int)(at + 4) - 4; /* the floor, from -4 on */
    at_index[0] = low;
    at_index[1] = low + 1;
    *weight = at - (float)low;
}

/* ---- RandomRotate(degrees): around the middle, black comes in ---- */

/* Of an angle of up to 2 pi: series for x / 32, doubled five times. */
static inline void augment_turn(double x, float *cosine, float *sine)
{
    double c = 1, s = 1, t = x / 32 * (x / 32);
    for (int i = 12; i > 0; i -= 2) {
        c = 1 - t / (i * (i - 1)) * c;
        s = 1 - t / (i * (i + 1)) * s;
    }
    s *= x / 32;
    for (int i = 0; i < 5; i++) {
        const double two = 2 * s * c;
        c = 1 - 2 * s * s;
        s = two;
    }
    *cosine = (float)c;
    *sine = (float)s;
}

static inline void random_rotate_draw(struct augment_stream *s, const double (*arg)[2], int height, int width, float *n)
{
    (void)height, (void)width;
    n[2] = (float)augment_between(s, -arg[0][0], arg[0][0]);
    augment_turn((double)n[2] * 0.017453292519943295, &n[0], &n[1]);
}

static inline struct augment_taps random_rotate_taps(const float *n, int height, int width, int y, int x)
{
    const float middle_y = (float)(height - 1) / 2, middle_x = (float)(width - 1) / 2;
    const float v = (float)y - middle_y, u = (float)x - middle_x;
    float at_y = n[1] * u + n[0] * v + middle_y, at_x = n[0] * u - n[1] * v + middle_x;
    struct augment_taps t;
    at_y = at_y < -2 ? -2 : at_y; /* all of it is outside */
    at_x = at_x < -2 ? -2 : at_x;
    augment_tap(at_y, t.y, &t.down);
    augment_tap(at_x, t.x, &t.right);
    return t;
}

/* ---- RandomResizedCrop(scale, ratio): a part, brought to the picture's size ---- */

/* C. Szegedy et al., "Going deeper with convolutions", CVPR 2015. As Erase draws, but the ratio is of width to height, and what does
 * not fit ten times is the middle, of the nearest ratio. */
static inline void random_resized_crop_draw(struct augment_stream *s, const double (*arg)[2], int height, int width,
                                            float *n)
{
    const double low = augment_log(arg[1][0]), high = augment_log(arg[1][1]), is = (double)width / height;
    for (int i = 0; i < 10; i++) {
        const double area = (double)height * width * augment_between(s, arg[0][0], arg[0][1]);
        const double aspect = augment_exp(augment_between(s, low, high));
        const int w = (int)(BUILTIN(sqrt)(area * aspect) + 0.5), h = (int)(BUILTIN(sqrt)(area / aspect) + 0.5);
        if (w < 1 || w > width || h < 1 || h > height)
            continue;
        n[0] = (float)augment_below(s, height - h + 1);
        n[1] = (float)augment_below(s, width - w + 1);
        n[2] = (float)h;
        n[3] = (float)w;
        return;
    }
    int h = is < arg[1][0] ? (int)(width / arg[1][0] + 0.5) : height,
        w = is > arg[1][1] ? (int)(height * arg[1][1] + 0.5) : width;
    h = h < 1 ? 1 : h > height ? height : h;
    w = w < 1 ? 1 : w > width ? width : w;
    n[0] = (float)((height - h) / 2);
    n[1] = (float)((width - w) / 2);
    n[2] = (float)h;
    n[3] = (float)w;
}

static inline void augment_stretch(float at, float from, float size, int tap[2], float *weight)
{
    augment_tap(at < 0 ? 0 : at, tap, weight);
    tap[0] = (int)from + (tap[0] < (int)size ? tap[0] : (int)size - 1);
    tap[1] = (int)from + (tap[1] < (int)size ? tap[1] : (int)size - 1);
}

static inline struct augment_taps random_resized_crop_taps(const float *n, int height, int width, int y, int x)
{
    struct augment_taps t;
    augment_stretch(((float)y + 0.5f) * (n[2] / (float)height) - 0.5f, n[0], n[2], t.y, &t.down);
    augment_stretch(((float)x + 0.5f) * (n[3] / (float)width) - 0.5f, n[1], n[3], t.x, &t.right);
    return t;
}

/* ---- Noise(std): normal, of this share of the range; what leaves the range is cut ---- */

static inline void noise_draw(struct augment_stream *s, const double (*arg)[2], int height, int width, float *n)
{
    (void)s, (void)height, (void)width;
    n[0] = (float)arg[0][0];
}

/* G. E. P. Box, M. E. Muller, "A note on the generation of random normal deviates", 1958: of words 0 and 1, or 2 and 3, of block
 * e / 4 for elements e and e + 1. */
static inline float noise_value(const struct augment_stream *s, const float *n, float top, int e, int y, int x, float v)
{
    const uint32_t counter[4] = {(uint32_t)e / 4, s->id.position, s->id.epoch, s->stream};
    uint32_t word[4];
    (void)y, (void)x;
    philox4x32(counter, s->id.key, word);
    const float radius = ((float)(((e & 2) ? word[2] : word[0]) >> 8) + 1) * 0x1p-24f;
    const float angle = (float)(((e & 2) ? word[3] : word[1]) >> 8) * 0x1p-24f * 6.28318531f;
    v += n[0] * top * BUILTIN(sqrtf)(-2 * BUILTIN(logf)(radius)) *
         ((e & 1) ? BUILTIN(sinf)(angle) : BUILTIN(cosf)(angle));
    return v < 0 ? 0 : v > top ? top : v;
}

#endif
