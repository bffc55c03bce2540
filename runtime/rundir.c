/* rundir.c: runs/<net>-<n>/, a folder that tells all about one run. No folder is used twice. */
#include "atomic_file.h"
#include "netrun.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool run_path(const char *folder, const char *name, char path[PATH_MAX])
{
    if (snprintf(path, PATH_MAX, "%s/%s", folder, name) < PATH_MAX)
        return true;
    complain(STATUS_DATA, "%s/%s: too long a path", folder, name);
    return false;
}

/* ---- making one ---- */

/* A plan may come from a stranger, and its net's name becomes part of a path. */
static bool is_name(const char *net)
{
    for (const char *c = net; *c; c++)
        if (!isalnum((unsigned char)*c) && *c != '_')
            return false;
    return *net && strlen(net) < NAME_MAX - 16;
}

static const char other_runs[] = "\n  = help: --runs DIR makes the folders of runs elsewhere";

static int make_folder(struct job *j)
{
    const char *runs = j->options->runs;
    if (!is_name(j->plan->net))
        return complain(STATUS_DATA, "the plan's net has a name that cannot be part of a path");
    if (mkdir(runs, 0777) != 0 && errno != EEXIST)
        return complain(STATUS_DATA, "%s: cannot be made: %s%s", runs, strerror(errno), other_runs);
    for (int n = 1;; n++) {
        if (snprintf(j->folder, sizeof j->folder, "%s/%s-%d", runs, j->plan->net, n) >= (int)sizeof j->folder)
            return complain(STATUS_DATA, "%s: too long a path", runs);
        if (mkdir(j->folder, 0777) == 0)
            return 0;
        if (errno != EEXIST)
            return complain(STATUS_DATA, "%s: cannot be made: %s%s", j->folder, strerror(errno), other_runs);
    }
}

static int write_plan(const struct job *j)
{
    struct data_error e;
    char path[PATH_MAX];
    if (!run_path(j->folder, "model.plan", path))
        return STATUS_DATA;
    return plan_save(j->plan, path, &e) ? 0 : complain(STATUS_DATA, "%s", e.text);
}

static int write_text(const struct job *j, const char *name, const char *text)
{
    struct data_error e;
    char path[PATH_MAX];
    if (!run_path(j->folder, name, path))
        return STATUS_DATA;
    return atomic_save(path, text, strlen(text), &e) ? 0 : complain(STATUS_DATA, "%s", e.text);
}

/* Text that is not UTF-8 has no place in JSON; null stands for it. */
static json_t *text_json(const char *text)
{
    json_t *string = text ? json_string(text) : NULL;
    return string ? string : json_null();
}

static json_t *setting_json(const struct setting *s)
{
    if (s->text)
        return text_json(s->text);
    if (s->n == 1)
        return json_real(s->num[0]);
    json_t *list = json_array();
    for (int i = 0; i < s->n; i++)
        json_array_append_new(list, json_real(s->num[i]));
    return list;
}

static json_t *settings_json(const struct job *j)
{
    const struct options *o = j->options;
    json_t *command = json_array(), *settings = json_object(), *versions = json_object(), *all = json_object();
    char *data = o->folder ? realpath(o->folder, NULL) : NULL;
    for (int i = 0; i < o->argc; i++)
        json_array_append_new(command, text_json(o->argv[i]));
    for (int i = 0; i < j->plan->nsetting; i++)
        json_object_set_new(settings, j->plan->setting[i].key, setting_json(&j->plan->setting[i]));
    json_object_set_new(versions, "netrun", json_string(PROJECT_VERSION));
    json_object_set_new(versions, "plan", json_integer(PLAN_VERSION));
    json_object_set_new(all, "net", text_json(j->plan->net));
    json_object_set_new(all, "command", command);
    json_object_set_new(all, "settings", settings);
    json_object_set_new(all, "versions", versions);
    json_object_set_new(all, "data", text_json(data));
    json_object_set_new(all, "synthetic", json_boolean(j->data.synthetic));
    json_object_set_new(all, "seed", json_integer(j->recipe.seed));
    json_object_set_new(all, "device", json_string(j->device->name));
    json_object_set_new(all, "threads", json_integer(j->device->threads));
    if (j->device->gpu)
        json_object_set_new(all, "gpu", json_string(j->device->gpu));
    json_object_set_new(all, "batch", json_integer(j->recipe.batch));
    if (j->recipe.micro > 0)
        json_object_set_new(all, "micro_batch", json_integer(j->recipe.micro));
    json_object_set_new(all, "evaluation_batch", json_integer(j->recipe.evaluation_batch));
    json_object_set_new(all, "arena", json_integer(j->device->arena(j->device)));
    json_object_set_new(all, "weights", text_json(*j->weights ? j->weights : NULL));
    free(data);
    return all;
}

int run_create(struct job *j)
{
    int status = make_folder(j);
    if (status == 0)
        status = write_plan(j);
    if (status == 0)
        status = write_text(j, "model.net", j->plan->source);
    if (status)
        return status;
    json_t *settings = settings_json(j);
    char *text = json_dumps(settings, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
    status = text ? write_text(j, "settings.json", text) : complain(STATUS_INTERNAL, "out of memory");
    free(text);
    json_decref(settings);
    return status;
}

/* An event that the run will produce again, or half a line. */
static bool is_later(const char *line, const struct position *at)
{
    json_t *event = json_loads(line, 0, NULL);
    int64_t epoch = json_integer_value(json_object_get(event, "epoch"));
    int64_t step = json_integer_value(json_object_get(event, "step"));
    const char *name = json_string_value(json_object_get(event, "event"));
    bool later = !name || !strchr(line, '\n');
    if (name && strcmp(name, "step") == 0)
        later = later || epoch > at->epoch + 1 || (epoch == at->epoch + 1 && step > at->in_epoch);
    else if (name && strcmp(name, "epoch") == 0)
        later = later || epoch > at->epoch;
    json_decref(event);
    return later;
}

int run_metrics(struct job *j)
{
    char path[PATH_MAX], *line = NULL;
    size_t size = 0;
    off_t keep = 0;
    if (!run_path(j->folder, "metrics.jsonl", path))
        return STATUS_DATA;
    j->metrics = fopen(path, "a+");
    if (!j->metrics)
        return complain(STATUS_DATA, "%s: %s", path, strerror(errno));
    rewind(j->metrics);
    while (getline(&line, &size, j->metrics) > 0 && !is_later(line, &j->at))
        keep = ftello(j->metrics);
    free(line);
    if (ftruncate(fileno(j->metrics), keep) != 0 || fseeko(j->metrics, 0, SEEK_END) != 0)
        return complain(STATUS_DATA, "%s: %s", path, strerror(errno));
    return 0;
}

/* ---- finding one ---- */

static bool belongs(const char *folder, const char *net)
{
    const char *dash = strrchr(folder, '-');
    if (!dash || !dash[1] || dash[1 + strspn(dash + 1, "0123456789")])
        return false;
    return !net || (strlen(net) == (size_t)(dash - folder) && strncmp(net, folder, strlen(net)) == 0);
}

static bool newer(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec > b->tv_sec || (a->tv_sec == b->tv_sec && a->tv_nsec > b->tv_nsec);
}

bool run_newest(const char *runs, const char *net, char folder[PATH_MAX])
{
    struct timespec newest = { 0 };
    bool found = false;
    DIR *dir = opendir(runs);
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        char path[PATH_MAX];
        struct stat s;
        int length = snprintf(path, sizeof path, "%s/%s/last.safetensors", runs, entry->d_name);
        if (length >= PATH_MAX || !belongs(entry->d_name, net) || stat(path, &s) != 0)
            continue;
        if (found && !newer(&s.st_mtim, &newest))
            continue;
        found = true;
        newest = s.st_mtim;
        snprintf(folder, PATH_MAX, "%.*s", (int)(strrchr(path, '/') - path), path);
    }
    if (dir)
        closedir(dir);
    return found;
}

static bool is_folder(const char *path)
{
    struct stat s;
    return stat(path, &s) == 0 && S_ISDIR(s.st_mode);
}

bool run_named(const char *runs, const char *name, char folder[PATH_MAX])
{
    int length = (int)strlen(name);
    while (length > 1 && name[length - 1] == '/')
        length--;
    if (snprintf(folder, PATH_MAX, "%.*s", length, name) < PATH_MAX && is_folder(folder))
        return true;
    return snprintf(folder, PATH_MAX, "%s/%.*s", runs, length, name) < PATH_MAX && is_folder(folder);
}

/* ---- taking one up again ---- */

/* The data folder of settings.json, unless the command line names one. */
static int recall_data(struct job *j)
{
    char path[PATH_MAX];
    json_error_t e;
    if (j->options->folder)
        return 0;
    if (!run_path(j->folder, "settings.json", path))
        return STATUS_DATA;
    json_t *settings = json_load_file(path, JSON_REJECT_DUPLICATES, &e);
    if (!settings)
        return complain(STATUS_DATA, "%s:%d: %s", path, e.line, e.text);
    const char *data = json_string_value(json_object_get(settings, "data"));
    j->options->folder = j->options->recalled = data ? strdup(data) : NULL;
    bool failed = data && !j->options->folder;
    json_decref(settings);
    return failed ? complain(STATUS_INTERNAL, "out of memory") : 0;
}

int run_recall(struct job *j)
{
    const char *run = j->options->resume, *net = j->plan ? j->plan->net : NULL;
    char path[PATH_MAX];
    if (strcmp(run, "last") != 0) {
        if (!run_named(j->options->runs, run, j->folder))
            return complain(STATUS_DATA, "%s: no run of that name, neither here nor in %s/; --resume last takes the newest", run,
                            j->options->runs);
    } else if (!run_newest(j->options->runs, net, j->folder))
        return complain(STATUS_DATA, "%s/: no run of %s%s with a checkpoint to resume", j->options->runs,
                    net ? "net " : "any net", net ? net : "");
    if (!run_path(j->folder, "model.plan", path))
        return STATUS_DATA;
    struct plan *plan = plan_open(path);
    if (!plan)
        return STATUS_DATA;
    bool other = j->plan && j->plan->source_hash != plan->source_hash;
    plan_free(j->plan);
    j->plan = plan;
    if (other)
        return complain(STATUS_USAGE, "%s: the run was made from another network than %s", j->folder, j->options->plan);
    return recall_data(j);
}
