/* optimizer.c: updates as scalar ops over all parameters at once: p and the slots, in place, if the loss is finite. p is the
 * parameter, g its gradient, the letters between them the slots; formulas are PyTorch's (torch.optim), of Lion the authors'. In
 * braces: once a step, in double, t being the step's number from 1 on. A `g = ...` is no result: the gradient from there on.
 * Adam, Adamax: Kingma & Ba, arXiv 1412.6980; AMSGrad: Reddi et al., 1904.09237; AdamW: Loshchilov & Hutter, 1711.05101; NAdam:
 * Dozat, ICLR workshop 2016; RAdam: Liu et al., 1908.03265; RMSprop: Hinton, lecture 6e of 2012, centered: Graves, 1308.0850;
 * Adagrad: Duchi et al., JMLR 12 (2011); Adadelta: Zeiler, 1212.5701; Lion: Chen et al., 2302.06675. */
#include "graph/graph.h"

#define UPDATE .kind = OP_MAP, .shape = map_shape, .update = true
#define STEP .kind = OP_MAP, .shape = update_shape, .update = true, .gate = GATE_STEP, .attr = {"group"}

/* clang-format off */
#define ADD_DECAY "g = g + decay * p"
#define MEAN_M "m = beta1 * m + {1 - beta1} * g"
#define MEAN_V "v = beta2 * v + {1 - beta2} * g * g"
#define SQUARES "s = alpha * s + {1 - alpha} * g * g"
#define CENTERED "m = alpha * m + {1 - alpha} * g", "g = g / (sqrt(s - m * m < 0 ? 0 : s - m * m) + eps)" /* no root of a rounding */
/* NAdam's momentum of step t. */
#define MU "(beta1 * (1 - 0.5 * pow(0.96, t * momentum_decay)))"
#define MU_NEXT "(beta1 * (1 - 0.5 * pow(0.96, (t + 1) * momentum_decay)))"
/* RAdam's length of the moving mean: in the limit, and at step t. */
#define LIMIT "(2 / (1 - beta2) - 1)"
#define LENGTH "(" LIMIT " - 2 * t * pow(beta2, t) / (1 - pow(beta2, t)))"
#define RECTIFIED "{" LENGTH " > 5 ? sqrt((1 - pow(beta2, t)) * (" LENGTH " - 4) * (" LENGTH " - 2) * " LIMIT \
    " / ((" LIMIT " - 4) * (" LIMIT " - 2) * " LENGTH ")) : 0}"

static const struct op op[] = {
    {.name = "accumulate", .doc = "s the sum of the gradients over the parts of a batch, which also takes their place", UPDATE,
     .gate = GATE_PARTS, .nin = 2, .nout = 2, .letters = "sg",
     .fwd = {"s = begin > 0 ? g : s + g",
             "g = s"}},
    {.name = "sgd", .doc = "p - lr (g + decay p)", STEP, .nin = 2, .nout = 1, .letters = "pg",
     .fwd = {"p = p - lr * (g + decay * p)"}},
    {.name = "sgd_momentum", .doc = "v = momentum v + g + decay p; p - lr v", STEP, .nin = 3, .nout = 2,
     .letters = "pvg", .slot = {"momentum_buffer"},
     .fwd = {"v = momentum * v + (g + decay * p)",
             "p = p - lr * v"}},
    {.name = "sgd_nesterov", .doc = "v as for momentum; p - lr (g + decay p + momentum v)", STEP,
     .nin = 3, .nout = 2, .letters = "pvg", .slot = {"momentum_buffer"},
     .fwd = {"v = momentum * v + (g + decay * p)",
             "p = p - lr * (g + decay * p + momentum * v)"}},
    {.name = "adam", .doc = "m, v moving means of g and g^2; p - lr / bias1 m / (sqrt(v) / bias2 + eps)", STEP,
     .nin = 4, .nout = 3, .letters = "pmvg", .slot = {"exp_avg", "exp_avg_sq"},
     .fwd = {"m = beta1 * m + {1 - beta1} * (g + decay * p)",
             "v = beta2 * v + {1 - beta2} * (g + decay * p) * (g + decay * p)",
             "p = p - lr / {1 - pow(beta1, t)} * m / (sqrt(v) * (1 / {sqrt(1 - pow(beta2, t))}) + eps)"}},
    {.name = "adamw", .doc = "Adam with the decay taken from the parameter itself", STEP,
     .nin = 4, .nout = 3, .letters = "pmvg", .slot = {"exp_avg", "exp_avg_sq"},
     .fwd = {"m = beta1 * m + {1 - beta1} * g",
             "v = beta2 * v + {1 - beta2} * g * g",
             "p = p * (1 - lr * decay) - lr / {1 - pow(beta1, t)} * m / (sqrt(v) * (1 / {sqrt(1 - pow(beta2, t))}) + eps)"}},
    {.name = "adam_amsgrad", .doc = "Adam with w, the largest v so far, in the place of v", STEP,
     .nin = 5, .nout = 4, .letters = "pmvwg", .slot = {"exp_avg", "exp_avg_sq", "max_exp_avg_sq"},
     .fwd = {ADD_DECAY, MEAN_M, MEAN_V, "w = w > v ? w : v",
             "p = p - lr / {1 - pow(beta1, t)} * m / (sqrt(w) * (1 / {sqrt(1 - pow(beta2, t))}) + eps)"}},
    {.name = "adamw_amsgrad", .doc = "AdamW with w, the largest v so far, in the place of v", STEP,
     .nin = 5, .nout = 4, .letters = "pmvwg", .slot = {"exp_avg", "exp_avg_sq", "max_exp_avg_sq"},
     .fwd = {MEAN_M, MEAN_V, "w = w > v ? w : v",
             "p = p * (1 - lr * decay) - lr / {1 - pow(beta1, t)} * m / (sqrt(w) * (1 / {sqrt(1 - pow(beta2, t))}) + eps)"}},
    {.name = "adamax", .doc = "Adam with u, the largest |g| that fades by beta2, in the place of the root", STEP,
     .nin = 4, .nout = 3, .letters = "pmug", .slot = {"exp_avg", "exp_inf"},
     .fwd = {ADD_DECAY, MEAN_M,
             "u = beta2 * u > (g < 0 ? -g : g) + eps ? beta2 * u : (g < 0 ? -g : g) + eps",
             "p = p - lr / {1 - pow(beta1, t)} * m / u"}},
    {.name = "nadam", .doc = "Adam that looks ahead along a momentum which grows with t", STEP,
     .nin = 4, .nout = 3, .letters = "pmvg", .slot = {"exp_avg", "exp_avg_sq"},
     .fwd = {ADD_DECAY, MEAN_M, MEAN_V,
             "p = p - lr * ({(1 - " MU ") / (1 - product(" MU "))} * g + {" MU_NEXT " / (1 - product(" MU ") * " MU_NEXT ")} * m)"
             " / (sqrt(v) * (1 / {sqrt(1 - pow(beta2, t))}) + eps)"}},
    {.name = "radam", .doc = "Adam whose step is rectified, and without the root as long as v is of few steps", STEP, .nin = 4, .nout = 3, .letters = "pmvg", .slot = {"exp_avg", "exp_avg_sq"},
     .fwd = {ADD_DECAY, MEAN_M, MEAN_V,
             "p = p - lr / {1 - pow(beta1, t)} * m * (" RECTIFIED " > 0 ? " RECTIFIED " / (sqrt(v) + eps) : 1)"}},
    {.name = "rmsprop", .doc = "s moving mean of g^2; p - lr g / (sqrt(s) + eps)", STEP,
     .nin = 3, .nout = 2, .letters = "psg", .slot = {"square_avg"},
     .fwd = {ADD_DECAY, SQUARES,
             "p = p - lr * g / (sqrt(s) + eps)"}},
    {.name = "rmsprop_momentum", .doc = "v = momentum v + g / (sqrt(s) + eps); p - lr v", STEP,
     .nin = 4, .nout = 3, .letters = "psvg", .slot = {"square_avg", "momentum_buffer"},
     .fwd = {ADD_DECAY, SQUARES,
             "v = momentum * v + g / (sqrt(s) + eps)",
             "p = p - lr * v"}},
    {.name = "rmsprop_centered", .doc = "m moving mean of g, s - m^2 in the place of s", STEP,
     .nin = 4, .nout = 3, .letters = "psmg", .slot = {"square_avg", "grad_avg"},
     .fwd = {ADD_DECAY, SQUARES, CENTERED,
             "p = p - lr * g"}},
    {.name = "rmsprop_centered_momentum", .doc = "both", STEP,
     .nin = 5, .nout = 4, .letters = "psmvg", .slot = {"square_avg", "grad_avg", "momentum_buffer"},
     .fwd = {ADD_DECAY, SQUARES, CENTERED,
             "v = momentum * v + g",
             "p = p - lr * v"}},
    {.name = "adagrad", .doc = "s sum of g^2; p - lr / (1 + (t - 1) lr_decay) g / (sqrt(s) + eps)", STEP,
     .nin = 3, .nout = 2, .letters = "psg", .slot = {"sum"},
     .fwd = {ADD_DECAY,
             "s = s + {t == 1 ? initial : 0} + g * g",
             "p = p - lr / {1 + (t - 1) * lr_decay} * g / (sqrt(s) + eps)"}},
    {.name = "adadelta", .doc = "s, d moving means of g^2 and of the steps'; p - lr sqrt(d + eps) / sqrt(s + eps) g", STEP, .nin = 4, .nout = 3, .letters = "psdg", .slot = {"square_avg", "acc_delta"},
     .fwd = {ADD_DECAY,
             "s = rho * s + {1 - rho} * g * g",
             "g = sqrt(d + eps) / sqrt(s + eps) * g",
             "d = rho * d + {1 - rho} * g * g",
             "p = p - lr * g"}},
    {.name = "own_gradient", .doc = "g, for a step of several ops to change", .kind = OP_MAP, .shape = map_shape, .gate = GATE_STEP,
     .nin = 1, .nout = 1, .letters = "g",
     .fwd = {"g"}},
    {.name = "mean_of_weights", .doc = "q moving mean of the parameters, where an update does not keep it itself", UPDATE, .gate = GATE_STEP,
     .nin = 2, .nout = 1, .letters = "qp",
     .fwd = {MEAN_OF_WEIGHTS}},
    {.name = "lion", .doc = "the sign of a mean of m and g as the step, m moving mean of g", STEP,
     .nin = 3, .nout = 2, .letters = "pmg", .slot = {"exp_avg"},
     .fwd = {"p = p * (1 - lr * decay) - lr * (beta1 * m + {1 - beta1} * g > 0 ? 1 : beta1 * m + {1 - beta1} * g < 0 ? -1"
             " : beta1 * m + {1 - beta1} * g)",
             "m = beta2 * m + {1 - beta2} * g"}},
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

/* The rule of a word that has one update. */
#define ONE_UPDATE(name)                                                                                               \
    static const char *name(const struct args *a)                                                                      \
    {                                                                                                                  \
        (void)a;                                                                                                       \
        return #name;                                                                                                  \
    }

ONE_UPDATE(adagrad)
ONE_UPDATE(adadelta)
ONE_UPDATE(adamax)
ONE_UPDATE(nadam)
ONE_UPDATE(radam)
ONE_UPDATE(lion)

static const char *adam(const struct args *a)
{
    return a->num[4][0] != 0 ? "adam_amsgrad" : "adam";
}

static const char *adamw(const struct args *a)
{
    return a->num[4][0] != 0 ? "adamw_amsgrad" : "adamw";
}

static const char *rmsprop(const struct args *a)
{
    static const char *const name[2][2] = {{"rmsprop", "rmsprop_momentum"},
                                           {"rmsprop_centered", "rmsprop_centered_momentum"}};
    return name[a->num[5][0] != 0][a->num[4][0] != 0];
}

/* clang-format off */
#define LR(otherwise_) {.name = "lr", .help = "learning rate", .type = ARG_NUMBER, .otherwise = otherwise_, .min = 0, .max = 1e6}
#define BETAS(second_) {.name = "betas", .help = "decay of the two moving means", .type = ARG_PAIR, .part = {"beta1", "beta2"}, \
                        .otherwise = 0.9, .second = second_, .min = 0, .max = 1, .below = true}
#define EPS(otherwise_, help_) {.name = "eps", .help = help_, .type = ARG_NUMBER, .otherwise = otherwise_, .min = 0, .max = 1}
#define DECAY(otherwise_) {.name = "decay", .help = "weight decay", .type = ARG_NUMBER, .otherwise = otherwise_, .min = 0, .max = 1}
#define MOMENTUM {.name = "momentum", .help = "of the velocity", .type = ARG_NUMBER, .min = 0, .max = 1}
#define SMOOTHING(name_, otherwise_) {.name = name_, .help = "decay of the moving mean", .type = ARG_NUMBER, \
                                      .otherwise = otherwise_, .min = 0, .max = 1, .below = true}
#define OF_ROOT "added to the root"
#define ADAM_ARGS(lr_, decay_) LR(lr_), BETAS(0.999), EPS(1e-8, OF_ROOT), DECAY(decay_)
#define AMSGRAD {.name = "amsgrad", .help = "the largest mean of squares so far", .type = ARG_BOOL}

static const struct word word[] = {
    {.kind = WORD_OPTIMIZER, .name = "SGD", .doc = "gradient descent", .update = sgd, .check = sgd_check, .free_args = 1 << 0 | 1 << 3,
     .arg = {{.name = "lr", .help = "learning rate", .type = ARG_NUMBER, .required = true, .min = 0, .max = 1e6},
             MOMENTUM,
             {.name = "nesterov", .help = "look ahead", .type = ARG_BOOL},
             DECAY(0)}},
    {.kind = WORD_OPTIMIZER, .name = "Adam", .doc = "Adam", .update = adam, .free_args = 15, .arg = {ADAM_ARGS(1e-3, 0), AMSGRAD}},
    {.kind = WORD_OPTIMIZER, .name = "AdamW", .doc = "Adam with decoupled decay", .update = adamw, .free_args = 15,
     .arg = {ADAM_ARGS(1e-3, 0.01), AMSGRAD}},
    {.kind = WORD_OPTIMIZER, .name = "Adamax", .doc = "Adam by the largest gradient", .update = adamax, .free_args = 15,
     .arg = {LR(2e-3), BETAS(0.999), EPS(1e-8, "added to the gradient's magnitude"), DECAY(0)}},
    {.kind = WORD_OPTIMIZER, .name = "NAdam", .doc = "Adam with Nesterov's momentum", .update = nadam, .free_args = 31,
     .arg = {ADAM_ARGS(2e-3, 0),
             {.name = "momentum_decay", .help = "how fast the momentum grows", .type = ARG_NUMBER, .otherwise = 4e-3, .min = 0,
              .max = 1e6}}},
    {.kind = WORD_OPTIMIZER, .name = "RAdam", .doc = "Adam with a rectified start", .update = radam, .free_args = 15,
     .arg = {ADAM_ARGS(1e-3, 0)}},
    {.kind = WORD_OPTIMIZER, .name = "RMSprop", .doc = "steps by the root of a mean of squares", .update = rmsprop, .free_args = 15,
     .arg = {LR(1e-2), SMOOTHING("alpha", 0.99), EPS(1e-8, OF_ROOT), DECAY(0), MOMENTUM,
             {.name = "centered", .help = "by the deviation", .type = ARG_BOOL}}},
    {.kind = WORD_OPTIMIZER, .name = "Adagrad", .doc = "steps by the root of the sum of squares", .update = adagrad, .free_args = 31,
     .arg = {LR(1e-2), {.name = "lr_decay", .help = "of the learning rate", .type = ARG_NUMBER, .min = 0, .max = 1e6}, DECAY(0),
             {.name = "initial", .help = "the sum at the start", .type = ARG_NUMBER, .min = 0, .max = 1e6},
             EPS(1e-10, OF_ROOT)}},
    {.kind = WORD_OPTIMIZER, .name = "Adadelta", .doc = "steps by those before", .update = adadelta, .free_args = 15,
     .arg = {LR(1), SMOOTHING("rho", 0.9), EPS(1e-6, "added below the roots"), DECAY(0)}},
    {.kind = WORD_OPTIMIZER, .name = "Lion", .doc = "steps of one size, by sign", .update = lion, .free_args = 7,
     .arg = {LR(1e-4), BETAS(0.99), DECAY(0)}},
};
/* clang-format on */

const struct module module_optimizer = {op, COUNT(op), word, COUNT(word)};
