/* lamb.c: You et al., "Large batch optimization for deep learning", arXiv 1904.00962, algorithm 2: Adam's direction with the decay in it,
 * taken in each parameter's own length, with phi(x) = x. Three ops a parameter: its direction, norms of both, the step. A norm of 0 on
 * either side makes the ratio 1, as the authors have it. */
#include "graph/graph.h"

/* clang-format off */
static const struct op op[] = {
    {.name = "lamb_direction", .doc = "Adam's direction and the decay, in the place of g", .kind = OP_MAP, .shape = update_shape, .update = true,
     .gate = GATE_STEP, .attr = {"group"}, .nin = 4, .nout = 3, .letters = "mvgp", .slot = {"exp_avg", "exp_avg_sq"},
     .fwd = {"m = beta1 * m + {1 - beta1} * g",
             "v = beta2 * v + {1 - beta2} * g * g",
             "g = m * {1 / (1 - pow(beta1, t))} / (sqrt(v) * (1 / {sqrt(1 - pow(beta2, t))}) + eps) + decay * p"}},
    {.name = "lamb_step", .doc = "p - lr w / u r of one parameter: w its norm, u that of r", .kind = OP_MAP, .shape = update_shape, .update = true,
     .gate = GATE_STEP, .attr = {"group"}, .nin = 4, .nout = 1, .letters = "prwu",
     .fwd = {"p = p - lr * (w > 0 ? (u > 0 ? w / u : 1) : 1) * r"}},
};
/* clang-format on */

static const char *lamb(const struct args *a)
{
    (void)a;
    return "lamb_direction";
}

static void step(struct step *s)
{
    for (int first = 0, here; first < s->n; first += here) {
        struct value *x[MAX_OPERANDS];
        here = step_together(s, first, MAX_OPERANDS / 2);
        for (int i = 0; i < here; i++) {
            x[2 * i] = step_part(s, s->parameters, first + i);
            x[2 * i + 1] = step_direction(s, first + i);
        }
        struct value *norms = tensor_norms(s->graph, x, 2 * here);
        for (int i = 0; i < here; i++)
            graph_op(s->graph, "lamb_step", &(double){s->group}, x[2 * i], x[2 * i + 1],
                     tensor_norm(s->graph, norms, 2 * i), tensor_norm(s->graph, norms, 2 * i + 1), NULL);
    }
}

/* clang-format off */
static const struct word word[] = {
    {.kind = WORD_OPTIMIZER, .name = "LAMB", .doc = "Adam's direction, as long as the parameter", .update = lamb, .step = step, .free_args = 15,
     .arg = {{.name = "lr", .help = "learning rate", .type = ARG_NUMBER, .otherwise = 1e-3, .min = 0, .max = 1e6},
             {.name = "betas", .help = "decay of the two moving means", .type = ARG_PAIR, .part = {"beta1", "beta2"}, .otherwise = 0.9, .second = 0.999,
              .min = 0, .max = 1, .below = true},
             {.name = "eps", .help = "added to the root", .type = ARG_NUMBER, .otherwise = 1e-6, .min = 0, .max = 1},
             {.name = "decay", .help = "weight decay", .type = ARG_NUMBER, .otherwise = 0.01, .min = 0, .max = 1}}},
};
/* clang-format on */

const struct module module_lamb = {op, COUNT(op), word, COUNT(word)};
