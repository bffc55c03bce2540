/* overrides.c: settings of the command line, over those of the plan or of the run that is resumed. */
#include "run.h"
#include "front/override.h"

#include <stdlib.h>
#include <string.h>

static int change(struct job *j, const char *assignment)
{
    char why[512];
    return setting_override(j->plan, assignment, why, sizeof why) ? 0 : complain(STATUS_USAGE, "%s", why);
}

static int change_as_told(struct job *j)
{
    int status = 0;
    for (int i = 0; status == 0 && i < j->options->overrides; i++)
        status = change(j, j->options->override[i]);
    return status ? status : recipe_read(j->plan, &j->recipe);
}

int overrides_take(struct job *j)
{
    if (j->options->precision == PRECISION_COUNT)
        j->options->precision = PRECISION_FP32;
    return change_as_told(j);
}

/* The settings of the run; cuts up their text. */
static int change_as_recalled(struct job *j, char *settings)
{
    int status = 0;
    for (char *rest = settings, *line; status == 0 && rest && (line = strsep(&rest, "\n"));)
        status = *line ? change(j, line) : 0;
    return status ? status : recipe_read(j->plan, &j->recipe);
}

int overrides_again(struct job *j, const struct recall *r)
{
    struct options *o = j->options;
    int status = change_as_recalled(j, r->settings);
    if (status)
        return status;
    j->recipe.seed = r->seed;
    j->recipe.batch = r->batch;
    o->split_statistics |= r->micro > 0;
    o->precision = r->precision;
    if (r->at.epoch < j->recipe.epochs)
        o->steps = r->at.step;
    return 0;
}

int overrides_resume(struct job *j, const struct recall *r)
{
    int status = change_as_recalled(j, r->settings);
    struct recipe before = j->recipe, *now = &j->recipe;
    if (status == 0)
        status = change_as_told(j);
    if (status)
        return status;
    if (now->seed != before.seed)
        return complain(STATUS_USAGE, "a run that is resumed keeps its seed, %lu", (unsigned long)r->seed);
    if (now->batch != before.batch || now->max_batch != before.max_batch)
        return complain(STATUS_USAGE, "a run that is resumed keeps its batch, %lld", (long long)r->batch);
    if (now->save.measure != before.save.measure || now->stop.measure != before.stop.measure)
        return complain(STATUS_USAGE, "a run that is resumed keeps what its epochs were measured by");
    if (now->holdout != before.holdout)
        return complain(STATUS_USAGE, "a run that is resumed keeps its holdout, %g %%", 100 * before.holdout);
    if (now->epochs != before.epochs)
        j->epochs_before = before.epochs;
    now->seed = r->seed;
    now->batch = r->batch;
    now->micro = r->micro;
    j->at = r->at;
    j->options->split_statistics |= r->micro > 0; /* or it would not have run in parts */
    if (j->options->precision == PRECISION_COUNT)
        j->options->precision = r->precision;
    memcpy(j->hash, r->hash, sizeof j->hash);
    j->altered = j->options->overrides > 0 || j->options->precision != r->precision;
    return 0;
}
