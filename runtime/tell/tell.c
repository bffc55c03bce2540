/* tell.c: the sinks. */
#include "tell.h"
#include "base/options.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* In the order in which they are told: a bar is drawn behind the lines. */
#define SINKS(X) X(metrics) X(table) X(summary) X(lines) X(bar) X(json) X(watch) X(tensorboard)

#define DECLARE(name_) extern const struct sink sink_##name_;
SINKS(DECLARE)
#define ROW(name_) &sink_##name_,
static const struct sink *const sinks[] = {SINKS(ROW)};

static bool tell_those(struct tell *t, const struct event *e, bool that_keep)
{
    bool good = true;
    for (size_t i = 0; i < sizeof sinks / sizeof *sinks; i++) {
        if (sinks[i]->keeps != that_keep || t->lost >> i & 1)
            continue;
        errno = 0;
        if (sinks[i]->take(t, e))
            continue;
        if (that_keep)
            return false;
        good = false;
        t->lost |= 1u << i;
        note("warning: %s cannot be written%s%s: left out from here on", sinks[i]->name, errno ? ": " : "",
             errno ? strerror(errno) : "");
    }
    return good;
}

static bool told(struct tell *t, const struct event *e)
{
    bool kept = tell_those(t, e, true);
    int why = errno;
    tell_those(t, e, false);
    errno = why;
    return kept;
}

static bool tell_warning(struct tell *t, const char *text, const struct finding *about)
{
    const struct event e = {.kind = EVENT_WARNING,
                            .time = wall_time(),
                            .synthetic = t->synthetic,
                            .weights = "",
                            .finding = *about,
                            .warning = {.text = text}};
    return told(t, &e);
}

static const struct finding nothing;

bool tell(struct tell *t, const struct event *e)
{
    bool kept = told(t, e);
    int why = errno;
    t->synthetic = e->synthetic;
    t->started = true;
    for (int i = 0; i < t->warnings; i++)
        kept &= tell_warning(t, t->warning[i], &nothing);
    t->warnings = 0;
    errno = why;
    return kept;
}

bool tell_keep(struct tell *t, const struct event *e)
{
    return tell_those(t, e, true);
}

void tell_show(struct tell *t, const struct event *e)
{
    tell_those(t, e, false);
}

void warn(struct tell *t, const char *format, ...)
{
    char text[WARNING_TEXT];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    note("warning: %s", text);
    if (t->started)
        tell_warning(t, text, &nothing); /* whether it is kept, the end of the epoch tells */
    else if (t->warnings < EARLY_WARNINGS)
        memcpy(t->warning[t->warnings++], text, sizeof text);
}

void warn_of(struct tell *t, const struct finding *about, bool aloud, const char *format, ...)
{
    char text[WARNING_TEXT];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (aloud)
        note("warning: %s", text);
    tell_warning(t, text, about);
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
