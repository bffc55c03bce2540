/* window.h: a pool, or the gradient of one, as its own op and behind the tile of a contraction write it. */
#ifndef EMIT_WINDOW_H
#define EMIT_WINDOW_H

#include "writer.h"

enum { WINDOW_R, WINDOW_S, WINDOW_SH, WINDOW_SW, WINDOW_PH, WINDOW_PW, WINDOW_H, WINDOW_W }; /* attributes */
static inline enum dtype place_type(const double *attr) /* of a winner's place in its window */
{
    return attr[WINDOW_R] * attr[WINDOW_S] <= 256 ? DT_U8 : DT_I32;
}

/* Of the R x P places of windows over P outputs, on both axes, those inside the image. */
double window_places(const double *attr, const struct tensor *x, const struct tensor *y);

/* A window stage over `tile`, a C expression of the value at (r, s) of the window; the results at element e. `guarded`: windows
 * may reach over the border; h0 and w0 are their first row and column, H and W the image's. */
void put_window(struct writer *w, const struct stage *s, const char *block, const char *e, const char *tile,
                bool guarded);
/* The same in two steps, for a value that several lines make: they stand between. */
void open_window(struct writer *w, const struct stage *s, bool guarded);
void close_window(struct writer *w, const struct stage *s, const char *block, const char *e, const char *value);
/* Gradient of a window behind a convolution: the value of place (p, q) of channel c goes to its window. */
void put_scatter(struct writer *w, const struct stage *s, const char *block, const char *c, const char *p,
                 const char *q);

#endif
