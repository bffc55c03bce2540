/* override.h: settings from the command line, and those of a plan that was read. */
#ifndef OVERRIDE_H
#define OVERRIDE_H

#include "plan/plan.h"

/* Do the settings of a plan that was read agree with the tables: words that are known, arguments of the right type, range and
 * length? */
bool settings_check(const struct plan *p, struct plan_error *e);
/* Is it an entry of `data` or `train`, or a part of one, that only compiling can change: -D? */
bool setting_shapes(const struct setting *list, int n, const char *key);
/* Changes one setting: "train.epochs=3". False, with the reason and what would be right in `why`, for unknown keys, entries
 * that shaped the graph, and values of the wrong type, range or length. */
bool setting_override(struct plan *p, const char *assignment, char *why, size_t whysize);
/* All that setting_override can change, as it takes them, a line each: "train.epochs=3\n". The caller frees it; NULL without
 * memory. */
char *settings_text(const struct plan *p);

#endif
