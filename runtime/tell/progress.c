/* progress.c: what people read: one line an epoch, and on a terminal a live bar, redrawn at most ten times a second.
 * Nothing here allocates. */
#include "tell.h"
#include "base/options.h"

#include <math.h>
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

const char *duration_text(double seconds, char *text, size_t size)
{
    long long whole = llround(fmin(seconds, 1e15));
    if (seconds < 9.95)
        snprintf(text, size, "%.1f s", seconds);
    else if (whole < 100)
        snprintf(text, size, "%lld s", whole);
    else if (whole < 3600)
        snprintf(text, size, "%lld min %02lld s", whole / 60, whole % 60);
    else
        snprintf(text, size, "%lld h %02lld min", whole / 3600, whole % 3600 / 60);
    return text;
}

const char *rate_text(double rate, char *text, size_t size)
{
    if (rate < 9.95)
        snprintf(text, size, "%.1f", rate);
    else if (rate < 999.5)
        snprintf(text, size, "%.0f", rate);
    else if (rate < 999950)
        snprintf(text, size, "%.1fk", rate / 1e3);
    else
        snprintf(text, size, "%.1fM", rate / 1e6);
    return text;
}

/* 0.3100, 1.25e-05, 123.45, 1.20e+06, NaN, infinite: eight columns at most. */
const char *loss_text(double loss, char *text, size_t size)
{
    bool tiny = loss > 0 && loss < 5e-4, huge = loss >= 99999.995;
    if (isfinite(loss))
        snprintf(text, size, tiny || huge ? "%.2e" : loss < 99.99995 ? "%.4f" : "%.2f", loss);
    else
        snprintf(text, size, "%s", isnan(loss) ? "NaN" : "infinite");
    return text;
}

/* 1.9 s, 98 s, 12.6 min, 187.5 h: eight columns at most where it is less than a year and a half. */
static const char *short_duration(double seconds, char *text, size_t size)
{
    if (seconds < 99.5)
        return duration_text(seconds, text, size);
    snprintf(text, size, seconds < 5997 ? "%.1f min" : "%.1f h", seconds / (seconds < 5997 ? 60 : 3600));
    return text;
}

/* snprintf at the end of what is there; a full buffer stays as it is. */
static void append(char *text, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));
static void append(char *text, size_t size, const char *format, ...)
{
    size_t used = strlen(text);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text + used, size - used, format, arguments);
    va_end(arguments);
}

static int digits(int64_t n)
{
    return snprintf(NULL, 0, "%lld", (long long)n);
}

/* ---- the line of an epoch ---- */

enum { LINE = 80 };                      /* columns */
static const char indent[] = "\n          ";              /* what does not fit goes on in a line of its own */

static int columns(const char *text)
{
    int n = 0;
    for (; *text; text++)
        n += ((unsigned char)*text & 0xc0) != 0x80;      /* not the inside of a character of UTF-8 */
    return n;
}

struct line { char *text; size_t size; int used; };      /* used: columns of the last one */

/* Adds two spaces and a piece. `room` > 0: it may be left out, and is where so many columns are not free; room for the
 * widest of its kind keeps it from coming and going from epoch to epoch. */
static void piece(struct line *l, int room, const char *format, ...) __attribute__((format(printf, 3, 4)));
static void piece(struct line *l, int room, const char *format, ...)
{
    char text[LINE] = "";
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    int width = columns(text);
    bool fits = l->used + 2 + (room > width ? room : width) <= LINE;
    if (!fits && room > 0)
        return;
    append(l->text, l->size, "%s%s", fits ? "  " : indent, text);
    l->used = (fits ? l->used + 2 : (int)sizeof indent - 2) + width;
}

void epoch_text(const struct epoch_report *r, char *text, size_t size)
{
    char word[32];
    struct line l = { text, size, 0 };
    l.used = snprintf(text, size, "epoch %*lld/%lld", digits(r->epochs), (long long)r->epoch, (long long)r->epochs);
    piece(&l, 0, "loss %s", loss_text(r->train_loss, word, sizeof word));
    if (r->tested)
        piece(&l, 0, "test %s", loss_text(r->test_loss, word, sizeof word));
    for (int m = 0; r->tested && m < r->metrics; m++) {
        struct interval i = wilson(r->correct[m], r->n);
        char either[32] = "";
        if (!r->synthetic)
            snprintf(either, sizeof either, " ± %.2f", 50 * (i.high - i.low));
        piece(&l, 0, "%s %5.2f%s %%", r->metric[m], 100.0 * (double)r->correct[m] / (double)r->n, either);
    }
    if (r->synthetic)
        piece(&l, 0, "synthetic");
    piece(&l, 0, "%s", r->best ? "best" : "    ");
    piece(&l, 0, "%s", short_duration(r->seconds, word, sizeof word));
    if (r->eta >= 0)
        piece(&l, sizeof "ETA 99.9 min" - 1, "ETA %s", short_duration(r->eta, word, sizeof word));
    piece(&l, sizeof "999.9k img/s" - 1, "%s img/s", rate_text(r->per_second, word, sizeof word));
}

void bar_text(const struct progress_step *s, int width, char *text, size_t size)
{
    enum { CELLS = 24 };
    char tail[160] = "", word[32];
    append(tail, sizeof tail, "  %*lld/%lld", digits(s->steps), (long long)s->step, (long long)s->steps);
    append(tail, sizeof tail, "  loss %s", loss_text(s->loss, word, sizeof word));
    append(tail, sizeof tail, "  %s img/s", rate_text(s->per_second, word, sizeof word));
    append(tail, sizeof tail, "  ETA %s", duration_text(s->eta, word, sizeof word));
    snprintf(text, size, "epoch %*lld/%lld", digits(s->epochs), (long long)s->epoch, (long long)s->epochs);
    if ((int)(strlen(text) + strlen(tail)) + CELLS + 4 <= width) {
        int full = (int)((double)CELLS * (double)s->step / (double)s->steps);
        append(text, size, "  [");
        for (int i = 0; i < CELLS; i++)
            append(text, size, "%c", i < full ? '=' : i == full ? '>' : ' ');
        append(text, size, "]");
    }
    append(text, size, "%s", tail);
    if (width > 0 && strlen(text) > (size_t)width)
        text[width] = '\0';
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
        progress_say(p, "epoch %*lld/%lld  step %*lld/%lld  loss %s  %s img/s  ETA %s", digits(s->epochs),
                     (long long)s->epoch, (long long)s->epochs, digits(s->steps), (long long)s->step,
                     (long long)s->steps, loss_text(s->loss, loss, sizeof loss),
                     rate_text(s->per_second, rate, sizeof rate), short_duration(s->eta, left, sizeof left));
    }
    if (p->bar && time - p->drawn_at >= REDRAW)
        draw(p, s, time);
}
