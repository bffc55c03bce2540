/* contract_cpu.c: contractions as C: out[i][j] += a_i * b_j with the sums of a tile in registers.
 *
 * Lanes are samples, so one weight meets a vector of them and borders are known when the code is written: taps that fall
 * outside are left out, not tested. */
#include "contract.h"

#include <math.h>

/* Cycles of one tap of a tile: the longer of two FMA and two load ports, at least the latency of an FMA, and one more
 * for what the ports do not show. */
static double tile_cost(int tile, int columns)
{
    double fma = tile * columns / 2.0, load = (tile + columns) / 2.0, time = fma > load ? fma : load;
    return 1 + (time < 4 ? 4 : time);
}

void choose_tile_cpu(const struct writer *w, struct contraction *c, int64_t columns, int most_columns)
{
    int registers = registers_of(w);
    double best = INFINITY;
    for (int t = 1; t <= 8 && t <= c->outs; t++)
        for (int j = 1; j <= most_columns && j <= columns; j++) {
            int held = t < j ? t : j;
            if (t * j + held + 1 > registers)
                continue;
            int64_t full = c->outs / t, rest = c->outs % t, across = columns / j, left = columns % j;
            double cost = (double)(full * across) * tile_cost(t, j) +
                          (rest ? (double)across * tile_cost((int)rest, j) : 0) +
                          (left ? (double)full * tile_cost(t, (int)left) : 0) +
                          (rest && left ? tile_cost((int)rest, (int)left) : 0);
            if (cost < best * 0.999) {
                best = cost;
                c->tile = t;
                c->columns = j;
            }
        }
}

/* Whole chunks of blocks are what a fully connected layer's functions are written for. */
enum { CHUNK = 4 };

void choose_registers(const struct writer *w, const struct stage *s, struct contraction *c)
{
    if (!is_flat(w, s)) {
        const struct stage *pool = window_behind(w, s);
        const int64_t rows = pool && pool->op->form == FORM_POOL ? (int64_t)pool->attr[0] : 1;
        choose_tile_cpu(w, c, c->x.out, 14);
        while (c->tile > 1 && c->tile * rows * c->x.out > 4096)
            c->tile--;
        return;
    }
    choose_tile_cpu(w, c, CHUNK, CHUNK);
    if (c->columns < CHUNK && c->outs >= 4) {
        c->columns = CHUNK;
        c->tile = w->lanes == WIDEST ? 6 : 2;
    }
}

/* s0_0 and on: the sums of `tile` channels at n columns, where they begin. */
static void put_sums(struct writer *w, const struct contraction *c, int tile, int n)
{
    for (int i = 0; i < tile; i++) {
        fprintf(w->out, "%*sV", 4 * w->indent, "");
        for (int j = 0; j < n; j++)
            fprintf(w->out, c->bias < 0 ? "%s s%d_%d = {0}" : "%s s%d_%d = vec(bias[%d])", j ? "," : "", i, j, i);
        fprintf(w->out, ";\n");
    }
}

void put_outer_product(struct writer *w, struct factors rows, struct factors columns)
{
    fprintf(w->out, "%*sconst V", 4 * w->indent, "");
    for (int j = 0; j < columns.n; j++)
        fprintf(w->out, "%s b%d = %s%lld%s", j ? "," : "", j, columns.before, (long long)(j * columns.step),
                columns.behind);
    fprintf(w->out, ";\n");
    for (int i = 0; i < rows.n; i++) {
        fprintf(w->out, "%*s{ const V a = vec(%s%lld%s);", 4 * w->indent, "", rows.before, (long long)(i * rows.step),
                rows.behind);
        for (int j = 0; j < columns.n; j++)
            fprintf(w->out, " s%d_%d += a * b%d;", i, j, j);
        fprintf(w->out, " }\n");
    }
}

const char *bias_parameter(const struct contraction *c)
{
    return c->bias < 0 ? "" : "const real *restrict bias, ";
}

const char *bias_argument(struct writer *w, const struct contraction *c)
{
    return c->bias < 0 ? "" : region_printf(w->region, "%s + k, ", name_of(w, c->bias));
}

/* h, the row of the source that row p of the results meets at tap r: true if a loop over r is opened, also one of a
   single turn, which a row outside the source leaves. */
static bool put_source_row(struct writer *w, const struct axis *y)
{
    if (y->taps == 1 && !y->c && y->d == 1) {
        put(w, "const int h = %d * p;", y->a);
        return false;
    }
    if (y->taps > 1)
        put(w, "for (int r = 0; r < %lld; r++) {", (long long)y->taps);
    const char *r = y->taps > 1 ? region_printf(w->region, " %+d * r", y->b) : "";
    put(w, "%sint h = %d * p%s %+d;", y->d > 1 ? "" : "const ", y->a, r, y->c);
    if (y->taps == 1)
        put(w, "for (int once = 1; once; once = 0) {");
    if (y->d > 1) {
        put(w, "if (h < 0 || h %% %d)", y->d);
        put(w, "    continue;");
        put(w, "h /= %d;", y->d);
    }
    put(w, "if (h < 0 || h >= %lld)", (long long)y->source);
    put(w, "    continue;");
    return true;
}

/* Sums for `tile` channels and n outputs from `start` (first of `count` such segments, told apart by q at run time). */
static void put_segment(struct writer *w, const struct contraction *c, int tile, int64_t start, int n, int64_t count)
{
    const struct axis *y = &c->y, *x = &c->x;
    int64_t plane = y->source * x->source, v;
    if (count > 1)
        put(w, "for (int q = %lld; q < %lld; q += %d) {", (long long)start, (long long)(start + count * n), n);
    else
        put(w, "{");
    if (count == 1)
        put(w, "enum { q = %lld };", (long long)start);
    put_sums(w, c, tile, n);
    bool loop = put_source_row(w, y);
    put(w, "const real *xr = x + (h * %lld + %s) * $;", (long long)x->source,
        x->d > 1 ? region_printf(w->region, "q / %d", x->d) : region_printf(w->region, "%d * q", x->a));
    put(w, "const real *wr = weight%s;",
        y->taps > 1 ? region_printf(w->region, " + r * %lld", (long long)x->taps) : "");
    put(w, "for (int d = 0; d < %lld; d++, xr += %lld, wr += %lld) {", (long long)c->depth,
        (long long)plane * ROW_BLOCK, (long long)c->w_depth);
    for (int64_t s = 0; s < x->taps; s++) {
        bool any = false;
        for (int j = 0; j < n; j++)
            any |= axis_tap(x, start + j, s, &v);
        if (!any)
            continue;
        put(w, "{");
        fprintf(w->out, "%*sconst V", 4 * w->indent, "");
        for (int i = 0; i < tile; i++)
            fprintf(w->out, "%s w%d = vec(wr[%lld])", i ? "," : "", i, (long long)(i * c->w_out + s));
        fprintf(w->out, ";\n%*sV b;\n", 4 * w->indent, "");
        for (int j = 0; j < n; j++) {
            if (!axis_tap(x, start + j, s, &v))
                continue;
            int64_t base = x->d > 1 ? start / x->d : x->a * start;
            fprintf(w->out, "%*sb = ld(xr + (%lld) * $);", 4 * w->indent, "", (long long)(v - base));
            for (int i = 0; i < tile; i++)
                fprintf(w->out, " s%d_%d += w%d * b;", i, j, i);
            fprintf(w->out, "\n");
        }
        put(w, "}");
    }
    put(w, "}");
    if (loop)
        put(w, "}");
    for (int i = 0; i < tile; i++)
        for (int j = 0; j < n; j++)
            put(w, "tile[%d * step + q + %d] = s%d_%d;", i, j, i, j);
    put(w, "}");
}

/* One output row p of `tile` channels into tile[i * step + q]. */
static void put_row_function(struct writer *w, const struct contraction *c, int tile)
{
    int64_t Q = c->x.out;
    put(w,
        "static void @_row%d(const real *restrict x, const real *restrict weight, %sconst int p, const int step, V *restrict tile)",
        tile, bias_parameter(c));
    put(w, "{");
    for (int64_t start = 0; start < Q;) {
        int n = (int)(Q - start < c->columns ? Q - start : c->columns);
        int64_t count = 1;
        while (start + (count + 1) * n <= Q && same_taps(&c->x, start, start + count * n, n))
            count++;
        put_segment(w, c, tile, start, n, count);
        start += count * n;
    }
    put(w, "}");
    fprintf(w->out, "\n");
}

void put_epilogue(struct writer *w, const struct contraction *c, int64_t rows, const char *p0)
{
    int first = c->next, window = maps_end(w, first), Q = (int)c->x.out, out = c->result;
    int64_t P = c->y.out;
    const struct stage *pool = window < w->kernel->nstage ? &w->kernel->stage[window] : NULL;
    bool scattered = pool && pool->op->form == FORM_SCATTER, pooled = pool && !scattered;
    if (!pooled || window > first || is_stored(w, out)) {
        put(w, "for (int i = 0; i < n; i++)");
        if (rows > 1 && !pooled && P % rows)
            put(w, "for (int r = 0; r < %lld && %s + r < %lld; r++)", (long long)rows, p0, (long long)P);
        else if (rows > 1)
            put(w, "for (int r = 0; r < %lld; r++)", (long long)rows);
        put(w, "for (int q = 0; q < %d; q++) {", Q);
        const char *row = rows > 1 && scattered ? "row" : p0; /* the scatter has an r of its own */
        if (row != p0)
            put(w, "const int row = %s + r;", p0);
        const char *at = rows > 1 ? region_printf(w->region, "(i * %lld + r) * %d + q", (long long)rows, Q)
                                  : region_printf(w->region, "i * %d + q", Q);
        put(w, "const V v%d = tile[%s];", var_of(w, out), at);
        const char *e =
            region_printf(w->region, "(((k + i) * %lld + %s%s) * %d + q)", (long long)P, p0, rows > 1 ? " + r" : "", Q);
        if (is_stored(w, out))
            put(w, "st(%s, v%d);", place_of(w, out, "block", e), var_of(w, out));
        put_maps(w, first, window, "block", e, "(k + i)");
        if (pooled)
            put(w, "tile[%s] = v%d;", at, var_of(w, pool->in[0]));
        if (scattered)
            put_scatter(w, pool, "block", "(k + i)", row, "q");
        put(w, "}");
    }
    if (!pooled)
        return;
    const struct tensor *y = tensor_of(w, pool->out[0]);
    int S = (int)pool->attr[1];
    put(w, "for (int i = 0; i < n; i++)");
    put(w, "for (int q = 0; q < %lld; q++) {", (long long)y->dim[2]);
    const char *e = region_printf(w->region, "(((k + i) * %lld + (%s) / %lld) * %lld + q)", (long long)y->dim[1], p0,
                                  (long long)rows, (long long)y->dim[2]);
    put_window(w, pool, "block", e,
               region_printf(w->region, "tile[(i * %lld + r) * %d + q * %d + s]", (long long)rows, Q, S), false);
    put_maps(w, window + 1, w->kernel->nstage, "block", e, "(k + i)");
    put(w, "}");
}

/* The loop over tiles of output channels [k, k + n) of this task's part, and their weights. Returns what to add to the
 * channel of x: nothing, or the group's first. */
static const char *put_channels(struct writer *w, const struct stage *s, const struct contraction *c, int splits)
{
    int64_t tiles = (c->outs + c->tile - 1) / c->tile, all = tiles * c->groups;
    const char *o = "k";
    put(w, "for (int64_t t = part * %lldLL / %d; t < (part + 1) * %lldLL / %d; t++) {", (long long)all, splits,
        (long long)all, splits);
    if (c->groups == 1)
        put(w, "const int64_t k = t * %d;", c->tile);
    else {
        o = "o";
        put(w, "const int64_t group = t / %lld, o = t %% %lld * %d, k = group * %lld + o;", (long long)tiles,
            (long long)tiles, c->tile, (long long)c->outs);
    }
    if (c->outs % c->tile)
        put(w, "const int n = %lld - %s < %d ? %lld - %s : %d;", (long long)c->outs, o, c->tile, (long long)c->outs, o,
            c->tile);
    else
        put(w, "enum { n = %d };", c->tile);
    const char *group = c->groups == 1 ? "" : region_printf(w->region, "group * %lld + ", (long long)c->w_group);
    put(w, "const real *weight = %s + %s%s * %lld;", name_of(w, s->in[1]), group, o, (long long)c->w_out);
    return c->groups == 1 ? "" : region_printf(w->region, " + group * %lld", (long long)c->depth);
}

/* A convolution (or its dx) of images: tasks are blocks of samples and parts of the output channels. */
void put_image_cpu(struct writer *w, const struct stage *s)
{
    struct contraction at = contraction_of(w, s), *c = &at;
    int window = maps_end(w, c->next);
    int64_t P = c->y.out, Q = c->x.out, rows = 1;
    if (window < w->kernel->nstage && w->kernel->stage[window].op->form == FORM_POOL)
        rows = (int64_t)w->kernel->stage[window].attr[0];
    choose_registers(w, s, c);
    int64_t tiles = (c->outs + c->tile - 1) / c->tile, all = tiles * c->groups;
    int rest = (int)(c->outs % c->tile), splits = all < 4 ? (int)all : 4;
    put_row_function(w, c, c->tile);
    if (rest)
        put_row_function(w, c, rest);
    open_kernel(w);
    open_tasks(w, 1, splits);
    /* Rows outside, channels inside: the rows of x that all channels read stay in the nearest caches. */
    put(w, "for (int p = 0; p + %lld <= %lld; p += %lld)", (long long)rows, (long long)P, (long long)rows);
    const char *from = put_channels(w, s, c, splits);
    int64_t plane = c->y.source * c->x.source;
    put(w, "const real *x = %s + (block * %lld%s) * %lld * $ + lane;", name_of(w, s->in[0]),
        (long long)(c->depth * c->groups), from, (long long)plane);
    put(w, "V tile[%lld];", (long long)(c->tile * rows * Q));
    const char *call = rest ? region_printf(w->region, "(n == %d ? @_row%d : @_row%d)", c->tile, c->tile, rest)
                            : region_printf(w->region, "@_row%d", c->tile);
    if (rows > 1) {
        put(w, "for (int r = 0; r < %lld; r++)", (long long)rows);
        put(w, "    %s(x, weight, %sp + r, %lld, tile + r * %lld);", call, bias_argument(w, c), (long long)(rows * Q),
            (long long)Q);
    } else
        put(w, "%s(x, weight, %sp, %lld, tile);", call, bias_argument(w, c), (long long)Q);
    put_epilogue(w, c, rows, "p");
    put(w, "}");
    close_tasks(w);
    close_kernel(w);
}

/* The function of a tile: n blocks of samples x `outs` outputs, into tile[out * CHUNK + block]. */
static void put_flat_tile(struct writer *w, const struct contraction *c, int outs, int n)
{
    const bool pieces = c->depth > MAX_TERMS;
    const long long depth = c->depth, step = c->w_depth;
    put(w, "static void @_tile%dx%d(const real *restrict x, const real *restrict weight, %sV *restrict tile)", outs, n,
        bias_parameter(c));
    put(w, "{");
    put_sums(w, c, outs, n);
    if (pieces) {
        put(w, "for (int d = 0; d < %lld;) {", depth);
        put(w, "for (const int end = d + %d < %lld ? d + %d : %lld; d < end; d++, x += $, weight += %lld) {", MAX_TERMS,
            depth, MAX_TERMS, depth, step);
    } else
        put(w, "for (int d = 0; d < %lld; d++, x += $, weight += %lld) {", depth, step);
    put_outer_product(w, (struct factors){outs, "weight[", c->w_out, "]"},
                      (struct factors){n, "ld(x + ", c->depth * c->groups * ROW_BLOCK, ")"});
    put(w, "}");
    for (int i = 0; i < outs; i++)
        for (int j = 0; j < n; j++) {
            const int at = i * CHUNK + j;
            if (pieces)
                put(w, "tile[%d] = (d > %d ? tile[%d] : (V){0}) + s%d_%d, s%d_%d = (V){0};", at, MAX_TERMS, at, i, j, i,
                    j);
            else
                put(w, "tile[%d] = s%d_%d;", at, i, j);
        }
    if (pieces)
        put(w, "}");
    put(w, "}");
    fprintf(w->out, "\n");
}

/* A fully connected layer (or its dx): columns of the tile are blocks of samples. */
void put_flat_cpu(struct writer *w, const struct stage *s)
{
    struct contraction at = contraction_of(w, s), *c = &at;
    choose_registers(w, s, c);
    int64_t tiles = (c->outs + c->tile - 1) / c->tile, all = tiles * c->groups;
    int rest = (int)(c->outs % c->tile), splits = all < 8 ? (int)all : 8;
    int sizes[2] = {c->tile, rest};
    for (int z = 0; z < 2 && sizes[z]; z++)
        for (int n = CHUNK; n >= 1; n /= 2)
            put_flat_tile(w, c, sizes[z], n);
    open_kernel(w);
    open_tasks(w, CHUNK, splits);
    const char *from = put_channels(w, s, c, splits);
    put(w, "V tile[%d];", c->tile * CHUNK);
    put(w, "for (int j0 = 0; j0 < blocks_here;) {");
    put(w, "const int m = blocks_here - j0 >= 4 ? 4 : blocks_here - j0 >= 2 ? 2 : 1;");
    put(w, "const real *x = %s + ((block + j0) * %lld%s) * $ + lane;", name_of(w, s->in[0]),
        (long long)(c->depth * c->groups), from);
    for (int z = 0; z < 2 && sizes[z]; z++)
        for (int n = CHUNK; n >= 1; n /= 2)
            put(w, "%sif (n == %d && m == %d) @_tile%dx%d(x, weight, %stile);", z || n < CHUNK ? "else " : "", sizes[z],
                n, sizes[z], n, bias_argument(w, c));
    put(w, "for (int i = 0; i < n; i++)");
    put(w, "for (int j = 0; j < m; j++) {");
    put(w, "const V v%d = tile[i * %d + j];", var_of(w, c->result), CHUNK);
    if (is_stored(w, c->result))
        put(w, "st(%s, v%d);", place_of(w, c->result, "(block + j0 + j)", "(k + i)"), var_of(w, c->result));
    put_maps(w, c->next, w->kernel->nstage, "(block + j0 + j)", "(k + i)", "(k + i)");
    put(w, "}");
    put(w, "j0 += m;");
    put(w, "}");
    put(w, "}");
    close_tasks(w);
    close_kernel(w);
}
