/* loss.c: losses and metrics over the samples of a batch. A loss makes each row's loss and, in the same pass, the
 * gradient of the mean loss (divided by the true number of rows; 0 for rows that are not valid). Lanes are samples. */
#include "emit/writer.h"
#include "graph/graph.h"

#include <math.h>
#include <string.h>

static bool mse_shape(const double *a, const struct tensor *const *in, int nin, struct tensor *out, int nout)
{
    (void)a, (void)nin, (void)nout;
    if (!in_lanes(in[0]) || !in_lanes(in[1]) || in[0]->dtype != DT_F32 || in[1]->dtype != DT_F32 ||
        !same_shape(in[0], in[1]))
        return false;
    out[0] = (struct tensor){.dtype = DT_F32, .layout = in[0]->layout, .rows = true};
    out[1] = *in[0];
    return true;
}

static bool hit_shape(const double *a, const struct tensor *const *in, int nin, struct tensor *out, int nout)
{
    (void)nin, (void)nout;
    if (!is_rows(in[0], DT_F32, 1) || !is_rows(in[1], DT_I32, 0) || !(a[0] >= 1 && a[0] <= 1e9 && a[0] == floor(a[0])))
        return false;
    out[0] = (struct tensor){.dtype = DT_F32, .layout = in[0]->layout, .rows = true};
    return true;
}

static bool report_shape(const double *a, const struct tensor *const *in, int nin, struct tensor *out, int nout)
{
    (void)nin, (void)out, (void)nout;
    return is_rows(in[0], DT_F32, 0) && in[1]->role == ROLE_CONTROL && a[0] >= 0 && a[0] <= 7 && a[0] == floor(a[0]);
}

static void mse_emit(struct writer *w, const struct stage *s)
{
    long long n = tensor_elements(tensor_of(w, s->in[0]));
    open_losses(w);
    put(w, "const V slope = vec((real)2 / ((real)%lld * (real)a->control[%d]));", n, CTL_BATCH);
    put(w, "(void)slope;");
    put(w, "struct sum loss = {};");
    put(w, "for (int64_t e = 0; e < %lld; e++) {", n);
    put(w, "const V d = ld(%s) - ld(%s);", place_of(w, s->in[0], "block", "e"), place_of(w, s->in[1], "block", "e"));
    put(w, "sum_add(&loss, d * d);");
    put(w, "if (e %% 256 == 0)");
    put(w, "    sum_settle(&loss);");
    put_stored(w, s->out[1], "e", "sel(live, d * slope, num(0))");
    put(w, "}");
    put_stored(w, s->out[0], "0", region_printf(w->region, "sel(live, sum_of(&loss) / num(%lld), num(0))", n));
    close_samples(w);
}

/* 1 where fewer than k classes beat the target (an equal value of a lower class does), else 0; 0 if any value is not finite. */
static void hit_emit(struct writer *w, const struct stage *s)
{
    long long K = tensor_of(w, s->in[0])->dim[0];
    const char *x = region_printf(w->region, "ld(%s)", place_of(w, s->in[0], "block", "k"));
    open_samples(w);
    put(w, "const M target = ld_i32(%s);", place_of(w, s->in[1], "block", "0"));
    put(w, "V wanted = num(NOT_A_NUMBER), ahead = {0}, zero = {0};");
    put(w, "for (int k = 0; k < %lld; k++) {", K);
    put(w, "const V x = %s;", x);
    put(w, "wanted = sel(target == k, x, wanted);");
    put(w, "zero += x - x;                                 /* NaN, if x is not finite */");
    put(w, "}");
    put(w, "for (int k = 0; k < %lld; k++) {", K);
    put(w, "const V x = %s;", x);
    put(w, "ahead += sel((x > wanted) | ((x == wanted) & (target > k)), num(1), num(0));");
    put(w, "}");
    put(w,
        "const V hit = sel((wanted == wanted) & (zero == 0) & (ahead < num(%.17g)) & live_mask(a, block, lane), num(1), num(0));",
        s->attr[0]);
    put_stored(w, s->out[0], "0", "hit");
    close_samples(w);
}

/* Reports run in one task: rows in order, on CUDA in a fixed tree. Several stand in one kernel. */
static void report_emit(struct writer *w, const struct stage *s)
{
    open_kernel(w);
    open_team(w, 1);
    put(w, "const int64_t rows = a->control[%d];", CTL_ROWS);
    for (; s < w->kernel->stage + w->kernel->nstage; s++) {
        put(w, "{");
        put(w, "double sum = 0;");
        open_turns(w, "i", "rows");
        put(w, "    sum += %s[i];", name_of(w, s->in[0]));
        put_fold(w, "total", "sum", true);
        open_lead(w);
        if (!strcmp(s->op->name, "report_loss")) {
            put(w, "const float loss = (float)(total / rows);");
            put(w, "put_word(a, %d, loss);", CTL_LOSS);
            put(w, "a->control[%d] = is_finite(loss) && (!a->control[%d] || a->control[%d]);", CTL_FINITE, CTL_CHAIN,
                CTL_FINITE);
        } else
            put(w, "a->control[%d] = (uint32_t)total;", CTL_METRIC + (int)s->attr[0]);
        close_lead(w);
        put(w, "}");
    }
    close_team(w);
    close_kernel(w);
}

/* ---- words ---- */

static struct value *mse(struct site *s, const struct args *a, struct value *const *x, int nx)
{
    (void)nx;
    struct region *r = s->graph->region;
    if (x[1]->t.role != ROLE_TARGET || x[0]->t.role == ROLE_TARGET) {
        diag_error(s->diag, "N0207", a->loc[x[0]->t.role == ROLE_TARGET ? 0 : 1], NULL,
                   "MSE compares a value of the network with a target, in this order");
        diag_help(s->diag, "`MSE(output, target)`, the second one declared as `target t : f32[...]`");
        return NULL;
    }
    if (x[1]->t.dtype != DT_F32 || !same_shape(&x[0]->t, &x[1]->t)) {
        bool values = x[1]->t.dtype == DT_F32;
        diag_error(s->diag, "N0207", a->loc[0], NULL,
                   "MSE needs two values of the same shape, but gets %s, and `%s` is %s", shape_words(r, x[0]),
                   x[1]->t.name, values ? shape_words(r, x[1]) : "a class");
        diag_place(s->diag, x[0]->loc, "makes %s", shape_words(r, x[0]));
        diag_place(s->diag, x[1]->loc, "declared here");
        if (!values)
            diag_help(s->diag, "use CrossEntropy, or declare `target %s` as f32", x[1]->t.name);
        else if (x[1]->t.rank == 1)
            diag_help(s->diag, "end the network with `Linear(%lld)`", (long long)x[1]->t.dim[0]);
        return NULL;
    }
    return graph_op(s->graph, "mse", NULL, x[0], x[1], NULL);
}

static struct value *accuracy(struct site *s, const struct args *a, struct value *const *x, int nx)
{
    (void)a, (void)nx;
    return graph_op(s->graph, "topk_hit", (double[MAX_ATTRS]){1}, x[0], x[1], NULL);
}

static struct value *top_k(struct site *s, const struct args *a, struct value *const *x, int nx)
{
    (void)nx;
    return graph_op(s->graph, "topk_hit", (double[MAX_ATTRS]){a->num[0][0]}, x[0], x[1], NULL);
}

static bool top_k_check(struct site *s, const struct args *a, struct value *const *x, int nx)
{
    (void)nx;
    double k = a->num[0][0], classes = x[1]->t.fan_in;
    if (x[1]->t.dtype != DT_I32 || k < classes)
        return true;
    if (k == classes) {
        diag_warning(s->diag, "N0419", a->loc[0], NULL,
                     "TopK(%.0f) of %.0f classes is 100 %% whatever the network says", k, classes);
        return true;
    }
    diag_error(s->diag, "N0404", a->loc[0], NULL, "TopK takes the %.0f largest values, and `%s` has %.0f classes", k,
               x[1]->t.name, classes);
    diag_place(s->diag, x[1]->loc, "declared here");
    return false;
}

/* clang-format off */
static const struct op op[] = {
    {.name = "mse", .doc = "mean square error: loss a row, gradient", .kind = OP_ROW, .optional = true, .nin = 2, .nout = 2,
     .shape = mse_shape, .grad = loss_grad, .emit = mse_emit},
    {.name = "topk_hit", .doc = "1 if the target is among the k largest", .kind = OP_ROW, .optional = true, .nin = 2, .nout = 1, .attr = {"k"},
     .shape = hit_shape, .emit = hit_emit},
    {.name = "report_loss", .doc = "mean of the rows' losses into the control block", .kind = OP_REDUCE, .form = FORM_REPORT, .nin = 2, .nout = 0,
     .attr = {"index"}, .shape = report_shape, .emit = report_emit},
    {.name = "report_metric", .doc = "sum of the rows' hits into the control block", .kind = OP_REDUCE, .form = FORM_REPORT, .nin = 2, .nout = 0,
     .attr = {"index"}, .shape = report_shape, .emit = report_emit},
};

static const struct word word[] = {
    {.kind = WORD_LOSS, .name = "MSE", .doc = "mean square error over all elements", .build = mse, .reads = ROLE_ESTIMATE,
     .arg = {{.name = "output", .help = "the prediction", .type = ARG_VALUE, .required = true},
             {.name = "target", .help = "of the same shape", .type = ARG_VALUE, .required = true}}},
    {.kind = WORD_METRIC, .name = "Accuracy", .doc = "share of samples whose class has the largest value", .build = accuracy, .shown = "accuracy"},
    {.kind = WORD_METRIC, .name = "TopK", .doc = "share of samples whose class is among the k largest values", .build = top_k,
     .shown = "top", .check = top_k_check,
     .arg = {{.name = "k", .help = "how many", .type = ARG_INT, .required = true, .min = 1, .max = 1e9}}},
};
/* clang-format on */

const struct module module_loss = {op, COUNT(op), word, COUNT(word)};
