/* SIM_CHECK: uninitialised reads, races within a block on shared memory, races between blocks on global memory. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exec.h"

/* The last accesses to one granule of shared memory. Epochs count the block's barriers, moments the warp's. */
struct shared_word {
    uint32_t write_epoch, read_epoch; /* 0: none */
    uint32_t write_moment, read_moment;
    uint32_t read_lanes; /* of read_warp, in read_epoch */
    uint16_t write_thread, read_warp;
    bool initialised, many_readers; /* readers in several warps */
};

enum { MANY_BLOCKS = UINT32_MAX };

/* Within one warp, two lanes are ordered by a bar.warp.sync that both take part in. */
struct lane_sync {
    uint32_t moment;
    uint32_t last[LANES][LANES]; /* moment of the last such barrier of a pair */
};

void check_warp_sync(struct warp *w, uint32_t lanes)
{
    struct lane_sync *sync = w->sync;
    sync->moment++;
    for (uint32_t left = lanes; left; left &= left - 1)
        for (uint32_t other = lanes; other; other &= other - 1)
            sync->last[__builtin_ctz(left)][__builtin_ctz(other)] = sync->moment;
}

void check_block_start(struct worker *worker)
{
    const struct launch *launch = worker->launch;
    const size_t granules = launch->shared_bytes / launch->function->min_shared_access + 1;
    if (worker->shared_shadow_count < granules) {
        free(worker->shared_shadow);
        worker->shared_shadow = malloc(granules * sizeof *worker->shared_shadow);
        worker->shared_shadow_count = worker->shared_shadow ? granules : 0;
    }
    if (worker->sync_count < launch->warps) {
        free(worker->syncs);
        worker->syncs = malloc(launch->warps * sizeof *worker->syncs);
        worker->sync_count = worker->syncs ? launch->warps : 0;
    }
    if (!worker->shared_shadow || !worker->syncs) {
        worker->fault = (struct fault){.kind = FAULT_TRAP, .block = worker->block};
        snprintf(worker->fault.text, sizeof worker->fault.text, "cudasim: out of host memory");
        longjmp(worker->faulted, 1);
    }
    memset(worker->shared_shadow, 0, granules * sizeof *worker->shared_shadow);
    memset(worker->syncs, 0, launch->warps * sizeof *worker->syncs);
    worker->epoch = 1;
    for (uint32_t i = 0; i < launch->warps; i++)
        worker->warps[i].sync = &worker->syncs[i];
}

/* ---- shared memory ---- */

_Noreturn static void fault_race(struct warp *w, const struct insn *in, int lane, uint64_t offset, const char *what,
                                 uint32_t other)
{
    exec_fault(w, in, lane, FAULT_TRAP, "race on shared memory at offset %llu: %s thread %u without a barrier between",
               (unsigned long long)offset, what, other);
}

/* Whether an access of another thread in the same epoch at `moment` of its warp is ordered before this lane's. */
static bool ordered(const struct warp *w, int lane, uint32_t other_thread, uint32_t moment)
{
    return other_thread / LANES == w->index && w->sync->last[lane][other_thread % LANES] > moment;
}

static void check_readers(struct warp *w, const struct insn *in, int lane, uint64_t offset,
                          const struct shared_word *word)
{
    if (word->read_epoch != w->worker->epoch)
        return;
    if (word->many_readers)
        fault_race(w, in, lane, offset, "written after a read by other threads, among them",
                   word->read_warp * LANES + (uint32_t)__builtin_ctz(word->read_lanes));
    for (uint32_t left = word->read_lanes; left; left &= left - 1) {
        const uint32_t reader = word->read_warp * LANES + (uint32_t)__builtin_ctz(left);
        if (reader != w->index * LANES + (uint32_t)lane && !ordered(w, lane, reader, word->read_moment))
            fault_race(w, in, lane, offset, "written after a read by", reader);
    }
}

static void note_read(struct warp *w, int lane, struct shared_word *word)
{
    const uint32_t epoch = w->worker->epoch;
    if (word->read_epoch != epoch) {
        word->read_epoch = epoch;
        word->read_lanes = 0;
        word->many_readers = false;
        word->read_warp = (uint16_t)w->index;
    }
    word->many_readers |= word->read_warp != w->index;
    if (word->read_warp == w->index) {
        if (word->read_moment != w->sync->moment)
            word->read_lanes = 0; /* older readers are judged by the write that follows a warp barrier */
        word->read_lanes |= 1u << lane;
        word->read_moment = w->sync->moment;
    }
}

static void check_granule(struct warp *w, const struct insn *in, int lane, uint64_t offset, struct shared_word *word,
                          bool writes)
{
    const uint32_t epoch = w->worker->epoch, thread = w->index * LANES + (uint32_t)lane;
    if (in->atomic) { /* atomics do not race with each other: they count as initialised reads */
        if (!word->initialised)
            exec_fault(w, in, lane, FAULT_TRAP, "atomic on uninitialised shared memory at offset %llu",
                       (unsigned long long)offset);
        return;
    }
    if (word->write_epoch == epoch && word->write_thread != thread &&
        !ordered(w, lane, word->write_thread, word->write_moment))
        fault_race(w, in, lane, offset, writes ? "also written by" : "read after a write by", word->write_thread);
    if (writes) {
        check_readers(w, in, lane, offset, word);
        word->initialised = true;
        word->write_epoch = epoch;
        word->write_thread = (uint16_t)thread;
        word->write_moment = w->sync->moment;
        return;
    }
    if (!word->initialised)
        exec_fault(w, in, lane, FAULT_TRAP, "read of uninitialised shared memory at offset %llu",
                   (unsigned long long)offset);
    note_read(w, lane, word);
}

void check_shared(struct warp *w, const struct insn *in, const uint64_t offset[LANES], bool writes)
{
    const uint32_t granule = w->worker->launch->function->min_shared_access;
    const uint32_t bytes = (uint32_t)in->bytes * in->count;
    for (uint32_t left = w->mask; left; left &= left - 1) {
        const int lane = __builtin_ctz(left);
        for (uint64_t at = offset[lane]; at < offset[lane] + bytes; at += granule)
            check_granule(w, in, lane, at, &w->worker->shared_shadow[at / granule], writes);
    }
}

/* ---- global memory ---- */

static void describe(char text[160], const struct allocation *a, uint64_t address)
{
    snprintf(text, 160, "address 0x%llx, offset %llu of allocation %u%s%s (%llu bytes)", (unsigned long long)address,
             (unsigned long long)(address - a->base), a->number, a->name ? ", " : "", a->name ? a->name : "",
             (unsigned long long)a->bytes);
}

static void check_initialised(struct warp *w, const struct insn *in, int lane, const struct allocation *a,
                              uint64_t address, uint64_t bytes)
{
    static const uint8_t all[16] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
    const uint8_t *flags = a->initialised + (address - a->base);
    if (bytes == 4 ? !memcmp(flags, all, 4) : bytes <= sizeof all && !memcmp(flags, all, bytes))
        return;
    for (uint64_t i = 0; i < bytes; i++)
        if (!flags[i]) {
            char place[160];
            describe(place, a, address + i);
            exec_fault(w, in, lane, FAULT_TRAP, "read of uninitialised memory: %s", place);
        }
}

/* Blocks run in order here, so of two conflicting blocks the later one sees the record of the earlier. A block that has
 * executed an atomic on global memory may read what others wrote: it had a way to know. */
static void check_word(struct warp *w, const struct insn *in, int lane, const struct allocation *a, uint64_t address,
                       uint8_t bytes_mask, bool writes)
{
    const struct launch *launch = w->worker->launch;
    struct word_shadow *word = &a->words[(address - a->base) / 4];
    const uint32_t me = (uint32_t)w->worker->block + 1;
    if (word->launch != launch->number)
        *word = (struct word_shadow){.launch = launch->number};
    const bool written_by_other = word->writer && word->writer != me && word->written & bytes_mask;
    const bool read_by_other = writes && word->reader && word->reader != me && word->read & bytes_mask;
    if ((written_by_other || read_by_other) && !w->worker->acquired) {
        char place[160];
        describe(place, a, address);
        const uint32_t other = written_by_other ? word->writer : word->reader;
        exec_fault(w, in, lane, FAULT_TRAP, "race between blocks: %s %s by block %u%s, %s", writes ? "write" : "read",
                   written_by_other ? "of what was written" : "of what was read", other == MANY_BLOCKS ? 0 : other - 1,
                   other == MANY_BLOCKS ? " and others" : "", place);
    }
    if (!writes) {
        const bool shared = word->reader && word->reader != me && word->read & bytes_mask;
        word->read = (uint8_t)(shared || word->reader == me ? word->read : 0) | bytes_mask;
        word->reader = shared ? MANY_BLOCKS : me;
    } else {
        word->written = (uint8_t)(word->writer && word->writer != me ? 0 : word->written) | bytes_mask;
        word->writer = me;
    }
}

/* Whether the record already says what this access would add, and there is nothing to complain about. */
static inline bool settled(const struct word_shadow *word, uint32_t launch, uint32_t me, uint8_t bytes_mask,
                           bool writes)
{
    if (word->launch != launch)
        return false;
    if (writes)
        return word->writer == me && (word->reader == 0 || word->reader == me) && !(bytes_mask & ~word->written);
    return (word->reader == me || word->reader == MANY_BLOCKS) && (word->writer == 0 || word->writer == me) &&
           !(bytes_mask & ~word->read);
}

void check_global(struct warp *w, const struct insn *in, const uint64_t address[LANES], bool writes)
{
    const uint64_t bytes = (uint64_t)in->bytes * in->count;
    const uint32_t launch = w->worker->launch->number, me = (uint32_t)w->worker->block + 1;
    const struct allocation *a = w->worker->cache[in->slot]; /* where the last lane's bytes lie */
    uint64_t before = 0;
    for (uint32_t left = w->mask; left; left &= left - 1) {
        const int lane = __builtin_ctz(left);
        const uint64_t at = address[lane];
        if (at == before)
            continue; /* the lane before did the same */
        before = at;
        if (at - a->base >= a->bytes)
            a = memory_find(at);
        if (!writes || in->atomic)
            check_initialised(w, in, lane, a, at, bytes);
        if (writes && bytes == 4)
            memset(a->initialised + (at - a->base), 1, 4);
        else if (writes)
            memset(a->initialised + (at - a->base), 1, bytes);
        if (in->atomic || a->kind == MEMORY_CONSTANT)
            continue;
        if (bytes == 4) {
            if (!settled(&a->words[(at - a->base) / 4], launch, me, 15, writes))
                check_word(w, in, lane, a, at, 15, writes);
            continue;
        }
        for (uint64_t word = at & ~3ull; word < at + bytes; word += 4) {
            const uint64_t first = at > word ? at - word : 0, last = at + bytes < word + 4 ? at + bytes - word : 4;
            const uint8_t mask = (uint8_t)((1u << last) - (1u << first));
            check_word(w, in, lane, a, word, mask, writes);
        }
    }
}
