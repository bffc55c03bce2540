/* runtable.c: metrics.csv as a run finds it: made anew from the events that stay in metrics.jsonl, so that a run which was killed, or
 * begun by another version, has one row an epoch and the columns of this one. */
#include "base/atomic_file.h"
#include "run.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const json_t *value_at(const json_t *event, const struct column *c)
{
    char part[sizeof c->path];
    const json_t *at = event;
    for (const char *rest = c->path; *rest;) {
        size_t n = strcspn(rest, ".");
        snprintf(part, sizeof part, "%.*s", (int)n, rest);
        at = json_object_get(at, part);
        rest += n + (rest[n] == '.');
    }
    return c->bound < 0 ? at : json_array_get(at, (size_t)c->bound);
}

static void put_cell(FILE *out, const json_t *value)
{
    if (json_is_string(value))
        fputs(json_string_value(value), out);
    else if (json_is_boolean(value))
        fputs(json_is_true(value) ? "true" : "false", out);
    else if (json_is_integer(value))
        fprintf(out, "%lld", (long long)json_integer_value(value));
    else if (json_is_real(value))
        fprintf(out, "%.9g", json_real_value(value));
}

static void put_row(FILE *out, const struct tell *t, const json_t *event)
{
    const char *kind = json_string_value(json_object_get(event, "event"));
    if (!kind || strcmp(kind, "epoch") != 0)
        return;
    for (int i = 0; i < t->columns; i++) {
        const json_t *value = value_at(event, &t->column[i]);
        fputs(i ? "," : "", out);
        if (!value && t->column[i].field->type == FIELD_TRUTH)
            value = json_false();
        put_cell(out, value);
    }
    fputc('\n', out);
}

static int write_rows(const struct job *j, const char *path)
{
    char *text = NULL, *line = NULL;
    size_t size = 0, room = 0;
    struct data_error e;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        return complain(STATUS_INTERNAL, "out of memory");
    table_head(j->tell.column, j->tell.columns, out);
    rewind(j->metrics);
    while (getline(&line, &room, j->metrics) > 0) {
        json_t *event = json_loads(line, 0, NULL);
        put_row(out, &j->tell, event);
        json_decref(event);
    }
    free(line);
    bool good = fclose(out) == 0;
    int status = !good                               ? complain(STATUS_INTERNAL, "out of memory")
                 : atomic_save(path, text, size, &e) ? 0
                                                     : complain(STATUS_DATA, "%s", e.text);
    free(text);
    return status;
}

int run_table(struct job *j)
{
    char path[PATH_MAX];
    if (!run_path(j->folder, "metrics.csv", path))
        return STATUS_DATA;
    j->tell.columns = columns_of_epochs(choose_tested(j), j->recipe.metric, j->recipe.metrics, j->tell.column);
    int status = write_rows(j, path);
    j->tell.table = status == 0 ? fopen(path, "ae") : NULL;
    if (status == 0 && !j->tell.table)
        status = complain(STATUS_DATA, "%s: %s", path, strerror(errno));
    return status;
}
