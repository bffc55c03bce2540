/* winners_dw.c: conv_dw_max as C. The sums of an output channel are registers over the windows of a sample, then floats over some
 * samples, then doubles. A task owns some output channels and a chunk of the input's. */
#include "winners.h"

enum {
    FEW_WINDOWS = 8, /* of a sample: its sums stay those of the samples before */
    SIDE_BY_SIDE = 8 /* additions that do not wait for each other */
};

/* Vectors [from, to) of the taps, for windows of `sets` columns side by side, each with sums of its own. */
static void put_windows(struct writer *w, const struct winners *v, int from, int to, int sets)
{
    const int rest = (int)(v->columns % sets);
    put(w, "for (int p = 0; p < %lld; p++) {", (long long)v->rows);
    for (int part = 0; part < 2; part++) {
        const int n = part ? rest : sets;
        if (part)
            put(w, "enum { q = %lld };", (long long)(v->columns - rest));
        else
            put(w, "for (int q = 0; q < %lld; q += %d) {", (long long)(v->columns - rest), sets);
        for (int set = 0; set < n; set++) {
            put(w, "{");
            put_winner(w, v, "const real *const first", region_printf(w->region, "q + %d", set));
            for (int i = from; i < to; i++)
                put(w, "s%d_%d += value * *(const V%du *)(first + %lld);", set, i, v->vector, winners_in_image(v, i));
            put(w, "}");
        }
        put(w, "}");
    }
}

/* sum[r][s][c] += the gradients of one channel of a sample times what their taps read. */
static void put_sums_function(struct writer *w, const struct winners *v)
{
    const bool few = v->rows * v->columns < FEW_WINDOWS;
    const int sets = few ? 1 : (int)least(groups_of(SIDE_BY_SIDE, v->vectors), v->columns);
    put(w,
        "static void @_sums(const real *restrict image, const real *restrict values, const uint8_t *restrict winner, "
        "real *restrict sum)");
    put(w, "{");
    for (int from = 0; from < v->vectors; from += v->at_once) {
        const int to = (int)least(from + v->at_once, v->vectors);
        put(w, "{");
        for (int set = 0; set < sets; set++)
            for (int i = from; i < to; i++)
                put(w, few ? "V%d s%d_%d = *(V%du *)(sum + %lld);" : "V%d s%d_%d = {0};", v->vector, set, i, v->vector,
                    winners_in_row(v, i));
        put_windows(w, v, from, to, sets);
        for (int i = from; i < to; i++) {
            const char *all = region_printf(w->region, "s0_%d", i);
            for (int set = 1; set < sets; set++)
                all = region_printf(w->region, "%s + s%d_%d", all, set, i);
            put(w, "*(V%du *)(sum + %lld) %s %s;", v->vector, winners_in_row(v, i), few ? "=" : "+=", all);
        }
        put(w, "}");
    }
    put(w, "}");
    fprintf(w->out, "\n");
}

/* The chunk of a block's images, a sample after the other, channels innermost. */
static void put_image_function(struct writer *w, const struct winners *v)
{
    const struct geometry *g = &v->g;
    const long long H = g->H, W = g->W, chunk = v->chunk, step = v->step, at_once = ROW_BLOCK / v->chunk;
    const bool whole = v->chunk == ROW_BLOCK && g->C % v->chunk == 0;
    put(w, "static void @_images(const real *restrict x, const int channels, real *restrict images)");
    put(w, "{");
    put(w, whole ? "(void)channels;" : "_Alignas(64) real here[$ * $] = {0};");
    put(w, "for (int h = 0; h < %lld; h++)", (long long)v->height);
    put(w, "for (int w = 0; w < %lld; w += %lld) {", (long long)v->width, at_once);
    put(w, "real *const to = images + (h * %lld + w) * %lld;", (long long)v->width, chunk);
    put(w, "const int y = h - %d;", g->pad[0]);
    if (whole) {
        put(w, "const int z = w - %d;", g->pad[1]);
        put(w, "if (y >= 0 && y < %lld && z >= 0 && z < %lld)", H, W);
        put(w, "    turn16(x + (y * %lld + z) * $, %lld * $, %lld, to);", W, H * W, step);
        put(w, "else");
        put(w, "    for (int i = 0; i < $; i++)");
        put(w, "        *(V$u *)(to + i * %lld) = (V$){0};", step);
    } else { /* what is written behind a row, the next replaces */
        put(w, "for (int j = 0; j < %lld; j++) {", at_once);
        put(w, "const int z = w + j - %d, inside = y >= 0 && y < %lld && z >= 0 && z < %lld;", g->pad[1], H, W);
        put(w, "for (int c = 0; c < channels; c++)");
        put(w,
            "    *(V$u *)(here + (j * %lld + c) * $) = inside ? *(const V$u *)(x + (c * %lld + y * %lld + z) * $) : (V$u){0};",
            chunk, H * W, W);
        put(w, "}");
        put(w, "turn16(here, $, %lld, to);", step);
    }
    put(w, "}");
    put(w, "}");
    fprintf(w->out, "\n");
}

static void put_settle(struct writer *w, long long sums)
{
    put(w, "for (int64_t i = 0; i < n * %lld; i++) {", sums);
    put(w, "total[i] += (double)sum[i];");
    put(w, "sum[i] = 0;");
    put(w, "}");
}

/* The block's share of a task's sums. */
static void put_block(struct writer *w, const struct stage *s, const struct winners *v, int64_t most)
{
    const struct geometry *g = &v->g;
    const long long windows = v->rows * v->columns;
    put(w, "@_images(%s + (block * %lld + c0) * %lld * $, channels, images);", name_of(w, s->in[0]), (long long)g->C,
        (long long)(g->H * g->W));
    put(w, "for (int64_t from = 0; from < n; from += %lld) {", (long long)most);
    put(w, "const int64_t many = n - from < %lld ? n - from : %lld;", (long long)most, (long long)most);
    put_values(w, v, s->in[1], "(k0 + from)", "many", most);
    put(w, "const uint8_t *winner = %s + (block * %lld + k0 + from) * %lld * $;", name_of(w, s->in[2]), (long long)g->K,
        windows);
    put(w, "for (int i = 0; i < $; i++)");
    put(w, "for (int64_t k = 0; k < many; k++)");
    put(w,
        "    @_sums(images + i * %lld, values + (i * %lld + k) * %lld, winner + k * %lld * $ + i, sum + (from + k) * %lld);",
        (long long)v->step, (long long)most, windows, windows, (long long)(g->R * v->wide));
    put(w, "}");
}

void put_dw_winners_cpu(struct writer *w, const struct stage *s)
{
    struct winners v;
    dw_winners_of(w, s, &v);
    const struct geometry *g = &v.g;
    const int parts = winners_parts(&v);
    const int64_t windows = v.rows * v.columns, share = groups_of(g->K, parts),
                  most = least(share, winners_at_once(&v)), run = MAX_TERMS / (windows * ROW_BLOCK);
    const long long sums = g->R * v.wide, C = g->C, K = g->K, chunk = v.chunk;
    put_inside(w, &v);
    put_image_function(w, &v);
    put_sums_function(w, &v);
    open_kernel(w);
    w->blocks_per_task = 0;
    w->splits = (int)(v.chunks * parts);
    put(w, "for (int64_t task = first; task < last; task++) {");
    put(w, "const int64_t part = task %% %d, c0 = task / %d * %lld;", parts, parts, chunk);
    put(w, "const int64_t k0 = part * %lld / %d, n = (part + 1) * %lld / %d - k0;", K, parts, K, parts);
    put(w, "const int channels = (int)(%lld - c0 < %lld ? %lld - c0 : %lld);", C, chunk, C, chunk);
    put(w, "_Alignas(64) real images[%lld], values[%lld], sum[%lld] = {0};", (long long)(v.step * ROW_BLOCK),
        (long long)(most * windows * ROW_BLOCK), share * sums);
    put(w, "double total[%lld] = {0};", share * sums);
    put(w, "int pieces = 0;");
    put(w, "for (int64_t block = 0; block < blocks; block++) {");
    put_block(w, s, &v, most);
    put(w, "if (++pieces < %lld)", (long long)run);
    put(w, "    continue;");
    put_settle(w, sums);
    put(w, "pieces = 0;");
    put(w, "}");
    put_settle(w, sums);
    put(w, "for (int64_t k = 0; k < n; k++)");
    put(w, "for (int c = 0; c < channels; c++)");
    put(w, "for (int r = 0; r < %lld; r++)", (long long)g->R);
    put(w, "for (int s = 0; s < %lld; s++)", (long long)g->S);
    put(w,
        "    %s[(((k0 + k) * %lld + c0 + c) * %lld + r) * %lld + s] = (real)total[k * %lld + r * %lld + s * %lld + c];",
        name_of(w, s->out[0]), C, (long long)g->R, (long long)g->S, sums, (long long)v.wide, chunk);
    put(w, "}");
    close_kernel(w);
}
