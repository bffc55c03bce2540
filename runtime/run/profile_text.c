/* profile_text.c: a profile as tables of at most 80 columns. */
#include "plan/op.h"
#include "profile.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SHOWN = 20, WIDE = 80, NAME = 31, LAYER = 20, CELL = 24 }; /* columns */

static const char *const phase_text[PHASE_COUNT] = {"training step", "batch of the test", "prediction"};

/* "-" for what is not known. */
static const char *number(double value, int digits, char text[CELL])
{
    if (isfinite(value))
        snprintf(text, CELL, "%.*f", value == 0 ? 0 : digits, value);
    else
        snprintf(text, CELL, "-");
    return text;
}

/* Milliards a second: enough digits to tell three apart. */
static const char *rate(double per_second, char text[CELL])
{
    const double giga = per_second / 1e9;
    return number(giga, giga < 10 ? 2 : giga < 100 ? 1 : 0, text);
}

static const char *share(const struct effort *e, char text[CELL])
{
    if (!isfinite(e->least) || e->seconds <= 0)
        return number(NAN, 0, text);
    snprintf(text, CELL, "%.0f %% %c", 100 * e->least / e->seconds, e->least_memory > e->least / 2 ? 'b' : 'a');
    return text;
}

static void put_time(const struct profile_phase *f, double seconds, FILE *out)
{
    fprintf(out, "%9.4f %6.1f", 1e3 * seconds, 100 * seconds / f->seconds);
}

static void put_line(int line, FILE *out)
{
    if (line > 0)
        fprintf(out, " %5d", line);
    else
        fprintf(out, "     -");
}

/* ---- kernels ---- */

static void put_effort(const struct profile_phase *f, const struct effort *e, FILE *out)
{
    char flops[CELL], bytes[CELL], of[CELL];
    put_time(f, e->seconds, out);
    fprintf(out, " %8s %6s %8s", rate(e->flops / e->seconds, flops), rate(e->bytes / e->seconds, bytes), share(e, of));
}

/* "20 conv2: conv_dx relu": its number in the schedule, its layer, its ops. */
static void kernel_text(const struct plan *p, const struct profile_kernel *k, char *text, size_t size)
{
    const struct kernel *of = &p->kernel[k->kernel];
    snprintf(text, size, "%d %s:", k->kernel - p->schedule[of->schedule].first_kernel, k->layer);
    for (int i = 0; i < of->nstage; i++)
        text_append(text, size, " %s", of->stage[i].op->name);
    text_cut(text, NAME);
}

static int slower(const void *a, const void *b)
{
    const struct profile_kernel *const *x = a, *const *y = b;
    const double u = (*x)->effort.seconds, v = (*y)->effort.seconds;
    return u == v ? (*x)->kernel - (*y)->kernel : u < v ? 1 : -1;
}

static void put_rest(const struct profile_phase *f, FILE *out)
{
    put_time(f, f->seconds - f->all.seconds, out);
}

static void put_kernels(const struct plan *p, const struct profile_phase *f, bool all, FILE *out)
{
    const struct profile_kernel **list = calloc((size_t)f->kernels + 1, sizeof *list);
    struct effort others = {0};
    int shown = all || f->kernels <= SHOWN + 1 ? f->kernels : SHOWN;
    char text[512];
    for (int i = 0; list && i < f->kernels; i++)
        list[i] = &f->kernel[i];
    if (list)
        qsort(list, (size_t)f->kernels, sizeof(struct profile_kernel *), slower);
    fprintf(out, "       ms      %%  GFLOP/s   GB/s  of peak  line  kernel\n");
    for (int i = 0; list && i < f->kernels; i++) {
        if (i >= shown) {
            others.seconds += list[i]->effort.seconds;
            continue;
        }
        kernel_text(p, list[i], text, sizeof text);
        put_effort(f, &list[i]->effort, out);
        put_line(list[i]->line, out);
        fprintf(out, "  %s\n", text);
    }
    if (shown < f->kernels) {
        put_time(f, others.seconds, out);
        fprintf(out, "%32s%d others (--verbose shows them)\n", "", f->kernels - shown);
    }
    put_rest(f, out);
    fprintf(out, "%32sbetween kernels\n", "");
    struct effort step = f->all;
    step.seconds = f->seconds;
    put_effort(f, &step, out);
    fprintf(out, "        %s\n", phase_text[f->phase]);
    free(list);
}

/* ---- layers ---- */

static int slower_layer(const void *a, const void *b)
{
    const struct profile_layer *const *x = a, *const *y = b;
    const double u = (*x)->effort.seconds, v = (*y)->effort.seconds;
    return u == v ? (*x > *y) - (*x < *y) : u < v ? 1 : -1;
}

static void put_layer(const struct profile_phase *f, const struct profile_layer *l, FILE *out)
{
    char text[KERNEL_LAYER], forward[CELL], backward[CELL], flops[CELL], of[CELL];
    const double *s = l->seconds;
    snprintf(text, sizeof text, "%s", l->name);
    text_cut(text, LAYER);
    put_time(f, l->effort.seconds, out);
    fprintf(out, " %8s %8s %8s %8s", number(s[STEP_FORWARD] > 0 ? 1e3 * s[STEP_FORWARD] : NAN, 4, forward),
            number(s[STEP_BACKWARD] > 0 ? 1e3 * s[STEP_BACKWARD] : NAN, 4, backward),
            rate(l->effort.flops / l->effort.seconds, flops), share(&l->effort, of));
    put_line(l->line, out);
    fprintf(out, "  %s\n", text);
}

static void put_layers(const struct profile_phase *f, bool all, FILE *out)
{
    const struct profile_layer **list = calloc((size_t)f->layers + 1, sizeof *list);
    int shown = all || f->layers <= SHOWN + 1 ? f->layers : SHOWN;
    double others = 0;
    for (int i = 0; list && i < f->layers; i++)
        list[i] = &f->layer[i];
    if (list)
        qsort(list, (size_t)f->layers, sizeof(struct profile_layer *), slower_layer);
    fprintf(out, "\n       ms      %%  forward backward  GFLOP/s  of peak  line  layer\n");
    for (int i = 0; list && i < f->layers; i++)
        if (i < shown)
            put_layer(f, list[i], out);
        else
            others += list[i]->effort.seconds;
    if (shown < f->layers) {
        put_time(f, others, out);
        fprintf(out, "%43s%d others\n", "", f->layers - shown);
    }
    put_rest(f, out);
    fprintf(out, "%43sbetween kernels\n", "");
    put_time(f, f->seconds, out);
    fprintf(out, "%43s%s\n", "", phase_text[f->phase]);
    free(list);
}

/* ---- all ---- */

static void put_peak(const struct job *j, const struct device_peak *p, FILE *out)
{
    char text[CELL], bytes[32];
    fprintf(out, "\na: arithmetic is the limit, b: bytes. Peaks of %s, measured just now:\n", j->device->name);
    fprintf(out, "%s GFLOP/s of multiply-adds; GB/s of triads a = b + x c\n",
            rate(p->flops > 0 ? p->flops : NAN, text));
    if (p->sizes == 0)
        return;
    fprintf(out, "  over");
    for (int i = 0; i < p->sizes; i++)
        fprintf(out, " %9s", bytes_text((int64_t)p->triad[i].bytes, bytes, sizeof bytes));
    fprintf(out, "\n  GB/s");
    for (int i = 0; i < p->sizes; i++)
        fprintf(out, " %9s", rate(p->triad[i].per_second, text));
    fputc('\n', out);
}

static void put_head(const struct job *j, const struct profile_phase *f, FILE *out)
{
    const struct device *d = j->device;
    char text[512];
    snprintf(text, sizeof text, "%s: %s of %lld samples on %s", j->plan->net, phase_text[f->phase], (long long)f->rows,
             d->name);
    if (d->threads > 0)
        text_append(text, sizeof text, " with %d thread%s", d->threads, d->threads > 1 ? "s" : "");
    text_cut(text, WIDE);
    fprintf(out, "%s\n", text);
    snprintf(text, sizeof text, "fastest of %lld (median %.4f ms); lines of %s", (long long)f->steps, 1e3 * f->median,
             j->plan->file);
    text_cut(text, WIDE);
    fprintf(out, "%s\n\n", text);
}

void profile_print(const struct job *j, const struct profile *p, bool all, FILE *out)
{
    for (int i = 0; i < p->phases; i++) {
        if (i > 0)
            fputc('\n', out);
        put_head(j, &p->phase[i], out);
        put_kernels(j->plan, &p->phase[i], all, out);
        put_layers(&p->phase[i], all, out);
    }
    put_peak(j, &p->peak, out);
}
