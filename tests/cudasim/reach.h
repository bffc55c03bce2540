/* From the addresses of a memory instruction to host bytes, with every check on the way. */
#ifndef CUDASIM_REACH_H
#define CUDASIM_REACH_H

#include <string.h>

#include "lanes.h"

/* Lane l's bytes start at base + at[l]; inactive lanes point where some active lane does. */
struct reach {
    uintptr_t base;
    int64_t at[LANES];
};

/* Faults unless every active lane may access in->bytes * in->count bytes at its address. */
void reach_lanes(struct warp *w, const struct insn *in, uint32_t address, bool writes, struct reach *r);

enum pattern { PATTERN_SCATTERED, PATTERN_UNIFORM, PATTERN_DENSE };

/* Like reach_lanes for one element per lane or uniform vectors, but recognises lanes at one address (UNIFORM) and, with
 * all lanes active, at neighbouring elements (DENSE): then only r->at[0] is set, to 0. */
enum pattern reach_pattern(struct warp *w, const struct insn *in, uint32_t address, bool writes, struct reach *r);

static inline uint8_t *reached(const struct reach *r, int lane)
{
    return (uint8_t *)(r->base + (uintptr_t)r->at[lane]);
}

/* The empty assembly keeps loops of these scalar: gather instructions are slower than 32 loads on many processors. */
/* clang-format off */
#define READER(T)                                                        \
    static inline T read_##T(const struct reach *r, int lane, size_t offset) { \
        T value;                                                         \
        const uint8_t *from = reached(r, lane) + offset;                 \
        __asm__("" : "+r"(from));                                        \
        memcpy(&value, from, sizeof value);                              \
        return value;                                                    \
    }
/* clang-format on */
READER(u8)
READER(s8)
READER(u16)
READER(s16)
READER(u32)
READER(s32)
READER(u64)
#undef READER

#endif
