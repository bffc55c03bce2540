/* ast.c: the syntax tree as text again, in one normal form. */
#include "front.h"

#include <stdlib.h>
#include <string.h>

/* How tightly a node binds: what stands within a tighter one needs ( ). */
enum binding { LOOSE, APPLY, SUM, PRODUCT, UNARY, TIGHT };

static enum binding binding(const struct ast *a)
{
    switch (a->kind) {
    case AST_APPLY:
        return APPLY;
    case AST_BINARY:
        return a->op == '+' || a->op == '-' ? SUM : PRODUCT;
    case AST_NEGATE:
        return UNARY;
    default:
        return TIGHT;
    }
}

/* A short decimal that reads back as the same number. */
static void print_number(const struct ast *a, FILE *out)
{
    double x = a->percent ? a->number / 0.01 : a->number;
    char text[40];
    snprintf(text, sizeof text, "%.15g", x);
    if (strtod(text, NULL) != x)
        snprintf(text, sizeof text, "%.17g", x);
    fprintf(out, "%s%s", text, a->percent ? "%" : "");
}

static void print_string(const char *text, FILE *out)
{
    fputc('"', out);
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            fputc('\\', out);
        fputc(*text, out);
    }
    fputc('"', out);
}

static void print_tree(const struct ast *a, enum binding within, FILE *out);

static void print_args(const struct ast *a, const char *open, const char *close, FILE *out)
{
    fputs(open, out);
    for (int i = 0; i < a->narg; i++) {
        if (a->arg[i].name)
            fprintf(out, "%s = ", a->arg[i].name);
        print_tree(a->arg[i].value, LOOSE, out);
        if (i + 1 < a->narg)
            fputs(", ", out);
    }
    fputs(close, out);
}

/* A chain x -> a -> b is a list that leans to the left: walked in a loop, because it may be long. */
static void print_chain(const struct ast *a, FILE *out)
{
    int n = 0;
    const struct ast *head = a;
    for (; head && head->kind == AST_APPLY; head = head->left)
        n++;
    print_tree(head, APPLY, out);
    const struct ast **stage = malloc((size_t)n * sizeof *stage);
    if (!stage) {
        fputs("out of memory\n", stderr);
        exit(70);
    }
    for (int i = n; i-- > 0; a = a->left)
        stage[i] = a;
    for (int i = 0; i < n; i++) {
        fputs("\n        -> ", out);
        if (stage[i]->label)
            fprintf(out, "%s: ", stage[i]->label);
        print_tree(stage[i]->right, TIGHT, out);
    }
    free(stage);
}

static void print_tree(const struct ast *a, enum binding within, FILE *out)
{
    if (!a) {
        fputs("?", out);
        return;
    }
    enum binding own = binding(a);
    if (own < within)
        fputc('(', out);
    switch (a->kind) {
    case AST_NUMBER:
        print_number(a, out);
        break;
    case AST_STRING:
        print_string(a->text, out);
        break;
    case AST_NAME:
        fputs(a->text, out);
        break;
    case AST_CALL:
        fputs(a->text, out);
        print_args(a, "(", ")", out);
        break;
    case AST_LIST:
        print_args(a, "[", "]", out);
        break;
    case AST_NEGATE:
        fputc('-', out);
        print_tree(a->left, TIGHT, out);
        break;
    case AST_BINARY:
        print_tree(a->left, own, out);
        fprintf(out, " %c ", a->op);
        print_tree(a->right, own + 1, out);
        break;
    case AST_APPLY:
        print_chain(a, out);
        break;
    }
    if (own < within)
        fputc(')', out);
}

const char *ast_expression(const struct ast *a, struct region *r)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    if (out)
        print_tree(a, LOOSE, out);
    if (!out || fclose(out) != 0) {
        fputs("out of memory\n", stderr);
        exit(70);
    }
    const char *copy = region_copy(r, text);
    free(text);
    return copy;
}

static void print_type(const struct ast_type *t, FILE *out)
{
    fprintf(out, "%s[", t->name ? t->name : "?");
    for (int i = 0; i < t->ndim; i++) {
        fputs(i ? ", " : "", out);
        print_tree(t->dim[i], LOOSE, out);
    }
    fputc(']', out);
}

static void print_names(const struct decl *d, FILE *out)
{
    for (int i = 0; i < d->nname; i++)
        fprintf(out, "%s%s", i ? ", " : "", d->names[i].text);
}

static void print_entries(const struct decl *d, FILE *out)
{
    fprintf(out, "%s {\n", d->name);
    for (int i = 0; i < d->nentry; i++) {
        fprintf(out, "    %s = ", d->entry[i].path);
        print_tree(d->entry[i].value, LOOSE, out);
        fputc('\n', out);
    }
    fputs("}", out);
}

static void print_decl(const struct decl *d, const char *indent, FILE *out)
{
    fputs(indent, out);
    switch (d->kind) {
    case DECL_PARAM:
        fprintf(out, "param %s = ", d->name);
        print_tree(d->value, LOOSE, out);
        break;
    case DECL_INPUT:
    case DECL_TARGET:
        fputs(d->kind == DECL_INPUT ? "input " : "target ", out);
        if (d->name) {
            fprintf(out, "%s : ", d->name);
            print_type(&d->type, out);
            if (d->from) {
                fputs(" from ", out);
                print_tree(d->from, SUM, out);
            }
        } else {
            print_names(d, out);
        }
        break;
    case DECL_OUTPUT:
        fputs("output ", out);
        print_names(d, out);
        break;
    case DECL_BIND:
        fprintf(out, "%s = ", d->name);
        print_tree(d->value, LOOSE, out);
        break;
    case DECL_BLOCK:
        fprintf(out, "block %s(", d->name);
        print_names(d, out);
        fputs(") {\n", out);
        for (int i = 0; i < d->nbody; i++)
            print_decl(&d->body[i], "    ", out);
        fputs("}", out);
        break;
    case DECL_DATA:
    case DECL_TRAIN:
    case DECL_SWEEP:
        print_entries(d, out);
        break;
    }
    fputc('\n', out);
}

void ast_print(const struct ast_file *f, FILE *out)
{
    fprintf(out, "net %s\n", f->name ? f->name : "?");
    for (int i = 0; i < f->ndecl; i++) {
        bool alone = f->decl[i].kind >= DECL_BLOCK || (i && f->decl[i].kind != f->decl[i - 1].kind);
        fputs(alone || !i ? "\n" : "", out);
        print_decl(&f->decl[i], "", out);
    }
}
