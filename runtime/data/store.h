/* store.h: where samples go as they are read: into memory, or, once they are more than memory is meant for, into a file of the cache's
 * folder, without a name, that ends with its descriptor. */
#ifndef STORE_H
#define STORE_H

#include "data.h"

struct store {
    const char *of;        /* for messages */
    uint64_t bytes;        /* of a sample */
    int64_t most;          /* bytes of samples in memory; 0: any */
    int64_t count, room;   /* samples that store_add has put, and for which there is room */
    unsigned char *values; /* NULL: they are in the file */
    bool on_disk;
    int file;             /* its descriptor */
    unsigned char *block; /* of the last `held` of `count`, which the file does not have yet */
    int64_t held;
};

/* Room for n samples at first; 0: it is not known how many there will be. Needs store_close, after a failure as well. */
bool store_open(struct store *s, const char *of, uint64_t bytes, int64_t n, int64_t most, struct data_error *error);
void store_close(struct store *s);

/* One behind those that were added, for which room is made. */
bool store_add(struct store *s, const void *from, struct data_error *error);
/* n samples from number i on, for which there is room. Threads may put and get at once. */
bool store_put(const struct store *s, int64_t i, const void *from, int64_t n, struct data_error *error);
bool store_get(const struct store *s, int64_t i, void *to, struct data_error *error);

/* The first split->count of them are the split's: its values, or its reader. */
bool store_give(struct store *s, struct data_split *split, struct data_error *error);

#endif
