/* Allocations in increasing order of address. A freed one stays in the list, so that a stale address is recognised. */
#define _GNU_SOURCE
#include "memory.h"

#include <stdlib.h>
#include <string.h>

#include "backing.h"
#include "config.h"

enum { ALIGNMENT = 512, RED_ZONE = 1 << 20 };

static struct allocation **list;
static size_t count, capacity;
static uint64_t next_address = GLOBAL_BASE + RED_ZONE;
static struct memory_counters counters;

static bool add(struct allocation *a)
{
    if (count == capacity) {
        const size_t wanted = capacity ? 2 * capacity : 64;
        struct allocation **larger = realloc(list, wanted * sizeof *list);
        if (!larger)
            return false;
        list = larger;
        capacity = wanted;
    }
    list[count++] = a;
    return true;
}

static void drop_host(struct allocation *a)
{
    backing_free(a->host, a->bytes);
    free(a->initialised);
    free(a->words);
    a->host = a->initialised = NULL;
    a->words = NULL;
}

struct allocation *memory_allocate_at(uint64_t base, uint64_t bytes, enum memory_kind kind, const char *name)
{
    struct allocation *a = calloc(1, sizeof *a);
    if (!a)
        return NULL;
    *a = (struct allocation){.base = base, .bytes = bytes, .number = (uint32_t)count + 1, .kind = kind};
    a->name = name ? strdup(name) : NULL; /* outlives the module, for reports on stale addresses */
    a->host = backing_allocate(bytes);
    if (config()->check) {
        a->initialised = calloc(bytes + 1, 1);
        a->words = calloc(bytes / 4 + 2, sizeof *a->words);
    }
    if (!a->host || (config()->check && (!a->initialised || !a->words)) || !add(a)) {
        drop_host(a);
        free(a);
        return NULL;
    }
    if (next_address < base + bytes + RED_ZONE)
        next_address = (base + bytes + RED_ZONE + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    return a;
}

struct allocation *memory_allocate(uint64_t bytes, enum memory_kind kind)
{
    const uint64_t granule = config()->granule;
    const uint64_t charged = bytes <= UINT64_MAX - granule ? (bytes + granule - 1) & ~(granule - 1) : UINT64_MAX;
    struct allocation *a = NULL;
    if (bytes < GLOBAL_END - next_address - 2 * RED_ZONE && memory_charge(charged)) {
        a = memory_allocate_at(next_address, bytes, kind, NULL);
        if (!a)
            memory_discharge(charged);
    }
    if (!a) {
        counters.refusals++;
        return NULL;
    }
    a->charged = charged;
    counters.live++;
    counters.allocations++;
    counters.requested += bytes;
    if (counters.requested > counters.requested_peak)
        counters.requested_peak = counters.requested;
    return a;
}

uint64_t memory_next_address(void)
{
    return next_address;
}

void memory_free(struct allocation *a)
{
    drop_host(a);
    if (a->kind == MEMORY_BUFFER) {
        memory_discharge(a->charged);
        counters.live--;
        counters.requested -= a->bytes;
    }
}

struct allocation *memory_find(uint64_t address)
{
    size_t low = 0, high = count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (list[middle]->base <= address)
            low = middle + 1;
        else
            high = middle;
    }
    return low ? list[low - 1] : NULL;
}

struct allocation *memory_range(uint64_t address, uint64_t bytes)
{
    struct allocation *a = memory_find(address);
    return a && a->host && bytes <= a->bytes && address - a->base <= a->bytes - bytes ? a : NULL;
}

void memory_mark_initialised(uint64_t address, uint64_t bytes)
{
    const struct allocation *a = memory_range(address, bytes);
    if (a && a->initialised)
        memset(a->initialised + (address - a->base), 1, bytes);
}

bool memory_charge(uint64_t bytes)
{
    if (bytes > config()->vram - counters.charged)
        return false;
    counters.charged += bytes;
    if (counters.charged > counters.charged_peak)
        counters.charged_peak = counters.charged;
    return true;
}

void memory_discharge(uint64_t bytes)
{
    counters.charged -= bytes;
}

uint64_t memory_total(void)
{
    return config()->vram;
}

uint64_t memory_used(void)
{
    return counters.charged;
}

struct memory_counters memory_counters(void)
{
    return counters;
}

void memory_each_live(void (*visit)(const struct allocation *a, void *data), void *data)
{
    for (size_t i = 0; i < count; i++)
        if (list[i]->host && list[i]->kind == MEMORY_BUFFER)
            visit(list[i], data);
}
