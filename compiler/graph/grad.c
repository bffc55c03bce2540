/* grad.c: reverse-mode differentiation, graph to graph. Walks the forward nodes backwards; each adds the nodes of its
 * inputs' gradients. Contributions of several uses are summed in the order in which they arise, so bits are fixed. */
#include "graph.h"

#include <stdlib.h>
#include <string.h>

static struct value *sum_to(struct graph *g, struct value *v, const struct value *like)
{
    if (v->t.rows && !like->t.rows)
        return graph_op(g, "chan_sum", NULL, v, NULL);
    return v;
}

/* The derivative of a map by input i is the map `name.d<letter>` over what its expression mentions. */
static struct value *map_gradient(struct graph *g, const struct node *n, int i, struct value *gy)
{
    const char *letters = op_letters(n->op);
    char name[32];
    snprintf(name, sizeof name, "%s.d%c", n->op->name, letters[i]);
    const struct op *d = op_find(name);
    if (!strcmp(n->op->bwd[i], "g"))
        return gy;
    struct value *in[MAX_OPERANDS];
    for (int k = 0; k < d->nin; k++) {
        char c = d->letters[k];
        in[k] = c == 'g' ? gy : c == 'y' ? n->out[0] : n->in[strchr(letters, c) - letters];
    }
    return graph_node(g, name, n->attr, in, d->nin)->out[0];
}

static void refuse_frozen(const struct graph *g)
{
    diag_error(g->diag, "N0418", g->loss->loc, NULL,
               "there is nothing to train: every parameter that the loss depends on is frozen");
    diag_help(g->diag, "leave the last layer out of the groups with `lr = 0`");
}

static void refuse_loss(const struct graph *g)
{
    for (int i = 0; i < g->nvalue; i++)
        if (g->value[i]->frozen) {
            refuse_frozen(g);
            return;
        }
    const struct value *x = g->loss->def->in[0];
    diag_error(g->diag, "N0418", g->loss->loc, NULL, "there is nothing to train: the loss depends on no parameter");
    diag_place(g->diag, x->loc, "made without any");
    diag_help(g->diag, "put a layer with parameters in between, for example `Linear` or `Conv`");
}

void loss_grad(struct graph *g, struct node *n, struct value *const *gy, struct value **gx)
{
    (void)g, (void)gy;
    gx[0] = n->out[1];
}

void grad(struct graph *g)
{
    if (!g->loss || !g->loss->def)
        return;
    int forward = g->nnode, nvalue = g->nvalue;
    struct value **of = calloc((size_t)nvalue, sizeof *of);
    bool *needed = calloc((size_t)nvalue, sizeof *needed);
    if (!of || !needed)
        exit(70);
    for (int i = 0; i < nvalue; i++)
        needed[i] = g->value[i]->t.role == ROLE_PARAM && !g->value[i]->frozen;
    for (int k = 0; k < forward; k++)
        for (int i = 0; i < g->node[k]->nin; i++)
            for (int o = 0; needed[g->node[k]->in[i]->id] && o < g->node[k]->nout; o++)
                needed[g->node[k]->out[o]->id] = true;
    if (!needed[g->loss->id])
        refuse_loss(g);
    for (int k = forward - 1; k >= 0; k--) {
        struct node *n = g->node[k];
        struct value *gy[MAX_OPERANDS] = {0}, *gx[MAX_OPERANDS] = {0};
        bool any = n == g->loss->def;
        for (int o = 0; o < n->nout; o++) {
            gy[o] = of[n->out[o]->id];
            any |= gy[o] != NULL;
        }
        if (!any)
            continue;
        g->at = n->loc;
        g->layer = n->layer;
        if (n->op->grad)
            n->op->grad(g, n, gy, gx);
        else
            for (int i = 0; i < n->nin; i++)
                if (n->op->bwd[i] && needed[n->in[i]->id])
                    gx[i] = sum_to(g, map_gradient(g, n, i, gy[0]), n->in[i]);
        for (int i = 0; i < n->nin; i++) {
            struct value *x = n->in[i];
            if (gx[i] && needed[x->id])
                of[x->id] = of[x->id] ? graph_op(g, "add", NULL, of[x->id], gx[i], NULL) : gx[i];
        }
    }
    for (int i = 0; i < nvalue; i++)
        if (g->value[i]->t.role == ROLE_PARAM && !g->value[i]->frozen)
            g->value[i]->grad = of[i];
    free(of);
    free(needed);
}
