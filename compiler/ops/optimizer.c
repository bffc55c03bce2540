/* optimizer.c: updates as scalar ops over all parameters at once: p and the slots, in place, if the loss is finite. p is the
 * parameter, g its gradient, the letters between them the slots; formulas are PyTorch's (torch.optim). In braces: once a step, in
 * double, t being the step's number from 1 on. Adam: Kingma & Ba, arXiv 1412.6980; AdamW: Loshchilov & Hutter, 1711.05101. */
#include "graph/graph.h"

#define UPDATE .kind = OP_MAP, .shape = map_shape, .update = true

/* clang-format off */
static const struct op op[] = {
    {.name = "accumulate", .doc = "s the sum of the gradients over the parts of a batch, which also takes their place", UPDATE,
     .gate = GATE_PARTS, .nin = 2, .nout = 2, .letters = "sg",
     .fwd = {"s = begin > 0 ? g : s + g",
             "g = s"}},
    {.name = "sgd", .doc = "p - lr (g + decay p)", UPDATE, .gate = GATE_STEP, .nin = 2, .nout = 1, .letters = "pg",
     .fwd = {"p = p - lr * (g + decay * p)"}},
    {.name = "sgd_momentum", .doc = "v = momentum v + g + decay p; p - lr v", UPDATE, .gate = GATE_STEP, .nin = 3, .nout = 2,
     .letters = "pvg", .slot = {"momentum_buffer"},
     .fwd = {"v = momentum * v + (g + decay * p)",
             "p = p - lr * v"}},
    {.name = "sgd_nesterov", .doc = "v as for momentum; p - lr (g + decay p + momentum v)", UPDATE, .gate = GATE_STEP,
     .nin = 3, .nout = 2, .letters = "pvg", .slot = {"momentum_buffer"},
     .fwd = {"v = momentum * v + (g + decay * p)",
             "p = p - lr * (g + decay * p + momentum * v)"}},
    {.name = "adam", .doc = "m, v moving means of g and g^2; p - lr / bias1 m / (sqrt(v) / bias2 + eps)", UPDATE, .gate = GATE_STEP,
     .nin = 4, .nout = 3, .letters = "pmvg", .slot = {"exp_avg", "exp_avg_sq"},
     .fwd = {"m = beta1 * m + {1 - beta1} * (g + decay * p)",
             "v = beta2 * v + {1 - beta2} * (g + decay * p) * (g + decay * p)",
             "p = p - lr / {1 - pow(beta1, t)} * m / (sqrt(v) * (1 / {sqrt(1 - pow(beta2, t))}) + eps)"}},
    {.name = "adamw", .doc = "Adam with the decay taken from the parameter itself", UPDATE, .gate = GATE_STEP,
     .nin = 4, .nout = 3, .letters = "pmvg", .slot = {"exp_avg", "exp_avg_sq"},
     .fwd = {"m = beta1 * m + {1 - beta1} * g",
             "v = beta2 * v + {1 - beta2} * g * g",
             "p = p * (1 - lr * decay) - lr / {1 - pow(beta1, t)} * m / (sqrt(v) * (1 / {sqrt(1 - pow(beta2, t))}) + eps)"}},
};
/* clang-format on */

static const char *sgd(const struct args *a)
{
    return a->num[1][0] == 0 ? "sgd" : a->num[2][0] != 0 ? "sgd_nesterov" : "sgd_momentum";
}

static bool sgd_check(struct site *s, const struct args *a, struct value *const *x, int nx)
{
    (void)x, (void)nx;
    if (a->num[2][0] == 0 || a->num[1][0] > 0)
        return true;
    diag_error(s->diag, "N0420", a->loc[2], NULL, "`nesterov` looks ahead along the momentum, and there is none");
    diag_help(s->diag, "for example `SGD(lr = %g, momentum = 0.9, nesterov = true)`", a->num[0][0]);
    return false;
}

static const char *adam(const struct args *a)
{
    (void)a;
    return "adam";
}

static const char *adamw(const struct args *a)
{
    (void)a;
    return "adamw";
}

/* clang-format off */
#define LR {.name = "lr", .help = "learning rate", .type = ARG_NUMBER, .otherwise = 1e-3, .min = 0, .max = 1e6}
#define ADAM_ARGS(decay_) \
    LR, {.name = "betas", .help = "decay of the two moving means", .type = ARG_PAIR, .part = {"beta1", "beta2"}, \
         .otherwise = 0.9, .second = 0.999, .min = 0, .max = 1, .below = true}, \
    {.name = "eps", .help = "added to the root", .type = ARG_NUMBER, .otherwise = 1e-8, .min = 0, .max = 1}, \
    {.name = "decay", .help = "weight decay", .type = ARG_NUMBER, .otherwise = decay_, .min = 0, .max = 1}

static const struct word word[] = {
    {.kind = WORD_OPTIMIZER, .name = "SGD", .doc = "gradient descent", .update = sgd, .check = sgd_check, .free_args = 1 << 0 | 1 << 3,
     .arg = {{.name = "lr", .help = "learning rate", .type = ARG_NUMBER, .required = true, .min = 0, .max = 1e6},
             {.name = "momentum", .help = "of the velocity", .type = ARG_NUMBER, .min = 0, .max = 1},
             {.name = "nesterov", .help = "look ahead", .type = ARG_BOOL},
             {.name = "decay", .help = "weight decay", .type = ARG_NUMBER, .min = 0, .max = 1}}},
    {.kind = WORD_OPTIMIZER, .name = "Adam", .doc = "Adam", .update = adam, .free_args = 15, .arg = {ADAM_ARGS(0)}},
    {.kind = WORD_OPTIMIZER, .name = "AdamW", .doc = "Adam with decoupled decay", .update = adamw, .free_args = 15,
     .arg = {ADAM_ARGS(0.01)}},
};
/* clang-format on */

const struct module module_optimizer = {op, COUNT(op), word, COUNT(word)};
