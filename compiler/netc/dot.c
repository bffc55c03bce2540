/* dot.c: the graph of kernels for graphviz. */
#include "layers.h"
#include "plan/plan_text.h"

/* Text within a quoted DOT string: labels know escapes of their own (\N, \l), so every backslash is doubled. */
static void dot_text(const char *text, FILE *out)
{
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            putc('\\', out);
        putc((unsigned char)*text < 32 ? ' ' : *text, out);
    }
}

static const char *const part_colour[] = {
    [PART_FORWARD] = "#cfe2f3", [PART_BACKWARD] = "#fce5cd", [PART_UPDATE] = "#d9ead3"};

static void dot_node(const struct graph *g, int k, enum part part, FILE *out)
{
    const struct node *n = g->node[k];
    fprintf(out, "    n%d [label=\"", k);
    dot_text(n->op->name, out);
    if (n->layer) {
        fprintf(out, "\\n");
        dot_text(n->layer, out);
    }
    fprintf(out, "\", fillcolor=\"%s\"", part_colour[part]);
    if (n->op->kind == OP_VIEW)
        fprintf(out, ", style=\"filled,dashed\"");
    fprintf(out, "];\n");
}

/* Parameters, states and groups that nodes read; the control block would be an edge to everything. */
static void dot_sources(const struct graph *g, FILE *out)
{
    bool *used = region_alloc(g->region, (size_t)g->nvalue + 1, sizeof *used);
    for (int k = 0; k < g->nnode; k++)
        for (int i = 0; i < g->node[k]->nin; i++)
            used[g->node[k]->in[i]->id] = true;
    for (int i = 0; i < g->nvalue; i++) {
        const struct value *v = g->value[i];
        if (v->def || !used[i] || v == g->control)
            continue;
        fprintf(out, "  v%d [label=\"", i);
        dot_text(v->t.name, out);
        fprintf(out, "\\n%s\", shape=ellipse, fillcolor=\"#eeeeee\"];\n", shape_text(g->region, v));
    }
}

static void dot_edges(const struct graph *g, FILE *out)
{
    int *maker = region_alloc(g->region, (size_t)g->nvalue + 1, sizeof *maker);
    for (int k = 0; k < g->nnode; k++)
        for (int o = 0; o < g->node[k]->nout; o++)
            maker[g->node[k]->out[o]->id] = k;
    for (int k = 0; k < g->nnode; k++)
        for (int i = 0; i < g->node[k]->nin; i++) {
            const struct value *v = g->node[k]->in[i];
            if (v->def)
                /* xlabel: Graphviz 2.43 loses edges that have a label and end in the same rank. */
                fprintf(out, "  n%d -> n%d [xlabel=\"%s\"];\n", maker[v->id], k, shape_text(g->region, v));
            else if (v != g->control)
                fprintf(out, "  v%d -> n%d;\n", v->id, k);
        }
}

static void dot_kernels(const struct graph *g, FILE *out)
{
    const enum part *part = parts_of(g);
    int *first = region_alloc(g->region, (size_t)g->ngroup + 1, sizeof *first); /* node + 1 of each kernel */
    int *next = region_alloc(g->region, (size_t)g->nnode + 1, sizeof *next);
    for (int k = g->nnode - 1; k >= 0; k--) {
        int in = g->node[k]->op->kind == OP_VIEW ? g->ngroup : g->node[k]->group;
        next[k] = first[in];
        first[in] = k + 1;
    }
    for (int s = 0; s <= g->ngroup; s++) { /* the last are views: they belong to no kernel */
        if (s < g->ngroup)
            fprintf(out, "  subgraph cluster_%d {\n    label=\"kernel %d\";\n", s, s);
        for (int k = first[s]; k; k = next[k - 1])
            dot_node(g, k - 1, part[k - 1], out);
        if (s < g->ngroup)
            fprintf(out, "  }\n");
    }
}

void print_dot(const struct graph *g, FILE *out)
{
    fprintf(out, "// %s: boxes are nodes, frames kernels; blue forward, orange backward, green update\n",
            phase_word[g->phase]);
    fprintf(out, "digraph net {\n  node [shape=box, style=filled, fontname=\"sans-serif\"];\n  edge [fontsize=9];\n");
    dot_sources(g, out);
    dot_kernels(g, out);
    dot_edges(g, out);
    fprintf(out, "}\n");
}
