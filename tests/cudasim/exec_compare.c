/* setp.COMPARISON[.and|.or|.xor][.ftz].TYPE p[|q], a, b [, [!]c]: p = compare OP c, q = !compare OP c. */
#include <string.h>

#include "ptx_internal.h"
#include "convert.h"
#include "lanes.h"

enum combination { COMBINE_NONE, COMBINE_AND, COMBINE_OR, COMBINE_XOR };
enum { SECOND = 4, NEGATE = 8, FLUSH = 16 }; /* in->mode: combination, and whether q, !c and .ftz are given */

static inline u32 combine(u32 t, u32 c, int how)
{
    return how == COMBINE_AND ? t & c : how == COMBINE_OR ? t | c : how == COMBINE_XOR ? t ^ c : t;
}

/* The general form: `t` holds the comparison of every lane. */
static void store_compare(struct warp *w, const struct insn *in, const u32 *t)
{
    const int how = in->mode & 3, second = in->mode & SECOND;
    u32 c[LANES] = {0};
    if (how != COMBINE_NONE) {
        const u32 *pc = row(w, in->reg[second ? 4 : 3]), flip = in->mode & NEGATE ? ~0u : 0;
        EACH_LANE(l) c[l] = pc[l] ^ flip;
    }
    pred *p = row(w, in->reg[0]);
    STORE_LANES(w, p, pred, combine(t[l], c[l], how))
    if (second) {
        pred *q = row(w, in->reg[1]);
        STORE_LANES(w, q, pred, combine(~t[l], c[l], how))
    }
}

#define OPERAND_u16(x) (u16)(x)
#define OPERAND_s16(x) (s16)(x)
#define OPERAND_u32(x) (x)
#define OPERAND_s32(x) (x)
#define OPERAND_u64(x) (x)
#define OPERAND_s64(x) (x)
#define OPERAND_f32(x) (in->mode & FLUSH ? flush_subnormal(x) : (x))
#define OPERAND_f64(x) (x)

/* clang-format off */
#define COMPARE(NAME, T, EXPR)                                                                          \
    static void NAME##_##T(struct warp *w, const struct insn *in) {                                     \
        const int first = in->dsts;                                                                     \
        const T##_lane *pa = row(w, in->reg[first]), *pb = row(w, in->reg[first + 1]);                  \
        if (in->mode) {                                                                                 \
            u32 t[LANES];                                                                               \
            EACH_LANE(l) {                                                                              \
                const T a = OPERAND_##T(pa[l]), b = OPERAND_##T(pb[l]);                                 \
                t[l] = -(u32)(EXPR);                                                                    \
            }                                                                                           \
            store_compare(w, in, t);                                                                    \
        } else {                                                                                        \
            pred *p = row(w, in->reg[0]);                                                               \
            STORE_LANES(w, p, pred, ({ const T a = (T)pa[l], b = (T)pb[l]; -(u32)(EXPR); }))            \
        }                                                                                               \
    }

#define ORDERED(T)                                                                                      \
    COMPARE(eq, T, a == b)                                                                              \
    COMPARE(ne, T, a != b)                                                                              \
    COMPARE(lt, T, a < b)                                                                               \
    COMPARE(le, T, a <= b)                                                                              \
    COMPARE(gt, T, a > b)                                                                               \
    COMPARE(ge, T, a >= b)
#define FLOATING(T)                                                                                     \
    COMPARE(eq, T, a == b)                                                                              \
    COMPARE(ne, T, a < b || a > b)                                                                      \
    COMPARE(lt, T, a < b)                                                                               \
    COMPARE(le, T, a <= b)                                                                              \
    COMPARE(gt, T, a > b)                                                                               \
    COMPARE(ge, T, a >= b)                                                                              \
    COMPARE(equ, T, !(a < b || a > b))                                                                  \
    COMPARE(neu, T, a != b)                                                                             \
    COMPARE(ltu, T, !(a >= b))                                                                          \
    COMPARE(leu, T, !(a > b))                                                                           \
    COMPARE(gtu, T, !(a <= b))                                                                          \
    COMPARE(geu, T, !(a < b))                                                                           \
    COMPARE(num, T, a == a && b == b)                                                                   \
    COMPARE(nan, T, a != a || b != b)

ORDERED(u16)
ORDERED(s16)
ORDERED(u32)
ORDERED(s32)
ORDERED(u64)
ORDERED(s64)
FLOATING(f32)
FLOATING(f64)
/* clang-format on */

struct comparison {
    const char *type, *name;
    handler run;
};

/* clang-format off */
#define ORDERED_ROWS(T)                                                                                 \
    {#T, "eq", eq_##T}, {#T, "ne", ne_##T}, {#T, "lt", lt_##T}, {#T, "le", le_##T}, {#T, "gt", gt_##T}, \
    {#T, "ge", ge_##T}
#define UNORDERED_ROWS(T)                                                                               \
    {#T, "equ", equ_##T}, {#T, "neu", neu_##T}, {#T, "ltu", ltu_##T}, {#T, "leu", leu_##T},             \
    {#T, "gtu", gtu_##T}, {#T, "geu", geu_##T}, {#T, "num", num_##T}, {#T, "nan", nan_##T}
/* clang-format on */

static const struct comparison comparisons[] = {
    ORDERED_ROWS(u16),     ORDERED_ROWS(s16),     ORDERED_ROWS(u32),     ORDERED_ROWS(s32),     ORDERED_ROWS(u64),
    ORDERED_ROWS(s64),     ORDERED_ROWS(f32),     ORDERED_ROWS(f64),     UNORDERED_ROWS(f32),   UNORDERED_ROWS(f64),
    {"b16", "eq", eq_u16}, {"b16", "ne", ne_u16}, {"b32", "eq", eq_u32}, {"b32", "ne", ne_u32}, {"b64", "eq", eq_u64},
    {"b64", "ne", ne_u64}, {"u16", "lo", lt_u16}, {"u16", "ls", le_u16}, {"u16", "hi", gt_u16}, {"u16", "hs", ge_u16},
    {"u32", "lo", lt_u32}, {"u32", "ls", le_u32}, {"u32", "hi", gt_u32}, {"u32", "hs", ge_u32}, {"u64", "lo", lt_u64},
    {"u64", "ls", le_u64}, {"u64", "hi", gt_u64}, {"u64", "hs", ge_u64},
};

static void decode_setp(struct parser *p, const struct statement *s, struct insn *in)
{
    char name[NAME_BYTES], part[NAME_BYTES], type[NAME_BYTES] = "";
    const char *at = s->opcode + strlen("setp");
    if (!next_part(&at, name))
        unknown_form(p, s);
    while (next_part(&at, part)) {
        if (!strcmp(part, "and"))
            in->mode |= COMBINE_AND;
        else if (!strcmp(part, "or"))
            in->mode |= COMBINE_OR;
        else if (!strcmp(part, "xor"))
            in->mode |= COMBINE_XOR;
        else if (!strcmp(part, "ftz"))
            in->mode |= FLUSH;
        else if (*at == 0)
            memcpy(type, part, sizeof type);
        else
            unknown_form(p, s);
    }
    for (size_t i = 0; i < sizeof comparisons / sizeof *comparisons; i++)
        if (!strcmp(comparisons[i].name, name) && !strcmp(comparisons[i].type, type))
            in->run = comparisons[i].run;
    const bool combined = (in->mode & 3) != COMBINE_NONE;
    if (!in->run || s->operands != (combined ? 4u : 3u))
        unknown_form(p, s);
    const char width = (char)(strstr(type, "64") ? 'l' : strstr(type, "32") ? 'w' : 'h');
    add_destination(p, s, in, &s->operand[0].element[0], 'p');
    if (s->operand[0].second.kind != OPERAND_NONE) {
        add_destination(p, s, in, &s->operand[0].second, 'p');
        in->mode |= SECOND;
    }
    add_source(p, s, in, &s->operand[1].element[0], width);
    add_source(p, s, in, &s->operand[2].element[0], width);
    if (combined) {
        struct element c = s->operand[3].element[0];
        in->mode |= c.negated ? NEGATE : 0;
        c.negated = false;
        add_source(p, s, in, &c, 'p');
    }
}

const struct family families_compare[] = {{"setp", decode_setp}, {0}};
