/* contract_cpu_dw.c: gradients of weights as C. Of a convolution lanes are samples, which are summed at the end; of a fully
 * connected layer they are input features. */
#include "contract.h"

/* ---- convolution: a tile of output channels x (input channels, taps of one kernel row), its sums over some rows of a block in
 * registers, over the next pieces in `sum`, over lanes and all pieces in double. Tasks own their part of w'. ---- */

enum {
    MAX_PIECES = 64,  /* that meet in float */
    MAX_SUMS = 2048,  /* vectors in `sum`: 128 KiB */
    MAX_PLACES = 320, /* of y', so that a tile's stay in the first cache: 20 KiB */
    FEW_PLACES = 16,  /* of a channel of y': a kernel of one tap has too few products for sums of its own in memory */
    FLOAT_SUMS = 256, /* products that meet in float there */
    NEAR = 1024 /* places of the channels of a task there: so much of x of some blocks stays in the second cache */
};

struct conv_dw {
    struct geometry g;
    int64_t Kg, Cg;               /* channels of a group */
    int tile, wide, columns;      /* output channels; input channels, and those times taps of a row */
    int64_t chunk, chunks, tiles; /* input channels of a task; parts of Cg and Kg */
    int64_t rows;                 /* of y' at a time */
    bool few;                     /* one tap at few places: sums stay in registers over blocks */
    struct axis x;
};

static struct conv_dw choose_conv_dw(const struct writer *w, const struct stage *s)
{
    const struct geometry g = geometry_of(w, s);
    struct conv_dw d = {.g = g,
                        .Kg = g.K / g.G,
                        .Cg = g.C / g.G,
                        .tile = 1,
                        .wide = g.S >= 3   ? 1
                                : g.S == 2 ? 2
                                           : 4,
                        .x = {g.stride[1], g.dil[1], -g.pad[1], 1, g.Q, g.W, g.S}};
    const int registers = registers_of(w);
    d.few = g.R == 1 && g.S == 1 && g.P * g.Q <= FEW_PLACES;
    if (d.few)
        d.wide = 2;
    if (d.wide > d.Cg)
        d.wide = 1;
    int columns = d.wide * (int)g.S;
    while (d.tile < 8 && d.tile < d.Kg &&
           (d.tile + 1) * columns + (columns < d.tile + 1 ? columns : d.tile + 1) + 1 <= registers)
        d.tile++;
    while (d.tile > 1 && d.Kg % d.tile)
        d.tile--;
    while (d.Cg % d.wide)
        d.wide--;
    d.columns = d.wide * (int)g.S;
    const int64_t sums = g.R * g.S * d.tile; /* of an input channel */
    d.chunk = d.Cg;
    while (d.chunk > d.wide && d.chunk % 2 == 0 && d.chunk / 2 % d.wide == 0 && d.chunk * sums > MAX_SUMS)
        d.chunk /= 2;
    if (d.chunk * sums > MAX_SUMS)
        d.chunk = d.wide;
    if (d.few)
        for (d.chunk = d.Cg; d.chunk * g.P * g.Q > NEAR && d.chunk % 2 == 0 && d.chunk / 2 % d.wide == 0;)
            d.chunk /= 2;
    d.chunks = d.Cg / d.chunk;
    d.tiles = d.Kg / d.tile;
    d.rows = MAX_PLACES / (d.tile * g.Q);
    d.rows = d.rows < 1 ? 1 : d.rows > g.P ? g.P : d.rows;
    return d;
}

/* s0_0 and on: the sums of a tile, from zero. */
static void put_zeros(struct writer *w, const struct conv_dw *d)
{
    for (int i = 0; i < d->tile; i++) {
        fprintf(w->out, "%*sV", 4 * w->indent, "");
        for (int j = 0; j < d->columns; j++)
            fprintf(w->out, "%s s%d_%d = {0}", j ? "," : "", i, j);
        fprintf(w->out, ";\n");
    }
}

/* The products of a place q, whose taps are those of `start`. */
static void put_products(struct writer *w, const struct conv_dw *d, int64_t start)
{
    const struct geometry *g = &d->g;
    const char *comma = "";
    int64_t v;
    fprintf(w->out, "%*sV b;\n%*sconst V", 4 * w->indent, "", 4 * w->indent, "");
    for (int j = 0; j < d->columns; j++)
        if (axis_tap(&d->x, start, j % g->S, &v)) {
            fprintf(w->out, "%s x%d = ld(xr + (%lld + %d * q + %lld) * $)", comma, j,
                    (long long)(j / g->S * g->H * g->W), g->stride[1], (long long)(v - g->stride[1] * start));
            comma = ",";
        }
    fprintf(w->out, *comma ? ";\n" : " unused = {0};\n");
    for (int i = 0; i < d->tile; i++) {
        fprintf(w->out, "%*sb = ld(yr + (%lld + q) * $); HOLD(b);", 4 * w->indent, "", (long long)(i * g->P * g->Q));
        for (int j = 0; j < d->columns; j++)
            if (axis_tap(&d->x, start, j % g->S, &v))
                fprintf(w->out, " s%d_%d += b * x%d;", i, j, j);
        fprintf(w->out, "\n");
    }
}

/* Places of one row of y', those with the same taps in one loop. */
static void put_places(struct writer *w, const struct conv_dw *d)
{
    for (int64_t start = 0, count; start < d->g.Q; start += count) {
        count = 1;
        while (start + count < d->g.Q && same_taps(&d->x, start, start + count, 1))
            count++;
        if (count > 1)
            put(w, "for (int q = %lld; q < %lld; q++) {", (long long)start, (long long)(start + count));
        else {
            put(w, "{ enum { q = %lld };", (long long)start);
            w->indent++;
        }
        put_products(w, d, start);
        put(w, "}");
    }
}

/* Rows [p0, p0 + rows) of y' in all input channels and kernel rows of the task, added to `sum`. */
static void put_piece(struct writer *w, const struct stage *s, const struct conv_dw *d)
{
    const struct geometry *g = &d->g;
    put(w, "for (int c = 0; c < %lld; c += %d)", (long long)d->chunk, d->wide);
    put(w, "for (int r = 0; r < %lld; r++) {", (long long)g->R);
    put(w, "const real *x = %s + (block * %lld + group * %lld + c0 + c) * %lld * $ + lane;", name_of(w, s->in[0]),
        (long long)g->C, (long long)d->Cg, (long long)(g->H * g->W));
    put(w, "const real *y = %s + (block * %lld + k) * %lld * $ + lane;", name_of(w, s->in[1]), (long long)g->K,
        (long long)(g->P * g->Q));
    put_zeros(w, d);
    const char *end = region_printf(w->region, "%lld", (long long)g->P);
    if (d->rows < g->P)
        end = region_printf(w->region, "(p0 + %lld < %s ? p0 + %lld : %s)", (long long)d->rows, end, (long long)d->rows,
                            end);
    put(w, "for (int p = p0; p < %s; p++) {", end);
    put(w, "const int h = %d * p + %d * r - %d;", g->stride[0], g->dil[0], g->pad[0]);
    put(w, "if (h < 0 || h >= %lld)", (long long)g->H);
    put(w, "    continue;");
    put(w, "const real *xr = x + h * %lld * $, *yr = y + p * %lld * $;", (long long)g->W, (long long)g->Q);
    put_places(w, d);
    put(w, "}");
    for (int i = 0; i < d->tile; i++)
        for (int j = 0; j < d->columns; j++)
            put(w, "sum[%d][((c + %d) * %lld + r) * %lld + %d] += s%d_%d;", i, j / (int)g->S, (long long)g->R,
                (long long)g->S, j % (int)g->S, i, j);
    put(w, "}");
}

/* One tap: each weight's sum over some blocks in registers, over those in double. Tasks that follow each other have the same input
 * channels, which stay near. */
static void put_few(struct writer *w, const struct stage *s, const struct conv_dw *d)
{
    const struct geometry *g = &d->g;
    const long long places = g->P * g->Q * (ROW_BLOCK / w->lanes),
                    some = FLOAT_SUMS / places < 1 ? 1 : FLOAT_SUMS / places;
    put(w, "for (int64_t task = first; task < last; task++) {");
    put(w, "const int64_t t = task %% %lld, part = task / %lld %% %lld, group = task / %lld;", (long long)d->tiles,
        (long long)d->tiles, (long long)d->chunks, (long long)(d->chunks * d->tiles));
    put(w, "const int64_t k = group * %lld + t * %d, c0 = part * %lld;", (long long)d->Kg, d->tile,
        (long long)d->chunk);
    put(w, "for (int c = 0; c < %lld; c += %d) {", (long long)d->chunk, d->wide);
    put(w, "double sums[%d][%d] = {{0}};", d->tile, d->wide);
    put(w, "for (int64_t from = 0; from < blocks; from += %lld) {", some);
    put_zeros(w, d);
    put(w, "for (int64_t block = from; block < blocks && block < from + %lld; block++)", some);
    put(w, "for (int lane = 0; lane < $; lane += %d)", w->lanes);
    put(w, "for (int p = 0; p < %lld; p++) {", (long long)g->P);
    put(w, "const int h = %d * p - %d;", g->stride[0], g->pad[0]);
    put(w, "if (h < 0 || h >= %lld)", (long long)g->H);
    put(w, "    continue;");
    put(w, "const real *xr = %s + ((block * %lld + group * %lld + c0 + c) * %lld + h * %lld) * $ + lane;",
        name_of(w, s->in[0]), (long long)g->C, (long long)d->Cg, (long long)(g->H * g->W), (long long)g->W);
    put(w, "const real *yr = %s + ((block * %lld + k) * %lld + p * %lld) * $ + lane;", name_of(w, s->in[1]),
        (long long)g->K, (long long)(g->P * g->Q), (long long)g->Q);
    put_places(w, d);
    put(w, "}");
    const bool together = w->lanes == WIDEST && d->tile * d->wide == WIDEST;
    if (together)
        put(w, "real parts[%d] __attribute__((aligned(64)));", WIDEST * WIDEST);
    for (int i = 0; i < d->tile; i++)
        for (int j = 0; j < d->wide; j++)
            if (together)
                put(w, "st(parts + %d, s%d_%d);", WIDEST * (i * d->wide + j), i, j);
            else
                put(w, "sums[%d][%d] += lane_sum(s%d_%d);", i, j, i, j);
    if (together)
        put(w, "lane_sums(parts, *sums);");
    put(w, "}");
    put(w, "for (int i = 0; i < %d; i++)", d->tile);
    put(w, "for (int j = 0; j < %d; j++)", d->wide);
    put(w, "    %s[(k + i) * %lld + c0 + c + j] = (real)sums[i][j];", name_of(w, s->out[0]), (long long)d->Cg);
    put(w, "}");
    put(w, "}");
}

void put_conv_dw_cpu(struct writer *w, const struct stage *s)
{
    const struct conv_dw d = choose_conv_dw(w, s);
    const long long sums = d.chunk * d.g.R * d.g.S;
    open_kernel(w);
    w->blocks_per_task = 0;
    w->splits = (int)(d.g.G * d.tiles * d.chunks);
    if (d.few) {
        put_few(w, s, &d);
        close_kernel(w);
        return;
    }
    put(w, "for (int64_t task = first; task < last; task++) {");
    put(w, "const int64_t part = task %% %lld, t = task / %lld %% %lld, group = task / %lld;", (long long)d.chunks,
        (long long)d.chunks, (long long)d.tiles, (long long)(d.chunks * d.tiles));
    put(w, "const int64_t k = group * %lld + t * %d, c0 = part * %lld;", (long long)d.Kg, d.tile, (long long)d.chunk);
    put(w, "V sum[%d][%lld] = {{{0}}};", d.tile, sums);
    put(w, "double sums[%d][%lld] = {{0}};", d.tile, sums);
    put(w, "int pieces = 0;");
    put(w, "for (int64_t block = 0; block < blocks; block++)");
    put(w, "for (int lane = 0; lane < $; lane += %d)", w->lanes);
    put(w, "for (int p0 = 0; p0 < %lld; p0 += %lld) {", (long long)d.g.P, (long long)d.rows);
    put_piece(w, s, &d);
    put(w, "if (++pieces < %d)", MAX_PIECES);
    put(w, "    continue;");
    put(w, "for (int i = 0; i < %d; i++)", d.tile);
    put(w, "for (int j = 0; j < %lld; j++) {", sums);
    put(w, "sums[i][j] += lane_sum(sum[i][j]);");
    put(w, "sum[i][j] = (V){0};");
    put(w, "}");
    put(w, "pieces = 0;");
    put(w, "}");
    put(w, "for (int i = 0; i < %d; i++)", d.tile);
    put(w, "for (int j = 0; j < %lld; j++)", sums);
    put(w, "    %s[((k + i) * %lld + c0) * %lld + j] = (real)(sums[i][j] + lane_sum(sum[i][j]));",
        name_of(w, s->out[0]), (long long)d.Cg, (long long)(d.g.R * d.g.S));
    put(w, "}");
    close_kernel(w);
}

/* ---- fully connected layer: lanes are input features, one sample after the other ---- */

enum { MAX_SPANS = 64 };

struct linear_dw {
    int64_t C, K, stride, tiles;
    int tile, width;       /* outputs and input features of a tile */
    int spans, tail, rest; /* whole widths in C, and what is left of C and of K */
};

static struct linear_dw choose_linear_dw(const struct writer *w, const struct stage *s)
{
    struct linear_dw d = {.C = tensor_of(w, s->in[0])->dim[0], .K = tensor_of(w, s->in[1])->dim[0], .tile = 1};
    const int registers = registers_of(w);
    const int vectors = (int)least(w->lanes == WIDEST ? 4 : 3, groups_of(d.C, w->lanes));
    while (d.tile < 8 && d.tile < d.K && (d.tile + 1) * vectors + vectors + 1 <= registers)
        d.tile++;
    d.stride = row_elements(tensor_of(w, s->in[0]));
    d.width = vectors * w->lanes;
    d.spans = (int)(d.C / d.width);
    d.tail = (int)(d.C % d.width);
    d.rest = (int)(d.K % d.tile);
    d.tiles = groups_of(d.K, d.tile);
    return d;
}

/* Vectors that cover `columns`: whole ones, then halves. Returns how many. */
static int cover(int lanes, int columns, int *span, int *at)
{
    int count = 0;
    for (int c = 0, wide = lanes; c < columns; c += span[count++]) {
        while (wide > 1 && c + wide > columns)
            wide /= 2;
        if (wide == 2)
            wide = 1;
        at[count] = c;
        span[count] = wide;
    }
    return count;
}

/* The function of a tile of n outputs x `columns` features. */
static void put_linear_tile(struct writer *w, const struct linear_dw *d, int n, int columns)
{
    int span[MAX_SPANS], at[MAX_SPANS], count = cover(w->lanes, columns, span, at);
    put(w,
        "static void @_tile%dx%d(const real *restrict x, const real *restrict y, const int64_t samples, real *restrict out, "
        "const int64_t step)",
        n, columns);
    put(w, "{");
    for (int i = 0; i < n; i++)
        for (int j = 0; j < count; j++)
            put(w, "V%d s%d_%d = {0};", span[j], i, j);
    put(w, "for (int64_t m = 0; m < samples; m++) {");
    put(w, "const real *xr = x + m * %lld, *yr = y + m / $ * %lld + m %% $;", (long long)d->stride,
        (long long)d->K * ROW_BLOCK);
    for (int j = 0; j < count; j++)
        put(w, "const V%d x%d = *(const V%du *)(xr + %d);", span[j], j, span[j], at[j]);
    for (int i = 0; i < n; i++) {
        fprintf(w->out, "%*s{ const real a = yr[%d];", 4 * w->indent, "", i * ROW_BLOCK);
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

/* The calls for tiles of n outputs, as many as `tiles` says, from output k on. */
static void put_linear_calls(struct writer *w, const struct stage *s, const struct linear_dw *d, int n,
                             const char *tiles, const char *k)
{
    const char *x = name_of(w, s->in[0]), *y = name_of(w, s->in[1]), *out = name_of(w, s->out[0]);
    const long long stride = d->stride, K = d->K, C = d->C;
    if (d->spans) {
        put(w, "for (int c = 0; c < %d; c += %d)", d->spans * d->width, d->width);
        put(w,
            "    sum_pieces(@_tile%dx%d, %d, %d, %s, %s + c, %lld, %s + %s * $, %lld, samples, %s + %s * %lld + c, %lld);",
            n, d->width, n, d->width, tiles, x, stride, y, k, K, out, k, C, C);
    }
    if (d->tail)
        put(w,
            "sum_pieces(@_tile%dx%d, %d, %d, %s, %s + %d, %lld, %s + %s * $, %lld, samples, %s + %s * %lld + %d, %lld);",
            n, d->tail, n, d->tail, tiles, x, d->spans * d->width, stride, y, k, K, out, k, C, d->spans * d->width, C);
}

void put_linear_dw_cpu(struct writer *w, const struct stage *s)
{
    const struct linear_dw d = choose_linear_dw(w, s);
    const int outputs[2] = {d.K < d.tile ? 0 : d.tile, d.rest}, features[2] = {d.spans ? d.width : 0, d.tail};
    for (int z = 0; z < 4; z++) /* whole and last tile x whole and last span */
        if (outputs[z / 2] && features[z % 2])
            put_linear_tile(w, &d, outputs[z / 2], features[z % 2]);
    open_kernel(w);
    w->blocks_per_task = 0;
    w->splits = (int)d.tiles;
    put(w, "const int64_t samples = a->control[%d];", CTL_ROWS);
    const long long whole = d.K / d.tile;
    if (outputs[0]) {
        put(w, "const int64_t end = last < %lld ? last : %lld;", whole, whole);
        put_linear_calls(w, s, &d, outputs[0], "end - first", region_printf(w->region, "first * %d", d.tile));
    }
    if (outputs[1]) {
        put(w, "if (last > %lld) {", whole);
        put_linear_calls(w, s, &d, outputs[1], "1", region_printf(w->region, "%lld", whole * d.tile));
        put(w, "}");
    }
    close_kernel(w);
}
