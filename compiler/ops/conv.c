/* conv.c: convolution and its two gradients, also of the fully connected layer, which is the convolution of a 1x1 image. All are
 * sums of products with affine index maps, and all are written by one tile emitter: out[i][j] += a_i * b_j in registers.
 *
 *   conv    y[n,k,p,q] = sum c,r,s  x[n,c, p*stride + r*dil - pad, q*stride + s*dil - pad] * w[k,c,r,s]
 *   conv_dx x'[n,c,h,w] = sum k,r,s  y'[n,k, (h + pad - r*dil) / stride, ...] * w[k,c,r,s]      where the division is exact
 *   conv_dw w'[k,c,r,s] = sum n,p,q  y'[n,k,p,q] * x[n,c, p*stride + r*dil - pad, ...] */
#include "emit/contract.h"
#include "graph/graph.h"

#include <math.h>
#include <string.h>

enum {
    SH = CONV_SH,
    SW = CONV_SW,
    PH = CONV_PH,
    PW = CONV_PW,
    DH = CONV_DH,
    DW = CONV_DW,
    GROUPS = CONV_GROUPS,
    EXTRA_H = CONV_EXTRA_H,
    EXTRA_W = CONV_EXTRA_W
};

bool conv_geometry(struct geometry *g, const double *a, int rank, const int64_t *x, int wrank, const int64_t *w)
{
    for (int i = 0; i < 2; i++) {
        if (!attr_whole(a[SH + i], 1, MAX_PICTURE) || !attr_whole(a[PH + i], 0, MAX_PICTURE) ||
            !attr_whole(a[DH + i], 1, MAX_PICTURE))
            return false;
        g->stride[i] = (int)a[SH + i];
        g->pad[i] = (int)a[PH + i];
        g->dil[i] = (int)a[DH + i];
    }
    if (!attr_whole(a[GROUPS], 1, 1 << 20) || !((rank == 3 && wrank == 4) || (rank == 1 && wrank == 2)))
        return false;
    g->G = (int64_t)a[GROUPS];
    g->C = x[0];
    g->H = rank == 3 ? x[1] : 1;
    g->W = rank == 3 ? x[2] : 1;
    g->K = w[0];
    g->R = wrank == 4 ? w[2] : 1;
    g->S = wrank == 4 ? w[3] : 1;
    if (g->H > MAX_PICTURE || g->W > MAX_PICTURE || g->S > MAX_KERNEL_WIDTH ||
        g->R > MAX_TAPS / (g->S > 0 ? g->S : 1) || g->C > MAX_SIDE || g->K > MAX_SIDE || g->C % g->G || g->K % g->G ||
        w[1] != g->C / g->G || g->R < 1 || g->S < 1)
        return false;
    if (rank == 3 && (g->K * w[1] > INT32_MAX / g->R || w[1] * g->R > INT32_MAX / g->S))
        return false; /* rows of kernels, which its gradient counts in 32 bits; fan-in */
    int64_t p = g->H + 2 * g->pad[0] - g->dil[0] * (g->R - 1) - 1,
            q = g->W + 2 * g->pad[1] - g->dil[1] * (g->S - 1) - 1;
    if (p < 0 || q < 0)
        return false;
    g->P = p / g->stride[0] + 1;
    g->Q = q / g->stride[1] + 1;
    return g->P <= MAX_PICTURE && g->Q <= MAX_PICTURE;
}

static bool weight_like(const struct tensor *w)
{
    return !w->rows && w->dtype == DT_F32;
}

static bool value_like(const struct tensor *x)
{
    return in_lanes(x) && x->dtype == DT_F32;
}

static void set_value(struct tensor *out, const struct layout *l, int rank, int64_t c, int64_t h, int64_t w)
{
    *out = (struct tensor){.dtype = DT_F32, .layout = l, .rows = true, .rank = rank, .dim = {c}};
    if (rank == 3) {
        out->dim[1] = h;
        out->dim[2] = w;
    }
}

static bool conv_shape(const double *attr, const struct tensor *const *in, int nin, struct tensor *out, int nout)
{
    (void)nin, (void)nout;
    struct geometry g;
    if (!value_like(in[0]) || !weight_like(in[1]) ||
        !conv_geometry(&g, attr, in[0]->rank, in[0]->dim, in[1]->rank, in[1]->dim))
        return false;
    set_value(&out[0], in[0]->layout, in[0]->rank, g.K, g.P, g.Q);
    return true;
}

/* conv_dx(y', w): x' has the height and width of the two extra attributes. */
static bool dx_shape(const double *attr, const struct tensor *const *in, int nin, struct tensor *out, int nout)
{
    (void)nin, (void)nout;
    struct geometry g;
    const struct tensor *y = in[0], *w = in[1];
    if (!value_like(y) || !weight_like(w) || !attr_whole(attr[EXTRA_H], 1, MAX_PICTURE) ||
        !attr_whole(attr[EXTRA_W], 1, MAX_PICTURE) || (y->rank != 1 && y->rank != 3) ||
        (w->rank != 2 && w->rank != 4) || !attr_whole(attr[GROUPS], 1, 1 << 20))
        return false;
    int64_t c;
    if (__builtin_mul_overflow(w->dim[1], (int64_t)attr[GROUPS], &c))
        return false;
    int64_t x[3] = {c, (int64_t)attr[EXTRA_H], (int64_t)attr[EXTRA_W]};
    if (!conv_geometry(&g, attr, y->rank, x, w->rank, w->dim) || g.K != y->dim[0] ||
        (y->rank == 3 && (g.P != y->dim[1] || g.Q != y->dim[2])))
        return false;
    set_value(&out[0], y->layout, y->rank, c, x[1], x[2]);
    return true;
}

/* conv_dw(x, y'): w' has the kernel height and width of the two extra attributes. */
static bool dw_shape(const double *attr, const struct tensor *const *in, int nin, struct tensor *out, int nout)
{
    (void)nin, (void)nout;
    struct geometry g;
    const struct tensor *x = in[0], *y = in[1];
    if (!value_like(x) || !value_like(y) || x->rank != 3 || y->rank != 3 ||
        !attr_whole(attr[EXTRA_H], 1, MAX_PICTURE) || !attr_whole(attr[EXTRA_W], 1, MAX_PICTURE) ||
        !attr_whole(attr[GROUPS], 1, 1 << 20))
        return false;
    int64_t w[4] = {y->dim[0], x->dim[0] / (int64_t)attr[GROUPS], (int64_t)attr[EXTRA_H], (int64_t)attr[EXTRA_W]};
    if (!conv_geometry(&g, attr, 3, x->dim, 4, w) || g.P != y->dim[1] || g.Q != y->dim[2] ||
        w[0] * w[1] > INT32_MAX / w[2])
        return false; /* tasks, at most one a row of a kernel of w', are counted in 32 bits */
    out[0] = (struct tensor){.dtype = DT_F32, .rank = 4};
    memcpy(out[0].dim, w, sizeof w);
    return true;
}

static int64_t conv_macs(const double *attr, const struct tensor *const *in, const struct tensor *const *out)
{
    (void)attr;
    int64_t n = tensor_elements(in[1]);
    return out[0]->rank == 3 ? n * out[0]->dim[1] * out[0]->dim[2] : n;
}

/* The gradients take as many as the forward pass: a weight once for each place of y'. */
static int64_t dx_macs(const double *attr, const struct tensor *const *in, const struct tensor *const *out)
{
    (void)attr, (void)out;
    int64_t n = tensor_elements(in[1]);
    return in[0]->rank == 3 ? n * in[0]->dim[1] * in[0]->dim[2] : n;
}

static int64_t dw_macs(const double *attr, const struct tensor *const *in, const struct tensor *const *out)
{
    (void)attr;
    return tensor_elements(out[0]) * in[1]->dim[1] * in[1]->dim[2];
}

static void conv_grad(struct graph *g, struct node *n, struct value *const *gy, struct value **gx)
{
    struct value *x = n->in[0], *w = n->in[1];
    double a[MAX_ATTRS] = {0};
    memcpy(a, n->attr, (size_t)op_attrs(n->op) * sizeof *a);
    if (w->t.rank == 2) {
        struct value *rows = row_by_row(&x->t) ? x : graph_op(g, "relayout", NULL, x, NULL);
        gx[1] = graph_op(g, "linear_dw", NULL, rows, gy[0], NULL);
    } else {
        a[EXTRA_H] = (double)w->t.dim[2];
        a[EXTRA_W] = (double)w->t.dim[3];
        gx[1] = graph_op(g, "conv_dw", a, x, gy[0], NULL);
    }
    a[EXTRA_H] = x->t.rank == 3 ? (double)x->t.dim[1] : 1;
    a[EXTRA_W] = x->t.rank == 3 ? (double)x->t.dim[2] : 1;
    gx[0] = graph_op(g, "conv_dx", a, gy[0], w, NULL);
}

/* ---- emitting: the bodies of contract.h write the loops ---- */

static void conv_sizes(const double *attr, const struct tensor *const *in, const struct tensor *const *out, void *to)
{
    struct geometry g;
    (void)out;
    conv_geometry(&g, attr, in[0]->rank, in[0]->dim, in[1]->rank, in[1]->dim);
    int64_t area = g.R * g.S;
    *(struct contraction *)to = (struct contraction){
        .y = {g.stride[0], g.dil[0], -g.pad[0], 1, g.P, g.H, g.R},
        .x = {g.stride[1], g.dil[1], -g.pad[1], 1, g.Q, g.W, g.S},
        .groups = g.G,
        .outs = g.K / g.G,
        .depth = g.C / g.G,
        .w_out = g.C / g.G * area,
        .w_depth = area,
        .w_group = g.K / g.G * (g.C / g.G) * area,
    };
}

void conv_dx_sizes(const double *attr, const struct tensor *const *in, const struct tensor *const *out, void *to)
{
    struct geometry g;
    conv_geometry(&g, attr, out[0]->rank, out[0]->dim, in[1]->rank, in[1]->dim);
    int64_t area = g.R * g.S;
    *(struct contraction *)to = (struct contraction){
        .y = {1, -g.dil[0], g.pad[0], g.stride[0], g.H, g.P, g.R},
        .x = {1, -g.dil[1], g.pad[1], g.stride[1], g.W, g.Q, g.S},
        .groups = g.G,
        .outs = g.C / g.G,
        .depth = g.K / g.G,
        .w_out = area,
        .w_depth = g.C / g.G * area,
        .w_group = g.K / g.G * (g.C / g.G) * area,
    };
}

void conv_dw_sizes(const double *attr, const struct tensor *const *in, const struct tensor *const *out, void *to)
{
    conv_geometry(to, attr, in[0]->rank, in[0]->dim, out[0]->rank, out[0]->dim);
}

static int64_t dw_scratch(const double *attr, const struct tensor *const *in, const struct tensor *const *out)
{
    struct geometry g;
    return conv_geometry(&g, attr, in[0]->rank, in[0]->dim, out[0]->rank, out[0]->dim) ? conv_dw_scratch(&g) : 0;
}

/* Features by row capacity: of x and y. */
static int64_t product_rows(const double *attr, const struct tensor *const *in, const struct tensor *const *out)
{
    (void)attr;
    return is_product(in[0], out[0]) ? in[0]->dim[0] + out[0]->dim[0] : 0;
}

/* ---- layers ---- */

static void say_groups(struct site *s, const struct args *a, const struct value *x, int64_t c, int64_t k,
                       int64_t groups)
{
    int64_t most = c, rest = k; /* Euclid: what divides both channels in and out */
    while (rest) {
        int64_t next = most % rest;
        most = rest;
        rest = next;
    }
    diag_error(s->diag, "N0203", a->loc[5], NULL, "`%s`: %lld %s cannot be cut into %lld groups", s->path,
               (long long)(c % groups ? c : k), c % groups ? "channels in" : "channels out", (long long)groups);
    diag_place(s->diag, x->loc, "makes %s", shape_words(s->graph->region, x));
    if (most > 1)
        diag_help(s->diag, "`groups` may be 1, %lld, or what divides %lld", (long long)most, (long long)most);
    else
        diag_help(s->diag, "with these channels `groups` must be 1");
}

/* Why the geometry is none. */
static void say_geometry(struct site *s, const struct value *x, const double *attr, const int64_t *w)
{
    struct region *r = s->graph->region;
    int64_t need = 0, reach[2]; /* what the taps span, and the padding that would do */
    for (int i = 0; i < 2; i++) {
        reach[i] = (int64_t)attr[DH + i] * (w[2 + i] - 1) + 1;
        int64_t pad = (reach[i] - x->t.dim[1 + i] + 1) / 2;
        need = pad > (int64_t)attr[PH + i] && pad > need ? pad : need;
    }
    const char *dilated = attr[DH] > 1 || attr[DW] > 1 ? region_printf(r, ", with its dilation %lldx%lld,",
                                                                       (long long)reach[0], (long long)reach[1])
                                                       : "";
    if (need)
        diag_error(s->diag, "N0202", s->loc, NULL,
                   "`%s`: a kernel of %lldx%lld%s does not fit into %s with padding %dx%d", s->path, (long long)w[2],
                   (long long)w[3], dilated, shape_text(r, x), (int)attr[PH], (int)attr[PW]);
    else if (w[1] * w[2] > INT32_MAX / w[3])
        diag_error(s->diag, "N0202", s->loc, NULL, "`%s`: each of its sums has more than %d terms", s->path, INT32_MAX);
    else if (w[0] * w[1] > INT32_MAX / w[2])
        diag_error(s->diag, "N0202", s->loc, NULL, "`%s`: its %lld x %lld kernels have more than %d rows", s->path,
                   (long long)w[0], (long long)w[1], INT32_MAX);
    else
        diag_error(s->diag, "N0202", s->loc, NULL,
                   "`%s`: images may have at most %d rows and columns, before and behind Conv", s->path, MAX_PICTURE);
    diag_place(s->diag, x->loc, "makes %s", shape_words(r, x));
    if (need)
        diag_help(s->diag, "use a smaller kernel, less pooling before it, or `pad = %lld`", (long long)need);
}

static struct value *conv(struct site *s, const struct args *a, struct value *const *xs, int nx)
{
    (void)nx;
    struct value *x = xs[0];
    struct region *r = s->graph->region;
    if (x->t.rank != 3) {
        diag_error(s->diag, "N0201", s->loc, "needs channels x height x width", "`%s` gets %s, but Conv needs an image",
                   s->path, shape_words(r, x));
        diag_place(s->diag, x->loc, "makes %s", shape_words(r, x));
        if (x->t.rank == 1)
            diag_help(s->diag, "put it before the layer that makes a vector, or use `Linear(%lld)`",
                      (long long)a->num[0][0]);
        return NULL;
    }
    double attr[MAX_ATTRS] = {a->num[2][0], a->num[2][1], a->num[3][0], a->num[3][1],
                              a->num[4][0], a->num[4][1], a->num[5][0]};
    int64_t groups = (int64_t)attr[GROUPS], k = (int64_t)a->num[0][0], c = x->t.dim[0];
    if (c % groups || k % groups) {
        say_groups(s, a, x, c, k, groups);
        return NULL;
    }
    int64_t w[4] = {k, c / groups, (int64_t)a->num[1][0], (int64_t)a->num[1][1]};
    if (w[3] > MAX_KERNEL_WIDTH || w[2] * w[3] > MAX_TAPS) {
        diag_error(s->diag, "N0202", a->loc[1], NULL,
                   "`%s`: a kernel of %lldx%lld is too large: its width is at most %d, height times width at most %d",
                   s->path, (long long)w[2], (long long)w[3], MAX_KERNEL_WIDTH, MAX_TAPS);
        diag_help(s->diag, w[3] > MAX_KERNEL_WIDTH && w[3] * w[2] <= MAX_TAPS && w[2] <= MAX_KERNEL_WIDTH
                               ? "a kernel may be high: declare the input with height and width exchanged"
                               : "several smaller kernels after each other see as much");
        return NULL;
    }
    struct geometry g;
    if (!conv_geometry(&g, attr, 3, x->t.dim, 4, w)) {
        say_geometry(s, x, attr, w);
        return NULL;
    }
    int64_t fan_in = w[1] * w[2] * w[3];
    double bound = 1 / sqrt((double)fan_in);
    struct value *weight = graph_begun(s, a, 7, "weight", 4, w, bound, (int)fan_in);
    struct value *y = graph_op(s->graph, "conv", attr, x, weight, NULL);
    return graph_bias(s, a, 6, 8, y, bound, (int)fan_in);
}

/* ---- the bodies ---- */

/* clang-format off */
static const struct body conv_body[] = {
    {.name = "registers", .target = &target_cpu, .applies = is_flat, .emit = put_flat_cpu, .price = price_registers_cpu},
    {.name = "registers", .target = &target_cpu, .applies = is_image, .emit = put_image_cpu, .price = price_registers_cpu},
    {.name = "winograd", .target = &target_cpu, .applies = is_winograd, .emit = put_winograd_cpu, .price = price_winograd,
     .transformed = true},
    {.name = "library", .target = &target_cuda, .applies = is_library_product, .emit = put_library_product, .price = price_library,
     .scratch = product_scratch, .row_scratch = product_rows},
    {.name = "tensor-cores", .target = &target_cuda, .applies = is_mma, .emit = put_mma, .price = price_mma},
    {.name = "registers", .target = &target_cuda, .applies = is_flat, .emit = put_flat_cuda, .price = price_registers_cuda},
    {.name = "registers", .target = &target_cuda, .applies = is_tiled_cuda, .emit = put_tiled_cuda, .price = price_registers_cuda},
    {.name = NULL},
};

static const struct body dw_body[] = {
    {.name = "registers", .target = &target_cpu, .emit = put_conv_dw_cpu, .price = price_conv_dw_cpu},
    {.name = "winograd", .target = &target_cpu, .applies = is_winograd_dw, .emit = put_winograd_dw_cpu, .price = price_winograd_dw,
     .transformed = true},
    {.name = "tensor-cores", .target = &target_cuda, .applies = is_conv_dw_mma, .emit = put_conv_dw_mma, .price = price_dw_mma, .scratch = dw_scratch},
    {.name = "registers", .target = &target_cuda, .emit = put_conv_dw_cuda, .price = price_dw_registers, .scratch = dw_scratch},
    {.name = NULL},
};

static const struct op op[] = {
    {.name = "conv", .doc = "convolution; a fully connected layer if the input is flat", .kind = OP_CONTRACT, .form = FORM_TILE, .nin = 2, .nout = 1,
     .attr = {CONV_ATTRS}, .shape = conv_shape, .grad = conv_grad, .macs = conv_macs,
     .emit = put_contraction_plain, .body = conv_body, .sizes = conv_sizes},
    {.name = "conv_dx", .doc = "gradient of conv by its input", .kind = OP_CONTRACT, .form = FORM_TILE, .nin = 2, .nout = 1,
     .attr = {CONV_ATTRS, "h", "w"}, .shape = dx_shape, .macs = dx_macs, .emit = put_contraction_plain, .body = conv_body, .sizes = conv_dx_sizes},
    {.name = "conv_dw", .doc = "gradient of conv by its weight", .kind = OP_CONTRACT, .nin = 2, .nout = 1,
     .attr = {CONV_ATTRS, "r", "s"}, .shape = dw_shape, .macs = dw_macs, .emit = put_conv_dw_plain, .body = dw_body, .sizes = conv_dw_sizes},
};

static const struct word word[] = {
    {.kind = WORD_LAYER, .name = "Conv", .doc = "2-dimensional convolution", .build = conv, .bare = 2,
     .bare_help = "PyTorch's order is (in, out, kernel, ...): here the input says how many channels come in, as in `Conv(6, kernel = 5)`",
     .arg = {{.name = "channels", .help = "output channels", .type = ARG_INT, .required = true, .min = 1, .max = MAX_SIDE},
             {.name = "kernel", .help = "height and width", .type = ARG_PAIR, .required = true, .min = 1, .max = MAX_PICTURE},
             {.name = "stride", .help = "step", .type = ARG_PAIR, .otherwise = 1, .min = 1, .max = MAX_PICTURE},
             {.name = "pad", .help = "zeros around", .type = ARG_PAIR, .otherwise = 0, .min = 0, .max = MAX_PICTURE},
             {.name = "dilation", .help = "distance of taps", .type = ARG_PAIR, .otherwise = 1, .min = 1, .max = MAX_PICTURE},
             {.name = "groups", .help = "independent groups of channels", .type = ARG_INT, .otherwise = 1, .min = 1, .max = 1 << 20},
             {.name = "bias", .help = "add one value a channel", .type = ARG_BOOL, .otherwise = 1},
             {.name = "init", .help = "first values of the weight", .type = ARG_INIT},
             {.name = "bias_init", .help = "of the bias", .type = ARG_INIT}}},
};
/* clang-format on */

const struct module module_conv = {op, COUNT(op), word, COUNT(word)};
