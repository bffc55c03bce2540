/* pack.c: offsets for buffers of known lifetimes (dynamic storage allocation, NP-hard). A portfolio of strategies, the
 * likeliest first, that stops at the first packing as small as the lower bound.
 *
 * Greedy by size is Pisarchyk and Lee, arXiv 2001.03288; the repair is squeaky wheel optimization, Joslin and Clements,
 * JAIR 10 (1999). */
#include "gaps.h"
#include "pack.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* A buffer as the strategies see it. Time is cut into sections, the stretches between two births or deaths, in which
 * nothing changes. Buffers of size 0 are left out. */
struct item {
    int first, last; /* sections [first, last) */
    int index;       /* in the caller's array */
    int conflicts;   /* how many others are live at some time of its life */
    int64_t size;
    int64_t peak;      /* the largest live set during its life, bytes */
    double life, area; /* instants; size * life */
};

/* An item that has its place. */
struct block {
    int64_t offset, end; /* end rounded up to the alignment: where the next may start */
    int first, last;
};

struct event {
    int64_t time;
    int item;
    bool birth;
};

struct packing {
    int64_t align, bound;
    int n, all;          /* items; buffers of the caller */
    struct item *item;   /* in the order of the strategy at work */
    struct event *event; /* two for each item, by time */
    int64_t *load;       /* live bytes: tree of maxima, the sections are its 2n leaves */
    struct block *block; /* of the trial: what is placed, by offset */
    int64_t *trial;      /* offsets of the trial, by item.index */
    int64_t *offset;     /* offsets of the best packing, by item.index */
    int64_t arena;       /* its highest end */
    bool found;          /* there is one */
    int64_t steps;       /* pairs of buffers compared, about */
};

struct strategy {
    /* Tries to find a packing smaller than p->arena and gives each one it finds to keep(). May reorder p->item. */
    void (*search)(struct packing *p, const struct strategy *s);
    int (*order)(const void *a, const void *b);
    bool tightest; /* take the smallest gap that is large enough, not the lowest */
};

/* ---- live sets ---- */

/* At one instant deaths come before births, because intervals are half-open. */
static int by_time(const void *a, const void *b)
{
    const struct event *x = a, *y = b;
    if (x->time != y->time)
        return x->time < y->time ? -1 : 1;
    return x->birth - y->birth;
}

static void make_items(struct packing *p, const struct interval *v, int n)
{
    p->n = 0;
    for (int i = 0; i < n; i++) {
        if (v[i].size == 0)
            continue;
        double life = (double)((uint64_t)v[i].upper - (uint64_t)v[i].lower);
        p->item[p->n] = (struct item){.index = i, .size = v[i].size, .life = life, .area = life * (double)v[i].size};
        p->event[2 * p->n] = (struct event){v[i].lower, p->n, true};
        p->event[2 * p->n + 1] = (struct event){v[i].upper, p->n, false};
        p->n++;
    }
    qsort(p->event, (size_t)p->n * 2, sizeof *p->event, by_time);
}

/* Finds the sections, their loads, the bound and everybody's conflicts; false where a live set overflows. */
static bool sweep(struct packing *p)
{
    int64_t *load = p->load + 2 * p->n, live = 0;
    int section = -1, born = 0, dead = 0;
    for (int i = 0; i < 2 * p->n; i++) {
        const struct event *e = &p->event[i];
        struct item *x = &p->item[e->item];
        if (i == 0 || e->time != e[-1].time)
            section++;
        if (e->birth) {
            if (__builtin_add_overflow(live, x->size, &live))
                return false;
            x->first = section;
            x->conflicts = -dead - 1; /* not those that are dead when it is born, nor itself */
            born++;
        } else {
            live -= x->size;
            x->last = section;
            x->conflicts += born; /* those that are born when it dies */
            dead++;
        }
        load[section] = live;
        if (live > p->bound)
            p->bound = live;
    }
    return true;
}

static int64_t max(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* Builds the tree above the loads (node i over 2i and 2i + 1) and asks it for every item's peak. */
static void find_peaks(struct packing *p)
{
    int leaves = 2 * p->n;
    for (int i = leaves - 1; i > 0; i--)
        p->load[i] = max(p->load[2 * i], p->load[2 * i + 1]);
    for (struct item *x = p->item; x < p->item + p->n; x++)
        for (int lo = leaves + x->first, hi = leaves + x->last; lo < hi; lo /= 2, hi /= 2) {
            if (lo % 2)
                x->peak = max(x->peak, p->load[lo++]);
            if (hi % 2)
                x->peak = max(x->peak, p->load[--hi]);
        }
}

/* ---- orders: each ends in the index, so that the outcome does not depend on qsort ---- */

#define UP(field) ((x->field > y->field) - (x->field < y->field))
#define DOWN(field) (-UP(field))
/* clang-format off */
#define ORDER(name, keys)                                       \
    static int name(const void *a, const void *b) {             \
        const struct item *x = a, *y = b;                       \
        return keys ?: UP(index);                               \
    }
/* clang-format on */

/* Parents before children: where lifetimes nest, each buffer lands on the sum of those around it. */
ORDER(by_birth, UP(first) ?: DOWN(last) ?: DOWN(size))
ORDER(by_death, DOWN(last) ?: UP(first) ?: DOWN(size))
ORDER(by_size, DOWN(size) ?: DOWN(life))
ORDER(by_area, DOWN(area) ?: DOWN(size))
ORDER(by_life, DOWN(life) ?: DOWN(size))
ORDER(by_conflicts, DOWN(conflicts) ?: DOWN(size))
ORDER(by_peak_life, DOWN(peak) ?: DOWN(life) ?: DOWN(size))
ORDER(by_peak_size, DOWN(peak) ?: DOWN(size) ?: DOWN(life))

/* ---- greedy: one buffer after the other into the gaps between those it is live with ---- */

static int64_t round_up(int64_t x, int64_t align)
{
    int64_t rest = x % align, up;
    if (rest == 0)
        return x;
    return __builtin_add_overflow(x, align - rest, &up) ? INT64_MAX : up; /* where nothing fits either */
}

/* The offset for x beside the `placed` blocks that have their place. */
static int64_t find_gap(const struct packing *p, int placed, const struct item *x, bool tightest)
{
    int64_t end = 0, best = -1, least = INT64_MAX; /* end: of everything below that is live with x */
    for (const struct block *b = p->block; b < p->block + placed; b++) {
        if (b->last <= x->first || x->last <= b->first)
            continue;
        int64_t gap = b->offset - end;
        if (gap >= x->size && gap < least) {
            if (!tightest || gap == x->size)
                return end;
            best = end;
            least = gap;
        }
        end = max(end, b->end);
    }
    return best < 0 ? end : best;
}

static void insert(struct packing *p, int placed, struct block new)
{
    int lo = 0, hi = placed;
    while (lo < hi) {
        int mid = lo + (hi - lo) / 2;
        if (p->block[mid].offset <= new.offset)
            lo = mid + 1;
        else
            hi = mid;
    }
    memmove(p->block + lo + 1, p->block + lo, (size_t)(placed - lo) * sizeof *p->block);
    p->block[lo] = new;
}

/* Places the items in their present order: the arena of the trial, or -1 as soon as that would be past `limit`; then
 * *culprit is the item that had no place. */
static int64_t place_all(struct packing *p, bool tightest, int64_t limit, int *culprit)
{
    int64_t arena = 0;
    for (int i = 0; i < p->n; i++) {
        const struct item *x = &p->item[i];
        int64_t offset = find_gap(p, i, x, tightest), end;
        if (__builtin_add_overflow(offset, x->size, &end) || end > limit) {
            *culprit = i;
            return -1;
        }
        insert(p, i, (struct block){offset, round_up(end, p->align), x->first, x->last});
        p->trial[x->index] = offset;
        arena = max(arena, end);
    }
    return arena;
}

/* The largest arena that would still be news. */
static int64_t limit(const struct packing *p)
{
    return p->found ? p->arena - 1 : INT64_MAX;
}

static void keep(struct packing *p, int64_t arena)
{
    int64_t *best = p->offset;
    p->offset = p->trial;
    p->trial = best;
    p->arena = arena;
    p->found = true;
}

static void greedy(struct packing *p, const struct strategy *s)
{
    int culprit;
    p->steps += (int64_t)p->n * p->n / 2;
    qsort(p->item, (size_t)p->n, sizeof *p->item, s->order);
    int64_t arena = place_all(p, s->tightest, limit(p), &culprit);
    if (arena >= 0)
        keep(p, arena);
}

ORDER(by_end, UP(last))

/* What greedy by birth gives, in O(n log n): the dead leave, so that a gap is looked for among the living alone. */
static void in_time(struct packing *p, const struct strategy *s)
{
    struct gaps *gaps = gaps_new(p->all);
    struct item *dying = malloc(((size_t)p->n + 1) * sizeof *dying);
    int64_t arena = gaps && dying ? 0 : -1;
    if (dying) {
        memcpy(dying, p->item, (size_t)p->n * sizeof *dying);
        qsort(dying, (size_t)p->n, sizeof *dying, by_end);
    }
    qsort(p->item, (size_t)p->n, sizeof *p->item, s->order);
    for (int i = 0, dead = 0; i < p->n && arena >= 0; i++) {
        const struct item *x = &p->item[i];
        while (dying[dead].last <= x->first)
            gaps_give(gaps, dying[dead++].index);
        const int64_t offset = gaps_take(gaps, x->index, x->size, p->align);
        p->trial[x->index] = offset;
        arena = offset < 0 ? -1 : max(arena, offset + x->size);
    }
    if (arena >= 0)
        keep(p, arena);
    gaps_free(gaps);
    free(dying);
}

/* Packs again and again, each time with the item that broke the trial moved half-way to the front, where it has more to
 * choose from. The limits count work, not seconds: the same on every machine. */
static void repair(struct packing *p, const struct strategy *s)
{
    enum { MOST_ROUNDS = 2000, MOST_STEPS = 30 * 1000 * 1000 };
    const int64_t before = p->steps;
    qsort(p->item, (size_t)p->n, sizeof *p->item, s->order);
    for (int round = 0; round < MOST_ROUNDS && p->steps - before < MOST_STEPS && !(p->found && p->arena == p->bound);
         round++) {
        int stop = p->n;
        int64_t arena = place_all(p, s->tightest, limit(p), &stop);
        p->steps += (int64_t)stop * stop / 2 + 1;
        if (arena >= 0) {
            keep(p, arena);
            continue;
        }
        struct item x = p->item[stop];
        int to = stop / 2;
        memmove(p->item + to + 1, p->item + to, (size_t)(stop - to) * sizeof x);
        p->item[to] = x;
    }
}

/* ---- the portfolio ---- */

/* Thousands of buffers are tried in all ways; with tens of thousands, for which each way but the first takes seconds, one more must do. */
#define ENOUGH (INT64_C(200) * 1000 * 1000)

static const struct strategy portfolio[] = {
    {in_time, by_birth, false},    {greedy, by_size, false},  {greedy, by_size, true},  {greedy, by_peak_size, false},
    {greedy, by_peak_life, false}, {greedy, by_area, false},  {greedy, by_area, true},  {greedy, by_life, false},
    {greedy, by_conflicts, false}, {greedy, by_death, false}, {repair, by_size, false}, {repair, by_area, false},
    {repair, by_peak_life, false},
};

static void packing_close(struct packing *p)
{
    free(p->item);
    free(p->event);
    free(p->load);
    free(p->block);
    free(p->trial);
    free(p->offset);
}

/* Everything that is known before the first strategy; false with errno set. Close it in either case. */
static bool packing_open(struct packing *p, const struct interval *v, int n, int64_t align)
{
    *p = (struct packing){.align = align, .all = n};
    bool valid = n >= 0 && n <= INT_MAX / 4 && (n == 0 || v) && align > 0;
    for (int i = 0; valid && i < n; i++)
        valid = v[i].lower < v[i].upper && v[i].size >= 0;
    if (!valid) {
        errno = EINVAL;
        return false;
    }
    size_t count = (size_t)n + 1; /* 0 bytes might give NULL */
    p->item = malloc(count * sizeof *p->item);
    p->event = malloc(count * 2 * sizeof *p->event);
    p->load = malloc(count * 4 * sizeof *p->load);
    p->block = malloc(count * sizeof *p->block);
    p->trial = malloc(count * sizeof *p->trial);
    p->offset = malloc(count * sizeof *p->offset);
    if (!p->item || !p->event || !p->load || !p->block || !p->trial || !p->offset) {
        errno = ENOMEM;
        return false;
    }
    make_items(p, v, n);
    if (!sweep(p)) {
        errno = EOVERFLOW;
        return false;
    }
    return true;
}

int64_t pack_bound(const struct interval *v, int n)
{
    struct packing p;
    int64_t bound = packing_open(&p, v, n, 1) ? p.bound : -1;
    packing_close(&p);
    return bound;
}

int64_t pack(struct interval *v, int n, int64_t align)
{
    struct packing p;
    if (!packing_open(&p, v, n, align)) {
        packing_close(&p);
        return -1;
    }
    find_peaks(&p);
    for (size_t i = 0;
         i < sizeof portfolio / sizeof *portfolio && !(p.found && (p.arena == p.bound || p.steps > ENOUGH)); i++)
        portfolio[i].search(&p, &portfolio[i]);

    int64_t arena = -1;
    if (p.found) {
        for (int i = 0; i < n; i++)
            v[i].offset = 0;
        for (int i = 0; i < p.n; i++)
            v[p.item[i].index].offset = p.offset[p.item[i].index];
        arena = p.arena;
    } else {
        errno = EOVERFLOW;
    }
    packing_close(&p);
    return arena;
}
