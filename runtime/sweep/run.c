/* run.c: one training of a sweep. It says nothing itself: what it would say of its failure is the reason in its row. */
#include "sweep.h"
#include "run/keep.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct run_watch {
    struct watch watch; /* first */
    struct sweep *sweep;
    struct row *row;
};

/* ---- what happens in it ---- */

static void take_event(struct watch *w, const struct event *e)
{
    struct run_watch *at = (struct run_watch *)w;
    pthread_mutex_lock(&at->sweep->busy);
    if (e->kind == EVENT_START)
        at->row->epochs = e->start.epochs;
    else if (e->kind == EVENT_STEP)
        at->row->now_loss = e->step.loss;
    else if (e->kind == EVENT_EPOCH)
        at->row->epoch = e->epoch.epoch;
    stream_event(at->sweep, at->row, e);
    live_draw(at->sweep, e->kind != EVENT_STEP);
    pthread_mutex_unlock(&at->sweep->busy);
}

/* The first statement, without what messages of the program begin with. */
static void take_reason(struct row *r, const char *text)
{
    static const char *const begin[] = {"netrun: ", "error: ", "error[N"}, *const end[] = {"\n", ". ", " ("};
    for (int i = 0; i < COUNT(begin); i++)
        if (strncmp(text, begin[i], strlen(begin[i])) == 0)
            text += strchr(text, ' ') + 1 - text;
    size_t n = strlen(text);
    for (int i = 0; i < COUNT(end); i++) {
        const char *at = strstr(text, end[i]);
        n = at && (size_t)(at - text) < n ? (size_t)(at - text) : n;
    }
    snprintf(r->reason, sizeof r->reason, "%.*s", (int)n, text);
}

static void take_words(void *to, bool error, const char *text)
{
    struct run_watch *at = to;
    pthread_mutex_lock(&at->sweep->busy);
    if (!error)
        live_note(at->sweep, text);
    else if (!*at->row->reason)
        take_reason(at->row, text);
    pthread_mutex_unlock(&at->sweep->busy);
}

/* ---- what came of it ---- */

/* Of the metrics of its folder: the best epoch's numbers, and the time of all. */
static void read_metrics(const struct sweep *s, struct row *r, const char *folder)
{
    struct history h;
    struct data_error e;
    char path[PATH_MAX];
    r->seconds = 0;
    if (!run_path(folder, "metrics.jsonl", path) || !history_read(path, &h, &e))
        return;
    const double *epoch = history_column(&h, "epoch"), *seconds = history_column(&h, "seconds");
    const double *loss = history_tested(&h, "loss"), *train = history_column(&h, "train.loss");
    const double *right = *s->metric ? history_tested(&h, s->metric) : NULL, *n = history_tested(&h, "n");
    for (size_t i = 0; i < h.epochs; i++) {
        r->seconds += seconds && seconds[i] > 0 ? seconds[i] : 0;
        if (!epoch || epoch[i] != (double)r->best_epoch)
            continue;
        r->n = n && n[i] > 0 ? (int64_t)n[i] : 0;
        r->train_loss = train ? train[i] : 0;
        r->loss = loss ? loss[i] : r->train_loss;
        r->metric = right ? right[i] : 0;
    }
    history_free(&h);
}

/* The job is still open. */
static void take_result(struct sweep *s, struct row *r, const struct job *j)
{
    snprintf(s->measure, sizeof s->measure, "%s", choose_measure(j, &j->recipe.save));
    s->synthetic |= j->data.synthetic;
    r->epoch = j->at.epoch;
    r->epochs = j->recipe.epochs;
    r->best_epoch = j->at.best_epoch;
    r->merit = j->at.best;
    read_metrics(s, r, j->folder);
}

/* ---- running it ---- */

/* The options of the command line, with the row's values behind them. `own` holds the texts that are new. */
static int set_values(const struct sweep *s, const struct row *r, struct options *o, struct region *own)
{
    for (int i = 0; i < s->naxis; i++) {
        const struct axis *a = &s->axis[i];
        char *text = region_printf(own, "%s=%s", a->name, r->value[i]);
        int *n = a->kind == AXIS_PARAM ? &o->defines : &o->overrides;
        if (a->kind == AXIS_DEVICE)
            o->device = r->value[i];
        else if (*n == MAX_OVERRIDES)
            return complain(STATUS_USAGE, "more than %d settings", MAX_OVERRIDES);
        else
            (a->kind == AXIS_PARAM ? o->define : o->override)[(*n)++] = text;
    }
    if (o->jobs > 1 && strncmp(o->device, "cuda", 4) == 0)
        return complain(STATUS_USAGE, "runs side by side have a thread of the CPU each: leave out --jobs");
    o->device = o->jobs > 1 ? "cpu" : o->device;
    return 0;
}

static int compile(struct sweep *s, struct job *j)
{
    char *text = NULL;
    size_t size;
    FILE *messages = open_memstream(&text, &size);
    if (!messages)
        return complain(STATUS_INTERNAL, "out of memory");
    int status = source_plan(&s->source, j->options->define, j->options->defines, messages, &j->plan);
    fclose(messages);
    if (status == STATUS_MODEL)
        complain(status, "%s", text);
    free(text);
    return status ? status : overrides_take(j);
}

void sweep_run(struct sweep *s, struct row *r)
{
    struct options o = *s->options;
    struct job j = {.options = &o};
    struct run_watch watch = {.watch = {.take = take_event}, .sweep = s, .row = r};
    struct region *own = region_new();
    char folder[PATH_MAX];
    sweep_folder_of(s, r, folder);
    say_to(take_words, &watch);
    o.into = folder;
    o.pause = s->until;
    o.quiet = true;
    o.threads = o.jobs > 1 ? 1 : o.threads;
    tell_open(&j.tell, PROGRESS_NONE, true, false);
    j.tell.watch = &watch.watch;
    int status = set_values(s, r, &o, own);
    if (status == 0 && pair_there(folder)) {
        o.resume = folder;
        o.overrides = 0; /* they are in the checkpoint */
        status = run_recall(&j);
    } else if (status == 0)
        status = compile(s, &j);
    if (status == 0)
        status = train(&j);
    pthread_mutex_lock(&s->busy);
    if (j.device)
        take_result(s, r, &j);
    r->status = status;
    bool paused = s->until > 0 && !choose_over(&j);
    r->state = status == 0 ? paused ? ROW_WAITS : ROW_DONE : status > STATUS_SIGNAL ? ROW_STOPPED : ROW_FAILED;
    pthread_mutex_unlock(&s->busy);
    job_close(&j);
    free(o.recalled);
    say_to(NULL, NULL);
    region_free(own);
}
