/* winners.h: gradients of a convolution behind a max-pool of windows that cover its places, from the pooled gradient and the place of
 * each window's winner: all other places have none, and no product is made of them.
 *
 * Lanes are neighbours in the image that the convolution reads: its channels stand innermost, its border is there, and a row of taps
 * is one run of floats wherever the winner lies. Samples come one after the other. */
#ifndef WINNERS_H
#define WINNERS_H

#include "contract.h"

struct winners {
    struct geometry g;
    int64_t rows, columns;       /* of windows */
    int window[2];               /* their height and width */
    int64_t chunk, chunks;       /* floats of a place in the image, which are channels; parts of C */
    int64_t height, width, step; /* of the image with its border; floats from one sample to the next */
    int64_t wide;                /* floats of a row of taps, in whole vectors */
    int vector, vectors;         /* floats of one; of all taps, */
    int at_once;                 /* and those whose sums or weights registers hold */
};

enum { TURN = 4 }; /* vectors that a turned one takes the time of */

/* Of conv_dw_max, conv_dx_max; false: too large for the caches that it is to stay in. */
bool dw_winners_of(const struct writer *w, const struct stage *s, struct winners *v);
bool dx_winners_of(const struct writer *w, const struct stage *s, struct winners *v);
int winners_parts(const struct winners *v);       /* tasks of a chunk of conv_dw_max: parts of K */
int64_t winners_at_once(const struct winners *v); /* channels whose gradients are turned at a time */

/* Where vector i of the taps is in rows of `wide`, and in the image from the first tap on. */
long long winners_in_row(const struct winners *v, int i);
long long winners_in_image(const struct winners *v, int i);

/* @_inside[place]: how far the winner lies from its window's first place. */
void put_inside(struct writer *w, const struct winners *v);
/* Of window (p, q), q a number of columns: `value`, its gradient, and `first`, declared as `image` says, the place in the image of the
 * first tap of its winner. */
void put_winner(struct writer *w, const struct winners *v, const char *image, const char *q);
/* Turns the gradients of n channels from k on: those of sample i are at values + i * most * windows. */
void put_values(struct writer *w, const struct winners *v, int pooled, const char *k, const char *n, int64_t most);

#endif
