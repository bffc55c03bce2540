/* op.c: the table of ops, gathered from the files under ops/, and what shapes are equal. */
#include "expr.h"
#include "op.h"
#include "base/base.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define MODULE(name) extern const struct module module_##name;
#include "oplist.h"
#undef MODULE

static const struct module *const modules[] = {
#define MODULE(name) &module_##name,
#include "oplist.h"
#undef MODULE
};

enum { MAX_OPS = 256 };
static struct op derived[MAX_OPS];
static const struct op *ops[MAX_OPS], *all_ops[2 * MAX_OPS];
static int nop, nderived, nall;
static pthread_once_t once = PTHREAD_ONCE_INIT;

const char *op_letters(const struct op *op)
{
    return op->letters ? op->letters : "abcdefij";
}

/* `relu.da`: its inputs are the names that the derivative mentions, g first. */
static void derive(const struct op *op, int input, struct region *r)
{
    if (nderived == MAX_OPS)
        abort();
    struct op *d = &derived[nderived++];
    const char *letters = op_letters(op);
    static char names[MAX_OPS][24], inputs[MAX_OPS][12];
    char *name = names[nderived - 1], *in = inputs[nderived - 1];
    snprintf(name, sizeof names[0], "%s.d%c", op->name, letters[input]);
    struct expr *e = expr_parse(r, op->bwd[input]);
    for (const char *c = "gyabcdefij"; *c; c++)
        if (expr_uses(e, (char[]){*c, 0}))
            in[d->nin++] = *c;
    d->name = name;
    d->doc = op->doc;
    d->kind = OP_MAP;
    d->nout = 1;
    memcpy(d->attr, op->attr, sizeof d->attr);
    d->fwd[0] = op->bwd[input];
    d->letters = in;
    d->shape = op->shape;
}

/* What an update does besides: with the gradient before, with the parameter behind. The norm of all gradients is n. */
static const struct {
    const char *name, *before, *behind;
} variant[] = {
    {"norm", "g = g * (clip / (n + 0.000001) < 1 ? clip / (n + 0.000001) : 1)", NULL},
    {"value", "g = g > clip ? clip : g < -clip ? -clip : g", NULL},
    {"ema", NULL, MEAN_OF_WEIGHTS},
};
enum { NORM, VALUE, EMA };

const char *update_variant(struct region *r, const char *update, const char *clip, bool ema)
{
    return region_printf(r, "%s%s%s%s", update, clip ? "." : "", clip ? clip : "", ema ? ".ema" : "");
}

bool update_clips(const char *clip)
{
    return strcmp(clip, variant[NORM].name) == 0 || strcmp(clip, variant[VALUE].name) == 0;
}

bool update_norm(const struct op *op)
{
    const char *dot = strchr(op->name, '.');
    return dot && !strncmp(dot + 1, variant[NORM].name, strlen(variant[NORM].name));
}

/* clip: NORM, VALUE, or EMA: none. */
static void derive_update(const struct op *op, int clip, bool ema)
{
    const bool whole = *op->letters == 'p' && op->letters[op->nin - 1] == 'g'; /* the step, not a part of it */
    if (!strchr(op->letters, 'g') || (ema && !whole))
        return;
    static char names[MAX_OPS][40], letters[MAX_OPS][MAX_OPERANDS + 1];
    struct op *d = &derived[nderived];
    char *name = names[nderived], *letter = letters[nderived];
    if (++nderived == MAX_OPS)
        abort();
    int slots = 0, formulas = 0;
    *d = *op;
    while (op->slot[slots])
        slots++;
    if (ema)
        d->slot[slots] = variant[EMA].name;
    snprintf(letter, sizeof letters[0], "%.*s%s%c%s", op->nin - 1, op->letters, ema ? "q" : "",
             op->letters[op->nin - 1], clip == NORM ? "n" : "");
    snprintf(name, sizeof names[0], "%s%s%s%s", op->name, clip == EMA ? "" : ".", clip == EMA ? "" : variant[clip].name,
             ema ? ".ema" : "");
    if (clip != EMA)
        d->fwd[formulas++] = variant[clip].before;
    for (int i = 0; op->fwd[i]; i++)
        d->fwd[formulas++] = op->fwd[i];
    if (ema)
        d->fwd[formulas] = variant[EMA].behind;
    d->name = name;
    d->letters = letter;
    d->nin = (int)strlen(letter);
    d->nout += ema;
}

const char *op_formula(const struct op *op, int i, int *out)
{
    const char *text = i < COUNT(op->fwd) ? op->fwd[i] : NULL;
    *out = i;
    if (!text || !op->update || strncmp(text + 1, " = ", 3))
        return text;
    *out = (int)(strchr(op_letters(op), *text) - op_letters(op));
    return text + 4;
}

int op_numbers(const struct op *op, struct region *r, const char **list)
{
    const char *name[CTL_NUMBERS + MAX_OPERANDS + 1], *formula;
    int names = 0, n = 0, out;
    for (int i = 0; op->gate == GATE_STEP && (formula = op_formula(op, i, &out)); i++)
        names = expr_names(expr_parse(r, formula), name, names, COUNT(name));
    for (int i = 0; i < names; i++)
        if (name[i][1] && strcmp(name[i], "lr") && op_attr(op, name[i]) < 0) {
            if (n == CTL_NUMBERS)
                abort();
            list[n++] = name[i];
        }
    return n;
}

/* Of the n in list or beyond, behind which one more may come. */
static int add_number(const char **list, int n, const char *name)
{
    for (int i = 0; i < n && i < CTL_NUMBERS; i++)
        if (!strcmp(list[i], name))
            return n;
    if (n < CTL_NUMBERS)
        list[n] = name;
    return n + 1;
}

int plan_numbers(const struct plan *p, struct region *r, const char **list)
{
    const struct op *met[CTL_NUMBERS];
    int n = 0, ops_met = 0;
    for (const struct kernel *k = p->kernel; k < p->kernel + p->nkernel; k++)
        for (const struct stage *s = k->stage; s < k->stage + k->nstage; s++) {
            const char *own[CTL_NUMBERS];
            int known = 0;
            if (s->op->gate != GATE_STEP)
                continue;
            while (known < ops_met && met[known] != s->op)
                known++;
            if (known < ops_met)
                continue;
            if (ops_met < COUNT(met))
                met[ops_met++] = s->op;
            const int owns = op_numbers(s->op, r, own);
            for (int i = 0; i < owns; i++)
                n = add_number(list, n, own[i]);
        }
    return n;
}

static int by_name(const void *a, const void *b)
{
    return strcmp((*(const struct op *const *)a)->name, (*(const struct op *const *)b)->name);
}

static void gather_tables(void)
{
    struct region *r = region_new();
    for (int m = 0; m < COUNT(modules); m++) {
        for (int i = 0; i < modules[m]->nop; i++) {
            const struct op *op = &modules[m]->op[i];
            if (nop == MAX_OPS - 1)
                abort();
            ops[nop++] = op;
            for (int k = 0; op->kind == OP_MAP && k < COUNT(op->bwd); k++)
                if (op->bwd[k])
                    derive(op, k, r);
            for (int k = 0; op->update && op->gate == GATE_STEP && k <= 2 * EMA; k++)
                derive_update(op, k / 2, k % 2 == 0);
        }
    }
    region_free(r);
    for (int i = 0; i < nop; i++)
        all_ops[nall++] = ops[i];
    for (int i = 0; i < nderived; i++)
        all_ops[nall++] = &derived[i];
    qsort(ops, (size_t)nop, sizeof *ops, by_name);
    qsort(all_ops, (size_t)nall, sizeof *all_ops, by_name);
}

const struct op *op_find(const char *name)
{
    pthread_once(&once, gather_tables);
    struct op key = {.name = name}, *p = &key;
    const struct op **found = bsearch(&p, all_ops, (size_t)nall, sizeof *all_ops, by_name);
    return found ? *found : NULL;
}

const struct op *op_at(int i)
{
    pthread_once(&once, gather_tables);
    return i < nop ? ops[i] : NULL;
}

int op_attr(const struct op *op, const char *name)
{
    for (int i = 0; i < MAX_ATTRS && op->attr[i]; i++)
        if (!strcmp(op->attr[i], name))
            return i;
    return -1;
}

int kernel_group(const struct plan *p, int k)
{
    const struct stage *s = p->kernel[k].stage;
    const int at = s->op->gate == GATE_STEP ? op_attr(s->op, "group") : -1;
    return at < 0 ? -1 : (int)s->attr[at];
}

int plan_groups(const struct plan *p)
{
    int groups = 0;
    for (int k = 0; k < p->nkernel; k++)
        groups = kernel_group(p, k) >= groups ? kernel_group(p, k) + 1 : groups;
    return groups;
}

int kernel_streams(const struct plan *p, int k, uint32_t *list)
{
    const struct kernel *kernel = &p->kernel[k];
    int n = 0, at;
    for (const struct stage *s = kernel->stage; s < kernel->stage + kernel->nstage; s++)
        if ((at = op_attr(s->op, "stream")) >= 0)
            list[n++] = (uint32_t)s->attr[at];
    return n;
}

const struct module *module_at(int i)
{
    return i < COUNT(modules) ? modules[i] : NULL;
}

bool attr_whole(double v, double lo, double hi)
{
    return v >= lo && v <= hi && v == floor(v);
}

bool attr_dims(const double *a, struct tensor *t)
{
    if (!attr_whole(a[DIMS_RANK], 0, MAX_RANK))
        return false;
    t->rank = (int)a[DIMS_RANK];
    for (int i = 0; i < t->rank; i++) {
        if (!attr_whole(a[DIMS_D0 + i], 1, MAX_SIDE))
            return false;
        t->dim[i] = (int64_t)a[DIMS_D0 + i];
    }
    return true;
}

bool same_shape(const struct tensor *a, const struct tensor *b)
{
    if (a->rank != b->rank || a->rows != b->rows)
        return false;
    for (int i = 0; i < a->rank; i++)
        if (a->dim[i] != b->dim[i])
            return false;
    return true;
}

bool is_rows(const struct tensor *t, enum dtype d, int rank)
{
    return in_lanes(t) && t->dtype == d && t->rank == rank;
}

/* Maps: every input has the shape of the widest one, or is without rows and holds one value, or one per channel. */
bool map_shape(const double *attr, const struct tensor *const *in, int nin, struct tensor *out, int nout)
{
    (void)attr;
    const struct tensor *wide = in[0];
    for (int i = 1; i < nin; i++) {
        bool more_rows = in[i]->rows && !wide->rows;
        if (more_rows || (in[i]->rows == wide->rows && in[i]->rank > wide->rank))
            wide = in[i];
    }
    for (int i = 0; i < nin; i++) {
        if (in[i]->dtype != DT_F32)
            return false;
        bool one = !in[i]->rows && in[i]->rank == 0;
        bool channel =
            !in[i]->rows && wide->rows && in[i]->rank == 1 && wide->rank >= 1 && in[i]->dim[0] == wide->dim[0];
        if (!same_shape(in[i], wide) && !one && !channel)
            return false;
        if (in[i]->rows && !in_lanes(in[i]))
            return false;
    }
    for (int o = 0; o < nout; o++) {
        out[o].dtype = DT_F32;
        out[o].layout = wide->layout;
        out[o].rows = wide->rows;
        out[o].rank = wide->rank;
        memcpy(out[o].dim, wide->dim, sizeof out[o].dim);
    }
    return true;
}

bool update_shape(const double *attr, const struct tensor *const *in, int nin, struct tensor *out, int nout)
{
    return attr_whole(attr[UPDATE_GROUP], 0, CTL_GROUPS - 1) && map_shape(attr, in, nin, out, nout);
}

int64_t op_scratch(const struct op *op, const struct target *t, bool rows, const double *attr,
                   const struct tensor *const *in, const struct tensor *const *out)
{
    int64_t most = 0;
    for (const struct body *b = op->body; b && b->name; b++) {
        op_count *rule = b->target != t ? NULL : rows ? b->row_scratch : b->scratch;
        int64_t floats = rule ? rule(attr, in, out) : 0;
        most = floats > most ? floats : most;
    }
    return most;
}

const char body_plain[] = "plain";

bool op_knows(const struct op *op, const char *algorithm)
{
    if (!strcmp(algorithm, body_plain))
        return op->emit;
    for (const struct body *b = op->body; b && b->name; b++)
        if (!strcmp(b->name, algorithm))
            return true;
    return false;
}
