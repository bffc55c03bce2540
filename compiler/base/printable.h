/* printable.h: text of others, as a terminal can show it: tabs expanded, what would change the terminal escaped. */
#ifndef PRINTABLE_H
#define PRINTABLE_H

#include <stddef.h>
#include <stdio.h>

struct region;

struct cell { /* what one column shows */
    char byte[4];
    int n;
};
struct shown {
    struct cell *cell;
    int ncell;
    int *column; /* [i]: where byte i of the text is shown; [nbyte]: the end */
    int nbyte;
};

struct shown printable_text(struct region *r, const char *text, size_t length);
void printable_put(FILE *out, const struct shown *row, int from, int to); /* columns [from, to) */

#endif
