/* sink_table.c: metrics.csv of the run's folder: a row an epoch, with the columns that the table of fields gives. */
#include "tell.h"

#include <errno.h>
#include <math.h>
#include <unistd.h>

static void put_number(FILE *out, double value)
{
    if (isfinite(value)) /* an empty cell else: what reads tables takes it for NaN */
        fprintf(out, "%.9g", value);
}

static void put_result(FILE *out, const struct column *c, const struct result *r)
{
    if (r->n == 0 || (c->field->type != FIELD_LOSS && c->field->type != FIELD_COUNT && c->metric >= r->metrics))
        return;
    struct interval i = {NAN, NAN};
    result_interval(r, c->metric, &i);
    if (c->field->type == FIELD_COUNT)
        fprintf(out, "%lld", (long long)r->n);
    else
        put_number(out, c->field->type == FIELD_LOSS ? r->loss
                        : c->bound == 0              ? i.low
                        : c->bound == 1              ? i.high
                                                     : result_value(r, c->metric));
}

static void put_cell(FILE *out, const struct column *c, const struct event *e)
{
    const void *at = (const char *)e + c->field->at;
    char text[TIME_TEXT];
    switch (c->field->type) {
    case FIELD_TIME:
        fputs(time_text(e->time, text), out);
        break;
    case FIELD_TRUTH:
        fputs(*(const bool *)at ? "true" : "false", out);
        break;
    case FIELD_INTEGER:
        fprintf(out, "%lld", (long long)*(const int64_t *)at);
        break;
    case FIELD_NUMBER:
        put_number(out, *(const double *)at);
        break;
    case FIELD_LOSS:
    case FIELD_COUNT:
    case FIELD_METRIC:
    case FIELD_INTERVAL:
        put_result(out, c, at);
        break;
    case FIELD_KIND:
    case FIELD_TEXT:
    case FIELD_SYNTHETIC:
    case FIELD_ENDING:
    case FIELD_MEASURE:
    case FIELD_CONFUSION:
    case FIELD_SET:
    case FIELD_WORST:
    case FIELD_SAMPLES:
        break; /* of other events */
    }
}

void table_head(const struct column *list, int n, FILE *out)
{
    for (int i = 0; i < n; i++)
        fprintf(out, "%s%s", i ? "," : "", list[i].name);
    fputc('\n', out);
}

static bool take(struct tell *t, const struct event *e)
{
    if (!t->table || e->kind != EVENT_EPOCH)
        return true;
    for (int i = 0; i < t->columns; i++) {
        if (i)
            fputc(',', t->table);
        put_cell(t->table, &t->column[i], e);
    }
    fputc('\n', t->table);
    return fflush(t->table) == 0 && !ferror(t->table) && (fsync(fileno(t->table)) == 0 || errno == EINVAL);
}

const struct sink sink_table = {.name = "metrics.csv", .keeps = true, .take = take};
