/* contract_plain.c: contractions as the loops that they mean, an output at a time: the reference of all other bodies, and what is
 * taken where their tiles would be too large. */
#include "contract.h"

/* "2 * p + r - 1": a p + b t + c. */
static const char *affine(struct writer *w, int a, const char *p, int b, const char *t, int c)
{
    const char *first = a == 1 ? p : region_printf(w->region, "%d * %s", a, p);
    const char *second = b == 1 ? region_printf(w->region, " + %s", t)
                                : region_printf(w->region, " %c %d * %s", b < 0 ? '-' : '+', b < 0 ? -b : b, t);
    return region_printf(w->region, c ? "%s%s %c %d" : "%s%s", first, second, c < 0 ? '-' : '+', c < 0 ? -c : c);
}

/* y' at (h, w) of its P x Q places, behind a max-pool: the pooled gradient, if it is there that the window's winner lies. */
static const char *through_winners(struct writer *w, const struct stage *s, const char *channel, int64_t P, int64_t Q)
{
    const struct tensor *pooled = tensor_of(w, s->in[0]);
    const long long rows = pooled->dim[1], columns = pooled->dim[2], r = P / rows, t = Q / columns;
    const char *e =
        region_printf(w->region, "((%s * %lld + h / %lld) * %lld + w / %lld)", channel, rows, r, columns, t);
    return region_printf(w->region, "sel(ld_u8(%s) == h %% %lld * %lld + w %% %lld, ld(%s), num(0))",
                         place_of(w, s->in[2], "block", e), r, t, t, place_of(w, s->in[0], "block", e));
}

/* The output of channel k at place (p, q), and the maps behind it up to the window. */
static void put_output(struct writer *w, const struct stage *s, const struct contraction *c, int window)
{
    const struct axis *y = &c->y, *x = &c->x;
    const char *e = region_printf(w->region, "((k * %lld + p) * %lld + q)", (long long)y->out, (long long)x->out);
    const char *channel = "d";
    if (c->groups == 1)
        put(w, "const real *weight = %s + k * %lld;", name_of(w, s->in[1]), (long long)c->w_out);
    else {
        put(w, "const int64_t group = k / %lld;", (long long)c->outs);
        put(w, "const real *weight = %s + group * %lld + k %% %lld * %lld;", name_of(w, s->in[1]),
            (long long)c->w_group, (long long)c->outs, (long long)c->w_out);
        channel = region_printf(w->region, "(group * %lld + d)", (long long)c->depth);
    }
    put(w, "V sum = %s;", c->bias < 0 ? "num(0)" : read_of(w, c->bias, NULL, NULL, "k"));
    put(w, "for (int64_t d = 0; d < %lld; d++)", (long long)c->depth);
    put(w, "for (int r = 0; r < %lld; r++)", (long long)y->taps);
    put(w, "for (int s = 0; s < %lld; s++) {", (long long)x->taps);
    put(w, "int h = %s, w = %s;", affine(w, y->a, "p", y->b, "r", y->c), affine(w, x->a, "q", x->b, "s", x->c));
    put_times(w, taps_inside(y) * taps_inside(x), 1);
    if (y->d > 1 || x->d > 1) {
        put(w, "if (h %% %d || w %% %d)", y->d, x->d);
        put(w, "    continue;");
        put(w, "h /= %d;", y->d);
        put(w, "w /= %d;", x->d);
        put_times(w, 1, 1); /* those outside are among the others already */
    }
    put(w, "if (h < 0 || h >= %lld || w < 0 || w >= %lld)", (long long)y->source, (long long)x->source);
    put(w, "    continue;");
    const char *from =
        region_printf(w->region, "((%s * %lld + h) * %lld + w)", channel, (long long)y->source, (long long)x->source);
    const char *source = s->nin == 3 ? through_winners(w, s, channel, y->source, x->source)
                                     : region_printf(w->region, "ld(%s)", place_of(w, s->in[0], "block", from));
    put(w, "sum += weight[d * %lld + r * %lld + s] * %s;", (long long)c->w_depth, (long long)x->taps, source);
    put(w, "}");
    put(w, "const V v%d = sum;", var_of(w, c->result));
    if (is_stored(w, c->result))
        put(w, "st(%s, v%d);", place_of(w, c->result, "block", e), var_of(w, c->result));
    put_maps(w, c->next, window, "block", e, "k");
}

void put_contraction_plain(struct writer *w, const struct stage *s)
{
    const struct contraction c = contraction_of(w, s);
    const struct stage *pool = window_behind(w, s);
    const bool scattered = pool && pool->op->form == FORM_SCATTER;
    const int window = maps_end(w, c.next);
    open_kernel(w);
    if (pool && !scattered) {
        const struct tensor *y = tensor_of(w, pool->out[0]);
        const char *e =
            region_printf(w->region, "((c * %lld + p0) * %lld + q0)", (long long)y->dim[1], (long long)y->dim[2]);
        open_image(w, c.outs * c.groups, y->dim[1], y->dim[2]);
        put(w, "const int64_t k = c;");
        put(w, "const int p0 = p, q0 = q;");
        open_window(w, pool, true);
        put(w, "const int p = p0 * %d + r, q = q0 * %d + s;", (int)pool->attr[WINDOW_R], (int)pool->attr[WINDOW_S]);
        put_output(w, s, &c, window);
        close_window(w, pool, "block", e, region_printf(w->region, "v%d", var_of(w, pool->in[0])));
        put_maps(w, window + 1, w->kernel->nstage, "block", e, "k");
    } else {
        open_image(w, c.outs * c.groups, c.y.out, c.x.out);
        put(w, "const int64_t k = c;");
        put_output(w, s, &c, window);
        if (scattered)
            put_scatter(w, pool, "block", "k", "p", "q");
    }
    close_elements(w);
    close_kernel(w);
}

enum { MOST_TASKS = 64 };

/* w'[k][c][r][s] = sum m,p,q y'[m][k][p][q] x[m][c][h][w], in double. */
void put_conv_dw_plain(struct writer *w, const struct stage *s)
{
    const struct geometry g = geometry_of(w, s);
    const int64_t taps = g.R * g.S, n = g.K * (g.C / g.G) * taps;
    open_kernel(w);
    open_values(w, "e", n, (int)least(n, MOST_TASKS));
    put(w, "const int64_t k = e / %lld, c = %se / %lld %% %lld;", (long long)(g.C / g.G * taps),
        g.G == 1 ? "" : region_printf(w->region, "k / %lld * %lld + ", (long long)(g.K / g.G), (long long)(g.C / g.G)),
        (long long)taps, (long long)(g.C / g.G));
    put(w, "const int r = (int)(e / %lld %% %lld), s = (int)(e %% %lld);", (long long)g.S, (long long)g.R,
        (long long)g.S);
    put(w, "double sum = 0;");
    put(w, "for (int64_t m = 0; m < a->control[%d]; m++)", CTL_ROWS);
    put(w, "for (int p = 0; p < %lld; p++)", (long long)g.P);
    put(w, "for (int q = 0; q < %lld; q++) {", (long long)g.Q);
    put(w, "const int h = %s, w = %s;", affine(w, g.stride[0], "p", g.dil[0], "r", -g.pad[0]),
        affine(w, g.stride[1], "q", g.dil[1], "s", -g.pad[1]));
    put_times(w, geometry_inside(&g), 1);
    put(w, "if (h < 0 || h >= %lld || w < 0 || w >= %lld)", (long long)g.H, (long long)g.W);
    put(w, "    continue;");
    if (s->nin == 3) {
        const struct tensor *pooled = tensor_of(w, s->in[1]);
        const long long rows = pooled->dim[1], columns = pooled->dim[2], height = g.P / rows, width = g.Q / columns;
        const char *at =
            region_printf(w->region, "(k * %lld + p / %lld) * %lld + q / %lld", rows, height, columns, width);
        put(w, "const real y = %s == p %% %lld * %lld + q %% %lld ? %s : 0;", row_value(w, s->in[2], "m", at), height,
            width, width, row_value(w, s->in[1], "m", at));
    } else
        put(w, "const real y = %s;",
            row_value(w, s->in[1], "m",
                      region_printf(w->region, "(k * %lld + p) * %lld + q", (long long)g.P, (long long)g.Q)));
    put(w, "const real x = %s;",
        row_value(w, s->in[0], "m",
                  region_printf(w->region, "(c * %lld + h) * %lld + w", (long long)g.H, (long long)g.W)));
    put(w, "sum += (double)y * x;");
    put(w, "}");
    put(w, "%s[e] = (real)sum;", name_of(w, s->out[0]));
    put(w, "}");
    close_kernel(w);
}

/* w'[k][c] = sum m y'[m][k] x[m][c], in double. */
void put_linear_dw_plain(struct writer *w, const struct stage *s)
{
    const int64_t C = tensor_of(w, s->in[0])->dim[0], K = tensor_of(w, s->in[1])->dim[0];
    open_kernel(w);
    open_values(w, "e", K * C, (int)least(K * C, MOST_TASKS));
    put(w, "const int64_t k = e / %lld, c = e %% %lld;", (long long)C, (long long)C);
    put(w, "double sum = 0;");
    put(w, "for (int64_t m = 0; m < a->control[%d]; m++)", CTL_ROWS);
    put(w, "    sum += (double)%s * %s;", row_value(w, s->in[1], "m", "k"), row_value(w, s->in[0], "m", "c"));
    put(w, "%s[e] = (real)sum;", name_of(w, s->out[0]));
    put(w, "}");
    close_kernel(w);
}
