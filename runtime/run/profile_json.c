/* profile_json.c: a profile for programs. */
#include "plan/op.h"
#include "plan/plan_text.h"
#include "profile.h"

#include <math.h>

enum { SCHEMA = 1 };

static void put(json_t *to, const char *key, double value)
{
    json_object_set_new(to, key, isfinite(value) ? json_real(value) : json_null());
}

static const char *limit_of(const struct effort *e)
{
    return !isfinite(e->least) ? NULL : e->least_memory > e->least / 2 ? "bytes" : "arithmetic";
}

static void put_effort(json_t *to, const struct profile_phase *f, const struct effort *e)
{
    const char *limit = limit_of(e);
    put(to, "seconds", e->seconds);
    put(to, "share", e->seconds / f->seconds);
    put(to, "flops", e->flops);
    put(to, "bytes", e->bytes);
    put(to, "flops_per_second", e->flops / e->seconds);
    put(to, "bytes_per_second", e->bytes / e->seconds);
    put(to, "of_peak", e->least / e->seconds);
    json_object_set_new(to, "limit", limit ? json_string(limit) : json_null());
}

static void put_line(json_t *to, int line)
{
    json_object_set_new(to, "line", line > 0 ? json_integer(line) : json_null());
}

static json_t *kernel_json(const struct plan *p, const struct profile_phase *f, const struct profile_kernel *k)
{
    const struct kernel *of = &p->kernel[k->kernel];
    json_t *to = json_object(), *ops = json_array();
    json_object_set_new(to, "kernel", json_string(k->name));
    json_object_set_new(to, "step", json_integer(k->kernel - p->schedule[of->schedule].first_kernel));
    json_object_set_new(to, "layer", json_string(k->layer));
    json_object_set_new(to, "part", json_string(step_part_word[k->part]));
    put_line(to, k->line);
    for (int i = 0; i < of->nstage; i++) {
        json_t *op = json_object();
        json_object_set_new(op, "op", json_string(of->stage[i].op->name));
        put_line(op, of->stage[i].line);
        json_array_append_new(ops, op);
    }
    json_object_set_new(to, "ops", ops);
    put_effort(to, f, &k->effort);
    return to;
}

static json_t *layer_json(const struct profile_phase *f, const struct profile_layer *l)
{
    json_t *to = json_object();
    char key[32];
    json_object_set_new(to, "layer", json_string(l->name));
    put_line(to, l->line);
    for (int part = 0; part < STEP_PARTS; part++) {
        snprintf(key, sizeof key, "%s_seconds", step_part_word[part]);
        put(to, key, l->seconds[part]);
    }
    put_effort(to, f, &l->effort);
    return to;
}

static json_t *phase_json(const struct plan *p, const struct profile_phase *f)
{
    json_t *to = json_object(), *kernels = json_array(), *layers = json_array();
    struct effort step = f->all;
    step.seconds = f->seconds;
    json_object_set_new(to, "phase", json_string(phase_word[f->phase]));
    json_object_set_new(to, "rows", json_integer((json_int_t)f->rows));
    json_object_set_new(to, "runs", json_integer((json_int_t)f->runs));
    json_object_set_new(to, "steps", json_integer((json_int_t)f->steps));
    put_effort(to, f, &step);
    put(to, "median_seconds", f->median);
    put(to, "kernel_seconds", f->all.seconds);
    put(to, "between_seconds", f->seconds - f->all.seconds);
    for (int i = 0; i < f->kernels; i++)
        json_array_append_new(kernels, kernel_json(p, f, &f->kernel[i]));
    for (int i = 0; i < f->layers; i++)
        json_array_append_new(layers, layer_json(f, &f->layer[i]));
    json_object_set_new(to, "kernels", kernels);
    json_object_set_new(to, "layers", layers);
    return to;
}

static json_t *peak_json(const struct device_peak *peak)
{
    json_t *to = json_object(), *triad = json_array();
    put(to, "flops_per_second", peak->flops > 0 ? peak->flops : NAN);
    for (int i = 0; i < peak->sizes; i++) {
        json_t *one = json_object();
        json_object_set_new(one, "bytes", json_integer((json_int_t)peak->triad[i].bytes));
        put(one, "bytes_per_second", peak->triad[i].per_second);
        json_array_append_new(triad, one);
    }
    json_object_set_new(to, "triad", triad);
    return to;
}

json_t *profile_json(const struct job *j, const struct profile *p)
{
    const struct device *d = j->device;
    json_t *to = json_object(), *phases = json_array();
    json_object_set_new(to, "schema", json_integer(SCHEMA));
    json_object_set_new(to, "version", json_string(PROJECT_VERSION));
    json_object_set_new(to, "net", json_string(j->plan->net));
    json_object_set_new(to, "file", json_string(j->plan->file));
    json_object_set_new(to, "device", json_string(d->name));
    json_object_set_new(to, "gpu", d->gpu ? json_string(d->gpu) : json_null());
    json_object_set_new(to, "threads", json_integer(d->threads));
    json_object_set_new(to, "peak", peak_json(&p->peak));
    for (int i = 0; i < p->phases; i++)
        json_array_append_new(phases, phase_json(j->plan, &p->phase[i]));
    json_object_set_new(to, "phases", phases);
    return to;
}

/* ---- CSV ---- */

static void put_cell(double value, FILE *out)
{
    if (isfinite(value))
        fprintf(out, ",%.9g", value);
    else
        fputc(',', out);
}

static void put_row(const struct profile_phase *f, const struct effort *e, FILE *out)
{
    const char *limit = limit_of(e);
    put_cell(e->seconds, out);
    put_cell(e->seconds / f->seconds, out);
    put_cell(e->flops, out);
    put_cell(e->bytes, out);
    put_cell(e->flops / e->seconds, out);
    put_cell(e->bytes / e->seconds, out);
    put_cell(e->least / e->seconds, out);
    fprintf(out, ",%s\n", limit ? limit : "");
}

/* Names are of letters, digits, _ and dots: nothing to quote. */
void profile_csv(const struct job *j, const struct profile *p, FILE *out)
{
    fprintf(out,
            "phase,step,kernel,layer,part,line,ops,seconds,share,flops,bytes,flops_per_second,bytes_per_second,of_peak,"
            "limit\n");
    for (int i = 0; i < p->phases; i++) {
        const struct profile_phase *f = &p->phase[i];
        for (int n = 0; n < f->kernels; n++) {
            const struct profile_kernel *k = &f->kernel[n];
            const struct kernel *of = &j->plan->kernel[k->kernel];
            fprintf(out, "%s,%d,%s,%s,%s,", phase_word[f->phase],
                    k->kernel - j->plan->schedule[of->schedule].first_kernel, k->name, k->layer,
                    step_part_word[k->part]);
            if (k->line > 0)
                fprintf(out, "%d", k->line);
            for (int s = 0; s < of->nstage; s++)
                fprintf(out, "%s%s", s ? " " : ",", of->stage[s].op->name);
            put_row(f, &k->effort, out);
        }
        const struct effort between = {f->seconds - f->all.seconds, NAN, NAN, NAN, NAN};
        fprintf(out, "%s,,,,between,,", phase_word[f->phase]);
        put_row(f, &between, out);
    }
}
