/* history.h: a run as metrics.jsonl of its folder tells it. */
#ifndef HISTORY_H
#define HISTORY_H

#include "base/data_error.h"

#include <stddef.h>
#include <stdint.h>

/* A number of each epoch's event: "train.loss" for {"train": {"loss": 0.1}}; NaN where an epoch has none. */
struct history_column {
    char name[64];
    double *value; /* of each epoch */
};

enum { HISTORY_WARNINGS = 20 };

struct history {
    size_t epochs, columns, column_room, room;
    struct history_column *column;
    size_t logged, logged_room; /* losses of steps, by --log-every */
    double *step, *loss;        /* step: in all, from 1 on */
    size_t best;     /* the epoch, from 1 on, that was best by the measure of the run's own `save`; 0: none */
    size_t warnings; /* texts, each once, the first of them */
    char *warning[HISTORY_WARNINGS];
    size_t damaged; /* lines that are no events */
    bool ended;     /* nobody works at it, unless that was killed */
};

/* Of the file; lines that are no events, such as the end of a line that is just being written, are passed over and
 * counted. On failure `h` holds nothing. */
bool history_read(const char *path, struct history *h, struct data_error *error);
void history_free(struct history *h);
const char *history_metric(const struct history *h);                     /* the first one, beside a loss; NULL: none */
const double *history_column(const struct history *h, const char *name); /* NULL: no epoch has it */
/* `what` ("loss", "accuracy", "n") of the set that epochs were tested on, the holdout or else the test set; NULL: neither has it. */
const double *history_tested(const struct history *h, const char *what);

#endif
