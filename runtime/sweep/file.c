/* file.c: the folder of a sweep. sweep.json says what was asked for and how far it has come; it is replaced after each run. */
#include "base/atomic_file.h"
#include "sweep.h"
#include "run/runfile.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static const char file_name[] = "sweep.json";

void sweep_folder_of(const struct sweep *s, const struct row *r, char folder[PATH_MAX])
{
    snprintf(folder, PATH_MAX, "%.*s/%s-%d", PATH_MAX - 300, s->folder, s->net, r->number);
}

/* ---- writing ---- */

static json_t *row_json(const struct sweep *s, const struct row *r)
{
    json_t *row = json_object(), *values = json_object();
    for (int i = 0; i < s->naxis; i++)
        json_object_set_new(values, s->axis[i].name, json_string(r->value[i]));
    json_object_set_new(row, "run", json_integer(r->number));
    json_object_set_new(row, "values", values);
    json_object_set_new(row, "state", json_string(row_word[r->state]));
    if (r->state == ROW_FAILED) {
        json_object_set_new(row, "status", json_integer(r->status));
        json_object_set_new(row, "reason", json_string(r->reason));
    }
    json_object_set_new(row, "epoch", json_integer(r->epoch));
    json_object_set_new(row, "epochs", json_integer(r->epochs));
    if (r->best_epoch > 0) {
        json_object_set_new(row, "best_epoch", json_integer(r->best_epoch));
        json_object_set_new(row, "merit", json_real(r->merit));
        json_object_set_new(row, "train_loss", json_real(r->train_loss));
        json_object_set_new(row, "loss", json_real(r->loss));
        json_object_set_new(row, "metric", json_real(r->metric));
        json_object_set_new(row, "n", json_integer(r->n));
    }
    json_object_set_new(row, "seconds", json_real(r->seconds));
    return row;
}

static json_t *sweep_json(const struct sweep *s)
{
    const struct options *o = s->options;
    json_t *all = json_object(), *command = json_array(), *rows = json_array();
    for (int i = 0; i < o->argc; i++)
        json_array_append_new(command, json_string(o->argv[i]));
    for (int i = 0; i < s->nrow; i++)
        json_array_append_new(rows, row_json(s, &s->row[i]));
    json_object_set_new(all, "schema", json_integer(1));
    json_object_set_new(all, "netrun", json_string(PROJECT_VERSION));
    json_object_set_new(all, "net", json_string(s->net));
    json_object_set_new(all, "command", command);
    json_object_set_new(all, "data", *s->data ? json_string(s->data) : json_null());
    json_object_set_new(all, "weights", o->weights ? json_string(o->weights) : json_null());
    json_object_set_new(all, "rung", json_integer(s->rung));
    json_object_set_new(all, "measure", json_string(s->measure));
    json_object_set_new(all, "metric", json_string(s->metric));
    json_object_set_new(all, "synthetic", json_boolean(s->synthetic));
    json_object_set_new(all, "runs", rows);
    return all;
}

int sweep_save(const struct sweep *s)
{
    return settings_write(sweep_json(s), s->folder, file_name);
}

/* ---- making one ---- */

int sweep_lock(struct sweep *s)
{
    s->lock = open(s->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (s->lock < 0)
        return complain(STATUS_DATA, "%s: %s", s->folder, strerror(errno));
    if (flock(s->lock, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
        return complain(STATUS_DATA, "%s: another process is at work in this sweep", s->folder);
    return 0;
}

static const char *source_name(const struct sweep *s)
{
    return s->source.model ? "model.net" : "model.plan";
}

static int write_source(const struct sweep *s)
{
    struct data_error e;
    char path[PATH_MAX];
    if (!run_path(s->folder, source_name(s), path))
        return STATUS_DATA;
    return atomic_save(path, s->source.text, s->source.size, &e) ? 0 : complain(STATUS_DATA, "%s", e.text);
}

int sweep_create(struct sweep *s)
{
    char name[NAME_MAX];
    if (s->options->folder && !realpath(s->options->folder, s->data))
        return complain(STATUS_DATA, "%s: %s", s->options->folder, strerror(errno));
    snprintf(name, sizeof name, "%.200s-sweep", s->net);
    int status = run_folder(s->options->runs, name, s->folder);
    if (status == 0)
        status = sweep_lock(s);
    if (status == 0)
        status = write_source(s);
    return status ? status : sweep_save(s);
}

/* ---- finding and reading one ---- */

bool sweep_named(const char *runs, const char *name, char folder[PATH_MAX])
{
    char path[PATH_MAX];
    return run_named(runs, name, folder) && snprintf(path, sizeof path, "%s/%s", folder, file_name) < PATH_MAX &&
           access(path, F_OK) == 0;
}

static json_t *read_file(const char *folder)
{
    char path[PATH_MAX];
    json_error_t e;
    json_t *all = run_path(folder, file_name, path) ? json_load_file(path, JSON_REJECT_DUPLICATES, &e) : NULL;
    if (!all)
        complain(STATUS_DATA, "%s/%s:%d: %s", folder, file_name, e.line, e.text);
    return all;
}

char **sweep_command(const char *folder, struct region *r, int *argc)
{
    json_t *all = read_file(folder), *command = json_object_get(all, "command");
    const size_t n = json_array_size(command);
    char **argv = n > 0 && n < 10000 ? region_alloc(r, n + 1, sizeof *argv) : NULL;
    *argc = (int)n;
    for (size_t i = 0; argv && i < n; i++) {
        const char *word = json_string_value(json_array_get(command, i));
        argv[i] = region_copy(r, word ? word : "");
    }
    json_decref(all);
    if (all && !argv)
        complain(STATUS_DATA, "%s/%s: no command", folder, file_name);
    return argv;
}

int sweep_source(struct sweep *s)
{
    char path[PATH_MAX];
    json_t *all = read_file(s->folder);
    const char *weights = json_string_value(json_object_get(all, "weights"));
    if (weights)
        s->options->weights = region_copy(s->region, weights);
    json_decref(all);
    if (!all)
        return STATUS_DATA;
    s->source.model = true;
    if (!run_path(s->folder, source_name(s), path))
        return STATUS_DATA;
    s->source.model = access(path, F_OK) == 0;
    if (!run_path(s->folder, source_name(s), path))
        return STATUS_DATA;
    int status = source_read(path, &s->source);
    s->source.path = s->options->plan;
    return status;
}

static bool same_values(const struct sweep *s, const struct row *r, const json_t *row)
{
    const json_t *values = json_object_get(row, "values");
    bool same = json_integer_value(json_object_get(row, "run")) == r->number;
    for (int i = 0; same && i < s->naxis; i++) {
        const char *value = json_string_value(json_object_get(values, s->axis[i].name));
        same = value && strcmp(value, r->value[i]) == 0;
    }
    return same;
}

/* What failed for another reason than its numbers is tried again: there may be a device, or memory, by now. */
static void recall_row(const struct sweep *s, struct row *r, const json_t *row)
{
    const char *state = json_string_value(json_object_get(row, "state"));
    const char *reason = json_string_value(json_object_get(row, "reason"));
    r->status = (int)json_integer_value(json_object_get(row, "status"));
    bool failed = reason && (s->over || r->status == STATUS_DIVERGED);
    r->state = failed ? ROW_FAILED : ROW_WAITS;
    for (int k = ROW_HALVED; state && k <= ROW_DONE; k++)
        if (strcmp(state, row_word[k]) == 0)
            r->state = (enum row_state)k;
    if (failed)
        snprintf(r->reason, sizeof r->reason, "%s", reason);
    r->epoch = json_integer_value(json_object_get(row, "epoch"));
    r->epochs = json_integer_value(json_object_get(row, "epochs"));
    r->best_epoch = json_integer_value(json_object_get(row, "best_epoch"));
    r->merit = json_number_value(json_object_get(row, "merit"));
    r->train_loss = json_number_value(json_object_get(row, "train_loss"));
    r->loss = json_number_value(json_object_get(row, "loss"));
    r->metric = json_number_value(json_object_get(row, "metric"));
    r->n = json_integer_value(json_object_get(row, "n"));
    r->seconds = json_number_value(json_object_get(row, "seconds"));
}

static void recall_text(char text[METRIC_NAME], const json_t *value)
{
    const char *word = json_string_value(value);
    snprintf(text, METRIC_NAME, "%s", word ? word : "");
}

int sweep_recall(struct sweep *s)
{
    json_t *all = read_file(s->folder), *rows = json_object_get(all, "runs");
    const char *data = json_string_value(json_object_get(all, "data"));
    bool good = all && (int)json_array_size(rows) == s->nrow;
    for (int i = 0; good && i < s->nrow; i++)
        if ((good = same_values(s, &s->row[i], json_array_get(rows, (size_t)i))))
            recall_row(s, &s->row[i], json_array_get(rows, (size_t)i));
    if (all && !good)
        complain(STATUS_DATA, "%s/%s: its runs are not those of its command", s->folder, file_name);
    if (data)
        snprintf(s->data, sizeof s->data, "%s", data);
    s->rung = (int)json_integer_value(json_object_get(all, "rung"));
    recall_text(s->measure, json_object_get(all, "measure"));
    s->synthetic = json_is_true(json_object_get(all, "synthetic"));
    json_decref(all);
    s->options->folder = data ? s->data : NULL;
    return good ? 0 : STATUS_DATA;
}
