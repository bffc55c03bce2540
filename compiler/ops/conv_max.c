/* conv_max.c: the gradients of a convolution behind a max-pool whose windows cover its places, from the pooled gradient g and the place
 * of each window's winner: conv_dx and conv_dw of y' = maxpool_dx(g, place), which need not be there. */
#include "emit/contract.h"
#include "graph/graph.h"

#include <string.h>

/* Does y' of P x Q places come from the pooled gradient g and the winners' places? Kernels take a place for a byte. */
static bool covers(const struct geometry *g, const struct tensor *pooled, const struct tensor *place)
{
    const int64_t *p = pooled->dim;
    return is_rows(pooled, DT_F32, 3) && in_lanes(place) && place->dtype == DT_U8 && same_shape(pooled, place) &&
           p[0] == g->K && p[1] > 0 && p[2] > 0 && g->P % p[1] == 0 && g->Q % p[2] == 0 &&
           (g->P / p[1]) * (g->Q / p[2]) <= MOST_PLACES;
}

/* conv_dx_max(g, w, place) */
static bool dx_max_shape(const double *attr, const struct tensor *const *in, int nin, struct tensor *out, int nout)
{
    (void)nin, (void)nout;
    struct geometry g;
    const struct tensor *w = in[1];
    if (w->rows || w->dtype != DT_F32 || w->rank != 4 || !attr_whole(attr[CONV_EXTRA_H], 1, MAX_PICTURE) ||
        !attr_whole(attr[CONV_EXTRA_W], 1, MAX_PICTURE) || !attr_whole(attr[CONV_GROUPS], 1, 1 << 20))
        return false;
    int64_t x[3] = {0, (int64_t)attr[CONV_EXTRA_H], (int64_t)attr[CONV_EXTRA_W]};
    if (__builtin_mul_overflow(w->dim[1], (int64_t)attr[CONV_GROUPS], &x[0]) ||
        !conv_geometry(&g, attr, 3, x, w->rank, w->dim) || !covers(&g, in[0], in[2]))
        return false;
    out[0] =
        (struct tensor){.dtype = DT_F32, .layout = in[0]->layout, .rows = true, .rank = 3, .dim = {x[0], x[1], x[2]}};
    return true;
}

/* conv_dw_max(x, g, place) */
static bool dw_max_shape(const double *attr, const struct tensor *const *in, int nin, struct tensor *out, int nout)
{
    (void)nin, (void)nout;
    struct geometry g;
    const struct tensor *x = in[0];
    if (!is_rows(x, DT_F32, 3) || in[1]->rank != 3 || !attr_whole(attr[CONV_EXTRA_H], 1, MAX_PICTURE) ||
        !attr_whole(attr[CONV_EXTRA_W], 1, MAX_PICTURE) || !attr_whole(attr[CONV_GROUPS], 1, 1 << 20))
        return false;
    int64_t w[4] = {in[1]->dim[0], x->dim[0] / (int64_t)attr[CONV_GROUPS], (int64_t)attr[CONV_EXTRA_H],
                    (int64_t)attr[CONV_EXTRA_W]};
    if (!conv_geometry(&g, attr, 3, x->dim, 4, w) || !covers(&g, in[1], in[2]) || w[0] * w[1] > INT32_MAX / w[2])
        return false;
    out[0] = (struct tensor){.dtype = DT_F32, .rank = 4};
    memcpy(out[0].dim, w, sizeof w);
    return true;
}

/* As if all places had a gradient, so that a layer's rates can be compared. */
static int64_t dx_max_macs(const double *attr, const struct tensor *const *in, const struct tensor *const *out)
{
    struct geometry g;
    return conv_geometry(&g, attr, 3, out[0]->dim, 4, in[1]->dim) ? tensor_elements(in[1]) * g.P * g.Q : 0;
}

static int64_t dw_max_macs(const double *attr, const struct tensor *const *in, const struct tensor *const *out)
{
    struct geometry g;
    return conv_geometry(&g, attr, 3, in[0]->dim, 4, out[0]->dim) ? tensor_elements(out[0]) * g.P * g.Q : 0;
}

/* Of the ops that stand for others (specialise.c): the operands are theirs. */
static bool dx_max_pays(const double *attr, const struct tensor *const *in, const struct tensor *const *out)
{
    struct geometry g;
    return conv_geometry(&g, attr, 3, out[0]->dim, 4, in[1]->dim) && dx_winners_pay(&g, in[0]->dim);
}

static bool dw_max_pays(const double *attr, const struct tensor *const *in, const struct tensor *const *out)
{
    struct geometry g;
    return conv_geometry(&g, attr, 3, in[0]->dim, 4, out[0]->dim) && dw_winners_pay(&g, in[1]->dim);
}

/* clang-format off */
static const struct body dx_max_body[] = {
    {.name = "winners", .target = &target_cpu, .applies = is_dx_winners, .emit = put_dx_winners_cpu, .price = price_dx_winners},
    {.name = NULL},
};

static const struct body dw_max_body[] = {
    {.name = "winners", .target = &target_cpu, .applies = is_dw_winners, .emit = put_dw_winners_cpu, .price = price_dw_winners},
    {.name = NULL},
};

static const struct op op[] = {
    {.name = "conv_dx_max", .doc = "the same behind a max-pool, from its winners", .kind = OP_CONTRACT, .form = FORM_TILE, .nin = 3, .nout = 1,
     .attr = {CONV_ATTRS, "h", "w"}, .shape = dx_max_shape, .macs = dx_max_macs, .emit = put_contraction_plain, .body = dx_max_body, .sizes = conv_dx_sizes,
     .stands_for = "conv_dx", .pays = dx_max_pays},
    {.name = "conv_dw_max", .doc = "the same behind a max-pool, from its winners", .kind = OP_CONTRACT, .nin = 3, .nout = 1,
     .attr = {CONV_ATTRS, "r", "s"}, .shape = dw_max_shape, .macs = dw_max_macs, .emit = put_conv_dw_plain, .body = dw_max_body, .sizes = conv_dw_sizes,
     .stands_for = "conv_dw", .pays = dw_max_pays},
};
/* clang-format on */

const struct module module_conv_max = {op, COUNT(op), NULL, 0};
