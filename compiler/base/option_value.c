/* option_value.c: numbers, sizes and colour as people write them on a command line. */
#include "options.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool option_is_choice(const struct option_row *row)
{
    bool choice = row->arg && strchr(row->arg, '|');
    for (const char *word = row->arg; choice && *word; word += strcspn(word, "|"), word += *word == '|')
        choice = islower((unsigned char)*word);
    return choice;
}

bool option_integer(const char *text, int64_t min, int64_t max, int64_t *out)
{
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (end == text || *end || errno || isspace((unsigned char)*text) || value < min || value > max)
        return false;
    *out = value;
    return true;
}

static double unit_of(const char *unit, int64_t whole)
{
    static const struct {
        const char *name;
        double bytes;
    } units[] = {
        {"", 1}, {"B", 1}, {"KiB", 1024.0}, {"MiB", 1048576.0}, {"GiB", 1073741824.0}, {"TiB", 1099511627776.0},
    };
    if (strcmp(unit, "%") == 0)
        return whole > 0 ? (double)whole / 100 : 0;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (strcmp(unit, units[i].name) == 0)
            return units[i].bytes;
    return 0;
}

bool option_seconds(const char *text, double *out)
{
    static const struct {
        const char *name;
        double seconds;
    } units[] = {{"s", 1}, {"min", 60}, {"h", 3600}};
    char *end;
    if (!isdigit((unsigned char)*text))
        return false;
    double value = strtod(text, &end);
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (strcmp(end, units[i].name) == 0) {
            *out = value * units[i].seconds;
            return *out > 0 && *out <= 366 * 86400.0;
        }
    return false;
}

bool option_bytes(const char *text, int64_t whole, int64_t *out)
{
    char *end;
    if (!isdigit((unsigned char)*text))
        return false;
    double value = strtod(text, &end);
    while (*end == ' ')
        end++;
    double bytes = value * unit_of(end, whole);
    if (!(bytes >= 1 && bytes < 9e18) || (strcmp(end, "%") == 0 && value > 100))
        return false;
    *out = (int64_t)bytes;
    return true;
}

static bool set(const char *variable)
{
    const char *value = getenv(variable);
    return value && *value;
}

bool option_colour(enum colour mode, FILE *stream)
{
    if (mode != COLOUR_AUTO)
        return mode == COLOUR_ALWAYS;
    if (set("NO_COLOR"))
        return false;
    if (set("CLICOLOR_FORCE") || set("FORCE_COLOR"))
        return true;
    const char *term = getenv("TERM");
    return isatty(fileno(stream)) && term && strcmp(term, "dumb") != 0;
}

const char *bytes_text(int64_t bytes, char *text, size_t size)
{
    static const char *const unit[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
    double value = (double)bytes;
    int u = 0;
    while (value >= 1023.5 && u < 5) {
        value /= 1024;
        u++;
    }
    snprintf(text, size, "%.*f %s", u > 0 && value < 9.95 ? 1 : 0, value, unit[u]);
    return text;
}
