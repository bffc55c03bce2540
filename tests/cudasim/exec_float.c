/* Floating-point arithmetic, rounded to nearest even. `.ftz` flushes subnormal operands and results to signed zero.
 * The approximations (ex2, lg2, rcp, ...) are computed by libm: as close as a device's, not bit-equal to it. */
#include <math.h>
#include <string.h>

#include "ptx_internal.h"
#include "convert.h"
#include "lanes.h"

static inline u64 bits64(f64 x)
{
    u64 u;
    memcpy(&u, &x, sizeof u);
    return u;
}

static inline f64 float64(u64 u)
{
    f64 x;
    memcpy(&x, &u, sizeof x);
    return x;
}

static inline f32 saturate(f32 x)
{
    return x > 0 ? (x < 1 ? x : 1) : 0; /* NaN becomes 0 */
}

/* One NaN gives the other operand; -0 < +0. */
static inline f32 min32(f32 a, f32 b)
{
    return a != a ? b : b != b ? a : a < b ? a : b < a ? b : bits_float(float_bits(a) | float_bits(b));
}

static inline f32 max32(f32 a, f32 b)
{
    return a != a ? b : b != b ? a : a > b ? a : b > a ? b : bits_float(float_bits(a) & float_bits(b));
}

static inline f64 min64(f64 a, f64 b)
{
    return a != a ? b : b != b ? a : a < b ? a : b < a ? b : float64(bits64(a) | bits64(b));
}

static inline f64 max64(f64 a, f64 b)
{
    return a != a ? b : b != b ? a : a > b ? a : b > a ? b : float64(bits64(a) & bits64(b));
}

#define Z(x) flush_subnormal(x)
#define CANONICAL_NAN bits_float(0x7fffffffu)

/* The same operation plain and flushing. */
/* clang-format off */
#define FLOAT1(NAME, EXPR)                                               \
    OP1(NAME##_f32, f32, f32, EXPR)                                      \
    OP1(NAME##_ftz_f32, f32, f32, ({ const f32 x = Z(a); ({ const f32 a = x; Z(EXPR); }); }))
#define FLOAT2(NAME, EXPR)                                               \
    OP2(NAME##_f32, f32, f32, f32, EXPR)                                 \
    OP2(NAME##_ftz_f32, f32, f32, f32,                                   \
        ({ const f32 x = Z(a), y = Z(b); ({ const f32 a = x, b = y; Z(EXPR); }); }))

FLOAT2(add, a + b)
FLOAT2(sub, a - b)
FLOAT2(mul, a * b)
FLOAT2(div, a / b)
FLOAT2(min, min32(a, b))
FLOAT2(max, max32(a, b))
FLOAT2(min_nan, a != a || b != b ? CANONICAL_NAN : min32(a, b))
FLOAT2(max_nan, a != a || b != b ? CANONICAL_NAN : max32(a, b))
FLOAT1(neg, -a)
FLOAT1(abs, fabsf(a))
FLOAT1(sqrt, sqrtf(a))
FLOAT1(rcp, 1 / a)
FLOAT1(rsqrt, 1 / sqrtf(a))
FLOAT1(ex2, exp2f(a))
FLOAT1(lg2, log2f(a))
FLOAT1(sin, sinf(a))
FLOAT1(cos, cosf(a))
OP1(tanh_f32, f32, f32, tanhf(a))
OP3(fma_f32, f32, f32, f32, f32, __builtin_fmaf(a, b, c))
OP3(fma_ftz_f32, f32, f32, f32, f32, Z(__builtin_fmaf(Z(a), Z(b), Z(c))))
OP2(add_sat_f32, f32, f32, f32, saturate(a + b))
OP2(mul_sat_f32, f32, f32, f32, saturate(a * b))
OP3(fma_sat_f32, f32, f32, f32, f32, saturate(__builtin_fmaf(a, b, c)))
OP2(add_ftz_sat_f32, f32, f32, f32, saturate(Z(a) + Z(b)))
OP2(mul_ftz_sat_f32, f32, f32, f32, saturate(Z(Z(a) * Z(b))))
OP3(fma_ftz_sat_f32, f32, f32, f32, f32, saturate(Z(__builtin_fmaf(Z(a), Z(b), Z(c)))))
OP2(copysign_f32, f32, f32, f32, copysignf(b, a))

OP2(add_f64, f64, f64, f64, a + b)
OP2(sub_f64, f64, f64, f64, a - b)
OP2(mul_f64, f64, f64, f64, a * b)
OP2(div_f64, f64, f64, f64, a / b)
OP2(min_f64, f64, f64, f64, min64(a, b))
OP2(max_f64, f64, f64, f64, max64(a, b))
OP1(neg_f64, f64, f64, -a)
OP1(abs_f64, f64, f64, fabs(a))
OP1(sqrt_f64, f64, f64, sqrt(a))
OP1(rcp_f64, f64, f64, 1 / a)
OP1(rsqrt_f64, f64, f64, 1 / sqrt(a))
OP3(fma_f64, f64, f64, f64, f64, __builtin_fma(a, b, c))
OP2(copysign_f64, f64, f64, f64, copysign(b, a))
/* clang-format on */
/* The double approximations see and give the upper 32 bits only. */
#define UPPER(x) float64(bits64(x) & 0xffffffff00000000ull)
/* clang-format off */
OP1(rcp_approx_f64, f64, f64, UPPER(1 / UPPER(a)))
OP1(rsqrt_approx_f64, f64, f64, UPPER(1 / sqrt(UPPER(a))))

#define TESTS(T, FINITE, NORMAL)                                         \
    OP1(finite_##T, pred, T, -(pred)(FINITE))                            \
    OP1(infinite_##T, pred, T, -(pred)(a == a && !(FINITE)))             \
    OP1(number_##T, pred, T, -(pred)(a == a))                            \
    OP1(nan_##T, pred, T, -(pred)(a != a))                               \
    OP1(normal_##T, pred, T, -(pred)((FINITE) && (NORMAL)))              \
    OP1(subnormal_##T, pred, T, -(pred)((FINITE) && a != 0 && !(NORMAL)))
TESTS(f32, (float_bits(a) & 0x7f800000u) != 0x7f800000u, (float_bits(a) & 0x7f800000u) != 0)
TESTS(f64, (bits64(a) >> 52 & 2047) != 2047, (bits64(a) >> 52 & 2047) != 0)

#define BOTH(NAME, SHAPE, F) {NAME ".f32", SHAPE, F##_f32}, {NAME ".ftz.f32", SHAPE, F##_ftz_f32}
#define SATURATING(NAME, SHAPE, F) {NAME ".sat.f32", SHAPE, F##_sat_f32}, {NAME ".ftz.sat.f32", SHAPE, F##_ftz_sat_f32}
#define TEST_ROWS(T, L)                                                  \
    {"testp.finite." #T, "p=" L, finite_##T}, {"testp.infinite." #T, "p=" L, infinite_##T}, \
    {"testp.number." #T, "p=" L, number_##T}, {"testp.notanumber." #T, "p=" L, nan_##T},    \
    {"testp.normal." #T, "p=" L, normal_##T}, {"testp.subnormal." #T, "p=" L, subnormal_##T}
/* clang-format on */

const struct form forms_float[] = {
    BOTH("add", "w=ww", add),
    BOTH("add.rn", "w=ww", add),
    BOTH("sub", "w=ww", sub),
    BOTH("sub.rn", "w=ww", sub),
    BOTH("mul", "w=ww", mul),
    BOTH("mul.rn", "w=ww", mul),
    BOTH("fma.rn", "w=www", fma),
    SATURATING("add", "w=ww", add),
    SATURATING("add.rn", "w=ww", add),
    SATURATING("mul", "w=ww", mul),
    SATURATING("mul.rn", "w=ww", mul),
    SATURATING("fma.rn", "w=www", fma),
    BOTH("div.rn", "w=ww", div),
    BOTH("div.full", "w=ww", div),
    BOTH("div.approx", "w=ww", div),
    BOTH("min", "w=ww", min),
    BOTH("max", "w=ww", max),
    {"min.NaN.f32", "w=ww", min_nan_f32},
    {"min.ftz.NaN.f32", "w=ww", min_nan_ftz_f32},
    {"max.NaN.f32", "w=ww", max_nan_f32},
    {"max.ftz.NaN.f32", "w=ww", max_nan_ftz_f32},
    BOTH("neg", "w=w", neg),
    BOTH("abs", "w=w", abs),
    BOTH("sqrt.rn", "w=w", sqrt),
    BOTH("sqrt.approx", "w=w", sqrt),
    BOTH("rcp.rn", "w=w", rcp),
    BOTH("rcp.approx", "w=w", rcp),
    BOTH("rsqrt.approx", "w=w", rsqrt),
    BOTH("ex2.approx", "w=w", ex2),
    BOTH("lg2.approx", "w=w", lg2),
    BOTH("sin.approx", "w=w", sin),
    BOTH("cos.approx", "w=w", cos),
    {"tanh.approx.f32", "w=w", tanh_f32},
    {"copysign.f32", "w=ww", copysign_f32},
    {"add.f64", "l=ll", add_f64},
    {"add.rn.f64", "l=ll", add_f64},
    {"sub.f64", "l=ll", sub_f64},
    {"sub.rn.f64", "l=ll", sub_f64},
    {"mul.f64", "l=ll", mul_f64},
    {"mul.rn.f64", "l=ll", mul_f64},
    {"fma.rn.f64", "l=lll", fma_f64},
    {"div.rn.f64", "l=ll", div_f64},
    {"min.f64", "l=ll", min_f64},
    {"max.f64", "l=ll", max_f64},
    {"neg.f64", "l=l", neg_f64},
    {"abs.f64", "l=l", abs_f64},
    {"sqrt.rn.f64", "l=l", sqrt_f64},
    {"rcp.rn.f64", "l=l", rcp_f64},
    {"rcp.approx.ftz.f64", "l=l", rcp_approx_f64},
    {"rsqrt.approx.f64", "l=l", rsqrt_f64},
    {"rsqrt.approx.ftz.f64", "l=l", rsqrt_approx_f64},
    {"copysign.f64", "l=ll", copysign_f64},
    TEST_ROWS(f32, "w"),
    TEST_ROWS(f64, "l"),
    {0},
};
