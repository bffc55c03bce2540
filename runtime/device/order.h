/* order.h: which samples an epoch has, and in which order, for all on the host who ask. Kernels that read the whole of a split find the
 * same from the same control words; those that draw samples are given them row by row.
 *
 * A pure function of seed and epoch. With a table `draws` of two words a sample, each place of the epoch draws one of all samples, by
 * the alias method (Walker 1977; Vose 1991): sample i, evenly, and then itself with the chance draws[2 i] / 2^32, or else
 * draws[2 i + 1]. */
#ifndef ORDER_H
#define ORDER_H

#include "base/philox.h"
#include "plan/plan.h"

#define DRAW_STREAM 0x44524157u /* last word of the counters; see SHUFFLE_STREAM */

struct order {
    uint32_t keys[SHUFFLE_ROUNDS], seed[2], epoch, count;
    bool shuffle; /* else that of the file */
    const uint32_t *draws;
};

static inline struct order order_in(const uint32_t seed[2], uint32_t epoch, uint32_t count, bool shuffle,
                                    const uint32_t *draws)
{
    struct order o = {.seed = {seed[0], seed[1]}, .epoch = epoch, .count = count, .shuffle = shuffle, .draws = draws};
    shuffle_keys(seed, epoch, o.keys);
    return o;
}

/* Of a run over samples with such draws, NULL: none. */
static inline struct order order_of(const uint32_t control[CTL_WORDS], const uint32_t *draws)
{
    return order_in(&control[CTL_SEED0], control[CTL_EPOCH], control[CTL_COUNT_SAMPLES], control[CTL_SHUFFLE], draws);
}

/* The sample at place `at` of the epoch, at < count. */
static inline int64_t order_at(const struct order *o, uint32_t at)
{
    if (!o->shuffle || !o->draws)
        return o->shuffle ? shuffle_at(at, o->count, o->keys) : at;
    uint32_t word[4];
    philox4x32((const uint32_t[]){at, o->epoch, 0, DRAW_STREAM}, o->seed, word);
    const uint64_t n = o->count, i = (word[0] * n + (word[1] * n >> 32)) >> 32;
    return word[2] < o->draws[2 * i] ? (int64_t)i : (int64_t)o->draws[2 * i + 1];
}

#endif
