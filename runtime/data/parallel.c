#include "parallel.h"

#include "cpu/cores.h"

#include <pthread.h>
#include <stdatomic.h>

enum { THREADS = 64 };

struct share {
    int64_t n;
    bool (*work)(void *ctx, int64_t i);
    void *ctx;
    _Atomic int64_t next, failed; /* failed: the first, or n */
};

static void *take_part(void *to)
{
    struct share *s = to;
    for (int64_t i; (i = atomic_fetch_add(&s->next, 1)) < s->n && atomic_load(&s->failed) == s->n;) {
        if (s->work(s->ctx, i))
            continue;
        int64_t first = atomic_load(&s->failed);
        while (i < first && !atomic_compare_exchange_weak(&s->failed, &first, i))
            ;
    }
    return NULL;
}

int64_t parallel_for(int64_t n, bool (*work)(void *ctx, int64_t i), void *ctx)
{
    struct share s = {.n = n, .work = work, .ctx = ctx, .failed = n};
    pthread_t thread[THREADS];
    int wanted = cores_usable() - 1, started = 0;
    if (wanted > n - 1)
        wanted = (int)(n - 1);
    while (started < wanted && started < THREADS && pthread_create(&thread[started], NULL, take_part, &s) == 0)
        started++;
    take_part(&s);
    for (int i = 0; i < started; i++)
        pthread_join(thread[i], NULL);
    return atomic_load(&s.failed);
}
