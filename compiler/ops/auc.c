/* auc.c: the area under the ROC curve. It depends on the order of all samples of a pass, so that the host needs what the network says
 * of each (ROLE_SCORES), and reads it where the network is tested; in training nobody does. scikit-learn's roc_auc_score, with
 * multi_class="ovr" for more than two classes. */
#include "graph/graph.h"

#include <math.h>
#include <stdlib.h>

static struct value *scores(struct site *s, const struct args *a, struct value *const *x, int nx)
{
    (void)a, (void)nx;
    if (phase_trains(s->graph->phase))
        return NULL;
    struct value *v = graph_op(s->graph, "relayout", NULL, x[0], NULL);
    v->t.role = ROLE_SCORES;
    v->t.name = region_copy(s->graph->region, "@scores");
    return v;
}

static int by_score(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    return (x->score > y->score) - (x->score < y->score);
}

/* log sum exp */
static double total_of(const float *value, int64_t K)
{
    double top = -INFINITY, sum = 0;
    for (int64_t i = 0; i < K; i++)
        top = value[i] <= top ? top : (double)value[i];
    for (int64_t i = 0; i < K; i++)
        sum += exp((double)value[i] - top);
    return top + log(sum);
}

/* log p / (1 - p) of class k by softmax: in the order of p, and apart where p itself is rounded to 1. */
static double log_odds(const float *value, int64_t K, int64_t k, double total)
{
    const double x = (double)value[k] - total, p = exp(x);
    double others = 0;
    if (p < 0.5)
        return x - log1p(-p);
    for (int64_t i = 0; i < K; i++)
        others += i != k ? exp((double)value[i] - (double)value[k]) : 0;
    return -log(others);
}

/* The share of pairs, one of class k and one of another, whose scores are in the right order; equals are half right. NaN: no pair. */
static double auc_of(const struct scores *s, int64_t k)
{
    double ranks = 0, is = 0;
    for (int64_t i = 0; i < s->n; i++) {
        s->room[i] = (struct ranked){log_odds(s->value + i * s->stride, s->classes, k, s->total[i]), s->class[i] == k};
        if (isnan(s->room[i].score))
            return NAN;
    }
    qsort(s->room, (size_t)s->n, sizeof *s->room, by_score);
    for (int64_t i = 0, end; i < s->n; i = end) {
        for (end = i + 1; end < s->n && s->room[end].score == s->room[i].score;)
            end++;
        for (int64_t e = i; e < end; e++) {
            ranks += s->room[e].is ? (double)(i + end + 1) / 2 : 0;
            is += s->room[e].is;
        }
    }
    return (ranks - is * (is + 1) / 2) / (is * ((double)s->n - is));
}

/* Of two classes that of the second; else the mean over the classes that some sample is of. */
static double auc(const struct scores *s)
{
    double sum = 0, classes = 0;
    for (int64_t i = 0; i < s->n; i++)
        s->total[i] = total_of(s->value + i * s->stride, s->classes);
    for (int64_t k = s->classes == 2; k < s->classes; k++) {
        bool there = false;
        for (int64_t i = 0; i < s->n && !there; i++)
            there = s->class[i] == k;
        sum += there ? auc_of(s, k) : 0;
        classes += there;
    }
    return sum / classes;
}

/* clang-format off */
static const struct word word[] = {
    {.kind = WORD_METRIC, .name = "AUC", .doc = "area under the ROC curve, of the second of two classes, or the mean of each against the others",
     .build = scores, .shown = "auc", .ranks = auc},
};
/* clang-format on */

const struct module module_auc = {NULL, 0, word, COUNT(word)};
