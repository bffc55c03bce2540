/* contract.c: what all bodies of the contractions share, and the tables of them. */
#include "contract.h"

#include <string.h>

bool axis_tap(const struct axis *a, int64_t out, int64_t t, int64_t *source)
{
    int64_t v = a->a * out + a->b * t + a->c;
    *source = v / a->d;
    return v >= 0 && v % a->d == 0 && *source < a->source;
}

double taps_inside(const struct axis *a)
{
    int64_t n = 0, source;
    for (int64_t out = 0; out < a->out; out++)
        for (int64_t t = 0; t < a->taps; t++)
            n += axis_tap(a, out, t, &source);
    return (double)n / (double)(a->out * a->taps);
}

double geometry_inside(const struct geometry *g)
{
    const struct axis y = {g->stride[0], g->dil[0], -g->pad[0], 1, g->P, g->H, g->R},
                      x = {g->stride[1], g->dil[1], -g->pad[1], 1, g->Q, g->W, g->S};
    return taps_inside(&y) * taps_inside(&x);
}

bool same_taps(const struct axis *x, int64_t start, int64_t other, int n)
{
    int64_t v;
    if (start % x->d != other % x->d)
        return false;
    for (int64_t s = 0; s < x->taps; s++)
        for (int j = 0; j < n; j++)
            if (axis_tap(x, start + j, s, &v) != axis_tap(x, other + j, s, &v))
                return false;
    return true;
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

static void sizes(const struct writer *w, const struct stage *s, void *to)
{
    const struct tensor *in[MAX_OPERANDS], *out[MAX_OPERANDS];
    for (int i = 0; i < s->nin; i++)
        in[i] = tensor_of(w, s->in[i]);
    for (int o = 0; o < s->nout; o++)
        out[o] = tensor_of(w, s->out[o]);
    s->op->sizes(s->attr, in, out, to);
}

struct contraction contraction_of(const struct writer *w, const struct stage *s)
{
    struct contraction c = {0};
    sizes(w, s, &c);
    find_bias(w, s, &c);
    return c;
}

struct geometry geometry_of(const struct writer *w, const struct stage *s)
{
    struct geometry g;
    sizes(w, s, &g);
    return g;
}

const struct stage *window_behind(const struct writer *w, const struct stage *s)
{
    int at = maps_end(w, stage_index(w, s) + 1);
    return at < w->kernel->nstage ? &w->kernel->stage[at] : NULL;
}

bool is_flat(const struct writer *w, const struct stage *s)
{
    return tensor_of(w, s->in[0])->rank == 1;
}

bool is_image(const struct writer *w, const struct stage *s)
{
    return !is_flat(w, s);
}
