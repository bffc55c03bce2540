/* train.c: the training loop. Between `prepare` and the end of an epoch nothing is allocated but by a checkpoint that is asked for. */
#include "run.h"

#include <math.h>
#include <signal.h>
#include <string.h>

static bool enough(const struct job *j)
{
    if (j->options->pause > 0 && j->at.epoch >= j->options->pause)
        return true;
    return stopped_by() || (j->options->steps > 0 && j->at.step >= j->options->steps);
}

/* ---- one step, one epoch ---- */

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
    loss_text(loss, text, sizeof text);
    if (j->at.step == 0)
        return complain(STATUS_DIVERGED,
                        "training cannot begin: the loss of the first batch is %s, before any update. "
                        "Look at the transforms of the data, and at the weights if they were loaded",
                        text);
    return complain(
        STATUS_DIVERGED,
        "training diverged: the loss is %s in epoch %lld, step %lld. The weights are those before that step; "
        "a smaller learning rate may help (--lr %g)",
        text, (long long)j->at.epoch + 1, (long long)j->at.in_epoch + 1, j->recipe.rate.lr / 10);
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

/* Steps until the epoch is over or it is enough; `seen` counts the samples. A step that has begun is brought to its end. */
static int run_steps(struct job *j, int64_t *seen, double since)
{
    struct runs r = {.n = 1};
    struct device_data data = samples_of(&j->data.train);
    struct device_error e;
    float loss;
    if (!j->device->data(j->device, &data, &e))
        return complain(e.status, "%s", e.text);
    while (j->at.in_epoch < j->recipe.rate.steps && (r.part > 0 || !enough(j))) {
        int64_t end = stopped_by() ? j->at.step + 1 : j->options->steps > 0 ? j->options->steps : INT64_MAX;
        end = keep_next(j) < end ? keep_next(j) : end;
        int n = plan_runs(j, &r, end), status = call(j, &r, n);
        for (int i = 0; status == 0 && i < n; i++)
            if (!r.control[i][CTL_FINITE])
                status = diverged(j, control_float(r.control[i], CTL_LOSS));
            else if (end_step(j, &r, r.control[i], seen, &loss))
                tell_step(j, loss, *seen, since);
        if (status == 0 && r.part == 0)
            status = keep_step(j, since);
        if (status)
            return status;
    }
    return 0;
}

/* ---- the end of an epoch ---- */

static int told(const struct job *j, bool good)
{
    return good ? 0 : keep_lost(j);
}

/* Takes out of the position what the epoch that is over has shown of the training set. */
static void take_training(struct job *j, struct result *r)
{
    *r = (struct result){.loss = j->at.loss_sum / (double)j->data.train.count, .n = j->data.train.count};
    if (j->recipe.counts && !j->at.uncounted)
        r->metrics = j->recipe.metrics;
    for (int m = 0; m < r->metrics; m++) {
        r->metric[m] = j->recipe.metric[m];
        r->correct[m] = j->at.hits[m];
    }
    j->at.epoch++;
    j->at.in_epoch = 0;
    j->at.loss_sum = j->at.seconds = 0;
    j->at.uncounted = false;
    memset(j->at.hits, 0, sizeof j->at.hits);
}

/* Tests, keeps, and only then shows. */
static int end_epoch(struct job *j, int64_t seen, double since)
{
    struct event e = event_of(j, EVENT_EPOCH);
    struct epoch_report *r = &e.epoch;
    double trained = now();
    const struct data_split *split = choose_split(j);
    int status = split->count > 0 ? evaluate(j, split, &r->test) : 0;
    if (status)
        return status;
    r->train_seconds = j->at.seconds + trained - since;
    r->test_seconds = j->test_seconds = now() - trained;
    r->seconds = r->train_seconds + r->test_seconds;
    r->per_second = (double)seen / (trained - since + 1e-9);
    take_training(j, &r->train);
    r->best = choose_epoch(j, r->train.loss, &r->test);
    r->epoch = j->at.epoch;
    r->epochs = j->recipe.epochs;
    r->steps = j->at.step;
    r->lr = rate_at(&j->recipe.rate, j->at.step - 1);
    r->arena = j->device->arena(j->device);
    r->eta = !choose_over(j) ? (double)(r->epochs - r->epoch) * r->seconds : -1;
    j->at.all_seconds += r->seconds;
    e.time = wall_time();
    status = keep_epoch(j, &e);
    if (status == 0)
        tell_show(&j->tell, &e);
    return status;
}

/* ---- the run ---- */

static bool tell_start(struct job *j)
{
    const struct device *d = j->device;
    struct event e = event_of(j, EVENT_START);
    e.start = (struct start_report){
        .schema = 2,
        .version = PROJECT_VERSION,
        .net = j->plan->net,
        .params = j->plan->params,
        .device = d->name,
        .gpu = d->gpu,
        .threads = d->threads,
        .batch = j->recipe.batch,
        .micro = j->recipe.micro,
        .seed = j->recipe.seed,
        .epochs = j->recipe.epochs,
        .samples = j->data.train.count,
        .holdout = j->data.holdout.count,
        .arena = d->arena(d),
        .folder = j->folder,
        .data = j->options->folder,
        .epoch = j->at.epoch,
        .in_epoch = j->at.in_epoch,
        .steps = j->at.step,
    };
    return tell(&j->tell, &e);
}

static int tell_end(struct job *j, enum ending how)
{
    const struct rule *save = &j->recipe.save, *stop = &j->recipe.stop;
    struct event e = event_of(j, EVENT_END);
    e.end = (struct end_report){
        .how = how,
        .epochs = j->at.epoch,
        .step = j->at.in_epoch,
        .epoch_seconds = j->at.seconds,
        .seconds = j->at.all_seconds + j->at.seconds,
        .folder = j->folder,
        .best_epoch = j->at.best_epoch,
        .measure = choose_measure(j, save),
        .best = choose_value(j, save, j->at.best),
    };
    if (how == ENDS_OK && j->at.epoch < j->recipe.epochs) {
        e.end.stop = stop->word->name;
        e.end.stop_measure = choose_measure(j, stop);
        e.end.stop_epoch = j->at.stop_epoch;
    }
    return told(j, tell(&j->tell, &e));
}

/* The file says more than what one training makes of it. */
static void tell_of_sweep(const struct job *j)
{
    for (int i = 0; i < j->plan->nsetting && !j->options->into; i++)
        if (strncmp(j->plan->setting[i].key, "sweep.", 6) == 0) {
            note("this is one training; --sweep makes those of the `sweep` section");
            return;
        }
}

static int finish(struct job *j)
{
    bool over = choose_over(j);
    int signal = over ? 0 : stopped_by();
    int status = j->at.in_epoch > 0 ? keep_last(j) : 0;
    if (status == 0 && over)
        status = test_best(j);
    if (status == 0)
        status = tell_end(j, signal ? ENDS_INTERRUPTED : over ? ENDS_OK : ENDS_STOPPED);
    plot_own(j);
    if (status || over)
        return status;
    if (!j->options->into) /* its sweep goes on as a whole */
        note("stopped after %lld steps (epoch %lld, step %lld of %lld); to go on: netrun --resume %s",
             (long long)j->at.step, (long long)j->at.epoch + 1, (long long)j->at.in_epoch,
             (long long)j->recipe.rate.steps, j->folder);
    return signal ? STATUS_SIGNAL + signal : 0;
}

static int run_epochs(struct job *j)
{
    while (!choose_over(j) && !enough(j)) {
        int64_t seen = 0;
        double since = now();
        int status = run_steps(j, &seen, since);
        if (status == 0 && j->at.in_epoch == j->recipe.rate.steps)
            status = end_epoch(j, seen, since);
        else
            j->at.seconds += now() - since;
        if (status == STATUS_DIVERGED) {
            keep_last(j);
            tell_end(j, ENDS_DIVERGED);
        }
        if (status)
            return status;
    }
    return finish(j);
}

int train_loop(struct job *j)
{
    stops_listen();
    j->kept_at = now();
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
    j->options->checkpoint_steps = 0;
    j->options->checkpoint_seconds = 0;
    int status = run_steps(j, &seen, now());
    if (status == 0)
        say(&j->tell, "one step of %lld samples: loss %s; nothing was written", (long long)seen,
            loss_text(j->at.loss_sum / (double)seen, text, sizeof text));
    return status;
}

/* Of a run whose epochs are all done, or that has stopped. */
static int train_no_more(struct job *j)
{
    const struct rule *stop = &j->recipe.stop;
    if (j->options->into)
        return tell_end(j, ENDS_OK);
    if (j->at.epoch < j->recipe.epochs)
        note("%s is finished: %s stopped it after epoch %lld; to go on: netrun --resume %s --set train.stop.%s=N",
             j->folder, stop->word->name, (long long)j->at.epoch, j->folder, stop->word->arg[0].name);
    else
        note("%s is finished: its %lld epochs are done; to go on: netrun --resume %s --epochs N", j->folder,
             (long long)j->at.epoch, j->folder);
    int status = j->data.holdout.count > 0 ? run_metrics(j) : 0;
    if (status == 0 && j->data.holdout.count > 0 && !j->tested) { /* it was killed before */
        j->tell.metrics = j->metrics;
        status = test_best(j);
        j->tell.metrics = NULL;
    }
    return status ? status : tell_end(j, ENDS_OK);
}

int train(struct job *j)
{
    signal(SIGPIPE, SIG_IGN); /* nobody who reads along stops it by going away */
    int status = train_prepare(j);
    if (status == 0 && j->options->resume)
        status = keep_made_up(j);
    if (status == 0 && j->options->resume && choose_over(j))
        return train_no_more(j);
    if (status == 0 && !j->options->dry_run)
        status = j->options->resume ? run_take_up(j) : run_create(j);
    if (status == 0 && !j->options->dry_run)
        status = run_metrics(j);
    if (status)
        return status;
    j->tell.metrics = j->metrics;
    if (!j->options->dry_run)
        run_board(j);
    if (j->options->dry_run)
        j->tell.json = NULL; /* nothing has happened */
    status = told(j, tell_start(j));
    tell_of_sweep(j);
    return status ? status : j->options->dry_run ? try_step(j) : train_loop(j);
}
