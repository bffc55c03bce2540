/* run.h: training, testing and predicting, in the order in which things happen:
 * plan and settings -> data -> device and memory -> weights -> run folder -> training, testing, predicting. */
#ifndef RUN_H
#define RUN_H

#include "base/options.h"
#include "data/data.h"
#include "device/device.h"
#include "graph/word.h"
#include "tell/history.h"
#include "tell/tell.h"
#include "fault.h"
#include "recipe.h"
#include "request.h"
#include "teach.h"
#include "weigh.h"

#include <limits.h>

/* ---- device_open.c ---- */

/* "cpu", "cuda", "cuda:N", or "auto": the first GPU if it can be used, else the CPU; `why` then says why, and is empty for the
 * others. What is named is taken, or there is an error (status 2 for a name that is none). */
struct device *device_open(const char *name, const struct device_options *o, char *why, size_t size,
                           struct device_error *e);

/* ---- samples.c: the data set, from a folder or from the plan ---- */

/* Opens the folder, or makes a set of the plan's `data.samples` (training and test set at once) if folder is NULL, and
 * checks it against the plan's input and target. Class indices become I32, as the kernels read them. */
int samples_open(const struct plan *p, const char *folder, bool skip_damaged, int64_t most, struct dataset *set);
/* Would writing to `path` destroy a file of them? */
bool samples_read(const struct plan *p, const char *folder, const char *path);
/* The same, where the weights know inputs and classes (known.h): these are theirs, whatever the order of the columns is. */
struct known;
int samples_open_known(const struct plan *p, const char *folder, bool skip_damaged, int64_t most,
                       const struct known *known, struct dataset *set);
/* The rows of a file of a table; their target may be there or not. `t` is to be closed after a failure as well. */
struct csv_table;
int samples_table(const struct plan *p, const char *path, const struct known *known, struct dataset *set,
                  struct csv_table *t);
bool samples_are_rows(const struct plan *p); /* of a table */
void samples_close(struct dataset *set);
int64_t samples_classes(const struct plan *p); /* that the network tells apart; 0: its target is no class */
struct device_data samples_of(const struct data_split *split);
/* The number in its files of sample i of a split, and of what stands in row `row` of a run over it. */
int64_t samples_number(const struct data_split *split, int64_t i);
int64_t samples_of_row(const struct data_split *split, const uint32_t control[CTL_WORDS], int64_t row);
/* XXH3 (128 bits) of number, shapes, types and values, whatever file they came from; "-" if there are no samples. A status after a message
 * if these cannot be read. */
enum { HASH_TEXT = 33 };
int samples_hash(const struct data_split *split, char text[HASH_TEXT]);

/* ---- learnt.c: what transforms take from the training set: j->plan->learnt ---- */

/* Before fit(), and once samples are read and held out: takes it from the weights of that path, or where there are none from the
 * training set, and says so; then fills what is missing in all sets of the job. */
int learnt_take(struct job *j, const char *weights);
/* Fills what is missing in samples that are read later, or has it filled whenever they are read from their files. */
void learnt_fill(const struct plan *p, struct data_split *split);

/* ---- holdout.c ---- */

/* Takes a share, 0 < share < 1, out of the training set into set->holdout: of each class as much, drawn by the seed, in their
 * order; of at least two samples of a class one stays. */
int holdout_take(struct dataset *set, double share, uint32_t seed);

/* ---- tensors.c: finding tensors of the plan ---- */

/* A parameter, state or slot of its own: persistent, and not the group that holds such tensors. */
bool tensor_is_named(const struct plan *p, int t);
bool tensor_is_tally(const struct plan *p, int t);          /* sums that metrics are made of */
int tensor_with_role(const struct plan *p, enum role role); /* the first; -1: none */
/* The next output of the network after tensor `after` (-1: the first), named "output.<name>". -1: no more. */
int tensor_output(const struct plan *p, const struct schedule *s, int after);
/* The tensor in which a parameter's gradient lies, summed over the parts of a batch as the update sees it. All gradients have one
 * place of their own in the schedule (graph/update.c): they can be read from the end of a step to the next run, with no tracing. -1:
 * the schedule has none. */
int tensor_gradient(const struct plan *p, const struct schedule *s, int parameter);
const char *shape_text_of(int rank, const int64_t *dim, char *text, size_t size); /* "16x1x3x3", "scalar" */

/* ---- pace.c ---- */

struct pace {
    double best; /* seconds of a sample, the fastest so far */
    double slow; /* seconds on end in which samples took many times that */
    bool said;
};
/* `samples` took `seconds`, now `*times` as long as the fastest did. True once: when that has been far too long for some seconds. */
bool pace_drops(struct pace *p, int64_t samples, double seconds, double *times);

/* ---- job: what the actions share ---- */

/* What a checkpoint tells before the device is armed. */
struct recall {
    struct position at;
    uint32_t seed;
    int64_t batch, micro; /* as in the recipe */
    enum precision precision;
    bool synthetic;                    /* so were data or weights that it came from */
    char hash[DATA_SPLITS][HASH_TEXT]; /* of the sets as they are in files; "": the file does not say */
    char *settings;                    /* in force, as settings_text gives them; NULL: the file does not say. Owned */
};

/* The files of a checkpoint; of a run that an older netrun made, one file twice. */
struct pair {
    char weights[PATH_MAX], optimizer[PATH_MAX];
};

/* What metrics are made of that are more than right answers (measures.c). */
struct measures {
    double *tally; /* room for the largest of them */
    int64_t most;
    int scores; /* the tensor of what is said of each sample, -1: no metric asks for it */
    float *value;
    int32_t *class;
    struct ranked *ranked;
    double *total;
    int64_t tested; /* samples that there is room for */
};

struct job {
    struct options *options;
    struct plan *plan;
    struct recipe recipe;
    struct dataset data;
    struct device_data asked; /* what predict() will bring, batch by batch: without samples yet */
    struct device *device;
    struct device_rows rows;
    enum phase phase; /* one that is armed: through it persistent tensors are read and written */
    struct tell tell;
    struct position at;
    struct pace pace;
    bool second_device;    /* the process has had one of the kind: it says nothing */
    bool held_out;         /* data.test is a holdout */
    int64_t epochs_before; /* of the run that is resumed, where the command line changes them; 0: it does not */
    bool tested;           /* the last epoch of the run that is resumed was followed by a test */
    double test_seconds;   /* that the last test took; 0: none yet */
    double kept_at;        /* when `last` was written, or the training began */
    char hash[DATA_SPLITS][HASH_TEXT]; /* of the sets in their files; before they are read, those of the checkpoint */
    bool altered;                      /* something is in force that the checkpoint does not have */
    char folder[PATH_MAX];             /* of the run; "" if there is none */
    struct pair from;                  /* of the run that is resumed */
    char again[PATH_MAX];              /* of the run that this one is made again from, */
    char began_with[PATH_MAX];         /* and the weights that it began with */
    char weights[PATH_MAX];            /* the file that they came from, "" if none */
    bool synthetic_weights;            /* trained on synthetic data */
    FILE *metrics;                     /* metrics.jsonl in it, locked; tell.metrics when the training begins */
    struct taught taught;              /* what this run has said and seen of itself */
    struct fault fault;       /* of the training, if it diverged; of the first test whose loss was not finite */
    struct measures measures; /* of this run's passes */
    struct weighed weighed[DATA_SPLITS];
    struct parameters *parameters; /* NULL: nobody looks at them */
};

/* ---- choose.c: which epoch is the best, and when the training is over ---- */

/* What epochs are tested on: the holdout, or else the test set, which may be empty. */
const struct data_split *choose_split(const struct job *j);
const char *choose_tested(const struct job *j); /* "test", "holdout" */
/* Judges the epoch that the position counts already. True: it is the best so far. */
bool choose_epoch(struct job *j, double train_loss, const struct result *r);
/* All epochs are done, or `stop` has had enough. */
bool choose_over(const struct job *j);
bool choose_stops(const struct job *j); /* the latter */
/* "accuracy", "loss": what a rule measures, and the value that a merit stands for. */
const char *choose_measure(const struct job *j, const struct rule *c);
double choose_value(const struct job *j, const struct rule *c, double merit);
/* Refuses a measure that nothing here is tested for. */
int choose_check(const struct job *j);

/* ---- overrides.c: settings of the command line, over those of the plan or of the run that is resumed ---- */

/* Reads j->recipe from the plan's settings with those of the command line over them. */
int overrides_take(struct job *j);
/* The same for a run that is resumed, between the two its own, and with its seed and its batch, which cannot be changed. */
int overrides_resume(struct job *j, const struct recall *r);
/* Reads it from those of a run that is made again, whose batch and length it also takes. */
int overrides_again(struct job *j, const struct recall *r);

/* ---- fit.c: batch, budget, device ---- */

/* Opens the device, sets rows and batch so that they fit the budget, compiles and arms. samples[phase] is the size of the
 * split that the phase reads, 0 if it will not run. */
int fit(struct job *j, const int64_t samples[PHASE_COUNT]);

/* ---- caution.c: what can be run, but was hardly meant, said on stderr ---- */

/* Values that the transforms of the plan do not suit. */
void caution_samples(struct job *j, const struct data_split *split);
/* The same of the training set, and settings without effect; when batch and steps are known. Refuses statistics over one value. */
int caution_training(struct job *j);

/* ---- init.c ---- */

/* Initial weights and states, from the seed alone:
 *   U(-b, b): (float)(b * (2 u - 1)), u = (word >> 8) 2^-24, word = element mod 4 of Philox4x32-10 with
 *   counter = { element / 4, 0, 0, 0 } and key = { index of the parameter in declaration order, seed }. */
int init_weights(struct job *j);
/* Orthogonal values are made of a whole matrix: *matrix, to be freed; NULL for all others. False: no memory. */
bool init_begin(const struct tensor *t, uint32_t index, uint32_t seed, double **matrix);
/* Values [at, at + n) of a parameter or state; at is a multiple of 4. index: of the parameter, as above. */
void init_values(const struct tensor *t, const double *matrix, uint32_t index, uint32_t seed, int64_t at, int64_t n,
                 float *value);

/* ---- plan_open.c ---- */

/* A file that holds a plan, or a model of which source_plan makes one. */
struct source {
    const char *path;
    char *text; /* owned */
    size_t size;
    bool model;
};
/* The first line is looked at before the rest is read; refuses what is neither. */
int source_read(const char *path, struct source *s);
void source_free(struct source *s);
/* Its plan; of a model, for which `define` has "NAME=VALUE" for params, what netc would write. STATUS_MODEL: the compiler has said
 * on `messages` what is wrong. */
int source_plan(const struct source *s, char *const *define, int ndefine, FILE *messages, struct plan **plan);
/* The two in one. NULL after a message. */
struct plan *plan_open(const char *path);

/* ---- job.c ---- */

void job_close(struct job *j);

/* ---- rundir.c: runs/<net>-<n>/ ---- */

/* Makes runs/name-n with the smallest free number. */
int run_folder(const char *runs, const char *name, char folder[PATH_MAX]);

/* Makes the folder with the smallest free number (mkdir takes it), locks it and writes model.plan, model.net, settings.json. */
int run_create(struct job *j);
/* Opens metrics.jsonl to append, and locks it: one process at a time works in a run. A lock ends with its process. */
int run_lock(struct job *j);
/* Events later than the position, which a killed run may have left, are cut off; the last that stay tell at.seconds. */
int run_metrics(struct job *j);
/* runtable.c: metrics.csv from these, and opened to append: j->tell.table. */
int run_table(struct job *j);
/* board.c: the event file of TensorBoard, unless --no-tensorboard; a training is none the worse if it cannot be written. */
void run_board(struct job *j);
void board_close(struct job *j);
void board_lost(struct job *j); /* with a warning */
/* board_views.c: what is in it besides numbers: the graph of layers and images of the training set, and, at the end, the confusion
 * matrix of what was tested. */
void board_network(struct job *j);
struct confusion;
void board_confusion(struct job *j, const struct confusion *c, const char *set);
/* The folder of the run among runs/<net>-* that was started or resumed last; net NULL: of any net; `kept`: only of those with a
 * checkpoint. False if there is none. */
bool run_newest(const char *runs, const char *net, bool kept, char folder[PATH_MAX]);
/* A run by its name: `name` if that is a folder, or else runs/name. */
bool run_named(const char *runs, const char *name, char folder[PATH_MAX]);
/* The same, or the `last` that was started or resumed; a status, after a message. */
int run_find(const char *runs, const char *name, char folder[PATH_MAX]);
/* folder/name; false, after a message, if that is too long. */
bool run_path(const char *folder, const char *name, char path[PATH_MAX]);

/* ---- runfile.c: settings.json ---- */

/* What is in force; of a run that is resumed, who started it and who resumed it as well. Takes the next turn. */
int run_settings_write(const struct job *j);
/* A run's place in the order of all starts and resumes of its neighbours, from 1 on; 0: it has none. */
int64_t run_turn(const char *folder);
/* Sets the data folder from that of the run. */
int run_data(struct job *j);
/* What that run's --no-warn and --skip-damaged were, besides what the command line says. */
void run_stays(struct job *j);

/* ---- changed.c ---- */

/* Refuses, with the tensors or the line in which they differ, to resume a run whose network is not the one that is given. */
int changed_network(const struct job *j, const struct plan *run, const struct plan *given);

/* ---- resume.c ---- */

/* --resume: finds the run's folder and takes its plan, its position and, unless the command line names others, its data folder
 * and its settings: j->at, j->recipe. */
int run_recall(struct job *j);
/* The resumed run is about to go on: settings.json says what is in force now, and where that has changed, the checkpoint too. */
int run_take_up(struct job *j);

/* ---- runs.c ---- */

/* The runs of a folder as a table: text, or CSV or JSON. */
int runs_list(const struct options *o);

/* ---- plot.c ---- */

/* Curves of the runs that are named, or of the newest, as pictures. */
int plot(const struct options *o);
/* The same of the run that ends, into its folder, if it has two epochs to draw a line through and is none of a sweep; a training
 * is none the worse if that fails. */
void plot_own(const struct job *j);
/* Folder and history of the run called `name`, or `last`. */
int run_history(const struct options *o, const char *name, char folder[PATH_MAX], struct history *h);

/* ---- reporting.c ---- */

/* report.html of the training that has ended, into its folder, unless it is one of a sweep. Closes the job's device, as the network
 * answers its test set on one of its own; a training is none the worse if anything fails. */
void report_own(struct job *j);
/* The same of the run called `name`, or `last`, made again; says where it is. */
int report_of(const struct options *options, const char *name);

/* ---- watch.c ---- */

/* Curves of a run on the terminal, till it has ended. */
int watch(const struct options *o);

/* ---- rerun.c ---- */

/* --rerun: plan, data, settings, seed and length of a run, for a new one. */
int rerun_recall(struct job *j);
/* Behind it: status 0 if both have the same bits, else 4, having said what is different here. */
int rerun_compare(struct job *j);

/* ---- stops.c ---- */

/* From now on until the end, SIGINT, SIGTERM, SIGHUP and SIGPIPE are taken down only; the last two not if they are ignored. May be
 * nested: the outermost counts. */
void stops_listen(void);
void stops_end(void);
int stopped_by(void); /* the last such signal; 0: none */

/* ---- prepare.c ---- */

/* Data, memory and weights of a training; afterwards the first step can run. */
int train_prepare(struct job *j);
/* What --test is of. Where there is no test set, the holdout takes its place: files of its own, or what the weights were trained
 * without, by their seed. */
int test_prepare(struct job *j);

/* ---- steps.c ---- */

/* Steps until the epoch is over or it is enough; `seen` counts the samples, of those since `since`. A step that has begun is
 * brought to its end. */
int steps_run(struct job *j, int64_t *seen, double since);
/* So many epochs or steps as were asked for are done, or a signal has come. */
bool steps_enough(const struct job *j);

/* ---- parameters.c: weights, gradients and updates at the end of an epoch ---- */

/* Takes j->parameters; false: there is no memory. */
bool parameters_open(struct job *j);
void parameters_close(struct job *j);
/* A step before which the device must come back: of what parameters_before() copies. */
int64_t parameters_next(const struct job *j);
/* Between two steps: if the next one is the last of an epoch that is looked at, keeps the weights. */
void parameters_before(struct job *j);
/* Behind that step, before another phase runs: histograms of its weights, of its gradients as the optimizer has seen them, and of what
 * it has added to the weights. NULL: of this epoch there are none. They hold until the next call. */
const struct parameters_report *parameters_after(struct job *j);

/* ---- measures.c: metrics that are more than right answers, of what the device has summed or said of each sample ---- */

/* Once armed: room for the sums, and for what is said of the most samples that a test has. */
int measures_open(struct job *j, int64_t tested);
void measures_close(struct job *j);
bool measures_scored(const struct job *j); /* samples are read one run at a time */
int measures_clear(struct job *j);
/* Rows [position, position + rows) of the split have been tested: keeps what is said of them. */
int measures_score(struct job *j, const struct data_split *split, int64_t position, int64_t rows);
/* Of a pass over n samples that is over, a test or an epoch of training: fills in what is no right answers, and clears the sums. */
int measures_take(struct job *j, bool tested, int64_t n, struct result *r);

/* ---- train.c, evaluate.c, test.c, predict.c ---- */

int train(struct job *j);
/* The loop alone, for a job that is prepared: returns at the end, after a signal, or when the loss is not finite. */
int train_loop(struct job *j);
/* Runs the evaluation phase over the whole split. The device reads another split afterwards. */
int evaluate(struct job *j, const struct data_split *split, struct result *r);
int test(struct job *j);
/* After a training with a holdout: the test set, once, with the weights of the best epoch. */
int test_best(struct job *j);
int predict(struct job *j);

/* ---- weights.c ---- */

/* Loads what --weights names: a file, a run, `best` or `last` of the newest run, or `none`, the initial weights of the seed; or else
 * the best of the newest run where there is one, its last otherwise. Says which, and why. */
int weights_take(struct job *j);
int weights_find(struct job *j);            /* the same without taking them: sets j->weights */
bool weights_none(const struct options *o); /* --weights none */
/* An event of the job, with what all tell: of which weights, and whether something was made up. */
struct event event_of(const struct job *j, enum event_kind kind);

#endif
