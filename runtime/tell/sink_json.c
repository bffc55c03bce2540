/* sink_json.c: events as JSON Lines on stdout. `schema` counts changes that readers would not survive. */
#include "confusion.h"
#include "base/options.h"

static void put_start(struct event_line *l, const struct event *e)
{
    const struct start_report *r = &e->start;
    event_integer(l, "schema", 1);
    event_text(l, "netrun", PROJECT_VERSION);
    event_text(l, "net", r->net);
    event_integer(l, "params", r->params);
    event_text(l, "device", r->device);
    event_integer(l, "batch", r->batch);
    if (r->micro > 0)
        event_integer(l, "micro_batch", r->micro);
    event_integer(l, "seed", r->seed);
    event_integer(l, "epochs", r->epochs);
    event_integer(l, "samples", r->samples);
    if (r->holdout > 0)
        event_integer(l, "holdout", r->holdout);
    event_integer(l, "arena", r->arena);
    if (*e->weights)
        event_weights(l, e->weights, e->weights_synthetic);
    if (r->steps > 0)
        event_integer(l, "resumed", r->steps);
}

static void put_step(struct event_line *l, const struct event *e)
{
    event_integer(l, "epoch", e->step.epoch);
    event_integer(l, "step", e->step.step);
    event_number(l, "loss", e->step.loss);
    event_number(l, "seconds", e->step.seconds);
}

static void put_checkpoint(struct event_line *l, const struct event *e)
{
    event_integer(l, "epoch", e->checkpoint.epoch);
    event_integer(l, "step", e->checkpoint.step);
    event_integer(l, "steps", e->checkpoint.steps);
    event_number(l, "seconds", e->checkpoint.seconds);
}

static void put_epoch(struct event_line *l, const struct event *e)
{
    const struct result *test = &e->epoch.test;
    event_integer(l, "epoch", e->epoch.epoch);
    event_integer(l, "steps", e->epoch.steps);
    event_open(l, "train", '{');
    event_number(l, "loss", e->epoch.train.loss);
    for (int m = 0; m < e->epoch.train.metrics; m++)
        event_number(l, e->epoch.train.metric[m], (double)e->epoch.train.correct[m] / (double)e->epoch.train.n);
    event_close(l, '}');
    if (test->n > 0) {
        event_open(l, set_text(test), '{');
        event_number(l, "loss", test->loss);
        for (int m = 0; m < test->metrics; m++)
            event_number(l, test->metric[m], (double)test->correct[m] / (double)test->n);
        event_integer(l, "n", test->n);
        event_close(l, '}');
    }
    event_number(l, "seconds", e->epoch.seconds);
}

static void put_worst(struct event_line *l, const struct test_report *r)
{
    event_open(l, "worst", '{');
    if (r->worsts > 0)
        event_text(l, "file", r->sheet);
    event_open(l, "samples", '[');
    for (const struct wrong_sample *w = r->worst; w < r->worst + r->worsts; w++) {
        event_open(l, NULL, '{');
        event_integer(l, "sample", w->sample);
        event_integer(l, "true", w->truth);
        event_integer(l, "predicted", w->predicted);
        event_number(l, "probability", (double)w->probability);
        event_close(l, '}');
    }
    event_close(l, ']');
    event_close(l, '}');
}

static void put_test(struct event_line *l, const struct event *e)
{
    const struct result *r = &e->test.result;
    if (r->held_out)
        event_text(l, "set", set_text(r));
    event_number(l, "loss", r->loss);
    for (int m = 0; m < r->metrics; m++) {
        struct interval i = wilson(r->correct[m], r->n);
        char key[40];
        event_number(l, r->metric[m], (double)r->correct[m] / (double)r->n);
        snprintf(key, sizeof key, "%s_95", r->metric[m]);
        event_open(l, key, '[');
        event_number(l, NULL, i.low);
        event_number(l, NULL, i.high);
        event_close(l, ']');
    }
    event_integer(l, "n", r->n);
    if (e->test.confusion)
        confusion_put(e->test.confusion, l);
    if (e->test.epoch > 0)
        event_integer(l, "epoch", e->test.epoch);
    if (e->test.sheet)
        put_worst(l, &e->test);
    event_weights(l, e->weights, e->weights_synthetic);
}

static void put_end(struct event_line *l, const struct event *e)
{
    static const char *const word[] = {
        [ENDS_OK] = "ok",
        [ENDS_STOPPED] = "stopped",
        [ENDS_INTERRUPTED] = "interrupted",
        [ENDS_DIVERGED] = "diverged",
    };
    const struct end_report *r = &e->end;
    event_text(l, "status", word[r->how]);
    if (r->step > 0) { /* for run_metrics, when the epoch goes on */
        event_integer(l, "epoch", r->epoch);
        event_integer(l, "step", r->step);
        event_number(l, "seconds", r->seconds);
    }
    if (r->stop) {
        event_open(l, "stop", '{');
        event_text(l, "rule", r->stop);
        event_text(l, "measure", r->stop_measure);
        event_integer(l, "epoch", r->stop_epoch);
        event_close(l, '}');
    }
    if (r->best_epoch == 0)
        return;
    event_open(l, "best", '{');
    event_integer(l, "epoch", r->best_epoch);
    event_number(l, r->measure, r->best);
    event_close(l, '}');
}

bool event_write(const struct event *e, FILE *to)
{
    static const struct {
        const char *name;
        void (*put)(struct event_line *l, const struct event *e);
    } form[] = {
        [EVENT_START] = {"start", put_start},
        [EVENT_STEP] = {"step", put_step},
        [EVENT_CHECKPOINT] = {"checkpoint", put_checkpoint},
        [EVENT_EPOCH] = {"epoch", put_epoch},
        [EVENT_TEST] = {"test", put_test},
        [EVENT_END] = {"end", put_end},
    };
    struct event_line l = {.to = to};
    if (!to || (e->kind == EVENT_STEP && !e->step.logged))
        return true;
    event_begin(&l, form[e->kind].name);
    form[e->kind].put(&l, e);
    return event_end(&l, e->synthetic);
}

static bool take(struct tell *t, const struct event *e)
{
    return event_write(e, t->json);
}

const struct sink sink_json = {.take = take};
