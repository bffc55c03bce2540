/* chart.h: curves on a terminal, in Braille dots (Unicode 2800 to 28FF: two by four in a character). */
#ifndef CHART_H
#define CHART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct chart_line {
    const char *label;
    const double *x, *y; /* points; those whose y is not finite are left out */
    size_t n;
    int tint; /* ANSI colour, 31 to 36 */
};

struct chart {
    const char *title;
    int width, height; /* characters, with axes: at most CHART_WIDTH, CHART_HEIGHT */
    bool logarithmic;  /* y; values of 0 and less are left out */
    bool share;        /* y is one of 1: labels are in percent */
    bool colour;
    int lines;
    const struct chart_line *line;
};

enum { CHART_WIDTH = 200, CHART_HEIGHT = 60, CHART_LINES = 4 };

/* A title line, `height` lines of curves with their scale, a line below with the first and the last x. Nothing is drawn if no line
 * has a point. */
void chart_draw(const struct chart *c, FILE *out);

#endif
