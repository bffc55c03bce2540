/* tell.h: everything that people and programs are shown while it runs.
 *
 * Functions that return int, here and below, return the exit status of the program: 0, or one of the enum below after having
 * said on stderr what is wrong. */
#ifndef TELL_H
#define TELL_H

#include "base/bounds.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum {
    STATUS_USAGE = 2, STATUS_BUDGET = 3, STATUS_DATA = 4, STATUS_DEVICE = 5, STATUS_DIVERGED = 6, STATUS_INTERNAL = 70,
    STATUS_SIGNAL = 128      /* + number of the signal */
};

/* ---- progress.c: messages ---- */

/* "netrun: error: ...\n" on stderr; returns status. */
int complain(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* "netrun: ...\n" on stderr. */
void note(const char *format, ...) __attribute__((format(printf, 1, 2)));

double now(void);                                                         /* seconds, monotonic */

/* ---- text.c: numbers as people read them; each returns `text` ---- */

const char *duration_text(double seconds, char *text, size_t size);      /* "1.9 s", "2 min 05 s", "3 h 07 min" */
const char *short_duration_text(double seconds, char *text, size_t size);        /* "1.9 s", "12.6 min", "187.5 h" */
const char *rate_text(double per_second, char *text, size_t size);       /* "850", "31.6k", "2.1M" */
const char *loss_text(double loss, char *text, size_t size);             /* "0.3100", "1.20e-05", "NaN", "infinite" */
int digits_of(int64_t n);
/* snprintf at the end of what is there; a full buffer stays as it is. */
void text_append(char *text, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* ---- sink_lines.c, sink_bar.c, progress.c: what people read while it runs ---- */

struct epoch_report {
    int64_t epoch, epochs;           /* epoch: 1 for the first */
    double train_loss;
    bool tested, best, synthetic;    /* synthetic: of the data */
    double test_loss;
    int metrics;                     /* of the test set */
    const char *metric[MAX_METRICS];
    int64_t correct[MAX_METRICS], n;
    double seconds, per_second, eta; /* eta < 0: none */
};
/* At most 80 columns; what does not fit is in further lines, indented. */
void epoch_text(const struct epoch_report *r, char *text, size_t size);

struct progress {
    FILE *lines;                     /* stdout; stderr when events go to stdout; NULL: none */
    FILE *bar;                       /* stderr if it is a terminal, else NULL */
    bool drawn;                      /* a bar stands on the last line */
    double drawn_at, line_at;
    int64_t log_every;
};
struct progress_step {
    int64_t epoch, epochs, step, steps;      /* step and steps of this epoch */
    double loss, per_second, eta;
};
enum progress_mode { PROGRESS_AUTO, PROGRESS_BAR, PROGRESS_LINES, PROGRESS_NONE };
/* json: events go to stdout. */
void progress_open(struct progress *p, enum progress_mode mode, bool quiet, bool json, int64_t log_every);
void progress_step(struct progress *p, const struct progress_step *s);
void progress_clear(struct progress *p);
/* One line, after taking away the bar. */
void progress_say(struct progress *p, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* `width` columns: "epoch 3/14  [=====>    ]  200/469  loss 0.3100  31.6k img/s  ETA 21 s". */
void bar_text(const struct progress_step *s, int width, char *text, size_t size);

/* ---- events.c: what programs read: JSON Lines ---- */

struct events {
    FILE *to[2];                                 /* the run folder's file, stdout; either may be NULL */
    const bool *synthetic;                       /* of the data; if so, each event says it. May be NULL */
    bool comma;
};
void event_begin(struct events *e, const char *name);
void event_text(struct events *e, const char *key, const char *value);
void event_integer(struct events *e, const char *key, int64_t value);
void event_number(struct events *e, const char *key, double value);      /* null if not finite */
void event_open(struct events *e, const char *key, char bracket);        /* '{' or '['; elements of a list: key NULL */
void event_close(struct events *e, char bracket);                        /* '}' or ']' */
bool event_end(struct events *e);                                        /* ends the line and flushes; false: disk full */

/* ---- metrics.c ---- */

struct interval { double low, high; };
/* Wilson's 95 % interval of a proportion, `correct` of `n` > 0: E. B. Wilson, J. Am. Stat. Assoc. 22 (1927). */
struct interval wilson(int64_t correct, int64_t n);
/* Stable: subtracts the largest. NaN and infinities propagate. In place is fine. */
void softmax(const float *logit, double *probability, int64_t n);
int64_t largest(const float *value, int64_t n);              /* index; the first of equals; NaN counts as largest */

#endif
