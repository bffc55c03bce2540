/* emit_file.c: a checked plan as one file of C or CUDA. Kernels are written stage by stage: the anchor's op writes the loops
 * (op.emit) and calls back for the maps behind it. Kernels with the same text are written once. */
#include "netc.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static const char prelude[] = {
#include "prelude.inc"
    0};
static const char prelude_cuda[] = {
#include "prelude_cuda.inc"
    0};
static const char prelude_mma[] = {
#include "prelude_mma.inc"
    0};

/* A line of text that comes from outside, fit for a comment: neither an end of line nor an escape of one reaches the compiler. */
static void put_plain(const char *text, FILE *out)
{
    for (; *text && *text != '\n'; text++)
        fputc(isprint((unsigned char)*text) && !strchr("\\@", *text) ? *text : '?', out);
}

/* Lines of the model that the kernel came from, each once, in order. */
static void put_origin(struct writer *w)
{
    const struct kernel *k = w->kernel;
    int last = 0;
    for (int best; (best = 0, true);) {
        for (int i = 0; i < k->nstage; i++)
            if (k->stage[i].line > last && (!best || k->stage[i].line < best))
                best = k->stage[i].line;
        if (!best)
            return;
        last = best;
        const char *c = w->plan->source;
        for (int line = 1; *c && line < best; c++)
            line += *c == '\n';
        fprintf(w->out, "// %4d | ", best);
        put_plain(c, w->out);
        fprintf(w->out, "\n");
    }
}

static void put_kernel(struct writer *w)
{
    const struct kernel *k = w->kernel;
    fprintf(w->out, "// @ =");
    for (int i = 0; i < k->nstage; i++)
        fprintf(w->out, "%s %s", i ? "," : "", k->stage[i].op->name);
    fprintf(w->out, "\n");
    put_origin(w);
    if (k->stage[0].op->emit)
        k->stage[0].op->emit(w, &k->stage[0]);
    else
        put_map_kernel(w);
    fprintf(w->out, "\n");
}

/* In the text of a kernel `@` stands for its name, behind a prefix that no word of C and of the prelude has. */
static void put_named(const char *body, const char *name, FILE *out)
{
    for (; *body; body++)
        if (*body == '@')
            fprintf(out, "k_%s", name);
        else
            fputc(*body, out);
}

/* Kernels of one target as text, those with the same text written once. */
struct text { char *body; size_t length; int same_as; struct writer writer; };

static struct text *put_kernels(const struct plan *p, enum target target, int lanes, enum precision precision)
{
    struct text *text = calloc((size_t)p->nkernel + 1, sizeof *text);
    for (int k = 0; text && k < p->nkernel; k++) {
        text[k].same_as = k;
        if (p->schedule[p->kernel[k].schedule].target != target)
            continue;
        struct writer w = {.plan = p, .kernel = &p->kernel[k], .region = region_new(), .lanes = lanes, .target = target, .precision = precision};
        w.out = open_memstream(&text[k].body, &text[k].length);
        if (w.out) {
            put_kernel(&w);
            fclose(w.out);
        }
        region_free(w.region);
        text[k].writer = w;
        for (int j = 0; j < k && text[k].same_as == k; j++)
            if (text[j].body && text[j].length == text[k].length && !memcmp(text[j].body, text[k].body, text[k].length))
                text[k].same_as = j;
    }
    return text;
}

static void put_head(const struct plan *p, const struct emit_options *o, const char *kind, FILE *out)
{
    fprintf(out, "// ");
    put_plain(o->file ? o->file : "model", out);
    fprintf(out, ": network `%s`, %lld parameters, %s; plan version %d\n", p->net, (long long)p->params, kind, PLAN_VERSION);
    fprintf(out, "enum { CTL_ROWS = %d, CTL_STEP = %d, CTL_POSITION = %d, CTL_EPOCH = %d, CTL_COUNT_SAMPLES = %d, CTL_SHUFFLE = %d, "
            "CTL_SEED0 = %d, CTL_SEED1 = %d, CTL_LAST = %d, CTL_FINITE = %d };\n", CTL_ROWS, CTL_STEP, CTL_POSITION, CTL_EPOCH, CTL_COUNT_SAMPLES,
            CTL_SHUFFLE, CTL_SEED0, CTL_SEED1, CTL_LAST, CTL_FINITE);
}

static void put_texts(const struct plan *p, struct text *text, FILE *out)
{
    fprintf(out, "\n");
    for (int k = 0; k < p->nkernel; k++)
        if (text[k].same_as == k && text[k].body)
            put_named(text[k].body, p->kernel[k].name, out);
}

static void free_texts(const struct plan *p, struct text *text)
{
    for (int k = 0; k < p->nkernel; k++)
        free(text[k].body);
    free(text);
}

int emit_row(const struct plan *p, enum target t, int kernel)
{
    int row = 0;
    for (int i = 0; i < p->nschedule && p->schedule[i].first_kernel < kernel; i++)
        if (p->schedule[i].target == t)
            row += (p->schedule[i].last_kernel < kernel ? p->schedule[i].last_kernel : kernel) - p->schedule[i].first_kernel;
    return row;
}

bool emit_c(const struct plan *p, const struct emit_options *o, FILE *out)
{
    struct text *text = put_kernels(p, TARGET_CPU, o->lanes, PRECISION_FP32);
    char kind[40];
    if (!text)
        return false;
    snprintf(kind, sizeof kind, "%d lanes of %s", o->lanes, o->f64 ? "double" : "float");
    put_head(p, o, kind, out);
    fprintf(out, "#define REAL %s\n#define INT %s\n#define LANES %d\n#define WIDE %d\n", o->f64 ? "double" : "float",
            o->f64 ? "int64_t" : "int32_t", o->lanes, o->f64);
    fputs(prelude, out);
    put_texts(p, text, out);
    fprintf(out, "static const struct nr_kernel kernels[] = {\n");
    for (int k = 0; k < p->nkernel; k++)
        if (text[k].body)
            fprintf(out, "    {\"%s\", k_%s, %d, %d},\n", p->kernel[k].name, p->kernel[text[k].same_as].name,
                    text[k].writer.blocks_per_task, text[k].writer.splits);
    fprintf(out, "};\n\nconst struct nr_object nr_object = {%d, %d, LANES, sizeof(real), kernels};\n", EMIT_ABI,
            emit_row(p, TARGET_CPU, p->nkernel));
    free_texts(p, text);
    return !ferror(out);
}

bool emit_cuda(const struct plan *p, const struct emit_options *o, FILE *out, struct emit_launches *l)
{
    struct text *text = put_kernels(p, TARGET_CUDA, 1, o->precision);
    if (!text)
        return false;
    *l = (struct emit_launches){.region = region_new()};
    put_head(p, o, "float, 16 samples in lanes of threads", out);
    fprintf(out, "enum { CTL_DATA = %d, CTL_SAMPLES = %d, CTL_TARGETS = %d, CTL_RESULTS = %d, CTL_RESULTS_END = %d, CTL_WORDS = %d };\n",
            CTL_DATA, CTL_SAMPLES, CTL_TARGETS, CTL_LOSS, CTL_RESULTS_END, CTL_WORDS);
    fputs(prelude_cuda, out);
    if (o->precision != PRECISION_FP32)
        fprintf(out, "\n#define MMA_K %d                                       // %s\n%s", o->precision == PRECISION_TF32 ? 8 : 16,
                o->precision == PRECISION_TF32 ? "TF32" : "BF16", prelude_mma);
    put_texts(p, text, out);
    for (int k = 0; k < p->nkernel; k++)
        for (int i = 0; i < text[k].writer.nlaunch; i++) {
            const char *suffix = text[k].writer.launch[i].entry;
            region_grow(l->region, l->launch, l->n);
            struct emit_launch *to = &l->launch[l->n++];
            *to = text[k].writer.launch[i];
            to->kernel = k;
            to->entry = region_printf(l->region, "k_%s%s", p->kernel[text[k].same_as].name, suffix ? suffix : "");
        }
    free_texts(p, text);
    return !ferror(out);
}

void emit_launches_free(struct emit_launches *l)
{
    if (l->region)
        region_free(l->region);
    *l = (struct emit_launches){0};
}
