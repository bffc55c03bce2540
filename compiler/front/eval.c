/* eval.c: names and expressions. Numbers are computed here; `a + b` over values becomes a node. */
#include "build.h"

#include <math.h>
#include <string.h>

/* ---- names ---- */

static struct name *find_own(struct scope *s, const char *text)
{
    int i = lookup_find(&s->name_index, text);
    return i < 0 ? NULL : &s->name[i];
}

struct name *scope_find(struct scope *s, const char *text)
{
    struct name *n = find_own(s, text);
    if (n || !s->outer)
        return n;
    n = find_own(s->outer, text);
    return n && n->kind == NAME_PARAM ? n : NULL;
}

static bool reserved(const char *text)
{
    return strcmp(text, "true") == 0 || strcmp(text, "false") == 0 || strcmp(text, "auto") == 0;
}

void scope_declare(struct builder *b, struct scope *s, const char *text, struct loc loc, enum name_kind kind,
                   struct result result)
{
    if (reserved(text)) {
        diag_error(b->diag, "N0111", loc, NULL, "`%s` has a meaning of its own and cannot be a name", text);
        return;
    }
    struct name *first = find_own(s, text);
    if (first) {
        diag_error(b->diag, "N0101", loc, NULL, "the name `%s` is taken", text);
        diag_place(b->diag, first->loc, "first used here");
        first->result = poison;
        return;
    }
    region_grow(b->region, s->name, s->nname);
    lookup_add(b->region, &s->name_index, text, s->nname);
    s->name[s->nname++] = (struct name){text, loc, kind, result, false};
}

/* A declaration of this name in the file, used or not yet reached. */
static const struct decl *declared(const struct builder *b, const char *text)
{
    for (int i = 0; i < b->file->ndecl; i++) {
        const struct decl *d = &b->file->decl[i];
        if (d->kind <= DECL_BIND && d->name && strcmp(d->name, text) == 0)
            return d;
    }
    return NULL;
}

static const struct decl *declared_in_block(const struct scope *s, const char *text)
{
    for (int i = 0; s->block && i < s->block->nbody; i++)
        if (s->block->body[i].kind == DECL_BIND && strcmp(s->block->body[i].name, text) == 0)
            return &s->block->body[i];
    return NULL;
}

static const char *nearest_name(struct builder *b, struct scope *s, const char *text)
{
    const char **all = NULL;
    int n = 0;
    for (struct scope *i = s; i; i = i->outer)
        for (int k = 0; k < i->nname; k++) {
            if (i != s && i->name[k].kind != NAME_PARAM)
                continue;
            region_grow(b->region, all, n);
            all[n++] = i->name[k].text;
        }
    return diag_nearest(text, all, n);
}

static bool layer_exists(const struct builder *b, const char *text)
{
    for (int i = 0; i < b->nblock; i++)
        if (strcmp(b->block[i].decl->name, text) == 0)
            return true;
    return word_find(WORD_LAYER, text) != NULL;
}

static void unknown_name(struct builder *b, struct scope *s, const struct ast *a)
{
    const struct decl *later = s->block ? declared_in_block(s, a->text) : declared(b, a->text);
    if (later) {
        diag_error(b->diag, "N0104", a->loc, NULL, "`%s` is used before it is made", a->text);
        diag_place(b->diag, later->loc, "made here");
        return;
    }
    if (layer_exists(b, a->text)) {
        diag_error(b->diag, "N0108", a->loc, NULL, "`%s` is a layer, not a value", a->text);
        diag_help(b->diag, "a layer is applied to a value: `value -> %s`", a->text);
        return;
    }
    const struct foreign *f = foreign_find(FOREIGN_VALUE, a->text, NULL);
    const char *near = f ? f->ours : nearest_name(b, s, a->text);
    diag_error(b->diag, "N0103", a->loc, near ? region_printf(b->region, "did you mean `%s`?", near) : NULL,
               "there is no value `%s`", a->text);
    if (f && f->hint)
        diag_help(b->diag, "%s", f->hint);
    if (s->block && declared(b, a->text)) {
        diag_place(b->diag, declared(b, a->text)->loc, "this one belongs to the file");
        diag_help(b->diag, "a block sees its own values and the params of the file");
    }
}

static struct result eval_name(struct builder *b, struct scope *s, const struct ast *a)
{
    struct name *n = scope_find(s, a->text);
    if (n) {
        n->used = true;
        if (n->kind == NAME_TARGET && !b->in_loss) {
            diag_error(b->diag, "N0108", a->loc, NULL, "`%s` is a target: only the loss reads it", a->text);
            diag_place(b->diag, n->loc, "declared here");
            return poison;
        }
        return n->result;
    }
    if (strcmp(a->text, "true") == 0 || strcmp(a->text, "false") == 0)
        return (struct result){.kind = A_BOOL, .number = a->text[0] == 't'};
    unknown_name(b, s, a);
    return poison;
}

void warn_unused(struct builder *b, const struct scope *s)
{
    static const char *const kind[] = {"param", "argument", "input", "target", "value"};
    for (int i = 0; i < s->nname; i++)
        if (!s->name[i].used)
            diag_warning(b->diag, "N0110", s->name[i].loc, NULL, "%s `%s` is never used", kind[s->name[i].kind],
                         s->name[i].text);
}

/* ---- expressions ---- */

struct result result_of(struct value *v)
{
    return v ? (struct result){.kind = A_VALUE, .value = v} : poison;
}

const char *kind_text(enum result_kind k)
{
    static const char *const text[] = {
        "an error", "a value of the network", "a number", "`true` or `false`", "a list",
    };
    return text[k];
}

const char *ast_text(const struct ast *a)
{
    return a && (a->kind == AST_NAME || a->kind == AST_CALL) ? a->text : NULL;
}

static struct result number(struct builder *b, double x, struct loc loc)
{
    if (isfinite(x))
        return (struct result){.kind = A_NUMBER, .number = x};
    diag_error(b->diag, "N0410", loc, NULL, "the result is too large for a number");
    return poison;
}

static struct result arithmetic(struct builder *b, const struct ast *a, double x, double y)
{
    switch (a->op) {
    case '+':
        return number(b, x + y, a->loc);
    case '-':
        return number(b, x - y, a->loc);
    case '*':
        return number(b, x * y, a->loc);
    default:
        if (y != 0)
            return number(b, x / y, a->loc);
        diag_error(b->diag, "N0410", a->loc, NULL, "division by zero");
        return poison;
    }
}

static struct result add_values(struct builder *b, const struct scope *s, const struct ast *a, struct value *x,
                                struct value *y)
{
    struct graph *g = b->graph;
    if (!count_layer(b, a->loc))
        return poison;
    if (!same_shape(&x->t, &y->t)) {
        diag_error(b->diag, "N0201", a->loc, NULL, "`+` needs two values of the same shape, and gets %s and %s",
                   shape_text(b->region, x), shape_text(b->region, y));
        diag_place(b->diag, x->loc, "%s makes %s", x->maker, shape_text(b->region, x));
        diag_place(b->diag, y->loc, "%s makes %s", y->maker, shape_text(b->region, y));
        return poison;
    }
    g->at = a->loc;
    g->layer = path_below(b, s, "+");
    struct value *sum = graph_op(g, "add", NULL, x, y, (struct value *)NULL);
    sum->maker = "+";
    return result_of(sum);
}

static struct result eval_binary(struct builder *b, struct scope *s, const struct ast *a)
{
    struct result x = eval(b, s, a->left), y = eval(b, s, a->right);
    if (x.kind == POISON || y.kind == POISON)
        return poison;
    if (x.kind == A_NUMBER && y.kind == A_NUMBER)
        return arithmetic(b, a, x.number, y.number);
    if (x.kind == A_VALUE && y.kind == A_VALUE && a->op == '+')
        return add_values(b, s, a, x.value, y.value);
    diag_error(b->diag, "N0108", a->loc, NULL, "`%c` cannot join %s and %s", a->op, kind_text(x.kind),
               kind_text(y.kind));
    diag_help(b->diag, x.kind == A_VALUE && y.kind == A_VALUE
                           ? "values of the network are joined with `a + b` and `Concat(a, b)`"
                           : "numbers are joined with + - * /, values of the network with +");
    return poison;
}

static struct result eval_list(struct builder *b, struct scope *s, const struct ast *a)
{
    struct result list = {.kind = A_LIST, .n = a->narg};
    list.list = region_alloc(b->region, (size_t)a->narg, sizeof *list.list);
    for (int i = 0; i < a->narg; i++) {
        struct result x = eval(b, s, a->arg[i].value);
        if (x.kind == POISON)
            return x;
        if (x.kind != A_NUMBER) {
            diag_error(b->diag, "N0403", a->arg[i].loc, NULL, "a list holds numbers here, not %s", kind_text(x.kind));
            return poison;
        }
        list.list[i] = x.number;
    }
    return list;
}

static void refuse_string(struct builder *b, const struct ast *a)
{
    const struct foreign *f = foreign_find(FOREIGN_VALUE, a->text, NULL);
    diag_error(b->diag, "N0403", a->loc, NULL, "a string has no use here");
    if (f && f->hint)
        diag_help(b->diag, "%s", f->hint);
}

struct result eval(struct builder *b, struct scope *s, const struct ast *a)
{
    if (!a)
        return poison;
    switch (a->kind) {
    case AST_NUMBER:
        return (struct result){.kind = A_NUMBER, .number = a->number};
    case AST_STRING:
        refuse_string(b, a);
        return poison;
    case AST_NAME:
        return eval_name(b, s, a);
    case AST_CALL:
        return call_value(b, s, a);
    case AST_LIST:
        return eval_list(b, s, a);
    case AST_NEGATE: {
        struct result x = eval(b, s, a->left);
        if (x.kind == A_NUMBER)
            return (struct result){.kind = A_NUMBER, .number = -x.number};
        if (x.kind != POISON)
            diag_error(b->diag, "N0108", a->loc, NULL, "`-` needs a number, not %s", kind_text(x.kind));
        return poison;
    }
    case AST_BINARY:
        return eval_binary(b, s, a);
    case AST_APPLY:
        return apply_chain(b, s, a);
    }
    return poison;
}

struct value *eval_value(struct builder *b, struct scope *s, const struct ast *a)
{
    struct result x = eval(b, s, a);
    if (x.kind == A_VALUE)
        return x.value;
    if (x.kind != POISON)
        diag_error(b->diag, "N0108", a->loc, NULL, "this is %s, not a value of the network", kind_text(x.kind));
    return NULL;
}

bool eval_integer(struct builder *b, struct scope *s, const struct ast *a, const char *what, int64_t min, int64_t max,
                  int64_t *out)
{
    struct result x = eval(b, s, a);
    if (x.kind == POISON)
        return false;
    if (x.kind == A_NUMBER && x.number == floor(x.number) && x.number >= (double)min && x.number <= (double)max) {
        *out = (int64_t)x.number;
        return true;
    }
    const char *got = x.kind == A_NUMBER ? region_printf(b->region, "%.12g", x.number) : kind_text(x.kind);
    diag_error(b->diag, x.kind == A_NUMBER ? "N0404" : "N0403", a->loc, NULL,
               "%s is an integer from %lld to %lld, not %s", what, (long long)min, (long long)max, got);
    return false;
}

const struct ast *parse_expression(const char *text, struct region *r)
{
    const char *file = region_printf(r, "net x\nparam x = (%s\n)\n", text);
    struct diag d = {.file = "", .text = file, .region = r};
    const struct ast_file *f = parse(file, strlen(file), &d, r);
    bool one = f && !d.errors && f->ndecl == 1 && f->decl[0].kind == DECL_PARAM;
    return one ? f->decl[0].value : NULL;
}
