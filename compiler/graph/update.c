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

void update(struct graph *g, const struct model *m)
{
    int64_t bytes = 0;
    int nvalue = g->nvalue;
    for (int i = 0; i < nvalue; i++)
        if (g->value[i]->grad && __builtin_add_overflow(bytes, padded_bytes(g->value[i]), &bytes))
            exit(70);
    const char *op = m->optimizer->update(&m->optimizer_args);
    const char *const *slots = op_find(op)->slot, *prefix = slot_prefix(g);
    if (!bytes)
        return;
    g->at = (struct loc){0};
    g->layer = "optimizer";
    struct value *in[MAX_OPERANDS], *parameters = group(g, ROLE_PARAM, "@parameters", bytes),
                                    *gradients = group(g, ROLE_GRAD, "@gradients", bytes);
    int n = 0;
    in[n++] = parameters;
    for (int s = 0; slots[s]; s++) {
        struct value *slot = in[n++] = group(g, ROLE_SLOT, region_printf(g->region, "%s.%s", prefix, slots[s]), bytes);
        int64_t at = 0;
        for (int i = 0; i < nvalue; i++)
            if (g->value[i]->grad) {
                struct value *p = g->value[i];
                struct value *part =
                    graph_source(g, ROLE_SLOT, DT_F32, false, p->t.rank, p->t.dim,
                                 region_printf(g->region, "%s.%s.%s", prefix, slots[s], p->t.name), (struct loc){0});
                part->member_of = slot;
                part->t.at = at;
                at += padded_bytes(p);
            }
    }
    struct value *sum[] = {group(g, ROLE_SUM, "@gradients.sum", bytes), gradients};
    in[n++] = graph_node(g, "accumulate", NULL, sum, COUNT(sum))->out[1];
    int64_t at = 0;
    for (int i = 0; i < nvalue; i++)
        if (g->value[i]->grad) {
            struct value *p = g->value[i];
            p->member_of = parameters;
            p->grad->member_of = gradients;
            p->t.at = p->grad->t.at = at;
            p->grad->t.role = ROLE_GRAD;
            p->grad->t.name = region_printf(g->region, "grad.%s", p->t.name);
            at += padded_bytes(p);
        }
    graph_node(g, op, NULL, in, n);
}
