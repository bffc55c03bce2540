/* contract_mma.c: contractions on tensor cores, for those who ask for TF32 or BF16. A warp multiplies 16 output channels by
 * 8 samples (two such make a block), over as many input channels as one instruction takes; for the weight gradients 16
 * output by 8 input channels over samples. Taps and tiles of places are those of contract_cuda.c. */
#include "contract.h"

enum { WARPS = 8, SHARED_FLOATS = 11776, PAD = MMA_M + 8 }; /* PAD: 8 more so that banks differ */

static int depth_of(const struct writer *w)
{
    return w->precision == PRECISION_TF32 ? 8 : 16;
}

static void put_thread(struct writer *w)
{
    put(w, "const int warp = threadIdx.x / 32, g = threadIdx.x %% 32 / 4, t2 = threadIdx.x %% 4 * 2;");
    put(w, "(void)warp, (void)g, (void)t2;");
}

/* ---- images ---- */

static void put_place(struct writer *w, const struct contraction *c, int at, const char *inside)
{
    put(w, "uint32_t %s[2][2];", place_name(w, at));
    put(w, "UNROLL for (int half = 0; half < 2; half++)");
    put(w, "    load_b(%s[half], xr + (w0 + (%d)) * $ + half * 8 + g, %lld, %s ? left : 0);", place_name(w, at), at,
        (long long)(c->y.source * c->x.source * ROW_BLOCK), inside);
}

static void put_weight(struct writer *w, const struct contraction *c, int tap)
{
    (void)c;
    put(w, "load_a(f, wr + %d, 1, %d, %d, %d);", tap, PAD, MMA_M, depth_of(w));
}

static void put_product(struct writer *w, int column, int at)
{
    for (int half = 0; half < 2; half++)
        put(w, "mma(acc[%d][rr][%d], acc[%d][rr][%d], acc[%d][rr][%d], acc[%d][rr][%d], f, %s[%d]);", 4 * half, column,
            4 * half + 1, column, 4 * half + 2, column, 4 * half + 3, column, place_name(w, at), half);
}

/* False: too large, or so small that tensor cores would stand idle. */
static bool choose_image(const struct writer *w, const struct stage *s, struct contraction *c, struct tiling *t)
{
    if (c->depth < depth_of(w) / 2 || c->outs < 8 || c->y.taps * c->x.taps * depth_of(w) * PAD > SHARED_FLOATS ||
        !choose_tiling(w, s, c, t) || t->rows * t->columns > 8)
        return false;
    c->tile = MMA_M;
    int64_t units = t->p_groups * t->q_groups, tiles = groups_of(c->outs, MMA_M) * c->groups;
    t->units = (int)(units < WARPS ? units : WARPS);
    t->unit_groups = groups_of(units, t->units);
    return tiles * t->unit_groups <= INT32_MAX;
}

static void put_image(struct writer *w, const struct stage *s)
{
    struct contraction at = contraction_of(w, s), *c = &at;
    struct tiling t;
    choose_image(w, s, c, &t);
    const struct axis *y = &c->y, *x = &c->x;
    int deep = depth_of(w);
    int64_t taps = y->taps * x->taps, plane = y->source * x->source * ROW_BLOCK, units = t.p_groups * t.q_groups;
    int64_t tiles = groups_of(c->outs, MMA_M) * c->groups;
    w->threads = 32 * t.units;
    open_kernel(w);
    open_tasks(w, 1, (int)(tiles * t.unit_groups));
    put_thread(w);
    put(w, "const int t = (int)(part / %lld), u = (int)(part %% %lld) * %d + warp;", (long long)t.unit_groups,
        (long long)t.unit_groups, t.units);
    put_tile(w, s, c);
    put(w, "const bool active = u < %lld;", (long long)units);
    put(w, "const int p0 = u / %lld * %d, q0 = u %% %lld * %d, w0 = q0 * %d / %d;", (long long)t.q_groups, t.rows,
        (long long)t.q_groups, t.columns, x->a, x->d);
    put(w, "const real *x = %s + (block * %lld + from) * %lld;", name_of(w, s->in[0]),
        (long long)(c->depth * c->groups), (long long)plane);
    put(w, "__shared__ real shared[%lld];", (long long)(taps * deep * PAD));
    const char *who = "const int o8 = g + i / 2 % 2 * 8, lane = i / 4 * 8 + t2 + i % 2;";
    put_tile_start(w, c, &t, 8, who);
    put(w, "for (int d0 = 0; d0 < %lld; d0 += %d) {", (long long)c->depth, deep);
    put(w, "const int left = %lld - d0;", (long long)c->depth);
    put(w, "for (int m = threadIdx.x; m < %lld; m += %d) {", (long long)(taps * deep * MMA_M), w->threads);
    put(w, "const int i = m %% %d, tap = m / %d %% %lld, d = m / %lld;", MMA_M, MMA_M, (long long)taps,
        (long long)(MMA_M * taps));
    put(w,
        "shared[(tap * %d + d) * %d + i] = i < n && d < left ? weight[i * %lld + (int64_t)(d0 + d) * %lld + tap] : 0;",
        deep, PAD, (long long)c->w_out, (long long)c->w_depth);
    put(w, "}");
    put(w, "__syncthreads();");
    put(w, "const real *xd = x + (int64_t)d0 * %lld;", (long long)plane);
    put(w, "if (active)");
    put(w, "for (int r = 0; r < %lld; r++)", (long long)y->taps);
    put(w, "UNROLL for (int rr = 0; rr < %d; rr++) {", t.rows);
    put(w, "uint32_t f[4];");
    put_tap_row(w, c, &t, &(struct tap_text){"shared", deep * PAD, put_place, put_weight, put_product, NULL});
    put(w, "}");
    put(w, "__syncthreads();");
    put(w, "}");
    put(w, "if (active) {");
    put_tile_results(w, s, c, &t, 8, who);
    put(w, "}");
    close_tasks(w);
    close_kernel(w);
}

/* ---- fully connected layers ---- */

static void put_flat(struct writer *w, const struct stage *s)
{
    struct contraction at = contraction_of(w, s), *c = &at;
    int deep = depth_of(w);
    c->tile = MMA_M;
    w->threads = 32 * WARPS;
    open_kernel(w);
    open_tasks(w, FLAT_BLOCKS, (int)(groups_of(c->outs, MMA_M) * c->groups));
    put_thread(w);
    put(w, "const int64_t t = part;");
    put_tile(w, s, c);
    put(w, "__shared__ V sums[%d][%d];", WARPS, MMA_M * FLAT_BLOCKS * ROW_BLOCK);
    put(w, "V acc[8][%d] = {};", FLAT_BLOCKS);
    put(w, "const real *x[%d];", FLAT_BLOCKS);
    put(w, "UNROLL for (int j = 0; j < %d; j++)", FLAT_BLOCKS);
    put(w, "    x[j] = %s + ((block + j < blocks ? block + j : blocks - 1) * %lld + from) * $ + g;",
        name_of(w, s->in[0]), (long long)(c->depth * c->groups));
    put(w, "for (int d = warp * %d; d < %lld; d += %d) {", deep, (long long)c->depth, deep * WARPS);
    put(w, "uint32_t f[4], b[2];");
    put(w, "load_a(f, weight + (int64_t)d * %lld, %lld, %lld, n, %lld - d);", (long long)c->w_depth,
        (long long)c->w_out, (long long)c->w_depth, (long long)c->depth);
    put(w, "UNROLL for (int j = 0; j < %d; j++)", FLAT_BLOCKS);
    put(w, "UNROLL for (int half = 0; half < 2; half++) {");
    put(w, "load_b(b, x[j] + d * $ + half * 8, $, %lld - d);", (long long)c->depth);
    put(w, "mma(acc[4 * half][j], acc[4 * half + 1][j], acc[4 * half + 2][j], acc[4 * half + 3][j], f, b);");
    put(w, "}");
    put(w, "}");
    put(w, "UNROLL for (int i = 0; i < 8; i++)");
    put(w, "UNROLL for (int j = 0; j < %d; j++)", FLAT_BLOCKS);
    put(w, "    sums[warp][((g + i / 2 %% 2 * 8) * %d + j) * $ + i / 4 * 8 + t2 + i %% 2] = acc[i][j];", FLAT_BLOCKS);
    put_flat_results(w, c, WARPS);
    close_tasks(w);
    close_kernel(w);
}

bool is_mma(const struct writer *w, const struct stage *s)
{
    struct contraction c = contraction_of(w, s);
    if (w->precision == PRECISION_FP32)
        return false;
    if (tensor_of(w, s->in[0])->rank == 1)
        return c.depth >= 2 * depth_of(w) && c.outs >= 8;
    return choose_image(w, s, &c, &(struct tiling){0});
}

void put_mma(struct writer *w, const struct stage *s)
{
    if (tensor_of(w, s->in[0])->rank == 1)
        put_flat(w, s);
    else
        put_image(w, s);
}

/* ---- weight gradients ---- */

struct mma_dw {
    int rows;
    int64_t k_tiles, c_tiles, row_parts, tasks;
};

static struct mma_dw choose_dw(const struct geometry *g)
{
    struct mma_dw d = {.rows = g->R * g->S <= 9 ? (int)g->R : 1,
                       .k_tiles = groups_of(g->K / g->G, MMA_M),
                       .c_tiles = groups_of(g->C / g->G, 8)};
    d.row_parts = g->R / d.rows;
    d.tasks = g->G * d.k_tiles * d.c_tiles * d.row_parts;
    return d;
}

bool is_conv_dw_mma(const struct writer *w, const struct stage *s)
{
    const struct geometry g = geometry_of(w, s);
    const struct mma_dw d = choose_dw(&g);
    return w->precision != PRECISION_FP32 && d.rows * g.S <= 9 && g.K / g.G >= 8 && g.C / g.G >= 4 &&
           d.tasks * conv_dw_parts(&g) <= INT32_MAX;
}

void put_conv_dw_mma(struct writer *w, const struct stage *s)
{
    const struct geometry at = geometry_of(w, s), *g = &at;
    const struct mma_dw d = choose_dw(g);
    int deep = depth_of(w), rows = d.rows, taps = rows * (int)g->S, parts = conv_dw_parts(g);
    int64_t Kg = g->K / g->G, Cg = g->C / g->G, plane = g->H * g->W * ROW_BLOCK;
    int64_t k_tiles = d.k_tiles, c_tiles = d.c_tiles, row_parts = d.row_parts, tasks = d.tasks;
    w->threads = 32 * WARPS;
    open_kernel(w);
    w->blocks_per_task = 0;
    w->splits = (int)(tasks * parts);
    put_thread(w);
    put(w,
        "const int part = blockIdx.x %% %d, task = blockIdx.x / %d, r0 = task %% %lld * %d, c = task / %lld %% %lld * 8;",
        parts, parts, (long long)row_parts, rows, (long long)row_parts, (long long)c_tiles);
    put(w, "const int t = task / %lld %% %lld, group = task / %lld;", (long long)(row_parts * c_tiles),
        (long long)k_tiles, (long long)(row_parts * c_tiles * k_tiles));
    put(w, "const int o = t * %d, k = group * %lld + o, n = %lld - o < %d ? %lld - o : %d;", MMA_M, (long long)Kg,
        (long long)Kg, MMA_M, (long long)Kg, MMA_M);
    put(w, "V acc[%d][%lld][4] = {};", rows, (long long)g->S);
    put(w, "for (int64_t m = part * %d + warp; m < blocks * %lld; m += %d) {", WARPS, (long long)g->P, WARPS * parts);
    put(w, "const int64_t block = m / %lld;", (long long)g->P);
    put(w, "const int p = (int)(m %% %lld);", (long long)g->P);
    put(w, "const real *y = %s + (((block * %lld + k) * %lld + p) * %lld) * $;", name_of(w, s->in[1]), (long long)g->K,
        (long long)g->P, (long long)g->Q);
    put(w, "const real *x = %s + (block * %lld + group * %lld + c + (c + g < %lld ? g : 0)) * %lld;",
        name_of(w, s->in[0]), (long long)g->C, (long long)Cg, (long long)Cg, (long long)plane);
    put(w, "for (int q = 0; q < %lld; q++)", (long long)g->Q);
    put(w, "for (int half = 0; half < $; half += %d) {", deep);
    put(w, "uint32_t f[4], b[2];");
    put(w, "load_a(f, y + q * $ + half, %lld, 1, n, %d);", (long long)(g->P * g->Q * ROW_BLOCK), deep);
    put(w, "UNROLL for (int r = 0; r < %d; r++)", rows);
    put(w, "UNROLL for (int s = 0; s < %lld; s++) {", (long long)g->S);
    put(w, "const int h = p * %d + (r0 + r) * %d - %d, w = q * %d + s * %d - %d;", g->stride[0], g->dil[0], g->pad[0],
        g->stride[1], g->dil[1], g->pad[1]);
    put(w, "const bool inside = h >= 0 && h < %lld && w >= 0 && w < %lld && c + g < %lld;", (long long)g->H,
        (long long)g->W, (long long)Cg);
    put(w, "load_b(b, x + (h * %lld + w) * $ + half, 1, inside ? %d : 0);", (long long)g->W, deep);
    put(w, "mma(acc[r][s][0], acc[r][s][1], acc[r][s][2], acc[r][s][3], f, b);");
    put(w, "}");
    put(w, "}");
    put(w, "}");
    put(w, "__shared__ V sums[%d][%d];", WARPS, taps * 128);
    put(w, "UNROLL for (int r = 0; r < %d; r++)", rows);
    put(w, "UNROLL for (int s = 0; s < %lld; s++)", (long long)g->S);
    put(w, "UNROLL for (int i = 0; i < 4; i++)");
    put(w, "    sums[warp][((g + i / 2 * 8) * 8 + t2 + i %% 2) * %d + r * %lld + s] = acc[r][s][i];", taps,
        (long long)g->S);
    put(w, "__syncthreads();");
    put(w, "for (int m = threadIdx.x; m < %d; m += %d) {", taps * 128, w->threads);
    put(w, "const int i = m / %d, j = m / %d %% 8, tap = m %% %d;", taps * 8, taps, taps);
    put(w, "V sum = 0;");
    put(w, "for (int from = 0; from < %d; from++)", WARPS);
    put(w, "    sum += sums[from][m];");
    put(w, "if (i < n && c + j < %lld)", (long long)Cg);
    put(w, "    %s[((int64_t)(k + i) * %lld + c + j) * %lld + r0 * %lld + tap%s] = sum;",
        parts > 1 ? "workspace" : name_of(w, s->out[0]), (long long)Cg, (long long)(g->R * g->S), (long long)g->S,
        parts > 1 ? region_printf(w->region, " + part * %lldLL", (long long)(g->K * Cg * g->R * g->S)) : "");
    put(w, "}");
    close_kernel(w);
    put_conv_dw_parts(w, s, g, parts);
}

enum { SPAN = 32 }; /* input features of a thread block */

bool is_linear_dw_mma(const struct writer *w, const struct stage *s)
{
    int64_t C = tensor_of(w, s->in[0])->dim[0], K = tensor_of(w, s->in[1])->dim[0];
    return w->precision != PRECISION_FP32 && K >= 8 && C >= 8 && groups_of(K, MMA_M) * groups_of(C, SPAN) <= INT32_MAX;
}

void put_linear_dw_mma(struct writer *w, const struct stage *s)
{
    int deep = depth_of(w);
    int64_t C = tensor_of(w, s->in[0])->dim[0], K = tensor_of(w, s->in[1])->dim[0], tiles = groups_of(K, MMA_M),
            spans = groups_of(C, SPAN);
    int64_t stride = row_elements(tensor_of(w, s->in[0]));
    w->threads = 32 * WARPS;
    open_kernel(w);
    w->blocks_per_task = 0;
    w->splits = (int)(tiles * spans);
    put_thread(w);
    put(w, "const int64_t rows = a->control[%d];", CTL_ROWS);
    put(w, "const int k = blockIdx.x %% %lld * %d, c = blockIdx.x / %lld * %d, n = %lld - k < %d ? %lld - k : %d;",
        (long long)tiles, MMA_M, (long long)tiles, SPAN, (long long)K, MMA_M, (long long)K, MMA_M);
    put(w, "V acc[4][4] = {};");
    put(w, "for (int64_t m = warp * %d; m < rows; m += %d) {", deep, deep * WARPS);
    put(w, "uint32_t f[4], b[2];");
    put(w, "load_a(f, %s + (m / $ * %lld + k) * $ + m %% $, $, 1, n, rows - m);", name_of(w, s->in[1]), (long long)K);
    put(w, "UNROLL for (int j = 0; j < 4; j++) {");
    put(w, "const int column = c + j * 8 + g;");
    put(w, "load_b(b, %s + m * %lld + column, %lld, column < %lld ? rows - m : 0);", name_of(w, s->in[0]),
        (long long)stride, (long long)stride, (long long)C);
    put(w, "mma(acc[j][0], acc[j][1], acc[j][2], acc[j][3], f, b);");
    put(w, "}");
    put(w, "}");
    put(w, "__shared__ V sums[%d][%d][%d];", WARPS, MMA_M, SPAN);
    put(w, "UNROLL for (int j = 0; j < 4; j++)");
    put(w, "UNROLL for (int i = 0; i < 4; i++)");
    put(w, "    sums[warp][g + i / 2 * 8][j * 8 + t2 + i %% 2] = acc[j][i];");
    put(w, "__syncthreads();");
    put(w, "for (int m = threadIdx.x; m < %d; m += %d) {", MMA_M * SPAN, w->threads);
    put(w, "const int i = m / %d, j = m %% %d;", SPAN, SPAN);
    put(w, "V sum = 0;");
    put(w, "for (int from = 0; from < %d; from++)", WARPS);
    put(w, "    sum += sums[from][i][j];");
    put(w, "if (i < n && c + j < %lld)", (long long)C);
    put(w, "    %s[(int64_t)(k + i) * %lld + c + j] = sum;", name_of(w, s->out[0]), (long long)C);
    put(w, "}");
    close_kernel(w);
}
