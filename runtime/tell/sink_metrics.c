/* sink_metrics.c: the events of --json, in metrics.jsonl of the run's folder. */
#include "tell.h"

#include <errno.h>
#include <unistd.h>

static bool take(struct tell *t, const struct event *e)
{
    bool good = event_write(e, t->metrics);
    if (!good || !t->metrics || e->kind != EVENT_EPOCH)
        return good;
    return fsync(fileno(t->metrics)) == 0 || errno == EINVAL; /* EINVAL: it is no file on a disk */
}

const struct sink sink_metrics = {.name = "metrics.jsonl", .keeps = true, .take = take};
