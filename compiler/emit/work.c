/* work.c: what one run of a kernel has to do, whichever body writes it: the flops of its meaning (count.h), and its operands once. */
#include "count.h"

#include <string.h>

/* Tensors that a kernel has met, by their bytes: views of the same are one. */
struct met {
    int n;
    struct place {
        int root;
        int64_t at, bytes;
    } place[MAX_STAGES * 2 * MAX_OPERANDS];
};

static struct place place_of_bytes(const struct plan *p, int tensor)
{
    const struct tensor *t = &p->tensor[tensor];
    return (struct place){t->base >= 0 ? t->base : tensor, t->base >= 0 ? t->at : 0, t->bytes};
}

static bool is_met(const struct met *m, struct place new)
{
    for (int i = 0; i < m->n; i++)
        if (m->place[i].root == new.root && m->place[i].at == new.at && m->place[i].bytes == new.bytes)
            return true;
    return false;
}

/* False if it was met before. */
static bool meet(struct met *m, const struct plan *p, int tensor)
{
    const struct place new = place_of_bytes(p, tensor);
    bool first = !is_met(m, new);
    if (first)
        m->place[m->n++] = new;
    return first;
}

static void add_bytes(const struct plan *p, int tensor, struct emit_work *w)
{
    const struct tensor *t = &p->tensor[tensor];
    *(t->rows ? &w->bytes : &w->fixed_bytes) += (double)tensor_elements(t) * (double)dtype_bytes(t->dtype);
}

/* What a stage has made is there when a later one reads it. */
static void count_bytes(const struct plan *p, const struct kernel *k, struct emit_work *w)
{
    struct met read = {0}, written = {0};
    for (int n = 0; n < k->nstage; n++) {
        const struct stage *s = &k->stage[n];
        for (int i = 0; i < s->nin; i++)
            if (tensor_stored(&p->tensor[s->in[i]]) && !is_met(&written, place_of_bytes(p, s->in[i])) &&
                meet(&read, p, s->in[i]))
                add_bytes(p, s->in[i], w);
        for (int o = 0; o < s->nout; o++)
            if (tensor_stored(&p->tensor[s->out[o]]) && meet(&written, p, s->out[o]))
                add_bytes(p, s->out[o], w);
    }
}

void emit_work(const struct plan *p, int kernel, struct emit_work *w)
{
    const struct kernel *k = &p->kernel[kernel];
    struct count n;
    struct region *r = region_new();
    const struct writer of = {
        .plan = p, .kernel = k, .region = r, .target = p->schedule[k->schedule].target, .lanes = ROW_BLOCK};
    *w = (struct emit_work){.known = count_kernel(&of, &n)};
    if (w->known) {
        w->flops = n.sample.flops;
        w->fixed_flops = n.fixed.flops;
    }
    count_bytes(p, k, w);
    region_free(r);
}
