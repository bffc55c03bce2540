/* confusion.c: counting. */
#include "confusion.h"

#include <math.h>
#include <stdlib.h>

static double share(int64_t part, int64_t whole)
{
    return whole > 0 ? (double)part / (double)whole : NAN;
}

double class_precision(const struct class_count *c)
{
    return share(c->right, c->predicted);
}

double class_recall(const struct class_count *c)
{
    return share(c->right, c->samples);
}

double class_f1(const struct class_count *c)
{
    return share(2 * c->right, c->samples + c->predicted);
}

static int compare(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

static int by_class(const void *left, const void *right)
{
    const struct class_pair *a = left, *b = right;
    int order = compare(a->truth, b->truth);
    return order ? order : compare(a->predicted, b->predicted);
}

static int by_number(const void *left, const void *right)
{
    const struct class_pair *a = left, *b = right;
    int order = compare(b->n, a->n);
    return order ? order : by_class(left, right);
}

bool confusion_count(struct confusion *c)
{
    int64_t n = 0, pairs = 0;
    c->lost = c->pairs = 0;
    c->count = calloc((size_t)c->classes + 1, sizeof *c->count);
    c->pair = calloc((size_t)c->n + 1, sizeof *c->pair);
    if (!c->count || !c->pair) {
        confusion_free(c);
        return false;
    }
    for (int64_t i = 0; i < c->n; i++) {
        int32_t truth = c->truth[i], predicted = c->predicted[i];
        c->count[truth].samples++;
        c->count[truth].right += predicted == truth;
        c->lost += predicted < 0;
        if (predicted >= 0)
            c->count[predicted].predicted++;
        if (predicted != truth)
            c->pair[n++] = (struct class_pair){truth, predicted, 1};
    }
    qsort(c->pair, (size_t)n, sizeof *c->pair, by_class);
    for (int64_t i = 0; i < n; i++)
        if (pairs > 0 && by_class(&c->pair[pairs - 1], &c->pair[i]) == 0)
            c->pair[pairs - 1].n++;
        else
            c->pair[pairs++] = c->pair[i];
    qsort(c->pair, (size_t)pairs, sizeof *c->pair, by_number);
    c->pairs = pairs;
    return true;
}

void confusion_free(struct confusion *c)
{
    free(c->count);
    free(c->pair);
    c->count = NULL;
    c->pair = NULL;
}

static double or_zero(double value)
{
    return isnan(value) ? 0 : value;
}

void confusion_means(const struct confusion *c, double *precision, double *recall, double *f1)
{
    int64_t seen = 0;
    *precision = *recall = *f1 = 0;
    for (const struct class_count *k = c->count; k < c->count + c->classes; k++) {
        if (k->samples + k->predicted == 0)
            continue;
        seen++;
        *precision += or_zero(class_precision(k));
        *recall += or_zero(class_recall(k));
        *f1 += or_zero(class_f1(k));
    }
    *precision /= (double)seen;
    *recall /= (double)seen;
    *f1 /= (double)seen;
}
