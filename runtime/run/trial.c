/* trial.c: the network over its test set. */
#include "trial.h"
#include "worst.h"

#include <stdlib.h>

bool trial_classes(const struct plan *p)
{
    for (int t = 0; t < p->ntensor; t++)
        if (p->tensor[t].role == ROLE_LOGITS && p->tensor[t].schedule >= 0 &&
            p->schedule[p->tensor[t].schedule].phase == PHASE_PREDICT)
            return true;
    return false;
}

static int take(void *context, const struct answer *a)
{
    struct trial *t = context;
    const struct answer_output *o = answer_classes(a);
    if (table_stops(&t->table))
        return STATUS_SIGNAL + stopped_by();
    if (o && t->predicted)
        t->predicted[a->index] = (int32_t)o->best;
    if (o && t->certainty && o->best >= 0)
        t->certainty[a->index] = (float)o->probability[o->best];
    if (t->table.out)
        answer_row(a, &t->table);
    return 0;
}

static int make_room(struct trial *t)
{
    int64_t n = t->job->data.test.count;
    t->predicted = calloc((size_t)n, sizeof *t->predicted);
    t->certainty = t->most ? calloc((size_t)n, sizeof *t->certainty) : NULL;
    t->worst = t->most ? calloc((size_t)t->most, sizeof *t->worst) : NULL;
    return t->predicted && (!t->most || (t->certainty && t->worst)) ? 0 : complain(STATUS_INTERNAL, "out of memory");
}

static int count(struct trial *t)
{
    struct job *j = t->job;
    const struct data_split *test = &j->data.test;
    t->confusion = (struct confusion){.n = test->count,
                                      .classes = samples_classes(j->plan),
                                      .truth = (const int32_t *)test->label.values,
                                      .predicted = t->predicted,
                                      .name = (const char *const *)j->data.class_name,
                                      .names = j->data.class_names};
    if (confusion_count(&t->confusion))
        t->worsts = t->most ? worst_choose(&t->confusion, t->certainty, t->most, t->worst) : 0;
    return t->confusion.count && t->worsts >= 0 ? 0 : complain(STATUS_INTERNAL, "out of memory");
}

int trial_run(struct trial *t)
{
    struct job *j = t->job;
    const struct data_split *test = &j->data.test;
    const struct device_data data = samples_of(test);
    t->answering = (struct answering){.job = j, .take = take, .context = t};
    int status = answering_open(&t->answering);
    if (status == 0 && t->classes)
        status = make_room(t);
    if (status == 0 && t->tabled)
        status = table_open(&t->table, j, NULL, &t->answering.answer);
    if (status == 0)
        status = answering_set(&t->answering, &data, 0, test->count);
    if (status == 0 && t->tabled)
        status = table_commit(&t->table, j, test->count);
    return status == 0 && t->classes ? count(t) : status;
}

void trial_close(struct trial *t)
{
    table_close(&t->table);
    answering_close(&t->answering);
    confusion_free(&t->confusion);
    free(t->predicted);
    free(t->certainty);
    free(t->worst);
}
