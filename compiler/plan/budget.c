/* budget.c: how many samples of each phase fit, and what to say if too few do. The same arithmetic for netc and netrun, from
 * the sizes in the plan alone: no device is asked, nothing is tried. */
#include "op.h"
#include "plan_text.h"
#include "base/base.h"
#include "base/options.h"

#include <string.h>

enum { TOP = 3 };

static int64_t to_block(int64_t rows)
{
    return (rows + ROW_BLOCK - 1) / ROW_BLOCK * ROW_BLOCK;
}

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* Bytes of a phase with so many rows; INT64_MAX: more than can be counted, or no such schedule. */
static int64_t bytes_for(const struct plan *p, const struct schedule *s, int64_t rows, bool parts)
{
    int64_t bytes = s ? schedule_needs(p, s, to_block(rows), parts) : -1;
    return bytes < 0 ? INT64_MAX : bytes;
}

/* Bytes of every schedule's arena that are not needed: nothing of the wish trains. */
static int64_t spared(const struct plan *p, const struct wish *w)
{
    return w->samples[PHASE_TRAIN] > 0 ? 0 : plan_slots(p);
}

static int64_t sum(int64_t a, int64_t b)
{
    return a > INT64_MAX - b ? INT64_MAX : a + b;
}

/* ---- batch statistics ---- */

/* The stage that keeps statistics of a batch; NULL: none does. */
static const struct stage *statistics(const struct plan *p, const struct schedule *s)
{
    for (int k = s->first_kernel; k < s->last_kernel; k++)
        for (int i = 0; i < p->kernel[k].nstage; i++) {
            const struct stage *g = &p->kernel[k].stage[i];
            if (g->nout > 0 && p->tensor[g->out[0]].role == ROLE_STATE)
                return g;
        }
    return NULL;
}

/* May training run a batch in parts? Not if its results would be others and that is not wished. */
static bool may_split(const struct plan *p, const struct schedule *s, const struct wish *w)
{
    return s && (w->split_statistics || !statistics(p, s));
}

/* ---- granting ---- */

/* The fewest parts, then as equal as blocks allow: 4096 with room for 3376 becomes 2 x 2048. */
static int64_t even_part(int64_t batch, int64_t room)
{
    int64_t parts = (batch + room - 1) / room;
    return to_block((batch + parts - 1) / parts);
}

static void grant_train(const struct plan *p, const struct target *t, const struct wish *w, int64_t room,
                        struct grant *g)
{
    const struct schedule *s = g->tight = plan_schedule(p, t, PHASE_TRAIN);
    const bool splits = may_split(p, s, w);
    int64_t samples = w->samples[PHASE_TRAIN], most = s ? schedule_fit(p, s, room) : 0;
    g->would_fit = most;
    g->batch = w->batch;
    if (w->batch == 0) {
        int64_t bound = w->most < ROW_BLOCK ? w->most : w->most - w->most % ROW_BLOCK;
        g->batch = larger(smaller(most, bound), smaller(ROW_BLOCK, w->most));
    }
    g->batch = g->micro = smaller(g->batch, samples);
    bool was_split = splits && w->micro > 0 && w->micro < g->batch && bytes_for(p, s, w->micro, true) <= room;
    if (to_block(g->batch) <= most && !was_split) {
        g->rows[PHASE_TRAIN] = to_block(g->batch);
        return;
    }
    most = splits ? schedule_fit(p, s, room - s->parts) : 0;
    if (most == 0) {
        g->verdict = !s ? NO_SCHEDULE : splits ? NO_ROOM : NO_SPLIT;
        return;
    }
    g->parts = true;
    g->micro = was_split ? w->micro : smaller(even_part(g->batch, most), g->batch);
    g->rows[PHASE_TRAIN] = to_block(g->micro);
}

/* What is only measured does not depend on the batch, so a smaller one is taken silently. */
static void grant_forward(const struct plan *p, const struct target *t, enum phase ph, const struct wish *w,
                          int64_t room, struct grant *g)
{
    const struct schedule *s = plan_schedule(p, t, ph);
    int64_t batch = smaller(smaller(w->evaluation, w->samples[ph]), s ? schedule_fit(p, s, room) : 0);
    if (batch == 0) {
        g->tight = s;
        g->verdict = s ? NO_ROOM : NO_SCHEDULE;
    }
    g->evaluation = batch;
    g->rows[ph] = to_block(batch);
}

bool budget_grant(const struct plan *p, const struct target *t, const struct wish *w, int64_t room, struct grant *g)
{
    *g = (struct grant){.verdict = GRANTED, .evaluation = w->evaluation};
    room = sum(room, spared(p, w));
    if (w->samples[PHASE_TRAIN] > 0)
        grant_train(p, t, w, room, g);
    for (int ph = 0; ph < PHASE_COUNT && g->verdict == GRANTED; ph++)
        if (!phase_trains(ph) && w->samples[ph] > 0)
            grant_forward(p, t, ph, w, room, g);
    return g->verdict == GRANTED;
}

int64_t budget_least(const struct plan *p, const struct target *t, const struct wish *w)
{
    int64_t least = 0;
    if (w->samples[PHASE_TRAIN] > 0) {
        int64_t batch = smaller(w->batch > 0 ? w->batch : smaller(ROW_BLOCK, w->most), w->samples[PHASE_TRAIN]);
        const struct schedule *s = plan_schedule(p, t, PHASE_TRAIN);
        least = bytes_for(p, s, batch, false);
        if (may_split(p, s, w))
            least = smaller(least, bytes_for(p, s, 1, true));
    }
    for (int ph = 0; ph < PHASE_COUNT; ph++)
        if (!phase_trains(ph) && w->samples[ph] > 0)
            least = larger(least, bytes_for(p, plan_schedule(p, t, ph), 1, false));
    return least < INT64_MAX ? least - spared(p, w) : least;
}

int64_t budget_arena(const struct plan *p, const struct target *t, const struct grant *g)
{
    int64_t most = 0;
    for (int ph = 0; ph < PHASE_COUNT; ph++)
        if (g->rows[ph] > 0)
            most = larger(most, bytes_for(p, plan_schedule(p, t, ph), g->rows[ph], g->parts));
    return most < INT64_MAX ? most - arena_skip(p, g->rows) : most;
}

/* ---- words ---- */

/* The first kernel that reads a target makes the loss; what trains behind it is backward. */
static bool is_backward(const struct plan *p, const struct schedule *s, int step)
{
    for (int k = s->first_kernel; phase_trains(s->phase) && k < s->first_kernel + step; k++)
        for (int i = 0; i < p->kernel[k].nstage; i++)
            for (int j = 0; j < p->kernel[k].stage[i].nin; j++)
                if (p->tensor[p->kernel[k].stage[i].in[j]].role == ROLE_TARGET)
                    return true;
    return false;
}

/* Bytes a row of the workspace that lives at the peak. */
static int64_t row_workspace(const struct plan *p, const struct schedule *s)
{
    int t = plan_row_workspace(p, s->first_kernel + s->peak_step);
    return t < 0 ? 0 : p->tensor[t].bytes;
}

/* Bytes of the gradients of all parameters. */
static int64_t gradients(const struct plan *p, const struct schedule *s)
{
    int64_t bytes = 0;
    for (const struct tensor *t = p->tensor; t < p->tensor + p->ntensor; t++)
        if (t->schedule == s - p->schedule && !t->rows && t->base < 0 && t->role == ROLE_GRAD)
            bytes += (t->bytes + FIXED_ALIGN - 1) / FIXED_ALIGN * FIXED_ALIGN;
    return bytes;
}

static void put_peak(const struct plan *p, const struct schedule *s, int64_t rows, int64_t spare, int64_t beside,
                     FILE *out)
{
    const int64_t scratch = row_workspace(p, s), sums = gradients(p, s);
    const struct kernel *k = &p->kernel[s->first_kernel + s->peak_step];
    char layer[KERNEL_LAYER], values[32], fixed[32], persistent[32], others[32];
    kernel_layer(p, k, layer);
    fprintf(out, "   = note: peak is at %s%s", layer, is_backward(p, s, s->peak_step) ? " backward" : "");
    if (kernel_line(k))
        fprintf(out, " (line %d)", kernel_line(k));
    fprintf(out, ": activations %s", bytes_text(rows * (s->per_row - scratch), values, sizeof values));
    if (sums > 0)
        fprintf(out, ", gradients %s", bytes_text(sums, fixed, sizeof fixed));
    if (s->fixed - sums + rows * scratch > 0)
        fprintf(out, ", workspace %s", bytes_text(s->fixed - sums + rows * scratch, fixed, sizeof fixed));
    fprintf(out, ", parameters%s %s", spare ? "" : " and optimizer",
            bytes_text(p->persistent - spare, persistent, sizeof persistent));
    if (beside > 0)
        fprintf(out, ", context, kernels and data %s", bytes_text(beside, others, sizeof others));
    fprintf(out, "\n");
}

/* "image", "conv2 backward (conv_dx, line 13)", "workspace of fc1 (line 11)": a value by the layer that makes it. */
static void put_value(const struct plan *p, const struct schedule *s, const struct tensor *t, FILE *out)
{
    const struct kernel *k = &p->kernel[s->first_kernel + t->first];
    const struct stage *maker = NULL;
    char layer[KERNEL_LAYER];
    if (t->role == ROLE_INPUT || t->role == ROLE_TARGET) {
        fputs(t->name, out);
        return;
    }
    for (const struct stage *g = k->stage; g < k->stage + k->nstage; g++)
        for (int o = 0; o < g->nout; o++)
            maker = &p->tensor[g->out[o]] == t ? g : maker;
    kernel_layer(p, k, layer);
    fprintf(out, "%s%s%s (", t->role == ROLE_WORKSPACE ? "workspace of " : "", layer,
            is_backward(p, s, t->first) ? " backward" : "");
    if (maker)
        fprintf(out, "%s, ", maker->op->name);
    fprintf(out, "line %d)", maker && maker->line ? maker->line : kernel_line(k));
}

/* The largest values that live at the peak. */
static void put_largest(const struct plan *p, const struct schedule *s, FILE *out)
{
    const struct tensor *top[TOP + 1];
    int n = 0;
    for (const struct tensor *t = p->tensor; t < p->tensor + p->ntensor; t++) {
        if (t->schedule != s - p->schedule || !t->rows || t->base >= 0 || t->first > s->peak_step ||
            t->last <= s->peak_step)
            continue;
        int at = n;
        for (; at > 0 && top[at - 1]->bytes < t->bytes; at--)
            top[at] = top[at - 1];
        top[at] = t;
        n = n < TOP ? n + 1 : TOP;
    }
    for (int i = 0; i < n; i++) {
        char size[32];
        fputs(i ? ", " : "   = note: the largest values there, a sample: ", out);
        put_value(p, s, top[i], out);
        fprintf(out, " %s", bytes_text(top[i]->bytes, size, sizeof size));
    }
    if (n)
        fprintf(out, "\n");
}

/* The batch that fits, and the bytes for the one that is wanted. */
static void put_help(const struct plan *p, const struct target *t, const struct wish *w, const struct grant *g,
                     int64_t room, int64_t beside, FILE *out)
{
    struct wish other = *w;
    struct grant in_parts;
    char size[32];
    int64_t least = budget_least(p, t, w), block;
    other.split_statistics = true;
    bool splits = g->verdict == NO_SPLIT && budget_grant(p, t, &other, room, &in_parts);
    other = *w;
    other.batch = w->batch ? smaller(w->batch, ROW_BLOCK) : 0;
    block = budget_least(p, t, &other);
    fprintf(out, "   = help: ");
    if (g->would_fit > 0)
        fprintf(out, "the largest batch is %lld; ", (long long)g->would_fit);
    else if (block < least)
        fprintf(out, "not even %d samples fit: they need %lld bytes; ", ROW_BLOCK, (long long)sum(block, beside));
    else
        fprintf(out, "not even %d samples fit; ", ROW_BLOCK);
    if (splits)
        fprintf(out, "or, with netrun --allow-batch-stats-change, %lld as %lld x %lld; ", (long long)g->batch,
                (long long)((g->batch + in_parts.micro - 1) / in_parts.micro), (long long)in_parts.micro);
    if (least == INT64_MAX)
        fprintf(out, "no memory is large enough for this\n");
    else
        fprintf(out, "the least%s is %lld bytes (%s)\n", block < least ? " for this batch" : "",
                (long long)sum(least, beside), bytes_text(sum(least, beside), size, sizeof size));
}

/* "bn1.running_mean" is kept by layer bn1. */
static void put_statistics(const struct plan *p, const struct schedule *s, FILE *out)
{
    const struct stage *g = statistics(p, s);
    const char *name = p->tensor[g->in[0]].name, *dot = strrchr(name, '.');
    fprintf(out, "   = note: it cannot run in parts: `%.*s` (line %d) takes its statistics over the whole batch\n",
            (int)(dot ? dot - name : (long)strlen(name)), name, g->line);
}

void budget_refuse(const struct plan *p, const struct target *t, const struct wish *w, const struct grant *g,
                   int64_t room, int64_t beside, const char *program, const char *budget, FILE *out)
{
    if (g->verdict == NO_SCHEDULE) {
        fprintf(out, "%s: error[N0501]: the plan has no schedule for this on %s\n", program, t->name);
        return;
    }
    bool trains = g->tight->phase == PHASE_TRAIN;
    int64_t batch = trains ? g->batch : smaller(w->samples[g->tight->phase], ROW_BLOCK), rows = to_block(batch);
    int64_t spare = spared(p, w), arena = schedule_arena(p, g->tight, rows);
    char size[32];
    fprintf(out, "%s: error[%s]: %s %lld needs %s, the budget is %s\n", program,
            g->verdict == NO_SPLIT ? "N0502" : "N0501", trains ? "batch" : "a batch without training of",
            (long long)batch,
            arena < 0 ? "more than can be counted" : bytes_text(sum(arena - spare, beside), size, sizeof size), budget);
    if (arena >= 0) {
        put_peak(p, g->tight, rows, spare, beside, out);
        put_largest(p, g->tight, out);
    }
    if (g->verdict == NO_SPLIT)
        put_statistics(p, g->tight, out);
    put_help(p, t, w, g, room, beside, out);
}

const char *budget_split_text(const struct plan *p, const struct target *t, const struct grant *g, char *text,
                              size_t size)
{
    char need[32];
    const struct schedule *s = plan_schedule(p, t, PHASE_TRAIN);
    int64_t arena = bytes_for(p, s, g->batch, false);
    snprintf(text, size, "batch %lld runs as %lld x %lld, with %s: in one piece it needs %s", (long long)g->batch,
             (long long)((g->batch + g->micro - 1) / g->micro), (long long)g->micro,
             statistics(p, s) ? "statistics of each part" : "the same gradients",
             arena == INT64_MAX ? "more than can be counted" : bytes_text(arena, need, sizeof need));
    return text;
}
