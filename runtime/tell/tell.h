/* tell.h: everything that people and programs are shown while it runs.
 *
 * What happens is told once, as an event; sinks take it: lines and a bar for people, JSON Lines for programs, the files of the run's
 * folder. A sink is a row in a file sink_*.c of its own, and a word in the list of tell.c.
 *
 * Functions that return int, here and below, return the exit status of the program: 0, or one of the enum below after having
 * said on stderr what is wrong. */
#ifndef TELL_H
#define TELL_H

#include "base/bounds.h"
#include "graph/word.h"
#include "tfevents.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum {
    STATUS_MODEL = 1,
    STATUS_USAGE = 2,
    STATUS_BUDGET = 3,
    STATUS_DATA = 4,
    STATUS_DEVICE = 5,
    STATUS_DIVERGED = 6,
    STATUS_INTERNAL = 70,
    STATUS_SIGNAL = 128 /* + number of the signal */
};

/* ---- events ---- */

enum event_kind {
    EVENT_START,
    EVENT_STEP,
    EVENT_EPOCH,
    EVENT_EVALUATION,
    EVENT_CHECKPOINT,
    EVENT_WARNING,
    EVENT_END,
    EVENT_KINDS
};

struct start_report {                                     /* of a training */
    const char *net, *device, *gpu;                       /* gpu: its name, NULL: the device is none */
    int64_t params, batch, micro, epochs, samples, arena; /* micro: samples of one run; 0: the whole batch */
    int64_t holdout;                                      /* samples that are tested instead of trained */
    bool apart; /* they are files of their own, and none of the training set */
    int threads;
    int64_t seed, schema;
    const char *version;
    const char *folder, *data; /* of the run, "" if none; of the data, NULL: they are in the plan */
    int64_t epoch, in_epoch,
        steps; /* where it is taken up: epochs and steps of the next done, and steps in all; 0: new */
};

struct step_report {
    int64_t epoch, epochs, step, steps;    /* epoch: 1 for the first; step and steps of this epoch */
    int64_t done;                          /* steps in all */
    double loss, seconds, per_second, eta; /* seconds of work at this epoch */
    bool logged;                           /* asked for by --log-every */
};

struct checkpoint_report {
    const char *file;           /* in the run's folder */
    int64_t epoch, step, steps; /* epoch: 1 for the first; step of it; steps: in all so far */
    double seconds;             /* of work at this epoch */
};

/* What a metric is: right answers of n, another number, or not known of this pass. */
enum measured { MEASURED_SHARE, MEASURED_NUMBER, MEASURED_NOT };
struct result {  /* of a pass over a set */
    double loss; /* mean over n samples */
    int64_t n;
    bool held_out; /* of the training set, and not the test set */
    int metrics;
    const char *metric[MAX_METRICS];
    enum measured measured[MAX_METRICS];
    int64_t correct[MAX_METRICS]; /* MEASURED_SHARE, */
    double number[MAX_METRICS];   /* MEASURED_NUMBER */
};

struct epoch_report {
    int64_t epoch, epochs, steps; /* epoch: 1 for the first; steps: in all so far */
    struct result train;          /* as seen during training, each batch before its update */
    struct result test;           /* n 0: there is no test set */
    bool best;
    double lr; /* of its last step */
    double train_seconds, test_seconds, seconds, per_second,
        eta; /* seconds: of both; per_second: of training; eta < 0: none */
    int64_t arena;
    bool streamed;                              /* the training set stays in its files, */
    double waiting;                             /* and for samples of it this share of the training has waited */
    const struct parameters_report *parameters; /* histogram.h: at the end of it; NULL: nobody has looked */
};

struct wrong_sample {
    int64_t sample; /* its number in the test set */
    int32_t truth, predicted;
    float probability; /* of what was predicted */
};

struct evaluation_report {
    struct result result;
    bool of_plan;                      /* the samples are in the plan */
    const struct confusion *confusion; /* confusion.h; NULL: the network tells no classes apart */
    int64_t epoch;                     /* of a training that is over, whose weights these are; 0: none */
    const char *sheet;                 /* the file of --worst; NULL: not asked for */
    int64_t worsts;                    /* that are drawn in it; 0: it is not written */
    const struct wrong_sample *worst;
};

/* What a warning, or the end of a training that diverged, is about; NULL or 0: nothing that can be named. */
struct finding {
    const char *name;     /* of a warning, as --no-warn takes it */
    const char *kind;     /* what was not finite first: "data", "weights", "forward", "loss" */
    const char *layer;    /* as layer.h calls it */
    const char *tensor;   /* of the plan */
    int64_t line;         /* of the .net file */
    int64_t step;         /* optimizer steps in all, this one included */
    double value;         /* what was measured */
    int64_t bad, samples; /* samples that are concerned; how many of them are listed in ... */
    const int64_t *sample;
};

struct warning_report {
    const char *text;
};

enum ending { ENDS_OK, ENDS_STOPPED, ENDS_INTERRUPTED, ENDS_DIVERGED };
struct end_report {
    enum ending how;
    int64_t epochs, step; /* step > 0: so many are done of the next epoch, ... */
    double epoch_seconds; /* ... which took so long */
    double seconds;       /* in all */
    int64_t best_epoch;   /* 0: none is over */
    const char *measure;  /* what the best epoch was best in: "accuracy", "loss" */
    double best;
    const char *stop;         /* the rule that ended it before its epochs were done: "patience"; NULL: none */
    const char *stop_measure; /* what had not improved since ... */
    int64_t stop_epoch;       /* ... that epoch; 0: never did */
    const char *folder;
};

struct event {
    enum event_kind kind;
    double time;                       /* seconds since 1970, UTC */
    bool synthetic, weights_synthetic; /* the data were made up; the weights learnt from such */
    const char *weights;               /* file that they came from, "" if none */
    struct finding finding;            /* of a warning, or of the end */
    int64_t run;                       /* of a sweep, from 1 on; 0: of none */
    union {
        struct start_report start;
        struct step_report step;
        struct epoch_report epoch;
        struct evaluation_report evaluation;
        struct checkpoint_report checkpoint;
        struct warning_report warning;
        struct end_report end;
    };
};

/* ---- fields.c: what events hold, in one table ---- */

enum field_type {
    FIELD_KIND,
    FIELD_TIME,
    FIELD_TEXT,
    FIELD_SYNTHETIC, /* bool: "synthetic" or nothing */
    FIELD_ENDING,
    FIELD_TRUTH,
    FIELD_INTEGER,
    FIELD_NUMBER,
    FIELD_LOSS, /* of a struct result, as the next three; nothing if it is of no samples */
    FIELD_METRIC,
    FIELD_INTERVAL,
    FIELD_COUNT,
    FIELD_SET, /* of a result: the name of what was tested, if that is no test set */
    FIELD_WORST,
    FIELD_CONFUSION,
    FIELD_SAMPLES, /* of a struct finding */
    FIELD_MEASURE  /* number by the name of what tells the best epoch */
};
struct field {
    unsigned kinds;   /* of events: 1 << kind */
    const char *name; /* before a dot: the object that it is in. METRIC, MEASURE: whatever these are called */
    enum field_type type;
    size_t at; /* in struct event */
    const char *unit, *doc;
    enum { FIELD_STAYS, FIELD_OPTIONAL } presence; /* OPTIONAL: left out where it is 0, false or empty */
};
struct event_word {
    const char *name, *doc;
};
extern const struct event_word event_word[EVENT_KINDS];
extern const char *const ending_word[];
extern const struct field event_field[];
extern const int event_fields;
void fields_print(FILE *out); /* the table, as docs/events.md shows it */

/* A column of metrics.csv. */
enum { MAX_COLUMNS = 24 + 4 * MAX_METRICS };
struct column {
    const struct field *field;
    int metric, bound; /* bound: of an interval, 0 the lower one, 1 the upper; else -1 */
    char name[80];     /* test_accuracy_95_low */
    char path[64];     /* test.accuracy_95: in the JSON of an event */
};
/* `tested`: what epochs are tested on, "test" or "holdout". */
int columns_of_epochs(const char *tested, const char metric[][METRIC_NAME], int metrics,
                      struct column list[MAX_COLUMNS]);
void table_head(const struct column *list, int n, FILE *out); /* sink_table.c */

/* ---- tell.c: who is told ---- */

enum progress_mode { PROGRESS_AUTO, PROGRESS_BAR, PROGRESS_LINES, PROGRESS_NONE };

/* Sees every event. */
struct watch {
    void (*take)(struct watch *w, const struct event *e);
};

enum { EARLY_WARNINGS = 8, WARNING_TEXT = 1024 };
struct tell {
    FILE *results;         /* stdout; stderr where events go to stdout */
    FILE *lines;           /* the same; NULL: none are wanted */
    FILE *bar;             /* stderr if it is a terminal, else NULL */
    FILE *json;            /* stdout, or NULL */
    FILE *metrics;         /* metrics.jsonl of the run, NULL before there is one */
    bool brief;            /* results in one line */
    struct watch *watch;   /* NULL: nobody */
    struct tfevents board; /* for TensorBoard, in its folder */
    bool explained;        /* and it says what histograms are of */
    FILE *table;           /* metrics.csv of it */
    int columns;
    struct column column[MAX_COLUMNS];
    char summary[512]; /* the first line of summary.txt */
    double line_at, drawn_at;
    bool synthetic; /* as the last event was */
    bool started;   /* an event has been told */
    int warnings;   /* before that: they are told behind it */
    char warning[EARLY_WARNINGS][WARNING_TEXT];
    unsigned lost; /* sinks that have failed: 1 << number */
};
void tell_open(struct tell *t, enum progress_mode mode, bool quiet, bool json);

struct sink {
    const char *name; /* of what it writes */
    bool keeps;       /* it is in the run's folder, and on the disk when `take` returns from an epoch */
    bool (*take)(struct tell *t, const struct event *e); /* false: something is lost */
};
/* First the sinks that keep, then those that show; false if one that keeps has lost something. One that shows and fails is left
 * out from then on, with a warning: nobody's training ends because a log is full. An epoch is told in two parts: what was shown
 * and is gone after a power cut would be a lie, so its checkpoint is written in between. */
bool tell(struct tell *t, const struct event *e);
bool tell_keep(struct tell *t, const struct event *e);
void tell_show(struct tell *t, const struct event *e);
/* "netrun: warning: ..." on stderr, and as an event; before the first one, behind it. */
void warn(struct tell *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The same once the start has been told, with what it is about for programs; on stderr if `aloud`. */
void warn_of(struct tell *t, const struct finding *f, bool aloud, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* ---- say.c: messages, which take away a bar that stands on the last line ---- */

/* "netrun: error: ...\n" on stderr; returns status. */
int complain(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* "netrun: ...\n" on stderr. */
void note(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* From now on what this thread would say by these two goes there, without "netrun: ..." and the end of the line; NULL: to stderr. */
typedef void said(void *to, bool error, const char *text);
void say_to(said *take, void *to);
/* A message of several lines that has all this already. */
int complain_as(int status, const char *text);
/* One line, where lines are wanted. */
void say(struct tell *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
void bar_stands(FILE *stream); /* a bar has been drawn there */
void bar_clear(void);
double now(void);       /* seconds, monotonic */
double wall_time(void); /* seconds since 1970, UTC */

/* " (synthetic data)", " (weights from synthetic data)" or "": what results have to tell. */
const char *synthetic_text(bool data, bool weights);

/* ---- text.c: numbers as people read them; those with a buffer return it ---- */

const char *duration_text(double seconds, char *text, size_t size);       /* "1.9 s", "2 min 05 s", "3 h 07 min" */
const char *short_duration_text(double seconds, char *text, size_t size); /* "1.9 s", "12.6 min", "187.5 h" */
const char *rate_text(double per_second, char *text, size_t size);        /* "850", "31.6k", "2.1M" */
const char *loss_text(double loss, char *text, size_t size);              /* "0.3100", "1.20e-05", "NaN", "infinite" */
enum { TIME_TEXT = 96 };
const char *time_text(double since_1970, char text[TIME_TEXT]); /* "2026-01-31T23:59:59.123Z" */
int digits_of(int64_t n);
int text_columns(const char *text);     /* of UTF-8, each character one column wide */
void text_cut(char *text, int columns); /* to so many at most */
/* With the end of a line behind a comma wherever one more piece would not fit, and four spaces before what follows. */
const char *text_wrapped(const char *text, int columns, char *out, size_t size);
/* snprintf at the end of what is there; a full buffer stays as it is. */
void text_append(char *text, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* sink_lines.c. At most 80 columns; what does not fit is in further lines, indented. */
void epoch_text(const struct epoch_report *r, bool synthetic, char *text, size_t size);
/* sink_bar.c. `width` columns: "epoch 3/14  [=====>    ]  200/469  loss 0.3100  31.6k img/s  ETA 21 s". */
void bar_text(const struct step_report *s, int width, char *text, size_t size);

/* ---- events.c: what programs read: JSON Lines ---- */

struct event_line {
    FILE *to; /* NULL: nobody */
    bool comma;
};
void event_begin(struct event_line *l, const char *name); /* name NULL: `event` follows as a field */
void event_text(struct event_line *l, const char *key, const char *value);
void event_integer(struct event_line *l, const char *key, int64_t value);
void event_truth(struct event_line *l, const char *key, bool value);
void event_number(struct event_line *l, const char *key, double value); /* null if not finite */
void event_open(struct event_line *l, const char *key, char bracket);   /* '{' or '['; elements of a list: key NULL */
void event_close(struct event_line *l, char bracket);                   /* '}' or ']' */
void event_weights(struct event_line *l, const char *path, bool synthetic);
/* Ends the line, which says it if the data are synthetic, and flushes; false: disk full. */
bool event_end(struct event_line *l, bool synthetic);

const char *set_text(const struct result *r); /* "test", "holdout" */

/* sink_json.c: the whole event. */
bool event_write(const struct event *e, FILE *to);

/* ---- metrics.c ---- */

struct interval {
    double low, high;
};
/* Wilson's 95 % interval of a proportion, `correct` of `n` > 0: E. B. Wilson, J. Am. Stat. Assoc. 22 (1927). */
struct interval wilson(int64_t correct, int64_t n);
/* Of metric m, or NaN where it is not known: what it is; whether it has an interval, which is put in *i. */
double result_value(const struct result *r, int m);
bool result_interval(const struct result *r, int m, struct interval *i);
/* "98.05 ± 0.27 %" of right answers, n > 0 of them: with the interval; or "0.8712". */
enum { METRIC_TEXT = 48 };
const char *metric_text(const char *metric, double value, int64_t n, char text[METRIC_TEXT]);
/* Stable: subtracts the largest. NaN and infinities propagate. In place is fine. */
void softmax(const float *logit, double *probability, int64_t n);
int64_t largest(const float *value, int64_t n); /* index; the first of equals; NaN counts as largest */

#endif
