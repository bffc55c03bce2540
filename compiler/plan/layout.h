/* layout.h: how the elements of a tensor with rows lie in memory. Names, files and initialisation never see it. A layout is a
 * row, one file layout_NAME.c; build/layoutlist.h lists those. All arithmetic of places is in layout.c, as numbers for who reads
 * and writes memory and as text for kernels. */
#ifndef LAYOUT_H
#define LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

enum {
    ROW_BLOCK = 16,   /* samples per block; row capacities are multiples of it */
    PLACE_ALIGN = 16, /* bytes: per-row sizes and offsets; times ROW_BLOCK gives 256-byte alignment */
    MOST_LAYOUTS = 16,
};

struct layout {
    const char *name; /* of plans */
    int samples;      /* which stand side by side: element e of each, then e + 1. Divides ROW_BLOCK */
    int align;        /* bytes of which the elements of a sample take a multiple; 1: nothing lies between them */
};

extern const struct layout layout_plain, layout_block;

const struct layout *layout_at(int i);              /* sorted by name; NULL ends */
const struct layout *layout_find(const char *name); /* NULL: none */

struct tensor; /* plan.h */
struct region;

const char *layout_word(const struct tensor *t); /* of plans; without rows that of layout_plain */
/* What reads and writes them: ld and st of kernels take rows whose blocks of samples stand side by side, which are vectors and
 * warps; the host, a library and whoever else runs along a sample's elements takes those that stand one after the other. */
bool in_lanes(const struct tensor *t);
bool row_by_row(const struct tensor *t);

/* Of a tensor with rows. */
int64_t row_elements(const struct tensor *t); /* from a sample to the next, times those side by side; -1: overflow */
int64_t row_bytes(const struct tensor *t);    /* that a sample takes, a multiple of PLACE_ALIGN; -1: overflow */
/* Place of element e of sample `row`, in elements from the tensor's first. */
int64_t element_place(const struct tensor *t, int64_t row, int64_t e);
/* The same as C: of sample `row`; of sample `lane` of a block. */
const char *row_place_text(struct region *r, const struct tensor *t, const char *row, const char *e);
const char *lane_place_text(struct region *r, const struct tensor *t, const char *block, const char *e);

#endif
