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

/* Where the peak of a schedule is, in words: "conv2, line 10". */
static const char *peak_text(const struct plan *p, const struct schedule *s)
{
    const struct kernel *k = &p->kernel[s->first_kernel + s->peak_step];
    return region_printf(p->region, "%s (line %d)", k->name, k->stage[0].line);
}

int budget(const struct compilation *c, int64_t bytes, int64_t batch)
{
    static const char *const phase[] = {"train", "evaluate", "predict"};
    const struct plan *p = c->plan;
    bool wish = batch > 0;
    double wanted = wish ? (double)batch : plan_number(p, "train.batch", 64);
    char need_text[32], have[32], fixed[32];
    for (int i = 0; i < p->nschedule; i++) {
        const struct schedule *s = &p->schedule[i];
        if (s->phase == PHASE_PREDICT)
            continue;
        /* The evaluation batch is ours to choose; a block must fit. Training must fit the batch that was asked for. */
        int64_t rows = s->phase == PHASE_TRAIN ? blocks_of((int64_t)(wanted < 1 ? ROW_BLOCK : wanted)) : ROW_BLOCK;
        int64_t need = schedule_arena(p, s, rows), most = schedule_fit(p, s, bytes);
        if (need >= 0 && need <= bytes)
            continue;
        fprintf(stderr, "netc: error[N0501]: batch %lld needs %s to %s, the budget is %s\n", (long long)(s->phase == PHASE_TRAIN ? wanted : rows),
                bytes_text(need, need_text, sizeof need_text), phase[s->phase], bytes_text(bytes, have, sizeof have));
        fprintf(stderr, "   = note: peak is at %s: %lld bytes a sample; parameters, optimizer and fixed buffers %s\n", peak_text(p, s),
                (long long)s->per_row, bytes_text(p->persistent + s->fixed, fixed, sizeof fixed));
        if (most > 0)
            fprintf(stderr, "   = help: the largest batch is %lld\n", (long long)most);
        else
            fprintf(stderr, "   = help: not even a batch of %d fits; the least is %s\n", ROW_BLOCK,
                    bytes_text(schedule_arena(p, s, ROW_BLOCK), have, sizeof have));
        return 3;
    }
    return 0;
}
