/* simplify.c: pairs of nodes that are cheaper otherwise, inputs bound to the data set, and what nothing needs dropped. */
#include "netc.h"

#include <stdlib.h>
#include <string.h>

/* The nodes appended since `mark` move in front of node k, in order. */
static void move_before(struct graph *g, int mark, int k)
{
    int n = g->nnode - mark;
    struct node **moved = region_alloc(g->region, (size_t)n + 1, sizeof *moved);
    memcpy(moved, g->node + mark, (size_t)n * sizeof *moved);
    memmove(g->node + k + n, g->node + k, (size_t)(mark - k) * sizeof *g->node);
    memcpy(g->node + k, moved, (size_t)n * sizeof *moved);
}

static void replace(struct graph *g, struct value *old, struct value *with)
{
    for (int k = 0; k < g->nnode; k++)
        for (int i = 0; i < g->node[k]->nin; i++)
            if (g->node[k]->in[i] == old)
                g->node[k]->in[i] = with;
    for (int i = 0; i < g->noutput; i++)
        if (g->output[i].value == old)
            g->output[i].value = with;
    for (int i = 0; i < g->nvalue; i++)
        if (g->value[i]->grad == old)
            g->value[i]->grad = with;
}

static bool made_by(const struct value *v, const char *op)
{
    return v->def && !strcmp(v->def->op->name, op);
}

/* The gradient of an activation that needs only its result y, behind the gradient of a max-pool of y:
 *     act'(maxpool_dx(g, place), y)  =  maxpool_dx(act'(g, maxpool(y)), place)
 * because the gradient is non-zero at the winners alone, where y is the pooled value. y need not be kept, and the map
 * works on the pooled image. Holds for overlapping windows too, act' being linear in g. */
static bool pool_before_activation(struct graph *g, int k)
{
    struct node *n = g->node[k];
    if (n->op->kind != OP_MAP || !n->op->letters || strcmp(n->op->letters, "gy") || !made_by(n->in[0], "maxpool_dx"))
        return false;
    struct node *dx = n->in[0]->def, *pool = dx->in[1]->def;
    if (!pool || pool->in[0] != n->in[1])
        return false;
    int mark = g->nnode;
    g->at = n->loc;
    g->layer = n->layer;
    struct value *in[2] = {dx->in[0], pool->out[0]};
    struct value *inner = graph_node(g, n->op->name, n->attr, in, 2)->out[0];
    replace(g, n->out[0], graph_op(g, "maxpool_dx", dx->attr, inner, dx->in[1], NULL));
    g->node[k] = g->node[--g->nnode];                  /* the last one made stands where n stood, the other before it */
    move_before(g, mark, k);
    return true;
}

/* A sum over the places of a scattered gradient is the sum of the gradient itself. */
static bool sum_before_scatter(struct graph *g, int k)
{
    struct node *n = g->node[k];
    if (strcmp(n->op->name, "chan_sum") || !made_by(n->in[0], "maxpool_dx"))
        return false;
    n->in[0] = n->in[0]->def->in[0];
    return true;
}

/* A gradient map behind a view of a tile's result works on the result itself, so that it can join the tile:
 *     f(reshape(x), y)  =  reshape(f(x, reshape(y)))     for maps whose operands all have the shape of the result */
static bool map_before_reshape(struct graph *g, int k)
{
    struct node *n = g->node[k];
    if (n->op->kind != OP_MAP || n->op->update || !made_by(n->in[0], "reshape") || !made_by(n->in[0]->def->in[0], "conv_dx"))
        return false;
    for (int i = 0; i < n->nin; i++)
        if (!same_shape(&n->in[i]->t, &n->out[0]->t))
            return false;
    struct value *in[MAX_OPERANDS] = {n->in[0]->def->in[0]};
    double back[MAX_ATTRS] = {n->out[0]->t.rank}, flat[MAX_ATTRS] = {in[0]->t.rank};
    for (int d = 0; d < MAX_RANK - 1; d++) {
        back[1 + d] = d < n->out[0]->t.rank ? (double)n->out[0]->t.dim[d] : 0;
        flat[1 + d] = d < in[0]->t.rank ? (double)in[0]->t.dim[d] : 0;
    }
    int mark = g->nnode;
    g->at = n->loc;
    g->layer = n->layer;
    for (int i = 1; i < n->nin; i++)
        in[i] = graph_op(g, "reshape", flat, n->in[i], NULL);
    struct value *y = graph_node(g, n->op->name, n->attr, in, n->nin)->out[0];
    replace(g, n->out[0], graph_op(g, "reshape", back, y, NULL));
    g->node[k] = g->node[--g->nnode];
    move_before(g, mark, k);
    return true;
}

/* Inputs and targets become results of gather nodes; the row-by-row copy that a first fully connected layer wants for its
 * weight gradient is the gather's second result. */
static void bind_data(struct graph *g)
{
    int mark = g->nnode, nvalue = g->nvalue;
    for (int i = 0; i < nvalue; i++) {
        struct value *v = g->value[i];
        bool input = v->t.role == ROLE_INPUT;
        if (v->def || (!input && v->t.role != ROLE_TARGET))
            continue;
        double a[MAX_ATTRS] = {v->t.rank};
        for (int d = 0; d < v->t.rank; d++)
            a[1 + d] = (double)v->t.dim[d];
        a[4] = v->t.dtype == DT_I32;
        g->at = v->loc;
        g->layer = v->t.name;
        struct node *n = graph_node(g, input ? "gather" : "gather_target", a, &g->control, 1);
        replace(g, v, n->out[0]);
        n->out[0]->t.name = region_printf(g->region, "%s", v->t.name);
        n->out[0]->t.role = v->t.role;
        n->out[0]->maker = v->maker;
        v->t.name = region_printf(g->region, "%s.unbound", v->t.name);
        for (int k = 0; input && k < mark; k++) {
            struct value *x = g->node[k]->nin == 1 ? g->node[k]->in[0] : NULL;
            if (!strcmp(g->node[k]->op->name, "relayout") && (x == n->out[0] || (made_by(x, "reshape") && x->def->in[0] == n->out[0])))
                replace(g, g->node[k]->out[0], n->out[1]);
        }
    }
    move_before(g, mark, 0);
}

/* What people read is row by row. */
static void turn_outputs(struct graph *g)
{
    for (int i = 0; g->phase == PHASE_PREDICT && i < g->noutput; i++) {
        struct value *v = g->output[i].value;
        g->at = v->loc;
        g->layer = g->output[i].name;
        struct value *plain = graph_op(g, "relayout", NULL, v, NULL);
        plain->t.name = region_printf(g->region, "output.%s", g->output[i].name);
        g->output[i].value = plain;
    }
}

static void drop_dead(struct graph *g)
{
    bool *live = calloc((size_t)g->nvalue, sizeof *live);
    if (!live)
        exit(70);
    for (int i = 0; i < g->noutput && g->phase == PHASE_PREDICT; i++)
        live[g->output[i].value->id] = true;
    for (int i = 0; i < g->nvalue; i++)
        if (g->value[i]->grad)
            live[g->value[i]->grad->id] = true;
    for (int k = g->nnode - 1; k >= 0; k--) {
        struct node *n = g->node[k];
        bool needed = n->op->update || n->nout == 0;
        for (int o = 0; o < n->nout; o++)
            needed |= live[n->out[o]->id];
        for (int i = 0; needed && i < n->nin; i++)
            live[n->in[i]->id] = true;
        n->dead = !needed;
    }
    int kept = 0;
    for (int k = 0; k < g->nnode; k++)
        if (!g->node[k]->dead)
            g->node[kept++] = g->node[k];
    g->nnode = kept;
    free(live);
}

void simplify(struct graph *g)
{
    for (int k = 0; k < g->nnode; k++)
        if (pool_before_activation(g, k) || sum_before_scatter(g, k) || map_before_reshape(g, k))
            k = -1;
    bind_data(g);
    turn_outputs(g);
    drop_dead(g);
}
