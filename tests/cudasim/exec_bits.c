/* Logic, shifts, bit fields, selection. */
#include "ptx_internal.h"
#include "lanes.h"

/* clang-format off */
#define LOGIC(T)                                                         \
    OP2(and_##T, T, T, T, a & b)                                         \
    OP2(or_##T, T, T, T, a | b)                                          \
    OP2(xor_##T, T, T, T, a ^ b)                                         \
    OP1(not_##T, T, T, ~a)
LOGIC(u16)
LOGIC(u32)
LOGIC(u64)
LOGIC(pred)
/* clang-format on */

/* Shift amounts above the width give 0, or the sign. */
/* clang-format off */
#define SHIFTS(U, S, BITS)                                               \
    OP2(shl_##U, U, U, u32, b < BITS ? (U)(a << (b & (BITS - 1))) : 0)   \
    OP2(shr_##U, U, U, u32, b < BITS ? (U)(a >> (b & (BITS - 1))) : 0)   \
    OP2(shr_##S, S, S, u32, a >> (b < BITS ? b : BITS - 1))
SHIFTS(u16, s16, 16)
SHIFTS(u32, s32, 32)
SHIFTS(u64, s64, 64)
/* clang-format on */

/* Funnel shifts of the pair b:a. */
#define FUNNEL_LEFT(a, b, n) (u32)(((u64)(b) << 32 | (a)) << (n) >> 32)
/* clang-format off */
OP3(shf_l_wrap, u32, u32, u32, u32, FUNNEL_LEFT(a, b, c & 31))
OP3(shf_r_wrap, u32, u32, u32, u32, (u32)(((u64)b << 32 | a) >> (c & 31)))
OP3(shf_l_clamp, u32, u32, u32, u32, c < 32 ? FUNNEL_LEFT(a, b, c & 31) : a)
OP3(shf_r_clamp, u32, u32, u32, u32, c < 32 ? (u32)(((u64)b << 32 | a) >> (c & 31)) : b)

OP1(popc_b32, u32, u32, (u32)__builtin_popcount(a))
OP1(popc_b64, u32, u64, (u32)__builtin_popcountll(a))
OP1(clz_b32, u32, u32, a ? (u32)__builtin_clz(a) : 32)
OP1(clz_b64, u32, u64, a ? (u32)__builtin_clzll(a) : 64)
/* clang-format on */

static inline u32 reverse32(u32 x)
{
    x = (x >> 1 & 0x55555555u) | (x & 0x55555555u) << 1;
    x = (x >> 2 & 0x33333333u) | (x & 0x33333333u) << 2;
    x = (x >> 4 & 0x0f0f0f0fu) | (x & 0x0f0f0f0fu) << 4;
    return __builtin_bswap32(x);
}
/* clang-format off */
OP1(brev_b32, u32, u32, reverse32(a))
OP1(brev_b64, u64, u64, (u64)reverse32((u32)a) << 32 | reverse32((u32)(a >> 32)))
/* clang-format on */

/* Position of the highest bit that differs from the sign (unsigned: highest one), ~0 if there is none. */
/* clang-format off */
OP1(bfind_u32, u32, u32, a ? 31 - (u32)__builtin_clz(a) : ~0u)
OP1(bfind_s32, u32, u32, ({ const u32 m = a ^ (u32)((s32)a >> 31); m ? 31 - (u32)__builtin_clz(m) : ~0u; }))
OP1(bfind_u64, u32, u64, a ? 63 - (u32)__builtin_clzll(a) : ~0u)
OP1(bfind_shift_u32, u32, u32, a ? (u32)__builtin_clz(a) : ~0u)
OP1(bfind_shift_s32, u32, u32, ({ const u32 m = a ^ (u32)((s32)a >> 31); m ? (u32)__builtin_clz(m) : ~0u; }))
OP1(bfind_shift_u64, u32, u64, a ? (u32)__builtin_clzll(a) : ~0u)
/* clang-format on */

/* `length` bits of a from `start`; the signed form extends the highest bit taken, or of a where it ends earlier. */
static inline u64 extract(u64 a, u32 start, u32 length, u32 width, bool is_signed)
{
    start &= 255;
    length &= 255;
    const u32 end = start + length;
    const u32 top = end < width ? end - 1 : width - 1;
    const u64 sign = is_signed && length && (a >> top & 1) ? ~0ull : 0;
    const u64 taken = start < width ? a >> start : 0;
    const u32 valid = start < width ? (end < width ? length : width - start) : 0;
    return valid >= 64 ? taken : (taken & ((1ull << valid) - 1)) | sign << valid;
}
/* clang-format off */
OP3(bfe_u32, u32, u32, u32, u32, (u32)extract(a, b, c, 32, false))
OP3(bfe_s32, u32, u32, u32, u32, (u32)extract(a, b, c, 32, true))
OP3(bfe_u64, u64, u64, u32, u32, extract(a, b, c, 64, false))
OP3(bfe_s64, u64, u64, u32, u32, extract(a, b, c, 64, true))
/* clang-format on */

static inline u64 insert(u64 a, u64 b, u32 start, u32 length, u32 width)
{
    start &= 255;
    length &= 255;
    if (start >= width || length == 0)
        return b;
    const u64 mask = (length >= 64 ? ~0ull : (1ull << length) - 1) << start;
    return (b & ~mask) | (a << start & mask);
}
/* clang-format off */
#define INSERT(T, BITS)                                                          \
    static void bfi_##T(struct warp *w, const struct insn *in) {                 \
        T *d = row(w, in->reg[0]);                                               \
        const T *a = row(w, in->reg[1]), *b = row(w, in->reg[2]);                \
        const u32 *start = row(w, in->reg[3]), *length = row(w, in->reg[4]);     \
        STORE_LANES(w, d, T, insert(a[l], b[l], start[l], length[l], BITS))      \
    }
INSERT(u32, 32)
INSERT(u64, 64)
/* clang-format on */

/* Each nibble of c chooses one of the 8 bytes of b:a; its highest bit replicates that byte's sign instead. */
static inline u32 permute(u32 a, u32 b, u32 c)
{
    const u64 pair = (u64)b << 32 | a;
    u32 result = 0;
    for (int i = 0; i < 4; i++) {
        const u32 choice = c >> (4 * i) & 15;
        const u32 byte = (u32)(pair >> (8 * (choice & 7))) & 255;
        result |= (choice & 8 ? (byte & 128 ? 255 : 0) : byte) << (8 * i);
    }
    return result;
}
/* clang-format off */
OP3(prmt_b32, u32, u32, u32, u32, permute(a, b, c))
/* clang-format on */

static void lop3_b32(struct warp *w, const struct insn *in)
{
    u32 *d = row(w, in->reg[0]);
    const u32 *a = row(w, in->reg[1]), *b = row(w, in->reg[2]), *c = row(w, in->reg[3]), *table = row(w, in->reg[4]);
    const u32 t = table[0]; /* an immediate */
#define TERM(i, A, B, C) (-(t >> (i)&1) & (A) & (B) & (C))
    STORE_LANES(w, d, u32,
                TERM(0, ~a[l], ~b[l], ~c[l]) | TERM(1, ~a[l], ~b[l], c[l]) | TERM(2, ~a[l], b[l], ~c[l]) |
                    TERM(3, ~a[l], b[l], c[l]) | TERM(4, a[l], ~b[l], ~c[l]) | TERM(5, a[l], ~b[l], c[l]) |
                    TERM(6, a[l], b[l], ~c[l]) | TERM(7, a[l], b[l], c[l]))
}

/* clang-format off */
OP3(selp_32, u32, u32, u32, pred, c ? a : b)
OP3(selp_64, u64, u64, u64, pred, c ? a : b)

#define LOGIC_ROWS(W, T, L)                                                                              \
    {"and." W, L "=" L L, and_##T}, {"or." W, L "=" L L, or_##T}, {"xor." W, L "=" L L, xor_##T},        \
    {"not." W, L "=" L, not_##T}
#define SHIFT_ROWS(W, U, S, L)                                                                           \
    {"shl.b" W, L "=" L "w", shl_##U}, {"shr.u" W, L "=" L "w", shr_##U}, {"shr.b" W, L "=" L "w", shr_##U}, \
    {"shr.s" W, L "=" L "w", shr_##S}
#define SELECT_ROWS(W, L, F)                                                                             \
    {"selp.b" W, L "=" L L "p", F}, {"selp.u" W, L "=" L L "p", F}, {"selp.s" W, L "=" L L "p", F}
/* clang-format on */

const struct form forms_bits[] = {
    LOGIC_ROWS("b16", u16, "h"),
    LOGIC_ROWS("b32", u32, "w"),
    LOGIC_ROWS("b64", u64, "l"),
    LOGIC_ROWS("pred", pred, "p"),
    SHIFT_ROWS("16", u16, s16, "h"),
    SHIFT_ROWS("32", u32, s32, "w"),
    SHIFT_ROWS("64", u64, s64, "l"),
    {"shf.l.wrap.b32", "w=www", shf_l_wrap},
    {"shf.r.wrap.b32", "w=www", shf_r_wrap},
    {"shf.l.clamp.b32", "w=www", shf_l_clamp},
    {"shf.r.clamp.b32", "w=www", shf_r_clamp},
    {"popc.b32", "w=w", popc_b32},
    {"popc.b64", "w=l", popc_b64},
    {"clz.b32", "w=w", clz_b32},
    {"clz.b64", "w=l", clz_b64},
    {"brev.b32", "w=w", brev_b32},
    {"brev.b64", "l=l", brev_b64},
    {"bfind.u32", "w=w", bfind_u32},
    {"bfind.s32", "w=w", bfind_s32},
    {"bfind.u64", "w=l", bfind_u64},
    {"bfind.shiftamt.u32", "w=w", bfind_shift_u32},
    {"bfind.shiftamt.s32", "w=w", bfind_shift_s32},
    {"bfind.shiftamt.u64", "w=l", bfind_shift_u64},
    {"bfe.u32", "w=www", bfe_u32},
    {"bfe.s32", "w=www", bfe_s32},
    {"bfe.u64", "l=lww", bfe_u64},
    {"bfe.s64", "l=lww", bfe_s64},
    {"bfi.b32", "w=wwww", bfi_u32},
    {"bfi.b64", "l=llww", bfi_u64},
    {"prmt.b32", "w=www", prmt_b32},
    {"lop3.b32", "w=wwww", lop3_b32},
    SELECT_ROWS("16", "h", selp_32),
    SELECT_ROWS("32", "w", selp_32),
    SELECT_ROWS("64", "l", selp_64),
    {"selp.f32", "w=wwp", selp_32},
    {"selp.f64", "l=llp", selp_64},
    {0},
};
