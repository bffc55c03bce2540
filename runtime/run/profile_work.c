/* profile_work.c: which kernels a phase runs, to which layer and part of the step each belongs, and what it has to do. */
#include "emit/emit.h"
#include "plan/op.h"
#include "profile.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *const step_part_word[STEP_PARTS] = {"forward", "backward", "update"};

/* ---- parts: forward is what the loss and the metrics depend on ---- */

static int root_of(const struct plan *p, int tensor)
{
    return p->tensor[tensor].base >= 0 ? p->tensor[tensor].base : tensor;
}

/* From the last kernel back; `used`: tensors that forward kernels behind this one read. */
static enum step_part part_of(const struct plan *p, const struct kernel *k, bool *used)
{
    bool forward = false;
    for (const struct stage *s = k->stage; s < k->stage + k->nstage; s++) {
        if ((s->op->update || s->op->gate == GATE_STEP) && s->op->gate != GATE_PARTS)
            return STEP_UPDATE;
        forward |= s->nout == 0;
        for (int o = 0; o < s->nout; o++)
            forward |= used[root_of(p, s->out[o])];
    }
    for (const struct stage *s = k->stage; forward && s < k->stage + k->nstage; s++)
        for (int i = 0; i < s->nin; i++)
            if (p->tensor[s->in[i]].rows)
                used[root_of(p, s->in[i])] = true;
    return forward ? STEP_FORWARD : STEP_BACKWARD;
}

static bool find_parts(const struct plan *p, struct profile_phase *f)
{
    bool *used = calloc((size_t)p->ntensor, sizeof *used);
    for (int i = f->kernels - 1; used && i >= 0; i--)
        f->kernel[i].part = phase_trains(f->phase) ? part_of(p, &p->kernel[f->kernel[i].kernel], used) : STEP_FORWARD;
    free(used);
    return used;
}

/* ---- what is to be done ---- */

/* A gather reads the data set, which is no tensor. */
static double gathered(const struct job *j, const struct kernel *k, const struct device_data *data)
{
    double bytes = 0;
    for (const struct stage *s = k->stage; s < k->stage + k->nstage; s++)
        for (int o = 0; o < s->nout; o++) {
            const enum role role = j->plan->tensor[s->out[o]].role;
            bytes += role == ROLE_INPUT ? (double)data->sample_bytes : 0;
            bytes += role == ROLE_TARGET ? (double)data->target_bytes : 0;
        }
    return bytes;
}

/* Of a step: an update happens once, all else as often as there are runs. */
static struct effort effort_of(const struct job *j, const struct profile_phase *f, int kernel)
{
    const struct data_split *split = f->phase == PHASE_TRAIN ? &j->data.train : choose_split(j);
    const struct device_data data = samples_of(split);
    const struct kernel *k = &j->plan->kernel[kernel];
    struct emit_work w;
    emit_work(j->plan, kernel, &w);
    const double rows = (double)f->rows, runs = k->stage->op->gate == GATE_STEP ? 1 : (double)f->runs;
    return (struct effort){
        .flops = w.known ? rows * w.flops + runs * w.fixed_flops : NAN,
        .bytes = rows * (w.bytes + gathered(j, k, &data)) + runs * w.fixed_bytes,
    };
}

static bool find_layers(struct profile_phase *f)
{
    f->layer = calloc((size_t)f->kernels + 1, sizeof *f->layer);
    for (int i = 0; f->layer && i < f->kernels; i++) {
        const struct profile_kernel *k = &f->kernel[i];
        int at = 0;
        while (at < f->layers && strcmp(f->layer[at].name, k->layer) != 0)
            at++;
        if (at == f->layers)
            f->layer[f->layers++] = (struct profile_layer){.name = k->layer, .line = k->line};
    }
    return f->layer;
}

bool profile_kernels(const struct job *j, struct profile_phase *f)
{
    const struct plan *p = j->plan;
    const struct schedule *s = plan_schedule(p, j->device->target, f->phase);
    f->kernel = calloc((size_t)(s->last_kernel - s->first_kernel) + 1, sizeof *f->kernel);
    for (int k = s->first_kernel; f->kernel && k < s->last_kernel; k++) {
        struct profile_kernel *to = &f->kernel[f->kernels];
        if (!kernel_runs(p, k, j->rows.parts && f->phase == PHASE_TRAIN))
            continue;
        *to = (struct profile_kernel){.kernel = k, .name = p->kernel[k].name, .line = kernel_line(&p->kernel[k])};
        kernel_layer(p, &p->kernel[k], to->layer);
        to->effort = effort_of(j, f, k);
        f->kernels++;
    }
    return f->kernel && find_parts(p, f) && find_layers(f);
}

/* ---- peaks ---- */

/* Bytes a second of a triad over so many bytes: between two that were measured, on a line over the logarithm. No triad counts as slower
 * than a larger one: the smallest have little to share out. 0: not known. */
static double rate_of(const struct device_peak *peak, double bytes)
{
    double rate[PEAK_SIZES] = {0};
    for (int i = peak->sizes - 1; i >= 0; i--)
        rate[i] = i + 1 < peak->sizes ? fmax(rate[i + 1], peak->triad[i].per_second) : peak->triad[i].per_second;
    for (int i = 0; i < peak->sizes; i++) {
        const double to = peak->triad[i].bytes, from = i ? peak->triad[i - 1].bytes : to;
        if (bytes <= to && i > 0)
            return rate[i - 1] + (rate[i] - rate[i - 1]) * log(bytes / from) / log(to / from);
        if (bytes <= to)
            return rate[0];
    }
    return peak->sizes ? rate[peak->sizes - 1] : 0;
}

static void find_least(const struct device_peak *peak, int64_t runs, struct effort *e)
{
    const double rate = rate_of(peak, e->bytes / (double)runs), arithmetic = e->flops / peak->flops;
    if (isnan(e->flops) || peak->flops <= 0 || rate <= 0) {
        e->least = e->least_memory = NAN;
        return;
    }
    e->least = fmax(arithmetic, e->bytes / rate);
    e->least_memory = e->bytes / rate > arithmetic ? e->least : 0;
}

static void add(struct effort *to, const struct effort *e)
{
    to->seconds += e->seconds;
    to->flops += e->flops;
    to->bytes += e->bytes;
    to->least += e->least;
    to->least_memory += e->least_memory;
}

void profile_compare(const struct device_peak *peak, struct profile_phase *f)
{
    for (int i = 0; i < f->kernels; i++) {
        struct profile_kernel *k = &f->kernel[i];
        struct profile_layer *l = f->layer;
        while (strcmp(l->name, k->layer) != 0)
            l++;
        find_least(peak, f->runs, &k->effort);
        l->seconds[k->part] += k->effort.seconds;
        add(&l->effort, &k->effort);
        add(&f->all, &k->effort);
    }
}
