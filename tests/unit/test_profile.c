/* How far from the peak: by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "run/profile.h"

#include <math.h>

enum { KERNELS = 4 };

static void near(double is, double should)
{
    if (!(fabs(is - should) <= 1e-9 * fabs(should)))
        fail_msg("%.17g, but by hand %.17g", is, should);
}

/* 100 GFLOP/s; 80 GB/s over 1 MB and 20 GB/s over 1 GB: half way between the logarithms, over 32 MB, 50. */
static const struct device_peak peak = {
    .flops = 100e9, .sizes = 3, .triad = {{1e3, 40e9}, {1e6, 80e9}, {1024e6, 20e9}}};

static struct profile_kernel kernel(const char *layer, enum step_part part, double seconds, double flops, double bytes)
{
    struct profile_kernel k = {.part = part, .effort = {.seconds = seconds, .flops = flops, .bytes = bytes}};
    snprintf(k.layer, sizeof k.layer, "%s", layer);
    return k;
}

static void compare(struct profile_phase *f, struct profile_kernel *list, struct profile_layer *layer, int layers,
                    const struct device_peak *p)
{
    *f = (struct profile_phase){
        .runs = 1, .seconds = 1, .kernels = KERNELS, .kernel = list, .layers = layers, .layer = layer};
    profile_compare(p, f);
}

/* A small triad counts as no slower than a larger one. Between two sizes the rate lies on a line over the logarithm. */
static void test_limits(void **state)
{
    (void)state;
    struct profile_phase f;
    struct profile_layer layer[] = {{.name = "a"}, {.name = "b"}};
    struct profile_kernel list[KERNELS] = {
        kernel("a", STEP_FORWARD, 2e-3, 100e6, 1e3), /* arithmetic: 1 ms */
        kernel("a", STEP_BACKWARD, 4e-3, 1e6, 32e6), /* bytes: 32 MB at 50 GB/s */
        kernel("b", STEP_UPDATE, 1, 0, 2048e6),      /* more than the largest: at 20 GB/s */
        kernel("b", STEP_FORWARD, 1e-6, 0, 800),     /* fewer than the smallest: at 80 */
    };
    compare(&f, list, layer, 2, &peak);
    near(list[0].effort.least, 1e-3);
    near(list[0].effort.least_memory, 0);
    near(list[1].effort.least, 32e6 / 50e9);
    near(list[1].effort.least_memory, 32e6 / 50e9);
    near(list[2].effort.least, 2048e6 / 20e9);
    near(list[3].effort.least, 800 / 80e9);
    near(layer[0].effort.seconds, 6e-3);
    near(layer[0].effort.least, 1e-3 + 32e6 / 50e9);
    near(layer[0].seconds[STEP_FORWARD], 2e-3);
    near(layer[0].seconds[STEP_BACKWARD], 4e-3);
    near(layer[1].seconds[STEP_UPDATE], 1);
    near(f.all.seconds, 6e-3 + 1 + 1e-6);
}

/* What is not known makes what depends on it unknown, and nothing else. */
static void test_unknown(void **state)
{
    (void)state;
    struct profile_phase f;
    struct profile_layer layer[] = {{.name = "a"}, {.name = "b"}};
    struct profile_kernel list[KERNELS] = {
        kernel("a", STEP_FORWARD, 1, NAN, 1e3),
        kernel("a", STEP_FORWARD, 1, 1, 1e3),
        kernel("b", STEP_FORWARD, 1, 1, 1e3),
        kernel("b", STEP_FORWARD, 1, 1, 1e3),
    };
    compare(&f, list, layer, 2, &peak);
    assert_true(isnan(list[0].effort.least) && isnan(layer[0].effort.least) && isnan(layer[0].effort.flops));
    assert_true(isnan(f.all.flops) && isnan(f.all.least));
    assert_true(isfinite(list[1].effort.least) && isfinite(layer[1].effort.least));
    near(f.all.seconds, 4);
    near(f.all.bytes, 4e3);
    const struct device_peak none = {.flops = 0};
    struct profile_layer again[] = {{.name = "a"}, {.name = "b"}};
    compare(&f, list, again, 2, &none);
    assert_true(isnan(list[2].effort.least) && isnan(again[1].effort.least));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_limits), cmocka_unit_test(test_unknown)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
