/* evaluate.c: loss and metrics over a whole split. */
#include "keep.h"

#include <math.h>

/* Once a run: a test that is not finite seldom comes alone. */
static void look_closer(struct job *j, const struct data_split *split, const uint32_t control[CTL_WORDS])
{
    char loss[32];
    struct fault *f = &j->fault;
    if (isfinite(control_float(control, CTL_LOSS)) || !teach_may(j, "not-finite"))
        return;
    fault_find(j, PHASE_EVALUATE, control, split, f);
    f->found.name = "not-finite";
    warn_of(&j->tell, &f->found, !j->options->into, "the %s loss is %s%s%s",
            split == &j->data.holdout || j->held_out ? "holdout" : "test",
            loss_text(control_float(control, CTL_LOSS), loss, sizeof loss), *f->text ? "\n  = note: " : "", f->text);
}

int evaluate(struct job *j, const struct data_split *split, struct result *r)
{
    struct device *d = j->device;
    struct device_data data = samples_of(split);
    struct device_error e;
    uint32_t control[RING_STEPS][CTL_WORDS];
    double loss = 0;
    *r = (struct result){
        .n = split->count, .held_out = j->held_out || split == &j->data.holdout, .metrics = j->recipe.metrics};
    for (int m = 0; m < r->metrics; m++)
        r->metric[m] = j->recipe.metric[m];
    const int most = measures_scored(j) ? 1 : d->most_runs < RING_STEPS ? d->most_runs : RING_STEPS;
    if (!d->data(d, &data, &e))
        return complain(e.status, "%s", e.text);
    int status = measures_clear(j);
    for (int64_t position = 0; status == 0 && position < split->count;) {
        int n = 0;
        for (; n < most && position < split->count; n++) {
            int64_t left = split->count - position;
            int64_t rows = left < j->recipe.evaluation_batch ? left : j->recipe.evaluation_batch;
            control_evaluate(&j->recipe, position, rows, split->count, control[n]);
            control_weigh_all(weighed_of(j, split), control[n]);
            position += rows;
        }
        if (!d->run(d, PHASE_EVALUATE, control, n, &e))
            return complain(e.status, "%s", e.text);
        for (int i = 0; i < n; i++) {
            look_closer(j, split, control[i]);
            loss += control_float(control[i], CTL_LOSS) * (double)control[i][CTL_ROWS];
            for (int m = 0; m < j->recipe.metrics; m++)
                r->correct[m] += control[i][CTL_METRIC + m];
        }
        status = measures_score(j, split, position - control[n - 1][CTL_ROWS], control[n - 1][CTL_ROWS]);
    }
    r->loss = loss / (double)split->count;
    return status ? status : measures_take(j, true, split->count, r);
}

int test_best(struct job *j)
{
    struct result r;
    char path[PATH_MAX];
    if (j->data.holdout.count == 0 || j->data.test.count == 0 || j->at.best_epoch == 0)
        return 0;
    struct renames map = j->options->map;
    j->options->map = (struct renames){0}; /* it spoke of the weights to start from */
    int status = run_path(j->folder, "best.safetensors", path) ? checkpoint_load(j, path, false) : STATUS_DATA;
    j->options->map = map;
    if (status == 0)
        status = evaluate(j, &j->data.test, &r);
    if (status)
        return status;
    struct event e = event_of(j, EVENT_EVALUATION);
    e.weights = path;
    e.weights_synthetic = e.synthetic || e.weights_synthetic;
    e.evaluation = (struct evaluation_report){.result = r, .epoch = j->at.best_epoch};
    return tell(&j->tell, &e) ? 0 : keep_lost(j);
}
