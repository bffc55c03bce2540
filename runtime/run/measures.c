/* measures.c: metrics that are more than right answers: F1 of what the device has counted, AUC of what it has said of each sample. All
 * room is taken before the training begins. */
#include "run.h"

#include <stdlib.h>
#include <string.h>

static int no_memory(void)
{
    return complain(STATUS_INTERNAL, "out of memory");
}

static int scores_of(const struct job *j)
{
    const struct schedule *s = plan_schedule(j->plan, j->device->target, PHASE_EVALUATE);
    for (int t = 0; s && t < j->plan->ntensor; t++)
        if (j->plan->tensor[t].role == ROLE_SCORES && j->plan->tensor[t].schedule == s - j->plan->schedule)
            return t;
    return -1;
}

int measures_open(struct job *j, int64_t tested)
{
    struct measures *m = &j->measures;
    measures_close(j); /* those of an arming before */
    *m = (struct measures){.scores = tested > 0 ? scores_of(j) : -1, .tested = tested};
    for (int t = 0; t < j->plan->ntensor; t++)
        if (tensor_is_tally(j->plan, t) && tensor_elements(&j->plan->tensor[t]) > m->most)
            m->most = tensor_elements(&j->plan->tensor[t]);
    m->tally = calloc((size_t)m->most + 1, sizeof *m->tally);
    if (!m->tally || m->scores < 0)
        return m->tally ? 0 : no_memory();
    const size_t each = (size_t)row_elements(&j->plan->tensor[m->scores]), n = (size_t)tested;
    m->value = calloc(n, each * sizeof *m->value);
    m->class = calloc(n, sizeof *m->class);
    m->ranked = calloc(n, sizeof *m->ranked);
    m->total = calloc(n, sizeof *m->total);
    return m->value && m->class && m->ranked && m->total ? 0 : no_memory();
}

void measures_close(struct job *j)
{
    struct measures *m = &j->measures;
    free(m->tally);
    free(m->value);
    free(m->class);
    free(m->ranked);
    free(m->total);
    *m = (struct measures){.scores = -1};
}

bool measures_scored(const struct job *j)
{
    return j->measures.value != NULL;
}

int measures_clear(struct job *j)
{
    struct device *d = j->device;
    if (j->measures.most > 0)
        memset(j->measures.tally, 0, (size_t)j->measures.most * sizeof *j->measures.tally);
    for (int t = 0; j->measures.most > 0 && t < j->plan->ntensor; t++)
        if (tensor_is_tally(j->plan, t) &&
            !d->write(d, j->phase, t, 0, j->measures.tally, tensor_elements(&j->plan->tensor[t]) * 8))
            return complain(STATUS_DEVICE, "cannot write %s to the device", j->plan->tensor[t].name);
    return 0;
}

int measures_score(struct job *j, const struct data_split *split, int64_t position, int64_t rows)
{
    struct measures *m = &j->measures;
    struct device *d = j->device;
    if (!m->value)
        return 0;
    const int64_t each = row_elements(&j->plan->tensor[m->scores]);
    for (int64_t i = 0; i < rows; i++)
        m->class[position + i] = data_class(split, position + i);
    return d->read(d, PHASE_EVALUATE, m->scores, 0, m->value + position * each, rows * each * 4)
               ? 0
               : complain(STATUS_DEVICE, "cannot read %s from the device", j->plan->tensor[m->scores].name);
}

/* The tally called `name`, read; NULL after a message. */
static const double *read_tally(struct job *j, const char *name, int64_t *size)
{
    struct device *d = j->device;
    for (int t = 0; t < j->plan->ntensor; t++)
        if (tensor_is_tally(j->plan, t) && strcmp(j->plan->tensor[t].name, name) == 0) {
            *size = tensor_elements(&j->plan->tensor[t]);
            if (d->read(d, j->phase, t, 0, j->measures.tally, *size * 8))
                return j->measures.tally;
        }
    complain(STATUS_DEVICE, "cannot read %s from the device", name);
    return NULL;
}

static double rank(const struct job *j, const struct word *w, int64_t n)
{
    const struct measures *m = &j->measures;
    const struct scores s = {.value = m->value,
                             .class = m->class,
                             .n = n,
                             .classes = tensor_elements(&j->plan->tensor[m->scores]),
                             .stride = row_elements(&j->plan->tensor[m->scores]),
                             .room = m->ranked,
                             .total = m->total};
    return w->ranks(&s);
}

int measures_take(struct job *j, bool tested, int64_t n, struct result *r)
{
    for (int m = 0; m < j->recipe.metrics; m++) {
        const struct word *w = metric_named(j->recipe.metric[m]);
        if (!w || (!w->sums && !w->ranks))
            continue;
        r->measured[m] = w->ranks && !tested ? MEASURED_NOT : MEASURED_NUMBER;
        int64_t size = 0;
        const double *tally = w->sums ? read_tally(j, w->tally, &size) : NULL;
        if (w->sums && !tally)
            return STATUS_DEVICE;
        if (r->measured[m] == MEASURED_NUMBER)
            r->number[m] = w->sums ? w->sums(tally, size, (double)n) : rank(j, w, n);
    }
    return measures_clear(j);
}
