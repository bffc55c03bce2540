/* options.h: the command line of netrun. */
#ifndef NETRUN_OPTIONS_H
#define NETRUN_OPTIONS_H

#include "run/run.h"

extern const struct option_table netrun_options;
/* OPTIONS_GO, or the exit status at which to stop (0 after --help). */
int options_read(int argc, char **argv, struct options *o);
void options_free(struct options *o);

#endif
