/* sink_tensorboard.c: an event file of TensorBoard in the run's folder: the numbers of each epoch under their names in
 * metrics.csv, turned round so that training and test share a chart ("loss/train", "loss/test"), against steps; and what its parameters are
 * like, as histograms. */
#include "histogram.h"
#include "tell.h"

#include <math.h>
#include <string.h>

/* "accuracy/test" of "test.accuracy". */
static void tag_of(const struct column *c, char *tag, size_t size)
{
    const char *dot = strchr(c->path, '.');
    if (dot)
        snprintf(tag, size, "%s/%.*s", dot + 1, (int)(dot - c->path), c->path);
    else
        snprintf(tag, size, "%s", c->path);
}

/* False: it is no number of that kind, or the epoch has none. */
static bool number_of(const struct column *c, const struct event *e, double *value)
{
    const void *at = (const char *)e + c->field->at;
    const struct result *r = at;
    switch (c->field->type) {
    case FIELD_NUMBER:
        *value = *(const double *)at;
        return true;
    case FIELD_LOSS:
        *value = r->loss;
        return r->n > 0;
    case FIELD_METRIC:
        *value = result_value(r, c->metric);
        return isfinite(*value);
    default:
        return false;
    }
}

/* ---- histograms ---- */

static void put_histogram(struct tell *t, const char *kind, const char *what, const struct parameter_values *p,
                          const struct histogram *h, const struct histogram_limits *limits)
{
    double limit[HISTOGRAM_SHOWN], count[HISTOGRAM_SHOWN];
    char tag[200], about[400], of[80] = "All";
    if (h->n == 0)
        return;
    const struct tfevents_histogram shown = {.min = h->min,
                                             .max = h->max,
                                             .n = h->n,
                                             .sum = h->sum,
                                             .squares = h->squares,
                                             .bins = histogram_show(h, limits, limit, count),
                                             .limit = limit,
                                             .count = count};
    const int64_t seen = (int64_t)h->n + h->others;
    if (seen < p->elements)
        snprintf(of, sizeof of, "%lld, in blocks spread evenly,", (long long)seen);
    snprintf(tag, sizeof tag, "%s/%s", kind, p->name);
    snprintf(about, sizeof about, "%s. %s of the %lld values of `%s`.", what, of, (long long)p->elements, p->name);
    tfevents_histogram(&t->board, tag, t->explained ? NULL : about, &shown);
}

static void put_parameters(struct tell *t, const struct parameters_report *r)
{
    for (const struct parameter_values *p = r->of; p < r->of + r->n; p++) {
        put_histogram(t, "weights", "Weights at the end of an epoch", p, &p->weights, r->limits);
        put_histogram(t, "gradients", "Gradients of the last step of an epoch, as the optimizer sees them", p,
                      &p->gradients, r->limits);
        put_histogram(t, "updates", "What the last step of an epoch has added to the weights", p, &p->updates,
                      r->limits);
    }
    t->explained = true;
}

/* ---- events ---- */

static bool take_epoch(struct tell *t, const struct event *e)
{
    char tag[80];
    double value;
    tfevents_begin(&t->board, e->time, e->epoch.steps);
    for (int i = 0; i < t->columns; i++)
        if (number_of(&t->column[i], e, &value)) {
            tag_of(&t->column[i], tag, sizeof tag);
            tfevents_scalar(&t->board, tag, value);
        }
    if (e->epoch.parameters)
        put_parameters(t, e->epoch.parameters);
    return tfevents_end(&t->board);
}

static bool take_step(struct tell *t, const struct event *e)
{
    tfevents_begin(&t->board, e->time, e->step.done);
    tfevents_scalar(&t->board, "loss/step", e->step.loss);
    return tfevents_end(&t->board);
}

static bool take(struct tell *t, const struct event *e)
{
    if (!t->board.to)
        return true;
    switch (e->kind) {
    case EVENT_STEP:
        return !e->step.logged || take_step(t, e);
    case EVENT_EPOCH:
        return take_epoch(t, e);
    case EVENT_END:
        return tfevents_hparams_end(&t->board, e->time, e->end.how != ENDS_DIVERGED);
    default:
        return true;
    }
}

const struct sink sink_tensorboard = {.name = "the event file of TensorBoard", .take = take};
