/* cross_entropy.c: softmax with cross-entropy over the samples of a batch. As all losses it makes each row's loss and, in the same pass,
 * the gradient of the batch's (0 for rows that are not valid). Lanes are samples.
 *
 * As torch.nn.functional.cross_entropy, with q[k] = weight[k] ((1 - e) t[k] + e / K) of a target t, e the smoothing:
 *   loss = sum q[k] (log sum exp(x) - x[k]);   x'[k] = softmax(x)[k] sum q - q[k]
 * A batch's loss is the mean over its rows. Where targets are classes, it is the sum over the sum of their weights instead: each row's
 * loss is multiplied by 1 / the mean of those, which the host knows for a batch that runs in parts as well (CTL_INV_WEIGHT). */
#include "emit/writer.h"
#include "graph/graph.h"

#include <math.h>
#include <string.h>

enum { SMOOTHING, ALIKE }; /* ALIKE: all classes weigh 1, whatever the weights of the loss are */
enum { OTHER = 2, SHARE }; /* operands of xent_mixed: another class, and what share of the target the first one is */

static void set_results(const struct tensor *const *in, struct tensor *out, int nout)
{
    for (int o = 0; o < nout; o++)
        out[o] = (struct tensor){
            .dtype = DT_F32, .layout = in[0]->layout, .rows = true, .rank = o, .dim = {o ? in[0]->dim[0] : 0}};
}

static bool xent_shape(const double *a, const struct tensor *const *in, int nin, struct tensor *out, int nout)
{
    const bool mixed = nin == 2 || (is_rows(in[OTHER], DT_I32, 0) && is_rows(in[SHARE], DT_F32, 0));
    if (!mixed || !is_rows(in[0], DT_F32, 1) || !is_rows(in[1], DT_I32, 0) || !(a[SMOOTHING] >= 0 && a[SMOOTHING] <= 1))
        return false;
    set_results(in, out, nout);
    return true;
}

static bool soft_shape(const double *a, const struct tensor *const *in, int nin, struct tensor *out, int nout)
{
    (void)nin;
    if (!is_rows(in[0], DT_F32, 1) || !is_rows(in[1], DT_F32, 1) || in[0]->dim[0] != in[1]->dim[0] ||
        !(a[SMOOTHING] >= 0 && a[SMOOTHING] <= 1))
        return false;
    set_results(in, out, nout);
    return true;
}

/* The targets of mixed samples, where s has them. */
static void put_targets(struct writer *w, const struct stage *s)
{
    if (tensor_of(w, s->in[1])->dtype == DT_I32)
        put(w, "const M target = ld_i32(%s);", place_of(w, s->in[1], "block", "0"));
    if (s->nin == 2)
        return;
    put(w, "const M other = ld_i32(%s);", place_of(w, s->in[OTHER], "block", "0"));
    put(w, "const V share = ld(%s);", place_of(w, s->in[SHARE], "block", "0"));
}

/* (1 - e) t[k] + e / K. */
static const char *smoothed(struct writer *w, const struct stage *s, double e, double K)
{
    if (tensor_of(w, s->in[1])->dtype == DT_F32)
        return region_printf(w->region, "ld(%s) * num(%.17g) + num(%.17g)", place_of(w, s->in[1], "block", "k"), 1 - e,
                             e / K);
    if (s->nin == 2)
        return region_printf(w->region, "sel(target == k, num(%.17g), num(%.17g))", 1 - e + e / K, e / K);
    return region_printf(w->region,
                         "(sel(target == k, share, num(0)) + sel(other == k, num(1) - share, num(0))) "
                         "* num(%.17g) + num(%.17g)",
                         1 - e, e / K);
}

/* Where a class is the target and all weigh alike, sum q is 1, and two of the terms are sums of a few x:
 * log sum exp(x) - (1 - e) x[target] - e mean(x). */
static void xent_emit(struct writer *w, const struct stage *s)
{
    long long K = tensor_of(w, s->in[0])->dim[0];
    const char *x = region_printf(w->region, "ld(%s)", place_of(w, s->in[0], "block", "k"));
    const double e = s->attr[SMOOTHING];
    open_losses(w);
    put_targets(w, s);
    const char *loss = put_class_sums(w, x, K, e, s->nin > 2);
    put(w, "const V total = sum_of(&exps), loss = %s;", loss);
    put_stored(w, s->out[0], "0", "sel(live, loss, num(0))");
    if (is_stored(w, s->out[1])) {
        put(w, "const V inv_rows = vec((real)1 / (real)a->control[%d]);", CTL_BATCH);
        put(w, "for (int k = 0; k < %lld; k++) {", K);
        put(w, "const V p = v_exp(%s - top) / total, t = %s;", x, smoothed(w, s, e, (double)K));
        put_stored(w, s->out[1], "k", "sel(live, (p - t) * inv_rows, num(0))");
        put(w, "}");
    }
    close_samples(w);
}

/* Any q. */
static void shares_emit(struct writer *w, const struct stage *s)
{
    const int64_t K = tensor_of(w, s->in[0])->dim[0];
    const char *x = region_printf(w->region, "ld(%s)", place_of(w, s->in[0], "block", "k"));
    const bool weighted = put_class_weights(w, K), class = s->nin == 2 && tensor_of(w, s->in[1])->dtype == DT_I32;
    const char *share = smoothed(w, s, s->attr[SMOOTHING], (double)K);
    const char *q = weighted ? region_printf(w->region, "(%s) * num(@_weight[k])", share) : share;
    open_losses(w);
    put_targets(w, s);
    const char *loss = put_share_sums(w, x, q, K);
    if (class)
        put(w, "const V even = vec(word(a, %d));", CTL_INV_WEIGHT);
    put_stored(w, s->out[0], "0", region_printf(w->region, "sel(live, (%s)%s, num(0))", loss, class ? " * even" : ""));
    if (is_stored(w, s->out[1])) {
        put(w, "const V slope = vec((real)1 / (real)a->control[%d])%s;", CTL_BATCH, class ? " * even" : "");
        put(w, "for (int k = 0; k < %lld; k++) {", (long long)K);
        put(w, "const V p = v_exp(%s - top) / total, q = %s;", x, q);
        put_stored(w, s->out[1], "k", "sel(live, (p * all - q) * slope, num(0))");
        put(w, "}");
    }
    close_samples(w);
}

static void class_emit(struct writer *w, const struct stage *s)
{
    if (s->attr[ALIKE] == 0 && plan_class_weights(w->plan, tensor_of(w, s->in[0])->dim[0]))
        shares_emit(w, s);
    else
        xent_emit(w, s);
}

/* ---- the word ---- */

enum { EVEN = 2, WEIGHTS }; /* arguments of the word */

/* A target of values: a probability of each class. */
static bool shares_fit(struct site *s, const struct args *a, struct value *const *x)
{
    struct region *r = s->graph->region;
    if (x[1]->t.role == ROLE_TARGET && x[1]->t.rank == 1 && same_shape(&x[0]->t, &x[1]->t))
        return true;
    if (x[1]->t.role != ROLE_TARGET)
        diag_error(s->diag, "N0207", a->loc[1], NULL,
                   "CrossEntropy compares logits of the network with a target, in this order");
    else
        diag_error(s->diag, "N0207", a->loc[1], NULL,
                   "CrossEntropy needs a class, or a probability of each of %lld, but `%s` is %s and the logits are %s",
                   (long long)x[0]->t.dim[0], x[1]->t.name, shape_words(r, x[1]), shape_words(r, x[0]));
    diag_place(s->diag, x[0]->loc, "makes %s", shape_words(r, x[0]));
    diag_place(s->diag, x[1]->loc, "declared here");
    diag_help(s->diag, "declare `class[%lld]` or `f32[%lld]`, or use MSE", (long long)x[0]->t.dim[0],
              (long long)x[0]->t.dim[0]);
    return false;
}

static bool target_fits(struct site *s, const struct args *a, struct value *const *x)
{
    static const char what[] = "CrossEntropy";
    struct region *r = s->graph->region;
    if (x[1]->t.dtype != DT_I32)
        return shares_fit(s, a, x);
    if (x[1]->t.rank > 0 && (x[0]->t.rank != 3 || x[0]->t.dim[0] != x[1]->t.fan_in ||
                             x[0]->t.dim[1] != x[1]->t.dim[0] || x[0]->t.dim[2] != x[1]->t.dim[1])) {
        diag_error(s->diag, "N0207", a->loc[0], NULL, "%s needs %dx%lldx%lld values for `%s`, but gets %s", what,
                   x[1]->t.fan_in, (long long)x[1]->t.dim[0], (long long)x[1]->t.dim[1], x[1]->t.name,
                   shape_words(r, x[0]));
        diag_place(s->diag, x[0]->loc, "makes %s", shape_words(r, x[0]));
        diag_place(s->diag, x[1]->loc, "declared here: a class at each place");
        diag_help(s->diag, "end the network with `Conv(%d, kernel = 1)` over %lld rows of %lld pixels", x[1]->t.fan_in,
                  (long long)x[1]->t.dim[0], (long long)x[1]->t.dim[1]);
        return false;
    }
    if (x[1]->t.rank > 0)
        return true;
    if (x[0]->t.rank != 1) {
        diag_error(s->diag, "N0207", a->loc[0], NULL, "%s needs one value a class, but gets %s", what,
                   shape_words(r, x[0]));
        diag_place(s->diag, x[0]->loc, "makes %s", shape_words(r, x[0]));
        diag_help(s->diag, "end the network with `-> Flatten -> Linear(%lld)`", (long long)x[1]->t.fan_in);
        return false;
    }
    if (x[1]->t.fan_in != x[0]->t.dim[0]) {
        diag_error(s->diag, "N0207", a->loc[0], NULL, "%s gets %lld values, but `%s` has %lld classes", what,
                   (long long)x[0]->t.dim[0], x[1]->t.name, (long long)x[1]->t.fan_in);
        diag_place(s->diag, x[0]->loc, "makes %s", shape_words(r, x[0]));
        diag_place(s->diag, x[1]->loc, "declared here");
        diag_help(s->diag, "end the network with `Linear(%lld)`, or declare `class[%lld]`", (long long)x[1]->t.fan_in,
                  (long long)x[0]->t.dim[0]);
        return false;
    }
    return true;
}

/* Layers whose results lie within bounds: as logits they keep the loss above ln(1 + (K - 1) exp(low - high)). */
static const struct {
    const char *op, *layer;
    double low, high;
} bounded[] = {{"softmax", "Softmax", 0, 1}, {"sigmoid", "Sigmoid", 0, 1}, {"tanh", "Tanh", -1, 1}};

static void warn_of_bounds(struct site *s, const struct args *a, const struct value *logits)
{
    const struct value *x = logits;
    while (x->def && x->def->op->kind == OP_VIEW)
        x = x->def->in[0];
    for (int i = 0; i < COUNT(bounded); i++) {
        if (!x->def || strcmp(x->def->op->name, bounded[i].op))
            continue;
        double others = (double)logits->t.dim[0] - 1, least = log1p(others * exp(bounded[i].low - bounded[i].high));
        diag_warning(s->diag, "N0419", a->loc[0], NULL,
                     "CrossEntropy takes logits, and these come out of a %s: the loss cannot fall below %.3f",
                     bounded[i].layer, least);
        diag_place(s->diag, x->loc, "values from %g to %g", bounded[i].low, bounded[i].high);
        diag_help(s->diag,
                  i ? "give it the value before the %s"
                    : "it applies softmax itself: give it the value before the %s, which may stay for an `output`",
                  bounded[i].layer);
    }
}

static struct value *cross_entropy(struct site *s, const struct args *a, struct value *const *x, int nx)
{
    (void)nx;
    if (!target_fits(s, a, x))
        return NULL;
    warn_of_bounds(s, a, x[0]);
    const double smoothing[MAX_ATTRS] = {a->num[EVEN][0]};
    if (x[1]->t.dtype != DT_I32)
        return graph_op(s->graph, "xent_soft", smoothing, x[0], x[1], NULL);
    if (x[1]->t.rank > 0)
        return graph_op(s->graph, "mask_xent", smoothing, x[0], x[1], NULL);
    if (!s->graph->mixes)
        return graph_op(s->graph, "xent", smoothing, x[0], x[1], NULL);
    struct node *mix = graph_node(s->graph, "mix_target", NULL, &s->graph->control, 1);
    return graph_op(s->graph, "xent_mixed", smoothing, x[0], x[1], mix->out[0], mix->out[1], NULL);
}

/* clang-format off */
static const struct op op[] = {
    {.name = "xent", .doc = "softmax with cross-entropy: loss a row, gradient", .kind = OP_ROW, .optional = true, .nin = 2, .nout = 2,
     .attr = {"smoothing", "alike"}, .shape = xent_shape, .grad = loss_grad, .emit = class_emit},
    {.name = "xent_mixed", .doc = "the same, of targets that are shares of two classes", .kind = OP_ROW, .optional = true, .nin = 4, .nout = 2,
     .attr = {"smoothing", "alike"}, .shape = xent_shape, .grad = loss_grad, .emit = class_emit},
    {.name = "xent_soft", .doc = "the same, of targets that are probabilities of all classes", .kind = OP_ROW, .optional = true, .nin = 2, .nout = 2,
     .attr = {"smoothing"}, .shape = soft_shape, .grad = loss_grad, .emit = shares_emit},
};

static const struct word word[] = {
    {.kind = WORD_LOSS, .name = "CrossEntropy", .doc = "softmax with cross-entropy over logits, mean over batch and places", .build = cross_entropy,
     .reads = ROLE_LOGITS, .soft = true, .free_args = 1 << WEIGHTS,
     .arg = {{.name = "logits", .help = "one value a class, or one at each place", .type = ARG_VALUE, .required = true},
             {.name = "target", .help = "the class, a mask of classes, or probabilities", .type = ARG_VALUE, .required = true},
             {.name = "smoothing", .help = "share spread over all classes", .type = ARG_NUMBER, .otherwise = 0, .min = 0, .max = 1},
             {.name = "weights", .help = "of classes: how much each counts", .type = ARG_CLASSES, .otherwise = 1, .min = 1e-6, .max = 1e6}}},
};
/* clang-format on */

const struct module module_cross_entropy = {op, COUNT(op), word, COUNT(word)};
