/* runs.c: --runs, the runs of a folder as one table: what came of each, then the settings in which they differ. */
#include "base/atomic_file.h"
#include "run.h"
#include "runfile.h"

#include <dirent.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_COLUMNS = 200, CELL = 200 };
static const char *const first[] = {"run", "epochs", "loss"}, *const last[] = {"epoch_seconds", "seconds"};

struct listing {
    json_t *rows, *columns; /* rows: objects with the columns as keys; columns: their names, in order */
    json_t *settings;       /* of each run, flat */
    char metric[64];        /* "": none */
};

static void add_name(json_t *list, const char *name)
{
    json_array_append_new(list, json_string(name));
}

/* ---- what is known of one run ---- */

static void put_number(json_t *row, const char *key, const double *column, int epoch)
{
    if (column && epoch >= 0 && isfinite(column[epoch]))
        json_object_set_new(row, key, json_real(column[epoch]));
}

/* Results of the best epoch, and times. */
static void describe(struct listing *l, const struct history *h, json_t *row)
{
    const char *metric = history_metric(h);
    const double *right = metric ? history_tested(h, metric) : NULL, *test = history_tested(h, "loss");
    const double *loss = test ? test : history_column(h, "train.loss"), *seconds = history_column(h, "seconds");
    int best = (int)h->best - 1;
    double all = 0;
    for (size_t i = 0; seconds && i < h->epochs; i++)
        all += isfinite(seconds[i]) ? seconds[i] : 0;
    json_object_set_new(row, "epochs", json_integer((json_int_t)h->epochs));
    put_number(row, "loss", loss, best);
    if (right) {
        put_number(row, metric, right, best);
        if (!*l->metric)
            snprintf(l->metric, sizeof l->metric, "%s", metric);
    }
    if (h->epochs > 0) {
        json_object_set_new(row, "epoch_seconds", json_real(all / (double)h->epochs));
        json_object_set_new(row, "seconds", json_real(all));
    }
}

/* Of settings.json what can differ from run to run, without the objects. */
static json_t *settings_of(json_t *all)
{
    static const char *const besides[] = {"net", "device", "gpu", "cpu", "threads", "batch", "data", "weights"};
    json_t *flat = json_object();
    json_object_update(flat, json_object_get(all, "settings"));
    json_object_set(flat, "train.seed", json_object_get(all, "seed"));
    json_object_del(flat, "train.batch"); /* `batch` is what ran */
    for (size_t i = 0; i < sizeof besides / sizeof *besides; i++)
        if (json_object_get(all, besides[i]))
            json_object_set(flat, besides[i], json_object_get(all, besides[i]));
    return flat;
}

static void take(struct listing *l, const char *runs, const char *name)
{
    char folder[PATH_MAX], path[PATH_MAX];
    struct history h;
    struct data_error e;
    if (snprintf(folder, sizeof folder, "%s/%s", runs, name) >= PATH_MAX)
        return;
    json_t *all = settings_read(folder, false);
    if (!all || snprintf(path, sizeof path, "%s/metrics.jsonl", folder) >= PATH_MAX || !history_read(path, &h, &e)) {
        json_decref(all);
        return; /* no run */
    }
    json_t *row = json_object();
    json_object_set_new(row, "run", json_string(name));
    describe(l, &h, row);
    json_array_append_new(l->rows, row);
    json_array_append_new(l->settings, settings_of(all));
    history_free(&h);
    json_decref(all);
}

/* ---- columns ---- */

static bool differs(const struct listing *l, const char *key)
{
    const json_t *one = json_object_get(json_array_get(l->settings, 0), key);
    for (size_t i = 1; i < json_array_size(l->settings); i++) {
        const json_t *other = json_object_get(json_array_get(l->settings, i), key);
        if ((one || other) && !(one && other && json_equal(one, other)))
            return true;
    }
    return false;
}

/* -D of an entry: the settings that it made say it. */
static bool made_others(const char *key)
{
    return strncmp(key, "param.", 6) == 0 && strchr(key + 6, '.');
}

static bool listed(const struct listing *l, const char *key)
{
    for (size_t i = 0; i < json_array_size(l->columns); i++)
        if (strcmp(json_string_value(json_array_get(l->columns, i)), key) == 0)
            return true;
    return false;
}

static void find_columns(struct listing *l)
{
    for (size_t i = 0; i < sizeof first / sizeof *first; i++)
        add_name(l->columns, first[i]);
    if (*l->metric)
        add_name(l->columns, l->metric);
    for (size_t i = 0; i < sizeof last / sizeof *last; i++)
        add_name(l->columns, last[i]);
    for (size_t r = 0; r < json_array_size(l->settings); r++) {
        const char *key;
        json_t *value;
        json_object_foreach(json_array_get(l->settings, r), key, value)
        {
            if (json_array_size(l->columns) < MOST_COLUMNS && differs(l, key) && !listed(l, key) && !made_others(key))
                add_name(l->columns, key);
        }
    }
    for (size_t r = 0; r < json_array_size(l->rows); r++)
        for (size_t c = 0; c < json_array_size(l->columns); c++) {
            const char *key = json_string_value(json_array_get(l->columns, c));
            json_t *row = json_array_get(l->rows, r), *value = json_object_get(json_array_get(l->settings, r), key);
            if (!json_object_get(row, key) && value)
                json_object_set(row, key, value);
        }
}

/* ---- order ---- */

struct place {
    const json_t *row;
    const char *key;
    bool larger_first;
};

/* Numbers by size, texts by letters and the numbers in them; what is not there comes last. */
static int by_key(const void *a, const void *b)
{
    const struct place *p = a, *q = b;
    const json_t *x = json_object_get(p->row, p->key), *y = json_object_get(q->row, p->key);
    if (json_is_number(x) && json_is_number(y)) {
        double u = json_number_value(x), v = json_number_value(y);
        return u == v ? 0 : (u < v) == p->larger_first ? 1 : -1;
    }
    if (json_is_string(x) && json_is_string(y))
        return strverscmp(json_string_value(x), json_string_value(y));
    return (x == NULL || json_is_null(x)) - (y == NULL || json_is_null(y));
}

static int sort(struct listing *l, const char *key)
{
    size_t n = json_array_size(l->rows);
    struct place *place = calloc(n + 1, sizeof *place);
    json_t *sorted = json_array();
    if (!place)
        return complain(STATUS_INTERNAL, "out of memory");
    for (size_t i = 0; i < n; i++)
        place[i] = (struct place){json_array_get(l->rows, i), key, strcmp(key, l->metric) == 0 && !metric_falls(key)};
    qsort(place, n, sizeof *place, by_key);
    for (size_t i = 0; i < n; i++)
        json_array_append(sorted, (json_t *)place[i].row);
    json_decref(l->rows);
    l->rows = sorted;
    free(place);
    return 0;
}

static int order(struct listing *l, const char *key)
{
    int status = sort(l, "run");
    if (status || !key)
        return status;
    if (listed(l, key))
        return sort(l, key);
    status = complain(STATUS_USAGE, "--sort %s: no such column", key);
    fprintf(stderr, "  = help: these are there:");
    for (size_t i = 0; i < json_array_size(l->columns); i++)
        fprintf(stderr, " %s", json_string_value(json_array_get(l->columns, i)));
    fputc('\n', stderr);
    return status;
}

/* ---- as text, CSV and JSON ---- */

static void cell_text(const struct listing *l, const json_t *value, const char *key, bool exact, char text[CELL])
{
    double number = json_number_value(value);
    *text = '\0';
    if (json_is_string(value))
        snprintf(text, CELL, "%s", json_string_value(value));
    else if (json_is_number(value) && !exact && strcmp(key, l->metric) == 0 && metric_is_share(key))
        snprintf(text, CELL, "%.2f %%", 100 * number);
    else if (json_is_number(value) && !exact && strcmp(key, "loss") == 0)
        loss_text(number, text, CELL);
    else if (json_is_number(value) && !exact && strstr(key, "seconds"))
        snprintf(text, CELL, number < 1000 ? "%.3g" : "%.0f", number);
    else if (json_is_number(value))
        snprintf(text, CELL, "%.9g", number);
    else if (json_is_array(value))
        for (size_t i = 0; i < json_array_size(value) && strlen(text) < CELL - 20; i++)
            text_append(text, CELL, "%s%g", i ? " " : "", json_number_value(json_array_get(value, i)));
}

static void put_text(const struct listing *l, FILE *out)
{
    size_t rows = json_array_size(l->rows), columns = json_array_size(l->columns);
    int width[MOST_COLUMNS];
    char text[CELL];
    for (int pass = 0; pass < 2; pass++)
        for (size_t r = 0; r <= rows; r++)
            for (size_t c = 0; c < columns; c++) {
                const char *key = json_string_value(json_array_get(l->columns, c));
                if (r == 0)
                    snprintf(text, sizeof text, "%s", key);
                else
                    cell_text(l, json_object_get(json_array_get(l->rows, r - 1), key), key, false, text);
                const char *shown = *text ? text : "-";
                int wide = text_columns(shown);
                if (pass == 0)
                    width[c] = r == 0 || wide > width[c] ? wide : width[c];
                else
                    fprintf(out, "%s%*s%s%*s%s", c ? "  " : "", c ? width[c] - wide : 0, "", shown,
                            c ? 0 : width[c] - wide, "", c + 1 < columns ? "" : "\n");
            }
}

static void put_csv(const struct listing *l, FILE *out)
{
    char text[CELL];
    for (size_t r = 0; r <= json_array_size(l->rows); r++)
        for (size_t c = 0; c < json_array_size(l->columns); c++) {
            const char *key = json_string_value(json_array_get(l->columns, c));
            if (r == 0)
                snprintf(text, sizeof text, "%s", key);
            else
                cell_text(l, json_object_get(json_array_get(l->rows, r - 1), key), key, true, text);
            const char *quote = strpbrk(text, ",\"\n") ? "\"" : "";
            fprintf(out, "%s%s", c ? "," : "", quote);
            for (const char *at = text; *at; at++)
                fprintf(out, "%s%c", *at == '"' ? "\"" : "", *at);
            fprintf(out, "%s%s", quote, c + 1 < json_array_size(l->columns) ? "" : "\n");
        }
}

static int put(const struct listing *l, const struct options *o)
{
    struct data_error e;
    struct atomic_file file = {.stream = stdout};
    const char *path = o->output, *dot = path ? strrchr(path, '.') : NULL;
    bool json = o->json || (dot && strcmp(dot, ".json") == 0), aside = path && strcmp(path, "-") != 0;
    if (aside && !atomic_open(&file, path, &e))
        return complain(STATUS_DATA, "%s", e.text);
    if (json) {
        json_dumpf(l->rows, file.stream, JSON_INDENT(1) | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(9));
        fputc('\n', file.stream);
    } else if (path)
        put_csv(l, file.stream);
    else
        put_text(l, file.stream);
    return !aside || atomic_commit(&file, &e) ? 0 : complain(STATUS_DATA, "%s", e.text);
}

int runs_list(const struct options *o)
{
    struct listing l = {.rows = json_array(), .columns = json_array(), .settings = json_array()};
    DIR *dir = opendir(o->runs);
    int status = dir ? 0 : complain(STATUS_DATA, "%s: there is no such folder of runs", o->runs);
    for (struct dirent *entry; dir && (entry = readdir(dir));)
        if (entry->d_name[0] != '.')
            take(&l, o->runs, entry->d_name);
    if (dir)
        closedir(dir);
    if (status == 0 && json_array_size(l.rows) == 0)
        status = complain(STATUS_DATA, "%s: no runs there", o->runs);
    if (status == 0) {
        find_columns(&l);
        status = order(&l, o->sort);
    }
    status = status ? status : put(&l, o);
    json_decref(l.rows);
    json_decref(l.columns);
    json_decref(l.settings);
    return status;
}
