/* emit.c: what the ops call to write a kernel: names, scalar expressions, the heads of functions, loops over tasks in C and
 * threads in CUDA. */
#include "writer.h"
#include "emit.h"
#include "plan/expr.h"

#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void put(struct writer *w, const char *format, ...)
{
    char line[2048];
    va_list ap;
    va_start(ap, format);
    size_t n = (size_t)vsnprintf(line, sizeof line, format, ap);
    va_end(ap);
    if (n >= sizeof line) {
        fputs("internal error: a line of emitted code is too long\n", stderr);
        exit(70);
    }
    if (*line == '}')
        w->indent--;
    fprintf(w->out, "%*s%s\n", 4 * w->indent, "", line);
    if (n && line[n - 1] == '{')
        w->indent++;
}

const struct tensor *tensor_of(const struct writer *w, int tensor)
{
    return &w->plan->tensor[tensor];
}

bool is_stored(const struct writer *w, int tensor)
{
    return tensor_stored(tensor_of(w, tensor));
}

/* What an operand is to this kernel, so that kernels are equal wherever they stand and whatever the user calls things:
 * the op that makes it here, "weight" for "stage1.0.conv1.weight", "gradients" for "@gradients", x for what others make. */
static const char *operand_word(struct writer *w, int tensor)
{
    const struct tensor *t = tensor_of(w, tensor);
    const char *word = "x", *dot = strrchr(t->name, '.');
    if (t->role == ROLE_PARAM || t->role == ROLE_STATE || t->role == ROLE_SLOT)
        word = dot ? dot + 1 : t->name;
    if (t->role == ROLE_TARGET)
        word = "target";
    if (*t->name == '@')
        word = t->name + 1;
    if (t->role == ROLE_GRAD || t->role == ROLE_SUM)
        word = "gradients";
    for (const struct stage *s = w->kernel->stage; s < w->kernel->stage + w->kernel->nstage; s++)
        for (int o = 0; o < s->nout; o++)
            if (s->out[o] == tensor)
                word = s->op->name;
    char *plain = region_printf(w->region, "%.60s", word);
    for (char *c = plain; *c; c++)
        if (!isalnum((unsigned char)*c))
            *c = '_';
    return plain;
}

/* "t2_weight" is operand 2: no word of C, of the prelude or of a kernel begins with t and a number. */
const char *name_of(struct writer *w, int tensor)
{
    int list[MAX_STAGES * 2 * MAX_OPERANDS], at = 0;
    int n = kernel_operands(w->plan, (int)(w->kernel - w->plan->kernel), list);
    while (at < n && list[at] != tensor)
        at++;
    return region_printf(w->region, "t%d_%s", at, operand_word(w, tensor));
}

/* Variables are numbered within the kernel, so that equal kernels of two phases have equal text. */
int var_of(const struct writer *w, int tensor)
{
    int n = 0;
    for (int i = 0; i < w->kernel->nstage; i++)
        for (int o = 0; o < w->kernel->stage[i].nout; o++, n++)
            if (w->kernel->stage[i].out[o] == tensor)
                return n;
    return -1;
}

int stage_index(const struct writer *w, const struct stage *s)
{
    return (int)(s - w->kernel->stage);
}

int maps_end(const struct writer *w, int from)
{
    while (from < w->kernel->nstage && w->kernel->stage[from].op->kind == OP_MAP)
        from++;
    return from;
}

/* ---- scalar expressions ---- */

static const char *const control_name[] = {"lr", "bias1", "bias2", "inv_run", "begin", "h0", "h1", "h2", "h3", "h4", "h5", "h6", "h7",
                                           "k0", "k1", "k2", "k3", "k4", "k5", "k6", "k7"};
static const int control_word[] = {CTL_LR, CTL_BIAS1, CTL_BIAS2, CTL_INV_RUN, CTL_FIRST, CTL_HYPER, CTL_HYPER + 1, CTL_HYPER + 2, CTL_HYPER + 3,
                                   CTL_HYPER + 4, CTL_HYPER + 5, CTL_HYPER + 6, CTL_HYPER + 7, CTL_COMPLEMENT, CTL_COMPLEMENT + 1,
                                   CTL_COMPLEMENT + 2, CTL_COMPLEMENT + 3, CTL_COMPLEMENT + 4, CTL_COMPLEMENT + 5, CTL_COMPLEMENT + 6,
                                   CTL_COMPLEMENT + 7};

struct scope { struct writer *w; const struct stage *s; const char *block, *e, *c; };

const char *place_of(struct writer *w, int tensor, const char *block, const char *e)
{
    const struct tensor *t = tensor_of(w, tensor);
    if (!t->rows)
        return region_printf(w->region, "%s + %s", name_of(w, tensor), e);
    return region_printf(w->region, "%s + (%s * %lld + %s) * 16 + lane", name_of(w, tensor), block, (long long)tensor_elements(t), e);
}

const char *read_of(struct writer *w, int tensor, const char *block, const char *e, const char *c)
{
    const struct tensor *t = tensor_of(w, tensor);
    const struct tensor *domain = c ? NULL : t;
    if (var_of(w, tensor) >= 0)
        return region_printf(w->region, "v%d", var_of(w, tensor));
    if (!t->rows && !domain)
        return t->rank == 0 ? region_printf(w->region, "vec(%s[0])", name_of(w, tensor))
                            : region_printf(w->region, "vec(%s[%s])", name_of(w, tensor), c);
    if (!t->rows && t->rank == 0)
        return region_printf(w->region, "vec(%s[0])", name_of(w, tensor));
    return region_printf(w->region, "ld(%s)", place_of(w, tensor, block, e));
}

/* "stream0": what stage s draws its mask from, among those of its kernel. */
static const char *stream_of(struct writer *w, const struct stage *s)
{
    int n = 0;
    for (const struct stage *before = w->kernel->stage; before < s; before++)
        n += op_attr(before->op, "stream") >= 0;
    return region_printf(w->region, "stream%d", n);
}

static void write_name(const char *name, FILE *out, void *context)
{
    const struct scope *k = context;
    const struct stage *s = k->s;
    const char *letters = op_letters(s->op), *letter = strlen(name) == 1 ? strchr(letters, *name) : NULL;
    if (letter && letter - letters < s->nin) {
        fputs(read_of(k->w, s->in[letter - letters], k->block, k->e, k->c), out);
        return;
    }
    if (*name == 'y' && (!name[1] || name[1] == '1' || name[1] == '2')) {
        fprintf(out, "v%d", var_of(k->w, s->out[name[1] ? name[1] - '0' : 0]));
        return;
    }
    int a = op_attr(s->op, name);
    if (a >= 0)
        fprintf(out, "num(%.17g)", s->attr[a]);
    else if (!strcmp(name, "live"))
        fprintf(out, "sel(live_mask(a, %s, lane), num(1), num(0))", k->block);
    else if (!strcmp(name, "keep")) {
        double threshold = ceil(s->attr[0] * 4294967296.0);
        fprintf(out, "keep_mask(a, %s, lane, (uint32_t)%s, %s, %uu)", k->block, k->e, stream_of(k->w, s), (unsigned)threshold);
    } else
        fputs(name, out);                              /* a control word, declared by open_kernel */
}

void put_maps(struct writer *w, int from, int to, const char *block, const char *e, const char *c)
{
    for (int i = from; i < to; i++) {
        const struct stage *s = &w->kernel->stage[i];
        struct scope k = {w, s, block, e, c};
        for (int o = s->nout - 1; o >= 0; o--) {
            if (o >= COUNT(s->op->fwd) || !s->op->fwd[o])
                continue;                              /* not of an element, but of the sums */
            fprintf(w->out, "%*sconst V v%d = ", 4 * w->indent, "", var_of(w, s->out[o]));
            expr_print(expr_parse(w->region, s->op->fwd[o]), w->out, write_name, &k);
            fprintf(w->out, ";\n");
        }
        for (int o = 0; o < s->nout && s->op->kind == OP_MAP; o++)
            if (is_stored(w, s->out[o]))
                put(w, "st(%s, v%d);", place_of(w, s->out[o], block, e), var_of(w, s->out[o]));
    }
}

/* ---- kernel functions ---- */

enum { MAX_PARTS = 4096 };                             /* CUDA: thread blocks that share the elements of one block of samples */

static const char *const ctype[] = {"real", "uint8_t", "int32_t", "uint32_t", "double"};

static int root_of(const struct writer *w, int tensor)
{
    int base = tensor_of(w, tensor)->base;
    return base >= 0 ? base : tensor;
}

/* Does the kernel write the bytes of this tensor, or of what it is a part of? */
static bool is_written(const struct writer *w, int tensor)
{
    if (w->pads && root_of(w, tensor) == root_of(w, w->kernel->stage[0].in[0]))
        return true;
    for (const struct stage *s = w->kernel->stage; s < w->kernel->stage + w->kernel->nstage; s++)
        for (int o = 0; o < s->nout; o++)
            if (is_stored(w, s->out[o]) && root_of(w, s->out[o]) == root_of(w, tensor))
                return true;
    return false;
}

/* What is only read is said to be so: the compiler may then take it through the read-only cache. */
static void open_cuda(struct writer *w)
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
        put(w, "    %s%s *%s%s,", read ? "const " : "", ctype[t->dtype], read ? "__restrict__ " : "",
            t->role == ROLE_CONTROL ? "" : name_of(w, list[i]));
    }
    uint32_t stream[MAX_STAGES];
    int streams = kernel_streams(w->plan, (int)(w->kernel - w->plan->kernel), stream);
    for (int i = 0; i < streams; i++)
        drawn = region_printf(w->region, "%s, uint64_t stream%d", drawn, i);
    put(w, "    uint32_t *control, real *workspace%s)", drawn);
    put(w, "{");
    put(w, "const nr_args args = arguments(control), *const a = &args;");
}

void open_kernel(struct writer *w)
{
    if (w->target == TARGET_CUDA)
        open_cuda(w);
    else {
        put(w, "static void @(const struct nr_args *a, int64_t first, int64_t last)");
        put(w, "{");
    }
    enum gate gate = w->kernel->stage[0].op->gate;     /* that of all its stages */
    if (gate == GATE_STEP)
        put(w, "if (!a->control[CTL_LAST] || !a->control[CTL_FINITE])");
    if (gate == GATE_FINITE)
        put(w, "if (!a->control[CTL_FINITE])");
    if (gate != GATE_OPEN)
        put(w, "    return;                                    /* a loss that is not finite changes nothing */");
    int list[MAX_STAGES * 2 * MAX_OPERANDS];
    int n = kernel_operands(w->plan, (int)(w->kernel - w->plan->kernel), list);
    for (int i = 0; i < n && w->target == TARGET_CPU; i++) {
        const struct tensor *t = tensor_of(w, list[i]);
        if (t->role != ROLE_CONTROL)
            put(w, "%s *const %s = a->t[%d];", ctype[t->dtype], name_of(w, list[i]), i);
    }
    uint32_t stream[MAX_STAGES];
    int streams = kernel_streams(w->plan, (int)(w->kernel - w->plan->kernel), stream);
    for (int i = 0; i < streams && w->target == TARGET_CPU; i++)
        put(w, "const uint32_t stream%d = a->stream[%d];", i, i);
    bool named[COUNT(control_name)] = {false};
    for (int i = 0; i < w->kernel->nstage; i++)
        for (int o = 0; o < 3 && w->kernel->stage[i].op->fwd[o]; o++) {
            struct expr *e = expr_parse(w->region, w->kernel->stage[i].op->fwd[o]);
            for (int k = 0; k < COUNT(control_name); k++)
                named[k] |= expr_uses(e, control_name[k]);
        }
    for (int k = 0; k < COUNT(control_name); k++)
        if (named[k])
            put(w, "const V %s = vec(word(a, %d));", control_name[k], control_word[k]);
    put(w, "const int64_t blocks = a->blocks;");
    put(w, "(void)blocks;");
}

void close_kernel(struct writer *w)
{
    put(w, "}");
    struct emit_launch *l = &w->launch[w->nlaunch++];
    l->threads = w->threads;
    l->blocks_per_task = w->blocks_per_task;
    l->splits = w->splits;
    w->threads = 0;
}

void open_tasks(struct writer *w, int blocks_per_task, int splits)
{
    w->blocks_per_task = blocks_per_task;
    w->splits = splits;
    if (w->target == TARGET_CUDA) {
        put(w, "const int64_t part = blockIdx.x %% %d, block = blockIdx.x / %d * %d;", splits, splits, blocks_per_task);
        put(w, "const int lane = threadIdx.x %% 16, unit = threadIdx.x / 16;");
        put(w, "(void)part, (void)unit;");
        put(w, "if (block >= blocks)");
        put(w, "    return;");
        return;
    }
    put(w, "for (int64_t task = first; task < last; task++) {");
    put(w, "const int64_t part = task %% %d, block = task / %d * %d;", splits, splits, blocks_per_task);
    put(w, "(void)part;");
    if (blocks_per_task > 1)
        put(w, "const int blocks_here = blocks - block < %d ? (int)(blocks - block) : %d;", blocks_per_task, blocks_per_task);
    put(w, "for (int lane = 0; lane < 16; lane += LANES) {");
}

void close_tasks(struct writer *w)
{
    for (int i = 0; i < 2 && w->target == TARGET_CPU; i++)
        put(w, "}");
}

void open_elements(struct writer *w, int64_t n, int splits)
{
    if (w->target == TARGET_CUDA) {
        int units = w->threads / 16;
        splits = (int)(n <= MAX_PARTS * units ? (n + units - 1) / units : MAX_PARTS);
        open_tasks(w, 1, splits);
        put(w, "for (int64_t e = part * %d + unit; e < %lld; e += %d) {", units, (long long)n, splits * units);
    } else {
        open_tasks(w, 1, splits);
        put(w, "for (int64_t e = part * %lldLL / %d; e < (part + 1) * %lldLL / %d; e++) {", (long long)n, splits, (long long)n, splits);
    }
}

void close_elements(struct writer *w)
{
    put(w, "}");
    close_tasks(w);
}

void open_image(struct writer *w, int64_t C, int64_t P, int64_t Q)
{
    if (w->target == TARGET_CUDA) {
        open_elements(w, C * P * Q, 1);
        put(w, "const int c = (int)(e / %lld), p = (int)(e / %lld %% %lld), q = (int)(e %% %lld);", (long long)(P * Q), (long long)Q, (long long)P,
            (long long)Q);
        put(w, "(void)c, (void)p, (void)q;");
        return;
    }
    int splits = C < 4 ? 1 : 4;
    open_tasks(w, 1, splits);
    put(w, "for (int64_t c = part * %lldLL / %d; c < (part + 1) * %lldLL / %d; c++)", (long long)C, splits, (long long)C, splits);
    put(w, "for (int p = 0; p < %lld; p++)", (long long)P);
    put(w, "for (int q = 0; q < %lld; q++) {", (long long)Q);
}

void open_rows(struct writer *w)
{
    if (w->target != TARGET_CUDA) {
        open_tasks(w, 1, 1);
        return;
    }
    w->blocks_per_task = w->threads / 16;
    w->splits = 1;
    put(w, "const int64_t block = blockIdx.x * %d + threadIdx.x / 16;", w->threads / 16);
    put(w, "const int lane = threadIdx.x %% 16;");
    put(w, "if (block >= blocks)");
    put(w, "    return;");
}

static void put_map_threads(struct writer *w, const struct tensor *t, int64_t n)
{
    if (t->rows) {
        open_elements(w, n, 1);
        put(w, "const int64_t c = e / %lld;", (long long)(t->rank ? n / t->dim[0] : 1));
        put(w, "(void)c;");
        put_maps(w, 0, w->kernel->nstage, "block", "e", "c");
        close_elements(w);
        return;
    }
    w->blocks_per_task = 0;
    w->splits = (int)(n <= MAX_PARTS * w->threads ? (n + w->threads - 1) / w->threads : MAX_PARTS);
    put(w, "for (int64_t e = blockIdx.x * %d + threadIdx.x; e < %lld; e += %d) {", w->threads, (long long)n, w->splits * w->threads);
    put_maps(w, 0, w->kernel->nstage, "0", "e", NULL);
    put(w, "}");
}

/* A kernel of maps only: over blocks of samples and their elements, or over the values of tensors without rows. */
void put_map_kernel(struct writer *w)
{
    const struct kernel *k = w->kernel;
    const struct tensor *t = tensor_of(w, k->stage[0].out[0]);
    int64_t n = tensor_elements(t);
    open_kernel(w);
    if (w->target == TARGET_CUDA)
        put_map_threads(w, t, n);
    else if (t->rows) {
        int64_t channels = t->rank ? t->dim[0] : 1;
        int splits = channels >= 4 ? 4 : 1;
        open_tasks(w, 1, splits);
        put(w, "for (int64_t c = part * %lldLL / %d; c < (part + 1) * %lldLL / %d; c++)", (long long)channels, splits, (long long)channels, splits);
        put(w, "for (int64_t e = c * %lld; e < (c + 1) * %lld; e++) {", (long long)(n / channels), (long long)(n / channels));
        put_maps(w, 0, k->nstage, "block", "e", "c");
        put(w, "}");
        close_tasks(w);
    } else {
        int64_t vectors = (n + ROW_BLOCK - 1) / ROW_BLOCK;
        w->blocks_per_task = 0;
        w->splits = (int)(vectors >= 8192 ? 64 : vectors >= 64 ? 8 : 1);
        put(w, "const int lane = 0;");
        put(w, "(void)lane;");
        put(w, "for (int64_t e = first * %lldLL / %d * 16; e < last * %lldLL / %d * 16; e += LANES) {", (long long)vectors, w->splits,
            (long long)vectors, w->splits);
        put_maps(w, 0, k->nstage, "0", "e", NULL);
        put(w, "}");
    }
    close_kernel(w);
}
