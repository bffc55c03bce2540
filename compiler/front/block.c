/* block.c: networks within the network. Every use of a block runs its body again in a scope of its own. */
#include "build.h"

#include <string.h>

static const struct decl *only(const struct decl *block, enum decl_kind kind, int *count)
{
    const struct decl *found = NULL;
    *count = 0;
    for (int i = 0; i < block->nbody; i++) {
        if (block->body[i].kind != kind)
            continue;
        found = found ? found : &block->body[i];
        *count += block->body[i].nname;
    }
    return found;
}

static bool check_interface(struct builder *b, const struct decl *block)
{
    static const struct {
        enum decl_kind kind;
        const char *text;
    } part[] = {
        {DECL_INPUT, "input"},
        {DECL_OUTPUT, "output"},
    };
    for (int i = 0; i < COUNT(part); i++) {
        int n;
        only(block, part[i].kind, &n);
        if (n == 1)
            continue;
        diag_error(b->diag, "N0412", block->loc, NULL, "block `%s` has %s `%s`, and needs exactly one", block->name,
                   n ? "more than one" : "no", part[i].text);
        diag_help(b->diag, "`->` brings one value in and takes one out: `%s NAME`", part[i].text);
        return false;
    }
    return true;
}

struct block *block_find(struct builder *b, const char *name)
{
    int i = lookup_find(&b->block_index, name);
    return i < 0 ? NULL : &b->block[i];
}

void blocks_collect(struct builder *b)
{
    for (int i = 0; i < b->file->ndecl; i++) {
        const struct decl *d = &b->file->decl[i];
        if (d->kind != DECL_BLOCK)
            continue;
        const struct block *first = block_find(b, d->name);
        if (first) {
            diag_error(b->diag, "N0101", d->loc, NULL, "there are two blocks `%s`", d->name);
            diag_place(b->diag, first->decl->loc, "first one here");
            continue;
        }
        if (word_find(WORD_LAYER, d->name) || strcmp(d->name, "repeat") == 0) {
            diag_error(b->diag, "N0111", d->loc, NULL, "a block cannot have the name of the layer `%s`", d->name);
            continue;
        }
        if (d->nbody > MAX_NAMES) {
            diag_error(b->diag, "N0417", d->loc, NULL, "block `%s` has more than %d lines", d->name, MAX_NAMES);
            continue;
        }
        region_grow(b->region, b->block, b->nblock);
        lookup_add(b->region, &b->block_index, d->name, b->nblock);
        b->block[b->nblock++] = (struct block){.decl = d, .given = labels_of(b->region, d->body, d->nbody)};
    }
    for (int i = 0; i < b->nblock; i++)
        b->block[i].failed = !check_interface(b, b->block[i].decl);
}

void blocks_finish(struct builder *b)
{
    for (int i = 0; i < b->nblock; i++)
        if (!b->block[i].used)
            diag_warning(b->diag, "N0110", b->block[i].decl->loc, NULL, "block `%s` is never used",
                         b->block[i].decl->name);
}

static void unknown_formal(struct builder *b, const struct decl *block, const struct ast_arg *given)
{
    if (!given->name) {
        diag_error(b->diag, "N0405", given->loc, NULL, "block `%s` takes %d argument%s", block->name, block->nname,
                   block->nname == 1 ? "" : "s");
    } else {
        const char **name = region_alloc(b->region, (size_t)block->nname, sizeof *name);
        for (int i = 0; i < block->nname; i++)
            name[i] = block->names[i].text;
        const char *near = diag_nearest(given->name, name, block->nname);
        diag_error(b->diag, "N0401", given->loc, near ? region_printf(b->region, "did you mean `%s`?", near) : NULL,
                   "block `%s` has no argument `%s`", block->name, given->name);
    }
    diag_place(b->diag, block->loc, "the block is here");
}

/* Evaluates the arguments of a use and declares them in the scope of the block's body. */
static bool bind_formals(struct builder *b, struct scope *s, const struct decl *block, const struct call *c,
                         struct scope *inner)
{
    const struct ast_arg **from = region_alloc(b->region, (size_t)block->nname, sizeof *from);
    struct lookup formal = {0};
    for (int i = 0; i < block->nname; i++)
        lookup_add(b->region, &formal, block->names[i].text, i);
    for (int k = 0; k < c->narg; k++) {
        const struct ast_arg *given = &c->arg[k];
        int i = given->name ? lookup_find(&formal, given->name) : k < block->nname ? k : -1;
        if (i < 0) {
            unknown_formal(b, block, given);
            return false;
        }
        if (from[i]) {
            diag_error(b->diag, "N0406", given->loc, NULL, "`%s` is given twice", block->names[i].text);
            diag_place(b->diag, from[i]->loc, "given here");
            return false;
        }
        from[i] = given;
        struct result v = eval(b, s, given->value);
        if (v.kind == A_VALUE) {
            diag_error(b->diag, "N0403", given->loc, NULL, "`%s` of block `%s` is a number, not a value of the network",
                       block->names[i].text, block->name);
            return false;
        }
        if (v.kind == POISON)
            return false;
        scope_declare(b, inner, block->names[i].text, block->names[i].loc, NAME_FORMAL, v);
    }
    for (int i = 0; i < block->nname; i++) {
        if (from[i])
            continue;
        diag_error(b->diag, "N0402", c->loc, NULL, "block `%s` needs `%s`", block->name, block->names[i].text);
        diag_place(b->diag, block->names[i].loc, "declared here");
        return false;
    }
    return true;
}

/* The body in the scope of one use; returns its output. */
static struct result run_body(struct builder *b, struct scope *inner, struct value *x)
{
    const struct decl *block = inner->block;
    int n;
    const struct ast_name *in = only(block, DECL_INPUT, &n)->names, *out = only(block, DECL_OUTPUT, &n)->names;
    scope_declare(b, inner, in->text, in->loc, NAME_INPUT, result_of(x));
    for (int i = 0; i < block->nbody; i++) {
        const struct decl *d = &block->body[i];
        if (d->kind != DECL_BIND)
            continue;
        struct value *v = eval_value(b, inner, d->value);
        scope_declare(b, inner, d->name, d->loc, NAME_VALUE, result_of(v));
    }
    struct ast name = {.kind = AST_NAME, .loc = out->loc, .text = out->text};
    return result_of(eval_value(b, inner, &name));
}

struct result block_apply(struct builder *b, struct scope *s, struct block *block, const struct call *c,
                          struct value *x, const char *path)
{
    block->used = true;
    if (block->failed)
        return poison;
    if (block->active || b->depth == MAX_DEPTH) {
        if (block->active)
            diag_error(b->diag, "N0107", c->loc, NULL, "block `%s` uses itself", c->name);
        else
            diag_error(b->diag, "N0417", c->loc, NULL, "blocks are nested more than %d deep", MAX_DEPTH);
        diag_place(b->diag, block->decl->loc, "the block is here");
        block->failed = true;
        return poison;
    }
    if (!path)
        path = path_below(b, s, path_numbered(b, s, c->name, &s->nlayer));
    struct scope *inner = region_alloc(b->region, 1, sizeof *inner);
    *inner = (struct scope){.outer = &b->top, .block = block->decl, .path = path, .given = &block->given};
    if (!bind_formals(b, s, block->decl, c, inner))
        return poison;
    int errors = b->diag->errors;
    block->active = true;
    b->depth++;
    struct result y = run_body(b, inner, x);
    b->depth--;
    block->active = false;
    if (b->diag->errors > errors) {
        diag_place(b->diag, c->loc, "block `%s` is used here", c->name);
        block->failed = true;
    } else {
        warn_unused(b, inner);
    }
    return y;
}
