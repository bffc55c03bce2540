#include "csv_table.h"
#include "loaders.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

struct column { /* of this file */
    const char *name;
    const struct column_rule *rule; /* NULL: a number */
    int64_t at;                     /* of its first value among those of a sample, or of a target; -1: dropped */
};

struct reading {
    const struct columns *rules;
    const struct data_source *from;
    struct csv_table *t;
    struct column *column;
    int64_t columns, width, room; /* values of a sample; rows for whose labels there is room */
    float *sample;
    bool predicts;
};

/* ---- the columns ---- */

static const struct column *find_column(const struct reading *r, const char *name)
{
    for (int64_t i = 0; i < r->columns; i++)
        if (strcmp(r->column[i].name, name) == 0)
            return &r->column[i];
    return NULL;
}

static bool is_input(const struct column_rule *rule)
{
    return !rule || rule->use == COLUMN_CATEGORY;
}

/* The first row: every name once, and those there that the network asks for. */
static bool read_head(struct reading *r, struct data_error *error)
{
    struct csv *c = &r->t->csv;
    bool more;
    char names[CSV_LIST];
    if (!csv_next(c, &more, error))
        return false;
    if (!more)
        return data_fail(error, "%s: empty; expected a row with the names of the columns", c->path);
    r->column = calloc((size_t)c->fields, sizeof *r->column);
    if (!r->column)
        return data_fail(error, "out of memory");
    for (int64_t i = 0; i < c->fields; i++) {
        if (find_column(r, c->field[i]))
            return data_fail(error, "%s: two columns are called \"%s\"", c->path, c->field[i]);
        for (const unsigned char *at = (const unsigned char *)c->field[i]; *at; at++)
            if (*at < 0x20 || *at == 0x7f)
                return data_fail(error, "%s: a control character in the name of column %" PRId64, c->path, i + 1);
        r->column[r->columns++] =
            (struct column){region_copy(r->t->region, c->field[i]), columns_rule(r->rules, c->field[i]), -1};
    }
    for (int i = 0; i < r->rules->n; i++) {
        const struct column_rule *rule = &r->rules->rule[i];
        if (find_column(r, rule->name) || (r->predicts && !is_input(rule)))
            continue;
        return data_fail(error, "%s: no column \"%s\"%s; its columns are %s", c->path, rule->name,
                         rule->use == COLUMN_TARGET ? ", which is the target" : "",
                         csv_list(c->field, c->fields, names));
    }
    return true;
}

static int64_t inputs_find(const struct dataset *set, const char *name)
{
    for (int64_t i = 0; i < set->inputs; i++)
        if (strcmp(set->input[i], name) == 0)
            return i;
    return -1;
}

static bool inputs_add(struct dataset *set, const char *name, size_t length)
{
    char **grown = realloc(set->input, (size_t)(set->inputs + 1) * sizeof *grown);
    if (!grown)
        return false;
    set->input = grown;
    return (grown[set->inputs] = strndup(name, length)) && ++set->inputs;
}

/* Those of the weights, or of this file. */
static bool know_inputs(struct reading *r, struct data_error *error)
{
    struct dataset *set = r->from->set;
    bool ok = true;
    if (set->inputs > 0)
        return true;
    for (const char *at = r->from->wish.inputs; ok && at; at = next_line(at))
        ok = inputs_add(set, at, strcspn(at, "\n"));
    for (int64_t i = 0; ok && !r->from->wish.inputs && i < r->columns; i++)
        ok = !is_input(r->column[i].rule) || inputs_add(set, r->column[i].name, strlen(r->column[i].name));
    return ok || data_fail(error, "out of memory");
}

/* Each input has its place, which is that of the training set, whatever the order of this file. */
static bool place_columns(struct reading *r, struct data_error *error)
{
    struct dataset *set = r->from->set;
    const char *path = r->t->csv.path;
    char names[CSV_LIST];
    csv_list(set->input, set->inputs, names);
    for (int64_t i = 0; i < r->columns; i++)
        if (is_input(r->column[i].rule) && inputs_find(set, r->column[i].name) < 0)
            return data_fail(error, "%s: column \"%s\" is none of the inputs that were learnt, %s", path,
                             r->column[i].name, names);
    for (int64_t i = 0; i < set->inputs; i++) {
        struct column *c = (struct column *)find_column(r, set->input[i]);
        if (!c)
            return data_fail(error, "%s: no column \"%s\"; the inputs that were learnt are %s", path, set->input[i],
                             names);
        c->at = r->width;
        r->width += c->rule ? c->rule->n : 1;
    }
    int found = 0;
    for (int i = 0; i < r->rules->targets; i++) {
        struct column *c = (struct column *)find_column(r, r->rules->rule[i].name);
        if (c)
            c->at = i;
        found += c != NULL;
    }
    r->t->labelled = found == r->rules->targets;
    if (r->width == 0)
        return data_fail(error, "%s: no column is an input", path);
    return true;
}

/* ---- rows ---- */

static bool cell_fail(const struct reading *r, const struct column *c, struct data_error *error, const char *format,
                      ...) __attribute__((format(printf, 4, 5)));
static bool cell_fail(const struct reading *r, const struct column *c, struct data_error *error, const char *format,
                      ...)
{
    char text[800];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return data_fail(error, "%s:%" PRId64 ": column \"%s\": %s", r->t->csv.path, r->t->csv.line, c->name, text);
}

static bool take_category(const struct reading *r, const struct column *c, const char *field, float *sample,
                          struct data_error *error)
{
    char names[CSV_LIST];
    for (int i = 0; i < c->rule->n; i++)
        sample[i] = 0;
    for (int i = 0; i < c->rule->n; i++)
        if (strcmp(c->rule->value[i], field) == 0) {
            sample[i] = 1;
            return true;
        }
    return cell_fail(r, c, error, "%s%s%s is none of the values of OneHot, %s", *field ? "\"" : "",
                     *field ? field : "nothing", *field ? "\"" : "",
                     csv_list((char *const *)c->rule->value, c->rule->n, names));
}

/* What to write, with the values of the rows from here on. */
static bool fail_text(const struct reading *r, const struct column *c, struct data_error *error)
{
    enum { MOST = 8 };
    struct csv *csv = &r->t->csv;
    const int64_t at = c - r->column, line = csv->line;
    char *value[MOST], names[CSV_LIST];
    int n = 0;
    bool more = true;
    struct data_error ignored;
    do {
        int i = 0;
        while (at < csv->fields && i < n && strcmp(value[i], csv->field[at]) != 0)
            i++;
        if (i == MOST) {
            n = MOST + 1;
            break;
        }
        if (i == n && at < csv->fields)
            value[n++] = region_copy(r->t->region, csv->field[at]);
    } while (csv_next(csv, &more, &ignored) && more);
    csv->line = line;
    const bool few = n <= MOST;
    return cell_fail(r, c, error, "\"%.100s\" is no number; `data { transform = [%s\"%s\"%s%s%s] }` %s", value[0],
                     few ? "OneHot(" : "Drop(", c->name, few ? ", [" : "", few ? csv_list(value, n, names) : "",
                     few ? "])" : ")", few ? "makes numbers of it, and Drop leaves it out" : "leaves the column out");
}

static bool take_number(const struct reading *r, const struct column *c, const char *field, float *value,
                        struct data_error *error)
{
    double number;
    if (csv_number(field, &number)) {
        *value = (float)number;
        return isfinite(*value) || cell_fail(r, c, error, "%s does not fit into 32 bits", field);
    }
    if (!csv_missing(field))
        return c->rule ? cell_fail(r, c, error, "\"%.100s\" is no number, and target is values", field)
                       : fail_text(r, c, error);
    if (c->rule)
        return cell_fail(r, c, error, "the target is missing");
    *value = NAN;
    return r->rules->fills ||
           cell_fail(r, c, error,
                     "a value is missing; `data { transform = [Missing(mean), ...] }` puts the mean in its place");
}

static bool make_room(struct reading *r, struct data_error *error)
{
    struct csv_table *t = r->t;
    struct data_split *s = &t->split;
    const int64_t room = r->room ? 2 * r->room : 256;
    bool ok = (uint64_t)room <= DATA_MAX_BYTES / (s->label.bytes + sizeof *t->line);
    void *labels = ok ? realloc(s->label.values, (size_t)room * s->label.bytes) : NULL;
    s->label.values = labels ? labels : s->label.values;
    void *lines = ok ? realloc(t->line, (size_t)room * sizeof *t->line) : NULL;
    t->line = lines ? lines : t->line;
    if (!labels || !lines)
        return data_fail(error, "%s: out of memory for %" PRId64 " rows", t->csv.path, room);
    r->room = room;
    return true;
}

static bool take_text(const struct reading *r, const struct column *c, const char *field, int32_t *label,
                      struct data_error *error)
{
    struct csv_table *t = r->t;
    if (!*field)
        return cell_fail(r, c, error, "the target is missing");
    *label = lookup_find(&t->texts, field);
    if (*label < 0) {
        *label = t->ntext;
        region_grow(t->region, t->text, t->ntext);
        t->text[t->ntext] = region_copy(t->region, field);
        lookup_add(t->region, &t->texts, t->text[t->ntext], t->ntext);
        t->ntext++;
    }
    return true;
}

static bool take_row(struct reading *r, struct data_error *error)
{
    struct csv_table *t = r->t;
    struct data_split *s = &t->split;
    const int64_t row = s->count;
    float *label = (float *)(void *)s->label.values + row * r->rules->targets;
    if (t->csv.fields != r->columns)
        return data_fail(error, "%s:%" PRId64 ": %" PRId64 " fields in a row; expected %" PRId64 ", as in the first",
                         t->csv.path, t->csv.line, t->csv.fields, r->columns);
    t->line[row] = t->csv.line;
    bool ok = true;
    for (int64_t i = 0; ok && i < r->columns; i++) {
        const struct column *c = &r->column[i];
        const char *field = t->csv.field[i];
        if (c->at < 0)
            continue;
        if (!c->rule)
            ok = take_number(r, c, field, r->sample + c->at, error);
        else if (c->rule->use == COLUMN_CATEGORY)
            ok = take_category(r, c, field, r->sample + c->at, error);
        else if (r->from->wish.classes == 0)
            ok = take_number(r, c, field, label + c->at, error);
        else
            ok = take_text(r, c, field, (int32_t *)(void *)s->label.values + row, error);
    }
    ok = ok && store_add(&t->store, r->sample, error);
    s->count += ok;
    return ok;
}

static bool read_rows(struct reading *r, struct data_error *error)
{
    bool more = true,
         ok = store_open(&r->t->store, r->t->split.sample.path, r->t->split.sample.bytes, 0, r->from->most, error);
    r->sample = region_alloc(r->t->region, (size_t)r->width, sizeof *r->sample);
    while (ok && (ok = csv_next(&r->t->csv, &more, error)) && more)
        ok = (r->t->split.count < r->room || make_room(r, error)) && take_row(r, error);
    if (ok && r->t->split.count == 0)
        ok = data_fail(error, "%s: no row behind the names of the columns", r->t->csv.path);
    return ok && store_give(&r->t->store, &r->t->split, error);
}

/* ---- the table ---- */

static bool begin(struct reading *r, struct data_error *error)
{
    struct data_split *s = &r->t->split;
    const bool class = r->from->wish.classes > 0;
    s->sample = (struct data_field){
        .type = DATA_F32, .rank = 1, .dims = {r->width}, .bytes = (uint64_t)r->width * sizeof(float)};
    s->label = (struct data_field){.type = class ? DATA_I32 : DATA_F32,
                                   .rank = !class,
                                   .dims = {class ? 0 : r->rules->targets},
                                   .bytes = class ? sizeof(int32_t) : (uint64_t)r->rules->targets * sizeof(float)};
    s->sample.path = strdup(r->t->csv.path);
    s->label.path = strdup(r->t->csv.path);
    if (!s->sample.path || !s->label.path)
        return data_fail(error, "out of memory");
    if (data_head(r->from, s, 0, &s->sample, error))
        return data_head(r->from, s, 0, &s->label, error);
    char names[CSV_LIST];
    size_t used = strlen(error->text);
    snprintf(error->text + used, sizeof error->text - used, "; its inputs are %s, and Drop(\"name\") leaves one out",
             csv_list(r->from->set->input, r->from->set->inputs, names));
    return false;
}

bool csv_table_read(const char *path, const struct data_source *from, bool predicts, struct csv_table *t,
                    struct data_error *error)
{
    struct reading r = {.rules = from->wish.columns, .from = from, .t = t, .predicts = predicts};
    *t = (struct csv_table){.region = region_new()};
    bool ok = csv_open(&t->csv, path, error) && read_head(&r, error) && know_inputs(&r, error) &&
              place_columns(&r, error) && begin(&r, error) && read_rows(&r, error);
    if (ok && t->labelled && from->wish.classes > 0)
        ok = csv_classes(t, &from->wish, from->set, error);
    free(r.column);
    return ok;
}

void csv_table_close(struct csv_table *t)
{
    csv_close(&t->csv);
    store_close(&t->store);
    data_reader_close(t->split.reader);
    free(t->split.sample.values);
    free(t->split.sample.path);
    free(t->split.label.values);
    free(t->split.label.path);
    free(t->line);
    region_free(t->region);
    *t = (struct csv_table){.line = NULL};
}
