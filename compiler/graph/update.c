/* update.c: the optimizer as nodes. Parameters, gradients and each slot are one contiguous tensor, in declaration order,
 * so the whole update is one map, a checkpoint one copy, and an all-reduce one call. Before it stands what sums gradients
 * where a batch is several runs (enum gate). */
#include "graph.h"

#include <stdlib.h>
#include <string.h>

static int64_t padded_bytes(const struct value *v)
{
    return (value_elements(v) * 4 + PARAM_ALIGN - 1) / PARAM_ALIGN * PARAM_ALIGN;
}

static struct value *group(struct graph *g, enum role role, const char *name, int64_t bytes)
{
    int64_t n = bytes / 4;
    return graph_source(g, role, DT_F32, false, 1, &n, name, (struct loc){0});
}

/* "optimizer", or "optimizer_1" and so on where the user's own layers have that name: what slots are called begins so. */
static const char *slot_prefix(struct graph *g)
{
    const char *prefix = "optimizer";
    for (int i = 0, number = 0; i < g->nvalue; i++) {
        size_t n = strlen(prefix);
        if (strncmp(g->value[i]->t.name, prefix, n) || g->value[i]->t.name[n] != '.')
            continue;
        prefix = region_printf(g->region, "optimizer_%d", ++number);
        i = -1;
    }
    return prefix;
}

/* ---- groups: parameters that have learning rate and decay of the same rows ---- */

struct own {
    int lr_of, decay_of; /* as in a value */
    int64_t at, bytes;
};

static bool is_of(const struct value *p, const struct own *o)
{
    return p->grad && p->lr_of == o->lr_of && p->decay_of == o->decay_of;
}

/* In the order of their first parameters, but that of the optimizer's own numbers first. Returns how many. */
static int find_groups(const struct graph *g, const struct model *m, struct own own[CTL_GROUPS])
{
    int n = 0;
    for (int pass = 0; pass < 2; pass++)
        for (int i = 0; i < g->nvalue; i++) {
            const struct value *p = g->value[i];
            int k = 0;
            if (!p->grad || (p->lr_of == 0 && p->decay_of == 0) != (pass == 0))
                continue;
            while (k < n && !is_of(p, &own[k]))
                k++;
            if (k == CTL_GROUPS) {
                diag_error(g->diag, "N0422", m->groups_at, NULL,
                           "the groups make more than %d kinds of parameters that differ in `lr` or `decay`",
                           CTL_GROUPS);
                return 0;
            }
            if (k == n)
                own[n++] = (struct own){.lr_of = p->lr_of, .decay_of = p->decay_of};
        }
    return n;
}

/* What netrun goes by: numbers that group k does not have are the optimizer's. */
static void tell_group(const struct graph *g, struct model *m, int k, const struct own *o)
{
    static const char *const name[] = {"lr", "decay"};
    const int of[] = {o->lr_of, o->decay_of};
    int members = 0;
    for (int i = 0; i < g->nvalue; i++)
        members += is_of(g->value[i], o);
    for (int i = -1; i < COUNT(of); i++) {
        if (i >= 0 && of[i] == 0)
            continue;
        region_grow(g->region, m->setting, m->nsetting);
        struct setting *s = &m->setting[m->nsetting++];
        *s = (struct setting){.key = region_printf(g->region, "train.optimizer.groups.%d", k), .graph = true};
        if (i < 0) {
            s->text = region_printf(g->region, "%d parameter%s", members, members == 1 ? "" : "s");
            continue;
        }
        s->key = region_printf(g->region, "%s.%s", s->key, name[i]);
        s->n = 1;
        s->num = region_alloc(g->region, 1, sizeof *s->num);
        *s->num = i == 0 ? m->group[of[i] - 1].lr : m->group[of[i] - 1].decay;
    }
}

/* Gives each trained parameter its place: groups one after the other, each in the order of declaration. Returns all bytes. */
static int64_t place(struct graph *g, struct own *own, int groups)
{
    int64_t bytes = 0;
    for (struct own *o = own; o < own + groups; o++) {
        o->at = bytes;
        for (int i = 0; i < g->nvalue; i++) {
            struct value *p = g->value[i];
            if (!is_of(p, o))
                continue;
            p->t.at = p->grad->t.at = bytes;
            if (__builtin_add_overflow(bytes, padded_bytes(p), &bytes))
                exit(70);
        }
        o->bytes = bytes - o->at;
    }
    return bytes;
}

static struct value *slot(struct graph *g, int nvalue, const char *name, int64_t bytes)
{
    struct value *all = group(g, ROLE_SLOT, name, bytes);
    for (int i = 0; i < nvalue; i++) {
        const struct value *p = g->value[i];
        if (!p->grad)
            continue;
        struct value *part = graph_source(g, ROLE_SLOT, DT_F32, false, p->t.rank, p->t.dim,
                                          region_printf(g->region, "%s.%s", name, p->t.name), (struct loc){0});
        part->member_of = all;
        part->t.at = p->t.at;
    }
    return all;
}

/* One kernel of the optimizer's step a group. */
static void step(struct graph *g, const char *op, struct value *const *in, int n, const struct own *own, int groups)
{
    for (const struct own *o = own; o < own + groups; o++) {
        const double attr[MAX_ATTRS] = {(double)(o->at / 4), (double)(o->bytes / 4)};
        struct value *of[MAX_OPERANDS];
        for (int i = 0; i < n; i++)
            of[i] = groups > 1 && in[i]->t.rank > 0 ? graph_op(g, "part", attr, in[i], NULL) : in[i];
        graph_node(g, op, NULL, of, n);
    }
}

/* Of the gradients of the first n values, from what is in them once they are summed. */
static struct value *norm(struct graph *g, struct value *summed, int n)
{
    struct value *in[MAX_OPERANDS] = {summed}, *so_far = NULL;
    for (int i = 0, many = 1; i < n; i++) {
        if (g->value[i]->grad)
            in[many++] = g->value[i]->grad;
        bool more = false;
        for (int k = i + 1; k < n; k++)
            more |= g->value[k]->grad != NULL;
        if (many == 1 + (so_far != NULL) || (more && many < MAX_OPERANDS))
            continue;
        so_far = graph_node(g, "grad_norms", &(double){so_far != NULL}, in, many)->out[0];
        in[1] = so_far;
        many = 2;
        if (!more)
            break;
    }
    return graph_op(g, "grad_norm", NULL, so_far, summed, NULL);
}

void update(struct graph *g, struct model *m)
{
    struct own own[CTL_GROUPS];
    const int nvalue = g->nvalue, groups = find_groups(g, m, own);
    const char *op =
        update_variant(g->region, m->optimizer->update(&m->optimizer_args), m->clip ? m->clip->name : NULL, m->ema);
    const char *const *slots = op_find(op)->slot, *prefix = slot_prefix(g);
    if (!groups)
        return;
    const int64_t bytes = place(g, own, groups);
    g->at = (struct loc){0};
    g->layer = "optimizer";
    struct value *in[MAX_OPERANDS], *parameters = group(g, ROLE_PARAM, "@parameters", bytes),
                                    *gradients = group(g, ROLE_GRAD, "@gradients", bytes);
    int n = 0;
    in[n++] = parameters;
    for (int s = 0; slots[s]; s++)
        in[n++] = slot(g, nvalue, region_printf(g->region, "%s.%s", prefix, slots[s]), bytes);
    struct value *sum[] = {group(g, ROLE_SUM, "@gradients.sum", bytes), gradients};
    struct value *summed = in[n++] = graph_node(g, "accumulate", NULL, sum, COUNT(sum))->out[1];
    if (update_norm(op_find(op)))
        in[n++] = norm(g, summed, nvalue);
    for (int i = 0; i < nvalue; i++)
        if (g->value[i]->grad) {
            struct value *p = g->value[i];
            p->member_of = parameters;
            p->grad->member_of = gradients;
            p->grad->t.role = ROLE_GRAD;
            p->grad->t.name = region_printf(g->region, "grad.%s", p->t.name);
        }
    step(g, op, in, n, own, groups);
    for (int k = 0; k < groups && m->ngroup > 0; k++)
        tell_group(g, m, k, &own[k]);
}
