/* check.c: does every stage agree with the shapes, types and layouts of its operands, and can the emitter write the
 * kernel? Emitted code indexes by these shapes: what passes here stays within the bytes that the judge has weighed. */
#include "netc.h"

#include <stdarg.h>
#include <string.h>

static bool refuse(struct plan_error *e, const struct kernel *k, const char *what)
{
    snprintf(e->text, sizeof e->text, "kernel %.200s: %s", k->name, what);
    e->line = 0;
    return false;
}

static bool check_stage(const struct plan *p, const struct kernel *k, const struct stage *s, struct plan_error *e)
{
    const struct tensor *in[MAX_OPERANDS];
    struct tensor out[MAX_OPERANDS];
    memset(out, 0, sizeof out);
    if (s->op->kind == OP_VIEW)
        return refuse(e, k, "a view needs no kernel");
    for (int i = 0; i < s->nin; i++)
        in[i] = &p->tensor[s->in[i]];
    if (!s->op->shape(s->attr, in, s->nin, out, s->nout))
        return refuse(e, k, "a stage does not accept its operands");
    for (int o = 0; o < s->nout; o++) {
        const struct tensor *t = &p->tensor[s->out[o]];
        if (!same_shape(t, &out[o]) || t->dtype != out[o].dtype || (t->rows && t->layout != out[o].layout))
            return refuse(e, k, "a stage makes another shape, type or layout than its result has");
        if (t->role == ROLE_CONTROL || (!s->op->update && t->schedule < 0))
            return refuse(e, k, "a stage overwrites what persists");
    }
    return true;
}

static bool made_in(const struct kernel *k, int tensor, int before)
{
    for (int i = 0; i < before; i++)
        for (int o = 0; o < k->stage[i].nout; o++)
            if (k->stage[i].out[o] == tensor)
                return true;
    return false;
}

/* The forms of fuse.c: [anchor] maps [window] maps, or reports. */
static bool check_form(const struct plan *p, const struct kernel *k, struct plan_error *e)
{
    const struct stage *s = k->stage;
    bool report = !strncmp(s->op->name, "report_", 7), map = s->op->kind == OP_MAP;
    bool tile = !strcmp(s->op->name, "conv") || !strcmp(s->op->name, "conv_dx"), pool = s->op->kind == OP_WINDOW;
    bool update = s->op->update;
    const struct tensor *domain = s->nout ? &p->tensor[s->out[0]] : NULL;
    int windows = 0;
    for (int i = 0; i < s->nout && !map && !tile && !pool; i++)
        if (tensor_stored(&p->tensor[s->out[i]]) && p->tensor[s->out[i]].base < 0 && !p->tensor[s->out[i]].rows && p->tensor[s->out[i]].schedule < 0)
            return refuse(e, k, "a result without a place");
    for (int i = 0; i < k->nstage; i++) {
        const struct stage *t = &k->stage[i];
        for (int j = 0; j < t->nin; j++)
            if (!tensor_stored(&p->tensor[t->in[j]]) && (!made_in(k, t->in[j], i) || !(map || tile || pool)))
                return refuse(e, k, "a stage reads what was not made before it in the kernel");
        if (i == 0)
            continue;
        if (report) {
            if (strncmp(t->op->name, "report_", 7))
                return refuse(e, k, "only reports go with reports");
            continue;
        }
        if (t->op->kind == OP_WINDOW && tile && !windows && t->nin == 1 && strcmp(t->op->name, "avgpool_dx") &&
            domain->rank == 3 && made_in(k, t->in[0], i) && same_shape(&p->tensor[t->in[0]], domain) && window_fits_tile(t->attr, domain) &&
            t->in[0] == k->stage[i - 1].out[0]) {
            windows++;
            domain = &p->tensor[t->out[0]];
        } else if (t->op->kind != OP_MAP || !(map || tile || (pool && s->nin == 1 && strcmp(s->op->name, "avgpool_dx"))) ||
                   t->op->update != update || !same_shape(&p->tensor[t->out[0]], domain))
            return refuse(e, k, "its stages are no tile that can be written");
    }
    return true;
}

bool plan_check(const struct plan *p, struct plan_error *e)
{
    for (int i = 0; i < p->nkernel; i++) {
        const struct kernel *k = &p->kernel[i];
        for (int s = 0; s < k->nstage; s++)
            if (!check_stage(p, k, &k->stage[s], e))
                return false;
        if (k->nstage < 1 || !check_form(p, k, e))
            return k->nstage < 1 ? refuse(e, k, "no stage") : false;
    }
    return true;
}
