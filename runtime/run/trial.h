/* trial.h: every sample of a test set answered once, and what is counted of the answers. */
#ifndef TRIAL_H
#define TRIAL_H

#include "answering.h"
#include "table.h"
#include "tell/confusion.h"

struct trial {
    struct job *job;
    int64_t most; /* mistakes that are looked for; 0: none */
    bool tabled;  /* --output wants a row a sample */
    struct answering answering;
    struct answer_table table;
    struct confusion confusion;
    bool classes;       /* the network tells some apart; the caller says so */
    int32_t *predicted; /* of each sample */
    float *certainty;   /* of that class, if mistakes are looked for */
    struct wrong_sample *worst;
    int64_t worsts;
};

/* Whether the plan has logits for predicting: it tells classes apart. */
bool trial_classes(const struct plan *p);
/* Once the device is armed for predicting and has its weights: answers all of j->data.test. The caller sets job, most, tabled and
 * classes before. STATUS_SIGNAL + signal if it was stopped. */
int trial_run(struct trial *t);
void trial_close(struct trial *t);

#endif
