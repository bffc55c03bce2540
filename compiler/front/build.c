/* build.c: syntax tree -> graph. The declarations of a file, in its order; expressions are in eval.c, layers in
 * stage.c, blocks in block.c, arguments in args.c, the data and train sections in settings.c. */
#include "build.h"

#include <string.h>

/* ---- params ---- */

enum { TOLD_LIST = 8, TOLD_PARAMS = 1000 };

/* The value given by -D, evaluated where the param stands: it may use the params above it. */
static struct result defined_value(struct builder *b, const struct decl *param, const struct define *define)
{
    struct diag *own = b->diag, quiet = {.file = own->file, .region = b->region};
    const struct ast *a = parse_expression(define->text, b->region);
    b->diag = &quiet;
    struct result v = eval(b, &b->top, a);
    b->diag = own;
    if (v.kind != POISON && v.kind != A_VALUE)
        return v;
    diag_error(b->diag, "N0105", param->loc, NULL, "-D %s=%s: this is not a value for a param", define->name,
               define->text);
    diag_help(b->diag, "a number, `true`, `false`, a list such as [3, 3], or an expression of params above it");
    return poison;
}

/* What tells one run of a network from another stands among the settings. A long list is data, and in the text; so is what nobody
 * would read in a table of runs. */
static void tell_param(struct builder *b, const struct decl *d, const struct result *v)
{
    const bool list = v->kind == A_LIST;
    if (v->kind != POISON && (!list || v->n <= TOLD_LIST) && b->model->nsetting < TOLD_PARAMS)
        setting_numbers(b, d->loc, region_printf(b->region, "param.%s", d->name), list ? v->n : 1,
                        list ? v->list : &v->number, true);
}

static void declare_param(struct builder *b, const struct decl *d)
{
    struct define *define = NULL;
    for (int i = 0; i < b->ndefine; i++)
        if (strcmp(b->define[i].name, d->name) == 0) {
            define = &b->define[i];
            define->used = true;
        }
    struct result v = eval(b, &b->top, d->value);
    if (v.kind == A_VALUE) {
        diag_error(b->diag, "N0108", d->loc, NULL, "a param is a number, and this is a value of the network");
        diag_help(b->diag, "write `%s = ...` without `param`", d->name);
        v = poison;
    }
    if (define)
        v = defined_value(b, d, define);
    tell_param(b, d, &v);
    scope_declare(b, &b->top, d->name, d->loc, NAME_PARAM, v);
}

/* Those settings.c reads. */
static bool is_setting(const char *name)
{
    return strncmp(name, "data.", 5) == 0 || strncmp(name, "train.", 6) == 0;
}

static void check_defines(struct builder *b)
{
    const char **name = NULL;
    int n = 0;
    for (int i = 0; i < b->top.nname; i++) {
        if (b->top.name[i].kind != NAME_PARAM)
            continue;
        region_grow(b->region, name, n);
        name[n++] = b->top.name[i].text;
    }
    for (int i = 0; i < b->ndefine; i++) {
        for (int k = 0; k < i; k++)
            if (strcmp(b->define[i].name, b->define[k].name) == 0)
                diag_error(b->diag, "N0105", (struct loc){0}, NULL, "-D %s is given twice, as %s and as %s",
                           b->define[i].name, b->define[k].text, b->define[i].text);
        if (b->define[i].used || is_setting(b->define[i].name))
            continue;
        const char *near = diag_nearest(b->define[i].name, name, n);
        diag_error(b->diag, "N0105", (struct loc){0}, NULL, "-D %s=%s: there is no param `%s`", b->define[i].name,
                   b->define[i].text, b->define[i].name);
        if (near)
            diag_help(b->diag, "did you mean `%s`?", near);
    }
}

/* ---- inputs and targets ---- */

static bool eval_shape(struct builder *b, const struct decl *d, int64_t *dim)
{
    if (d->type.ndim < 1 || d->type.ndim > MAX_RANK) {
        diag_error(b->diag, "N0411", d->type.loc, NULL, "a shape has 1 to %d sizes, not %d", MAX_RANK, d->type.ndim);
        diag_help(b->diag, "the shape of one sample, without the batch: f32[1, 28, 28]");
        return false;
    }
    int64_t elements = 1;
    for (int i = 0; i < d->type.ndim; i++) {
        if (!eval_integer(b, &b->top, d->type.dim[i], "a size", 1, MAX_SIDE, &dim[i]))
            return false;
        elements *= dim[i] <= MAX_SIDE / elements ? dim[i] : MAX_SIDE + 1;
        if (elements > MAX_SIDE) {
            diag_error(b->diag, "N0411", d->type.loc, NULL, "one sample has more than %d values", MAX_SIDE);
            return false;
        }
    }
    return true;
}

/* A class is one number a sample, or one at each place of a mask; how many classes there are stands in fan_in. */
static struct value *class_target(struct builder *b, const struct decl *d)
{
    const bool mask = d->type.ndim == 3;
    int64_t dim[MAX_RANK] = {0};
    if (d->type.ndim != 1 && !mask) {
        diag_error(b->diag, "N0411", d->type.loc, NULL,
                   "a class has one number: how many there are; or three, with height and width of a mask");
        diag_help(b->diag, "for example class[10], or class[21, 64, 64]");
        return NULL;
    }
    if (!eval_integer(b, &b->top, d->type.dim[0], "the number of classes", 2, mask ? MASK_IGNORED : MAX_SIDE, dim) ||
        (mask && !eval_shape(b, d, dim)))
        return NULL;
    struct value *v = graph_source(b->graph, ROLE_TARGET, DT_I32, true, mask ? 2 : 0, dim + 1, d->name, d->loc);
    v->t.fan_in = (int)dim[0];
    return v;
}

static void unknown_type(struct builder *b, const struct decl *d, bool target)
{
    static const char *const known[] = {"f32", "class"};
    const struct foreign *f = foreign_find(FOREIGN_TYPE, d->type.name, NULL);
    const char *near = f ? f->ours : diag_nearest(d->type.name, known, COUNT(known));
    bool class = strcmp(d->type.name, "class") == 0;
    if (class)
        diag_error(b->diag, "N0109", d->type.loc, NULL, "an input is f32; only a target can be a class");
    else
        diag_error(b->diag, "N0109", d->type.loc, near ? region_printf(b->region, "did you mean `%s`?", near) : NULL,
                   "there is no type `%s`", d->type.name);
    diag_help(b->diag, target ? "f32[sizes], class[count] or class[count, height, width]" : "f32[sizes]");
}

static void declare_source(struct builder *b, const struct decl *d)
{
    bool target = d->kind == DECL_TARGET;
    int64_t dim[MAX_RANK];
    struct value *v = NULL;
    if (d->type.name && target && strcmp(d->type.name, "class") == 0)
        v = class_target(b, d);
    else if (d->type.name && strcmp(d->type.name, "f32") != 0)
        unknown_type(b, d, target);
    else if (d->type.name && eval_shape(b, d, dim))
        v = graph_source(b->graph, target ? ROLE_TARGET : ROLE_INPUT, DT_F32, true, d->type.ndim, dim, d->name, d->loc);
    if (d->from)
        columns_of_target(b, d, v);
    scope_declare(b, &b->top, d->name, d->loc, target ? NAME_TARGET : NAME_INPUT, result_of(v));
}

/* ---- values and outputs ---- */

static void declare_value(struct builder *b, const struct decl *d)
{
    struct result v = eval(b, &b->top, d->value);
    if (v.kind != A_VALUE && v.kind != POISON) {
        diag_error(b->diag, "N0108", d->loc, NULL, "`%s` is %s, not a value of the network", d->name,
                   kind_text(v.kind));
        diag_help(b->diag, "write `param %s = ...`", d->name);
        v = poison;
    }
    scope_declare(b, &b->top, d->name, d->loc, NAME_VALUE, v);
}

static void declare_outputs(struct builder *b, const struct decl *d)
{
    struct graph *g = b->graph;
    for (int i = 0; i < d->nname; i++) {
        struct ast name = {.kind = AST_NAME, .loc = d->names[i].loc, .text = d->names[i].text};
        struct value *v = eval_value(b, &b->top, &name);
        if (lookup_find(&b->output_index, name.text) >= 0) {
            diag_error(b->diag, "N0101", name.loc, NULL, "`%s` is an output already", name.text);
            v = NULL;
        }
        if (!v)
            continue;
        region_grow(g->region, g->output, g->noutput);
        lookup_add(b->region, &b->output_index, name.text, g->noutput);
        g->output[g->noutput++] = (struct named_value){name.text, v, ROLE_OUTPUT};
    }
}

/* ---- the file ---- */

static void declare(struct builder *b, const struct decl *d)
{
    switch (d->kind) {
    case DECL_PARAM:
        declare_param(b, d);
        break;
    case DECL_INPUT:
    case DECL_TARGET:
        declare_source(b, d);
        break;
    case DECL_BIND:
        declare_value(b, d);
        break;
    case DECL_OUTPUT:
        declare_outputs(b, d);
        break;
    case DECL_BLOCK:
    case DECL_DATA:
    case DECL_TRAIN:
    case DECL_SWEEP:
        break;
    }
}

static void declare_all(struct builder *b, bool targets)
{
    for (int i = 0; i < b->file->ndecl; i++)
        if (targets || b->file->decl[i].kind != DECL_TARGET)
            declare(b, &b->file->decl[i]);
}

/* To predict, targets and loss are checked like all else, but come last, so that they can be cut off the graph. */
static void declare_targets(struct builder *b)
{
    for (int i = 0; i < b->file->ndecl; i++)
        if (b->file->decl[i].kind == DECL_TARGET)
            declare(b, &b->file->decl[i]);
}

static void require(struct builder *b, enum decl_kind kind, const char *what, const char *example)
{
    for (int i = 0; i < b->file->ndecl; i++)
        if (b->file->decl[i].kind == kind)
            return;
    diag_error(b->diag, "N0409", b->file->loc, NULL, "network `%s` has no %s", b->file->name, what);
    diag_help(b->diag, "%s", example);
}

/* A data set gives one sample and one target at a time. */
static void only_one(struct builder *b, enum decl_kind kind, const char *what)
{
    const struct decl *first = NULL;
    for (const struct decl *d = b->file->decl; d < b->file->decl + b->file->ndecl; d++) {
        if (d->kind == kind && first) {
            diag_error(b->diag, "N0408", d->loc, NULL, "a network has one %s, and `%s` is it already", what,
                       first->name);
            diag_place(b->diag, first->loc, "declared here");
        } else if (d->kind == kind)
            first = d;
    }
}

static void check_complete(struct builder *b)
{
    only_one(b, DECL_INPUT, "input");
    only_one(b, DECL_TARGET, "target");
    require(b, DECL_INPUT, "input", "for example `input image : f32[1, 28, 28]`");
    require(b, DECL_OUTPUT, "output", "name the values that netrun shall give: `output logits`");
    require(b, DECL_TRAIN, "`train` section",
            "for example `train {`, `loss = CrossEntropy(logits, digit)`, `optimizer = Adam`, `}` on four lines");
}

struct graph *build(const struct ast_file *f, enum phase ph, struct define *defines, int ndefine, struct model *m,
                    struct diag *d, struct region *r)
{
    struct model unwanted = {0};
    struct builder b = {
        .diag = d,
        .region = r,
        .file = f,
        .define = defines,
        .ndefine = ndefine,
        .model = m ? m : &unwanted,
        .top = {.path = ""},
    };
    if (f->ndecl > MAX_NAMES) {
        diag_error(d, "N0417", f->loc, NULL, "the file has more than %d declarations", MAX_NAMES);
        return NULL;
    }
    struct graph *g = b.graph = graph_new(ph, r, d);
    b.model->net = f->name;
    struct lookup given = labels_of(r, f->decl, f->ndecl);
    b.top.given = &given;
    blocks_collect(&b);
    declare_all(&b, ph != PHASE_PREDICT);
    int nvalue = g->nvalue, nnode = g->nnode;
    if (ph == PHASE_PREDICT)
        declare_targets(&b);
    check_defines(&b);
    check_complete(&b);
    settings_build(&b);
    if (d->errors)
        return NULL;
    warn_unused(&b, &b.top);
    blocks_finish(&b);
    if (ph == PHASE_PREDICT) {
        g->nvalue = nvalue;
        g->nnode = nnode;
        g->loss = NULL;
    }
    return g;
}
