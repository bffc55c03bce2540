/* matmul.c: products of matrices without rows, as parameters are: alpha A B + beta C, where A or B may be transposed. A tensor of more
 * sizes is the matrix of its first by all others. Here those of the optimizer's step. */
#include "emit/contract.h"
#include "graph/graph.h"

#include <math.h>

enum { MATMUL_TA, MATMUL_TB, MATMUL_ALPHA, MATMUL_BETA };

static bool is_matrix(const struct tensor *t)
{
    return t->dtype == DT_F32 && !t->rows && t->rank >= 2;
}

/* matmul(a, b), or matmul(a, b, c) with c of the result's size. */
static bool matmul_shape(const double *a, const struct tensor *const *in, int nin, struct tensor *out, int nout)
{
    (void)nout;
    if (nin < 2 || nin > 3 || !attr_whole(a[MATMUL_TA], 0, 1) || !attr_whole(a[MATMUL_TB], 0, 1) ||
        !isfinite(a[MATMUL_ALPHA]) || !isfinite(a[MATMUL_BETA]) || (nin == 2 && a[MATMUL_BETA] != 0))
        return false;
    for (int i = 0; i < nin; i++)
        if (!is_matrix(in[i]) || tensor_elements(in[i]) < 1)
            return false;
    const struct matmul m = matmul_of(a, in);
    const int64_t depth = a[MATMUL_TB] != 0 ? tensor_elements(in[1]) / in[1]->dim[0] : in[1]->dim[0];
    if (m.K != depth || m.M > MAX_WEIGHTS / m.N ||
        (nin == 3 && (in[2]->dim[0] != m.M || tensor_elements(in[2]) != m.M * m.N)))
        return false;
    out[0] = (struct tensor){.dtype = DT_F32, .rank = 2, .dim = {m.M, m.N}};
    return true;
}

struct matmul matmul_of(const double *a, const struct tensor *const *in)
{
    const int64_t rows = in[0]->dim[0], columns = tensor_elements(in[0]) / rows, other = in[1]->dim[0];
    const bool ta = a[MATMUL_TA] != 0, tb = a[MATMUL_TB] != 0;
    return (struct matmul){.M = ta ? columns : rows,
                           .N = tb ? other : tensor_elements(in[1]) / other,
                           .K = ta ? rows : columns,
                           .ta = ta,
                           .tb = tb,
                           .alpha = a[MATMUL_ALPHA],
                           .beta = a[MATMUL_BETA]};
}

struct value *matmul(struct graph *g, struct value *a, bool ta, struct value *b, bool tb, double alpha, struct value *c,
                     double beta)
{
    const double attr[] = {ta, tb, alpha, beta};
    return graph_node(g, "matmul", attr, (struct value *[]){a, b, c}, c ? 3 : 2)->out[0];
}

/* clang-format off */
static const struct body body[] = {
    {.name = "registers", .target = &target_cpu, .applies = is_matmul_cpu, .emit = put_matmul_cpu, .price = price_matmul_cpu},
    {.name = "tiles", .target = &target_cuda, .emit = put_matmul_cuda, .price = price_matmul_cuda},
    {.name = NULL},
};

static const struct op op[] = {
    {.name = "matmul", .doc = "alpha A B + beta C of matrices", .kind = OP_CONTRACT, .form = FORM_ALONE, .gate = GATE_STEP, .nin = -1, .nout = 1,
     .attr = {"ta", "tb", "alpha", "beta"}, .shape = matmul_shape, .emit = put_matmul_plain, .body = body},
};
/* clang-format on */

const struct module module_matmul = {op, COUNT(op), NULL, 0};
