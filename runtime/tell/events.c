/* events.c: JSON Lines, one event a line, flushed. Written straight to the streams, so that no event is too long and
 * nothing is allocated. */
#include "tell.h"

#include <math.h>
#include <stdarg.h>

static void put(struct events *e, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void put(struct events *e, const char *format, ...)
{
    for (int i = 0; i < 2; i++) {
        if (!e->to[i])
            continue;
        va_list arguments;
        va_start(arguments, format);
        vfprintf(e->to[i], format, arguments);
        va_end(arguments);
    }
}

/* JSON string; bytes from 0x80 on are passed through as UTF-8. */
static void put_string(struct events *e, const char *text)
{
    put(e, "\"");
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\')
            put(e, "\\%c", c);
        else if (c < 0x20 || c == 0x7f)
            put(e, "\\u%04x", c);
        else
            put(e, "%c", c);
    }
    put(e, "\"");
}

static void put_key(struct events *e, const char *key)
{
    if (e->comma)
        put(e, ",");
    e->comma = true;
    if (!key)
        return;
    put_string(e, key);
    put(e, ":");
}

void event_begin(struct events *e, const char *name)
{
    put(e, "{");
    e->comma = false;
    event_text(e, "event", name);
}

void event_text(struct events *e, const char *key, const char *value)
{
    put_key(e, key);
    put_string(e, value);
}

void event_integer(struct events *e, const char *key, int64_t value)
{
    put_key(e, key);
    put(e, "%lld", (long long)value);
}

void event_number(struct events *e, const char *key, double value)
{
    put_key(e, key);
    if (isfinite(value))
        put(e, "%.9g", value);
    else
        put(e, "null");
}

void event_open(struct events *e, const char *key, char bracket)
{
    put_key(e, key);
    put(e, "%c", bracket);
    e->comma = false;
}

void event_close(struct events *e, char bracket)
{
    put(e, "%c", bracket);
    e->comma = true;
}

bool event_end(struct events *e)
{
    bool good = true;
    if (e->synthetic && *e->synthetic)
        put(e, ",\"synthetic\":true");
    put(e, "}\n");
    for (int i = 0; i < 2; i++)
        if (e->to[i] && (fflush(e->to[i]) != 0 || ferror(e->to[i])))
            good = false;
    return good;
}
