/* parts.c: forward, backward, update. The forward part is what the loss depends on and what is reported of it. */
#include "layers.h"

#include <string.h>

enum part *parts_of(const struct graph *g)
{
    enum part *part = region_alloc(g->region, (size_t)g->nnode + 1, sizeof *part);
    bool *used = region_alloc(g->region, (size_t)g->nvalue + 1, sizeof *used);
    if (g->loss)
        used[g->loss->id] = true;
    for (int k = g->nnode - 1; k >= 0; k--) {
        const struct node *n = g->node[k];
        bool forward = !g->loss || n->nout == 0;
        for (int o = 0; o < n->nout; o++)
            forward |= used[n->out[o]->id];
        part[k] = n->op->update || n->op->gate == GATE_STEP ? PART_UPDATE : forward ? PART_FORWARD : PART_BACKWARD;
        for (int i = 0; part[k] == PART_FORWARD && i < n->nin; i++)
            used[n->in[i]->id] = true;
    }
    return part;
}
