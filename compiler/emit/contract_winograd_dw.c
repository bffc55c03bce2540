/* contract_winograd_dw.c: gradients of weights of 3 x 3 and stride 1 by F(3 x 3, 2 x 2) of Lavin & Gray (contract_winograd.c): a patch of
 * 2 x 2 values of y' meets 4 x 4 of x in 16 products instead of 36, of 4 x 4 places that additions turn both into. The products are
 * summed over all patches and samples before they are turned back.
 *
 * Lanes are channels of x, so that all samples meet in a sum, in the same order whatever the width of vectors is, and a sum needs
 * registers only. x is transposed for that, two rows at a time, as what is turned overlaps by two; y', whose lanes are samples, is
 * read value by value. A strip is some patches side by side. It is turned into v for all channels of x, and into u for a tile of those of
 * y' after the other, whose products are summed for one place after the other. */
#include "contract.h"

enum {
    PATCH = 4, /* places of a patch along an axis */
    PLACES = PATCH * PATCH,
    TAPS = 3 * 3,
    MOST_CHANNELS = 64,   /* of x and of y' at a time: their sums are to stay in the second cache, */
    MOST_TURNED = 1 << 8, /* and so are so many patches times channels of x, each of which takes a KiB */
    MOST_PATCHES = 8,     /* of a strip */
    MAX_PIECES = 64       /* strips that meet in float */
};

struct winograd_dw winograd_dw_of(const struct writer *w, const struct stage *s)
{
    struct winograd_dw d = {.g = geometry_of(w, s)};
    d.inputs = groups_of(groups_of(d.g.C, groups_of(d.g.C, MOST_CHANNELS)), ROW_BLOCK) * ROW_BLOCK;
    d.parts = groups_of(d.g.C, d.inputs);
    d.vectors = (int)(d.inputs / w->lanes);
    d.across = groups_of(d.g.Q, 2);
    d.down = groups_of(d.g.P, 2);
    d.strip = groups_of(d.across, groups_of(d.across, least(MOST_PATCHES, MOST_TURNED / d.inputs)));
    struct contraction c = {.outs = d.g.K};
    choose_tile_cpu(w, &c, d.vectors, d.vectors);
    d.tile = c.tile;
    d.columns = c.columns;
    d.tiles = groups_of(d.g.K, d.tile);
    d.shared = least(d.tiles, groups_of(MOST_CHANNELS, d.tile));
    /* One line more: a power of two from place to place would have all of them in one set of the first cache. */
    d.u_place = (d.tile * d.strip + 1) * ROW_BLOCK;
    d.v_place = (d.strip * d.inputs + 1) * ROW_BLOCK / w->lanes;
    d.place = (d.shared * d.tile * d.inputs + ROW_BLOCK) / w->lanes;
    return d;
}

bool is_winograd_dw(const struct writer *w, const struct stage *s)
{
    const struct geometry g = geometry_of(w, s);
    for (int i = 0; i < 2; i++)
        if (g.stride[i] != 1 || g.dil[i] != 1)
            return false;
    return g.R == 3 && g.S == 3 && g.G == 1;
}

/* Column w of row h of x, whose channels become lanes: row[sample][channel]. What lies outside is 0, as is what fills vectors. */
static void put_column_function(struct writer *w, const struct winograd_dw *d)
{
    const long long plane = d->g.H * d->g.W * ROW_BLOCK, inputs = d->inputs;
    put(w,
        "static void @_column(const real *restrict x, const int64_t channels, const int64_t h, const int64_t w, real *restrict row)");
    put(w, "{");
    put(w, "if (h < 0 || h >= %lld || w < 0 || w >= %lld) {", (long long)d->g.H, (long long)d->g.W);
    put(w, "__builtin_memset(row, 0, %lld * $ * sizeof *row);", inputs);
    put(w, "return;");
    put(w, "}");
    put(w, "const real *from = x + (h * %lld + w) * $;", (long long)d->g.W);
    put(w, "for (int64_t c = 0; c < channels; c++)");
    put(w, "    __builtin_prefetch(from + c * %lld + $, 0, 2);", plane);
    put(w, "for (int64_t c = 0; c < %lld; c += $, from += %lld)", inputs, plane * ROW_BLOCK);
    if (d->g.C % inputs) {
        put(w, "if (channels - c < $) {");
        put(w, "real part[$ * $] = {0};");
        put(w, "for (int64_t i = 0; i < channels - c; i++)");
        put(w, "    __builtin_memcpy(part + i * $, from + i * %lld, $ * sizeof *part);", plane);
        put(w, "turn16(part, $, %lld, row + c);", inputs);
        put(w, "} else");
    }
    put(w, "    turn16(from, %lld, %lld, row + c);", plane, inputs);
    put(w, "}");
    fprintf(w->out, "\n");
}

/* n patches of four rows of x: v[place][patch][sample][channel]. */
static void put_source_function(struct writer *w, const struct winograd_dw *d)
{
    const long long column = d->vectors * ROW_BLOCK;
    put(w, "static void @_source(V *const *row, const int n, V *restrict v)");
    put(w, "{");
    put(w, "for (int t = 0; t < n; t++)");
    put(w, "for (int64_t i = t * %lld, at = 2 * i; i < (t + 1) * %lld; i++, at++) {", column, column);
    for (int r = 0; r < PATCH; r++) {
        fprintf(w->out, "%*sconst V", 4 * w->indent, "");
        for (int s = 0; s < PATCH; s++)
            fprintf(w->out, "%s d%d = row[%d][at + %lld]", s ? "," : "", PATCH * r + s, r, s * column);
        fprintf(w->out, ";\n");
    }
    for (int s = 0; s < PATCH; s++)
        put(w, "const V e%d = d%d - d%d, e%d = d%d + d%d, e%d = d%d - d%d, e%d = d%d - d%d;", s, s, 8 + s, 4 + s, 4 + s,
            8 + s, 8 + s, 8 + s, 4 + s, 12 + s, 12 + s, 4 + s);
    for (int r = 0; r < PLACES; r += PATCH) {
        const long long to = r * d->v_place, step = d->v_place;
        put(w, "v[i + %lld] = e%d - e%d, v[i + %lld] = e%d + e%d, v[i + %lld] = e%d - e%d, v[i + %lld] = e%d - e%d;",
            to, r, r + 2, to + step, r + 1, r + 2, to + 2 * step, r + 2, r + 1, to + 3 * step, r + 3, r + 1);
    }
    put(w, "}");
    put(w, "}");
    fprintf(w->out, "\n");
}

/* The patches of two rows of y' that have `columns` columns: u[place][patch][sample]. */
static void put_gradient_function(struct writer *w, const struct winograd_dw *d)
{
    const char *inside = d->g.Q % 2 ? "q + 1 == columns ? (V){0} : (V)" : "";
    put(w,
        "static void @_gradient(const real *restrict a, const real *restrict b, const int columns, real *restrict u)");
    put(w, "{");
    put(w, "for (int q = 0; q < columns; q += 2, a += 2 * $, b += 2 * $)");
    put(w, "for (int lane = 0; lane < $; lane += LANES, u += LANES) {");
    put(w, "const V a0 = ld(a + lane), a1 = %sld(a + $ + lane);", inside);
    put(w, "const V b0 = ld(b + lane), b1 = %sld(b + $ + lane);", inside);
    put(w, "const V s[] = {a0, a1, a0 + b0, a1 + b1, a0 - b0, a1 - b1, b0, b1};");
    for (int r = 0; r < PATCH; r++) {
        const long long to = PATCH * r * d->u_place, step = d->u_place;
        put(w, "st(u + %lld, s[%d]), st(u + %lld, s[%d] + s[%d]), st(u + %lld, s[%d] - s[%d]), st(u + %lld, s[%d]);",
            to, 2 * r, to + step, 2 * r, 2 * r + 1, to + 2 * step, 2 * r, 2 * r + 1, to + 3 * step, 2 * r + 1);
    }
    put(w, "}");
    put(w, "}");
    fprintf(w->out, "\n");
}

static void put_product_function(struct writer *w, const struct winograd_dw *d, int tile, int n)
{
    put(w, "static void @_products%dx%d(const V *restrict v, const real *restrict u, const int terms, V *restrict sum)",
        tile, n);
    put(w, "{");
    for (int i = 0; i < tile; i++)
        for (int j = 0; j < n; j++)
            put(w, "V s%d_%d = {0};", i, j);
    put(w, "for (int t = 0; t < terms; t++, v += %d) {", d->vectors);
    put_outer_product(w, (struct factors){tile, "u[", d->strip * ROW_BLOCK, " + t]"},
                      (struct factors){n, "v[", 1, "]"});
    put(w, "}");
    for (int i = 0; i < tile; i++)
        for (int j = 0; j < n; j++)
            put(w, "sum[%d] += s%d_%d;", i * d->vectors + j, i, j);
    put(w, "}");
    fprintf(w->out, "\n");
}

/* The products of a place in `tile` channels of y' and all of x. */
static void put_place_function(struct writer *w, const struct winograd_dw *d, int tile)
{
    const int rest = d->vectors % d->columns;
    put_product_function(w, d, tile, d->columns);
    if (rest)
        put_product_function(w, d, tile, rest);
    put(w, "static void @_place%d(const V *v, const real *u, const int terms, V *sum)", tile);
    put(w, "{");
    for (int c = 0; c < d->vectors; c += d->columns)
        put(w, "@_products%dx%d(v + %d, u, terms, sum + %d);", tile, (int)least(d->columns, d->vectors - c), c, c);
    put(w, "}");
    fprintf(w->out, "\n");
}

/* Adds what the sums of the places amount to in w', to[channel out][tap][channel in], and begins them again. */
static void put_back_function(struct writer *w, const struct winograd_dw *d)
{
    const long long place = d->place;
    put(w, "static void @_back(V *restrict sum, const int64_t channels, double *restrict to)");
    put(w, "{");
    put(w, "for (int64_t k = 0; k < channels; k++, to += %lld)", TAPS * (long long)d->inputs);
    put(w, "for (int c = 0; c < %d; c++, sum++) {", d->vectors);
    for (int s = 0; s < PATCH; s++) {
        put(w, "const V a%d = (sum[%lld] + sum[%lld]) / 2, t1%d = (sum[%lld] - sum[%lld]) / 2;", s, (4 + s) * place,
            (8 + s) * place, s, (4 + s) * place, (8 + s) * place);
        put(w, "const V t0%d = sum[%lld] + a%d, t2%d = a%d + sum[%lld];", s, s * place, s, s, s, (12 + s) * place);
    }
    put(w, "V tap[%d];", TAPS);
    for (int r = 0; r < 3; r++)
        put(w, "tap[%d] = t%d0 + (t%d1 + t%d2) / 2, tap[%d] = (t%d1 - t%d2) / 2, tap[%d] = (t%d1 + t%d2) / 2 + t%d3;",
            3 * r, r, r, r, 3 * r + 1, r, r, 3 * r + 2, r, r, r);
    put(w, "for (int i = 0; i < %d; i++)", TAPS);
    put(w, "for (int lane = 0; lane < LANES; lane++)");
    put(w, "    to[i * %lld + c * LANES + lane] += tap[i][lane];", (long long)d->inputs);
    put(w, "for (int i = 0; i < %d; i++)", PLACES);
    put(w, "    sum[i * %lld] = (V){0};", place);
    put(w, "}");
    put(w, "}");
    fprintf(w->out, "\n");
}

/* Where the strip behind this one lies: in the next two rows of y', or at the top of the next columns or of the next block. `row` becomes
 * its rows of x: a strip has two with the one above it in common, and `fresh` ones are still to be read. */
static void put_next(struct writer *w, const struct winograd_dw *d)
{
    const long long wide = 2 * d->strip;
    put(w, "const int ends = p + 2 >= %lld, last_strip = ends && q0 + %lld >= %lld;", (long long)d->g.P, wide,
        (long long)d->g.Q);
    put(w, "const int64_t next = block + last_strip;");
    put(w, "const int64_t next_p = ends ? 0 : p + 2, next_q = last_strip ? 0 : ends ? q0 + %lld : q0;", wide);
    put(w, "const int fresh = next == blocks ? 0 : ends ? %d : 2;", PATCH);
    put(w, "for (int r = 0; r < 2 && !ends; r++) {");
    put(w, "V *const free = row[r];");
    put(w, "row[r] = row[r + 2], row[r + 2] = free;");
    put(w, "}");
}

/* The sums of a strip, a tile of channels of y' after the other. Meanwhile what is needed next comes from afar: columns of x are transposed
 * between places, y' is asked for. */
static void put_strip(struct writer *w, const struct winograd_dw *d)
{
    const int rest = (int)(d->g.K % d->tile);
    const long long Q = d->g.Q * ROW_BLOCK, plane = d->g.P * Q, image = d->g.K * plane, wide = 2 * d->strip;
    put(w, "@_source(row, n, v);");
    put_next(w, d);
    put(w, "int64_t column = 0, step = 0;");
    put(w, "for (int64_t k = 0; k < channels; k += %d) {", d->tile);
    put(w, "const int tile = %s;",
        rest ? region_printf(w->region, "channels - k < %d ? %d : %d", d->tile, rest, d->tile)
             : region_printf(w->region, "%d", d->tile));
    put(w, "const real *y = y0 + block * %lld + k * %lld + p * %lld + q0 * $, *next_y = y + %lld;", image, plane, Q,
        d->tile * plane);
    put(w, "if (k + %d >= channels)", d->tile);
    put(w, "    next_y = y0 + next * %lld + next_p * %lld + next_q * $;", image, Q);
    put(w, "for (int i = 0; i < tile; i++, y += %lld)", plane);
    put(w, "    @_gradient(y, %sy + %lld, %s, (real *)u + i * %lld * $);",
        d->g.P % 2 ? region_printf(w->region, "p + 1 == %lld ? (const real *)outside : ", (long long)d->g.P) : "", Q,
        d->g.Q % 2 ? region_printf(w->region, "q0 + 2 * n > %lld ? 2 * n - 1 : 2 * n", (long long)d->g.Q) : "2 * n",
        (long long)d->strip);
    put(w, "for (int64_t place = 0; place < %d; place++) {", PLACES);
    put(w, "for (step++; column * (end - task) * %d < step * fresh * %lld; column++) {", PLACES, wide + 2);
    put(w, "const int64_t r = column / %lld + %d - fresh, j = column %% %lld;", wide + 2, PATCH, wide + 2);
    put(w, "@_column(x0 + next * %lld, inputs, next_p + r - %d, next_q + j - %d, (real *)row[r] + j * %lld * $);",
        (long long)(d->g.C * d->g.H * d->g.W * ROW_BLOCK), d->g.pad[0], d->g.pad[1], (long long)d->inputs);
    put(w, "}");
    put(w, "for (int j = 0; j < 2 * n && place < %d; j++)", 2 * d->tile);
    put(w, "    __builtin_prefetch(next_y + place / 2 * %lld + place %% 2 * %lld + j * $, 0, 2);", plane, Q);
    const char *of = region_printf(
        w->region, "(v + place * %lld, (const real *)u + place * %lld, n * $, sum + place * %lld + k * %d)",
        (long long)d->v_place, (long long)d->u_place, (long long)d->place, d->vectors);
    if (rest)
        put(w, "(tile == %d ? @_place%d : @_place%d)%s;", d->tile, d->tile, rest, of);
    else
        put(w, "@_place%d%s;", d->tile, of);
    put(w, "}");
    put(w, "}");
}

/* Some tiles of channels of y' with a part of those of x: all strips, and w' of them. */
static void put_share(struct writer *w, const struct stage *s, const struct winograd_dw *d)
{
    const long long C = d->g.C, wide = 2 * d->strip, inputs = d->inputs;
    put(w, "__builtin_memset(sum, 0, sizeof sum);");
    put(w, "__builtin_memset(sums, 0, sizeof sums);");
    put(w, "V *row[%d] = {rows[0], rows[1], rows[2], rows[3]};", PATCH);
    put(w, "for (int r = 0; r < %d; r++)", PATCH);
    put(w, "for (int j = 0; j < %lld; j++)", wide + 2);
    put(w, "    @_column(x0, inputs, r - %d, j - %d, (real *)row[r] + j * %lld * $);", d->g.pad[0], d->g.pad[1],
        inputs);
    put(w, "int pieces = 0;");
    put(w, "for (int64_t block = 0; block < blocks; block++)");
    put(w, "for (int64_t q0 = 0; q0 < %lld; q0 += %lld)", (long long)d->g.Q, wide);
    put(w, "for (int64_t p = 0; p < %lld; p += 2) {", (long long)d->g.P);
    put(w, "const int n = q0 + %lld <= %lld ? %lld : %lld;", wide, 2 * (long long)d->across, (long long)d->strip,
        (long long)(d->across - (d->across - 1) / d->strip * d->strip));
    put_strip(w, d);
    put(w, "if (++pieces == %d) {", MAX_PIECES);
    put(w, "@_back(sum, channels, sums);");
    put(w, "pieces = 0;");
    put(w, "}");
    put(w, "}");
    put(w, "@_back(sum, channels, sums);");
    put(w, "for (int64_t k = 0; k < channels; k++)");
    put(w, "for (int64_t c = 0; c < inputs; c++)");
    put(w, "for (int i = 0; i < %d; i++)", TAPS);
    put(w, "    %s[((k0 + k) * %lld + c0 + c) * %d + i] = (real)sums[(k * %d + i) * %lld + c];", name_of(w, s->out[0]),
        C, TAPS, TAPS, inputs);
}

void put_winograd_dw_cpu(struct writer *w, const struct stage *s)
{
    const struct winograd_dw at = winograd_dw_of(w, s), *d = &at;
    const long long C = d->g.C, K = d->g.K, n = d->strip, inputs = d->inputs;
    put_column_function(w, d);
    put_source_function(w, d);
    put_gradient_function(w, d);
    put_place_function(w, d, d->tile);
    if (K % d->tile)
        put_place_function(w, d, (int)(K % d->tile));
    put_back_function(w, d);
    open_kernel(w);
    w->blocks_per_task = 0;
    w->splits = (int)(d->parts * d->tiles);
    if (d->g.P % 2)
        put(w, "static const V outside[%lld * $ / LANES];", 2 * n);
    put(w, "V rows[%d][%lld], v[%lld], u[%lld], sum[%lld];", PATCH, (2 * n + 2) * ROW_BLOCK * d->vectors,
        (long long)(PLACES * d->v_place), (long long)(PLACES * d->u_place / w->lanes), (long long)(PLACES * d->place));
    put(w, "double sums[%lld];", d->shared * d->tile * TAPS * inputs);
    put(w, "for (int64_t task = first, end; task < last; task = end) {");
    put(w, "const int64_t tile0 = task %% %lld, k0 = tile0 * %d, c0 = task / %lld * %lld;", (long long)d->tiles,
        d->tile, (long long)d->tiles, inputs);
    put(w, "end = task - tile0 + (tile0 + %lld < %lld ? tile0 + %lld : %lld);", (long long)d->shared,
        (long long)d->tiles, (long long)d->shared, (long long)d->tiles);
    put(w, "end = end < last ? end : last;");
    put(w, "const int64_t channels = (end - task) * %d < %lld - k0 ? (end - task) * %d : %lld - k0;", d->tile, K,
        d->tile, K);
    put(w, "const int64_t inputs = %lld - c0 < %lld ? %lld - c0 : %lld;", C, inputs, C, inputs);
    put(w, "const real *const x0 = %s + c0 * %lld, *const y0 = %s + k0 * %lld;", name_of(w, s->in[0]),
        (long long)(d->g.H * d->g.W * ROW_BLOCK), name_of(w, s->in[1]), (long long)(d->g.P * d->g.Q * ROW_BLOCK));
    put_share(w, s, d);
    put(w, "}");
    close_kernel(w);
}
