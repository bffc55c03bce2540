/* steps.c: the steps of an epoch. Nothing is allocated but by a checkpoint that is asked for. */
#include "keep.h"

#include <math.h>
#include <string.h>

bool steps_enough(const struct job *j)
{
    if (j->options->pause > 0 && j->at.epoch >= j->options->pause)
        return true;
    return stopped_by() || (j->options->steps > 0 && j->at.step >= j->options->steps);
}

enum { MOST_RUNS = RING_STEPS };
static const double call_seconds = 0.05; /* a call of the device should take no longer: signals wait for it */

/* Where the steps of an epoch stand between two calls of the device. */
struct runs {
    int n;        /* of the next call */
    int64_t part; /* rows of the current step's batch that have run */
    double loss;  /* their sum */
    int64_t hits[MAX_METRICS];
    uint32_t control[MOST_RUNS][CTL_WORDS];
};

/* Fills in the runs of the steps to come, up to step `end`; returns how many. After a loss that is not finite no run of
 * the call, nor of the step, changes anything. */
static int plan_runs(const struct job *j, struct runs *r, int most, int64_t end)
{
    const struct recipe *recipe = &j->recipe;
    struct position at = j->at;
    int64_t part = r->part, samples = j->data.train.count;
    int n = 0;
    for (; n < most && at.in_epoch < recipe->rate.steps && at.step < end; n++) {
        uint32_t *control = r->control[n];
        int64_t position = at.in_epoch * recipe->batch, left = samples - position;
        int64_t rows = left < recipe->batch ? left : recipe->batch;
        control_train(recipe, at.step, at.epoch, position, rows, samples, control);
        control_weigh_batch(&j->weighed[0], control);
        if (recipe->micro > 0)
            control_part(control, part, rows - part < recipe->micro ? rows - part : recipe->micro);
        control[CTL_CHAIN] |= n > 0;
        part += control[CTL_ROWS];
        if (control[CTL_LAST]) {
            part = 0;
            at.in_epoch++;
            at.step++;
        }
    }
    return n;
}

/* Nothing is wrong with the numbers, but somebody should look. */
static void watch_pace(struct job *j, const struct runs *r, int n, double took)
{
    int64_t samples = 0;
    double times;
    for (int i = 0; i < n; i++)
        samples += r->control[i][CTL_ROWS];
    if (!pace_drops(&j->pace, samples, took, &times))
        return;
    note("steps take %.0f times as long as they did: another program uses %s", times,
         j->device->gpu ? "the GPU, or its driver has moved memory to the host" : "the cores");
}

/* One call of the device: `n` of the runs. Calls grow until they take their time. */
static int call(struct job *j, struct runs *r, int n)
{
    struct device_error e;
    double since = now();
    int most = j->device->most_runs < MOST_RUNS ? j->device->most_runs : MOST_RUNS;
    if (!j->device->run(j->device, PHASE_TRAIN, r->control, n, &e))
        return complain(e.status, "%s", e.text);
    double took = now() - since;
    watch_pace(j, r, n, took);
    if (took < call_seconds / 2 && n == r->n)
        r->n = 2 * r->n < most ? 2 * r->n : most;
    else if (took > call_seconds && r->n > 1)
        r->n /= 2;
    return 0;
}

/* The next run alone, followed kernel by kernel: the last steps of an epoch, which show what the network does. */
static int call_looking(struct job *j, struct runs *r)
{
    struct device_error e;
    return look_run(&j->taught.look, r->control[0], &e) ? 0 : complain(e.status, "%s", e.text);
}

/* What is left to do, now that the loss is not finite. */
static void add_remedy(const struct job *j, char *text, size_t size)
{
    if (j->fault.weights && j->at.best_epoch > 0)
        text_append(text, size,
                    "The weights before that step are not finite either: best.safetensors has those of epoch %lld",
                    (long long)j->at.best_epoch);
    else if (j->fault.weights)
        text_append(text, size, "The weights before that step are not finite either");
    else
        text_append(text, size, "The weights are those before that step");
    text_append(text, size, "; a smaller learning rate may help (--lr %g)", j->recipe.rate.lr / 10);
}

/* `control`: of the run whose loss is not finite. */
static int diverged(struct job *j, const uint32_t control[CTL_WORDS])
{
    char loss[32], remedy[160] = "";
    loss_text(control_float(control, CTL_LOSS), loss, sizeof loss);
    fault_find(j, PHASE_TRAIN, control, &j->data.train, &j->fault);
    const char *where = j->fault.text, *note = *where ? "\n  = note: " : "";
    if (j->at.step == 0)
        return complain(STATUS_DIVERGED,
                        "training cannot begin: the loss of the first batch is %s, before any update. "
                        "Look at the transforms of the data, and at the weights if they were loaded%s%s",
                        loss, note, where);
    add_remedy(j, remedy, sizeof remedy);
    return complain(STATUS_DIVERGED, "training diverged: the loss is %s in epoch %lld, step %lld. %s%s%s", loss,
                    (long long)j->at.epoch + 1, (long long)j->at.in_epoch + 1, remedy, note, where);
}

/* Seconds to the end: the samples that are still to be trained, and a test after each epoch as long as the last one was. */
static double time_left(const struct job *j, double per_second)
{
    double epochs = (double)(j->recipe.epochs - j->at.epoch), done = (double)j->at.in_epoch * (double)j->recipe.batch;
    return fmax(epochs * (double)j->data.train.count - done, 0) / per_second + epochs * j->test_seconds;
}

/* `done` samples were trained since `since`; what a run did before it was stopped is work at the epoch, too. */
static void tell_step(struct job *j, float loss, int64_t done, double since)
{
    double seconds = now() - since, per_second = (double)done / (seconds + 1e-9);
    int64_t every = j->options->log_every;
    struct event e = event_of(j, EVENT_STEP);
    e.step = (struct step_report){
        .epoch = j->at.epoch + 1,
        .epochs = j->recipe.epochs,
        .step = j->at.in_epoch,
        .steps = j->recipe.rate.steps,
        .done = j->at.step,
        .loss = loss,
        .seconds = j->at.seconds + seconds,
        .per_second = per_second,
        .eta = time_left(j, per_second),
        .logged = every > 0 && j->at.in_epoch % every == 0,
    };
    tell(&j->tell, &e); /* a full disk shows at the end of the epoch */
}

/* A run is done. At the end of its step the position moves, and *loss is that of the whole batch. */
static bool end_step(struct job *j, struct runs *r, const uint32_t control[CTL_WORDS], int64_t *seen, float *loss)
{
    r->part += control[CTL_ROWS];
    r->loss += (double)control_float(control, CTL_LOSS) * control[CTL_ROWS];
    for (int m = 0; m < j->recipe.metrics; m++)
        r->hits[m] += control[CTL_METRIC + m];
    if (!control[CTL_LAST])
        return false;
    *loss = (float)(r->loss / (double)r->part);
    j->at.loss_sum += r->loss;
    for (int m = 0; m < j->recipe.metrics; m++)
        j->at.hits[m] += r->hits[m];
    memset(r->hits, 0, sizeof r->hits);
    j->at.step++;
    j->at.in_epoch++;
    *seen += r->part;
    r->part = 0;
    r->loss = 0;
    return true;
}

/* The step before which the next call of the device has to return, for whoever does something there. */
static int64_t come_back(const struct job *j)
{
    const int64_t wanted[] = {stopped_by()            ? j->at.step + 1
                              : j->options->steps > 0 ? j->options->steps
                                                      : INT64_MAX,
                              keep_next(j), parameters_next(j), teach_next(j)};
    int64_t next = INT64_MAX;
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        next = wanted[i] < next ? wanted[i] : next;
    return next;
}

/* Steps until the epoch is over or it is enough; `seen` counts the samples. A step that has begun is brought to its end. */
int steps_run(struct job *j, int64_t *seen, double since)
{
    struct runs r = {.n = 1};
    struct device_data data = samples_of(&j->data.train);
    struct device_error e;
    float loss;
    if (!j->device->data(j->device, &data, &e))
        return complain(e.status, "%s", e.text);
    while (j->at.in_epoch < j->recipe.rate.steps && (r.part > 0 || !steps_enough(j))) {
        bool looks = teach_looks(j);
        if (r.part == 0)
            parameters_before(j);
        int n = plan_runs(j, &r, looks ? 1 : r.n, come_back(j)), status = looks ? call_looking(j, &r) : call(j, &r, n);
        for (int i = 0; status == 0 && i < n; i++)
            if (!r.control[i][CTL_FINITE])
                status = diverged(j, r.control[i]);
            else if (end_step(j, &r, r.control[i], seen, &loss))
                tell_step(j, loss, *seen, since);
        if (status == 0 && r.part == 0)
            status = keep_step(j, since);
        if (status)
            return status;
    }
    return 0;
}
