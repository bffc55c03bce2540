/* losses.c: what classes weigh in the loss, for the kernels of losses. */
#include "writer.h"

#include "graph/word.h"

bool put_class_weights(struct writer *w, int64_t K)
{
    const double *weight = plan_class_weights(w->plan, K);
    if (!weight)
        return false;
    put(w, "static const real @_weight[] = {");
    for (int64_t k = 0; k < K; k++)
        put(w, "(real)%.17g,", weight[k]);
    put(w, "};");
    put(w, "%s", "");
    return true;
}
