/* inspect_table.c: the columns of a table for people, who are to say which is the target, and what becomes of text. */
#include "csv.h"
#include "survey.h"

#include "base/base.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { LISTED = 8 }; /* different texts of a column */

struct seen { /* of a column */
    int64_t missing, numbers, texts;
    double min, max, mean;
    int different; /* LISTED + 1: more */
    char *text[LISTED];
};

/* What would change a terminal becomes '?'. */
static char *harmless(char *text)
{
    for (char *c = text; *c; c++)
        *c = (unsigned char)*c < 0x20 || *c == 0x7f ? '?' : *c;
    return text;
}

static void see_number(struct seen *s, double value)
{
    s->min = s->numbers == 0 || value < s->min ? value : s->min;
    s->max = s->numbers == 0 || value > s->max ? value : s->max;
    s->mean += (value - s->mean) / (double)++s->numbers;
}

static void see_text(struct seen *s, char *field)
{
    int i = 0;
    s->texts++;
    while (i < s->different && i < LISTED && strcmp(s->text[i], field) != 0)
        i++;
    if (i < LISTED && i == s->different)
        s->text[s->different++] = harmless(field);
    else if (i == LISTED)
        s->different = LISTED + 1;
}

static void see(struct seen *s, char *field)
{
    double value;
    if (csv_number(field, &value))
        see_number(s, value);
    else if (csv_missing(field))
        s->missing++;
    else
        see_text(s, field);
}

static void print_column(const char *name, int width, const struct seen *s, FILE *out)
{
    char list[CSV_LIST];
    fprintf(out, "  %-*s  %7" PRId64 "  ", width, name, s->missing);
    if (s->texts == 0 && s->numbers > 0)
        fprintf(out, "numbers from %.6g to %.6g, mean %.6g\n", s->min, s->max, s->mean);
    else if (s->texts == 0)
        fprintf(out, "nothing\n");
    else if (s->numbers > 0)
        fprintf(out, "%" PRId64 " numbers and %" PRId64 " texts, such as \"%.60s\"\n", s->numbers, s->texts,
                s->text[0]);
    else if (s->different <= LISTED)
        fprintf(out, "%d text%s: %s\n", s->different, s->different > 1 ? "s" : "",
                csv_list(s->text, s->different, list));
    else
        fprintf(out, "more than %d texts, such as \"%.60s\"\n", LISTED, s->text[0]);
}

static void print(const struct csv *c, char *const *name, const struct seen *seen, int64_t columns, int64_t rows,
                  FILE *out)
{
    int width = (int)strlen("column");
    for (int64_t i = 0; i < columns; i++)
        width = (int)strlen(name[i]) > width && strlen(name[i]) < 60 ? (int)strlen(name[i]) : width;
    fprintf(out, "%s: %" PRId64 " rows, %" PRId64 " columns\n  %-*s  missing  values\n", c->path, rows, columns, width,
            "column");
    for (int64_t i = 0; i < columns; i++)
        print_column(name[i], width, &seen[i], out);
}

static bool inspect_file(const char *path, FILE *out, struct data_error *error)
{
    struct csv c;
    struct seen *seen = NULL;
    char **name = NULL;
    int64_t columns = 0, rows = 0;
    bool more = true, ok = csv_open(&c, path, error) && csv_next(&c, &more, error);
    if (ok && more) {
        columns = c.fields;
        seen = calloc((size_t)columns, sizeof *seen);
        name = malloc((size_t)columns * sizeof *name);
        ok = (seen && name) || data_fail(error, "out of memory");
    }
    for (int64_t i = 0; ok && i < columns; i++)
        name[i] = harmless(c.field[i]);
    for (; ok && (ok = csv_next(&c, &more, error)) && more; rows++) {
        if (c.fields != columns)
            ok = data_fail(error, "%s:%" PRId64 ": %" PRId64 " fields in a row; expected %" PRId64 ", as in the first",
                           path, c.line, c.fields, columns);
        for (int64_t i = 0; ok && i < columns; i++)
            see(&seen[i], c.field[i]);
    }
    if (ok)
        print(&c, name, seen, columns, rows, out);
    free(seen);
    free(name);
    csv_close(&c);
    return ok;
}

bool inspect_table(const char *folder, FILE *out, bool *is, struct data_error *error)
{
    struct contents contents = {.cache = NULL};
    bool ok = survey(folder, &contents, error);
    *is = ok && contents.format->table;
    for (int part = 0; ok && *is && part < DATA_PARTS; part++)
        for (size_t i = 0; ok && i < contents.part[part].n; i++)
            ok = inspect_file(contents.part[part].name[i], out, error);
    survey_free(&contents);
    return ok || !*is;
}
