#include "look.h"
#include "plan/op.h"
#include "run.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK = 1 << 16 }; /* bytes of weights that are read at once */

/* ---- what there is ---- */

/* 0 only where all that it looks at is 0, apart from dropout, which leaves units 0 for some samples only. */
static bool keeps_zeros(const struct op *op)
{
    return op->kind == OP_WINDOW || strcmp(op->name, "dropout") == 0;
}

/* The stored tensor that shows stage `stage` of a kernel; -1: none does. */
static int shown_by(const struct plan *p, const struct kernel *k, int stage)
{
    int t = k->stage[stage].out[0];
    for (int i = stage + 1; i < k->nstage && !tensor_stored(&p->tensor[t]); i++)
        if (k->stage[i].nin > 0 && k->stage[i].in[0] == t && keeps_zeros(k->stage[i].op))
            t = k->stage[i].out[0];
    return tensor_stored(&p->tensor[t]) && p->tensor[t].rows && p->tensor[t].dtype == DT_F32 ? t : -1;
}

static bool add_relu(struct looking *l, const struct plan *p, int kernel, int stage)
{
    struct look_relu *r = &l->relu[l->relus];
    int t = shown_by(p, &p->kernel[kernel], stage);
    if (t < 0)
        return true;
    int64_t n = tensor_elements(&p->tensor[t]), units = p->tensor[t].rank > 1 ? p->tensor[t].dim[0] : n;
    *r = (struct look_relu){.kernel = kernel, .stage = stage, .tensor = t, .units = units, .places = n / units};
    r->was = calloc((size_t)units, 1);
    l->relus++;
    return r->was;
}

static bool find_stages(struct looking *l, const struct plan *p, const struct schedule *s)
{
    size_t n = 0;
    for (int k = s->first_kernel; k < s->last_kernel; k++)
        n += (size_t)p->kernel[k].nstage;
    l->relu = calloc(n + 1, sizeof *l->relu);
    bool good = l->relu;
    for (int k = s->first_kernel; good && k < s->last_kernel; k++)
        for (int i = 0; good && i < p->kernel[k].nstage; i++) {
            const struct stage *stage = &p->kernel[k].stage[i];
            if (strcmp(stage->op->name, "relu") == 0)
                good = add_relu(l, p, k, i);
            if (strcmp(stage->op->name, "xent") != 0 || !tensor_stored(&p->tensor[stage->in[0]]))
                continue;
            l->judge = k;
            l->logits = stage->in[0];
            l->target = stage->in[1];
        }
    return good;
}

/* Matrices and kernels; what is one number a channel is not told apart from its layer. */
static bool find_layers(struct looking *l, const struct plan *p, const struct schedule *s)
{
    l->layer = calloc((size_t)p->ntensor + 1, sizeof *l->layer);
    for (int t = 0; l->layer && t < p->ntensor; t++) {
        int g = p->tensor[t].role == ROLE_PARAM && p->tensor[t].rank > 1 && tensor_is_named(p, t)
                    ? tensor_gradient(p, s, t)
                    : -1;
        if (g >= 0)
            l->layer[l->layers++] = (struct look_layer){.parameter = t, .gradient = g};
    }
    return l->layer;
}

bool look_open(struct looking *l, struct job *j)
{
    const struct plan *p = j->plan;
    const struct schedule *s = plan_schedule(p, j->device->target, PHASE_TRAIN);
    int64_t most = CHUNK;
    *l = (struct looking){.job = j, .judge = -1};
    if (!s || !j->device->trace)
        return true;
    if (!find_stages(l, p, s) || !find_layers(l, p, s))
        return false;
    for (int i = 0; i < l->relus; i++)
        most = p->tensor[l->relu[i].tensor].bytes * ROW_BLOCK > most ? p->tensor[l->relu[i].tensor].bytes * ROW_BLOCK
                                                                     : most;
    if (l->judge >= 0 && p->tensor[l->logits].bytes * ROW_BLOCK > most)
        most = p->tensor[l->logits].bytes * ROW_BLOCK;
    l->room = malloc((size_t)most);
    look_begin(l);
    return l->room;
}

void look_close(struct looking *l)
{
    for (int i = 0; l->relu && i < l->relus; i++)
        free(l->relu[i].was);
    free(l->relu);
    free(l->layer);
    free(l->room);
    *l = (struct looking){0};
}

void look_begin(struct looking *l)
{
    for (int i = 0; i < l->relus; i++) {
        memset(l->relu[i].was, 0, (size_t)l->relu[i].units);
        l->relu[i].active = 0;
    }
    l->rows = 0;
    l->predicted = l->truth = -1;
}

int64_t look_from(const struct job *j)
{
    int64_t samples = j->data.train.count, before = samples > LOOK_SAMPLES ? samples - LOOK_SAMPLES : 0;
    return before / j->recipe.batch;
}

/* ---- the runs ---- */

/* The block of rows that begins with `row`. */
static const float *read_block(struct looking *l, int tensor, int64_t row)
{
    struct device *d = l->job->device;
    const struct tensor *t = &l->job->plan->tensor[tensor];
    int64_t bytes = row_elements(t) * dtype_bytes(t->dtype);
    return d->read(d, PHASE_TRAIN, tensor, row * bytes, l->room, bytes * ROW_BLOCK) ? (const float *)(void *)l->room
                                                                                    : NULL;
}

static int64_t rows_of(const struct looking *l)
{
    int64_t rows = l->control[CTL_ROWS];
    return rows < LOOK_ROWS ? rows : LOOK_ROWS;
}

static void see_row(struct look_relu *r, const struct tensor *t, const float *block, int64_t lane)
{
    for (int64_t unit = 0; unit < r->units; unit++)
        for (int64_t place = 0; place < r->places && !r->was[unit]; place++)
            if (block[element_place(t, lane, unit * r->places + place)] != 0) {
                r->was[unit] = 1;
                r->active++;
            }
}

static void see_relu(struct looking *l, struct look_relu *r)
{
    const struct tensor *t = &l->job->plan->tensor[r->tensor];
    int64_t rows = rows_of(l);
    for (int64_t row = 0; row < rows && r->active < r->units; row += ROW_BLOCK) {
        const float *block = read_block(l, r->tensor, row);
        for (int64_t lane = 0; block && lane < ROW_BLOCK && row + lane < rows; lane++)
            see_row(r, t, block, lane);
    }
}

static void see_class(int64_t *seen, int64_t class)
{
    *seen = *seen == -1 || *seen == class ? class : -2;
}

/* An update in between may make another class the one. */
static void forget_class(struct looking *l)
{
    if (l->predicted >= 0 && l->control[CTL_ROWS] >= LOOK_SAMPLES / 2)
        l->predicted = -1;
}

static void see_classes(struct looking *l)
{
    const struct tensor *logits = &l->job->plan->tensor[l->logits], *target = &l->job->plan->tensor[l->target];
    int64_t rows = rows_of(l), n = tensor_elements(logits);
    forget_class(l);
    for (int64_t row = 0; row < rows && (l->predicted != -2 || l->truth == -1); row += ROW_BLOCK) {
        const float *block = read_block(l, l->logits, row);
        for (int64_t lane = 0; block && lane < ROW_BLOCK && row + lane < rows; lane++) {
            int64_t best = 0;
            for (int64_t c = 1; c < n; c++)
                best = block[element_place(logits, lane, c)] > block[element_place(logits, lane, best)] ? c : best;
            see_class(&l->predicted, best);
        }
    }
    for (int64_t row = 0; row < rows && l->truth != -2; row += ROW_BLOCK) {
        const void *block = read_block(l, l->target, row);
        for (int64_t lane = 0; block && lane < ROW_BLOCK && row + lane < rows; lane++)
            see_class(&l->truth, ((const int32_t *)block)[element_place(target, lane, 0)]);
    }
}

static void traced(void *to, int kernel, double seconds)
{
    struct looking *l = to;
    (void)seconds;
    for (int i = 0; i < l->relus; i++)
        if (l->relu[i].kernel == kernel)
            see_relu(l, &l->relu[i]);
    if (l->judge == kernel)
        see_classes(l);
}

bool look_run(struct looking *l, uint32_t control[CTL_WORDS], struct device_error *e)
{
    struct device *d = l->job->device;
    l->control = control;
    l->rows += rows_of(l);
    return d->trace(d, PHASE_TRAIN, control, traced, l, e);
}

/* ---- gradients ---- */

static double root_mean_square(struct looking *l, int tensor)
{
    struct device *d = l->job->device;
    const int64_t n = tensor_elements(&l->job->plan->tensor[tensor]), most = CHUNK / (int64_t)sizeof(float);
    const float *value = (const float *)(void *)l->room;
    double sum = 0;
    for (int64_t at = 0, part; at < n; at += part) {
        part = n - at < most ? n - at : most;
        if (!d->read(d, PHASE_TRAIN, tensor, at * (int64_t)sizeof *value, l->room, part * (int64_t)sizeof *value))
            return 0;
        for (int64_t i = 0; i < part; i++)
            sum += (double)value[i] * value[i];
    }
    return sqrt(sum / (double)n);
}

void look_end(struct looking *l)
{
    for (struct look_layer *y = l->layer; y < l->layer + l->layers; y++) {
        y->weight = root_mean_square(l, y->parameter);
        y->slope = root_mean_square(l, y->gradient);
    }
}
