/* answer.c: the frame of the plan, counts, and the verdict on a budget. */
#include "compile.h"
#include "base/options.h"

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
    for (int k = 0; k < g->nnode; k++)
        sum += node_count(g->node[k], g->node[k]->op->macs);
    return sum;
}

/* Whether training and testing fit, over data sets of any size. */
int budget(const struct compilation *c, int64_t bytes, int64_t batch)
{
    const struct plan *p = c->plan;
    struct grant g;
    struct wish w = {.batch = batch > 0 ? batch : (int64_t)plan_number(p, "train.batch", 0),
                     .most = (int64_t)plan_number(p, "train.batch.max", 256),
                     .evaluation = (int64_t)plan_number(p, "train.evaluation_batch", 1000),
                     .samples = {[PHASE_TRAIN] = INT64_MAX, [PHASE_EVALUATE] = INT64_MAX}};
    char text[200];
    if (!budget_grant(p, c->target, &w, bytes, &g)) {
        budget_refuse(p, c->target, &w, &g, bytes, 0, "netc", bytes_text(bytes, text, sizeof text), stderr);
        return 3;
    }
    if (g.micro < g.batch)
        fprintf(stderr, "netc: %s\n", budget_split_text(p, c->target, &g, text, sizeof text));
    return 0;
}
