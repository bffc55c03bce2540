/* emit.c: what the ops call to write a kernel, in any language: names, places, the heads of functions. The loops are those of the
 * target's language. */
#include "language.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void put(struct writer *w, const char *format, ...)
{
    char line[MAX_LINE];
    va_list ap;
    va_start(ap, format);
    size_t n = (size_t)vsnprintf(line, sizeof line, format, ap);
    va_end(ap);
    if (n >= sizeof line) {
        fputs("internal error: a line of emitted code is too long\n", stderr);
        exit(70);
    }
    if (w->target->language->put_line) {
        w->target->language->put_line(w, line);
        return;
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
    if (t->role == ROLE_GRAD)
        word = "gradients";
    if (t->role == ROLE_SUM)
        word = "sum";
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

/* ---- places ---- */

const char *place_of(struct writer *w, int tensor, const char *block, const char *e)
{
    const struct tensor *t = tensor_of(w, tensor);
    if (!t->rows)
        return region_printf(w->region, "%s + %s", name_of(w, tensor), e);
    return region_printf(w->region, "%s + %s", name_of(w, tensor), lane_place_text(w->region, t, block, e));
}

const char *row_value(struct writer *w, int tensor, const char *row, const char *e)
{
    return region_printf(w->region, "%s[%s]", name_of(w, tensor),
                         row_place_text(w->region, tensor_of(w, tensor), row, e));
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

/* ---- kernel functions ---- */

static int root_of(const struct writer *w, int tensor)
{
    int base = tensor_of(w, tensor)->base;
    return base >= 0 ? base : tensor;
}

/* Is it what an update makes? Where else bytes are shared is a matter of places, which equal kernels need not have in common. */
static bool is_updated(const struct writer *w, int tensor)
{
    for (const struct stage *s = w->kernel->stage; s < w->kernel->stage + w->kernel->nstage; s++)
        for (int o = 0; s->op->update && o < s->nout; o++)
            if (s->out[o] == tensor)
                return true;
    return false;
}

const char *alias_text(struct writer *w, const int *list, int i)
{
    const struct tensor *t = tensor_of(w, list[i]);
    for (int j = 0; j < i && is_updated(w, list[i]); j++) {
        const struct tensor *other = tensor_of(w, list[j]);
        const int64_t at = t->base < 0 ? 0 : t->at, other_at = other->base < 0 ? 0 : other->at;
        if (root_of(w, list[i]) == root_of(w, list[j]) && at == other_at)
            return region_printf(w->region, "    /* the bytes of %s */", name_of(w, list[j]));
    }
    return "";
}

const char *const real_type[] = {"real", "uint8_t", "int32_t", "uint32_t", "double"};

/* Does the kernel write the bytes of this tensor, or of what it is a part of? */
bool is_written(const struct writer *w, int tensor)
{
    if (w->pads && root_of(w, tensor) == root_of(w, w->kernel->stage[0].in[0]))
        return true;
    for (const struct stage *s = w->kernel->stage; s < w->kernel->stage + w->kernel->nstage; s++)
        for (int o = 0; o < s->nout; o++)
            if (is_stored(w, s->out[o]) && root_of(w, s->out[o]) == root_of(w, tensor))
                return true;
    return false;
}

/* When the kernel's updates happen, and the control words that its stages name. */
static void put_gate(struct writer *w)
{
    enum gate gate = w->kernel->stage[0].op->gate; /* that of all its stages */
    if (gate == GATE_STEP)
        put(w, "if (!a->control[CTL_LAST] || !a->control[CTL_FINITE])");
    if (gate == GATE_FINITE)
        put(w, "if (!a->control[CTL_FINITE])");
    if (gate == GATE_STEP || gate == GATE_FINITE)
        put(w, "    return;                                    /* a loss that is not finite changes nothing */");
}

void open_kernel(struct writer *w)
{
    const struct language *l = w->target->language;
    l->open_kernel(w);
    put_gate(w);
    if (l->put_operands)
        l->put_operands(w);
    put_numbers(w);
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
    w->target->language->open_tasks(w, blocks_per_task, splits);
}

void close_tasks(struct writer *w)
{
    for (int i = 0; i < w->target->language->task_loops; i++)
        put(w, "}");
}

void open_elements(struct writer *w, int64_t n, int splits)
{
    w->target->language->open_elements(w, n, splits);
}

void close_elements(struct writer *w)
{
    put(w, "}");
    close_tasks(w);
}

void open_image(struct writer *w, int64_t C, int64_t P, int64_t Q)
{
    w->target->language->open_image(w, C, P, Q);
}

void open_rows(struct writer *w)
{
    w->target->language->open_rows(w);
}

int copy_parts(const struct writer *w)
{
    return w->target->language->parts;
}

void open_share(struct writer *w, int64_t n)
{
    w->target->language->open_share(w, n);
}

void open_values(struct writer *w, const char *name, int64_t n, int splits)
{
    w->blocks_per_task = 0;
    w->target->language->open_values(w, name, n, splits);
}

void open_team(struct writer *w, int64_t n)
{
    w->blocks_per_task = 0;
    w->splits = (int)n;
    w->target->language->open_team(w);
}

void open_terms(struct writer *w, int64_t places)
{
    w->target->language->open_terms(w, places);
}

void open_turns(struct writer *w, const char *name, const char *n)
{
    const struct language *l = w->target->language;
    put(w, "for (int64_t %s = %s; %s < %s; %s)", name, l->first, name, n, region_printf(w->region, l->step, name));
}

void put_fold(struct writer *w, const char *name, const char *sum, bool first)
{
    const struct language *l = w->target->language;
    if (l->meeting && first)
        put(w, "%s;", l->meeting);
    put(w, "const double %s = %s;", name, l->fold ? region_printf(w->region, l->fold, sum) : sum);
}

void open_lead(struct writer *w)
{
    if (w->target->language->lead)
        put(w, "%s", w->target->language->lead);
}

void close_lead(struct writer *w)
{
    if (w->target->language->lead)
        put(w, "}");
}

void close_team(struct writer *w)
{
    for (int i = 0; i < w->target->language->team_loops; i++)
        put(w, "}");
}
