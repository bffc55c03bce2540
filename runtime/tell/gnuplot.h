/* gnuplot.h: pictures of a script. */
#ifndef GNUPLOT_H
#define GNUPLOT_H

#include "base/data_error.h"

#include <stdio.h>

/* Saves the script, which is freed, as stem.gp and runs it: it finds in the variable `stem` what its pictures are called before ".svg" and
 * ".png". Empty `why`: done; else it says what is missing. False, with the reason in `error`: not even the script is there. NULL: there
 * was no memory for it. */
bool gnuplot_draw(char *script, const char *stem, char *why, size_t size, struct data_error *error);
/* The text in quotes: in those, '' stands for ', and nothing else has a meaning. Control characters are left out. */
void gnuplot_text(const char *text, FILE *out);

#endif
