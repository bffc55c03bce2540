/* samples.c: `samples = [[0, 0, 0], ...]`, a data set within the .net file. */
#include "build.h"

#include <float.h>
#include <math.h>

/* What one row of samples holds: the values of the inputs, then of the targets, in the order of the file. */
struct columns {
    int n;
    const struct name **name;
    int64_t width;
    bool known;
};

static struct columns sample_columns(struct builder *b)
{
    struct columns c = {.known = true};
    for (int pass = NAME_INPUT; pass <= NAME_TARGET; pass++)
        for (int i = 0; i < b->top.nname; i++) {
            const struct name *name = &b->top.name[i];
            if ((int)name->kind != pass)
                continue;
            region_grow(b->region, c.name, c.n);
            c.name[c.n++] = name;
            c.known &= name->result.kind == A_VALUE;
            if (c.known)
                c.width += value_elements(name->result.value);
        }
    return c;
}

/* Of one number in a row; the row may be a param. */
static struct loc number_loc(const struct ast *row, int64_t at)
{
    return row->kind == AST_LIST ? row->arg[at].loc : row->loc;
}

static bool check_range(struct builder *b, const struct ast *row, int n, const double *num)
{
    for (int i = 0; i < n; i++)
        if (fabs(num[i]) > FLT_MAX) {
            diag_error(b->diag, "N0415", number_loc(row, i), NULL,
                       "a sample holds 32-bit floats: %.12g is beyond the largest, %.9g", num[i], FLT_MAX);
            return false;
        }
    return true;
}

static bool check_classes(struct builder *b, const struct columns *c, const struct ast *row, const double *num)
{
    int64_t at = 0;
    for (int i = 0; i < c->n; i++) {
        const struct value *v = c->name[i]->result.value;
        bool class = v->t.role == ROLE_TARGET && v->t.dtype == DT_I32;
        for (const int64_t end = at + value_elements(v); at < end; at++) {
            if (!class || (num[at] >= 0 && num[at] < v->t.fan_in && num[at] == floor(num[at])))
                continue;
            diag_error(b->diag, "N0415", number_loc(row, at), NULL, "`%s` is a class from 0 to %d, not %.12g",
                       c->name[i]->text, v->t.fan_in - 1, num[at]);
            diag_place(b->diag, c->name[i]->loc, "declared here");
            return false;
        }
    }
    return true;
}

void samples_build(struct builder *b, const char *key, const struct ast *a)
{
    struct columns c = sample_columns(b);
    if (a->kind != AST_LIST || !a->narg) {
        diag_error(b->diag, "N0403", a->loc, NULL, "samples are a list of rows");
        diag_help(b->diag, "for example `samples = [[0, 0, 0], [0, 1, 1]]`: the input's values, then the target's");
        return;
    }
    if (!c.known)
        return;
    double *all = NULL;
    int n = 0;
    for (int i = 0; i < a->narg; i++) {
        const struct ast *row = a->arg[i].value;
        struct result v = eval(b, &b->top, row);
        if (v.kind == POISON)
            return;
        if (v.kind != A_LIST || v.n != c.width) {
            const char *got = v.kind == A_LIST ? region_printf(b->region, "a list of %d", v.n) : kind_text(v.kind);
            diag_error(b->diag, "N0415", row->loc, NULL, "a row of samples is a list of %lld numbers, not %s",
                       (long long)c.width, got);
            for (int k = 0; k < c.n; k++)
                diag_place(b->diag, c.name[k]->loc, "takes %lld", (long long)value_elements(c.name[k]->result.value));
            return;
        }
        if (!numbers_fit(b, row->loc, (int64_t)n + v.n) || !check_classes(b, &c, row, v.list) ||
            !check_range(b, row, v.n, v.list))
            return;
        for (int k = 0; k < v.n; k++) {
            region_grow(b->region, all, n);
            all[n++] = v.list[k];
        }
    }
    setting_numbers(b, a->loc, key, n, all, false);
}
