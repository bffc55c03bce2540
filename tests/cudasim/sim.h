/* What the simulator exports beyond the driver API: for its tests and for the stand-in cuBLAS. */
#ifndef CUDASIM_SIM_H
#define CUDASIM_SIM_H

#include <stddef.h>
#include <stdint.h>

struct sim_stats {
    uint64_t requested, requested_peak; /* bytes of live device buffers as asked for; their maximum */
    uint64_t charged, charged_peak;     /* bytes taken from SIM_VRAM: with granules, context, modules, workspaces */
    uint64_t live_buffers, allocations, refusals;
    uint64_t calls, launches, graph_launches;
    uint64_t warp_instructions, lane_instructions;
    uint64_t global_requests, global_sectors, global_ideal, shared_requests, shared_wavefronts; /* SIM_PROF=1 */
    uint64_t leaks; /* objects not given back so far */
};

#pragma GCC visibility push(default)
void simStats(struct sim_stats *stats);
/* Launches and counters of one kernel so far, under SIM_PROF=1; 0 if it has not run. The other members are 0. */
int simKernelStats(const char *kernel, struct sim_stats *stats);
/* The report of the last fault or refused module, "" if there was none. Valid until the next. */
const char *simLastReport(void);
/* Host bytes behind [address, address + bytes) if that lies in one live allocation, else NULL. */
void *simReal(unsigned long long address, size_t bytes);
void simMarkInit(unsigned long long address, size_t bytes);
/* 0 if the bytes are initialised or SIM_CHECK is off; else a fault is reported and made sticky. */
int simRequireInit(unsigned long long address, size_t bytes, const char *who);
/* Runs `function` on a copy of `data` as a stream operation; a nonzero result is a sticky error. */
int simEnqueueHost(void *stream, int (*function)(void *data), const void *data, size_t bytes);
/* The code that SIM_FAIL wants this call of `name` to fail with, or 0. */
int simInject(const char *name, int otherwise);
/* Device memory outside of buffers; 0 if there is not enough. */
int simCharge(size_t bytes);
void simDischarge(size_t bytes);
/* Counts objects of libraries into the leak report. */
void simTrack(const char *what, int change);
#pragma GCC visibility pop

#endif
