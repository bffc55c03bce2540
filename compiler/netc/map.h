/* map.h: pictures of the memory plan. */
#ifndef MAP_H
#define MAP_H

#include "base/data_error.h"
#include "plan/plan.h"

/* netc --memory-map: one line a step (time goes down), addresses of the per-row region across `width` columns (at least
 * 1), a letter for each buffer with a legend below, LB and its step marked. The plan must have passed plan_judge. */
void memory_map(const struct plan *p, const struct schedule *s, int width, FILE *out);

/* netc --memory-map=FILE.svg: the arena of each phase that has rows and that the plan has for `target`, one below the other:
 * kernels across, addresses up, a rectangle a buffer with its name, bytes and life as a title; lines for the arena and LB. SVG
 * without scripts. `rows` are multiples of ROW_BLOCK for which the arenas have a size; the plan must have passed plan_judge. */
void memory_svg(const struct plan *p, const struct target *target, const int64_t rows[PHASE_COUNT], FILE *out);
/* To a file that is replaced as a whole; false after filling *e. */
bool memory_svg_save(const struct plan *p, const struct target *target, const int64_t rows[PHASE_COUNT],
                     const char *path, struct data_error *e);

#endif
