/* sampling.h: epochs that are drawn from the training set, with replacement: data { sampling = ... }. */
#ifndef SAMPLING_H
#define SAMPLING_H

#include "run.h"

/* Once the training set is read, held out and streamed, before fit(): from then on its source brings samples as the plan's
 * sampling draws them. Nothing without one. A status after a message. */
int sampling_take(struct job *j);
void sampling_say(struct job *j);
const uint32_t *sampling_draws(const struct data_split *split); /* its table; NULL: each sample comes once */
/* The table of order.h for n samples of such weights, two words each; they need not add up to 1. NULL: no memory. */
uint32_t *sampling_table(const double *weight, int64_t n);

#endif
