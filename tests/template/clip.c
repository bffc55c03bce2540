/* clip.c: a layer in one file, to copy: `-> Clip(low = 0, high = 6)`. A copy in compiler/ops/ is all it takes; this one
 * is compiled by the tests only, and trains a network there. docs/adding-an-op.md explains it line by line. */
#include "emit/writer.h"
#include "graph/graph.h"

/* What the graph computes. A row of expressions: kernels, gradient, fusion and the places in memory follow from it.
 * Comparisons are written so that NaN goes through. */
/* clang-format off */
static const struct op op[] = {
    {.name = "clip", .doc = "x, but at least low and at most high", .kind = OP_MAP, .nin = 1, .nout = 1, .shape = map_shape,
     .attr = {"low", "high"},
     .fwd = {"a < low ? low : a > high ? high : a"},
     .bwd = {"a < low ? 0 : a > high ? 0 : g"}},
};
/* clang-format on */

/* What the layer builds, once for each use and phase. Its arguments are within the ranges below already. */
static struct value *clip(struct site *s, const struct args *a, struct value *const *x, int nx)
{
    (void)nx;
    double low = a->num[0][0], high = a->num[1][0];
    if (low > high) {
        diag_error(s->diag, "N0404", a->loc[1], "", "Clip needs low <= high, not %g and %g", low, high);
        return NULL;
    }
    return graph_op(s->graph, "clip", (double[MAX_ATTRS]){low, high}, x[0], NULL);
}

/* What a .net file can say. */
/* clang-format off */
static const struct word word[] = {
    {.kind = WORD_LAYER, .name = "Clip", .doc = "x, but at least low and at most high", .build = clip,
     .arg = {{.name = "low", .help = "smallest result", .type = ARG_NUMBER, .otherwise = 0, .min = -1e30, .max = 1e30},
             {.name = "high", .help = "largest result", .type = ARG_NUMBER, .otherwise = 6, .min = -1e30, .max = 1e30}}},
};
/* clang-format on */

const struct module module_clip = {op, COUNT(op), word, COUNT(word)};
