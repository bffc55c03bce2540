/* scalar.c: element-wise ops and layers, a row each. Derivatives name what they need: `y` where it will do, because then
 * the input need not be kept. Every row lets NaN through: a choice falls to the NaN side when a comparison is false. */
#include "graph/graph.h"

#include <math.h>

/* The mask compares 32-bit words with p * 2^32; streams are words of the counter. */
static bool dropout_shape(const double *attr, const struct tensor *const *in, int nin, struct tensor *out, int nout)
{
    return attr[0] >= 0 && attr[0] <= 1 - 0x1p-32 && attr[1] >= 0 && attr[1] <= INT32_MAX &&
           attr[1] == floor(attr[1]) && map_shape(attr, in, nin, out, nout);
}

/* clang-format off */
static const struct op op[] = {
    {.name = "add", .doc = "sum", .kind = OP_MAP, .nin = 2, .nout = 1, .shape = map_shape,
     .fwd = {"a + b"}, .bwd = {"g", "g"}},
    {.name = "relu", .doc = "max(x, 0)", .kind = OP_MAP, .nin = 1, .nout = 1, .shape = map_shape,
     .fwd = {"a < 0 ? 0 : a"}, .bwd = {"y <= 0 ? 0 : g"}},
    {.name = "leaky_relu", .doc = "x, or slope * x below 0", .kind = OP_MAP, .nin = 1, .nout = 1, .shape = map_shape,
     .attr = {"slope"}, .fwd = {"a < 0 ? a * slope : a"}, .bwd = {"y <= 0 ? g * slope : g"}},
    {.name = "sigmoid", .doc = "1 / (1 + exp(-x))", .kind = OP_MAP, .nin = 1, .nout = 1, .shape = map_shape,
     .fwd = {"1 / (1 + exp(-a))"}, .bwd = {"g * y * (1 - y)"}},
    {.name = "tanh", .doc = "hyperbolic tangent", .kind = OP_MAP, .nin = 1, .nout = 1, .shape = map_shape,
     .fwd = {"tanh(a)"}, .bwd = {"g * (1 - y * y)"}},
    {.name = "gelu", .doc = "x times the normal distribution function of x (the erf form)",
     .kind = OP_MAP, .nin = 1, .nout = 1, .shape = map_shape,
     .fwd = {"0.5 * a * (1 + erf(a * 0.70710678118654752))"},
     .bwd = {"g * (0.5 * (1 + erf(a * 0.70710678118654752)) + a * 0.39894228040143268 * exp(-0.5 * a * a))"}},
    {.name = "dropout", .doc = "0 with probability p, else x / (1 - p); the mask is drawn again for the gradient",
     .kind = OP_MAP, .nin = 1, .nout = 1, .shape = dropout_shape, .attr = {"p", "stream"},
     .fwd = {"keep ? a / (1 - p) : 0"}, .bwd = {"keep ? g / (1 - p) : 0"}},
};
/* clang-format on */

static struct value *relu(struct site *s, const struct args *a, struct value *const *x, int nx)
{
    (void)a, (void)nx;
    return graph_op(s->graph, "relu", NULL, x[0], NULL);
}

static struct value *leaky_relu(struct site *s, const struct args *a, struct value *const *x, int nx)
{
    (void)nx;
    return graph_op(s->graph, "leaky_relu", (double[MAX_ATTRS]){a->num[0][0]}, x[0], NULL);
}

static struct value *sigmoid(struct site *s, const struct args *a, struct value *const *x, int nx)
{
    (void)a, (void)nx;
    return graph_op(s->graph, "sigmoid", NULL, x[0], NULL);
}

static struct value *tanh_(struct site *s, const struct args *a, struct value *const *x, int nx)
{
    (void)a, (void)nx;
    return graph_op(s->graph, "tanh", NULL, x[0], NULL);
}

static struct value *gelu(struct site *s, const struct args *a, struct value *const *x, int nx)
{
    (void)a, (void)nx;
    return graph_op(s->graph, "gelu", NULL, x[0], NULL);
}

/* Each dropout of a graph draws from a stream of its own: the number of nodes before it, equal on every device. */
static struct value *dropout(struct site *s, const struct args *a, struct value *const *x, int nx)
{
    (void)nx;
    double p = a->num[0][0];
    if (!phase_trains(s->graph->phase) || p == 0)
        return x[0];
    return graph_op(s->graph, "dropout", (double[MAX_ATTRS]){p, s->graph->nnode}, x[0], NULL);
}

/* clang-format off */
static const struct word word[] = {
    {.kind = WORD_LAYER, .name = "ReLU", .doc = "max(x, 0)", .build = relu},
    {.kind = WORD_LAYER, .name = "LeakyReLU", .doc = "x, or slope * x below 0", .build = leaky_relu,
     .arg = {{.name = "slope", .help = "factor for negative values", .type = ARG_NUMBER, .otherwise = 0.01, .min = 0, .max = 1e6}}},
    {.kind = WORD_LAYER, .name = "Sigmoid", .doc = "1 / (1 + exp(-x))", .build = sigmoid},
    {.kind = WORD_LAYER, .name = "Tanh", .doc = "hyperbolic tangent", .build = tanh_},
    {.kind = WORD_LAYER, .name = "GELU", .doc = "x times the normal distribution function of x", .build = gelu},
    {.kind = WORD_LAYER, .name = "Dropout", .doc = "in training, zeroes values with probability p and scales the rest",
     .build = dropout,
     .arg = {{.name = "p", .help = "probability of a zero", .type = ARG_NUMBER, .otherwise = 0.5, .min = 0, .max = 0.99}}},
};
/* clang-format on */

const struct module module_scalar = {op, COUNT(op), word, COUNT(word)};
