/* winners.c: what the gradients from the winners of a max-pool share, and what they cost. */
#include "winners.h"

#include <math.h>

enum {
    MOST_IMAGE = 1 << 20,   /* bytes of a block's images, on the stack, */
    MOST_WEIGHTS = 1 << 19, /* of the weights or sums that meet them, */
    MOST_VALUES = 1 << 17   /* and of the gradients that are turned at a time */
};

/* The power of two from 4 to `most` that holds n, or `most`. */
static int vector_of(int64_t n, int most)
{
    int v = 4;
    while (v < n && v < most)
        v *= 2;
    return v;
}

/* A tap is one vector or several, and all begin at multiples of one: what was just stored is loaded as it was stored. An image of few
 * channels that is only read has vectors of several taps instead. */
static bool winners_of(const struct writer *w, const struct geometry *g, const int64_t *pooled, bool read_only,
                       struct winners *v)
{
    const bool few = read_only && g->C < 4;
    *v = (struct winners){.g = *g, .rows = pooled[1], .columns = pooled[2], .at_once = registers_of(w) - 1};
    v->window[0] = (int)(g->P / v->rows);
    v->window[1] = (int)(g->Q / v->columns);
    v->chunk = few ? g->C : vector_of(g->C, ROW_BLOCK);
    v->chunks = groups_of(g->C, v->chunk);
    v->height = g->H + 2 * g->pad[0];
    v->width = g->W + 2 * g->pad[1];
    /* One vector more, into which the last turn may reach, and so that samples are at different places of a cache. */
    v->step = groups_of(v->height * v->width * v->chunk, ROW_BLOCK) * ROW_BLOCK + ROW_BLOCK;
    v->vector = vector_of(few ? g->S * v->chunk : v->chunk, w->lanes < 4 ? 4 : w->lanes);
    v->wide = groups_of(g->S * v->chunk, v->vector) * v->vector;
    v->vectors = (int)(g->R * (v->wide / v->vector));
    return g->G == 1 && g->dil[1] == 1 && v->step * ROW_BLOCK <= MOST_IMAGE / 4 &&
           v->wide * g->R * g->K <= MOST_WEIGHTS / 4 && v->rows * v->columns <= MOST_VALUES / (ROW_BLOCK * 4);
}

bool dw_winners_of(const struct writer *w, const struct stage *s, struct winners *v)
{
    const struct geometry g = geometry_of(w, s);
    return winners_of(w, &g, tensor_of(w, s->in[1])->dim, true, v);
}

bool dx_winners_of(const struct writer *w, const struct stage *s, struct winners *v)
{
    const struct contraction c = contraction_of(w, s);
    const struct axis *y = &c.y, *x = &c.x;
    const struct geometry g = {.G = c.groups,
                               .C = c.outs * c.groups,
                               .K = c.depth * c.groups,
                               .H = y->out,
                               .W = x->out,
                               .P = y->source,
                               .Q = x->source,
                               .R = y->taps,
                               .S = x->taps,
                               .stride = {y->d, x->d},
                               .pad = {y->c, x->c},
                               .dil = {-y->b, -x->b}};
    return winners_of(w, &g, tensor_of(w, s->in[0])->dim, false, v);
}

bool is_dw_winners(const struct writer *w, const struct stage *s)
{
    struct winners v;
    return dw_winners_of(w, s, &v);
}

/* A pool behind it, which only a stranger's plan has, wants whole windows at a time. */
bool is_dx_winners(const struct writer *w, const struct stage *s)
{
    const struct stage *window = window_behind(w, s);
    struct winners v;
    return dx_winners_of(w, s, &v) && (!window || window->op->form != FORM_POOL);
}

/* ---- what bodies share ---- */

long long winners_in_row(const struct winners *v, int i)
{
    return (long long)i * v->vector;
}

long long winners_in_image(const struct winners *v, int i)
{
    const int64_t n = v->wide / v->vector;
    return i / n * v->g.dil[0] * v->width * v->chunk + i % n * v->vector;
}

int64_t winners_at_once(const struct winners *v)
{
    return least(v->g.K, MOST_VALUES / (v->rows * v->columns * ROW_BLOCK * 4));
}

/* Each part turns all images again, which is to stay a small share of its time. */
int winners_parts(const struct winners *v)
{
    const double turned = TURN * (double)(v->height * v->width * v->chunk) / ROW_BLOCK,
                 products = (double)(v->g.K * v->rows * v->columns) * (double)v->vectors;
    int parts = 1;
    while (parts < 8 && 2 * parts * turned < 0.2 * products && v->g.K >= 8 * parts)
        parts *= 2;
    return parts;
}

/* What names no winner is taken for the first place: it comes from a plan. */
void put_inside(struct writer *w, const struct winners *v)
{
    const struct geometry *g = &v->g;
    put(w, "static const int32_t @_inside[%d] = {", MOST_PLACES);
    for (int i = 0; i < v->window[0] * v->window[1]; i++)
        put(w, "%lld,",
            (long long)((i / v->window[1] * g->stride[0] * v->width + i % v->window[1] * g->stride[1]) * v->chunk));
    put(w, "};");
    fprintf(w->out, "\n");
}

void put_winner(struct writer *w, const struct winners *v, const char *image, const char *q)
{
    const struct geometry *g = &v->g;
    const long long columns = v->columns;
    put(w, "const real value = values[p * %lld + %s];", columns, q);
    put(w, "%s = image + p * %lld + (%s) * %lld + @_inside[winner[(p * %lld + %s) * $]];", image,
        (long long)(v->window[0] * g->stride[0] * v->width * v->chunk), q,
        (long long)(v->window[1] * g->stride[1] * v->chunk), columns, q);
}

void put_values(struct writer *w, const struct winners *v, int pooled, const char *k, const char *n, int64_t most)
{
    const long long windows = v->rows * v->columns;
    put(w, "for (int64_t e = 0; e < %s * %lld; e += $)", n, windows);
    put(w,
        "    turn_back(%s + ((block * %lld + %s) * %lld + e) * $, (int)(%s * %lld - e < $ ? %s * %lld - e : $), %lld, values + e);",
        name_of(w, pooled), (long long)v->g.K, k, windows, n, windows, n, windows, (long long)most * windows);
}

/* ---- prices, in vectors of 16 floats that pass an FMA ---- */

static double windows_of(const struct winners *v)
{
    return (double)(v->g.K * v->chunks) * (double)(v->rows * v->columns);
}

static double turned_of(const struct winners *v)
{
    return TURN * (double)(v->height * v->width) * (double)(v->chunks * v->chunk) / ROW_BLOCK;
}

/* Of shorter ones two may pass at a time. */
static double share_of(const struct winners *v)
{
    return fmax(0.5, (double)v->vector / ROW_BLOCK);
}

static double dw_vectors(const struct winners *v)
{
    return windows_of(v) * (share_of(v) * v->vectors + 1.5) + winners_parts(v) * turned_of(v);
}

/* A store takes twice as long. */
static double dx_vectors(const struct winners *v)
{
    return windows_of(v) * (2 * share_of(v) * v->vectors + 2) + 3 * turned_of(v);
}

/* The same from the gradient of all places, which is written and read: four fifths of what registers could, or Winograd's algorithm,
 * which is found 1.8 times as fast. */
static double all_vectors(const struct geometry *g, double faster)
{
    const double places = (double)g->K * (double)(g->P * g->Q) / ROW_BLOCK;
    return places * ((double)(g->C * g->R * g->S) * geometry_inside(g) / 0.8 / faster + 3);
}

static bool may_be_winograd(const struct geometry *g)
{
    return g->R == 3 && g->S == 3 && g->stride[0] == 1 && g->stride[1] == 1 && g->dil[0] == 1 && g->dil[1] == 1 &&
           g->G == 1;
}

bool dw_winners_pay(const struct geometry *g, const int64_t *pooled)
{
    const struct writer widest = {.lanes = WIDEST};
    struct winners v;
    return winners_of(&widest, g, pooled, true, &v) &&
           dw_vectors(&v) < all_vectors(g, may_be_winograd(g) && g->C >= ROW_BLOCK ? 1.8 : 1);
}

bool dx_winners_pay(const struct geometry *g, const int64_t *pooled)
{
    const struct writer widest = {.lanes = WIDEST};
    struct winners v;
    return winners_of(&widest, g, pooled, false, &v) && dx_vectors(&v) < all_vectors(g, may_be_winograd(g) ? 1.8 : 1);
}

static void set_price(const struct writer *w, const struct winners *v, double vectors, double error, struct price *p)
{
    p->flops = 2 * windows_of(v) * v->vectors * v->vector;
    p->bytes = 4 * ROW_BLOCK * vectors;
    p->cycles = fmax(p->flops / w->target->flops, p->bytes / w->target->bytes);
    p->error = error;
}

void price_dw_winners(const struct writer *writer, const struct stage *s, struct price *p)
{
    struct writer w = *writer;
    struct winners v;
    w.lanes = WIDEST;
    dw_winners_of(&w, s, &v);
    set_price(&w, &v, dw_vectors(&v), fmax(MAX_TERMS, (double)(v.rows * v.columns)), p);
}

void price_dx_winners(const struct writer *writer, const struct stage *s, struct price *p)
{
    struct writer w = *writer;
    struct winners v;
    w.lanes = WIDEST;
    dx_winners_of(&w, s, &v);
    set_price(&w, &v, dx_vectors(&v), (double)(v.g.K * v.g.R * v.g.S), p);
}
