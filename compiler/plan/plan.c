/* plan.c: looking things up in a plan. */
#include "op.h"
#include "plan_text.h"
#include "base/base.h"

#include <ctype.h>
#include <string.h>

const char *const dtype_word[DT_COUNT] = {
    [DT_F32] = "f32", [DT_U8] = "u8", [DT_I32] = "i32", [DT_U32] = "u32", [DT_F64] = "f64",
};
const char *const role_word[ROLE_COUNT] = {
    [ROLE_VALUE] = "value",         [ROLE_INPUT] = "input",       [ROLE_TARGET] = "target", [ROLE_PARAM] = "param",
    [ROLE_STATE] = "state",         [ROLE_GRAD] = "grad",         [ROLE_SLOT] = "slot",     [ROLE_CONTROL] = "control",
    [ROLE_WORKSPACE] = "workspace", [ROLE_RING] = "ring",         [ROLE_SUM] = "sum",       [ROLE_OUTPUT] = "output",
    [ROLE_LOGITS] = "logits",       [ROLE_ESTIMATE] = "estimate", [ROLE_TALLY] = "tally",   [ROLE_SCORES] = "scores",
};
const char *const init_word[INIT_COUNT] = {
    [INIT_ZERO] = "zero",
    [INIT_ONE] = "one",
    [INIT_UNIFORM] = "uniform",
    [INIT_CONSTANT] = "constant",
    [INIT_NORMAL] = "normal",
    [INIT_TRUNCATED] = "truncated",
    [INIT_ORTHOGONAL] = "orthogonal",
};
const char *const precision_word[PRECISION_COUNT] = {
    [PRECISION_FP32] = "fp32",
    [PRECISION_TF32] = "tf32",
    [PRECISION_BF16] = "bf16",
};
const char *const phase_word[PHASE_COUNT] = {
    [PHASE_TRAIN] = "train",
    [PHASE_EVALUATE] = "evaluate",
    [PHASE_PREDICT] = "predict",
};

static bool valid(const char *name, const char *others)
{
    size_t n = 0;
    for (; name[n]; n++)
        if (n == MAX_TENSOR_NAME ||
            !(isascii((unsigned char)name[n]) && (isalnum((unsigned char)name[n]) || strchr(others, name[n]))))
            return false;
    return n > 0;
}

bool plan_name_valid(const char *name)
{
    return valid(name, "_.:@+-");
}

bool plan_identifier_valid(const char *name)
{
    return valid(name, "_") && !isdigit((unsigned char)*name);
}

int op_attrs(const struct op *op)
{
    int n = 0;
    while (n < MAX_ATTRS && op->attr[n])
        n++;
    return n;
}

void plan_free(struct plan *p)
{
    if (p)
        region_free(p->region);
}

const struct setting *plan_setting(const struct plan *p, const char *key)
{
    for (int i = 0; i < p->nsetting; i++)
        if (!strcmp(p->setting[i].key, key))
            return &p->setting[i];
    return NULL;
}

double plan_number(const struct plan *p, const char *key, double otherwise)
{
    const struct setting *s = plan_setting(p, key);
    return s && s->n > 0 ? s->num[0] : otherwise;
}

int plan_find_tensor(const struct plan *p, int schedule, const char *name)
{
    for (int i = 0; i < p->ntensor; i++) {
        const struct tensor *t = &p->tensor[i];
        if ((t->schedule == schedule || t->schedule == -1) && !strcmp(t->name, name))
            return i;
    }
    return -1;
}

bool phase_trains(enum phase ph)
{
    return ph == PHASE_TRAIN;
}

const struct schedule *plan_schedule(const struct plan *p, const struct target *t, enum phase ph)
{
    for (int i = 0; i < p->nschedule; i++)
        if (p->schedule[i].target == target_schedules(t) && p->schedule[i].phase == ph)
            return &p->schedule[i];
    return NULL;
}

int plan_lone_variance(const struct plan *p, const struct target *t)
{
    const struct schedule *s = plan_schedule(p, t, PHASE_TRAIN);
    for (int k = s ? s->first_kernel : 0; s && k < s->last_kernel; k++)
        for (const struct stage *g = p->kernel[k].stage; g < p->kernel[k].stage + p->kernel[k].nstage; g++) {
            const struct tensor *x = &p->tensor[g->in[0]];
            if (g->op->spread && tensor_elements(x) == x->dim[0])
                return g->line;
        }
    return 0;
}

void control_give(uint32_t to[CTL_WORDS], const uint32_t from[CTL_WORDS])
{
    memcpy(to, from, CTL_LOSS * sizeof *to);
    memcpy(to + CTL_RESULTS_END, from + CTL_RESULTS_END, (CTL_WORDS - CTL_RESULTS_END) * sizeof *to);
}

const struct op *plan_optimizer(const struct plan *p)
{
    for (const struct kernel *k = p->kernel; k < p->kernel + p->nkernel; k++)
        for (const struct stage *s = k->stage; s < k->stage + k->nstage; s++)
            if (s->op->update && s->op->gate == GATE_STEP)
                return s->op;
    return NULL;
}

bool kernel_runs(const struct plan *p, int k, bool parts)
{
    return parts || p->kernel[k].stage[0].op->gate != GATE_PARTS; /* that of all its stages */
}

static bool is_scratch(const struct tensor *t, bool rows)
{
    return t->role == ROLE_WORKSPACE && t->rows == rows && t->dtype == DT_F32 && t->base < 0;
}

void plan_link(struct plan *p)
{
    for (int k = 0; k < p->nkernel; k++)
        p->kernel[k].scratch = NULL;
    for (const struct tensor *t = p->tensor; t < p->tensor + p->ntensor; t++) {
        if (!is_scratch(t, true) || t->schedule < 0 || t->last != t->first + 1)
            continue;
        const int64_t k = (int64_t)p->schedule[t->schedule].first_kernel + t->first;
        if (k < p->nkernel && p->kernel[k].schedule == t->schedule && !p->kernel[k].scratch)
            p->kernel[k].scratch = t;
    }
}

int plan_workspace(const struct plan *p, int schedule)
{
    for (int i = 0; i < p->ntensor; i++)
        if (p->tensor[i].schedule == schedule && is_scratch(&p->tensor[i], false))
            return i;
    return -1;
}

int plan_row_workspace(const struct plan *p, int kernel)
{
    const struct tensor *t = p->kernel[kernel].scratch;
    return t ? (int)(t - p->tensor) : -1;
}
