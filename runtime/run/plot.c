/* plot.c: --plot, the curves of runs. */
#include "run.h"
#include "runfile.h"
#include "tell/curves.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_RUNS = 1000 };

struct plotting {
    const struct options *options;
    size_t runs;
    struct curve_run *run;
    json_t **settings; /* of each: what makes runs of one group */
    char (*folder)[PATH_MAX];
};

static const char *name_of(const char *folder)
{
    const char *slash = strrchr(folder, '/');
    return slash ? slash + 1 : folder;
}

/* Settings of the run without its seed; an empty object if the folder does not tell. */
static json_t *settings_of(const char *folder)
{
    static const char *const same[] = {"net", "settings", "data", "batch"};
    json_t *all = settings_read(folder, false), *kept = json_object();
    for (size_t i = 0; i < sizeof same / sizeof *same; i++)
        json_object_set(kept, same[i], json_object_get(all, same[i]));
    json_object_del(json_object_get(kept, "settings"), "train.seed");
    json_decref(all);
    return kept;
}

int run_history(const struct options *o, const char *name, char folder[PATH_MAX], struct history *h)
{
    struct data_error e;
    char path[PATH_MAX];
    int status = run_find(o->runs, name, folder);
    if (status || !run_path(folder, "metrics.jsonl", path))
        return STATUS_DATA;
    return history_read(path, h, &e) ? 0 : complain(STATUS_DATA, "%s", e.text);
}

/* Folder, history and group of the run called `name`. */
static int take(struct plotting *p, size_t i, const char *name)
{
    char *folder = p->folder[i];
    struct curve_run *run = &p->run[i];
    int status = run_history(p->options, name, folder, &run->history);
    if (status)
        return status;
    if (run->history.damaged > 0)
        note("%s: passed over %zu lines that are no events", folder, run->history.damaged);
    if (run->history.epochs == 0)
        return complain(STATUS_DATA, "%s: no epoch of the run is over", folder);
    run->label = name_of(folder);
    p->settings[i] = settings_of(folder);
    int groups = 0;
    for (size_t k = 0; k < i; k++)
        groups = p->run[k].group >= groups ? p->run[k].group + 1 : groups;
    run->group = groups;
    for (size_t k = i; k-- > 0;)
        if (json_object_size(p->settings[i]) > 0 && json_equal(p->settings[k], p->settings[i]))
            run->group = p->run[k].group;
    return 0;
}

/* "curves" in the run's folder; of several runs, here. */
static int draw(const struct plotting *p)
{
    struct data_error e;
    char stem[PATH_MAX], why[600];
    if (p->options->output)
        snprintf(stem, sizeof stem, "%s", p->options->output);
    else if (p->runs > 1)
        strcpy(stem, "curves");
    else if (!run_path(p->folder[0], "curves", stem))
        return STATUS_DATA;
    char *dot = strrchr(stem, '.');
    if (dot && (!strcmp(dot, ".svg") || !strcmp(dot, ".png") || !strcmp(dot, ".gp")))
        *dot = '\0';
    if (!curves_draw(p->run, p->runs, stem, why, sizeof why, &e))
        return complain(STATUS_DATA, "%s", e.text);
    if (*why)
        note("%s.gp has the curves, but they are not drawn: %s", stem, why);
    else
        printf("%s.svg\n%s.png\n", stem, stem);
    return 0;
}

void plot_own(const struct job *j)
{
    struct curve_run run = {0};
    struct data_error e;
    char stem[PATH_MAX], path[PATH_MAX], why[600] = "";
    if (j->options->into || !run_path(j->folder, "curves", stem) || !run_path(j->folder, "metrics.jsonl", path))
        return;
    if (!history_read(path, &run.history, &e)) {
        note("%s", e.text);
        return;
    }
    run.label = name_of(j->folder);
    if (run.history.epochs > 1 && !curves_draw(&run, 1, stem, why, sizeof why, &e))
        note("no curves: %s", e.text);
    else if (*why && j->tell.lines)
        note("%s.gp has the curves, but they are not drawn: %s", stem, why);
    history_free(&run.history);
}

int plot(const struct options *o)
{
    static const char *const newest[] = {"last"};
    const char *const *name = o->predictions ? (const char *const *)o->predict : newest;
    struct plotting p = {.options = o, .runs = o->predictions ? (size_t)o->predictions : 1};
    if (p.runs > MOST_RUNS)
        return complain(STATUS_USAGE, "more than %d runs", MOST_RUNS);
    p.run = calloc(p.runs, sizeof *p.run);
    p.settings = calloc(p.runs, sizeof(json_t *));
    p.folder = calloc(p.runs, sizeof *p.folder);
    int status = p.run && p.settings && p.folder ? 0 : complain(STATUS_INTERNAL, "out of memory");
    for (size_t i = 0; status == 0 && i < p.runs; i++)
        status = take(&p, i, name[i]);
    if (status == 0)
        status = draw(&p);
    for (size_t i = 0; p.run && p.settings && i < p.runs; i++) {
        history_free(&p.run[i].history);
        json_decref(p.settings[i]);
    }
    free(p.run);
    free(p.settings);
    free(p.folder);
    return status;
}
