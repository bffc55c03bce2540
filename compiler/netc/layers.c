/* layers.c: from the nodes of the graphs back to the layers of the source. Nodes remember the path of their layer and
 * where its word stands in the text; kernels and tensors say what became of it. Training decides, as its step is what
 * people fit into memory; layers that only prediction has are told from its graph. */
#include "layers.h"

#include <string.h>

/* One graph, and what is known of its values and kernels. */
struct view {
    const struct compilation *c;
    const struct graph *g;
    int nline;
    const char **line; /* of the source; line[0] is the first */
    enum part *part;   /* of each node */
    int *tensor;       /* of each value: in the plan, -1 for views */
    int *layer;        /* of each value: index of the layer that made it, or whose parameter it is, -1: none */
    int nlayer;
    struct layer *list;
    const struct node **last; /* of each layer: the node that makes its result */
};

/* ---- what a layer is called ---- */

/* The word at a place of the source; NULL if none of ours stands there. */
static const struct word *word_at_place(const struct view *v, struct loc at)
{
    const char *line = at.line >= 1 && at.line <= v->nline ? v->line[at.line - 1] : "";
    if (at.col < 1 || at.end <= at.col || strcspn(line, "\n") < (size_t)at.end - 1)
        return NULL;
    return word_find(WORD_LAYER, region_printf(v->c->region, "%.*s", at.end - at.col, line + at.col - 1));
}

static void find_lines(struct view *v)
{
    for (const char *at = v->c->text; at; at = next_line(at)) {
        region_grow(v->c->region, v->line, v->nline);
        v->line[v->nline++] = at;
    }
}

static bool takes(const struct word *w, const char *arg)
{
    for (int i = 0; i < MAX_WORD_ARGS && w->arg[i].name; i++)
        if (!strcmp(w->arg[i].name, arg))
            return true;
    return false;
}

static const char *pair_text(struct region *r, long long h, long long w, bool both)
{
    return h == w && !both ? region_printf(r, "%lld", h) : region_printf(r, "%lldx%lld", h, w);
}

/* "Conv 3x3 / 2", "MaxPool 2", "Dropout 0.3": the word with the arguments that people speak of. */
static const char *label_of(const struct compilation *c, const struct word *w, const struct node *n)
{
    struct region *r = c->region;
    int stride = op_attr(n->op, "stride_h"), window = op_attr(n->op, "r"), p = op_attr(n->op, "p");
    if (takes(w, "p") && p >= 0)
        return region_printf(r, "%s %.4g", w->name, n->attr[p]);
    if (!takes(w, "kernel") || stride < 0)
        return w->name;
    const struct tensor *weight = n->nin > 1 ? &n->in[1]->t : NULL;
    long long h = window >= 0 ? (long long)n->attr[window] : weight ? weight->dim[2] : 0;
    long long v = window >= 0 ? (long long)n->attr[window + 1] : weight ? weight->dim[3] : 0;
    long long sh = (long long)n->attr[stride], sw = (long long)n->attr[stride + 1];
    bool usual = window >= 0 ? sh == h && sw == v : sh == 1 && sw == 1;
    return region_printf(r, "%s %s%s%s", w->name, pair_text(r, h, v, window < 0), usual ? "" : " / ",
                         usual ? "" : pair_text(r, sh, sw, false));
}

/* ---- nodes -> layers ---- */

static const struct value *behind_views(const struct value *v)
{
    while (v->def && v->def->op->kind == OP_VIEW)
        v = v->def->in[0];
    return v;
}

static bool same_place(struct loc a, struct loc b)
{
    return a.line == b.line && a.col == b.col;
}

static bool is_sum(const char *path)
{
    const char *dot = strrchr(path, '.');
    return !strcmp(dot ? dot + 1 : path, "+");
}

/* Every `+` is a layer of its own, though all of a block have one name. */
static bool same_layer(const struct layer *l, const struct node *last, const struct node *n)
{
    return !is_sum(n->layer) && same_place(last->loc, n->loc) && !strcmp(l->path, n->layer);
}

static void start_layer(struct view *v, const struct node *n)
{
    const struct word *w = word_at_place(v, n->loc);
    const struct value *y = n->out[0];
    bool input = y->t.role == ROLE_INPUT && n->op->kind != OP_VIEW, add = is_sum(n->layer);
    const char *word = input ? "input" : add ? "Add" : w ? w->name : n->op->name;
    region_grow(v->c->region, v->last, v->nlayer);
    region_grow(v->c->region, v->list, v->nlayer);
    v->list[v->nlayer++] = (struct layer){.path = n->layer,
                                          .label = word,
                                          .word = !input && w ? w->name : NULL,
                                          .fate = "",
                                          .kind = n->op->kind,
                                          .input = input,
                                          .named = input || (!add && strcmp(y->maker, word)),
                                          .predicts = v->g->phase == PHASE_PREDICT,
                                          .trains = v->g->phase == PHASE_TRAIN};
}

/* The layer that made a value, be it laid out anew since; -1: none. */
static int made_in(const struct view *v, const struct value *x)
{
    while (v->layer[x->id] < 0 && x->def && x->def->nin)
        x = x->def->in[0];
    return x->t.role == ROLE_PARAM ? -1 : v->layer[x->id];
}

static int count_of(const int *list, int n, int what)
{
    int times = 0;
    for (int i = 0; i < n; i++)
        times += list[i] == what;
    return times;
}

/* What two nodes of a layer read is one operand; what one node reads twice is two. */
static void add_operands(struct view *v, struct layer *l, const struct node *n)
{
    int *reads = region_alloc(v->c->region, (size_t)n->nin + 1, sizeof *reads);
    for (int i = 0; i < n->nin; i++) {
        reads[i] = made_in(v, n->in[i]);
        if (reads[i] < 0 || reads[i] == l - v->list ||
            count_of(l->from, l->nfrom, reads[i]) >= count_of(reads, i + 1, reads[i]))
            continue;
        region_grow(v->c->region, l->from, l->nfrom);
        l->from[l->nfrom++] = reads[i];
    }
}

static void add_node(struct view *v, const struct node *n)
{
    if (!v->nlayer || !same_layer(&v->list[v->nlayer - 1], v->last[v->nlayer - 1], n))
        start_layer(v, n);
    int index = v->nlayer - 1;
    struct layer *l = &v->list[index];
    const struct word *w = l->input ? NULL : word_at_place(v, n->loc);
    v->last[index] = n;
    l->out = n->out[0];
    l->kind = l->kind == OP_VIEW ? n->op->kind : l->kind;
    add_operands(v, l, n);
    l->macs += node_count(n, n->op->macs);
    for (int o = 0; o < n->nout; o++)
        v->layer[n->out[o]->id] = index;
    for (int i = 0; i < n->nin; i++)
        if (n->in[i]->t.role == ROLE_PARAM && v->layer[n->in[i]->id] < 0) {
            const char *dot = strrchr(n->in[i]->t.name, '.');
            l->params += value_elements(n->in[i]);
            l->bias |= dot && !strcmp(dot, ".bias");
            v->layer[n->in[i]->id] = index; /* two nodes may read it */
        }
    const char *label = w ? label_of(v->c, w, n) : l->label;
    if (strlen(label) > strlen(l->label)) /* of its nodes, the one with the kernel knows most */
        l->label = label;
}

static void find_tensors(struct view *v)
{
    const struct plan *p = v->c->plan;
    const struct schedule *s = plan_schedule(p, v->c->target, v->g->phase);
    for (int i = 0; i < v->g->nvalue; i++)
        v->tensor[i] = v->layer[i] = -1;
    for (int k = 0; s && k < v->g->ngroup; k++)
        for (int i = 0; i < v->g->group[k]->nnode; i++)
            for (int o = 0; o < v->g->group[k]->node[i]->nout; o++)
                v->tensor[v->g->group[k]->node[i]->out[o]->id] = p->kernel[s->first_kernel + k].stage[i].out[o];
}

/* Not a layer: what the compiler adds around them, the loss, and the metrics, which stand at its place. */
static bool is_layer(const struct graph *g, const struct node *n)
{
    return n->nout && n->layer && n->out[0]->t.role != ROLE_TARGET && strcmp(n->op->name, "relayout") &&
           (!g->loss || !same_place(n->loc, g->loss->loc));
}

/* A gradient belongs to the layer at its place. */
static void add_gradient(struct view *v, const struct node *n)
{
    for (int i = 0; n->layer && i < v->nlayer; i++)
        if (same_layer(&v->list[i], v->last[i], n)) {
            v->list[i].grad_macs += node_count(n, n->op->macs);
            return;
        }
}

static struct view view_of(const struct compilation *c, enum phase phase)
{
    const struct graph *g = c->graph[phase];
    struct view v = {.c = c, .g = g, .part = parts_of(g)};
    v.tensor = region_alloc(c->region, (size_t)g->nvalue + 1, sizeof *v.tensor);
    v.layer = region_alloc(c->region, (size_t)g->nvalue + 1, sizeof *v.layer);
    find_lines(&v);
    find_tensors(&v);
    for (int k = 0; k < g->nnode; k++)
        if (v.part[k] == PART_FORWARD && is_layer(g, g->node[k]))
            add_node(&v, g->node[k]);
    for (int k = 0; k < g->nnode; k++)
        if (v.part[k] == PART_BACKWARD)
            add_gradient(&v, g->node[k]);
    for (int i = 0; i < g->noutput; i++) {
        int at = made_in(&v, g->output[i].value);
        if (at >= 0)
            v.list[at].outputs = v.list[at].outputs
                                     ? region_printf(c->region, "%s, %s", v.list[at].outputs, g->output[i].name)
                                     : g->output[i].name;
    }
    return v;
}

/* ---- what became of them ---- */

static const struct tensor *tensor_of_value(const struct view *v, const struct value *x)
{
    int i = v->tensor[x->id];
    return i >= 0 ? &v->c->plan->tensor[i] : NULL;
}

static int layer_of(const struct view *v, const struct node *n)
{
    return n->nout ? v->layer[n->out[0]->id] : -1;
}

/* Values with rows that a kernel behind the forward part reads, each buffer once. */
static void count_kept(struct view *v)
{
    bool *seen = region_alloc(v->c->region, (size_t)v->c->plan->ntensor + 1, sizeof *seen);
    for (int k = 0; k < v->g->nnode; k++) {
        const struct node *n = v->g->node[k];
        for (int i = 0; v->part[k] != PART_FORWARD && n->op->kind != OP_VIEW && i < n->nin; i++) {
            const struct value *x = behind_views(n->in[i]);
            int at = v->layer[x->id];
            const struct tensor *t = at >= 0 ? tensor_of_value(v, x) : NULL;
            if (!t || !t->rows || (t->base < 0 && t->first == t->last))
                continue;
            int root = t->base >= 0 ? t->base : v->tensor[x->id];
            v->list[at].kept += seen[root] ? 0 : t->bytes;
            seen[root] = true;
        }
    }
}

struct fate {
    int kernels;        /* that begin in this layer */
    const char *joined; /* the layers behind it in them: " + ReLU" */
    int into;           /* the layer whose kernel it joined, -1: none */
    bool in_place;      /* a result took the bytes of an operand */
    bool moved;         /* it is in a kernel: no view */
};

static void find_fates(const struct view *v, struct fate *f)
{
    struct region *r = v->c->region;
    for (int i = 0; i < v->nlayer; i++)
        f[i] = (struct fate){.joined = "", .into = -1};
    for (int k = 0; k < v->g->ngroup; k++) {
        const struct group *p = v->g->group[k];
        int anchor = layer_of(v, p->node[0]), before = anchor;
        if (anchor < 0)
            continue;
        f[anchor].kernels++;
        f[anchor].moved = true;
        for (int i = 0; i < p->nnode; i++) {
            const struct node *n = p->node[i];
            int at = layer_of(v, n);
            const struct tensor *t = at >= 0 && n->nout ? tensor_of_value(v, n->out[0]) : NULL;
            if (at < 0)
                continue;
            f[at].moved = true;
            f[at].in_place |= t && t->base >= 0 && t->rows;
            if (at == anchor || at == before || !n->out[0]->t.rows)
                continue;
            f[anchor].joined = region_printf(r, "%s + %s", f[anchor].joined, v->list[at].label);
            f[at].into = anchor;
            before = at;
        }
    }
}

static const char *name_of_layer(struct region *r, const struct layer *l)
{
    return l->named ? l->path : region_printf(r, "%s of line %d", l->label, l->out->loc.line);
}

/* Layers without parameters that share the kernel of one before them and its shape are told on the line of that one. */
static void tell(struct view *v)
{
    struct region *r = v->c->region;
    struct fate *f = region_alloc(r, (size_t)v->nlayer + 1, sizeof *f);
    int *line = region_alloc(r, (size_t)v->g->ngroup + 1, sizeof *line);
    for (int k = 0; k < v->g->ngroup; k++)
        line[k] = -1;
    find_fates(v, f);
    for (int i = 0; i < v->nlayer; i++) {
        struct layer *l = &v->list[i];
        const struct node *n = v->last[i];
        l->line = i;
        if (!f[i].moved) {
            l->fate = "view, no copy";
            continue;
        }
        int to = line[n->group];
        bool joined = !f[i].kernels && f[i].into >= 0;
        if (joined && to >= 0 && !l->params && same_shape(&v->list[to].out->t, &l->out->t)) {
            l->line = to;
            v->list[to].kept += l->kept;
            f[to].in_place |= f[i].in_place;
        } else
            line[n->group] = i;
        if (joined)
            l->fate = region_printf(r, "fused into %s", name_of_layer(r, &v->list[f[i].into]));
    }
    for (int i = 0; i < v->nlayer; i++) {
        const char *own = f[i].kernels > 1 ? region_printf(r, "%d kernels", f[i].kernels) : "kernel";
        if (f[i].kernels || (f[i].in_place && v->list[i].line == i))
            v->list[i].fate = region_printf(r, "%s%s%s", f[i].kernels ? own : v->list[i].fate,
                                            f[i].in_place ? ", in place" : "", f[i].joined);
    }
}

/* ---- training and prediction, together ---- */

static bool is_same(const struct view *a, int i, const struct view *b, int j)
{
    const struct node *x = a->last[i], *y = b->last[j];
    return !strcmp(a->list[i].path, b->list[j].path) && (a->list[i].input || same_place(x->loc, y->loc));
}

static bool comes(const struct view *train, int from, const struct view *predict, int j)
{
    for (int i = from; i < train->nlayer; i++)
        if (is_same(train, i, predict, j))
            return true;
    return false;
}

static struct layer *merge(const struct view *train, const struct view *predict, int *count)
{
    struct region *r = train->c->region;
    int n = 0, i = 0, j = 0, most = train->nlayer + predict->nlayer;
    struct layer *list = region_alloc(r, (size_t)most + 1, sizeof *list);
    int *place[2] = {region_alloc(r, (size_t)most + 1, sizeof(int)), region_alloc(r, (size_t)most + 1, sizeof(int))};
    while (i < train->nlayer || j < predict->nlayer) {
        bool both = i < train->nlayer && j < predict->nlayer && is_same(train, i, predict, j);
        bool first = both || j == predict->nlayer || (i < train->nlayer && comes(train, i, predict, j));
        struct layer *l = &list[n];
        *l = first ? train->list[i] : predict->list[j];
        if (first)
            place[0][i] = n;
        if (both || !first)
            place[1][j] = n;
        l->line = place[!first][l->line];
        for (int k = 0; k < l->nfrom; k++)
            l->from[k] = place[!first][l->from[k]];
        l->outputs = both ? predict->list[j].outputs : l->outputs;
        l->predicts = both || !first;
        i += first;
        j += both || !first;
        n++;
    }
    *count = n;
    return list;
}

struct layer *layers_of(const struct compilation *c, int *count)
{
    struct view train = view_of(c, PHASE_TRAIN), predict = view_of(c, PHASE_PREDICT);
    count_kept(&train);
    tell(&train);
    tell(&predict);
    struct layer *list = merge(&train, &predict, count);
    for (int i = 0, number = 0; i < *count; i++)
        list[i].number = list[i].input ? 0 : ++number;
    return list;
}
