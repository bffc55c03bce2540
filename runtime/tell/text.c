/* text.c: numbers as people read them. Nothing here allocates. */
#include "tell.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>

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
const char *short_duration_text(double seconds, char *text, size_t size)
{
    if (seconds < 99.5)
        return duration_text(seconds, text, size);
    snprintf(text, size, seconds < 5997 ? "%.1f min" : "%.1f h", seconds / (seconds < 5997 ? 60 : 3600));
    return text;
}

void text_append(char *text, size_t size, const char *format, ...)
{
    size_t used = strlen(text);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text + used, size - used, format, arguments);
    va_end(arguments);
}

/* Whether a byte is not the inside of a character of UTF-8. */
static bool starts_column(char c)
{
    return ((unsigned char)c & 0xc0) != 0x80;
}

int text_columns(const char *text)
{
    int n = 0;
    for (; *text; text++)
        n += starts_column(*text);
    return n;
}

void text_cut(char *text, int columns)
{
    for (; *text; text++)
        if (starts_column(*text) && columns-- == 0)
            *text-- = '\0';
}

const char *set_text(const struct result *r)
{
    return r->held_out ? "holdout" : "test";
}

/* The calendar of days since 1970-01-01, from March on so that the leap day comes last: no time zone, whose files the C library would read. */
const char *time_text(double since_1970, char text[TIME_TEXT])
{
    int64_t ms = (int64_t)floor(since_1970 * 1e3), seconds = ms / 1000, days = seconds / 86400,
            of_day = seconds % 86400;
    int64_t shifted = days + 719468, era = shifted / 146097, of_era = shifted % 146097;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100), month = (5 * of_year + 2) / 153;
    int64_t day = of_year - (153 * month + 2) / 5 + 1;
    month += month < 10 ? 3 : -9;
    snprintf(text, TIME_TEXT, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", (int)(year + 400 * era + (month <= 2)), (int)month,
             (int)day, (int)(of_day / 3600), (int)(of_day / 60 % 60), (int)(of_day % 60), (int)(ms % 1000));
    return text;
}

int digits_of(int64_t n)
{
    return snprintf(NULL, 0, "%lld", (long long)n);
}

const char *text_wrapped(const char *text, int columns, char *out, size_t size)
{
    int used = 0;
    if (size)
        *out = '\0';
    for (size_t n; *text; text += n) {
        char piece[1024];
        const char *comma = strstr(text, ", ");
        n = comma ? (size_t)(comma - text) + 2 : strlen(text);
        snprintf(piece, sizeof piece, "%.*s", (int)n, text);
        int wide = text_columns(piece);
        if (used > 0 && used + wide - (comma ? 1 : 0) > columns) {
            out[strlen(out) - 1] = '\n'; /* the space behind the comma */
            text_append(out, size, "    ");
            used = 4;
        }
        text_append(out, size, "%s", piece);
        used += wide;
    }
    return out;
}
