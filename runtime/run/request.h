/* request.h: what is asked for, as the command line says it. */
#ifndef REQUEST_H
#define REQUEST_H

#include "plan/plan.h"
#include "tell/tell.h"
#include "renames.h"

enum { MAX_OVERRIDES = 64 };

enum action {
    ACTION_NONE,
    ACTION_TRAIN,
    ACTION_TEST,
    ACTION_PREDICT,
    ACTION_INSPECT,
    ACTION_DEVICES,
    ACTION_RUNS,
    ACTION_PLOT,
    ACTION_REPORT,
    ACTION_WATCH,
    ACTION_PROFILE
};

struct options { /* pointers: NULL if not given; they point into argv, or live as long as the program */
    enum action action;
    const char *sort;   /* the column of --runs */
    bool list_runs;     /* --runs is given, whatever else is */
    const char *beside; /* what --inspect compares with */
    const char *plan, *folder, *output, *resume, *rerun, *weights, *runs, *device, *memory, *emit_dir;
    struct renames map;            /* --map */
    char *override[MAX_OVERRIDES]; /* "key=value", in order; owned */
    char *define[MAX_OVERRIDES];   /* of -D: "name=value"; they point into argv */
    const char *sweep;             /* what to go over, "": what the plan says; NULL: one training */
    const char *into;              /* the run's folder, which is one of a sweep; NULL: the next free one */
    int64_t pause;                 /* stop when so many epochs are done, although the run has more; 0: do not */
    int64_t jobs;                  /* runs of a sweep side by side */
    const char *
        *predict; /* files, folders, indices, "test"; or runs to plot or report of: in order; the list is owned */
    int overrides, defines, predictions, argc;
    char **argv;
    char *recalled;            /* the data folder of the run that is resumed; owned */
    int64_t steps;             /* 0: not given; else stop when so many optimizer steps are done in all */
    int64_t log_every;         /* 0: never */
    int64_t checkpoint_steps;  /* within epochs: whenever so many steps are done; 0: never */
    double checkpoint_seconds; /* ... or when so many have passed since the last one */
    int64_t threads;           /* 0: all cores */
    int64_t loaders;           /* threads that read the training set while it trains; 0: not given */
    int64_t worst;             /* mistakes that --test draws; 0: none */
    enum precision precision;  /* PRECISION_COUNT: not given; fp32, or what the run that is resumed has */
    bool split_statistics;     /* batches may run in parts although batch statistics change */
    bool data_changed;         /* the run that is resumed may go on with other data */
    enum progress_mode progress;
    bool profile;    /* --profile: alone, or behind the training */
    unsigned silent; /* lessons of teach.h that are not said */
    bool augment;    /* with --inspect: what training makes of the pictures */
    bool partial, raw, json, dry_run, quiet, verbose, no_tensorboard, no_report, skip_damaged;
};

#endif
