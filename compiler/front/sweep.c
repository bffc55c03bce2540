/* sweep.c: the sweep section: values that settings, params and the device shall take. They stay text, as --sweep takes it. */
#include "build.h"
#include "override.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_EXPRESSIONS = 100 };

/* A short decimal that reads back as the same number: 100, not 1e+02. */
static const char *number_text(struct region *r, double x)
{
    const char *text = region_printf(r, "%.15g", x);
    return strtod(text, NULL) == x ? text : region_printf(r, "%.17g", x);
}

/* [cpu, "cuda:1"]; NULL, after an error: something else. */
static const char *devices(struct builder *b, const struct ast *a)
{
    const char *text = NULL;
    for (int i = 0; a->kind == AST_LIST && i < a->narg; i++) {
        const struct ast *one = a->arg[i].value;
        bool word = one->kind == AST_NAME || one->kind == AST_STRING || (one->kind == AST_CALL && !one->narg);
        if (!word ||
            (strcmp(one->text, "cpu") != 0 && strcmp(one->text, "auto") != 0 && strncmp(one->text, "cuda", 4) != 0)) {
            diag_error(b->diag, "N0416", one->loc, NULL, "a device is cpu, cuda, \"cuda:1\" or auto");
            return NULL;
        }
        text = region_printf(b->region, "%s%s%s", text ? text : "", text ? ", " : "", one->text);
    }
    if (!text)
        diag_error(b->diag, "N0416", a->loc, NULL, "a sweep goes over a list, as [cpu, cuda]");
    return text;
}

/* Whether each of them is what the setting takes. */
static bool values_fit(struct builder *b, const struct ast_entry *e, const struct arg *rule, const struct result *v)
{
    for (int k = 0; rule && k < v->n; k++) {
        struct result one = {.kind = rule->type == ARG_BOOL && (v->list[k] == 0 || v->list[k] == 1) ? A_BOOL : A_NUMBER,
                             .number = v->list[k]};
        const char *why;
        if (arg_accepts(rule, &one, 0, &why, b->region))
            continue;
        diag_error(b->diag, "N0404", e->value->kind == AST_LIST ? e->value->arg[k].loc : e->value->loc, NULL,
                   "`%s` is %s", e->path, why);
        return false;
    }
    return true;
}

static const char *numbers(struct builder *b, const struct ast_entry *e, const struct arg *rule)
{
    struct result v = e->value ? eval(b, &b->top, e->value) : poison;
    if (v.kind == POISON)
        return NULL;
    if (v.kind != A_LIST || !v.n) {
        diag_error(b->diag, "N0416", e->value->loc, NULL, "a sweep goes over a list of numbers");
        return NULL;
    }
    if (!values_fit(b, e, rule, &v) || !numbers_fit(b, e->loc, v.n))
        return NULL;
    b->nnumber += v.n;
    size_t size = 0;
    const char **one = region_alloc(b->region, (size_t)v.n, sizeof *one);
    for (int i = 0; i < v.n; i++) {
        one[i] =
            rule && rule->type == ARG_BOOL ? (v.list[i] != 0 ? "true" : "false") : number_text(b->region, v.list[i]);
        size += strlen(one[i]) + 2;
    }
    char *text = region_alloc(b->region, size + 1, 1), *at = text;
    for (int i = 0; i < v.n; i++)
        at += sprintf(at, "%s%s", i ? ", " : "", one[i]);
    return text;
}

/* [1, [1, 2]]: values that are a number or a list of them. Like others they are written as numbers, for a setting knows no params. */
static const char *lists(struct builder *b, const struct ast_entry *e, const struct arg *rule)
{
    const char *text = "";
    for (int i = 0; i < e->value->narg; i++) {
        const struct ast *one = e->value->arg[i].value;
        const struct result v = eval(b, &b->top, one);
        const char *why, *list = "";
        if (v.kind == POISON)
            return NULL;
        if (!arg_accepts(rule, &v, arg_listed(b, rule), &why, b->region)) {
            diag_error(b->diag, "N0404", one->loc, NULL, "`%s` is %s", e->path, why);
            return NULL;
        }
        for (int k = 0; k < v.n; k++)
            list = region_printf(b->region, "%s%s%s", list, k ? ", " : "", number_text(b->region, v.list[k]));
        text = region_printf(b->region, v.kind == A_LIST ? "%s%s[%s]" : "%s%s%s", text, i ? ", " : "",
                             v.kind == A_LIST ? list : number_text(b->region, v.number));
    }
    return region_printf(b->region, "[%s]", text);
}

static bool holds_lists(const struct ast_entry *e, const struct arg *rule)
{
    bool any = false;
    if (!rule || !e->value || e->value->kind != AST_LIST)
        return false;
    for (int i = 0; i < e->value->narg; i++)
        any |= e->value->arg[i].value->kind == AST_LIST;
    return any;
}

/* The file without its sweep. */
static struct ast_file without_sweep(struct builder *b)
{
    struct ast_file f = *b->file;
    f.decl = region_alloc(b->region, (size_t)f.ndecl, sizeof *f.decl);
    f.ndecl = 0;
    for (int i = 0; i < b->file->ndecl; i++)
        if (b->file->decl[i].kind != DECL_SWEEP)
            f.decl[f.ndecl++] = b->file->decl[i];
    return f;
}

/* Does the network stand with it in its place? */
static bool builds_with(struct builder *b, const struct ast_file *f, const char *path, const char *text, struct loc at)
{
    struct diag own = {.file = b->diag->file, .region = b->region};
    struct model m = {0};
    struct define *list = region_alloc(b->region, (size_t)b->ndefine + 1, sizeof *list);
    int n = 0;
    for (int i = 0; i < b->ndefine; i++)
        if (strcmp(b->define[i].name, path) != 0)
            list[n++] = b->define[i];
    list[n++] = (struct define){.name = path, .text = text};
    if (build(f, PHASE_TRAIN, list, n, &m, &own, b->region))
        return true;
    diag_error(b->diag, "N0416", at, NULL, "`%s` cannot be this: %s", path, diag_first(&own));
    return false;
}

/* Values of what shapes the network, as they are written: each is what -D takes, and is tried. */
static const char *expressions(struct builder *b, const struct ast_entry *e)
{
    const struct ast *a = e->value;
    const struct ast_file f = without_sweep(b);
    if (!a || a->kind != AST_LIST || !a->narg || a->narg > MAX_EXPRESSIONS) {
        diag_error(b->diag, "N0416", a ? a->loc : e->loc, NULL, "a sweep goes over a list of 1 to %d such values",
                   MAX_EXPRESSIONS);
        return NULL;
    }
    const char *text = "";
    for (int i = 0; i < a->narg; i++) {
        const char *one = ast_expression(a->arg[i].value, b->region);
        if (b->diag->errors || !builds_with(b, &f, e->path, one, a->arg[i].value->loc))
            return NULL;
        text = region_printf(b->region, "%s%s%s", text, i ? ", " : "", one);
    }
    return text;
}

/* What stands at a path. False, after an error: nothing that can be gone over. */
static bool find_rule(struct builder *b, const struct ast_entry *e, int count, const struct arg **rule, bool *shapes)
{
    const struct model *m = b->model;
    const char *path = strcmp(e->path, "seed") == 0 ? "train.seed" : e->path;
    struct name *param = scope_find(&b->top, e->path);
    *rule = setting_rule(m->setting, count, path);
    *shapes = setting_shapes(m->setting, count, path);
    if (param && param->kind == NAME_PARAM) {
        param->used = true;
        return true;
    }
    if (*shapes || *rule || b->diag->errors)
        return true;
    const char *near = setting_nearest(m->setting, count, e->path, b->region);
    diag_error(b->diag, "N0416", e->loc, near ? region_printf(b->region, "did you mean `%s`?", near) : NULL,
               "there is no setting or param `%s` to sweep over", e->path);
    return false;
}

/* What a sweep may do beside going over a list. */
static const struct rule {
    const char *path, *word, *arg[2]; /* path NULL: any */
    const char *takes;
} rules[] = {
    {"runs", "random", {"n"}, "one number, as `random(20)`"},
    {"stop", "halving", {"eta"}, "one number, as `halving(eta = 3)`"},
    {NULL, "log", {"low", "high"}, "two numbers, as `log(1e-4, 1e-1)`"},
    {NULL, "uniform", {"low", "high"}, "two numbers, as `uniform(0, 0.5)`"},
};

static const struct rule *rule_of(const struct ast_entry *e)
{
    const struct ast *a = e->value;
    for (int i = 0; a && a->kind == AST_CALL && i < COUNT(rules); i++)
        if (strcmp(a->text, rules[i].word) == 0 && (!rules[i].path || strcmp(e->path, rules[i].path) == 0))
            return &rules[i];
    return NULL;
}

/* The call as text; NULL after an error. `limits` NULL: any numbers. */
static const char *call_text(struct builder *b, const struct ast_entry *e, const struct rule *r,
                             const struct arg *limits)
{
    const struct ast *a = e->value;
    const char *text = "";
    bool good = a->narg == (r->arg[1] ? 2 : 1);
    for (int k = 0; good && k < a->narg; k++)
        good = !a->arg[k].name || strcmp(a->arg[k].name, r->arg[k]) == 0;
    if (!good) {
        diag_error(b->diag, "N0402", a->loc, NULL, "`%s` takes %s", a->text, r->takes);
        return NULL;
    }
    for (int k = 0; k < a->narg; k++) {
        struct result v = eval(b, &b->top, a->arg[k].value);
        const char *why = "a number";
        if (v.kind == POISON)
            return NULL;
        if (v.kind != A_NUMBER || (limits && !arg_accepts(limits, &v, 0, &why, b->region))) {
            diag_error(b->diag, "N0404", a->arg[k].value->loc, NULL, "`%s` is %s", e->path, why);
            return NULL;
        }
        text = region_printf(b->region, "%s%s%s", text, k ? ", " : "", number_text(b->region, v.number));
    }
    return region_printf(b->region, "%s(%s)", a->text, text);
}

static void sweep_entry(struct builder *b, const struct ast_entry *e, int count)
{
    const struct rule *special = rule_of(e);
    const struct arg *rule = NULL;
    const char *text;
    bool shapes = false;
    if (special)
        text = special->path || find_rule(b, e, count, &rule, &shapes) ? call_text(b, e, special, rule) : NULL;
    else if (strcmp(e->path, "device") == 0)
        text = e->value ? devices(b, e->value) : NULL;
    else
        text = !find_rule(b, e, count, &rule, &shapes) ? NULL
               : shapes                                ? expressions(b, e)
               : holds_lists(e, rule)                  ? lists(b, e, rule)
                                                       : numbers(b, e, rule);
    if (text)
        setting_text(b, region_printf(b->region, "sweep.%s", e->path), text, false);
}

void sweep_build(struct builder *b, const struct decl *d)
{
    int count = b->model->nsetting;
    struct lookup known = {0};
    if (!d->nentry)
        diag_warning(b->diag, "N0416", d->loc, NULL, "an empty `sweep` goes over nothing");
    for (int i = 0; i < d->nentry; i++) {
        const struct ast_entry *e = &d->entry[i];
        const char *path = strcmp(e->path, "seed") == 0 ? "train.seed" : e->path;
        if (lookup_find(&known, path) >= 0) {
            diag_error(b->diag, "N0408", e->loc, NULL, "`%s` is set twice", e->path);
            continue;
        }
        lookup_add(b->region, &known, path, i);
        sweep_entry(b, e, count);
    }
}
