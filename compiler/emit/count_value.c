/* count_value.c: expressions in the lines of a body, read by recursive descent: their operations are counted by the types of what they
 * are made of. What is not known makes the count unknown: nothing is guessed. */
#include "count.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- text ---- */

void count_blank(struct counter *c)
{
    for (;;) {
        while (isspace((unsigned char)*c->at))
            c->at++;
        const char *end = strncmp(c->at, "/*", 2) ? NULL : strstr(c->at, "*/");
        if (!end)
            return;
        c->at = end + 2;
    }
}

bool in_word(char x)
{
    return isalnum((unsigned char)x) || x == '_' || x == '@' || x == '$';
}

/* Text that is next, which is then passed over. A word is whole. */
bool count_take(struct counter *c, const char *text)
{
    count_blank(c);
    const size_t n = strlen(text);
    if (strncmp(c->at, text, n) || (in_word(*text) && in_word(c->at[n])))
        return false;
    c->at += n;
    return true;
}

/* The rest of the line is not understood. */
void count_give_up(struct counter *c)
{
    c->known = false;
    c->at += strlen(c->at);
}

void count_need(struct counter *c, const char *text)
{
    if (!count_take(c, text))
        count_give_up(c);
}

const char *count_word(struct counter *c)
{
    count_blank(c);
    const char *from = c->at;
    while (in_word(*c->at))
        c->at++;
    size_t n = (size_t)(c->at - from);
    if (n == 0 || n >= sizeof c->word) {
        count_give_up(c);
        n = 0;
    }
    memcpy(c->word, from, n);
    c->word[n] = 0;
    return c->word;
}

void count_name(struct counter *c, const char *name, struct type t)
{
    if (c->names == COUNT_NAMES)
        count_give_up(c);
    else
        c->name[c->names++] = (struct counted_name){region_copy(c->writer->region, name), t, c->next.most};
}

/* The latest of that name; NULL: none. */
const struct counted_name *count_find(const struct counter *c, const char *name)
{
    for (int i = c->names; i-- > 0;)
        if (!strcmp(c->name[i].name, name))
            return &c->name[i];
    return NULL;
}

/* ---- what is counted ---- */

struct work *count_work(struct counter *c)
{
    return c->next.rows ? &c->to->sample : &c->to->fixed;
}

static double lanes_of(const struct counter *c, struct type t)
{
    return t.kind == VALUE_VECTOR ? c->writer->lanes : 1;
}

void count_flops(struct counter *c, struct type t, int flops)
{
    count_work(c)->flops += flops * c->next.times * lanes_of(c, t);
    count_work(c)->slots += flops * c->next.times * ROW_BLOCK;
}

/* Has the line loaded this already, from `from` to here? Compilers do it once. */
static bool again(struct counter *c, const char *from)
{
    const size_t n = (size_t)(c->at - from);
    for (int i = 0; i < c->loads; i++)
        if (c->load[i].n == n && !memcmp(c->load[i].at, from, n))
            return true;
    if (c->loads < COUNT(c->load)) {
        c->load[c->loads].at = from;
        c->load[c->loads++].n = n;
    }
    return false;
}

/* A value that is wanted: if it still lies in a tensor, it is read. */
struct type count_used(struct counter *c, struct type t)
{
    count_work(c)->read += t.kind == VALUE_POINTER ? 0 : t.bytes * c->next.times;
    return t.kind == VALUE_POINTER ? t : (struct type){.kind = t.kind};
}

/* Added to `sum`, of which nothing is known if NULL. */
void count_term(struct counter *c, const struct counted_name *sum, bool kept)
{
    count_work(c)->chain += c->next.times;
    const double terms = kept || !sum ? 1 : c->next.most / sum->most;
    c->to->terms = fmax(c->to->terms, terms);
}

/* ---- expressions ---- */

struct type count_wider(struct type x, struct type y)
{
    return y.kind > x.kind ? y : x;
}

enum effect { NONE, LOADS, STORES, SUMS };
enum { AS_WIDEST = -1 }; /* of the arguments */

/* clang-format off */
static const struct function {
    const char *name;
    int result, flops;
    enum effect effect;
} functions[] = {
    {"ld", VALUE_VECTOR, 0, LOADS}, {"ld_u8", VALUE_INT, 0, LOADS}, {"ld_i32", VALUE_INT, 0, LOADS},
    {"st", VALUE_INT, 0, STORES}, {"st_u8", VALUE_INT, 0, STORES}, {"st_i32", VALUE_INT, 0, STORES},
    {"num", VALUE_CONSTANT, 0, NONE}, {"vec", VALUE_VECTOR, 0, NONE}, {"word", VALUE_SCALAR, 0, NONE},
    {"sel", AS_WIDEST, 0, NONE}, {"pick", VALUE_INT, 0, NONE},
    {"v_exp", AS_WIDEST, 1, NONE}, {"v_log", AS_WIDEST, 1, NONE}, {"v_tanh", AS_WIDEST, 1, NONE}, {"v_erf", AS_WIDEST, 1, NONE},
    {"v_sqrt", AS_WIDEST, 1, NONE}, {"sqrt_of", AS_WIDEST, 1, NONE},
    {"sum_add", VALUE_VECTOR, 1, SUMS}, {"sum_settle", VALUE_INT, 0, NONE},
    {"sum_of", VALUE_VECTOR, 0, NONE}, {"sum_of_lanes", VALUE_SCALAR, 0, NONE},
    {"live_mask", VALUE_INT, 0, NONE}, {"keep_mask", VALUE_INT, 0, NONE}, {"is_finite", VALUE_INT, 0, NONE},
    {"sample_at", VALUE_INT, 0, NONE}, {"pixel", VALUE_SCALAR, 2, NONE}, {"put_word", VALUE_INT, 0, NONE},
};
/* clang-format on */

static struct type call(struct counter *c, const struct function *f)
{
    const char *from = c->at;
    struct type first = {0}, widest = {0};
    for (int n = 0; *c->at && !count_take(c, ")"); n++, count_take(c, ",")) {
        const struct type argument = count_used(c, count_expression(c));
        first = n ? first : argument;
        widest = count_wider(widest, argument);
    }
    const struct type result = {.kind = f->result == AS_WIDEST ? widest.kind : (enum value_kind)f->result};
    if (f->flops && result.kind > VALUE_CONSTANT)
        count_flops(c, result, f->flops);
    const double bytes = first.bytes * c->writer->lanes * c->next.times;
    count_work(c)->read += f->effect == LOADS && !again(c, from) ? bytes : 0;
    count_work(c)->written += f->effect == STORES ? bytes : 0;
    if (f->effect == SUMS)
        count_term(c, NULL, true);
    return result;
}

/* `const real *`, `int64_t`: false if no type is next. */
bool count_type(struct counter *c, struct type *t)
{
    static const struct {
        const char *name;
        enum value_kind kind;
    } table[] = {{"V", VALUE_VECTOR},       {"real", VALUE_SCALAR},  {"float", VALUE_SCALAR}, {"double", VALUE_SCALAR},
                 {"struct sum", VALUE_INT}, {"M", VALUE_INT},        {"int", VALUE_INT},      {"int64_t", VALUE_INT},
                 {"int32_t", VALUE_INT},    {"uint32_t", VALUE_INT}, {"uint8_t", VALUE_INT},  {"void", VALUE_INT}};
    while (count_take(c, "static") || count_take(c, "const"))
        ;
    for (int i = 0; i < COUNT(table); i++)
        if (count_take(c, table[i].name)) {
            *t = (struct type){.kind = table[i].kind, .wide = !strcmp(table[i].name, "double")};
            if (count_take(c, "*"))
                *t = (struct type){.kind = VALUE_POINTER, .element = table[i].kind};
            count_take(c, "const");
            return true;
        }
    return false;
}

/* Behind a value: [element], ->member, ++. */
static struct type behind(struct counter *c, const char *from, struct type t)
{
    for (;;) {
        if (count_take(c, "[")) {
            count_used(c, count_expression(c));
            count_need(c, "]");
            t = t.kind == VALUE_POINTER ? (struct type){.kind = t.element, .bytes = again(c, from) ? 0 : t.bytes}
                                        : (struct type){.kind = VALUE_INT};
        } else if (count_take(c, "->"))
            count_word(c), t = (struct type){.kind = VALUE_INT};
        else
            return t;
    }
}

struct type count_operand(struct counter *c)
{
    struct type t;
    count_blank(c);
    const char *from = c->at;
    if (count_take(c, "-") || count_take(c, "!"))
        return count_used(c, count_operand(c));
    if (count_take(c, "&"))
        return count_operand(c).kind == VALUE_POINTER ? (count_give_up(c), (struct type){0}) : (struct type){0};
    if (count_take(c, "(")) {
        if (count_type(c, &t)) {
            count_need(c, ")");
            const struct type of = count_used(c, count_operand(c));
            return t.kind == VALUE_SCALAR && of.kind > t.kind ? of : t;
        }
        t = count_expression(c);
        count_need(c, ")");
        return behind(c, from, t);
    }
    if (isdigit((unsigned char)*c->at) || *c->at == '.') {
        char *end;
        strtod(c->at, &end);
        for (c->at = end; *c->at && strchr("uULlf", *c->at); c->at++)
            ;
        return (struct type){.kind = VALUE_INT};
    }
    const char *word = count_word(c);
    const struct counted_name *known = count_find(c, word);
    const struct function *f = functions;
    while (f < functions + COUNT(functions) && strcmp(f->name, word))
        f++;
    if (f < functions + COUNT(functions) && count_take(c, "("))
        return call(c, f);
    if (known)
        return behind(c, from, known->type);
    count_give_up(c);
    return (struct type){0};
}

static const struct operator
{
    const char *text;
    int level;
    bool flop, compares;
}
operators[] = {
    {"||", 0, false, true}, {"&&", 1, false, true}, {"==", 4, true, true},  {"!=", 4, true, true},
    {"<=", 4, true, true},  {">=", 4, true, true},  {"<", 4, true, true},   {">", 4, true, true},
    {"|", 2, false, true},  {"&", 3, false, true},  {"+", 5, true, false},  {"-", 5, true, false},
    {"*", 6, true, false},  {"/", 6, true, false},  {"%", 6, false, false},
};

/* The operator that is next, if it binds as `level` or closer; NULL: another, none, or one that assigns. */
static const struct operator* take_operator(struct counter *c, int level)
{
    count_blank(c);
    for (const struct operator* o = operators; o < operators + COUNT(operators); o++) {
        const size_t n = strlen(o->text);
        if (strncmp(c->at, o->text, n))
            continue;
        if (o->level < level || (!o->compares && c->at[n] == '='))
            return NULL;
        c->at += n;
        return o;
    }
    return NULL;
}

static struct type binary(struct counter *c, struct type left, int level)
{
    const struct operator* o;
    while ((o = take_operator(c, level))) {
        left = count_used(c, left);
        const struct type both = count_wider(left, count_used(c, binary(c, count_operand(c), o->level + 1)));
        if (o->flop && both.kind > VALUE_CONSTANT && both.kind != VALUE_POINTER)
            count_flops(c, both, 1);
        left = o->compares ? (struct type){0} : both;
    }
    return left;
}

/* What follows an operand that is read already. */
struct type count_rest(struct counter *c, struct type left)
{
    left = binary(c, left, 0);
    if (!count_take(c, "?"))
        return left;
    const struct type yes = count_used(c, count_expression(c));
    count_need(c, ":");
    return count_wider(yes, count_used(c, count_expression(c)));
}

struct type count_expression(struct counter *c)
{
    return count_rest(c, count_operand(c));
}
