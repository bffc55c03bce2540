/* test.c: loss and metrics of the test set, and which classes are taken for which. */
#include "answering.h"
#include "table.h"
#include "tell/confusion.h"

#include <stdlib.h>
#include <string.h>

struct trial {
    struct job *job;
    struct answering answering;
    struct answer_table table;
    struct confusion confusion;
    int32_t *predicted; /* of each sample */
};

/* Whether the plan has an output of that role for predicting. */
static bool predicts(const struct plan *p, enum role role)
{
    for (int t = 0; t < p->ntensor; t++)
        if (p->tensor[t].role == role && p->tensor[t].schedule >= 0 &&
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
    if (t->table.out)
        answer_row(a, &t->table);
    return 0;
}

/* Each sample's answer: to the table, and to those who count classes. */
static int answer_all(struct trial *t)
{
    struct job *j = t->job;
    const struct data_split *test = &j->data.test;
    const struct device_data data = samples_of(test);
    bool classes = predicts(j->plan, ROLE_LOGITS) && test->label.type == DATA_I32;
    int status = answering_open(&t->answering);
    if (status == 0 && classes && !(t->predicted = calloc((size_t)test->count, sizeof *t->predicted)))
        status = complain(STATUS_INTERNAL, "out of memory");
    if (status == 0 && j->options->output)
        status = table_open(&t->table, j, NULL, &t->answering.answer);
    if (status == 0)
        status = answering_set(&t->answering, &data, 0, test->count);
    if (status == 0)
        status = table_commit(&t->table, j, test->count);
    if (status || !classes)
        return status;
    t->confusion = (struct confusion){.n = test->count,
                                      .classes = samples_classes(j->plan),
                                      .truth = (const int32_t *)test->label.values,
                                      .predicted = t->predicted,
                                      .name = (const char *const *)j->data.class_name,
                                      .names = j->data.class_names};
    return confusion_count(&t->confusion) ? 0 : complain(STATUS_INTERNAL, "out of memory");
}

/* Data, device and weights. */
static int prepare(struct job *j, bool answers)
{
    int status = samples_open(j->plan, j->options->folder, &j->data);
    if (status == 0)
        status = test_prepare(j);
    const int64_t n = j->data.test.count, samples[PHASE_COUNT] = {[PHASE_EVALUATE] = n, [PHASE_PREDICT] = answers * n};
    if (status == 0)
        status = fit(j, samples);
    if (status == 0)
        status = weights_take(j);
    if (status == 0)
        caution_samples(j, &j->data.test);
    return status;
}

static int tell_test(struct trial *t, const struct result *r)
{
    struct event e = event_of(t->job, EVENT_TEST);
    e.test = (struct test_report){
        .result = *r, .of_plan = !t->job->options->folder, .confusion = t->confusion.count ? &t->confusion : NULL};
    return tell(&t->job->tell, &e) ? 0 : complain(STATUS_DATA, "stdout: cannot be written");
}

int test(struct job *j)
{
    struct result r;
    struct trial t = {.job = j};
    t.answering = (struct answering){.job = j, .take = take, .context = &t};
    if (j->options->output && strcmp(j->options->output, "-") == 0)
        j->tell.results = stderr;
    bool answers = j->options->output || predicts(j->plan, ROLE_LOGITS);
    int status = prepare(j, answers);
    if (status == 0)
        status = evaluate(j, &j->data.test, &r);
    if (status == 0 && answers)
        status = answer_all(&t);
    if (status == 0)
        status = tell_test(&t, &r);
    table_close(&t.table);
    answering_close(&t.answering);
    confusion_free(&t.confusion);
    free(t.predicted);
    return status;
}
