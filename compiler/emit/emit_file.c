/* emit_file.c: a checked plan as one file of C or CUDA. Kernels are written stage by stage: the anchor's op writes the loops
 * (op.emit) and calls back for the maps behind it. What the user calls things stands in a table in front, in no kernel. */
#include "choose.h"
#include "language.h"
#include "plan/plan_text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* A line of text that comes from outside, fit for a comment: neither an end of line nor an escape of one reaches the compiler. */
static void put_plain(const char *text, FILE *out)
{
    for (; *text && *text != '\n'; text++)
        fputc(isprint((unsigned char)*text) && !strchr("\\@", *text) ? *text : '?', out);
}

/* False if no function came of it: the op has code for another target, or none. */
static bool put_kernel(struct writer *w)
{
    const struct kernel *k = w->kernel;
    fprintf(w->out, "// @ =");
    for (int i = 0; i < k->nstage; i++)
        fprintf(w->out, "%s %s", i ? "," : "", k->stage[i].op->name);
    fprintf(w->out, "\n");
    const struct body *b = choose_body(w, &k->stage[0], NULL);
    if (b)
        b->emit(w, &k->stage[0]);
    else
        put_plain_kernel(w);
    fprintf(w->out, "\n");
    if (!w->nlaunch)
        fprintf(stderr, "internal error: op %s has no code for %s\n", k->stage[0].op->name, w->target->name);
    return w->nlaunch;
}

/* In text `@` stands for the name of the kernel, `$` for the samples of a block: neither is in C. */
static void put_named(const char *text, const char *name, FILE *out)
{
    for (; *text; text++)
        if (*text == '@')
            fputs(name, out);
        else if (*text == '$')
            fprintf(out, "%d", ROW_BLOCK);
        else
            fputc(*text, out);
}

/* "k2_conv": the number of the function and what its first stage does. */
static const char *function_name(struct region *r, int number, const struct kernel *k)
{
    char *name = region_printf(r, "k%d_%s", number, k->stage[0].op->name);
    for (char *c = name; *c; c++)
        if (*c == '.')
            *c = '_';
    return name;
}

static void add_launches(const struct writer *w, int kernel, const char *name, struct emit_launches *l)
{
    for (int i = 0; i < w->nlaunch; i++) {
        const char *suffix = w->launch[i].entry;
        region_grow(l->region, l->launch, l->n);
        struct emit_launch *to = &l->launch[l->n++];
        *to = w->launch[i];
        to->kernel = kernel;
        to->entry = region_printf(l->region, "%s%s", name, suffix ? suffix : "");
    }
}

/* The text of a kernel, NULL if it cannot be written. */
static char *kernel_text(struct writer *w)
{
    char *text = NULL;
    size_t length;
    w->out = open_memstream(&text, &length);
    bool good = w->out && put_kernel(w);
    good = w->out && fclose(w->out) == 0 && good;
    if (good)
        return text;
    free(text);
    return NULL;
}

/* False if a kernel cannot be written. `l` NULL: its launches are not wanted. */
static bool put_kernels(const struct plan *p, struct writer w, struct source *s, struct emit_launches *l)
{
    *s = (struct source){.region = region_new(), .target = w.target};
    s->row = region_alloc(s->region, (size_t)p->nkernel + 1, sizeof *s->row);
    struct lookup seen = {0};
    bool good = true;
    const struct writer fresh = w;
    for (int k = 0; k < p->nkernel && good; k++) {
        s->row[k].text = -1;
        if (p->schedule[p->kernel[k].schedule].target != target_schedules(w.target))
            continue;
        w = fresh;
        w.plan = p;
        w.kernel = &p->kernel[k];
        w.region = region_new();
        char *body = kernel_text(&w);
        good = body;
        int text = good ? lookup_find(&seen, body) : -1;
        if (good && text < 0) {
            text = s->ntext;
            region_grow(s->region, s->text, s->ntext);
            s->text[s->ntext++] = (struct text){body, function_name(s->region, text, w.kernel)};
            lookup_add(s->region, &seen, body, text);
        } else
            free(body);
        if (good && l)
            add_launches(&w, k, s->text[text].name, l);
        s->row[k] = (struct row){text, w.blocks_per_task, w.splits};
        region_free(w.region);
    }
    return good;
}

/* ---- the table in front ---- */

/* The first line of the model behind `last` that a kernel came from; 0: none. */
static int line_behind(const struct kernel *k, int last)
{
    int line = 0;
    for (const struct stage *s = k->stage; s < k->stage + k->nstage; s++)
        if (s->line > last && (!line || s->line < line))
            line = s->line;
    return line;
}

/* Which function each kernel of the plan is, and the lines that it came from: for reading, and for a profile. */
static void put_table(const struct plan *p, const struct source *s, FILE *out)
{
    const char **text = NULL;
    int n = 0;
    for (const char *c = p->source; c; c = next_line(c)) {
        region_grow(s->region, text, n);
        text[n++] = c;
    }
    fprintf(out, "// kernel of the plan, its function here, lines of the model | the first of them\n");
    for (int k = 0; k < p->nkernel; k++) {
        if (s->row[k].text < 0)
            continue;
        const int first = line_behind(&p->kernel[k], 0);
        fprintf(out, first ? "// %-32s %-16s " : "// %-32s %s", p->kernel[k].name, s->text[s->row[k].text].name);
        for (int line = first; line; line = line_behind(&p->kernel[k], line))
            fprintf(out, " %d", line);
        if (first) {
            fputs(" | ", out);
            put_plain(text[first - 1] + strspn(text[first - 1], " \t"), out);
        }
        fputc('\n', out);
    }
}

static void put_head(const struct plan *p, const struct source *s, const struct emit_options *o, FILE *out)
{
    if (o->file) {
        fprintf(out, "// ");
        put_plain(o->file, out);
        fprintf(out, ": network `%s`, %lld parameters, %s; plan version %d\n", p->net, (long long)p->params,
                s->target->language->kind(s->region, s->target, o), PLAN_VERSION);
        put_named(s->target->language->page, "", out);
        put_table(p, s, out);
    }
    fprintf(
        out,
        "enum { ROW_BLOCK = %d, CTL_ROWS = %d, CTL_STEP = %d, CTL_POSITION = %d, CTL_EPOCH = %d, CTL_COUNT_SAMPLES = %d, CTL_SHUFFLE = %d, "
        "CTL_SEED0 = %d, CTL_SEED1 = %d, CTL_LAST = %d, CTL_FINITE = %d };\n",
        ROW_BLOCK, CTL_ROWS, CTL_STEP, CTL_POSITION, CTL_EPOCH, CTL_COUNT_SAMPLES, CTL_SHUFFLE, CTL_SEED0, CTL_SEED1,
        CTL_LAST, CTL_FINITE);
}

/* A kernel belongs to the piece that its middle lies in. */
static void put_texts(const struct source *s, FILE *out)
{
    const size_t pieces = (size_t)s->target->language->pieces;
    size_t all = 0, before = 0, here = 0;
    for (const struct text *t = s->text; t < s->text + s->ntext; t++)
        all += strlen(t->body);
    fprintf(out, "\n");
    for (const struct text *t = s->text; t < s->text + s->ntext; t++) {
        const size_t length = strlen(t->body), piece = (before + length / 2) * pieces / all;
        before += length;
        if (pieces && (t == s->text || piece != here))
            fprintf(out, "%s#if FIRST_PIECE <= %zu && %zu < LAST_PIECE\n", t == s->text ? "" : "#endif\n\n", piece,
                    piece);
        here = piece;
        put_named(t->body, t->name, out);
    }
    if (pieces && s->ntext)
        fprintf(out, "#endif\n\n");
}

static void close_source(struct source *s)
{
    for (int i = 0; i < s->ntext; i++)
        free(s->text[i].body);
    region_free(s->region);
}

int emit_row(const struct plan *p, const struct target *t, int kernel)
{
    int row = 0;
    for (int i = 0; i < p->nschedule && p->schedule[i].first_kernel < kernel; i++)
        if (p->schedule[i].target == target_schedules(t))
            row += (p->schedule[i].last_kernel < kernel ? p->schedule[i].last_kernel : kernel) -
                   p->schedule[i].first_kernel;
    return row;
}

static bool emit(const struct target *t, const struct plan *p, const struct emit_options *o, FILE *out,
                 struct emit_launches *l)
{
    struct source s;
    const struct writer w = {.target = t, .lanes = t->lanes ? t->lanes : o->lanes, .precision = o->precision};
    bool good = put_kernels(p, w, &s, l);
    if (good) {
        put_head(p, &s, o, out);
        t->language->put_prelude(t, o, out);
        put_augment_prelude(p, out);
        put_texts(&s, out);
        if (t->language->put_functions)
            t->language->put_functions(p, &s, out);
    }
    close_source(&s);
    return good && !ferror(out);
}

bool emit_kernels(const struct plan *p, const struct emit_options *o, FILE *out)
{
    return emit(o->target ? o->target : &target_cpu, p, o, out, NULL);
}

bool emit_cuda(const struct plan *p, const struct emit_options *o, FILE *out, struct emit_launches *l)
{
    *l = (struct emit_launches){.region = region_new()};
    return emit(&target_cuda, p, o, out, l);
}

void emit_launches_free(struct emit_launches *l)
{
    if (l->region)
        region_free(l->region);
    *l = (struct emit_launches){0};
}
