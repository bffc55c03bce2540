/* pictures.c: transforms that take pictures to the size and colours of the network's input, once, when they are read. */
#include "graph/word.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int64_t second(const double *num)
{
    return (int64_t)(num[1] > 0 ? num[1] : num[0]);
}

/* ---- Resize: bilinear, over all pixels that a smaller picture's pixel covers. Pillow's arithmetic: J. Thyssen's and A. Karpinskiy's
 * separable convolution in 22 bits, columns first. https://github.com/python-pillow/Pillow, src/libImaging/Resample.c ---- */

enum { BITS = 22 };

struct side { /* of one output row or column: `n` weights from input row or column `first` on */
    int64_t first, n;
    int32_t *weight;
};

static void weigh(struct side *s, int64_t at, int64_t from, double scale, double reach)
{
    double centre = ((double)at + 0.5) * scale, sum = 0;
    int64_t first = (int64_t)(centre - reach + 0.5), end = (int64_t)(centre + reach + 0.5);
    s->first = first < 0 ? 0 : first;
    s->n = (end > from ? from : end) - s->first;
    for (int pass = 0; pass < 2; pass++) /* the sum first */
        for (int64_t i = 0; i < s->n; i++) {
            double w = fmax(0, 1 - fabs(((double)(i + s->first) - centre + 0.5) / reach));
            if (pass)
                s->weight[i] = (int32_t)(0.5 + w / sum * (1 << BITS));
            else
                sum += w;
        }
}

/* NULL: no memory. One block, which the first row of weights begins. */
static struct side *sides(int64_t from, int64_t to)
{
    double scale = (double)from / (double)to, reach = scale < 1 ? 1 : scale;
    size_t most = (size_t)ceil(reach) * 2 + 1;
    struct side *s = malloc((size_t)to * (sizeof *s + most * sizeof *s->weight));
    int32_t *weight = s ? (int32_t *)(void *)(s + to) : NULL;
    for (int64_t i = 0; s && i < to; i++, weight += most) {
        s[i].weight = weight;
        weigh(&s[i], i, from, scale, reach);
    }
    return s;
}

static unsigned char weighted(const unsigned char *from, int64_t step, const struct side *s)
{
    int32_t sum = 1 << (BITS - 1);
    for (int64_t i = 0; i < s->n; i++)
        sum += s->weight[i] * from[(s->first + i) * step];
    sum >>= BITS;
    return (unsigned char)(sum > 255 ? 255 : sum);
}

static bool squeeze(const struct pixels *from, struct pixels *to, unsigned char *between)
{
    struct side *column = sides(from->width, to->width), *row = sides(from->height, to->height);
    const int64_t n = from->channels, stride = to->width * n;
    for (int64_t y = 0; column && row && y < from->height; y++)
        for (int64_t e = 0; e < stride; e++)
            between[y * stride + e] = weighted(from->at + y * from->width * n + e % n, n, &column[e / n]);
    for (int64_t y = 0; column && row && y < to->height; y++)
        for (int64_t e = 0; e < stride; e++)
            to->at[y * stride + e] = weighted(between + e, stride, &row[y]);
    bool ok = column && row;
    free(column);
    free(row);
    return ok;
}

/* Of a mask the pixel in which the centre lies, as Pillow's NEAREST. */
static void pick(const struct pixels *from, struct pixels *to)
{
    const double down = (double)from->height / (double)to->height, right = (double)from->width / (double)to->width;
    for (int64_t y = 0; y < to->height; y++)
        for (int64_t x = 0; x < to->width; x++)
            to->at[y * to->width + x] =
                from->at[(int64_t)(((double)y + 0.5) * down) * from->width + (int64_t)(((double)x + 0.5) * right)];
}

static bool resize(const double *num, const struct pixels *from, struct pixels *to)
{
    (void)num;
    if (from->mask) {
        pick(from, to);
        return true;
    }
    unsigned char *between = malloc((size_t)(from->height * to->width * from->channels));
    bool ok = between && squeeze(from, to, between);
    free(between);
    return ok;
}

/* Two numbers are height and width; one is the shorter side, and the other keeps the proportion, as in torchvision. */
static const char *resized(const double *num, struct pixels *p)
{
    int64_t size = (int64_t)num[0], height = p->height, width = p->width;
    if (num[1] > 0) {
        p->height = size;
        p->width = (int64_t)num[1];
    } else if (height > 0) {
        p->height = height <= width ? size : (int64_t)((double)size * (double)height / (double)width);
        p->width = height <= width ? (int64_t)((double)size * (double)width / (double)height) : size;
    }
    return p->height * p->width <= PIXELS_MOST && height * p->width <= PIXELS_MOST ? NULL : "is too long for Resize";
}

/* ---- CenterCrop: as in torchvision, halves to even; but nothing is added to what is smaller ---- */

static const char *cropped(const double *num, struct pixels *p)
{
    int64_t height = (int64_t)num[0], width = second(num);
    const char *why = p->height > 0 && (p->height < height || p->width < width)
                          ? "is smaller than CenterCrop leaves: put Resize before it"
                          : NULL;
    p->height = height;
    p->width = width;
    return why;
}

static bool crop(const double *num, const struct pixels *from, struct pixels *to)
{
    (void)num;
    int64_t top = (int64_t)rint((double)(from->height - to->height) / 2), n = from->channels;
    int64_t left = (int64_t)rint((double)(from->width - to->width) / 2);
    for (int64_t y = 0; y < to->height; y++)
        memcpy(to->at + y * to->width * n, from->at + ((top + y) * from->width + left) * n, (size_t)(to->width * n));
    return true;
}

/* ---- Gray, Color ---- */

static const char *one_channel(const double *num, struct pixels *p)
{
    (void)num;
    p->channels = 1; /* which a mask has anyway */
    return NULL;
}

static const char *three_channels(const double *num, struct pixels *p)
{
    (void)num;
    p->channels = p->mask ? 1 : 3;
    return NULL;
}

static bool recolour(const double *num, const struct pixels *from, struct pixels *to)
{
    (void)num;
    for (int64_t i = 0; i < to->height * to->width; i++) {
        const unsigned char *p = from->at + i * from->channels;
        for (int c = 0; c < to->channels; c++)
            to->at[i * to->channels + c] = from->channels == to->channels ? p[c]
                                           : to->channels == 1            ? pixels_grey(p)
                                                                          : p[0];
    }
    return true;
}

/* clang-format off */
#define SIDE .type = ARG_INT, .max = 65535
static const struct word word[] = {
    {.kind = WORD_TRANSFORM, .name = "Resize", .doc = "height and width, or the shorter side", .sized = resized, .picture = resize,
     .arg = {{.name = "height", .help = "pixels; alone: of the shorter side", .required = true, .min = 1, SIDE},
             {.name = "width", .help = "pixels; 0: in proportion", SIDE}}},
    {.kind = WORD_TRANSFORM, .name = "CenterCrop", .doc = "what lies in the middle", .sized = cropped, .picture = crop,
     .arg = {{.name = "height", .help = "pixels", .required = true, .min = 1, SIDE},
             {.name = "width", .help = "pixels; 0: as many", SIDE}}},
    {.kind = WORD_TRANSFORM, .name = "Gray", .doc = "colour to grey", .sized = one_channel, .picture = recolour},
    {.kind = WORD_TRANSFORM, .name = "Color", .doc = "grey to red, green and blue", .sized = three_channels, .picture = recolour},
};
/* clang-format on */

const struct module module_pictures = {NULL, 0, word, COUNT(word)};
