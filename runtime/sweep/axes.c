/* axes.c: what a sweep goes over: axes from text, and the rows that are their product. */
#include "sweep.h"
#include "front/override.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* ---- text -> axes ---- */

/* The text up to `end` or a 0 that is outside brackets; *at moves behind it. Blanks around it are taken off. */
static const char *piece(struct region *r, const char **at, char end, char other)
{
    const char *from = *at + strspn(*at, " \t\n"), *to = from;
    for (int depth = 0; *to && (depth > 0 || (*to != end && *to != other)); to++)
        depth += (*to == '(' || *to == '[') - (*to == ')' || *to == ']');
    *at = *to ? to + 1 : to;
    while (to > from && isspace((unsigned char)to[-1]))
        to--;
    return region_printf(r, "%.*s", (int)(to - from), from);
}

/* Do brackets stand around it all? */
static bool is_list(const char *text)
{
    int depth = 0;
    do
        depth += (*text == '(' || *text == '[') - (*text == ')' || *text == ']');
    while (depth > 0 && *++text);
    return *text == ']' && !text[1];
}

static int add_values(struct sweep *s, struct axis *a, const char *text)
{
    text = piece(s->region, &text, '\0', '\0');
    if (draw_range(a, text)) {
        a->n = 2; /* its ends are tried */
        a->value = region_alloc(s->region, 2, sizeof *a->value);
        a->value[0] = region_printf(s->region, "%.17g", a->low);
        a->value[1] = region_printf(s->region, "%.17g", a->high);
        return 0;
    }
    if (is_list(text))
        text = region_printf(s->region, "%.*s", (int)strlen(text) - 2, text + 1);
    do {
        const char *value = piece(s->region, &text, ',', ',');
        if (!*value)
            return complain(STATUS_USAGE, "--sweep: `%s` has an empty value: write %s=1,2", a->name, a->name);
        region_grow(s->region, a->value, a->n);
        a->value[a->n++] = value;
    } while (*text);
    return 0;
}

static int add_entry(struct sweep *s, const char *entry)
{
    const char *at = entry, *name = piece(s->region, &at, '=', '=');
    if (!*name || !at[strspn(at, " \t")])
        return complain(STATUS_USAGE, "--sweep: `%s`: write NAME=VALUE,VALUE; ..., such as train.batch=100,1000",
                        entry);
    int draws = strcmp(name, "runs") == 0 ? draw_rule(at, "random", "n", -1) : -1;
    int eta = strcmp(name, "stop") == 0 ? draw_rule(at, "halving", "eta", 3) : -1;
    if (draws >= 0 || eta >= 0) {
        s->draws = draws >= 0 ? draws : s->draws;
        s->eta = eta >= 0 ? eta : s->eta;
        if (draws == 0 || draws > MAX_SWEEP_ROWS || (eta >= 0 && eta < 2))
            return complain(STATUS_USAGE, "--sweep: `%s`: random takes 1 to %d runs, halving an eta from 2 on", entry,
                            MAX_SWEEP_ROWS);
        return 0;
    }
    name = strcmp(name, "seed") == 0 ? "train.seed" : name;
    for (int i = 0; i < s->naxis; i++)
        if (strcmp(s->axis[i].name, name) == 0)
            return complain(STATUS_USAGE, "--sweep: `%s` is given twice", name);
    if (s->naxis == MAX_AXES)
        return complain(STATUS_USAGE, "--sweep: more than %d names", MAX_AXES);
    region_grow(s->region, s->axis, s->naxis);
    struct axis *a = &s->axis[s->naxis++];
    *a = (struct axis){.name = name};
    return add_values(s, a, at);
}

/* The section of the file, as one would give it on the command line. */
static const char *section(struct region *r, const struct plan *p)
{
    static const char prefix[] = "sweep.";
    const char *text = "";
    for (const struct setting *s = p->setting; s < p->setting + p->nsetting; s++)
        if (s->text && strncmp(s->key, prefix, sizeof prefix - 1) == 0)
            text = region_printf(r, "%s%s = %s\n", text, s->key + sizeof prefix - 1, s->text);
    return text;
}

static int read_axes(struct sweep *s, const struct plan *p)
{
    const char *text = *s->options->sweep ? s->options->sweep : section(s->region, p);
    while (text[strspn(text, " \t\n;")]) {
        const char *entry = piece(s->region, &text, ';', '\n');
        int status = *entry ? add_entry(s, entry) : 0;
        if (status)
            return status;
    }
    return s->naxis ? 0
                    : complain(STATUS_USAGE,
                               "%s%s: say what to go over, such as\n"
                               "  --sweep \"train.batch=100,1000; seed=1,2,3\"",
                               *s->options->sweep ? "--sweep: there is nothing to go over" : s->source.path,
                               *s->options->sweep ? "" : " has no `sweep` section");
}

/* ---- are they right? ---- */

static int check_device(const struct axis *a)
{
    for (int i = 0; i < a->n; i++)
        if (strcmp(a->value[i], "cpu") != 0 && strcmp(a->value[i], "auto") != 0 && strncmp(a->value[i], "cuda", 4) != 0)
            return complain(STATUS_USAGE, "--sweep: device %s: expected auto, cpu, cuda or cuda:N", a->value[i]);
    return 0;
}

static int check_setting(struct sweep *s, const struct axis *a, struct plan *plan)
{
    char why[512];
    for (int i = 0; i < a->n; i++)
        if (!setting_override(plan, region_printf(s->region, "%s=%s", a->name, a->value[i]), why, sizeof why))
            return complain(STATUS_USAGE, "--sweep: %s", why);
    return 0;
}

/* A param, or a setting that shapes the graph: each value is compiled, with the others as they are. */
static int check_param(struct sweep *s, const struct axis *a)
{
    if (!s->source.model)
        return complain(STATUS_USAGE,
                        "--sweep: there is no setting `%s`, and the params of a plan are numbers already\n"
                        "  = help: give the model: netrun MODEL.net --sweep ...",
                        a->name);
    for (int i = 0; i < a->n; i++) {
        struct plan *plan;
        char *define = region_printf(s->region, "%s=%s", a->name, a->value[i]);
        int status = source_plan(&s->source, &define, 1, stderr, &plan);
        plan_free(plan);
        if (status)
            return status;
    }
    return 0;
}

static int check_axis(struct sweep *s, struct axis *a, struct plan *plan)
{
    if (strcmp(a->name, "device") == 0) {
        a->kind = AXIS_DEVICE;
        return check_device(a);
    }
    if (strchr(a->name, '.') && !(s->source.model && setting_shapes(plan->setting, plan->nsetting, a->name))) {
        a->kind = AXIS_SETTING;
        return check_setting(s, a, plan);
    }
    a->kind = AXIS_PARAM;
    return check_param(s, a);
}

static const char *last_part(const char *name)
{
    const char *dot = strrchr(name, '.');
    return dot ? dot + 1 : name;
}

static void name_axes(struct sweep *s)
{
    for (int i = 0; i < s->naxis; i++) {
        s->axis[i].shown = last_part(s->axis[i].name);
        for (int k = 0; k < s->naxis; k++)
            if (k != i && strcmp(last_part(s->axis[k].name), s->axis[i].shown) == 0) {
                s->axis[i].shown = s->axis[i].name;
                break;
            }
    }
}

/* ---- axes -> rows ---- */

/* The last axis changes fastest. */
static int product(struct sweep *s)
{
    int64_t rows = 1;
    for (int i = 0; i < s->naxis; i++)
        if ((rows *= s->axis[i].n) > MAX_SWEEP_ROWS)
            return complain(STATUS_USAGE, "--sweep: more than %d runs", MAX_SWEEP_ROWS);
    s->nrow = (int)rows;
    s->row = region_alloc(s->region, (size_t)rows, sizeof *s->row);
    for (int k = 0; k < s->nrow; k++) {
        struct row *r = &s->row[k];
        int rest = k;
        r->number = k + 1;
        r->value = region_alloc(s->region, (size_t)s->naxis, sizeof *r->value);
        for (int i = s->naxis - 1; i >= 0; i--) {
            r->value[i] = s->axis[i].value[rest % s->axis[i].n];
            rest /= s->axis[i].n;
        }
    }
    return 0;
}

int sweep_axes(struct sweep *s, struct plan *plan)
{
    int status = read_axes(s, plan);
    for (int i = 0; status == 0 && i < s->naxis; i++)
        status = check_axis(s, &s->axis[i], plan);
    if (status)
        return status;
    name_axes(s);
    for (int i = 0; i < s->naxis; i++) {
        if (s->axis[i].range && !s->draws)
            return complain(STATUS_USAGE, "--sweep: `%s` is drawn from a range: say how often, runs=random(20)",
                            s->axis[i].name);
        if (strncmp(s->axis[i].name, "train.save", strlen("train.save")) == 0)
            return complain(STATUS_USAGE, "--sweep: `%s` says which run is the best: it is the same for all",
                            s->axis[i].name);
        if (s->eta && strcmp(s->axis[i].name, "train.epochs") == 0)
            return complain(STATUS_USAGE, "--sweep: halving decides how many epochs a run has: leave out train.epochs");
    }
    return s->draws ? draw_rows(s) : product(s);
}
