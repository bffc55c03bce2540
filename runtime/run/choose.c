/* choose.c: which epoch is the best, and when there have been enough without a better one. Rules and measures are words. */
#include "run.h"

#include <math.h>

const struct data_split *choose_split(const struct job *j)
{
    return j->data.holdout.count > 0 ? &j->data.holdout : &j->data.test;
}

const char *choose_tested(const struct job *j)
{
    return set_text(&(struct result){.held_out = choose_split(j) == &j->data.holdout});
}

/* The metric that a choice goes by, or MEASURE_LOSS. */
static int measure_of(const struct job *j, const struct rule *c)
{
    bool tested = choose_split(j)->count > 0;
    return c->measure != MEASURE_AUTO ? c->measure : tested && j->recipe.metrics > 0 ? 0 : MEASURE_LOSS;
}

const char *choose_measure(const struct job *j, const struct rule *c)
{
    int measure = measure_of(j, c);
    return measure == MEASURE_LOSS ? "loss" : j->recipe.metric[measure];
}

/* Less is better: of a loss, and of some metrics. */
static bool falls(const struct job *j, const struct rule *c)
{
    const int measure = measure_of(j, c);
    return measure == MEASURE_LOSS || metric_falls(j->recipe.metric[measure]);
}

double choose_value(const struct job *j, const struct rule *c, double merit)
{
    return falls(j, c) ? -merit : merit;
}

static double merit_of(const struct job *j, const struct rule *c, double train_loss, const struct result *r)
{
    int measure = measure_of(j, c);
    if (measure != MEASURE_LOSS)
        return falls(j, c) ? -result_value(r, measure) : result_value(r, measure);
    return r->n > 0 ? -r->loss : -train_loss;
}

/* An epoch whose loss is not finite is no improvement, whatever is measured. */
static bool improves(const struct job *j, const struct rule *c, double train_loss, const struct result *r,
                     int64_t *epoch, double *best)
{
    double merit = merit_of(j, c, train_loss, r);
    if (!isfinite(r->loss) || !isfinite(merit) || (*epoch > 0 && !c->word->better(c->num, merit, *best)))
        return false;
    *epoch = j->at.epoch;
    *best = merit;
    return true;
}

bool choose_epoch(struct job *j, double train_loss, const struct result *r)
{
    struct position *at = &j->at;
    rate_watch(&j->recipe.rate, &at->watched,
               choose_value(j, &j->recipe.save, merit_of(j, &j->recipe.save, train_loss, r)),
               falls(j, &j->recipe.save));
    if (j->recipe.stop.word)
        improves(j, &j->recipe.stop, train_loss, r, &at->stop_epoch, &at->stop_best);
    return improves(j, &j->recipe.save, train_loss, r, &at->best_epoch, &at->best);
}

bool choose_stops(const struct job *j)
{
    const struct rule *stop = &j->recipe.stop;
    return stop->word && stop->word->enough(stop->num, j->at.epoch - j->at.stop_epoch);
}

bool choose_over(const struct job *j)
{
    return j->at.epoch >= j->recipe.epochs || choose_stops(j);
}

int choose_check(const struct job *j)
{
    const struct rule *both[] = {&j->recipe.save, &j->recipe.stop};
    for (int i = 0; i < 2; i++)
        if (both[i]->word && both[i]->measure >= 0 && choose_split(j)->count == 0)
            return complain(
                STATUS_DATA,
                "%s goes by %s, and there is no test set to measure it on\n"
                "  = help: --set data.holdout=10%% tests on a part of the training set; --set train.%s.measure=loss goes by the training loss",
                both[i]->word->name, choose_measure(j, both[i]), i ? "stop" : "save");
    return 0;
}
