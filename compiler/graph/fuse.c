/* fuse.c: nodes -> groups, one kernel each. A node joins the group that made its latest operand, if the emitter can
 * write the two as stages over one tile:
 *
 *     convolution or pooling, then maps, then one window that fits the tile, then maps
 *     convolution, then maps, then the gradient of a window that covers the image
 *     maps alone
 *     reports together
 *
 * All other operands are then made by earlier groups, so groups in order of their first node are a schedule. */
#include "graph.h"
#include "plan/plan_text.h"

#include <stdlib.h>
#include <string.h>

/* Ops behind which maps can stand in the same tile. */
static bool has_epilogue(const struct node *n)
{
    return n->op->kind == OP_MAP || n->op->form == FORM_TILE || n->op->form == FORM_POOL;
}

static bool is_report(const struct node *n)
{
    return n->op->form == FORM_REPORT;
}

static int window_of(const struct group *p)
{
    for (int i = 1; i < p->nnode; i++)
        if (p->node[i]->op->kind == OP_WINDOW)
            return i;
    return p->nnode;
}

static bool is_scatter(const struct node *n)
{
    return n->op->form == FORM_SCATTER;
}

/* Where in group p the value is made; -1: elsewhere. */
static int made_at(const struct group *p, const struct value *v)
{
    for (int i = 0; i < p->nnode; i++)
        if (p->node[i] == v->def)
            return i;
    return -1;
}

/* On which sides of the window of group p are the values made that node n reads? */
struct sides {
    bool before, behind;
};

static struct sides sides_read(const struct group *p, const struct node *n)
{
    struct sides s = {false, false};
    int window = window_of(p);
    for (int i = 0; i < n->nin; i++) {
        int at = made_at(p, n->in[i]);
        s.before |= at >= 0 && at < window;
        s.behind |= at >= window;
    }
    return s;
}

/* Each of these says why node n cannot join group p, which makes its operand `through`; NULL: it can. */

static const char *map_apart(const struct group *p, const struct node *n, const struct value *through)
{
    if (!same_shape(&n->out[0]->t, &through->t))
        return "its shape is not that of the tile";
    const struct sides s = sides_read(p, n);
    if (s.behind && s.before)
        return "it reads values from both sides of the window";
    return s.behind && is_scatter(p->node[window_of(p)]) ? "the gradient of a window ends its kernel" : NULL;
}

static const char *scatter_apart(const struct group *p, const struct node *n, const struct value *through)
{
    if (p->node[0]->op->form != FORM_TILE)
        return "the tile before it is not that of a convolution";
    bool fits = through->t.rank == 3 && window_of(p) == p->nnode && n->in[0] == through &&
                n->op->fits_tile(n->attr, &through->t);
    return fits ? NULL : "its windows overlap, are padded, or do not cover the image";
}

static const char *window_apart(const struct group *p, const struct node *n, const struct value *through)
{
    if (p->node[0]->op->form != FORM_TILE)
        return "the tile before it is not that of a convolution";
    if (window_of(p) < p->nnode)
        return "the kernel has a window already";
    return n->op->fits_tile(n->attr, &through->t) ? NULL : "its windows overlap, are padded, or do not fit the tile";
}

static const char *node_apart(const struct group *p, const struct node *n, const struct value *through)
{
    if (p->nnode == MAX_STAGES)
        return "the kernel has as many stages as it can hold";
    if (!has_epilogue(p->node[0]))
        return "the kernel before it is no tile that maps can follow";
    if (p->node[0]->op->update != n->op->update || p->node[0]->op->gate != n->op->gate)
        return "updates wait for the loss";
    if (n->op->gate == GATE_STEP)
        return "an update stands alone";
    if (n->op->kind == OP_MAP)
        return map_apart(p, n, through);
    if (is_scatter(n))
        return scatter_apart(p, n, through);
    return n->op->kind == OP_WINDOW ? window_apart(p, n, through) : "it is an anchor itself";
}

/* Where a node that joins stands: before the window if it reads values from there, else at the end. */
static int place_in(const struct group *p, const struct node *n)
{
    return n->op->kind == OP_MAP && sides_read(p, n).before ? window_of(p) : p->nnode;
}

static void put_in(struct graph *g, struct group *p, struct node *n, int at)
{
    region_grow(g->region, p->node, p->nnode);
    memmove(p->node + at + 1, p->node + at, (size_t)(p->nnode - at) * sizeof *p->node);
    p->node[at] = n;
    p->nnode++;
    n->group = p->id;
}

static struct group *new_group(struct graph *g, struct node *n, const char *apart)
{
    struct group *p = region_alloc(g->region, 1, sizeof *p);
    p->id = g->ngroup;
    p->apart = apart;
    region_grow(g->region, g->group, g->ngroup);
    g->group[g->ngroup++] = p;
    put_in(g, p, n, 0);
    return p;
}

/* A value's maker behind views. */
static struct node *maker(const struct value *v)
{
    while (v->def && v->def->op->kind == OP_VIEW)
        v = v->def->in[0];
    return v->def;
}

static void assign(struct graph *g, struct node *n)
{
    const struct value *through = NULL;
    struct group *latest = NULL, *last = g->ngroup ? g->group[g->ngroup - 1] : NULL;
    const char *why = NULL;
    for (int i = 0; i < n->nin; i++) {
        const struct node *from = maker(n->in[i]);
        if (from && (!latest || from->group >= latest->id)) {
            latest = g->group[from->group];
            through = n->in[i]->def->op->kind == OP_VIEW ? NULL : n->in[i];
        }
    }
    if (is_report(n) && last && is_report(last->node[0]) && last->nnode < MAX_STAGES && latest->id < last->id) {
        put_in(g, last, n, last->nnode);
        return;
    }
    if (through) {
        why = node_apart(latest, n, through);
        if (!why) {
            put_in(g, latest, n, place_in(latest, n));
            return;
        }
    }
    /* Small maps without rows (running statistics) share a kernel with their like. */
    if (n->op->kind == OP_MAP && n->op->gate != GATE_STEP && !n->out[0]->t.rows && last &&
        last->node[0]->op->kind == OP_MAP && last->nnode < MAX_STAGES && (!latest || latest->id < last->id) &&
        last->node[0]->op->update == n->op->update && last->node[0]->op->gate == n->op->gate &&
        same_shape(&n->out[0]->t, &last->node[0]->out[0]->t)) {
        put_in(g, last, n, last->nnode);
        return;
    }
    new_group(g, n, why ? why : latest && !through ? "a view stands between it and the kernel of its operand" : NULL);
}

/* Updates, and what is made of what they have made. */
static void find_late(struct graph *g)
{
    for (int k = 0; k < g->nnode; k++) {
        struct node *n = g->node[k];
        n->late = n->op->update;
        for (int i = 0; i < n->nin && !n->late; i++)
            n->late = n->in[i]->def && n->in[i]->def->late;
    }
}

/* Updates run last: they wait for the loss, and parameters must be read before they change. */
void fuse(struct graph *g)
{
    struct node **order = NULL;
    int n = 0;
    find_late(g);
    for (int pass = 0; pass < 2; pass++)
        for (int k = 0; k < g->nnode; k++)
            if (g->node[k]->late == (pass == 1)) {
                region_grow(g->region, order, n); /* as graph_node() grows it */
                order[n++] = g->node[k];
            }
    g->node = order;
    g->ngroup = 0;
    for (int k = 0; k < g->nnode; k++)
        if (g->node[k]->op->kind != OP_VIEW)
            assign(g, g->node[k]);
}

void groups_print(const struct graph *g, FILE *out)
{
    fprintf(out, "kernels %s\n", phase_word[g->phase]);
    for (int i = 0; i < g->ngroup; i++) {
        const struct group *p = g->group[i];
        fprintf(out, "  %3d ", i);
        for (int k = 0; k < p->nnode; k++)
            fprintf(out, "%s%s", k ? " + " : " ", p->node[k]->op->name);
        fprintf(out, "   (%s, line %d)", p->node[0]->layer ? p->node[0]->layer : "-", p->node[0]->loc.line);
        if (p->apart && (p->node[0]->op->kind == OP_MAP || p->node[0]->op->kind == OP_WINDOW))
            fprintf(out, "   apart: %s", p->apart);
        fprintf(out, "\n");
    }
}
