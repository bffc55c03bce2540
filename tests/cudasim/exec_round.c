/* Arithmetic with directed rounding. Compiled with -frounding-math. */
#include <fenv.h>

#include "ptx_internal.h"
#include "lanes.h"

#define FENCE() __asm__ volatile("" ::: "memory")

#define ROUNDED(MODE, SUFFIX)                                                                              \
    static void enter_##SUFFIX(void) {                                                                     \
        fesetround(MODE);                                                                                  \
        FENCE();                                                                                           \
    }                                                                                                      \
    ROUNDED2(add, SUFFIX, f32, a + b)                                                                      \
    ROUNDED2(mul, SUFFIX, f32, a * b)                                                                      \
    ROUNDED2(add, SUFFIX, f64, a + b)                                                                      \
    ROUNDED2(mul, SUFFIX, f64, a * b)                                                                      \
    ROUNDED2(div, SUFFIX, f32, a / b)                                                                      \
    OP3(fma_##SUFFIX##_f32_body, f32, f32, f32, f32, __builtin_fmaf(a, b, c))                              \
    OP3(fma_##SUFFIX##_f64_body, f64, f64, f64, f64, __builtin_fma(a, b, c))                               \
    WRAPPED(fma_##SUFFIX##_f32, SUFFIX)                                                                    \
    WRAPPED(fma_##SUFFIX##_f64, SUFFIX)

#define ROUNDED2(OP, SUFFIX, T, EXPR)                                    \
    OP2(OP##_##SUFFIX##_##T##_body, T, T, T, EXPR)                       \
    WRAPPED(OP##_##SUFFIX##_##T, SUFFIX)

#define WRAPPED(NAME, SUFFIX)                                            \
    static void NAME(struct warp *w, const struct insn *in) {            \
        enter_##SUFFIX();                                                \
        NAME##_body(w, in);                                              \
        FENCE();                                                         \
        fesetround(FE_TONEAREST);                                        \
    }

ROUNDED(FE_TOWARDZERO, rz)
ROUNDED(FE_DOWNWARD, rm)
ROUNDED(FE_UPWARD, rp)

#define ROUNDED_ROWS(S)                                                                                         \
    {"add." #S ".f32", "w=ww", add_##S##_f32}, {"mul." #S ".f32", "w=ww", mul_##S##_f32},                       \
    {"fma." #S ".f32", "w=www", fma_##S##_f32}, {"add." #S ".f64", "l=ll", add_##S##_f64},                      \
    {"mul." #S ".f64", "l=ll", mul_##S##_f64}, {"fma." #S ".f64", "l=lll", fma_##S##_f64},                      \
    {"div." #S ".f32", "w=ww", div_##S##_f32}

const struct form forms_round[] = {ROUNDED_ROWS(rz), ROUNDED_ROWS(rm), ROUNDED_ROWS(rp), {0}};
