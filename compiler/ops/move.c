/* move.c: values taken from the data set, put together, cut, or laid out anew; and views, which cost nothing. */
#include "emit/writer.h"
#include "graph/graph.h"

#include <math.h>
#include <string.h>

/* ---- gather: the batch's samples, converted and transformed; targets ---- */

enum { RANK, D0, CLASS = D0 + MAX_RANK };
#define SHAPE_ATTRS "rank", "d0", "d1", "d2", "d3"

static bool dims(const double *a, struct tensor *t)
{
    if (!attr_whole(a[RANK], 0, MAX_RANK))
        return false;
    t->rank = (int)a[RANK];
    for (int i = 0; i < t->rank; i++) {
        if (!attr_whole(a[D0 + i], 1, MAX_SIDE))
            return false;
        t->dim[i] = (int64_t)a[D0 + i];
    }
    return true;
}

static bool gather_shape(const double *a, const struct tensor *const *in, int nin, struct tensor *out, int nout)
{
    (void)nin, (void)nout;
    struct tensor t = {.dtype = DT_F32, .layout = LAYOUT_BLOCK, .rows = true};
    if (in[0]->role != ROLE_CONTROL || !dims(a, &t) || t.rank == 0)
        return false;
    int64_t flat = tensor_elements(&t);
    if (flat < 1 || flat > MAX_SIDE)
        return false;
    out[0] = t;                                        /* and for the weight gradient of a first fully connected layer: */
    out[1] = (struct tensor){.dtype = DT_F32, .layout = LAYOUT_PLAIN, .rows = true, .rank = 1, .dim = {flat}};
    return true;
}

static bool target_shape(const double *a, const struct tensor *const *in, int nin, struct tensor *out, int nout)
{
    (void)nin, (void)nout;
    struct tensor t = {.dtype = a[CLASS] == 1 ? DT_I32 : DT_F32, .layout = LAYOUT_BLOCK, .rows = true};
    if (in[0]->role != ROLE_CONTROL || !dims(a, &t) || !attr_whole(a[CLASS], 0, 1) || (t.dtype == DT_I32 && t.rank))
        return false;
    out[0] = t;
    return true;
}

/* The transforms of each channel, or of all at once where they are the same: returns how many. */
static int64_t fold_transforms(struct writer *w, const struct tensor *t, double **scale, double **shift)
{
    int64_t channels = t->dim[0], c = 1;
    *scale = region_alloc(w->region, (size_t)channels, sizeof **scale);
    *shift = region_alloc(w->region, (size_t)channels, sizeof **shift);
    plan_transform(w->plan, channels, *scale, *shift);
    while (c < channels && (*scale)[c] == **scale && (*shift)[c] == **shift)
        c++;
    return c < channels ? channels : 1;
}

/* What is beyond all numbers makes NaN of the samples, and the loss says so. */
static const char *number(struct writer *w, double value)
{
    return isfinite(value) ? region_printf(w->region, "(real)%.17g", value) : "(real)NOT_A_NUMBER";
}

static void put_constants(struct writer *w, const char *name, const double *value, int64_t n)
{
    put(w, "static const real @_%s[] = {", name);
    for (int64_t i = 0; i < n; i++)
        put(w, "%s,", number(w, value[i]));
    put(w, "};");
}

enum { SPAN = 64 };                                    /* CUDA: elements that a thread block turns at a time */

static int spans(int64_t n)
{
    return (int)((n + SPAN - 1) / SPAN < 1024 ? (n + SPAN - 1) / SPAN : 1024);
}

/* A thread block turns 16 samples x SPAN elements between lanes and rows in shared memory, so that both sides are read and
 * written in runs. Declares `start`, the first element, and `n`, how many. close_turn ends it. */
static void open_turn(struct writer *w, int64_t n)
{
    open_tasks(w, 1, spans(n));
    put(w, "__shared__ real tile[16][%d];", SPAN + 1);
    put(w, "for (int64_t start = part * %d; start < %lld; start += %d) {", SPAN, (long long)n, spans(n) * SPAN);
    put(w, "const int n = %lld - start < %d ? (int)(%lld - start) : %d;", (long long)n, SPAN, (long long)n, SPAN);
}

static void close_turn(struct writer *w)
{
    put(w, "__syncthreads();");
    put(w, "}");
    close_tasks(w);
    close_kernel(w);
}

/* What the transforms make of a pixel of channel c: the text of its factor and of what is added. */
struct transform { int64_t channels; const char *scale, *shift; };

static struct transform put_transform(struct writer *w, const struct tensor *t, const char *c)
{
    double *scale, *shift;
    struct transform f = {.channels = fold_transforms(w, t, &scale, &shift)};
    f.scale = f.channels == 1 ? number(w, scale[0]) : region_printf(w->region, "@_scale[%s]", c);
    f.shift = f.channels == 1 ? number(w, shift[0]) : region_printf(w->region, "@_shift[%s]", c);
    if (f.channels == 1)
        return f;
    put_constants(w, "scale", scale, f.channels);
    put_constants(w, "shift", shift, f.channels);
    fprintf(w->out, "\n");
    return f;
}

/* One sample after the other. */
static void gather_emit(struct writer *w, const struct stage *s)
{
    const struct tensor *t = tensor_of(w, s->out[0]);
    const int64_t n = tensor_elements(t);
    const struct transform f = put_transform(w, t, region_printf(w->region, "e / %lld", (long long)(n / t->dim[0])));
    open_kernel(w);
    open_rows(w);
    put(w, "const int64_t at = sample_at(a, block * 16 + lane);");
    put(w, "for (int64_t e = 0; e < %lld; e++) {", (long long)n);
    put(w, "const real x = at < 0 ? 0 : pixel(a, at * %lld + e, %s, %s);", (long long)n, f.scale, f.shift);
    if (is_stored(w, s->out[0]))
        put(w, "st(%s, x);", place_of(w, s->out[0], "block", "e"));
    if (is_stored(w, s->out[1]))
        put(w, "%s = x;", row_value(w, s->out[1], "(block * 16 + lane)", "e"));
    put(w, "}");
    close_tasks(w);
    close_kernel(w);
}

static void put_gather_threads(struct writer *w, const struct stage *s)
{
    const struct tensor *t = tensor_of(w, s->out[0]);
    const int64_t n = tensor_elements(t);
    const struct transform f = put_transform(w, t, region_printf(w->region, "(start + e) / %lld", (long long)(n / t->dim[0])));
    bool plain = is_stored(w, s->out[1]), blocks = is_stored(w, s->out[0]);
    open_kernel(w);
    put(w, "__shared__ int64_t at[16];");
    open_turn(w, n);
    put(w, "if (threadIdx.x < 16)");
    put(w, "    at[threadIdx.x] = sample_at(a, block * 16 + threadIdx.x);");
    put(w, "__syncthreads();");
    put(w, "for (int k = threadIdx.x; k < 16 * %d; k += blockDim.x) {", SPAN);
    put(w, "const int i = k / %d, e = k %% %d;", SPAN, SPAN);
    put(w, "if (e >= n)");
    put(w, "    continue;");
    put(w, "const real x = at[i] < 0 ? 0 : pixel(a, at[i] * %lld + start + e, %s, %s);", (long long)n, f.scale, f.shift);
    if (plain)
        put(w, "%s[(block * 16 + i) * %lld + start + e] = x;", name_of(w, s->out[1]), (long long)plain_stride(n));
    put(w, "tile[i][e] = x;");
    put(w, "}");
    put(w, "__syncthreads();");
    if (blocks) {
        put(w, "for (int e = unit; e < n; e += blockDim.x / 16)");
        put(w, "    st(%s, tile[lane][e]);", place_of(w, s->out[0], "block", "(start + e)"));
    }
    close_turn(w);
}

/* Samples of one block: first row by row (rows beyond the batch are zeros), then turned 16 x 16 into lanes. */
static void put_gather_blocks(struct writer *w, const struct stage *s)
{
    const struct tensor *t = tensor_of(w, s->out[0]);
    double *scale, *shift;
    int64_t n = tensor_elements(t), channels = fold_transforms(w, t, &scale, &shift), places = n / channels;
    bool plain = is_stored(w, s->out[1]), blocks = is_stored(w, s->out[0]);
    int64_t stride = plain ? plain_stride(n) : 0;
    put_constants(w, "scale", scale, channels);
    put_constants(w, "shift", shift, channels);
    fprintf(w->out, "\n");
    const char *scale_text = "@_scale[c]", *shift_text = "@_shift[c]", *small = NULL;
    if (channels > 1 && places < 16) {                 /* too few for a run of their own: read as they are, then transformed */
        small = region_printf(w->region, "[(e + k) / %lld]", (long long)places);
        scale_text = "1";
        shift_text = "0";
        channels = 1;
        places = n;
    }
    int splits = places >= 64 ? 4 : 1;
    open_kernel(w);
    put(w, "for (int64_t task = first; task < last; task++) {");
    w->blocks_per_task = 1;
    w->splits = splits;
    put(w, "const int64_t block = task / %d, part = task %% %d;", splits, splits);
    put(w, "const struct order order = order_of(a);");
    put(w, "int64_t at[16];");
    put(w, "for (int i = 0; i < 16; i++)");
    put(w, "    at[i] = sample_at(a, &order, block * 16 + i);");
    put(w, "for (int i = 0; i < 16; i++)");
    put(w, "    want_pixels(a, at[i] < 0 ? -1 : at[i] * %lldLL + %lldLL * part / %d, %lld);", (long long)n, (long long)n, splits,
        (long long)(n / splits));
    put(w, "for (int c = 0; c < %lld; c++)", (long long)channels);
    put(w, "for (int64_t e = %lld * part / %d / 16 * 16; e < (part == %d ? %lld : %lld * (part + 1) / %d / 16 * 16); e += 16) {", (long long)places,
        splits, splits - 1, (long long)places, (long long)places, splits);
    put(w, "real x[16][16] __attribute__((aligned(64)));");
    put(w, "const int n = %lld - e < 16 ? (int)(%lld - e) : 16;", (long long)places, (long long)places);
    put(w, "const int64_t from = c * %lldLL + e;", (long long)places);
    put(w, "for (int i = 0; i < 16; i++)");
    put(w, "    read_pixels(a, at[i] < 0 ? -1 : at[i] * %lldLL + from, n, %s, %s, x[i]);", (long long)n, scale_text, shift_text);
    if (small) {
        put(w, "for (int i = 0; i < 16; i++)");
        put(w, "for (int k = 0; k < n && at[i] >= 0; k++)");
        put(w, "    x[i][k] = @_scale%s * x[i][k] + @_shift%s;", small, small);
    }
    if (plain) {
        put(w, "for (int i = 0; i < 16; i++)");
        put(w, "    copy_pixels(x[i], n, %s + (block * 16 + i) * %lld + from);", name_of(w, s->out[1]), (long long)stride);
    }
    if (blocks)
        put(w, "turn(&x[0][0], n, %s + (block * %lld + from) * 16);", name_of(w, s->out[0]), (long long)n);
    put(w, "}");
    put(w, "}");
    close_kernel(w);
}

static const struct body gather_body[] = {
    {.name = "blocks", .target = &target_cpu, .emit = put_gather_blocks},
    {.name = "turned", .target = &target_cuda, .emit = put_gather_threads},
    {.name = NULL},
};

static const char *target_text(struct writer *w, const struct tensor *t)
{
    return region_printf(w->region, "at < 0 ? 0 : ((const %s *)a->targets)[at * %lld + e]", t->dtype == DT_I32 ? "int32_t" : "float",
                         (long long)tensor_elements(t));
}

static void target_emit(struct writer *w, const struct stage *s)
{
    const struct tensor *t = tensor_of(w, s->out[0]);
    open_kernel(w);
    open_elements(w, tensor_elements(t), 1);
    put(w, "const int64_t at = sample_at(a, block * 16 + lane);");
    put(w, "%s(%s, %s);", t->dtype == DT_I32 ? "st_i32" : "st", place_of(w, s->out[0], "block", "e"), target_text(w, t));
    close_elements(w);
    close_kernel(w);
}

/* The order of the samples is found once a block. */
static void put_target_blocks(struct writer *w, const struct stage *s)
{
    const struct tensor *t = tensor_of(w, s->out[0]);
    open_kernel(w);
    w->blocks_per_task = 1;
    w->splits = 1;
    put(w, "const struct order order = order_of(a);");
    put(w, "for (int64_t block = first; block < last; block++)");
    put(w, "for (int i = 0; i < 16; i++) {");
    put(w, "const int64_t at = sample_at(a, &order, block * 16 + i);");
    put(w, "for (int64_t e = 0; e < %lld; e++)", (long long)tensor_elements(t));
    put(w, "    %s[(block * %lld + e) * 16 + i] = %s;", name_of(w, s->out[0]), (long long)tensor_elements(t), target_text(w, t));
    put(w, "}");
    close_kernel(w);
}

static const struct body target_body[] = {{.name = "blocks", .target = &target_cpu, .emit = put_target_blocks}, {.name = NULL}};

/* ---- relayout: samples in lanes -> row by row ---- */

static bool relayout_shape(const double *a, const struct tensor *const *in, int nin, struct tensor *out, int nout)
{
    (void)a, (void)nin, (void)nout;
    if (!in[0]->rows || in[0]->layout != LAYOUT_BLOCK || in[0]->dtype != DT_F32)
        return false;
    out[0] = *in[0];
    out[0].layout = LAYOUT_PLAIN;
    return true;
}

static void relayout_emit(struct writer *w, const struct stage *s)
{
    open_kernel(w);
    open_elements(w, tensor_elements(tensor_of(w, s->in[0])), 1);
    put(w, "%s = ld(%s);", row_value(w, s->out[0], "(block * 16 + lane)", "e"), place_of(w, s->in[0], "block", "e"));
    close_elements(w);
    close_kernel(w);
}

static void put_relayout_threads(struct writer *w, const struct stage *s)
{
    int64_t n = tensor_elements(tensor_of(w, s->in[0])), stride = plain_stride(n);
    open_kernel(w);
    open_turn(w, n);
    put(w, "for (int e = unit; e < n; e += blockDim.x / 16)");
    put(w, "    tile[lane][e] = ld(%s);", place_of(w, s->in[0], "block", "(start + e)"));
    put(w, "__syncthreads();");
    put(w, "for (int k = threadIdx.x; k < 16 * %d; k += blockDim.x)", SPAN);
    put(w, "    if (k %% %d < n)", SPAN);
    put(w, "        %s[(block * 16 + k / %d) * %lld + start + k %% %d] = tile[k / %d][k %% %d];", name_of(w, s->out[0]), SPAN,
        (long long)stride, SPAN, SPAN, SPAN);
    close_turn(w);
}

static void put_relayout_blocks(struct writer *w, const struct stage *s)
{
    int64_t n = tensor_elements(tensor_of(w, s->in[0])), stride = plain_stride(n);
    open_kernel(w);
    w->blocks_per_task = 1;
    w->splits = 1;
    put(w, "for (int64_t block = first; block < last; block++)");
    put(w, "for (int64_t e = 0; e < %lld; e += 16)", (long long)n);
    put(w, "    turn_back(%s + (block * %lldLL + e) * 16, %lldLL - e < 16 ? (int)(%lldLL - e) : 16, %lld, %s + block * 16 * %lldLL + e);",
        name_of(w, s->in[0]), (long long)n, (long long)n, (long long)n, (long long)stride, name_of(w, s->out[0]), (long long)stride);
    close_kernel(w);
}

static const struct body relayout_body[] = {
    {.name = "blocks", .target = &target_cpu, .emit = put_relayout_blocks},
    {.name = "turned", .target = &target_cuda, .emit = put_relayout_threads},
    {.name = NULL},
};

/* ---- concat and slice along the channels ---- */

static bool concat_shape(const double *a, const struct tensor *const *in, int nin, struct tensor *out, int nout)
{
    (void)a, (void)nout;
    out[0] = *in[0];
    for (int i = 0; i < nin; i++) {
        if (!in[i]->rows || in[i]->dtype != DT_F32 || in[i]->rank != in[0]->rank || in[i]->rank < 1 || in[i]->layout != in[0]->layout)
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
    if (!in[0]->rows || in[0]->dtype != DT_F32 || in[0]->rank < 1 || !attr_whole(a[0], 0, (double)in[0]->dim[0]) ||
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

/* ---- reshape: a view ---- */

static bool reshape_shape(const double *a, const struct tensor *const *in, int nin, struct tensor *out, int nout)
{
    (void)nin, (void)nout;
    out[0] = *in[0];
    if (!in[0]->rows || in[0]->dtype != DT_F32 || !dims(a, &out[0]) || in[0]->layout != LAYOUT_BLOCK)
        return false;
    return tensor_elements(&out[0]) == tensor_elements(in[0]);
}

static void reshape_grad(struct graph *g, struct node *n, struct value *const *gy, struct value **gx)
{
    const struct tensor *x = &n->in[0]->t;
    double a[MAX_ATTRS] = {x->rank};
    for (int i = 0; i < x->rank; i++)
        a[D0 + i] = (double)x->dim[i];
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
        diag_error(s->diag, "N0205", s->loc, NULL, "Concat joins channels, so height and width must be the same in all its values");
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

static const struct op op[] = {
    {.name = "gather", .doc = "the batch's samples from the data set, transformed; in lanes, and row by row", .kind = OP_MOVE, .optional = true, .nin = 1,
     .nout = 2, .attr = {SHAPE_ATTRS}, .shape = gather_shape, .emit = gather_emit, .body = gather_body},
    {.name = "gather_target", .doc = "the batch's targets", .kind = OP_MOVE, .nin = 1, .nout = 1, .attr = {SHAPE_ATTRS, "class"},
     .shape = target_shape, .emit = target_emit, .body = target_body},
    {.name = "relayout", .doc = "from samples in lanes to row by row", .kind = OP_MOVE, .nin = 1, .nout = 1, .shape = relayout_shape,
     .emit = relayout_emit, .body = relayout_body},
    {.name = "concat", .doc = "joined along the channels", .kind = OP_MOVE, .nin = -1, .nout = 1, .shape = concat_shape, .grad = concat_grad,
     .emit = concat_emit},
    {.name = "slice", .doc = "a range of channels", .kind = OP_MOVE, .nin = 1, .nout = 1, .attr = {"from", "count"}, .shape = slice_shape,
     .emit = slice_emit},
    {.name = "reshape", .doc = "the same values in another shape", .kind = OP_VIEW, .nin = 1, .nout = 1, .attr = {SHAPE_ATTRS},
     .shape = reshape_shape, .grad = reshape_grad},
};

static const struct word word[] = {
    {.kind = WORD_LAYER, .name = "Flatten", .doc = "channels, rows and columns in one vector", .build = flatten},
    {.kind = WORD_LAYER, .name = "Concat", .doc = "values joined along the channels", .nvalue = -1, .build = concat},
};

const struct module module_move = {op, COUNT(op), word, COUNT(word)};
