/* init_rule.c: words for first values. Kaiming: He et al., arXiv 1502.01852; Xavier: Glorot and Bengio, AISTATS 2010; orthogonal: Saxe et
 * al., arXiv 1312.6120. Formulas and defaults are those of torch.nn.init. */
#include "graph.h"

#include <math.h>

/* Of a leaky ReLU with this slope. */
static double gain(double slope)
{
    return sqrt(2 / (1 + slope * slope));
}

static double kaiming_uniform(double slope, double in, double out)
{
    (void)out;
    return gain(slope) * sqrt(3 / in);
}

static double kaiming_normal(double slope, double in, double out)
{
    (void)out;
    return gain(slope) / sqrt(in);
}

static double xavier_uniform(double gain, double in, double out)
{
    return gain * sqrt(6 / (in + out));
}

static double xavier_normal(double gain, double in, double out)
{
    return gain * sqrt(2 / (in + out));
}

/* clang-format off */
const struct init_rule init_rules[] = {
    {"zeros", "0", .init = INIT_ZERO},
    {"ones", "1", .init = INIT_ONE},
    {"constant", "value", .init = INIT_CONSTANT, .number = "value", .otherwise = NAN},
    {"uniform", "evenly within bound on both sides of 0", .init = INIT_UNIFORM, .number = "bound", .otherwise = NAN},
    {"normal", "normal with deviation std", .init = INIT_NORMAL, .number = "std", .otherwise = 1},
    {"trunc_normal", "the same, within -2 and 2", .init = INIT_TRUNCATED, .number = "std", .otherwise = 1},
    {"kaiming_uniform", "uniform, so that a ReLU keeps the variance", .init = INIT_UNIFORM, .bound = kaiming_uniform, .number = "slope",
     .fans = true, .matrix = true},
    {"kaiming_normal", "normal, so that a ReLU keeps the variance", .init = INIT_NORMAL, .bound = kaiming_normal, .number = "slope",
     .fans = true, .matrix = true},
    {"xavier_uniform", "uniform, between both ways", .init = INIT_UNIFORM, .bound = xavier_uniform, .number = "gain", .otherwise = 1, .matrix = true},
    {"xavier_normal", "normal, between both ways", .init = INIT_NORMAL, .bound = xavier_normal, .number = "gain", .otherwise = 1, .matrix = true},
    {"orthogonal", "rows, or columns, that are orthonormal", .init = INIT_ORTHOGONAL, .number = "gain", .otherwise = 1, .matrix = true},
    {.name = NULL},
};
/* clang-format on */

/* `given` is what an argument of type ARG_INIT has, of which there is one here. */
static void begin(struct tensor *t, const double *given)
{
    const struct init_rule *rule = &init_rules[(int)given[0] - 1];
    double field = 1; /* of the kernel */
    for (int i = 2; i < t->rank; i++)
        field *= (double)t->dim[i];
    const double in = t->rank < 2 ? 1 : field * (double)t->dim[1], out = field * (double)t->dim[0];
    const bool by_outputs = given[2] != 0;
    t->init = rule->init;
    t->bound = rule->bound ? rule->bound(given[1], by_outputs ? out : in, by_outputs ? in : out) : given[1];
}

struct value *graph_begun(struct site *s, const struct args *a, int arg, const char *name, int rank, const int64_t *dim,
                          double bound, int fan_in)
{
    const double *given = a->num[arg];
    struct value *v = graph_param(s, ROLE_PARAM, name, rank, dim, INIT_UNIFORM, bound, fan_in);
    if (given[0] == 0)
        return v;
    const struct init_rule *rule = &init_rules[(int)given[0] - 1];
    if (rule->matrix && rank < 2) {
        diag_error(s->diag, "N0420", a->loc[arg], NULL, "`%s` is for a matrix of weights, and this %s is none",
                   rule->name, name);
        diag_help(s->diag, "for example `zeros`, or `normal(0.01)`");
    }
    begin(&v->t, given);
    v->begun = true;
    return v;
}

void graph_begin(struct graph *g, const double *given)
{
    for (int i = 0; i < g->nvalue; i++)
        if (g->value[i]->t.role == ROLE_PARAM && g->value[i]->t.rank >= 2 && !g->value[i]->begun)
            begin(&g->value[i]->t, given);
}
