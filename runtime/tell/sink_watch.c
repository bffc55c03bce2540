/* sink_watch.c: whoever wants to see each event. */
#include "tell.h"

static bool take(struct tell *t, const struct event *e)
{
    if (t->watch)
        t->watch->take(t->watch, e);
    return true;
}

const struct sink sink_watch = {.name = "what is watched", .take = take};
