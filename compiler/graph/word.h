/* word.h: all that a .net file can name, layers, losses and the rest, as rows of ops/ and never in the grammar; and a model's
 * choice of them. */
#ifndef WORD_H
#define WORD_H

#include "base/base.h"
#include "base/augment_colour.h"
#include "base/augment_mix.h"
#include "base/pixels.h"
#include "plan/op.h"

enum word_kind {
    WORD_LAYER,
    WORD_LOSS,
    WORD_OPTIMIZER,
    WORD_SCHEDULE,
    WORD_TRANSFORM,
    WORD_AUGMENT,
    WORD_METRIC,
    WORD_SAVE,
    WORD_STOP,
    WORD_CLIP,
    WORD_SAMPLING,
    WORD_SOURCE,
    WORD_KINDS
};

enum arg_type {
    ARG_INT,  /* one integer */
    ARG_PAIR, /* an integer or [h, w]: two numbers in args.num[i] */
    ARG_NUMBER,
    ARG_INTS,    /* an integer, or a list of them: of schedules */
    ARG_NUMBERS, /* a number, or a list with one for each channel of the input: its first dimension */
    ARG_CLASSES, /* a list with one number for each class of the target, 0 or in the range, not all 0; the default: all alike */
    ARG_BOOL,  /* true, false */
    ARG_VALUE, /* a value of the graph (losses) */
    ARG_INIT, /* kaiming_normal, normal(0.02): the row of init_rules on 1, its number, 1: by the outputs; row 0: left out */
    ARG_MEASURE, /* `loss` or a metric of the model: its name in args.text[i], "auto" where it is left out */
    ARG_TEXT,    /* a text in quotes, in args.text[i]; left out: the first choice, or "" */
    ARG_TEXTS    /* one in quotes, or a list of them: the same, a line each */
};
enum { MAX_WORD_ARGS = 12 };
/* What a transform has to do with columns of a table. */
enum column_use { COLUMN_NUMBER, COLUMN_DROP, COLUMN_CATEGORY, COLUMN_FILL, COLUMN_TARGET };

struct arg {
    const char *name, *help;
    enum arg_type type;
    const char *part[2]; /* optimizers: what their op calls the two of an ARG_PAIR */
    bool required;
    double otherwise, second;  /* default; ARG_PAIR: second number, 0: the same as the first */
    double min, max;           /* allowed range, closed; both 0: any */
    bool below;                /* max itself is not allowed */
    bool path;                 /* ARG_TEXT: a file or folder within the folder of data */
    const char *const *choice; /* ARG_TEXT: the texts there are, NULL behind the last; NULL: any */
};

struct args {                   /* evaluated against a word's arg table */
    double *num[MAX_WORD_ARGS]; /* at least two: a single number, or default, is in both */
    int count[MAX_WORD_ARGS];   /* numbers given; 0: the default is in num[i] */
    bool given[MAX_WORD_ARGS];
    struct value *value[MAX_WORD_ARGS];
    const char *text[MAX_WORD_ARGS];
    struct loc loc[MAX_WORD_ARGS]; /* of the argument, or of the word if it was left out */
};

struct site;
struct step;

/* The functions of base/augment.h whose names begin with `text`: `draw`, and one of the others. */
struct augmentation {
    const char *text;
    void (*draw)(struct augment_stream *s, const double (*arg)[2], int height, int width, float *n);
    void (*place)(const float *n, int height, int width, int *y, int *x);
    struct augment_taps (*taps)(const float *n, int height, int width, int y, int x);
    float (*value)(const struct augment_stream *s, const float *n, float top, int e, int y, int x, float v);
    void (*colour)(const float *n, float top, float *rgb);
    float (*mix)(const float *n, int y, int x, float v, float w); /* with another sample; such a word is the last */
    /* Where argument `mean` is not 0, n[AUGMENT_MEAN] is to be the mean over the picture of what this makes of a pixel. */
    float (*before)(const float *n, float top, float *rgb);
    int mean;
};

/* A step of the training, as schedules see it: counts of steps, from 0, which is where their piece begins. */
struct training_step {
    double lr;            /* of the recipe, or what else of the optimizer the schedule is for */
    int64_t step, warmup; /* step >= warmup: what comes before is linear for all schedules */
    int64_t steps, total; /* of an epoch, of the piece */
    const double *list;   /* the numbers of the argument that is a list */
    int listed;
    int64_t reduced; /* by a schedule that goes by what is measured: how many times so far */
};

/* Where such a schedule stands; a checkpoint holds it. All 0: at the beginning. */
struct watched {
    double best;               /* value of the measure */
    int64_t reduced;           /* how many times the rate was */
    int64_t epochs, bad, rest; /* that were better, in a row were not, are still to wait */
};

/* What the network said of samples, and their classes. */
struct scores {
    const float *value; /* of each sample `stride`, of which the first are those of the classes */
    const int32_t *class;
    int64_t n, classes, stride;
    struct ranked {
        double score;
        bool is;
    } * room;      /* for n of them, */
    double *total; /* and of these */
};

struct word {
    enum word_kind kind;
    const char *name, *doc;
    struct arg arg[MAX_WORD_ARGS]; /* name NULL ends it */
    int bare;                      /* arguments that may stand without a name; 0: all, -1: none */
    const char *bare_help;         /* what to say of more */
    int nvalue;                    /* layers: operands besides the one before ->; -1: a call over >= 2 values */
    /* The rule of the word: without the one of its kind netc refuses it as unfinished.
     * Layers, losses and metrics: builds nodes, returns the result, or NULL after a diagnostic. x[0] is the value before
     * '->' (losses: the values given as ARG_VALUE, in order; metrics: the operands of the loss, which `check` has
     * looked at; their result is 1 or 0 for each row, or what `tally` or `ranks` tells of). */
    struct value *(*build)(struct site *s, const struct args *a, struct value *const *x, int nx);
    enum role reads; /* losses: what an output is that they read as x[0]; 0: ROLE_OUTPUT */
    /* Optimizers: the scalar op of the update (a name in the op tables) for these arguments, and its slots. */
    const char *(*update)(const struct args *a);
    /* Where that is only the first op of several, for each parameter: builds them. */
    void (*step)(struct step *s);
    /* For parameters that `update` does not take, this one. NULL: it takes all. */
    bool (*takes)(const struct value *parameter);
    const char *beside;
    const char *beside_lr,
        *beside_decay;      /* its arguments for those, the rate and the decay of what has none of its own */
    const char *takes_word; /* of a group: `muon = false` leaves its parameters to that one */
    /* Schedules: the learning rate of a step; num[]: the first number of each argument. An argument `warmup` is the steps of a
     * linear warm-up, which is not this rule's business. */
    double (*rate)(const double *num, const struct training_step *s);
    double (*momentum)(const double *num,
                       const struct training_step *s); /* moves the momentum as well; NaN: it does not */
    bool soft; /* losses: the class may be mixed of two, as the graph says (graph.h) */
    /* Schedules that go by what is measured: the state after an epoch whose measure has this value; falls: less is better. */
    void (*watch)(const double *num, struct watched *w, double value, bool falls, double lr);
    bool spans;        /* schedules: the rate depends on how many steps the training has */
    const char *shown; /* metrics: the name of the results, before the numbers of its arguments */
    /* Metrics that are no share of right answers: `build` returns the tally (ROLE_TALLY, called so) that it adds to, ... */
    const char *tally;
    double (*sums)(const double *tally, int64_t size,
                   double n); /* the metric of n samples whose tally has `size` numbers */
    /* ... or, in the phase that evaluates, values of each sample (ROLE_SCORES), and in training NULL: there they are not known. */
    double (*ranks)(const struct scores *s);
    bool values; /* the target has to be values, not a class */
    bool masks;  /* it may be a mask: a class at each place */
    bool falls;  /* less is better */
    /* Save and stop: is an epoch's merit, of which more is better, an improvement on the best before it? */
    bool (*better)(const double *num, double merit, double best);
    /* Stop: have so many epochs without an improvement been enough? */
    bool (*enough)(const double *num, int64_t epochs);
    /* Samplings: what one sample of class c weighs when an epoch is drawn; num: of its list, n: how many numbers that has, of: how many
     * samples the class has. */
    double (*weighs)(const double *num, int n, int64_t c, int64_t of);
    /* Transforms, one of the two; num[] are the arguments. Of numbers: puts x' = f(x) over x = scale v + shift, for one channel. */
    void (*affine)(const double *num, double *scale, double *shift);
    bool learns; /* instead of arguments it has mean and deviation of the training set's channel */
    /* Of pictures, or if `sound` of sounds, when they are read: puts size and channels of what becomes of *p in their place, as far as they are
     * known, or says why that cannot be; and makes it, where it is another. False: no memory. */
    bool sound;
    const char *(*sized)(const double *num, struct pixels *p);
    bool (*picture)(const double *num, const struct pixels *from, struct pixels *to);
    /* Augmentations: how they draw and what they make of a pixel; and why these arguments, two numbers each, are none for pictures
     * of that size; NULL: they may be. */
    const struct augmentation *augment;
    const char *(*fits)(const double (*arg)[2], int channels, int height, int width);
    /* Of tables, when they are read: COLUMN_DROP of the columns in text 0, COLUMN_CATEGORY of that in text 0 with the values of text
     * 1; 0: it is none of these. */
    enum column_use use;
    /* Recipe: what no argument shows alone, once each is within its range; x as for build. False after an error. NULL: nothing. */
    bool (*check)(struct site *s, const struct args *a, struct value *const *x, int nx);
    /* Graph-shaping arguments are the others' complement: those netrun may change at any time. Bit i = argument i. */
    unsigned free_args;
};

const struct word *word_find(enum word_kind k, const char *name);
const struct word *word_at(int i); /* all words, sorted by kind and name; NULL ends */

/* Argument i of the word that a plan has as setting `key`, such as "train.optimizer"; NULL: the plan has none. */
const struct setting *word_setting(const struct plan *p, const char *key, const struct word *w, int i);

/* ---- class_metrics.c: `sums` of metrics ---- */

double counted_f1(const double *tally, int64_t size, double n);
double counted_recall(const double *tally, int64_t size, double n);  /* balanced accuracy */
double counted_overlap(const double *tally, int64_t size, double n); /* mean IoU */
double counted_right(const double *tally, int64_t size, double n);   /* share of all that are taken for what they are */

/* ---- measures: what an epoch is judged by ---- */

enum { METRIC_NAME = 24, MEASURE_LOSS = -1, MEASURE_AUTO = -2 }; /* from 0 on: the metrics of the plan */

/* "accuracy", "top5": what results call a metric with these arguments. */
void metric_shown(const struct word *w, const double *num, char name[METRIC_NAME]);
/* The same of metric m of a plan, whose word is put into *w; false: it has no such. */
bool plan_metric(const struct plan *p, int m, const struct word **w, char name[METRIC_NAME]);
/* The metric of which results have this name; NULL: none. And whether its results are shares of right answers, 0 to 1, which have
 * an interval. */
const struct word *metric_named(const char *shown);
bool metric_is_share(const char *shown);
bool metric_falls(const char *shown); /* less is better */
/* "loss", "auto", or the name of one of its metrics; false: it has no such. */
bool plan_measure(const struct plan *p, const char *name, int *measure);

/* group("*.bias", lr = 0.1, decay = 0): what parameters of such names have for themselves. Later rows go before earlier ones. */
struct group_rule {
    const char *pattern;
    double lr, decay; /* NAN: not given */
};

struct model {
    const char *net;
    int nsetting;
    struct setting *setting; /* every entry of data and train, defaults included */
    const struct word *loss, *optimizer;
    const struct word *clip; /* NULL: gradients are taken as they are */
    bool ema;                /* a moving mean of the weights is kept */
    struct args loss_args, optimizer_args;
    int ngroup;
    struct group_rule *group;
    struct loc groups_at;
    int nmetric;
    const struct word **metric;
    struct args *metric_args;
};

/* ---- init_rule.c: how a layer's parameters begin, as torch.nn.init has it ---- */

struct init_rule {
    const char *name, *doc;
    enum init init;
    double (*bound)(double number, double in,
                    double out); /* of the inputs of an output, and the outputs of an input; NULL: number */
    const char *number;          /* what the word's number is; NULL: it takes none */
    double otherwise;            /* NAN: it is required */
    bool fans;                   /* `fan = out` goes by the outputs */
    bool matrix;                 /* a bias has no such */
};
extern const struct init_rule init_rules[]; /* name NULL ends */

/* ---- transform.c ---- */

int64_t plan_channels(const struct plan *p); /* the first dimension of the input; 0: the plan has none */
int64_t plan_classes(const struct plan *p);  /* of the target, or values that are their probabilities; 0: it has none */
/* What each of so many classes weighs in the loss; NULL: they weigh alike. */
const double *plan_class_weights(const struct plan *p, int64_t classes);
/* Transform i of the data, and the key of its setting; NULL: there are no more. */
const struct word *plan_transform_at(const struct plan *p, int i, char key[40]);
struct picture_step {
    const struct word *word;
    double num[MAX_WORD_ARGS];
};
/* The transforms of pictures or sounds among the data's, which come before those of numbers. Returns how many. */
int plan_picture_steps(const struct plan *p, struct picture_step step[MAX_METRICS]);
/* Size and channels of what they make of *p; NULL, or why that cannot be. Sizes may be unknown: 0. */
const char *picture_sized(const struct picture_step *step, int n, struct pixels *p);
/* Makes it: of pixels that malloc has given, for others. False: no memory, and there are none. */
bool picture_made(const struct picture_step *step, int n, struct pixels *p);
/* What the transforms of numbers make of a value v of channel c: scale[c] v + shift[c]. */
void plan_transform(const struct plan *p, int64_t channels, double *scale, double *shift);
/* Is there one that takes means and deviations from the training set? One that fills what is missing with means? */
bool plan_standardizes(const struct plan *p);
bool plan_fills(const struct plan *p);

/* What `train` or `test` of the data says that samples are read from; word NULL: nothing. */
struct data_where {
    const struct word *word;
    const char *text[MAX_WORD_ARGS];
    double num[MAX_WORD_ARGS];
};
struct data_where plan_where(const struct plan *p, const char *key); /* "data.train" */

/* ---- augment.c ---- */

enum { MAX_AUGMENT = MAX_METRICS };
struct augment_step {
    const struct word *word;
    double arg[MAX_WORD_ARGS][2];
};
/* What training makes of its samples, behind the transforms of pictures and before those of numbers. Returns how many. */
int plan_augment(const struct plan *p, struct augment_step step[MAX_AUGMENT]);

struct augment_size { /* of a sample as a picture: its last two dimensions, and how many such */
    int channels, height, width;
};
struct augment_source { /* its values in the data set, of one of these types */
    const unsigned char *u8;
    const float *f32;
};
struct augment_size augment_size(const struct tensor *sample);
/* Why such samples or these arguments do not suit it, to stand behind its name; NULL: they do. */
const char *augment_unfit(const struct augment_step *step, const struct tensor *sample); /* an input, or a target */
const char *plan_augment_unfit(const struct plan *p, const char **name); /* the first that is so, and which */
bool augment_mixes(const struct plan *p);                                /* is its last word such a one? */
bool augment_averages(const struct augment_step *step);                  /* does it need a mean? */

struct augment_sample {
    const struct augment_step *step;
    int steps;
    struct augment_size size;
    struct augment_id id;
    struct augment_source from;
    float number[MAX_AUGMENT][AUGMENT_NUMBERS];
    const struct augment_sample *other; /* the one that is mixed in, drawn as well; NULL: none is */
};
void augment_draw(struct augment_sample *s); /* fills s->number */
/* Value (c, y, x) behind the first n steps, before transforms of numbers. */
float augmented(const struct augment_sample *s, int n, int c, int y, int x);

#endif
