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
    return n == 1 ? 1 : c < n ? num[c] : 0;
}

static bool some(struct site *s, const struct args *a, struct value *const *x, int nx)
{
    (void)x, (void)nx;
    bool any = false;
    for (int i = 0; i < a->count[0]; i++)
        any |= a->num[0][i] > 0;
    if (!any)
        diag_error(s->diag, "N0404", a->loc[0], NULL, "`weights` of `weighted` are all 0: no sample can be drawn");
    return any;
}

/* clang-format off */
static const struct word word[] = {
    {.kind = WORD_SAMPLING, .name = "balanced", .doc = "of each class as many, on average", .weighs = balanced},
    {.kind = WORD_SAMPLING, .name = "weighted", .doc = "samples of each class by its weight", .weighs = weighted, .check = some,
     .arg = {{.name = "weights", .help = "of classes: how often a sample of each comes", .type = ARG_CLASSES, .required = true, .max = 1e6}}},
};
/* clang-format on */

const struct module module_sampling = {NULL, 0, word, COUNT(word)};
