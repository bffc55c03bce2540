/* Address resolution. The fast path is one vectorised pass against the allocation that the instruction hit last. */
#include "reach.h"

#include <stdio.h>

static void gather_addresses(const struct warp *w, const struct insn *in, uint32_t reference, u64 *address)
{
    const u64 offset = (u64)in->imm;
    if (in->wide_address) {
        const u64 *a = row(w, reference);
        EACH_LANE(l) address[l] = a[l] + offset;
    } else {
        const u32 *a = row(w, reference);
        EACH_LANE(l) address[l] = (u32)(a[l] + (u32)offset);
    }
    if (w->mask != ALL_LANES) {
        const u64 some = address[__builtin_ctz(w->mask)];
        EACH_LANE(l) address[l] = w->on[l] ? address[l] : some;
    }
}

/* at[l] = address[l] - base if all lanes lie in [0, limit] from base and are aligned. */
static inline bool inside(const u64 *address, u64 base, int64_t limit, u64 size, int64_t *at)
{
    int64_t outside = 0;
    u64 low = 0;
    EACH_LANE(l)
    {
        const int64_t offset = (int64_t)(address[l] - base);
        at[l] = offset;
        outside |= offset | (limit - offset);
        low |= address[l];
    }
    return outside >= 0 && !(low & (size - 1));
}

_Noreturn static void fault_alignment(struct warp *w, const struct insn *in, int lane, u64 address, u64 size)
{
    exec_fault(w, in, lane, FAULT_MISALIGNED, "address 0x%llx is not aligned to %llu bytes",
               (unsigned long long)address, (unsigned long long)size);
}

_Noreturn static void fault_global(struct warp *w, const struct insn *in, int lane, u64 address, u64 size,
                                   const struct allocation *a, bool writes)
{
    const char *verb = writes ? "write" : "read";
    char name[160];
    if (a)
        snprintf(name, sizeof name, "%s %u (%s%s%llu bytes at 0x%llx)",
                 a->kind == MEMORY_BUFFER ? "allocation" : "variable", a->number, a->name ? a->name : "",
                 a->name ? ", " : "", (unsigned long long)a->bytes, (unsigned long long)a->base);
    if (address < 1u << 20)
        exec_fault(w, in, lane, FAULT_ADDRESS, "%s of %llu bytes at 0x%llx: a null pointer", verb,
                   (unsigned long long)size, (unsigned long long)address);
    if (!a)
        exec_fault(w, in, lane, FAULT_ADDRESS, "%s of %llu bytes at 0x%llx: not an address of the device", verb,
                   (unsigned long long)size, (unsigned long long)address);
    const u64 offset = address - a->base;
    if (offset >= a->bytes + (1u << 20))
        exec_fault(w, in, lane, FAULT_ADDRESS, "%s of %llu bytes at 0x%llx: in no allocation; the last below is %s",
                   verb, (unsigned long long)size, (unsigned long long)address, name);
    exec_fault(w, in, lane, FAULT_ADDRESS, "%s of %llu bytes at 0x%llx: offset %llu of %s%s", verb,
               (unsigned long long)size, (unsigned long long)address, (unsigned long long)offset, name,
               !a->host                     ? ", which was freed"
               : offset + size > a->bytes   ? ", out of bounds"
               : a->kind == MEMORY_CONSTANT ? ", which is constant"
                                            : ", which this instruction's space does not hold");
}

/* Lane by lane: lanes may hit several allocations, and the first bad lane is reported. */
static void reach_allocations(struct warp *w, const struct insn *in, const u64 *address, u64 size, bool writes,
                              struct reach *r)
{
    r->base = 0;
    for (int l = 0; l < LANES; l++) {
        if (!(w->mask >> l & 1))
            continue;
        struct allocation *a = memory_find(address[l]);
        const u64 offset = a ? address[l] - a->base : 0;
        const bool fits = a && a->host && a->bytes >= size && offset <= a->bytes - size;
        const bool legal =
            fits && (in->space == SPACE_CONST ? a->kind == MEMORY_CONSTANT : !(writes && a->kind == MEMORY_CONSTANT));
        if (!legal)
            fault_global(w, in, l, address[l], size, a, writes);
        if (address[l] & (size - 1))
            fault_alignment(w, in, l, address[l], size);
        r->at[l] = (int64_t)(uintptr_t)(a->host + offset);
        w->worker->cache[in->slot] = a;
    }
    const int64_t some = r->at[__builtin_ctz(w->mask)];
    for (int l = 0; l < LANES; l++)
        if (!(w->mask >> l & 1))
            r->at[l] = some;
}

static void reach_global(struct warp *w, const struct insn *in, const u64 *address, u64 size, bool writes,
                         struct reach *r)
{
    const struct allocation *a = w->worker->cache[in->slot];
    if (a && a->bytes >= size && inside(address, a->base, (int64_t)(a->bytes - size), size, r->at))
        r->base = (uintptr_t)a->host;
    else
        reach_allocations(w, in, address, size, writes, r);
    if (w->worker->launch->check)
        check_global(w, in, address, writes);
    if (w->worker->launch->profile)
        prof_global(w, in, address);
}

/* Shared, local and parameter space: `address` counts from the start of the window. */
static void reach_window(struct warp *w, const struct insn *in, const u64 *address, u64 size, bool writes,
                         enum space space, struct reach *r)
{
    struct worker *worker = w->worker;
    const struct ptx_function *f = worker->launch->function;
    const u64 bytes = space == SPACE_SHARED  ? worker->launch->shared_bytes
                      : space == SPACE_LOCAL ? f->local_bytes
                                             : f->param_bytes;
    if (bytes < size || !inside(address, 0, (int64_t)(bytes - size), size, r->at))
        for (int l = 0; l < LANES; l++) {
            if (!(w->mask >> l & 1))
                continue;
            if (bytes < size || address[l] > bytes - size)
                exec_fault(w, in, l, FAULT_ADDRESS, "%s of %llu bytes at offset %lld of %llu bytes of %s memory",
                           writes ? "write" : "read", (unsigned long long)size, (long long)address[l],
                           (unsigned long long)bytes,
                           space == SPACE_SHARED  ? "shared"
                           : space == SPACE_LOCAL ? "local"
                                                  : "parameter");
            if (address[l] & (size - 1))
                fault_alignment(w, in, l, address[l], size);
        }
    if (space == SPACE_SHARED) {
        r->base = (uintptr_t)worker->shared;
        if (worker->launch->check)
            check_shared(w, in, address, writes);
        if (worker->launch->profile)
            prof_shared(w, in, address);
    } else if (space == SPACE_LOCAL) {
        r->base = (uintptr_t)w->local;
        EACH_LANE(l) r->at[l] += (int64_t)bytes * l;
    } else {
        r->base = (uintptr_t)worker->launch->params;
    }
}

static enum space window_of(u64 address)
{
    return address - SHARED_WINDOW < WINDOW_BYTES  ? SPACE_SHARED
           : address - LOCAL_WINDOW < WINDOW_BYTES ? SPACE_LOCAL
           : address - PARAM_WINDOW < WINDOW_BYTES ? SPACE_PARAM
                                                   : SPACE_GLOBAL;
}

/* Lanes of one generic access may lie in different spaces: each space is resolved with the others masked. */
static void reach_generic(struct warp *w, const struct insn *in, const u64 *address, u64 size, bool writes,
                          struct reach *r)
{
    static const u64 starts[] = {
        [SPACE_GLOBAL] = 0, [SPACE_SHARED] = SHARED_WINDOW, [SPACE_LOCAL] = LOCAL_WINDOW, [SPACE_PARAM] = PARAM_WINDOW};
    const uint32_t all = w->mask;
    uint32_t left = all;
    int64_t host[LANES] = {0};
    while (left) {
        const int first = __builtin_ctz(left);
        const enum space space = window_of(address[first]);
        uint32_t lanes = 0;
        u64 offset[LANES];
        for (int l = 0; l < LANES; l++) {
            const bool same = left >> l & 1 && window_of(address[l]) == space;
            lanes |= (uint32_t)same << l;
            offset[l] = address[same ? l : first] - starts[space];
        }
        warp_set_mask(w, lanes);
        if (space == SPACE_GLOBAL)
            reach_global(w, in, offset, size, writes, r);
        else
            reach_window(w, in, offset, size, writes, space, r);
        for (int l = 0; l < LANES; l++)
            if (lanes >> l & 1)
                host[l] = (int64_t)(r->base + (uintptr_t)r->at[l]);
        left &= ~lanes;
    }
    warp_set_mask(w, all);
    r->base = 0;
    for (int l = 0; l < LANES; l++)
        r->at[l] = all >> l & 1 ? host[l] : host[__builtin_ctz(all)];
}

/* The common case in one pass: all lanes in the allocation that this instruction hit last. */
static inline bool reach_again(const struct warp *w, const struct insn *in, uint32_t reference, u64 size,
                               struct reach *r)
{
    const struct launch *launch = w->worker->launch;
    const struct allocation *last = w->worker->cache[in->slot];
    if (in->space != SPACE_GLOBAL || !in->wide_address || !last || last->bytes < size || launch->check ||
        launch->profile)
        return false;
    const u64 *a = row(w, reference), shift = (u64)in->imm - last->base;
    const int64_t limit = (int64_t)(last->bytes - size);
    int64_t outside = 0, low = 0;
    r->base = (uintptr_t)last->host;
    if (w->mask == ALL_LANES) {
        EACH_LANE(l)
        {
            const int64_t offset = (int64_t)(a[l] + shift);
            r->at[l] = offset;
            outside |= offset | (limit - offset);
            low |= offset;
        }
    } else {
        const int64_t some = (int64_t)(a[__builtin_ctz(w->mask)] + shift);
        EACH_LANE(l)
        {
            const int64_t offset = w->on[l] ? (int64_t)(a[l] + shift) : some;
            r->at[l] = offset;
            outside |= offset | (limit - offset);
            low |= offset;
        }
    }
    return outside >= 0 && !(low & (int64_t)(size - 1));
}

void reach_lanes(struct warp *w, const struct insn *in, uint32_t reference, bool writes, struct reach *r)
{
    const u64 size = (u64)in->bytes * in->count;
    u64 address[LANES];
    if (reach_again(w, in, reference, size, r))
        return;
    gather_addresses(w, in, reference, address);
    if (in->space == SPACE_GLOBAL || in->space == SPACE_CONST)
        reach_global(w, in, address, size, writes, r);
    else if (in->space == SPACE_GENERIC)
        reach_generic(w, in, address, size, writes, r);
    else
        reach_window(w, in, address, size, writes, (enum space)in->space, r);
}

/* Lane l at first + l * step, as far as lanes are active. */
static inline bool spaced(const struct warp *w, const struct insn *in, uint32_t reference, u64 first, u64 step)
{
    u64 apart = 0;
    if (in->wide_address && w->mask == ALL_LANES) {
        const u64 *a = row(w, reference);
        EACH_LANE(l) apart |= a[l] ^ (first + step * (u64)l);
    } else if (in->wide_address) {
        const u64 *a = row(w, reference);
        EACH_LANE(l) apart |= w->on[l] ? a[l] ^ (first + step * (u64)l) : 0;
    } else {
        const u32 *a = row(w, reference), from = (u32)first, stride = (u32)step;
        u32 differs = 0;
        EACH_LANE(l) differs |= (w->mask == ALL_LANES ? ~0u : w->on[l]) & (a[l] ^ (from + stride * (u32)l));
        apart = differs;
    }
    return apart == 0;
}

static inline u64 address_of(const struct warp *w, const struct insn *in, uint32_t reference, int lane)
{
    return in->wide_address ? ((const u64 *)row(w, reference))[lane] : ((const u32 *)row(w, reference))[lane];
}

enum pattern reach_pattern(struct warp *w, const struct insn *in, uint32_t reference, bool writes, struct reach *r)
{
    const struct worker *worker = w->worker;
    const struct allocation *last = worker->cache[in->slot];
    const bool shared = in->space == SPACE_SHARED;
    if (worker->launch->check || worker->launch->profile || !(shared || (in->space == SPACE_GLOBAL && last))) {
        reach_lanes(w, in, reference, writes, r);
        return PATTERN_SCATTERED;
    }
    const u64 size = (u64)in->bytes * in->count, bytes = shared ? worker->launch->shared_bytes : last->bytes;
    const int low = __builtin_ctz(w->mask), high = 31 - __builtin_clz(w->mask);
    const u64 first = address_of(w, in, reference, low), distance = address_of(w, in, reference, high) - first;
    const bool uniform = distance == 0, dense = w->mask == ALL_LANES && in->count == 1 && distance == 31 * size;
    const u64 offset = first + (u64)in->imm - (shared ? 0 : last->base), end = offset + distance + size;
    if ((uniform || dense) && offset < bytes && end <= bytes && !(offset & (size - 1)) &&
        spaced(w, in, reference, first, dense ? size : 0)) {
        r->base = (uintptr_t)(shared ? worker->shared : last->host) + offset;
        r->at[0] = 0;
        return dense ? PATTERN_DENSE : PATTERN_UNIFORM;
    }
    reach_lanes(w, in, reference, writes, r);
    return PATTERN_SCATTERED;
}
