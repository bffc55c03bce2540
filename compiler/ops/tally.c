/* tally.c: metrics that are more than a count of right answers. What they are made of is summed on the device over all samples of a
 * pass, in double (ROLE_TALLY); the host makes the metric of the sums.
 *
 * F1, BalancedAccuracy and MeanIoU are functions of three counts a class k: samples of k that were taken for it, that were taken for it,
 * and that are of it. Formulas are scikit-learn's (f1_score, balanced_accuracy_score, jaccard_score with average="macro", r2_score,
 * mean_absolute_error). */
#include "emit/writer.h"
#include "graph/graph.h"

#include <math.h>
#include <string.h>

enum { GATED }; /* of a tally: runs whose loss is not finite do not count */

/* ---- shapes ---- */

/* One for each sample, or for each place of a mask. */
static bool are_answers(const struct tensor *said, const struct tensor *truth)
{
    return in_lanes(said) && said->dtype == DT_F32 && in_lanes(truth) && truth->dtype == DT_I32 &&
           (said->rank == 0 || said->rank == 2) && same_shape(said, truth);
}

static bool pick_shape(const double *a, const struct tensor *const *in, int nin, struct tensor *out, int nout)
{
    (void)a, (void)nin, (void)nout;
    if (!in_lanes(in[0]) || in[0]->dtype != DT_F32 || (in[0]->rank != 1 && in[0]->rank != 3))
        return false;
    out[0] = *in[0];
    out[0].rank--;
    memmove(out[0].dim, in[0]->dim + 1, sizeof out[0].dim - sizeof *out[0].dim);
    out[0].dim[MAX_RANK - 1] = 0;
    return true;
}

static bool pair(const struct tensor *x, const struct tensor *y)
{
    return in_lanes(x) && in_lanes(y) && x->dtype == DT_F32 && y->dtype == DT_F32 && same_shape(x, y);
}

static bool distance_shape(const double *a, const struct tensor *const *in, int nin, struct tensor *out, int nout)
{
    (void)a, (void)nin, (void)nout;
    if (!pair(in[0], in[1]))
        return false;
    out[0] = (struct tensor){.dtype = DT_F32, .layout = in[0]->layout, .rows = true};
    return true;
}

/* Operand 0 is the tally of `each` numbers for each of n. */
static bool tally_shape(const double *a, const struct tensor *t, int64_t each, int64_t n, struct tensor *out)
{
    if (t->role != ROLE_TALLY || t->rows || t->dtype != DT_F64 || t->rank != 1 || t->dim[0] != each * n ||
        !attr_whole(a[GATED], 0, 1))
        return false;
    out[0] = (struct tensor){.dtype = DT_F64, .rank = 1, .dim = {t->dim[0]}};
    return true;
}

static bool classes_shape(const double *a, const struct tensor *const *in, int nin, struct tensor *out, int nout)
{
    (void)nin, (void)nout;
    return in[0]->dim[0] % 3 == 0 && are_answers(in[1], in[2]) && tally_shape(a, in[0], 3, in[0]->dim[0] / 3, out);
}

static bool mean_shape(const double *a, const struct tensor *const *in, int nin, struct tensor *out, int nout)
{
    (void)nin, (void)nout;
    return is_rows(in[1], DT_F32, 0) && tally_shape(a, in[0], 1, 1, out);
}

static bool squares_shape(const double *a, const struct tensor *const *in, int nin, struct tensor *out, int nout)
{
    (void)nin, (void)nout;
    return pair(in[1], in[2]) && tally_shape(a, in[0], 3, tensor_elements(in[1]), out);
}

/* ---- bodies ---- */

/* The class with the largest value, the first of equals; -1 if any is not finite. Of each place by itself. */
static void pick_emit(struct writer *w, const struct stage *s)
{
    const struct tensor *x = tensor_of(w, s->in[0]);
    const long long K = x->dim[0], places = tensor_elements(x) / K;
    open_samples(w);
    if (places > 1)
        put(w, "for (int64_t e = 0; e < %lld; e++) {", places);
    put(w, "V top = num(-INFINITE), best = {0}, zero = {0};");
    put(w, "for (int k = 0; k < %lld; k++) {", K);
    put(w, "const V x = ld(%s);",
        place_of(w, s->in[0], "block", places > 1 ? region_printf(w->region, "(k * %lld + e)", places) : "k"));
    put(w, "zero += x - x;                                 /* NaN, if x is not finite */");
    put(w, "best = sel(x > top, vec((real)k), best);");
    put(w, "top = sel(x > top, x, top);");
    put(w, "}");
    put_stored(w, s->out[0], places > 1 ? "e" : "0", "sel(zero == 0, best, num(-1))");
    if (places > 1)
        put(w, "}");
    close_samples(w);
}

static void distance_emit(struct writer *w, const struct stage *s)
{
    long long n = tensor_elements(tensor_of(w, s->in[0]));
    open_samples(w);
    put(w, "struct sum far = {};");
    put(w, "for (int64_t e = 0; e < %lld; e++) {", n);
    put(w, "const V d = ld(%s) - ld(%s);", place_of(w, s->in[0], "block", "e"), place_of(w, s->in[1], "block", "e"));
    put(w, "sum_add(&far, sel(d < 0, num(0) - d, d));");
    put(w, "if (e %% 256 == 0)");
    put(w, "    sum_settle(&far);");
    put(w, "}");
    put_stored(w, s->out[0], "0", region_printf(w->region, "sum_of(&far) / num(%lld)", n));
    close_samples(w);
}

/* Declares `rows` and `counts`: 0 where a run whose loss is not finite leaves the tally as it was. */
static void put_counts(struct writer *w, const struct stage *s)
{
    put(w, "const int64_t rows = a->control[%d];", CTL_ROWS);
    if (s->attr[GATED] != 0)
        put(w, "const int counts = a->control[%d] != 0;", CTL_FINITE);
    else
        put(w, "const int counts = 1;");
}

/* Adds to number `index`. */
static void put_add(struct writer *w, const struct stage *s, const char *index, const char *value)
{
    const char *t = name_of(w, s->in[0]);
    put(w, "%s[%s] = counts ? %s[%s] + %s : %s[%s];", t, index, t, index, value, t, index);
}

/* A class is the work of one thread, which looks at all samples: no two write the same number. */
static void classes_emit(struct writer *w, const struct stage *s)
{
    const long long K = tensor_of(w, s->in[0])->dim[0] / 3, places = tensor_elements(tensor_of(w, s->in[1]));
    open_kernel(w);
    put_counts(w, s);
    open_values(w, "k", K, K >= 64 ? 8 : 1);
    put(w, "double right = 0, said = 0, there = 0;");
    put_times(w, ROW_BLOCK, 1);
    put(w, "for (int64_t i = 0; i < rows; i++) {");
    if (places > 1)
        put(w, "for (int64_t e = 0; e < %lld; e++) {", places);
    const char *truth = row_value(w, s->in[2], "i", places > 1 ? "e" : "0");
    put(w, "const int is = %s == (int32_t)k;", truth);
    put(w, "const int says = %s == (real)k && (uint32_t)%s < %lldu;",
        row_value(w, s->in[1], "i", places > 1 ? "e" : "0"), truth, K);
    put(w, "right += says * is;");
    put(w, "said += says;");
    put(w, "there += is;");
    if (places > 1)
        put(w, "}");
    put(w, "}");
    put_add(w, s, "k", "right");
    put_add(w, s, region_printf(w->region, "%lld + k", K), "said");
    put_add(w, s, region_printf(w->region, "%lld + k", 2 * K), "there");
    put(w, "}");
    close_kernel(w);
}

static void mean_emit(struct writer *w, const struct stage *s)
{
    open_kernel(w);
    open_team(w, 1);
    put_counts(w, s);
    put(w, "double sum = 0;");
    open_turns(w, "i", "rows");
    put(w, "    sum += %s[i];", name_of(w, s->in[1]));
    put_fold(w, "total", "sum", true);
    open_lead(w);
    put_add(w, s, "0", "total");
    close_lead(w);
    close_team(w);
    close_kernel(w);
}

/* For each element of the target: sums of y, of y^2 and of (y - x)^2. */
static void squares_emit(struct writer *w, const struct stage *s)
{
    long long n = tensor_elements(tensor_of(w, s->in[1]));
    open_kernel(w);
    open_team(w, n);
    put_counts(w, s);
    put(w, "double ys = 0, squares = 0, errors = 0;");
    open_turns(w, "i", "rows");
    put(w, "{");
    put(w, "const double y = %s, d = y - %s;", row_value(w, s->in[2], "i", "c"), row_value(w, s->in[1], "i", "c"));
    put(w, "ys += y;");
    put(w, "squares += y * y;");
    put(w, "errors += d * d;");
    put(w, "}");
    put_fold(w, "total0", "ys", true);
    put_fold(w, "total1", "squares", false);
    put_fold(w, "total2", "errors", false);
    open_lead(w);
    put_add(w, s, "c", "total0");
    put_add(w, s, region_printf(w->region, "%lld + c", n), "total1");
    put_add(w, s, region_printf(w->region, "%lld + c", 2 * n), "total2");
    close_lead(w);
    close_team(w);
    close_kernel(w);
}

/* ---- words: what is summed ---- */

/* The tally, and whether it is a new one: several metrics may be made of the same. */
static struct value *tally_named(struct graph *g, const char *name, int64_t size, bool *new)
{
    for (int i = 0; i < g->nvalue; i++)
        if (g->value[i]->t.role == ROLE_TALLY && strcmp(g->value[i]->t.name, name) == 0) {
            *new = false;
            return g->value[i];
        }
    *new = true;
    return graph_source(g, ROLE_TALLY, DT_F64, false, 1, &size, name, g->at);
}

static const double *gate_of(const struct graph *g, double attr[MAX_ATTRS])
{
    memset(attr, 0, MAX_ATTRS * sizeof *attr);
    attr[GATED] = phase_trains(g->phase);
    return attr;
}

static const char tally_classes[] = "@tally.classes", tally_nll[] = "@tally.nll", tally_distance[] = "@tally.distance",
                  tally_squares[] = "@tally.squares";

static struct value *counts(struct site *s, const struct args *a, struct value *const *x, int nx)
{
    (void)a, (void)nx;
    double attr[MAX_ATTRS];
    bool new;
    struct graph *g = s->graph;
    struct value *t = tally_named(g, tally_classes, 3 * x[0]->t.dim[0], &new);
    if (new)
        graph_op(g, "tally_classes", gate_of(g, attr), t, graph_op(g, "pick", NULL, x[0], NULL), x[1], NULL);
    return t;
}

static struct value *mean_of(struct graph *g, const char *name, struct value *each)
{
    double attr[MAX_ATTRS];
    bool new;
    struct value *t = tally_named(g, name, 1, &new);
    if (new)
        graph_op(g, "tally_mean", gate_of(g, attr), t, each, NULL);
    return t;
}

/* Of the plain loss, whatever the one of the training is: its weights are set when it starts, so it is never the same one. */
static struct value *perplexity(struct site *s, const struct args *a, struct value *const *x, int nx)
{
    (void)a, (void)nx;
    const double attr[MAX_ATTRS] = {0, 1};
    return mean_of(s->graph, tally_nll, graph_op(s->graph, "xent", attr, x[0], x[1], NULL));
}

static struct value *distance(struct site *s, const struct args *a, struct value *const *x, int nx)
{
    (void)a, (void)nx;
    return mean_of(s->graph, tally_distance, graph_op(s->graph, "distance", NULL, x[0], x[1], NULL));
}

static struct value *squares(struct site *s, const struct args *a, struct value *const *x, int nx)
{
    (void)a, (void)nx;
    double attr[MAX_ATTRS];
    bool new;
    struct graph *g = s->graph;
    struct value *t = tally_named(g, tally_squares, 3 * value_elements(x[0]), &new);
    if (new)
        graph_op(g, "tally_squares", gate_of(g, attr), t, x[0], x[1], NULL);
    return t;
}

/* ---- words: what is made of it ---- */

static double mean_value(const double *t, int64_t size, double n)
{
    (void)size;
    return t[0] / n;
}

static double exp_mean(const double *t, int64_t size, double n)
{
    return exp(mean_value(t, size, n));
}

/* 1 - sum (y - x)^2 / sum (y - mean y)^2, mean over the elements; of a constant target 1 without an error, else 0. */
static double r2(const double *t, int64_t size, double n)
{
    const int64_t D = size / 3;
    double sum = 0;
    for (int64_t d = 0; d < D; d++) {
        const double spread = t[D + d] - t[d] * t[d] / n, error = t[2 * D + d];
        const bool constant = spread <= 1e-14 * t[D + d];
        sum += !constant ? 1 - error / spread : isnan(error) ? NAN : error == 0;
    }
    return sum / (double)D;
}

/* clang-format off */
static const struct op op[] = {
    {.name = "pick", .doc = "the class with the largest value, -1 if one is not finite", .kind = OP_ROW, .optional = true, .nin = 1, .nout = 1,
     .shape = pick_shape, .emit = pick_emit},
    {.name = "distance", .doc = "mean of |a - b| over a row", .kind = OP_ROW, .optional = true, .nin = 2, .nout = 1,
     .shape = distance_shape, .emit = distance_emit},
    {.name = "tally_classes", .doc = "adds for each class: samples of it taken for it, taken for it, of it", .kind = OP_REDUCE, .update = true,
     .nin = 3, .nout = 1, .attr = {"gated"}, .shape = classes_shape, .emit = classes_emit},
    {.name = "tally_mean", .doc = "adds the values of the rows", .kind = OP_REDUCE, .update = true,
     .nin = 2, .nout = 1, .attr = {"gated"}, .shape = mean_shape, .emit = mean_emit},
    {.name = "tally_squares", .doc = "adds for each element of b: b, b^2 and (b - a)^2", .kind = OP_REDUCE, .update = true,
     .nin = 3, .nout = 1, .attr = {"gated"}, .shape = squares_shape, .emit = squares_emit},
};

static const struct word word[] = {
    {.kind = WORD_METRIC, .name = "F1", .doc = "harmonic mean of precision and recall, mean over the classes", .build = counts, .shown = "f1",
     .tally = tally_classes, .sums = counted_f1, .masks = true},
    {.kind = WORD_METRIC, .name = "BalancedAccuracy", .doc = "recall, mean over the classes", .build = counts, .shown = "balanced_accuracy",
     .tally = tally_classes, .sums = counted_recall, .masks = true},
    {.kind = WORD_METRIC, .name = "MeanIoU", .doc = "right answers of a class over samples that are of it or taken for it, mean over the classes",
     .build = counts, .shown = "mean_iou", .tally = tally_classes, .sums = counted_overlap, .masks = true},
    {.kind = WORD_METRIC, .name = "PixelAccuracy", .doc = "share of the places of masks whose class has the largest value", .build = counts,
     .shown = "pixel_accuracy", .tally = tally_classes, .sums = counted_right, .masks = true},
    {.kind = WORD_METRIC, .name = "Perplexity", .doc = "exp of the mean of -log softmax(logits) at the class", .build = perplexity,
     .shown = "perplexity", .tally = tally_nll, .sums = exp_mean, .falls = true},
    {.kind = WORD_METRIC, .name = "MAE", .doc = "mean of |output - target|", .build = distance, .shown = "mae", .tally = tally_distance,
     .sums = mean_value, .values = true, .falls = true},
    {.kind = WORD_METRIC, .name = "R2", .doc = "1 - sum (target - output)^2 / sum (target - its mean)^2, mean over the elements", .build = squares,
     .shown = "r2", .tally = tally_squares, .sums = r2, .values = true},
};
/* clang-format on */

const struct module module_tally = {op, COUNT(op), word, COUNT(word)};
