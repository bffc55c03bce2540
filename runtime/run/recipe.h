/* recipe.h: a training in numbers: its settings, the place in it, the rate of a step, the control words of a run. */
#ifndef RECIPE_H
#define RECIPE_H

#include "graph/rate.h"
#include "plan/plan.h"

struct position {              /* in training; a checkpoint holds it */
    int64_t epoch;             /* epochs done */
    int64_t in_epoch;          /* steps done of the next one */
    int64_t step;              /* optimizer steps done in all */
    double loss_sum;           /* over the samples of those in_epoch steps */
    int64_t hits[MAX_METRICS]; /* right answers among those samples, metric by metric, before each step's update */
    bool uncounted;            /* hits of some of them are unknown: an older netrun's checkpoint has none */
    double seconds; /* that they took in the processes before this one; not in a checkpoint, whose bytes tell no time */
    double all_seconds;     /* that all epochs took which are done; no more than those */
    int64_t best_epoch;     /* 0: none yet */
    double best;            /* its merit by the measure of `save` */
    int64_t stop_epoch;     /* the last whose merit by the measure of `stop` was an improvement; 0: none yet */
    double stop_best;       /* that merit */
    struct watched watched; /* of a schedule that goes by what is measured */
};

/* ---- choose.c: which epoch is the best, and when the training is over ---- */

/* A rule of `save` or `stop`. */
struct rule {
    const struct word *word; /* NULL: none */
    double num[MAX_WORD_ARGS];
    int measure; /* as in word.h; MEASURE_AUTO: the first metric, or else the loss, of the training where nothing is tested */
};

/* ---- recipe.c: the settings as numbers ---- */

struct recipe {
    int64_t epochs;
    int64_t batch;     /* wanted; 0: auto. After fit(): what runs */
    int64_t max_batch; /* bound of auto */
    int64_t micro;     /* samples of one run, the gradients of several summed; 0: the whole batch. Set by fit() */
    int64_t evaluation_batch;
    uint32_t seed;
    bool shuffle;
    struct rate rate, momentum,
        decay; /* their steps and total are set by recipe_count; without pieces they are as they were read */
    const char *momentum_name; /* what the update calls it: "momentum", "beta1"; NULL: it has none */
    int arguments;             /* the optimizer's besides lr, as its expressions name them */
    struct argument {
        const char *name;
        double value;
    } argument[2 * MAX_WORD_ARGS + 2];
    int groups; /* of parameters, each with its learning rate and decay; 0: the recipe has none */
    struct own_rate {
        struct rate rate, decay;
    } group[CTL_GROUPS];
    int numbers;
    const struct expr *number[CTL_NUMBERS]; /* plan_numbers(); they live as long as the plan */
    int metrics;
    char metric[MAX_METRICS][METRIC_NAME]; /* "accuracy", "top5" */
    bool counts;                           /* steps of the training report them too; older plans do not */
    struct rule save, stop;
    double holdout; /* share of the training set; 0: none */
};
int recipe_read(const struct plan *p, struct recipe *r);
void recipe_reduce(struct recipe *r, int64_t times);  /* its rates, by a schedule that goes by what is measured */
void recipe_count(struct recipe *r, int64_t samples); /* once batch and samples are known */

/* Epochs of so many steps lead to it. */
bool position_fits(const struct position *at, const struct recipe *r);

/* Control words of one optimizer step over rows [position, position + rows) of the epoch's order. */
void control_train(const struct recipe *r, int64_t step, int64_t epoch, int64_t position, int64_t rows, int64_t samples,
                   uint32_t control[CTL_WORDS]);
/* Of such a step only the rows [done, done + rows) of its batch: one run of those that sum its gradients. */
void control_part(uint32_t control[CTL_WORDS], int64_t done, int64_t rows);
void control_evaluate(const struct recipe *r, int64_t position, int64_t rows, int64_t samples,
                      uint32_t control[CTL_WORDS]);
float control_float(const uint32_t control[CTL_WORDS], int word);

#endif
