/* pace.c: notices that the same work takes far longer than it did. */
#include "run.h"

static const double far = 8, long_enough = 5; /* times the fastest; seconds on end ... */
static const double most = 1; /* ... of which one call, in which we may have been stopped, counts so many */

bool pace_drops(struct pace *p, int64_t samples, double seconds, double *times)
{
    double each = seconds / (double)samples;
    if (p->best == 0 || each < p->best)
        p->best = each;
    *times = p->best > 0 ? each / p->best : 1;
    p->slow = *times > far ? p->slow + (seconds < most ? seconds : most) : 0;
    bool first = p->slow > long_enough && !p->said;
    p->said |= first;
    return first;
}
