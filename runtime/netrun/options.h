/* options.h: the command line of netrun. */
#ifndef NETRUN_OPTIONS_H
#define NETRUN_OPTIONS_H

#include "run/run.h"

extern const struct option_table netrun_options;
extern const struct option_example netrun_examples[]; /* options_help.c */
extern const struct option_section netrun_sections[];
/* OPTIONS_GO, or the exit status at which to stop (0 after --help). */
int options_read(int argc, char **argv, struct options *o);
void options_free(struct options *o);

/* consistent.c. Fills in the action that follows from the others; OPTIONS_GO, or a status after a message. */
int options_consistent(struct options *o);
bool options_of_runs(enum action a); /* what stands behind the options are names of runs */

#endif
