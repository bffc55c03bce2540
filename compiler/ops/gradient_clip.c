/* gradient_clip.c: gradients that are too large, those of all parameters together: what PyTorch's clip_grad_norm_ and clip_grad_value_ do. The
 * optimizer's update does it in its own pass (plan/op.c, `update_variant`); here is the norm that it needs. Pascanu et al., "On the
 * difficulty of training recurrent neural networks", arXiv 1211.5063. */
#include "emit/writer.h"
#include "graph/graph.h"

/* So many partial sums, each over the same part of every gradient whoever makes it: the same bits on any number of threads. */
enum { PARTS = 64 };

enum { FOLLOWS }; /* 1: operand 1 is what the op before has made of other gradients */

static bool is_parts(const struct tensor *t)
{
    return t->dtype == DT_F32 && !t->rows && t->rank == 1 && t->dim[0] == PARTS;
}

/* An operand of both ops are the gradients of all parameters, so that they come behind whoever sums those. */
/* Then the norms so far, and those gradients that are added. */
static bool norms_shape(const double *a, const struct tensor *const *in, int nin, struct tensor *out, int nout)
{
    (void)nout;
    if (!attr_whole(a[FOLLOWS], 0, 1) || nin < 2 + (int)a[FOLLOWS] || (a[FOLLOWS] != 0 && !is_parts(in[1])))
        return false;
    for (int i = 0; i < nin; i++)
        if (in[i]->dtype != DT_F32 || in[i]->rows)
            return false;
    out[0] = (struct tensor){.dtype = DT_F32, .rank = 1, .dim = {PARTS}};
    return true;
}

static bool norm_shape(const double *a, const struct tensor *const *in, int nin, struct tensor *out, int nout)
{
    (void)a, (void)nin, (void)nout;
    out[0] = (struct tensor){.dtype = DT_F32};
    return is_parts(in[0]) && in[1]->dtype == DT_F32 && !in[1]->rows;
}

static void put_squares(struct writer *w, const char *tensor, long long from_each, long long n)
{
    open_turns(w, "i", region_printf(w->region, "%lld", from_each));
    put(w, "{");
    put(w, "const int64_t at = c * %lld + i;", from_each);
    put(w, "const double x = at < %lld ? (double)%s[at] : 0;", n, tensor);
    put(w, "sum += x * x;");
    put(w, "}");
}

static void norms_emit(struct writer *w, const struct stage *s)
{
    const int follows = s->attr[FOLLOWS] != 0;
    open_kernel(w);
    open_team(w, PARTS);
    put(w, "double sum = 0;");
    for (int i = 1 + follows; i < s->nin; i++) {
        const long long n = tensor_elements(tensor_of(w, s->in[i]));
        put_squares(w, name_of(w, s->in[i]), (n + PARTS - 1) / PARTS, n);
    }
    put_fold(w, "total", "sum", true);
    open_lead(w);
    if (follows)
        put(w, "const double before = (double)%s[c];", name_of(w, s->in[1]));
    put(w, "%s[c] = (real)sqrt_of(total%s);", name_of(w, s->out[0]), follows ? " + before * before" : "");
    close_lead(w);
    close_team(w);
    close_kernel(w);
}

static void norm_emit(struct writer *w, const struct stage *s)
{
    open_kernel(w);
    open_team(w, 1);
    put(w, "double sum = 0;");
    put_squares(w, name_of(w, s->in[0]), PARTS, PARTS);
    put_fold(w, "total", "sum", true);
    open_lead(w);
    put(w, "%s[0] = (real)sqrt_of(total);", name_of(w, s->out[0]));
    close_lead(w);
    close_team(w);
    close_kernel(w);
}

/* clang-format off */
static const struct op op[] = {
    {.name = "grad_norms", .doc = "norms of parts of some gradients, and of those before", .kind = OP_REDUCE, .form = FORM_ALONE,
     .nin = -1, .nout = 1, .attr = {"follows"}, .shape = norms_shape, .emit = norms_emit},
    {.name = "grad_norm", .doc = "norm of all gradients, of those of their parts", .kind = OP_REDUCE, .form = FORM_ALONE,
     .nin = 2, .nout = 1, .shape = norm_shape, .emit = norm_emit},
};

static const struct word word[] = {
    {.kind = WORD_CLIP, .name = "norm", .doc = "all gradients by one factor, so that their norm is at most max",
     .arg = {{.name = "max", .help = "norm of the gradients of all parameters", .type = ARG_NUMBER, .required = true, .min = 1e-12, .max = 1e12}}},
    {.kind = WORD_CLIP, .name = "value", .doc = "each number of a gradient to -max .. max",
     .arg = {{.name = "max", .help = "magnitude of a number", .type = ARG_NUMBER, .required = true, .min = 1e-12, .max = 1e12}}},
};
/* clang-format on */

const struct module module_gradient_clip = {op, COUNT(op), word, COUNT(word)};
