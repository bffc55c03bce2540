/* plot_svg.h: curves as SVG: in a page, whose style has the classes (runtime/report/page.css.txt), or in a file of their own. */
#ifndef PLOT_SVG_H
#define PLOT_SVG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum { PLOT_TINTS = 7, PLOT_POINTS = 600 };

struct plot_line {
    const char *label; /* in the legend; NULL: it has no place there */
    const char *words; /* under the mouse; NULL: the label */
    int tint;          /* of PLOT_TINTS; -1: faint */
    bool dots;         /* if they are few, the points are told under the mouse */
    bool bare;         /* nothing but dots */
    bool apart;        /* the axes are not stretched for it: what is beyond them is not seen */
    size_t n;
    const double *x, *y; /* what is not finite, or cannot be drawn on a logarithmic axis, is a gap */
};
struct plot {
    const char *title, *x, *y; /* of the axes, with their units */
    bool logarithmic, from_zero;
    bool values, logarithmic_x; /* x are values: the axis begins at the least of them, not at 0 */
    size_t lines;
    const struct plot_line *line; /* the first lies above the others */
};

/* <svg>. Of a line with more than PLOT_POINTS points, means of as many on end as are needed are drawn. */
void plot_svg(const struct plot *p, FILE *out);
/* A file of n such, one below the other, without scripts and with a style of its own: tints 0 to 2. */
void plot_svg_file(const struct plot *p, int n, FILE *out);
/* The positive numbers of it span a decade. */
bool plot_spans_decade(const struct plot *p);

#endif
