/* sweep.c: the runs of a sweep, one after the other or side by side. */
#include "sweep.h"

#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

const char *const row_word[] = {
    [ROW_WAITS] = "waits",   [ROW_STOPPED] = "stopped", [ROW_FAILED] = "failed",
    [ROW_HALVED] = "halved", [ROW_DONE] = "done",
};

/* There is something left to do of it, in this rung or a later one. */
static bool is_open(const struct row *r)
{
    return r->state == ROW_WAITS || r->state == ROW_STOPPED;
}

/* The next row that is not at the end of the rung; NULL: none is left, or it is enough. */
static struct row *next_row(struct sweep *s)
{
    while (s->status == 0 && !stopped_by() && s->next < s->nrow) {
        struct row *r = &s->row[s->next++];
        if (is_open(r) && (s->until == 0 || r->state == ROW_STOPPED || r->epoch < s->until))
            return r;
    }
    return NULL;
}

static void *work(void *sweep)
{
    struct sweep *s = sweep;
    struct row *r;
    pthread_mutex_lock(&s->busy);
    while ((r = next_row(s))) {
        r->running = true;
        *r->reason = '\0';
        live_draw(s, true);
        pthread_mutex_unlock(&s->busy);
        sweep_run(s, r);
        pthread_mutex_lock(&s->busy);
        r->running = false;
        live_row(s, r);
        stream_row(s, r);
        int status = sweep_save(s);
        s->status = s->status ? s->status : status;
    }
    pthread_mutex_unlock(&s->busy);
    return NULL;
}

/* All runs of the rung, --jobs of them side by side. */
static void work_all(struct sweep *s)
{
    pthread_t thread[MAX_JOBS];
    int n = 0;
    s->next = 0;
    while (n + 1 < s->options->jobs && n + 1 < s->nrow && pthread_create(&thread[n], NULL, work, s) == 0)
        n++;
    work(s);
    while (n > 0)
        pthread_join(thread[--n], NULL);
}

static void work_rungs(struct sweep *s)
{
    for (int rungs = halving_rungs(s); s->rung < rungs; s->rung++) {
        s->until = halving_until(s, s->rung);
        work_all(s);
        if (s->status || stopped_by())
            return;
        if (s->rung + 1 < rungs)
            halving_cut(s);
    }
}

/* ---- beginning and end ---- */

static void begin(struct sweep *s, struct options *o)
{
    *s = (struct sweep){.options = o, .lock = -1, .region = region_new()};
    pthread_mutex_init(&s->busy, NULL);
    bool drawn = isatty(STDERR_FILENO) && !o->quiet && o->progress != PROGRESS_LINES && o->progress != PROGRESS_NONE;
    s->screen = drawn ? stderr : NULL;
    s->results = o->json ? stderr : stdout;
    s->lines = o->quiet || o->progress == PROGRESS_NONE ? NULL : s->results;
    s->json = o->json ? stdout : NULL;
}

static void end(struct sweep *s)
{
    if (s->lock >= 0)
        close(s->lock);
    source_free(&s->source);
    pthread_mutex_destroy(&s->busy);
    region_free(s->region);
}

/* Its file, whatever `last` or a run's name will mean later, and wherever the sweep is taken up. */
static int fix_weights(struct sweep *s, struct job *j)
{
    struct options *o = s->options;
    if (!o->weights || weights_none(o))
        return 0;
    int status = weights_find(j);
    char *path = status == 0 ? realpath(j->weights, NULL) : NULL;
    if (path)
        o->weights = region_copy(s->region, path);
    else if (status == 0)
        status = complain(STATUS_DATA, "%s: cannot be found", j->weights);
    free(path);
    return status;
}

/* The rows, from a plan that has the settings of the command line. */
static int prepare(struct sweep *s)
{
    struct job j = {.options = s->options};
    int status = source_plan(&s->source, s->options->define, s->options->defines, stderr, &j.plan);
    if (status == 0)
        status = overrides_take(&j);
    if (status == 0) {
        const struct recipe *r = &j.recipe;
        s->epochs = r->epochs;
        s->seed = r->seed;
        int metric = r->save.measure >= 0 ? r->save.measure : 0;
        s->net = region_copy(s->region, j.plan->net);
        snprintf(s->metric, sizeof s->metric, "%s", r->metrics > 0 ? r->metric[metric] : "");
        status = sweep_axes(s, j.plan);
    }
    if (status == 0)
        status = fix_weights(s, &j);
    plan_free(j.plan);
    s->options->precision = PRECISION_COUNT; /* each run finds its own */
    return status;
}

/* Into its folder; a sweep is none the worse if that fails. */
static void plot_own_sweep(const struct sweep *s)
{
    struct data_error e;
    char stem[PATH_MAX], why[600];
    if (run_path(s->folder, "sweep", stem) && sweep_plot(s, stem, why, sizeof why, &e) && *why && s->lines)
        note("%s.gp has the results by value, but they are not drawn: %s", stem, why);
}

/* Where the sweep stands, to whoever it may concern; the exit status. */
static int finish(struct sweep *s)
{
    int left = 0, failed = 0, signal = stopped_by();
    for (int i = 0; i < s->nrow; i++) {
        left += is_open(&s->row[i]);
        failed += s->row[i].state == ROW_FAILED;
    }
    if (s->status)
        return s->status;
    sweep_table(s, s->results);
    if (!s->options->no_report)
        sweep_report(s);
    plot_own_sweep(s);
    stream_end(s, left, failed, signal);
    int status = s->options->output ? sweep_csv(s, s->options->output) : 0;
    if (left)
        note("%d of %d runs are not done; to go on: netrun --resume %s", left, s->nrow, s->folder);
    if (status == 0 && signal)
        return STATUS_SIGNAL + signal;
    return status == 0 && failed == s->nrow ? s->row[0].status : status;
}

static int go(struct sweep *s)
{
    if (s->lines) {
        fprintf(s->lines, "%s: %d runs, %s\n", s->net, s->nrow, s->folder);
        if (s->options->jobs > 1)
            fprintf(s->lines, "%lld side by side, a thread each: their times are not comparable\n",
                    (long long)s->options->jobs);
        sweep_head(s, s->lines);
    }
    stream_start(s);
    for (int i = 0; i < s->nrow; i++)
        if (!is_open(&s->row[i])) {
            live_row(s, &s->row[i]);
            stream_row(s, &s->row[i]);
        }
    stops_listen();
    work_rungs(s);
    live_clear(s);
    stops_end();
    return finish(s);
}

int sweep(struct options *o)
{
    struct sweep s;
    begin(&s, o);
    int status = source_read(o->plan, &s.source);
    if (status == 0)
        status = prepare(&s);
    if (status == 0)
        status = sweep_create(&s);
    if (status == 0)
        status = go(&s);
    end(&s);
    return status;
}

/* What is known of a sweep that was begun. */
static int recall(struct sweep *s, const char *folder)
{
    snprintf(s->folder, sizeof s->folder, "%s", folder);
    int status = sweep_source(s);
    if (status == 0)
        status = prepare(s);
    return status ? status : sweep_recall(s);
}

int sweep_report_again(struct options *o, const char *folder)
{
    struct sweep s;
    begin(&s, o);
    s.over = true;
    int status = recall(&s, folder);
    if (status == 0)
        sweep_report(&s);
    if (status == 0)
        printf("%s/report.html\n", s.folder);
    end(&s);
    return status;
}

int sweep_plot_again(struct options *o, const char *folder, const char *output)
{
    struct sweep s;
    struct data_error e;
    char stem[PATH_MAX], why[600];
    begin(&s, o);
    s.over = true;
    int status = recall(&s, folder);
    if (status == 0 && output)
        snprintf(stem, sizeof stem, "%s", output);
    else if (status == 0 && !run_path(folder, "sweep", stem))
        status = STATUS_DATA;
    char *dot = status == 0 ? strrchr(stem, '.') : NULL;
    if (dot && (!strcmp(dot, ".svg") || !strcmp(dot, ".png") || !strcmp(dot, ".gp")))
        *dot = '\0';
    if (status == 0 && !sweep_plot(&s, stem, why, sizeof why, &e))
        status = complain(STATUS_DATA, "%s", e.text);
    else if (status == 0 && *why)
        note("%s.gp has the results by value, but they are not drawn: %s", stem, why);
    else if (status == 0)
        printf("%s.svg\n%s.png\n", stem, stem);
    end(&s);
    return status;
}

int sweep_resume(struct options *o, const char *folder, const char *data)
{
    struct sweep s;
    begin(&s, o);
    snprintf(s.folder, sizeof s.folder, "%s", folder);
    int status = sweep_lock(&s);
    if (status == 0)
        status = recall(&s, folder);
    if (data)
        o->folder = data;
    if (status == 0)
        status = go(&s);
    end(&s);
    return status;
}
