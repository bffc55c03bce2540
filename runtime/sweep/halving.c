/* halving.c: successive halving: many runs for a few epochs, the best of them for more, until the best few are left for all.
 *
 * With n runs of at most R epochs there are s + 1 rungs, s the largest with eta^s <= n and eta^s <= R. Rung k ends at R eta^(k - s)
 * epochs, and of the runs that are still there floor(n eta^-(k + 1)) go on. Each goes on from its checkpoint: its learning rate
 * follows the schedule of the whole run, and its bits are those of a run that was never stopped. */
#include "sweep.h"

#include <math.h>
#include <stdlib.h>

int halving_rungs(const struct sweep *s)
{
    int rungs = 1;
    for (int64_t power = s->eta; s->eta && power <= s->nrow && power <= s->epochs; power *= s->eta)
        rungs++;
    return rungs;
}

int64_t halving_until(const struct sweep *s, int rung)
{
    int left = halving_rungs(s) - 1 - rung;
    if (left == 0)
        return 0;
    int64_t until = llround((double)s->epochs * pow(s->eta, -left));
    return until > 1 ? until : 1;
}

static int better(const void *a, const void *b)
{
    const struct row *x = *(struct row *const *)a, *y = *(struct row *const *)b;
    if (x->merit != y->merit)
        return x->merit > y->merit ? -1 : 1;
    return x->number - y->number;
}

/* Those that have stopped by themselves (`stop` of the model) are through. */
void halving_cut(struct sweep *s)
{
    struct row **list = region_alloc(s->region, (size_t)s->nrow + 1, sizeof *list);
    int n = 0, keep = s->nrow;
    for (int i = 0; i <= s->rung; i++)
        keep /= s->eta;
    for (int i = 0; i < s->nrow; i++)
        if (s->row[i].state == ROW_WAITS)
            list[n++] = &s->row[i];
    qsort(list, (size_t)n, sizeof *list, better);
    for (int i = keep > 1 ? keep : 1; i < n; i++)
        list[i]->state = ROW_HALVED;
}
