/* pack.h: where buffers go in one arena, from their lifetimes and sizes alone. Knows nothing of layers or plans. */
#ifndef PACK_H
#define PACK_H

#include <stdint.h>

/* One buffer. It is live at the instants [lower, upper), half-open: one that ends where another begins may share its
 * bytes. Instants are any numbers that order; sizes and offsets are in the caller's unit (bytes). */
struct interval {
    int64_t lower, upper;
    int64_t size;   /* 0 conflicts with nothing and gets offset 0 */
    int64_t offset; /* result: a multiple of the alignment */
};

/* Writes an offset into each of v[0..n) so that no two buffers share a byte at an instant at which both are live, and
 * returns the arena: the highest end offset, at least pack_bound(v, n). The same input gives the same offsets. Where
 * `align` divides every size, lifetimes that nest (each two disjoint, or one inside the other) always reach the bound.
 * -1 with v unchanged and errno EINVAL (lower >= upper, size < 0, n < 0 or above INT_MAX / 4, align < 1), EOVERFLOW
 * (the arena or the bound is past INT64_MAX) or ENOMEM. O(n log n) time where the first strategy
 * reaches the bound, else O(n^2); O(n) memory. */
int64_t pack(struct interval *v, int n, int64_t align);

/* LB: the largest sum of sizes live at one instant, below which no arena can be. -1 and errno as for pack. */
int64_t pack_bound(const struct interval *v, int n);

#endif
