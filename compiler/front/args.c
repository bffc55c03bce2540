/* args.c: the arguments of a word, checked once for all words from their tables. */
#include "build.h"

#include <math.h>
#include <string.h>

bool call_of(const struct ast *a, struct call *c)
{
    if (!a || (a->kind != AST_NAME && a->kind != AST_CALL))
        return false;
    *c = (struct call){a->text, a->loc, a->narg, a->arg};
    return true;
}

int arg_count(const struct word *w)
{
    int n = 0;
    while (n < MAX_WORD_ARGS && w->arg[n].name)
        n++;
    return n;
}

int arg_index(const struct word *w, const char *name)
{
    for (int i = 0; i < arg_count(w); i++)
        if (strcmp(w->arg[i].name, name) == 0)
            return i;
    return -1;
}

/* ---- one argument ---- */

static bool whole(double x)
{
    return x == floor(x) && fabs(x) <= 0x1p53;
}

/* Pairs of integers, unless the default says that they are numbers. */
static bool integers(const struct arg *a)
{
    return a->type == ARG_INT || a->type == ARG_INTS || (a->type == ARG_PAIR && whole(a->otherwise));
}

static const char *allowed_text(const struct arg *a, int64_t many, struct region *r)
{
    static const char *const plain[] = {
        "an integer",
        "an integer or [h, w]",
        "a number",
        "an integer or a list of integers",
        "a number or a list of numbers",
        "a list of numbers",
        "`true` or `false`",
        "a value of the network",
        "a way to begin, such as `kaiming_normal`",
        "`loss` or one of the metrics",
        "a text in quotes",
        "a text in quotes or a list of them",
    };
    if (a->type == ARG_TEXT)
        return arg_texts(a, r);
    const char *what = a->type == ARG_PAIR && !integers(a) ? "a list of two numbers" : plain[a->type];
    if (a->type == ARG_NUMBERS && many == 1)
        what = "a number";
    else if (a->type == ARG_NUMBERS && many)
        what = region_printf(r, "a number or a list of %lld (one for each channel)", (long long)many);
    else if (a->type == ARG_CLASSES && many)
        what = region_printf(r, "a list of %lld numbers (one for each class)", (long long)many);
    if (a->type == ARG_BOOL || a->type >= ARG_VALUE || (a->min == 0 && a->max == 0))
        return what;
    if (a->type == ARG_CLASSES)
        return region_printf(r, "%s, each 0 or from %.12g to %.12g, and not all 0", what, a->min, a->max);
    return region_printf(r, "%s from %.12g to %s%.12g", what, a->min, a->below ? "below " : "", a->max);
}

static bool number_fits(const struct arg *a, double x)
{
    bool range = (a->min == 0 && a->max == 0) || (x >= a->min && x <= a->max && !(a->below && x == a->max));
    return isfinite(x) && (range || (a->type == ARG_CLASSES && x == 0)) && (!integers(a) || whole(x));
}

/* What classes weigh is a list; the number that stands for it says that all weigh alike. */
static bool lone_fits(const struct arg *a, double x)
{
    return a->type == ARG_CLASSES ? !a->required && x == a->otherwise
                                  : number_fits(a, x) && (a->type == ARG_NUMBERS || integers(a));
}

static bool list_fits(const struct arg *a, const struct result *v, int64_t many)
{
    bool fits = a->type == ARG_PAIR ? v->n == 2 : v->n >= 1 && (a->type == ARG_INTS || !many || v->n == many);
    bool some = a->type != ARG_CLASSES;
    for (int i = 0; fits && i < v->n; i++) {
        fits = number_fits(a, v->list[i]);
        some |= v->list[i] > 0;
    }
    return fits && some;
}

bool arg_accepts(const struct arg *a, const struct result *v, int64_t many, const char **why, struct region *r)
{
    bool fits = false;
    switch (a->type) {
    case ARG_INT:
    case ARG_NUMBER:
        fits = v->kind == A_NUMBER && number_fits(a, v->number);
        break;
    case ARG_PAIR:
    case ARG_INTS:
    case ARG_NUMBERS:
    case ARG_CLASSES:
        fits = v->kind == A_LIST ? list_fits(a, v, many) : v->kind == A_NUMBER && lone_fits(a, v->number);
        break;
    case ARG_BOOL:
        fits = v->kind == A_BOOL;
        break;
    case ARG_VALUE:
        fits = v->kind == A_VALUE;
        break;
    case ARG_INIT:    /* words, */
    case ARG_MEASURE: /* and texts, which no result is */
    case ARG_TEXT:
    case ARG_TEXTS:
        break;
    }
    if (!fits)
        *why = allowed_text(a, many, r);
    return fits;
}

static void set_default(struct builder *b, struct args *out, int i, const struct arg *a, struct loc loc)
{
    out->num[i] = region_alloc(b->region, 2, sizeof *out->num[i]);
    out->num[i][0] = a->otherwise;
    out->num[i][1] = a->second != 0 ? a->second : a->otherwise;
    out->text[i] = a->type != ARG_TEXT ? "auto" : a->choice ? a->choice[0] : "";
    out->loc[i] = loc;
}

static const char *result_text(struct builder *b, const struct result *v)
{
    if (v->kind == A_NUMBER)
        return region_printf(b->region, "%.12g", v->number);
    if (v->kind == A_LIST)
        return region_printf(b->region, "a list of %d", v->n);
    return kind_text(v->kind);
}

const struct value *source_of(const struct builder *b, enum name_kind kind)
{
    for (int i = 0; i < b->top.nname; i++)
        if (b->top.name[i].kind == kind && b->top.name[i].result.kind == A_VALUE)
            return b->top.name[i].result.value;
    return NULL;
}

const struct value *input_of(const struct builder *b)
{
    return source_of(b, NAME_INPUT);
}

static int64_t input_channels(const struct builder *b)
{
    const struct value *x = input_of(b);
    return x ? x->t.dim[0] : 0;
}

static int64_t target_classes(const struct builder *b)
{
    const struct value *t = source_of(b, NAME_TARGET);
    return !t ? 0 : t->t.dtype == DT_I32 ? t->t.fan_in : t->t.rank == 1 ? t->t.dim[0] : 0;
}

int64_t arg_listed(const struct builder *b, const struct arg *a)
{
    return a->type == ARG_CLASSES ? target_classes(b) : input_channels(b);
}

/* The number of a list that is wrong on its own account; -1: none. */
static int wrong_number(const struct arg *a, const struct result *v)
{
    for (int k = 0; v->kind == A_LIST && k < v->n; k++)
        if (!number_fits(a, v->list[k]))
            return k;
    return -1;
}

static void refuse_argument(struct builder *b, const struct word *w, const struct arg *a, const struct ast *given,
                            const struct result *v, const char *allowed)
{
    bool numbers = a->type != ARG_BOOL && a->type != ARG_VALUE,
         single = v->kind == A_NUMBER && number_fits(a, v->number);
    int k = numbers ? wrong_number(a, v) : -1;
    struct loc at = k >= 0 && given->kind == AST_LIST ? given->arg[k].value->loc : given->loc;
    const bool zeros = k < 0 && a->type == ARG_CLASSES && v->kind == A_LIST && v->n == target_classes(b);
    const char *got = k >= 0  ? region_printf(b->region, "%.12g in a list of %d", v->list[k], v->n)
                      : zeros ? region_printf(b->region, "%d zeros", v->n)
                              : result_text(b, v);
    diag_error(b->diag, numbers && !single && (v->kind == A_NUMBER || k >= 0) ? "N0404" : "N0403", at, NULL,
               "`%s` of `%s` is %s, not %s", a->name, w->name, allowed, got);
    if (a->type == ARG_NUMBERS && v->kind == A_LIST && k < 0 && input_of(b))
        diag_place(b->diag, input_of(b)->loc, "its first dimension is %lld", (long long)input_channels(b));
    if (a->type == ARG_CLASSES && v->kind == A_LIST && k < 0 && target_classes(b) && !zeros)
        diag_place(b->diag, source_of(b, NAME_TARGET)->loc, "has %lld classes", (long long)target_classes(b));
}

static bool set_argument(struct builder *b, struct scope *s, const struct word *w, int i, const struct ast_arg *given,
                         struct args *out)
{
    const struct arg *a = &w->arg[i];
    if (a->type == ARG_INIT)
        return out->given[i] = init_read(b, s, a, given->value, out, i);
    if (a->type == ARG_MEASURE)
        return measure_read(b, w, a, given->value, &out->text[i]);
    out->loc[i] = given->value ? given->value->loc : given->loc;
    if (a->type == ARG_TEXT)
        return out->given[i] = text_read(b, w, a, given->value, &out->text[i]);
    if (a->type == ARG_TEXTS)
        return out->given[i] = texts_read(b, region_printf(b->region, "`%s` of `%s`", a->name, w->name), given->value,
                                          &out->text[i], &out->count[i]);
    struct result v = eval(b, s, given->value);
    if (v.kind == POISON)
        return false;
    const char *why;
    if (!arg_accepts(a, &v, arg_listed(b, a), &why, b->region)) {
        refuse_argument(b, w, a, given->value, &v, why);
        return false;
    }
    out->given[i] = true;
    out->loc[i] = given->value->loc;
    out->value[i] = v.value;
    out->count[i] = v.kind == A_LIST ? v.n : 1;
    if (v.kind == A_LIST && v.n > 2)
        out->num[i] = region_alloc(b->region, (size_t)v.n, sizeof *out->num[i]);
    out->num[i][0] = out->num[i][1] = v.number;
    for (int k = 0; v.kind == A_LIST && k < v.n; k++)
        out->num[i][k] = v.list[k];
    return true;
}

/* ---- all arguments ---- */

static void unknown_argument(struct builder *b, const struct word *w, const struct ast_arg *given)
{
    const char *name[MAX_WORD_ARGS], *all = "";
    int n = arg_count(w);
    for (int i = 0; i < n; i++) {
        name[i] = w->arg[i].name;
        all = region_printf(b->region, "%s%s%s", all, i ? ", " : "", name[i]);
    }
    const struct foreign *f = foreign_find(FOREIGN_ARG, given->name, w);
    const char *near = f ? f->ours : diag_nearest(given->name, name, n);
    diag_error(b->diag, "N0401", given->loc, near ? region_printf(b->region, "did you mean `%s`?", near) : NULL,
               "`%s` has no argument `%s`", w->name, given->name);
    if (f && f->hint)
        diag_help(b->diag, "%s", f->hint);
    else if (!near)
        diag_help(b->diag, n ? "`%s` takes %s" : "`%s` takes no arguments", w->name, all);
}

/* Index of the argument that is meant, -1 after an error. */
static int find_argument(struct builder *b, const struct word *w, const struct ast_arg *given, int position, bool named)
{
    if (given->name) {
        int i = arg_index(w, given->name);
        if (i < 0)
            unknown_argument(b, w, given);
        return i;
    }
    int n = arg_count(w), bare = w->bare < 0 ? 0 : w->bare ? w->bare : n;
    if (named) {
        diag_error(b->diag, "N0405", given->loc, NULL, "an argument without a name follows one with a name");
        diag_help(b->diag, "put it first, or give its name");
        return -1;
    }
    if (position < bare)
        return position;
    if (bare < n) {
        diag_error(b->diag, "N0405", given->loc, NULL,
                   bare ? "`%s` takes %d argument%s without a name, the others are `name = value`"
                        : "arguments of `%s` have names",
                   w->name, bare, bare == 1 ? "" : "s");
        diag_help(b->diag, "%s", w->bare_help);
        return -1;
    }
    if (n)
        diag_error(b->diag, "N0405", given->loc, NULL, "`%s` takes at most %d argument%s", w->name, n,
                   n == 1 ? "" : "s");
    else
        diag_error(b->diag, "N0405", given->loc, NULL, "`%s` takes no arguments", w->name);
    return -1;
}

static bool check_missing(struct builder *b, const struct word *w, const struct call *c, const struct args *out)
{
    for (int i = 0; i < arg_count(w); i++) {
        if (!w->arg[i].required || out->given[i])
            continue;
        diag_error(b->diag, "N0402", c->loc, NULL, "`%s` needs `%s`", w->name, w->arg[i].name);
        if (w->arg[i].help)
            diag_help(b->diag, "`%s`: %s; %s", w->arg[i].name, w->arg[i].help,
                      allowed_text(&w->arg[i], arg_listed(b, &w->arg[i]), b->region));
        return false;
    }
    return true;
}

bool args_check(struct builder *b, struct scope *s, const struct word *w, const struct call *c, int nvalue,
                struct args *out, struct value **x, int *nx)
{
    const struct ast_arg *from[MAX_WORD_ARGS] = {NULL};
    *out = (struct args){0};
    for (int i = 0; i < arg_count(w); i++)
        set_default(b, out, i, &w->arg[i], c->loc);
    bool good = true, named = false;
    int position = 0;
    for (int k = 0; k < c->narg; k++) {
        const struct ast_arg *given = &c->arg[k];
        if (!given->name && !named && (nvalue < 0 || k < nvalue)) {
            struct value *v = *nx < MAX_OPERANDS ? eval_value(b, s, given->value) : NULL;
            if (*nx == MAX_OPERANDS)
                diag_error(b->diag, "N0405", given->loc, NULL, "`%s` takes at most %d values", w->name, MAX_OPERANDS);
            if (!v)
                return false;
            x[(*nx)++] = v;
            continue;
        }
        int i = find_argument(b, w, given, position, named);
        named |= given->name != NULL;
        position += !given->name;
        if (i < 0) {
            good = false;
            if (!given->name)
                break;
            continue;
        }
        if (from[i]) {
            diag_error(b->diag, "N0406", given->loc, NULL, "`%s` is given twice", w->arg[i].name);
            diag_place(b->diag, from[i]->loc, "given here");
            good = false;
            continue;
        }
        from[i] = given;
        good &= set_argument(b, s, w, i, given, out);
    }
    for (int i = 0; i < arg_count(w); i++)
        if (w->arg[i].type == ARG_VALUE && out->given[i])
            x[(*nx)++] = out->value[i];
    return good && check_missing(b, w, c, out);
}
