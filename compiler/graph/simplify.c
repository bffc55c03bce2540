/* simplify.c: pairs of nodes that are cheaper otherwise, inputs bound to the data set, and what nothing needs dropped. */
#include "graph.h"

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

/* What stands for a value now. */
static struct value *current(struct value *v)
{
    while (v->instead)
        v = v->instead;
    return v;
}

static void update_operands(struct node *n)
{
    for (int i = 0; i < n->nin; i++)
        n->in[i] = current(n->in[i]);
}

static bool made_by(const struct value *v, const char *op)
{
    return v->def && !strcmp(v->def->op->name, op);
}

/* The gradient of an activation that needs only its result y, behind the gradient of a max-pool of y:
 *     act'(maxpool_dx(g, place), y)  =  maxpool_dx(act'(g, maxpool(y)), place)
 * because the gradient is non-zero at the winners alone, where y is the pooled value. y need not be kept, and the map
 * works on the pooled image. Holds for overlapping windows too, act' being linear in g. */
static bool pool_before_activation(struct graph *g, struct node *n)
{
    if (n->op->kind != OP_MAP || !n->op->letters || strcmp(n->op->letters, "gy") || !made_by(n->in[0], "maxpool_dx"))
        return false;
    struct node *dx = n->in[0]->def, *pool = dx->in[1]->def;
    if (!pool || pool->in[0] != n->in[1])
        return false;
    g->at = n->loc;
    g->layer = n->layer;
    struct value *in[2] = {dx->in[0], pool->out[0]};
    struct value *inner = graph_node(g, n->op->name, n->attr, in, 2)->out[0];
    n->out[0]->instead = graph_op(g, "maxpool_dx", dx->attr, inner, dx->in[1], NULL);
    return true;
}

/* A sum over the places of a scattered gradient is the sum of the gradient itself. */
static void sum_before_scatter(struct node *n)
{
    while (!strcmp(n->op->name, "chan_sum") && made_by(n->in[0], "maxpool_dx"))
        n->in[0] = n->in[0]->def->in[0];
}

/* A gradient map behind a view of a tile's result works on the result itself, so that it can join the tile:
 *     f(reshape(x), y)  =  reshape(f(x, reshape(y)))     for maps whose operands all have the shape of the result */
static bool map_before_reshape(struct graph *g, struct node *n)
{
    if (n->op->kind != OP_MAP || n->op->update || !made_by(n->in[0], "reshape") ||
        !made_by(n->in[0]->def->in[0], "conv_dx"))
        return false;
    for (int i = 0; i < n->nin; i++)
        if (!same_shape(&n->in[i]->t, &n->out[0]->t))
            return false;
    struct value *in[MAX_OPERANDS] = {n->in[0]->def->in[0]};
    double back[MAX_ATTRS] = {n->out[0]->t.rank}, flat[MAX_ATTRS] = {in[0]->t.rank};
    for (int d = 0; d < MAX_RANK; d++) {
        back[1 + d] = d < n->out[0]->t.rank ? (double)n->out[0]->t.dim[d] : 0;
        flat[1 + d] = d < in[0]->t.rank ? (double)in[0]->t.dim[d] : 0;
    }
    g->at = n->loc;
    g->layer = n->layer;
    for (int i = 1; i < n->nin; i++)
        in[i] = graph_op(g, "reshape", flat, n->in[i], NULL);
    struct value *y = graph_node(g, n->op->name, n->attr, in, n->nin)->out[0];
    n->out[0]->instead = graph_op(g, "reshape", back, y, NULL);
    return true;
}

/* Nodes in their order; those that a rule makes in place of one come next, for other rules may hold for them. A value is
 * replaced before the nodes that read it are looked at, so one way through them all is enough. */
static void rewrite(struct graph *g)
{
    struct node **todo = NULL;
    int n = 0;
    for (int k = g->nnode - 1; k >= 0; k--) {
        region_grow(g->region, todo, n);
        todo[n++] = g->node[k];
    }
    g->nnode = 0;
    while (n) {
        struct node *next = todo[--n];
        int mark = g->nnode;
        update_operands(next);
        sum_before_scatter(next);
        if (!pool_before_activation(g, next) && !map_before_reshape(g, next)) {
            region_grow(g->region, g->node, g->nnode);
            g->node[g->nnode++] = next;
        } else
            while (g->nnode > mark) {
                region_grow(g->region, todo, n);
                todo[n++] = g->node[--g->nnode];
            }
    }
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
        a[1 + MAX_RANK] = v->t.dtype == DT_I32;
        g->at = v->loc;
        g->layer = v->t.name;
        struct node *n = graph_node(g, input ? "gather" : "gather_target", a, &g->control, 1);
        v->instead = n->out[0];
        n->out[0]->t.name = region_printf(g->region, "%s", v->t.name);
        n->out[0]->t.role = v->t.role;
        n->out[0]->maker = v->maker;
        v->t.name = region_printf(g->region, "%s.unbound", v->t.name);
        for (int k = 0; input && k < mark; k++) {
            struct value *x = g->node[k]->in[0];
            if (!strcmp(g->node[k]->op->name, "relayout") && (x == v || (made_by(x, "reshape") && x->def->in[0] == v)))
                g->node[k]->out[0]->instead = n->out[1];
        }
    }
    move_before(g, mark, 0);
}

/* Makes all that is still said of replaced values about what stands for them. */
static void settle(struct graph *g)
{
    for (int k = 0; k < g->nnode; k++)
        update_operands(g->node[k]);
    for (int i = 0; i < g->noutput; i++)
        g->output[i].value = current(g->output[i].value);
    for (int i = 0; i < g->nvalue; i++)
        if (g->value[i]->grad)
            g->value[i]->grad = current(g->value[i]->grad);
}

/* What people read is row by row. */
static void turn_outputs(struct graph *g)
{
    for (int i = 0; g->phase == PHASE_PREDICT && i < g->noutput; i++) {
        struct value *v = g->output[i].value;
        g->at = v->loc;
        g->layer = g->output[i].name;
        struct value *plain = graph_op(g, "relayout", NULL, v, NULL);
        plain->t.name = region_printf(g->region, OUTPUT_PREFIX "%s", g->output[i].name);
        plain->t.role = g->output[i].role;
        g->output[i].value = plain;
    }
}

void drop_dead(struct graph *g)
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
            needed |= live[n->out[o]->id] || n->out[o]->t.role == ROLE_SCORES;
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
    rewrite(g);
    bind_data(g);
    settle(g);
    turn_outputs(g);
    drop_dead(g);
}
