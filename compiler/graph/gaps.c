/* gaps.c: a search tree of blocks by offset that knows the largest gap below each of its nodes. It is balanced by priorities that are
 * hashes of the blocks' numbers (a treap: Seidel and Aragon, Algorithmica 16 (1996)), so that equal calls give equal trees. */
#include "gaps.h"

#include <stdlib.h>

struct block {
    int left, right, before, behind; /* in the tree; by offset. 0: none */
    uint32_t priority;
    int64_t offset, end; /* end: where the next may begin */
    int64_t gap, most;   /* free below it; the largest gap of its tree */
};

struct gaps {
    int root, last;       /* last: the highest block */
    struct block block[]; /* [i + 1] is block i; [0] is no block: no gap, ends at 0 */
};

struct gaps *gaps_new(int n)
{
    return calloc(1, sizeof(struct gaps) + ((size_t)n + 1) * sizeof(struct block));
}

void gaps_free(struct gaps *g)
{
    free(g);
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int summed(struct gaps *g, int t)
{
    struct block *b = &g->block[t];
    b->most = larger(b->gap, larger(g->block[b->left].most, g->block[b->right].most));
    return t;
}

/* The blocks of tree t below `offset`, and the others. */
static void split(struct gaps *g, int t, int64_t offset, int *below, int *others)
{
    if (!t) {
        *below = *others = 0;
    } else if (g->block[t].offset < offset) {
        split(g, g->block[t].right, offset, &g->block[t].right, others);
        *below = summed(g, t);
    } else {
        split(g, g->block[t].left, offset, below, &g->block[t].left);
        *others = summed(g, t);
    }
}

/* One tree of two, of which a lies below b. */
static int joined(struct gaps *g, int a, int b)
{
    if (!a || !b)
        return a ? a : b;
    if (g->block[a].priority > g->block[b].priority) {
        g->block[a].right = joined(g, g->block[a].right, b);
        return summed(g, a);
    }
    g->block[b].left = joined(g, a, g->block[b].left);
    return summed(g, b);
}

/* The gap below block i changes: what its ancestors know does too. */
static void set_gap(struct gaps *g, int t, int i, int64_t gap)
{
    if (t == i)
        g->block[i].gap = gap;
    else
        set_gap(g, g->block[i].offset < g->block[t].offset ? g->block[t].left : g->block[t].right, i, gap);
    summed(g, t);
}

/* The lowest block with a gap of `size` below it; 0: none. */
static int lowest(const struct gaps *g, int64_t size)
{
    int t = g->block[g->root].most >= size ? g->root : 0;
    while (t && g->block[g->block[t].left].most >= size)
        t = g->block[t].left;
    while (t && g->block[t].gap < size) {
        t = g->block[t].right;
        while (g->block[g->block[t].left].most >= size)
            t = g->block[t].left;
    }
    return t;
}

int64_t gaps_take(struct gaps *g, int i, int64_t size, int64_t align)
{
    struct block *b = &g->block[++i];
    const int behind = lowest(g, size), before = behind ? g->block[behind].before : g->last;
    const int64_t offset = g->block[before].end;
    int64_t end;
    if (__builtin_add_overflow(offset, size, &end) || __builtin_add_overflow(end, (align - end % align) % align, &end))
        return -1;
    *b = (struct block){.before = before, .behind = behind, .offset = offset, .end = end};
    b->priority = (uint32_t)i * 2654435769u;
    b->priority = (b->priority ^ b->priority >> 15) * 2246822519u;
    if (before)
        g->block[before].behind = i;
    if (behind) {
        g->block[behind].before = i;
        set_gap(g, g->root, behind, g->block[behind].offset - end);
    } else
        g->last = i;
    int below, others;
    split(g, g->root, offset, &below, &others);
    g->root = joined(g, joined(g, below, summed(g, i)), others);
    return offset;
}

void gaps_give(struct gaps *g, int i)
{
    const struct block *b = &g->block[++i];
    int below, others, own;
    split(g, g->root, b->offset, &below, &others);
    split(g, others, b->offset + 1, &own, &others);
    g->root = joined(g, below, others);
    if (b->before)
        g->block[b->before].behind = b->behind;
    if (b->behind) {
        g->block[b->behind].before = b->before;
        set_gap(g, g->root, b->behind, g->block[b->behind].offset - g->block[b->before].end);
    } else
        g->last = b->before;
}
