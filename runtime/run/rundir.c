/* rundir.c: runs/<net>-<n>/, a folder that tells all about one run. No folder is used twice. */
#include "base/atomic_file.h"
#include "run.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
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

int run_folder(const char *runs, const char *name, char folder[PATH_MAX])
{
    if (mkdir(runs, 0777) != 0 && errno != EEXIST)
        return complain(STATUS_DATA, "%s: cannot be made: %s%s", runs, strerror(errno), other_runs);
    for (int n = 1;; n++) {
        if (snprintf(folder, PATH_MAX, "%s/%s-%d", runs, name, n) >= PATH_MAX)
            return complain(STATUS_DATA, "%s: too long a path", runs);
        if (mkdir(folder, 0777) == 0)
            return 0;
        if (errno != EEXIST)
            return complain(STATUS_DATA, "%s: cannot be made: %s%s", folder, strerror(errno), other_runs);
    }
}

/* The folder in a sweep may be there from a process that was killed before its first checkpoint. */
static int make_folder(struct job *j)
{
    const char *into = j->options->into;
    if (!is_name(j->plan->net))
        return complain(STATUS_DATA, "the plan's net has a name that cannot be part of a path");
    if (!into)
        return run_folder(j->options->runs, j->plan->net, j->folder);
    snprintf(j->folder, sizeof j->folder, "%s", into);
    if (mkdir(into, 0777) == 0 || errno == EEXIST)
        return 0;
    return complain(STATUS_DATA, "%s: cannot be made: %s", into, strerror(errno));
}

static int write_plan(const struct job *j)
{
    struct data_error e;
    char path[PATH_MAX];
    if (!run_path(j->folder, "model.plan", path))
        return STATUS_DATA;
    return plan_save(j->plan, path, &e) ? 0 : complain(STATUS_DATA, "%s", e.text);
}

static int write_net(const struct job *j)
{
    struct data_error e;
    char path[PATH_MAX];
    if (!run_path(j->folder, "model.net", path))
        return STATUS_DATA;
    return atomic_save(path, j->plan->source, strlen(j->plan->source), &e) ? 0 : complain(STATUS_DATA, "%s", e.text);
}

int run_create(struct job *j)
{
    int status = make_folder(j);
    if (status == 0)
        status = run_lock(j);
    if (status == 0)
        status = write_plan(j);
    if (status == 0)
        status = write_net(j);
    return status ? status : run_settings_write(j);
}

/* ---- one process at a time ---- */

int run_lock(struct job *j)
{
    char path[PATH_MAX];
    if (!run_path(j->folder, "metrics.jsonl", path))
        return STATUS_DATA;
    j->metrics = fopen(path, "a+e");
    if (!j->metrics)
        return complain(STATUS_DATA, "%s: %s", path, strerror(errno));
    if (flock(fileno(j->metrics), LOCK_EX | LOCK_NB) == 0)
        return 0;
    if (errno == EWOULDBLOCK)
        return complain(STATUS_DATA, "%s: another process is at work in this run", j->folder);
    note("%s cannot be locked (%s): let no other process work in this run", path, strerror(errno));
    return 0;
}

struct spent {
    double epoch, all; /* seconds: of the epoch that is not over, of those that are */
};

/* An event that the run will produce again, or half a line. The others tell what was spent. */
static bool is_later(const char *line, const struct position *at, struct spent *spent)
{
    json_t *event = json_loads(line, 0, NULL);
    int64_t epoch = json_integer_value(json_object_get(event, "epoch"));
    int64_t step = json_integer_value(json_object_get(event, "step"));
    const char *name = json_string_value(json_object_get(event, "event"));
    bool later = !name || !strchr(line, '\n');
    bool checkpoint = name && strcmp(name, "checkpoint") == 0;
    if (checkpoint || (name && strcmp(name, "step") == 0))
        later = later || epoch > at->epoch + 1 || (epoch == at->epoch + 1 && step > at->in_epoch);
    else if (name && strcmp(name, "epoch") == 0)
        later = later || epoch > at->epoch;
    if (name && strcmp(name, "epoch") == 0) {
        spent->epoch = 0;
        spent->all += later ? 0 : json_number_value(json_object_get(event, "seconds"));
    } else if (checkpoint)
        spent->epoch = json_number_value(json_object_get(event, "seconds"));
    else if (name && strcmp(name, "end") == 0)
        spent->epoch = json_number_value(json_object_get(event, "epoch_seconds"));
    json_decref(event);
    return later;
}

int run_metrics(struct job *j)
{
    char *line = NULL;
    size_t size = 0;
    off_t keep = 0;
    rewind(j->metrics);
    for (struct spent s = {j->at.seconds, 0}; getline(&line, &size, j->metrics) > 0 && !is_later(line, &j->at, &s);) {
        keep = ftello(j->metrics);
        j->tested = strstr(line, "\"event\":\"evaluation\"") || (j->tested && !strstr(line, "\"event\":\"epoch\""));
        j->at.seconds = s.epoch;
        j->at.all_seconds = s.all;
    }
    free(line);
    if (ftruncate(fileno(j->metrics), keep) != 0 || fseeko(j->metrics, 0, SEEK_END) != 0)
        return complain(STATUS_DATA, "%s/metrics.jsonl: %s", j->folder, strerror(errno));
    int status = run_table(j);
    return status == 0 && fseeko(j->metrics, 0, SEEK_END) != 0 ? complain(STATUS_DATA, "%s", strerror(errno)) : status;
}

/* ---- finding one ---- */

static bool belongs(const char *folder, const char *net)
{
    const char *dash = strrchr(folder, '-');
    if (!dash || !dash[1] || dash[1 + strspn(dash + 1, "0123456789")])
        return false;
    return !net || (strlen(net) == (size_t)(dash - folder) && strncmp(net, folder, strlen(net)) == 0);
}

static int64_t number_of(const char *folder)
{
    return strtoll(strrchr(folder, '-') + 1, NULL, 10);
}

bool run_newest(const char *runs, const char *net, bool kept, char folder[PATH_MAX])
{
    int64_t newest = -1, number = -1;
    DIR *dir = opendir(runs);
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        char path[PATH_MAX], last[PATH_MAX];
        if (!belongs(entry->d_name, net) || snprintf(path, sizeof path, "%s/%s", runs, entry->d_name) >= PATH_MAX ||
            snprintf(last, sizeof last, "%s/last.safetensors", path) >= PATH_MAX)
            continue;
        bool has = access(last, F_OK) == 0;
        int64_t turn = run_turn(path), n = number_of(entry->d_name);
        if (!(has || (!kept && turn > 0)) || turn < newest || (turn == newest && n < number))
            continue;
        newest = turn;
        number = n;
        memcpy(folder, path, sizeof path);
    }
    if (dir)
        closedir(dir);
    return newest >= 0;
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
    return length && snprintf(folder, PATH_MAX, "%s/%.*s", runs, length, name) < PATH_MAX && is_folder(folder);
}

int run_find(const char *runs, const char *name, char folder[PATH_MAX])
{
    bool last = strcmp(name, "last") == 0;
    if (last ? run_newest(runs, NULL, false, folder) : run_named(runs, name, folder))
        return 0;
    return complain(STATUS_DATA, "%s: no run of that name, neither here nor in %s/", name, runs);
}
