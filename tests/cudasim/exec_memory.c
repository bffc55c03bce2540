/* ld and st, scalar and vector, in every space. */
#include <stdio.h>
#include <string.h>

#include "ptx_internal.h"
#include "reach.h"

/* Scalar loads first, then the merge with inactive lanes: they point where active lanes do. */
static inline void load_words(struct warp *w, u32 *d, const struct reach *r, size_t offset)
{
    u32 value[LANES];
    GATHER_LANES(value, read_u32(r, l, offset))
    STORE_LANES(w, d, u32, value[l])
}

static void load_uniform(struct warp *w, const struct insn *in, const struct reach *r)
{
    for (unsigned k = 0; k < in->count; k++)
        if (in->bytes == 4) {
            u32 *d = row(w, in->reg[k]);
            const u32 value = read_u32(r, 0, (size_t)k * 4);
            STORE_LANES(w, d, u32, value)
        } else {
            u64 *d = row(w, in->reg[k]);
            const u64 value = read_u64(r, 0, (size_t)k * 8);
            STORE_LANES(w, d, u64, value)
        }
}

static void load(struct warp *w, const struct insn *in)
{
    struct reach r;
    const bool whole = in->bytes * 8 == in->reg_bits && in->bytes >= 4; /* memory and registers look the same */
    if (!whole)
        reach_lanes(w, in, in->reg[in->dsts], false, &r);
    else
        switch (reach_pattern(w, in, in->reg[in->dsts], false, &r)) {
        case PATTERN_DENSE:
            memcpy(row(w, in->reg[0]), reached(&r, 0), (size_t)in->bytes * LANES);
            return;
        case PATTERN_UNIFORM:
            load_uniform(w, in, &r);
            return;
        case PATTERN_SCATTERED:
            break;
        }
    for (unsigned k = 0; k < in->count; k++) {
        const size_t offset = (size_t)k * in->bytes;
        if (in->reg_bits == 64) {
            u64 *d = row(w, in->reg[k]);
            switch (in->bytes << 1 | in->is_signed) {
            case 2:
                STORE_LANES(w, d, u64, read_u8(&r, l, offset)) break;
            case 3:
                STORE_LANES(w, d, u64, (u64)(s64)read_s8(&r, l, offset)) break;
            case 4:
                STORE_LANES(w, d, u64, read_u16(&r, l, offset)) break;
            case 5:
                STORE_LANES(w, d, u64, (u64)(s64)read_s16(&r, l, offset)) break;
            case 8:
                STORE_LANES(w, d, u64, read_u32(&r, l, offset)) break;
            case 9:
                STORE_LANES(w, d, u64, (u64)(s64)read_s32(&r, l, offset)) break;
            default:
                STORE_LANES(w, d, u64, read_u64(&r, l, offset))
            }
        } else {
            u32 *d = row(w, in->reg[k]);
            const u32 keep = in->reg_bits == 16 ? 0xffff : ~0u;
            switch (in->bytes << 1 | in->is_signed) {
            case 2:
                STORE_LANES(w, d, u32, read_u8(&r, l, offset)) break;
            case 3:
                STORE_LANES(w, d, u32, (u32)(s32)read_s8(&r, l, offset) & keep) break;
            case 4:
                STORE_LANES(w, d, u32, read_u16(&r, l, offset)) break;
            case 5:
                STORE_LANES(w, d, u32, (u32)(s32)read_s16(&r, l, offset) & keep) break;
            default:
                load_words(w, d, &r, offset);
            }
        }
    }
}

/* Parameters at a constant address: the same for all lanes, and always in range (checked when decoded). */
static void load_param(struct warp *w, const struct insn *in)
{
    const uint8_t *from = w->worker->launch->params + in->imm;
    for (unsigned k = 0; k < in->count; k++) {
        u64 value = 0;
        memcpy(&value, from + (size_t)k * in->bytes, in->bytes);
        if (in->is_signed && in->bytes < 8 && value >> (in->bytes * 8 - 1) & 1)
            value |= ~0ull << (in->bytes * 8);
        if (in->reg_bits == 64) {
            u64 *d = row(w, in->reg[k]);
            STORE_LANES(w, d, u64, value)
        } else {
            u32 *d = row(w, in->reg[k]);
            const u32 cut = (u32)value & (in->reg_bits == 16 ? 0xffff : ~0u);
            STORE_LANES(w, d, u32, cut)
        }
    }
}

static inline void put(uint8_t *to, const struct insn *in, const void *source, int lane)
{
    if (in->reg_bits == 64)
        memcpy(to, (const u64 *)source + lane, in->bytes);
    else if (in->bytes == 4)
        memcpy(to, (const u32 *)source + lane, 4); /* the common case, with a constant size */
    else
        memcpy(to, (const u32 *)source + lane, in->bytes);
}

/* Lanes that write to one address: the highest lane wins. */
static void store(struct warp *w, const struct insn *in)
{
    struct reach r;
    if (in->bytes * 8 == in->reg_bits && in->bytes >= 4 && w->mask == ALL_LANES) {
        const enum pattern pattern = reach_pattern(w, in, in->reg[0], true, &r);
        if (pattern == PATTERN_DENSE) {
            memcpy(reached(&r, 0), row(w, in->reg[1]), (size_t)in->bytes * LANES);
            return;
        }
        if (pattern == PATTERN_UNIFORM)
            memset(r.at, 0, sizeof r.at);
    } else {
        reach_lanes(w, in, in->reg[0], true, &r);
    }
    for (unsigned k = 0; k < in->count; k++) {
        const void *source = row(w, in->reg[1 + k]);
        for (uint32_t left = w->mask; left; left &= left - 1) {
            const int lane = __builtin_ctz(left);
            put(reached(&r, lane) + (size_t)k * in->bytes, in, source, lane);
        }
    }
}

/* Everything behind ld or st but the type: ordering and cache hints change nothing here. */
static bool is_hint(const char *part)
{
    static const char *const hints[] = {"volatile", "relaxed", "acquire", "release", "weak", "cta",
                                        "cluster",  "gpu",     "sys",     "ca",      "cg",   "cs",
                                        "lu",       "cv",      "wb",      "wt",      "nc"};
    for (size_t i = 0; i < sizeof hints / sizeof *hints; i++)
        if (!strcmp(part, hints[i]))
            return true;
    return !strncmp(part, "L1::", 4) || !strncmp(part, "L2::", 4);
}

static void decode_access(struct parser *p, const struct statement *s, struct insn *in)
{
    char part[NAME_BYTES];
    const char *at = s->opcode + 2;
    in->count = 1;
    in->space = SPACE_GENERIC;
    while (next_part(&at, part)) {
        unsigned bits;
        char kind;
        if (memory_space(part, &in->space) || is_hint(part))
            continue;
        if (!strcmp(part, "v2") || !strcmp(part, "v4")) {
            in->count = (uint8_t)(part[1] - '0');
        } else if (sscanf(part, "%c%u", &kind, &bits) == 2 && strchr("busf", kind) && *at == 0 &&
                   (bits == 8 || bits == 16 || bits == 32 || bits == 64)) {
            in->bytes = (uint8_t)(bits / 8);
            in->is_signed = kind == 's';
        } else {
            unknown_form(p, s);
        }
    }
    if (!in->bytes || s->operands != 2)
        unknown_form(p, s);
}

static void set_register_width(struct parser *p, const struct statement *s, struct insn *in, char width)
{
    in->reg_bits = width == 'l' ? 64 : width == 'w' ? 32 : 16;
    if (width == 'p' || in->reg_bits < in->bytes * 8)
        parse_failed(p, s->line, "`%s`: the register is too narrow", s->opcode);
}

static char data_width(const struct parser *p, const struct operand *o, const struct insn *in)
{
    for (uint32_t i = 0; i < o->count; i++)
        if (element_width(p, &o->element[i]))
            return element_width(p, &o->element[i]);
    return (char)(in->bytes == 8 ? 'l' : in->bytes == 4 ? 'w' : 'h');
}

static void decode_load(struct parser *p, const struct statement *s, struct insn *in)
{
    decode_access(p, s, in);
    const struct operand *to = &s->operand[0], *from = &s->operand[1];
    if (to->count != in->count)
        unknown_form(p, s);
    const char width = data_width(p, to, in);
    set_register_width(p, s, in, width);
    for (uint32_t i = 0; i < to->count; i++)
        add_destination(p, s, in, &to->element[i], width);
    add_address(p, s, in, from);
    in->run = load;
    if (in->space == SPACE_PARAM && from->element[0].kind == OPERAND_SYMBOL) {
        const struct symbol *symbol = &p->symbols[from->element[0].value];
        in->imm += (int64_t)symbol->value;
        if (in->imm < 0 || (u64)in->imm + (u64)in->bytes * in->count > p->function->param_bytes)
            parse_failed(p, s->line, "`%s`: outside of the parameters", s->opcode);
        in->srcs = 0;
        in->run = load_param;
    }
}

static void decode_store(struct parser *p, const struct statement *s, struct insn *in)
{
    decode_access(p, s, in);
    const struct operand *to = &s->operand[0], *from = &s->operand[1];
    if (from->count != in->count || in->space == SPACE_CONST || in->space == SPACE_PARAM)
        unknown_form(p, s);
    const char width = data_width(p, from, in);
    set_register_width(p, s, in, width);
    add_address(p, s, in, to);
    for (uint32_t i = 0; i < from->count; i++)
        add_source(p, s, in, &from->element[i], width);
    in->run = store;
}

bool memory_space(const char *part, uint8_t *space)
{
    static const struct {
        const char *name;
        enum space space;
    } spaces[] = {{"global", SPACE_GLOBAL},     {"const", SPACE_CONST}, {"shared", SPACE_SHARED},
                  {"local", SPACE_LOCAL},       {"param", SPACE_PARAM}, {"shared::cta", SPACE_SHARED},
                  {"param::entry", SPACE_PARAM}};
    for (size_t i = 0; i < sizeof spaces / sizeof *spaces; i++)
        if (!strcmp(part, spaces[i].name)) {
            *space = (uint8_t)spaces[i].space;
            return true;
        }
    return false;
}

void add_address(struct parser *p, const struct statement *s, struct insn *in, const struct operand *o)
{
    const struct element *e = &o->element[0];
    char width = e->kind == OPERAND_REGISTER ? element_width(p, e) : 'l';
    if (!o->address || o->braces || (width != 'w' && width != 'l'))
        unknown_form(p, s);
    if (e->kind == OPERAND_SYMBOL && in->space != SPACE_GENERIC && p->symbols[e->value].space != in->space)
        parse_failed(p, s->line, "`%s`: `%s` lies in another space", s->opcode, p->symbols[e->value].name);
    in->wide_address = width == 'l';
    in->imm = o->offset;
    in->slot = p->function->slots++;
    add_source(p, s, in, e, width);
    if ((in->space == SPACE_SHARED || in->space == SPACE_GENERIC) && in->bytes < p->function->min_shared_access)
        p->function->min_shared_access = in->bytes;
}

const struct family families_memory[] = {{"ld", decode_load}, {"st", decode_store}, {0}};
