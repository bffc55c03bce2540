/* softmax.c: over the channels of each sample (and place). Only the result is kept for the gradient y (y' - sum y' y). */
#include "emit/writer.h"
#include "graph/graph.h"

static bool shape(const double *a, const struct tensor *const *in, int nin, struct tensor *out, int nout)
{
    (void)a, (void)nout;
    if (!in_lanes(in[0]) || in[0]->dtype != DT_F32 || in[0]->rank < 1)
        return false;
    if (nin > 1 && (!same_shape(in[0], in[1]) || in[1]->dtype != DT_F32 || !in_lanes(in[1])))
        return false;
    out[0] = *in[0];
    return true;
}

static void softmax_grad(struct graph *g, struct node *n, struct value *const *gy, struct value **gx)
{
    gx[0] = graph_op(g, "softmax_dx", NULL, gy[0], n->out[0], NULL);
}

static void open_places(struct writer *w, const struct tensor *t)
{
    open_samples(w);
    put(w, "for (int64_t i = 0; i < %lld; i++) {", (long long)(tensor_elements(t) / t->dim[0]));
}

static const char *element(struct writer *w, const struct tensor *t)
{
    return region_printf(w->region, "(k * %lld + i)", (long long)(tensor_elements(t) / t->dim[0]));
}

static void softmax_emit(struct writer *w, const struct stage *s)
{
    const struct tensor *t = tensor_of(w, s->in[0]);
    long long K = t->dim[0];
    const char *e = element(w, t), *x = region_printf(w->region, "ld(%s)", place_of(w, s->in[0], "block", e));
    open_places(w, t);
    put(w, "V top = num(-INFINITE);");
    put(w, "struct sum exps = {};");
    put(w, "for (int64_t k = 0; k < %lld; k++) {", K);
    put(w, "const V x = %s;", x);
    put(w, "top = sel((x > top) | (x != x), x, top);");
    put(w, "}");
    put(w, "for (int64_t k = 0; k < %lld; k++)", K);
    put(w, "    sum_add(&exps, v_exp(%s - top));", x);
    put(w, "const V total = sum_of(&exps);");
    put(w, "for (int64_t k = 0; k < %lld; k++)", K);
    put(w, "    st(%s, v_exp(%s - top) / total);", place_of(w, s->out[0], "block", e), x);
    put(w, "}");
    close_samples(w);
}

static void softmax_dx_emit(struct writer *w, const struct stage *s)
{
    const struct tensor *t = tensor_of(w, s->in[0]);
    long long K = t->dim[0];
    const char *e = element(w, t);
    const char *g = place_of(w, s->in[0], "block", e), *y = place_of(w, s->in[1], "block", e);
    open_places(w, t);
    put(w, "struct sum products = {};");
    put(w, "for (int64_t k = 0; k < %lld; k++)", K);
    put(w, "    sum_add(&products, ld(%s) * ld(%s));", g, y);
    put(w, "const V dot = sum_of(&products);");
    put(w, "for (int64_t k = 0; k < %lld; k++)", K);
    put(w, "    st(%s, ld(%s) * (ld(%s) - dot));", place_of(w, s->out[0], "block", e), y, g);
    put(w, "}");
    close_samples(w);
}

static struct value *softmax(struct site *s, const struct args *a, struct value *const *x, int nx)
{
    (void)a, (void)nx;
    return graph_op(s->graph, "softmax", NULL, x[0], NULL);
}

/* clang-format off */
static const struct op op[] = {
    {.name = "softmax", .doc = "exp(x) / sum exp(x) over the channels", .kind = OP_ROW, .nin = 1, .nout = 1, .shape = shape,
     .grad = softmax_grad, .emit = softmax_emit},
    {.name = "softmax_dx", .doc = "gradient of softmax", .kind = OP_ROW, .nin = 2, .nout = 1, .shape = shape, .emit = softmax_dx_emit},
};

static const struct word word[] = {
    {.kind = WORD_LAYER, .name = "Softmax", .doc = "exp(x) / sum exp(x) over the channels", .build = softmax},
};
/* clang-format on */

const struct module module_softmax = {op, COUNT(op), word, COUNT(word)};
