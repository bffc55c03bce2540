/* What a network says of one sample, and the ways to show it: text, JSON, a table. */
#ifndef ANSWERS_H
#define ANSWERS_H

#include "run.h"

struct answer_output {
    const char *name;
    enum role role;      /* ROLE_OUTPUT, ROLE_LOGITS, ROLE_ESTIMATE */
    bool classes;        /* shown as classes with probabilities: logits, unless raw values are asked for */
    int64_t n, stride;   /* stride: floats from a sample's to those of the next, where they are kept */
    const float *value;  /* n, in the order of the output's elements */
    double *probability; /* n, if classes */
    int64_t best;        /* if classes: the most probable; -1: the logits are not finite */
};

struct answer {
    const char *sample;      /* a path, or the number of a sample of the test set */
    const char *made_up;     /* "", or what must be told of data that are not real */
    int64_t index;           /* that number; -1: it is a file */
    int64_t class;           /* what it is; -1: not known, or values */
    const float *target;     /* the same where it is values; NULL: not known */
    int64_t targets;         /* how many */
    const char *const *name; /* of the first `names` classes */
    int64_t names;
    int outputs;
    struct answer_output *output;
};

/* The output that tells a class; NULL: none. All that are classes are the same logits. */
const struct answer_output *answer_classes(const struct answer *a);

/* A line for each output; then, if it is to be `whole`, the most probable classes, a line each. */
void answer_say(const struct answer *a, bool whole, FILE *out);

/* {"event":"predict","sample":"7","weights":"runs/...","true":7,"outputs":{"logits":{"class":7,"name":"seven","probabilities":[...]},"y":{"values":[...]}}}
 * False: it cannot be written. */
bool answer_tell(const struct answer *a, struct job *j);

/* So many digits; the sign of a NaN says nothing. */
void answer_number(double value, int digits, FILE *out);

#endif
