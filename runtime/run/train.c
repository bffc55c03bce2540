/* train.c: the training loop. Between `prepare` and the end of an epoch nothing is allocated but by a checkpoint that is asked for. */
#include "keep.h"
#include "profile.h"

#include <signal.h>
#include <string.h>

/* ---- the end of an epoch ---- */

static int told(const struct job *j, bool good)
{
    return good ? 0 : keep_lost(j);
}

/* Takes out of the position what the epoch that is over has shown of the training set. */
static void take_training(struct job *j, struct result *r)
{
    r->loss = j->at.loss_sum / (double)j->data.train.count;
    r->n = j->data.train.count;
    r->metrics = j->recipe.counts && !j->at.uncounted ? j->recipe.metrics : 0;
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

/* With the mean of the weights, where there is one. */
static int test_epoch(struct job *j, const struct data_split *split, struct result *r)
{
    int status = mean_exchange(j);
    if (status)
        return status;
    status = evaluate(j, split, r);
    const int back = mean_exchange(j);
    return status ? status : back;
}

/* Tests, keeps, and only then shows. */
static int end_epoch(struct job *j, int64_t seen, double since)
{
    struct event e = event_of(j, EVENT_EPOCH);
    struct epoch_report *r = &e.epoch;
    double trained = now();
    teach_seen(j);
    const struct data_split *split = choose_split(j);
    r->parameters = parameters_after(j);
    double looked = now();
    int status = measures_take(j, false, j->data.train.count, &r->train);
    if (status == 0 && split->count > 0)
        status = test_epoch(j, split, &r->test);
    if (status)
        return status;
    r->train_seconds = j->at.seconds + trained - since;
    r->test_seconds = j->test_seconds = now() - looked;
    r->seconds = r->train_seconds + r->test_seconds;
    r->per_second = (double)seen / (trained - since + 1e-9);
    if (j->data.train.reader) {
        r->streamed = true;
        r->waiting = j->data.train.source->waited / (trained - since + 1e-9);
        j->data.train.source->waited = 0;
    }
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
    recipe_reduce(&j->recipe, j->at.watched.reduced);
    status = keep_epoch(j, &e);
    if (status == 0) {
        tell_show(&j->tell, &e);
        teach_epoch(j, r);
    }
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
        .apart = j->recipe.holdout == 0,
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
    if (how == ENDS_DIVERGED)
        e.finding = j->fault.found;
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
    if (status == 0)
        status = profile_own(j);
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
    while (!choose_over(j) && !steps_enough(j)) {
        int64_t seen = 0;
        double since = now();
        int status = steps_run(j, &seen, since);
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
    recipe_reduce(&j->recipe, j->at.watched.reduced);
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
    int status = steps_run(j, &seen, now());
    if (status == 0)
        say(&j->tell, "one step of %lld samples: loss %s; nothing was written", (long long)seen,
            loss_text(j->at.loss_sum / (double)seen, text, sizeof text));
    return status;
}

/* Of a run whose epochs are all done, or that has stopped. */
static int train_no_more(struct job *j)
{
    const struct rule *stop = &j->recipe.stop;
    int status = run_metrics(j); /* they tell how long it took */
    if (status || j->options->into)
        return status ? status : tell_end(j, ENDS_OK);
    if (j->at.epoch < j->recipe.epochs)
        note("%s is finished: %s stopped it after epoch %lld; to go on: netrun --resume %s --set train.stop.%s=N",
             j->folder, stop->word->name, (long long)j->at.epoch, j->folder, stop->word->arg[0].name);
    else
        note("%s is finished: its %lld epochs are done; to go on: netrun --resume %s --epochs N", j->folder,
             (long long)j->at.epoch, j->folder);
    if (j->data.holdout.count > 0 && !j->tested) { /* it was killed before */
        j->tell.metrics = j->metrics;
        status = test_best(j);
        j->tell.metrics = NULL;
    }
    if (status == 0)
        status = tell_end(j, ENDS_OK);
    return status ? status : profile_own(j);
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
    if (status == 0 && !j->options->dry_run)
        status = teach_begin(j);
    return status ? status : j->options->dry_run ? try_step(j) : train_loop(j);
}
