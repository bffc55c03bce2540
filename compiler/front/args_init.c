/* args_init.c: arguments that say how parameters begin: kaiming_normal, normal(0.02), kaiming_uniform(fan = out). */
#include "build.h"

#include <math.h>
#include <string.h>

const char *arg_inits(struct region *r)
{
    const char *all = "";
    for (const struct init_rule *i = init_rules; i->name; i++)
        all = region_printf(r, "%s%s%s", all, i == init_rules ? "" : i[1].name ? ", " : " or ", i->name);
    return all;
}

static const struct init_rule *find_rule(struct builder *b, const struct arg *a, const struct ast *given)
{
    const char *text = ast_text(given), *name[32];
    int n = 0;
    for (const struct init_rule *i = init_rules; i->name; i++) {
        if (text && strcmp(i->name, text) == 0)
            return i;
        name[n++] = i->name;
    }
    if (text && text[0] && text[strlen(text) - 1] == '_') /* torch.nn.init's */
        text = region_printf(b->region, "%.*s", (int)strlen(text) - 1, text);
    const char *near = text ? diag_nearest(text, name, n) : NULL;
    diag_error(b->diag, "N0403", given->loc, near ? region_printf(b->region, "did you mean `%s`?", near) : NULL,
               "`%s` is a way to begin: %s", a->name, arg_inits(b->region));
    return NULL;
}

/* fan = in, fan = out */
static bool read_fan(struct builder *b, const struct ast_arg *given, double *by_outputs)
{
    const char *text = ast_text(given->value);
    if (text && (strcmp(text, "in") == 0 || strcmp(text, "out") == 0)) {
        *by_outputs = *text == 'o';
        return true;
    }
    diag_error(b->diag, "N0403", given->value->loc, NULL, "`fan` is `in` or `out`");
    return false;
}

static bool read_number(struct builder *b, struct scope *s, const struct init_rule *rule, const struct ast_arg *given,
                        double *number)
{
    const struct result v = eval(b, s, given->value);
    if (v.kind == POISON)
        return false;
    if (v.kind == A_NUMBER && isfinite(v.number) && fabs(v.number) <= 1e30 &&
        (v.number >= 0 || rule->init == INIT_CONSTANT)) {
        *number = v.number;
        return true;
    }
    diag_error(b->diag, v.kind == A_NUMBER ? "N0404" : "N0403", given->value->loc, NULL, "`%s` of `%s` is a number%s",
               rule->number, rule->name, rule->init == INIT_CONSTANT ? "" : " from 0");
    return false;
}

bool init_read(struct builder *b, struct scope *s, const struct arg *a, const struct ast *given, struct args *out,
               int index)
{
    const struct init_rule *rule = find_rule(b, a, given);
    if (!rule)
        return false;
    out->loc[index] = given->loc;
    double *n = out->num[index] = region_alloc(b->region, 3, sizeof *n);
    n[0] = (double)(rule - init_rules) + 1;
    n[1] = rule->otherwise;
    for (int i = 0; i < given->narg; i++) {
        const struct ast_arg *arg = &given->arg[i];
        const bool fan = arg->name && strcmp(arg->name, "fan") == 0 && rule->fans;
        const bool number = rule->number && (arg->name ? strcmp(arg->name, rule->number) == 0 : i == 0);
        if (!fan && !number) {
            diag_error(b->diag, "N0401", arg->loc, NULL, "`%s` has no such argument", rule->name);
            diag_help(b->diag, rule->number ? "it takes `%s`%s" : "it takes none%s%s", rule->number ? rule->number : "",
                      rule->fans ? " and `fan = out`" : "");
            return false;
        }
        if (!(fan ? read_fan(b, arg, &n[2]) : read_number(b, s, rule, arg, &n[1])))
            return false;
    }
    if (!isnan(n[1]))
        return true;
    diag_error(b->diag, "N0402", given->loc, NULL, "`%s` needs `%s`", rule->name, rule->number);
    diag_help(b->diag, "for example `%s(0.1)`", rule->name);
    return false;
}
