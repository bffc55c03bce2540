/* keep.c: what of a training is on the disk: the checkpoints, in the order in which a process may be killed between them. */
#include "run.h"

int keep_lost(void)
{
    return complain(STATUS_DATA, "metrics.jsonl or stdout: cannot be written");
}

static int save(struct job *j, const char *name, bool whole)
{
    char path[PATH_MAX];
    return run_path(j->folder, name, path) ? checkpoint_save(j, path, whole) : STATUS_DATA;
}

int keep_last(struct job *j)
{
    j->kept_at = now();
    return save(j, "last.safetensors", true);
}

int64_t keep_next(const struct job *j)
{
    int64_t every = j->options->checkpoint_steps;
    return every > 0 && j->at.step <= INT64_MAX - every ? (j->at.step / every + 1) * every : INT64_MAX;
}

/* The event comes behind its checkpoint. What it tells is how long the epoch has been at work, for a run that goes on from there. */
int keep_step(struct job *j, double since)
{
    const struct options *o = j->options;
    bool due = o->checkpoint_steps > 0 ? j->at.step % o->checkpoint_steps == 0
                                       : o->checkpoint_seconds > 0 && now() - j->kept_at >= o->checkpoint_seconds;
    if (!due || j->at.in_epoch == 0 || j->at.in_epoch == j->recipe.rate.steps)
        return 0;
    int status = keep_last(j);
    struct event e = event_of(j, EVENT_CHECKPOINT);
    e.checkpoint = (struct checkpoint_report){.epoch = j->at.epoch + 1,
                                              .step = j->at.in_epoch,
                                              .steps = j->at.step,
                                              .seconds = j->at.seconds + now() - since};
    return status || tell(&j->tell, &e) || stopped_by() ? status : keep_lost();
}

/* The event in the run's folder and the checkpoints. The best comes last: a best of an epoch that `last` does not know of might
 * never be made again, while one that is missing is in `last`. */
int keep_epoch(struct job *j, const struct event *e)
{
    int status = tell_keep(&j->tell, e) ? keep_last(j) : keep_lost();
    return status || !e->epoch.best ? status : save(j, "best.safetensors", false);
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
    return kept.epoch == j->at.epoch ? 0 : checkpoint_save(j, path, false);
}
