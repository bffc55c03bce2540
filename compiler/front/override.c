/* override.c: changing settings on the command line, by the same tables that checked them in the .net file. */
#include "build.h"
#include "override.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

const struct setting *setting_find(const struct setting *list, int n, const char *key)
{
    for (int i = 0; i < n; i++)
        if (strcmp(list[i].key, key) == 0)
            return &list[i];
    return NULL;
}

/* By the tables: whether there is such a setting too is not looked up. */
static const struct arg *rule_of(const struct setting *list, int n, const char *key)
{
    const char *dot = strrchr(key, '.');
    for (const struct key *k = setting_keys; dot && k->name; k++) {
        size_t length = strlen(k->name);
        if (strcmp(k->name, key) == 0)
            return k->type == KEY_PLAIN || k->type == KEY_BATCH ? &k->arg : NULL;
        if (strncmp(k->name, key, length) != 0 || key[length] != '.')
            continue;
        if (k->type == KEY_BATCH)
            return &k->arg;
        if (k->type != KEY_WORD && k->type != KEY_WORDS)
            continue;
        for (int i = 0; i < n; i++) {
            const struct setting *parent = &list[i];
            bool above = parent->text && strlen(parent->key) == (size_t)(dot - key) &&
                         strncmp(parent->key, key, (size_t)(dot - key)) == 0;
            const struct word *w = above ? word_find(k->word, parent->text) : NULL;
            int arg = w ? arg_index(w, dot + 1) : -1;
            if (arg >= 0)
                return &w->arg[arg];
        }
    }
    return NULL;
}

const struct arg *setting_rule(const struct setting *list, int n, const char *key)
{
    const struct arg *rule = rule_of(list, n, key);
    return rule && setting_find(list, n, key) ? rule : NULL;
}

bool setting_shapes(const struct setting *list, int n, const char *key)
{
    const char *dot = strrchr(key, '.');
    const struct setting *s = setting_find(list, n, key);
    if (!dot || !setting_key(key))
        return false;
    if (s || strcmp(key, "train.optimizer.groups") == 0)
        return !s || s->graph || !rule_of(list, n, key);
    for (const struct setting *parent = list; parent < list + n; parent++) /* its word has no such argument */
        if (strlen(parent->key) == (size_t)(dot - key) && strncmp(parent->key, key, (size_t)(dot - key)) == 0)
            return false;
    return true;
}

const char *setting_nearest(const struct setting *list, int n, const char *key, struct region *r)
{
    const char **all = region_alloc(r, (size_t)n, sizeof *all);
    int count = 0;
    for (int i = 0; i < n; i++)
        if (setting_rule(list, n, list[i].key))
            all[count++] = list[i].key;
    for (int i = 0; i < count; i++) {
        const char *last = strrchr(all[i], '.');
        if (strcmp(last + 1, key) == 0)
            return all[i];
    }
    return diag_nearest(key, all, count);
}

static __attribute__((format(printf, 3, 4))) bool refuse(char *why, size_t size, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    vsnprintf(why, size, format, ap);
    va_end(ap);
    return false;
}

/* An expression of numbers, without any names but true and false. */
static struct result constant(const char *text, struct region *r)
{
    struct diag quiet = {.file = "", .region = r};
    struct ast_file nothing = {.name = ""};
    struct builder b = {.diag = &quiet, .region = r, .file = &nothing, .top = {.path = ""}};
    return eval(&b, &b.top, parse_expression(text, r));
}

static void store(struct setting *s, const struct arg *rule, const struct result *v, struct region *r)
{
    bool list = v->kind == A_LIST;
    s->text = NULL;
    s->n = list ? v->n : rule->type == ARG_PAIR ? 2 : 1;
    s->num = region_alloc(r, (size_t)s->n, sizeof *s->num);
    for (int i = 0; i < s->n; i++)
        s->num[i] = list ? v->list[i] : v->number;
}

/* ---- settings of a plan from anywhere ---- */

/* What kind of word stands at a key ("train.optimizer", "train.metrics.0"); -1: none. */
static int word_kind_at(const char *key)
{
    const char *dot = strrchr(key, '.');
    for (const struct key *k = setting_keys; k->name; k++) {
        size_t length = strlen(k->name);
        const bool indexed = (k->type == KEY_WORDS || k->list) && dot && dot[1] >= '0' && dot[1] <= '9';
        if ((k->type == KEY_WORD && strcmp(k->name, key) == 0) ||
            (indexed && (size_t)(dot - key) == length && strncmp(k->name, key, length) == 0))
            return (int)k->word;
    }
    return -1;
}

static bool check_word(const struct plan *p, const struct setting *s, enum word_kind kind, struct plan_error *e)
{
    const struct word *w = s->text ? word_find(kind, s->text) : NULL;
    if (!w)
        return refuse(e->text, sizeof e->text, "setting %s: this version knows no %s %s", s->key, word_kind_text(kind),
                      s->text ? s->text : "without a name");
    for (int i = 0; i < arg_count(w); i++)
        if (w->arg[i].type != ARG_VALUE &&
            !setting_find(p->setting, p->nsetting, region_printf(p->region, "%s.%s", s->key, w->arg[i].name)))
            return refuse(e->text, sizeof e->text, "setting %s: %s without its %s", s->key, w->name, w->arg[i].name);
    return true;
}

static int64_t listed(const struct plan *p, const struct arg *a)
{
    return a->type == ARG_CLASSES ? plan_classes(p) : plan_channels(p);
}

static bool check_numbers(const struct plan *p, const struct setting *s, const struct arg *rule, struct plan_error *e)
{
    bool boolean = s->n == 1 && (s->num[0] == 0 || s->num[0] == 1);
    struct result v = {.kind = s->text                             ? POISON
                               : s->n != 1                         ? A_LIST
                               : rule->type == ARG_BOOL && boolean ? A_BOOL
                                                                   : A_NUMBER,
                       .number = s->n ? s->num[0] : 0,
                       .n = s->n,
                       .list = s->num};
    const char *allowed;
    return arg_accepts(rule, &v, listed(p, rule), &allowed, p->region) ||
           refuse(e->text, sizeof e->text, "setting %s is %s", s->key, allowed);
}

/* A text where a number is wanted is none, but for `batch = auto`. */
static bool check_value(const struct plan *p, const struct setting *s, const struct arg *rule, struct plan_error *e)
{
    int measure;
    if (rule->type == ARG_TEXT)
        return (s->text && arg_takes_text(rule, s->text)) ||
               refuse(e->text, sizeof e->text, "setting %s is %s", s->key, arg_texts(rule, p->region));
    if (rule->type == ARG_MEASURE && s->text)
        return plan_measure(p, s->text, &measure) ||
               refuse(e->text, sizeof e->text, "setting %s: there is no metric %s", s->key, s->text);
    if (s->text && (rule->type == ARG_TEXTS || (!strcmp(s->text, "auto") && !strcmp(s->key, "train.batch"))))
        return true;
    return check_numbers(p, s, rule, e);
}

/* Has the plan what a metric is made of? Shapes are plan_check's. */
static bool has_measured(const struct plan *p, const struct word *w)
{
    const int tally = w->tally ? plan_find_tensor(p, -1, w->tally) : -1;
    bool has = !w->tally || (tally >= 0 && p->tensor[tally].role == ROLE_TALLY && p->tensor[tally].base < 0);
    for (int s = 0; w->ranks && s < p->nschedule; s++) {
        bool scores = p->schedule[s].phase != PHASE_EVALUATE;
        for (int t = 0; !scores && t < p->ntensor; t++)
            scores = p->tensor[t].role == ROLE_SCORES && p->tensor[t].schedule == s;
        has &= scores;
    }
    return has;
}

static bool check_metrics(const struct plan *p, struct plan_error *e)
{
    const struct word *w;
    char name[METRIC_NAME];
    for (int m = 0; plan_metric(p, m, &w, name); m++)
        if (!has_measured(p, w))
            return refuse(e->text, sizeof e->text, "setting train.metrics.%d: the plan measures no %s", m, w->name);
    return true;
}

bool settings_check(const struct plan *p, struct plan_error *e)
{
    *e = (struct plan_error){.line = 0};
    for (const struct setting *s = p->setting; s < p->setting + p->nsetting; s++) {
        const int kind = word_kind_at(s->key);
        const struct arg *rule = setting_rule(p->setting, p->nsetting, s->key);
        if (kind >= 0 ? !check_word(p, s, (enum word_kind)kind, e) : rule && !check_value(p, s, rule, e))
            return false;
    }
    if (!check_metrics(p, e))
        return false;
    const char *name, *why = plan_augment_unfit(p, &name);
    return !why || refuse(e->text, sizeof e->text, "setting data.augment: %s %s", name, why);
}

/* ---- settings from the command line ---- */

static bool override_measure(struct plan *p, struct setting *s, const char *value, char *why, size_t whysize)
{
    const struct word *w;
    char name[METRIC_NAME];
    const char *all = "auto or loss";
    int measure;
    if (plan_measure(p, value, &measure)) {
        s->text = region_copy(p->region, value);
        return true;
    }
    for (int m = 0; plan_metric(p, m, &w, name); m++)
        all = region_printf(p->region, "%s, %s", name, all);
    return refuse(why, whysize, "`%s` is %s, not `%.200s`", s->key, all, value);
}

bool setting_override(struct plan *p, const char *assignment, char *why, size_t whysize)
{
    struct setting *list = p->setting;
    struct region *r = p->region;
    const int n = p->nsetting;
    const char *equal = strchr(assignment, '=');
    if (!equal)
        return refuse(why, whysize, "`%s`: write KEY=VALUE, for example train.epochs=3", assignment);
    size_t length = (size_t)(equal - assignment);
    while (length && assignment[length - 1] == ' ')
        length--;
    const char *key = region_printf(r, "%.*s", (int)length, assignment), *value = equal + 1 + strspn(equal + 1, " ");
    struct setting *s = (struct setting *)setting_find(list, n, key);
    if (!s) {
        const char *near = setting_nearest(list, n, key, r);
        return near ? refuse(why, whysize, "there is no setting `%s`; did you mean `%s`?", key, near)
                    : refuse(why, whysize, "there is no setting `%s`", key);
    }
    const struct arg *rule = setting_rule(list, n, key);
    if (s->graph || !rule)
        return refuse(why, whysize,
                      "`%s` is part of what was compiled: change it in the .net file, or give that with -D %s=VALUE",
                      key, key);
    bool batch = strcmp(key, "train.batch") == 0;
    if (batch && strcmp(value, "auto") == 0) {
        s->text = region_copy(r, value);
        s->n = 0;
        return true;
    }
    if (rule->type == ARG_MEASURE)
        return override_measure(p, s, value, why, whysize);
    if (rule->type == ARG_TEXT) {
        if (!arg_takes_text(rule, value))
            return refuse(why, whysize, "`%s` is %s, not `%.200s`", key, arg_texts(rule, r), value);
        s->text = region_copy(r, value);
        return true;
    }
    struct result v = constant(value, r);
    const char *allowed;
    if (!arg_accepts(rule, &v, listed(p, rule), &allowed, r))
        return refuse(why, whysize, "`%s` is %s%s, not `%.200s`", key, allowed, batch ? " or auto" : "", value);
    const struct setting before = *s;
    store(s, rule, &v, r);
    const char *name, *unfit = plan_augment_unfit(p, &name);
    if (!unfit)
        return true;
    *s = before;
    return refuse(why, whysize, "`%s=%.200s`: %s %s", key, value, name, unfit);
}

static void put_setting(FILE *out, const struct setting *s, const struct arg *rule)
{
    bool list = s->n != 1;
    fprintf(out, "%s=%s", s->key, s->text ? s->text : list ? "[" : "");
    for (int i = 0; i < s->n && rule->type == ARG_BOOL; i++)
        fputs(s->num[i] != 0 ? "true" : "false", out);
    for (int i = 0; i < s->n && rule->type != ARG_BOOL; i++)
        fprintf(out, "%s%.17g", i ? ", " : "", s->num[i]);
    fputs(list && !s->text ? "]\n" : "\n", out);
}

char *settings_text(const struct plan *p)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    for (const struct setting *s = p->setting; out && s < p->setting + p->nsetting; s++) {
        const struct arg *rule = s->graph ? NULL : setting_rule(p->setting, p->nsetting, s->key);
        if (rule)
            put_setting(out, s, rule);
    }
    bool good = out && !ferror(out);
    if (out && fclose(out) == 0 && good)
        return text;
    free(text);
    return NULL;
}
