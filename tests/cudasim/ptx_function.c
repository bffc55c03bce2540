/* Entry functions: parameters, registers, labels and the statements between the braces. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ptx_internal.h"

static void parse_parameters(struct parser *p)
{
    struct ptx_function *f = p->function;
    take(p, "(");
    while (!accept(p, ")")) {
        char type[NAME_BYTES], name[NAME_BYTES];
        uint64_t alignment = 0, count = 1;
        take(p, ".param");
        if (accept(p, ".align"))
            alignment = take_integer(p);
        take_name(p, type);
        unsigned bits = 0;
        if (sscanf(type, ".%*c%u", &bits) != 1 || (bits != 8 && bits != 16 && bits != 32 && bits != 64))
            parse_failed(p, p->lexer.token.line, "parameter type `%s`", type);
        if (accept(p, ".ptr")) {
            while (accept(p, ".global") || accept(p, ".const") || accept(p, ".shared") || accept(p, ".local"))
                continue;
            if (accept(p, ".align"))
                take_integer(p); /* of what it points to: not a promise that the simulator relies on */
        }
        take_name(p, name);
        if (accept(p, "[")) {
            count = take_integer(p);
            take(p, "]");
        }
        accept(p, ",");
        const uint64_t bytes = bits / 8 * count;
        alignment = alignment ? alignment : bits / 8;
        const uint64_t at = (f->param_bytes + alignment - 1) / alignment * alignment;
        if (f->param_count == MAX_PARAMS || count > 65536 || at + bytes > 32764)
            parse_failed(p, p->lexer.token.line, "too many parameters");
        f->params[f->param_count++] = (struct param){(uint32_t)at, (uint32_t)bytes};
        f->param_bytes = (uint32_t)(at + bytes);
        add_symbol(p, name, SPACE_PARAM, at, bytes);
    }
}

static void parse_tuning(struct parser *p)
{
    for (;;) {
        const bool limit = accept(p, ".maxntid") || accept(p, ".reqntid");
        if (limit || accept(p, ".minnctapersm") || accept(p, ".maxnreg")) {
            uint64_t product = take_integer(p);
            while (accept(p, ","))
                product *= take_integer(p);
            if (limit)
                p->function->max_threads = (uint32_t)product;
        } else if (accept(p, ".pragma")) {
            lexer_next(&p->lexer);
            take(p, ";");
        } else {
            return;
        }
    }
}

/* .reg .type name, name<count>, ... ; the directive is already taken. */
void parse_registers(struct parser *p)
{
    char type[NAME_BYTES];
    take_name(p, type);
    unsigned bits = 0;
    if (strcmp(type, ".pred") && sscanf(type, ".%*c%u", &bits) != 1)
        parse_failed(p, p->lexer.token.line, "register type `%s`", type);
    if (bits == 8)
        bits = 16;
    if (bits != 0 && bits != 16 && bits != 32 && bits != 64)
        parse_failed(p, p->lexer.token.line, "register type `%s`", type);
    do {
        p->ranges = grow(p, p->ranges, p->range_count, sizeof *p->ranges);
        struct register_range *r = &p->ranges[p->range_count];
        *r = (struct register_range){
            .first = p->register_count, .depth = p->depth, .class = bits ? (enum register_class)bits : CLASS_PREDICATE};
        take_name(p, r->prefix);
        uint64_t count = 1;
        if (accept(p, "<")) {
            count = take_integer(p);
            take(p, ">");
            if (count == 0 || count > 1u << 20)
                parse_failed(p, p->lexer.token.line, "%llu registers", (unsigned long long)count);
            r->count = (uint32_t)count;
        }
        p->range_count++;
        for (uint64_t i = 0; i < count; i++) {
            p->classes = grow(p, p->classes, p->register_count, sizeof *p->classes);
            p->classes[p->register_count++] = (uint8_t)r->class;
        }
    } while (accept(p, ","));
    take(p, ";");
}

static void add_label(struct parser *p, const char *name)
{
    p->labels = grow(p, p->labels, p->label_count, sizeof *p->labels);
    p->labels[p->label_count] = (struct label){copy_name(p, name), p->function->insns, p->depth};
    p->label_count++;
}

/* Labels of inline assembly are local to their braces: a branch is resolved where its scope ends, or further out. */
static void resolve_labels(struct parser *p)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < p->fixup_count; i++) {
        const struct fixup fix = p->fixups[i];
        const struct label *found = NULL;
        for (uint32_t k = p->label_count; k-- > 0 && !found;)
            if (!strcmp(p->labels[k].name, fix.name))
                found = &p->labels[k];
        if (!found && p->depth == 1)
            parse_failed(p, fix.line, "no label `%s`", fix.name);
        p->fixups[i].name = NULL; /* has one owner at any time, for the clean-up after a failure */
        if (found) {
            p->function->code[fix.insn].target = found->target;
            free(fix.name);
        } else {
            p->fixups[kept++] = fix;
        }
    }
    p->fixup_count = kept;
}

static void close_scope(struct parser *p)
{
    resolve_labels(p);
    while (p->label_count && p->labels[p->label_count - 1].depth == p->depth)
        free(p->labels[--p->label_count].name);
    while (p->range_count && p->ranges[p->range_count - 1].depth == p->depth)
        p->range_count--;
    p->depth--;
}

static bool next_is_colon(const struct lexer *lexer)
{
    struct lexer ahead = *lexer;
    lexer_next(&ahead);
    return token_is(&ahead.token, ":");
}

/* .loc file line column [, function_name ..., inlined_at ...]: ends with its line of text. */
static void parse_location(struct parser *p, uint32_t line)
{
    take_integer(p);
    const uint32_t source = (uint32_t)take_integer(p);
    if (source)
        p->source_line = source;
    while (p->lexer.token.line == line && p->lexer.token.kind != TOKEN_END)
        lexer_next(&p->lexer);
}

/* What runs off the end of the text leaves the kernel. */
static void append_exit(struct parser *p)
{
    struct ptx_function *f = p->function;
    f->code = grow(p, f->code, f->insns, sizeof *f->code);
    f->code[f->insns++] = (struct insn){.guard = NO_GUARD, .line = p->lexer.token.line};
    decode_statement(p, &(struct statement){.opcode = "exit", .line = p->lexer.token.line});
}

static void parse_body(struct parser *p)
{
    take(p, "{");
    p->depth = 1;
    while (p->depth > 0) {
        const uint32_t line = p->lexer.token.line;
        if (p->lexer.token.kind == TOKEN_END) {
            parse_failed(p, line, "the function does not end");
        } else if (accept(p, "{")) {
            p->depth++;
        } else if (accept(p, "}")) {
            if (p->depth == 1)
                append_exit(p);
            close_scope(p);
        } else if (accept(p, ".reg")) {
            parse_registers(p);
        } else if (accept(p, ".shared")) {
            parse_variable(p, SPACE_SHARED, false);
        } else if (accept(p, ".local")) {
            parse_variable(p, SPACE_LOCAL, false);
        } else if (accept(p, ".loc")) {
            parse_location(p, line);
        } else if (accept(p, ".pragma")) {
            lexer_next(&p->lexer);
            take(p, ";");
        } else if (accept(p, ";")) {
            continue;
        } else if (p->lexer.token.kind == TOKEN_NAME && next_is_colon(&p->lexer)) {
            char name[NAME_BYTES];
            take_name(p, name);
            take(p, ":");
            add_label(p, name);
        } else {
            struct statement s;
            parse_statement(p, &s);
            decode_statement(p, &s);
        }
    }
}

/* Constant rows of bank 1, all lanes equal. */
static void lay_out_constants(struct parser *p, struct ptx_function *f)
{
    if (p->dynamic_shared[0] >= 0 || p->dynamic_shared[1] >= 0)
        f->static_shared = (f->static_shared + p->extern_shared - 1) / p->extern_shared * p->extern_shared;
    for (int i = 0; i < 2; i++)
        if (p->dynamic_shared[i] >= 0)
            p->constants[p->dynamic_shared[i]] = f->static_shared;
    f->constant_rows = 2 * p->constant_count;
    f->constants = aligned_alloc(ROW_BYTES, (size_t)ROW_BYTES * (f->constant_rows + 1));
    if (!f->constants)
        parse_failed(p, p->lexer.token.line, "out of host memory");
    for (uint32_t i = 0; i < p->constant_count; i++)
        for (int lane = 0; lane < LANES; lane++) {
            uint8_t *row = f->constants + (size_t)i * 2 * ROW_BYTES;
            if (p->constant_wide[i])
                memcpy(row + lane * 8, &p->constants[i], 8);
            else
                memcpy(row + lane * 4, &p->constants[i], 4);
        }
}

void parse_function(struct parser *p)
{
    struct ptx_module *m = p->module;
    m->functions = grow(p, m->functions, m->function_count, sizeof *m->functions);
    struct ptx_function *f = p->function = &m->functions[m->function_count];
    *f = (struct ptx_function){.min_shared_access = 4};
    m->function_count++;
    p->module_symbols = p->symbol_count;
    p->register_count = p->constant_count = p->source_line = 0;
    p->dynamic_shared[0] = p->dynamic_shared[1] = -1;

    char name[NAME_BYTES];
    take_name(p, name);
    f->name = copy_name(p, name);
    if (token_is(&p->lexer.token, "("))
        parse_parameters(p);
    parse_tuning(p);
    parse_body(p);
    lay_out_constants(p, f);
    assign_rows(p, f);
    while (p->symbol_count > p->module_symbols)
        free(p->symbols[--p->symbol_count].name);
    p->function = NULL;
}
