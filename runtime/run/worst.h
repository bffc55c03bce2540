/* --worst: a page of the samples of a test that the network is most certain of and wrong about. */
#ifndef WORST_H
#define WORST_H

#include "run.h"
#include "tell/confusion.h"

/* Where the page goes: --output, or worst.png. */
const char *worst_path(const struct options *o);
/* Before anything runs: the network tells classes apart, the samples are images, and no file that is read would be lost. */
int worst_check(const struct job *j, bool classes);
/* The wrong samples of highest probability, at most `most`; equals in the order of the set. `certainty`: of the class that was
 * predicted, of each sample. Their number; -1: out of memory. */
int64_t worst_choose(const struct confusion *c, const float *certainty, int64_t most, struct wrong_sample *worst);
/* Draws them. Nothing is written if nothing is wrong. */
int worst_draw(const struct job *j, const struct confusion *c, const struct wrong_sample *worst, int64_t n);

#endif
