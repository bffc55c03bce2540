/* fit.c: batch, budget and device. Whatever can fail for want of memory fails here, with numbers; what fits is decided by
 * budget.c of the compiler. */
#include "device/device_error.h"
#include "emit/emit.h"
#include "run.h"

#include <stdlib.h>
#include <string.h>

enum { TRIES = 8 };  /* times that the device may have less than it promised */
enum { SPLITS = 4 }; /* to train, to test, held out, and what is predicted */

/* "8.0 GiB (80 % of 10.0 GiB on cuda:0), 7.6 GiB of it for the arena" */
static void budget_text(const struct job *j, int64_t budget, int64_t room, char *text, size_t size)
{
    const struct device *d = j->device;
    const char *memory = j->options->memory;
    char have[32], all[32], arena[32], share[96] = "";
    int64_t whole = d->memory(d);
    bytes_text(whole, all, sizeof all);
    bytes_text(room > 0 ? room : 0, arena, sizeof arena);
    if (!memory)
        snprintf(share, sizeof share, " (the memory of %s)", d->name);
    else if (strchr(memory, '%'))
        snprintf(share, sizeof share, " (%.*s %% of %s on %s)", (int)strcspn(memory, " %"), memory, all, d->name);
    bool reserved = room < budget && room < whole;
    snprintf(text, size, "%s%s%s%s%s", bytes_text(memory ? budget : whole, have, sizeof have), share,
             reserved ? ", " : "", reserved ? arena : "", reserved ? " of it for the arena" : "");
}

static struct wish wish_of(const struct job *j, const int64_t samples[PHASE_COUNT])
{
    const struct recipe *r = &j->recipe;
    struct wish w = {.batch = r->batch,
                     .most = r->max_batch,
                     .micro = r->micro,
                     .evaluation = r->evaluation_batch,
                     .split_statistics = j->options->split_statistics};
    memcpy(w.samples, samples, sizeof w.samples);
    return w;
}

static struct device_rows rows_of(const struct grant *g)
{
    struct device_rows rows = {.parts = g->parts};
    memcpy(rows.rows, g->rows, sizeof rows.rows);
    return rows;
}

static void take(struct job *j, const struct grant *g)
{
    j->recipe.evaluation_batch = g->evaluation;
    j->recipe.micro = g->parts ? g->micro : 0;
    if (j->recipe.batch == 0)
        j->recipe.batch = g->batch;
    j->rows = rows_of(g);
    for (int ph = PHASE_COUNT - 1; ph >= 0; ph--)
        if (g->rows[ph] > 0)
            j->phase = (enum phase)ph;
}

static void say_batch(struct job *j, const struct wish *w, const struct grant *g)
{
    char text[200];
    if (w->samples[PHASE_TRAIN] == 0)
        return;
    if (w->batch == 0)
        say(&j->tell, "batch auto: %lld (%lld would fit)", (long long)g->batch, (long long)g->would_fit);
    if (j->recipe.micro > 0 && !j->options->quiet)
        note("%s", budget_split_text(j->plan, j->device->target, g, text, sizeof text));
}

/* ---- room ---- */

struct fitting {
    struct job *job;
    const struct wish *wish;
    struct device_data split[SPLITS]; /* that the wished phases read */
    int64_t budget, room;
};

/* Bytes of the arena that is granted if it may have `most`, and of what must lie beside it; INT64_MAX: nothing is granted. */
static int64_t total(const struct fitting *f, int64_t most, struct grant *g)
{
    const struct plan *p = f->job->plan;
    const struct device *d = f->job->device;
    if (!budget_grant(p, d->target, f->wish, most, g))
        return INT64_MAX;
    const struct device_rows rows = rows_of(g);
    int64_t arena = budget_arena(p, d->target, g), beside = d->beside(d, &rows, f->split, SPLITS);
    return arena > INT64_MAX - beside ? INT64_MAX : arena + beside;
}

/* The least budget in which so much is left for the arena and what lies beside it. */
static int64_t budget_for(struct device *d, int64_t bytes)
{
    int64_t whole = d->memory(d), low = 0, high = whole;
    if (d->room(d, whole) < bytes)
        return bytes + (whole - d->room(d, whole));
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (d->room(d, middle) < bytes)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static int refuse(const struct fitting *f)
{
    struct job *j = f->job;
    struct device *d = j->device;
    struct grant g;
    char text[160];
    int64_t least = budget_least(j->plan, d->target, f->wish), bytes = total(f, least, &g);
    int64_t arena = f->room, beside = 0;
    if (bytes < INT64_MAX) {
        arena = f->room > bytes - least ? f->room - (bytes - least) : 0;
        beside = budget_for(d, bytes) - least;
    }
    budget_grant(j->plan, d->target, f->wish, arena, &g);
    budget_text(j, f->budget, f->room, text, sizeof text);
    int status = g.verdict == NO_SCHEDULE ? STATUS_DATA : STATUS_BUDGET;
    char *words = NULL;
    size_t size;
    FILE *out = open_memstream(&words, &size);
    if (!out)
        return complain(STATUS_INTERNAL, "out of memory");
    budget_refuse(j->plan, d->target, f->wish, &g, arena, beside, "netrun", text, out);
    fclose(out);
    complain_as(status, words);
    free(words);
    return status;
}

/* The largest grant of which all has room. What lies beside the arena grows with its rows, so that the arena cannot always
 * have the whole room. */
static bool granted(const struct fitting *f, struct grant *g)
{
    int64_t low = budget_least(f->job->plan, f->job->device->target, f->wish), high = f->room;
    if (total(f, high, g) <= f->room)
        return true;
    if (total(f, low, g) > f->room)
        return false;
    while (high - low > 1) {
        int64_t middle = low + (high - low) / 2;
        if (total(f, middle, g) <= f->room)
            low = middle;
        else
            high = middle;
    }
    return total(f, low, g) <= f->room;
}

/* Arms with what is granted. A device that then has less than it said, or took more than the budget while it was armed, is asked
 * again and fitted to that. */
static int arm(struct fitting *f)
{
    struct device *d = f->job->device;
    struct device_error e = {0};
    f->room = d->room(d, f->budget);
    for (int tries = 0; tries < TRIES; tries++) {
        struct grant g;
        char text[32];
        if (!granted(f, &g))
            return refuse(f);
        const struct device_rows rows = rows_of(&g);
        bool armed = d->arm(d, &rows, f->split, SPLITS, f->room, &e);
        int64_t left = d->room(d, f->budget), less = f->room - f->room / 8;
        if (armed && (f->budget == INT64_MAX || d->arena(d) <= left)) {
            take(f->job, &g);
            say_batch(f->job, f->wish, &g);
            return 0;
        }
        if (armed)
            device_fail(&e, STATUS_BUDGET, "the driver took more memory when kernels ran");
        if (e.status != STATUS_BUDGET)
            break;
        f->room = left < f->room ? left : less;
        note("%s; fitting to %s", e.text, bytes_text(f->room > 0 ? f->room : 0, text, sizeof text));
    }
    return complain(e.status, "%s", e.text);
}

static int open_device(struct job *j)
{
    const struct options *o = j->options;
    struct device_options options = {.threads = (int)o->threads,
                                     .emit_dir = o->emit_dir,
                                     .verbose = o->verbose,
                                     .quiet = o->quiet,
                                     .again = j->second_device,
                                     .precision = o->precision};
    struct device_error e;
    char why[sizeof e.text];
    j->device = device_open(o->device, &options, why, sizeof why, &e);
    if (!j->device)
        return complain(e.status, "%s", e.text);
    if (*why && (o->verbose || ((o->action == ACTION_TRAIN || o->action == ACTION_PROFILE) && !o->quiet)))
        note("device %s: %s", j->device->name, why);
    return 0;
}

int fit(struct job *j, const int64_t samples[PHASE_COUNT])
{
    struct device_error e;
    int status = weigh(j);
    if (status == 0)
        status = open_device(j);
    if (status)
        return status;
    struct device *d = j->device;
    const char *memory = j->options->memory;
    int64_t budget = INT64_MAX;
    if (memory && !option_bytes(memory, d->memory(d), &budget))
        return complain(STATUS_USAGE, "--memory %s: expected a size such as 512MiB, 8GiB or 80%%", memory);
    if (!d->compile(d, j->plan, &e))
        return complain(e.status, "%s", e.text);
    const struct kernel *k = emit_unheeded(j->plan, d->target, j->options->precision);
    if (k)
        warn(&j->tell, "%s was asked to be written by %s, which does not apply in %s: another body writes it", k->name,
             k->stage->algorithm, precision_word[j->options->precision]);
    const struct wish w = wish_of(j, samples);
    struct fitting f = {.job = j, .wish = &w, .budget = budget, .split = {[SPLITS - 1] = j->asked}};
    if (samples[PHASE_TRAIN] > 0)
        f.split[0] = samples_of(&j->data.train);
    if (samples[PHASE_EVALUATE] > 0)
        f.split[1] = samples_of(&j->data.test);
    if (samples[PHASE_EVALUATE] > 0)
        f.split[2] = samples_of(&j->data.holdout);
    status = arm(&f);
    return status ? status : measures_open(j, samples[PHASE_EVALUATE]);
}
