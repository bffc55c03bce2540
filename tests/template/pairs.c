/* pairs.c: the ops that make the layout of layout_pairs.c, and take it. `-> Pairs` is its input, by way of memory that lies so. Of
 * compiler/ops/. */
#include "emit/writer.h"
#include "graph/graph.h"

extern const struct layout layout_pairs;

static bool pair_shape(const double *attr, const struct tensor *const *in, int nin, struct tensor *out, int nout)
{
    (void)attr, (void)nin, (void)nout;
    out[0] = *in[0];
    out[0].layout = &layout_pairs;
    return in_lanes(in[0]) && in[0]->dtype == DT_F32;
}

static bool unpair_shape(const double *attr, const struct tensor *const *in, int nin, struct tensor *out, int nout)
{
    (void)attr, (void)nin, (void)nout;
    out[0] = *in[0];
    out[0].layout = &layout_block;
    return in[0]->rows && in[0]->layout == &layout_pairs;
}

static void pair_grad(struct graph *g, struct node *n, struct value *const *gy, struct value **gx)
{
    (void)n;
    gx[0] = graph_op(g, "unpair", NULL, gy[0], NULL);
}

static void unpair_grad(struct graph *g, struct node *n, struct value *const *gy, struct value **gx)
{
    (void)n;
    gx[0] = graph_op(g, "pair", NULL, gy[0], NULL);
}

static void copy_emit(struct writer *w, const struct stage *s)
{
    open_kernel(w);
    open_values(w, "e", tensor_elements(tensor_of(w, s->in[0])), 1);
    put(w, "for (int64_t m = 0; m < blocks * $; m++)");
    put(w, "    %s = %s;", row_value(w, s->out[0], "m", "e"), row_value(w, s->in[0], "m", "e"));
    put(w, "}");
    close_kernel(w);
}

/* clang-format off */
static const struct op op[] = {
    {.name = "pair", .doc = "puts samples in pairs", .kind = OP_MOVE, .nin = 1, .nout = 1, .shape = pair_shape, .grad = pair_grad,
     .emit = copy_emit},
    {.name = "unpair", .doc = "takes them from there", .kind = OP_MOVE, .nin = 1, .nout = 1, .shape = unpair_shape, .grad = unpair_grad,
     .emit = copy_emit},
};
/* clang-format on */

static struct value *pairs(struct site *s, const struct args *a, struct value *const *x, int nx)
{
    (void)a, (void)nx;
    return graph_op(s->graph, "unpair", NULL, graph_op(s->graph, "pair", NULL, x[0], NULL), NULL);
}

static const struct word word[] = {{.kind = WORD_LAYER, .name = "Pairs", .doc = "its input", .build = pairs}};

const struct module module_pairs = {op, COUNT(op), word, COUNT(word)};
