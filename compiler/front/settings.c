/* settings.c: the data and train sections. Every entry, defaults included, becomes a setting of the plan; loss,
 * optimizer and metrics also become parts of the model. */
#include "build.h"

#include <string.h>

/* clang-format off */
#define BATCH { .type = ARG_INT, .min = 1, .max = MAX_ROWS

const struct key setting_keys[] = {
    { .name = "data.transform", .type = KEY_WORDS, .word = WORD_TRANSFORM },
    { .name = "data.shuffle", .type = KEY_PLAIN, .arg = { .type = ARG_BOOL, .otherwise = 1 } },
    { .name = "data.samples", .type = KEY_SAMPLES },
    { .name = "train.loss", .type = KEY_WORD, .word = WORD_LOSS, .required = true },
    { .name = "train.optimizer", .type = KEY_WORD, .word = WORD_OPTIMIZER, .required = true },
    { .name = "train.schedule", .type = KEY_WORD, .word = WORD_SCHEDULE },
    { .name = "train.metrics", .type = KEY_WORDS, .word = WORD_METRIC },
    { .name = "train.epochs", .type = KEY_PLAIN, .arg = { .type = ARG_INT, .otherwise = 1, .min = 1, .max = 1e6 } },
    { .name = "train.batch", .type = KEY_BATCH, .arg = BATCH, .otherwise = 64 } },
    { .name = "train.evaluation_batch", .type = KEY_PLAIN, .arg = BATCH, .otherwise = 1000 } },
    { .name = "train.seed", .type = KEY_PLAIN, .arg = { .type = ARG_INT, .otherwise = 1, .max = UINT32_MAX } },
    { .name = NULL },
};
/* clang-format on */

enum { MAX_KEYS = 16, AUTO_BATCH = 256 };

struct slot { /* what the text says about one key */
    const struct ast_entry *entry;
    int nchange;
    struct ast_arg *change; /* optimizer.lr = 0.1 */
};

/* ---- settings of the plan ---- */

static struct setting *add_setting(struct builder *b, const char *key, bool graph)
{
    struct model *m = b->model;
    region_grow(b->region, m->setting, m->nsetting);
    struct setting *s = &m->setting[m->nsetting++];
    *s = (struct setting){.key = region_copy(b->region, key), .graph = graph};
    return s;
}

static void add_text(struct builder *b, const char *key, const char *text, bool graph)
{
    add_setting(b, key, graph)->text = region_copy(b->region, text);
}

bool numbers_fit(struct builder *b, struct loc at, int64_t n)
{
    if (n <= MAX_NUMBERS - b->nnumber)
        return true;
    diag_error(b->diag, "N0417", at, NULL, "samples and settings have more than %d numbers", MAX_NUMBERS);
    diag_help(b->diag, "put samples in a folder of files, for `netrun --train FOLDER`");
    return false;
}

void setting_numbers(struct builder *b, struct loc at, const char *key, int n, const double *num, bool graph)
{
    if (!numbers_fit(b, at, n))
        return;
    b->nnumber += n;
    struct setting *s = add_setting(b, key, graph);
    s->n = n;
    s->num = region_alloc(b->region, (size_t)n, sizeof *num);
    memcpy(s->num, num, (size_t)n * sizeof *num);
}

static bool shapes_graph(const struct word *w, int arg)
{
    if (w->kind == WORD_OPTIMIZER)
        return arg < 0 || !(w->free_args >> arg & 1);
    return w->kind == WORD_LOSS || w->kind == WORD_METRIC;
}

static void add_word(struct builder *b, const char *key, const struct word *w, const struct args *args)
{
    add_text(b, key, w->name, shapes_graph(w, -1));
    for (int i = 0; i < arg_count(w); i++) {
        const struct arg *a = &w->arg[i];
        int n = a->type == ARG_PAIR ? 2 : args->count[i] ? args->count[i] : 1;
        if (a->type != ARG_VALUE)
            setting_numbers(b, args->loc[i], region_printf(b->region, "%s.%s", key, a->name), n, args->num[i],
                            shapes_graph(w, i));
    }
}

/* ---- words ---- */

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
    if (!call_of(a, &c)) {
        if (a)
            diag_error(b->diag, "N0403", a->loc, NULL, "expected the name of a%s %s",
                       key->word == WORD_OPTIMIZER ? "n" : "", word_kind_text(key->word));
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
    for (int i = 0; w->reads && nx > 0 && i < g->noutput; i++)
        if (g->output[i].value == x[0])
            g->output[i].role = w->reads;
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

static void set_word(struct builder *b, const struct key *key, const struct slot *slot)
{
    struct value *x[MAX_OPERANDS];
    struct args args;
    struct loc loc;
    int nx = 0;
    b->in_loss = key->word == WORD_LOSS;
    const struct word *w = read_word(b, key, slot->entry->value, slot, &args, x, &nx, &loc);
    b->in_loss = false;
    if (!w || !check_word(b, w, &args, loc))
        return;
    add_word(b, key->name, w, &args);
    if (w->kind == WORD_LOSS)
        build_loss(b, w, &args, x, nx, loc);
    if (w->kind == WORD_SCHEDULE)
        b->model->schedule = w;
    if (w->kind == WORD_OPTIMIZER) {
        b->model->optimizer = w;
        b->model->optimizer_args = args;
    }
}

/* Results have one name each. */
static bool is_twice(struct builder *b, const struct word *w, const struct args *args, struct loc loc)
{
    const struct model *m = b->model;
    for (int i = 0; i < m->nmetric; i++) {
        bool same = m->metric[i] == w;
        for (int k = 0; same && k < arg_count(w); k++)
            same = m->metric_args[i].num[k][0] == args->num[k][0];
        if (same) {
            diag_error(b->diag, "N0406", loc, NULL, "metric `%s` is given twice", w->name);
            return true;
        }
    }
    return false;
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

/* A list of words, or one alone. */
static void set_words(struct builder *b, const struct key *key, const struct ast *a)
{
    bool list = a->kind == AST_LIST;
    int n = list ? a->narg : 1;
    if (n > MAX_METRICS) {
        diag_error(b->diag, "N0405", a->loc, NULL, "at most %d %ss", MAX_METRICS, word_kind_text(key->word));
        return;
    }
    for (int i = 0; i < n; i++) {
        struct value *x[MAX_OPERANDS];
        struct args args;
        struct loc loc;
        int nx = 0;
        const struct word *w = read_word(b, key, list ? a->arg[i].value : a, NULL, &args, x, &nx, &loc);
        if (!w || !check_word(b, w, &args, loc) || (w->kind == WORD_METRIC && is_twice(b, w, &args, loc)))
            continue;
        add_word(b, region_printf(b->region, "%s.%d", key->name, i), w, &args);
        if (w->kind == WORD_METRIC)
            add_metric(b, w, &args);
    }
}

/* ---- plain values ---- */

static void set_plain(struct builder *b, const struct key *key, const struct ast *a)
{
    struct result v = eval(b, &b->top, a);
    const char *why;
    if (v.kind == POISON)
        return;
    if (arg_accepts(&key->arg, &v, 0, &why, b->region))
        setting_numbers(b, a->loc, key->name, 1, &v.number, false);
    else
        diag_error(b->diag, v.kind == A_NUMBER && key->arg.type != ARG_BOOL ? "N0404" : "N0403", a->loc, NULL,
                   "`%s` is %s", strchr(key->name, '.') + 1, why);
}

/* A number, auto, or auto(max = number). */
static void set_batch(struct builder *b, const struct key *key, const struct ast *a)
{
    if (!ast_text(a) || strcmp(a->text, "auto") != 0) {
        set_plain(b, key, a);
        return;
    }
    int64_t max = AUTO_BATCH;
    bool known = a->narg == 1 && a->arg[0].name && strcmp(a->arg[0].name, "max") == 0;
    if (a->narg && !known) {
        diag_error(b->diag, "N0401", a->arg[0].loc, NULL, "`auto` has one argument, `max`");
        diag_help(b->diag, "for example `batch = auto(max = 512)`");
        return;
    }
    if (known && !eval_integer(b, &b->top, a->arg[0].value, "`max`", 1, (int64_t)key->arg.max, &max))
        return;
    add_text(b, key->name, "auto", false);
    setting_numbers(b, a->loc, "train.batch.max", 1, &(double){(double)max}, false);
}

/* ---- sections ---- */

static const struct key *find_key(const char *section, const char *name, size_t length)
{
    size_t n = strlen(section);
    for (const struct key *k = setting_keys; k->name; k++)
        if (strncmp(k->name, section, n) == 0 && k->name[n] == '.' && strlen(k->name) == n + 1 + length &&
            strncmp(k->name + n + 1, name, length) == 0)
            return k;
    return NULL;
}

static void unknown_key(struct builder *b, const char *section, const struct ast_entry *e, const char *name)
{
    const char *known[MAX_KEYS], *all = "";
    int n = 0;
    for (const struct key *k = setting_keys; k->name; k++)
        if (strncmp(k->name, section, strlen(section)) == 0) {
            known[n] = strchr(k->name, '.') + 1;
            all = region_printf(b->region, "%s%s%s", all, n ? ", " : "", known[n]);
            n++;
        }
    const struct foreign *f = foreign_find(FOREIGN_KEY, name, NULL);
    const char *near = f ? f->ours : diag_nearest(name, known, n);
    const char *other = strcmp(section, "data") == 0 ? "train" : "data";
    bool misplaced = find_key(other, name, strlen(name)) != NULL;
    if (misplaced)
        near = NULL;
    diag_error(b->diag, "N0407", e->loc, near ? region_printf(b->region, "did you mean `%s`?", near) : NULL,
               "`%s` has no key `%s`", section, name);
    if (misplaced)
        diag_help(b->diag, "`%s` belongs in `%s`", name, other);
    else if (f && f->hint)
        diag_help(b->diag, "%s", f->hint);
    else if (!near)
        diag_help(b->diag, "its keys are %s", all);
}

/* optimizer.lr = 0.1 changes an argument of the entry above it. */
static void change_word(struct builder *b, const struct key *key, const struct ast_entry *e, const char *argument,
                        struct slot *slot)
{
    const char *own = strchr(key->name, '.') + 1;
    if (key->type != KEY_WORD) {
        diag_error(b->diag, "N0414", e->loc, NULL, "`%s` has no parts", own);
    } else if (!slot->entry) {
        diag_error(b->diag, "N0414", e->loc, NULL, "`%s` changes `%s`, which is not set above it", e->path, own);
    } else {
        region_grow(b->region, slot->change, slot->nchange);
        slot->change[slot->nchange++] = (struct ast_arg){argument, e->loc, e->value};
    }
}

static void read_section(struct builder *b, const struct decl *d, struct slot *slots)
{
    for (int i = 0; i < d->nentry; i++) {
        const struct ast_entry *e = &d->entry[i];
        size_t length = strcspn(e->path, ".");
        const struct key *key = find_key(d->name, e->path, length);
        if (!key) {
            unknown_key(b, d->name, e, region_printf(b->region, "%.*s", (int)length, e->path));
            continue;
        }
        struct slot *slot = &slots[key - setting_keys];
        if (e->path[length]) {
            change_word(b, key, e, e->path + length + 1, slot);
        } else if (slot->entry) {
            diag_error(b->diag, "N0408", e->loc, NULL, "`%s` is set twice", e->path);
            diag_place(b->diag, slot->entry->loc, "set here");
        } else {
            slot->entry = e;
        }
    }
}

static void set_key(struct builder *b, const struct key *key, const struct slot *slot)
{
    const struct ast *a = slot->entry ? slot->entry->value : NULL;
    if (slot->entry && !a)
        return;
    if (!a) {
        if (key->type == KEY_PLAIN || key->type == KEY_BATCH)
            setting_numbers(b, (struct loc){0}, key->name, 1, &key->arg.otherwise, false);
        return;
    }
    switch (key->type) {
    case KEY_WORD:
        set_word(b, key, slot);
        break;
    case KEY_WORDS:
        set_words(b, key, a);
        break;
    case KEY_PLAIN:
        set_plain(b, key, a);
        break;
    case KEY_BATCH:
        set_batch(b, key, a);
        break;
    case KEY_SAMPLES:
        samples_build(b, key->name, a);
        break;
    }
}

/* Statistics over a batch need more than one value of each channel. */
static void check_batch(struct builder *b, const struct slot *batch)
{
    const struct model *m = b->model;
    bool one = false;
    for (int i = 0; i < m->nsetting; i++)
        one |= strncmp(m->setting[i].key, "train.batch", 11) == 0 && m->setting[i].n == 1 && m->setting[i].num[0] == 1;
    for (int i = 0; one && i < b->graph->nnode; i++) {
        const struct node *n = b->graph->node[i];
        if (!n->op->spread || value_elements(n->in[0]) != n->in[0]->t.dim[0])
            continue;
        diag_error(b->diag, "N0421", batch->entry->value->loc, NULL,
                   "a batch of one sample has one value a channel at `%s`, and no variance", n->layer);
        diag_place(b->diag, n->loc, "gets %s", shape_words(b->region, n->in[0]));
        diag_help(b->diag, "a batch of 2 or more, or no normalisation over the batch there");
        return;
    }
}

static void check_required(struct builder *b, const struct decl *train, const struct slot *slots)
{
    for (const struct key *k = setting_keys; k->name; k++) {
        if (!k->required || slots[k - setting_keys].entry)
            continue;
        diag_error(b->diag, "N0409", train->loc, NULL, "`train` has no `%s`", strchr(k->name, '.') + 1);
        diag_help(b->diag, k->word == WORD_LOSS ? "for example `loss = CrossEntropy(logits, digit)`"
                                                : "for example `optimizer = Adam(lr = 1e-3)`");
    }
}

void settings_build(struct builder *b)
{
    struct slot slots[MAX_KEYS] = {{0}};
    const struct decl *section[DECL_SWEEP + 1] = {NULL};
    for (int i = 0; i < b->file->ndecl; i++) {
        const struct decl *d = &b->file->decl[i];
        if (d->kind != DECL_DATA && d->kind != DECL_TRAIN && d->kind != DECL_SWEEP)
            continue;
        if (section[d->kind]) {
            diag_error(b->diag, "N0408", d->loc, NULL, "there are two `%s` sections", d->name);
            diag_place(b->diag, section[d->kind]->loc, "first one here");
            continue;
        }
        section[d->kind] = d;
        if (d->kind != DECL_SWEEP)
            read_section(b, d, slots);
    }
    for (const struct key *k = setting_keys; k->name; k++)
        set_key(b, k, &slots[k - setting_keys]);
    for (const struct key *k = setting_keys; k->name; k++)
        if (k->type == KEY_BATCH && slots[k - setting_keys].entry)
            check_batch(b, &slots[k - setting_keys]);
    if (section[DECL_TRAIN] && !b->partial)
        check_required(b, section[DECL_TRAIN], slots);
    if (section[DECL_SWEEP])
        sweep_build(b, section[DECL_SWEEP]);
}
