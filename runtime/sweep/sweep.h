/* sweep.h: many trainings of one model: a row each, in one table. In the order in which it goes: axes and rows (axes.c), the
 * folder (file.c), one run after the other (sweep.c, run.c), what is shown (table.c, live.c). */
#ifndef SWEEP_H
#define SWEEP_H

#include "run/run.h"

#include <pthread.h>

enum { MAX_AXES = 32, MAX_SWEEP_ROWS = 10000, MAX_JOBS = 256, REASON = 200 };

/* ---- axes.c, draw.c ---- */

enum axis_kind { AXIS_SETTING, AXIS_PARAM, AXIS_DEVICE };
struct axis {
    enum axis_kind kind;
    const char *name;  /* "train.optimizer.lr", "hidden", "device" */
    const char *shown; /* its last part, "lr", where no other axis ends so */
    int n;
    const char **value; /* as --set, -D and --device take them */
    bool range, log;    /* drawn from [low, high], evenly or evenly in its logarithm; the values are its ends */
    bool whole;         /* in whole numbers: both ends are */
    double low, high;
};

enum row_state { ROW_WAITS, ROW_STOPPED, ROW_FAILED, ROW_HALVED, ROW_DONE };
extern const char *const row_word[];

struct row {
    int number;         /* from 1 on */
    const char **value; /* one an axis */
    enum row_state state;
    int status;          /* exit status of its training; ROW_FAILED: why */
    char reason[REASON]; /* of that, in words */
    bool running;
    int64_t epoch, epochs; /* done, of all */
    double now_loss;       /* while it runs: of the last step */
    /* The best epoch, of which the weights are kept; 0: none yet. Its losses; the metric over n samples, n 0: not tested. */
    int64_t best_epoch, n;
    double merit, train_loss, loss, metric;
    double seconds; /* of all its epochs, tests included */
};

struct sweep {
    struct options *options;
    struct source source;
    struct region *region;
    const char *net;
    char folder[PATH_MAX], data[PATH_MAX]; /* runs/NET-sweep-N; of the data set, "": in the plan */
    int lock;                              /* of the folder: one process at a time */
    int naxis, nrow;
    int draws;      /* of `runs = random(n)`: rows; 0: the product */
    uint32_t seed;  /* of the draws: train.seed of the command line or the file */
    int eta;        /* of `stop = halving(eta)`; 0: every run goes to its end */
    int64_t epochs; /* of a whole run */
    bool over;      /* nothing will run: what has failed is not tried again */
    int rung;       /* that is at work */
    int64_t until;  /* epochs at which it ends; 0: all */
    struct axis *axis;
    struct row *row;
    char measure[METRIC_NAME], metric[METRIC_NAME]; /* that the best epoch is best in; that is shown, "": none */
    bool synthetic;
    pthread_mutex_t busy; /* rows, files and what is shown; one run changes nothing but its job beside it */
    int next;             /* row to look at */
    int status;           /* a signal, or what the sweep itself failed at; 0: go on */
    FILE *results, *json; /* stdout, or with --json stderr; events as JSON Lines: NULL or stdout */
    bool json_lost;       /* nobody reads them any more */
    FILE *lines, *screen; /* finished rows; those that run, redrawn; NULL: nobody looks */
    int drawn;            /* lines on the screen */
    double drawn_at;
    uint64_t said[64]; /* hashes of notes: each is said once */
    int nsaid;
};

/* Axes and rows from --sweep, or from the plan's own section where that says nothing; each value is tried on the plan, or by the
 * compiler, so that what is misspelt is refused before anything runs. `plan` is changed by that. */
int sweep_axes(struct sweep *s, struct plan *plan);
/* "log(1e-4, 1e-1)", "uniform(0, 0.5)" as the value of an axis; false: something else. */
bool draw_range(struct axis *a, const char *text);
/* "random(20)", "halving(eta = 3)": the number; -1: something else. */
int draw_rule(const char *text, const char *word, const char *argument, int otherwise);
/* Rows of values that are drawn: word axis mod 4 of Philox4x32-10 with counter = {row, axis / 4, 0, 0}, key = {"SWEE", seed}. */
int draw_rows(struct sweep *s);

/* ---- halving.c: Jamieson and Talwalkar, "Non-stochastic best arm identification and hyperparameter optimization", 2016 ---- */

/* Rungs: after each but the last, the best 1 / eta of the runs go on. 1: all go to the end at once. */
int halving_rungs(const struct sweep *s);
int64_t halving_until(const struct sweep *s, int rung); /* epochs at the end of it; 0: all */
void halving_cut(struct sweep *s);                      /* the rung is over */

/* ---- file.c: runs/NET-sweep-N/: the model, sweep.json, and a folder a run ---- */

int sweep_create(struct sweep *s);
int sweep_lock(struct sweep *s);
int sweep_save(const struct sweep *s);
/* The folder of the sweep that is meant by --resume NAME. */
bool sweep_named(const char *runs, const char *name, char folder[PATH_MAX]);
/* What was asked for when it began: words for options_read, owned by the region; NULL after a message. */
char **sweep_command(const char *folder, struct region *r, int *argc);
/* Where the rows of `s` had come to, which was made by the same command. */
int sweep_recall(struct sweep *s); /* the data folder, too */
/* The model or plan that was copied there, under the name that it was given; and where the weights lie that it began with. */
int sweep_source(struct sweep *s);
void sweep_folder_of(const struct sweep *s, const struct row *r, char folder[PATH_MAX]);

/* ---- run.c ---- */

/* One training, from its start or from its checkpoint to its end; fills in the row. */
void sweep_run(struct sweep *s, struct row *r);

/* ---- sweep.c ---- */

/* netrun --train --sweep. */
int sweep(struct options *o);
/* The same, begun earlier in `folder` by the options `o`: it goes on with what is not done, to the same bits. `data` NULL: where
 * they were. */
int sweep_resume(struct options *o, const char *folder, const char *data);
/* The same, but that nothing runs: its report is made again, its picture is drawn again (as `output`; NULL: in the folder). */
int sweep_report_again(struct options *o, const char *folder);
int sweep_plot_again(struct options *o, const char *folder, const char *output);

/* ---- table.c ---- */

void sweep_head(const struct sweep *s, FILE *out);
void sweep_line(const struct sweep *s, const struct row *r, char mark, FILE *out);
/* All rows, the best first and what cannot be told from it marked; means over seeds. */
void sweep_table(const struct sweep *s, FILE *out);
int sweep_csv(const struct sweep *s, const char *path);
/* All rows: those that are done, the best first, then those that are not; owned by the region. */
const struct row **sweep_sorted(const struct sweep *s);
bool sweep_counts(const struct row *r); /* it is done, and has a best epoch */
/* Does the best's 95 % interval hold it? A loss has none. */
bool sweep_ties(const struct sweep *s, const struct row *best, const struct row *r);
/* They have the same values but that of axis `seed`. */
typedef bool sweep_like(const struct sweep *s, const struct row *a, const struct row *b, int axis);
sweep_like sweep_same;
sweep_like sweep_same_value; /* they have the same value of that one */
struct mean {
    int n;
    double mean, half; /* of the 95 % interval; 0: one value has none */
};
/* What a metric is shown times: 100 of a share of right answers, which is shown in percent. */
double sweep_scale(const struct sweep *s);
/* Over the rows that are done and like the first: of the loss, or of the metric as it is shown. */
struct mean sweep_mean(const struct sweep *s, const struct row *first, sweep_like *like, int axis, bool loss);

/* ---- plot.c ---- */

/* Results against the values of each axis, as <stem>.gp, .svg and .png; `*why` says what is missing for the pictures, if they are not
 * drawn. False: it cannot be written, or there is nothing to draw yet. */
bool sweep_plot(const struct sweep *s, const char *stem, char *why, size_t size, struct data_error *e);

/* ---- report.c ---- */

/* report.html in the sweep's folder: its rows, means, values and curves. A sweep is none the worse if that fails. */
void sweep_report(struct sweep *s);

/* ---- stream.c: --json; the caller holds `busy`, or is alone ---- */

void stream_start(struct sweep *s);
void stream_event(struct sweep *s, const struct row *r, const struct event *e); /* of the run, with its number */
void stream_row(struct sweep *s, const struct row *r); /* it is over, or at the end of its rung */
void stream_end(struct sweep *s, int left, int failed, int signal);

/* ---- live.c: the caller holds `busy` ---- */

void live_row(struct sweep *s, const struct row *r); /* is over: told once and for all */
void live_draw(struct sweep *s, bool at_once);       /* those that run, ten times a second at most */
void live_clear(struct sweep *s);
void live_note(struct sweep *s, const char *text);

#endif
