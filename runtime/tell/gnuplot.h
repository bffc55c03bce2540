/* gnuplot.h: pictures of a script. */
#ifndef GNUPLOT_H
#define GNUPLOT_H

#include <stdio.h>

/* Runs the script, which finds in the variable `stem` what its pictures are called before ".svg" and ".png". Empty `why`: done; else
 * it says what is missing. */
void gnuplot_draw(const char *script, const char *stem, char *why, size_t size);
/* The text in quotes: in those, '' stands for ', and nothing else has a meaning. Control characters are left out. */
void gnuplot_text(const char *text, FILE *out);

#endif
