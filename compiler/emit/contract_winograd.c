/* contract_winograd.c: convolutions of 3 x 3 and stride 1, and their dx, by F(2 x 2, 3 x 3) of Lavin & Gray, "Fast algorithms for
 * convolutional neural networks", 2015: a patch of 2 x 2 results takes 16 products a channel instead of 36, of the 4 x 4 places that
 * it reads and of the 3 x 3 weights, both transformed by additions. */
#include "contract.h"

enum {
    PLACES = 4 * 4,        /* that a patch of 2 x 2 results reads */
    PLACE_OF_ALL = 4 + 1,  /* a part of all four results: their sums start from a bias there, as contract.c wants it */
    MOST_TURNED = 1 << 20, /* bytes on the stack: of two rows of patches, which are to stay in the second cache, */
    MOST_WEIGHTS = 1 << 20 /* and of the weights */
};

struct winograd {
    struct contraction c;
    int64_t patches, depth; /* of two rows of results; channels that are read */
    int64_t tiles;          /* of output channels */
    int y0, x0;             /* where the patch of output (0, 0) begins in the source */
};

static bool is_plain_axis(const struct axis *a)
{
    return a->taps == 3 && a->d == 1 && a->a == 1 && (a->b == 1 || a->b == -1);
}

static struct winograd winograd_of(const struct writer *w, const struct stage *s)
{
    struct winograd g = {.c = contraction_of(w, s)};
    const struct axis *y = &g.c.y, *x = &g.c.x;
    g.patches = groups_of(x->out, 2);
    g.depth = g.c.depth;
    choose_tile_cpu(w, &g.c, g.patches, 14);
    g.tiles = groups_of(g.c.outs, g.c.tile);
    g.y0 = y->b > 0 ? y->c : y->c - 2;
    g.x0 = x->b > 0 ? x->c : x->c - 2;
    return g;
}

bool is_winograd(const struct writer *w, const struct stage *s)
{
    if (is_flat(w, s))
        return false;
    const struct winograd g = winograd_of(w, s);
    const struct stage *window = window_behind(w, s);
    return is_plain_axis(&g.c.y) && is_plain_axis(&g.c.x) && g.c.groups == 1 &&
           (!window || window->op->form == FORM_SCATTER || window->attr[WINDOW_R] == 2) &&
           PLACES * g.depth * g.patches <= MOST_TURNED / (ROW_BLOCK * 4) &&
           g.c.outs * g.depth <= MOST_WEIGHTS / (PLACES * 4);
}

/* Of n output channels, whose weights lie as the products read them: u[place][channel out][channel in]. */
static void put_weights_function(struct writer *w, const struct winograd *g)
{
    const struct contraction *c = &g->c;
    put(w, "static void @_weights(const real *restrict weight, const int n, real *restrict u)");
    put(w, "{");
    put(w, "for (int i = 0; i < n; i++)");
    put(w, "for (int d = 0; d < %lld; d++) {", (long long)g->depth);
    put(w, "const real *g = weight + i * %lld + d * %lld;", (long long)c->w_out, (long long)c->w_depth);
    put(w, "real t[4][3];");
    put(w, "for (int s = 0; s < 3; s++) {");
    const int first = c->y.b > 0 ? 0 : 6, step = c->y.b > 0 ? 3 : -3;
    put(w, "const real a = g[%d + %s], b = g[3 + %s], c = g[%d + %s];", first, c->x.b > 0 ? "s" : "2 - s",
        c->x.b > 0 ? "s" : "2 - s", first + 2 * step, c->x.b > 0 ? "s" : "2 - s");
    put(w, "t[0][s] = a, t[1][s] = (a + b + c) / 2, t[2][s] = (a - b + c) / 2, t[3][s] = c;");
    put(w, "}");
    put(w, "for (int r = 0; r < 4; r++) {");
    put(w, "real *to = u + (r * 4 * %d + i) * %lld + d;", c->tile, (long long)g->depth);
    put(w, "const real a = t[r][0], b = t[r][1], c = t[r][2];");
    const char *const of[] = {"a", "(a + b + c) / 2", "(a - b + c) / 2", "c"};
    for (int k = 0; k < 4; k++)
        put(w, "to[%lld] = %s;", (long long)(k * c->tile * g->depth), of[k]);
    put(w, "}");
    put(w, "}");
    put(w, "}");
    fprintf(w->out, "\n");
}

/* A patch of x at column h0 of the four rows, those that lie outside 0. */
static void put_patch(struct writer *w, const struct winograd *g, int64_t patch, bool loop)
{
    const int64_t W = g->c.x.source;
    for (int r = 0; r < 4; r++) {
        fprintf(w->out, "%*sconst V", 4 * w->indent, "");
        for (int s = 0; s < 4; s++) {
            const int64_t at = 2 * patch + g->x0 + s;
            if (!loop && (at < 0 || at >= W))
                fprintf(w->out, "%s d%d%d = {0}", s ? "," : "", r, s);
            else if (loop)
                fprintf(w->out, "%s d%d%d = ld(x%d + (2 * t + %d) * $)", s ? "," : "", r, s, r, g->x0 + s);
            else
                fprintf(w->out, "%s d%d%d = ld(x%d + %lld * $)", s ? "," : "", r, s, r, (long long)at);
        }
        fprintf(w->out, ";\n");
        put(w, "const V e%d0 = d%d0 - d%d2, e%d1 = d%d1 + d%d2, e%d2 = d%d2 - d%d1, e%d3 = d%d1 - d%d3;", r, r, r, r, r,
            r, r, r, r, r, r, r);
    }
    const char *t = loop ? "t" : region_printf(w->region, "%lld", (long long)patch);
    const long long step = g->depth * g->patches;
    for (int s = 0; s < 4; s++) {
        static const char *const of[] = {"e0%d - e2%d", "e1%d + e2%d", "e2%d - e1%d", "e1%d - e3%d"};
        for (int r = 0; r < 4; r++) {
            fprintf(w->out, "%*sv[%lld + %s] = ", 4 * w->indent, "", (4 * r + s) * step, t);
            fprintf(w->out, of[r], s, s);
            fprintf(w->out, ";\n");
        }
    }
}

/* The patches of rows p and p + 1 in all channels: v[place][channel in][patch]. */
static void put_turn_function(struct writer *w, const struct winograd *g)
{
    const int64_t H = g->c.y.source, W = g->c.x.source;
    int64_t from = 0, to = g->patches;
    while (from < to && 2 * from + g->x0 < 0)
        from++;
    while (to > from && 2 * (to - 1) + g->x0 + 3 >= W)
        to--;
    put(w, "static void @_turn(const real *restrict x, const int p, V *restrict v)");
    put(w, "{");
    put(w, "static const V outside[%lld * $ / LANES];", (long long)W);
    for (int r = 0; r < 4; r++)
        put(w, "const int h%d = p %+d;", r, g->y0 + r);
    put(w, "for (int c = 0; c < %lld; c++, x += %lld, v += %lld) {", (long long)g->depth,
        (long long)(H * W) * ROW_BLOCK, (long long)g->patches);
    for (int r = 0; r < 4; r++)
        put(w, "const real *const x%d = h%d < 0 || h%d >= %lld ? (const real *)outside : x + h%d * %lld * $;", r, r, r,
            (long long)H, r, (long long)W);
    for (int64_t t = 0; t < g->patches; t++) {
        if (t == from && to > from) {
            put(w, "for (int t = %lld; t < %lld; t++) {", (long long)from, (long long)to);
            put_patch(w, g, 0, true);
            t = to - 1;
        } else {
            put(w, "{");
            put_patch(w, g, t, false);
        }
        put(w, "}");
    }
    put(w, "}");
    put(w, "}");
    fprintf(w->out, "\n");
}

/* The products of n patches for `tile` channels, turned back to two rows of `tile` x Q results. */
static void put_product_function(struct writer *w, const struct winograd *g, int tile, int n)
{
    const struct contraction *c = &g->c;
    const long long depth = g->depth;
    put(w,
        "static void @_products%dx%d(const V *restrict v, const real *restrict u, %sconst int last, V *restrict tile)",
        tile, n, bias_parameter(c));
    put(w, "{");
    put(w, "V m[%d][%d][%d];", PLACES, tile, n);
    put(w, "for (int place = 0; place < %d; place++, u += %lld) {", PLACES, c->tile * depth);
    for (int i = 0; i < tile; i++)
        for (int j = 0; j < n; j++)
            put(w, c->bias < 0 ? "V s%d_%d = {0};" : "V s%d_%d = place == %d ? vec(bias[%d]) : (V){0};", i, j,
                PLACE_OF_ALL, i);
    put(w, "for (int d = 0; d < %lld; d++, v += %lld) {", depth, (long long)g->patches);
    put_outer_product(w, (struct factors){tile, "u[", depth, " + d]"}, (struct factors){n, "v[", 1, "]"});
    put(w, "}");
    for (int i = 0; i < tile; i++)
        for (int j = 0; j < n; j++)
            put(w, "m[place][%d][%d] = s%d_%d;", i, j, i, j);
    put(w, "}");
    put(w, "for (int i = 0; i < %d; i++)", tile);
    put(w, "for (int j = 0; j < %d; j++) {", n);
    for (int r = 0; r < 4; r++)
        put(w, "const V a%d = m[%d][i][j] + m[%d][i][j] + m[%d][i][j], b%d = m[%d][i][j] - m[%d][i][j] - m[%d][i][j];",
            r, 4 * r, 4 * r + 1, 4 * r + 2, r, 4 * r + 1, 4 * r + 2, 4 * r + 3);
    put(w, "V *to = tile + i * %lld + 2 * j;", (long long)(2 * c->x.out));
    put(w, "to[0] = a0 + a1 + a2, to[%lld] = a1 - a2 - a3;", (long long)c->x.out);
    if (c->x.out % 2)
        put(w, "if (j < last)");
    put(w, "%sto[1] = b0 + b1 + b2, to[%lld] = b1 - b2 - b3;", c->x.out % 2 ? "    " : "", (long long)(c->x.out + 1));
    put(w, "}");
    if (c->x.out % 2 == 0)
        put(w, "(void)last;");
    put(w, "}");
    fprintf(w->out, "\n");
}

void put_winograd_cpu(struct writer *w, const struct stage *s)
{
    const struct winograd at = winograd_of(w, s), *g = &at;
    const struct contraction *c = &g->c;
    const int rest = (int)(c->outs % c->tile), size[2] = {c->tile, rest},
              columns[2] = {c->columns, (int)(g->patches % c->columns)};
    const struct stage *window = window_behind(w, s);
    /* A window drops the last row of an odd number. */
    const long long pairs = window && window->op->form == FORM_POOL ? c->y.out / 2 : groups_of(c->y.out, 2);
    const int splits = pairs < 4 ? (int)pairs : 4;
    const char *channels =
        rest ? region_printf(w->region, "(t < %lld ? %d : %d)", (long long)g->tiles - 1, c->tile, rest)
             : region_printf(w->region, "%d", c->tile);
    const long long all = g->tiles, T = g->patches, Q = c->x.out, plane = c->y.source * c->x.source;
    put_weights_function(w, g);
    put_turn_function(w, g);
    for (int z = 0; z < 4; z++)
        if (size[z / 2] && columns[z % 2] && (z / 2 == 1 || c->outs >= c->tile))
            put_product_function(w, g, size[z / 2], columns[z % 2]);
    open_kernel(w);
    const long long weights = PLACES * c->tile * g->depth;
    put(w, "real u[%lld];", all * weights);
    put(w, "for (int t = 0; t < %lld; t++)", all);
    put(w, "    @_weights(%s + t * %lld, %s, u + t * %lld);", name_of(w, s->in[1]), c->tile * (long long)c->w_out,
        channels, weights);
    open_tasks(w, 1, splits);
    put(w, "V v[%lld], tile[%lld];", PLACES * g->depth * T, 2 * c->tile * Q);
    put(w, "for (int64_t pair = part * %lld / %d; pair < (part + 1) * %lld / %d; pair++) {", pairs, splits, pairs,
        splits);
    put(w, "const int p = 2 * (int)pair;");
    put(w, "@_turn(%s + block * %lld * $ + lane, p, v);", name_of(w, s->in[0]), g->depth * plane);
    put(w, "for (int t = 0; t < %lld; t++) {", all);
    put(w, "const int k = t * %d, n = %s;", c->tile, channels);
    for (int64_t from = 0; from < T; from += c->columns) {
        const int n = (int)least(c->columns, T - from);
        const char *of = region_printf(w->region, "(v + %lld, u + t * %lld, %s%lld, tile + %lld)", (long long)from,
                                       weights, bias_argument(w, c), T - 1 - from, (long long)(2 * from));
        if (rest && c->outs >= c->tile)
            put(w, "(n == %d ? @_products%dx%d : @_products%dx%d)%s;", c->tile, c->tile, n, rest, n, of);
        else
            put(w, "@_products%dx%d%s;", rest ? rest : c->tile, n, of);
    }
    put_epilogue(w, c, 2, "p");
    put(w, "}");
    put(w, "}");
    close_tasks(w);
    close_kernel(w);
}
