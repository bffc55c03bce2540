/* fault.c: the second, checked pass over a batch whose loss is not finite: which values were not, before all others. */
#include "fault.h"
#include "run.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK = 1 << 16 }; /* bytes that are read at once of what has no rows */

struct search {
    struct job *job;
    enum phase phase;
    const uint32_t *control;
    const struct data_split *split;
    struct fault *fault;
    char *room; /* for a block of rows of the largest tensor, and for CHUNK */
    bool over;
};

/* ---- values ---- */

static bool is_float(const struct tensor *t)
{
    return t->dtype == DT_F32 || t->dtype == DT_F64;
}

static bool bad_at(const struct tensor *t, const char *room, int64_t i)
{
    float single;
    double twice;
    if (t->dtype == DT_F64) {
        memcpy(&twice, room + i * (int64_t)sizeof twice, sizeof twice);
        return !isfinite(twice);
    }
    memcpy(&single, room + i * (int64_t)sizeof single, sizeof single);
    return !isfinite(single);
}

static bool bad_whole(struct search *s, int tensor)
{
    const struct tensor *t = &s->job->plan->tensor[tensor];
    struct device *d = s->job->device;
    int64_t size = dtype_bytes(t->dtype), n = tensor_elements(t), most = CHUNK / size;
    for (int64_t at = 0, part; at < n; at += part) {
        part = n - at < most ? n - at : most;
        if (!d->read(d, s->phase, tensor, at * size, s->room, part * size))
            return false;
        for (int64_t i = 0; i < part; i++)
            if (bad_at(t, s->room, i))
                return true;
    }
    return false;
}

/* Of a block of rows that lies in the room. */
static bool bad_row(const struct tensor *t, const char *room, int64_t lane)
{
    for (int64_t e = 0, n = tensor_elements(t); e < n; e++)
        if (bad_at(t, room, element_place(t, lane, e)))
            return true;
    return false;
}

/* Takes down the samples whose rows have such values; returns how many rows do. */
static int64_t bad_rows(struct search *s, int tensor)
{
    const struct tensor *t = &s->job->plan->tensor[tensor];
    struct device *d = s->job->device;
    struct fault *f = s->fault;
    const int64_t rows = s->control[CTL_ROWS], bytes = row_elements(t) * dtype_bytes(t->dtype);
    int64_t bad = 0;
    for (int64_t row = 0; row < rows; row++) {
        int64_t lane = row % ROW_BLOCK;
        if (lane == 0 && !d->read(d, s->phase, tensor, row * bytes, s->room, bytes * ROW_BLOCK))
            return bad;
        if (!bad_row(t, s->room, lane))
            continue;
        if (bad < FAULT_SAMPLES)
            f->sample[bad] = samples_of_row(s->split, s->control, row);
        bad++;
    }
    return bad;
}

/* ---- what it was ---- */

static void begin_text(struct search *s, int64_t line)
{
    const struct plan *p = s->job->plan;
    char text[LAYER_TEXT];
    s->fault->found.line = line;
    s->fault->found.layer = s->fault->layer;
    if (line > 0)
        text_append(s->fault->text, FAULT_TEXT, "%s:%lld: `%s`: ", p->file, (long long)line, layer_line(p, line, text));
}

/* "in 3 of 64 samples: 12, 40, 77 of FILE" */
static void add_samples(struct search *s, int64_t bad)
{
    struct fault *f = s->fault;
    const struct recipe *r = &s->job->recipe;
    int64_t rows = s->control[CTL_ROWS], listed = bad < FAULT_SAMPLES ? bad : FAULT_SAMPLES;
    const char *path = s->split->sample.path;
    f->found.bad = bad;
    f->found.samples = listed;
    f->found.sample = f->sample;
    if (bad == 0)
        return;
    if (bad == rows)
        text_append(f->text, FAULT_TEXT, ", in all %lld samples of the batch", (long long)rows);
    else
        text_append(f->text, FAULT_TEXT, ", in %lld of the %lld samples of the batch", (long long)bad, (long long)rows);
    if (s->phase == PHASE_TRAIN && r->micro > 0)
        text_append(f->text, FAULT_TEXT, "'s part %lld",
                    (long long)(s->control[CTL_POSITION] % r->batch / r->micro + 1));
    for (int64_t i = 0; i < listed; i++)
        text_append(f->text, FAULT_TEXT, "%s%lld", i ? ", " : ": ", (long long)f->sample[i]);
    text_append(f->text, FAULT_TEXT, "%s%s%s", bad > listed ? ", ..." : "", path ? " of " : "", path ? path : "");
}

/* Other layers of the kernel, of which only the last value lies in memory: " (or of ReLU behind conv1, ... )". */
static void add_layers(struct search *s, int kernel, int last)
{
    const struct plan *p = s->job->plan;
    char name[LAYER_TEXT], before[LAYER_TEXT];
    snprintf(before, sizeof before, "%s", s->fault->layer);
    int named = 0;
    for (int i = 1; i <= last; i++) {
        if (strcmp(layer_of_stage(p, kernel, i, name), before) == 0)
            continue;
        text_append(s->fault->text, FAULT_TEXT, "%s%s", named++ ? ", " : " (or of ", name);
        snprintf(before, sizeof before, "%s", name);
    }
    if (named)
        text_append(s->fault->text, FAULT_TEXT, ": the same kernel)");
}

static void found_in(struct search *s, int kernel, int stage, int tensor, int64_t bad)
{
    const struct plan *p = s->job->plan;
    struct fault *f = s->fault;
    const struct stage *first = &p->kernel[kernel].stage[0];
    bool data = p->tensor[tensor].role == ROLE_INPUT || p->tensor[tensor].role == ROLE_TARGET;
    bool loss = !data && first->nin > 1 && p->tensor[first->in[1]].role == ROLE_TARGET;
    f->found.kind = data ? "data" : loss ? "loss" : "forward";
    f->found.tensor = p->tensor[tensor].name;
    if (data) {
        int64_t line = layer_setting(p, "data.transform");
        snprintf(f->layer, sizeof f->layer, "%s", p->tensor[tensor].name);
        begin_text(s, line ? line : first->line);
        text_append(f->text, FAULT_TEXT, "the transforms make values of `%s` that are not finite", f->layer);
    } else if (loss) {
        layer_of_stage(p, kernel, 0, f->layer);
        begin_text(s, first->line);
        text_append(f->text, FAULT_TEXT, "what it is given is finite, what it makes of it is not");
    } else {
        layer_of_stage(p, kernel, 0, f->layer);
        begin_text(s, first->line);
        text_append(f->text, FAULT_TEXT, "the first values that are not finite come out of %s", f->layer);
        add_layers(s, kernel, stage);
    }
    add_samples(s, bad);
}

static void traced(void *to, int kernel, double seconds)
{
    struct search *s = to;
    const struct plan *p = s->job->plan;
    (void)seconds;
    for (int i = 0; i < p->kernel[kernel].nstage && !s->over; i++) {
        const struct stage *stage = &p->kernel[kernel].stage[i];
        for (int o = 0; o < stage->nout && !s->over; o++) {
            const struct tensor *t = &p->tensor[stage->out[o]];
            if (!tensor_stored(t) || !is_float(t))
                continue;
            int64_t bad = t->rows ? bad_rows(s, stage->out[o]) : 0;
            s->over = bad > 0 || (!t->rows && bad_whole(s, stage->out[o]));
            if (s->over)
                found_in(s, kernel, i, stage->out[o], bad);
        }
        s->over |= strcmp(stage->op->name, "report_loss") == 0; /* what comes behind it is no cause of it */
    }
}

/* ---- weights, before the run ---- */

/* Is the optimizer's state of a parameter not finite either? */
static bool bad_slot(struct search *s, const char *name)
{
    const struct plan *p = s->job->plan;
    size_t n = strlen(name);
    for (int t = 0; t < p->ntensor; t++) {
        size_t length = strlen(p->tensor[t].name);
        if (p->tensor[t].role == ROLE_SLOT && p->tensor[t].schedule < 0 && length > n &&
            p->tensor[t].name[length - n - 1] == '.' && strcmp(p->tensor[t].name + length - n, name) == 0 &&
            bad_whole(s, t))
            return true;
    }
    return false;
}

static void found_weights(struct search *s, int tensor, int others)
{
    const struct job *j = s->job;
    const struct tensor *t = &j->plan->tensor[tensor];
    struct fault *f = s->fault;
    f->weights = true;
    f->found.kind = "weights";
    f->found.tensor = t->name;
    layer_of_param(t->name, f->layer);
    begin_text(s, t->line);
    text_append(f->text, FAULT_TEXT, "%s", t->name);
    if (others > 0)
        text_append(f->text, FAULT_TEXT, " and %d more", others);
    text_append(f->text, FAULT_TEXT, " %s not finite", others > 0 ? "are" : "is");
    if (s->phase == PHASE_TRAIN && j->at.step > 0)
        text_append(f->text, FAULT_TEXT, ", since the update of step %lld in all at the latest: %s",
                    (long long)j->at.step,
                    bad_slot(s, t->name) ? "its gradient was not finite" : "that went further than floats reach");
}

/* The first of what is trained or kept, in the order of the layers. */
static void look_at_weights(struct search *s)
{
    const struct plan *p = s->job->plan;
    int first = -1, others = -1;
    for (int t = 0; t < p->ntensor; t++) {
        enum role role = p->tensor[t].role;
        if (!tensor_is_named(p, t) || role == ROLE_SLOT || (role == ROLE_STATE && s->phase == PHASE_TRAIN) ||
            !bad_whole(s, t))
            continue;
        first = first < 0 ? t : first;
        others++;
    }
    s->over = first >= 0;
    if (s->over)
        found_weights(s, first, others);
}

/* ---- the pass ---- */

static int64_t room_for(const struct plan *p, const struct schedule *s)
{
    int64_t most = CHUNK;
    for (const struct tensor *t = p->tensor; t < p->tensor + p->ntensor; t++)
        if (t->rows && t->schedule == (int)(s - p->schedule) && t->bytes * ROW_BLOCK > most)
            most = t->bytes * ROW_BLOCK;
    return most;
}

void fault_find(struct job *j, enum phase ph, const uint32_t control[CTL_WORDS], const struct data_split *split,
                struct fault *f)
{
    struct device *d = j->device;
    const struct schedule *schedule = plan_schedule(j->plan, d->target, ph);
    uint32_t again[CTL_WORDS];
    struct device_error e;
    *f = (struct fault){0};
    if (!schedule || !d->trace)
        return;
    struct search s = {.job = j, .phase = ph, .control = control, .split = split, .fault = f};
    s.room = malloc((size_t)room_for(j->plan, schedule));
    if (!s.room)
        return;
    memcpy(again, control, sizeof again);
    look_at_weights(&s);
    if (!s.over && !d->trace(d, ph, again, traced, &s, &e))
        f->text[0] = '\0';
    free(s.room);
    f->found.step = ph == PHASE_TRAIN ? j->at.step + 1 : 0;
}
