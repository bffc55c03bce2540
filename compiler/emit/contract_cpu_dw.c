/* contract_cpu_dw.c: gradients of weights as C. Of a convolution lanes are samples, which are summed at the end; of a fully
 * connected layer they are input features. */
#include "contract.h"

enum { MAX_PIECES = 64 };                              /* that meet in float */

/* Weight gradient of a convolution: a tile of output channels x (input channels, taps of one kernel row), its sums over
 * some rows of a block in registers, over the next pieces in `sum`, over lanes and all pieces in double. Tasks own their
 * part of w'. */
void put_conv_dw_cpu(struct writer *w, const struct stage *s)
{
    const struct geometry g = geometry_of(w, s);
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
        while (start + count < g.Q && same_taps(&ax, start, start + count, 1))
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
            if (axis_tap(&ax, start, j % g.S, &v)) {
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
                if (axis_tap(&ax, start, j % g.S, &v))
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
void put_linear_dw_cpu(struct writer *w, const struct stage *s)
{
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
