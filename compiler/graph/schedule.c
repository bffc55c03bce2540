/* schedule.c: groups -> kernels of the plan, values -> its tensors, and during which steps each one's bytes must live.
 * What persists (parameters, slots, running statistics, control) is shared by the phases, by name. */
#include "graph.h"
#include "plan/plan_text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

struct context {
    const struct graph *g;
    struct plan *p;
    const struct target *target;
    int schedule, steps;
    int *tensor;              /* index in the plan of each value; -1: none yet */
    struct lookup persistent; /* tensors that are there for every schedule */
    struct region *scratch;
};

static bool persists(enum role r)
{
    return r == ROLE_PARAM || r == ROLE_STATE || r == ROLE_SLOT || r == ROLE_CONTROL || r == ROLE_TALLY;
}

static int64_t bytes_of(const struct tensor *t)
{
    const int64_t n = tensor_elements(t);
    int64_t bytes = -1;
    if (t->rows)
        bytes = row_bytes(t);
    else if (n < 0 || __builtin_mul_overflow(n, dtype_bytes(t->dtype), &bytes))
        bytes = -1;
    if (bytes < 0 || bytes > INT64_MAX - PARAM_ALIGN) {
        fprintf(stderr, "internal error: a tensor of more bytes than can be counted\n");
        exit(70);
    }
    return bytes;
}

static int add_tensor(struct context *c, const struct value *v, int schedule)
{
    struct plan *p = c->p;
    int known = schedule < 0 ? lookup_find(&c->persistent, v->t.name) : -1;
    if (known >= 0)
        return c->tensor[v->id] = known;
    region_grow(p->region, p->tensor, p->ntensor);
    struct tensor *t = &p->tensor[p->ntensor];
    *t = v->t;
    t->schedule = schedule;
    t->base = -1;
    t->offset = 0;
    t->bytes = bytes_of(t);
    if (schedule >= 0 && !t->rows)
        t->last = c->steps; /* fixed: through the whole phase */
    if (schedule < 0)
        lookup_add(c->scratch, &c->persistent, t->name, p->ntensor);
    return c->tensor[v->id] = p->ntensor++;
}

/* Bytes of the whole phase that no value of the graph stands for, under a name that no value can have. */
static struct tensor *add_scratch(struct context *c, enum role role, enum dtype d, int64_t elements, const char *name)
{
    struct plan *p = c->p;
    region_grow(p->region, p->tensor, p->ntensor);
    struct tensor *t = &p->tensor[p->ntensor++];
    *t = (struct tensor){.name = region_copy(p->region, name),
                         .role = role,
                         .dtype = d,
                         .rank = 1,
                         .dim = {elements},
                         .schedule = c->schedule,
                         .base = -1,
                         .last = c->steps};
    t->bytes = bytes_of(t);
    return t;
}

static void set_base(struct context *c, const struct value *v, const struct value *in)
{
    struct tensor *t = &c->p->tensor[c->tensor[v->id]];
    const struct tensor *of = &c->p->tensor[c->tensor[in->id]];
    t->base = of->base >= 0 ? of->base : c->tensor[in->id];
    t->at = of->base >= 0 ? of->at : 0;
    if (v->def->op->kind == OP_VIEW && op_attr(v->def->op, "at") >= 0)
        t->at += (int64_t)v->def->attr[op_attr(v->def->op, "at")] * dtype_bytes(t->dtype);
    t->first = t->last = 0;
}

/* Groups before their members, so that a base always exists. */
static void add_sources(struct context *c)
{
    for (int pass = 0; pass < 2; pass++)
        for (int i = 0; i < c->g->nvalue; i++) {
            const struct value *v = c->g->value[i];
            if (v->def || (v->member_of != NULL) != (pass == 1) || v->t.role == ROLE_INPUT || v->t.role == ROLE_TARGET)
                continue;
            add_tensor(c, v, persists(v->t.role) ? -1 : c->schedule);
            if (v->member_of)
                c->p->tensor[c->tensor[v->id]].base = c->tensor[v->member_of->id];
        }
}

static void add_results(struct context *c)
{
    for (int k = 0; k < c->g->nnode; k++) {
        const struct node *n = c->g->node[k];
        for (int o = 0; o < n->nout; o++) {
            const struct value *v = n->out[o];
            add_tensor(c, v, c->schedule);
            if (v->member_of)
                c->p->tensor[c->tensor[v->id]].base = c->tensor[v->member_of->id];
            else if (n->op->update || n->op->kind == OP_VIEW) {
                set_base(c, v, n->in[o]);
                if (n->op->update)
                    c->p->tensor[c->tensor[v->id]].role = c->p->tensor[c->tensor[n->in[o]->id]].role;
            }
        }
    }
}

static struct tensor *root(struct context *c, const struct value *v)
{
    struct tensor *t = &c->p->tensor[c->tensor[v->id]];
    return t->base >= 0 ? &c->p->tensor[t->base] : t;
}

/* Does what it makes without rows live for a while only? The optimizer's step is over before the next run; anything else may be
 * read by one. */
static bool passes(const struct node *n)
{
    return n->op->gate == GATE_STEP && !n->op->update && n->op->kind != OP_VIEW;
}

/* [first, last) of every value that does not live through the whole phase, from the groups that make and read it. A value that no
 * other group reads lives in its kernel's registers only: first == last == its step. */
static void live(struct context *c)
{
    const struct graph *g = c->g;
    for (int s = 0; s < g->ngroup; s++)
        for (int k = 0; k < g->group[s]->nnode; k++) {
            const struct node *n = g->group[s]->node[k];
            for (int o = 0; o < n->nout; o++) {
                struct tensor *t = &c->p->tensor[c->tensor[n->out[o]->id]];
                if (t->base < 0 && (t->rows || passes(n)))
                    t->first = t->last = s;
            }
            for (int i = 0; i < n->nin; i++) {
                struct tensor *t = root(c, n->in[i]);
                if (t->schedule >= 0 && n->in[i]->def &&
                    (n->in[i]->def->op->kind == OP_VIEW || n->in[i]->def->group != s) && t->last < s + 1)
                    t->last = s + 1;
            }
        }
    for (int i = 0; g->phase == PHASE_PREDICT && i < g->noutput; i++)
        root(c, g->output[i].value)->last = c->steps;
    for (int i = 0; i < g->nvalue; i++)
        if (g->value[i]->t.role == ROLE_SCORES)
            root(c, g->value[i])->last = c->steps;
    for (struct tensor *t = c->p->tensor; t < c->p->tensor + c->p->ntensor; t++)
        if (t->schedule == c->schedule && t->base >= 0) {
            t->first = c->p->tensor[t->base].first;
            t->last = c->p->tensor[t->base].last;
        }
}

/* "train3_conv1_conv", "cuda_train3_conv1_conv": a name in C, unique in the plan. */
static char *kernel_name(struct context *c, const struct group *g, int step)
{
    const struct node *n = g->node[0];
    char *name = region_printf(c->p->region, "%s%s%d_%s_%s", c->target->prefix, phase_word[c->g->phase], step,
                               n->layer ? n->layer : "net", n->op->name);
    for (char *p = name; *p; p++)
        if (!isalnum((unsigned char)*p))
            *p = '_';
    if (strlen(name) > 200)
        name[200] = 0;
    return name;
}

static void add_kernel(struct context *c, const struct group *g, int step)
{
    struct plan *p = c->p;
    region_grow(p->region, p->kernel, p->nkernel);
    struct kernel *k = &p->kernel[p->nkernel++];
    *k = (struct kernel){.name = kernel_name(c, g, step),
                         .schedule = c->schedule,
                         .nstage = g->nnode,
                         .stage = region_alloc(p->region, (size_t)g->nnode, sizeof *k->stage)};
    for (int i = 0; i < g->nnode; i++) {
        const struct node *n = g->node[i];
        struct stage *s = &k->stage[i];
        s->op = n->op;
        s->attr = n->attr;
        s->nin = n->nin;
        s->nout = n->nout;
        s->in = region_alloc(p->region, (size_t)(n->nin + n->nout), sizeof *s->in);
        s->out = s->in + n->nin;
        s->line = n->loc.line;
        for (int j = 0; j < n->nin; j++)
            s->in[j] = c->tensor[n->in[j]->id];
        for (int j = 0; j < n->nout; j++)
            s->out[j] = c->tensor[n->out[j]->id];
    }
}

/* What the kernel of a group needs for each row is there while it runs. */
static void add_row_scratch(struct context *c)
{
    for (int s = 0; s < c->g->ngroup; s++) {
        const struct node *n = c->g->group[s]->node[0];
        int64_t scratch = node_scratch(n, c->target, true);
        if (!scratch)
            continue;
        struct tensor *t =
            add_scratch(c, ROLE_WORKSPACE, DT_F32, scratch, region_printf(c->p->region, "@workspace%d", s));
        t->rows = true;
        t->layout = &layout_plain;
        t->bytes = bytes_of(t);
        t->first = s;
        t->last = s + 1;
    }
}

/* Kernels run one after the other, so one workspace serves all. */
static int64_t most_scratch(const struct graph *g, const struct target *t)
{
    int64_t most = 0;
    for (int k = 0; k < g->nnode; k++) {
        int64_t scratch = node_scratch(g->node[k], t, false);
        most = scratch > most ? scratch : most;
    }
    return most;
}

void schedule(const struct graph *g, struct plan *p, const struct target *target)
{
    struct context c = {
        .g = g, .p = p, .target = target, .schedule = p->nschedule, .steps = g->ngroup, .scratch = region_new()};
    c.tensor = region_alloc(c.scratch, (size_t)g->nvalue + 1, sizeof *c.tensor);
    for (int i = 0; i < g->nvalue; i++)
        c.tensor[i] = -1;
    for (int i = 0; i < p->ntensor; i++)
        if (p->tensor[i].schedule < 0)
            lookup_add(c.scratch, &c.persistent, p->tensor[i].name, i);
    add_sources(&c);
    add_results(&c);
    live(&c);
    if (target->ring)
        add_scratch(&c, ROLE_RING, DT_U32, (1 + RING_STEPS) * CTL_WORDS, "@ring");
    int64_t scratch = most_scratch(g, target);
    if (scratch)
        add_scratch(&c, ROLE_WORKSPACE, DT_F32, scratch, "@workspace");
    add_row_scratch(&c);
    region_grow(p->region, p->schedule, p->nschedule);
    p->schedule[p->nschedule++] = (struct schedule){
        .target = target, .phase = g->phase, .first_kernel = p->nkernel, .last_kernel = p->nkernel + g->ngroup};
    for (int i = 0; i < g->ngroup; i++)
        add_kernel(&c, g->group[i], i);
    region_free(c.scratch);
}
