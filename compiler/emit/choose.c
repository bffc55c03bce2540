/* choose.c: which body writes a kernel: the cheapest that applies, unless the plan says which; and all prices, to look at. */
#include "choose.h"
#include "contract.h"
#include "count.h"

#include <math.h>
#include <string.h>

/* Can the plain body stand in for others here? */
static bool has_plain(const struct writer *w, const struct op *op)
{
    return op->emit && (!op->scalar || w->lanes == 1);
}

bool body_applies(const struct writer *w, const struct stage *s, const struct body *b)
{
    return b->target == w->target && (!b->applies || b->applies(w, s));
}

/* By what it does, counted: operations on single numbers take as long as on vectors, and additions to a sum wait for each other. */
static struct price plain_price(const struct writer *w)
{
    struct count n;
    if (!count_kernel(w, &n))
        return (struct price){.cycles = INFINITY};
    const double bytes = n.sample.read + n.sample.written;
    return (struct price){
        .flops = n.sample.flops,
        .bytes = bytes,
        .cycles = fmax(fmax(n.sample.slots / w->target->flops, bytes / w->target->bytes), LATENCY * n.sample.chain),
        .error = n.terms,
        .fixed_flops = n.fixed.flops,
        .fixed_bytes = n.fixed.read + n.fixed.written,
    };
}

/* Of a body without a rule of its own: it computes what the plain one does, in vectors, and reads or writes each value of its
 * operands once. */
static struct price once_price(const struct writer *w, const struct stage *s)
{
    struct count n;
    struct price p = {0};
    if (count_kernel(w, &n))
        p = (struct price){.flops = n.sample.flops, .error = n.terms};
    for (int i = 0; i < s->nin + s->nout; i++) {
        const int at = i < s->nin ? s->in[i] : s->out[i - s->nin];
        const struct tensor *t = tensor_of(w, at);
        if (t->rows && (i < s->nin || is_stored(w, at)))
            p.bytes += (double)(tensor_elements(t) * dtype_bytes(t->dtype));
    }
    p.cycles = fmax(p.flops / w->target->flops, p.bytes / w->target->bytes);
    return p;
}

struct price body_price(const struct writer *w, const struct stage *s, const struct body *b)
{
    struct price p = {0};
    if (!b)
        return plain_price(w);
    if (!b->price)
        return once_price(w, s);
    b->price(w, s, &p);
    return p;
}

const struct body *choose_body(const struct writer *w, const struct stage *s, const char *without)
{
    const struct body *best = NULL;
    double least = INFINITY;
    if (!s->op->body)
        return NULL;
    if (s->algorithm && !strcmp(s->algorithm, body_plain) && has_plain(w, s->op))
        return NULL;
    for (const struct body *b = s->op->body; b && b->name; b++) {
        if (!body_applies(w, s, b) || (without && !strcmp(b->name, without)))
            continue;
        if (s->algorithm && !strcmp(s->algorithm, b->name))
            return b;
        const double cycles = body_price(w, s, b).cycles;
        if (cycles < least) {
            least = cycles;
            best = b;
        }
    }
    return has_plain(w, s->op) && body_price(w, s, NULL).cycles < least ? NULL : best;
}

static struct writer writer_for(const struct plan *p, int k, enum precision precision, struct region *r)
{
    const struct target *t = p->schedule[p->kernel[k].schedule].target;
    return (struct writer){.plan = p,
                           .kernel = &p->kernel[k],
                           .region = r,
                           .target = t,
                           .precision = precision,
                           .lanes = t->lanes ? t->lanes : WIDEST};
}

bool kernel_can(const struct plan *p, int k, const char *algorithm)
{
    const struct stage *s = p->kernel[k].stage;
    struct region *r = region_new();
    bool can = false;
    for (enum precision precision = 0; precision < PRECISION_COUNT && !can; precision++) {
        const struct writer w = writer_for(p, k, precision, r);
        can = !strcmp(algorithm, body_plain) && s->op->body && has_plain(&w, s->op);
        for (const struct body *b = s->op->body; b && b->name && !can; b++)
            can = !strcmp(b->name, algorithm) && body_applies(&w, s, b);
    }
    region_free(r);
    return can;
}

const char *body_exact(const struct plan *p, int k)
{
    const struct stage *s = p->kernel[k].stage;
    struct region *r = region_new();
    const struct writer w = writer_for(p, k, PRECISION_FP32, r);
    const struct body *b = s->op->body;
    while (b && b->name && !(b->transformed && body_applies(&w, s, b)))
        b++;
    const struct body *exact = b && b->name ? choose_body(&w, s, b->name) : NULL;
    region_free(r);
    return !b || !b->name ? NULL : exact ? exact->name : body_plain;
}

const struct kernel *emit_unheeded(const struct plan *p, const struct target *t, enum precision precision)
{
    const struct kernel *found = NULL;
    struct region *r = region_new();
    for (int k = 0; k < p->nkernel && !found; k++) {
        const struct stage *s = p->kernel[k].stage;
        if (!s->algorithm || p->schedule[p->kernel[k].schedule].target != target_schedules(t))
            continue;
        const struct writer w = writer_for(p, k, precision, r);
        const struct body *taken = choose_body(&w, s, NULL);
        if (strcmp(taken ? taken->name : body_plain, s->algorithm))
            found = &p->kernel[k];
    }
    region_free(r);
    return found;
}

static void put_price(const char *mark, const char *name, const struct price *p, FILE *out)
{
    fprintf(out, "  %s %-12s %10.3g cycles %10.3g flops %10.3g bytes %8.3g error", mark, name, p->cycles, p->flops,
            p->bytes, p->error);
    if (p->fixed_flops > 0 || p->fixed_bytes > 0)
        fprintf(out, " + %.3g flops %.3g bytes", p->fixed_flops, p->fixed_bytes);
    fputc('\n', out);
}

static void put_prices(const struct writer *w, const struct stage *s, FILE *out)
{
    const struct body *taken = choose_body(w, s, NULL);
    for (const struct body *b = s->op->body; b && b->name; b++) {
        const struct price price = body_price(w, s, b);
        if (body_applies(w, s, b))
            put_price(b == taken ? "*" : " ", b->name, &price, out);
    }
    const struct price plain = body_price(w, s, NULL);
    if (isfinite(plain.cycles))
        put_price(!taken ? "*" : has_plain(w, s->op) ? " " : "-", body_plain, &plain, out);
}

void choices_print(const struct plan *p, FILE *out)
{
    fprintf(
        out,
        "# Bodies that can write a kernel: * the one that does, - one that cannot here. Prices are for a sample, behind a + for\n"
        "# a run whatever its batch; errors in 2^-24 of a sum's magnitudes.\n");
    for (int k = 0; k < p->nkernel; k++) {
        struct region *r = region_new();
        const struct writer w = writer_for(p, k, PRECISION_FP32, r);
        fprintf(out, "%s\n", p->kernel[k].name);
        put_prices(&w, p->kernel[k].stage, out);
        region_free(r);
    }
}
