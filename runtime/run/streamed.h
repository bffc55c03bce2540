/* streamed.h: a training set that is larger than memory stays in its files. */
#ifndef STREAMED_H
#define STREAMED_H

#include "run.h"

/* `most` of samples_open(): bytes of the training set's samples that may lie in memory. */
int64_t samples_most(const struct options *o);
/* Begins to load those that stay in their files, once nothing more is held out. */
int samples_stream(struct job *j);
/* Says so, and with which memory, once there is a device. */
void samples_say(struct job *j);

#endif
