#define _GNU_SOURCE 1
#include "pool.h"

#include "cores.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifdef __SSE__
#include <xmmintrin.h>
#endif

enum {
    LINE = 64,         /* bytes of a cache line */
    SPIN = 2000,       /* looks before sleeping: about 0.1 ms, the price of two wake-ups */
    SPIN_CROWDED = 20, /* with more workers than cores: whom we wait for needs our core */
};

/* A count that one side advances and others wait for; alone on its line. */
struct flag {
    _Alignas(LINE) _Atomic uint32_t value;
    _Atomic uint32_t sleepers;
};

struct worker {
    struct flag arrived; /* barriers that this worker has reached */
    struct pool *pool;
    uint32_t barriers; /* the same, for the worker itself; worker 0: barriers opened */
    int index;
    pthread_t thread;
};

struct pool {
    struct flag opened;                                            /* barriers that worker 0 has opened */
    _Alignas(LINE) void (*fn)(void *ctx, int worker, int workers); /* NULL: leave */
    void *ctx;
    int workers, spin;
    atomic_flag running;
    bool pinned;
    cpu_set_t before; /* the caller's cores before it was pinned */
    struct worker worker[];
};

static void relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/* The seq_cst order of value and sleepers leaves two cases: the advancing side sees a sleeper and wakes it, or the
 * sleeper's announcement came after the new value, and the kernel, which looks again, does not let it sleep. */
static void flag_set(struct flag *f, uint32_t value)
{
    atomic_store(&f->value, value);
    if (atomic_load(&f->sleepers))
        syscall(SYS_futex, &f->value, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

static void flag_wait(struct flag *f, uint32_t value, int spin)
{
    for (int i = 0; i < spin; i++) {
        if (atomic_load_explicit(&f->value, memory_order_acquire) == value)
            return;
        relax();
    }
    atomic_fetch_add(&f->sleepers, 1);
    for (uint32_t now; (now = atomic_load(&f->value)) != value;)
        syscall(SYS_futex, &f->value, FUTEX_WAIT_PRIVATE, now, NULL, NULL, 0);
    atomic_fetch_sub(&f->sleepers, 1);
}

/* A barrier has two halves. Worker 0 waits for all others, then opens; each other says that it is there and waits.
 * Workers that have nothing to do stand before a barrier: opening it starts a run, waiting for all ends it. */
static void await_others(struct pool *p)
{
    for (int i = 1; i < p->workers; i++)
        flag_wait(&p->worker[i].arrived, p->worker[0].barriers + 1, p->spin);
}

static void open_barrier(struct pool *p)
{
    flag_set(&p->opened, ++p->worker[0].barriers);
}

static void pass_barrier(struct worker *w)
{
    flag_set(&w->arrived, ++w->barriers);
    flag_wait(&w->pool->opened, w->barriers, w->pool->spin);
}

void pool_barrier(struct pool *p, int worker)
{
    if (worker) {
        pass_barrier(&p->worker[worker]);
    } else {
        await_others(p);
        open_barrier(p);
    }
}

/* Sets the mode that kernels run in and returns the one before. */
static unsigned enter_float_mode(void)
{
#ifdef __SSE__
    unsigned before = _mm_getcsr();
    _mm_setcsr(0x1f80 | 0x8000 | 0x0040); /* the power-on state, flush to zero, denormals are zero */
    return before;
#else
    return 0;
#endif
}

static void leave_float_mode(unsigned before)
{
#ifdef __SSE__
    _mm_setcsr(before);
#else
    (void)before;
#endif
}

static void *work(void *argument)
{
    struct worker *w = argument;
    struct pool *p = w->pool;
    enter_float_mode();
    for (pass_barrier(w); p->fn; pass_barrier(w))
        p->fn(p->ctx, w->index, p->workers);
    return NULL;
}

bool pool_run(struct pool *p, void (*fn)(void *ctx, int worker, int workers), void *ctx)
{
    if (atomic_flag_test_and_set(&p->running))
        return false;
    unsigned before = enter_float_mode();
    p->fn = fn;
    p->ctx = ctx;
    open_barrier(p);
    fn(ctx, 0, p->workers);
    await_others(p);
    leave_float_mode(before);
    atomic_flag_clear(&p->running);
    return true;
}

static void pin(pthread_t thread, int core)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(core, &set);
    pthread_setaffinity_np(thread, sizeof set, &set); /* a wish: the run is right without it */
}

/* Signals are the main thread's affair, but for those that a thread sends to itself by a fault. */
static int start(struct worker *w)
{
    static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT};
    sigset_t others, before;
    sigfillset(&others);
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
        sigdelset(&others, faults[i]);
    pthread_sigmask(SIG_SETMASK, &others, &before);
    int cause = pthread_create(&w->thread, NULL, work, w);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return cause;
}

struct pool *pool_new(int workers)
{
    int core[POOL_MAX], cores = cores_usable(), allowed = cores_allowed(core, POOL_MAX);
    if (workers < 0 || workers > POOL_MAX) {
        errno = EINVAL;
        return NULL;
    }
    if (!workers)
        workers = cores < POOL_MAX ? cores : POOL_MAX;
    size_t size = sizeof(struct pool) + (size_t)workers * sizeof(struct worker);
    struct pool *p = aligned_alloc(LINE, size);
    if (!p)
        return NULL;
    *p = (struct pool){.spin = workers > cores ? SPIN_CROWDED : SPIN, .running = ATOMIC_FLAG_INIT};
    for (p->workers = 0; p->workers < workers; p->workers++) {
        struct worker *w = &p->worker[p->workers];
        *w = (struct worker){.pool = p, .index = p->workers, .thread = pthread_self()};
        int cause = w->index ? start(w) : 0;
        if (cause) {
            pool_free(p);
            errno = cause;
            return NULL;
        }
    }
    p->pinned = workers > 1 && workers == allowed && core[workers - 1] < CPU_SETSIZE &&
                pthread_getaffinity_np(pthread_self(), sizeof p->before, &p->before) == 0;
    for (int i = 0; p->pinned && i < workers; i++)
        pin(p->worker[i].thread, core[i]);
    await_others(p);
    return p;
}

void pool_free(struct pool *p)
{
    if (!p)
        return;
    await_others(p);
    p->fn = NULL;
    open_barrier(p);
    for (int i = 1; i < p->workers; i++)
        pthread_join(p->worker[i].thread, NULL);
    if (p->pinned)
        pthread_setaffinity_np(p->worker[0].thread, sizeof p->before, &p->before);
    free(p);
}

int pool_workers(const struct pool *p)
{
    return p->workers;
}
