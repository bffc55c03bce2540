/* language_c.c: kernels as C functions over ranges of tasks. The lanes of a vector are samples; a task has some blocks of them. */
#include "language.h"

static const char prelude_vector[] = {
#include "prelude.inc"
    0};
static const char prelude_scalar[] = {
#include "prelude_scalar.inc"
    0};

static void open_function(struct writer *w)
{
    put(w, "KERNEL void @(const struct nr_args *a, int64_t first, int64_t last)");
    put(w, "{");
}

static void operands(struct writer *w)
{
    int list[MAX_STAGES * 2 * MAX_OPERANDS], k = (int)(w->kernel - w->plan->kernel);
    int n = kernel_operands(w->plan, k, list);
    for (int i = 0; i < n; i++) {
        const struct tensor *t = tensor_of(w, list[i]);
        if (t->role != ROLE_CONTROL)
            put(w, "%s *const %s = a->t[%d];%s", real_type[t->dtype], name_of(w, list[i]), i, alias_text(w, list, i));
    }
    uint32_t stream[MAX_STAGES];
    int streams = kernel_streams(w->plan, k, stream);
    for (int i = 0; i < streams; i++)
        put(w, "const uint32_t stream%d = a->stream[%d];", i, i);
}

static void tasks(struct writer *w, int blocks_per_task, int splits)
{
    put(w, "for (int64_t task = first; task < last; task++) {");
    put(w, "const int64_t part = task %% %d, block = task / %d * %d;", splits, splits, blocks_per_task);
    put(w, "(void)part;");
    if (blocks_per_task > 1)
        put(w, "const int blocks_here = blocks - block < %d ? (int)(blocks - block) : %d;", blocks_per_task,
            blocks_per_task);
    put(w, "for (int lane = 0; lane < $; lane += LANES) {");
}

static void elements(struct writer *w, int64_t n, int splits)
{
    open_tasks(w, 1, splits);
    put(w, "for (int64_t e = part * %lldLL / %d; e < (part + 1) * %lldLL / %d; e++) {", (long long)n, splits,
        (long long)n, splits);
}

static void image(struct writer *w, int64_t C, int64_t P, int64_t Q)
{
    int splits = C < 4 ? 1 : 4;
    open_tasks(w, 1, splits);
    put(w, "for (int64_t c = part * %lldLL / %d; c < (part + 1) * %lldLL / %d; c++)", (long long)C, splits,
        (long long)C, splits);
    put(w, "for (int p = 0; p < %lld; p++)", (long long)P);
    put(w, "for (int q = 0; q < %lld; q++) {", (long long)Q);
}

static void rows(struct writer *w)
{
    open_tasks(w, 1, 1);
}

static void share(struct writer *w, int64_t n)
{
    put(w, "for (int64_t e = 0; e < %lld; e++)", (long long)n);
}

static void values(struct writer *w, const char *name, int64_t n, int splits)
{
    w->splits = splits;
    if (splits == 1)
        put(w, "for (int64_t %s = first * %lld; %s < last * %lld; %s++) {", name, (long long)n, name, (long long)n,
            name);
    else
        put(w, "for (int64_t %s = first * %lldLL / %d; %s < last * %lldLL / %d; %s++) {", name, (long long)n, splits,
            name, (long long)n, splits, name);
}

static void team(struct writer *w)
{
    put(w, "for (int64_t c = first; c < last; c++) {");
}

static void terms(struct writer *w, int64_t places)
{
    put(w, "for (int64_t block = 0; block < blocks; block++)");
    put(w, "for (int lane = 0; lane < $; lane += LANES) {");
    put(w, "const M live = live_mask(a, block, lane);");
    put(w, "for (int64_t e = c * %lld; e < (c + 1) * %lld; e++) {", (long long)places, (long long)places);
}

static void row_maps(struct writer *w, const struct tensor *t)
{
    int64_t n = tensor_elements(t), channels = t->rank ? t->dim[0] : 1;
    int splits = channels >= 4 ? 4 : 1;
    open_tasks(w, 1, splits);
    put(w, "for (int64_t c = part * %lldLL / %d; c < (part + 1) * %lldLL / %d; c++)", (long long)channels, splits,
        (long long)channels, splits);
    put(w, "for (int64_t e = c * %lld; e < (c + 1) * %lld; e++) {", (long long)(n / channels),
        (long long)(n / channels));
    put_maps(w, 0, w->kernel->nstage, "block", "e", "c");
    put(w, "}");
    close_tasks(w);
}

/* Lanes are neighbouring values. */
static void value_maps(struct writer *w, int64_t n)
{
    int64_t vectors = (n + ROW_BLOCK - 1) / ROW_BLOCK;
    w->blocks_per_task = 0;
    w->splits = (int)(vectors >= 8192 ? 64 : vectors >= 64 ? 8 : 1);
    put(w, "const int lane = 0;");
    put(w, "(void)lane;");
    put(w, "for (int64_t e = first * %lldLL / %d * $; e < last * %lldLL / %d * $; e += LANES) {", (long long)vectors,
        w->splits, (long long)vectors, w->splits);
    put_maps(w, 0, w->kernel->nstage, "0", "e", NULL);
    put(w, "}");
}

/* ---- the file ---- */

static int lanes_of(const struct target *t, const struct emit_options *o)
{
    return t->lanes ? t->lanes : o->lanes;
}

static const char *kind(struct region *r, const struct target *t, const struct emit_options *o)
{
    const char *real = o->f64 ? "double" : "float";
    return lanes_of(t, o) == 1 ? region_printf(r, "plain loops over %s", real)
                               : region_printf(r, "%d lanes of %s", lanes_of(t, o), real);
}

static const char page[] =
    "//\n"
    "// How to read this. The kernels stand behind the table and the prelude, each once, however many layers use it. A kernel is a\n"
    "// function over tasks, [first, last) of them: whoever runs which, the bits are the same. Its first lines name its operands: a\n"
    "// number, and what it is to this kernel (weight, bias; the op that makes it here; x for what another kernel makes).\n"
    "//\n"
    "// Samples stand in blocks of $. Element e of the E of a sample lies at (block * E + e) * $ + lane: neighbours in memory are the\n"
    "// same element of $ samples. V is the value of LANES samples at once (one of them with --plain), M a truth of each; ld and st\n"
    "// read and write V, vec(x) is x in all lanes, sel(m, a, b) a where m is true and else b, num(x) a constant. In images c is a\n"
    "// channel, p and q are row and column of what is made, h and w of what is read, r and s of a window; k is a channel out.\n"
    "// What changes from step to step (learning rate, rows of the batch) is read from a->control. #if FIRST_PIECE ... #endif has the\n"
    "// kernels of one piece: netrun has several pieces compiled at a time.\n"
    "//\n";

static void put_prelude(const struct target *t, const struct emit_options *o, FILE *out)
{
    fprintf(out,
            "#ifdef FIRST_PIECE    /* to LAST_PIECE, of %d: the others are in other objects */\n"
            "#define KERNEL __attribute__((visibility(\"hidden\")))\n"
            "#else\n"
            "#define FIRST_PIECE 0\n"
            "#define LAST_PIECE %d\n"
            "#define KERNEL static\n"
            "#endif\n",
            EMIT_PIECES, EMIT_PIECES);
    fprintf(out, "#define REAL %s\n#define INT %s\n#define LANES %d\n#define WIDE %d\n", o->f64 ? "double" : "float",
            o->f64 ? "int64_t" : "int32_t", lanes_of(t, o), o->f64);
    fputs(lanes_of(t, o) == 1 ? prelude_scalar : prelude_vector, out);
}

/* A row of the table of functions: what the function is, and what it draws from here. */
static void put_row(const struct plan *p, int kernel, const struct row *r, const char *name, FILE *out)
{
    uint32_t stream[MAX_STAGES];
    int n = kernel_streams(p, kernel, stream);
    fprintf(out, "    {%s, %d, %d", name, r->blocks_per_task, r->splits);
    for (int i = 0; i < n; i++)
        fprintf(out, "%s%uu", i ? ", " : ", (const uint32_t[]){", (unsigned)stream[i]);
    fputs(n ? "}},\n" : "},\n", out);
}

static void put_functions(const struct plan *p, const struct source *s, FILE *out)
{
    fprintf(out, "#if FIRST_PIECE == 0\n");
    for (const struct text *t = s->text; t < s->text + s->ntext; t++)
        fprintf(out, "KERNEL void %s(const struct nr_args *a, int64_t first, int64_t last);\n", t->name);
    fprintf(out, "\nstatic const struct nr_kernel kernels[] = {\n");
    for (int k = 0; k < p->nkernel; k++)
        if (s->row[k].text >= 0)
            put_row(p, k, &s->row[k], s->text[s->row[k].text].name, out);
    fprintf(out, "};\n\nconst struct nr_object nr_object = {%d, %d, LANES, sizeof(real), kernels};\n#endif\n", EMIT_ABI,
            emit_row(p, s->target, p->nkernel));
}

const struct language language_c = {
    .arguments = "const struct nr_args *a",
    .open_kernel = open_function,
    .put_operands = operands,
    .open_tasks = tasks,
    .task_loops = 2,
    .open_elements = elements,
    .open_image = image,
    .open_rows = rows,
    .open_share = share,
    .parts = 1,
    .open_values = values,
    .open_team = team,
    .team_loops = 1,
    .open_terms = terms,
    .first = "0",
    .step = "%s++",
    .put_row_maps = row_maps,
    .put_value_maps = value_maps,
    .kind = kind,
    .page = page,
    .put_prelude = put_prelude,
    .pieces = EMIT_PIECES,
    .put_functions = put_functions,
};
