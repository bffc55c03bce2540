/* dot.c: the network for graphviz: layers as their author wrote them, or nodes and kernels. */
#include "layers.h"
#include "base/markup.h"
#include "plan/plan_text.h"

#include <string.h>

/* Text within a quoted DOT string: labels know escapes of their own (\N, \l), so every backslash is doubled. */
static void dot_text(const char *text, FILE *out)
{
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            putc('\\', out);
        putc((unsigned char)*text < 32 ? ' ' : *text, out);
    }
}

/* ---- layers ---- */

/* By what a layer's first node does. */
static const char *const kind_colour[] = {
    [OP_CONTRACT] = "#cfe2f3", [OP_WINDOW] = "#fde3c8", [OP_REDUCE] = "#e4dbf2", [OP_ROW] = "#f8d7da",
    [OP_MOVE] = "#d5ecd4",     [OP_MAP] = "#fff4cf",    [OP_VIEW] = "#f7f7f7"};

static bool is_sum(const struct layer *l)
{
    return !strcmp(l->label, "Add");
}

static void box_text(struct region *r, const struct layer *l, FILE *out)
{
    const char *dot = strrchr(l->path, '.');
    if (l->named) {
        fputs("<b>", out);
        markup_text(dot ? dot + 1 : l->path, out);
        fputs("</b>  ", out);
    }
    markup_text(l->label, out);
    fprintf(out, "<br/><font point-size=\"10\" color=\"#555555\">%s", shape_text(r, l->out));
    if (l->params)
        fprintf(out, ", %s parameters", grouped(r, l->params));
    if (!l->trains || !l->predicts)
        fprintf(out, ", %s only", l->trains ? "training" : "prediction");
    fputs("</font>", out);
}

static void dot_layer(struct region *r, const struct layer *l, int index, FILE *out)
{
    fprintf(out, "  l%d [", index);
    if (is_sum(l))
        fputs("label=\"+\", shape=circle, fixedsize=true, width=0.3, fontsize=14, fillcolor=\"#d5ecd4\"", out);
    else {
        fputs("label=<", out);
        box_text(r, l, out);
        fprintf(out, ">, fillcolor=\"%s\"", l->input ? "#e6e6e6" : kind_colour[l->kind]);
    }
    if (l->input)
        fputs(", style=filled, shape=ellipse, margin=\"0.02,0.03\"", out);
    else if (l->kind == OP_VIEW || !l->trains || !l->predicts)
        fputs(", style=\"filled,rounded,dashed\"", out);
    fputs(", tooltip=\"", out);
    dot_text(l->path, out);
    fprintf(out, ", line %d: ", l->out->loc.line);
    dot_text(l->fate, out);
    fputs("\"];\n", out);
}

/* How many bytes at the start of both paths are blocks that the two share: "stage1.0." of "stage1.0.conv1". */
static size_t common_blocks(const char *a, const char *b)
{
    size_t n = 0;
    for (size_t i = 0; a[i] && a[i] == b[i]; i++)
        if (a[i] == '.')
            n = i + 1;
    return n;
}

/* Frames around the layers of blocks: from those of the layer before to those of this one. */
static void dot_frames(const char *before, const char *path, FILE *out)
{
    size_t common = common_blocks(before, path);
    for (const char *p = before + common; (p = strchr(p, '.')); p++)
        fputs("  }\n", out);
    for (const char *p = path + common; (p = strchr(p, '.')); p++) {
        fprintf(out, "  subgraph \"cluster_%.*s\" {\n", (int)(p - path), path);
        fprintf(out, "  label=\"%.*s\"; labeljust=l; style=\"filled,rounded\"; color=\"#bbbbbb\"; fillcolor=\"%s\";\n",
                (int)(p - path), path, strchr(p + 1, '.') ? "#eeeeee" : "#fafafa");
    }
}

static void dot_layer_edges(struct region *r, const struct layer *list, int n, FILE *out)
{
    for (int i = 0; i < n; i++)
        for (int k = 0; k < list[i].nfrom; k++) {
            int from = list[i].from[k];
            fprintf(out, "  l%d -> l%d [label=\" %s\"%s%s];\n", from, i, shape_text(r, list[from].out),
                    from == i - 1 ? ", weight=20" : "", list[i].nfrom > 1 ? ", color=\"#2e7d32\", penwidth=1.5" : "");
        }
    for (int i = 0; i < n; i++) {
        if (!list[i].outputs)
            continue;
        fprintf(out, "  o%d [label=<<b>%s</b>  output", i, list[i].outputs);
        fprintf(out, "<br/><font point-size=\"10\" color=\"#555555\">%s</font>>", shape_text(r, list[i].out));
        fputs(", style=filled, shape=ellipse, margin=\"0.02,0.03\", fillcolor=\"#e6e6e6\"];\n", out);
        fprintf(out, "  l%d -> o%d [label=\" %s\"];\n", i, i, shape_text(r, list[i].out));
    }
}

void print_layers_dot(const struct compilation *c, FILE *out)
{
    int n;
    const struct layer *list = layers_of(c, &n);
    fputs(
        "// boxes are layers, frames blocks; green edges meet in a sum or Concat; dashed: no copy, or in one phase only\n",
        out);
    fputs("digraph net {\n  rankdir=TB; nodesep=0.3; ranksep=0.25; labelloc=t; fontname=\"sans-serif\"; fontsize=12;\n",
          out);
    fprintf(out, "  label=<<b>%s</b>   %s parameters, %s MACs a sample>;\n", c->model.net,
            grouped(c->region, c->plan->params), grouped(c->region, c->macs));
    fputs("  node [shape=box, style=\"filled,rounded\", color=\"#777777\", fontname=\"sans-serif\", fontsize=11,"
          " height=0.35, margin=\"0.12,0.04\"];\n"
          "  edge [color=\"#777777\", fontcolor=\"#777777\", fontname=\"sans-serif\", fontsize=8, arrowsize=0.6];\n",
          out);
    const char *before = "";
    for (int i = 0; i < n; i++) {
        dot_frames(before, list[i].path, out);
        dot_layer(c->region, &list[i], i, out);
        before = list[i].path;
    }
    dot_frames(before, "", out);
    dot_layer_edges(c->region, list, n, out);
    fputs("}\n", out);
}

/* ---- nodes and kernels ---- */

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

void print_kernels_dot(const struct graph *g, FILE *out)
{
    fprintf(out, "// %s: boxes are nodes, frames kernels; blue forward, orange backward, green update\n",
            phase_word[g->phase]);
    fprintf(out, "digraph net {\n  node [shape=box, style=filled, fontname=\"sans-serif\"];\n  edge [fontsize=9];\n");
    dot_sources(g, out);
    dot_kernels(g, out);
    dot_edges(g, out);
    fprintf(out, "}\n");
}
