/* parameters.c: what weights, gradients and updates are like at the end of an epoch, counted into bins. All memory is taken before the
 * training; in between a copy of the weights is read before the last step of an epoch, and the rest behind it, before the test
 * takes the arena.
 *
 * Cost: at most MOST_VALUES values are looked at, each read four times and counted three times, some 2 ns each. A step of the
 * training costs more a weight, so that of an epoch of 100 steps it is below a hundredth. */
#include "run.h"
#include "tell/histogram.h"

#include <stdlib.h>
#include <string.h>

enum {
    MOST_PARAMETERS = 1000, /* the first ones */
    MOST_VALUES = 1 << 22,  /* of all of them */
    MOST_OF_ONE = 1 << 18,
    EVERY = 64, /* epochs that are all looked at; then of the next 64 every second, of the next 128 every fourth, ... */
    PIECE = 1 << 12
};

struct look {
    int parameter, gradient; /* tensors */
    int64_t pieces, before;  /* before: where the copy of its weights begins */
};
struct parameters {
    struct parameters_report report; /* first: looks are of report.of */
    struct histogram_limits limits;
    struct look *look;
    float *before;
    bool ready; /* it is that of the step that was run last */
    float weight[PIECE], gradient[PIECE];
};

/* ---- which values ---- */

static int64_t piece_count(int64_t elements, int64_t most)
{
    return (elements <= most ? elements + PIECE - 1 : most) / PIECE;
}

/* Values [*at, *at + n) are the i-th of the pieces: all there are, or some of them, spread evenly. */
static int64_t piece(int64_t elements, int64_t pieces, int64_t i, int64_t *at)
{
    if (elements <= pieces * PIECE) {
        *at = i * PIECE;
        return elements - *at < PIECE ? elements - *at : PIECE;
    }
    *at = pieces > 1 ? (int64_t)((double)(elements - PIECE) * (double)i / (double)(pieces - 1)) : 0;
    return PIECE;
}

static bool is_parameter(const struct plan *p, int t)
{
    return p->tensor[t].role == ROLE_PARAM && tensor_is_named(p, t);
}

/* ---- before the training ---- */

static void find(struct parameters *q, const struct job *j, int n)
{
    const struct plan *p = j->plan;
    const struct schedule *s = plan_schedule(p, j->device->target, PHASE_TRAIN);
    int64_t most = MOST_VALUES / n < MOST_OF_ONE ? MOST_VALUES / n : MOST_OF_ONE, all = 0;
    int at = 0;
    for (int t = 0; t < p->ntensor && at < n; t++) {
        const int gradient = is_parameter(p, t) ? tensor_gradient(p, s, t) : -1;
        if (gradient < 0)
            continue;
        const int64_t elements = tensor_elements(&p->tensor[t]), pieces = piece_count(elements, most);
        q->look[at] = (struct look){t, gradient, pieces, all};
        q->report.of[at++] = (struct parameter_values){.name = p->tensor[t].name, .elements = elements};
        all += pieces * PIECE;
    }
    q->report.n = at;
    q->before = malloc((size_t)all * sizeof *q->before);
}

bool parameters_open(struct job *j)
{
    int n = 0;
    for (int t = 0; t < j->plan->ntensor && n < MOST_PARAMETERS; t++)
        n += is_parameter(j->plan, t);
    struct parameters *q = j->parameters = n > 0 ? calloc(1, sizeof *q) : NULL;
    if (!q)
        return n == 0;
    q->look = calloc((size_t)n, sizeof *q->look);
    q->report.of = calloc((size_t)n, sizeof *q->report.of);
    q->report.limits = &q->limits;
    histogram_limits_make(&q->limits);
    if (q->look && q->report.of)
        find(q, j, n);
    if (q->before)
        return true;
    parameters_close(j);
    return false;
}

void parameters_close(struct job *j)
{
    struct parameters *q = j->parameters;
    j->parameters = NULL;
    if (!q)
        return;
    free(q->look);
    free(q->report.of);
    free(q->before);
    free(q);
}

/* ---- in between ---- */

/* So that a thousand epochs have some two hundred histograms. */
static bool wanted(const struct job *j)
{
    const int64_t epoch = j->at.epoch + 1;
    int64_t every = 1;
    while (EVERY * every < epoch)
        every *= 2;
    return j->parameters && (epoch % every == 0 || epoch == j->recipe.epochs);
}

int64_t parameters_next(const struct job *j)
{
    const int64_t last = j->at.step + j->recipe.rate.steps - j->at.in_epoch - 1;
    return wanted(j) && j->at.step < last ? last : INT64_MAX;
}

/* A tensor that cannot be read is none that anybody looks at. */
static bool read_floats(const struct job *j, int tensor, int64_t at, int64_t n, float *to)
{
    const int64_t size = (int64_t)sizeof *to;
    return j->device->read(j->device, PHASE_TRAIN, tensor, at * size, to, n * size);
}

void parameters_before(struct job *j)
{
    struct parameters *q = j->parameters;
    if (!wanted(j) || j->at.in_epoch != j->recipe.rate.steps - 1)
        return;
    q->ready = true;
    for (int k = 0; k < q->report.n; k++)
        for (int64_t i = 0; i < q->look[k].pieces; i++) {
            int64_t at, n = piece(q->report.of[k].elements, q->look[k].pieces, i, &at);
            q->ready &= read_floats(j, q->look[k].parameter, at, n, q->before + q->look[k].before + i * PIECE);
        }
}

static bool look(const struct job *j, struct parameters *q, int k)
{
    struct parameter_values *of = &q->report.of[k];
    const struct look *l = &q->look[k];
    bool good = true;
    memset(&of->weights, 0, sizeof of->weights);
    memset(&of->gradients, 0, sizeof of->gradients);
    memset(&of->updates, 0, sizeof of->updates);
    for (int64_t i = 0; i < l->pieces; i++) {
        int64_t at, n = piece(of->elements, l->pieces, i, &at);
        const float *before = q->before + l->before + i * PIECE;
        good &= read_floats(j, l->parameter, at, n, q->weight) && read_floats(j, l->gradient, at, n, q->gradient);
        histogram_add(&of->weights, &q->limits, q->weight, (size_t)n);
        histogram_add(&of->gradients, &q->limits, q->gradient, (size_t)n);
        for (int64_t e = 0; e < n; e++)
            q->weight[e] -= before[e];
        histogram_add(&of->updates, &q->limits, q->weight, (size_t)n);
    }
    return good;
}

const struct parameters_report *parameters_after(struct job *j)
{
    struct parameters *q = j->parameters;
    if (!q || !q->ready)
        return NULL;
    bool good = true;
    q->ready = false;
    for (int k = 0; k < q->report.n; k++)
        good &= look(j, q, k);
    return good ? &q->report : NULL;
}
