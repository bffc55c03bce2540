/* graph.c: values and nodes in topological order. */
#include "graph.h"
#include "plan/plan_text.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

struct graph *graph_new(enum phase ph, struct region *r, struct diag *d)
{
    struct graph *g = region_alloc(r, 1, sizeof *g);
    g->phase = ph;
    g->layout = &layout_block;
    g->region = r;
    g->diag = d;
    const int64_t words[] = {CTL_WORDS};
    g->control = graph_source(g, ROLE_CONTROL, DT_U32, false, 1, words, "@control", (struct loc){0});
    return g;
}

static struct value *add_value(struct graph *g, const struct tensor *t, struct loc loc)
{
    struct value *v = region_alloc(g->region, 1, sizeof *v);
    v->t = *t;
    v->t.base = -1;
    v->t.schedule = -1;
    v->t.line = loc.line;
    v->loc = loc;
    v->id = g->nvalue;
    region_grow(g->region, g->value, g->nvalue);
    g->value[g->nvalue++] = v;
    return v;
}

struct value *graph_source(struct graph *g, enum role role, enum dtype d, bool rows, int rank, const int64_t *dim,
                           const char *name, struct loc loc)
{
    struct tensor t = {.role = role, .dtype = d, .rows = rows, .rank = rank};
    t.layout = rows ? g->layout : NULL;
    t.name = (char *)name;
    memcpy(t.dim, dim, (size_t)rank * sizeof *dim);
    struct value *v = add_value(g, &t, loc);
    v->maker = name;
    if (role == ROLE_INPUT || role == ROLE_TARGET)
        v->maker = region_printf(g->region, "%s `%s`", role == ROLE_TARGET ? "target" : "input", name);
    return v;
}

static struct value *copy_of(const struct graph *g, const struct value *v)
{
    return v ? g->value[v->id] : NULL;
}

struct graph *graph_copy(const struct graph *from)
{
    struct region *r = from->region;
    struct graph *g = region_alloc(r, 1, sizeof *g);
    *g = *from;
    g->value = NULL;
    g->node = NULL;
    g->output = NULL;
    for (int i = 0; i < g->nvalue; i++) {
        region_grow(r, g->value, i);
        g->value[i] = region_alloc(r, 1, sizeof **g->value);
        *g->value[i] = *from->value[i];
    }
    for (int k = 0; k < g->nnode; k++) {
        region_grow(r, g->node, k);
        struct node *n = g->node[k] = region_alloc(r, 1, sizeof *n);
        *n = *from->node[k];
        n->in = region_alloc(r, (size_t)(n->nin + n->nout), sizeof *n->in);
        n->out = n->in + n->nin;
        for (int i = 0; i < n->nin; i++)
            n->in[i] = copy_of(g, from->node[k]->in[i]);
        for (int o = 0; o < n->nout; o++) {
            n->out[o] = copy_of(g, from->node[k]->out[o]);
            n->out[o]->def = n;
        }
    }
    for (int i = 0; i < g->nvalue; i++) {
        struct value *v = g->value[i];
        v->grad = copy_of(g, v->grad);
        v->instead = copy_of(g, v->instead);
        v->member_of = copy_of(g, v->member_of);
    }
    for (int i = 0; i < g->noutput; i++) {
        region_grow(r, g->output, i);
        g->output[i] = from->output[i];
        g->output[i].value = copy_of(g, g->output[i].value);
    }
    g->loss = copy_of(g, g->loss);
    g->control = copy_of(g, g->control);
    return g;
}

/* False after an error, where a tensor is beyond what plans and kernels can hold. */
static bool size_fits(struct graph *g, const struct tensor *t, struct loc at, const char *what)
{
    int64_t n = tensor_elements(t), most = t->rows ? MAX_ELEMENTS : MAX_WEIGHTS;
    if (n >= 0 && n <= most)
        return true;
    diag_error(g->diag, "N0417", at, NULL, "%s has more than %lld values%s", what, (long long)most,
               t->rows ? " for one sample" : "");
    return false;
}

struct value *graph_param(struct site *s, enum role role, const char *name, int rank, const int64_t *dim,
                          enum init init, double bound, int fan_in)
{
    const char *full = region_printf(s->graph->region, "%s.%s", s->path, name);
    struct value *v = graph_source(s->graph, role, DT_F32, false, rank, dim, full, s->loc);
    if (strlen(full) > MAX_PATH)
        diag_error(s->diag, "N0417", s->loc, NULL,
                   "the name of this layer's `%s` has %zu characters, with those of the blocks "
                   "around it; %d are possible",
                   name, strlen(full), MAX_PATH);
    size_fits(s->graph, &v->t, s->loc, region_printf(s->graph->region, "`%s`", full));
    v->t.init = init;
    v->t.bound = bound;
    v->t.fan_in = fan_in;
    v->maker = s->path;
    return v;
}

struct value *graph_bias(struct site *s, const struct args *a, int wanted, int init, struct value *y, double bound,
                         int fan_in)
{
    if (a->num[wanted][0] == 0 && a->given[init])
        diag_error(s->diag, "N0420", a->loc[init], NULL, "there is no bias to begin with anything");
    if (a->num[wanted][0] == 0)
        return y;
    struct value *b = graph_begun(s, a, init, "bias", 1, y->t.dim, bound, fan_in);
    return graph_op(s->graph, "add", NULL, y, b, NULL);
}

struct operands {
    const struct tensor *in[MAX_OPERANDS], *out[MAX_OPERANDS];
};

static struct operands operands_of(const struct node *n)
{
    struct operands x;
    for (int i = 0; i < n->nin; i++)
        x.in[i] = &n->in[i]->t;
    for (int o = 0; o < n->nout; o++)
        x.out[o] = &n->out[o]->t;
    return x;
}

int64_t node_count(const struct node *n, op_count *rule)
{
    const struct operands x = operands_of(n);
    return rule ? rule(n->attr, x.in, x.out) : 0;
}

int64_t node_scratch(const struct node *n, const struct target *t, bool rows)
{
    const struct operands x = operands_of(n);
    return op_scratch(n->op, t, rows, n->attr, x.in, x.out);
}

struct node *graph_node(struct graph *g, const char *name, const double *attr, struct value *const *in, int nin)
{
    const struct op *op = op_find(name);
    if (!op || (op->nin >= 0 && nin != op->nin) || nin > MAX_OPERANDS) {
        fprintf(stderr, "internal error: no op `%s` over %d values\n", name, nin);
        exit(70);
    }
    struct node *n = region_alloc(g->region, 1, sizeof *n);
    n->op = op;
    n->loc = g->at;
    n->layer = g->layer;
    const int nattr = op_attrs(op);
    n->attr = region_alloc(g->region, (size_t)nattr, sizeof *n->attr);
    n->in = region_alloc(g->region, (size_t)nin, sizeof *n->in);
    n->out = region_alloc(g->region, (size_t)op->nout, sizeof *n->out);
    for (int i = 0; attr && i < nattr; i++)
        n->attr[i] = attr[i];
    const struct tensor *ins[MAX_OPERANDS];
    struct tensor outs[MAX_OPERANDS] = {{0}};
    n->nin = nin;
    for (int i = 0; i < nin; i++) {
        n->in[i] = in[i];
        ins[i] = &in[i]->t;
    }
    n->nout = op->nout;
    g->serial++;
    if (!op->shape(n->attr, ins, nin, outs, op->nout)) {
        fprintf(stderr, "internal error: `%s` does not accept its operands:", name);
        for (int i = 0; i < nin; i++)
            fprintf(stderr, " %s[%s]", in[i]->t.name, shape_text(g->region, in[i]));
        fprintf(stderr, "\n");
        exit(70);
    }
    const char *what = region_printf(g->region, "`%s`", n->layer ? n->layer : name);
    if (n->nout && outs->rows)
        size_fits(g, outs, g->at, what);
    for (int o = 0; o < n->nout; o++) { /* rules may copy an operand: keep its shape, type and layout only */
        outs[o].role = ROLE_VALUE;
        outs[o].init = INIT_ZERO;
        outs[o].fan_in = 0;
        outs[o].name = o ? region_printf(g->region, "%s@%d_%d", name, g->serial, o)
                         : region_printf(g->region, "%s@%d", name, g->serial);
        n->out[o] = add_value(g, &outs[o], g->at);
        n->out[o]->maker = g->layer ? g->layer : name;
        n->out[o]->def = n;
        n->out[o]->out = o;
    }
    region_grow(g->region, g->node, g->nnode);
    g->node[g->nnode++] = n;
    return n;
}

struct value *graph_op(struct graph *g, const char *op, const double *attr, ...)
{
    struct value *in[MAX_OPERANDS];
    int n = 0;
    va_list ap;
    va_start(ap, attr);
    for (struct value *v; n < MAX_OPERANDS && (v = va_arg(ap, struct value *));)
        in[n++] = v;
    va_end(ap);
    const struct node *made = graph_node(g, op, attr, in, n);
    return made->nout ? made->out[0] : NULL;
}

const char *shape_text(struct region *r, const struct value *v)
{
    char text[MAX_RANK * 24] = "1";
    int n = 0;
    for (int i = 0; i < v->t.rank; i++)
        n += snprintf(text + n, sizeof text - (size_t)n, "%s%lld", i ? "x" : "", (long long)v->t.dim[i]);
    return region_copy(r, text);
}

const char *shape_words(struct region *r, const struct value *v)
{
    return v->t.rank == 1 ? region_printf(r, "a vector of %lld", (long long)v->t.dim[0])
           : v->t.rank    ? shape_text(r, v)
                          : "one value";
}

int64_t value_elements(const struct value *v)
{
    int64_t n = 1;
    for (int i = 0; i < v->t.rank; i++)
        if (__builtin_mul_overflow(n, v->t.dim[i], &n))
            return -1;
    return n;
}

void graph_verify(const struct graph *g, const char *after_pass)
{
    bool *made = calloc((size_t)g->nvalue, sizeof *made);
    const char *wrong = made ? NULL : "out of memory";
    for (int i = 0; !wrong && i < g->nvalue; i++) {
        if (g->value[i]->id != i)
            wrong = "value ids are not their indices";
        made[i] = !g->value[i]->def;
    }
    int k = 0;
    for (; !wrong && k < g->nnode; k++) {
        const struct node *n = g->node[k];
        for (int i = 0; i < n->nin; i++)
            if (!made[n->in[i]->id])
                wrong = "a value is used before it is made";
        for (int o = 0; o < n->nout; o++) {
            if (made[n->out[o]->id] || n->out[o]->def != n)
                wrong = "a value is made twice";
            made[n->out[o]->id] = true;
        }
        if (wrong)
            break;
    }
    free(made);
    if (wrong) {
        fprintf(stderr, "internal error: after %s: node %d (%s): %s\n", after_pass, k,
                k < g->nnode ? g->node[k]->op->name : "-", wrong);
        exit(70);
    }
}

static void print_value(const struct graph *g, const struct value *v, FILE *out)
{
    static const char *const dtype[] = {"f32", "u8", "i32", "u32", "f64"};
    fprintf(out, "%%%d %s : %s[%s]%s", v->id, v->t.name, dtype[v->t.dtype], v->t.rank ? shape_text(g->region, v) : "",
            v->t.rows ? " rows" : "");
    if (v->t.rows && v->t.layout->samples > 1)
        fprintf(out, "/%d", v->t.layout->samples);
}

/* One line per node: what it makes, op, attributes, operands, line of the source. */
void graph_print(const struct graph *g, FILE *out)
{
    fprintf(out, "graph %s\n", phase_word[g->phase]);
    for (int i = 0; i < g->nvalue; i++)
        if (!g->value[i]->def) {
            fprintf(out, "  ");
            print_value(g, g->value[i], out);
            fprintf(out, "\n");
        }
    for (int k = 0; k < g->nnode; k++) {
        const struct node *n = g->node[k];
        fprintf(out, "  ");
        for (int o = 0; o < n->nout; o++) {
            if (o)
                fprintf(out, ", ");
            print_value(g, n->out[o], out);
        }
        fprintf(out, "%s%s(", n->nout ? " = " : "", n->op->name);
        for (int i = 0; i < n->nin; i++)
            fprintf(out, "%s%%%d", i ? ", " : "", n->in[i]->id);
        fprintf(out, ")");
        for (int i = 0; i < MAX_ATTRS && n->op->attr[i]; i++)
            fprintf(out, " %s=%.17g", n->op->attr[i], n->attr[i]);
        if (n->loc.line)
            fprintf(out, "   # line %d", n->loc.line);
        fprintf(out, "\n");
    }
    for (int i = 0; i < g->noutput; i++)
        fprintf(out, "  output %s = %%%d\n", g->output[i].name, g->output[i].value->id);
}
