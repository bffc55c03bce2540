/* --map: names in a file of weights, and what the network calls them. */
#ifndef RENAMES_H
#define RENAMES_H

#include <stdbool.h>
#include <stddef.h>

struct rename {
    char *from, *to;
    bool used; /* some name has been changed by it */
};

struct renames { /* all zeros: none */
    struct rename *row;
    size_t n;
    const char **file; /* where they were read, as they were given */
    size_t files;
};

/* OLD=NEW, or the path of a file with such lines (empty ones, and those with a # in front, are passed over). 0, or the exit
 * status after a message. */
int renames_add(struct renames *r, const char *text);
/* The name changed: the row of the whole name, else that of its longest beginning up to a dot, so that `features.0=conv1`
 * makes conv1.weight of features.0.weight. To be freed. NULL: no row speaks of it, or no memory. */
char *renames_apply(struct renames *r, const char *name);
void renames_free(struct renames *r);

#endif
