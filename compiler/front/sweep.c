/* sweep.c: the sweep section, lists of values that settings and params shall take. */
#include "build.h"

void sweep_build(struct builder *b, const struct decl *d)
{
    const struct model *m = b->model;
    int count = m->nsetting;
    struct lookup known = {0};
    if (!d->nentry)
        diag_warning(b->diag, "N0416", d->loc, NULL, "an empty `sweep` goes over nothing");
    for (int i = 0; i < d->nentry; i++) {
        const struct ast_entry *e = &d->entry[i];
        if (lookup_find(&known, e->path) >= 0) {
            diag_error(b->diag, "N0408", e->loc, NULL, "`%s` is set twice", e->path);
            continue;
        }
        const struct arg *rule = setting_rule(m->setting, count, e->path);
        struct name *param = scope_find(&b->top, e->path);
        if (param && param->kind == NAME_PARAM)
            param->used = true;
        else if (!rule && !b->diag->errors) {
            const char *near = setting_nearest(m->setting, count, e->path, b->region);
            diag_error(b->diag, "N0416", e->loc, near ? region_printf(b->region, "did you mean `%s`?", near) : NULL,
                       "there is no setting or param `%s` to sweep over", e->path);
        }
        struct result v = e->value ? eval(b, &b->top, e->value) : poison;
        if (v.kind == POISON)
            continue;
        if (v.kind != A_LIST || !v.n) {
            diag_error(b->diag, "N0416", e->value->loc, NULL, "a sweep goes over a list of numbers");
            continue;
        }
        for (int k = 0; rule && k < v.n; k++) {
            struct result one = {.kind = A_NUMBER, .number = v.list[k]};
            const char *why;
            if (!arg_accepts(rule, &one, 0, &why, b->region))
                diag_error(b->diag, "N0404", e->value->arg[k].loc, NULL, "`%s` is %s", e->path, why);
        }
        lookup_add(b->region, &known, e->path, i);
        setting_numbers(b, e->loc, region_printf(b->region, "sweep.%s", e->path), v.n, v.list, false);
    }
}
