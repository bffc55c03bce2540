/* update.c: the optimizer as nodes. Parameters, gradients and each slot are one contiguous tensor, in declaration order,
 * so the whole update is one map, a checkpoint one copy, and an all-reduce one call. Before it stands what sums gradients
 * where a batch is several runs (enum gate). */
#include "graph.h"
#include "rate.h"

#include <stdlib.h>
#include <string.h>

static int64_t padded_bytes(const struct value *v)
{
    return (value_elements(v) * 4 + PARAM_ALIGN - 1) / PARAM_ALIGN * PARAM_ALIGN;
}

static struct value *group(struct graph *g, enum role role, const char *name, int64_t bytes)
{
    int64_t n = bytes / 4;
    return graph_source(g, role, DT_F32, false, 1, &n, name, (struct loc){0});
}

/* "optimizer", or "optimizer_1" and so on where the user's own layers have that name: what slots are called begins so. */
static const char *slot_prefix(struct graph *g)
{
    const char *prefix = "optimizer";
    for (int i = 0, number = 0; i < g->nvalue; i++) {
        size_t n = strlen(prefix);
        if (strncmp(g->value[i]->t.name, prefix, n) || g->value[i]->t.name[n] != '.')
            continue;
        prefix = region_printf(g->region, "optimizer_%d", ++number);
        i = -1;
    }
    return prefix;
}

/* ---- groups: parameters that have learning rate and decay of the same rows, and are updated by the same rule ---- */

struct own {
    int lr_of, decay_of; /* as in a value */
    bool beside;         /* by the optimizer's other rule: word.beside */
    int64_t at, bytes;
};

static bool is_beside(const struct model *m, const struct value *p)
{
    return m->optimizer->beside && (p->apart || !m->optimizer->takes(p));
}

static bool is_of(const struct model *m, const struct value *p, const struct own *o)
{
    return p->grad && p->lr_of == o->lr_of && p->decay_of == o->decay_of && is_beside(m, p) == o->beside;
}

/* Those of the first rule first, then in the order of their first parameters, but that of the optimizer's own numbers first. Returns
 * how many. */
static int find_groups(const struct graph *g, const struct model *m, struct own own[CTL_GROUPS])
{
    int n = 0;
    for (int pass = 0; pass < 4; pass++)
        for (int i = 0; i < g->nvalue; i++) {
            const struct value *p = g->value[i];
            int k = 0;
            if (!p->grad || (p->lr_of == 0 && p->decay_of == 0) != (pass % 2 == 0) ||
                is_beside(m, p) != (pass / 2 == 1))
                continue;
            while (k < n && !is_of(m, p, &own[k]))
                k++;
            if (k == CTL_GROUPS) {
                diag_error(g->diag, "N0422", m->groups_at, NULL,
                           "the groups make more than %d kinds of parameters that differ in `lr`, `decay` or rule",
                           CTL_GROUPS);
                return 0;
            }
            if (k == n)
                own[n++] = (struct own){.lr_of = p->lr_of, .decay_of = p->decay_of, .beside = is_beside(m, p)};
        }
    return n;
}

static struct setting *group_setting(const struct graph *g, struct model *m, int k, const char *what)
{
    region_grow(g->region, m->setting, m->nsetting);
    struct setting *s = &m->setting[m->nsetting++];
    *s = (struct setting){.key = region_printf(g->region, "train.optimizer.groups.%d%s", k, what), .graph = true};
    return s;
}

/* What netrun goes by: numbers that group k does not have are the optimizer's. */
static void tell_group(const struct graph *g, struct model *m, int k, const struct own *o)
{
    static const char *const name[] = {".lr", ".decay"};
    const int of[] = {o->lr_of, o->decay_of};
    int members = 0;
    for (int i = 0; i < g->nvalue; i++)
        members += is_of(m, g->value[i], o);
    struct setting *s = group_setting(g, m, k, "");
    s->text = region_printf(g->region, "%d parameter%s", members, members == 1 ? "" : "s");
    for (int i = 0; i < COUNT(of); i++) {
        if (of[i] == 0)
            continue;
        s = group_setting(g, m, k, name[i]);
        s->n = 1;
        s->num = region_alloc(g->region, 1, sizeof *s->num);
        *s->num = i == 0 ? m->group[of[i] - 1].lr : m->group[of[i] - 1].decay;
    }
}

/* Gives each trained parameter its place: groups one after the other, each in the order of declaration. Returns all bytes. */
static int64_t place(struct graph *g, const struct model *m, struct own *own, int groups)
{
    int64_t bytes = 0;
    for (struct own *o = own; o < own + groups; o++) {
        o->at = bytes;
        for (int i = 0; i < g->nvalue; i++) {
            struct value *p = g->value[i];
            if (!is_of(m, p, o))
                continue;
            p->t.at = p->grad->t.at = bytes;
            if (__builtin_add_overflow(bytes, padded_bytes(p), &bytes))
                exit(70);
        }
        o->bytes = bytes - o->at;
    }
    return bytes;
}

/* Of the parameters that have their places in these bytes. */
static struct value *slot(struct graph *g, int nvalue, const char *name, int64_t from, int64_t bytes)
{
    struct value *all = group(g, ROLE_SLOT, name, bytes);
    for (int i = 0; i < nvalue; i++) {
        const struct value *p = g->value[i];
        if (!p->grad || p->t.at < from || p->t.at >= from + bytes)
            continue;
        struct value *part = graph_source(g, ROLE_SLOT, DT_F32, false, p->t.rank, p->t.dim,
                                          region_printf(g->region, "%s.%s", name, p->t.name), (struct loc){0});
        part->member_of = all;
        part->t.at = p->t.at - from;
    }
    return all;
}

/* ---- the optimizer's step ---- */

/* What its ops read, besides slots. */
struct operands {
    struct value *parameters, *gradients, *norm;
};

/* One op of the optimizer, for some groups. */
struct rule {
    const struct op *op;
    bool beside;
    int64_t from, bytes; /* of their parameters */
    struct value *slot[MAX_OPERANDS];
};

static struct value *part(struct graph *g, struct value *of, int64_t at, int64_t bytes)
{
    const double attr[MAX_ATTRS] = {(double)(at / 4), (double)(bytes / 4)};
    return of->t.rank == 0 || of->t.dim[0] == bytes / 4 ? of : graph_op(g, "part", attr, of, NULL);
}

/* The kernel of a group, by the letters of its op. */
static void one_op(struct graph *g, const struct rule *r, const struct operands *of, const struct own *o, int k)
{
    struct value *in[MAX_OPERANDS];
    int slots = 0;
    for (int i = 0; i < r->op->nin; i++) {
        const char letter = r->op->letters[i];
        struct value *const whole = letter == 'p' ? of->parameters : letter == 'g' ? of->gradients : of->norm;
        in[i] = strchr("pgn", letter) ? part(g, whole, o->at, o->bytes)
                                      : part(g, r->slot[slots++], o->at - r->from, o->bytes);
    }
    graph_node(g, r->op->name, &(double){k}, in, r->op->nin);
}

/* ---- of several ops ---- */

int step_together(const struct step *s, int first, int most)
{
    int64_t largest = 0, sum = 0;
    int n = 0;
    for (int i = 0; i < s->n; i++)
        largest = value_elements(s->member[i]) > largest ? value_elements(s->member[i]) : largest;
    while (n < most && first + n < s->n && (sum += value_elements(s->member[first + n])) <= largest)
        n++;
    return n;
}

struct value *step_part(const struct step *s, struct value *of, int i)
{
    const struct tensor *p = &s->member[i]->t;
    const int64_t all = value_elements(s->member[i]), rows = p->rank > 1 ? p->dim[0] : all;
    const double attr[MAX_ATTRS] = {(double)s->at[i], (double)rows, (double)(all / rows)};
    return graph_op(s->graph, p->rank > 1 ? "matrix" : "part", attr, of, NULL);
}

struct value *step_direction(const struct step *s, int i)
{
    struct value *in[MAX_OPERANDS];
    int slots = 0;
    for (int k = 0; k < s->op->nin; k++) {
        const char letter = s->op->letters[k];
        in[k] = letter == 'n'   ? s->norm
                : letter == 'g' ? graph_op(s->graph, "own_gradient", NULL, step_part(s, s->gradients, i), NULL)
                                : step_part(s, letter == 'p' ? s->parameters : s->slot[slots++], i);
    }
    return graph_node(s->graph, s->op->name, &(double){s->group}, in, s->op->nin)
        ->out[strchr(s->op->letters, 'g') - s->op->letters];
}

/* Of group k. */
static void several_ops(struct graph *g, const struct model *m, int nvalue, const struct rule *r,
                        const struct operands *of, const struct own *o, int k)
{
    struct step to = {.graph = g, .args = &m->optimizer_args, .op = r->op, .group = k, .norm = of->norm};
    to.parameters = part(g, of->parameters, o->at, o->bytes);
    to.gradients = part(g, of->gradients, o->at, o->bytes);
    for (int i = 0; r->op->slot[i]; i++)
        to.slot[i] = part(g, r->slot[i], o->at - r->from, o->bytes);
    to.member = region_alloc(g->region, (size_t)nvalue, sizeof *to.member);
    to.at = region_alloc(g->region, (size_t)nvalue, sizeof *to.at);
    for (int i = 0; i < nvalue; i++)
        if (is_of(m, g->value[i], o)) {
            to.member[to.n] = g->value[i];
            to.at[to.n++] = (g->value[i]->t.at - o->at) / 4;
        }
    m->optimizer->step(&to);
}

/* Of the gradients of the first n values, from what is in them once they are summed. */
static struct value *norm(struct graph *g, struct value *summed, int n)
{
    struct value *in[MAX_OPERANDS] = {summed}, *so_far = NULL;
    for (int i = 0, many = 1; i < n; i++) {
        if (g->value[i]->grad)
            in[many++] = g->value[i]->grad;
        bool more = false;
        for (int k = i + 1; k < n; k++)
            more |= g->value[k]->grad != NULL;
        if (many == 1 + (so_far != NULL) || (more && many < MAX_OPERANDS))
            continue;
        so_far = graph_node(g, "grad_norms", &(double){so_far != NULL}, in, many)->out[0];
        in[1] = so_far;
        many = 2;
        if (!more)
            break;
    }
    return graph_op(g, "grad_norm", NULL, so_far, summed, NULL);
}

/* Before any op reads them by their groups. */
static void join_members(struct graph *g, int nvalue, struct value *parameters, struct value *gradients)
{
    for (int i = 0; i < nvalue; i++)
        if (g->value[i]->grad) {
            struct value *p = g->value[i];
            p->member_of = parameters;
            p->grad->member_of = gradients;
            p->grad->t.role = ROLE_GRAD;
            p->grad->t.name = region_printf(g->region, "grad.%s", p->t.name);
        }
}

/* Its slots, for the parameters of the groups that it updates. */
static void find_slots(struct graph *g, struct rule *r, int nvalue, const struct own *own, int groups,
                       const char *prefix)
{
    for (const struct own *o = own; o < own + groups; o++)
        if (o->beside == r->beside) {
            r->from = r->bytes ? r->from : o->at;
            r->bytes += o->bytes;
        }
    for (int i = 0; r->bytes && r->op->slot[i]; i++)
        r->slot[i] = slot(g, nvalue, region_printf(g->region, "%s.%s", prefix, r->op->slot[i]), r->from, r->bytes);
}

/* A moving mean that the update does not keep itself. */
static void keep_mean(struct graph *g, int nvalue, struct value *parameters, const char *prefix)
{
    struct value *mean = slot(g, nvalue, region_printf(g->region, "%s.ema", prefix), 0, parameters->t.dim[0] * 4);
    graph_op(g, "mean_of_weights", NULL, mean, parameters, NULL);
}

void update(struct graph *g, struct model *m)
{
    struct own own[CTL_GROUPS];
    const int nvalue = g->nvalue, groups = find_groups(g, m, own);
    const struct word *w = m->optimizer;
    const char *prefix = slot_prefix(g), *clip = m->clip ? m->clip->name : NULL;
    const char *const names[] = {w->update(&m->optimizer_args), w->beside};
    if (!groups)
        return;
    const int64_t bytes = place(g, m, own, groups);
    g->at = (struct loc){0};
    g->layer = "optimizer";
    struct rule rule[COUNT(names)] = {{.beside = false}, {.beside = true}};
    struct operands of = {group(g, ROLE_PARAM, "@parameters", bytes), group(g, ROLE_GRAD, "@gradients", bytes), NULL};
    for (int i = 0; i < COUNT(rule) && names[i]; i++) {
        rule[i].op = op_find(update_variant(g->region, names[i], clip, m->ema && !w->step));
        find_slots(g, &rule[i], nvalue, own, groups, prefix);
    }
    struct value *sum[] = {group(g, ROLE_SUM, "@gradients.sum", bytes), of.gradients};
    join_members(g, nvalue, of.parameters, of.gradients);
    of.gradients = graph_node(g, "accumulate", NULL, sum, COUNT(sum))->out[1];
    if (update_norm(rule->op))
        of.norm = norm(g, of.gradients, nvalue);
    for (int k = 0; k < groups; k++) {
        if (w->step && !own[k].beside)
            several_ops(g, m, nvalue, rule, &of, &own[k], k);
        else
            one_op(g, &rule[own[k].beside], &of, &own[k], k);
    }
    if (m->ema && w->step)
        keep_mean(g, nvalue, of.parameters, prefix);
    for (int k = 0; k < groups && (m->ngroup > 0 || w->beside); k++)
        tell_group(g, m, k, &own[k]);
}
