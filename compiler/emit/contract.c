/* contract.c: the tile emitter under all contractions: out[i][j] += a_i * b_j with the sums of a tile in registers.
 *
 * Lanes are samples, so one weight meets a vector of them and borders are known when the code is written: taps that fall
 * outside are left out, not tested. The weight gradient of a fully connected layer alone has input features for lanes. */
#include "contract.h"

#include <math.h>
#include <string.h>

static bool tap(const struct axis *a, int64_t out, int64_t t, int64_t *source)
{
    int64_t v = a->a * out + a->b * t + a->c;
    *source = v / a->d;
    return v >= 0 && v % a->d == 0 && *source < a->source;
}

/* Cycles of one tap of a tile: the longer of two FMA and two load ports, at least the latency of an FMA, and one more
 * for what the ports do not show. */
static double tile_cost(int tile, int columns)
{
    double fma = tile * columns / 2.0, load = (tile + columns) / 2.0, time = fma > load ? fma : load;
    return 1 + (time < 4 ? 4 : time);
}

static void choose_tile(const struct writer *w, struct contraction *c, int64_t columns, int most_columns)
{
    int registers = w->lanes == 16 ? 31 : 15;
    double best = INFINITY;
    for (int t = 1; t <= 8 && t <= c->outs; t++)
        for (int j = 1; j <= most_columns && j <= columns; j++) {
            int held = t < j ? t : j;
            if (t * j + held + 1 > registers)
                continue;
            int64_t full = c->outs / t, rest = c->outs % t, across = columns / j, left = columns % j;
            double cost = (double)(full * across) * tile_cost(t, j) + (rest ? (double)across * tile_cost((int)rest, j) : 0) +
                          (left ? (double)full * tile_cost(t, (int)left) : 0) + (rest && left ? tile_cost((int)rest, (int)left) : 0);
            if (cost < best * 0.999) {
                best = cost;
                c->tile = t;
                c->columns = j;
            }
        }
}

/* The taps of one row of outputs [start, start + n): bit s * n + j says that tap s reaches output start + j. */
static bool same_pattern(const struct axis *x, int64_t start, int64_t other, int n)
{
    int64_t v;
    if (start % x->d != other % x->d)
        return false;
    for (int64_t s = 0; s < x->taps; s++)
        for (int j = 0; j < n; j++)
            if (tap(x, start + j, s, &v) != tap(x, other + j, s, &v))
                return false;
    return true;
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

static const char *bias_parameter(const struct contraction *c)
{
    return c->bias < 0 ? "" : "const real *restrict bias, ";
}

/* What a function with that parameter is called with: the biases from channel k on. */
static const char *bias_argument(struct writer *w, const struct contraction *c)
{
    return c->bias < 0 ? "" : region_printf(w->region, "%s + k, ", name_of(w, c->bias));
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
    bool rows = y->taps > 1 || y->c || y->d > 1;
    if (y->taps > 1)
        put(w, "for (int r = 0; r < %lld; r++) {", (long long)y->taps);
    if (rows) {
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
    } else
        put(w, "const int h = %d * p;", y->a);
    put(w, "const real *xr = x + (h * %lld + %s) * 16;", (long long)x->source,
        x->d > 1 ? region_printf(w->region, "q / %d", x->d) : region_printf(w->region, "%d * q", x->a));
    put(w, "const real *wr = weight%s;", y->taps > 1 ? region_printf(w->region, " + r * %lld", (long long)x->taps) : "");
    put(w, "for (int d = 0; d < %lld; d++, xr += %lld, wr += %lld) {", (long long)c->depth, (long long)plane * 16,
        (long long)c->w_depth);
    for (int64_t s = 0; s < x->taps; s++) {
        bool any = false;
        for (int j = 0; j < n; j++)
            any |= tap(x, start + j, s, &v);
        if (!any)
            continue;
        put(w, "{");
        fprintf(w->out, "%*sconst V", 4 * w->indent, "");
        for (int i = 0; i < tile; i++)
            fprintf(w->out, "%s w%d = vec(wr[%lld])", i ? "," : "", i, (long long)(i * c->w_out + s));
        fprintf(w->out, ";\n%*sV b;\n", 4 * w->indent, "");
        for (int j = 0; j < n; j++) {
            if (!tap(x, start + j, s, &v))
                continue;
            int64_t base = x->d > 1 ? start / x->d : x->a * start;
            fprintf(w->out, "%*sb = ld(xr + (%lld) * 16);", 4 * w->indent, "", (long long)(v - base));
            for (int i = 0; i < tile; i++)
                fprintf(w->out, " s%d_%d += w%d * b;", i, j, i);
            fprintf(w->out, "\n");
        }
        put(w, "}");
    }
    put(w, "}");
    if (y->taps > 1 || rows)
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
    put(w, "static void @_row%d(const real *restrict x, const real *restrict weight, %sconst int p, const int step, V *restrict tile)", tile,
        bias_parameter(c));
    put(w, "{");
    for (int64_t start = 0; start < Q;) {
        int n = (int)(Q - start < c->columns ? Q - start : c->columns);
        int64_t count = 1;
        while (start + (count + 1) * n <= Q && same_pattern(&c->x, start, start + count * n, n))
            count++;
        put_segment(w, c, tile, start, n, count);
        start += count * n;
    }
    put(w, "}");
    fprintf(w->out, "\n");
}

/* The maps between the anchor and the window (or the end), the window, and the maps behind it. */
static void put_epilogue(struct writer *w, const struct contraction *c, int64_t rows, const char *p0)
{
    int first = c->next, window = maps_end(w, first), Q = (int)c->x.out, out = c->result;
    int64_t P = c->y.out;
    const struct stage *pool = window < w->kernel->nstage ? &w->kernel->stage[window] : NULL;
    bool scattered = pool && pool->op->form == FORM_SCATTER, pooled = pool && !scattered;
    if (!pooled || window > first || is_stored(w, out)) {
        put(w, "for (int i = 0; i < n; i++)");
        if (rows > 1)
            put(w, "for (int r = 0; r < %lld; r++)", (long long)rows);
        put(w, "for (int q = 0; q < %d; q++) {", Q);
        const char *at = rows > 1 ? region_printf(w->region, "(i * %lld + r) * %d + q", (long long)rows, Q) : region_printf(w->region, "i * %d + q", Q);
        put(w, "const V v%d = tile[%s];", var_of(w, out), at);
        const char *e = region_printf(w->region, "(((k + i) * %lld + %s%s) * %d + q)", (long long)P, p0, rows > 1 ? " + r" : "", Q);
        if (is_stored(w, out))
            put(w, "st(%s, v%d);", place_of(w, out, "block", e), var_of(w, out));
        put_maps(w, first, window, "block", e, "(k + i)");
        if (pooled)
            put(w, "tile[%s] = v%d;", at, var_of(w, pool->in[0]));
        if (scattered)
            put_scatter(w, pool, "block", "(k + i)", p0, "q");
        put(w, "}");
    }
    if (!pooled)
        return;
    const struct tensor *y = tensor_of(w, pool->out[0]);
    int S = (int)pool->attr[1];
    put(w, "for (int i = 0; i < n; i++)");
    put(w, "for (int q = 0; q < %lld; q++) {", (long long)y->dim[2]);
    const char *e = region_printf(w->region, "(((k + i) * %lld + (%s) / %lld) * %lld + q)", (long long)y->dim[1], p0, (long long)rows,
                                  (long long)y->dim[2]);
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
    put(w, "for (int64_t t = part * %lldLL / %d; t < (part + 1) * %lldLL / %d; t++) {", (long long)all, splits, (long long)all, splits);
    if (c->groups == 1)
        put(w, "const int64_t k = t * %d;", c->tile);
    else {
        o = "o";
        put(w, "const int64_t group = t / %lld, o = t %% %lld * %d, k = group * %lld + o;", (long long)tiles, (long long)tiles, c->tile,
            (long long)c->outs);
    }
    if (c->outs % c->tile)
        put(w, "const int n = %lld - %s < %d ? %lld - %s : %d;", (long long)c->outs, o, c->tile, (long long)c->outs, o, c->tile);
    else
        put(w, "enum { n = %d };", c->tile);
    const char *group = c->groups == 1 ? "" : region_printf(w->region, "group * %lld + ", (long long)c->w_group);
    put(w, "const real *weight = %s + %s%s * %lld;", name_of(w, s->in[1]), group, o, (long long)c->w_out);
    return c->groups == 1 ? "" : region_printf(w->region, " + group * %lld", (long long)c->depth);
}

/* A convolution (or its dx) of images: tasks are blocks of samples and parts of the output channels. */
static void put_spatial(struct writer *w, const struct stage *s, struct contraction *c)
{
    int window = maps_end(w, c->next);
    int64_t P = c->y.out, Q = c->x.out, rows = 1;
    if (window < w->kernel->nstage && w->kernel->stage[window].op->form == FORM_POOL)
        rows = (int64_t)w->kernel->stage[window].attr[0];
    choose_tile(w, c, Q, 14);
    while (c->tile > 1 && c->tile * rows * Q > 4096)
        c->tile--;
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
    put(w, "const real *x = %s + (block * %lld%s) * %lld * 16 + lane;", name_of(w, s->in[0]), (long long)(c->depth * c->groups), from,
        (long long)plane);
    put(w, "V tile[%lld];", (long long)(c->tile * rows * Q));
    const char *call = rest ? region_printf(w->region, "(n == %d ? @_row%d : @_row%d)", c->tile, c->tile, rest)
                            : region_printf(w->region, "@_row%d", c->tile);
    if (rows > 1) {
        put(w, "for (int r = 0; r < %lld; r++)", (long long)rows);
        put(w, "    %s(x, weight, %sp + r, %lld, tile + r * %lld);", call, bias_argument(w, c), (long long)(rows * Q), (long long)Q);
    } else
        put(w, "%s(x, weight, %sp, %lld, tile);", call, bias_argument(w, c), (long long)Q);
    put_epilogue(w, c, rows, "p");
    put(w, "}");
    close_tasks(w);
    close_kernel(w);
}

enum { MAX_TERMS = 512 };                              /* of a sum in one register */

/* A fully connected layer (or its dx): columns of the tile are blocks of samples. */
static void put_flat(struct writer *w, const struct stage *s, struct contraction *c)
{
    enum { CHUNK = 4 };
    choose_tile(w, c, CHUNK, CHUNK);
    if (c->columns < CHUNK && c->outs >= 4) {           /* the sizes below are for whole chunks */
        c->columns = CHUNK;
        c->tile = w->lanes == 16 ? 6 : 2;
    }
    int64_t tiles = (c->outs + c->tile - 1) / c->tile, all = tiles * c->groups;
    int rest = (int)(c->outs % c->tile), splits = all < 8 ? (int)all : 8;
    int sizes[2] = {c->tile, rest};
    for (int z = 0; z < 2 && sizes[z]; z++)
        for (int n = CHUNK; n >= 1; n /= 2) {
            put(w, "static void @_tile%dx%d(const real *restrict x, const real *restrict weight, %sV *restrict tile)", sizes[z], n,
                bias_parameter(c));
            put(w, "{");
            put_sums(w, c, sizes[z], n);
            if (c->depth > MAX_TERMS) {
                put(w, "for (int d = 0; d < %lld;) {", (long long)c->depth);
                put(w, "for (const int end = d + %d < %lld ? d + %d : %lld; d < end; d++, x += 16, weight += %lld) {", MAX_TERMS, (long long)c->depth,
                    MAX_TERMS, (long long)c->depth, (long long)c->w_depth);
            } else
                put(w, "for (int d = 0; d < %lld; d++, x += 16, weight += %lld) {", (long long)c->depth, (long long)c->w_depth);
            fprintf(w->out, "%*sconst V", 4 * w->indent, "");
            for (int j = 0; j < n; j++)
                fprintf(w->out, "%s b%d = ld(x + %lld)", j ? "," : "", j, (long long)(j * c->depth * c->groups * 16));
            fprintf(w->out, ";\n");
            for (int i = 0; i < sizes[z]; i++) {
                fprintf(w->out, "%*s{ const V a = vec(weight[%lld]);", 4 * w->indent, "", (long long)(i * c->w_out));
                for (int j = 0; j < n; j++)
                    fprintf(w->out, " s%d_%d += a * b%d;", i, j, j);
                fprintf(w->out, " }\n");
            }
            put(w, "}");
            for (int i = 0; i < sizes[z]; i++)
                for (int j = 0; j < n; j++)
                    if (c->depth > MAX_TERMS)
                        put(w, "tile[%d] = (d > %d ? tile[%d] : (V){0}) + s%d_%d, s%d_%d = (V){0};", i * CHUNK + j, MAX_TERMS, i * CHUNK + j, i, j, i, j);
                    else
                        put(w, "tile[%d] = s%d_%d;", i * CHUNK + j, i, j);
            if (c->depth > MAX_TERMS)
                put(w, "}");
            put(w, "}");
            fprintf(w->out, "\n");
        }
    open_kernel(w);
    open_tasks(w, CHUNK, splits);
    const char *from = put_channels(w, s, c, splits);
    put(w, "V tile[%d];", c->tile * CHUNK);
    put(w, "for (int j0 = 0; j0 < blocks_here;) {");
    put(w, "const int m = blocks_here - j0 >= 4 ? 4 : blocks_here - j0 >= 2 ? 2 : 1;");
    put(w, "const real *x = %s + ((block + j0) * %lld%s) * 16 + lane;", name_of(w, s->in[0]), (long long)(c->depth * c->groups), from);
    for (int z = 0; z < 2 && sizes[z]; z++)
        for (int n = CHUNK; n >= 1; n /= 2)
            put(w, "%sif (n == %d && m == %d) @_tile%dx%d(x, weight, %stile);", z || n < CHUNK ? "else " : "", sizes[z], n, sizes[z], n,
                bias_argument(w, c));
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

/* Added to a sum that is rounded already, a bias would be rounded alike in every sample, and means over millions of them would
 * show it. So the sums start from it, where nobody else wants them. */
static void find_bias(const struct writer *w, const struct stage *s, struct contraction *c)
{
    const struct stage *add = s + 1, *end = w->kernel->stage + w->kernel->nstage;
    c->bias = -1;
    c->result = s->out[0];
    c->next = stage_index(w, s) + 1;
    if (add == end || strcmp(add->op->name, "add") || add->in[0] != c->result || is_stored(w, c->result))
        return;
    const struct tensor *bias = tensor_of(w, add->in[1]);
    if (bias->rows || bias->rank != 1)
        return;
    for (const struct stage *other = add + 1; other < end; other++)
        for (int i = 0; i < other->nin; i++)
            if (other->in[i] == c->result)
                return;
    c->bias = add->in[1];
    c->result = add->out[0];
    c->next++;
}

void put_contraction(struct writer *w, const struct stage *s, struct contraction *c)
{
    find_bias(w, s, c);
    if (w->target == &target_cuda)
        put_contraction_cuda(w, s, c);
    else if (tensor_of(w, s->in[0])->rank == 1)
        put_flat(w, s, c);
    else
        put_spatial(w, s, c);
}

enum { MAX_PIECES = 64 };                              /* that meet in float */

/* Weight gradient of a convolution: a tile of output channels x (input channels, taps of one kernel row), its sums over
 * some rows of a block in registers, over the next pieces in `sum`, over lanes and all pieces in double. Tasks own their
 * part of w'. */
void put_conv_dw(struct writer *w, const struct stage *s, const struct geometry *size)
{
    if (w->target == &target_cuda) {
        put_conv_dw_cuda(w, s, size);
        return;
    }
    const struct geometry g = *size;
    int64_t Kg = g.K / g.G, Cg = g.C / g.G;
    int registers = w->lanes == 16 ? 31 : 15, wide = g.S >= 3 ? 1 : g.S == 2 ? 2 : 4;
    if (wide > Cg)
        wide = 1;
    int columns = wide * (int)g.S, tile = 1;
    while (tile < 8 && tile < Kg && (tile + 1) * columns + (columns < tile + 1 ? columns : tile + 1) + 1 <= registers)
        tile++;
    while (tile > 1 && Kg % tile)
        tile--;
    while (Cg % wide)
        wide--;
    columns = wide * (int)g.S;
    int64_t chunk = Cg, limit = 2048;                  /* vectors in `sum`: 128 KiB */
    while (chunk > wide && chunk % 2 == 0 && chunk / 2 % wide == 0 && chunk * g.R * g.S * tile > limit)
        chunk /= 2;
    if (chunk * g.R * g.S * tile > limit)
        chunk = wide;
    int64_t chunks = Cg / chunk, tiles = Kg / tile;
    int64_t rows = 320 / (tile * g.Q);                 /* of y', so that a tile's stay in the first cache: 20 KiB */
    rows = rows < 1 ? 1 : rows > g.P ? g.P : rows;
    struct axis ax = {g.stride[1], g.dil[1], -g.pad[1], 1, g.Q, g.W, g.S};
    open_kernel(w);
    w->blocks_per_task = 0;
    w->splits = (int)(g.G * tiles * chunks);
    put(w, "for (int64_t task = first; task < last; task++) {");
    put(w, "const int64_t part = task %% %lld, t = task / %lld %% %lld, group = task / %lld;", (long long)chunks, (long long)chunks,
        (long long)tiles, (long long)(chunks * tiles));
    put(w, "const int64_t k = group * %lld + t * %d, c0 = part * %lld;", (long long)Kg, tile, (long long)chunk);
    put(w, "V sum[%d][%lld] = {{{0}}};", tile, (long long)(chunk * g.R * g.S));
    put(w, "double sums[%d][%lld] = {{0}};", tile, (long long)(chunk * g.R * g.S));
    put(w, "int pieces = 0;");
    put(w, "for (int64_t block = 0; block < blocks; block++)");
    put(w, "for (int lane = 0; lane < 16; lane += %d)", w->lanes);
    put(w, "for (int p0 = 0; p0 < %lld; p0 += %lld) {", (long long)g.P, (long long)rows);
    put(w, "for (int c = 0; c < %lld; c += %d)", (long long)chunk, wide);
    put(w, "for (int r = 0; r < %lld; r++) {", (long long)g.R);
    put(w, "const real *x = %s + (block * %lld + group * %lld + c0 + c) * %lld * 16 + lane;", name_of(w, s->in[0]), (long long)g.C,
        (long long)Cg, (long long)(g.H * g.W));
    put(w, "const real *y = %s + (block * %lld + k) * %lld * 16 + lane;", name_of(w, s->in[1]), (long long)g.K, (long long)(g.P * g.Q));
    for (int i = 0; i < tile; i++) {
        fprintf(w->out, "%*sV", 4 * w->indent, "");
        for (int j = 0; j < columns; j++)
            fprintf(w->out, "%s s%d_%d = {0}", j ? "," : "", i, j);
        fprintf(w->out, ";\n");
    }
    put(w, "for (int p = p0; p < %s; p++) {", rows == g.P ? region_printf(w->region, "%lld", (long long)g.P)
        : region_printf(w->region, "(p0 + %lld < %lld ? p0 + %lld : %lld)", (long long)rows, (long long)g.P, (long long)rows, (long long)g.P));
    put(w, "const int h = %d * p + %d * r - %d;", g.stride[0], g.dil[0], g.pad[0]);
    put(w, "if (h < 0 || h >= %lld)", (long long)g.H);
    put(w, "    continue;");
    put(w, "const real *xr = x + h * %lld * 16, *yr = y + p * %lld * 16;", (long long)g.W, (long long)g.Q);
    for (int64_t start = 0; start < g.Q;) {
        int64_t count = 1, v;
        while (start + count < g.Q && same_pattern(&ax, start, start + count, 1))
            count++;
        if (count > 1)
            put(w, "for (int q = %lld; q < %lld; q++) {", (long long)start, (long long)(start + count));
        else
            put(w, "{ enum { q = %lld };", (long long)start);
        if (count == 1)
            w->indent++;
        fprintf(w->out, "%*sV b;\n%*sconst V", 4 * w->indent, "", 4 * w->indent, "");
        const char *comma = "";
        for (int j = 0; j < columns; j++)
            if (tap(&ax, start, j % g.S, &v)) {
                fprintf(w->out, "%s x%d = ld(xr + (%lld + %d * q + %lld) * 16)", comma, j, (long long)(j / g.S * g.H * g.W),
                        g.stride[1], (long long)(v - g.stride[1] * start));
                comma = ",";
            }
        if (!*comma)
            fprintf(w->out, " unused = {0}");
        fprintf(w->out, ";\n");
        for (int i = 0; i < tile; i++) {
            fprintf(w->out, "%*sb = ld(yr + (%lld + q) * 16);", 4 * w->indent, "", (long long)(i * g.P * g.Q));
            for (int j = 0; j < columns; j++)
                if (tap(&ax, start, j % g.S, &v))
                    fprintf(w->out, " s%d_%d += b * x%d;", i, j, j);
            fprintf(w->out, "\n");
        }
        put(w, "}");
        start += count;
    }
    put(w, "}");
    for (int i = 0; i < tile; i++)
        for (int j = 0; j < columns; j++)
            put(w, "sum[%d][((c + %d) * %lld + r) * %lld + %d] += s%d_%d;", i, j / (int)g.S, (long long)g.R, (long long)g.S,
                j % (int)g.S, i, j);
    put(w, "}");
    put(w, "if (++pieces < %d)", MAX_PIECES);
    put(w, "    continue;");
    put(w, "for (int i = 0; i < %d; i++)", tile);
    put(w, "for (int j = 0; j < %lld; j++) {", (long long)(chunk * g.R * g.S));
    put(w, "sums[i][j] += lane_sum(sum[i][j]);");
    put(w, "sum[i][j] = (V){0};");
    put(w, "}");
    put(w, "pieces = 0;");
    put(w, "}");
    put(w, "for (int i = 0; i < %d; i++)", tile);
    put(w, "for (int j = 0; j < %lld; j++)", (long long)(chunk * g.R * g.S));
    put(w, "    %s[((k + i) * %lld + c0) * %lld + j] = (real)(sums[i][j] + lane_sum(sum[i][j]));", name_of(w, s->out[0]), (long long)Cg,
        (long long)(g.R * g.S));
    put(w, "}");
    close_kernel(w);
}

/* Weight gradient of a fully connected layer: lanes are input features, one sample after the other. */
void put_linear_dw(struct writer *w, const struct stage *s)
{
    if (w->target == &target_cuda) {
        put_linear_dw_cuda(w, s);
        return;
    }
    int64_t C = tensor_of(w, s->in[0])->dim[0], K = tensor_of(w, s->in[1])->dim[0];
    int64_t stride = plain_stride(C);
    int registers = w->lanes == 16 ? 31 : 15;
    int vectors = w->lanes == 16 ? 4 : 3, tile = 1;
    if (vectors > (C + w->lanes - 1) / w->lanes)
        vectors = (int)((C + w->lanes - 1) / w->lanes);
    while (tile < 8 && tile < K && (tile + 1) * vectors + vectors + 1 <= registers)
        tile++;
    int width = vectors * w->lanes, spans = (int)(C / width), tail = (int)(C % width), rest = (int)(K % tile);
    int64_t tiles = (K + tile - 1) / tile;
    for (int z = 0; z < 4; z++) {                      /* whole and last tile x whole and last span */
        int n = z / 2 ? rest : tile, columns = z % 2 ? tail : width;
        if (!n || !columns || (z / 2 == 0 && K < tile) || (z % 2 == 0 && !spans))
            continue;
        put(w, "static void @_tile%dx%d(const real *restrict x, const real *restrict y, const int64_t samples, real *restrict out, const int64_t step)",
            n, columns);
        put(w, "{");
        int span[64], at[64], count = 0;               /* vectors that cover the columns: whole, then halves */
        for (int c = 0, wide = w->lanes; c < columns;) {
            while (wide > 1 && c + wide > columns)
                wide /= 2;
            if (wide == 2)
                wide = 1;
            at[count] = c;
            span[count++] = wide;
            c += wide;
        }
        for (int i = 0; i < n; i++)
            for (int j = 0; j < count; j++)
                put(w, "V%d s%d_%d = {0};", span[j], i, j);
        put(w, "for (int64_t m = 0; m < samples; m++) {");
        put(w, "const real *xr = x + m * %lld, *yr = y + m / 16 * %lld + m %% 16;", (long long)stride, (long long)K * 16);
        for (int j = 0; j < count; j++)
            put(w, "const V%d x%d = *(const V%du *)(xr + %d);", span[j], j, span[j], at[j]);
        for (int i = 0; i < n; i++) {
            fprintf(w->out, "%*s{ const real a = yr[%d];", 4 * w->indent, "", i * 16);
            for (int j = 0; j < count; j++)
                fprintf(w->out, " s%d_%d += x%d * a;", i, j, j);
            fprintf(w->out, " }\n");
        }
        put(w, "}");
        for (int i = 0; i < n; i++)
            for (int j = 0; j < count; j++)
                put(w, "*(V%du *)(out + %d * step + %d) = s%d_%d;", span[j], i, at[j], i, j);
        put(w, "}");
        fprintf(w->out, "\n");
    }
    open_kernel(w);
    w->blocks_per_task = 0;
    w->splits = (int)tiles;
    put(w, "const int64_t samples = a->control[%d];", CTL_ROWS);
    put(w, "for (int64_t task = first; task < last; task++) {");
    put(w, "const int64_t k = task * %d;", tile);
    put(w, "const real *y = %s + k * 16;", name_of(w, s->in[1]));
    put(w, "real *out = %s + k * %lld;", name_of(w, s->out[0]), (long long)C);
    for (int z = 0; z < 2; z++) {
        int n = z ? rest : tile;
        if (!n || (!z && K < tile))
            continue;
        put(w, "if (%s) {", z ? region_printf(w->region, "k + %d > %lld", tile, (long long)K) : region_printf(w->region, "k + %d <= %lld", tile, (long long)K));
        if (spans) {
            put(w, "for (int c = 0; c < %d; c += %d)", spans * width, width);
            put(w, "    sum_pieces(@_tile%dx%d, %d, %d, %s + c, %lld, y, %lld, samples, out + c, %lld);", n, width, n, width,
                name_of(w, s->in[0]), (long long)stride, (long long)K, (long long)C);
        }
        if (tail)
            put(w, "sum_pieces(@_tile%dx%d, %d, %d, %s + %d, %lld, y, %lld, samples, out + %d, %lld);", n, tail, n, tail,
                name_of(w, s->in[0]), spans * width, (long long)stride, (long long)K, spans * width, (long long)C);
        put(w, "}");
    }
    put(w, "}");
    close_kernel(w);
}
