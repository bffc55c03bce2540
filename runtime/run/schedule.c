/* schedule.c: the learning rate of every step, in double precision, as a function of the step alone: resuming needs no state. The
 * rules of the schedules are in their words. */
#include "run.h"

/* The warm-up goes linearly from lr / warmup at step 0 to lr at step warmup - 1; nothing else applies meanwhile. */
double rate_at(const struct rate *r, int64_t step)
{
    if (step < r->warmup)
        return r->lr * (double)(step + 1) / (double)r->warmup;
    const struct training_step s = {
        .lr = r->lr, .step = step, .warmup = r->warmup, .steps = r->steps, .total = r->total};
    return r->schedule ? r->schedule->rate(r->num, &s) : r->lr;
}
