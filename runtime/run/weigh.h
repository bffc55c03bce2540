/* weigh.h: what targets weigh in the loss: class weights, and none where a mask has no class. */
#ifndef WEIGH_H
#define WEIGH_H

#include "data/data.h"
#include "plan/plan.h"

struct job;

/* Of each sample of a split, the mean over its places; NULL: all of them 1. */
struct weighed {
    double *of;
    int64_t count;
    double sum;
    const uint32_t *draws; /* by which samples come (order.h); NULL: each once */
};

/* Of so many targets as the kernels read them. A status after a message. */
int weigh_targets(const struct plan *p, const void *targets, int64_t count, struct weighed *w);
void weigh_free(struct weighed *w);
int weigh(struct job *j); /* all splits of the job, once they are read and held out */
const struct weighed *weighed_of(const struct job *j, const struct data_split *split);

/* Puts CTL_INV_WEIGHT of a step, whose loss is that of its batch. Before control_part(). */
void control_weigh_batch(const struct weighed *w, uint32_t control[CTL_WORDS]);
/* The same of a test, whose batches all are parts of one. */
void control_weigh_all(const struct weighed *w, uint32_t control[CTL_WORDS]);

#endif
