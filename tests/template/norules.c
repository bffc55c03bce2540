/* norules.c: words of every kind, and ops, whose rows nobody finished. A network that uses one must be refused, not taken for
 * what another word does. */
#include "emit/writer.h"
#include "graph/graph.h"

static void cpu_emit(struct writer *w, const struct stage *s)
{
    (void)s;
    open_kernel(w);
    close_kernel(w);
}

static const struct body cpu_body[] = {{.name = "only", .target = &target_cpu, .emit = cpu_emit}, {.name = NULL}};

/* clang-format off */
static const struct op op[] = {
    {.name = "codeless", .doc = "no code", .kind = OP_ROW, .nin = 1, .nout = 1, .shape = map_shape},
    {.name = "cpu_only", .doc = "code for one target", .kind = OP_ROW, .nin = 1, .nout = 1, .shape = map_shape, .body = cpu_body},
};
/* clang-format on */

static struct value *codeless(struct site *s, const struct args *a, struct value *const *x, int nx)
{
    (void)a, (void)nx;
    return graph_op(s->graph, "codeless", NULL, x[0], NULL);
}

static struct value *cpu_only(struct site *s, const struct args *a, struct value *const *x, int nx)
{
    (void)a, (void)nx;
    return graph_op(s->graph, "cpu_only", NULL, x[0], NULL);
}

/* clang-format off */
static const struct word word[] = {
    {.kind = WORD_LAYER, .name = "Codeless", .doc = "no code", .build = codeless},
    {.kind = WORD_LAYER, .name = "CpuOnly", .doc = "code for one target", .build = cpu_only},
    {.kind = WORD_LAYER, .name = "Fold", .doc = "no rule"},       {.kind = WORD_LOSS, .name = "Hinge", .doc = "no rule"},
    {.kind = WORD_OPTIMIZER, .name = "Shampoo", .doc = "no rule"},   {.kind = WORD_SCHEDULE, .name = "Poly", .doc = "no rule"},
    {.kind = WORD_SAVE, .name = "average", .doc = "no rule"},  {.kind = WORD_STOP, .name = "never", .doc = "no rule"},
    {.kind = WORD_CLIP, .name = "hard", .doc = "no rule"},
    {.kind = WORD_SOURCE, .name = "cloud", .doc = "no rule"},
    {.kind = WORD_SAMPLING, .name = "rare", .doc = "no rule"},
    {.kind = WORD_TRANSFORM, .name = "Invert", .doc = "no rule"}, {.kind = WORD_METRIC, .name = "Recall", .doc = "no rule"},
};
/* clang-format on */

const struct module module_norules = {op, COUNT(op), word, COUNT(word)};
