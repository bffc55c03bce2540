/* batchnorm.c: normalisation over the samples (and places) of a batch, per channel. Ioffe & Szegedy, arXiv 1502.03167.
 * Built from sums per channel and maps; the gradient is the closed form, so that mean and variance are not differentiated:
 *   x' = w / sd * (y' - (sum y' + x^ * sum y' x^) / n),   x^ = (x - mean) / sd
 * Sums run in double over blocks, one task a channel: any number of threads gives the same bits. */
#include "netc.h"

#include <string.h>

enum { PLACES };                                       /* attribute of means: 1 / (height * width) */
enum { PIECE = 64 };                                   /* elements added up in float before they meet the others */

static bool sum_shape(const double *attr, const struct tensor *const *in, int nin, struct tensor *out, int nout)
{
    struct tensor wide[1];
    if (!in[0]->rows || in[0]->rank < 1 || !map_shape(attr, in, nin, wide, nout) || wide->dim[0] != in[0]->dim[0] ||
        wide->rank != in[0]->rank)
        return false;
    out[0] = (struct tensor){.dtype = DT_F32, .rank = 1, .dim = {in[0]->dim[0]}};
    return true;
}

/* A thread block a channel: its units share the places of a block, or if there are few of those the blocks; then a fixed
 * tree. */
static void put_block_sums(struct writer *w, const struct stage *s, int64_t C, int64_t places)
{
    open_kernel(w);
    w->blocks_per_task = 0;
    w->splits = (int)C;
    int units = w->threads / 16;
    bool many = places >= units / 2;
    put(w, "const int64_t c = blockIdx.x;");
    put(w, "const int lane = threadIdx.x %% 16, unit = threadIdx.x / 16;");
    put(w, "double sum = 0;");
    put(w, "for (int64_t block = %s; block < blocks; block += %d) {", many ? "0" : "unit", many ? 1 : units);
    put(w, "V piece = 0;");
    put(w, "for (int64_t e = c * %lld%s; e < (c + 1) * %lld; e += %d) {", (long long)places, many ? " + unit" : "", (long long)places, many ? units : 1);
    put_maps(w, 0, 1, "block", "e", "c");
    put(w, "piece += v%d;", var_of(w, s->out[0]));
    put(w, "}");
    put(w, "if (live_mask(a, block, lane))");
    put(w, "    sum += piece;");
    put(w, "}");
    put(w, "__shared__ double part[32];");
    put(w, "sum = block_sum(sum, part);");
    put(w, "if (threadIdx.x == 0)");
}

/* Large images are summed by pieces, so that rounding grows with the length of a piece and the number of pieces. */
static void sum_emit(struct writer *w, const struct stage *s)
{
    const struct tensor *x = tensor_of(w, s->in[0]);
    int64_t C = x->dim[0], places = tensor_elements(x) / C;
    const char *mean = s->op->attr[0] ? region_printf(w->region, " * word(a, %d) * %.17g", CTL_INV_RUN, s->attr[PLACES]) : "";
    if (w->target == TARGET_CUDA) {
        put_block_sums(w, s, C, places);
        put(w, "    %s[c] = (real)(sum%s);", name_of(w, s->out[0]), mean);
        close_kernel(w);
        return;
    }
    open_kernel(w);
    w->blocks_per_task = 0;
    w->splits = (int)C;
    put(w, "for (int64_t c = first; c < last; c++) {");
    put(w, "double sum = 0;");
    put(w, "for (int64_t block = 0; block < blocks; block++)");
    put(w, "for (int lane = 0; lane < 16; lane += LANES) {");
    put(w, "V part = {0};");
    bool pieces = places > PIECE;
    if (pieces) {
        put(w, "for (int64_t at = c * %lld, end; at < (c + 1) * %lld; at = end) {", (long long)places, (long long)places);
        put(w, "end = at + %d < (c + 1) * %lld ? at + %d : (c + 1) * %lld;", PIECE, (long long)places, PIECE, (long long)places);
        put(w, "V piece = {0};");
        put(w, "for (int64_t e = at; e < end; e++) {");
    } else
        put(w, "for (int64_t e = c * %lld; e < (c + 1) * %lld; e++) {", (long long)places, (long long)places);
    put_maps(w, 0, 1, "block", "e", "c");
    put(w, "%s += v%d;", pieces ? "piece" : "part", var_of(w, s->out[0]));
    put(w, "}");
    if (pieces) {
        put(w, "part += piece;");
        put(w, "}");
    }
    put(w, "sum += lane_sum(sel(live_mask(a, block, lane), part, num(0)));");
    put(w, "}");
    put(w, "%s[c] = (real)(sum%s);", name_of(w, s->out[0]), mean);
    put(w, "}");
    close_kernel(w);
}

static double places(const struct value *x)
{
    return (double)x->t.dim[0] / (double)value_elements(x);
}

static void normalize_grad(struct graph *g, struct node *n, struct value *const *gy, struct value **gx)
{
    struct value *x = n->in[0], *mean = n->in[1], *inv = n->in[2], *w = n->in[3];
    double a[MAX_ATTRS] = {places(x)};
    gx[4] = graph_op(g, "chan_sum", NULL, gy[0], NULL);
    gx[3] = graph_op(g, "chan_dot", NULL, gy[0], x, mean, inv, NULL);
    gx[0] = graph_op(g, "normalize_dx", a, gy[0], x, mean, inv, w, gx[4], gx[3], NULL);
}

static const struct op op[] = {
    {.name = "chan_sum", .doc = "sum over rows and places, per channel", .kind = OP_REDUCE, .nin = 1, .nout = 1,
     .shape = sum_shape, .fwd = {"a"}, .emit = sum_emit},
    {.name = "chan_dot", .doc = "sum of a (b - mean) / sd, per channel", .kind = OP_REDUCE, .nin = 4, .nout = 1,
     .shape = sum_shape, .fwd = {"a * (b - c) * d"}, .emit = sum_emit},
    {.name = "chan_mean", .doc = "mean over rows and places, per channel", .kind = OP_REDUCE, .nin = 1, .nout = 1,
     .attr = {"k"}, .shape = sum_shape, .fwd = {"a"}, .emit = sum_emit},
    {.name = "chan_var", .doc = "mean square distance from the mean, per channel (the biased variance)", .kind = OP_REDUCE,
     .nin = 2, .nout = 1, .spread = true, .attr = {"k"}, .shape = sum_shape, .fwd = {"(a - b) * (a - b)"}, .emit = sum_emit},
    {.name = "inv_sd", .doc = "1 / sqrt(variance + eps)", .kind = OP_MAP, .nin = 1, .nout = 1, .shape = map_shape,
     .attr = {"eps"}, .fwd = {"1 / sqrt(a + eps)"}},
    {.name = "normalize", .doc = "(x - mean) / sd * weight + bias", .kind = OP_MAP, .nin = 5, .nout = 1, .shape = map_shape,
     .fwd = {"(a - b) * c * d + e"}, .grad = normalize_grad},
    {.name = "normalize_dx", .doc = "gradient of normalize by x", .kind = OP_MAP, .nin = 7, .nout = 1, .shape = map_shape,
     .attr = {"k"}, .letters = "abcdefi",
     .fwd = {"live * (d * e * (a - (f + (b - c) * d * i) * inv_run * k))"}},
    {.name = "running_mean", .doc = "(1 - momentum) old + momentum new", .kind = OP_MAP, .nin = 2, .nout = 1, .shape = map_shape,
     .attr = {"m"}, .update = true, .gate = GATE_FINITE, .fwd = {"(1 - m) * a + m * b"}},
    {.name = "running_var", .doc = "the same with the unbiased variance", .kind = OP_MAP, .nin = 2, .nout = 1, .shape = map_shape,
     .attr = {"m", "k"}, .update = true, .gate = GATE_FINITE,
     .fwd = {"(1 - m) * a + m * (inv_run * k < 1 ? b / (1 - inv_run * k) : b)"}},
};

static struct value *batch_norm(struct site *s, const struct args *a, struct value *const *xs, int nx)
{
    (void)nx;
    struct graph *g = s->graph;
    struct value *x = xs[0];
    if (x->t.rank != 1 && x->t.rank != 3) {
        diag_error(s->diag, "N0201", s->loc, NULL, "BatchNorm gets %s, but it needs an image or a flat vector", shape_words(g->region, x));
        diag_place(s->diag, x->loc, "makes %s", shape_words(g->region, x));
        diag_help(s->diag, "put `-> Flatten` before it, or declare channels, height and width");
        return NULL;
    }
    int64_t c[1] = {x->t.dim[0]};
    double m = a->num[0][0], eps[MAX_ATTRS] = {a->num[1][0]}, k[MAX_ATTRS] = {places(x)};
    struct value *weight = graph_param(s, ROLE_PARAM, "weight", 1, c, INIT_ONE, 0, 0);
    struct value *bias = graph_param(s, ROLE_PARAM, "bias", 1, c, INIT_ZERO, 0, 0);
    struct value *mean = graph_param(s, ROLE_STATE, "running_mean", 1, c, INIT_ZERO, 0, 0);
    struct value *var = graph_param(s, ROLE_STATE, "running_var", 1, c, INIT_ONE, 0, 0);
    if (phase_trains(g->phase)) {
        struct value *old_mean = mean, *old_var = var;
        mean = graph_op(g, "chan_mean", k, x, NULL);
        var = graph_op(g, "chan_var", k, x, mean, NULL);
        graph_op(g, "running_mean", (double[MAX_ATTRS]){m}, old_mean, mean, NULL);
        graph_op(g, "running_var", (double[MAX_ATTRS]){m, k[0]}, old_var, var, NULL);
    }
    return graph_op(g, "normalize", NULL, x, mean, graph_op(g, "inv_sd", eps, var, NULL), weight, bias, NULL);
}

static const struct word word[] = {
    {.kind = WORD_LAYER, .name = "BatchNorm", .doc = "normalises each channel over the batch; running statistics in evaluation",
     .build = batch_norm,
     .arg = {{.name = "momentum", .help = "share of the new statistics", .type = ARG_NUMBER, .otherwise = 0.1, .min = 0, .max = 1},
             {.name = "eps", .help = "added to the variance", .type = ARG_NUMBER, .otherwise = 1e-5, .min = 1e-12, .max = 1}}},
};

const struct module module_batchnorm = {op, COUNT(op), word, COUNT(word)};
