/* say.c: what is said to people. */
#include "tell.h"
#include "base/options.h"

#include <stdarg.h>
#include <time.h>

/* There is one terminal, and whatever is written on it has to know. */
static FILE *bar; /* a bar stands on its last line; NULL: none does */

void bar_stands(FILE *stream)
{
    bar = stream;
}

void bar_clear(void)
{
    if (!bar)
        return;
    fputs("\r\033[K", bar);
    fflush(bar);
    bar = NULL;
}

static _Thread_local struct {
    said *take;
    void *to;
} listener;

void say_to(said *take, void *to)
{
    listener.take = take;
    listener.to = to;
}

static void say_on_stderr(const char *kind, const char *format, va_list arguments)
{
    bool colour = *kind && option_colour(COLOUR_AUTO, stderr);
    char text[2048];
    if (listener.take) {
        vsnprintf(text, sizeof text, format, arguments);
        listener.take(listener.to, *kind, text);
        return;
    }
    bar_clear();
    fprintf(stderr, "netrun: %s%s%s", colour ? "\033[1;31m" : "", kind, colour ? "\033[0m" : "");
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
}

int complain_as(int status, const char *text)
{
    if (listener.take)
        listener.take(listener.to, true, text);
    else {
        bar_clear();
        fputs(text, stderr);
    }
    return status;
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

double wall_time(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

void say(struct tell *t, const char *format, ...)
{
    if (!t->lines)
        return;
    bar_clear();
    va_list arguments;
    va_start(arguments, format);
    vfprintf(t->lines, format, arguments);
    va_end(arguments);
    fputc('\n', t->lines);
    fflush(t->lines);
    t->line_at = now();
}

const char *synthetic_text(bool data, bool weights)
{
    return data ? " (synthetic data)" : weights ? " (weights from synthetic data)" : "";
}
