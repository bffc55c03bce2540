/* class_metrics.c: metrics made of three counts for each class, one after the other: samples, or places of masks, of the class that were
 * taken for it, that were taken for it, and that are of it. */
#include "word.h"

#include <math.h>

/* Mean over the classes that count of `of` their three counts; NaN: none does. */
static double class_mean(const double *t, int64_t size, double (*of)(double right, double said, double there))
{
    const int64_t K = size / 3;
    double sum = 0, classes = 0;
    for (int64_t k = 0; k < K; k++) {
        const double each = of(t[k], t[K + k], t[2 * K + k]);
        sum += isnan(each) ? 0 : each;
        classes += !isnan(each);
    }
    return sum / classes;
}

/* NaN: neither truth nor answer of any sample. */
static double f1_of(double right, double said, double there)
{
    return 2 * right / (said + there);
}

static double recall_of(double right, double said, double there)
{
    (void)said;
    return right / there;
}

static double overlap_of(double right, double said, double there)
{
    return right / (said + there - right);
}

double counted_f1(const double *t, int64_t size, double n)
{
    (void)n;
    return class_mean(t, size, f1_of);
}

double counted_recall(const double *t, int64_t size, double n)
{
    (void)n;
    return class_mean(t, size, recall_of);
}

double counted_overlap(const double *t, int64_t size, double n)
{
    (void)n;
    return class_mean(t, size, overlap_of);
}

/* Of all places; of samples with one class the same as Accuracy. */
double counted_right(const double *t, int64_t size, double n)
{
    double right = 0, there = 0;
    (void)n;
    for (int64_t k = 0; k < size / 3; k++) {
        right += t[k];
        there += t[2 * (size / 3) + k];
    }
    return right / there;
}
