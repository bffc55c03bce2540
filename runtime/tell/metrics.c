/* metrics.c: what counts and sums of a test set say. */
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

double result_value(const struct result *r, int m)
{
    const bool known = m < r->metrics && r->n > 0 && r->measured[m] != MEASURED_NOT;
    return !known ? NAN : r->measured[m] == MEASURED_SHARE ? (double)r->correct[m] / (double)r->n : r->number[m];
}

bool result_interval(const struct result *r, int m, struct interval *i)
{
    const bool share = m < r->metrics && r->n > 0 && r->measured[m] == MEASURED_SHARE;
    if (share)
        *i = wilson(r->correct[m], r->n);
    return share;
}

const char *metric_text(const char *metric, double value, int64_t n, char text[METRIC_TEXT])
{
    if (!metric_is_share(metric))
        return loss_text(value, text, METRIC_TEXT);
    snprintf(text, METRIC_TEXT, "%5.2f %%", 100 * value);
    if (n > 0) {
        const struct interval i = wilson((int64_t)llround(value * (double)n), n);
        snprintf(text, METRIC_TEXT, "%5.2f ± %.2f %%", 100 * value, 50 * (i.high - i.low));
    }
    return text;
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
