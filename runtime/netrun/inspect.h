/* --inspect: a folder of data, a file of weights, two of them, a run, a plan. */
#ifndef NETRUN_INSPECT_H
#define NETRUN_INSPECT_H

#include "run/run.h"

/* Is it about a plan or a model? Then that is to be read before. */
bool inspects_plan(const struct options *o);
int inspect(const struct job *j);

#endif
