/* teach.h: warnings that teach: what a training shows of itself when it does not learn, each once a run, with the line that it is
 * about, what to do, and the name by which --no-warn silences it. One more is a row of lessons.c. */
#ifndef TEACH_H
#define TEACH_H

#include "look.h"
#include "tell/tell.h"

struct job;

struct remark {
    struct finding found;
    char layer[LAYER_TEXT], text[400], help[300];
};

enum { LESSON_START = 1, LESSON_EPOCH = 2, LESSON_LOOK = 4, EPOCHS_KEPT = 4 }; /* LOOK: goes by what a look has seen */
struct teaching {
    const char *name;    /* of --no-warn, and of the event */
    const char *setting; /* whose line it names, unless it finds another; NULL: none */
    unsigned when;       /* it is asked */
    /* Is it so? Then *m says it. `r`: the epoch; NULL at the start. NULL: somebody else asks. */
    bool (*is_so)(const struct job *j, const struct epoch_report *r, struct remark *m);
};
extern const struct teaching lessons[];
extern const int lesson_count;

/* What a run knows of itself for this. */
struct taught {
    unsigned said;                                /* lessons, 1 << number, in this run so far */
    double train[EPOCHS_KEPT], test[EPOCHS_KEPT]; /* losses of the last epochs, the newest first; NaN: there was none */
    int64_t classes;                              /* that the training set has samples of; 0: it has no classes */
    int64_t only;                                 /* if it is one: which */
    double entropy;                               /* of their shares: the loss of who knows nothing but these */
    int64_t changes;                              /* from one sample to the next of another class */
    double changes_expected;                      /* if the order were drawn by lot */
    struct looking look;
};

/* --no-warn NAME,...; a status after a message that has the names. */
int teach_silence(const char *names, unsigned *silent);
unsigned teach_set(const char *name); /* 1 << its number; 0: there is none of that name */
/* "dead-relu", "order": those of a set, for settings.json; NULL ends. */
const char *teach_name(unsigned set, int i);
/* May it be said: not silenced, and not said before? Marks it as said. */
bool teach_may(struct job *j, const char *name);
/* The run begins or goes on: takes memory for all that follows, and up what an earlier process has said and seen. */
int teach_begin(struct job *j);
void teach_end(struct job *j);
/* A step, in all, before which the device must come back; INT64_MAX: none in this epoch. */
int64_t teach_next(const struct job *j);
/* Is the next step one that is followed, by look_run? */
bool teach_looks(struct job *j);
void teach_seen(struct job *j); /* behind the last step of an epoch */
/* The epoch has been told. */
void teach_epoch(struct job *j, const struct epoch_report *r);

#endif
