/* A pool of threads that run one function together. The caller is worker 0, so a pool of one has no threads.
 *
 * Threads wait by a short spin and then sleep in the kernel: a run on free cores makes no system call, and a crowded
 * machine stays responsive. During a run every worker, the caller included, has the same floating-point mode (round to
 * nearest; denormals are zero on x86): it belongs to the thread, and bits must not depend on who computes them. */
#ifndef POOL_H
#define POOL_H

#include <stdbool.h>

enum { POOL_MAX = 64 };

struct pool;

/* `workers` threads, caller included; 0: as many as cores_usable() says, 64 at most. A pool that covers all cores pins
 * each worker to one, the calling thread too until pool_free; a smaller one leaves the choice to the system, because it
 * cannot know on which cores its neighbours sit. While the caller is pinned, another pool made by it sees one core.
 * NULL with errno set if a thread cannot be had. */
struct pool *pool_new(int workers);
/* By the thread that made the pool, outside a run. NULL is nothing. */
void pool_free(struct pool *p);
int pool_workers(const struct pool *p);

/* Calls fn(ctx, w, workers) for every w < workers at the same time and returns when all are done. What the caller wrote
 * before is seen by all; what they wrote is seen by the caller. False, and nothing runs, if the pool is running. */
bool pool_run(struct pool *p, void (*fn)(void *ctx, int worker, int workers), void *ctx);

/* Inside a run: returns when every worker has called it, each as often. What was written before is seen after. */
void pool_barrier(struct pool *p, int worker);

#endif
