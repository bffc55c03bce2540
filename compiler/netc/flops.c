/* flops.c: what a forward pass costs by the rules of the tools that people compare with. None of them agrees with another:
 * they differ in biases, in what a BatchNorm costs, in whether activations and poolings do anything, and in what they call
 * it. Each was asked about each layer; tests/expect/flops.json has its answers, tests/oracle/flops.py asks. */
#include "layers.h"

#include <string.h>

const struct flops_rule flops_rules[FLOPS_RULES] = {
    [FLOPS_MACS] = {"macs", NULL, "MACs", "1 MAC"},
    [FLOPS_THOP] = {"thop", "by the rule of thop >= 0.1", "MACs", "1 MAC"},
    [FLOPS_THOP_OLD] = {"thop-old", "by the rule of thop 0.0.31", "MACs", "1 MAC"},
    [FLOPS_FVCORE] = {"fvcore", "by the rule of fvcore's FlopCountAnalysis", "MACs", "1 MAC"},
    [FLOPS_PTFLOPS] = {"ptflops", "by the rule of ptflops 0.7", "MACs", "1 MAC"},
    [FLOPS_TORCHINFO] = {"torchinfo", "by the rule of torchinfo 1.8", "MACs", "1 MAC"},
    [FLOPS_TORCH] = {"torch", "by the rule of PyTorch's FlopCounterMode", "FLOPs", "2 FLOPs"},
    [FLOPS_STEP] = {"step", "of a training step: forward and gradients, a sample", "FLOPs", "2 FLOPs"},
};

/* A layer counts, for one sample,
 *     macs * its multiply-adds + grads * those of its gradients + bias * (one for each result, where it has a bias) + in * elements of what comes in
 *     + out * elements of the result + rows * (elements of what comes in / its first dimension) + params * its parameters
 * and nothing where there is no row. Of gradients there are those that a step makes: by the weight, and by what comes in unless
 * nothing before it learns. */
struct count {
    enum flops rule;
    const char *layer;
    int macs, grads, bias, in, out, rows, params;
};

/* clang-format off */
static const struct count counts[] = {
    /*                                   macs grads bias in out rows params */
    {FLOPS_MACS,      "Conv",               1,     0,   0, 0,  0,  0,  0},
    {FLOPS_MACS,      "Linear",             1,     0,   0, 0,  0,  0,  0},

    {FLOPS_THOP,      "Conv",               1,     0,   0, 0,  0,  0,  0},
    {FLOPS_THOP,      "Linear",             1,     0,   0, 0,  0,  0,  0},
    {FLOPS_THOP,      "BatchNorm",          0,     0,   0, 4,  0,  0,  0},
    {FLOPS_THOP,      "AvgPool",            0,     0,   0, 0,  1,  0,  0},
    {FLOPS_THOP,      "GlobalAvgPool",      0,     0,   0, 1,  1,  0,  0}, /* out * (window + 1) */
    {FLOPS_THOP,      "Softmax",            0,     0,   0, 3,  0, -1,  0}, /* n exp, n - 1 sums, n quotients */

    {FLOPS_THOP_OLD,  "Conv",               1,     0,   1, 0,  0,  0,  0},
    {FLOPS_THOP_OLD,  "Linear",             1,     0,   0, 0,  0,  0,  0},
    {FLOPS_THOP_OLD,  "BatchNorm",          0,     0,   0, 2,  0,  0,  0},
    {FLOPS_THOP_OLD,  "LeakyReLU",          0,     0,   0, 1,  0,  0,  0},
    {FLOPS_THOP_OLD,  "AvgPool",            0,     0,   0, 0,  1,  0,  0},
    {FLOPS_THOP_OLD,  "GlobalAvgPool",      0,     0,   0, 1,  1,  0,  0},

    {FLOPS_FVCORE,    "Conv",               1,     0,   0, 0,  0,  0,  0},
    {FLOPS_FVCORE,    "Linear",             1,     0,   0, 0,  0,  0,  0},
    {FLOPS_FVCORE,    "BatchNorm",          0,     0,   0, 2,  0,  0,  0},
    {FLOPS_FVCORE,    "GlobalAvgPool",      0,     0,   0, 1,  0,  0,  0},

    /* What is a module and a function that this calls is counted as both, which is how it comes. */
    {FLOPS_PTFLOPS,   "Conv",               1,     0,   1, 0,  0,  0,  0},
    {FLOPS_PTFLOPS,   "Linear",             1,     0,   1, 0,  0,  0,  0},
    {FLOPS_PTFLOPS,   "BatchNorm",          0,     0,   0, 2,  0,  0,  0},
    {FLOPS_PTFLOPS,   "ReLU",               0,     0,   0, 0,  2,  0,  0},
    {FLOPS_PTFLOPS,   "GELU",               0,     0,   0, 0,  2,  0,  0},
    {FLOPS_PTFLOPS,   "LeakyReLU",          0,     0,   0, 0,  1,  0,  0},
    {FLOPS_PTFLOPS,   "Softmax",            0,     0,   0, 1,  0,  0,  0},
    {FLOPS_PTFLOPS,   "MaxPool",            0,     0,   0, 2,  0,  0,  0},
    {FLOPS_PTFLOPS,   "AvgPool",            0,     0,   0, 2,  0,  0,  0},
    {FLOPS_PTFLOPS,   "GlobalMaxPool",      0,     0,   0, 2,  0,  0,  0},
    {FLOPS_PTFLOPS,   "GlobalAvgPool",      0,     0,   0, 2,  0,  0,  0},

    {FLOPS_TORCHINFO, "Conv",               1,     0,   1, 0,  0,  0,  0},
    {FLOPS_TORCHINFO, "Linear",             1,     0,   1, 0,  0,  0,  0},
    {FLOPS_TORCHINFO, "BatchNorm",          0,     0,   0, 0,  0,  0,  1},

    {FLOPS_TORCH,     "Conv",               2,     0,   0, 0,  0,  0,  0},
    {FLOPS_TORCH,     "Linear",             2,     0,   0, 0,  0,  0,  0},

    {FLOPS_STEP,      "Conv",               2,     2,   0, 0,  0,  0,  0},
    {FLOPS_STEP,      "Linear",             2,     2,   0, 0,  0,  0,  0},
};
/* clang-format on */

int64_t layer_flops(const struct layer *list, int i, enum flops rule)
{
    const struct layer *l = &list[i];
    const struct value *x = l->nfrom ? list[l->from[0]].out : l->out;
    int64_t in = value_elements(x), out = value_elements(l->out), rows = x->t.rank ? in / x->t.dim[0] : in;
    for (const struct count *c = counts;
         (rule == FLOPS_STEP ? l->trains : l->predicts) && l->word && c < counts + COUNT(counts); c++)
        if (c->rule == rule && !strcmp(c->layer, l->word))
            return c->macs * l->macs + c->grads * l->grad_macs + (l->bias ? c->bias * out : 0) + c->in * in +
                   c->out * out + c->rows * rows + c->params * l->params;
    return 0;
}
