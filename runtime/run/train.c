/* train.c: the training loop. Between `prepare` and the end of an epoch nothing is allocated. */
#include "run.h"

#include <errno.h>
#include <math.h>
#include <unistd.h>
#include <string.h>

static bool enough(const struct job *j)
{
    return stopped_by() || (j->options->steps > 0 && j->at.step >= j->options->steps);
}

/* ---- one step, one epoch ---- */

enum { MOST_RUNS = RING_STEPS };
static const double call_seconds = 0.05;     /* a call of the device should take no longer: signals wait for it */

/* Where the steps of an epoch stand between two calls of the device. */
struct runs {
    int n;                   /* of the next call */
    int64_t part;            /* rows of the current step's batch that have run */
    double loss;             /* their sum */
    uint32_t control[MOST_RUNS][CTL_WORDS];
};

/* Fills in the runs of the steps to come, up to step `end`; returns how many. After a loss that is not finite no run of
 * the call, nor of the step, changes anything. */
static int plan_runs(const struct job *j, struct runs *r, int64_t end)
{
    const struct recipe *recipe = &j->recipe;
    struct position at = j->at;
    int64_t part = r->part, samples = j->data.train.count;
    int n = 0;
    for (; n < r->n && at.in_epoch < recipe->rate.steps && at.step < end; n++) {
        uint32_t *control = r->control[n];
        int64_t position = at.in_epoch * recipe->batch, left = samples - position;
        int64_t rows = left < recipe->batch ? left : recipe->batch;
        control_train(recipe, at.step, at.epoch, position, rows, samples, control);
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
    progress_clear(&j->progress);
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

static int diverged(struct job *j, float loss)
{
    char text[32];
    progress_clear(&j->progress);
    loss_text(loss, text, sizeof text);
    if (j->at.step == 0)
        return complain(STATUS_DIVERGED, "training cannot begin: the loss of the first batch is %s, before any update. "
                                         "Look at the transforms of the data, and at the weights if they were loaded", text);
    return complain(STATUS_DIVERGED,
                    "training diverged: the loss is %s in epoch %lld, step %lld. The weights are those before that step; "
                    "a smaller learning rate may help (--lr %g)",
                    text, (long long)j->at.epoch + 1, (long long)j->at.in_epoch + 1, j->recipe.rate.lr / 10);
}

/* `seconds` of work at the epoch, what a run did before it was stopped included. */
static void tell_step(struct job *j, float loss, double seconds)
{
    if (j->options->log_every == 0 || j->at.in_epoch % j->options->log_every != 0)
        return;
    event_begin(&j->events, "step");
    event_integer(&j->events, "epoch", j->at.epoch + 1);
    event_integer(&j->events, "step", j->at.in_epoch);
    event_number(&j->events, "loss", loss);
    event_number(&j->events, "seconds", seconds);
    event_end(&j->events);
}

/* Seconds to the end: the samples that are still to be trained, and a test after each epoch as long as the last one was. */
static double time_left(const struct job *j, double per_second)
{
    double epochs = (double)(j->recipe.epochs - j->at.epoch), done = (double)j->at.in_epoch * (double)j->recipe.batch;
    return fmax(epochs * (double)j->data.train.count - done, 0) / per_second + epochs * j->test_seconds;
}

/* `done` samples were trained since `since`. */
static void report_step(struct job *j, float loss, int64_t done, double since)
{
    double seconds = now() - since, per_second = (double)done / (seconds + 1e-9);
    const struct progress_step s = {
        .epoch = j->at.epoch + 1, .epochs = j->recipe.epochs, .step = j->at.in_epoch, .steps = j->recipe.rate.steps,
        .loss = loss, .per_second = per_second, .eta = time_left(j, per_second),
    };
    progress_step(&j->progress, &s);
    tell_step(j, loss, j->at.seconds + seconds);
}

/* A run is done. At the end of its step the position moves, and *loss is that of the whole batch. */
static bool end_step(struct job *j, struct runs *r, const uint32_t control[CTL_WORDS], int64_t *seen, float *loss)
{
    r->part += control[CTL_ROWS];
    r->loss += (double)control_float(control, CTL_LOSS) * control[CTL_ROWS];
    if (!control[CTL_LAST])
        return false;
    *loss = (float)(r->loss / (double)r->part);
    j->at.loss_sum += r->loss;
    j->at.step++;
    j->at.in_epoch++;
    *seen += r->part;
    r->part = 0;
    r->loss = 0;
    return true;
}

/* Steps until the epoch is over or it is enough; `seen` counts the samples. A step that has begun is brought to its end. */
static int run_steps(struct job *j, int64_t *seen, double since)
{
    struct runs r = { .n = 1 };
    struct device_data data = samples_of(&j->data.train);
    struct device_error e;
    float loss;
    if (!j->device->data(j->device, &data, &e))
        return complain(e.status, "%s", e.text);
    while (j->at.in_epoch < j->recipe.rate.steps && (r.part > 0 || !enough(j))) {
        int64_t end = stopped_by() ? j->at.step + 1 : j->options->steps > 0 ? j->options->steps : INT64_MAX;
        int n = plan_runs(j, &r, end), status = call(j, &r, n);
        for (int i = 0; status == 0 && i < n; i++)
            if (!r.control[i][CTL_FINITE])
                status = diverged(j, control_float(r.control[i], CTL_LOSS));
            else if (end_step(j, &r, r.control[i], seen, &loss))
                report_step(j, loss, *seen, since);
        if (status)
            return status;
    }
    return 0;
}

/* ---- the end of an epoch ---- */

static int save(struct job *j, const char *name, bool whole)
{
    char path[PATH_MAX];
    return run_path(j->folder, name, path) ? checkpoint_save(j, path, whole) : STATUS_DATA;
}

/* What tells a better epoch: the first metric, else the loss of the test set, else that of the training set; of a loss
 * the negative, so that more is better. */
static double merit(const struct job *j, double train_loss, const struct result *r)
{
    if (r->n == 0)
        return -train_loss;
    return j->recipe.metrics > 0 ? (double)r->correct[0] / (double)r->n : -r->loss;
}

static void tell_best(struct job *j)
{
    event_open(&j->events, "best", '{');
    event_integer(&j->events, "epoch", j->at.best_epoch);
    if (j->data.test.count > 0 && j->recipe.metrics > 0)
        event_number(&j->events, j->recipe.metric[0], j->at.best);
    else
        event_number(&j->events, "loss", -j->at.best);
    event_close(&j->events, '}');
}

static int lost(void)
{
    return complain(STATUS_DATA, "metrics.jsonl or stdout: cannot be written");
}

/* Ends an event, for whoever still listens: a pipe or a terminal that has gone has sent its signal. */
static int told(struct events *e)
{
    return event_end(e) || stopped_by() ? 0 : lost();
}

static void event_epoch(const struct job *j, struct events *e, double train_loss, const struct result *r, double seconds)
{
    event_begin(e, "epoch");
    event_integer(e, "epoch", j->at.epoch);
    event_integer(e, "steps", j->at.step);
    event_open(e, "train", '{');
    event_number(e, "loss", train_loss);
    event_close(e, '}');
    if (r->n > 0) {
        event_open(e, "test", '{');
        event_number(e, "loss", r->loss);
        for (int m = 0; m < j->recipe.metrics; m++)
            event_number(e, j->recipe.metric[m], (double)r->correct[m] / (double)r->n);
        event_integer(e, "n", r->n);
        event_close(e, '}');
    }
    event_number(e, "seconds", seconds);
}

static void say_epoch(struct job *j, double train_loss, const struct result *r, double seconds, double per_second)
{
    char text[1024];
    struct epoch_report report = {
        .epoch = j->at.epoch, .epochs = j->recipe.epochs, .train_loss = train_loss, .tested = r->n > 0,
        .best = j->at.best_epoch == j->at.epoch, .synthetic = j->data.synthetic, .test_loss = r->loss, .metrics = j->recipe.metrics, .n = r->n,
        .seconds = seconds, .per_second = per_second, .eta = (double)(j->recipe.epochs - j->at.epoch) * seconds,
    };
    if (j->at.epoch == j->recipe.epochs)
        report.eta = -1;
    for (int m = 0; m < report.metrics; m++) {
        report.metric[m] = j->recipe.metric[m];
        report.correct[m] = r->correct[m];
    }
    epoch_text(&report, text, sizeof text);
    progress_say(&j->progress, "%s", text);
}

/* The event in the run's folder and the checkpoints. The best comes last: a best of an epoch that `last` does not know of might
 * never be made again, while one that is missing is in `last`. */
static int keep_epoch(struct job *j, double train_loss, const struct result *r, double seconds)
{
    struct events file = j->events;
    file.to[1] = NULL;
    event_epoch(j, &file, train_loss, r, seconds);
    bool told = event_end(&file) && (!j->metrics || fsync(fileno(j->metrics)) == 0 || errno == EINVAL);
    int status = told ? save(j, "last.safetensors", true) : lost();
    return status || j->at.best_epoch < j->at.epoch ? status : save(j, "best.safetensors", false);
}

/* The process may have ended before it kept the best. */
static int make_up_best(struct job *j)
{
    char path[PATH_MAX];
    struct origin kept;
    if (j->at.in_epoch > 0 || j->at.best_epoch == 0 || j->at.best_epoch < j->at.epoch)
        return 0;
    if (!run_path(j->folder, "best.safetensors", path))
        return STATUS_DATA;
    checkpoint_origin(path, &kept);
    return kept.epoch == j->at.epoch ? 0 : checkpoint_save(j, path, false);
}

/* Tests, keeps, and only then reports. */
static int end_epoch(struct job *j, int64_t seen, double since)
{
    struct result r = { .n = 0 };
    double trained = now(), per_second = (double)seen / (trained - since + 1e-9);
    double train_loss = j->at.loss_sum / (double)j->data.train.count;
    int status = j->data.test.count > 0 ? evaluate(j, &j->data.test, &r) : 0;
    if (status)
        return status;
    double value = merit(j, train_loss, &r), seconds = j->at.seconds + now() - since;
    struct events out = j->events;
    out.to[0] = NULL;
    j->test_seconds = now() - trained;
    j->at.epoch++;
    j->at.in_epoch = 0;
    j->at.loss_sum = j->at.seconds = 0;
    bool best = isfinite(r.loss) && isfinite(value) && (j->at.best_epoch == 0 || value > j->at.best);
    if (best) {
        j->at.best_epoch = j->at.epoch;
        j->at.best = value;
    }
    status = keep_epoch(j, train_loss, &r, seconds);
    if (status)
        return status;
    say_epoch(j, train_loss, &r, seconds, per_second);
    event_epoch(j, &out, train_loss, &r, seconds);
    return told(&out);
}

/* ---- the run ---- */

static int tell_start(struct job *j)
{
    struct events *e = &j->events;
    event_begin(e, "start");
    event_integer(e, "schema", 1);
    event_text(e, "netrun", PROJECT_VERSION);
    event_text(e, "net", j->plan->net);
    event_integer(e, "params", j->plan->params);
    event_text(e, "device", j->device->name);
    event_integer(e, "batch", j->recipe.batch);
    if (j->recipe.micro > 0)
        event_integer(e, "micro_batch", j->recipe.micro);
    event_integer(e, "seed", j->recipe.seed);
    event_integer(e, "epochs", j->recipe.epochs);
    event_integer(e, "samples", j->data.train.count);
    event_integer(e, "arena", j->device->arena(j->device));
    if (*j->weights)
        weights_tell(j);
    if (j->at.step > 0)
        event_integer(e, "resumed", j->at.step);
    return told(e);
}

static int tell_end(struct job *j, const char *status)
{
    event_begin(&j->events, "end");
    event_text(&j->events, "status", status);
    if (j->at.in_epoch > 0) {            /* for run_metrics, when the epoch goes on */
        event_integer(&j->events, "epoch", j->at.epoch + 1);
        event_integer(&j->events, "step", j->at.in_epoch);
        event_number(&j->events, "seconds", j->at.seconds);
    }
    if (j->at.best_epoch > 0)
        tell_best(j);
    return told(&j->events);
}

/* Sweeps are checked and kept in the plan, but nothing runs them yet. */
static void warn_of_sweep(struct job *j)
{
    static const char prefix[] = "sweep.";
    const struct setting *first = NULL;
    int others = -1;
    for (const struct setting *s = j->plan->setting; s < j->plan->setting + j->plan->nsetting; s++)
        if (strncmp(s->key, prefix, sizeof prefix - 1) == 0) {
            first = first ? first : s;
            others++;
        }
    if (!first)
        return;
    progress_clear(&j->progress);
    note("warning: sweeps are not built yet: this is one training, not one for each of the %d values of %s%s", first->n,
         first->key + sizeof prefix - 1, others ? " and so on" : "");
}

static void say_start(struct job *j)
{
    const struct device *d = j->device;
    char arena[32], with[32];
    snprintf(with, sizeof with, " with %d thread%s", d->threads, d->threads == 1 ? "" : "s");
    progress_say(&j->progress, "%s: %lld parameters, %s%s%s%s, batch %lld, memory %s, seed %lu%s%s",
                 j->plan->net, (long long)j->plan->params, d->name, d->gpu ? " (" : with, d->gpu ? d->gpu : "",
                 d->gpu ? ")" : "", (long long)j->recipe.batch,
                 bytes_text(j->device->arena(j->device), arena, sizeof arena), (unsigned long)j->recipe.seed,
                 *j->folder ? ", " : "", j->folder);
    if (j->data.synthetic)
        progress_say(&j->progress, "%s: SYNTHETIC data, made to try things out: results say nothing of a real set",
                     j->options->folder);
    if (!j->options->folder)
        progress_say(&j->progress, "the %lld samples in the plan are training set and test set", (long long)j->data.train.count);
    warn_of_sweep(j);
    if (j->at.step > 0)
        progress_say(&j->progress, "resumed in epoch %lld after step %lld", (long long)j->at.epoch + 1,
                     (long long)j->at.in_epoch);
}

static int finish(struct job *j)
{
    bool over = j->at.epoch >= j->recipe.epochs;
    int signal = over ? 0 : stopped_by();
    int status = j->at.in_epoch > 0 ? save(j, "last.safetensors", true) : 0;
    if (status == 0)
        status = tell_end(j, signal ? "interrupted" : over ? "ok" : "stopped");
    if (status)
        return status;
    if (j->at.best_epoch > 0)
        progress_say(&j->progress, "best epoch %lld%s; weights in %s/best.safetensors", (long long)j->at.best_epoch,
                     synthetic_text(j), j->folder);
    if (over)
        return 0;
    progress_clear(&j->progress);
    note("stopped after %lld steps (epoch %lld, step %lld of %lld); to go on: netrun --resume %s",
         (long long)j->at.step, (long long)j->at.epoch + 1, (long long)j->at.in_epoch, (long long)j->recipe.rate.steps, j->folder);
    return signal ? STATUS_SIGNAL + signal : 0;
}

static int run_epochs(struct job *j)
{
    while (j->at.epoch < j->recipe.epochs && !enough(j)) {
        int64_t seen = 0;
        double since = now();
        int status = run_steps(j, &seen, since);
        if (status == 0 && j->at.in_epoch == j->recipe.rate.steps)
            status = end_epoch(j, seen, since);
        else
            j->at.seconds += now() - since;
        if (status == STATUS_DIVERGED) {
            save(j, "last.safetensors", true);
            tell_end(j, "diverged");
        }
        if (status)
            return status;
    }
    return finish(j);
}

int train_loop(struct job *j)
{
    stops_listen();
    int status = run_epochs(j);
    stops_end();
    return status;
}

/* One step, and nothing is kept. */
static int try_step(struct job *j)
{
    int64_t seen = 0;
    char text[32];
    j->options->steps = j->at.step + 1;
    int status = run_steps(j, &seen, now());
    if (status == 0)
        progress_say(&j->progress, "one step of %lld samples: loss %s; nothing was written", (long long)seen,
                     loss_text(j->at.loss_sum / (double)seen, text, sizeof text));
    return status;
}

int train(struct job *j)
{
    int status = train_prepare(j);
    if (status == 0 && j->options->resume)
        status = make_up_best(j);
    if (status == 0 && j->options->resume && j->at.epoch >= j->recipe.epochs) {
        note("%s is finished: its %lld epochs are done; to go on: netrun --resume %s --epochs N", j->folder,
             (long long)j->at.epoch, j->folder);
        return tell_end(j, "ok");
    }
    if (status == 0 && j->options->dry_run) {
        say_start(j);
        return try_step(j);
    }
    if (status == 0)
        status = j->options->resume ? run_take_up(j) : run_create(j);
    if (status == 0)
        status = run_metrics(j);
    if (status)
        return status;
    j->events.to[0] = j->metrics;
    say_start(j);
    status = tell_start(j);
    return status ? status : train_loop(j);
}
