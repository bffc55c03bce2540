/* losses.c: what kernels of losses and metrics share: a sample for each lane, sums over its classes, what classes weigh. */
#include "writer.h"

#include "graph/word.h"

bool put_class_weights(struct writer *w, int64_t K)
{
    const double *weight = plan_class_weights(w->plan, K);
    if (!weight)
        return false;
    put(w, "static const real @_weight[] = {");
    for (int64_t k = 0; k < K; k++)
        put(w, "(real)%.17g,", weight[k]);
    put(w, "};");
    put(w, "%s", "");
    return true;
}

void open_samples(struct writer *w)
{
    w->threads = 64;
    open_kernel(w);
    open_rows(w);
}

void open_losses(struct writer *w)
{
    open_samples(w);
    put(w, "const M live = live_mask(a, block, lane);");
}

void close_samples(struct writer *w)
{
    close_tasks(w);
    close_kernel(w);
}

void put_stored(struct writer *w, int tensor, const char *e, const char *value)
{
    if (is_stored(w, tensor))
        put(w, "st(%s, %s);", place_of(w, tensor, "block", e), value);
}

const char *put_class_sums(struct writer *w, const char *x, int64_t K, double smoothing, bool mixed)
{
    put(w, "V top = num(-INFINITE), wanted = {0};");
    if (mixed)
        put(w, "V added = {0};");
    put(w, "struct sum exps = {}, all = {};");
    put(w, "for (int k = 0; k < %lld; k++) {", (long long)K);
    put(w, "const V x = %s;", x);
    put(w, "top = sel((x > top) | (x != x), x, top);");
    put(w, "wanted = sel(target == k, x, wanted);");
    if (mixed)
        put(w, "added = sel(other == k, x, added);");
    if (smoothing > 0)
        put(w, "sum_add(&all, x);");
    put(w, "}");
    if (mixed)
        put(w, "wanted = wanted * share + added * (num(1) - share);");
    put(w, "for (int k = 0; k < %lld; k++)", (long long)K);
    put(w, "    sum_add(&exps, v_exp(%s - top));", x);
    return region_printf(w->region, "v_log(total) + top - wanted * num(%.17g) - sum_of(&all) * num(%.17g)",
                         1 - smoothing, smoothing / (double)K);
}

const char *put_share_sums(struct writer *w, const char *x, const char *q, int64_t K)
{
    put(w, "V top = num(-INFINITE);");
    put(w, "struct sum exps = {}, shares = {}, products = {};");
    put(w, "for (int k = 0; k < %lld; k++) {", (long long)K);
    put(w, "const V x = %s;", x);
    put(w, "top = sel((x > top) | (x != x), x, top);");
    put(w, "}");
    put(w, "for (int k = 0; k < %lld; k++) {", (long long)K);
    put(w, "const V x = %s - top, q = %s;", x, q);
    put(w, "sum_add(&exps, v_exp(x));");
    put(w, "sum_add(&shares, q);");
    put(w, "sum_add(&products, sel(q == num(0), num(0), q * x));");
    put(w, "}");
    put(w, "const V total = sum_of(&exps), all = sum_of(&shares);");
    return "v_log(total) * all - sum_of(&products)";
}
