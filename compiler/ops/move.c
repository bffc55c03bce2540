/* move.c: values put together and cut; and views, which cost nothing. */
#include "emit/writer.h"
#include "graph/graph.h"

#include <math.h>
#include <string.h>

/* ---- concat and slice along the channels ---- */

static bool concat_shape(const double *a, const struct tensor *const *in, int nin, struct tensor *out, int nout)
{
    (void)a, (void)nout;
    out[0] = *in[0];
    for (int i = 0; i < nin; i++) {
        if (!in_lanes(in[i]) || in[i]->dtype != DT_F32 || in[i]->rank != in[0]->rank || in[i]->rank < 1)
            return false;
        for (int d = 1; d < in[0]->rank; d++)
            if (in[i]->dim[d] != in[0]->dim[d])
                return false;
        if (i && __builtin_add_overflow(out[0].dim[0], in[i]->dim[0], &out[0].dim[0]))
            return false;
    }
    return true;
}

static bool slice_shape(const double *a, const struct tensor *const *in, int nin, struct tensor *out, int nout)
{
    (void)nin, (void)nout;
    if (!in_lanes(in[0]) || in[0]->dtype != DT_F32 || in[0]->rank < 1 || !attr_whole(a[0], 0, (double)in[0]->dim[0]) ||
        !attr_whole(a[1], 1, (double)in[0]->dim[0]) || a[0] + a[1] > (double)in[0]->dim[0])
        return false;
    out[0] = *in[0];
    out[0].dim[0] = (int64_t)a[1];
    return true;
}

static void concat_grad(struct graph *g, struct node *n, struct value *const *gy, struct value **gx)
{
    double from = 0;
    for (int i = 0; i < n->nin; i++) {
        double a[MAX_ATTRS] = {from, (double)n->in[i]->t.dim[0]};
        gx[i] = graph_op(g, "slice", a, gy[0], NULL);
        from += a[1];
    }
}

static void put_copy(struct writer *w, int from, int64_t from_at, int to, int64_t to_at, int64_t n)
{
    open_share(w, n);
    put(w, "    st(%s, ld(%s));", place_of(w, to, "block", region_printf(w->region, "(e + %lldLL)", (long long)to_at)),
        place_of(w, from, "block", region_printf(w->region, "(e + %lldLL)", (long long)from_at)));
}

static void concat_emit(struct writer *w, const struct stage *s)
{
    int64_t at = 0;
    open_kernel(w);
    open_tasks(w, 1, copy_parts(w));
    for (int i = 0; i < s->nin; i++) {
        int64_t n = tensor_elements(tensor_of(w, s->in[i]));
        put_copy(w, s->in[i], 0, s->out[0], at, n);
        at += n;
    }
    close_tasks(w);
    close_kernel(w);
}

static void slice_emit(struct writer *w, const struct stage *s)
{
    const struct tensor *x = tensor_of(w, s->in[0]);
    int64_t places = tensor_elements(x) / x->dim[0];
    open_kernel(w);
    open_tasks(w, 1, copy_parts(w));
    put_copy(w, s->in[0], (int64_t)s->attr[0] * places, s->out[0], 0, tensor_elements(tensor_of(w, s->out[0])));
    close_tasks(w);
    close_kernel(w);
}

/* ---- part: a view of some values of a vector without rows ---- */

static bool part_shape(const double *a, const struct tensor *const *in, int nin, struct tensor *out, int nout)
{
    (void)nin, (void)nout;
    if (in[0]->rows || in[0]->rank != 1 || in[0]->dtype != DT_F32 || !attr_whole(a[0], 0, (double)in[0]->dim[0]) ||
        !attr_whole(a[1], 1, (double)in[0]->dim[0] - a[0]))
        return false;
    out[0] = (struct tensor){.dtype = DT_F32, .rank = 1, .dim = {(int64_t)a[1]}};
    return true;
}

/* ---- matrix: the same as rows and columns ---- */

static bool matrix_shape(const double *a, const struct tensor *const *in, int nin, struct tensor *out, int nout)
{
    (void)nin, (void)nout;
    if (in[0]->rows || in[0]->rank != 1 || in[0]->dtype != DT_F32 || !attr_whole(a[0], 0, (double)in[0]->dim[0]) ||
        !attr_whole(a[1], 1, (double)in[0]->dim[0]) || !attr_whole(a[2], 1, (double)in[0]->dim[0]) ||
        a[1] * a[2] > (double)in[0]->dim[0] - a[0])
        return false;
    out[0] = (struct tensor){.dtype = DT_F32, .rank = 2, .dim = {(int64_t)a[1], (int64_t)a[2]}};
    return true;
}

/* ---- reshape: a view ---- */

static bool reshape_shape(const double *a, const struct tensor *const *in, int nin, struct tensor *out, int nout)
{
    (void)nin, (void)nout;
    out[0] = *in[0];
    if (!in_lanes(in[0]) || in[0]->dtype != DT_F32 || !attr_dims(a, &out[0]))
        return false;
    return tensor_elements(&out[0]) == tensor_elements(in[0]);
}

static void reshape_grad(struct graph *g, struct node *n, struct value *const *gy, struct value **gx)
{
    const struct tensor *x = &n->in[0]->t;
    double a[MAX_ATTRS] = {x->rank};
    for (int i = 0; i < x->rank; i++)
        a[DIMS_D0 + i] = (double)x->dim[i];
    gx[0] = graph_op(g, "reshape", a, gy[0], NULL);
}

/* ---- layers ---- */

static struct value *flatten(struct site *s, const struct args *a, struct value *const *x, int nx)
{
    (void)a, (void)nx;
    if (x[0]->t.rank == 1)
        return x[0];
    if (value_elements(x[0]) > MAX_SIDE) {
        diag_error(s->diag, "N0417", s->loc, NULL, "Flatten makes a vector of %lld values; at most %d are possible",
                   (long long)value_elements(x[0]), MAX_SIDE);
        diag_place(s->diag, x[0]->loc, "makes %s", shape_words(s->graph->region, x[0]));
        return NULL;
    }
    return graph_op(s->graph, "reshape", (double[MAX_ATTRS]){1, (double)value_elements(x[0])}, x[0], NULL);
}

static struct value *concat(struct site *s, const struct args *a, struct value *const *x, int nx)
{
    (void)a;
    const struct tensor *in[MAX_OPERANDS] = {&x[0]->t};
    struct tensor out[1];
    for (int i = 0; i < nx && i < MAX_OPERANDS; i++)
        in[i] = &x[i]->t;
    if (nx > MAX_OPERANDS || !concat_shape(NULL, in, nx, out, 1)) {
        diag_error(s->diag, "N0205", s->loc, NULL,
                   "Concat joins channels, so height and width must be the same in all its values");
        for (int i = 0; i < nx && i < 3; i++)
            diag_place(s->diag, x[i]->loc, "makes %s", shape_words(s->graph->region, x[i]));
        diag_help(s->diag, "bring them to one size with `stride`, `pad` or a pooling, or put `-> Flatten` behind each");
        return NULL;
    }
    if (out->dim[0] > MAX_SIDE) {
        diag_error(s->diag, "N0417", s->loc, NULL, "Concat makes %s; a size is at most %d",
                   shape_words(s->graph->region, &(struct value){.t = *out}), MAX_SIDE);
        return NULL;
    }
    return graph_node(s->graph, "concat", NULL, x, nx)->out[0];
}

/* clang-format off */
static const struct op op[] = {
    {.name = "concat", .doc = "joined along the channels", .kind = OP_MOVE, .nin = -1, .nout = 1, .shape = concat_shape, .grad = concat_grad,
     .emit = concat_emit},
    {.name = "slice", .doc = "a range of channels", .kind = OP_MOVE, .nin = 1, .nout = 1, .attr = {"from", "count"}, .shape = slice_shape,
     .emit = slice_emit},
    {.name = "part", .doc = "n values from number `at` on", .kind = OP_VIEW, .nin = 1, .nout = 1, .attr = {"at", "n"}, .shape = part_shape},
    {.name = "matrix", .doc = "values from number `at` on, row by row", .kind = OP_VIEW, .nin = 1, .nout = 1, .attr = {"at", "rows", "columns"},
     .shape = matrix_shape},
    {.name = "reshape", .doc = "the same values in another shape", .kind = OP_VIEW, .nin = 1, .nout = 1, .attr = {DIMS_ATTRS},
     .shape = reshape_shape, .grad = reshape_grad},
};

static const struct word word[] = {
    {.kind = WORD_LAYER, .name = "Flatten", .doc = "channels, rows and columns in one vector", .build = flatten},
    {.kind = WORD_LAYER, .name = "Concat", .doc = "values joined along the channels", .nvalue = -1, .build = concat},
};
/* clang-format on */

const struct module module_move = {op, COUNT(op), word, COUNT(word)};
