#include "parallel.h"

#include "cpu/pool.h"

#include <stdatomic.h>
#include <stddef.h>

struct share {
    int64_t n;
    bool (*work)(void *ctx, int64_t i);
    void *ctx;
    _Atomic int64_t next, failed; /* failed: the first, or n */
};

static void take_part(void *to, int worker, int workers)
{
    (void)worker, (void)workers;
    struct share *s = to;
    for (int64_t i; (i = atomic_fetch_add(&s->next, 1)) < s->n && atomic_load(&s->failed) == s->n;) {
        if (s->work(s->ctx, i))
            continue;
        int64_t first = atomic_load(&s->failed);
        while (i < first && !atomic_compare_exchange_weak(&s->failed, &first, i))
            ;
    }
}

int64_t parallel_for(int64_t n, bool (*work)(void *ctx, int64_t i), void *ctx)
{
    struct share s = {.n = n, .work = work, .ctx = ctx, .failed = n};
    struct pool *pool = n > 1 ? pool_new(0) : NULL;
    if (!pool || !pool_run(pool, take_part, &s))
        take_part(&s, 0, 1);
    pool_free(pool);
    return atomic_load(&s.failed);
}
