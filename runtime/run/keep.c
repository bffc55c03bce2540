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
    return save(j, "last.safetensors", true);
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
