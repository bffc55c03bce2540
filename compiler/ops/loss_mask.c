/* loss_mask.c: cross-entropy where each place of a sample has a class: segmentation. A target that is none of the classes is ignored,
 * loss and gradient. A batch's loss is the sum over the other places of all its samples, by the sum of their weights, as PyTorch has it:
 * cross_entropy.c says how. */
#include "emit/writer.h"
#include "graph/graph.h"

enum { SMOOTHING, SETTLE = 256 };

static bool shape(const double *a, const struct tensor *const *in, int nin, struct tensor *out, int nout)
{
    (void)nin, (void)nout;
    const struct tensor *x = in[0], *t = in[1];
    if (!is_rows(x, DT_F32, 3) || !is_rows(t, DT_I32, 2) || x->dim[1] != t->dim[0] || x->dim[2] != t->dim[1] ||
        !(a[SMOOTHING] >= 0 && a[SMOOTHING] <= 1))
        return false;
    out[0] = (struct tensor){.dtype = DT_F32, .layout = x->layout, .rows = true};
    out[1] = *x;
    return true;
}

/* Of place e: declares its class, and whether it counts. */
static void put_class(struct writer *w, const struct stage *s, long long K)
{
    put(w, "const M target = ld_i32(%s);", place_of(w, s->in[1], "block", "e"));
    put(w, "const M known = (target >= 0) & (target < %lld);", K);
}

static void emit(struct writer *w, const struct stage *s)
{
    const struct tensor *t = tensor_of(w, s->in[0]);
    const long long K = t->dim[0], places = tensor_elements(t) / K;
    const char *at = region_printf(w->region, "(k * %lld + e)", places);
    const char *x = region_printf(w->region, "ld(%s)", place_of(w, s->in[0], "block", at));
    const double e = s->attr[SMOOTHING];
    const bool weighted = put_class_weights(w, K);
    const char *q = region_printf(w->region, "sel(target == k, num(%.17g), num(%.17g))%s", 1 - e + e / (double)K,
                                  e / (double)K, weighted ? " * num(@_weight[k])" : "");
    open_losses(w);
    put(w, "const V even = vec(word(a, %d)) * num(%.17g);", CTL_INV_WEIGHT, 1 / (double)places);
    put(w, "const V slope = even * vec((real)1 / (real)a->control[%d]);", CTL_BATCH);
    put(w, "(void)slope;");
    put(w, "struct sum losses = {};");
    put(w, "for (int64_t e = 0; e < %lld; e++) {", places);
    put_class(w, s, K);
    const char *loss = weighted ? put_share_sums(w, x, q, K) : put_class_sums(w, x, K, e, false);
    if (!weighted)
        put(w, "const V total = sum_of(&exps);");
    put(w, "sum_add(&losses, sel(known & live, %s, num(0)));", loss);
    put(w, "if (e %% %d == 0)", SETTLE);
    put(w, "    sum_settle(&losses);");
    if (is_stored(w, s->out[1])) {
        put(w, "for (int k = 0; k < %lld; k++) {", K);
        put(w, "const V p = v_exp(%s - top) / total, q = %s;", x, q);
        put(w, "st(%s, sel(known & live, (p%s - q) * slope, num(0)));", place_of(w, s->out[1], "block", at),
            weighted ? " * all" : "");
        put(w, "}");
    }
    put(w, "}");
    put_stored(w, s->out[0], "0", "sum_of(&losses) * even");
    close_samples(w);
}

/* clang-format off */
static const struct op op[] = {
    {.name = "mask_xent", .doc = "softmax with cross-entropy at each place: loss a row, gradient", .kind = OP_ROW, .optional = true, .nin = 2,
     .nout = 2, .attr = {"smoothing"}, .shape = shape, .grad = loss_grad, .emit = emit},
};
/* clang-format on */

const struct module module_loss_mask = {op, COUNT(op), NULL, 0};
