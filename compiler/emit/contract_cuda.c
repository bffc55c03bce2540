/* contract_cuda.c: contractions as CUDA. As in C, 16 neighbouring lanes are samples, so that x is read in runs of 64 bytes
 * and one weight serves all lanes (the layout of cuda-convnet: A. Krizhevsky, arXiv 1404.5997). A thread holds a tile of sums
 * in registers. Every sum has a fixed order; no atomics.
 *
 *   tiled   a thread has `tile` output channels x `rows` x `columns` places; weights of some input channels in shared memory
 *   flat    a fully connected layer: `tile` outputs x 4 blocks of samples, the depth cut into slices that meet at the end */
#include "contract.h"

#include <limits.h>
#include <stdlib.h>

enum { SHARED_WEIGHTS = 3072, MOST_SUMS = 64, MOST_UNITS = 16 /* of a thread block */ };

static int multiple(int a, int b) /* the least common one */
{
    int m = a;
    while (m % b)
        m += a;
    return m;
}

/* Output channels [k, k + n) of tile t of all, and their weights; `from` is the first channel of x. */
void put_tile(struct writer *w, const struct stage *s, const struct contraction *c)
{
    int64_t tiles = groups_of(c->outs, c->tile);
    put(w, "const int64_t group = t / %lld, o = t %% %lld * %d, k = group * %lld + o, from = group * %lld;",
        (long long)tiles, (long long)tiles, c->tile, (long long)c->outs, (long long)c->depth);
    put(w, "const int n = %lld - o < %d ? (int)(%lld - o) : %d;", (long long)c->outs, c->tile, (long long)c->outs,
        c->tile);
    put(w, "const real *weight = %s + group * %lld + o * %lld;", name_of(w, s->in[1]), (long long)c->w_group,
        (long long)c->w_out);
}

/* ---- tiled ---- */

/* False if the sums do not fit the registers, or the taps the shared memory and the text. */
bool choose_tiling(const struct writer *w, const struct stage *s, struct contraction *c, struct tiling *t)
{
    const struct stage *pool = window_behind(w, s);
    bool pooled = pool && pool->op->form == FORM_POOL;
    int64_t taps = c->y.taps * c->x.taps;
    if ((pooled && (pool->attr[0] > MOST_SUMS || pool->attr[1] > MOST_SUMS)) || c->y.d > 8 || c->x.d > 8)
        return false;
    t->rows = multiple(pooled ? (int)pool->attr[0] : 1, c->y.d);
    int step = multiple(pooled ? (int)pool->attr[1] : 1, c->x.d);
    t->columns = step;
    while (t->columns + step <= 4 || (t->columns < 4 && t->columns + step <= c->x.out && t->columns + step <= 8))
        t->columns += step;
    int sums = t->rows * t->columns;
    int64_t far = (int64_t)c->x.a * t->columns + llabs(c->x.b) * c->x.taps + llabs(c->x.c);
    if (sums > MOST_SUMS || taps > 128 || far > FAR)
        return false;
    int most = c->y.out * c->x.out >= 196 ? 8 : 4;
    int tile = (int)least(least(MOST_SUMS / sums, most), c->outs);
    if (tile > 4)
        tile = tile / 4 * 4;
    t->p_groups = groups_of(c->y.out, t->rows);
    t->q_groups = groups_of(c->x.out, t->columns);
    int64_t units = t->p_groups * t->q_groups;
    t->units = (int)least(MOST_UNITS, (units + 1) / 2 * 2);
    t->unit_groups = groups_of(units, t->units);
    t->depth = least(c->depth, SHARED_WEIGHTS / (taps * tile));
    if (t->depth == 0 || groups_of(c->outs, tile) * c->groups * t->unit_groups > INT_MAX)
        return false;
    c->tile = tile;
    return true;
}

/* One tap row r and one output row rr: the places of x that its columns meet, each read once, and the products. */
void put_tap_row(struct writer *w, const struct contraction *c, const struct tiling *t, const struct tap_text *text)
{
    const struct axis *y = &c->y, *x = &c->x;
    bool met[2 * FAR + 1] = {false};
    put(w, "const int v = (p0 + rr) * %d + (%d) * r + (%d), h = v / %d;", y->a, y->b, y->c, y->d);
    put(w, "if (v >= 0 && %sh < %lld) {", y->d > 1 ? region_printf(w->region, "v %% %d == 0 && ", y->d) : "",
        (long long)y->source);
    put(w, "const real *xr = xd + h * %lld, *wr = %s + r * %lld;", (long long)x->source * ROW_BLOCK, text->weights,
        (long long)x->taps * text->tap);
    for (int s = 0; s < x->taps * t->columns; s++) {
        int u = x->a * (s / (int)x->taps) + x->b * (s % (int)x->taps) + x->c, at = u / x->d;
        if (u % x->d || met[at + FAR])
            continue;
        met[at + FAR] = true;
        const char *inside =
            region_printf(w->region, "w0 + (%d) >= 0 && w0 + (%d) < %lld", at, at, (long long)x->source);
        text->place(w, c, at, inside);
    }
    for (int s = 0; s < x->taps; s++) {
        bool any = false;
        for (int j = 0; j < t->columns; j++) {
            int u = x->a * j + x->b * s + x->c;
            if (u % x->d)
                continue;
            if (!any)
                text->weight(w, c, s * text->tap);
            any = true;
            text->product(w, j, u / x->d);
        }
        if (any && text->end)
            put(w, "%s", text->end);
    }
    put(w, "}");
}

/* The variable of column w0 + at: x2, xm1. */
const char *place_name(struct writer *w, int at)
{
    return region_printf(w->region, "x%s%d", at < 0 ? "m" : "", abs(at));
}

static void put_place(struct writer *w, const struct contraction *c, int at, const char *inside)
{
    (void)c;
    put(w, "const V %s = %s ? ld(xr + (w0 + (%d)) * $) : 0;", place_name(w, at), inside, at);
}

static void put_weight(struct writer *w, const struct contraction *c, int tap)
{
    put(w, "load<%d>(f, wr + %d);", c->tile, tap);
    put(w, "UNROLL for (int i = 0; i < %d; i++) {", c->tile);
}

static void put_product(struct writer *w, int column, int at)
{
    put(w, "acc[i][rr][%d] += f[i] * %s;", column, place_name(w, at));
}

void put_tile_start(struct writer *w, const struct contraction *c, const struct tiling *t, int sums, const char *who)
{
    put(w, "V acc[%d][%d][%d]%s;", sums, t->rows, t->columns, c->bias < 0 ? " = {}" : "");
    if (c->bias < 0)
        return;
    put(w, "UNROLL for (int i = 0; i < %d; i++) {", sums);
    put(w, "%s", who);
    put(w, "const V start = o8 < n ? %s : 0;", read_of(w, c->bias, NULL, NULL, "k + o8"));
    put(w, "UNROLL for (int rr = 0; rr < %d; rr++)", t->rows);
    put(w, "UNROLL for (int j = 0; j < %d; j++)", t->columns);
    put(w, "    acc[i][rr][j] = start;");
    put(w, "}");
}

void put_tile_results(struct writer *w, const struct stage *s, const struct contraction *c, const struct tiling *t,
                      int sums, const char *who)
{
    const struct stage *pool = window_behind(w, s);
    bool scattered = pool && pool->op->form == FORM_SCATTER, pooled = pool && !scattered;
    int first = c->next, window = maps_end(w, first), out = c->result;
    if (!pooled || window > first || is_stored(w, out)) {
        put(w, "UNROLL for (int i = 0; i < %d; i++)", sums);
        put(w, "UNROLL for (int rr = 0; rr < %d; rr++)", t->rows);
        put(w, "UNROLL for (int j = 0; j < %d; j++) {", t->columns);
        put(w, "%s", who);
        put(w, "const int p = p0 + rr, q = q0 + j;");
        put(w, "if (o8 < n && p < %lld && q < %lld) {", (long long)c->y.out, (long long)c->x.out);
        const char *e =
            region_printf(w->region, "(((k + o8) * %lld + p) * %lld + q)", (long long)c->y.out, (long long)c->x.out);
        put(w, "const V v%d = acc[i][rr][j];", var_of(w, out));
        if (is_stored(w, out))
            put(w, "st(%s, v%d);", place_of(w, out, "block", e), var_of(w, out));
        put_maps(w, first, window, "block", e, "(k + o8)");
        if (pooled)
            put(w, "acc[i][rr][j] = v%d;", var_of(w, pool->in[0]));
        if (scattered)
            put_scatter(w, pool, "block", "(k + o8)", "p", "q");
        put(w, "}");
        put(w, "}");
    }
    if (!pooled)
        return;
    const struct tensor *y = tensor_of(w, pool->out[0]);
    int R = (int)pool->attr[0], S = (int)pool->attr[1];
    put(w, "UNROLL for (int i = 0; i < %d; i++)", sums);
    put(w, "UNROLL for (int rr = 0; rr < %d; rr++)", t->rows / R);
    put(w, "UNROLL for (int j = 0; j < %d; j++) {", t->columns / S);
    put(w, "%s", who);
    put(w, "const int p = p0 / %d + rr, q = q0 / %d + j;", R, S);
    put(w, "if (o8 < n && p < %lld && q < %lld) {", (long long)y->dim[1], (long long)y->dim[2]);
    const char *e =
        region_printf(w->region, "(((k + o8) * %lld + p) * %lld + q)", (long long)y->dim[1], (long long)y->dim[2]);
    put_window(w, pool, "block", e, region_printf(w->region, "acc[i][rr * %d + r][j * %d + s]", R, S), false);
    put_maps(w, window + 1, w->kernel->nstage, "block", e, "(k + o8)");
    put(w, "}");
    put(w, "}");
}

bool is_tiled_cuda(const struct writer *w, const struct stage *s)
{
    struct contraction c = contraction_of(w, s);
    return is_image(w, s) && choose_tiling(w, s, &c, &(struct tiling){0});
}

void put_tiled_cuda(struct writer *w, const struct stage *s)
{
    struct contraction at = contraction_of(w, s), *c = &at;
    struct tiling tiles_of, *t = &tiles_of;
    choose_tiling(w, s, c, t);
    const struct axis *y = &c->y, *x = &c->x;
    int64_t taps = y->taps * x->taps, plane = y->source * x->source * ROW_BLOCK,
            tiles = groups_of(c->outs, c->tile) * c->groups;
    w->threads = ROW_BLOCK * t->units;
    open_kernel(w);
    open_tasks(w, 1, (int)(tiles * t->unit_groups));
    put(w, "const int t = (int)(part / %lld), u = (int)(part %% %lld) * %d + unit;", (long long)t->unit_groups,
        (long long)t->unit_groups, t->units);
    put_tile(w, s, c);
    put(w, "const bool active = u < %lld;", (long long)(t->p_groups * t->q_groups));
    put(w, "const int p0 = u / %lld * %d, q0 = u %% %lld * %d;", (long long)t->q_groups, t->rows,
        (long long)t->q_groups, t->columns);
    put(w, "const int w0 = q0 * %d / %d;", x->a, x->d);
    put(w, "const real *x = %s + (block * %lld + from) * %lld + lane;", name_of(w, s->in[0]),
        (long long)(c->depth * c->groups), (long long)plane);
    /* A multiple of four: NVRTC may read the last three as four. */
    put(w, "__shared__ __align__(16) real shared[%lld];", (long long)(t->depth * taps * c->tile + 3) / 4 * 4);
    put_tile_start(w, c, t, c->tile, "const int o8 = i;");
    put(w, "for (int d0 = 0; d0 < %lld; d0 += %lld) {", (long long)c->depth, (long long)t->depth);
    put(w, "for (int m = threadIdx.x; m < %lld; m += %d) {", (long long)(t->depth * taps * c->tile), w->threads);
    put(w, "const int i = m %% %d, tap = m / %d %% %lld, d = d0 + m / %lld;", c->tile, c->tile, (long long)taps,
        (long long)(c->tile * taps));
    put(w, "shared[m] = i < n && d < %lld ? weight[i * %lld + (int64_t)d * %lld + tap] : 0;", (long long)c->depth,
        (long long)c->w_out, (long long)c->w_depth);
    put(w, "}");
    put(w, "__syncthreads();");
    put(w, "if (active)");
    put(w, "for (int d = 0; d < %lld && d0 + d < %lld; d++) {", (long long)t->depth, (long long)c->depth);
    put(w, "const real *xd = x + (int64_t)(d0 + d) * %lld, *wd = shared + d * %lld;", (long long)plane,
        (long long)(taps * c->tile));
    put(w, "for (int r = 0; r < %lld; r++)", (long long)y->taps);
    put(w, "UNROLL for (int rr = 0; rr < %d; rr++) {", t->rows);
    put(w, "real f[%d];", c->tile);
    put_tap_row(w, c, t, &(struct tap_text){"wd", c->tile, put_place, put_weight, put_product, "}"});
    put(w, "}");
    put(w, "}");
    put(w, "__syncthreads();");
    put(w, "}");
    put(w, "if (active) {");
    put_tile_results(w, s, c, t, c->tile, "const int o8 = i;");
    put(w, "}");
    close_tasks(w);
    close_kernel(w);
}

/* ---- flat ---- */

/* sums[slice][(i * FLAT_BLOCKS + j) * ROW_BLOCK + lane] of `slices` parts of the depth: what they make together. */
void put_flat_results(struct writer *w, const struct contraction *c, int slices)
{
    const int out = c->result;
    put(w, "__syncthreads();");
    put(w, "for (int m = threadIdx.x; m < %d; m += %d) {", c->tile * FLAT_BLOCKS * ROW_BLOCK, w->threads);
    put(w, "const int i = m / %d, j = m / $ %% %d, lane = m %% $;", ROW_BLOCK * FLAT_BLOCKS, FLAT_BLOCKS);
    put(w, "if (i < n && block + j < blocks) {");
    put(w, "V sum = %s;", c->bias < 0 ? "0" : read_of(w, c->bias, NULL, NULL, "k + i"));
    put(w, "for (int slice = 0; slice < %d; slice++)", slices);
    put(w, "    sum += sums[slice][m];");
    put(w, "const V v%d = sum;", var_of(w, out));
    if (is_stored(w, out))
        put(w, "st(%s, v%d);", place_of(w, out, "(block + j)", "(k + i)"), var_of(w, out));
    put_maps(w, c->next, w->kernel->nstage, "(block + j)", "(k + i)", "(k + i)");
    put(w, "}");
    put(w, "}");
}

void put_flat_cuda(struct writer *w, const struct stage *s)
{
    struct contraction at = contraction_of(w, s), *c = &at;
    int slices = MOST_UNITS;
    c->tile = (int)least(8, c->outs);
    while (slices > 2 && c->depth < 32 * slices)
        slices /= 2;
    int values = c->tile * FLAT_BLOCKS * ROW_BLOCK;
    /* Four neighbouring weights at a time, along the depth or the outputs, where they are aligned. */
    bool along = c->w_depth == 1 && c->w_out % 4 == 0 && c->depth % 4 == 0 && c->w_group % 4 == 0;
    bool across =
        c->w_out == 1 && c->w_depth % 4 == 0 && c->outs % c->tile == 0 && c->tile % 4 == 0 && c->w_group % 4 == 0;
    int step = along ? 4 : 1;
    w->threads = ROW_BLOCK * slices;
    open_kernel(w);
    open_tasks(w, FLAT_BLOCKS, (int)(groups_of(c->outs, c->tile) * c->groups));
    put(w, "const int64_t t = part;");
    put_tile(w, s, c);
    put(w, "__shared__ V sums[%d][%d];", slices, values);
    put(w, "V acc[%d][%d] = {};", c->tile, FLAT_BLOCKS);
    put(w, "const real *x[%d];", FLAT_BLOCKS);
    put(w, "UNROLL for (int j = 0; j < %d; j++)", FLAT_BLOCKS);
    put(w, "    x[j] = %s + ((block + j < blocks ? block + j : blocks - 1) * %lld + from) * $ + lane;",
        name_of(w, s->in[0]), (long long)(c->depth * c->groups));
    put(w, "for (int d = unit * %d; d < %lld; d += %d) {", step, (long long)c->depth, step * slices);
    put(w, "real f[%d][%d];", c->tile, step);
    if (across) {
        put(w, "real row[%d];", c->tile);
        put(w, "load<%d>(row, weight + (int64_t)d * %lld);", c->tile, (long long)c->w_depth);
    }
    put(w, "UNROLL for (int i = 0; i < %d; i++)", c->tile);
    if (across)
        put(w, "    f[i][0] = row[i];");
    else if (along)
        put(w, "    load<4>(f[i], weight + (i < n ? i : 0) * %lld + d);", (long long)c->w_out);
    else
        put(w, "    f[i][0] = weight[(i < n ? i : 0) * %lld + (int64_t)d * %lld];", (long long)c->w_out,
            (long long)c->w_depth);
    put(w, "UNROLL for (int m = 0; m < %d; m++)", step);
    put(w, "UNROLL for (int j = 0; j < %d; j++) {", FLAT_BLOCKS);
    put(w, "const V b = ld(x[j] + (d + m) * $);");
    put(w, "UNROLL for (int i = 0; i < %d; i++)", c->tile);
    put(w, "    acc[i][j] += f[i][m] * b;");
    put(w, "}");
    put(w, "}");
    put(w, "UNROLL for (int i = 0; i < %d; i++)", c->tile);
    put(w, "UNROLL for (int j = 0; j < %d; j++)", FLAT_BLOCKS);
    put(w, "    sums[unit][(i * %d + j) * $ + lane] = acc[i][j];", FLAT_BLOCKS);
    put_flat_results(w, c, slices);
    close_tasks(w);
    close_kernel(w);
}
