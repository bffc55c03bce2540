/* muon.c: Jordan et al., "Muon: an optimizer for hidden layers", 2024, kellerjordan.github.io/posts/muon, with the defaults of
 * torch.optim.Muon: momentum whose step is made nearly orthogonal by a Newton-Schulz iteration in float,
 *
 *     X = G / |G|;   steps times:  A = X X^T,  X = a X + (b A + c A A) X
 *
 * over matrices that are the parameters of two or more sizes, a convolution's being outputs by all else. The iteration goes over the
 * shorter side: of a matrix with more rows than columns A is X^T X. All others are AdamW's, as in the authors' MuonWithAuxAdam. */
#include "graph/graph.h"

#include <math.h>
#include <string.h>

/* clang-format off */
static bool step_shape(const double *a, const struct tensor *const *in, int nin, struct tensor *out, int nout)
{
    return a[1] > 0 && a[1] <= MAX_SIDE && update_shape(a, in, nin, out, nout);
}

#define STEP .kind = OP_MAP, .shape = update_shape, .update = true, .gate = GATE_STEP, .attr = {"group"}

static const struct op op[] = {
    {.name = "muon_momentum", .doc = "m moving mean of g, and in the place of g as well", STEP, .nin = 2, .nout = 2, .letters = "mg",
     .slot = {"momentum_buffer"},
     .fwd = {"m = momentum * m + {1 - momentum} * g",
             "g = m"}},
    {.name = "muon_nesterov", .doc = "m moving mean of g, in the place of g the mean of it and the new m", STEP, .nin = 2, .nout = 2, .letters = "mg",
     .slot = {"momentum_buffer"},
     .fwd = {"m = momentum * m + {1 - momentum} * g",
             "g = momentum * m + {1 - momentum} * g"}},
    {.name = "muon_start", .doc = "g over its norm n", .kind = OP_MAP, .shape = map_shape, .gate = GATE_STEP, .nin = 2, .nout = 1, .letters = "gn",
     .fwd = {"g / (n > eps ? n : eps)"}},
    {.name = "muon_step", .doc = "p - lr (scale x + decay p)", .kind = OP_MAP, .shape = step_shape, .update = true, .gate = GATE_STEP,
     .attr = {"group", "scale"}, .nin = 2, .nout = 1, .letters = "px",
     .fwd = {"p = p * (1 - lr * decay) - lr * scale * x"}},
    {.name = "muon_adamw", .doc = "AdamW with numbers of its own, for what is no matrix", STEP, .nin = 4, .nout = 3, .letters = "pmvg",
     .slot = {"exp_avg", "exp_avg_sq"},
     .fwd = {"m = adam_beta1 * m + {1 - adam_beta1} * g",
             "v = adam_beta2 * v + {1 - adam_beta2} * g * g",
             "p = p * (1 - lr * decay) - lr / {1 - pow(adam_beta1, t)} * m / (sqrt(v) * (1 / {sqrt(1 - pow(adam_beta2, t))}) + adam_eps)"}},
};
/* clang-format on */

enum { LR, MOMENTUM, NESTEROV, DECAY, NS_STEPS, EPS, ADJUST, ADAM_LR, ADAM_BETAS, ADAM_EPS, ADAM_DECAY };
static const double a = 3.4445, b = -4.7750, c = 2.0315; /* for the steepest start, not for convergence to 1 */

static const char *muon(const struct args *args)
{
    return args->num[NESTEROV][0] != 0 ? "muon_nesterov" : "muon_momentum";
}

static bool takes(const struct value *parameter)
{
    return parameter->t.rank >= 2;
}

static struct value *orthogonal(struct graph *g, struct value *x, int steps)
{
    const bool tall = x->t.dim[0] > x->t.dim[1];
    for (int i = 0; i < steps; i++) {
        struct value *gram = matmul(g, x, tall, x, !tall, 1, NULL, 0);
        struct value *poly = matmul(g, gram, false, gram, false, c, gram, b);
        x = tall ? matmul(g, x, false, poly, false, 1, x, a) : matmul(g, poly, false, x, false, 1, x, a);
    }
    return x;
}

/* What makes steps of matrices of all sizes alike: torch's adjust_lr_fn. */
static double scale(const struct args *args, double rows, double columns)
{
    return strcmp(args->text[ADJUST], "match_rms_adamw") == 0 ? 0.2 * sqrt(fmax(rows, columns))
                                                              : sqrt(fmax(1, rows / columns));
}

static void step(struct step *s)
{
    for (int first = 0, here; first < s->n; first += here) {
        struct value *x[MAX_OPERANDS];
        here = step_together(s, first, MAX_OPERANDS);
        for (int i = 0; i < here; i++)
            x[i] = step_direction(s, first + i);
        struct value *norms = tensor_norms(s->graph, x, here);
        for (int i = 0; i < here; i++) {
            const double attr[] = {s->group, scale(s->args, (double)x[i]->t.dim[0], (double)x[i]->t.dim[1])};
            struct value *start = graph_op(s->graph, "muon_start", NULL, x[i], tensor_norm(s->graph, norms, i), NULL);
            graph_op(s->graph, "muon_step", attr, step_part(s, s->parameters, first + i),
                     orthogonal(s->graph, start, (int)s->args->num[NS_STEPS][0]), NULL);
        }
    }
}

/* clang-format off */
static const char *const adjustments[] = {"original", "match_rms_adamw", NULL};

static const struct word word[] = {
    {.kind = WORD_OPTIMIZER, .name = "Muon", .doc = "momentum made orthogonal", .update = muon, .step = step, .takes = takes, .beside = "muon_adamw",
     .beside_lr = "adam_lr", .beside_decay = "adam_decay", .takes_word = "muon",
     .free_args = 1 << LR | 1 << MOMENTUM | 1 << DECAY | 1 << EPS | 1 << ADAM_LR | 1 << ADAM_BETAS | 1 << ADAM_EPS | 1 << ADAM_DECAY,
     .arg = {
         [LR] = {.name = "lr", .help = "learning rate of matrices", .type = ARG_NUMBER, .otherwise = 1e-3, .min = 0, .max = 1e6},
         [MOMENTUM] = {.name = "momentum", .help = "decay of the moving mean", .type = ARG_NUMBER, .otherwise = 0.95, .min = 0, .max = 1, .below = true},
         [NESTEROV] = {.name = "nesterov", .help = "look ahead", .type = ARG_BOOL, .otherwise = 1},
         [DECAY] = {.name = "decay", .help = "weight decay", .type = ARG_NUMBER, .otherwise = 0.1, .min = 0, .max = 1},
         [NS_STEPS] = {.name = "ns_steps", .help = "Newton-Schulz iterations", .type = ARG_INT, .otherwise = 5, .min = 1, .max = 20},
         [EPS] = {.name = "eps", .help = "least norm of a matrix", .type = ARG_NUMBER, .otherwise = 1e-7, .min = 0, .max = 1},
         [ADJUST] = {.name = "adjust", .help = "how steps go by the sizes of a matrix", .type = ARG_TEXT, .choice = adjustments},
         [ADAM_LR] = {.name = "adam_lr", .help = "learning rate of what is no matrix", .type = ARG_NUMBER, .otherwise = 3e-4, .min = 0, .max = 1e6},
         [ADAM_BETAS] = {.name = "adam_betas", .help = "its moving means", .type = ARG_PAIR, .part = {"adam_beta1", "adam_beta2"}, .otherwise = 0.9, .second = 0.95,
                         .min = 0, .max = 1, .below = true},
         [ADAM_EPS] = {.name = "adam_eps", .help = "added to its root", .type = ARG_NUMBER, .otherwise = 1e-10, .min = 0, .max = 1},
         [ADAM_DECAY] = {.name = "adam_decay", .help = "its weight decay", .type = ARG_NUMBER, .min = 0, .max = 1}}},
};
/* clang-format on */

const struct module module_muon = {op, COUNT(op), word, COUNT(word)};
