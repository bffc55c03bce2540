/* --inspect: a folder of data, a file of weights, two of them, a run, a plan. */
#ifndef NETRUN_INSPECT_H
#define NETRUN_INSPECT_H

#include "run/run.h"

/* Is it about a plan or a model? Then that is to be read before. */
bool inspects_plan(const struct options *o);
int inspect(struct job *j);
/* --augment: a sheet of the same pictures in several epochs. inspect_augment.c */
int inspect_augment(struct job *j);

#endif
