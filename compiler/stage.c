/* stage.c: `value -> layer`. Layers are words or blocks; repeat applies one of them several times. Gives parameters
 * their paths: conv1.weight, down2.conv1.weight, stage1.0.conv1.weight, and conv_1.weight without a label. */
#include "build.h"

#include <ctype.h>
#include <string.h>

static struct result apply(struct builder *b, struct scope *s, struct value *x, const struct ast *stage, const char *path);

/* ---- paths ---- */

static const char *below(struct builder *b, const struct scope *s, const char *name)
{
    return *s->path ? region_printf(b->region, "%s.%s", s->path, name) : name;
}

static const struct ast_name *find_label(const struct scope *s, const char *text)
{
    for (int i = 0; i < s->nlabel; i++)
        if (strcmp(s->label[i].text, text) == 0)
            return &s->label[i];
    return NULL;
}

static void add_label(struct builder *b, struct scope *s, const char *text, struct loc loc)
{
    const struct ast_name *first = find_label(s, text);
    if (first) {
        diag_error(b->diag, "N0106", loc, NULL, "two layers have the name `%s`", text);
        diag_place(b->diag, first->loc, "first used here");
        return;
    }
    region_grow(b->region, s->label, s->nlabel);
    s->label[s->nlabel++] = (struct ast_name){ text, loc };
}

/* conv_3: the layer's name in lower case and the next free number. */
static const char *numbered(struct builder *b, const struct scope *s, const char *name, int *counter)
{
    char *lower = region_copy(b->region, name);
    for (char *c = lower; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    const char *text;
    do
        text = region_printf(b->region, "%s_%d", lower, ++*counter);
    while (find_label(s, text));
    return text;
}

/* ---- words ---- */

static bool made_parameters(const struct graph *g, int from)
{
    for (int i = from; i < g->nvalue; i++)
        if (g->value[i]->t.role == ROLE_PARAM || g->value[i]->t.role == ROLE_STATE)
            return true;
    return false;
}

/* Layers without parameters must not take numbers from those with: adding a ReLU would rename weights. */
static void rename_plain(struct builder *b, struct scope *s, const struct word *w, int node)
{
    struct graph *g = b->graph;
    const char *path = below(b, s, numbered(b, s, w->name, &s->nplain));
    for (int i = node; i < g->nnode; i++) {
        g->node[i]->layer = path;
        for (int o = 0; o < g->node[i]->nout; o++)
            g->node[i]->out[o]->maker = w->name;
    }
}

/* `path` NULL: the layer has no label. */
static struct result build_word(struct builder *b, struct scope *s, const struct word *w, const struct call *c,
                                struct value *first, const char *path)
{
    struct graph *g = b->graph;
    struct value *x[2 * MAX_OPERANDS];
    int nx = 0, counter = s->nlayer, value = g->nvalue, node = g->nnode;
    if (first)
        x[nx++] = first;
    struct args args;
    if (!args_check(b, s, w, c, w->nvalue, &args, x, &nx))
        return poison;
    int wanted = w->nvalue < 0 ? 2 : w->nvalue + (first != NULL);
    if (nx < wanted) {
        diag_error(b->diag, "N0402", c->loc, NULL, "`%s` needs %s%d values", w->name, w->nvalue < 0 ? "at least " : "", wanted);
        return poison;
    }
    const char *own = path ? path : below(b, s, numbered(b, s, w->name, &counter));
    struct site site = { g, b->diag, c->loc, own };
    g->at = c->loc;
    g->layer = own;
    struct value *y = w->build(&site, &args, x, nx);
    if (!path && made_parameters(g, value))
        s->nlayer = counter;
    else if (!path)
        rename_plain(b, s, w, node);
    return y ? (struct result){ .kind = A_VALUE, .value = y } : poison;
}

static struct result apply_word(struct builder *b, struct scope *s, const struct word *w, const struct call *c,
                                struct value *x, const char *path)
{
    if (w->nvalue >= 0)
        return build_word(b, s, w, c, x, path);
    diag_error(b->diag, "N0413", c->loc, NULL, "`%s` joins several values, and `->` brings one", w->name);
    diag_help(b->diag, "call it: `%s(a, b)`", w->name);
    return poison;
}

/* ---- blocks ---- */

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
    static const struct { enum decl_kind kind; const char *text; } part[] = {
        { DECL_INPUT, "input" }, { DECL_OUTPUT, "output" },
    };
    for (int i = 0; i < COUNT(part); i++) {
        int n;
        only(block, part[i].kind, &n);
        if (n == 1)
            continue;
        if (!n && b->partial)
            return false;
        diag_error(b->diag, "N0412", block->loc, NULL, "block `%s` has %s `%s`, and needs exactly one", block->name,
                   n ? "more than one" : "no", part[i].text);
        diag_help(b->diag, "`->` brings one value in and takes one out: `%s NAME`", part[i].text);
        return false;
    }
    return true;
}

static struct block *find_block(struct builder *b, const char *name)
{
    for (int i = 0; i < b->nblock; i++)
        if (strcmp(b->block[i].decl->name, name) == 0)
            return &b->block[i];
    return NULL;
}

void blocks_collect(struct builder *b)
{
    for (int i = 0; i < b->file->ndecl; i++) {
        const struct decl *d = &b->file->decl[i];
        if (d->kind != DECL_BLOCK)
            continue;
        const struct block *first = find_block(b, d->name);
        if (first) {
            diag_error(b->diag, "N0101", d->loc, NULL, "there are two blocks `%s`", d->name);
            diag_place(b->diag, first->decl->loc, "first one here");
            continue;
        }
        if (word_find(WORD_LAYER, d->name) || strcmp(d->name, "repeat") == 0) {
            diag_error(b->diag, "N0111", d->loc, NULL, "a block cannot have the name of the layer `%s`", d->name);
            continue;
        }
        if (b->nblock == MAX_NAMES) {
            diag_error(b->diag, "N0417", d->loc, NULL, "more than %d blocks", MAX_NAMES);
            return;
        }
        region_grow(b->region, b->block, b->nblock);
        b->block[b->nblock++] = (struct block){ .decl = d };
    }
    for (int i = 0; i < b->nblock; i++)
        b->block[i].failed = !check_interface(b, b->block[i].decl);
}

void blocks_finish(struct builder *b)
{
    for (int i = 0; i < b->nblock; i++)
        if (!b->block[i].used)
            diag_warning(b->diag, "N0110", b->block[i].decl->loc, NULL, "block `%s` is never used", b->block[i].decl->name);
}

static int find_formal(const struct decl *block, const char *name)
{
    for (int i = 0; i < block->nname; i++)
        if (strcmp(block->names[i].text, name) == 0)
            return i;
    return -1;
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
    for (int k = 0; k < c->narg; k++) {
        const struct ast_arg *given = &c->arg[k];
        int i = given->name ? find_formal(block, given->name) : k < block->nname ? k : -1;
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
    scope_declare(b, inner, in->text, in->loc, NAME_INPUT, (struct result){ .kind = A_VALUE, .value = x });
    for (int i = 0; i < block->nbody; i++) {
        const struct decl *d = &block->body[i];
        if (d->kind != DECL_BIND)
            continue;
        struct value *v = eval_value(b, inner, d->value);
        scope_declare(b, inner, d->name, d->loc, NAME_VALUE, v ? (struct result){ .kind = A_VALUE, .value = v } : poison);
    }
    struct ast name = { .kind = AST_NAME, .loc = out->loc, .text = out->text };
    struct value *y = eval_value(b, inner, &name);
    return y ? (struct result){ .kind = A_VALUE, .value = y } : poison;
}

static struct result apply_block(struct builder *b, struct scope *s, struct block *block, const struct call *c,
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
        path = below(b, s, numbered(b, s, c->name, &s->nlayer));
    struct scope *inner = region_alloc(b->region, 1, sizeof *inner);
    *inner = (struct scope){ .outer = &b->top, .block = block->decl, .path = path };
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

/* ---- stages ---- */

/* stage1: repeat(3, block(16)) makes stage1.0, stage1.1, stage1.2. */
static struct result apply_repeat(struct builder *b, struct scope *s, const struct call *c, struct value *x, const char *path)
{
    struct call inner;
    int64_t n;
    if (c->narg != 2 || c->arg[0].name || c->arg[1].name || !call_of(c->arg[1].value, &inner)) {
        diag_error(b->diag, "N0413", c->loc, NULL, "`repeat` takes a count and a layer");
        diag_help(b->diag, "for example `repeat(3, block(16))`");
        return poison;
    }
    if (!eval_integer(b, s, c->arg[0].value, "the count of `repeat`", 0, MAX_LAYERS, &n))
        return poison;
    if (!path)
        path = below(b, s, numbered(b, s, inner.name, &s->nlayer));
    struct result y = { .kind = A_VALUE, .value = x };
    for (int64_t i = 0; i < n && y.kind == A_VALUE; i++)
        y = apply(b, s, y.value, c->arg[1].value, region_printf(b->region, "%s.%lld", path, (long long)i));
    return y;
}

/* After an error in the chain: the word and its arguments can still be wrong on their own account. */
static struct result check_stage(struct builder *b, struct scope *s, const struct call *c)
{
    struct value *x[2 * MAX_OPERANDS];
    struct args args;
    int nx = 0;
    const struct word *w = word_required(b, WORD_LAYER, c);
    if (w)
        args_check(b, s, w, c, w->nvalue, &args, x, &nx);
    return poison;
}

/* Applies one stage. `x` NULL: an error came before it; `path` NULL: it has no label. */
static struct result apply(struct builder *b, struct scope *s, struct value *x, const struct ast *stage, const char *path)
{
    struct call c;
    if (!call_of(stage, &c) || b->full)
        return poison;
    if (++b->nlayer > MAX_LAYERS) {
        diag_error(b->diag, "N0417", c.loc, NULL, "the network has more than %d layers", MAX_LAYERS);
        b->full = true;
        return poison;
    }
    if (strcmp(c.name, "repeat") == 0)
        return x ? apply_repeat(b, s, &c, x, path) : poison;
    struct block *block = find_block(b, c.name);
    if (block)
        return x ? apply_block(b, s, block, &c, x, path) : poison;
    const struct name *n = scope_find(s, c.name);
    if (n && !word_find(WORD_LAYER, c.name)) {
        diag_error(b->diag, "N0108", c.loc, NULL, "`%s` is a value, not a layer", c.name);
        diag_place(b->diag, n->loc, "made here");
        return poison;
    }
    if (!x)
        return check_stage(b, s, &c);
    const struct word *w = word_required(b, WORD_LAYER, &c);
    return w ? apply_word(b, s, w, &c, x, path) : poison;
}

struct result apply_chain(struct builder *b, struct scope *s, const struct ast *a)
{
    int n = 0;
    const struct ast *head = a;
    for (; head->kind == AST_APPLY; head = head->left)
        n++;
    const struct ast **stage = region_alloc(b->region, (size_t)n, sizeof *stage);
    for (int i = n; i-- > 0; a = a->left)
        stage[i] = a;
    struct value *x = eval_value(b, s, head);
    for (int i = 0; i < n; i++) {
        const char *path = NULL;
        if (stage[i]->label) {
            add_label(b, s, stage[i]->label, stage[i]->label_loc);
            path = below(b, s, stage[i]->label);
        }
        struct result y = apply(b, s, x, stage[i]->right, path);
        x = y.kind == A_VALUE ? y.value : NULL;
    }
    return x ? (struct result){ .kind = A_VALUE, .value = x } : poison;
}

struct result call_value(struct builder *b, struct scope *s, const struct ast *a)
{
    struct call c;
    call_of(a, &c);
    bool block = find_block(b, c.name) || strcmp(c.name, "repeat") == 0;
    const struct word *w = block ? NULL : word_required(b, WORD_LAYER, &c);
    if (w && w->nvalue < 0)
        return build_word(b, s, w, &c, NULL, NULL);
    if (w || block) {
        diag_error(b->diag, "N0413", c.loc, NULL, "`%s` is applied to a value with `->`", c.name);
        diag_help(b->diag, "write `value -> %s(...)`", c.name);
    }
    return poison;
}

void warn_unused(struct builder *b, const struct scope *s)
{
    static const char *const kind[] = { "param", "argument", "input", "target", "value" };
    for (int i = 0; i < s->nname; i++)
        if (!s->name[i].used)
            diag_warning(b->diag, "N0110", s->name[i].loc, NULL, "%s `%s` is never used", kind[s->name[i].kind],
                         s->name[i].text);
}
