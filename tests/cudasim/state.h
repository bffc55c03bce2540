/* The driver's state that several files share; guarded by the driver lock. */
#ifndef CUDASIM_STATE_H
#define CUDASIM_STATE_H

#include "driver.h"

struct state {
    bool initialised;
    unsigned retained; /* of the primary context */
    uint64_t lazy;     /* bytes that it took with the first launch */
    CUresult sticky;
    char report[MESSAGE_BYTES + 64];
    uint64_t calls, launches, graph_launches;
    struct prof_counters counters;
};
extern struct state state;

void driver_enter(void);
void driver_leave(void);

#endif
