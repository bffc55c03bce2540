/* report.c: what the host reads after a step: the mean loss, whether it is finite, and the metrics, all in the control
 * block. Metrics are those of the loss's own operands. */
#include "graph.h"

#include <string.h>

/* Metrics count right classes. Said once, for the graph of training; the others have the same loss. */
static bool metrics_fit(const struct graph *g, const struct model *m)
{
    const struct value *target = g->loss->def->in[1];
    bool fit = m->nmetric == 0 || target->t.dtype == DT_I32;
    if (!fit && g->phase == PHASE_TRAIN) {
        diag_error(g->diag, "N0207", g->loss->loc, NULL,
                   "%s compares classes, but the loss has `%s`, which is no class", m->metric[0]->name, target->t.name);
        diag_place(g->diag, target->loc, "declared here");
        diag_help(g->diag, "leave `metrics` out: the loss itself is always shown");
    }
    return fit;
}

/* Hits first and reports behind them, so that all reports share a kernel. */
void report(struct graph *g, const struct model *m)
{
    if (!g->loss || !metrics_fit(g, m))
        return;
    g->at = g->loss->loc;
    g->layer = "loss";
    struct value *hit[MAX_METRICS];
    struct node *loss = g->loss->def;
    struct site site = {g, g->diag, g->at, g->layer};
    for (int i = 0; i < m->nmetric; i++)
        hit[i] = m->metric[i]->build(&site, &m->metric_args[i], loss->in, loss->nin);
    graph_op(g, "report_loss", NULL, g->loss, g->control, NULL);
    for (int i = 0; i < m->nmetric; i++)
        graph_op(g, "report_metric", (double[MAX_ATTRS]){i}, hit[i], g->control, NULL);
}
