/* Module level of PTX: directives, variables with initialisers, entry functions; and the helpers all parts use. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ptx_internal.h"

enum { VARIABLE_GAP = 256 };

void parse_failed(struct parser *p, uint32_t line, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const int used = snprintf(p->message, MESSAGE_BYTES, "PTX line %u: ", line);
    vsnprintf(p->message + used, MESSAGE_BYTES - (size_t)used, format, args);
    va_end(args);
    longjmp(p->failed, 1);
}

/* Room for one more element behind `count`; capacities are powers of two. */
void *grow(struct parser *p, void *array, uint32_t count, size_t bytes)
{
    if (count & (count - 1) || (count && count < 8))
        return array;
    void *larger = realloc(array, (count ? (size_t)count * 2 : 8) * bytes);
    if (!larger)
        parse_failed(p, p->lexer.line, "out of host memory");
    return larger;
}

char *copy_name(struct parser *p, const char *name)
{
    char *copy = strdup(name);
    if (!copy)
        parse_failed(p, p->lexer.line, "out of host memory");
    return copy;
}

bool accept(struct parser *p, const char *text)
{
    const bool found = token_is(&p->lexer.token, text);
    if (found)
        lexer_next(&p->lexer);
    return found;
}

void take(struct parser *p, const char *text)
{
    if (!accept(p, text))
        parse_failed(p, p->lexer.token.line, "expected `%s`, found `%.*s`", text, (int)p->lexer.token.length,
                     p->lexer.token.start);
}

uint64_t take_integer(struct parser *p)
{
    const bool negative = accept(p, "-");
    const struct token token = p->lexer.token;
    if (token.kind != TOKEN_NUMBER)
        parse_failed(p, token.line, "expected a number, found `%.*s`", (int)token.length, token.start);
    lexer_next(&p->lexer);
    return negative ? -token.value : token.value;
}

void take_name(struct parser *p, char name[NAME_BYTES])
{
    const struct token *token = &p->lexer.token;
    if (token->kind != TOKEN_NAME || token->length >= NAME_BYTES)
        parse_failed(p, token->line, "expected a name, found `%.*s`", (int)token->length, token->start);
    memcpy(name, token->start, token->length);
    name[token->length] = 0;
    lexer_next(&p->lexer);
}

struct symbol *add_symbol(struct parser *p, const char *name, enum space space, uint64_t value, uint64_t bytes)
{
    p->symbols = grow(p, p->symbols, p->symbol_count, sizeof *p->symbols);
    struct symbol *symbol = &p->symbols[p->symbol_count];
    *symbol = (struct symbol){copy_name(p, name), space, value, bytes};
    p->symbol_count++;
    return symbol;
}

const struct symbol *find_symbol(const struct parser *p, const char *name)
{
    for (uint32_t i = p->symbol_count; i-- > 0;)
        if (!strcmp(p->symbols[i].name, name))
            return &p->symbols[i];
    return NULL;
}

static uint32_t type_bytes(struct parser *p, const char *type)
{
    static const char *const names[] = {".b8",  ".u8",  ".s8",  ".b16", ".u16", ".s16", ".f16", ".b32",
                                        ".u32", ".s32", ".f32", ".b64", ".u64", ".s64", ".f64"};
    static const uint8_t bytes[] = {1, 1, 1, 2, 2, 2, 2, 4, 4, 4, 4, 8, 8, 8, 8};
    for (size_t i = 0; i < sizeof bytes; i++)
        if (!strcmp(type, names[i]))
            return bytes[i];
    parse_failed(p, p->lexer.token.line, "type `%s` is not understood", type);
}

/* = {1, 2, ...} or = 1; what is not given is zero. */
static void parse_initialiser(struct parser *p, struct ptx_variable *v, uint32_t element)
{
    const bool braces = accept(p, "{");
    for (uint64_t at = 0;; at += element) {
        const uint64_t value = take_integer(p);
        if (at + element > v->bytes)
            parse_failed(p, p->lexer.token.line, "more initial values than `%s` has room for", v->name);
        memcpy(v->initial + at, &value, element);
        if (!accept(p, ","))
            break;
    }
    if (braces)
        take(p, "}");
}

static uint64_t align_up(uint64_t value, uint64_t alignment)
{
    return (value + alignment - 1) & ~(alignment - 1);
}

static void add_variable(struct parser *p, const char *name, enum space space, uint64_t bytes, uint64_t alignment,
                         uint32_t element)
{
    struct ptx_module *m = p->module;
    m->variables = grow(p, m->variables, m->variable_count, sizeof *m->variables);
    struct ptx_variable *v = &m->variables[m->variable_count];
    *v = (struct ptx_variable){.bytes = bytes, .constant = space == SPACE_CONST};
    m->variable_count++;
    v->name = copy_name(p, name);
    v->initial = calloc(1, bytes);
    if (!v->initial)
        parse_failed(p, p->lexer.token.line, "out of host memory");
    v->address = align_up(p->next_address, alignment > VARIABLE_GAP ? alignment : VARIABLE_GAP);
    p->next_address = v->address + bytes + VARIABLE_GAP;
    add_symbol(p, name, space, v->address, bytes);
    if (accept(p, "="))
        parse_initialiser(p, v, element);
}

/* [.align n] .type name[count] [= initialiser] ; the space directive is already taken. */
void parse_variable(struct parser *p, enum space space, bool is_extern)
{
    uint64_t alignment = 1, bytes;
    if (accept(p, ".align"))
        alignment = take_integer(p);
    char type[NAME_BYTES], name[NAME_BYTES];
    take_name(p, type);
    const uint32_t element = type_bytes(p, type);
    if (alignment < element)
        alignment = element;
    if (alignment > 4096 || alignment & (alignment - 1))
        parse_failed(p, p->lexer.token.line, "alignment %llu", (unsigned long long)alignment);
    take_name(p, name);
    bytes = element;
    for (bool first = true; accept(p, "["); first = false) {
        uint64_t count = 0;
        if (!(first && is_extern && token_is(&p->lexer.token, "]")))
            count = take_integer(p);
        take(p, "]");
        if (__builtin_mul_overflow(bytes, count, &bytes) || bytes > UINT32_MAX)
            parse_failed(p, p->lexer.token.line, "`%s` is too large", name);
    }
    if (is_extern && space == SPACE_SHARED) {
        add_symbol(p, name, SPACE_SHARED, UINT64_MAX, 0); /* its offset is known when the function's code ends */
        if (p->extern_shared < alignment)
            p->extern_shared = (uint32_t)alignment;
    } else if (is_extern) {
        parse_failed(p, p->lexer.token.line, "external variable `%s` (linking is not simulated)", name);
    } else if (space == SPACE_SHARED || space == SPACE_LOCAL) {
        if (!p->function)
            parse_failed(p, p->lexer.token.line, "`%s`: shared variables outside of functions are not simulated", name);
        uint32_t *size = space == SPACE_SHARED ? &p->function->static_shared : &p->function->local_bytes;
        const uint64_t at = align_up(*size, alignment);
        if (at + bytes > (1u << 24))
            parse_failed(p, p->lexer.token.line, "`%s` is too large", name);
        add_symbol(p, name, space, at, bytes);
        *size = (uint32_t)(at + bytes);
    } else {
        add_variable(p, name, space, bytes, alignment, element);
    }
    take(p, ";");
}

/* The debug sections behind the code, with braces, say nothing that is executed. */
static void skip_section(struct parser *p)
{
    while (!accept(p, "{") && p->lexer.token.kind != TOKEN_END)
        lexer_next(&p->lexer);
    while (!accept(p, "}") && p->lexer.token.kind != TOKEN_END)
        lexer_next(&p->lexer);
}

static void parse_target(struct parser *p)
{
    char target[NAME_BYTES];
    take_name(p, target);
    if (sscanf(target, "sm_%u", &p->module->target) != 1)
        parse_failed(p, p->lexer.token.line, "target `%s`", target);
    while (accept(p, ","))
        lexer_next(&p->lexer);
}

static void parse_module(struct parser *p)
{
    while (p->lexer.token.kind != TOKEN_END) {
        const uint32_t line = p->lexer.token.line;
        if (accept(p, ".version")) {
            lexer_next(&p->lexer);
            while (p->lexer.token.kind == TOKEN_NAME && p->lexer.token.line == line && p->lexer.token.length > 1)
                lexer_next(&p->lexer); /* the fraction `.0` */
        } else if (accept(p, ".target")) {
            parse_target(p);
        } else if (accept(p, ".address_size")) {
            if (take_integer(p) != 64)
                parse_failed(p, line, "only 64-bit addresses are simulated");
        } else if (accept(p, ".file")) {
            while (p->lexer.token.line == line && p->lexer.token.kind != TOKEN_END)
                lexer_next(&p->lexer);
        } else if (accept(p, ".section")) {
            skip_section(p);
        } else {
            const bool is_extern = accept(p, ".extern");
            if (!is_extern && !accept(p, ".visible"))
                accept(p, ".weak");
            if (accept(p, ".entry"))
                parse_function(p);
            else if (accept(p, ".const"))
                parse_variable(p, SPACE_CONST, is_extern);
            else if (accept(p, ".global"))
                parse_variable(p, SPACE_GLOBAL, is_extern);
            else if (accept(p, ".shared"))
                parse_variable(p, SPACE_SHARED, is_extern);
            else
                parse_failed(p, line, "`%.*s` is not understood", (int)p->lexer.token.length, p->lexer.token.start);
        }
    }
}

static void release(struct parser *p)
{
    for (uint32_t i = 0; i < p->symbol_count; i++)
        free(p->symbols[i].name);
    for (uint32_t i = 0; i < p->label_count; i++)
        free(p->labels[i].name);
    for (uint32_t i = 0; i < p->fixup_count; i++)
        free(p->fixups[i].name);
    free(p->symbols);
    free(p->labels);
    free(p->fixups);
    free(p->ranges);
    free(p->classes);
    free(p->constants);
    free(p->constant_wide);
}

struct ptx_module *ptx_parse(const char *text, uint64_t base, char message[MESSAGE_BYTES])
{
    struct parser *p = calloc(1, sizeof *p);
    if (!p || !(p->module = calloc(1, sizeof *p->module))) {
        free(p);
        snprintf(message, MESSAGE_BYTES, "out of host memory");
        return NULL;
    }
    p->message = message;
    p->next_address = base;
    p->extern_shared = 1;
    lexer_start(&p->lexer, text);
    struct ptx_module *module = p->module;
    if (setjmp(p->failed) == 0) {
        parse_module(p);
        module->address_end = p->next_address;
    } else {
        ptx_free(module);
        module = NULL;
    }
    release(p);
    free(p);
    return module;
}

void ptx_free(struct ptx_module *module)
{
    if (!module)
        return;
    for (uint32_t i = 0; i < module->function_count; i++) {
        struct ptx_function *f = &module->functions[i];
        for (uint32_t k = 0; k < f->insns; k++)
            free((void *)f->code[k].list);
        free(f->name);
        free(f->code);
        free(f->constants);
    }
    for (uint32_t i = 0; i < module->variable_count; i++) {
        free(module->variables[i].name);
        free(module->variables[i].initial);
    }
    free(module->functions);
    free(module->variables);
    free(module);
}
