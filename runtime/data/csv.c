/* csv.c: text -> rows of fields, within the text itself: a field ends with a \0 in the place of its separator. */
#include "csv.h"

#include "data.h"
#include "gz.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { MOST_FIELDS = 1 << 20, FIRST_BYTES = 1 << 16 };

/* ---- the file ---- */

static bool ends_with(const char *name, size_t length, const char *end)
{
    size_t n = strlen(end);
    return length > n && strncasecmp(name + length - n, end, n) == 0;
}

static size_t unpacked_length(const char *name)
{
    size_t length = strlen(name);
    return ends_with(name, length, ".gz") ? length - 3 : length;
}

static bool has_tabs(const char *name)
{
    size_t length = unpacked_length(name);
    return ends_with(name, length, ".tsv") || ends_with(name, length, ".tab");
}

bool csv_is(const char *name)
{
    return has_tabs(name) || ends_with(name, unpacked_length(name), ".csv");
}

static bool is_space(const struct csv *c, char x)
{
    return x == ' ' || (x == '\t' && c->separator != '\t');
}

static char *skip_spaces(const struct csv *c, char *at)
{
    while (at < c->end && is_space(c, *at))
        at++;
    return at;
}

static bool more_of_file(void *from, void *to, uint64_t size, uint64_t *got, struct data_error *error)
{
    return gz_read_some(from, to, size, got, error) && (*got > 0 || gz_end(from, error));
}

static bool is_utf16(const struct csv *c)
{
    return c->before == 0 && c->end - c->text >= 2 &&
           (memcmp(c->text, "\xFF\xFE", 2) == 0 || memcmp(c->text, "\xFE\xFF", 2) == 0);
}

/* Behind what is left, which moves to the front. */
static bool read_more(struct csv *c, struct data_error *error)
{
    const uint64_t left = (uint64_t)(c->end - c->at);
    uint64_t got = 0;
    c->before += (uint64_t)(c->at - c->text);
    if (left > 0)
        memmove(c->text, c->at, left);
    if (left + 1 >= c->size) {
        const uint64_t size = c->size ? 2 * c->size : FIRST_BYTES;
        char *grown = size <= DATA_MAX_BYTES ? realloc(c->text, size) : NULL;
        if (!grown)
            return data_fail(error, "%s:%" PRId64 ": the row is too large, or out of memory", c->path, c->next_line);
        c->text = grown;
        c->size = size;
    }
    c->at = c->text;
    c->end = c->text + left;
    if (!c->more(c->from, c->end, c->size - 1 - left, &got, error))
        return false;
    const char *zero = got > 0 ? memchr(c->end, '\0', got) : NULL;
    c->end += got;
    if (zero && !is_utf16(c)) /* which has them, and csv_begin() refuses */
        return data_fail(error, "%s: byte %" PRIu64 " is 0; expected text: CSV or TSV", c->path,
                         c->before + (uint64_t)(zero - c->text));
    if (got == 0)
        c->more = NULL;
    return true;
}

/* Does the row that begins here end in what has been read? Behind a CR the next byte is asked for. */
static bool row_is_there(const struct csv *c)
{
    bool begins = true,
         quoted = false; /* behind a closing quote a field may still begin: with a second one it goes on */
    for (const char *at = c->at; at + 1 < c->end; at++) {
        const bool quote = *at == '"';
        if (quoted)
            quoted = !quote;
        else if (quote && begins)
            quoted = true;
        else if (*at == '\n' || *at == '\r')
            return true;
        else
            begins = *at == c->separator || (begins && is_space(c, *at));
    }
    return false;
}

/* What is most frequent in the first row, outside of quotes; the first of equals. '\0': the row does not end in what was read. */
static char separator_of(const struct csv *c)
{
    static const char known[] = ",\t;";
    int64_t count[sizeof known - 1] = {0};
    const char *at = c->at, *best = known;
    bool quoted = false;
    while (at < c->end && (*at == '\n' || *at == '\r'))
        at++;
    for (; at < c->end && (quoted || (*at != '\n' && *at != '\r')); at++) {
        quoted ^= *at == '"';
        const char *is = quoted ? NULL : strchr(known, *at);
        if (is)
            count[is - known]++;
    }
    for (const char *k = known; *k; k++)
        best = count[k - known] > count[best - known] ? k : best;
    return at < c->end || !c->more ? *best : '\0';
}

bool csv_begin(struct csv *c, const char *path, csv_more *more, void *from, struct data_error *error)
{
    static const char mark[] = "\xEF\xBB\xBF";
    *c = (struct csv){.path = path, .more = more, .from = from, .next_line = 1};
    while (c->more && c->end - c->at < 3)
        if (!read_more(c, error))
            return false;
    if (is_utf16(c))
        return data_fail(error, "%s: UTF-16; expected UTF-8: save it as \"CSV UTF-8\"", path);
    if (c->end - c->at >= 3 && memcmp(c->at, mark, 3) == 0)
        c->at += 3;
    if (has_tabs(path))
        c->separator = '\t';
    while (!c->separator && !(c->separator = separator_of(c)))
        if (!read_more(c, error))
            return false;
    return true;
}

bool csv_open(struct csv *c, const char *path, struct data_error *error)
{
    struct gz *file = gz_open(path, error);
    *c = (struct csv){.path = path};
    const bool ok = file && csv_begin(c, path, more_of_file, file, error);
    c->file = file;
    return ok;
}

void csv_close(struct csv *c)
{
    gz_close(c->file);
    free(c->text);
    free(c->field);
    *c = (struct csv){0};
}

/* ---- rows ---- */

static bool add_field(struct csv *c, char *field, struct data_error *error)
{
    if (c->fields == c->room) {
        int64_t room = c->room ? 2 * c->room : 16;
        char **grown = room <= MOST_FIELDS ? realloc(c->field, (size_t)room * sizeof *grown) : NULL;
        if (!grown)
            return data_fail(error, "%s:%" PRId64 ": more than %d fields in a row", c->path, c->line, MOST_FIELDS);
        c->field = grown;
        c->room = room;
    }
    c->field[c->fields++] = field;
    return true;
}

/* From behind its first quote, undoubled in place; the position behind the last. */
static bool take_quoted(struct csv *c, char **field, char **last, struct data_error *error)
{
    char *out = *field = c->at, *at = c->at;
    for (; at < c->end; at++) {
        if (*at == '"' && (at + 1 == c->end || at[1] != '"'))
            break;
        at += *at == '"';
        c->next_line += *at == '\n' || (*at == '\r' && (at + 1 == c->end || at[1] != '\n'));
        *out++ = *at;
    }
    if (at == c->end)
        return data_fail(error, "%s:%" PRId64 ": a quote is never closed; it began field %" PRId64, c->path, c->line,
                         c->fields + 1);
    *last = out;
    c->at = skip_spaces(c, at + 1);
    if (c->at < c->end && *c->at != c->separator && *c->at != '\n' && *c->at != '\r')
        return data_fail(error,
                         "%s:%" PRId64 ": text behind the closing quote of field %" PRId64
                         "; a quote within a field is written twice",
                         c->path, c->line, c->fields + 1);
    return true;
}

static void take_plain(struct csv *c, char **field, char **last)
{
    *field = c->at;
    while (c->at < c->end && *c->at != c->separator && *c->at != '\n' && *c->at != '\r')
        c->at++;
    *last = c->at;
    while (*last > *field && is_space(c, (*last)[-1]))
        --*last;
}

/* Behind the field: over the separator, or the end of the row, which is *over. The text has a byte behind its end. */
static void pass_end(struct csv *c, char *last, bool *over)
{
    const char ends = c->at < c->end ? *c->at : '\n';
    *over = ends != c->separator;
    if (c->at < c->end)
        c->at++;
    if (ends == '\r' && c->at < c->end && *c->at == '\n')
        c->at++;
    c->next_line += *over;
    *last = '\0';
}

static bool take_row(struct csv *c, struct data_error *error)
{
    bool over = false;
    c->fields = 0;
    c->line = c->next_line;
    while (!over) {
        char *field = NULL, *last = NULL;
        c->at = skip_spaces(c, c->at);
        if (c->at < c->end && *c->at == '"') {
            c->at++;
            if (!take_quoted(c, &field, &last, error))
                return false;
        } else
            take_plain(c, &field, &last);
        pass_end(c, last, &over);
        if (!add_field(c, field, error))
            return false;
    }
    return true;
}

bool csv_next(struct csv *c, bool *more, struct data_error *error)
{
    for (;;) {
        while (c->more && !row_is_there(c))
            if (!read_more(c, error))
                return false;
        const char *rest = skip_spaces(c, c->at);
        *more = rest < c->end;
        const bool empty = *more && (*rest == '\n' || *rest == '\r');
        if (!*more)
            return true;
        if (!take_row(c, error))
            return false;
        if (!empty)
            return true;
    }
}

/* ---- what a field says ---- */

bool csv_number(const char *field, double *value)
{
    char *end;
    if (!*field || field[strspn(field, "0123456789+-.eE")])
        return false;
    *value = strtod(field, &end);
    return end != field && !*end && isfinite(*value);
}

bool csv_missing(const char *field)
{
    static const char *const words[] = {"NA",   "N/A",  "n/a",  "nan",  "NaN",  "NAN",  "-nan",
                                        "-NaN", "#N/A", "<NA>", "null", "NULL", "None", "?"};
    bool missing = !*field;
    for (size_t i = 0; i < sizeof words / sizeof *words && !missing; i++)
        missing = strcmp(field, words[i]) == 0;
    return missing;
}

const char *csv_list(char *const *name, int64_t n, char text[CSV_LIST])
{
    size_t used = 0;
    *text = '\0';
    for (int64_t i = 0; i < n; i++) {
        if (used + strlen(name[i]) + 4 > CSV_LIST - 8) {
            strcpy(text + used, i ? ", ..." : "...");
            break;
        }
        used += (size_t)sprintf(text + used, "%s\"%s\"", i ? ", " : "", name[i]);
    }
    return text;
}
