/* winners_dx.c: conv_dx_max as C. A task makes a chunk of the channels of a block's images: each gradient adds its channel's weights
 * around its winner, and what has come together is turned back to samples in lanes. */
#include "winners.h"

/* image += the gradients of one channel of a sample times its weights. */
static void put_spread_function(struct writer *w, const struct winners *v)
{
    const int64_t step = (int64_t)v->window[1] * v->g.stride[1]; /* from one window to the next */
    put(w,
        "static void @_spread(const real *restrict values, const uint8_t *restrict winner, const real *restrict weight, "
        "real *restrict image)");
    put(w, "{");
    for (int from = 0; from < v->vectors; from += v->at_once) {
        const int to = (int)least(from + v->at_once, v->vectors);
        put(w, "{");
        for (int i = from; i < to; i++)
            put(w, "const V%d w%d = *(const V%du *)(weight + %lld);", v->vector, i, v->vector, winners_in_row(v, i));
        /* Of two whose taps could meet, one would wait for what the other stores: they do not follow each other. */
        const int64_t apart = groups_of(v->g.S + step - v->g.stride[1], step);
        put(w, "for (int p = 0; p < %lld; p++)", (long long)v->rows);
        put(w, "for (int q0 = 0; q0 < %lld; q0++)", (long long)least(apart, v->columns));
        put(w, "for (int q = q0; q < %lld; q += %lld) {", (long long)v->columns, (long long)apart);
        put_winner(w, v, "real *const first", "q");
        for (int i = from; i < to; i++)
            put(w, "*(V%du *)(first + %lld) += value * w%d;", v->vector, winners_in_image(v, i), i);
        put(w, "}");
        put(w, "}");
    }
    put(w, "}");
    fprintf(w->out, "\n");
}

/* weight[k][r][s][c] of n channels, the others 0. */
static void put_weights_function(struct writer *w, const struct winners *v)
{
    const struct geometry *g = &v->g;
    put(w, "static void @_weights(const real *restrict from, const int n, real *restrict to)");
    put(w, "{");
    put(w, "for (int k = 0; k < %lld; k++)", (long long)g->K);
    put(w, "for (int r = 0; r < %lld; r++, to += %lld)", (long long)g->R, (long long)v->wide);
    put(w, "for (int s = 0; s < %lld; s++)", (long long)g->S);
    put(w, "for (int c = 0; c < %lld; c++)", (long long)v->chunk);
    put(w, "    to[s * %lld + c] = c < n ? from[((k * %lldLL + c) * %lld + r) * %lld + s] : 0;", (long long)v->chunk,
        (long long)g->C, (long long)g->R, (long long)g->S);
    put(w, "}");
    fprintf(w->out, "\n");
}

/* The images, row by row, back to samples in lanes, and the maps behind them. */
static void put_back(struct writer *w, const struct winners *v, const struct contraction *c)
{
    const long long Q = v->g.W, at_once = ROW_BLOCK / v->chunk, chunk = v->chunk;
    put(w, "for (int p = 0; p < %lld; p++) {", (long long)v->g.H);
    put(w, "_Alignas(64) real row[%lld * $ * $];", (long long)groups_of(Q, at_once));
    put(w, "for (int q = 0; q < %lld; q += %lld)", Q, at_once);
    put(w, "    turn16(images + ((p + %d) * %lld + q + %d) * %lld, %lld, $, row + q / %lld * $ * $);", v->g.pad[0],
        (long long)v->width, v->g.pad[1], chunk, (long long)v->step, at_once);
    put(w, "for (int lane = 0; lane < $; lane += %d) {", w->lanes);
    put(w, "V tile[%lld];", chunk * Q);
    put(w, "for (int i = 0; i < n; i++)");
    put(w, "for (int q = 0; q < %lld; q++)", Q);
    put(w, "    tile[i * %lld + q] = ld(row + (q / %lld * $ + q %% %lld * %lld + i) * $ + lane)%s;", Q, at_once,
        at_once, chunk,
        c->bias < 0 ? "" : region_printf(w->region, " + %s", read_of(w, c->bias, NULL, NULL, "(k + i)")));
    put_epilogue(w, c, 1, "p");
    put(w, "}");
    put(w, "}");
}

/* What the gradients of all channels add to images. */
static void put_all(struct writer *w, const struct stage *s, const struct winners *v)
{
    const int64_t most = winners_at_once(v);
    const long long K = v->g.K, windows = v->rows * v->columns;
    put(w, "_Alignas(64) real images[%lld], values[%lld];", (long long)(v->step * ROW_BLOCK),
        (long long)(most * windows * ROW_BLOCK));
    put(w, "__builtin_memset(images, 0, sizeof images);");
    put(w, "for (int k0 = 0; k0 < %lld; k0 += %lld) {", K, (long long)most);
    put(w, "const int many = %lld - k0 < %lld ? %lld - k0 : %lld;", K, (long long)most, K, (long long)most);
    put_values(w, v, s->in[0], "k0", "many", most);
    put(w, "const uint8_t *winner = %s + (block * %lld + k0) * %lld * $;", name_of(w, s->in[2]), K, windows);
    put(w, "for (int i = 0; i < $; i++)");
    put(w, "for (int m = 0; m < many; m++)");
    put(w,
        "    @_spread(values + (i * %lld + m) * %lld, winner + m * %lld * $ + i, weight + (k0 + m) * %lld, images + i * %lld);",
        (long long)most, windows, windows, (long long)(v->g.R * v->wide), (long long)v->step);
    put(w, "}");
}

void put_dx_winners_cpu(struct writer *w, const struct stage *s)
{
    struct winners v;
    const struct contraction c = contraction_of(w, s);
    dx_winners_of(w, s, &v);
    const struct geometry *g = &v.g;
    const char *weights = region_printf(w->region, "@_weights(%s + k * %lld, n, weight);", name_of(w, s->in[1]),
                                        (long long)(g->R * g->S));
    put_inside(w, &v);
    put_weights_function(w, &v);
    put_spread_function(w, &v);
    open_kernel(w);
    w->blocks_per_task = 1;
    w->splits = (int)v.chunks;
    put(w, "_Alignas(64) real weight[%lld];", (long long)(g->K * g->R * v.wide));
    if (v.chunks == 1) {
        put(w, "enum { k = 0, n = %lld };", (long long)g->C);
        put(w, "%s", weights);
    }
    put(w, "for (int64_t task = first; task < last; task++) {");
    put(w, "const int64_t block = task / %lld;", (long long)v.chunks);
    if (v.chunks > 1) {
        put(w, "const int64_t k = task %% %lld * %lld;", (long long)v.chunks, (long long)v.chunk);
        put(w, "const int n = (int)(%lld - k < %lld ? %lld - k : %lld);", (long long)g->C, (long long)v.chunk,
            (long long)g->C, (long long)v.chunk);
        put(w, "%s", weights);
    }
    put_all(w, s, &v);
    put_back(w, &v, &c);
    put(w, "}");
    close_kernel(w);
}
