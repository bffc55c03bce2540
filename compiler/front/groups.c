/* groups.c: optimizer.groups = [group("*.bias", decay = 0), group("features.*", lr = 0)]: parameters whose names meet a pattern have a
 * learning rate or a decay of their own. Of several rows that meet one, each number is that of the last which gives it. */
#include "build.h"

#include <fnmatch.h>
#include <math.h>
#include <string.h>

enum { LR, DECAY, TAKES, NUMBERS };
static const char *const number_name[] = {"lr", "decay"}; /* and word.takes_word */

static bool is_parameter(const struct value *v)
{
    return v->t.role == ROLE_PARAM && !v->def;
}

/* What a pattern could have meant: names, layers, and last words. */
static const char *nearest_pattern(struct builder *b, const char *pattern)
{
    const char **list = NULL;
    int n = 0;
    for (int i = 0; i < b->graph->nvalue; i++) {
        const char *name = b->graph->value[i]->t.name;
        if (!is_parameter(b->graph->value[i]))
            continue;
        region_grow(b->region, list, n);
        list[n++] = name;
        for (const char *dot = strchr(name, '.'); dot; dot = strchr(dot + 1, '.')) {
            region_grow(b->region, list, n);
            list[n++] = region_printf(b->region, "%.*s.*", (int)(dot - name), name);
            region_grow(b->region, list, n);
            list[n++] = region_printf(b->region, "*%s", dot);
        }
    }
    return diag_nearest(pattern, list, n);
}

/* What a group may have of its own under this optimizer: `lr`, `decay` and `muon`. Returns how many. */
static int own_names(const struct word *w, const char *name[NUMBERS])
{
    int n = 0;
    for (int i = 0; i < COUNT(number_name); i++)
        if (arg_index(w, number_name[i]) >= 0)
            name[n++] = number_name[i];
    if (w->takes_word)
        name[n++] = w->takes_word;
    return n;
}

/* The rule of the optimizer's argument that a group may have of its own; NULL after an error. */
static const struct arg *number_rule(struct builder *b, const struct ast_arg *given, int *which)
{
    const struct word *w = b->model->optimizer;
    static const struct arg takes = {.type = ARG_BOOL};
    for (*which = 0; *which < COUNT(number_name); ++*which)
        if (strcmp(given->name, number_name[*which]) == 0 && arg_index(w, given->name) >= 0)
            return &w->arg[arg_index(w, given->name)];
    if (w->takes_word && strcmp(given->name, w->takes_word) == 0)
        return &takes;
    const struct foreign *f = foreign_find(FOREIGN_ARG, given->name, w);
    const char *name[NUMBERS], *all = "";
    const int n = own_names(w, name);
    for (int i = 0; i < n; i++)
        all = region_printf(b->region, "%s%s`%s`", all, i == 0 ? "" : i == n - 1 ? " and " : ", ", name[i]);
    const char *near = f && f->ours ? f->ours : diag_nearest(given->name, name, n);
    diag_error(b->diag, "N0401", given->loc, near ? region_printf(b->region, "did you mean `%s`?", near) : NULL,
               "a group has no `%s` of its own", given->name);
    diag_help(b->diag, "it may have %s; `lr = 0` freezes it", all);
    return NULL;
}

static bool read_number(struct builder *b, const struct ast_arg *given, double number[NUMBERS])
{
    int which;
    const char *why;
    const struct arg *rule = number_rule(b, given, &which);
    struct result v = rule ? eval(b, &b->top, given->value) : poison;
    if (v.kind == POISON)
        return false;
    if (arg_accepts(rule, &v, 0, &why, b->region)) {
        number[which] = v.number;
        return true;
    }
    diag_error(b->diag, v.kind == A_NUMBER ? "N0404" : "N0403", given->value->loc, NULL, "`%s` of `group` is %s",
               given->name, why);
    return false;
}

/* `muon = true` says something of matrices alone. */
static bool takes_some(struct builder *b, const struct ast *pattern, int taken)
{
    if (taken == 0)
        diag_error(b->diag, "N0422", pattern->loc, NULL, "`%s` takes none of the parameters that \"%s\" meets",
                   b->model->optimizer->name, pattern->text);
    return taken > 0;
}

/* Marks the parameters that it meets; false after an error, if it meets none. */
static bool mark(struct builder *b, const struct ast *pattern, int row, const double number[NUMBERS])
{
    const struct word *w = b->model->optimizer;
    int met = 0, taken = 0;
    for (int i = 0; i < b->graph->nvalue; i++) {
        struct value *v = b->graph->value[i];
        if (!is_parameter(v) || fnmatch(pattern->text, v->t.name, 0) != 0)
            continue;
        met++;
        taken += w->takes && w->takes(v);
        v->lr_of = isnan(number[LR]) ? v->lr_of : row;
        v->decay_of = isnan(number[DECAY]) ? v->decay_of : row;
        v->apart = isnan(number[TAKES]) ? v->apart : number[TAKES] == 0;
        v->frozen = isnan(number[LR]) ? v->frozen : number[LR] == 0;
    }
    if (met)
        return number[TAKES] != 1 || takes_some(b, pattern, taken);
    const char *near = nearest_pattern(b, pattern->text);
    diag_error(b->diag, "N0422", pattern->loc, near ? region_printf(b->region, "did you mean \"%s\"?", near) : NULL,
               "no parameter has a name like \"%s\"", pattern->text);
    if (!near)
        diag_help(b->diag,
                  "names are those of the layers and a last word, such as conv1.weight; `*` stands for any text");
    return false;
}

static void read_group(struct builder *b, const struct ast *a)
{
    struct model *m = b->model;
    double number[NUMBERS] = {NAN, NAN, NAN};
    const bool call = a->kind == AST_CALL && strcmp(a->text, "group") == 0;
    const struct ast *pattern = call && a->narg > 0 && !a->arg[0].name ? a->arg[0].value : NULL;
    bool good = pattern && pattern->kind == AST_STRING && a->narg > 1;
    for (int i = 1; good && i < a->narg; i++)
        good = a->arg[i].name != NULL;
    if (!good) {
        diag_error(b->diag, "N0403", a->loc, NULL, "a group is a pattern of names and what those have of their own");
        diag_help(b->diag, "for example `group(\"*.bias\", decay = 0)`; `lr = 0` freezes");
        return;
    }
    for (int i = 1; i < a->narg; i++)
        if (!read_number(b, &a->arg[i], number))
            return;
    if (!mark(b, pattern, m->ngroup + 1, number))
        return;
    region_grow(b->region, m->group, m->ngroup);
    m->group[m->ngroup++] = (struct group_rule){pattern->text, number[LR], number[DECAY]};
}

void groups_build(struct builder *b, const struct ast *a)
{
    b->model->groups_at = a->loc;
    if (a->kind != AST_LIST)
        read_group(b, a);
    for (int i = 0; a->kind == AST_LIST && i < a->narg; i++)
        read_group(b, a->arg[i].value);
}
