/* Spreads the blocks of a launch over a pool of threads. The caller holds the driver lock: one launch at a time. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "config.h"
#include "exec.h"

enum { MAX_THREADS = 256 };

static struct {
    pthread_mutex_t lock;
    pthread_cond_t work, done;
    pthread_t threads[MAX_THREADS];
    unsigned started, busy;
    uint64_t generation;
    const struct launch *launch;
    _Atomic uint64_t next;                   /* block to take */
    _Atomic bool stop;                       /* a block has faulted: take no more */
    struct worker *workers[MAX_THREADS + 1]; /* the last is the caller's */
} pool = {.lock = PTHREAD_MUTEX_INITIALIZER, .work = PTHREAD_COND_INITIALIZER, .done = PTHREAD_COND_INITIALIZER};

/* Blocks are taken in order, so all below a faulted one have been run or are running. */
static void run_blocks(struct worker *worker)
{
    while (!atomic_load(&pool.stop)) {
        const uint64_t block = atomic_fetch_add(&pool.next, 1);
        if (block >= worker->launch->blocks)
            return;
        exec_block(worker, block);
        if (worker->fault.kind != FAULT_NONE)
            atomic_store(&pool.stop, true);
    }
}

static void *serve(void *data)
{
    const unsigned index = (unsigned)(uintptr_t)data;
    uint64_t seen = 0;
    pthread_mutex_lock(&pool.lock);
    for (;;) {
        while (pool.generation == seen)
            pthread_cond_wait(&pool.work, &pool.lock);
        seen = pool.generation;
        struct worker *worker = pool.workers[index];
        if (!worker->launch || worker->launch != pool.launch) /* not needed for this launch, or late for it */
            continue;
        pthread_mutex_unlock(&pool.lock);
        run_blocks(worker);
        pthread_mutex_lock(&pool.lock);
        if (--pool.busy == 0)
            pthread_cond_signal(&pool.done);
    }
    return NULL;
}

static struct worker *worker_at(unsigned index)
{
    if (!pool.workers[index])
        pool.workers[index] = calloc(1, sizeof *pool.workers[index]);
    return pool.workers[index];
}

static void start_threads(unsigned wanted)
{
    while (pool.started < wanted) {
        const unsigned index = pool.started;
        if (!worker_at(index) || pthread_create(&pool.threads[index], NULL, serve, (void *)(uintptr_t)index))
            return;
        pool.started++;
    }
}

static void merge(struct worker *worker, struct fault *fault, struct prof_counters *counters)
{
    if (worker->fault.kind != FAULT_NONE && (fault->kind == FAULT_NONE || worker->fault.block < fault->block))
        *fault = worker->fault;
    const struct prof_counters *c = &worker->counters;
    counters->warp_instructions += c->warp_instructions;
    counters->lane_instructions += c->lane_instructions;
    counters->global_requests += c->global_requests;
    counters->global_sectors += c->global_sectors;
    counters->global_ideal += c->global_ideal;
    counters->shared_requests += c->shared_requests;
    counters->shared_wavefronts += c->shared_wavefronts;
}

static void out_of_memory(struct fault *fault)
{
    *fault = (struct fault){.kind = FAULT_TRAP};
    snprintf(fault->text, sizeof fault->text, "cudasim: out of host memory");
}

void exec_launch(const struct launch *launch, struct fault *fault, struct prof_counters *counters)
{
    /* The checks between blocks, and kernels whose blocks communicate, need the blocks in order. */
    unsigned helpers = launch->check || launch->function->order_sensitive ? 0 : config()->threads - 1;
    if (helpers >= launch->blocks)
        helpers = (unsigned)launch->blocks - 1;
    *fault = (struct fault){.kind = FAULT_NONE};
    *counters = (struct prof_counters){0};
    pthread_mutex_lock(&pool.lock);
    start_threads(helpers);
    if (helpers > pool.started)
        helpers = pool.started;
    atomic_store(&pool.next, 0);
    atomic_store(&pool.stop, false);
    struct worker *own = worker_at(MAX_THREADS);
    bool prepared = own && worker_prepare(own, launch);
    for (unsigned i = 0; i < pool.started && prepared; i++)
        if (i < helpers)
            prepared = worker_prepare(pool.workers[i], launch);
        else
            pool.workers[i]->launch = NULL;
    if (!prepared) {
        pthread_mutex_unlock(&pool.lock);
        out_of_memory(fault);
        return;
    }
    pool.launch = launch;
    pool.busy = helpers;
    if (helpers) {
        pool.generation++;
        pthread_cond_broadcast(&pool.work);
    }
    pthread_mutex_unlock(&pool.lock);
    run_blocks(own);
    pthread_mutex_lock(&pool.lock);
    while (pool.busy)
        pthread_cond_wait(&pool.done, &pool.lock);
    pool.launch = NULL;
    pthread_mutex_unlock(&pool.lock);
    merge(own, fault, counters);
    for (unsigned i = 0; i < helpers; i++)
        merge(pool.workers[i], fault, counters);
}
