/* staged.h: the samples and targets of one run, row by row. */
#ifndef STAGED_H
#define STAGED_H

#include "device.h"

/* Row after row of the run from a split, n of `each` bytes, in the order in which the gather stages would read them, or as they are
 * drawn (order.h). */
void staged_rows(void *to, const void *from, int64_t each, const uint32_t *draws, const uint32_t control[CTL_WORDS]);
void staged_targets(void *to, const struct device_data *data, const uint32_t control[CTL_WORDS]);
/* The samples of the run, wherever they are. */
bool staged_samples(void *to, const struct device_data *data, const uint32_t control[CTL_WORDS],
                    struct device_error *e);

#endif
