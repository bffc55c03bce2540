/* inspect_table.c: the columns of a table for people, who are to say which is the target, and what becomes of text. */
#include "inspect_table.h"

#include "csv.h"
#include "survey.h"

#include "base/base.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* What would change a terminal becomes '?'. */
static void make_harmless(char *text)
{
    for (char *c = text; *c; c++)
        *c = (unsigned char)*c < 0x20 || *c == 0x7f ? '?' : *c;
}

static void see_number(struct table_column *s, double value)
{
    s->min = s->numbers == 0 || value < s->min ? value : s->min;
    s->max = s->numbers == 0 || value > s->max ? value : s->max;
    s->mean += (value - s->mean) / (double)++s->numbers;
}

static bool see_text(struct table_column *s, const char *field)
{
    int i = 0;
    s->texts++;
    while (i < s->different && i < TABLE_LISTED && strcmp(s->text[i], field) != 0)
        i++;
    if (i == TABLE_LISTED)
        s->different = TABLE_LISTED + 1;
    return i < s->different || (s->text[s->different++] = strdup(field));
}

static bool see(struct table_column *s, const char *field, struct data_error *error)
{
    double value;
    if (csv_number(field, &value))
        see_number(s, value);
    else if (csv_missing(field))
        s->missing++;
    else
        return see_text(s, field) || data_fail(error, "out of memory");
    return true;
}

static void print_column(const struct table_column *s, int width, FILE *out)
{
    char list[CSV_LIST];
    fprintf(out, "  %-*s  %7" PRId64 "  ", width, s->name, s->missing);
    if (s->texts == 0 && s->numbers > 0)
        fprintf(out, "numbers from %.6g to %.6g, mean %.6g\n", s->min, s->max, s->mean);
    else if (s->texts == 0)
        fprintf(out, "nothing\n");
    else if (s->numbers > 0)
        fprintf(out, "%" PRId64 " numbers and %" PRId64 " texts, such as \"%.60s\"\n", s->numbers, s->texts,
                s->text[0]);
    else if (s->different <= TABLE_LISTED)
        fprintf(out, "%d text%s: %s\n", s->different, s->different > 1 ? "s" : "",
                csv_list(s->text, s->different, list));
    else
        fprintf(out, "more than %d texts, such as \"%.60s\"\n", TABLE_LISTED, s->text[0]);
}

static void print(void *to, const struct table_seen *t)
{
    FILE *out = to;
    int width = (int)strlen("column");
    for (int64_t i = 0; i < t->columns; i++) {
        const size_t length = strlen(t->column[i].name);
        width = (int)length > width && length < 60 ? (int)length : width;
    }
    fprintf(out, "%s: %" PRId64 " rows, %" PRId64 " columns\n  %-*s  missing  values\n", t->path, t->rows, t->columns,
            width, "column");
    for (int64_t i = 0; i < t->columns; i++)
        print_column(&t->column[i], width, out);
}

static void for_texts(struct table_column *s, void (*act)(char *text))
{
    if (s->name)
        act(s->name);
    for (int i = 0; i < s->different && i < TABLE_LISTED; i++)
        if (s->text[i])
            act(s->text[i]);
}

static void forget(char *text)
{
    free(text);
}

static bool see_file(const char *path, void (*take)(void *, const struct table_seen *), void *context,
                     struct data_error *error)
{
    struct csv c;
    struct table_column *column = NULL;
    struct table_seen t = {.path = path};
    bool more = true, ok = csv_open(&c, path, error) && csv_next(&c, &more, error);
    if (ok && more) {
        t.columns = c.fields;
        t.column = column = calloc((size_t)c.fields, sizeof *column);
        ok = column || data_fail(error, "out of memory");
    }
    for (int64_t i = 0; ok && i < t.columns; i++)
        ok = (column[i].name = strdup(c.field[i])) || data_fail(error, "out of memory");
    for (; ok && (ok = csv_next(&c, &more, error)) && more; t.rows++) {
        if (c.fields != t.columns)
            ok = data_fail(error, "%s:%" PRId64 ": %" PRId64 " fields in a row; expected %" PRId64 ", as in the first",
                           path, c.line, c.fields, t.columns);
        for (int64_t i = 0; ok && i < t.columns; i++)
            ok = see(&column[i], c.field[i], error);
    }
    for (int64_t i = 0; column && i < t.columns; i++)
        for_texts(&column[i], make_harmless);
    if (ok)
        take(context, &t);
    for (int64_t i = 0; column && i < t.columns; i++)
        for_texts(&column[i], forget);
    free(column);
    csv_close(&c);
    return ok;
}

bool table_see(const char *folder, void (*take)(void *context, const struct table_seen *t), void *context, bool *is,
               struct data_error *error)
{
    struct contents contents = {.cache = NULL};
    bool ok = survey(folder, &contents, error);
    *is = ok && contents.format->table;
    for (int part = 0; ok && *is && part < DATA_PARTS; part++)
        for (size_t i = 0; ok && i < contents.part[part].n; i++)
            ok = see_file(contents.part[part].name[i], take, context, error);
    survey_free(&contents);
    return ok || !*is;
}

bool inspect_table(const char *folder, FILE *out, bool *is, struct data_error *error)
{
    return table_see(folder, print, out, is, error);
}
