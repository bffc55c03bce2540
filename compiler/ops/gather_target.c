/* gather_target.c: the batch's targets from the data set; and those of the samples that are mixed in. */
#include "emit/writer.h"
#include "graph/graph.h"

enum { CLASS = DIMS_D0 + MAX_RANK };

static bool target_shape(const double *a, const struct tensor *const *in, int nin, struct tensor *out, int nout)
{
    (void)nin, (void)nout;
    struct tensor t = {.dtype = a[CLASS] == 1 ? DT_I32 : DT_F32, .layout = &layout_block, .rows = true};
    if (in[0]->role != ROLE_CONTROL || !attr_dims(a, &t) || !attr_whole(a[CLASS], 0, 1) ||
        (t.dtype == DT_I32 && t.rank != 0 && t.rank != 2))
        return false;
    out[0] = t;
    return true;
}

static const char *target_text(struct writer *w, const struct tensor *t)
{
    return region_printf(w->region, "at < 0 ? 0 : ((const %s *)a->targets)[at * %lld + e]",
                         t->dtype == DT_I32 ? "int32_t" : "float", (long long)tensor_elements(t));
}

static void target_emit(struct writer *w, const struct stage *s)
{
    const struct tensor *t = tensor_of(w, s->out[0]);
    open_kernel(w);
    open_elements(w, tensor_elements(t), 1);
    put(w, "const int64_t at = sample_at(a, block * $ + lane);");
    put(w, "%s(%s, %s);", t->dtype == DT_I32 ? "st_i32" : "st", place_of(w, s->out[0], "block", "e"),
        target_text(w, t));
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
    put(w, "for (int64_t block = first; block < last; block++) {");
    put(w, "int64_t all[$];");
    put(w, "samples_at(a, &order, block, all);");
    put(w, "for (int i = 0; i < $; i++) {");
    put(w, "const int64_t at = all[i];");
    put(w, "for (int64_t e = 0; e < %lld; e++)", (long long)tensor_elements(t));
    put(w, "    %s[(block * %lld + e) * $ + i] = %s;", name_of(w, s->out[0]), (long long)tensor_elements(t),
        target_text(w, t));
    put(w, "}");
    put(w, "}");
    close_kernel(w);
}

static const struct body target_body[] = {{.name = "blocks", .target = &target_cpu, .emit = put_target_blocks},
                                          {.name = NULL}};

/* ---- mix_target: the class of the sample that is mixed into each, and the share that stays its own ---- */

static bool mix_shape(const double *a, const struct tensor *const *in, int nin, struct tensor *out, int nout)
{
    (void)a, (void)nin, (void)nout;
    if (in[0]->role != ROLE_CONTROL)
        return false;
    out[0] = (struct tensor){.dtype = DT_I32, .layout = &layout_block, .rows = true};
    out[1] = (struct tensor){.dtype = DT_F32, .layout = &layout_block, .rows = true};
    return true;
}

/* The lines of one sample, in a lane of a block of which `rows` are left. */
static void put_mixed(struct writer *w, const struct stage *s, bool mixes, const char *lane, const char *order)
{
    const char *place = region_printf(w->region, "[block * $ + %s]", lane);
    put(w,
        "const int64_t row = block * $ + %s, from = row < a->control[CTL_ROWS] ? augment_partner(row, a->control[CTL_ROWS]) : row;",
        lane);
    put(w, "const int64_t at = sample_at(a%s, from);", order);
    put(w, "%s%s = at < 0 ? 0 : ((const int32_t *)a->targets)[at];", name_of(w, s->out[0]), place);
    put(w, mixes ? "%s%s = @_share(a, row);" : "%s%s = 1;", name_of(w, s->out[1]), place);
}

static void mix_emit(struct writer *w, const struct stage *s)
{
    const bool mixes = put_augment_share(w);
    open_kernel(w);
    open_rows(w);
    if (w->counter) { /* it goes by what a sample reads and writes */
        put(w, "const int64_t at = sample_at(a, block * $ + lane);");
        put(w, "st_i32(%s, at < 0 ? 0 : ((const int32_t *)a->targets)[at]);", place_of(w, s->out[0], "block", "0"));
        put(w, "st(%s, num(1));", place_of(w, s->out[1], "block", "0"));
    } else
        put_mixed(w, s, mixes, "lane", "");
    close_tasks(w);
    close_kernel(w);
}

static void put_mix_blocks(struct writer *w, const struct stage *s)
{
    const bool mixes = put_augment_share(w);
    open_kernel(w);
    w->blocks_per_task = 1;
    w->splits = 1;
    put(w, "const struct order order = order_of(a);");
    put(w, "for (int64_t block = first; block < last; block++)");
    put(w, "for (int i = 0; i < $; i++) {");
    put_mixed(w, s, mixes, "i", ", &order");
    put(w, "}");
    close_kernel(w);
}

static const struct body mix_body[] = {{.name = "blocks", .target = &target_cpu, .emit = put_mix_blocks},
                                       {.name = NULL}};

/* clang-format off */
static const struct op op[] = {
    {.name = "gather_target", .doc = "the batch's targets", .kind = OP_MOVE, .nin = 1, .nout = 1, .attr = {DIMS_ATTRS, "class"},
     .shape = target_shape, .emit = target_emit, .scalar = true, .body = target_body},
    {.name = "mix_target", .doc = "the classes that are mixed into the batch's, and the shares that stay", .kind = OP_MOVE, .nin = 1, .nout = 2,
     .shape = mix_shape, .emit = mix_emit, .scalar = true, .body = mix_body},
};
/* clang-format on */

const struct module module_gather_target = {op, COUNT(op), NULL, 0};
