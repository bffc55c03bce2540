/* report.c: what the host reads after a step: the mean loss, whether it is finite, and the metrics, all in the control
 * block; of those that are more than a count it reads sums, at the end of a pass. Metrics are those of the loss's own operands. */
#include "graph.h"

#include <string.h>

/* Metrics compare classes, or values. Said once, for the graph of training; the others have the same loss. */
static bool metrics_fit(const struct graph *g, const struct model *m)
{
    const struct value *target = g->loss->def->in[1];
    const bool mask = target->t.dtype == DT_I32 && target->t.rank > 0, class = target->t.dtype == DT_I32 && !mask;
    const bool shares = !class && !mask && m->loss->reads == ROLE_LOGITS; /* probabilities: of these nothing is told */
    for (int i = 0; i < m->nmetric; i++) {
        if (shares ? false : mask ? m->metric[i]->masks : class != m->metric[i]->values)
            continue;
        if (g->phase != PHASE_TRAIN)
            return false;
        diag_error(g->diag, "N0207", g->loss->loc, NULL, "%s compares %s, but the loss has `%s`, which is %s",
                   m->metric[i]->name,
                   m->metric[i]->values ? "values"
                   : mask               ? "one class a sample"
                                        : "classes",
                   target->t.name,
                   mask     ? "a mask"
                   : class  ? "a class"
                   : shares ? "probabilities"
                            : "no class");
        diag_place(g->diag, target->loc, "declared here");
        diag_help(g->diag, mask ? "`metrics = [PixelAccuracy, MeanIoU]` counts places"
                                : "leave `metrics` out: the loss itself is always shown");
        return false;
    }
    return true;
}

/* Hits first and reports behind them, so that all reports share a kernel. */
void report(struct graph *g, const struct model *m)
{
    if (!g->loss || !metrics_fit(g, m))
        return;
    g->at = g->loss->loc;
    g->layer = "loss";
    struct value *made[MAX_METRICS];
    struct node *loss = g->loss->def;
    struct site site = {g, g->diag, g->at, g->layer};
    for (int i = 0; i < m->nmetric; i++)
        made[i] = m->metric[i]->build(&site, &m->metric_args[i], loss->in, loss->nin);
    graph_op(g, "report_loss", NULL, g->loss, g->control, NULL);
    for (int i = 0; i < m->nmetric; i++)
        if (!m->metric[i]->sums && !m->metric[i]->ranks)
            graph_op(g, "report_metric", (double[MAX_ATTRS]){i}, made[i], g->control, NULL);
}
