/* Integer arithmetic. Signed sums and products wrap, as on the device: they are computed unsigned. */
#include "ptx_internal.h"
#include "lanes.h"

/* clang-format off */
#define WRAPPING(T, U)                                                   \
    OP2(add_##T, T, T, T, (U)a + (U)b)                                   \
    OP2(sub_##T, T, T, T, (U)a - (U)b)                                   \
    OP1(neg_##T, T, T, 0 - (U)a)                                         \
    OP2(min_##T, T, T, T, a < b ? a : b)                                 \
    OP2(max_##T, T, T, T, a > b ? a : b)                                 \
    OP2(mul_lo_##T, T, T, T, (U)((U)a * (u64)(U)b))                      \
    OP3(mad_lo_##T, T, T, T, T, (U)((U)a * (u64)(U)b + (U)c))
/* clang-format on */

/* Division by zero gives all ones and the dividend, as observed on devices; the most negative number over -1 wraps. */
/* clang-format off */
#define DIVIDE_UNSIGNED(T)                                               \
    OP2(div_##T, T, T, T, b == 0 ? (T)-1 : (T)(a / (b ? b : 1)))         \
    OP2(rem_##T, T, T, T, b == 0 ? a : (T)(a % (b ? b : 1)))
#define DIVIDE_SIGNED(T, U)                                              \
    OP2(div_##T, T, T, T, b == 0 ? (U)-1 : b == -1 ? 0 - (U)a : (U)(a / (b == 0 || b == -1 ? 1 : b))) \
    OP2(rem_##T, T, T, T, b == 0 ? a : b == -1 ? 0 : (T)(a % (b == 0 || b == -1 ? 1 : b)))

WRAPPING(u16, u32)
WRAPPING(s16, u32)
WRAPPING(u32, u32)
WRAPPING(s32, u32)
WRAPPING(u64, u64)
WRAPPING(s64, u64)
DIVIDE_UNSIGNED(u16)
DIVIDE_UNSIGNED(u32)
DIVIDE_UNSIGNED(u64)
DIVIDE_SIGNED(s16, u32)
DIVIDE_SIGNED(s32, u32)
DIVIDE_SIGNED(s64, u64)

OP1(abs_s16, s16, s16, a < 0 ? 0 - (u32)a : (u32)a)
OP1(abs_s32, s32, s32, a < 0 ? 0 - (u32)a : (u32)a)
OP1(abs_s64, s64, s64, a < 0 ? 0 - (u64)a : (u64)a)

OP2(mul_hi_u16, u16, u16, u16, ((u32)a * b) >> 16)
OP2(mul_hi_s16, s16, s16, s16, ((s32)a * b) >> 16)
OP2(mul_hi_u32, u32, u32, u32, ((u64)a * b) >> 32)
OP2(mul_hi_s32, s32, s32, s32, ((s64)a * b) >> 32)
OP2(mul_hi_u64, u64, u64, u64, ((unsigned __int128)a * b) >> 64)
OP2(mul_hi_s64, s64, s64, s64, ((__int128)a * b) >> 64)
OP3(mad_hi_u32, u32, u32, u32, u32, (u32)(((u64)a * b) >> 32) + c)
OP3(mad_hi_s32, s32, s32, s32, s32, (u32)(((s64)a * b) >> 32) + (u32)c)

OP2(mul_wide_u16, u32, u16, u16, (u32)a * b)
OP2(mul_wide_s16, s32, s16, s16, (s32)a * b)
OP2(mul_wide_u32, u64, u32, u32, (u64)a * b)
OP2(mul_wide_s32, s64, s32, s32, (s64)a * b)
OP3(mad_wide_u16, u32, u16, u16, u32, (u32)a * b + c)
OP3(mad_wide_s16, s32, s16, s16, s32, (u32)((s32)a * b) + (u32)c)
OP3(mad_wide_u32, u64, u32, u32, u64, (u64)a * b + c)
OP3(mad_wide_s32, s64, s32, s32, s64, (u64)((s64)a * b) + (u64)c)
/* clang-format on */

/* 24-bit products. */
/* clang-format off */
OP2(mul24_lo_u32, u32, u32, u32, (a & 0xffffff) * (b & 0xffffff))
OP2(mul24_lo_s32, s32, s32, s32, (u32)((s64)((s32)((u32)a << 8) >> 8) * ((s32)((u32)b << 8) >> 8)))

OP3(sad_u32, u32, u32, u32, u32, c + (a < b ? b - a : a - b))
OP3(sad_s32, s32, s32, s32, s32, (u32)c + (a < b ? (u32)b - (u32)a : (u32)a - (u32)b))
/* clang-format on */

#define BYTE(T, x, i) ((T)((x) >> (8 * (i))))
/* clang-format off */
#define DOT4(TA, TB, a, b) \
    ((s32)BYTE(TA, a, 0) * BYTE(TB, b, 0) + (s32)BYTE(TA, a, 1) * BYTE(TB, b, 1) + \
     (s32)BYTE(TA, a, 2) * BYTE(TB, b, 2) + (s32)BYTE(TA, a, 3) * BYTE(TB, b, 3))
OP3(dp4a_s32_s32, u32, u32, u32, u32, (u32)DOT4(s8, s8, a, b) + c)
OP3(dp4a_u32_u32, u32, u32, u32, u32, (u32)DOT4(u8, u8, a, b) + c)
/* clang-format on */
#define HALF(T, x, i) ((T)((x) >> (16 * (i))))
/* clang-format off */
#define DOT2(TA, TB, a, b, half) \
    ((s32)HALF(TA, a, 0) * BYTE(TB, b, half) + (s32)HALF(TA, a, 1) * BYTE(TB, b, (half) + 1))
OP3(dp2a_lo_s32_u32, u32, u32, u32, u32, (u32)DOT2(s16, u8, a, b, 0) + c)
OP3(dp2a_hi_s32_u32, u32, u32, u32, u32, (u32)DOT2(s16, u8, a, b, 2) + c)
OP3(dp2a_lo_u32_u32, u32, u32, u32, u32, (u32)DOT2(u16, u8, a, b, 0) + c)
OP3(dp2a_hi_u32_u32, u32, u32, u32, u32, (u32)DOT2(u16, u8, a, b, 2) + c)

#define WRAPPING_ROWS(T, L)                                              \
    {"add." #T, L "=" L L, add_##T}, {"sub." #T, L "=" L L, sub_##T},    \
    {"min." #T, L "=" L L, min_##T}, {"max." #T, L "=" L L, max_##T},    \
    {"mul.lo." #T, L "=" L L, mul_lo_##T}, {"mad.lo." #T, L "=" L L L, mad_lo_##T}, \
    {"div." #T, L "=" L L, div_##T}, {"rem." #T, L "=" L L, rem_##T}, {"neg." #T, L "=" L, neg_##T}
/* clang-format on */

const struct form forms_integer[] = {
    WRAPPING_ROWS(u16, "h"),
    WRAPPING_ROWS(s16, "h"),
    WRAPPING_ROWS(u32, "w"),
    WRAPPING_ROWS(s32, "w"),
    WRAPPING_ROWS(u64, "l"),
    WRAPPING_ROWS(s64, "l"),
    {"abs.s16", "h=h", abs_s16},
    {"abs.s32", "w=w", abs_s32},
    {"abs.s64", "l=l", abs_s64},
    {"mul.hi.u16", "h=hh", mul_hi_u16},
    {"mul.hi.s16", "h=hh", mul_hi_s16},
    {"mul.hi.u32", "w=ww", mul_hi_u32},
    {"mul.hi.s32", "w=ww", mul_hi_s32},
    {"mul.hi.u64", "l=ll", mul_hi_u64},
    {"mul.hi.s64", "l=ll", mul_hi_s64},
    {"mad.hi.u32", "w=www", mad_hi_u32},
    {"mad.hi.s32", "w=www", mad_hi_s32},
    {"mul.wide.u16", "w=hh", mul_wide_u16},
    {"mul.wide.s16", "w=hh", mul_wide_s16},
    {"mul.wide.u32", "l=ww", mul_wide_u32},
    {"mul.wide.s32", "l=ww", mul_wide_s32},
    {"mad.wide.u16", "w=hhw", mad_wide_u16},
    {"mad.wide.s16", "w=hhw", mad_wide_s16},
    {"mad.wide.u32", "l=wwl", mad_wide_u32},
    {"mad.wide.s32", "l=wwl", mad_wide_s32},
    {"mul24.lo.u32", "w=ww", mul24_lo_u32},
    {"mul24.lo.s32", "w=ww", mul24_lo_s32},
    {"sad.u32", "w=www", sad_u32},
    {"sad.s32", "w=www", sad_s32},
    {"dp4a.s32.s32", "w=www", dp4a_s32_s32},
    {"dp4a.u32.u32", "w=www", dp4a_u32_u32},
    {"dp2a.lo.s32.u32", "w=www", dp2a_lo_s32_u32},
    {"dp2a.hi.s32.u32", "w=www", dp2a_hi_s32_u32},
    {"dp2a.lo.u32.u32", "w=www", dp2a_lo_u32_u32},
    {"dp2a.hi.u32.u32", "w=www", dp2a_hi_u32_u32},
    {0},
};
