/* test.c: loss and metrics of the test set, and which classes are taken for which. */
#include "known.h"
#include "streamed.h"
#include "trial.h"
#include "worst.h"

#include <string.h>

/* Data, device and weights. */
static int prepare(struct trial *t, bool answers)
{
    struct job *j = t->job;
    int status = known_samples(j);
    if (status == 0)
        status = test_prepare(j);
    if (status == 0 && !weights_none(j->options))
        status = weights_find(j);
    if (status == 0)
        status = learnt_take(j, weights_none(j->options) ? NULL : j->weights);
    if (status == 0)
        status = samples_stream(j, false);
    const int64_t n = j->data.test.count, samples[PHASE_COUNT] = {[PHASE_EVALUATE] = n, [PHASE_PREDICT] = answers * n};
    if (status == 0)
        status = fit(j, samples);
    if (status == 0)
        samples_say(j);
    if (status == 0)
        status = weights_take(j);
    if (status == 0)
        t->classes = trial_classes(j->plan) && data_is_class(&j->data.test.label);
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
    struct trial t = {.job = j, .most = j->options->worst, .tabled = j->options->output && !j->options->worst};
    if (j->options->output && strcmp(j->options->output, "-") == 0)
        j->tell.results = stderr;
    bool answers = j->options->output || trial_classes(j->plan);
    int status = prepare(&t, answers);
    if (status == 0)
        status = evaluate(j, &j->data.test, &r);
    if (status == 0 && answers)
        status = trial_run(&t);
    if (status == 0 && j->options->worst)
        status = worst_draw(j, &t.confusion, t.worst, t.worsts);
    if (status == 0)
        status = tell_test(&t, &r);
    trial_close(&t);
    return status;
}
