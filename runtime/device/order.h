/* order.h: which samples an epoch has, and in which order, for all on the host who ask. Kernels that read the whole split find the same
 * from the same control words. */
#ifndef ORDER_H
#define ORDER_H

#include "base/philox.h"
#include "plan/plan.h"

struct order {
    uint32_t keys[SHUFFLE_ROUNDS];
    bool shuffle; /* else that of the file */
    uint32_t count;
};

static inline struct order order_of(const uint32_t control[CTL_WORDS])
{
    struct order o = {.shuffle = control[CTL_SHUFFLE], .count = control[CTL_COUNT_SAMPLES]};
    shuffle_keys(&control[CTL_SEED0], control[CTL_EPOCH], o.keys);
    return o;
}

/* The sample at place `at` of the epoch, at < count. */
static inline int64_t order_at(const struct order *o, uint32_t at)
{
    return o->shuffle ? shuffle_at(at, o->count, o->keys) : at;
}

#endif
