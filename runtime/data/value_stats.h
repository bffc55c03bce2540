/* What values are like, seen one after the other: mean, deviation, range. */
#ifndef VALUE_STATS_H
#define VALUE_STATS_H

#include "safetensors.h"

struct value_stats {                /* all zeros: nothing seen */
    int64_t n;                      /* finite values; the rest is of these */
    int64_t others;                 /* NaN and infinities */
    double mean, squares, min, max; /* squares: sum of squared deviations from the mean */
};
/* Welford's way: Technometrics 4 (1962). */
void stats_add(struct value_stats *s, const double *value, int64_t n);
double stats_deviation(const struct value_stats *s); /* of the population, n below the line; NaN: nothing seen */

/* n elements of a file, from any address, as doubles (of 64-bit integers the nearest); false: complex numbers, and floats of 8 bits. */
bool stats_values(enum st_type type, const void *from, int64_t n, double *to);

#endif
