/* lookup.c: from a text to the number that it was given, without looking at all the others. */
#include "base.h"

#include <string.h>
#include <xxhash.h>

/* The row of `key`, or the free one where it would stand; rows are at most half full. */
static struct lookup_row *row_of(const struct lookup *t, const char *key)
{
    size_t i = XXH3_64bits(key, strlen(key)) & (t->room - 1);
    while (t->row[i].key && strcmp(t->row[i].key, key) != 0)
        i = (i + 1) & (t->room - 1);
    return &t->row[i];
}

int *lookup_at(struct lookup *t, const char *key)
{
    struct lookup_row *row = t->room ? row_of(t, key) : NULL;
    return row && row->key ? &row->number : NULL;
}

int lookup_find(const struct lookup *t, const char *key)
{
    const int *number = lookup_at((struct lookup *)t, key);
    return number ? *number : -1;
}

void lookup_add(struct region *r, struct lookup *t, const char *key, int number)
{
    if (2 * t->n >= t->room) {
        struct lookup bigger = {.room = t->room ? 2 * t->room : 8};
        bigger.row = region_alloc(r, bigger.room, sizeof *bigger.row);
        for (size_t i = 0; i < t->room; i++)
            if (t->row[i].key)
                *row_of(&bigger, t->row[i].key) = t->row[i];
        bigger.n = t->n;
        *t = bigger;
    }
    struct lookup_row *row = row_of(t, key);
    if (row->key)
        return;
    *row = (struct lookup_row){key, number};
    t->n++;
}
