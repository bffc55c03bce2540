/* runfile.h: settings.json of a run, and files like it. */
#ifndef RUNFILE_H
#define RUNFILE_H

#include "request.h"

#include <jansson.h>
#include <stdbool.h>

/* The whole of it, for json_decref. NULL if it cannot be read, after a message if `loud`. */
json_t *settings_read(const char *folder, bool loud);

/* Writes `all` as folder/name, in one piece, and lets go of it. A status, after a message. */
int settings_write(json_t *all, const char *folder, const char *name);

/* What stays with a run: warnings that it was told not to say are not said, damaged files that it left out are left out. */
void settings_stay(struct options *o, const json_t *all);

#endif
