/* gather.c: the batch's samples from the data set, converted, augmented and transformed; and from samples in lanes to row by row. */
#include "emit/writer.h"
#include "graph/graph.h"

#include <math.h>

/* ---- gather ---- */

static bool gather_shape(const double *a, const struct tensor *const *in, int nin, struct tensor *out, int nout)
{
    (void)nin, (void)nout;
    struct tensor t = {.dtype = DT_F32, .layout = &layout_block, .rows = true};
    if (in[0]->role != ROLE_CONTROL || !attr_dims(a, &t) || t.rank == 0)
        return false;
    int64_t flat = tensor_elements(&t);
    if (flat < 1 || flat > MAX_SIDE)
        return false;
    out[0] = t; /* and for the weight gradient of a first fully connected layer: */
    out[1] = (struct tensor){.dtype = DT_F32, .layout = &layout_plain, .rows = true, .rank = 1, .dim = {flat}};
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

enum { SPAN = 64 }; /* CUDA: elements that a thread block turns at a time */

static int spans(int64_t n)
{
    return (int)((n + SPAN - 1) / SPAN < 1024 ? (n + SPAN - 1) / SPAN : 1024);
}

/* A thread block turns 16 samples x SPAN elements between lanes and rows in shared memory, so that both sides are read and
 * written in runs. Declares `start`, the first element, and `n`, how many. close_turn ends it. */
static void open_turn(struct writer *w, int64_t n)
{
    open_tasks(w, 1, spans(n));
    put(w, "__shared__ real tile[$][%d];", SPAN + 1);
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
struct transform {
    int64_t channels;
    const char *scale, *shift;
};

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
    put(w, "%s", "");
    return f;
}

/* Element e of a sample, transformed, of so many words of augmentation. */
static const char *pixel_text(struct writer *w, const struct tensor *t, int words, const struct transform *f,
                              const struct augmented *of, const char *e)
{
    if (!words)
        return region_printf(w->region, "pixel(a, %s * %lld + %s, %s, %s)", of->at, (long long)tensor_elements(t), e,
                             f->scale, f->shift);
    return region_printf(w->region, "%s * %s + %s", f->scale, augmented_text(w, words, of, augment_place(w, t, e)),
                         f->shift);
}

/* One sample after the other. */
static void gather_emit(struct writer *w, const struct stage *s)
{
    const struct tensor *t = tensor_of(w, s->out[0]);
    const int64_t n = tensor_elements(t);
    const struct transform f = put_transform(w, t, region_printf(w->region, "e / %lld", (long long)(n / t->dim[0])));
    const int words = put_augmented(w, t, false);
    open_kernel(w);
    open_rows(w);
    put(w, "const int64_t at = sample_at(a, block * $ + lane);");
    if (words)
        put(w, "const struct @_drawn d = @_draw(a, at, block * $ + lane);");
    if (augment_mixes(w->plan) && words) {
        put(w, "const int64_t from = at < 0 ? block * $ + lane : augment_partner(block * $ + lane, a->control[%d]);",
            CTL_ROWS);
        put(w, "const int64_t other = sample_at(a, from);");
        put(w, "const struct @_drawn o = @_draw(a, other, from);");
    }
    put(w, "for (int64_t e = 0; e < %lld; e++) {", (long long)n);
    put(w, "const real x = at < 0 ? 0 : %s;",
        pixel_text(w, t, words, &f, &(struct augmented){"at", "&d", "other", "&o"}, "e"));
    if (is_stored(w, s->out[0]))
        put(w, "st(%s, x);", place_of(w, s->out[0], "block", "e"));
    if (is_stored(w, s->out[1]))
        put(w, "%s = x;", row_value(w, s->out[1], "(block * $ + lane)", "e"));
    put(w, "}");
    close_tasks(w);
    close_kernel(w);
}

static void put_gather_threads(struct writer *w, const struct stage *s)
{
    const struct tensor *t = tensor_of(w, s->out[0]);
    const int64_t n = tensor_elements(t);
    const struct transform f =
        put_transform(w, t, region_printf(w->region, "(start + e) / %lld", (long long)(n / t->dim[0])));
    const int words = put_augmented(w, t, true);
    bool plain = is_stored(w, s->out[1]), blocks = is_stored(w, s->out[0]);
    open_kernel(w);
    put(w, "__shared__ int64_t at[$];");
    if (words)
        put(w, "__shared__ struct @_drawn drawn[$];");
    open_turn(w, n);
    put(w, "if (threadIdx.x < $)");
    put(w, "    at[threadIdx.x] = sample_at(a, block * $ + threadIdx.x);");
    if (words) {
        put(w, "if (start == part * %d) {", SPAN);
        put(w, "if (threadIdx.x < $)");
        put(w, "    drawn[threadIdx.x] = @_draw(a, at[threadIdx.x], block * $ + threadIdx.x);");
        put_augment_means(w, t);
        put(w, "}");
    }
    put(w, "__syncthreads();");
    put(w, "for (int k = threadIdx.x; k < $ * %d; k += blockDim.x) {", SPAN);
    put(w, "const int i = k / %d, e = k %% %d;", SPAN, SPAN);
    put(w, "if (e >= n)");
    put(w, "    continue;");
    if (augment_mixes(w->plan) && words)
        put(w, "const int o = at[i] < 0 ? i : (int)(augment_partner(block * $ + i, a->control[%d]) - block * $);",
            CTL_ROWS);
    put(w, "const real x = at[i] < 0 ? 0 : %s;",
        pixel_text(w, t, words, &f, &(struct augmented){"at[i]", "&drawn[i]", "at[o]", "&drawn[o]"}, "start + e"));
    if (plain)
        put(w, "%s = x;", row_value(w, s->out[1], "(block * $ + i)", "start + e"));
    put(w, "tile[i][e] = x;");
    put(w, "}");
    put(w, "__syncthreads();");
    if (blocks) {
        put(w, "for (int e = unit; e < n; e += blockDim.x / $)");
        put(w, "    st(%s, tile[lane][e]);", place_of(w, s->out[0], "block", "(start + e)"));
    }
    close_turn(w);
}

/* Some elements of a sample. */
static int put_augmented_read(struct writer *w, const struct tensor *t)
{
    const int words = put_augmented(w, t, false);
    const char *of = augment_mixes(w->plan) ? ", int64_t other, const struct @_drawn *o" : "";
    const struct augment_size size = augment_size(t);
    if (!words)
        return 0;
    put(w,
        "static inline void @_read(const struct nr_args *a, int64_t at, const struct @_drawn *d%s, int64_t from, int n, real scale, "
        "real shift, real *restrict x)",
        of);
    put(w, "{");
    put(w, "int c = (int)(from / %lld), row = (int)(from / %d %% %d), column = (int)(from %% %d);",
        (long long)size.height * size.width, size.width, size.height, size.width);
    put(w, "for (int k = 0; k < $; k++) {");
    put(w, "x[k] = at < 0 || k >= n ? 0 : scale * %s + shift;",
        augmented_text(w, words, &(struct augmented){"at", "d", "other", "o"}, "c, row, column"));
    put(w, "column++;");
    put(w, "if (column == %d)", size.width);
    put(w, "    column = 0, row++;");
    put(w, "if (row == %d)", size.height);
    put(w, "    row = 0, c++;");
    put(w, "}");
    put(w, "}");
    put(w, "%s", "");
    return words;
}

static void put_drawn(struct writer *w, int words)
{
    if (!words)
        return;
    put(w, "struct @_drawn drawn[$];");
    if (augment_mixes(w->plan))
        put(w, "int64_t other[$];");
    put(w, "for (int i = 0; i < $; i++) {");
    put(w, "drawn[i] = @_draw(a, at[i], block * $ + i);");
    if (augment_mixes(w->plan))
        put(w, "other[i] = at[i] < 0 ? i : augment_partner(block * $ + i, a->control[%d]) - block * $;", CTL_ROWS);
    put(w, "}");
}

static void put_read(struct writer *w, int words, int64_t n, const char *scale, const char *shift)
{
    const char *of = augment_mixes(w->plan) ? ", at[other[i]], &drawn[other[i]]" : "";
    if (words)
        put(w, "    @_read(a, at[i], &drawn[i]%s, from, n, %s, %s, x[i]);", of, scale, shift);
    else
        put(w, "    read_pixels(a, at[i] < 0 ? -1 : at[i] * %lldLL + from, n, %s, %s, x[i]);", (long long)n, scale,
            shift);
}

/* Samples of one block: first row by row (rows beyond the batch are zeros), then turned 16 x 16 into lanes. */
static void put_gather_blocks(struct writer *w, const struct stage *s)
{
    const struct tensor *t = tensor_of(w, s->out[0]);
    double *scale, *shift;
    int64_t n = tensor_elements(t), channels = fold_transforms(w, t, &scale, &shift), places = n / channels;
    bool plain = is_stored(w, s->out[1]), blocks = is_stored(w, s->out[0]);
    int64_t stride = plain ? row_elements(tensor_of(w, s->out[1])) : 0;
    put_constants(w, "scale", scale, channels);
    put_constants(w, "shift", shift, channels);
    fprintf(w->out, "\n");
    const char *scale_text = "@_scale[c]", *shift_text = "@_shift[c]", *small = NULL;
    if (channels > 1 && places < ROW_BLOCK) { /* too few for a run of their own: read as they are, then transformed */
        small = region_printf(w->region, "[(e + k) / %lld]", (long long)places);
        scale_text = "1";
        shift_text = "0";
        channels = 1;
        places = n;
    }
    int splits = places >= 64 ? 4 : 1;
    const int words = put_augmented_read(w, t);
    open_kernel(w);
    put(w, "for (int64_t task = first; task < last; task++) {");
    w->blocks_per_task = 1;
    w->splits = splits;
    put(w, "const int64_t block = task / %d, part = task %% %d;", splits, splits);
    put(w, "const struct order order = order_of(a);");
    put(w, "int64_t at[$];");
    put(w, "samples_at(a, &order, block, at);");
    put_drawn(w, words);
    put(w, "for (int i = 0; i < $; i++)");
    put(w, "    want_pixels(a, at[i] < 0 ? -1 : at[i] * %lldLL + %lldLL * part / %d, %lld);", (long long)n,
        (long long)n, splits, (long long)(n / splits));
    put(w, "for (int c = 0; c < %lld; c++)", (long long)channels);
    put(w,
        "for (int64_t e = %lld * part / %d / $ * $; e < (part == %d ? %lld : %lld * (part + 1) / %d / $ * $); e += $) {",
        (long long)places, splits, splits - 1, (long long)places, (long long)places, splits);
    put(w, "real x[$][$] __attribute__((aligned(64)));");
    put(w, "const int n = %lld - e < $ ? (int)(%lld - e) : $;", (long long)places, (long long)places);
    put(w, "const int64_t from = c * %lldLL + e;", (long long)places);
    put(w, "for (int i = 0; i < $; i++)");
    put_read(w, words, n, scale_text, shift_text);
    if (small) {
        put(w, "for (int i = 0; i < $; i++)");
        put(w, "for (int k = 0; k < n && at[i] >= 0; k++)");
        put(w, "    x[i][k] = @_scale%s * x[i][k] + @_shift%s;", small, small);
    }
    if (plain) {
        put(w, "for (int i = 0; i < $; i++)");
        put(w, "    copy_pixels(x[i], n, %s + (block * $ + i) * %lld + from);", name_of(w, s->out[1]),
            (long long)stride);
    }
    if (blocks)
        put(w, "turn(&x[0][0], n, %s + (block * %lld + from) * $);", name_of(w, s->out[0]), (long long)n);
    put(w, "}");
    put(w, "}");
    close_kernel(w);
}

/* clang-format off */
static const struct body gather_body[] = {
    {.name = "blocks", .target = &target_cpu, .emit = put_gather_blocks},
    {.name = "turned", .target = &target_cuda, .emit = put_gather_threads},
    {.name = NULL},
};
/* clang-format on */

/* ---- relayout: samples in lanes -> row by row ---- */

static bool relayout_shape(const double *a, const struct tensor *const *in, int nin, struct tensor *out, int nout)
{
    (void)a, (void)nin, (void)nout;
    if (!in_lanes(in[0]) || in[0]->dtype != DT_F32)
        return false;
    out[0] = *in[0];
    out[0].layout = &layout_plain;
    return true;
}

static void relayout_emit(struct writer *w, const struct stage *s)
{
    open_kernel(w);
    open_elements(w, tensor_elements(tensor_of(w, s->in[0])), 1);
    put(w, "%s = ld(%s);", row_value(w, s->out[0], "(block * $ + lane)", "e"), place_of(w, s->in[0], "block", "e"));
    close_elements(w);
    close_kernel(w);
}

static void put_relayout_threads(struct writer *w, const struct stage *s)
{
    int64_t n = tensor_elements(tensor_of(w, s->in[0]));
    open_kernel(w);
    open_turn(w, n);
    put(w, "for (int e = unit; e < n; e += blockDim.x / $)");
    put(w, "    tile[lane][e] = ld(%s);", place_of(w, s->in[0], "block", "(start + e)"));
    put(w, "__syncthreads();");
    put(w, "for (int k = threadIdx.x; k < $ * %d; k += blockDim.x)", SPAN);
    put(w, "    if (k %% %d < n)", SPAN);
    put(w, "        %s = tile[k / %d][k %% %d];",
        row_value(w, s->out[0], region_printf(w->region, "(block * $ + k / %d)", SPAN),
                  region_printf(w->region, "start + k %% %d", SPAN)),
        SPAN, SPAN);
    close_turn(w);
}

static void put_relayout_blocks(struct writer *w, const struct stage *s)
{
    int64_t n = tensor_elements(tensor_of(w, s->in[0])), stride = row_elements(tensor_of(w, s->out[0]));
    open_kernel(w);
    w->blocks_per_task = 1;
    w->splits = 1;
    put(w, "for (int64_t block = first; block < last; block++)");
    put(w, "for (int64_t e = 0; e < %lld; e += $)", (long long)n);
    put(w,
        "    turn_back(%s + (block * %lldLL + e) * $, %lldLL - e < $ ? (int)(%lldLL - e) : $, %lld, %s + block * $ * %lldLL + e);",
        name_of(w, s->in[0]), (long long)n, (long long)n, (long long)n, (long long)stride, name_of(w, s->out[0]),
        (long long)stride);
    close_kernel(w);
}

/* clang-format off */
static const struct body relayout_body[] = {
    {.name = "blocks", .target = &target_cpu, .emit = put_relayout_blocks},
    {.name = "turned", .target = &target_cuda, .emit = put_relayout_threads},
    {.name = NULL},
};

static const struct op op[] = {
    {.name = "gather", .doc = "the batch's samples from the data set, transformed; in lanes, and row by row", .kind = OP_MOVE, .optional = true, .nin = 1,
     .nout = 2, .attr = {DIMS_ATTRS}, .shape = gather_shape, .emit = gather_emit, .scalar = true, .body = gather_body},
    {.name = "relayout", .doc = "from samples in lanes to row by row", .kind = OP_MOVE, .nin = 1, .nout = 1, .shape = relayout_shape,
     .emit = relayout_emit, .scalar = true, .body = relayout_body},
};
/* clang-format on */

const struct module module_gather = {op, COUNT(op), NULL, 0};
