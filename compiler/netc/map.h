/* map.h: a picture of a schedule's memory, as text. */
#ifndef MAP_H
#define MAP_H

#include "plan/plan.h"

/* netc --memory-map: one line a step (time goes down), addresses of the per-row region across `width` columns (at least
 * 1), a letter for each buffer with a legend below, LB and its step marked. The plan must have passed plan_judge. */
void memory_map(const struct plan *p, const struct schedule *s, int width, FILE *out);

#endif
