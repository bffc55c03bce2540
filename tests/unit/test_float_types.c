/* Other precisions as float, at the ends of their ranges: numpy's values (ml_dtypes' for bfloat16). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "data/float_types.h"

static void check(enum st_type type, const void *from, float expected)
{
    float value;
    float_values(type, from, 1, &value);
    assert_true(isnan(expected) ? isnan(value) : !memcmp(&value, &expected, sizeof value));
}

static void test_halves(void **state)
{
    (void)state;
    static const struct {
        uint16_t bits;
        float value;
    } f16[] = {
        {0x0000, 0},
        {0x8000, -0.0f},
        {0x0001, 0x1p-24f},
        {0x8001, -0x1p-24f},
        {0x03ff, 1023 * 0x1p-24f},
        {0x0400, 0x1p-14f},
        {0x3555, 0.333251953125f},
        {0x3c00, 1},
        {0x7bff, 65504},
        {0xfbff, -65504},
        {0x7c00, INFINITY},
        {0xfc00, -INFINITY},
        {0x7e00, NAN},
    };
    static const struct {
        uint16_t bits;
        float value;
    } bf16[] = {
        {0x0000, 0},           {0x8000, -0.0f},     {0x0001, 0x1p-133f}, {0x3eab, 0.333984375f},
        {0x7f7f, 0x1.fep127f}, {0xff80, -INFINITY}, {0x7fc0, NAN},
    };
    for (size_t i = 0; i < sizeof f16 / sizeof *f16; i++)
        check(ST_F16, &f16[i].bits, f16[i].value);
    for (size_t i = 0; i < sizeof bf16 / sizeof *bf16; i++)
        check(ST_BF16, &bf16[i].bits, bf16[i].value);
}

static void test_doubles(void **state)
{
    (void)state;
    static const struct {
        double from;
        float value;
    } f64[] = {
        {0.1, 0.1f}, {1 + 0x1p-24, 1}, {1 + 0x1.8p-23, 1 + 0x1p-22f}, {-1e-300, -0.0f}, {1e300, INFINITY}, {NAN, NAN},
    };
    for (size_t i = 0; i < sizeof f64 / sizeof *f64; i++)
        check(ST_F64, &f64[i].from, f64[i].value);
    check(ST_F32, &(float){0.1f}, 0.1f);
    assert_true(float_type(ST_F16) && float_type(ST_F32) && !float_type(ST_I64) && !float_type(ST_F8_E5M2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_halves), cmocka_unit_test(test_doubles)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
