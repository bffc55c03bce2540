/* Counters that stand in for speed (SIM_PROF=1): they are the same on every machine. */
#ifndef CUDASIM_PROF_H
#define CUDASIM_PROF_H

#include <stdint.h>

struct warp;
struct insn;

struct prof_counters {
    uint64_t warp_instructions, lane_instructions;
    uint64_t global_requests, global_sectors;    /* sectors: 32-byte pieces that the lanes of a request touch */
    uint64_t global_ideal;                       /* sectors if the same bytes were dense */
    uint64_t shared_requests, shared_wavefronts; /* wavefronts: passes that 32 banks of 4 bytes need; 1 is ideal */
};

void prof_global(struct warp *w, const struct insn *in, const uint64_t address[32]);
void prof_shared(struct warp *w, const struct insn *in, const uint64_t offset[32]);
/* Adds a launch to the table of its kernel; prof_report prints the table to stderr. */
void prof_add(const char *kernel, const struct prof_counters *counters);
void prof_report(void);
/* The launches of a kernel so far, and its counters in *sum. */
uint64_t prof_find(const char *kernel, struct prof_counters *sum);

#endif
