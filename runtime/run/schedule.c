/* schedule.c: learning-rate schedules, in double precision, as functions of the step alone: resuming needs no state. */
#include "run.h"

#include <math.h>
#include <string.h>

enum rate_kind rate_kind_of(const char *schedule)
{
    static const char *const word[RATE_COUNT] = { [RATE_CONSTANT] = "", [RATE_STEP] = "Step", [RATE_COSINE] = "Cosine" };
    int kind = 0;
    while (kind < RATE_COUNT && strcmp(word[kind], schedule) != 0)
        kind++;
    return (enum rate_kind)kind;
}

/* Half a cosine from lr at the end of the warm-up to `final` at the last step and beyond:
 * Loshchilov and Hutter, "SGDR: stochastic gradient descent with warm restarts", ICLR 2017, without restarts. */
static double cosine(const struct rate *r, int64_t step)
{
    if (step >= r->total)
        return r->final;
    double part = (double)(step - r->warmup) / (double)(r->total - r->warmup);
    return r->final + (r->lr - r->final) * (1 + cos(acos(-1) * part)) / 2;
}

/* The warm-up goes linearly from lr / warmup at step 0 to lr at step warmup - 1; nothing else applies meanwhile. */
double rate_at(const struct rate *r, int64_t step)
{
    if (step < r->warmup)
        return r->lr * (double)(step + 1) / (double)r->warmup;
    switch (r->kind) {
    case RATE_STEP:
        return r->lr * pow(r->gamma, (double)(step / r->steps / r->every));
    case RATE_COSINE:
        return cosine(r, step);
    case RATE_CONSTANT:
    case RATE_COUNT:
        break;
    }
    return r->lr;
}
