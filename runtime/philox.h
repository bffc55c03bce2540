/* Counter-based random numbers and a shuffle that needs no memory.
 *
 * philox.c is self-contained C on 32-bit integers (64-bit only for products), so that emitted kernels can hold the
 * same text and draw the same bits. */
#ifndef PHILOX_H
#define PHILOX_H

#include <stdint.h>

#define SHUFFLE_ROUNDS 6

/* Philox4x32-10 of Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011. */
void philox4x32(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]);

/* A word of philox4x32 as a float in [0, 1), a multiple of 2^-24. */
float philox_unit(uint32_t word);

/* The order of the samples in one epoch is the permutation i -> shuffle_at(i, n, round_keys) of [0, n),
 * 1 <= n <= 2^31, i < n. The round keys depend on (key, epoch) only and are made once per epoch. */
void shuffle_keys(const uint32_t key[2], uint64_t epoch, uint32_t round_keys[SHUFFLE_ROUNDS]);
uint32_t shuffle_at(uint32_t i, uint32_t n, const uint32_t round_keys[SHUFFLE_ROUNDS]);

/* Both in one call: the i-th sample of the epoch. */
uint64_t shuffle_index(uint64_t i, uint64_t n, const uint32_t key[2], uint64_t epoch);

#endif
