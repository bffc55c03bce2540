/* The pool: everyone runs once, barriers order memory, the floating-point mode is the same everywhere. */
#define _GNU_SOURCE 1
#include "cpu/cores.h"
#include "cpu/pool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fenv.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const int sizes[] = {1, 2, 3, 7};
enum { SIZES = sizeof sizes / sizeof *sizes, RUNS = 300, ROUNDS = 40 };

struct shared {
    struct pool *pool;
    long count[POOL_MAX]; /* not atomic: the pool has to order them */
    long wrong;
    bool nested;
};

static void count_one(void *ctx, int worker, int workers)
{
    struct shared *s = ctx;
    (void)workers;
    s->count[worker]++;
}

static void test_everyone_runs_once(void **state)
{
    (void)state;
    for (int i = 0; i < SIZES; i++) {
        struct shared s = {.pool = pool_new(sizes[i])};
        assert_non_null(s.pool);
        assert_int_equal(pool_workers(s.pool), sizes[i]);
        for (int k = 1; k <= RUNS; k++) {
            assert_true(pool_run(s.pool, count_one, &s));
            for (int w = 0; w < sizes[i]; w++)
                assert_int_equal(s.count[w], k);
        }
        pool_free(s.pool);
    }
}

/* Each round every worker adds its neighbour's count of the round before to its own: any missing order changes it. */
static void exchange(void *ctx, int worker, int workers)
{
    struct shared *s = ctx;
    for (int round = 0; round < ROUNDS; round++) {
        long neighbour = s->count[(worker + 1) % workers];
        if (neighbour != s->count[worker])
            __atomic_fetch_add(&s->wrong, 1, __ATOMIC_RELAXED);
        pool_barrier(s->pool, worker);
        s->count[worker] = neighbour + 1;
        if (round % 16 == 15 && worker == round % workers)
            usleep(2000); /* the others go to sleep */
        pool_barrier(s->pool, worker);
    }
}

static void test_barriers_order_memory(void **state)
{
    (void)state;
    for (int i = 0; i < SIZES; i++) {
        struct shared s = {.pool = pool_new(sizes[i])};
        for (int k = 0; k < 10; k++)
            assert_true(pool_run(s.pool, exchange, &s));
        assert_int_equal(s.wrong, 0);
        for (int w = 0; w < sizes[i]; w++)
            assert_int_equal(s.count[w], 10 * ROUNDS);
        pool_free(s.pool);
    }
}

static void test_idle_workers_wake_up(void **state)
{
    (void)state;
    struct shared s = {.pool = pool_new(3)};
    for (int k = 0; k < 5; k++) {
        usleep(5000);
        assert_true(pool_run(s.pool, count_one, &s));
    }
    assert_int_equal(s.count[2], 5);
    pool_free(s.pool);
}

static void run_within(void *ctx, int worker, int workers)
{
    struct shared *s = ctx;
    (void)workers;
    if (pool_run(s->pool, count_one, s))
        __atomic_store_n(&s->nested, true, __ATOMIC_RELAXED);
    s->count[worker]++;
}

static void test_nested_run_is_refused(void **state)
{
    (void)state;
    struct shared s = {.pool = pool_new(2)};
    assert_true(pool_run(s.pool, run_within, &s));
    assert_false(s.nested);
    assert_int_equal(s.count[0], 1);
    assert_int_equal(s.count[1], 1);
    assert_true(pool_run(s.pool, count_one, &s));
    pool_free(s.pool);
}

struct floats {
    float tiny[POOL_MAX], third[POOL_MAX];
    volatile float one, three, small;
};

static void compute(void *ctx, int worker, int workers)
{
    struct floats *f = ctx;
    (void)workers;
    f->tiny[worker] = f->small * f->small; /* 1e-40: denormal */
    f->third[worker] = f->one / f->three;
}

static void test_float_mode_is_one(void **state)
{
    (void)state;
    struct floats f = {.one = 1, .three = 3, .small = 1e-20f};
    struct pool *p = pool_new(3);
    float nearest = f.one / f.three;
    fesetround(FE_UPWARD);
    assert_true(pool_run(p, compute, &f));
    assert_int_equal(fegetround(), FE_UPWARD);
    fesetround(FE_TONEAREST);
    for (int w = 0; w < 3; w++) {
        assert_memory_equal(&f.third[w], &nearest, sizeof nearest);
#ifdef __SSE__
        assert_true(f.tiny[w] == 0);
#endif
    }
    volatile float after = f.small * f.small;
    assert_true(after > 0);
    pool_free(p);
}

static void test_caller_gets_its_cores_back(void **state)
{
    (void)state;
    cpu_set_t before, after;
    assert_int_equal(sched_getaffinity(0, sizeof before, &before), 0);
    struct pool *p = pool_new(0);
    assert_non_null(p);
    pool_free(p);
    assert_int_equal(sched_getaffinity(0, sizeof after, &after), 0);
    assert_memory_equal(&before, &after, sizeof before);
}

static void test_bad_sizes(void **state)
{
    (void)state;
    assert_null(pool_new(-1));
    assert_int_equal(errno, EINVAL);
    assert_null(pool_new(POOL_MAX + 1));
    pool_free(NULL);
    struct pool *p = pool_new(POOL_MAX);
    assert_non_null(p);
    struct shared s = {.pool = p};
    assert_true(pool_run(p, count_one, &s));
    assert_int_equal(s.count[POOL_MAX - 1], 1);
    pool_free(p);
}

static void put(const char *folder, const char *name, const char *text)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    fputs(text, out);
    fclose(out);
}

static void make(const char *folder, const char *name)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_int_equal(mkdir(path, 0700), 0);
}

static int quota_of(const char *folder, const char *membership)
{
    char path[PATH_MAX];
    put(folder, "membership", membership);
    snprintf(path, sizeof path, "%s/membership", folder);
    return cores_quota(path, folder);
}

static void test_quota(void **state)
{
    (void)state;
    char folder[] = "/tmp/test_pool-XXXXXX", command[64];
    assert_non_null(mkdtemp(folder));
    make(folder, "job");
    make(folder, "job/inner");
    make(folder, "cpu");
    make(folder, "cpu/job");
    assert_int_equal(quota_of(folder, "0::/job/inner\n"), INT_MAX);
    put(folder, "job/inner/cpu.max", "max 100000\n");
    assert_int_equal(quota_of(folder, "0::/job/inner\n"), INT_MAX);
    put(folder, "job/cpu.max", "250000 100000\n");
    assert_int_equal(quota_of(folder, "0::/job/inner\n"), 3);
    put(folder, "job/inner/cpu.max", "50000 100000\n");
    assert_int_equal(quota_of(folder, "0::/job/inner\n"), 1);
    put(folder, "cpu.max", "200000 100000\n");
    assert_int_equal(quota_of(folder, "0::/not/seen/from/here\n"), 2);
    put(folder, "cpu.max", "rubbish");
    put(folder, "cpu/job/cpu.cfs_quota_us", "400000\n");
    put(folder, "cpu/job/cpu.cfs_period_us", "100000\n");
    assert_int_equal(quota_of(folder, "7:memory:/job\n4:cpuacct,cpu:/job\n"), 4);
    assert_int_equal(quota_of(folder, "7:cpuset:/job\n"), INT_MAX);
    put(folder, "cpu/job/cpu.cfs_quota_us", "-1\n");
    assert_int_equal(quota_of(folder, "4:cpu:/job\n"), INT_MAX);
    assert_int_equal(quota_of(folder, "no colons\n::::\n\n"), INT_MAX);
    assert_int_equal(cores_quota("/nowhere", folder), INT_MAX);
    assert_true(cores_usable() >= 1);
    snprintf(command, sizeof command, "rm -r %s", folder);
    assert_int_equal(system(command), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_everyone_runs_once),
        cmocka_unit_test(test_barriers_order_memory),
        cmocka_unit_test(test_idle_workers_wake_up),
        cmocka_unit_test(test_nested_run_is_refused),
        cmocka_unit_test(test_float_mode_is_one),
        cmocka_unit_test(test_caller_gets_its_cores_back),
        cmocka_unit_test(test_bad_sizes),
        cmocka_unit_test(test_quota),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
