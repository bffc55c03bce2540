/* exp, tanh and erf of emitted C (compiler/emit/functions.c.txt) beside libm's in double: over all exponents, where pieces meet, and
 * what is not finite. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <float.h>
#include <math.h>

#define WIDE 0
#define LANES 4
typedef float real;
typedef float V __attribute__((vector_size(16)));
typedef int32_t M __attribute__((vector_size(16)));
typedef int32_t I __attribute__((vector_size(16)));
#define sel(m, a, b) ((V)(((M)(a) & (m)) | ((M)(b) & ~(m))))
static inline V vec(float x)
{
    return x - (V){0};
}
#define LANEWISE(name, call)
#include "emit/functions.c.txt"

static const struct function {
    const char *name;
    V (*mine)(V);
    double (*exact)(double);
    double ulp; /* may be off by so much */
} functions[] = {{"exp", v_exp, exp, 1.5}, {"tanh", v_tanh, tanh, 1.5}, {"erf", v_erf, erf, 1.5}};

/* Distance in units of the last place of the exact value, rounded to float. Below all normal numbers, 0 is as good. */
static double ulp_off(float got, double exact)
{
    if (isnan(exact) || isinf((float)exact))
        return isnan(exact) ? !isnan(got) * 1e9 : (got != (float)exact) * 1e9;
    if (fabs(exact) < FLT_MIN && !got)
        return 0;
    int exponent;
    frexp(exact, &exponent);
    return fabs(got - exact) / ldexp(1, (exponent < -125 ? -125 : exponent) - 24);
}

static void compare(const struct function *f, float x, double *worst)
{
    const double off = ulp_off(f->mine(vec(x))[0], f->exact(x));
    if (!(off <= f->ulp))
        fail_msg("%s(%a) is %a: %g units of the last place off", f->name, (double)x, (double)f->mine(vec(x))[0], off);
    *worst = fmax(*worst, off);
}

static void test_accuracy(void **state)
{
    (void)state;
    const float special[] = {0, -0.0f, 0.55f, 1, 4, 9.1f, 88.7f, 87.3f, 89, 1e30f, 1e-30f, 1e-40f, INFINITY, NAN};
    for (size_t k = 0; k < sizeof functions / sizeof *functions; k++) {
        const struct function *f = &functions[k];
        double worst = 0;
        for (size_t i = 0; i < sizeof special / sizeof *special; i++)
            for (float at = special[i], x = nextafterf(at, -INFINITY), end = nextafterf(at, INFINITY);;
                 x = nextafterf(x, end)) {
                compare(f, x, &worst);
                compare(f, -x, &worst);
                if (!(x < end))
                    break;
            }
        for (uint32_t bits = 0; bits < 0x7f800000;
             bits += 997) { /* every 997th positive number, and the negative ones */
            union {
                uint32_t u;
                float f;
            } x = {bits};
            compare(f, x.f, &worst);
            compare(f, -x.f, &worst);
        }
        print_message("%s: %.2f units of the last place at most\n", f->name, worst);
    }
}

static void test_signs(void **state)
{
    (void)state;
    for (size_t k = 1; k < sizeof functions / sizeof *functions; k++) {
        assert_true(signbit(functions[k].mine(vec(-0.0f))[0]));
        assert_false(signbit(functions[k].mine(vec(0.0f))[0]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_accuracy), cmocka_unit_test(test_signs)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
