/* specialise.c: what only some targets compute otherwise, by ops that stand for others: gradients behind a max-pool. */
#include "graph.h"

#include <string.h>

/* The op that stands for another on target t; NULL: none. */
static const struct op *stand_in(const struct op *of, const struct target *t)
{
    const struct op *op;
    for (int i = 0; (op = op_at(i)); i++) {
        const struct body *b = op->body;
        if (!op->stands_for || strcmp(op->stands_for, of->name))
            continue;
        while (b && b->name && b->target != t)
            b++;
        if (b && b->name)
            return op;
    }
    return NULL;
}

/* Node n from what the gradient of a max-pool is made of, instead of from that. */
static void through_pool(struct graph *g, struct node *n, const struct op *op)
{
    struct value *in[MAX_OPERANDS];
    const struct tensor *t[MAX_OPERANDS], *result = &n->out[0]->t;
    struct tensor made;
    int at = 0;
    while (at < n->nin && !(n->in[at]->def && !strcmp(n->in[at]->def->op->name, "maxpool_dx")))
        at++;
    if (at == n->nin)
        return;
    const struct node *pool = n->in[at]->def;
    memcpy(in, n->in, (size_t)n->nin * sizeof *in);
    in[at] = pool->in[0];
    in[n->nin] = pool->in[1];
    for (int i = 0; i <= n->nin; i++)
        t[i] = &in[i]->t;
    if (!pool->op->fits_tile(pool->attr, t[at]) || !op->shape(n->attr, t, n->nin + 1, &made, 1) ||
        !op->pays(n->attr, t, &result))
        return;
    n->op = op;
    n->nin++;
    n->in = region_alloc(g->region, (size_t)n->nin, sizeof *n->in);
    memcpy(n->in, in, (size_t)n->nin * sizeof *in);
}

void specialise(struct graph *g, const struct target *t)
{
    for (int k = 0; k < g->nnode; k++) {
        const struct op *op = stand_in(g->node[k]->op, t);
        if (op)
            through_pool(g, g->node[k], op);
    }
    drop_dead(g);
}
