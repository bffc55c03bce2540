/* Arithmetic with directed rounding. Compiled with -frounding-math. */
#include <fenv.h>

#include "ptx_internal.h"
#include "convert.h"
#include "lanes.h"

#define FENCE() __asm__ volatile("" ::: "memory")

/* clang-format off */
#define WRAPPED(NAME, SUFFIX)                                            \
    static void NAME(struct warp *w, const struct insn *in) {            \
        enter_##SUFFIX();                                                \
        NAME##_body(w, in);                                              \
        FENCE();                                                         \
        fesetround(FE_TONEAREST);                                        \
    }
#define ROUNDED2(NAME, SUFFIX, T, EXPR)                                  \
    OP2(NAME##_body, T, T, T, EXPR)                                      \
    WRAPPED(NAME, SUFFIX)
#define ROUNDED3(NAME, SUFFIX, T, EXPR)                                  \
    OP3(NAME##_body, T, T, T, T, EXPR)                                   \
    WRAPPED(NAME, SUFFIX)
/* clang-format on */

#define Z(x) flush_subnormal(x)
/* clang-format off */
#define ROUNDED(MODE, SUFFIX)                                                                           \
    static void enter_##SUFFIX(void) {                                                                  \
        fesetround(MODE);                                                                               \
        FENCE();                                                                                        \
    }                                                                                                   \
    ROUNDED2(add_##SUFFIX##_f32, SUFFIX, f32, a + b)                                                    \
    ROUNDED2(mul_##SUFFIX##_f32, SUFFIX, f32, a * b)                                                    \
    ROUNDED2(div_##SUFFIX##_f32, SUFFIX, f32, a / b)                                                    \
    ROUNDED3(fma_##SUFFIX##_f32, SUFFIX, f32, __builtin_fmaf(a, b, c))                                  \
    ROUNDED2(add_##SUFFIX##_ftz_f32, SUFFIX, f32, Z(Z(a) + Z(b)))                                       \
    ROUNDED2(mul_##SUFFIX##_ftz_f32, SUFFIX, f32, Z(Z(a) * Z(b)))                                       \
    ROUNDED2(div_##SUFFIX##_ftz_f32, SUFFIX, f32, Z(Z(a) / Z(b)))                                       \
    ROUNDED3(fma_##SUFFIX##_ftz_f32, SUFFIX, f32, Z(__builtin_fmaf(Z(a), Z(b), Z(c))))                  \
    ROUNDED2(add_##SUFFIX##_f64, SUFFIX, f64, a + b)                                                    \
    ROUNDED2(mul_##SUFFIX##_f64, SUFFIX, f64, a * b)                                                    \
    ROUNDED3(fma_##SUFFIX##_f64, SUFFIX, f64, __builtin_fma(a, b, c))

ROUNDED(FE_TOWARDZERO, rz)
ROUNDED(FE_DOWNWARD, rm)
ROUNDED(FE_UPWARD, rp)

#define ROUNDED_ROWS(S)                                                                                 \
    {"add." #S ".f32", "w=ww", add_##S##_f32}, {"add." #S ".ftz.f32", "w=ww", add_##S##_ftz_f32},       \
    {"mul." #S ".f32", "w=ww", mul_##S##_f32}, {"mul." #S ".ftz.f32", "w=ww", mul_##S##_ftz_f32},       \
    {"div." #S ".f32", "w=ww", div_##S##_f32}, {"div." #S ".ftz.f32", "w=ww", div_##S##_ftz_f32},       \
    {"fma." #S ".f32", "w=www", fma_##S##_f32}, {"fma." #S ".ftz.f32", "w=www", fma_##S##_ftz_f32},     \
    {"add." #S ".f64", "l=ll", add_##S##_f64}, {"mul." #S ".f64", "l=ll", mul_##S##_f64},               \
    {"fma." #S ".f64", "l=lll", fma_##S##_f64}
/* clang-format on */

const struct form forms_round[] = {ROUNDED_ROWS(rz), ROUNDED_ROWS(rm), ROUNDED_ROWS(rp), {0}};
