/* The interpreter: a launch runs blocks, a block runs warps, a warp runs instructions over 32 lanes.
 *
 * Divergence: a warp is a set of groups (pc, lanes). The runnable group with the lowest pc runs; groups that meet at
 * one pc merge. A group that reaches a barrier or a warp-wide instruction before all its partners is parked. */
#ifndef CUDASIM_EXEC_H
#define CUDASIM_EXEC_H

#include <setjmp.h>

#include "memory.h"
#include "prof.h"
#include "ptx.h"

#define ALL_LANES 0xffffffffu

struct shared_word;
struct lane_sync;
struct async_copy;

enum fault_kind {
    FAULT_NONE,
    FAULT_ADDRESS = 700,
    FAULT_BUDGET = 702,
    FAULT_MISALIGNED = 716,
    FAULT_INVALID_SPACE = 717,
    FAULT_TRAP = 719,
};

struct fault {
    enum fault_kind kind; /* also the driver's error code */
    uint64_t block;       /* linear index: with several faults the lowest block's is reported */
    char text[1024];
};

struct launch {
    const struct ptx_function *function;
    uint32_t grid[3], block[3];
    uint32_t threads, warps; /* per block */
    uint32_t shared_bytes;   /* static and dynamic */
    uint32_t dynamic_shared;
    uint8_t *params; /* function->param_bytes, owned */
    uint32_t number; /* of the launch, from 1: stamps shadow words */
    uint64_t blocks;
    bool check, profile;
    uint64_t budget; /* warp instructions that one warp may execute */
};

enum group_state { GROUP_RUNS, GROUP_PARKED };
enum warp_state { WARP_RUNS, WARP_AT_BARRIER, WARP_DONE };

struct group {
    uint32_t pc, lanes;
    enum group_state state;
};

struct warp {
    uint32_t on[LANES] __attribute__((aligned(64))); /* ~0 for active lanes; valid when mask != ALL_LANES */
    uint8_t *bank[2];
    uint32_t mask;  /* active lanes of the instruction at hand: the group's, less what the guard masks */
    uint32_t group; /* lanes of the running group */
    uint32_t pc;    /* of the next instruction */
    uint32_t meet;  /* at this pc or above, other groups have to be looked at; UINT32_MAX without others */
    struct group others[LANES];
    uint32_t other_count;
    uint32_t live, born; /* lanes that have not exited; lanes that exist */
    enum warp_state state;
    uint64_t executed;
    uint32_t committed[LANES]; /* groups of asynchronous copies, by lane */
    uint32_t index;
    uint8_t *local;
    struct worker *worker;
    struct lane_sync *sync; /* SIM_CHECK: which lanes were ordered by warp barriers, and when */
};

struct worker {
    const struct launch *launch;
    struct warp *warps;
    uint8_t *registers, *shared, *local;
    size_t registers_bytes, shared_bytes, local_bytes, warp_count;
    struct allocation **cache; /* per memory instruction: where it last hit */
    size_t cache_count;
    uint64_t block; /* linear index of the block at hand */
    uint32_t block_at[3];
    uint32_t barrier_pc, barrier_sum, barrier_true, barrier_threads; /* of bar.red */
    uint32_t epoch; /* barriers passed by the block: orders accesses to shared memory */
    bool acquired;  /* the block has executed an atomic on global memory */
    struct shared_word *shared_shadow;
    size_t shared_shadow_count;
    struct lane_sync *syncs;
    size_t sync_count;
    struct async_copy *copies; /* of the block, not yet made */
    uint32_t copy_count, copy_capacity;
    struct fault fault;
    struct prof_counters counters;
    jmp_buf faulted;
};

/* Runs all blocks. The fault of the lowest block is returned in *fault (FAULT_NONE if there is none). */
void exec_launch(const struct launch *launch, struct fault *fault, struct prof_counters *counters);
/* Runs one block (exec_block.c); a fault is left in worker->fault. */
void exec_block(struct worker *worker, uint64_t block);
bool worker_prepare(struct worker *worker, const struct launch *launch);
void worker_release(struct worker *worker);

/* Ends the block with a report that names kernel, block, thread and PTX line. */
_Noreturn void exec_fault(struct warp *w, const struct insn *in, int lane, enum fault_kind kind, const char *format,
                          ...) __attribute__((format(printf, 5, 6)));

/* SIM_CHECK hooks (check.c): one call per memory instruction, `offset[lane]` valid for the lanes of w->mask. */
void check_block_start(struct worker *worker);
void check_global(struct warp *w, const struct insn *in, const uint64_t address[LANES], bool writes);
void check_shared(struct warp *w, const struct insn *in, const uint64_t offset[LANES], bool writes);
void check_warp_sync(struct warp *w, uint32_t lanes);

/* For each warp when all have arrived at a barrier: stores what bar.red found. */
void barrier_release(struct warp *w, const struct insn *in, uint32_t true_threads, uint32_t threads);
void warp_set_mask(struct warp *w, uint32_t mask);
/* Adds a group at `pc`; groups that can merge do so when one of them runs. */
void warp_split(struct warp *w, uint32_t pc, uint32_t lanes);
/* True when all of `members` execute this instruction; otherwise the group is parked and the handler must return. */
bool warp_gathered(struct warp *w, const struct insn *in, uint32_t members);
/* Puts the running group back to this instruction until others have run. */
void warp_park(struct warp *w);
uint32_t predicate_lanes(const struct warp *w, uint32_t reference, bool negated);

#endif
