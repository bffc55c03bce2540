/* The network over samples, batch by batch; its answers are given to somebody, one by one. */
#ifndef ANSWERING_H
#define ANSWERING_H

#include "answers.h"

struct answering {
    struct job *job;
    bool raw;                                           /* values, no classes and probabilities */
    int (*take)(void *context, const struct answer *a); /* who is given them: a status, not 0 to stop */
    void *context;
    float **value; /* of each output: rows of a batch, as many as at_once() says */
    struct answer answer;
};

/* Room for the outputs, once the prediction is armed. Then head and rows of a table can be made from `answer`. */
int answering_open(struct answering *w);
void answering_close(struct answering *w);
/* Runs the network over rows of the data from a position on, at most a batch. */
int answering_run(const struct answering *w, const struct device_data *data, int64_t position, int64_t rows);
/* Gives the answer to a row of the batch of so many that was run last. The caller sets sample, index, class and target before. */
int answering_row(struct answering *w, int64_t row, int64_t rows);
/* Both, for samples [first, first + count) of the test set, whose answers know what is right. `data`: the set as the device was
 * armed for it. */
int answering_set(struct answering *w, const struct device_data *data, int64_t first, int64_t count);

#endif
