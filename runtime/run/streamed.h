/* streamed.h: samples that are more than memory has room for stay in their files. */
#ifndef STREAMED_H
#define STREAMED_H

#include "run.h"

/* `most` of samples_open(): bytes of all samples that may lie in memory. */
int64_t samples_most(const struct options *o);
/* Before fit(), once nothing more is held out or learnt: begins to load those sets that stay in their files, all or the test set
 * alone, unless somebody does already. */
int samples_stream(struct job *j, bool trains);
/* Says so, and with which memory, once there is a device. */
void samples_say(struct job *j);

#endif
