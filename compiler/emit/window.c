/* window.c: one window, of values in memory or in the registers of a tile. */
#include "window.h"

enum { R = WINDOW_R, S = WINDOW_S, SH = WINDOW_SH, PH = WINDOW_PH, PW = WINDOW_PW, H = WINDOW_H, W = WINDOW_W };

static void put_result(struct writer *w, const struct stage *s, const char *block, const char *e)
{
    for (int o = 0; o < s->nout; o++)
        if (is_stored(w, s->out[o])) {
            enum dtype d = tensor_of(w, s->out[o])->dtype;
            const char *place = place_of(w, s->out[o], block, e);
            put(w, "%s(%s, v%d);", d == DT_F32 ? "st" : d == DT_U8 ? "st_u8" : "st_i32", place, var_of(w, s->out[o]));
        }
}

/* A mean of so many values that their sum keeps what rounding takes. */
static bool is_large(const struct stage *s)
{
    return s->nout == 1 && s->attr[R] * s->attr[S] > 64;
}

double window_places(const double *a, const struct tensor *x, const struct tensor *y)
{
    double places = 1;
    for (int axis = 0; axis < 2; axis++) {
        int64_t n = 0;
        for (int64_t p = 0; p < y->dim[1 + axis]; p++)
            for (int64_t r = 0; r < (int64_t)a[R + axis]; r++) {
                const int64_t h = p * (int64_t)a[SH + axis] - (int64_t)a[PH + axis] + r;
                n += h >= 0 && h < x->dim[1 + axis];
            }
        places *= (double)n;
    }
    return places;
}

void open_window(struct writer *w, const struct stage *s, bool guarded)
{
    const double *a = s->attr;
    const bool max = s->nout == 2;
    const int y = var_of(w, s->out[0]);
    if (is_large(s))
        put(w, "struct sum sum%d = {};", y);
    put(w, "V v%d = num(%s);", y, max ? "-INFINITE" : "0");
    if (max && is_stored(w, s->out[1]))
        put(w, "M v%d = {0};", var_of(w, s->out[1]));
    const char *unroll = guarded ? "" : "UNROLL "; /* in a tile: its places are registers */
    put(w, "%sfor (int r = 0; r < %d; r++)", unroll, (int)a[R]);
    put(w, "%sfor (int s = 0; s < %d; s++) {", unroll, (int)a[S]);
    if (guarded && (a[PH] > 0 || a[PW] > 0)) {
        const struct tensor *in = tensor_of(w, s->in[0]), *out = tensor_of(w, s->out[0]);
        put_times(w, window_places(a, in, out) / (a[R] * a[S] * (double)(out->dim[1] * out->dim[2])), 1);
        put(w, "if (h0 + r < 0 || h0 + r >= H || w0 + s < 0 || w0 + s >= W)");
        put(w, "    continue;");
    }
}

void close_window(struct writer *w, const struct stage *s, const char *block, const char *e, const char *value)
{
    const double *a = s->attr;
    const bool max = s->nout == 2, large = is_large(s);
    const int y = var_of(w, s->out[0]);
    put(w, "const V x = %s;", value);
    if (max) {
        put(w, "const M wins = (x > v%d) | (x != x);", y);
        put(w, "v%d = sel(wins, x, v%d);", y, y);
        if (is_stored(w, s->out[1]))
            put(w, "v%d = pick(wins, r * %d + s, v%d);", var_of(w, s->out[1]), (int)a[S], var_of(w, s->out[1]));
    } else if (large)
        put(w, "sum_add(&sum%d, x);", y);
    else
        put(w, "v%d += x;", y);
    if (large) {
        put(w, "if (s %% 256 == 0)");
        put(w, "    sum_settle(&sum%d);", y);
    }
    put(w, "}");
    if (large)
        put(w, "v%d = sum_of(&sum%d) / num(%.17g);", y, y, a[R] * a[S]);
    else if (!max)
        put(w, "v%d *= num(%.17g);", y, 1 / (a[R] * a[S]));
    put_result(w, s, block, e);
}

void put_window(struct writer *w, const struct stage *s, const char *block, const char *e, const char *tile,
                bool guarded)
{
    open_window(w, s, guarded);
    close_window(w, s, block, e, tile);
}

void put_scatter(struct writer *w, const struct stage *s, const char *block, const char *c, const char *p,
                 const char *q)
{
    const double *a = s->attr;
    const struct tensor *y = tensor_of(w, s->in[0]);
    const char *e =
        region_printf(w->region, "((%s * %lld + %s) * %lld + %s)", c, (long long)y->dim[1], p, (long long)y->dim[2], q);
    const char *value = var_of(w, s->in[0]) < 0 ? "y" : region_printf(w->region, "v%d", var_of(w, s->in[0]));
    const char *share = region_printf(w->region, "%s * num(%.17g)", value, 1 / (a[R] * a[S]));
    if (s->nin == 2) {
        put(w, "const M winner = %s(%s);", place_type(a) == DT_U8 ? "ld_u8" : "ld_i32",
            place_of(w, s->in[1], block, e));
        share = region_printf(w->region, "sel(winner == r * %d + s, %s, num(0))", (int)a[S], value);
    }
    put(w, "for (int r = 0; r < %d; r++)", (int)a[R]);
    put(w, "for (int s = 0; s < %d; s++)", (int)a[S]);
    put(w, "    st(%s, %s);",
        place_of(w, s->out[0], block,
                 region_printf(w->region, "((%s * %d + %s * %d + r) * %d + %s * %d + s)", c, (int)a[H], p, (int)a[R],
                               (int)a[W], q, (int)a[S])),
        share);
}
