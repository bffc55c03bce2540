/* norms.c: norms of tensors without rows, of each its own: what optimizers go by that give each parameter a step of its own length.
 * Of gradients of all parameters together: gradient_clip.c. */
#include "emit/writer.h"
#include "graph/graph.h"

/* So many partial sums of each tensor, whoever makes them: the same bits on any number of threads. A norm stands at the beginning of
 * its line, where a tensor may begin (PARAM_ALIGN). */
enum { PARTS = 64, LINE = PARAM_ALIGN / 4 };

static bool parts_shape(const double *a, const struct tensor *const *in, int nin, struct tensor *out, int nout)
{
    (void)a, (void)nout;
    for (int i = 0; i < nin; i++)
        if (in[i]->dtype != DT_F32 || in[i]->rows)
            return false;
    out[0] = (struct tensor){.dtype = DT_F32, .rank = 2, .dim = {nin, PARTS}};
    return true;
}

static bool norms_shape(const double *a, const struct tensor *const *in, int nin, struct tensor *out, int nout)
{
    (void)a, (void)nin, (void)nout;
    out[0] = (struct tensor){.dtype = DT_F32, .rank = 2, .dim = {in[0]->dim[0], LINE}};
    return in[0]->dtype == DT_F32 && !in[0]->rows && in[0]->rank == 2 && in[0]->dim[1] == PARTS;
}

static bool item_shape(const double *a, const struct tensor *const *in, int nin, struct tensor *out, int nout)
{
    (void)nin, (void)nout;
    out[0] = (struct tensor){.dtype = DT_F32};
    return in[0]->dtype == DT_F32 && !in[0]->rows && in[0]->rank == 2 && in[0]->dim[1] % LINE == 0 &&
           attr_whole(a[0], 0, (double)tensor_elements(in[0]) - 1) && (int64_t)a[0] % LINE == 0;
}

/* What `of` gives for the tensor of team c: "c < 64 ? t0 : c < 128 ? t1 : t2". */
static const char *choice(struct writer *w, const struct stage *s,
                          const char *(*of)(struct writer *w, const struct stage *s, int i))
{
    const char *text = "";
    for (int i = 0; i < s->nin - 1; i++)
        text = region_printf(w->region, "%sc < %d ? %s : ", text, PARTS * (i + 1), of(w, s, i));
    return region_printf(w->region, "%s%s", text, of(w, s, s->nin - 1));
}

static const char *operand(struct writer *w, const struct stage *s, int i)
{
    return name_of(w, s->in[i]);
}

static const char *size(struct writer *w, const struct stage *s, int i)
{
    return region_printf(w->region, "%lld", (long long)tensor_elements(tensor_of(w, s->in[i])));
}

static void parts_emit(struct writer *w, const struct stage *s)
{
    double all = 0, most = 0;
    for (int i = 0; i < s->nin; i++) {
        const double n = (double)tensor_elements(tensor_of(w, s->in[i]));
        all += n;
        most = n > most ? n : most;
    }
    open_kernel(w);
    open_team(w, (int64_t)PARTS * s->nin);
    put(w, "const real *x = %s;", choice(w, s, operand));
    put(w, "const int64_t n = %s, each = (n + %d) / %d, from = c %% %d * each;", choice(w, s, size), PARTS - 1, PARTS,
        PARTS);
    put(w, "const int64_t here = from + each <= n ? each : from < n ? n - from : 0;");
    put(w, "double sum = 0;");
    put_times(w, all / PARTS / s->nin, most / PARTS + 1);
    open_turns(w, "i", "here");
    put(w, "    sum += (double)x[from + i] * (double)x[from + i];");
    put_fold(w, "total", "sum", true);
    open_lead(w);
    put(w, "%s[c] = (real)sqrt_of(total);", name_of(w, s->out[0]));
    close_lead(w);
    close_team(w);
    close_kernel(w);
}

static void norms_emit(struct writer *w, const struct stage *s)
{
    open_kernel(w);
    open_team(w, tensor_of(w, s->in[0])->dim[0]);
    put(w, "double sum = 0;");
    open_turns(w, "i", region_printf(w->region, "%d", PARTS));
    put(w, "    sum += (double)%s[c * %d + i] * (double)%s[c * %d + i];", name_of(w, s->in[0]), PARTS,
        name_of(w, s->in[0]), PARTS);
    put_fold(w, "total", "sum", true);
    open_lead(w);
    put(w, "%s[c * %d] = (real)sqrt_of(total);", name_of(w, s->out[0]), LINE);
    close_lead(w);
    close_team(w);
    close_kernel(w);
}

struct value *tensor_norms(struct graph *g, struct value *const *x, int n)
{
    return graph_op(g, "norms", NULL, graph_node(g, "norm_parts", NULL, x, n)->out[0], NULL);
}

struct value *tensor_norm(struct graph *g, struct value *norms, int i)
{
    return graph_op(g, "item", &(double){i * LINE}, norms, NULL);
}

/* clang-format off */
static const struct op op[] = {
    {.name = "norm_parts", .doc = "norms of parts of each tensor", .kind = OP_REDUCE, .form = FORM_ALONE, .gate = GATE_STEP, .nin = -1, .nout = 1,
     .shape = parts_shape, .emit = parts_emit},
    {.name = "norms", .doc = "the norm of each, of those of its parts", .kind = OP_REDUCE, .form = FORM_ALONE, .gate = GATE_STEP, .nin = 1, .nout = 1,
     .shape = norms_shape, .emit = norms_emit},
    {.name = "item", .doc = "the value at number `at`", .kind = OP_VIEW, .nin = 1, .nout = 1, .attr = {"at"}, .shape = item_shape},
};
/* clang-format on */

const struct module module_norms = {op, COUNT(op), NULL, 0};
