/* recipe.c: words of the data and train blocks that need no kernel of their own: rules to save and to stop, and transforms, which the kernel that reads the samples applies. */
#include "graph/graph.h"

#include <math.h>

static void scale(const double *num, double *scale, double *shift)
{
    *scale *= num[0];
    *shift *= num[0];
}

static void normalize(const double *num, double *scale, double *shift)
{
    *scale /= num[1];
    *shift = (*shift - num[0]) / num[1];
}

/* num: mean and deviation of v. Those of scale v + shift are scale mean + shift and |scale| deviation. */
static void standardize(const double *num, double *scale, double *shift)
{
    const double sign = *scale > 0 ? 1 : *scale < 0 ? -1 : 0;
    *scale = sign / num[1];
    *shift = -sign * num[0] / num[1];
}

static bool more(const double *num, double merit, double best)
{
    (void)num;
    return merit > best;
}

static bool clearly_more(const double *num, double merit, double best)
{
    return merit - num[1] > best;
}

static bool out_of_patience(const double *num, int64_t epochs)
{
    return epochs >= (int64_t)num[0];
}

/* clang-format off */
static const struct word word[] = {
    {.kind = WORD_TRANSFORM, .name = "Scale", .doc = "x * factor", .affine = scale,
     .arg = {{.name = "factor", .help = "1/255 brings bytes to 0..1", .type = ARG_NUMBER, .required = true}}},
    {.kind = WORD_TRANSFORM, .name = "Normalize", .doc = "(x - mean) / std", .affine = normalize,
     .arg = {{.name = "mean", .help = "a number, or one a channel", .type = ARG_NUMBERS, .required = true},
             {.name = "std", .help = "a number, or one a channel", .type = ARG_NUMBERS, .required = true, .min = 1e-12, .max = 1e12}}},
    {.kind = WORD_TRANSFORM, .name = "Standardize", .doc = "(x - mean) / deviation, of each channel of the training set", .affine = standardize, .learns = true},
    {.kind = WORD_SAVE, .name = "best", .doc = "the weights of the epoch that was best", .better = more,
     .arg = {{.name = "measure", .help = "`loss` or a metric", .type = ARG_MEASURE}}},
    {.kind = WORD_STOP, .name = "patience", .doc = "after so many epochs without an improvement", .better = clearly_more,
     .enough = out_of_patience, .bare = 1, .bare_help = "for example `patience(5, min_delta = 0.1%)`",
     .arg = {{.name = "epochs", .help = "without an improvement", .type = ARG_INT, .required = true, .min = 1, .max = 1e6},
             {.name = "min_delta", .help = "less is no improvement", .type = ARG_NUMBER, .min = 0, .max = 1e9},
             {.name = "measure", .help = "`loss` or a metric; that of `save`", .type = ARG_MEASURE}}},
};
/* clang-format on */

const struct module module_recipe = {NULL, 0, word, COUNT(word)};
