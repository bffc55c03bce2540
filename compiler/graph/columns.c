/* columns.c: the columns of a plan's settings. */
#include "columns.h"

#include <string.h>

/* The lines of a text. */
static const char *const *lines_of(struct region *r, const char *text, int *n)
{
    char **line = NULL;
    *n = 0;
    for (const char *at = text; at; at = next_line(at)) {
        region_grow(r, line, *n);
        line[(*n)++] = region_printf(r, "%.*s", (int)strcspn(at, "\n"), at);
    }
    return (const char *const *)line;
}

static void add(const struct plan *p, struct columns *c, struct column_rule rule)
{
    region_grow(p->region, c->rule, c->n);
    c->rule[c->n++] = rule;
}

static void add_each(const struct plan *p, struct columns *c, enum column_use use, const char *names)
{
    int n;
    const char *const *name = lines_of(p->region, names, &n);
    for (int i = 0; i < n; i++)
        add(p, c, (struct column_rule){.use = use, .name = name[i]});
}

static const char *text_of(const struct plan *p, const char *key, const struct word *w, int i)
{
    const struct setting *s = word_setting(p, key, w, i);
    return s && s->text ? s->text : "";
}

static void add_transform(const struct plan *p, struct columns *c, const char *key, const struct word *w)
{
    c->fills |= w->use == COLUMN_FILL;
    if (w->use == COLUMN_DROP)
        add_each(p, c, w->use, text_of(p, key, w, 0));
    if (w->use == COLUMN_CATEGORY) {
        struct column_rule rule = {.use = w->use, .name = text_of(p, key, w, 0)};
        rule.value = lines_of(p->region, text_of(p, key, w, 1), &rule.n);
        add(p, c, rule);
    }
}

bool plan_columns(const struct plan *p, struct columns *c)
{
    const struct setting *target = plan_setting(p, "target.from");
    char key[40];
    const struct word *w;
    *c = (struct columns){0};
    if (!target || !target->text)
        return false;
    add_each(p, c, COLUMN_TARGET, target->text);
    c->targets = c->n;
    for (int i = 0; (w = plan_transform_at(p, i, key)); i++)
        add_transform(p, c, key, w);
    return true;
}

const struct column_rule *columns_rule(const struct columns *c, const char *name)
{
    for (int i = 0; i < c->n; i++)
        if (strcmp(c->rule[i].name, name) == 0)
            return &c->rule[i];
    return NULL;
}
