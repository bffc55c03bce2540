/* philox.h: counter-based random numbers, and a shuffle that needs no memory.
 *
 * Self-contained C on 32-bit integers (64-bit only for products): emitted kernels hold this very text, so host and
 * kernels draw the same bits.
 *
 * The order of the samples in one epoch is the permutation i -> shuffle_at(i, n, round_keys) of [0, n),
 * 1 <= n <= 2^31, i < n. The round keys depend on (key, epoch) only. */
#ifndef PHILOX_H
#define PHILOX_H

#include <stdint.h>

#define SHUFFLE_ROUNDS 6

/* Philox4x32-10 of Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011: from counters
 * c0 .. c3 and keys k0, k1, the variables of these names, to four words in c0 .. c3. These may be numbers, or vectors of
 * them: PRODUCT(x, m) is x * m in 64 bits, a TYPE, HIGH and LOW its halves. */
#define PHILOX4X32_10(TYPE, PRODUCT, HIGH, LOW)                                                                        \
    for (int round = 0; round < 10; round++) {                                                                         \
        const TYPE p0 = PRODUCT(c0, 0xD2511F53u), p1 = PRODUCT(c2, 0xCD9E8D57u);                                       \
        c0 = HIGH(p1) ^ c1 ^ k0;                                                                                       \
        c1 = LOW(p1);                                                                                                  \
        c2 = HIGH(p0) ^ c3 ^ k1;                                                                                       \
        c3 = LOW(p0);                                                                                                  \
        k0 += 0x9E3779B9u;                                                                                             \
        k1 += 0xBB67AE85u;                                                                                             \
    }

static inline void philox4x32(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4])
{
    uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3], k0 = key[0], k1 = key[1];
#define PRODUCT(x, m) ((uint64_t)(m) * (x))
#define HIGH(p) (uint32_t)((p) >> 32)
#define LOW(p) (uint32_t)(p)
    PHILOX4X32_10(uint64_t, PRODUCT, HIGH, LOW)
#undef PRODUCT
#undef HIGH
#undef LOW
    out[0] = c0;
    out[1] = c1;
    out[2] = c2;
    out[3] = c3;
}

/* A word of philox4x32 as a float in [0, 1), a multiple of 2^-24. */
static inline float philox_unit(uint32_t word)
{
    return (float)(word >> 8) * 0x1p-24f;
}

/* Counters of the shuffle end in this word; the other users of a key must not (a layer's index never is this large). */
#define SHUFFLE_STREAM 0x53485546u

static inline void shuffle_keys(const uint32_t key[2], uint64_t epoch, uint32_t round_keys[SHUFFLE_ROUNDS])
{
    uint32_t counter[4] = {0, (uint32_t)epoch, (uint32_t)(epoch >> 32), SHUFFLE_STREAM};
    uint32_t words[8];
    philox4x32(counter, key, words);
    counter[0] = 1;
    philox4x32(counter, key, words + 4);
    for (int round = 0; round < SHUFFLE_ROUNDS; round++)
        round_keys[round] = words[round];
}

/* `to` is changed by `from`, through the finaliser of MurmurHash3: each bit flips each bit of the result about half of the time.
 * Numbers, or vectors of them: a TYPE. */
#define SHUFFLE_ROUND(TYPE, to, from, key, mask)                                                                       \
    {                                                                                                                  \
        TYPE x = (from) ^ (key);                                                                                       \
        x ^= x >> 16;                                                                                                  \
        x *= 0x85EBCA6Bu;                                                                                              \
        x ^= x >> 13;                                                                                                  \
        x *= 0xC2B2AE35u;                                                                                              \
        to ^= (x ^ x >> 16) & (mask);                                                                                  \
    }

/* Below 256 the halves would be so small that some orders come much more often than others. */
#define SHUFFLE_MIN_BITS 8

/* A Feistel network permutes [0, 2^bits), the smallest such range that holds n; values outside [0, n) are put through
 * it again until they fall inside (cycle walking: fewer than two turns on average for n > 128, and 256 / n below). The
 * halves may differ by one bit, so the rounds change them alternately instead of swapping them. */
#define SHUFFLE_ONCE(TYPE, i, n, round_keys)                                                                           \
    {                                                                                                                  \
        uint32_t bits = SHUFFLE_MIN_BITS;                                                                              \
        while (bits < 31 && 1u << bits < (n))                                                                          \
            bits++;                                                                                                    \
        const uint32_t low_bits = bits / 2;                                                                            \
        const uint32_t low_mask = (1u << low_bits) - 1, high_mask = (1u << (bits - low_bits)) - 1;                     \
        TYPE low = i & low_mask, high = i >> low_bits;                                                                 \
        for (int round = 0; round < SHUFFLE_ROUNDS; round += 2) {                                                      \
            SHUFFLE_ROUND(TYPE, high, low, (round_keys)[round], high_mask)                                             \
            SHUFFLE_ROUND(TYPE, low, high, (round_keys)[round + 1], low_mask)                                          \
        }                                                                                                              \
        i = high << low_bits | low;                                                                                    \
    }

static inline uint32_t shuffle_at(uint32_t i, uint32_t n, const uint32_t round_keys[SHUFFLE_ROUNDS])
{
    do
        SHUFFLE_ONCE(uint32_t, i, n, round_keys)
    while (i >= n);
    return i;
}

/* The i-th sample of the epoch. */
static inline uint64_t shuffle_index(uint64_t i, uint64_t n, const uint32_t key[2], uint64_t epoch)
{
    uint32_t round_keys[SHUFFLE_ROUNDS];
    shuffle_keys(key, epoch, round_keys);
    return shuffle_at((uint32_t)i, (uint32_t)n, round_keys);
}

#endif
