/* progress.c: what is said to people. */
#include "tell.h"
#include "base/options.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define REDRAW 0.1           /* seconds between two drawings of the bar */
#define SILENCE 60.0         /* seconds after which a line is due where there is no bar */

static void say_on_stderr(const char *kind, const char *format, va_list arguments)
{
    bool colour = *kind && option_colour(COLOUR_AUTO, stderr);
    fprintf(stderr, "netrun: %s%s%s", colour ? "\033[1;31m" : "", kind, colour ? "\033[0m" : "");
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
}

int complain(int status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    say_on_stderr("error: ", format, arguments);
    va_end(arguments);
    return status;
}

void note(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    say_on_stderr("", format, arguments);
    va_end(arguments);
}

double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static bool animated(enum progress_mode mode)
{
    const char *term = getenv("TERM");
    bool wanted = mode == PROGRESS_AUTO || mode == PROGRESS_BAR;
    return wanted && isatty(STDERR_FILENO) && term && strcmp(term, "dumb") != 0;
}

void progress_open(struct progress *p, enum progress_mode mode, bool quiet, bool json, int64_t log_every)
{
    bool silent = quiet || mode == PROGRESS_NONE;
    *p = (struct progress){
        .lines = silent ? NULL : json ? stderr : stdout,
        .bar = !quiet && animated(mode) ? stderr : NULL,
        .line_at = now(),
        .log_every = log_every,
    };
}

void progress_clear(struct progress *p)
{
    if (!p->drawn)
        return;
    fputs("\r\033[K", p->bar);
    fflush(p->bar);
    p->drawn = false;
}

void progress_say(struct progress *p, const char *format, ...)
{
    if (!p->lines)
        return;
    progress_clear(p);
    va_list arguments;
    va_start(arguments, format);
    vfprintf(p->lines, format, arguments);
    va_end(arguments);
    fputc('\n', p->lines);
    fflush(p->lines);
    p->line_at = now();
}

static void draw(struct progress *p, const struct progress_step *s, double time)
{
    struct winsize w;
    char text[256];
    int width = ioctl(fileno(p->bar), TIOCGWINSZ, &w) == 0 && w.ws_col ? w.ws_col - 1 : 79;
    bar_text(s, width < 200 ? width : 200, text, sizeof text);
    fprintf(p->bar, "\r%s\033[K", text);
    fflush(p->bar);
    p->drawn = true;
    p->drawn_at = time;
}

void progress_step(struct progress *p, const struct progress_step *s)
{
    double time = now();
    bool due = p->log_every > 0 && s->step % p->log_every == 0;
    if (due || (!p->bar && time - p->line_at >= SILENCE)) {
        char loss[32], rate[32], left[32];
        progress_say(p, "epoch %*lld/%lld  step %*lld/%lld  loss %s  %s img/s  ETA %s", digits_of(s->epochs),
                     (long long)s->epoch, (long long)s->epochs, digits_of(s->steps), (long long)s->step,
                     (long long)s->steps, loss_text(s->loss, loss, sizeof loss),
                     rate_text(s->per_second, rate, sizeof rate), short_duration_text(s->eta, left, sizeof left));
    }
    if (p->bar && time - p->drawn_at >= REDRAW)
        draw(p, s, time);
}
