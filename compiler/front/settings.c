/* settings.c: the data and train sections. Every entry, defaults included, becomes a setting of the plan. */
#include "build.h"

#include <string.h>

/* clang-format off */
#define BATCH { .type = ARG_INT, .min = 1, .max = MAX_ROWS

const struct key setting_keys[] = {
    { .name = "data.train", .type = KEY_WORD, .word = WORD_SOURCE, .text = "files" },
    { .name = "data.test", .type = KEY_WORD, .word = WORD_SOURCE, .text = "files" },
    { .name = "data.transform", .type = KEY_WORDS, .word = WORD_TRANSFORM },
    { .name = "data.augment", .type = KEY_WORDS, .word = WORD_AUGMENT },
    { .name = "data.shuffle", .type = KEY_PLAIN, .arg = { .type = ARG_BOOL, .otherwise = 1 } },
    { .name = "data.sampling", .type = KEY_WORD, .word = WORD_SAMPLING },
    { .name = "data.holdout", .type = KEY_PLAIN, .arg = { .type = ARG_NUMBER, .max = 1, .below = true },
      .nothing = "a `holdout` of nothing tests nothing", .example = "a share such as 10%", .instead = "data.holdout.from" },
    { .name = "data.holdout.from", .type = KEY_WORD, .word = WORD_SOURCE, .text = "files" },
    { .name = "data.samples", .type = KEY_SAMPLES },
    { .name = "train.loss", .type = KEY_WORD, .word = WORD_LOSS, .required = true },
    { .name = "train.optimizer", .type = KEY_WORD, .word = WORD_OPTIMIZER, .required = true },
    { .name = "train.schedule", .type = KEY_WORD, .word = WORD_SCHEDULE, .list = true },
    { .name = "train.momentum_schedule", .type = KEY_WORD, .word = WORD_SCHEDULE, .list = true },
    { .name = "train.decay_schedule", .type = KEY_WORD, .word = WORD_SCHEDULE, .list = true },
    { .name = "train.clip", .type = KEY_WORD, .word = WORD_CLIP },
    { .name = "train.ema", .type = KEY_PLAIN, .arg = { .type = ARG_NUMBER, .max = 1, .below = true }, .absent = true,
      .nothing = "an `ema` of 0 is no mean", .example = "a number such as 0.999" },
    { .name = "train.init", .type = KEY_INIT, .arg = { .name = "init", .type = ARG_INIT } },
    { .name = "train.metrics", .type = KEY_WORDS, .word = WORD_METRIC },
    { .name = "train.save", .type = KEY_WORD, .word = WORD_SAVE },
    { .name = "train.stop", .type = KEY_WORD, .word = WORD_STOP },
    { .name = "train.epochs", .type = KEY_PLAIN, .arg = { .type = ARG_INT, .otherwise = 1, .min = 1, .max = 1e6 } },
    { .name = "train.batch", .type = KEY_BATCH, .arg = BATCH, .otherwise = 64 } },
    { .name = "train.evaluation_batch", .type = KEY_PLAIN, .arg = BATCH, .otherwise = 1000 } },
    { .name = "train.seed", .type = KEY_PLAIN, .arg = { .type = ARG_INT, .otherwise = 1, .max = UINT32_MAX } },
    { .name = NULL },
};
/* clang-format on */

enum { MAX_KEYS = 32, AUTO_BATCH = 256 };

/* ---- settings of the plan ---- */

static struct setting *add_setting(struct builder *b, const char *key, bool graph)
{
    struct model *m = b->model;
    region_grow(b->region, m->setting, m->nsetting);
    struct setting *s = &m->setting[m->nsetting++];
    *s = (struct setting){.key = region_copy(b->region, key), .graph = graph};
    return s;
}

void setting_text(struct builder *b, const char *key, const char *text, bool graph)
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

/* ---- plain values ---- */

static void set_plain(struct builder *b, const struct key *key, const struct ast *a)
{
    struct result v = eval(b, &b->top, a);
    const char *why;
    if (v.kind == POISON)
        return;
    if (key->nothing && v.kind == A_NUMBER && v.number == 0) {
        diag_error(b->diag, "N0404", a->loc, NULL, "%s", key->nothing);
        diag_help(b->diag, "leave the line out, or give %s", key->example);
    } else if (arg_accepts(&key->arg, &v, 0, &why, b->region))
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
    setting_text(b, key->name, "auto", false);
    setting_numbers(b, a->loc, "train.batch.max", 1, &(double){(double)max}, false);
}

/* How all weights begin of which their layers say nothing. */
static void set_init(struct builder *b, const struct key *key, const struct ast *a)
{
    struct args args = {.count = {0}};
    if (!init_read(b, &b->top, &key->arg, a, &args, 0))
        return;
    graph_begin(b->graph, args.num[0]);
    setting_text(b, key->name, ast_expression(a, b->region), true);
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

const struct key *setting_key(const char *path)
{
    const char *dot = strchr(path, '.');
    char section[16];
    if (!dot || dot - path >= (ptrdiff_t)sizeof section)
        return NULL;
    snprintf(section, sizeof section, "%.*s", (int)(dot - path), path);
    return find_key(section, dot + 1, strcspn(dot + 1, "."));
}

static void unknown_key(struct builder *b, const char *section, const struct ast_entry *e, const char *name)
{
    const char *known[MAX_KEYS], *all = "";
    int n = 0;
    for (const struct key *k = setting_keys; k->name; k++)
        if (strncmp(k->name, section, strlen(section)) == 0 && !strchr(strchr(k->name, '.') + 1, '.')) {
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
    } else if (key->word == WORD_OPTIMIZER && strcmp(argument, "groups") == 0) {
        slot->groups = e;
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

/* Where -D has put it: in no text. */
static void put_nowhere(struct ast *a)
{
    if (!a)
        return;
    a->loc = a->label_loc = (struct loc){0};
    put_nowhere(a->left);
    put_nowhere(a->right);
    for (int i = 0; i < a->narg; i++) {
        a->arg[i].loc = (struct loc){0};
        put_nowhere(a->arg[i].value);
    }
}

/* -D train.optimizer=SGD(lr = 0.1), -D data.holdout=0.1: in the place of what the text says, or beside it. Such settings stand in the
 * plan as params do. */
static void read_defines(struct builder *b, const char *section, struct slot *slots)
{
    const size_t length = strlen(section);
    for (struct define *d = b->define; d < b->define + b->ndefine; d++) {
        if (strncmp(d->name, section, length) != 0 || d->name[length] != '.')
            continue;
        struct ast *value = (struct ast *)parse_expression(d->text, b->region);
        d->used = true;
        if (!value) {
            diag_error(b->diag, "N0105", (struct loc){0}, NULL, "-D %s=%s: this is no expression", d->name, d->text);
            continue;
        }
        put_nowhere(value);
        struct ast_entry *e = region_alloc(b->region, 1, sizeof *e);
        *e = (struct ast_entry){.path = d->name + length + 1, .value = value};
        size_t own = strcspn(e->path, ".");
        const struct key *key = find_key(section, e->path, own);
        if (!key)
            unknown_key(b, section, e, region_printf(b->region, "%.*s", (int)own, e->path));
        else if (e->path[own])
            change_word(b, key, e, e->path + own + 1, &slots[key - setting_keys]);
        else
            slots[key - setting_keys] = (struct slot){.entry = e, .groups = slots[key - setting_keys].groups};
        setting_text(b, region_printf(b->region, "param.%s", d->name), d->text, true);
    }
}

static void set_key(struct builder *b, const struct key *key, const struct slot *slot)
{
    const struct ast *a = slot->entry ? slot->entry->value : NULL;
    if (slot->entry && !a)
        return;
    if (!a) {
        if ((key->type == KEY_PLAIN && !key->absent) || key->type == KEY_BATCH)
            setting_numbers(b, (struct loc){0}, key->name, 1, &key->arg.otherwise, false);
        return;
    }
    switch (key->type) {
    case KEY_WORD:
        if (!key->list || a->kind != AST_LIST)
            setting_word(b, key, slot);
        else if (slot->nchange)
            diag_error(b->diag, "N0414", slot->change->loc, NULL, "`%s` is a list: change it there",
                       strchr(key->name, '.') + 1);
        else
            setting_words(b, key, a);
        break;
    case KEY_WORDS:
        setting_words(b, key, a);
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
    case KEY_INIT:
        set_init(b, key, a);
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

static const struct ast *value_of(const char *key, struct slot *slots)
{
    const struct slot *slot = slot_of(key, slots);
    return slot->entry ? slot->entry->value : NULL;
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
    read_defines(b, "data", slots);
    read_defines(b, "train", slots);
    sources_place(slots);
    for (const struct key *k = setting_keys; k->name; k++)
        set_key(b, k, &slots[k - setting_keys]);
    for (const struct key *k = setting_keys; k->name; k++)
        if (k->type == KEY_BATCH && slots[k - setting_keys].entry)
            check_batch(b, &slots[k - setting_keys]);
    b->model->ema = setting_find(b->model->setting, b->model->nsetting, "train.ema") != NULL;
    sources_check(b, slots);
    sampling_check(b, slots);
    if (section[DECL_TRAIN])
        check_required(b, section[DECL_TRAIN], slots);
    schedules_check(b, value_of("train.schedule", slots), value_of("train.momentum_schedule", slots));
    if (section[DECL_SWEEP])
        sweep_build(b, section[DECL_SWEEP]);
}
