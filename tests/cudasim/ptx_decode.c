/* Statements to instructions: looks the opcode up and turns operands into references. */
#include <pthread.h>
#include <string.h>

#include "ptx_internal.h"

enum { BUCKETS = 4096 };

static const struct form *buckets[BUCKETS]; /* open addressing; written once */

static uint32_t hash(const char *s)
{
    uint32_t h = 2166136261u;
    while (*s)
        h = (h ^ (uint8_t)*s++) * 16777619u;
    return h;
}

static void fill_buckets(void)
{
    const struct form *const lists[] = {forms_integer, forms_float, forms_round, forms_bits};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        for (const struct form *form = lists[i]; form->name; form++) {
            uint32_t at = hash(form->name) % BUCKETS;
            while (buckets[at])
                at = (at + 1) % BUCKETS;
            buckets[at] = form;
        }
}

static const struct form *find_form(const char *opcode)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, fill_buckets);
    for (uint32_t at = hash(opcode) % BUCKETS; buckets[at]; at = (at + 1) % BUCKETS)
        if (!strcmp(buckets[at]->name, opcode))
            return buckets[at];
    return NULL;
}

static const struct family *find_family(const char *opcode)
{
    static const struct family *const lists[] = {families_memory,  families_atomic, families_convert, families_compare,
                                                 families_control, families_warp,   families_mma,     families_tile};
    const size_t length = strcspn(opcode, ".");
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        for (const struct family *family = lists[i]; family->prefix; family++)
            if (strlen(family->prefix) == length && !memcmp(family->prefix, opcode, length))
                return family;
    return NULL;
}

void unknown_form(struct parser *p, const struct statement *s)
{
    parse_failed(p, s->line, "the simulator does not know the form `%s` (%u operands)", s->opcode, s->operands);
}

bool next_part(const char **at, char part[NAME_BYTES])
{
    if (!**at)
        return false;
    *at += **at == '.';
    size_t length = strcspn(*at, ".");
    while ((*at)[length] == ':') /* L1::no_allocate is one part */
        length += 2 + strcspn(*at + length + 2, ".");
    memcpy(part, *at, length);
    part[length] = 0;
    *at += length;
    return true;
}

/* The letter of struct form for a register, 0 for anything else. */
char element_width(const struct parser *p, const struct element *e)
{
    if (e->kind == OPERAND_SPECIAL)
        return 'w';
    if (e->kind != OPERAND_REGISTER)
        return 0;
    switch (p->classes[e->value]) {
    case CLASS_PREDICATE:
        return 'p';
    case CLASS_16:
        return 'h';
    case CLASS_32:
        return 'w';
    default:
        return 'l';
    }
}

static uint32_t constant(struct parser *p, uint64_t value, bool wide)
{
    for (uint32_t i = 0; i < p->constant_count; i++)
        if (p->constants[i] == value && p->constant_wide[i] == wide && i != p->dynamic_shared[wide])
            return i;
    p->constants = grow(p, p->constants, p->constant_count, sizeof *p->constants);
    p->constant_wide = grow(p, p->constant_wide, p->constant_count, sizeof *p->constant_wide);
    p->constants[p->constant_count] = value;
    p->constant_wide[p->constant_count] = wide;
    return p->constant_count++;
}

static uint32_t symbol_constant(struct parser *p, const struct symbol *symbol, bool wide)
{
    if (symbol->value != UINT64_MAX)
        return constant(p, symbol->value, wide);
    if (p->dynamic_shared[wide] < 0)
        p->dynamic_shared[wide] = constant(p, UINT64_MAX - 1, wide); /* a value that no operand has */
    return (uint32_t)p->dynamic_shared[wide];
}

static uint64_t number_bits(struct parser *p, const struct statement *s, const struct element *e, char width)
{
    if (e->number == NUMBER_F64 && width != 'l')
        parse_failed(p, s->line, "`%s`: a double for an operand of another width", s->opcode);
    if (e->number == NUMBER_F32 && width != 'w')
        parse_failed(p, s->line, "`%s`: a float for an operand of another width", s->opcode);
    switch (width) {
    case 'p':
        return e->value ? UINT32_MAX : 0;
    case 'h':
        return (uint16_t)e->value;
    case 'w':
        return (uint32_t)e->value;
    default:
        return e->value;
    }
}

static void add_reference(struct parser *p, const struct statement *s, struct insn *in, uint32_t reference)
{
    const uint32_t at = in->dsts + in->srcs;
    if (in->list) {
        ((uint32_t *)in->list)[at] = reference; /* room for 32: see decode of mma */
    } else if (at == INLINE_REFS) {
        parse_failed(p, s->line, "`%s`: too many operands", s->opcode);
    } else {
        in->reg[at] = reference;
    }
}

void add_destination(struct parser *p, const struct statement *s, struct insn *in, const struct element *e, char width)
{
    uint32_t reference;
    if (e->kind == OPERAND_SINK) { /* a register that nobody reads */
        p->classes = grow(p, p->classes, p->register_count, sizeof *p->classes);
        p->classes[p->register_count] = (uint8_t)(width == 'l'   ? CLASS_64
                                                  : width == 'p' ? CLASS_PREDICATE
                                                  : width == 'h' ? CLASS_16
                                                                 : CLASS_32);
        reference = REF_REGISTER | p->register_count++;
    } else if (e->kind == OPERAND_REGISTER && element_width(p, e) == width && !e->negated) {
        reference = REF_REGISTER | (uint32_t)e->value;
    } else {
        parse_failed(p, s->line, "`%s`: the destination is not a register of the right width", s->opcode);
    }
    add_reference(p, s, in, reference);
    in->dsts++;
}

void add_source(struct parser *p, const struct statement *s, struct insn *in, const struct element *e, char width)
{
    uint32_t reference;
    switch (e->kind) {
    case OPERAND_REGISTER:
    case OPERAND_SPECIAL:
        if (element_width(p, e) != width)
            parse_failed(p, s->line, "`%s`: an operand has another width than the form", s->opcode);
        reference = (e->kind == OPERAND_REGISTER ? REF_REGISTER : REF_SPECIAL) | (uint32_t)e->value;
        break;
    case OPERAND_NUMBER:
        reference = REF_CONSTANT | constant(p, number_bits(p, s, e, width), width == 'l');
        break;
    case OPERAND_SYMBOL:
        if (width != 'w' && width != 'l')
            parse_failed(p, s->line, "`%s`: an address needs 32 or 64 bits", s->opcode);
        reference = REF_CONSTANT | symbol_constant(p, &p->symbols[e->value], width == 'l');
        break;
    default:
        parse_failed(p, s->line, "`%s`: `_` as a source", s->opcode);
    }
    if (e->negated)
        parse_failed(p, s->line, "`%s`: negated operand", s->opcode);
    add_reference(p, s, in, reference);
    in->srcs++;
}

void decode_shape(struct parser *p, const struct statement *s, struct insn *in, const char *shape)
{
    const size_t destinations = strcspn(shape, "=");
    if (s->operands != strlen(shape) - 1)
        unknown_form(p, s);
    for (uint32_t i = 0; i < s->operands; i++) {
        const struct operand *o = &s->operand[i];
        if (o->braces || o->address || o->second.kind != OPERAND_NONE)
            unknown_form(p, s);
        if (i < destinations)
            add_destination(p, s, in, &o->element[0], shape[i]);
        else
            add_source(p, s, in, &o->element[0], shape[i + 1]);
    }
}

void decode_statement(struct parser *p, const struct statement *s)
{
    struct insn in = p->function->code[p->function->insns - 1];
    const struct form *form = find_form(s->opcode);
    if (form) {
        in.run = form->run;
        decode_shape(p, s, &in, form->shape);
    } else {
        const struct family *family = find_family(s->opcode);
        if (!family)
            unknown_form(p, s);
        family->decode(p, s, &in);
        if (!in.run)
            unknown_form(p, s);
    }
    p->function->code[p->function->insns - 1] = in;
}
