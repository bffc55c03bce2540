/* settings_words.c: entries whose values are words. Loss, optimizer, schedule and metrics also become parts of the model. */
#include "build.h"

#include <string.h>

static bool shapes_graph(const struct word *w, int arg)
{
    if (w->kind == WORD_OPTIMIZER || w->kind == WORD_LOSS)
        return arg < 0 || !(w->free_args >> arg & 1);
    return w->kind == WORD_METRIC || (w->kind == WORD_CLIP && arg < 0);
}

static void add_word(struct builder *b, const char *key, const struct word *w, const struct args *args)
{
    setting_text(b, key, w->name, shapes_graph(w, -1));
    for (int i = 0; i < arg_count(w); i++) {
        const struct arg *a = &w->arg[i];
        int n = a->type == ARG_PAIR ? 2 : args->count[i] ? args->count[i] : 1;
        const char *own = region_printf(b->region, "%s.%s", key, a->name);
        if (a->type >= ARG_MEASURE)
            setting_text(b, own, args->text[i], a->type == ARG_TEXTS || shapes_graph(w, i));
        else if (a->type != ARG_VALUE)
            setting_numbers(b, args->loc[i], own, n, args->num[i], shapes_graph(w, i));
    }
}

/* The call with the changes in: an argument given by place or name is replaced, another is added. */
static struct call changed(struct builder *b, const struct word *w, struct call c, const struct slot *slot)
{
    struct ast_arg *arg = region_alloc(b->region, (size_t)(c.narg + slot->nchange), sizeof *arg);
    if (c.narg)
        memcpy(arg, c.arg, (size_t)c.narg * sizeof *arg);
    for (int i = 0; i < slot->nchange; i++) {
        int at = 0, index = arg_index(w, slot->change[i].name);
        while (at < c.narg && (arg[at].name ? strcmp(arg[at].name, slot->change[i].name) != 0 : at != index))
            at++;
        if (at == c.narg)
            arg[c.narg++] = slot->change[i];
        else
            arg[at].value = slot->change[i].value;
    }
    c.arg = arg;
    return c;
}

static const struct word *read_word(struct builder *b, const struct key *key, const struct ast *a,
                                    const struct slot *slot, struct args *args, struct value **x, int *nx,
                                    struct loc *loc)
{
    struct call c;
    if (key->text && a && a->kind == AST_STRING) {
        struct ast_arg *text = region_alloc(b->region, 1, sizeof *text);
        *text = (struct ast_arg){.loc = a->loc, .value = (struct ast *)a};
        c = (struct call){key->text, a->loc, 1, text};
    } else if (!call_of(a, &c)) {
        if (a)
            diag_error(b->diag, "N0403", a->loc, NULL, "expected the name of %s%s", a_word_kind(b->region, key->word),
                       key->text ? ", or a path in quotes" : "");
        return NULL;
    }
    const struct word *w = word_required(b, key->word, &c);
    if (!w)
        return NULL;
    if (slot)
        c = changed(b, w, c, slot);
    *loc = c.loc;
    return args_check(b, &b->top, w, &c, 0, args, x, nx) ? w : NULL;
}

static void build_loss(struct builder *b, const struct word *w, const struct args *args, struct value *const *x, int nx,
                       struct loc loc)
{
    struct graph *g = b->graph;
    struct site site = {g, b->diag, loc, "loss"};
    g->at = loc;
    g->layer = site.path;
    g->loss = w->build(&site, args, x, nx);
    const bool mask = nx > 1 && x[1]->t.dtype == DT_I32 && x[1]->t.rank > 0; /* of which no single class is told */
    for (int i = 0; w->reads && nx > 0 && !mask && i < g->noutput; i++)
        if (g->output[i].value == x[0])
            g->output[i].role = w->reads;
    if (g->loss && g->mixes && !w->soft && nx > 1 && x[1]->t.dtype == DT_I32) /* augment_unfit knows the others */
        diag_error(b->diag, "N0425", loc, NULL, "`augment` mixes classes, and %s takes no mixture: CrossEntropy does",
                   w->name);
    b->model->loss = w;
    b->model->loss_args = *args;
}

/* Loss and optimizer, schedule, transforms and metrics: of the last the loss's operands are known, unless it is wrong. */
static bool check_word(struct builder *b, const struct word *w, const struct args *args, struct loc loc)
{
    const struct node *loss = w->kind == WORD_METRIC && b->graph->loss ? b->graph->loss->def : NULL;
    struct site site = {b->graph, b->diag, loc, w->name};
    bool known = loss || w->kind != WORD_METRIC;
    return !w->check || !known || w->check(&site, args, loss ? loss->in : NULL, loss ? loss->nin : 0);
}

void setting_word(struct builder *b, const struct key *key, const struct slot *slot)
{
    struct value *x[MAX_OPERANDS];
    struct args args;
    struct loc loc;
    int nx = 0;
    b->in_loss = key->word == WORD_LOSS;
    const struct word *w = read_word(b, key, slot->entry->value, slot, &args, x, &nx, &loc);
    b->in_loss = false;
    if (!w || !check_word(b, w, &args, loc) || (w->kind == WORD_SCHEDULE && !schedule_of_key(b, w, key->name, loc)))
        return;
    add_word(b, key->name, w, &args);
    if (w->kind == WORD_LOSS)
        build_loss(b, w, &args, x, nx, loc);
    if (w->kind == WORD_CLIP)
        b->model->clip = w;
    if (w->kind == WORD_OPTIMIZER) {
        b->model->optimizer = w;
        b->model->optimizer_args = args;
        if (slot->groups)
            groups_build(b, slot->groups->value);
    }
}

static bool has_metric(const struct model *m, const struct word *w, const struct args *args)
{
    for (int i = 0; i < m->nmetric; i++) {
        bool same = m->metric[i] == w;
        for (int k = 0; same && k < arg_count(w); k++)
            same = m->metric_args[i].num[k][0] == args->num[k][0];
        if (same)
            return true;
    }
    return false;
}

/* Results have one name each. */
static bool is_twice(struct builder *b, const struct word *w, const struct args *args, struct loc loc)
{
    if (!has_metric(b->model, w, args))
        return false;
    diag_error(b->diag, "N0406", loc, NULL, "metric `%s` is given twice", w->name);
    return true;
}

static void add_metric(struct builder *b, const struct word *w, const struct args *args)
{
    struct model *m = b->model;
    int n = m->nmetric;
    region_grow(b->region, m->metric, n);
    region_grow(b->region, m->metric_args, n);
    m->metric[n] = w;
    m->metric_args[n] = *args;
    m->nmetric++;
}

/* ---- augmentations ---- */

static void check_augment(struct builder *b, const struct word *w, const struct args *args, struct loc loc)
{
    const struct value *input = input_of(b), *target = source_of(b, NAME_TARGET);
    struct augment_step step = {.word = w};
    for (int i = 0; i < arg_count(w); i++)
        memcpy(step.arg[i], args->num[i], sizeof step.arg[i]);
    if (b->graph->mixes)
        diag_error(b->diag, "N0425", loc, NULL, "`%s` is behind a word that mixes two samples, which comes last",
                   w->name);
    b->graph->mixes |= w->augment->mix && b->graph->phase == PHASE_TRAIN;
    const char *why = target ? augment_unfit(&step, &target->t) : NULL;
    if (why) {
        diag_error(b->diag, "N0425", loc, NULL, "`%s` %s", w->name, why);
        diag_place(b->diag, target->loc, "%s", shape_words(b->region, target));
        return;
    }
    why = input ? augment_unfit(&step, &input->t) : NULL;
    if (!why)
        return;
    diag_error(b->diag, "N0425", loc, NULL, "`%s` %s", w->name, why);
    diag_place(b->diag, input->loc, "samples are %s", shape_words(b->region, input));
    if (input->t.rank == 1)
        diag_help(b->diag, "declare it as a picture, such as f32[1, 28, 28], and put `-> Flatten` behind it");
}

/* A list of words, or one alone. */
void setting_words(struct builder *b, const struct key *key, const struct ast *a)
{
    bool list = a->kind == AST_LIST;
    int n = list ? a->narg : 1;
    if (n > MAX_METRICS) {
        diag_error(b->diag, "N0405", a->loc, NULL, "at most %d %ss", MAX_METRICS, word_kind_text(key->word));
        return;
    }
    struct transforms transforms = {.pictures = 0};
    for (int i = 0; i < n; i++) {
        struct value *x[MAX_OPERANDS];
        struct args args;
        struct loc loc;
        int nx = 0;
        const struct word *w = read_word(b, key, list ? a->arg[i].value : a, NULL, &args, x, &nx, &loc);
        if (!w || !check_word(b, w, &args, loc) || (w->kind == WORD_METRIC && is_twice(b, w, &args, loc)) ||
            (w->kind == WORD_SCHEDULE && !schedule_in_list(b, w, &args, loc, i == n - 1)))
            continue;
        add_word(b, region_printf(b->region, "%s.%d", key->name, i), w, &args);
        if (w->kind == WORD_METRIC)
            add_metric(b, w, &args);
        if (w->kind == WORD_AUGMENT)
            check_augment(b, w, &args, loc);
        if (w->kind == WORD_TRANSFORM)
            transforms_add(b, &transforms, w, &args, loc);
    }
    transforms_check(b, &transforms, a->loc);
}

/* ---- what an epoch is judged by ---- */

/* "Accuracy", "TopK(5)": as it is written. */
static const char *metric_call(struct builder *b, const struct word *w, const struct args *args)
{
    const char *text = w->name;
    for (int i = 0; i < arg_count(w); i++)
        text = region_printf(b->region, "%s%s%.12g", text, i ? ", " : "(", args->num[i][0]);
    return arg_count(w) ? region_printf(b->region, "%s)", text) : text;
}

static void not_measured(struct builder *b, const struct word *w, const char *metric, struct loc loc)
{
    const struct model *m = b->model;
    const char *list = "";
    for (int i = 0; i < m->nmetric; i++)
        list = region_printf(b->region, "%s%s, ", list, metric_call(b, m->metric[i], &m->metric_args[i]));
    diag_error(b->diag, "N0420", loc, NULL, "`%s` goes by `%s`, which is not among the metrics", w->name, metric);
    diag_help(b->diag, "`metrics = [%s%s]` has it measured", list, metric);
}

bool measure_read(struct builder *b, const struct word *w, const struct arg *a, const struct ast *given,
                  const char **name)
{
    struct call c;
    struct args args;
    struct value *x[MAX_OPERANDS];
    double num[MAX_WORD_ARGS];
    char shown[METRIC_NAME];
    int nx = 0, errors = b->diag->errors;
    if (!call_of(given, &c)) {
        diag_error(b->diag, "N0403", given->loc, NULL, "`%s` of `%s` is `loss` or one of the metrics", a->name,
                   w->name);
        return false;
    }
    *name = "loss";
    if (given->kind == AST_NAME && strcmp(c.name, *name) == 0)
        return true;
    const struct word *metric = word_required(b, WORD_METRIC, &c);
    if (!metric || !args_check(b, &b->top, metric, &c, 0, &args, x, &nx))
        return false;
    for (int i = 0; i < arg_count(metric); i++)
        num[i] = args.num[i][0];
    metric_shown(metric, num, shown);
    *name = region_copy(b->region, shown);
    if (has_metric(b->model, metric, &args) || errors) /* which may be why it is not there */
        return true;
    not_measured(b, w, metric_call(b, metric, &args), given->loc);
    return false;
}
