/* contract_cuda_dw.c: gradients of weights as CUDA: sums over samples and places, in a fixed order. A thread block has `tile` x 1
 * kernels of a convolution, its threads the places; parts of the places meet in the workspace. Of a fully connected layer it has
 * `tile` outputs x some input features, its threads features and samples. */
#include "contract.h"

enum { MOST_TERMS = 256 }; /* that a thread adds up before they meet the others */
enum { MOST_PARTS = 16 };  /* into which the places are cut */

struct dw {
    int tile, rows;
    int64_t tiles, tasks;
    int parts;
};

/* Kernel rows that a thread holds at once, output channels, and into how many parts the places are cut. */
static struct dw choose_dw(const struct geometry *g)
{
    struct dw d = {.rows = g->R * g->S <= 32 ? (int)g->R : 1};
    int64_t Kg = g->K / g->G, enough = 264;
    d.tile = (int)least(least(8, Kg), 72 / (d.rows * g->S));
    d.tiles = groups_of(Kg, d.tile);
    d.tasks = g->G * d.tiles * (g->C / g->G) * (g->R / d.rows);
    d.parts = (int)(d.tasks >= enough ? 1 : least(MOST_PARTS, enough / d.tasks));
    return d;
}

int64_t conv_dw_scratch(const struct geometry *g)
{
    struct dw d = choose_dw(g);
    return d.parts == 1 ? 0 : d.parts * g->K * (g->C / g->G) * g->R * g->S;
}

int conv_dw_parts(const struct geometry *g)
{
    return choose_dw(g).parts;
}

/* A second launch, which adds up the parts of the workspace. */
void put_conv_dw_parts(struct writer *w, const struct stage *s, const struct geometry *g, int parts)
{
    const int64_t all = g->K * (g->C / g->G) * g->R * g->S;
    if (parts == 1)
        return;
    fprintf(w->out, "\n");
    w->launch[w->nlaunch].entry = "_2";
    open_kernel(w);
    w->blocks_per_task = 0;
    w->splits = (int)groups_of(all, w->threads);
    put(w, "const int64_t e = blockIdx.x * %d + threadIdx.x;", w->threads);
    put(w, "if (e >= %lld)", (long long)all);
    put(w, "    return;");
    put(w, "double sum = 0;");
    put(w, "for (int part = 0; part < %d; part++)", parts);
    put(w, "    sum += workspace[part * %lldLL + e];", (long long)all);
    put(w, "%s[e] = (real)sum;", name_of(w, s->out[0]));
    close_kernel(w);
}

/* Opens the loop over q with f[i], y' of each output channel, and b[r][s], the places of x that the taps meet. Where those of the
 * next q are the same, one column further, only that one is read. */
static void open_columns(struct writer *w, const struct geometry *g, const struct dw *d)
{
    bool slides = g->stride[1] == 1 && g->dil[1] == 1;
    const char *inside =
        region_printf(w->region, "h >= 0 && h < %lld && w >= 0 && w < %lld ? ld(x + (h * %lld + w) * $) : 0",
                      (long long)g->H, (long long)g->W, (long long)g->W);
    put(w, "V b[%d][%lld];", d->rows, (long long)g->S);
    for (int round = 0; round < 2; round++) {
        if (round) {
            put(w, "for (int q = 0; q < %lld; q++) {", (long long)g->Q);
            put(w, "real f[%d];", d->tile);
            put(w, "UNROLL for (int i = 0; i < %d; i++)", d->tile);
            put(w, "    f[i] = i < n ? ld(y + (i * %lld + q) * $) : 0;", (long long)(g->P * g->Q));
        }
        if (!round && !slides)
            continue;
        put(w, "UNROLL for (int r = 0; r < %d; r++) {", d->rows);
        put(w, "const int h = p * %d + (r0 + r) * %d - %d;", g->stride[0], g->dil[0], g->pad[0]);
        if (slides && round)
            put(w, "UNROLL for (int s = 0; s < %lld; s++)\n    b[r][s] = b[r][s + 1];", (long long)g->S - 1);
        put(w, "UNROLL for (int s = %lld; s < %lld; s++) {",
            (long long)(!slides ? 0
                        : round ? g->S - 1
                                : 1),
            (long long)g->S);
        put(w, "const int w = %s * %d + %s * %d - %d;", round ? "q" : "0", g->stride[1], round ? "s" : "(s - 1)",
            g->dil[1], g->pad[1]);
        put(w, "b[r][s] = %s;", inside);
        put(w, "}");
        put(w, "}");
    }
}

void put_conv_dw_cuda(struct writer *w, const struct stage *s)
{
    const struct geometry at = geometry_of(w, s), *g = &at;
    struct dw d = choose_dw(g);
    int64_t Kg = g->K / g->G, Cg = g->C / g->G, all = g->K * Cg * g->R * g->S, kernel_rows = g->R / d.rows;
    int sums = d.tile * d.rows * (int)g->S;
    open_kernel(w);
    w->blocks_per_task = 0;
    w->splits = (int)(d.tasks * d.parts);
    put(w, "const int lane = threadIdx.x %% $, unit = threadIdx.x / $, part = blockIdx.x %% %d;", d.parts);
    put(w, "const int task = blockIdx.x / %d, r0 = task %% %lld * %d, c = task / %lld %% %lld;", d.parts,
        (long long)kernel_rows, d.rows, (long long)kernel_rows, (long long)Cg);
    put(w, "const int t = task / %lld %% %lld, group = task / %lld;", (long long)(kernel_rows * Cg), (long long)d.tiles,
        (long long)(kernel_rows * Cg * d.tiles));
    put(w, "const int o = t * %d, k = group * %lld + o, n = %lld - o < %d ? %lld - o : %d;", d.tile, (long long)Kg,
        (long long)Kg, d.tile, (long long)Kg, d.tile);
    const int64_t piece = (g->Q < MOST_TERMS ? MOST_TERMS / g->Q : 1) * ROW_BLOCK * d.parts;
    put(w, "__shared__ V sums[8][%d];", sums);
    put(w, "for (int64_t start = 0; start < blocks * %lld; start += %lld) {", (long long)g->P, (long long)piece);
    put(w, "const int64_t end = start + %lld < blocks * %lld ? start + %lld : blocks * %lld;", (long long)piece,
        (long long)g->P, (long long)piece, (long long)g->P);
    put(w, "V acc[%d] = {};", sums);
    put(w, "for (int64_t m = start + part * $ + unit; m < end; m += %d) {", ROW_BLOCK * d.parts);
    put(w, "const int64_t block = m / %lld;", (long long)g->P);
    put(w, "const int p = (int)(m %% %lld);", (long long)g->P);
    put(w, "const real *y = %s + (((block * %lld + k) * %lld + p) * %lld) * $ + lane;", name_of(w, s->in[1]),
        (long long)g->K, (long long)g->P, (long long)g->Q);
    put(w, "const real *x = %s + (block * %lld + group * %lld + c) * %lld * $ + lane;", name_of(w, s->in[0]),
        (long long)g->C, (long long)Cg, (long long)(g->H * g->W));
    open_columns(w, g, &d);
    put(w, "UNROLL for (int r = 0; r < %d; r++)", d.rows);
    put(w, "UNROLL for (int s = 0; s < %lld; s++)", (long long)g->S);
    put(w, "UNROLL for (int i = 0; i < %d; i++)", d.tile);
    put(w, "    acc[(i * %d + r) * %lld + s] += f[i] * b[r][s];", d.rows, (long long)g->S);
    put(w, "}");
    put(w, "}");
    put(w, "int first = 0, count = %d;", sums);
    put(w, "warp_sums<%d, 16>(acc, first, count);", sums);
    put(w, "UNROLL for (int i = 0; i < %lld; i++)", (long long)groups_of(sums, 32));
    put(w, "    if (i < count)");
    put(w, "        sums[threadIdx.x / 32][first + i] = (start ? sums[threadIdx.x / 32][first + i] : 0) + acc[i];");
    put(w, "}");
    put(w, "__syncthreads();");
    put(w, "for (int m = threadIdx.x; m < %d; m += 256) {", sums);
    put(w, "const int i = m / %lld, tap = m %% %lld;", (long long)(d.rows * g->S), (long long)(d.rows * g->S));
    put(w, "double sum = 0;");
    put(w, "for (int warp = 0; warp < 8; warp++)");
    put(w, "    sum += sums[warp][m];");
    put(w, "if (i < n)");
    put(w, "    %s[((int64_t)(k + i) * %lld + c) * %lld + r0 * %lld + tap%s] = (real)sum;",
        d.parts > 1 ? "workspace" : name_of(w, s->out[0]), (long long)Cg, (long long)(g->R * g->S), (long long)g->S,
        d.parts > 1 ? region_printf(w->region, " + part * %lldLL", (long long)all) : "");
    put(w, "}");
    close_kernel(w);
    put_conv_dw_parts(w, s, g, d.parts);
}

/* Threads are 32 times 4 input features x 8 slices of the samples. */
void put_linear_dw_cuda(struct writer *w, const struct stage *s)
{
    enum { QUADS = 32, SLICES = 8 };
    int64_t C = tensor_of(w, s->in[0])->dim[0], K = tensor_of(w, s->in[1])->dim[0];
    int64_t stride = row_elements(tensor_of(w, s->in[0]));
    int tile = (int)least(8, K);
    int64_t tiles = groups_of(K, tile), spans = groups_of(C, 4 * QUADS);
    open_kernel(w);
    w->blocks_per_task = 0;
    w->splits = (int)(tiles * spans);
    put(w, "const int64_t rows = a->control[%d];", CTL_ROWS);
    put(w,
        "const int t = blockIdx.x %% %lld, c = blockIdx.x / %lld * %d + threadIdx.x %% %d * 4, slice = threadIdx.x / %d;",
        (long long)tiles, (long long)tiles, 4 * QUADS, QUADS, QUADS);
    put(w, "const int k = t * %d, n = %lld - k < %d ? %lld - k : %d;", tile, (long long)K, tile, (long long)K, tile);
    put(w, "__shared__ V sums[%d][%d][%d];", SLICES, tile, 4 * QUADS);
    put(w, "for (int64_t start = 0; start < rows; start += %d) {", MOST_TERMS * SLICES);
    put(w, "const int64_t end = start + %d < rows ? start + %d : rows;", MOST_TERMS * SLICES, MOST_TERMS * SLICES);
    put(w, "V acc[%d][4] = {};", tile);
    put(w, "if (c < %lld)", (long long)C);
    put(w, "for (int64_t m = start + slice; m < end; m += %d) {", SLICES);
    put(w, "real x[4];");
    put(w, "load<4>(x, %s + m * %lld + c);", name_of(w, s->in[0]), (long long)stride);
    put(w, "const real *y = %s + (m / $ * %lld + k) * $ + m %% $;", name_of(w, s->in[1]), (long long)K);
    put(w, "UNROLL for (int i = 0; i < %d; i++) {", tile);
    put(w, "const real g = i < n ? y[i * $] : 0;");
    put(w, "UNROLL for (int j = 0; j < 4; j++)");
    put(w, "    acc[i][j] += g * x[j];");
    put(w, "}");
    put(w, "}");
    put(w, "UNROLL for (int i = 0; i < %d; i++)", tile);
    put(w, "UNROLL for (int j = 0; j < 4; j++) {");
    put(w, "V &sum = sums[slice][i][threadIdx.x %% %d * 4 + j];", QUADS);
    put(w, "sum = (start ? sum : 0) + acc[i][j];");
    put(w, "}");
    put(w, "}");
    put(w, "__syncthreads();");
    put(w, "for (int m = threadIdx.x; m < %d; m += 256) {", tile * 4 * QUADS);
    put(w, "const int i = m / %d, j = m %% %d, to = blockIdx.x / %lld * %d + j;", 4 * QUADS, 4 * QUADS,
        (long long)tiles, 4 * QUADS);
    put(w, "double sum = 0;");
    put(w, "for (int slice = 0; slice < %d; slice++)", SLICES);
    put(w, "    sum += sums[slice][i][j];");
    put(w, "if (i < n && to < %lld)", (long long)C);
    put(w, "    %s[(int64_t)(k + i) * %lld + to] = (real)sum;", name_of(w, s->out[0]), (long long)C);
    put(w, "}");
    close_kernel(w);
}
