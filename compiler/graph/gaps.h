/* gaps.h: blocks in an arena, in the order of their offsets, and the room between them. Every call takes O(log n) steps. */
#ifndef GAPS_H
#define GAPS_H

#include <stdint.h>

struct gaps;

/* For blocks 0 to n - 1, of which none is there yet. NULL: no memory. */
struct gaps *gaps_new(int n);
void gaps_free(struct gaps *g);
/* Puts block i into the lowest gap of `size` bytes (> 0), or behind all others, and returns its offset; what lies behind it begins
 * at a multiple of `align`. -1: that is past INT64_MAX. */
int64_t gaps_take(struct gaps *g, int i, int64_t size, int64_t align);
void gaps_give(struct gaps *g, int i); /* takes block i, which is there, away */

#endif
