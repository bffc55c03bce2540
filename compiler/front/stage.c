/* stage.c: `value -> layer`. Layers are words, blocks (block.c) or repeats of one of them. Gives parameters their
 * paths: conv1.weight, down2.conv1.weight, stage1.0.conv1.weight, and conv_1.weight without a label. */
#include "build.h"

#include <ctype.h>
#include <string.h>

/* ---- paths ---- */

const char *path_below(struct builder *b, const struct scope *s, const char *name)
{
    return *s->path ? region_printf(b->region, "%s.%s", s->path, name) : name;
}

static const struct ast_name *find_label(const struct scope *s, const char *text)
{
    int i = lookup_find(&s->label_index, text);
    return i < 0 ? NULL : &s->label[i];
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
    lookup_add(b->region, &s->label_index, text, s->nlabel);
    s->label[s->nlabel++] = (struct ast_name){text, loc};
}

/* Deep to the left only, as far as the text is long: `a -> b -> c`, `a + b + c`. */
static void collect_labels(struct region *r, const struct ast *a, struct lookup *l)
{
    for (; a; a = a->left) {
        if (a->label)
            lookup_add(r, l, a->label, 0);
        for (int i = 0; i < a->narg; i++)
            collect_labels(r, a->arg[i].value, l);
        if (a->right)
            collect_labels(r, a->right, l);
    }
}

struct lookup labels_of(struct region *r, const struct decl *d, int n)
{
    struct lookup l = {0};
    for (int i = 0; i < n; i++) {
        collect_labels(r, d[i].value, &l);
        for (int k = 0; k < d[i].nentry; k++)
            collect_labels(r, d[i].entry[k].value, &l);
    }
    return l;
}

/* A label that was met remembers the number that was free behind it, so that no run of labels is walked twice. */
const char *path_numbered(struct builder *b, const struct scope *s, const char *name, int *counter)
{
    char *lower = region_copy(b->region, name);
    for (char *c = lower; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    const int first = *counter + 1;
    int n = first, *behind;
    const char *text;
    while (text = region_printf(b->region, "%s_%d", lower, n), behind = lookup_at(s->given, text))
        n = *behind > n ? *behind : n + 1;
    for (int i = first; i < n;) {
        behind = lookup_at(s->given, region_printf(b->region, "%s_%d", lower, i));
        i = *behind > i ? *behind : i + 1;
        *behind = n;
    }
    *counter = n;
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
    const char *path = path_below(b, s, path_numbered(b, s, w->name, &s->nplain));
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
    int nx = 0, errors = b->diag->errors;
    if (first)
        x[nx++] = first;
    struct args args;
    if (!args_check(b, s, w, c, w->nvalue, &args, x, &nx))
        return poison;
    int wanted = w->nvalue < 0 ? 2 : w->nvalue + (first != NULL);
    if (nx < wanted) {
        diag_error(b->diag, "N0402", c->loc, NULL, "`%s` needs %s%d values", w->name, w->nvalue < 0 ? "at least " : "",
                   wanted);
        return poison;
    }
    int counter = s->nlayer, value = g->nvalue, node = g->nnode; /* behind layers within the arguments */
    const char *own = path ? path : path_below(b, s, path_numbered(b, s, w->name, &counter));
    struct site site = {g, b->diag, c->loc, own};
    g->at = c->loc;
    g->layer = own;
    struct value *y = w->build(&site, &args, x, nx);
    if (!path && made_parameters(g, value))
        s->nlayer = counter;
    else if (!path)
        rename_plain(b, s, w, node);
    return b->diag->errors > errors ? poison : result_of(y);
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

/* ---- stages ---- */

bool count_layer(struct builder *b, struct loc at)
{
    if (++b->nlayer > MAX_LAYERS && !b->full) {
        diag_error(b->diag, "N0417", at, NULL, "the network has more than %d layers, blocks and sums", MAX_LAYERS);
        b->full = true;
    }
    return !b->full;
}

static struct result apply(struct builder *b, struct scope *s, struct value *x, const struct ast *stage,
                           const char *path);

/* stage1: repeat(3, block(16)) makes stage1.0, stage1.1, stage1.2. */
static struct result apply_repeat(struct builder *b, struct scope *s, const struct call *c, struct value *x,
                                  const char *path)
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
        path = path_below(b, s, path_numbered(b, s, inner.name, &s->nlayer));
    struct result y = result_of(x);
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
static struct result apply(struct builder *b, struct scope *s, struct value *x, const struct ast *stage,
                           const char *path)
{
    struct call c;
    if (!call_of(stage, &c) || !count_layer(b, c.loc))
        return poison;
    if (strcmp(c.name, "repeat") == 0)
        return x ? apply_repeat(b, s, &c, x, path) : poison;
    struct block *block = block_find(b, c.name);
    if (block)
        return x ? block_apply(b, s, block, &c, x, path) : poison;
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
            path = path_below(b, s, stage[i]->label);
        }
        struct result y = apply(b, s, x, stage[i]->right, path);
        x = y.kind == A_VALUE ? y.value : NULL;
    }
    return result_of(x);
}

struct result call_value(struct builder *b, struct scope *s, const struct ast *a)
{
    struct call c;
    call_of(a, &c);
    bool block = block_find(b, c.name) || strcmp(c.name, "repeat") == 0;
    const struct word *w = block ? NULL : word_required(b, WORD_LAYER, &c);
    if (w && w->nvalue < 0)
        return count_layer(b, c.loc) ? build_word(b, s, w, &c, NULL, NULL) : poison;
    if (w || block) {
        diag_error(b->diag, "N0413", c.loc, NULL, "`%s` is applied to a value with `->`", c.name);
        diag_help(b->diag, "write `value -> %s(...)`", c.name);
    }
    return poison;
}
