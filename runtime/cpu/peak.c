/* peak.c: what this machine's threads reach at best: multiply-adds that wait for nothing, and the triad of STREAM (J. D. McCalpin,
 * Memory Bandwidth and Machine Balance in Current High Performance Computers, 1995) over more and more bytes. */
#define _GNU_SOURCE 1
#include "cpu.h"

#include "device/device_error.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

static const char loops[] = {
#include "peak.inc"
    0};

enum {
    CHAINS = 10,      /* as in peak.c.txt */
    TRIES = 4,        /* at least; the best of which counts, as in STREAM */
    LEAST = 96 << 10, /* bytes of the smallest triad, */
    STEP = 4,         /* and how many times as large the next one is */
    PART = 8          /* of the memory that the largest may take */
};
static const double long_enough = 0.0005,
                    in_all = 0.1; /* seconds: of a try, short enough to go undisturbed; of all of one loop */

struct bench {
    struct pool *pool;
    const struct nr_kernel *kernel;
    struct nr_args args;
    uint32_t control[2]; /* of peak.c.txt */
    float number[2];
    void *t[2];
};

static void one_task(void *ctx, int worker, int workers)
{
    (void)workers;
    const struct bench *b = ctx;
    b->kernel->run(&b->args, worker, worker + 1);
}

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Seconds of one pass of the loop over all threads; 0: the pool is running. */
static double best_pass(struct bench *b)
{
    double best = 0;
    const double begun = seconds();
    b->control[0] = 1;
    for (int tries = 0; tries < TRIES || seconds() - begun < in_all;) {
        double since = seconds();
        if (!pool_run(b->pool, one_task, b))
            return 0;
        double took = seconds() - since, each = took / b->control[0];
        if (took < long_enough && b->control[0] < UINT32_MAX / 4) {
            b->control[0] *= took < long_enough / 4 ? 4 : 2;
            continue;
        }
        best = tries == 0 || each < best ? each : best;
        tries++;
    }
    return best;
}

/* Bytes of all arrays are `least`, `STEP` times that, and so on; more than any cache has, if there is so much memory. */
static void measure_triads(struct bench *b, int lanes, int64_t memory, struct device_peak *p)
{
    const int workers = pool_workers(b->pool);
    int64_t bytes = LEAST;
    for (int i = 1; i < PEAK_SIZES && bytes * STEP <= memory / PART; i++)
        bytes *= STEP;
    float *arrays = mmap(NULL, (size_t)bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (arrays == MAP_FAILED)
        return;
    madvise(arrays, (size_t)bytes, MADV_HUGEPAGE);
    b->t[1] = arrays;
    for (int64_t size = LEAST; size <= bytes; size *= STEP) {
        const int64_t n = size / 12 / workers / lanes * lanes;
        b->control[1] = (uint32_t)n;
        const double each = n > 0 ? best_pass(b) : 0;
        if (each > 0)
            p->triad[p->sizes++] = (struct device_triad){(double)(12 * n * workers), (double)(12 * n * workers) / each};
    }
    munmap(arrays, (size_t)bytes);
}

static bool measure(struct cpu *c, const struct jit *j, int lanes, struct device_peak *p, struct device_error *e)
{
    struct bench b = {.pool = c->pool, .kernel = &j->object->kernel[0], .number = {0.5F, 1}};
    const int workers = pool_workers(c->pool);
    const size_t vector = (size_t)lanes * sizeof(float);
    float *out = aligned_alloc(64, (size_t)workers * (vector < 64 ? 64 : vector));
    if (!out)
        return device_fail(e, 70, "out of memory");
    b.t[0] = b.number;
    b.t[1] = out;
    b.args = (struct nr_args){.t = b.t, .control = b.control};
    const double each = best_pass(&b);
    free(out);
    if (each <= 0)
        return device_fail(e, 70, "the device is running already");
    p->flops = 2. * CHAINS * lanes * workers / each;
    b.kernel++;
    measure_triads(&b, lanes, c->device.memory(&c->device), p);
    return true;
}

bool cpu_peak(struct device *d, struct device_peak *p, struct device_error *e)
{
    struct cpu *c = cpu_of(d);
    const int lanes = jit_lanes();
    const struct jit_options o = {
        .name = "peak", .quiet = c->options.quiet, .kernels = 2, .lanes = lanes, .real_bytes = sizeof(float)};
    struct jit j;
    char *text = NULL;
    *p = (struct device_peak){0};
    if (!c->pool)
        return device_fail(e, 70, "measured before it was armed");
    if (asprintf(&text, "#define LANES %d\n%s", lanes, loops) < 0)
        return device_fail(e, 70, "out of memory");
    bool ok = jit_load(text, strlen(text), &o, &j, e);
    free(text);
    if (!ok)
        return false;
    ok = measure(c, &j, lanes, p, e);
    jit_unload(&j);
    return ok;
}
