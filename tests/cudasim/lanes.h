/* Macros that write handlers: one loop over 32 lanes, which the compiler vectorises. */
#ifndef CUDASIM_LANES_H
#define CUDASIM_LANES_H

#include "exec.h"

/* Value types, and the type of a lane that holds them: registers of 16 bits and predicates take 32. The `_store` type
 * cuts a result to what the register keeps. */
typedef uint8_t u8;
typedef int8_t s8;
typedef uint16_t u16, u16_store, s16_store;
typedef int16_t s16;
typedef uint32_t u32, u32_store, u32_lane, u16_lane, s16_lane, pred, pred_store, pred_lane, u8_lane, s8_lane;
typedef int32_t s32, s32_store, s32_lane;
typedef uint64_t u64, u64_store, u64_lane;
typedef int64_t s64, s64_store, s64_lane;
typedef float f32, f32_store, f32_lane;
typedef double f64, f64_store, f64_lane;

static inline void *row(const struct warp *w, uint32_t reference)
{
    return w->bank[reference & 1] + (reference & ~1u);
}

#ifdef __clang__
#define EACH_LANE(l) _Pragma("clang loop vectorize(assume_safety)") for (int l = 0; l < LANES; l++)
#else
#define EACH_LANE(l) _Pragma("GCC ivdep") for (int l = 0; l < LANES; l++)
#endif

/* Fills value[32] from scalar expressions in l, eight at a time in a vector register: stores of single lanes that are
 * read back as vectors would stall. */
typedef uint32_t eight_lanes __attribute__((vector_size(32)));
/* clang-format off */
#define GATHER_LANES(value, EXPR)                                                                        \
    for (int first_ = 0; first_ < LANES; first_ += 8) {                                                  \
        const eight_lanes eight_ = {AT_LANE(0, EXPR), AT_LANE(1, EXPR), AT_LANE(2, EXPR), AT_LANE(3, EXPR),  \
                                    AT_LANE(4, EXPR), AT_LANE(5, EXPR), AT_LANE(6, EXPR), AT_LANE(7, EXPR)}; \
        __builtin_memcpy(&(value)[first_], &eight_, sizeof eight_);                                      \
    }
#define AT_LANE(i, EXPR) ({ const int l = first_ + (i); (EXPR); })
/* clang-format on */

/* Stores EXPR for every active lane; the inactive keep what they have. */
/* clang-format off */
#define STORE_LANES(w, d, D, EXPR)                                       \
    if ((w)->mask == ALL_LANES) {                                        \
        EACH_LANE(l) d[l] = (D##_store)(EXPR);                           \
    } else {                                                             \
        const uint32_t *on = (w)->on;                                    \
        EACH_LANE(l) {                                                   \
            const D##_lane result = (D##_store)(EXPR);                   \
            d[l] = on[l] ? result : d[l];                                \
        }                                                                \
    }

#define OP1(NAME, D, A, EXPR)                                            \
    static void NAME(struct warp *w, const struct insn *in) {            \
        D##_lane *d = row(w, in->reg[0]);                                \
        const A##_lane *pa = row(w, in->reg[1]);                         \
        STORE_LANES(w, d, D, ({ const A a = (A)pa[l]; EXPR; }))          \
    }

#define OP2(NAME, D, A, B, EXPR)                                                        \
    static void NAME(struct warp *w, const struct insn *in) {                           \
        D##_lane *d = row(w, in->reg[0]);                                               \
        const A##_lane *pa = row(w, in->reg[1]);                                        \
        const B##_lane *pb = row(w, in->reg[2]);                                        \
        STORE_LANES(w, d, D, ({ const A a = (A)pa[l]; const B b = (B)pb[l]; EXPR; }))   \
    }

#define OP3(NAME, D, A, B, C, EXPR)                                                                           \
    static void NAME(struct warp *w, const struct insn *in) {                                                 \
        D##_lane *d = row(w, in->reg[0]);                                                                     \
        const A##_lane *pa = row(w, in->reg[1]);                                                              \
        const B##_lane *pb = row(w, in->reg[2]);                                                              \
        const C##_lane *pc = row(w, in->reg[3]);                                                              \
        STORE_LANES(w, d, D, ({ const A a = (A)pa[l]; const B b = (B)pb[l]; const C c = (C)pc[l]; EXPR; }))   \
    }
/* clang-format on */

#endif
