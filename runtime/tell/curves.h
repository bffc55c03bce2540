/* curves.h: runs as curves, through gnuplot. */
#ifndef CURVES_H
#define CURVES_H

#include "history.h"

/* Runs of the same group, which differ in their seeds alone, are drawn as a mean with a band of one standard deviation. */
struct curve_run {
    const char *label; /* of the group, if it is the first of it */
    int group;         /* from 0 on, each with a run */
    struct history history;
};

/* Writes `<stem>.gp`, a script of gnuplot that holds the data, and has gnuplot make `<stem>.svg` and `<stem>.png`: loss against steps (a logarithmic axis where it spans a decade), the first metric, learning rate,
 * seconds of an epoch. Without gnuplot the script is written, and `*why` says what is missing; else it is empty. */
bool curves_draw(const struct curve_run *run, size_t runs, const char *stem, char *why, size_t size,
                 struct data_error *error);

#endif
