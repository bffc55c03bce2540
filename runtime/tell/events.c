/* events.c: JSON Lines, one event a line, flushed. Written straight to the stream, so that no event is too long and
 * nothing is allocated. */
#include "tell.h"

#include <math.h>
#include <stdarg.h>

static void put(struct event_line *l, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void put(struct event_line *l, const char *format, ...)
{
    if (!l->to)
        return;
    va_list arguments;
    va_start(arguments, format);
    vfprintf(l->to, format, arguments);
    va_end(arguments);
}

/* JSON string; bytes from 0x80 on are passed through as UTF-8. */
static void put_string(struct event_line *l, const char *text)
{
    put(l, "\"");
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\')
            put(l, "\\%c", c);
        else if (c < 0x20 || c == 0x7f)
            put(l, "\\u%04x", c);
        else
            put(l, "%c", c);
    }
    put(l, "\"");
}

static void put_key(struct event_line *l, const char *key)
{
    if (l->comma)
        put(l, ",");
    l->comma = true;
    if (!key)
        return;
    put_string(l, key);
    put(l, ":");
}

void event_begin(struct event_line *l, const char *name)
{
    put(l, "{");
    l->comma = false;
    if (name)
        event_text(l, "event", name);
}

void event_text(struct event_line *l, const char *key, const char *value)
{
    put_key(l, key);
    put_string(l, value);
}

void event_integer(struct event_line *l, const char *key, int64_t value)
{
    put_key(l, key);
    put(l, "%lld", (long long)value);
}

void event_number(struct event_line *l, const char *key, double value)
{
    put_key(l, key);
    if (isfinite(value))
        put(l, "%.9g", value);
    else
        put(l, "null");
}

void event_truth(struct event_line *l, const char *key, bool value)
{
    put_key(l, key);
    put(l, "%s", value ? "true" : "false");
}

void event_open(struct event_line *l, const char *key, char bracket)
{
    put_key(l, key);
    put(l, "%c", bracket);
    l->comma = false;
}

void event_close(struct event_line *l, char bracket)
{
    put(l, "%c", bracket);
    l->comma = true;
}

void event_weights(struct event_line *l, const char *path, bool synthetic)
{
    event_text(l, "weights", path);
    if (synthetic)
        event_text(l, "trained_on", "synthetic");
}

bool event_end(struct event_line *l, bool synthetic)
{
    if (synthetic)
        put(l, ",\"synthetic\":true");
    put(l, "}\n");
    return !l->to || (fflush(l->to) == 0 && !ferror(l->to));
}
