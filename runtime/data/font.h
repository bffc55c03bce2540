/* A small font for pictures: printable ASCII, five columns and eight rows, of which the last is for what hangs below the line. */
#ifndef FONT_H
#define FONT_H

#include <stdbool.h>

enum {
    FONT_WIDTH = 5,
    FONT_HEIGHT = 8,
    FONT_STEP = 6, /* columns from a character to the next */
};

/* Is there ink? Of what is not printable ASCII a box is drawn. */
bool font_ink(char c, int row, int column);

#endif
