/* rate.h: what a number of the optimizer is at every step: the learning rate by `schedule`, its momentum and weight decay by schedules
 * of their own. In double, as a function of the step, so that resuming needs no state. */
#ifndef RATE_H
#define RATE_H

#include "word.h"

enum { MAX_PIECES = 8 };

struct piece {
    const struct word *schedule; /* NULL: constant */
    double num[MAX_WORD_ARGS];   /* its arguments */
    const double *list;          /* the numbers of the one that is a list */
    int listed;
    int64_t warmup; /* steps */
    int64_t epochs; /* 0: to the end of the training */
};

/* Pieces follow each other; the last one goes on, with `epochs` at what it was when they were over. */
struct rate {
    double lr; /* the number itself, which the pieces change; in the optimizer's words */
    int pieces;
    struct piece piece[MAX_PIECES];
    int64_t steps, total; /* of one epoch, of the training */
    int64_t reduced;      /* how many times, by a schedule that goes by what is measured */
};

/* Of the schedule or the schedules at a key of the plan, "train.schedule". False: one of them has no rule, whose name is in *unknown. */
bool rate_read(const struct plan *p, const char *key, double lr, struct rate *r, const char **unknown);
double rate_at(const struct rate *r, int64_t step); /* step: optimizer steps done before */
/* The momentum, where such a schedule moves it (OneCycle); else NaN. */
double rate_momentum(const struct rate *r, int64_t step);
/* What the update calls its momentum, "momentum" or "beta1"; NULL: it has none. */
const char *optimizer_momentum(const struct op *update);
/* Takes in what an epoch has been measured at, where the schedule goes by that. */
void rate_watch(const struct rate *r, struct watched *w, double value, bool falls);
bool rate_watches(const struct rate *r);
bool rate_spans(const struct rate *r); /* depends on how many steps the training has */

#endif
