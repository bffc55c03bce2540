/* answer.c: the frame of the plan, counts, and the verdict on a budget. */
#include "compile.h"
#include "options.h"

#include <string.h>
#include <xxhash.h>

struct plan *plan_new(struct compilation *c)
{
    struct plan *p = region_alloc(c->region, 1, sizeof *p);
    p->region = c->region;
    p->net = region_copy(c->region, c->model.net);
    p->source = c->text;
    p->file = region_copy(c->region, c->file);
    p->source_hash = XXH3_64bits(c->text, c->length);
    p->nsetting = c->model.nsetting;
    p->setting = c->model.setting;
    p->macs = c->macs;
    const struct graph *g = c->graph[PHASE_TRAIN];
    for (int i = 0; i < g->nvalue; i++)
        if (g->value[i]->t.role == ROLE_PARAM && strchr(g->value[i]->t.name, '.'))
            p->params += value_elements(g->value[i]);
    return p;
}

int64_t graph_macs(const struct graph *g)
{
    int64_t sum = 0;
    for (int k = 0; k < g->nnode; k++) {
        const struct node *n = g->node[k];
        const struct tensor *in[MAX_OPERANDS], *out[MAX_OPERANDS];
        for (int i = 0; i < n->nin; i++)
            in[i] = &n->in[i]->t;
        for (int o = 0; o < n->nout; o++)
            out[o] = &n->out[o]->t;
        if (n->op->macs)
            sum += n->op->macs(n->attr, in, out);
    }
    return sum;
}

static int64_t blocks_of(int64_t rows)
{
    return (rows + ROW_BLOCK - 1) / ROW_BLOCK * ROW_BLOCK;
}

/* Where the peak of a schedule is, in words: "conv2 backward (line 10)". */
static const char *peak_text(const struct compilation *c, const struct schedule *s)
{
    const struct graph *g = c->graph[s->phase];
    const struct node *n = g->group[s->peak_step]->node[0];
    bool backward = s->phase == PHASE_TRAIN && s->peak_step > g->loss->def->group;
    return region_printf(c->region, "%s%s (line %d)", n->layer ? n->layer : n->op->name, backward ? " backward" : "", n->loc.line);
}

static void refuse(const struct compilation *c, const struct schedule *s, int64_t rows, int64_t batch, int64_t bytes)
{
    const char *const purpose = s->phase == PHASE_TRAIN ? "batch" : "an evaluation batch of";
    char need[32], have[32], values[32], fixed[32], persistent[32];
    int64_t arena = schedule_arena(c->plan, s, rows), most = schedule_fit(c->plan, s, bytes);
    fprintf(stderr, "netc: error[N0501]: %s %lld needs %s, the budget is %s\n", purpose, (long long)batch,
            arena < 0 ? "more than can be counted" : bytes_text(arena, need, sizeof need), bytes_text(bytes, have, sizeof have));
    if (arena >= 0)
        fprintf(stderr, "   = note: peak is at %s: activations %s, workspace %s, parameters and optimizer %s\n", peak_text(c, s),
                bytes_text(rows * s->per_row, values, sizeof values), bytes_text(s->fixed, fixed, sizeof fixed),
                bytes_text(c->plan->persistent, persistent, sizeof persistent));
    if (most > 0)
        fprintf(stderr, "   = help: the largest batch is %lld\n", (long long)most);
    else
        fprintf(stderr, "   = help: not even %d samples fit; the least is %s\n", ROW_BLOCK,
                bytes_text(schedule_arena(c->plan, s, ROW_BLOCK), need, sizeof need));
}

/* Training must fit the batch that is asked for (auto: a block); the evaluation batch is ours to choose. */
int budget(const struct compilation *c, int64_t bytes, int64_t batch)
{
    int64_t wanted = batch > 0 ? batch : (int64_t)plan_number(c->plan, "train.batch", ROW_BLOCK);
    for (const struct schedule *s = c->plan->schedule; s < c->plan->schedule + c->plan->nschedule; s++) {
        int64_t rows = s->phase == PHASE_TRAIN ? wanted : ROW_BLOCK;
        if (s->target == c->target && s->phase != PHASE_PREDICT && schedule_fit(c->plan, s, bytes) < blocks_of(rows)) {
            refuse(c, s, blocks_of(rows), rows, bytes);
            return 3;
        }
    }
    return 0;
}
