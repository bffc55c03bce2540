/* Device memory: synthetic addresses that the host cannot dereference, one host buffer behind each allocation, and,
 * under SIM_CHECK, shadow records of every byte. Addresses are never used twice, so a stale one is always seen. */
#ifndef CUDASIM_MEMORY_H
#define CUDASIM_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Non-canonical on x86-64: a host that dereferences one faults. */
#define GLOBAL_BASE 0x00A0000000000000ull
#define GLOBAL_END 0x00B0000000000000ull
/* Windows of the generic address space. */
#define SHARED_WINDOW 0x00B1000000000000ull
#define LOCAL_WINDOW 0x00B2000000000000ull
#define PARAM_WINDOW 0x00B3000000000000ull
#define WINDOW_BYTES 0x0000000100000000ull

enum memory_kind { MEMORY_BUFFER, MEMORY_VARIABLE, MEMORY_CONSTANT };

/* Who touched a 4-byte word last (SIM_CHECK): launch number, block + 1, and which of its bytes. */
struct word_shadow {
    uint32_t launch, writer, reader;
    uint8_t written, read;
};

struct allocation {
    uint64_t base, bytes;
    uint64_t charged;          /* what it takes of the device's memory: `bytes` rounded up to the granule */
    uint8_t *host;             /* NULL once freed */
    uint8_t *initialised;      /* SIM_CHECK: one flag per byte */
    struct word_shadow *words; /* SIM_CHECK */
    uint32_t number;           /* 1, 2, ... in order of allocation */
    enum memory_kind kind;
    char *name; /* of a module's variable, else NULL */
};

/* All need the driver lock, except memory_find while kernels run (nothing changes then). */

/* NULL when the device or the host has no room. */
struct allocation *memory_allocate(uint64_t bytes, enum memory_kind kind);
/* For module variables: an address range beyond all allocations, and allocations at chosen addresses in it. */
uint64_t memory_next_address(void);
struct allocation *memory_allocate_at(uint64_t base, uint64_t bytes, enum memory_kind kind, const char *name);
void memory_free(struct allocation *a);
/* The allocation, live or freed, with the highest base at or below the address; NULL if there is none. */
struct allocation *memory_find(uint64_t address);
/* The live allocation that contains all of the range, or NULL. */
struct allocation *memory_range(uint64_t address, uint64_t bytes);
void memory_mark_initialised(uint64_t address, uint64_t bytes);

/* Charges or returns device memory that is not addressable (context, modules, library workspaces). */
bool memory_charge(uint64_t bytes);
void memory_discharge(uint64_t bytes);
uint64_t memory_total(void);
uint64_t memory_used(void);

struct memory_counters {
    uint64_t requested, requested_peak; /* bytes of live buffers as asked for, and their maximum so far */
    uint64_t charged, charged_peak;     /* with granules, context and modules */
    uint64_t live, allocations, refusals;
};
struct memory_counters memory_counters(void);
/* Calls `visit` for every live buffer. */
void memory_each_live(void (*visit)(const struct allocation *a, void *data), void *data);

#endif
