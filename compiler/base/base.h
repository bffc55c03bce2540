/* base.h: memory, names, messages. Knows nothing of networks. Beside it: options.h, atomic_file.h, philox.h, and the
 * bounds of everything in bounds.h. */
#ifndef BASE_H
#define BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* ---- util.c: memory that is freed at once, strings, checked arithmetic ---- */

struct region; /* zeroed memory, freed as a whole */
struct region *region_new(void);
void region_free(struct region *r);
void *region_alloc(struct region *r, size_t count, size_t size); /* never NULL: exits 70 if there is none */
char *region_copy(struct region *r, const char *text);
char *region_printf(struct region *r, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The next line of a text, from anywhere in the one before; NULL: it is the last. */
const char *next_line(const char *text);
/* Doubles `*v` when *count reaches a power of two; call before writing v[*count]. */
#define region_grow(r, v, count) ((v) = region_grow_((r), (v), (count), sizeof *(v)))
void *region_grow_(struct region *r, void *v, int count, size_t size);

/* lookup.c: numbers by name. All zero is an empty table; keys are kept, not copied. */
struct lookup_row {
    const char *key;
    int number;
};
struct lookup {
    size_t n, room;
    struct lookup_row *row;
};
int *lookup_at(struct lookup *t, const char *key);                                /* to be changed; NULL: not in it */
int lookup_find(const struct lookup *t, const char *key);                         /* -1: not in it */
void lookup_add(struct region *r, struct lookup *t, const char *key, int number); /* the first number of a key stays */

#define COUNT(a) ((int)(sizeof(a) / sizeof((a)[0])))

/* ---- diag.c: errors with carets ---- */

struct loc {
    int line, col, end;
}; /* 1-based; columns [col, end) on that line; line 0: nowhere */

struct diag {
    const char *file, *text; /* the source being compiled */
    int errors, warnings;
    FILE *out; /* stderr, or a buffer in tests */
    bool colour;
    struct region *region;
    struct message *first, *last; /* collected; printed by diag_flush, sorted by line */
    int nmark;
    const char **mark; /* starts of some lines of the text */
};

/* Starts a message; the calls below add to it. `label` stands beside the caret (NULL: none). Codes: N01xx names,
 * N02xx shapes, N03xx syntax, N04xx attributes and settings, N05xx memory. Stops printing after 20 errors. */
void diag_error(struct diag *d, const char *code, struct loc at, const char *label, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
void diag_warning(struct diag *d, const char *code, struct loc at, const char *label, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
void diag_place(struct diag *d, struct loc at, const char *format, ...) __attribute__((format(printf, 3, 4)));
void diag_note(struct diag *d, const char *format, ...) __attribute__((format(printf, 2, 3)));
void diag_help(struct diag *d, const char *format, ...) __attribute__((format(printf, 2, 3)));
void diag_flush(struct diag *d);
const char *diag_first(const struct diag *d); /* what the first error says; "": there is none */

/* nearest.c: the nearest of `n` names (Damerau-Levenshtein at most max(1, len / 3), case-insensitive first); NULL: none. */
const char *diag_nearest(const char *name, const char *const *names, int n);

#endif
