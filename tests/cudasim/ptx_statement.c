/* One PTX instruction: guard, opcode and operands. */
#include <stdlib.h>
#include <string.h>

#include "ptx_internal.h"

static const struct {
    const char *name;
    int row;
} specials[] = {
    {"%tid.x", ROW_TID_X},
    {"%tid.y", ROW_TID_Y},
    {"%tid.z", ROW_TID_Z},
    {"%ntid.x", ROW_NTID_X},
    {"%ntid.y", ROW_NTID_Y},
    {"%ntid.z", ROW_NTID_Z},
    {"%ctaid.x", ROW_CTAID_X},
    {"%ctaid.y", ROW_CTAID_Y},
    {"%ctaid.z", ROW_CTAID_Z},
    {"%nctaid.x", ROW_NCTAID_X},
    {"%nctaid.y", ROW_NCTAID_Y},
    {"%nctaid.z", ROW_NCTAID_Z},
    {"%laneid", ROW_LANEID},
    {"%warpid", ROW_WARPID},
    {"%nwarpid", ROW_NWARPID},
    {"%dynamic_smem_size", ROW_DYNAMIC_SHARED},
    {"%total_smem_size", ROW_TOTAL_SHARED},
};

/* The innermost declaration wins. */
static bool find_register(const struct parser *p, const char *name, uint64_t *index)
{
    for (uint32_t i = p->range_count; i-- > 0;) {
        const struct register_range *r = &p->ranges[i];
        if (r->count == 0) {
            if (!strcmp(name, r->prefix)) {
                *index = r->first;
                return true;
            }
            continue;
        }
        const size_t prefix = strlen(r->prefix);
        char *end;
        if (strncmp(name, r->prefix, prefix) || name[prefix] < '0' || name[prefix] > '9')
            continue;
        const unsigned long number = strtoul(name + prefix, &end, 10);
        if (*end == 0 && number < r->count) {
            *index = r->first + number;
            return true;
        }
    }
    return false;
}

static struct element parse_element(struct parser *p)
{
    struct element e = {.kind = OPERAND_NUMBER};
    const uint32_t line = p->lexer.token.line;
    e.negated = accept(p, "!");
    const struct token token = p->lexer.token;
    if (token_is(&token, "-") || token.kind == TOKEN_NUMBER) {
        e.number = token.kind == TOKEN_NUMBER ? token.number : NUMBER_INTEGER;
        e.value = take_integer(p);
        return e;
    }
    char name[NAME_BYTES];
    take_name(p, name);
    if (!strcmp(name, "_")) {
        e.kind = OPERAND_SINK;
        return e;
    }
    if (find_register(p, name, &e.value)) {
        e.kind = OPERAND_REGISTER;
        return e;
    }
    for (size_t i = 0; i < sizeof specials / sizeof *specials; i++)
        if (!strcmp(name, specials[i].name)) {
            e.kind = OPERAND_SPECIAL;
            e.value = (uint64_t)specials[i].row;
            return e;
        }
    const struct symbol *symbol = find_symbol(p, name);
    if (!symbol)
        parse_failed(p, line, "`%s` is not understood", name);
    e.kind = OPERAND_SYMBOL;
    e.value = (uint64_t)(symbol - p->symbols);
    return e;
}

static void parse_operand(struct parser *p, struct operand *o)
{
    *o = (struct operand){.count = 1};
    if (accept(p, "{")) {
        o->braces = true;
        for (o->count = 0; o->count == 0 || accept(p, ",");) {
            if (o->count == MAX_ELEMENTS)
                parse_failed(p, p->lexer.token.line, "vector of more than %d", MAX_ELEMENTS);
            o->element[o->count++] = parse_element(p);
        }
        take(p, "}");
    } else if (accept(p, "[")) {
        o->address = true;
        o->element[0] = parse_element(p);
        if (accept(p, "+"))
            o->offset = (int64_t)take_integer(p);
        else if (token_is(&p->lexer.token, "-"))
            o->offset = (int64_t)take_integer(p);
        take(p, "]");
    } else {
        o->element[0] = parse_element(p);
    }
    if (accept(p, "|"))
        o->second = parse_element(p);
}

static bool is_branch(const char *opcode)
{
    return !strcmp(opcode, "bra") || !strcmp(opcode, "bra.uni");
}

/* Appends the instruction to the function: guard and line are set, the rest is left to decode_statement. */
void parse_statement(struct parser *p, struct statement *s)
{
    struct ptx_function *f = p->function;
    s->operands = 0;
    s->line = p->lexer.token.line;
    s->label[0] = 0;
    f->code = grow(p, f->code, f->insns, sizeof *f->code);
    struct insn *in = &f->code[f->insns++];
    *in = (struct insn){.guard = NO_GUARD, .line = s->line, .source_line = p->source_line};
    if (accept(p, "@")) {
        const struct element guard = parse_element(p);
        if (guard.kind != OPERAND_REGISTER || p->classes[guard.value] != CLASS_PREDICATE)
            parse_failed(p, s->line, "the guard is not a predicate");
        in->guard = (int32_t)guard.value;
        in->guard_negated = guard.negated;
    }
    take_name(p, s->opcode);
    if (is_branch(s->opcode)) {
        take_name(p, s->label);
    } else if (!token_is(&p->lexer.token, ";")) {
        do {
            if (s->operands == MAX_OPERANDS)
                parse_failed(p, s->line, "more than %d operands", MAX_OPERANDS);
            parse_operand(p, &s->operand[s->operands++]);
        } while (accept(p, ","));
    }
    take(p, ";");
}
