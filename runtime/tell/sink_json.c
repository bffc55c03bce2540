/* sink_json.c: events as JSON Lines on stdout, field by field of the table. */
#include "confusion.h"

#include <string.h>

/* Values of the table's types, found in the event where the row says. */
static const void *place(const struct field *f, const struct event *e)
{
    return (const char *)e + f->at;
}

static const struct result *result_of(const struct field *f, const struct event *e)
{
    return place(f, e);
}

/* Does the event have it? */
static bool is_there(const struct field *f, const struct event *e)
{
    switch (f->type) {
    case FIELD_LOSS:
    case FIELD_METRIC:
    case FIELD_INTERVAL:
    case FIELD_COUNT:
        return result_of(f, e)->n > 0;
    case FIELD_MEASURE:
        return e->end.best_epoch > 0;
    case FIELD_SET:
        return result_of(f, e)->held_out;
    case FIELD_WORST:
        return e->evaluation.sheet != NULL;
    case FIELD_CONFUSION:
        return e->evaluation.confusion != NULL;
    case FIELD_SYNTHETIC:
        return *e->weights && e->weights_synthetic;
    case FIELD_TEXT:
        return f->presence == FIELD_STAYS || (*(const char *const *)place(f, e) && **(const char *const *)place(f, e));
    case FIELD_SAMPLES:
        return ((const struct finding *)place(f, e))->samples > 0;
    case FIELD_TRUTH:
        return f->presence == FIELD_STAYS || *(const bool *)place(f, e);
    case FIELD_INTEGER:
        return f->presence == FIELD_STAYS || *(const int64_t *)place(f, e) != 0;
    case FIELD_NUMBER:
        return f->presence == FIELD_STAYS || *(const double *)place(f, e) != 0;
    case FIELD_KIND:
    case FIELD_TIME:
    case FIELD_ENDING:
        break;
    }
    return true;
}

/* "accuracy_95" of the row "test.METRIC_95". */
static const char *key_of(const struct field *f, const char *metric, char *key, size_t size)
{
    const char *dot = strchr(f->name, '.'), *name = dot ? dot + 1 : f->name;
    if (strncmp(name, "METRIC", strlen("METRIC")) == 0)
        snprintf(key, size, "%s%s", metric, name + strlen("METRIC"));
    else
        snprintf(key, size, "%s", name);
    return key;
}

static void put_interval(struct event_line *l, const char *key, const struct result *r, int m)
{
    struct interval i;
    if (!result_interval(r, m, &i))
        return;
    event_open(l, key, '[');
    event_number(l, NULL, i.low);
    event_number(l, NULL, i.high);
    event_close(l, ']');
}

static void put_metrics(struct event_line *l, const struct field *f, const struct result *r)
{
    char key[64];
    for (int m = 0; m < r->metrics; m++) {
        key_of(f, r->metric[m], key, sizeof key);
        if (f->type == FIELD_INTERVAL)
            put_interval(l, key, r, m);
        else if (r->measured[m] != MEASURED_NOT)
            event_number(l, key, result_value(r, m));
    }
}

static void put_worst(struct event_line *l, const struct evaluation_report *r)
{
    event_open(l, "worst", '{');
    if (r->worsts > 0)
        event_text(l, "file", r->sheet);
    event_open(l, "samples", '[');
    for (const struct wrong_sample *w = r->worst; w < r->worst + r->worsts; w++) {
        event_open(l, NULL, '{');
        event_integer(l, "sample", w->sample);
        event_integer(l, "true", w->truth);
        event_integer(l, "predicted", w->predicted);
        event_number(l, "probability", (double)w->probability);
        event_close(l, '}');
    }
    event_close(l, ']');
    event_close(l, '}');
}

static void put_samples(struct event_line *l, const char *key, const struct finding *found)
{
    event_open(l, key, '[');
    for (int64_t i = 0; i < found->samples; i++)
        event_integer(l, NULL, found->sample[i]);
    event_close(l, ']');
}

static void put_field(struct event_line *l, const struct field *f, const struct event *e)
{
    char key[64], text[TIME_TEXT];
    key_of(f, "", key, sizeof key);
    switch (f->type) {
    case FIELD_KIND:
        event_text(l, key, event_word[e->kind].name);
        break;
    case FIELD_TIME:
        event_text(l, key, time_text(e->time, text));
        break;
    case FIELD_TEXT:
        event_text(l, key, *(const char *const *)place(f, e));
        break;
    case FIELD_SET:
        event_text(l, key, set_text(result_of(f, e)));
        break;
    case FIELD_WORST:
        put_worst(l, &e->evaluation);
        break;
    case FIELD_CONFUSION:
        confusion_put(e->evaluation.confusion, l);
        break;
    case FIELD_SAMPLES:
        put_samples(l, key, place(f, e));
        break;
    case FIELD_SYNTHETIC:
        event_text(l, key, "synthetic");
        break;
    case FIELD_ENDING:
        event_text(l, key, ending_word[e->end.how]);
        break;
    case FIELD_TRUTH:
        event_truth(l, key, *(const bool *)place(f, e));
        break;
    case FIELD_INTEGER:
        event_integer(l, key, *(const int64_t *)place(f, e));
        break;
    case FIELD_COUNT:
        event_integer(l, key, result_of(f, e)->n);
        break;
    case FIELD_NUMBER:
        event_number(l, key, *(const double *)place(f, e));
        break;
    case FIELD_LOSS:
        event_number(l, key, result_of(f, e)->loss);
        break;
    case FIELD_MEASURE:
        event_number(l, e->end.measure, *(const double *)place(f, e));
        break;
    case FIELD_METRIC:
    case FIELD_INTERVAL:
        put_metrics(l, f, result_of(f, e));
        break;
    }
}

/* Fields before whose dot the same word stands are an object. */
static int group_of(const struct field *f)
{
    return (int)strcspn(f->name, ".") * (strchr(f->name, '.') != NULL);
}

bool event_write(const struct event *e, FILE *to)
{
    struct event_line l = {.to = to};
    const struct field *open = NULL; /* the field that opened an object */
    if (!to || (e->kind == EVENT_STEP && !e->step.logged))
        return true;
    event_begin(&l, NULL);
    for (const struct field *f = event_field; f < event_field + event_fields; f++) {
        int group = group_of(f);
        if (!(f->kinds >> e->kind & 1) || !is_there(f, e))
            continue;
        if (open && (group != group_of(open) || strncmp(f->name, open->name, (size_t)group) != 0)) {
            event_close(&l, '}');
            open = NULL;
        }
        if (group && !open) {
            char key[32];
            bool other = f->at == offsetof(struct event, epoch.test) && e->epoch.test.held_out;
            snprintf(key, sizeof key, "%.*s", other ? (int)sizeof key - 1 : group,
                     other ? set_text(&e->epoch.test) : f->name);
            event_open(&l, key, '{');
            open = f;
        }
        put_field(&l, f, e);
    }
    if (open)
        event_close(&l, '}');
    return event_end(&l, false);
}

static bool take(struct tell *t, const struct event *e)
{
    return event_write(e, t->json);
}

const struct sink sink_json = {.name = "the events on stdout", .take = take};
