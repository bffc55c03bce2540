/* test.c: loss and metrics of the test set, and which classes are taken for which. */
#include "answering.h"
#include "table.h"
#include "worst.h"

#include <stdlib.h>
#include <string.h>

struct trial {
    struct job *job;
    struct answering answering;
    struct answer_table table;
    struct confusion confusion;
    bool classes;       /* the network tells some apart */
    int32_t *predicted; /* of each sample */
    float *certainty;   /* of that class; with --worst only */
    struct wrong_sample *worst;
    int64_t worsts;
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
    if (o && t->certainty && o->best >= 0)
        t->certainty[a->index] = (float)o->probability[o->best];
    if (t->table.out)
        answer_row(a, &t->table);
    return 0;
}

static int make_room(struct trial *t)
{
    const struct options *o = t->job->options;
    int64_t n = t->job->data.test.count;
    t->predicted = calloc((size_t)n, sizeof *t->predicted);
    t->certainty = o->worst ? calloc((size_t)n, sizeof *t->certainty) : NULL;
    t->worst = o->worst ? calloc((size_t)o->worst, sizeof *t->worst) : NULL;
    return t->predicted && (!o->worst || (t->certainty && t->worst)) ? 0 : complain(STATUS_INTERNAL, "out of memory");
}

/* The surest mistakes, into a picture. */
static int draw_worst(struct trial *t)
{
    t->worsts = worst_choose(&t->confusion, t->certainty, t->job->options->worst, t->worst);
    if (t->worsts < 0)
        return complain(STATUS_INTERNAL, "out of memory");
    return worst_draw(t->job, &t->confusion, t->worst, t->worsts);
}

/* Each sample's answer: to the table, and to those who count classes. */
static int answer_all(struct trial *t)
{
    struct job *j = t->job;
    const struct data_split *test = &j->data.test;
    const struct device_data data = samples_of(test);
    int status = answering_open(&t->answering);
    if (status == 0 && t->classes)
        status = make_room(t);
    if (status == 0 && j->options->output && !j->options->worst)
        status = table_open(&t->table, j, NULL, &t->answering.answer);
    if (status == 0)
        status = answering_set(&t->answering, &data, 0, test->count);
    if (status == 0)
        status = table_commit(&t->table, j, test->count);
    if (status || !t->classes)
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
static int prepare(struct trial *t, bool answers)
{
    struct job *j = t->job;
    int status = samples_open(j->plan, j->options->folder, &j->data);
    if (status == 0)
        status = test_prepare(j);
    const int64_t n = j->data.test.count, samples[PHASE_COUNT] = {[PHASE_EVALUATE] = n, [PHASE_PREDICT] = answers * n};
    if (status == 0)
        status = fit(j, samples);
    if (status == 0)
        status = weights_take(j);
    if (status == 0)
        t->classes = predicts(j->plan, ROLE_LOGITS) && j->data.test.label.type == DATA_I32;
    if (status == 0 && j->options->worst)
        status = worst_check(j, t->classes);
    if (status == 0)
        caution_samples(j, &j->data.test);
    return status;
}

static int tell_test(struct trial *t, const struct result *r)
{
    struct event e = event_of(t->job, EVENT_EVALUATION);
    e.evaluation = (struct evaluation_report){.result = *r,
                                              .of_plan = !t->job->options->folder,
                                              .confusion = t->confusion.count ? &t->confusion : NULL,
                                              .sheet = t->job->options->worst ? worst_path(t->job->options) : NULL,
                                              .worsts = t->worsts,
                                              .worst = t->worst};
    tell(&t->job->tell, &e);
    return 0; /* streams_close() says what of it was lost */
}

int test(struct job *j)
{
    struct result r;
    struct trial t = {.job = j};
    t.answering = (struct answering){.job = j, .take = take, .context = &t};
    if (j->options->output && strcmp(j->options->output, "-") == 0)
        j->tell.results = stderr;
    bool answers = j->options->output || predicts(j->plan, ROLE_LOGITS);
    int status = prepare(&t, answers);
    if (status == 0)
        status = evaluate(j, &j->data.test, &r);
    if (status == 0 && answers)
        status = answer_all(&t);
    if (status == 0 && j->options->worst)
        status = draw_worst(&t);
    if (status == 0)
        status = tell_test(&t, &r);
    table_close(&t.table);
    answering_close(&t.answering);
    confusion_free(&t.confusion);
    free(t.predicted);
    free(t.certainty);
    free(t.worst);
    return status;
}
