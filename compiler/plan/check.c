/* check.c: does every stage agree with the shapes, types and layouts of its operands, and can the emitter write the
 * kernel? Emitted code indexes by these shapes: what passes here stays within the bytes that the judge has weighed. */
#include "op.h"
#include "plan_text.h"
#include "base/base.h"

#include <stdlib.h>
#include <string.h>

static bool refuse(struct plan_error *e, const struct kernel *k, const char *what)
{
    snprintf(e->text, sizeof e->text, "kernel %.200s: %s", k->name, what);
    e->line = 0;
    return false;
}

static bool is(const struct stage *s, const char *op)
{
    return !strcmp(s->op->name, op);
}

static bool is_report(const struct stage *s)
{
    return s->op->form == FORM_REPORT;
}

/* Ops that maps may follow in one kernel: their results are variables there. */
static bool is_tile(const struct stage *s)
{
    return s->op->form == FORM_TILE;
}

static bool is_pool(const struct stage *s)
{
    return s->op->form == FORM_POOL;
}

/* Ops that leave out writing a result without a place; all others need one for each. */
static bool may_drop_results(const struct stage *s)
{
    return s->op->kind == OP_MAP || is_tile(s) || is_pool(s) || s->op->optional;
}

static const struct tensor *base_of(const struct plan *p, const struct tensor *t)
{
    return t->base < 0 ? t : &p->tensor[t->base];
}

static bool same_bytes(const struct plan *p, const struct tensor *a, const struct tensor *b)
{
    int64_t at = a->base < 0 ? 0 : a->at, bt = b->base < 0 ? 0 : b->at;
    return base_of(p, a) == base_of(p, b) && at == bt;
}

/* `workspace`: floats of scratch that the schedule has. */
static bool check_stage(const struct plan *p, const struct kernel *k, const struct stage *s, int64_t workspace,
                        struct plan_error *e)
{
    const struct tensor *in[MAX_OPERANDS];
    struct tensor out[MAX_OPERANDS];
    memset(out, 0, sizeof out);
    if (s->op->kind == OP_VIEW)
        return refuse(e, k, "a view needs no kernel");
    for (int i = 0; i < s->nin; i++)
        in[i] = &p->tensor[s->in[i]];
    for (int i = 0; i < s->nin + s->nout; i++) {
        enum role role = p->tensor[i < s->nin ? s->in[i] : s->out[i - s->nin]].role;
        if (role == ROLE_WORKSPACE || role == ROLE_RING)
            return refuse(e, k, "a stage names a workspace or a ring");
    }
    if (!s->op->shape(s->attr, in, s->nin, out, s->nout))
        return refuse(e, k, "a stage does not accept its operands");
    const struct tensor *made[MAX_OPERANDS];
    for (int o = 0; o < s->nout; o++)
        made[o] = &out[o];
    const struct target *target = p->schedule[k->schedule].target;
    if (op_scratch(s->op, target, false, s->attr, in, made) > workspace)
        return refuse(e, k, "the workspace is too small");
    int64_t row_scratch = op_scratch(s->op, target, true, s->attr, in, made);
    int rows = row_scratch ? plan_row_workspace(p, (int)(k - p->kernel)) : -1;
    if (row_scratch && (s != k->stage || rows < 0 || tensor_elements(&p->tensor[rows]) < row_scratch))
        return refuse(e, k, "the workspace of its rows is too small");
    for (int o = 0; o < s->nout; o++) {
        const struct tensor *t = &p->tensor[s->out[o]];
        if (!same_shape(t, &out[o]) || t->dtype != out[o].dtype || (t->rows && t->layout != out[o].layout))
            return refuse(e, k, "a stage makes another shape, type or layout than its result has");
        if (base_of(p, t)->role == ROLE_CONTROL || (!s->op->update && base_of(p, t)->schedule < 0))
            return refuse(e, k, "a stage overwrites what persists");
        if (s->op->update && !same_bytes(p, t, in[o]))
            return refuse(e, k, "an update does not write over its operand");
        if (!tensor_stored(t) && !may_drop_results(s))
            return refuse(e, k, "a result without a place");
    }
    return true;
}

/* Index of the stage of the kernel that makes the tensor, -1: it comes from outside. */
static int made_in(const struct kernel *k, int tensor)
{
    for (int i = 0; i < k->nstage; i++)
        for (int o = 0; o < k->stage[i].nout; o++)
            if (k->stage[i].out[o] == tensor)
                return i;
    return -1;
}

/* What a kernel makes is a variable in it: declared once, before it is read, and read by maps and the window of a tile
 * only. Behind a window (-1: none) the variables before it are out of scope. */
static bool check_variables(const struct plan *p, const struct kernel *k, int window, struct plan_error *e)
{
    bool variables = k->stage->op->kind == OP_MAP || is_tile(k->stage) || is_pool(k->stage);
    for (int i = 0; i < k->nstage; i++) {
        const struct stage *s = &k->stage[i];
        for (int o = 0; o < s->nout; o++)
            if (made_in(k, s->out[o]) != i)
                return refuse(e, k, "a tensor is made twice");
        for (int j = 0; j < s->nin; j++) {
            int made = made_in(k, s->in[j]);
            if (made < 0 ? !tensor_stored(&p->tensor[s->in[j]]) : made >= i || !variables)
                return refuse(e, k, "a stage reads what was not made before it in the kernel");
            if (made >= 0 && i > window && made < window)
                return refuse(e, k, "a stage reads a value from before the window");
        }
    }
    return true;
}

static bool is_scatter(const struct stage *s)
{
    return s->op->form == FORM_SCATTER;
}

/* Can this window (or the gradient of one) stand behind the stages of a convolution before it? */
static bool window_fits(const struct plan *p, const struct kernel *k, const struct stage *window,
                        const struct tensor *domain)
{
    if (domain->rank != 3 || made_in(k, window->in[0]) < 0 || !same_shape(&p->tensor[window->in[0]], domain))
        return false;
    if (is_scatter(window))
        return window == k->stage + k->nstage - 1 && window->op->fits_tile(window->attr, domain) &&
               tensor_stored(&p->tensor[window->out[0]]);
    return is_pool(window) && window->op->fits_tile(window->attr, domain);
}

/* The forms of fuse.c: [anchor] maps [window] maps, [anchor] maps [gradient of a window], or reports. */
static bool check_form(const struct plan *p, const struct kernel *k, struct plan_error *e)
{
    const struct stage *s = k->stage;
    bool maps = s->op->kind == OP_MAP || is_tile(s) || is_pool(s);
    const struct tensor *domain = s->nout ? &p->tensor[s->out[0]] : NULL;
    int window = -1;
    for (int i = 1; i < k->nstage; i++) {
        const struct stage *t = &k->stage[i];
        if (is_report(s) && is_report(t))
            continue;
        if (t->op->kind == OP_MAP && maps && t->op->update == s->op->update && t->op->gate == s->op->gate &&
            same_shape(&p->tensor[t->out[0]], domain))
            continue;
        if (!is_tile(s) || window >= 0 || !window_fits(p, k, t, domain))
            return refuse(e, k, "its stages are no tile that can be written");
        window = i;
        domain = &p->tensor[t->out[0]];
    }
    return check_variables(p, k, window, e);
}

/* The control block has room for its numbers. */
static bool check_optimizer(const struct plan *p, struct plan_error *e)
{
    const char *list[CTL_NUMBERS];
    for (const struct kernel *k = p->kernel; k < p->kernel + p->nkernel; k++)
        for (const struct stage *s = k->stage; s < k->stage + k->nstage; s++)
            if (s->op->gate == GATE_STEP && k->nstage > 1)
                return refuse(e, k, "an update of the optimizer stands alone in its kernel");
    struct region *r = region_new();
    const int n = plan_numbers(p, r, list);
    region_free(r);
    if (n <= CTL_NUMBERS)
        return true;
    snprintf(e->text, sizeof e->text, "the optimizer has %d numbers, and the control block room for %d", n,
             CTL_NUMBERS);
    return false;
}

/* Samples of the data set have one size, and so have targets: the host takes them from the first tensor of that role. */
static bool check_data(const struct plan *p, struct plan_error *e)
{
    const struct tensor *first[ROLE_COUNT] = {NULL};
    for (const struct tensor *t = p->tensor; t < p->tensor + p->ntensor; t++) {
        if (t->role != ROLE_INPUT && t->role != ROLE_TARGET)
            continue;
        if (!first[t->role])
            first[t->role] = t;
        if (tensor_elements(t) != tensor_elements(first[t->role]) || t->dtype != first[t->role]->dtype || !t->rows) {
            snprintf(e->text, sizeof e->text, "tensor %.200s: not the size and type of sample that %.200s has", t->name,
                     first[t->role]->name);
            return false;
        }
        if (tensor_elements(t) > MAX_SIDE) {
            snprintf(e->text, sizeof e->text, "tensor %.200s: more than %d values of a sample", t->name, MAX_SIDE);
            return false;
        }
    }
    for (const struct kernel *k = p->kernel; k < p->kernel + p->nkernel; k++)
        for (const struct stage *s = k->stage; s < k->stage + k->nstage; s++)
            if ((is(s, "gather") && p->tensor[s->out[0]].role != ROLE_INPUT) ||
                (is(s, "gather_target") && p->tensor[s->out[0]].role != ROLE_TARGET))
                return refuse(e, k, "samples go where no input or target is");
            else if (is(s, "mix_target") && (p->schedule[k->schedule].phase != PHASE_TRAIN || !first[ROLE_TARGET] ||
                                             first[ROLE_TARGET]->dtype != DT_I32))
                return refuse(e, k, "classes are mixed where there are none");
    return true;
}

/* What people are shown as an answer is one, and has as many values as the target beside it. */
static bool check_outputs(const struct plan *p, struct plan_error *e)
{
    const struct tensor *target = NULL;
    for (const struct tensor *t = p->tensor; t < p->tensor + p->ntensor; t++)
        if (t->role == ROLE_TARGET)
            target = t;
    for (const struct tensor *t = p->tensor; t < p->tensor + p->ntensor; t++) {
        if (!role_is_output(t->role))
            continue;
        bool right = row_by_row(t) && t->dtype == DT_F32 && t->schedule >= 0 &&
                     p->schedule[t->schedule].phase == PHASE_PREDICT &&
                     !strncmp(t->name, OUTPUT_PREFIX, strlen(OUTPUT_PREFIX));
        if (t->role != ROLE_OUTPUT)
            right = right && target && (target->dtype == DT_F32 || t->role == ROLE_LOGITS);
        if (right && t->role != ROLE_OUTPUT && target->dtype == DT_F32) /* values, or probabilities of classes */
            right = tensor_elements(t) == tensor_elements(target);
        if (!right) {
            snprintf(e->text, sizeof e->text, "tensor %.200s: no output, or not one for the target", t->name);
            return false;
        }
    }
    return true;
}

/* What the host makes metrics of: sums that persist, and values of each sample with a class, once a phase that evaluates. */
static bool check_measured(const struct plan *p, struct plan_error *e)
{
    const struct tensor *target = NULL, *scores[MOST_SCHEDULES] = {NULL};
    for (const struct tensor *t = p->tensor; t < p->tensor + p->ntensor; t++)
        if (t->role == ROLE_TARGET)
            target = t;
    for (const struct tensor *t = p->tensor; t < p->tensor + p->ntensor; t++) {
        bool right = true;
        if (t->role == ROLE_TALLY && t->base < 0)
            right = !t->rows && t->dtype == DT_F64 && t->rank == 1 && t->schedule < 0;
        if (t->role == ROLE_SCORES) {
            right = row_by_row(t) && t->dtype == DT_F32 && t->rank == 1 && tensor_stored(t) && t->schedule >= 0 &&
                    p->schedule[t->schedule].phase == PHASE_EVALUATE && !scores[t->schedule] && target &&
                    target->dtype == DT_I32 && target->rank == 0;
            if (right)
                scores[t->schedule] = t;
        }
        if (!right) {
            snprintf(e->text, sizeof e->text, "tensor %.200s: nothing that metrics are made of", t->name);
            return false;
        }
    }
    return true;
}

static int by_name(const void *a, const void *b)
{
    return strcmp((*(const struct kernel *const *)a)->name, (*(const struct kernel *const *)b)->name);
}

/* Kernels are functions of one C file. */
static bool check_names(const struct plan *p, struct plan_error *e)
{
    const struct kernel **sorted = calloc((size_t)p->nkernel + 1, sizeof *sorted);
    bool good = sorted;
    if (!good)
        snprintf(e->text, sizeof e->text, "no memory to check the plan");
    for (int i = 0; good && i < p->nkernel; i++)
        sorted[i] = &p->kernel[i];
    if (good)
        qsort(sorted, (size_t)p->nkernel, sizeof *sorted, by_name);
    for (int i = 1; good && i < p->nkernel; i++)
        if (!strcmp(sorted[i - 1]->name, sorted[i]->name))
            good = refuse(e, sorted[i], "another kernel has the same name");
    free(sorted);
    return good;
}

bool plan_check(const struct plan *p, struct plan_error *e)
{
    int64_t workspace[MOST_SCHEDULES] = {0};
    e->line = 0;
    for (int i = 0; i < p->nschedule; i++) {
        int t = plan_workspace(p, i);
        workspace[i] = t < 0 ? 0 : tensor_elements(&p->tensor[t]);
    }
    for (const struct kernel *k = p->kernel; k < p->kernel + p->nkernel; k++) {
        if (k->nstage < 1)
            return refuse(e, k, "no stage");
        for (const struct stage *s = k->stage; s < k->stage + k->nstage; s++)
            if (!check_stage(p, k, s, workspace[k->schedule], e))
                return false;
        if (!check_form(p, k, e))
            return false;
    }
    return check_optimizer(p, e) && check_data(p, e) && check_outputs(p, e) && check_measured(p, e) &&
           check_names(p, e);
}
