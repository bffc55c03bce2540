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
    s->lines = o->quiet || o->progress == PROGRESS_NONE ? NULL : stdout;
}

static void end(struct sweep *s)
{
    if (s->lock >= 0)
        close(s->lock);
    source_free(&s->source);
    pthread_mutex_destroy(&s->busy);
    region_free(s->region);
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
    plan_free(j.plan);
    s->options->precision = PRECISION_COUNT; /* each run finds its own */
    return status;
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
    sweep_table(s, stdout);
    if (!s->options->no_report)
        sweep_report(s);
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
    for (int i = 0; i < s->nrow; i++)
        if (!is_open(&s->row[i]))
            live_row(s, &s->row[i]);
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
