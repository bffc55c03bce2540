/* language_cuda.c: kernels as functions whose threads share the work. A lane is a thread, 16 of them a block of samples; a thread
 * block has 16 lanes of several units, which share the elements. */
#include "language.h"

static const char prelude[] = {
#include "prelude_cuda.inc"
    0};
static const char prelude_mma[] = {
#include "prelude_mma.inc"
    0};

enum { MAX_PARTS = 4096 }; /* thread blocks that share the elements of one block of samples */

/* What is only read is said to be so: the compiler may then take it through the read-only cache. */
static void open_function(struct writer *w)
{
    int list[MAX_STAGES * 2 * MAX_OPERANDS];
    int n = kernel_operands(w->plan, (int)(w->kernel - w->plan->kernel), list);
    const char *drawn = "";
    if (!w->threads)
        w->threads = 256;
    const char *suffix = w->launch[w->nlaunch].entry;
    put(w, "extern \"C\" __global__ void __launch_bounds__(%d, 1) @%s(", w->threads, suffix ? suffix : "");
    for (int i = 0; i < n; i++) {
        const struct tensor *t = tensor_of(w, list[i]);
        bool read = t->role != ROLE_CONTROL && !is_written(w, list[i]);
        put(w, "    %s%s *%s%s,%s", read ? "const " : "", real_type[t->dtype], read ? "__restrict__ " : "",
            t->role == ROLE_CONTROL ? "" : name_of(w, list[i]), alias_text(w, list, i));
    }
    uint32_t stream[MAX_STAGES];
    int streams = kernel_streams(w->plan, (int)(w->kernel - w->plan->kernel), stream);
    for (int i = 0; i < streams; i++)
        drawn = region_printf(w->region, "%s, uint64_t stream%d", drawn, i);
    put(w, "    uint32_t *control, real *workspace%s)", drawn);
    put(w, "{");
    put(w, "const control_args args = arguments(control), *const a = &args;");
}

static void tasks(struct writer *w, int blocks_per_task, int splits)
{
    put(w, "const int64_t part = blockIdx.x %% %d, block = blockIdx.x / %d * %d;", splits, splits, blocks_per_task);
    put(w, "const int lane = threadIdx.x %% $, unit = threadIdx.x / $;");
    put(w, "(void)part, (void)unit;");
    put(w, "if (block >= blocks)");
    put(w, "    return;");
}

/* An element of a sample is a thread's, whatever the parts. */
static void elements(struct writer *w, int64_t n, int splits)
{
    int units = w->threads / ROW_BLOCK;
    splits = (int)(n <= MAX_PARTS * units ? (n + units - 1) / units : MAX_PARTS);
    open_tasks(w, 1, splits);
    put(w, "for (int64_t e = part * %d + unit; e < %lld; e += %d) {", units, (long long)n, splits * units);
}

static void image(struct writer *w, int64_t C, int64_t P, int64_t Q)
{
    open_elements(w, C * P * Q, 1);
    put(w, "const int c = (int)(e / %lld), p = (int)(e / %lld %% %lld), q = (int)(e %% %lld);", (long long)(P * Q),
        (long long)Q, (long long)P, (long long)Q);
    put(w, "(void)c, (void)p, (void)q;");
}

/* A thread has a sample. */
static void rows(struct writer *w)
{
    w->blocks_per_task = w->threads / ROW_BLOCK;
    w->splits = 1;
    put(w, "const int64_t block = blockIdx.x * %d + threadIdx.x / $;", w->threads / ROW_BLOCK);
    put(w, "const int lane = threadIdx.x %% $;");
    put(w, "if (block >= blocks)");
    put(w, "    return;");
}

static void share(struct writer *w, int64_t n)
{
    put(w, "for (int64_t e = part * $ + unit; e < %lld; e += %d)", (long long)n, ROW_BLOCK * w->splits);
}

static void values(struct writer *w, const char *name, int64_t n, int splits)
{
    (void)splits;
    w->splits = (int)(n <= MAX_PARTS * w->threads ? (n + w->threads - 1) / w->threads : MAX_PARTS);
    put(w, "for (int64_t %s = blockIdx.x * %d + threadIdx.x; %s < %lld; %s += %d) {", name, w->threads, name,
        (long long)n, name, w->splits * w->threads);
}

static void team(struct writer *w)
{
    put(w, "const int64_t c = blockIdx.x;");
    put(w, "const int lane = threadIdx.x %% $, unit = threadIdx.x / $;");
    put(w, "(void)c, (void)lane, (void)unit;");
}

/* The units of a thread block share the places of a block of samples, or if there are few of those the blocks. */
static void terms(struct writer *w, int64_t places)
{
    const int units = w->threads / ROW_BLOCK;
    const bool many = places >= units / 2;
    put(w, "for (int64_t block = %s; block < blocks; block += %d) {", many ? "0" : "unit", many ? 1 : units);
    put(w, "const M live = live_mask(a, block, lane);");
    put(w, "for (int64_t e = c * %lld%s; e < (c + 1) * %lld; %s) {", (long long)places, many ? " + unit" : "",
        (long long)places, many ? region_printf(w->region, "e += %d", units) : "e++");
}

static void row_maps(struct writer *w, const struct tensor *t)
{
    const int64_t n = tensor_elements(t);
    open_elements(w, n, 1);
    put(w, "const int64_t c = e / %lld;", (long long)(t->rank ? n / t->dim[0] : 1));
    put(w, "(void)c;");
    put_maps(w, 0, w->kernel->nstage, "block", "e", "c");
    close_elements(w);
}

static void value_maps(struct writer *w, int64_t n)
{
    open_values(w, "e", n, 1);
    put_maps(w, 0, w->kernel->nstage, "0", "e", NULL);
    put(w, "}");
}

/* ---- the file ---- */

static const char *kind(struct region *r, const struct target *t, const struct emit_options *o)
{
    (void)t, (void)o;
    return region_printf(r, "float, %d samples in lanes of threads", ROW_BLOCK);
}

static const char page[] =
    "//\n"
    "// How to read this. The kernels stand behind the table and the prelude, each once, however many layers use it. Operands are\n"
    "// named by a number and by what they are to the kernel (weight, bias; the op that makes it here; x for what another makes).\n"
    "//\n"
    "// Samples stand in blocks of $. Element e of the E of a sample lies at (block * E + e) * $ + lane: neighbours in memory are the\n"
    "// same element of $ samples, and $ neighbouring threads are these samples (lane). A thread block has `unit`s of $ threads,\n"
    "// which share elements or channels; `part` says which of the thread blocks of a block of samples it is. V is the value of the\n"
    "// thread's sample, M a truth of it; ld and st read and write V, sel(m, a, b) is a where m is true and else b. In images c is a\n"
    "// channel, p and q are row and column of what is made, h and w of what is read, r and s of a window; k is a channel out.\n"
    "// What changes from step to step (learning rate, rows of the batch) is read from the control block.\n"
    "//\n";

static void put_prelude(const struct target *t, const struct emit_options *o, FILE *out)
{
    (void)t;
    fprintf(
        out,
        "enum { CTL_DATA = %d, CTL_SAMPLES = %d, CTL_TARGETS = %d, CTL_RESULTS = %d, CTL_RESULTS_END = %d, CTL_WORDS = %d };\n",
        CTL_DATA, CTL_SAMPLES, CTL_TARGETS, CTL_LOSS, CTL_RESULTS_END, CTL_WORDS);
    fputs(prelude, out);
    if (o->precision != PRECISION_FP32)
        fprintf(out, "\n#define MMA_K %d                                       // %s\n%s",
                o->precision == PRECISION_TF32 ? 8 : 16, o->precision == PRECISION_TF32 ? "TF32" : "BF16", prelude_mma);
}

const struct language language_cuda = {
    .arguments = "const control_args *a",
    .open_kernel = open_function,
    .open_tasks = tasks,
    .open_elements = elements,
    .open_image = image,
    .open_rows = rows,
    .open_share = share,
    .parts = 16,
    .open_values = values,
    .open_team = team,
    .open_terms = terms,
    .first = "threadIdx.x",
    .step = "%s += blockDim.x",
    .meeting = "__shared__ double part[32]",
    .fold = "block_sum(%s, part)",
    .lead = "if (threadIdx.x == 0) {",
    .put_row_maps = row_maps,
    .put_value_maps = value_maps,
    .kind = kind,
    .page = page,
    .put_prelude = put_prelude,
};
