/* pool.c: windows over an image. The maximum keeps the place of the winner in its window (first in row-major order; NaN
 * wins), so that the backward pass needs neither the input nor the output of the layer. */
#include "emit/window.h"
#include "graph/graph.h"

#include <math.h>
#include <string.h>

enum {
    R = WINDOW_R,
    S = WINDOW_S,
    SH = WINDOW_SH,
    SW = WINDOW_SW,
    PH = WINDOW_PH,
    PW = WINDOW_PW,
    H = WINDOW_H,
    W = WINDOW_W
};
#define POOL_ATTRS "r", "s", "stride_h", "stride_w", "pad_h", "pad_w"

static bool sizes(const double *a, const int64_t *in, int64_t *out)
{
    for (int i = 0; i < 2; i++) {
        if (!attr_whole(a[R + i], 1, MAX_PICTURE) || !attr_whole(a[SH + i], 1, MAX_PICTURE) ||
            !attr_whole(a[PH + i], 0, a[R + i] / 2) || in[i] > MAX_PICTURE)
            return false;
        int64_t room = in[i] + 2 * (int64_t)a[PH + i] - (int64_t)a[R + i];
        if (room < 0)
            return false;
        out[i] = room / (int64_t)a[SH + i] + 1;
    }
    return true;
}

static bool pool_shape(const double *a, const struct tensor *const *in, int nin, struct tensor *out, int nout)
{
    (void)nin;
    int64_t size[2];
    if (!is_rows(in[0], DT_F32, 3) || !sizes(a, in[0]->dim + 1, size))
        return false;
    for (int o = 0; o < nout; o++)
        out[o] = (struct tensor){.dtype = o ? place_type(a) : DT_F32,
                                 .layout = in[0]->layout,
                                 .rows = true,
                                 .rank = 3,
                                 .dim = {in[0]->dim[0], size[0], size[1]}};
    return true;
}

/* Gradients: (y' [, places]) -> x' of height and width given. */
static bool dx_shape(const double *a, const struct tensor *const *in, int nin, struct tensor *out, int nout)
{
    (void)nout;
    if (!is_rows(in[0], DT_F32, 3) || !attr_whole(a[H], 1, MAX_PICTURE) || !attr_whole(a[W], 1, MAX_PICTURE))
        return false;
    int64_t x[2] = {(int64_t)a[H], (int64_t)a[W]}, size[2];
    if (!sizes(a, x, size) || size[0] != in[0]->dim[1] || size[1] != in[0]->dim[2])
        return false;
    if (nin > 1 && (!same_shape(in[0], in[1]) || in[1]->dtype != place_type(a) || !in_lanes(in[1])))
        return false;
    out[0] = (struct tensor){
        .dtype = DT_F32, .layout = in[0]->layout, .rows = true, .rank = 3, .dim = {in[0]->dim[0], x[0], x[1]}};
    return true;
}

/* Windows cover the image, without padding, and are small. */
static bool window_fits_tile(const double *a, const struct tensor *in)
{
    return a[R] == a[SH] && a[S] == a[SW] && a[PH] == 0 && a[PW] == 0 && in->dim[1] % (int64_t)a[R] == 0 &&
           in->dim[2] % (int64_t)a[S] == 0 && (int64_t)a[R] * in->dim[2] <= 1024;
}

/* Windows cover the image, each place once. */
static bool scatter_fits_tile(const double *a, const struct tensor *in)
{
    return a[R] == a[SH] && a[S] == a[SW] && a[PH] == 0 && a[PW] == 0 && a[H] == a[R] * (double)in->dim[1] &&
           a[W] == a[S] * (double)in->dim[2];
}

static void max_grad(struct graph *g, struct node *n, struct value *const *gy, struct value **gx)
{
    double a[MAX_ATTRS] = {0};
    memcpy(a, n->attr, (size_t)op_attrs(n->op) * sizeof *a);
    a[H] = (double)n->in[0]->t.dim[1];
    a[W] = (double)n->in[0]->t.dim[2];
    gx[0] = graph_op(g, "maxpool_dx", a, gy[0], n->out[1], NULL);
}

static void avg_grad(struct graph *g, struct node *n, struct value *const *gy, struct value **gx)
{
    double a[MAX_ATTRS] = {0};
    memcpy(a, n->attr, (size_t)op_attrs(n->op) * sizeof *a);
    a[H] = (double)n->in[0]->t.dim[1];
    a[W] = (double)n->in[0]->t.dim[2];
    gx[0] = graph_op(g, "avgpool_dx", a, gy[0], NULL);
}

static void pool_emit(struct writer *w, const struct stage *s)
{
    const struct tensor *x = tensor_of(w, s->in[0]), *y = tensor_of(w, s->out[0]);
    int64_t C = y->dim[0], P = y->dim[1], Q = y->dim[2];
    open_kernel(w);
    put(w, "enum { H = %lld, W = %lld };", (long long)x->dim[1], (long long)x->dim[2]);
    open_image(w, C, P, Q);
    put(w, "const int h0 = p * %d - %d, w0 = q * %d - %d;", (int)s->attr[SH], (int)s->attr[PH], (int)s->attr[SW],
        (int)s->attr[PW]);
    const char *e = region_printf(w->region, "((c * %lld + p) * %lld + q)", (long long)P, (long long)Q);
    put_window(w, s, "block", e,
               region_printf(w->region, "ld(%s)", place_of(w, s->in[0], "block", "((c * H + h0 + r) * W + w0 + s)")),
               true);
    put_maps(w, 1, w->kernel->nstage, "block", e, "c");
    close_elements(w);
    close_kernel(w);
}

/* Each place of x' gathers from the windows over it, in their order, so that no two threads write one place. */
static void dx_emit(struct writer *w, const struct stage *s)
{
    const double *a = s->attr;
    const struct tensor *y = tensor_of(w, s->in[0]);
    int64_t C = y->dim[0], P = y->dim[1], Q = y->dim[2];
    open_kernel(w);
    open_image(w, C, (int64_t)a[H], (int64_t)a[W]);
    put(w, "V sum = num(0);");
    put(w, "const int h = p + %d, w = q + %d;", (int)a[PH], (int)a[PW]);
    put(w, "const int p0 = h < %d ? 0 : (h - %d) / %d, p1 = h / %d < %lld ? h / %d : %lld;", (int)a[R],
        (int)(a[R] - a[SH]), (int)a[SH], (int)a[SH], (long long)P, (int)a[SH], (long long)P - 1);
    put(w, "const int q0 = w < %d ? 0 : (w - %d) / %d, q1 = w / %d < %lld ? w / %d : %lld;", (int)a[S],
        (int)(a[S] - a[SW]), (int)a[SW], (int)a[SW], (long long)Q, (int)a[SW], (long long)Q - 1);
    const double windows = window_places(a, tensor_of(w, s->out[0]), y);
    put_times(w, windows / (a[H] * a[W]), ceil(a[R] / a[SH])); /* over a place: of both loops */
    put(w, "for (int i = p0; i <= p1; i++)");
    put_times(w, 1, ceil(a[S] / a[SW]));
    put(w, "for (int j = q0; j <= q1; j++) {");
    const char *e = region_printf(w->region, "((c * %lld + i) * %lld + j)", (long long)P, (long long)Q);
    put(w, "const int r = h - i * %d, s = w - j * %d;", (int)a[SH], (int)a[SW]);
    put_times(w, 1, 1);
    put(w, "if (r >= %d || s >= %d)", (int)a[R], (int)a[S]);
    put(w, "    continue;");
    put(w, "const V y = ld(%s);", place_of(w, s->in[0], "block", e));
    put(w, "sum += %s;",
        s->nin == 2
            ? region_printf(w->region, "sel(%s(%s) == r * %d + s, y, num(0))",
                            place_type(a) == DT_U8 ? "ld_u8" : "ld_i32", place_of(w, s->in[1], "block", e), (int)a[S])
            : region_printf(w->region, "y * num(%.17g)", 1 / (a[R] * a[S])));
    put(w, "}");
    put(w, "st(%s, sum);",
        place_of(w, s->out[0], "block",
                 region_printf(w->region, "((c * %lld + p) * %lld + q)", (long long)a[H], (long long)a[W])));
    close_elements(w);
    close_kernel(w);
}

/* A thread has a window, if windows neither overlap nor leave places out. */
static bool is_apart(const struct writer *w, const struct stage *s)
{
    return scatter_fits_tile(s->attr, tensor_of(w, s->in[0]));
}

static void put_windows(struct writer *w, const struct stage *s)
{
    const struct tensor *y = tensor_of(w, s->in[0]);
    open_kernel(w);
    open_image(w, y->dim[0], y->dim[1], y->dim[2]);
    put(w, "const V y = ld(%s);", place_of(w, s->in[0], "block", "e"));
    put_scatter(w, s, "block", "c", "p", "q");
    close_elements(w);
    close_kernel(w);
}

/* Scatter, window after window: x' of the window's places += y' (of the winner, or its share). */
static void put_channels(struct writer *w, const struct stage *s)
{
    const double *a = s->attr;
    const struct tensor *x = tensor_of(w, s->out[0]), *y = tensor_of(w, s->in[0]);
    int64_t C = x->dim[0], P = y->dim[1], Q = y->dim[2];
    bool max = s->nin == 2, apart = a[SH] >= a[R] && a[SW] >= a[S], padded = a[PH] > 0 || a[PW] > 0;
    bool covered = apart && !padded && a[SH] == a[R] && a[SW] == a[S] && P * a[R] == a[H] && Q * a[S] == a[W];
    int splits = C < 4 ? 1 : 4;
    open_kernel(w);
    put(w, "enum { H = %d, W = %d };", (int)a[H], (int)a[W]);
    open_tasks(w, 1, splits);
    put(w, "for (int64_t c = part * %lldLL / %d; c < (part + 1) * %lldLL / %d; c++) {", (long long)C, splits,
        (long long)C, splits);
    put(w, "real *x = %s;", place_of(w, s->out[0], "block", "c * H * W"));
    if (!covered) {
        put(w, "for (int i = 0; i < H * W; i++)");
        put(w, "    st(x + i * $, num(0));");
    }
    put(w, "for (int p = 0; p < %lld; p++)", (long long)P);
    put(w, "for (int q = 0; q < %lld; q++) {", (long long)Q);
    const char *e = region_printf(w->region, "((c * %lld + p) * %lld + q)", (long long)P, (long long)Q);
    put(w, "const int h0 = p * %d - %d, w0 = q * %d - %d;", (int)a[SH], (int)a[PH], (int)a[SW], (int)a[PW]);
    put(w, "const V y = ld(%s)%s;", place_of(w, s->in[0], "block", e),
        max ? "" : region_printf(w->region, " * num(%.17g)", 1 / (a[R] * a[S])));
    if (max)
        put(w, "const M winner = %s(%s);", place_type(a) == DT_U8 ? "ld_u8" : "ld_i32",
            place_of(w, s->in[1], "block", e));
    put(w, "for (int r = 0; r < %d; r++)", (int)a[R]);
    put(w, "for (int s = 0; s < %d; s++) {", (int)a[S]);
    if (padded) {
        put(w, "if (h0 + r < 0 || h0 + r >= H || w0 + s < 0 || w0 + s >= W)");
        put(w, "    continue;");
    }
    put(w, "real *to = x + ((h0 + r) * W + w0 + s) * $;");
    const char *share = max ? region_printf(w->region, "sel(winner == r * %d + s, y, num(0))", (int)a[S]) : "y";
    if (apart)
        put(w, "st(to, %s);", share);
    else
        put(w, "st(to, ld(to) + %s);", share);
    put(w, "}");
    put(w, "}");
    put(w, "}");
    close_tasks(w);
    close_kernel(w);
}

/* clang-format off */
static const struct body dx_body[] = {
    {.name = "windows", .target = &target_cuda, .applies = is_apart, .emit = put_windows},
    {.name = "scatter", .target = &target_cpu, .emit = put_channels},
    {.name = NULL},
};
/* clang-format on */

/* ---- layers ---- */

static struct value *window(struct site *s, struct value *x, const char *what, const char *op, const double *kernel,
                            const double *stride, const double *pad, struct loc pad_loc)
{
    struct region *r = s->graph->region;
    if (x->t.rank != 3) {
        diag_error(s->diag, "N0201", s->loc, "needs channels x height x width", "%s gets %s, but it needs an image",
                   what, shape_words(r, x));
        diag_place(s->diag, x->loc, "makes %s", shape_words(r, x));
        diag_help(s->diag, "put it before the layer that makes a vector, or leave it out");
        return NULL;
    }
    double a[MAX_ATTRS] = {kernel ? kernel[0] : (double)x->t.dim[1], kernel ? kernel[1] : (double)x->t.dim[2]};
    for (int i = 0; i < 2; i++) {
        a[SH + i] = stride && stride[i] > 0 ? stride[i] : a[R + i];
        a[PH + i] = pad ? pad[i] : 0;
        if (a[PH + i] > floor(a[R + i] / 2)) {
            diag_error(s->diag, "N0206", pad_loc, NULL, "%s: the padding %g is more than half of the window %g", what,
                       a[PH + i], a[R + i]);
            diag_help(s->diag, "use `pad = %g` or less", floor(a[R + i] / 2));
            return NULL;
        }
    }
    int64_t size[2];
    if (!sizes(a, x->t.dim + 1, size)) {
        int64_t high = x->t.dim[1], wide = x->t.dim[2];
        bool large = high > MAX_PICTURE || wide > MAX_PICTURE;
        if (large)
            diag_error(s->diag, "N0202", s->loc, NULL, "%s: images may have at most %d rows and columns", what,
                       MAX_PICTURE);
        else
            diag_error(s->diag, "N0202", s->loc, NULL, "%s: a window of %gx%g does not fit into %s", what, a[R], a[S],
                       shape_text(r, x));
        diag_place(s->diag, x->loc, "makes %s", shape_words(r, x));
        if (!large)
            diag_help(s->diag, "the largest window here is %lldx%lld; `Global%s` takes the whole image",
                      (long long)high, (long long)wide, what);
        return NULL;
    }
    return graph_op(s->graph, op, a, x, NULL);
}

static struct value *max_pool(struct site *s, const struct args *a, struct value *const *x, int nx)
{
    (void)nx;
    return window(s, x[0], "MaxPool", "maxpool", a->num[0], a->num[1], a->num[2], a->loc[2]);
}

static struct value *avg_pool(struct site *s, const struct args *a, struct value *const *x, int nx)
{
    (void)nx;
    return window(s, x[0], "AvgPool", "avgpool", a->num[0], a->num[1], a->num[2], a->loc[2]);
}

static struct value *global_max(struct site *s, const struct args *a, struct value *const *x, int nx)
{
    (void)a, (void)nx;
    return window(s, x[0], "GlobalMaxPool", "maxpool", NULL, NULL, NULL, s->loc);
}

static struct value *global_avg(struct site *s, const struct args *a, struct value *const *x, int nx)
{
    (void)a, (void)nx;
    return window(s, x[0], "GlobalAvgPool", "avgpool", NULL, NULL, NULL, s->loc);
}

/* clang-format off */
static const struct op op[] = {
    {.name = "maxpool", .doc = "largest value of each window, and its place there", .kind = OP_WINDOW, .form = FORM_POOL, .fits_tile = window_fits_tile, .nin = 1, .nout = 2,
     .attr = {POOL_ATTRS}, .shape = pool_shape, .grad = max_grad, .emit = pool_emit},
    {.name = "avgpool", .doc = "mean of each window, padding counted", .kind = OP_WINDOW, .form = FORM_POOL, .fits_tile = window_fits_tile, .nin = 1, .nout = 1,
     .attr = {POOL_ATTRS}, .shape = pool_shape, .grad = avg_grad, .emit = pool_emit},
    {.name = "maxpool_dx", .doc = "gradient of maxpool", .kind = OP_WINDOW, .form = FORM_SCATTER, .fits_tile = scatter_fits_tile, .nin = 2, .nout = 1,
     .attr = {POOL_ATTRS, "h", "w"}, .shape = dx_shape, .emit = dx_emit, .body = dx_body},
    {.name = "avgpool_dx", .doc = "gradient of avgpool", .kind = OP_WINDOW, .form = FORM_SCATTER, .fits_tile = scatter_fits_tile, .nin = 1, .nout = 1,
     .attr = {POOL_ATTRS, "h", "w"}, .shape = dx_shape, .emit = dx_emit, .body = dx_body},
};

#define POOL_ARGS                                                                                                              \
    {{.name = "kernel", .help = "height and width of the window", .type = ARG_PAIR, .required = true, .min = 1, .max = 4096},   \
     {.name = "stride", .help = "step; the kernel's size unless given", .type = ARG_PAIR, .otherwise = 0, .min = 1, .max = 4096},             \
     {.name = "pad", .help = "border", .type = ARG_PAIR, .otherwise = 0, .min = 0, .max = 2048}}

static const struct word word[] = {
    {.kind = WORD_LAYER, .name = "MaxPool", .doc = "largest value of each window", .build = max_pool, .arg = POOL_ARGS},
    {.kind = WORD_LAYER, .name = "AvgPool", .doc = "mean of each window, padding counted", .build = avg_pool, .arg = POOL_ARGS},
    {.kind = WORD_LAYER, .name = "GlobalMaxPool", .doc = "largest value of each channel", .build = global_max},
    {.kind = WORD_LAYER, .name = "GlobalAvgPool", .doc = "mean of each channel", .build = global_avg},
};
/* clang-format on */

const struct module module_pool = {op, COUNT(op), word, COUNT(word)};
