/* batchnorm.c: normalisation over the samples (and places) of a batch, per channel. Ioffe & Szegedy, arXiv 1502.03167.
 * Built from sums per channel and maps; the gradient is the closed form, so that mean and variance are not differentiated:
 *   x' = w / sd * (y' - (sum y' + x^ * sum y' x^) / n),   x^ = (x - mean) / sd
 * Sums are compensated and meet in double, one task a channel: any number of threads gives the same bits. What is made of
 * them is rounded once, for these gradients are small differences of large sums. */
#include "emit/writer.h"
#include "graph/graph.h"

#include <string.h>

enum { SETTLE = 256 }; /* terms of a sum between two times that it is settled */
enum { EPS };          /* attribute of chan_affine */

static bool sum_shape(const double *attr, const struct tensor *const *in, int nin, struct tensor *out, int nout)
{
    struct tensor wide[1];
    if (!in[0]->rows || in[0]->rank < 1 || !map_shape(attr, in, nin, wide, 1) || wide->dim[0] != in[0]->dim[0] ||
        wide->rank != in[0]->rank)
        return false;
    for (int o = 0; o < nout; o++)
        out[o] = (struct tensor){.dtype = DT_F32, .rank = 1, .dim = {in[0]->dim[0]}};
    return true;
}

static void put_settle(struct writer *w, int sums)
{
    for (int i = 0; i < sums; i++)
        put(w, "sum_settle(&sum%d);", i);
}

/* The terms of channel c, the stage's expressions, in sum0, sum1; then total0, total1. */
static void put_totals(struct writer *w, const struct stage *s, int64_t places, int sums)
{
    for (int i = 0; i < sums; i++)
        put(w, "struct sum sum%d = {};", i);
    open_terms(w, places);
    put_maps(w, 0, 1, "block", "e", "c");
    for (int i = 0; i < sums; i++)
        put(w, "sum_add(&sum%d, sel(live, v%d, num(0)));", i, var_of(w, s->out[i]));
    if (places > SETTLE) {
        put(w, "if (e %% %d == 0) {", SETTLE);
        put_settle(w, sums);
        put(w, "}");
    }
    put(w, "}");
    put_settle(w, sums);
    put(w, "}");
    for (int i = 0; i < sums; i++)
        put_fold(w, region_printf(w->region, "total%d", i), region_printf(w->region, "sum_of_lanes(&sum%d)", i),
                 i == 0);
}

/* result[o] in terms of the totals, of `n`, the number of values, and of the stage's operands. */
static void put_sums(struct writer *w, const struct stage *s, int sums, const char *const *result)
{
    const struct tensor *x = tensor_of(w, s->in[0]);
    const int64_t C = x->dim[0], places = tensor_elements(x) / C;
    open_kernel(w);
    open_team(w, C);
    put_totals(w, s, places, sums);
    open_lead(w);
    put(w, "const double n = %lld.0 * a->control[%d];", (long long)places, CTL_ROWS);
    put(w, "(void)n;");
    for (int o = 0; o < s->nout; o++)
        if (is_stored(w, s->out[o]))
            put(w, "%s[c] = (real)(%s);", name_of(w, s->out[o]), result[o]);
    close_lead(w);
    close_team(w);
    close_kernel(w);
}

static void sum_emit(struct writer *w, const struct stage *s)
{
    put_sums(w, s, 1, (const char *const[]){"total0"});
}

/* The mean, and how much it is below the exact one for having been rounded. */
static void mean_emit(struct writer *w, const struct stage *s)
{
    put_sums(w, s, 1, (const char *const[]){"total0 / n", "total0 / n - (real)(total0 / n)"});
}

static void var_emit(struct writer *w, const struct stage *s)
{
    const char *rest = region_printf(w->region, "(double)%s[c]", name_of(w, s->in[2]));
    put_sums(w, s, 1, (const char *const[]){region_printf(w->region, "total0 / n - %s * %s", rest, rest)});
}

/* (x - mean) / sd * weight + bias as (x - centre) * scale + shift. The centre is the mean on so coarse a grid that x - centre is
 * exact, or a small mean would be lost in rounding that goes one way for all x; what it lacks of the mean is in the shift. */
static void affine_emit(struct writer *w, const struct stage *s)
{
    const int64_t C = tensor_of(w, s->in[0])->dim[0];
    const char *in[4];
    for (int i = 0; i < 4; i++)
        in[i] = region_printf(w->region, "(double)%s[c]", name_of(w, s->in[i]));
    open_kernel(w);
    open_values(w, "c", C, 1);
    put(w, "const double mean = %s, sd = sqrt_of(%s + %.17g);", in[0], in[1], s->attr[EPS]);
    put(w, "const real inv = (real)(1 / sd), scale = inv * (real)%s;", in[2]);
    put(w,
        "const real reach = (real)(2 * ((mean < 0 ? -mean : mean) + sd)), up = (real)mean + reach, centre = up - reach;");
    put(w, "const real result[4] = {inv, centre, scale, (real)(%s - (mean - centre) * scale)};", in[3]);
    for (int o = 0; o < s->nout; o++)
        if (is_stored(w, s->out[o]))
            put(w, "%s[c] = result[%d];", name_of(w, s->out[o]), o);
    put(w, "}");
    close_kernel(w);
}

static bool affine_shape(const double *attr, const struct tensor *const *in, int nin, struct tensor *out, int nout)
{
    (void)attr;
    for (int i = 0; i < nin; i++)
        if (in[i]->rows || in[i]->rank != 1 || in[i]->dtype != DT_F32 || in[i]->dim[0] != in[0]->dim[0] ||
            in[i]->dim[0] > INT32_MAX)
            return false;
    for (int o = 0; o < nout; o++)
        out[o] = (struct tensor){.dtype = DT_F32, .rank = 1, .dim = {in[0]->dim[0]}};
    return true;
}

static void grads_emit(struct writer *w, const struct stage *s)
{
    const char *inv = region_printf(w->region, "(double)%s[c]", name_of(w, s->in[3]));
    put_sums(w, s, 2,
             (const char *const[]){"total0", region_printf(w->region, "total1 * %s", inv), "total0 / n",
                                   region_printf(w->region, "total1 / n * %s * %s", inv, inv)});
}

static double places(const struct value *x)
{
    return (double)x->t.dim[0] / (double)value_elements(x);
}

static void normalize_grad(struct graph *g, struct node *n, struct value *const *gy, struct value **gx)
{
    struct value *x = n->in[0], *mean = n->in[1], *inv = n->in[2], *w = n->in[3];
    struct node *sums = graph_node(g, "chan_grads", NULL, (struct value *[]){gy[0], x, mean, inv}, 4);
    gx[4] = sums->out[0];
    gx[3] = sums->out[1];
    gx[0] = graph_op(g, "normalize_dx", NULL, gy[0], x, mean, inv, w, sums->out[2], sums->out[3], NULL);
}

/* clang-format off */
static const struct op op[] = {
    {.name = "chan_sum", .doc = "sum over rows and places, per channel", .kind = OP_REDUCE, .nin = 1, .nout = 1,
     .shape = sum_shape, .fwd = {"a"}, .emit = sum_emit},
    {.name = "chan_grads", .doc = "sums of y' and of y' x^, which are the gradients of bias and weight; their shares in x': sum y' / n, sum y' x^ / (n sd)",
     .kind = OP_REDUCE, .optional = true, .nin = 4, .nout = 4, .shape = sum_shape, .fwd = {"a", "a * (b - c)"}, .emit = grads_emit},
    {.name = "chan_mean", .doc = "mean over rows and places, per channel; what rounding took from it", .kind = OP_REDUCE, .optional = true,
     .nin = 1, .nout = 2,
     .shape = sum_shape, .fwd = {"a"}, .emit = mean_emit},
    {.name = "chan_var", .doc = "mean square distance from the mean, per channel (the biased variance)", .kind = OP_REDUCE, .nin = 3, .nout = 1,
     .spread = true, .shape = sum_shape, .fwd = {"(a - b) * (a - b)"}, .emit = var_emit},
    {.name = "chan_affine", .doc = "of mean, variance, weight, bias: 1 / sd; centre, scale and shift for normalize",
     .kind = OP_ROW, .optional = true, .nin = 4, .nout = 4, .attr = {"eps"}, .shape = affine_shape, .emit = affine_emit},
    {.name = "normalize", .doc = "(x - mean) / sd * weight + bias, as (x - centre) * scale + shift",
     .kind = OP_MAP, .nin = 8, .nout = 1, .shape = map_shape, .fwd = {"(a - f) * i + j"}, .grad = normalize_grad},
    {.name = "normalize_dx", .doc = "gradient of normalize by x", .kind = OP_MAP, .nin = 7, .nout = 1, .shape = map_shape,
     .letters = "abcdefi", .fwd = {"live * (d * e * (a - f - (b - c) * i))"}},
    {.name = "running_mean", .doc = "(1 - momentum) old + momentum new", .kind = OP_MAP, .nin = 2, .nout = 1, .shape = map_shape,
     .attr = {"m"}, .update = true, .gate = GATE_FINITE, .fwd = {"(1 - m) * a + m * b"}},
    {.name = "running_var", .doc = "the same with the unbiased variance", .kind = OP_MAP, .nin = 2, .nout = 1, .shape = map_shape,
     .attr = {"m", "k"}, .update = true, .gate = GATE_FINITE,
     .fwd = {"(1 - m) * a + m * (inv_run * k < 1 ? b / (1 - inv_run * k) : b)"}},
};
/* clang-format on */

enum { MOMENTUM_ARG, EPS_ARG, INIT_ARG };

static struct value *batch_norm(struct site *s, const struct args *a, struct value *const *xs, int nx)
{
    (void)nx;
    struct graph *g = s->graph;
    struct value *x = xs[0];
    if (x->t.rank != 1 && x->t.rank != 3) {
        diag_error(s->diag, "N0201", s->loc, NULL, "BatchNorm gets %s, but it needs an image or a flat vector",
                   shape_words(g->region, x));
        diag_place(s->diag, x->loc, "makes %s", shape_words(g->region, x));
        diag_help(s->diag, "put `-> Flatten` before it, or declare channels, height and width");
        return NULL;
    }
    int64_t c[1] = {x->t.dim[0]};
    double m = a->num[MOMENTUM_ARG][0], eps[MAX_ATTRS] = {a->num[EPS_ARG][0]};
    struct value *weight = a->given[INIT_ARG] ? graph_begun(s, a, INIT_ARG, "weight", 1, c, 0, 0)
                                              : graph_param(s, ROLE_PARAM, "weight", 1, c, INIT_ONE, 0, 0);
    struct value *bias = graph_param(s, ROLE_PARAM, "bias", 1, c, INIT_ZERO, 0, 0);
    struct value *mean = graph_param(s, ROLE_STATE, "running_mean", 1, c, INIT_ZERO, 0, 0);
    struct value *var = graph_param(s, ROLE_STATE, "running_var", 1, c, INIT_ONE, 0, 0);
    if (phase_trains(g->phase)) {
        struct node *own_mean = graph_node(g, "chan_mean", NULL, &x, 1);
        struct value *own_var = graph_op(g, "chan_var", NULL, x, own_mean->out[0], own_mean->out[1], NULL);
        graph_op(g, "running_mean", (double[MAX_ATTRS]){m}, mean, own_mean->out[0], NULL);
        graph_op(g, "running_var", (double[MAX_ATTRS]){m, places(x)}, var, own_var, NULL);
        mean = own_mean->out[0];
        var = own_var;
    }
    struct value *const *y = graph_node(g, "chan_affine", eps, (struct value *[]){mean, var, weight, bias}, 4)->out;
    return graph_op(g, "normalize", NULL, x, mean, y[0], weight, bias, y[1], y[2], y[3], NULL);
}

/* clang-format off */
static const struct word word[] = {
    {.kind = WORD_LAYER, .name = "BatchNorm", .doc = "normalises each channel over the batch; running statistics in evaluation",
     .build = batch_norm, .bare = -1, .bare_help = "how many channels there are the input says: `BatchNorm`",
     .arg = {{.name = "momentum", .help = "share of the new statistics", .type = ARG_NUMBER, .otherwise = 0.1, .min = 0, .max = 1},
             {.name = "eps", .help = "added to the variance", .type = ARG_NUMBER, .otherwise = 1e-5, .min = 1e-12, .max = 1},
             {.name = "init", .help = "first values of the weight, 1 otherwise", .type = ARG_INIT}}},
};
/* clang-format on */

const struct module module_batchnorm = {op, COUNT(op), word, COUNT(word)};
