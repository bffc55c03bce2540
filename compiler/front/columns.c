/* columns.c: columns of a table: where the target comes from, and texts in quotes. */
#include "build.h"

#include <string.h>

/* What stands in a cell, and can stand in a line of a plan. */
static bool check_text(struct builder *b, const char *what, const struct ast *a)
{
    if (!a)
        return false;
    if (a->kind != AST_STRING) {
        diag_error(b->diag, "N0403", a->loc, NULL, "%s is a text in quotes", what);
        return false;
    }
    for (const unsigned char *c = (const unsigned char *)a->text; *c; c++)
        if (*c < 0x20 || *c == 0x7f) {
            diag_error(b->diag, "N0403", a->loc, NULL, "a tab or another control character in %s", what);
            return false;
        }
    return true;
}

bool texts_read(struct builder *b, const char *what, const struct ast *a, const char **text, int *count)
{
    enum { MOST = MAX_STRING / 4 }; /* as a line end takes four bytes of a plan */
    struct lookup seen = {0};
    size_t size = 0;
    const bool several = a && a->kind == AST_LIST;
    const int n = several ? a->narg : 1;
    if (n == 0) {
        diag_error(b->diag, "N0403", a->loc, NULL, "%s is an empty list", what);
        return false;
    }
    for (int i = 0; i < n; i++) {
        const struct ast *one = several ? a->arg[i].value : a;
        if (!check_text(b, what, one))
            return false;
        if (lookup_find(&seen, one->text) >= 0) {
            diag_error(b->diag, "N0406", one->loc, NULL, "\"%s\" is given twice", one->text);
            return false;
        }
        lookup_add(b->region, &seen, one->text, i);
        size += strlen(one->text) + 1;
    }
    if (size > MOST) {
        diag_error(b->diag, "N0405", a->loc, NULL, "%s has more than %d characters", what, MOST);
        return false;
    }
    char *all = region_alloc(b->region, size, 1), *at = all;
    for (int i = 0; i < n; i++)
        at += sprintf(at, "%s%s", i ? "\n" : "", (several ? a->arg[i].value : a)->text);
    *text = all;
    *count = n;
    return true;
}

void columns_of_target(struct builder *b, const struct decl *d, const struct value *target)
{
    int n;
    if (!target || !texts_read(b, "a column", d->from, &b->from, &n))
        return;
    const bool class = target->t.dtype == DT_I32;
    const int64_t wanted = class ? 1 : value_elements(target);
    b->table = d;
    if (n == wanted) {
        setting_text(b, "target.from", b->from, true);
        return;
    }
    diag_error(b->diag, "N0411", d->from->loc, NULL, "%s takes %lld column%s, and these are %d",
               class ? "a class" : shape_words(b->region, target), (long long)wanted, wanted == 1 ? "" : "s", n);
    if (class)
        diag_help(b->diag, "several columns of 0 and 1 are `f32[%d]`", n);
}
