/* rate.c: numbers of the optimizer at every step. The rules of the schedules are in their words. */
#include "rate.h"

#include <math.h>
#include <string.h>

static void read_piece(const struct plan *p, const char *key, struct piece *piece)
{
    const struct word *w = piece->schedule;
    for (int i = 0; i < MAX_WORD_ARGS && w->arg[i].name; i++) {
        const struct setting *s = word_setting(p, key, w, i);
        const double value = piece->num[i] = s && s->n ? s->num[0] : w->arg[i].otherwise;
        if (w->arg[i].type == ARG_INTS && s) {
            piece->list = s->num;
            piece->listed = (int)s->n;
        }
        if (!strcmp(w->arg[i].name, "warmup"))
            piece->warmup = (int64_t)value;
        if (!strcmp(w->arg[i].name, "epochs"))
            piece->epochs = (int64_t)value;
    }
}

bool rate_read(const struct plan *p, const char *key, double lr, struct rate *r, const char **unknown)
{
    *r = (struct rate){.lr = lr};
    const struct setting *one = plan_setting(p, key);
    for (int i = 0; i < MAX_PIECES; i++) {
        char name[48];
        snprintf(name, sizeof name, one ? "%s" : "%s.%d", key, i);
        const struct setting *s = plan_setting(p, name);
        if (!s || !s->text)
            break;
        struct piece *piece = &r->piece[r->pieces++];
        piece->schedule = word_find(WORD_SCHEDULE, s->text);
        *unknown = s->text;
        if (!piece->schedule || !piece->schedule->rate)
            return false;
        read_piece(p, name, piece);
        if (one)
            break;
    }
    return true;
}

/* The piece that a step falls into, and the step as it sees it. */
static const struct piece *piece_at(const struct rate *r, int64_t step, struct training_step *s)
{
    const struct piece *last = &r->piece[r->pieces - 1];
    int64_t total = r->total;
    for (const struct piece *p = r->piece;; p++) {
        const bool ends = p->epochs && p->epochs < INT64_MAX / (r->steps + 1);
        const int64_t span = ends ? p->epochs * r->steps : total;
        if (p < last && step >= span) {
            step -= span;
            total -= span;
            continue;
        }
        *s = (struct training_step){.lr = r->lr,
                                    .step = ends && step > span ? span : step,
                                    .warmup = p->warmup,
                                    .steps = r->steps,
                                    .total = span,
                                    .list = p->list,
                                    .listed = p->listed,
                                    .reduced = r->reduced};
        return p;
    }
}

/* The warm-up goes linearly from lr / warmup at step 0 to lr at step warmup - 1; nothing else applies meanwhile. */
double rate_at(const struct rate *r, int64_t step)
{
    struct training_step s;
    const struct piece *p = r->pieces ? piece_at(r, step, &s) : NULL;
    if (p && s.step < s.warmup)
        return r->lr * (double)(s.step + 1) / (double)s.warmup;
    return p && p->schedule ? p->schedule->rate(p->num, &s) : r->lr;
}

double rate_momentum(const struct rate *r, int64_t step)
{
    struct training_step s;
    const struct piece *p = r->pieces ? piece_at(r, step, &s) : NULL;
    return p && p->schedule && p->schedule->momentum ? p->schedule->momentum(p->num, &s) : NAN;
}

const char *optimizer_momentum(const struct op *update)
{
    static const char *const names[] = {"momentum", "beta1"};
    const char *list[CTL_NUMBERS];
    struct region *r = region_new();
    const int n = op_numbers(update, r, list);
    const char *found = NULL;
    for (int k = 0; k < 2 && !found; k++)
        for (int i = 0; i < n; i++)
            if (!strcmp(list[i], names[k]))
                found = names[k];
    region_free(r);
    return found;
}

bool rate_watches(const struct rate *r)
{
    return r->pieces == 1 && r->piece->schedule && r->piece->schedule->watch;
}

void rate_watch(const struct rate *r, struct watched *w, double value, bool falls)
{
    if (rate_watches(r))
        r->piece->schedule->watch(r->piece->num, w, value, falls, r->lr);
}

bool rate_spans(const struct rate *r)
{
    const struct piece *last = r->pieces ? &r->piece[r->pieces - 1] : NULL;
    return last && last->schedule && last->schedule->spans && !last->epochs;
}
