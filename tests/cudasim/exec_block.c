/* One block: its warps run one at a time, each until it ends or waits at a barrier. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef __AVX2__
#include <immintrin.h>
#endif

#include "exec.h"

/* ---- groups ---- */

void warp_set_mask(struct warp *w, uint32_t mask)
{
    w->mask = mask;
    if (mask != ALL_LANES)
        for (int l = 0; l < LANES; l++)
            w->on[l] = -(mask >> l & 1);
}

uint32_t predicate_lanes(const struct warp *w, uint32_t reference, bool negated)
{
    const uint32_t *p = (const uint32_t *)(w->bank[reference & 1] + (reference & ~1u));
    uint32_t lanes = 0;
#ifdef __AVX2__
    for (int l = 0; l < LANES; l += 8)
        lanes |= (uint32_t)_mm256_movemask_ps(_mm256_loadu_ps((const float *)(p + l))) << l;
#else
    for (int l = 0; l < LANES; l++)
        lanes |= (p[l] & 1) << l;
#endif
    return negated ? ~lanes : lanes;
}

void warp_split(struct warp *w, uint32_t pc, uint32_t lanes)
{
    w->others[w->other_count++] = (struct group){pc, lanes, GROUP_RUNS};
    if (pc < w->pc)
        w->meet = 0; /* the new group comes first */
    else if (pc < w->meet)
        w->meet = pc;
}

void warp_park(struct warp *w)
{
    w->others[w->other_count++] = (struct group){w->pc - 1, w->group, GROUP_PARKED};
    w->group = 0;
    w->meet = 0;
}

bool warp_gathered(struct warp *w, const struct insn *in, uint32_t members)
{
    if (members & ~w->live)
        exec_fault(w, in, __builtin_ctz(members & ~w->live), FAULT_TRAP,
                   "named in a member mask (0x%x), but this thread has left the kernel", members);
    if (!(members & ~w->mask))
        return true;
    if (w->mask != w->group)
        exec_fault(w, in, __builtin_ctz(members & ~w->mask), FAULT_TRAP,
                   "named in a member mask (0x%x), but a guard keeps this thread from the instruction", members);
    warp_park(w);
    return false;
}

/* No group can run: somebody waits for lanes that will not come. */
_Noreturn static void fault_stuck(struct warp *w)
{
    const struct insn *code = w->worker->launch->function->code;
    const struct group *first = &w->others[0], *second = w->other_count > 1 ? &w->others[1] : first;
    const struct insn *at = &code[first->pc];
    const uint32_t gone = w->born & ~w->live;
    if (gone && w->other_count == 1)
        exec_fault(w, at, __builtin_ctz(gone), FAULT_TRAP, "%s: this thread left the kernel, lanes 0x%x wait for it",
                   at->barrier ? "barrier divergence" : "warp deadlock", first->lanes);
    exec_fault(w, at, __builtin_ctz(first->lanes), FAULT_TRAP,
               "%s: lanes 0x%x of the warp wait at PTX line %u, lanes 0x%x at line %u",
               at->barrier ? "barrier divergence" : "warp deadlock", first->lanes, at->line, second->lanes,
               code[second->pc].line);
}

/* Merges groups that met, and chooses the runnable group with the lowest pc. */
static void regroup(struct warp *w)
{
    if (w->other_count == 1 && w->group && w->others[0].pc == w->pc) { /* both sides of a branch have met */
        w->group |= w->others[0].lanes;
        w->other_count = 0;
        w->meet = UINT32_MAX;
        warp_set_mask(w, w->group);
        return;
    }
    if (w->group)
        w->others[w->other_count++] = (struct group){w->pc, w->group, GROUP_RUNS};
    w->group = 0;
    for (uint32_t i = 0; i < w->other_count; i++)
        for (uint32_t k = i + 1; k < w->other_count;)
            if (w->others[k].pc == w->others[i].pc) {
                w->others[i].lanes |= w->others[k].lanes;
                w->others[i].state = GROUP_RUNS;
                w->others[k] = w->others[--w->other_count];
            } else {
                k++;
            }
    uint32_t best = UINT32_MAX;
    for (uint32_t i = 0; i < w->other_count; i++)
        if (w->others[i].state == GROUP_RUNS && (best == UINT32_MAX || w->others[i].pc < w->others[best].pc))
            best = i;
    if (best == UINT32_MAX) {
        if (w->other_count)
            fault_stuck(w);
        w->state = WARP_DONE;
        return;
    }
    w->pc = w->others[best].pc;
    w->group = w->others[best].lanes;
    w->others[best] = w->others[--w->other_count];
    warp_set_mask(w, w->group);
    w->meet = UINT32_MAX;
    for (uint32_t i = 0; i < w->other_count; i++)
        if (w->others[i].pc > w->pc && w->others[i].pc < w->meet)
            w->meet = w->others[i].pc;
}

/* ---- warps ---- */

static inline __attribute__((always_inline)) void run(struct warp *w, bool profile)
{
    const struct insn *code = w->worker->launch->function->code;
    struct prof_counters *counters = &w->worker->counters;
    while (w->state == WARP_RUNS) {
        const struct insn *in = &code[w->pc++];
        w->executed++;
        if (in->guard == NO_GUARD) {
            if (profile)
                counters->lane_instructions += (uint64_t)__builtin_popcount(w->mask);
            in->run(w, in);
        } else {
            const uint32_t lanes = predicate_lanes(w, (uint32_t)in->guard, in->guard_negated) & w->group;
            if (profile)
                counters->lane_instructions += (uint64_t)__builtin_popcount(lanes);
            if (lanes == w->group) {
                in->run(w, in);
            } else if (lanes) {
                warp_set_mask(w, lanes);
                in->run(w, in);
                if (w->group)
                    warp_set_mask(w, w->group);
            }
        }
        if (w->pc >= w->meet)
            regroup(w);
    }
}

static void run_warp(struct warp *w)
{
    const uint64_t before = w->executed;
    if (w->worker->launch->profile)
        run(w, true);
    else
        run(w, false);
    w->worker->counters.warp_instructions += w->executed - before;
}

static void fill_row(struct warp *w, int row, uint32_t value)
{
    uint32_t *lanes = (uint32_t *)(w->bank[0] + (size_t)row * ROW_BYTES);
    for (int l = 0; l < LANES; l++)
        lanes[l] = value;
}

static void start_warp(struct worker *worker, uint32_t index)
{
    const struct launch *launch = worker->launch;
    struct warp *w = &worker->warps[index];
    const uint32_t first = index * LANES, left = launch->threads - first;
    w->born = w->live = w->group = left >= LANES ? ALL_LANES : (1u << left) - 1;
    w->pc = 0;
    w->meet = UINT32_MAX;
    w->other_count = 0;
    w->executed = 0;
    memset(w->committed, 0, sizeof w->committed);
    w->state = WARP_RUNS;
    warp_set_mask(w, w->group);
    for (int i = 0; i < 3; i++)
        fill_row(w, ROW_CTAID_X + i, worker->block_at[i]);
}

/* All warps wait at the same barrier, or the block is wrong. */
static void release_barrier(struct worker *worker)
{
    const struct launch *launch = worker->launch;
    const struct insn *code = launch->function->code;
    struct warp *first = NULL;
    for (uint32_t i = 0; i < launch->warps; i++) {
        struct warp *w = &worker->warps[i];
        if (w->state == WARP_AT_BARRIER && !first)
            first = w;
    }
    for (uint32_t i = 0; i < launch->warps; i++) {
        struct warp *w = &worker->warps[i];
        const struct insn *at = &code[first->pc - 1];
        if (w->state == WARP_DONE)
            exec_fault(w, at, 0, FAULT_TRAP,
                       "barrier divergence: this thread's warp left the kernel, others wait at a barrier");
        if (w->pc != first->pc)
            exec_fault(w, &code[w->pc - 1], 0, FAULT_TRAP,
                       "barrier divergence: warp %u waits at this barrier, warp %u at the one of PTX line %u", w->index,
                       first->index, at->line);
    }
    for (uint32_t i = 0; i < launch->warps; i++) {
        struct warp *w = &worker->warps[i];
        barrier_release(w, &code[w->pc - 1], worker->barrier_true, worker->barrier_threads);
        w->state = WARP_RUNS;
        if (w->pc >= w->meet)
            regroup(w);
    }
    worker->barrier_true = worker->barrier_threads = 0;
    worker->epoch++;
}

void exec_block(struct worker *worker, uint64_t block)
{
    const struct launch *launch = worker->launch;
    worker->block = block;
    worker->block_at[0] = (uint32_t)(block % launch->grid[0]);
    worker->block_at[1] = (uint32_t)(block / launch->grid[0] % launch->grid[1]);
    worker->block_at[2] = (uint32_t)(block / launch->grid[0] / launch->grid[1]);
    worker->barrier_true = worker->barrier_threads = 0;
    worker->acquired = false;
    worker->copy_count = 0;
    if (setjmp(worker->faulted))
        return;
    if (launch->check)
        check_block_start(worker);
    memset(worker->shared, 0xff, launch->shared_bytes);
    for (uint32_t i = 0; i < launch->warps; i++)
        start_warp(worker, i);
    for (;;) {
        uint32_t waiting = 0;
        for (uint32_t i = 0; i < launch->warps; i++) {
            struct warp *w = &worker->warps[i];
            if (w->state == WARP_RUNS)
                run_warp(w);
            waiting += w->state == WARP_AT_BARRIER;
        }
        if (!waiting)
            return;
        release_barrier(worker);
    }
}

/* ---- worker memory ---- */

static bool resize(void **memory, size_t *have, size_t want)
{
    if (*have >= want && *memory)
        return true;
    free(*memory);
    want = (want + 63) / 64 * 64 + 64;
    *memory = aligned_alloc(64, want);
    *have = *memory ? want : 0;
    return *memory != NULL;
}

static void start_rows(struct worker *worker, uint32_t index)
{
    const struct launch *launch = worker->launch;
    const struct ptx_function *f = launch->function;
    struct warp *w = &worker->warps[index];
    w->worker = worker;
    w->index = index;
    w->bank[0] = worker->registers + (size_t)index * f->register_rows * ROW_BYTES;
    w->bank[1] = f->constants;
    w->local = worker->local + (size_t)index * LANES * f->local_bytes;
    uint32_t *x = (uint32_t *)w->bank[0], *y = x + LANES, *z = y + LANES;
    for (uint32_t l = 0; l < LANES; l++) {
        const uint32_t thread = index * LANES + l;
        x[l] = thread % launch->block[0];
        y[l] = thread / launch->block[0] % launch->block[1];
        z[l] = thread / launch->block[0] / launch->block[1];
        ((uint32_t *)(w->bank[0] + (size_t)ROW_LANEID * ROW_BYTES))[l] = l;
    }
    for (int i = 0; i < 3; i++) {
        fill_row(w, ROW_NTID_X + i, launch->block[i]);
        fill_row(w, ROW_NCTAID_X + i, launch->grid[i]);
    }
    fill_row(w, ROW_WARPID, index);
    fill_row(w, ROW_NWARPID, launch->warps);
    fill_row(w, ROW_DYNAMIC_SHARED, launch->dynamic_shared);
    fill_row(w, ROW_TOTAL_SHARED, launch->shared_bytes);
}

bool worker_prepare(struct worker *worker, const struct launch *launch)
{
    const struct ptx_function *f = launch->function;
    worker->launch = launch;
    worker->fault = (struct fault){.kind = FAULT_NONE};
    worker->counters = (struct prof_counters){0};
    size_t warps = worker->warp_count * sizeof *worker->warps, cache = worker->cache_count * sizeof *worker->cache;
    const bool enough =
        resize((void **)&worker->warps, &warps, launch->warps * sizeof *worker->warps) &&
        resize((void **)&worker->cache, &cache, f->slots * sizeof *worker->cache) &&
        resize((void **)&worker->registers, &worker->registers_bytes,
               (size_t)launch->warps * f->register_rows * ROW_BYTES) &&
        resize((void **)&worker->shared, &worker->shared_bytes, launch->shared_bytes) &&
        resize((void **)&worker->local, &worker->local_bytes, (size_t)launch->warps * LANES * f->local_bytes);
    worker->warp_count = warps / sizeof *worker->warps;
    worker->cache_count = cache / sizeof *worker->cache;
    if (!enough)
        return false;
    memset(worker->cache, 0, f->slots * sizeof *worker->cache);
    memset(worker->registers, 0, (size_t)launch->warps * f->register_rows * ROW_BYTES);
    for (uint32_t i = 0; i < launch->warps; i++)
        start_rows(worker, i);
    return true;
}

void worker_release(struct worker *worker)
{
    free(worker->warps);
    free(worker->cache);
    free(worker->registers);
    free(worker->shared);
    free(worker->local);
    free(worker->shared_shadow);
    free(worker->syncs);
    free(worker->copies);
}

void exec_fault(struct warp *w, const struct insn *in, int lane, enum fault_kind kind, const char *format, ...)
{
    struct worker *worker = w->worker;
    const struct launch *launch = worker->launch;
    const uint32_t thread = w->index * LANES + (uint32_t)lane, x = launch->block[0], y = launch->block[1];
    struct fault *fault = &worker->fault;
    fault->kind = kind;
    fault->block = worker->block;
    char source[32] = "";
    if (in->source_line)
        snprintf(source, sizeof source, " (source line %u)", in->source_line);
    int used = snprintf(fault->text, sizeof fault->text,
                        "kernel %s, block (%u, %u, %u), thread (%u, %u, %u), PTX line %u%s: ", launch->function->name,
                        worker->block_at[0], worker->block_at[1], worker->block_at[2], thread % x, thread / x % y,
                        thread / x / y, in->line, source);
    if (used < 0 || (size_t)used >= sizeof fault->text)
        used = 0;
    va_list args;
    va_start(args, format);
    vsnprintf(fault->text + used, sizeof fault->text - (size_t)used, format, args);
    va_end(args);
    longjmp(worker->faulted, 1);
}
