/* choose.c: which body writes a kernel: the cheapest that applies, unless the plan says which; and all prices, to look at. */
#include "choose.h"

#include <math.h>
#include <string.h>

/* Can the plain body stand in for others here? Where vectors have lanes, only one that has a price is known to bear them. */
static bool has_plain(const struct writer *w, const struct op *op)
{
    return op->emit && (op->price || w->lanes == 1);
}

bool body_applies(const struct writer *w, const struct stage *s, const struct body *b)
{
    return b->target == w->target && (!b->applies || b->applies(w, s));
}

struct price body_price(const struct writer *w, const struct stage *s, const struct body *b)
{
    struct price p = {.cycles = b ? 0 : INFINITY};
    void (*price)(const struct writer *, const struct stage *, struct price *) = b ? b->price : s->op->price;
    if (price)
        price(w, s, &p);
    return p;
}

const struct body *choose_body(const struct writer *w, const struct stage *s, const char *without)
{
    const struct body *best = NULL;
    double least = INFINITY;
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
    fprintf(out, "  %s %-12s", mark, name);
    if (p->flops > 0)
        fprintf(out, " %10.3g cycles %10.3g flops %10.3g bytes %8.3g error", p->cycles, p->flops, p->bytes, p->error);
    fputc('\n', out);
}

void choices_print(const struct plan *p, FILE *out)
{
    fprintf(
        out,
        "# Bodies that can write a kernel, * the one that does. Prices are for a sample; errors in 2^-24 of a sum's magnitudes.\n");
    for (int k = 0; k < p->nkernel; k++) {
        const struct stage *s = p->kernel[k].stage;
        if (!s->op->body || !s->op->price)
            continue;
        struct region *r = region_new();
        const struct writer w = writer_for(p, k, PRECISION_FP32, r);
        const struct body *taken = choose_body(&w, s, NULL);
        fprintf(out, "%s\n", p->kernel[k].name);
        for (const struct body *b = s->op->body; b->name; b++) {
            const struct price price = body_price(&w, s, b);
            if (body_applies(&w, s, b))
                put_price(b == taken ? "*" : " ", b->name, &price, out);
        }
        const struct price plain = body_price(&w, s, NULL);
        put_price(taken ? " " : "*", body_plain, &plain, out);
        region_free(r);
    }
}
