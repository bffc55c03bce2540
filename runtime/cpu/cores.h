/* How many cores this process may use: what a thread pool should be sized by. */
#ifndef CORES_H
#define CORES_H

#include <stddef.h>

/* Cores of the affinity mask, or what the CPU quota of the cgroup pays for if that is less; at least 1. */
int cores_usable(void);

/* Cores of the affinity mask: their numbers go to `core`, at most `room` of them. Returns how many there are. */
int cores_allowed(int *core, int room);

/* The smallest CPU quota on the way from the process's cgroup to the root, rounded up to whole cores; INT_MAX: none.
 * `membership` is a file like /proc/self/cgroup, `mount` the folder where cgroups are mounted (version 1 or 2). */
int cores_quota(const char *membership, const char *mount);

/* What the first processor calls itself: "Intel(R) Xeon(R) Processor"; "" if it does not say. */
void cores_name(char *name, size_t size);

#endif
