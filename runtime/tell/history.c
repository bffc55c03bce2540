#include "history.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_COLUMNS = 100 }; /* an event of ours has some twenty */

/* An array of `size` bytes an element that has room for one more than n; NULL without memory, and the old one stays. */
static void *grown(void *array, size_t n, size_t *room, size_t size)
{
    if (n < *room)
        return array;
    size_t more = *room ? 2 * *room : 64;
    void *bigger = more <= SIZE_MAX / size ? realloc(array, more * size) : NULL;
    if (bigger)
        *room = more;
    return bigger;
}

const double *history_column(const struct history *h, const char *name)
{
    for (size_t i = 0; i < h->columns; i++)
        if (strcmp(h->column[i].name, name) == 0)
            return h->column[i].value;
    return NULL;
}

const char *history_metric(const struct history *h)
{
    for (size_t c = 0; c < h->columns; c++) {
        const char *dot = strchr(h->column[c].name, '.');
        if (dot && strcmp(dot, ".loss") && strcmp(dot, ".n") && strcmp(dot, ".seconds"))
            return dot + 1;
    }
    return NULL;
}

const double *history_tested(const struct history *h, const char *what)
{
    static const char *const set[] = {"holdout", "test"};
    const double *value = NULL;
    for (size_t i = 0; !value && i < sizeof set / sizeof *set; i++) {
        char name[sizeof h->column->name + sizeof "holdout."];
        snprintf(name, sizeof name, "%s.%.*s", set[i], (int)sizeof h->column->name, what);
        value = history_column(h, name);
    }
    return value;
}

/* The column's numbers; a new one has none of the epochs before. NULL: no memory, or too many. */
static double *column(struct history *h, const char *name)
{
    double *known = (double *)history_column(h, name);
    if (known || h->columns == MOST_COLUMNS || strlen(name) >= sizeof h->column->name)
        return known;
    struct history_column *columns = grown(h->column, h->columns, &h->column_room, sizeof *columns);
    double *value = malloc(h->room * sizeof *value);
    if (!columns || !value) {
        free(value);
        return NULL;
    }
    h->column = columns;
    strcpy(columns[h->columns].name, name);
    columns[h->columns++].value = value;
    for (size_t i = 0; i < h->room; i++)
        value[i] = NAN;
    return value;
}

static void take_number(struct history *h, const char *name, const json_t *value)
{
    double *to = json_is_number(value) ? column(h, name) : NULL;
    if (to)
        to[h->epochs] = json_number_value(value);
}

static bool room_for_epoch(struct history *h)
{
    if (h->epochs < h->room)
        return true;
    size_t room = h->room ? 2 * h->room : 64;
    for (size_t c = 0; c < h->columns; c++) {
        double *value = realloc(h->column[c].value, room * sizeof *value);
        if (!value)
            return false;
        for (size_t i = h->room; i < room; i++)
            value[i] = NAN;
        h->column[c].value = value;
    }
    h->room = room;
    return true;
}

static bool take_epoch(struct history *h, json_t *event)
{
    const char *key, *inner;
    json_t *value, *number;
    if (!room_for_epoch(h))
        return false;
    json_object_foreach(event, key, value)
    {
        take_number(h, key, value);
        json_object_foreach(value, inner, number)
        {
            char name[200];
            if (snprintf(name, sizeof name, "%s.%s", key, inner) < (int)sizeof name)
                take_number(h, name, number);
        }
    }
    h->epochs++;
    if (json_is_true(json_object_get(event, "best"))) /* so far */
        h->best = h->epochs;
    return true;
}

static bool take_step(struct history *h, json_t *event)
{
    size_t room = h->logged_room;
    double *step = grown(h->step, h->logged, &room, sizeof *step);
    h->step = step ? step : h->step;
    double *loss = step ? grown(h->loss, h->logged, &h->logged_room, sizeof *loss) : NULL;
    if (!loss)
        return false;
    h->loss = loss;
    json_t *value = json_object_get(event, "loss");
    step[h->logged] = json_number_value(json_object_get(event, "steps"));
    loss[h->logged++] = json_is_number(value) ? json_number_value(value) : NAN;
    return true;
}

static bool take_warning(struct history *h, const json_t *event)
{
    const char *text = json_string_value(json_object_get(event, "text"));
    if (!text || h->warnings == HISTORY_WARNINGS)
        return true;
    for (size_t i = 0; i < h->warnings; i++)
        if (strcmp(h->warning[i], text) == 0)
            return true;
    h->warning[h->warnings] = strdup(text);
    return h->warning[h->warnings++] != NULL;
}

static bool take_line(struct history *h, const char *line)
{
    json_t *event = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
    const char *name = json_string_value(json_object_get(event, "event"));
    bool good = true;
    if (!name)
        h->damaged++;
    else if (strcmp(name, "epoch") == 0)
        good = take_epoch(h, event);
    else if (strcmp(name, "step") == 0)
        good = take_step(h, event);
    else if (strcmp(name, "warning") == 0)
        good = take_warning(h, event);
    if (name)
        h->ended = strcmp(name, "end") == 0;
    json_decref(event);
    return good;
}

bool history_read(const char *path, struct history *h, struct data_error *error)
{
    *h = (struct history){0};
    FILE *from = fopen(path, "r");
    if (!from)
        return data_fail(error, "%s: %s", path, strerror(errno));
    char *line = NULL;
    size_t room = 0;
    bool good = true;
    while (good && getline(&line, &room, from) > 0)
        good = take_line(h, line);
    if (!good)
        data_fail(error, "%s: out of memory", path);
    else if (ferror(from))
        good = data_fail(error, "%s: %s", path, strerror(errno));
    free(line);
    fclose(from);
    if (!good)
        history_free(h);
    return good;
}

void history_free(struct history *h)
{
    for (size_t i = 0; i < h->columns; i++)
        free(h->column[i].value);
    free(h->column);
    for (size_t i = 0; i < h->warnings; i++)
        free(h->warning[i]);
    free(h->step);
    free(h->loss);
    *h = (struct history){0};
}
