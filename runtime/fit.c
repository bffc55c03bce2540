/* fit.c: batch, budget and device. Whatever can fail for want of memory fails here, with numbers. */
#include "netrun.h"

#include <string.h>

static int64_t to_block(int64_t rows)
{
    return (rows + ROW_BLOCK - 1) / ROW_BLOCK * ROW_BLOCK;
}

int64_t fit_auto(const struct plan *p, const struct schedule *s, int64_t budget, int64_t max, int64_t samples)
{
    int64_t batch = schedule_fit(p, s, budget);
    if (batch > max)
        batch = max < ROW_BLOCK ? max : max - max % ROW_BLOCK;
    return batch < samples ? batch : samples;
}

/* ---- refusing ---- */

static void say_peak(const struct plan *p, const struct schedule *s, int64_t rows)
{
    const struct kernel *k = &p->kernel[s->first_kernel + s->peak_step];
    char values[32], fixed[32], persistent[32], line[32] = "";
    for (int i = 0; i < k->nstage && !*line; i++)
        if (k->stage[i].line > 0)
            snprintf(line, sizeof line, " (line %d)", k->stage[i].line);
    fprintf(stderr, "  = note: peak is at %s%s: activations %s, workspace %s, parameters and optimizer %s\n", k->name,
            line, bytes_text(rows * s->per_row, values, sizeof values), bytes_text(s->fixed, fixed, sizeof fixed),
            bytes_text(p->persistent, persistent, sizeof persistent));
}

static int refuse(const struct job *j, const struct schedule *s, int64_t batch, int64_t rows, int64_t budget)
{
    char needs[32], has[32], all[32], share[64] = "";
    const char *memory = j->options->memory;
    int64_t arena = schedule_arena(j->plan, s, rows), most = schedule_fit(j->plan, s, budget);
    bytes_text(j->device->memory(j->device), all, sizeof all);
    if (!memory)
        snprintf(share, sizeof share, " (all memory of this machine)");
    else if (strchr(memory, '%'))
        snprintf(share, sizeof share, " (%.*s %% of %s)", (int)strcspn(memory, " %"), memory, all);
    fprintf(stderr, "netrun: error[N0501]: batch %lld needs %s, the budget is %s%s\n", (long long)batch,
            arena < 0 ? "more than can be counted" : bytes_text(arena, needs, sizeof needs),
            bytes_text(budget, has, sizeof has), share);
    say_peak(j->plan, s, rows);
    if (most > 0)
        fprintf(stderr, "  = help: the largest batch is %lld\n", (long long)most);
    else
        fprintf(stderr, "  = help: not even %d samples fit; the least is %s\n", ROW_BLOCK,
                bytes_text(schedule_arena(j->plan, s, ROW_BLOCK), has, sizeof has));
    return STATUS_BUDGET;
}

/* ---- rows of each phase ---- */

static int fit_train(struct job *j, const struct schedule *s, int64_t budget, int64_t samples)
{
    struct recipe *r = &j->recipe;
    if (r->batch == 0) {
        r->batch = fit_auto(j->plan, s, budget, r->max_batch, samples);
        if (r->batch == 0)
            return refuse(j, s, ROW_BLOCK, ROW_BLOCK, budget);
        progress_say(&j->progress, "batch auto: %lld (%lld would fit)", (long long)r->batch,
                     (long long)schedule_fit(j->plan, s, budget));
    }
    int64_t batch = r->batch < samples ? r->batch : samples, rows = to_block(batch);
    if (schedule_fit(j->plan, s, budget) < rows)
        return refuse(j, s, batch, rows, budget);
    j->rows.rows[PHASE_TRAIN] = rows;
    return 0;
}

/* Results do not depend on the size of these batches, so a smaller one is taken where the wanted one does not fit. */
static int fit_forward(struct job *j, const struct schedule *s, int64_t budget, int64_t samples)
{
    int64_t *batch = &j->recipe.evaluation_batch;
    int64_t most = schedule_fit(j->plan, s, budget);
    if (*batch > samples)
        *batch = samples;
    if (most == 0)
        return refuse(j, s, ROW_BLOCK, ROW_BLOCK, budget);
    if (*batch > most)
        *batch = most;
    j->rows.rows[s->phase] = to_block(*batch);
    return 0;
}

static int fit_rows(struct job *j, int64_t budget, const int64_t samples[PHASE_COUNT])
{
    static const char *const name[PHASE_COUNT] = { "training", "evaluation", "prediction" };
    for (int ph = PHASE_COUNT - 1; ph >= 0; ph--) {
        const struct schedule *s = plan_schedule(j->plan, j->device->target, (enum phase)ph);
        if (samples[ph] == 0)
            continue;
        if (!s)
            return complain(STATUS_DATA, "the plan has no schedule of %s for %s", name[ph], j->device->name);
        int status = ph == PHASE_TRAIN ? fit_train(j, s, budget, samples[ph]) : fit_forward(j, s, budget, samples[ph]);
        if (status)
            return status;
        j->phase = (enum phase)ph;
    }
    return 0;
}

static int open_device(struct job *j)
{
    const struct options *o = j->options;
    struct device_options options = { .threads = o->threads, .emit_dir = o->emit_dir, .verbose = o->verbose, .precision = o->precision };
    struct device_error e;
    char why[sizeof e.text];
    j->device = device_open(o->device, &options, why, sizeof why, &e);
    if (!j->device)
        return complain(e.status, "%s", e.text);
    if (*why && (o->verbose || (o->action == ACTION_TRAIN && !o->quiet)))
        note("device %s: %s", j->device->name, why);
    return 0;
}

int fit(struct job *j, const int64_t samples[PHASE_COUNT])
{
    const struct device_data split[] = { samples_of(&j->data.train), samples_of(&j->data.test) };
    struct device_error e;
    int status = open_device(j);
    if (status)
        return status;
    struct device *d = j->device;
    const char *memory = j->options->memory;
    int64_t budget = INT64_MAX;
    if (memory && !option_bytes(memory, d->memory(d), &budget))
        return complain(STATUS_USAGE, "--memory %s: expected a size such as 512MiB, 8GiB or 80%%", memory);
    if (!d->compile(d, j->plan, &e))
        return complain(e.status, "%s", e.text);
    int64_t room = d->room(d, budget);
    status = fit_rows(j, room, samples);
    if (status == 0 && !d->arm(d, &j->rows, split, 2, room, &e))
        return complain(e.status, "%s", e.text);
    return status;
}
