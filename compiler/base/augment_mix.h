/* augment_mix.h: the augmentations of two samples. Behind augment.h, which says what their functions are; kernels hold this very text,
 * too. */
#ifndef AUGMENT_MIX_H
#define AUGMENT_MIX_H

#include "augment.h"

/* ---- Mixup(alpha, p), CutMix(alpha, p): with the sample before it in its 16 of the batch, each as the words before make it ---- */

#define AUGMENT_BLOCK 16 /* samples; batches in parts are cut between them */

/* The row before, of so many; before the first of 16 comes the last of them. */
static inline int64_t augment_partner(int64_t row, int64_t rows)
{
    const int64_t first = row / AUGMENT_BLOCK * AUGMENT_BLOCK,
                  n = rows - first < AUGMENT_BLOCK ? rows - first : AUGMENT_BLOCK;
    return first + (row - first + n - 1) % n;
}

/* The logarithm of a number uniform in (0, 1). */
static inline double augment_log_unit(struct augment_stream *s)
{
    double x = ((double)augment_word(s) + 0.5) * 0x1p-32;
    int halved = 0;
    for (; x < 0.5; halved++)
        x *= 2;
    return augment_log(x) - halved * 0.69314718055994531;
}

/* Beta(alpha, alpha): M. D. Johnk, "Erzeugung von betaverteilten und gammaverteilten Zufallszahlen", Metrika 8, 1964. */
static inline double augment_beta(struct augment_stream *s, double alpha)
{
    if (alpha == 1)
        return augment_between(s, 0, 1);
    for (int i = 0; i < 1000; i++) {
        double x = augment_log_unit(s) / alpha, y = augment_log_unit(s) / alpha, by = y - x;
        x = augment_exp(x < -32 ? -32 : x);
        y = augment_exp(y < -32 ? -32 : y);
        by = by < -32 ? -32 : by > 32 ? 32 : by;
        if (x + y <= 1)
            return 1 / (1 + augment_exp(by));
    }
    return 0.5;
}

/* H. Zhang et al., "mixup: Beyond empirical risk minimization", ICLR 2018. */
static inline void mixup_draw(struct augment_stream *s, const double (*arg)[2], int height, int width, float *n)
{
    (void)height, (void)width;
    n[0] = augment_chance(s, arg[1][0]) ? (float)augment_beta(s, arg[0][0]) : 1;
}

static inline float mixup_mix(const float *n, int y, int x, float v, float w)
{
    (void)y, (void)x;
    return n[0] * v + (1 - n[0]) * w;
}

/* S. Yun et al., "CutMix: Regularization strategy to train strong classifiers with localizable features", ICCV 2019: a box of the
 * other, from row n[1] to n[2] and column n[3] to n[4]. */
static inline void cut_mix_draw(struct augment_stream *s, const double (*arg)[2], int height, int width, float *n)
{
    const int mixed = augment_chance(s, arg[1][0]);
    const int x = augment_below(s, width), y = augment_below(s, height);
    const double half = 0.5 * BUILTIN(sqrt)(1 - (mixed ? augment_beta(s, arg[0][0]) : 1));
    const int across = (int)(half * width), down = (int)(half * height);
    n[1] = (float)(y - down < 0 ? 0 : y - down);
    n[2] = (float)(y + down > height ? height : y + down);
    n[3] = (float)(x - across < 0 ? 0 : x - across);
    n[4] = (float)(x + across > width ? width : x + across);
    n[0] = 1 - (n[2] - n[1]) * (n[4] - n[3]) / ((float)height * (float)width);
}

static inline float cut_mix_mix(const float *n, int y, int x, float v, float w)
{
    return y >= (int)n[1] && y < (int)n[2] && x >= (int)n[3] && x < (int)n[4] ? w : v;
}

#endif
