/* metrics.c: what the counts of a test set say. */
#include "tell.h"

#include <math.h>

struct interval wilson(int64_t correct, int64_t n)
{
    const double z = 1.959963984540054; /* 97.5 % quantile of the normal distribution */
    double p = (double)correct / (double)n, z2n = z * z / (double)n;
    double centre = (p + z2n / 2) / (1 + z2n);
    double half = z * sqrt(p * (1 - p) / (double)n + z2n / (4 * (double)n)) / (1 + z2n);
    /* At the ends one bound is the proportion itself; rounding must not move it past. */
    return (struct interval){correct == 0 ? 0 : centre - half, correct == n ? 1 : centre + half};
}

int64_t largest(const float *value, int64_t n)
{
    int64_t best = 0;
    for (int64_t i = 1; i < n && !isnan(value[best]); i++)
        if (!(value[i] <= value[best]))
            best = i;
    return best;
}

void softmax(const float *logit, double *probability, int64_t n)
{
    double top = logit[largest(logit, n)], sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += probability[i] = exp(logit[i] - top);
    for (int64_t i = 0; i < n; i++)
        probability[i] /= sum;
}
