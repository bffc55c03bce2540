/* keep.c: what of a training is on the disk: the checkpoints, in the order in which a process may be killed between them. */
#include "keep.h"

#include <errno.h>
#include <string.h>

int keep_lost(const struct job *j)
{
    return complain(STATUS_DATA, "%s: metrics.jsonl or metrics.csv cannot be written: %s", j->folder, strerror(errno));
}

/* The event comes behind its checkpoint. `seconds`: how long the epoch has been at work, for a run that goes on from there. */
static int told(struct job *j, const char *name, double seconds)
{
    struct event e = event_of(j, EVENT_CHECKPOINT);
    e.checkpoint = (struct checkpoint_report){
        .file = name, .epoch = j->at.epoch + 1, .step = j->at.in_epoch, .steps = j->at.step, .seconds = seconds};
    return tell(&j->tell, &e) ? 0 : keep_lost(j);
}

static int save_last(struct job *j, double seconds)
{
    j->kept_at = now();
    int status = pair_save(j);
    return status ? status : told(j, "last.safetensors", seconds);
}

int keep_last(struct job *j)
{
    return save_last(j, j->at.seconds);
}

int64_t keep_next(const struct job *j)
{
    int64_t every = j->options->checkpoint_steps;
    return every > 0 && j->at.step <= INT64_MAX - every ? (j->at.step / every + 1) * every : INT64_MAX;
}

int keep_step(struct job *j, double since)
{
    const struct options *o = j->options;
    bool due = o->checkpoint_steps > 0 ? j->at.step % o->checkpoint_steps == 0
                                       : o->checkpoint_seconds > 0 && now() - j->kept_at >= o->checkpoint_seconds;
    if (!due || j->at.in_epoch == 0 || j->at.in_epoch == j->recipe.rate.steps)
        return 0;
    return save_last(j, j->at.seconds + now() - since);
}

/* Of the mean of the weights, where there is one. */
static int save_best(struct job *j, const char *path)
{
    int status = mean_exchange(j);
    if (status)
        return status;
    status = checkpoint_save(j, path);
    const int back = mean_exchange(j);
    return status ? status : back;
}

/* The event in the run's folder and the checkpoints. The best comes last: a best of an epoch that `last` does not know of might
 * never be made again, while one that is missing is in `last`. */
int keep_epoch(struct job *j, const struct event *e)
{
    static const char name[] = "best.safetensors";
    char path[PATH_MAX];
    int status = tell_keep(&j->tell, e) ? keep_last(j) : keep_lost(j);
    if (status || !e->epoch.best)
        return status;
    status = run_path(j->folder, name, path) ? save_best(j, path) : STATUS_DATA;
    return status ? status : told(j, name, 0);
}

/* The process may have ended before it kept the best. */
int keep_made_up(struct job *j)
{
    char path[PATH_MAX];
    struct origin kept;
    if (j->at.in_epoch > 0 || j->at.best_epoch == 0 || j->at.best_epoch < j->at.epoch)
        return 0;
    if (!run_path(j->folder, "best.safetensors", path))
        return STATUS_DATA;
    checkpoint_origin(path, &kept);
    return kept.epoch == j->at.epoch ? 0 : save_best(j, path);
}
