/* plot_svg.h: curves as SVG that stands in a page, with the classes of page.css. Needs no gnuplot. */
#ifndef PLOT_SVG_H
#define PLOT_SVG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum { PLOT_TINTS = 7, PLOT_POINTS = 600 };

struct plot_line {
    const char *label; /* in the legend, and under the mouse */
    int tint;          /* of PLOT_TINTS; -1: faint, without a place in the legend */
    bool dashed, dots, unlisted;
    size_t n;
    const double *x, *y; /* what is not finite, or cannot be drawn on a logarithmic axis, is a gap */
};
struct plot {
    const char *title, *x, *y; /* of the axes, with their units */
    bool logarithmic, from_zero;
    size_t lines;
    const struct plot_line *line;
};

/* <svg>. Of a line with more than PLOT_POINTS points, means of as many on end as are needed are drawn. */
void plot_svg(const struct plot *p, FILE *out);
/* The positive numbers of it span a decade. */
bool plot_spans_decade(const struct plot *p);

#endif
