/* expr.c: the expression language of scalar ops. One text serves every target: arithmetic is written infix, choices as
 * sel(mask, a, b) and functions as v_exp(...), which each target's prelude defines for its own notion of a value.
 *
 *   choice : or [? choice : choice]      or : and (|| and)*       and : compare (&& compare)*
 *   compare: sum [(< <= > >= == !=) sum] sum: term ((+|-) term)*  term: unary ((*|/) unary)*
 *   unary  : -unary | number | name | function ( choice, ... ) | ( choice ) | { choice }
 *
 * What stands in braces is one number a step, which the host computes in double: to a target it is a name. There
 * product(...) multiplies the values for t = 1, 2, ..., t.
 */
#include "expr.h"
#include "base/base.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum kind { NUMBER, NAME, HOST, CALL, NEGATE, BINARY, CHOICE };

struct expr {
    enum kind kind;
    const char *text; /* name, function or operator; HOST: with its braces */
    double number;
    struct expr *of[3];
};

struct parser {
    const char *at, *whole;
    struct region *region;
};

static struct expr *choice(struct parser *p);

static _Noreturn void fail(const struct parser *p)
{
    fprintf(stderr, "internal error: bad scalar expression `%s` at `%s`\n", p->whole, p->at);
    exit(70);
}

static bool accept(struct parser *p, const char *token)
{
    while (isspace((unsigned char)*p->at))
        p->at++;
    size_t n = strlen(token);
    if (strncmp(p->at, token, n))
        return false;
    if (n == 1 && strchr("<>", *token) && p->at[1] == '=')
        return false;
    p->at += n;
    return true;
}

static struct expr *make(struct parser *p, enum kind kind, const char *text, struct expr *x, struct expr *y,
                         struct expr *z)
{
    struct expr *e = region_alloc(p->region, 1, sizeof *e);
    e->kind = kind;
    e->text = text;
    e->of[0] = x;
    e->of[1] = y;
    e->of[2] = z;
    return e;
}

static struct expr *unary(struct parser *p)
{
    if (accept(p, "-"))
        return make(p, NEGATE, "-", unary(p), NULL, NULL);
    if (accept(p, "(")) {
        struct expr *e = choice(p);
        if (!accept(p, ")"))
            fail(p);
        return e;
    }
    const char *start = p->at;
    if (accept(p, "{")) {
        struct expr *e = choice(p);
        if (!accept(p, "}"))
            fail(p);
        return make(p, HOST, region_printf(p->region, "%.*s", (int)(p->at - start), start), e, NULL, NULL);
    }
    if (isdigit((unsigned char)*p->at) || *p->at == '.') {
        char *end;
        struct expr *e = make(p, NUMBER, "", NULL, NULL, NULL);
        e->number = strtod(p->at, &end);
        p->at = end;
        return e;
    }
    while (isalnum((unsigned char)*p->at) || *p->at == '_')
        p->at++;
    if (p->at == start)
        fail(p);
    const char *name = region_printf(p->region, "%.*s", (int)(p->at - start), start);
    if (!accept(p, "("))
        return make(p, NAME, name, NULL, NULL, NULL);
    struct expr *e = make(p, CALL, name, choice(p), NULL, NULL);
    if (accept(p, ","))
        e->of[1] = choice(p);
    if (!accept(p, ")"))
        fail(p);
    return e;
}

/* Left-associative chains, loosest first; the innermost level is unary(). */
static const char *const level[][7] = {
    {"||"}, {"&&"}, {"<=", ">=", "==", "!=", "<", ">"}, {"+", "-"}, {"*", "/"},
};

static struct expr *binary(struct parser *p, int depth)
{
    if (depth == COUNT(level))
        return unary(p);
    struct expr *e = binary(p, depth + 1);
    for (int i = 0; level[depth][i]; i++)
        if (accept(p, level[depth][i])) {
            e = make(p, BINARY, level[depth][i], e, binary(p, depth + 1), NULL);
            i = -1;
        }
    return e;
}

static struct expr *choice(struct parser *p)
{
    struct expr *e = binary(p, 0);
    if (!accept(p, "?"))
        return e;
    struct expr *yes = choice(p);
    if (!accept(p, ":"))
        fail(p);
    return make(p, CHOICE, "?", e, yes, choice(p));
}

struct expr *expr_parse(struct region *r, const char *text)
{
    struct parser p = {text, text, r};
    struct expr *e = choice(&p);
    while (isspace((unsigned char)*p.at))
        p.at++;
    if (*p.at)
        fail(&p);
    return e;
}

bool expr_uses(const struct expr *e, const char *name)
{
    if (!e)
        return false;
    if (e->kind == NAME && !strcmp(e->text, name))
        return true;
    return expr_uses(e->of[0], name) || expr_uses(e->of[1], name) || expr_uses(e->of[2], name);
}

int expr_names(const struct expr *e, const char **list, int n, int most)
{
    if (!e)
        return n;
    if (e->kind != NAME && e->kind != HOST) {
        for (int i = 0; i < COUNT(e->of); i++)
            n = expr_names(e->of[i], list, n, most);
        return n;
    }
    for (int i = 0; i < n; i++)
        if (!strcmp(list[i], e->text))
            return n;
    if (n == most)
        abort();
    list[n] = e->text;
    return n + 1;
}

static double call(const char *name, double x, double y)
{
    static const struct {
        const char *name;
        double (*of)(double);
    } table[] = {
        {"exp", exp}, {"log", log}, {"sqrt", sqrt}, {"tanh", tanh}, {"erf", erf},
    };
    for (int i = 0; i < COUNT(table); i++)
        if (!strcmp(name, table[i].name))
            return table[i].of(x);
    return !strcmp(name, "pow") ? pow(x, y) : NAN;
}

static double binary_value(const char *operator, double x, double y)
{
    switch (*operator) {
    case '+':
        return x + y;
    case '-':
        return x - y;
    case '*':
        return x * y;
    case '/':
        return x / y;
    case '<':
        return operator[1] ? x <= y : (x < y);
    case '>':
        return operator[1] ? x >= y : (x > y);
    case '=':
        return x == y;
    case '!':
        return x != y;
    case '&':
        return x != 0 && y != 0;
    default:
        return x != 0 || y != 0;
    }
}

struct at_step {
    expr_valuer *valuer;
    const void *context;
    double t;
};

static double value_at(const char *name, const void *context)
{
    const struct at_step *at = context;
    return strcmp(name, "t") ? at->valuer(name, at->context) : at->t;
}

/* Of factors below 1. What is so small that 1 - product does not show it is left as it is: early steps are all that count. */
static double product(const struct expr *e, expr_valuer *valuer, const void *context)
{
    const double t = valuer("t", context);
    double value = 1;
    for (struct at_step at = {valuer, context, 1}; at.t <= t && value > 0x1p-60; at.t++)
        value *= expr_value(e, value_at, &at);
    return value;
}

double expr_value(const struct expr *e, expr_valuer *valuer, const void *context)
{
    if (e->kind == CALL && !strcmp(e->text, "product"))
        return product(e->of[0], valuer, context);
    double x = e->of[0] ? expr_value(e->of[0], valuer, context) : 0,
           y = e->of[1] ? expr_value(e->of[1], valuer, context) : 0;
    switch (e->kind) {
    case NUMBER:
        return e->number;
    case NAME:
        return valuer(e->text, context);
    case HOST:
        return x;
    case CALL:
        return call(e->text, x, y);
    case NEGATE:
        return -x;
    case BINARY:
        return binary_value(e->text, x, y);
    case CHOICE:
        return x != 0 ? y : expr_value(e->of[2], valuer, context);
    }
    return NAN;
}

/* Of an operator: 0 && ||, 1 comparisons, 2 sums, 3 products. */
static int rank_of(const struct expr *e)
{
    return strpbrk(e->text, "*/") ? 3 : strpbrk(e->text, "+-") ? 2 : strpbrk(e->text, "&|") ? 0 : 1;
}

/* In parentheses only where they say something: everywhere below && and ||, whose order nobody should have to know. */
static void print_operand(const struct expr *e, int i, FILE *out, expr_namer *namer, void *context)
{
    const struct expr *x = e->of[i];
    const bool bare = x->kind != BINARY || (rank_of(e) > 0 && rank_of(x) > 1 &&
                                            (rank_of(x) > rank_of(e) || (i == 0 && rank_of(x) == rank_of(e))));
    fputs(bare ? "" : "(", out);
    expr_print(x, out, namer, context);
    fputs(bare ? "" : ")", out);
}

void expr_print(const struct expr *e, FILE *out, expr_namer *namer, void *context)
{
    switch (e->kind) {
    case NUMBER:
        fprintf(out, "num(%.17g)", e->number);
        break;
    case NAME:
    case HOST:
        namer(e->text, out, context);
        break;
    case NEGATE:
        fputs("-(", out);
        expr_print(e->of[0], out, namer, context);
        fputs(")", out);
        break;
    case CALL:
        fprintf(out, "v_%s(", e->text);
        expr_print(e->of[0], out, namer, context);
        if (e->of[1]) {
            fputs(", ", out);
            expr_print(e->of[1], out, namer, context);
        }
        fputs(")", out);
        break;
    case BINARY:
        print_operand(e, 0, out, namer, context);
        fprintf(out, " %s ", !strcmp(e->text, "&&") ? "&" : !strcmp(e->text, "||") ? "|" : e->text);
        print_operand(e, 1, out, namer, context);
        break;
    case CHOICE:
        fputs("sel(", out);
        expr_print(e->of[0], out, namer, context);
        fputs(", ", out);
        expr_print(e->of[1], out, namer, context);
        fputs(", ", out);
        expr_print(e->of[2], out, namer, context);
        fputs(")", out);
        break;
    }
}
