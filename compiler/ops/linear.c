/* linear.c: the fully connected layer, which is conv of a 1x1 image, and its gradient by the weight.
 *
 *   linear_dw w'[k,c] = sum n  y'[n,k] * x[n,c] */
#include "emit/contract.h"
#include "graph/graph.h"

#include <math.h>

/* linear_dw(x, y'): x row by row, y' in blocks. */
static bool linear_dw_shape(const double *attr, const struct tensor *const *in, int nin, struct tensor *out, int nout)
{
    (void)attr, (void)nin, (void)nout;
    if (!row_by_row(in[0]) || !in_lanes(in[1]) || in[0]->dtype != DT_F32 || in[1]->dtype != DT_F32 ||
        in[0]->rank != 1 || in[1]->rank != 1 || in[0]->dim[0] > MAX_SIDE || in[1]->dim[0] > MAX_SIDE ||
        in[0]->dim[0] * in[1]->dim[0] > MAX_WEIGHTS)
        return false;
    out[0] = (struct tensor){.dtype = DT_F32, .rank = 2, .dim = {in[1]->dim[0], in[0]->dim[0]}};
    return true;
}

static int64_t linear_dw_macs(const double *attr, const struct tensor *const *in, const struct tensor *const *out)
{
    (void)attr, (void)in;
    return tensor_elements(out[0]);
}

/* Of y' alone: x lies row by row already. */
static int64_t dw_rows(const double *attr, const struct tensor *const *in, const struct tensor *const *out)
{
    (void)attr, (void)out;
    return is_product(in[0], in[1]) ? in[1]->dim[0] : 0;
}

static struct value *linear(struct site *s, const struct args *a, struct value *const *xs, int nx)
{
    (void)nx;
    struct value *x = xs[0];
    if (x->t.rank != 1) {
        diag_error(s->diag, "N0204", s->loc, region_printf(s->graph->region, "%d-dimensional input here", x->t.rank),
                   "`%s` gets %s, but Linear needs a flat vector", s->path, shape_text(s->graph->region, x));
        diag_place(s->diag, x->loc, "makes %s", shape_text(s->graph->region, x));
        diag_help(s->diag, "put `-> Flatten` before it (%lld values)", (long long)value_elements(x));
        return NULL;
    }
    int64_t w[2] = {(int64_t)a->num[0][0], x->t.dim[0]};
    double bound = 1 / sqrt((double)w[1]), attr[MAX_ATTRS] = {1, 1, 0, 0, 1, 1, 1};
    struct value *weight = graph_begun(s, a, 2, "weight", 2, w, bound, (int)w[1]);
    struct value *y = graph_op(s->graph, "conv", attr, x, weight, NULL);
    return graph_bias(s, a, 1, 3, y, bound, (int)w[1]);
}

/* clang-format off */
static const struct body linear_dw_body[] = {
    {.name = "registers", .target = &target_cpu, .emit = put_linear_dw_cpu, .price = price_dw_registers},
    {.name = "library", .target = &target_cuda, .applies = is_library_dw, .emit = put_library_dw, .price = price_library, .scratch = product_scratch,
     .row_scratch = dw_rows},
    {.name = "tensor-cores", .target = &target_cuda, .applies = is_linear_dw_mma, .emit = put_linear_dw_mma, .price = price_dw_mma},
    {.name = "registers", .target = &target_cuda, .emit = put_linear_dw_cuda, .price = price_dw_registers},
    {.name = NULL},
};

static const struct op op[] = {
    {.name = "linear_dw", .doc = "gradient of a fully connected layer by its weight", .kind = OP_CONTRACT, .nin = 2, .nout = 1,
     .shape = linear_dw_shape, .macs = linear_dw_macs, .emit = put_linear_dw_plain, .body = linear_dw_body},
};

static const struct word word[] = {
    {.kind = WORD_LAYER, .name = "Linear", .doc = "fully connected layer", .build = linear, .bare = 1,
     .bare_help = "PyTorch's order is (in, out): here the input says how many values come in, as in `Linear(10)`",
     .arg = {{.name = "features", .help = "outputs", .type = ARG_INT, .required = true, .min = 1, .max = MAX_SIDE},
             {.name = "bias", .help = "add one value an output", .type = ARG_BOOL, .otherwise = 1},
             {.name = "init", .help = "first values of the weight", .type = ARG_INIT},
             {.name = "bias_init", .help = "of the bias", .type = ARG_INIT}}},
};
/* clang-format on */

const struct module module_linear = {op, COUNT(op), word, COUNT(word)};
