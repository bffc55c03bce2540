/* mov, cvt and cvta. */
#include <math.h>
#include <string.h>

#include "ptx_internal.h"
#include "convert.h"
#include "lanes.h"

enum rounding { ROUND_NONE, ROUND_NEAREST, ROUND_ZERO, ROUND_DOWN, ROUND_UP };
enum { ROUND_MASK = 7, FLUSH = 8, SATURATE = 16 }; /* in->mode of a conversion */

/* ---- mov ---- */

/* clang-format off */
OP1(mov_32, u32, u32, a)
OP1(mov_64, u64, u64, a)
OP2(pack_16, u32, u32, u32, a | b << 16)
OP2(pack_32, u64, u32, u32, a | (u64)b << 32)
/* clang-format on */

static void pack_4x16(struct warp *w, const struct insn *in)
{
    u64 *d = row(w, in->reg[0]);
    const u32 *a = row(w, in->reg[1]), *b = row(w, in->reg[2]), *c = row(w, in->reg[3]), *e = row(w, in->reg[4]);
    STORE_LANES(w, d, u64, a[l] | (u64)b[l] << 16 | (u64)c[l] << 32 | (u64)e[l] << 48)
}

/* dsts parts of equal width; the source may share a row with the first part. */
static void unpack(struct warp *w, const struct insn *in)
{
    u64 value[LANES];
    const unsigned bits = (unsigned)in->imm;
    const uint32_t source = in->reg[in->dsts];
    if (in->mode) {
        const u64 *a = row(w, source);
        EACH_LANE(l) value[l] = a[l];
    } else {
        const u32 *a = row(w, source);
        EACH_LANE(l) value[l] = a[l];
    }
    const u32 mask = bits == 16 ? 0xffff : ~0u;
    for (unsigned k = 0; k < in->dsts; k++) {
        u32 *d = row(w, in->reg[k]);
        STORE_LANES(w, d, u32, (u32)(value[l] >> (k * bits)) & mask)
    }
}

static char type_width(const char *type)
{
    return (char)(!strcmp(type, "pred") ? 'p' : strstr(type, "64") ? 'l' : strstr(type, "32") ? 'w' : 'h');
}

static void decode_mov(struct parser *p, const struct statement *s, struct insn *in)
{
    const char width = type_width(s->opcode + strlen("mov."));
    if (s->operands != 2 || s->opcode[3] != '.')
        unknown_form(p, s);
    const struct operand *to = &s->operand[0], *from = &s->operand[1];
    const uint32_t parts = to->braces ? to->count : from->braces ? from->count : 1;
    const unsigned bits = width == 'l' ? 64 : width == 'w' ? 32 : 16;
    const char part = (char)(bits / parts == 32 ? 'w' : bits / parts == 16 ? 'h' : 0);
    if (to->address || from->address || (to->braces && from->braces) || (parts > 1 && !part))
        unknown_form(p, s);
    if (to->braces) {
        for (uint32_t i = 0; i < parts; i++)
            add_destination(p, s, in, &to->element[i], part);
        add_source(p, s, in, &from->element[0], width);
        in->run = unpack;
        in->imm = (int64_t)(bits / parts);
        in->mode = width == 'l';
        return;
    }
    add_destination(p, s, in, &to->element[0], width);
    for (uint32_t i = 0; i < parts; i++)
        add_source(p, s, in, &from->element[i], parts > 1 ? part : width);
    in->run = parts == 4   ? pack_4x16
              : parts == 2 ? (width == 'l' ? pack_32 : pack_16)
                           : (width == 'l' ? mov_64 : mov_32);
}

/* ---- cvta: windows of the generic address space ---- */

static void move_window(struct warp *w, const struct insn *in)
{
    u64 *d = row(w, in->reg[0]);
    const u64 *a = row(w, in->reg[1]), shift = (u64)in->imm;
    STORE_LANES(w, d, u64, a[l] + shift)
}

static void decode_cvta(struct parser *p, const struct statement *s, struct insn *in)
{
    char part[NAME_BYTES];
    const char *at = s->opcode + strlen("cvta");
    bool to = false;
    uint64_t window = 0;
    while (next_part(&at, part)) {
        if (!strcmp(part, "to"))
            to = true;
        else if (!strcmp(part, "shared") || !strcmp(part, "shared::cta"))
            window = SHARED_WINDOW;
        else if (!strcmp(part, "local"))
            window = LOCAL_WINDOW;
        else if (!strcmp(part, "param"))
            window = PARAM_WINDOW;
        else if (strcmp(part, "global") && strcmp(part, "const") && strcmp(part, "u64"))
            unknown_form(p, s);
    }
    in->imm = (int64_t)(to ? 0 - window : window);
    in->run = move_window;
    decode_shape(p, s, in, "l=l");
}

/* ---- cvt ---- */

static inline f64 rounded(f64 x, int mode)
{
    if (mode & FLUSH && fabs(x) < 0x1p-126)
        return copysign(0, x);
    switch (mode & ROUND_MASK) {
    case ROUND_NEAREST:
        return nearbyint(x);
    case ROUND_ZERO:
        return trunc(x);
    case ROUND_DOWN:
        return floor(x);
    case ROUND_UP:
        return ceil(x);
    default:
        return x;
    }
}

/* Out of range gives the nearest value, NaN gives 0. `x` is integral. */
#define CLAMPED(T, MIN, TOP, MAX) (x != x ? 0 : x <= (f64)(MIN) ? (MIN) : x >= (TOP) ? (MAX) : (T)x)
#define TO_u8 CLAMPED(u8, 0, 255.0, UINT8_MAX)
#define TO_s8 CLAMPED(s8, INT8_MIN, 127.0, INT8_MAX)
#define TO_u16 CLAMPED(u16, 0, 65535.0, UINT16_MAX)
#define TO_s16 CLAMPED(s16, INT16_MIN, 32767.0, INT16_MAX)
#define TO_u32 CLAMPED(u32, 0, 4294967295.0, UINT32_MAX)
#define TO_s32 CLAMPED(s32, INT32_MIN, 2147483647.0, INT32_MAX)
#define TO_u64 CLAMPED(u64, 0, 0x1p64, UINT64_MAX)
#define TO_s64 CLAMPED(s64, INT64_MIN, 0x1p63, INT64_MAX)

/* Results of up to 32 bits are cut to the destination register by in->imm. */
#define KEEP_NARROW(x) ((u32)(x)&keep)
#define KEEP_WIDE(x) ((u64)(x))
/* clang-format off */
#define CONVERT(D, S, LANE, KEEP, EXPR)                                                         \
    static void D##_from_##S(struct warp *w, const struct insn *in) {                           \
        LANE *d = row(w, in->reg[0]);                                                           \
        const S##_lane *pa = row(w, in->reg[1]);                                                \
        const u32 keep = (u32)in->imm;                                                          \
        const int mode = in->mode;                                                              \
        (void)keep, (void)mode;                                                                 \
        STORE_LANES(w, d, LANE, ({ const S a = (S)pa[l]; KEEP(EXPR); }))                        \
    }
#define FROM_INTEGER(S)                                                                         \
    CONVERT(u8, S, u32, KEEP_NARROW, (u8)a) CONVERT(s8, S, u32, KEEP_NARROW, (s8)a)             \
    CONVERT(u16, S, u32, KEEP_NARROW, (u16)a) CONVERT(s16, S, u32, KEEP_NARROW, (s16)a)         \
    CONVERT(u32, S, u32, KEEP_NARROW, (u32)a) CONVERT(s32, S, u32, KEEP_NARROW, (s32)a)         \
    CONVERT(u64, S, u64, KEEP_WIDE, (u64)a) CONVERT(s64, S, u64, KEEP_WIDE, (s64)a)             \
    OP1(f32_from_##S, f32, S, (f32)a)                                                           \
    OP1(f64_from_##S, f64, S, (f64)a)
#define ROUND_TO(D) ({ const f64 x = rounded(a, mode); TO_##D; })
#define FROM_FLOAT(S)                                                                           \
    CONVERT(u8, S, u32, KEEP_NARROW, ROUND_TO(u8)) CONVERT(s8, S, u32, KEEP_NARROW, ROUND_TO(s8))       \
    CONVERT(u16, S, u32, KEEP_NARROW, ROUND_TO(u16)) CONVERT(s16, S, u32, KEEP_NARROW, ROUND_TO(s16))   \
    CONVERT(u32, S, u32, KEEP_NARROW, ROUND_TO(u32)) CONVERT(s32, S, u32, KEEP_NARROW, ROUND_TO(s32))   \
    CONVERT(u64, S, u64, KEEP_WIDE, ROUND_TO(u64)) CONVERT(s64, S, u64, KEEP_WIDE, ROUND_TO(s64))

FROM_INTEGER(u8)
FROM_INTEGER(s8)
FROM_INTEGER(u16)
FROM_INTEGER(s16)
FROM_INTEGER(u32)
FROM_INTEGER(s32)
FROM_INTEGER(u64)
FROM_INTEGER(s64)
FROM_FLOAT(f32)
FROM_FLOAT(f64)
/* clang-format on */

static inline f64 saturated(f64 x, int mode)
{
    return mode & SATURATE ? (x > 0 ? (x < 1 ? x : 1) : 0) : x;
}
static inline f32 flushed(f32 x, int mode)
{
    return mode & FLUSH && fabsf(x) < 0x1p-126f ? copysignf(0, x) : x;
}
/* clang-format off */
OP1(f32_from_f32, f32, f32, (f32)saturated(rounded(a, in->mode), in->mode))
OP1(f64_from_f64, f64, f64, saturated(rounded(a, in->mode & ~FLUSH), in->mode))
OP1(f64_from_f32, f64, f32, saturated(flushed(a, in->mode), in->mode))
OP1(f32_from_f64, f32, f64, flushed((f32)saturated(a, in->mode), in->mode))
OP1(f16_from_f32, u16, f32, half_from_float(a))
OP1(f32_from_f16, f32, u16, float_from_half(a))
OP1(bf16_from_f32, u16, f32, bfloat_from_float(a))
OP1(f32_from_bf16, f32, u16, float_from_bfloat(a))
OP1(tf32_from_f32, u32, f32, tf32_from_float(a))
OP2(bf16x2_from_f32, u32, f32, f32, bfloat_from_float(b) | (u32)bfloat_from_float(a) << 16)
OP2(f16x2_from_f32, u32, f32, f32, half_from_float(b) | (u32)half_from_float(a) << 16)
/* clang-format on */

struct conversion {
    const char *to, *from;
    handler run;
};

/* clang-format off */
#define ROW(D, S) {#D, #S, D##_from_##S}
#define ROWS_TO_INTEGER(S) \
    ROW(u8, S), ROW(s8, S), ROW(u16, S), ROW(s16, S), ROW(u32, S), ROW(s32, S), ROW(u64, S), ROW(s64, S)
/* clang-format on */
#define ROWS(S) ROWS_TO_INTEGER(S), ROW(f32, S), ROW(f64, S)

static const struct conversion conversions[] = {
    ROWS(u8),       ROWS(s8),       ROWS(u16),      ROWS(s16),        ROWS(u32),       ROWS(s32),
    ROWS(u64),      ROWS(s64),      ROWS(f32),      ROWS(f64),        ROW(f16, f32),   ROW(f32, f16),
    ROW(bf16, f32), ROW(f32, bf16), ROW(tf32, f32), ROW(bf16x2, f32), ROW(f16x2, f32),
};

static bool is_float(const char *type)
{
    return strchr(type, 'f') != NULL;
}

static char conversion_width(const char *type)
{
    return (char)(strstr(type, "64") ? 'l' : strstr(type, "32") || strstr(type, "x2") ? 'w' : 'h');
}

/* What is rounded how must be understood exactly: anything else is an unknown form. */
static bool rounding_fits(const char *to, const char *from, const char *rounding, uint8_t *mode)
{
    static const char *const integral[] = {"rni", "rzi", "rmi", "rpi"};
    for (uint8_t i = 0; i < 4; i++)
        if (!strcmp(rounding, integral[i])) {
            *mode |= (uint8_t)(ROUND_NEAREST + i);
            return is_float(from) && (!is_float(to) || !strcmp(to, from));
        }
    if (!strcmp(rounding, "rna"))
        return !strcmp(to, "tf32");
    const bool exact = is_float(to) == is_float(from) && strcmp(to, "f16") && strcmp(to, "bf16") &&
                       strcmp(to, "tf32") && !strstr(to, "x2") && !(!strcmp(to, "f32") && !strcmp(from, "f64"));
    return exact ? !*rounding : !strcmp(rounding, "rn") && is_float(to) && strcmp(to, "tf32");
}

static void decode_cvt(struct parser *p, const struct statement *s, struct insn *in)
{
    char part[NAME_BYTES], rounding[NAME_BYTES] = "", to[NAME_BYTES] = "", from[NAME_BYTES] = "";
    const char *at = s->opcode + strlen("cvt");
    while (next_part(&at, part)) {
        if (!strcmp(part, "ftz"))
            in->mode |= FLUSH;
        else if (!strcmp(part, "sat"))
            in->mode |= SATURATE;
        else if (part[0] == 'r')
            memcpy(rounding, part, sizeof part);
        else
            memcpy(*to ? from : to, part, sizeof part);
    }
    for (size_t i = 0; i < sizeof conversions / sizeof *conversions; i++)
        if (!strcmp(conversions[i].to, to) && !strcmp(conversions[i].from, from))
            in->run = conversions[i].run;
    const bool modes_fit = !(in->mode & SATURATE) || (is_float(to) && is_float(from) && !strchr(to + 1, '1'));
    if (!in->run || !modes_fit || !rounding_fits(to, from, rounding, &in->mode) ||
        s->operands != (strstr(to, "x2") ? 3u : 2u))
        unknown_form(p, s);
    /* Integers of up to 32 bits may go to and come from wider registers. */
    char to_width = element_width(p, &s->operand[0].element[0]), from_width = conversion_width(from);
    if (!(conversion_width(to) == 'h' && to_width == 'w' && !is_float(to)))
        to_width = conversion_width(to);
    if (from_width == 'h' && !is_float(from) && element_width(p, &s->operand[1].element[0]) == 'w')
        from_width = 'w';
    add_destination(p, s, in, &s->operand[0].element[0], to_width);
    for (uint32_t i = 1; i < s->operands; i++)
        add_source(p, s, in, &s->operand[i].element[0], from_width);
    in->imm = to_width == 'h' ? 0xffff : 0xffffffff;
}

const struct family families_convert[] = {{"mov", decode_mov}, {"cvt", decode_cvt}, {"cvta", decode_cvta}, {0}};
