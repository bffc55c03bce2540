/* tell.c: the sinks. */
#include "tell.h"
#include "base/options.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* In the order in which they are told: a bar is drawn behind the lines. */
#define SINKS(X) X(metrics) X(lines) X(bar) X(json) X(watch)

#define DECLARE(name_) extern const struct sink sink_##name_;
SINKS(DECLARE)
#define ROW(name_) &sink_##name_,
static const struct sink *const sinks[] = {SINKS(ROW)};

static bool tell_those(struct tell *t, const struct event *e, bool that_keep)
{
    bool good = true;
    for (size_t i = 0; i < sizeof sinks / sizeof *sinks; i++)
        if (sinks[i]->keeps == that_keep)
            good &= sinks[i]->take(t, e);
    return good;
}

bool tell_keep(struct tell *t, const struct event *e)
{
    return tell_those(t, e, true);
}

bool tell_show(struct tell *t, const struct event *e)
{
    return tell_those(t, e, false);
}

bool tell(struct tell *t, const struct event *e)
{
    bool kept = tell_keep(t, e);
    return tell_show(t, e) && kept;
}

static bool animated(enum progress_mode mode)
{
    const char *term = getenv("TERM");
    bool wanted = mode == PROGRESS_AUTO || mode == PROGRESS_BAR;
    return wanted && isatty(STDERR_FILENO) && term && strcmp(term, "dumb") != 0;
}

void tell_open(struct tell *t, enum progress_mode mode, bool quiet, bool json)
{
    FILE *results = json ? stderr : stdout;
    *t = (struct tell){
        .results = results,
        .lines = quiet || mode == PROGRESS_NONE ? NULL : results,
        .bar = !quiet && animated(mode) ? stderr : NULL,
        .json = json ? stdout : NULL,
        .brief = quiet,
        .line_at = now(),
    };
}
