/* parallel.h: the same work for many things, on all cores (cpu/pool.h). */
#ifndef PARALLEL_H
#define PARALLEL_H

#include <stdbool.h>
#include <stdint.h>

/* Does the work for each of n things; several at a time, each once, begun in order. After a false no more are begun.
 * Returns the first for which it was false; n: there is none. Threads that cannot be had are done without. */
int64_t parallel_for(int64_t n, bool (*work)(void *ctx, int64_t i), void *ctx);

#endif
