/* keep.h: the checkpoints of a training, and what they tell. */
#ifndef KEEP_H
#define KEEP_H

#include "run.h"

/* ---- checkpoint.c ---- */

/* Parameters and states, under the names that PyTorch has for them, and what they come from. */
int checkpoint_save(struct job *j, const char *path);
/* The optimizer's slots, the position and the settings: what it takes to go on from the weights in a file of that hash. */
int checkpoint_save_optimizer(struct job *j, const char *path, const char hash[HASH_TEXT]);
/* Strict: every parameter and state, no strangers, equal shapes; lists what differs otherwise. `partial` takes what is
 * there. Prefixes `module.` and `_orig_mod.` are taken off names that neither the network nor --map has; a file with both
 * names is refused. */
int checkpoint_load(struct job *j, const char *path, bool partial);
/* Once the device is armed: the tensors of both files. */
int checkpoint_resume(struct job *j, const struct pair *p);

/* ---- pair.c: the last checkpoint of a run, which is two files that belong together, whenever a process is killed ---- */

extern const char checkpoint_weights_key[]; /* in the metadata of the optimizer's: the hash of the weights' */
int pair_save(struct job *j);
bool pair_there(const char *folder);
/* The files; a status after a message: there are none, or they are of two checkpoints. */
int pair_find(const char *folder, struct pair *p);
/* The same in a run that this process has locked: gives the files their names, if the one before was killed just then. */
int pair_settle(const char *folder, struct pair *p);

/* ---- classes.c ---- */

extern const char checkpoint_classes_key[];
extern const char checkpoint_inputs_key[]; /* the columns of a table */
/* What transforms have learnt: mean, deviation, fill, in this order; numbers with spaces between. */
enum { CHECKPOINT_LEARNT = 3 };
extern const char *const checkpoint_learnt_key[CHECKPOINT_LEARNT];
/* Of a plan, and how many numbers; NULL: none. */
double **learnt_of(struct plan *p, int i, int64_t *n);
/* Names, a line each, as a checkpoint keeps those of classes and inputs; to be freed. NULL: no memory. */
char *names_text(char *const *name, int64_t n);
/* The sample rate of the sounds that the weights have learnt. */
extern const char checkpoint_rate_key[];
/* A status, after a message: a sound has another rate than those that the weights have learnt. */
int rate_differs(const char *path, int rate, const struct job *j);
/* Of the weights j->weights: where the data name no classes, j->data gets their names; where they name others, that is said. The same for
 * the sample rate, of which another is an error. */
int classes_take(struct job *j);

/* ---- recall.c: what a checkpoint tells ---- */

extern const char *const checkpoint_hash_key[DATA_SPLITS]; /* of training set, test set, and holdout if it is files */
struct origin {
    int64_t epoch, in_epoch; /* as in a position */
    bool synthetic;
    double holdout; /* share of the training set that was held out by ... */
    uint32_t seed;
    char hash[HASH_TEXT]; /* of the whole training set */
};                        /* 0, false, "": the file does not say */
void checkpoint_origin(const char *path, struct origin *o);
/* Resuming, before the device is armed: what the optimizer's file of a pair tells. */
int checkpoint_recall(const char *path, const struct plan *p, struct recall *r);

/* ---- mean.c ---- */

/* Where the training keeps a moving mean of the weights: puts each in the place of the other. */
int mean_exchange(struct job *j);

/* ---- keep.c: the checkpoints of a training ---- */

int keep_last(struct job *j);                         /* last.safetensors, and beside it all it takes to go on */
int keep_epoch(struct job *j, const struct event *e); /* the event of an epoch, the last and, if it is that, the best */
int keep_made_up(struct job *j);                      /* the best of a run that is resumed, if it is missing */
/* A step at which the device must come back, since a checkpoint may be due then. */
int64_t keep_next(const struct job *j);
/* Between two steps of an epoch that has run `since`: a checkpoint, if it is time for one. */
int keep_step(struct job *j, double since);
int keep_lost(const struct job *j); /* says that an event could not be written */

#endif
