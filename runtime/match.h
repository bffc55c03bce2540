/* Which tensor of a file of weights is which of the network. */
#ifndef MATCH_H
#define MATCH_H

#include "netrun.h"
#include "safetensors.h"

/* Which tensor of a file is which of the plan. */
struct match {
    const struct plan *plan;
    int named, *sorted;                  /* the plan's tensors that files may hold, by name */
    const struct st_tensor **of;         /* of each tensor of the plan; NULL: none */
    const char **name;                   /* of each tensor of the file, what the plan calls it; if nothing, without prefixes */
};

/* Finds for each tensor of the plan that of the file. 0, or a status after a message. match_free in any case. */
int match(struct match *m, const struct plan *p, const struct st_file *f, const char *path);
void match_free(struct match *m);
/* The tensor belongs into a file of weights; with those of the optimizer if `slots`. */
bool match_wants(const struct plan *p, int t, bool slots);
/* Counts, or shows on stderr, the differences; adds to *shapes those that --partial does not forgive. */
int match_differences(const struct match *m, const struct st_file *f, bool slots, bool show, int *shapes);

#endif
