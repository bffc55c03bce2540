/* maps.c: scalar expressions in kernels: what their names stand for, and the numbers of a step that they name. */
#include "language.h"
#include "plan/expr.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    enum control_word word;
} control[] = {
    {"lr", CTL_LR},
    {"inv_run", CTL_INV_RUN},
    {"begin", CTL_FIRST},
};

struct scope {
    struct writer *w;
    const struct stage *s;
    const char *block, *e, *c;
    int formula;
};

/* "stream0": what stage s draws its mask from, among those of its kernel. */
static const char *stream_of(struct writer *w, const struct stage *s)
{
    int n = 0;
    for (const struct stage *before = w->kernel->stage; before < s; before++)
        n += op_attr(before->op, "stream") >= 0;
    return region_printf(w->region, "stream%d", n);
}

static int place_of_number(const char *const *list, int n, const char *name)
{
    while (--n >= 0 && strcmp(list[n], name))
        ;
    return n;
}

/* The variable of an optimizer's number: its name, or of one that the host computes "host2"; NULL: it is none. */
static const char *number_of(struct writer *w, const struct op *op, const char *name)
{
    const char *list[CTL_NUMBERS];
    const int at = place_of_number(list, op_numbers(op, w->region, list), name);
    return at < 0 ? NULL : *name == '{' ? region_printf(w->region, "host%d", at) : name;
}

/* Has an expression before `formula` replaced this input? */
static bool replaced(const struct op *op, int formula, int input)
{
    for (int i = 0, out; i < formula && op->update; i++)
        if (op_formula(op, i, &out) && out == input)
            return true;
    return false;
}

/* Updates whose rows have letters are written as the paper has them: variables of these names, which are overwritten. */
static bool reads_as_written(const struct op *op)
{
    return op->update && op->letters;
}

static void write_name(const char *name, FILE *out, void *context)
{
    const struct scope *k = context;
    const struct stage *s = k->s;
    const char *letters = op_letters(s->op), *letter = strlen(name) == 1 ? strchr(letters, *name) : NULL;
    if (letter && letter - letters < s->nin && reads_as_written(s->op)) {
        fputc(*letter, out);
        return;
    }
    if (letter && letter - letters < s->nin) {
        const int i = (int)(letter - letters);
        fputs(read_of(k->w, replaced(s->op, k->formula, i) ? s->out[i] : s->in[i], k->block, k->e, k->c), out);
        return;
    }
    const char *number = number_of(k->w, s->op, name);
    if (number) {
        fputs(number, out);
        return;
    }
    int a = op_attr(s->op, name);
    if (a >= 0)
        fprintf(out, "num(%.17g)", s->attr[a]);
    else if (!strcmp(name, "live"))
        fprintf(out, "sel(live_mask(a, %s, lane), num(1), num(0))", k->block);
    else if (!strcmp(name, "keep")) {
        double threshold = ceil(s->attr[0] * 4294967296.0);
        fprintf(out, "keep_mask(a, %s, lane, (uint32_t)%s, %s, %uu)", k->block, k->e, stream_of(k->w, s),
                (unsigned)threshold);
    } else
        fputs(name, out); /* a control word, declared by open_kernel */
}

/* An expression as text of a line. */
static const char *value_of(struct scope *k, const char *formula)
{
    char text[MAX_LINE];
    FILE *out = fmemopen(text, sizeof text, "w");
    if (out)
        expr_print(expr_parse(k->w->region, formula), out, write_name, k);
    if (!out || fclose(out)) {
        fprintf(stderr, "internal error: `%s` cannot be written\n", formula);
        exit(70);
    }
    return region_copy(k->w->region, text);
}

static void put_update(struct writer *w, const struct stage *s, const char *block, const char *e, const char *c)
{
    struct scope k = {w, s, block, e, c, 0};
    const char *formula;
    for (int i = 0; i < s->nin; i++)
        put(w, "V %c = %s;", s->op->letters[i], read_of(w, s->in[i], block, e, c));
    for (int o; (formula = op_formula(s->op, k.formula, &o)); k.formula++)
        put(w, "%c = %s;", s->op->letters[o], value_of(&k, formula));
    for (int o = 0; o < s->nout; o++)
        put(w, "st(%s, %c);", place_of(w, s->out[o], block, e), s->op->letters[o]);
}

void put_maps(struct writer *w, int from, int to, const char *block, const char *e, const char *c)
{
    for (int i = from; i < to; i++) {
        const struct stage *s = &w->kernel->stage[i];
        if (reads_as_written(s->op)) {
            put_update(w, s, block, e, c);
            continue;
        }
        struct scope k = {w, s, block, e, c, 0};
        const char *formula; /* results without one are not of an element, but of the sums */
        for (int o; (formula = op_formula(s->op, k.formula, &o)); k.formula++)
            put(w, "const V v%d = %s;", var_of(w, s->out[o]), value_of(&k, formula));
        for (int o = 0; o < s->nout && s->op->kind == OP_MAP; o++)
            if (is_stored(w, s->out[o]))
                put(w, "st(%s, v%d);", place_of(w, s->out[o], block, e), var_of(w, s->out[o]));
    }
}

/* The control word of a group's own number; that of all, where nobody has spoken of groups. */
static int own_word(const struct writer *w, enum group_word number, int of_all)
{
    const int group = kernel_group(w->plan, (int)(w->kernel - w->plan->kernel));
    return group >= 0 && plan_setting(w->plan, "train.optimizer.groups.0")
               ? CTL_GROUP + GROUP_WORDS * group + (int)number
               : of_all;
}

static void put_control_words(struct writer *w)
{
    bool named[COUNT(control)] = {false};
    for (const struct stage *s = w->kernel->stage; s < w->kernel->stage + w->kernel->nstage; s++) {
        const char *formula;
        for (int i = 0, out; (formula = op_formula(s->op, i, &out)); i++)
            for (int k = 0; k < COUNT(control); k++)
                named[k] |= expr_uses(expr_parse(w->region, formula), control[k].name);
    }
    for (int k = 0; k < COUNT(control); k++)
        if (named[k])
            put(w, "const V %s = vec(word(a, %d));", control[k].name,
                control[k].word == CTL_LR ? own_word(w, GROUP_LR, CTL_LR) : (int)control[k].word);
}

/* An update of the optimizer stands alone in its kernel. */
static void put_optimizer_numbers(struct writer *w)
{
    const char *list[CTL_NUMBERS], *all[CTL_NUMBERS];
    const struct op *op = w->kernel->stage->op;
    const int n = op_numbers(op, w->region, list), of = n ? plan_numbers(w->plan, w->region, all) : 0;
    for (int i = 0; i < n; i++) {
        const int word = CTL_NUMBER + place_of_number(all, of, list[i]);
        put(w, "const V %s = vec(word(a, %d));%s", number_of(w, op, list[i]),
            strcmp(list[i], "decay") == 0 ? own_word(w, GROUP_DECAY, word) : word,
            *list[i] == '{' ? region_printf(w->region, "    /* %s */", list[i]) : "");
    }
}

void put_numbers(struct writer *w)
{
    put_control_words(w);
    put_optimizer_numbers(w);
}

void put_map_kernel(struct writer *w)
{
    const struct tensor *t = tensor_of(w, w->kernel->stage[0].out[0]);
    open_kernel(w);
    if (t->rows)
        w->target->language->put_row_maps(w, t);
    else
        w->target->language->put_value_maps(w, tensor_elements(t));
    close_kernel(w);
}

void put_plain_kernel(struct writer *w)
{
    const struct stage *s = w->kernel->stage;
    if (s->op->emit)
        s->op->emit(w, s);
    else if (s->op->kind == OP_MAP)
        put_map_kernel(w);
}
