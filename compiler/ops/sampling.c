/* sampling.c: how training draws the samples of an epoch, as torch.utils.data.WeightedRandomSampler with replacement: with a chance
 * that goes by what each weighs. */
#include "graph/graph.h"

static double balanced(const double *num, int n, int64_t c, int64_t of)
{
    (void)num, (void)n, (void)c;
    return of > 0 ? 1 / (double)of : 0;
}

static double weighted(const double *num, int n, int64_t c, int64_t of)
{
    (void)of;
    return c < n ? num[c] : 0;
}

/* clang-format off */
static const struct word word[] = {
    {.kind = WORD_SAMPLING, .name = "balanced", .doc = "of each class as many, on average", .weighs = balanced},
    {.kind = WORD_SAMPLING, .name = "weighted", .doc = "samples of each class by its weight", .weighs = weighted,
     .arg = {{.name = "weights", .help = "of classes: how often a sample of each comes", .type = ARG_CLASSES, .required = true, .min = 1e-6, .max = 1e6}}},
};
/* clang-format on */

const struct module module_sampling = {NULL, 0, word, COUNT(word)};
