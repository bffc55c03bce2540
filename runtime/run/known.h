/* known.h: a table for weights that are there. */
#ifndef KNOWN_H
#define KNOWN_H

#include "run.h"

/* What weights know of a table: names of its inputs and of its classes, a line each; NULL: they do not say. */
struct known {
    char *inputs, *classes;
    bool renews; /* a training set with other classes teaches the weights these */
};

int known_find(struct job *j, struct known *k); /* of the weights that weights_take() would take */
void known_free(struct known *k);
/* The folder of the job, for weights that are there. */
int known_samples(struct job *j);
/* The same for a training that goes on with, or begins with, weights of that path; NULL: with none. */
int known_training(struct job *j, const char *weights);

#endif
