/* Which tensor of a file of weights is which of the network. */
#ifndef MATCH_H
#define MATCH_H

#include "run.h"
#include "data/safetensors.h"

/* Which tensor of a file is which of the plan. */
struct match {
    const struct plan *plan;
    int named, *sorted;          /* the plan's tensors that files may hold, by name */
    const struct st_tensor **of; /* of each tensor of the plan; NULL: none */
    const char **name;           /* of each tensor of the file, what the plan calls it; if nothing, without prefixes */
    char **renamed;              /* of each tensor of the file, by --map; NULL: as it was */
    size_t count;                /* tensors of the file */
};

/* Finds for each tensor of the plan that of the file, whose names `map` changes first. 0, or a status after a message.
 * match_free in any case. */
int match(struct match *m, const struct plan *p, const struct st_file *f, struct renames *map, const char *path);
void match_free(struct match *m);
/* Parameters and states, or what the optimizer keeps of each parameter. */
enum wanted { WANT_WEIGHTS, WANT_SLOTS };
/* The tensor belongs into a file of these. */
bool match_wants(const struct plan *p, int t, enum wanted what);
/* Counts the differences; *shapes are those that --partial does not forgive. */
int match_differences(const struct match *m, const struct st_file *f, enum wanted what, int *shapes);
/* Shows them on stderr, both sides in one table with the nearest match beside each, and what --map would say. */
void match_show(const struct match *m, const struct st_file *f, enum wanted what);

#endif
