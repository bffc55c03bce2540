/* What the environment asks of the simulator; README.md describes each variable. Read once, at the first use. */
#ifndef CUDASIM_CONFIG_H
#define CUDASIM_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

struct config {
    uint64_t vram, granule, reserve, lazy; /* SIM_VRAM, SIM_GRANULE, SIM_RESERVE, SIM_LAZY in bytes */
    uint64_t budget;                       /* SIM_BUDGET: instructions of one warp */
    uint64_t seed;                         /* SIM_SEED: order of graph nodes, 0 for the order of capture */
    unsigned threads;                      /* SIM_THREADS */
    unsigned driver;                       /* SIM_DRIVER, e.g. 13000 */
    unsigned capability;                   /* SIM_CC, e.g. 90 */
    unsigned devices;                      /* SIM_DEVICES: 0 or 1 */
    bool integrated;                       /* SIM_INTEGRATED=1 */
    int leak_status;                       /* SIM_LEAK: exit status when something leaked, 0 to only report */
    bool defer, check, profile, trace;     /* SIM_ASYNC=defer, SIM_CHECK=1, SIM_PROF=1, SIM_TRACE=1 */
    const char *fail;                      /* SIM_FAIL or NULL */
};

const struct config *config(void);

#endif
