/* atom and red. Lanes are served in order; integer results do not depend on the order of blocks unless the old value
 * is used. Kernels for which the order of blocks can matter are marked and run in order. */
#include <string.h>

#include "ptx_internal.h"
#include "reach.h"

enum operation { OP_ADD, OP_MIN, OP_MAX, OP_AND, OP_OR, OP_XOR, OP_EXCH, OP_CAS, OP_INC, OP_DEC };
enum number_type { TYPE_UNSIGNED, TYPE_SIGNED, TYPE_FLOAT };

static u64 widen(u64 bits, const struct insn *in)
{
    return in->bytes == 4 ? in->is_signed ? (u64)(s64)(s32)(u32)bits : (u32)bits : bits;
}

static u64 add_float(u64 a, u64 b, unsigned bytes)
{
    u64 result = 0;
    if (bytes == 4) {
        float x, y;
        memcpy(&x, &a, 4);
        memcpy(&y, &b, 4);
        x += y;
        memcpy(&result, &x, 4);
    } else {
        double x, y;
        memcpy(&x, &a, 8);
        memcpy(&y, &b, 8);
        x += y;
        memcpy(&result, &x, 8);
    }
    return result;
}

/* in->mode: operation, and the type of number shifted by 4. */
static u64 apply(const struct insn *in, u64 old, u64 b, u64 c)
{
    const bool is_signed = in->mode >> 4 == TYPE_SIGNED;
    switch (in->mode & 15) {
    case OP_ADD:
        return in->mode >> 4 == TYPE_FLOAT ? add_float(old, b, in->bytes) : old + b;
    case OP_MIN:
        return (is_signed ? (s64)b < (s64)old : b < old) ? b : old;
    case OP_MAX:
        return (is_signed ? (s64)b > (s64)old : b > old) ? b : old;
    case OP_AND:
        return old & b;
    case OP_OR:
        return old | b;
    case OP_XOR:
        return old ^ b;
    case OP_EXCH:
        return b;
    case OP_CAS:
        return old == b ? c : old;
    case OP_INC:
        return old >= b ? 0 : old + 1;
    default:
        return old == 0 || old > b ? b : old - 1;
    }
}

static u64 update32(uint32_t *at, const struct insn *in, u64 b, u64 c)
{
    uint32_t old = __atomic_load_n(at, __ATOMIC_RELAXED);
    while (!__atomic_compare_exchange_n(at, &old, (uint32_t)apply(in, widen(old, in), b, c), false, __ATOMIC_ACQ_REL,
                                        __ATOMIC_RELAXED))
        continue;
    return old;
}

static u64 update64(uint64_t *at, const struct insn *in, u64 b, u64 c)
{
    uint64_t old = __atomic_load_n(at, __ATOMIC_RELAXED);
    while (!__atomic_compare_exchange_n(at, &old, apply(in, old, b, c), false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
        continue;
    return old;
}

static u64 operand(const struct warp *w, const struct insn *in, unsigned source, int lane)
{
    if (source >= in->srcs)
        return 0;
    const void *from = row(w, in->reg[in->dsts + source]);
    return in->bytes == 8 ? ((const u64 *)from)[lane] : widen(((const u32 *)from)[lane], in);
}

static void atomic(struct warp *w, const struct insn *in)
{
    struct reach r;
    u64 old[LANES] = {0};
    reach_lanes(w, in, in->reg[in->dsts], true, &r);
    if (in->space != SPACE_SHARED)
        w->worker->acquired = true;
    for (uint32_t left = w->mask; left; left &= left - 1) {
        const int lane = __builtin_ctz(left);
        const u64 b = operand(w, in, 1, lane), c = operand(w, in, 2, lane);
        void *at = reached(&r, lane);
        old[lane] = in->bytes == 4 ? update32(at, in, b, c) : update64(at, in, b, c);
    }
    if (in->dsts && in->bytes == 8) {
        u64 *d = row(w, in->reg[0]);
        STORE_LANES(w, d, u64, old[l])
    } else if (in->dsts) {
        u32 *d = row(w, in->reg[0]);
        STORE_LANES(w, d, u32, (u32)old[l])
    }
}

static bool is_scope(const char *part)
{
    static const char *const words[] = {"relaxed", "acquire", "release", "acq_rel", "cta", "cluster", "gpu", "sys"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (!strcmp(part, words[i]))
            return true;
    return false;
}

static int find_operation(const char *part)
{
    static const char *const names[] = {"add", "min", "max", "and", "or", "xor", "exch", "cas", "inc", "dec"};
    for (int i = 0; i < 10; i++)
        if (!strcmp(part, names[i]))
            return i;
    return -1;
}

static void decode_atomic(struct parser *p, const struct statement *s, struct insn *in)
{
    char part[NAME_BYTES], type[NAME_BYTES] = "";
    const bool returns = s->opcode[0] == 'a';
    const char *at = strchr(s->opcode, '.');
    int operation = -1;
    in->space = SPACE_GENERIC;
    while (at && next_part(&at, part)) {
        if (memory_space(part, &in->space) || is_scope(part))
            continue;
        if (operation < 0)
            operation = find_operation(part);
        else if (!*type)
            memcpy(type, part, sizeof part);
        else
            unknown_form(p, s);
        if (operation < 0)
            unknown_form(p, s);
    }
    const bool is_float = type[0] == 'f', wide = !strcmp(type + (*type != 0), "64");
    const bool valid = strchr("busf", type[0]) && *type && (wide || !strcmp(type + 1, "32")) &&
                       (!is_float || operation == OP_ADD) && in->space != SPACE_CONST && in->space != SPACE_PARAM &&
                       in->space != SPACE_LOCAL && s->operands == 2u + returns + (operation == OP_CAS);
    if (!valid)
        unknown_form(p, s);
    in->bytes = wide ? 8 : 4;
    in->count = 1;
    in->is_signed = type[0] == 's';
    in->mode = (uint8_t)(operation | (is_float ? TYPE_FLOAT : in->is_signed ? TYPE_SIGNED : TYPE_UNSIGNED) << 4);
    in->atomic = true;
    in->run = atomic;
    const char width = wide ? 'l' : 'w';
    uint32_t next = 0;
    if (returns)
        add_destination(p, s, in, &s->operand[next++].element[0], width);
    add_address(p, s, in, &s->operand[next++]);
    while (next < s->operands)
        add_source(p, s, in, &s->operand[next++].element[0], width);
    p->function->has_atomics = true;
    if (is_float || operation == OP_EXCH || operation == OP_CAS)
        p->function->order_sensitive = true;
}

const struct family families_atomic[] = {{"atom", decode_atomic}, {"red", decode_atomic}, {0}};
