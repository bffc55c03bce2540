/* options.c: the command line of netrun. */
#include "options.h"

#include <stdlib.h>
#include <string.h>

#define OPTIONS struct options
#define SETTING(key_) OPTION_CALL(override, 0, key_)

static int wrong(const char *option, const char *value, const char *expected)
{
    return complain(STATUS_USAGE, "--%s %s: expected %s", option, value, expected);
}

/* Behind --train, --test, --inspect or --data: the last of two must not silently be the one. */
static int take_folder(void *options, const struct option_effect *e, const char *folder)
{
    (void)e;
    struct options *o = options;
    if (o->folder && strcmp(o->folder, folder) != 0)
        return complain(STATUS_USAGE, "%s and %s: one data folder, please", o->folder, folder);
    o->folder = folder;
    return OPTIONS_GO;
}

static int act(void *options, const struct option_effect *e, const char *folder)
{
    struct options *o = options;
    if (o->action != ACTION_NONE && o->action != (enum action)e->number)
        return complain(STATUS_USAGE,
                        "give one of --train, --test, --predict, --inspect, --plot, --report, --watch and --devices");
    o->action = (enum action)e->number;
    return folder ? take_folder(o, e, folder) : OPTIONS_GO;
}

static int ask(void *options, const struct option_effect *e, const char *what)
{
    struct options *o = options;
    if (!o->predict && !(o->predict = calloc((size_t)o->argc, sizeof *o->predict)))
        return complain(STATUS_INTERNAL, "out of memory");
    o->predict[o->predictions++] = what;
    return act(o, e, NULL);
}

/* What follows the options is runs. */
static int runs_in(void *options, const struct option_effect *e, const char *folder)
{
    struct options *o = options;
    (void)e;
    o->list_runs = true;
    o->runs = folder ? folder : o->runs;
    return OPTIONS_GO;
}

static int profile_on(void *options, const struct option_effect *e, const char *folder)
{
    struct options *o = options;
    o->profile = true;
    return folder ? take_folder(o, e, folder) : OPTIONS_GO;
}

static int ask_runs(void *options, const struct option_effect *e, const char *none)
{
    struct options *o = options;
    if (!o->predict && !(o->predict = calloc((size_t)o->argc, sizeof *o->predict)))
        return complain(STATUS_INTERNAL, "out of memory");
    return act(o, e, none);
}

/* The row has what stands before the value: "train.epochs=", or nothing. */
static int override(void *options, const struct option_effect *e, const char *value)
{
    struct options *o = options;
    if (o->overrides == MAX_OVERRIDES)
        return complain(STATUS_USAGE, "more than %d settings", MAX_OVERRIDES);
    if (!*e->words && (!strchr(value, '=') || *value == '='))
        return wrong("set", value, "KEY=VALUE, such as train.epochs=3");
    size_t size = strlen(e->words) + strlen(value) + 1;
    char *text = malloc(size);
    if (!text)
        return complain(STATUS_INTERNAL, "out of memory");
    snprintf(text, size, "%s%s", e->words, value);
    o->override[o->overrides++] = text;
    return OPTIONS_GO;
}

static int define(void *options, const struct option_effect *e, const char *text)
{
    (void)e;
    struct options *o = options;
    if (!strchr(text, '=') || *text == '=')
        return wrong("define", text, "NAME=VALUE, such as hidden=64");
    if (o->defines == MAX_OVERRIDES)
        return complain(STATUS_USAGE, "more than %d params", MAX_OVERRIDES);
    o->define[o->defines++] = (char *)text;
    return OPTIONS_GO;
}

static int checkpoint_every(void *options, const struct option_effect *e, const char *value)
{
    (void)e;
    struct options *o = options;
    o->checkpoint_steps = 0;
    o->checkpoint_seconds = 0;
    if (option_integer(value, 1, INT64_MAX, &o->checkpoint_steps) || option_seconds(value, &o->checkpoint_seconds))
        return OPTIONS_GO;
    return wrong("checkpoint-every", value, "a number of steps from 1, or a time such as 30s, 10min or 2h");
}

static int go_over(void *options, const struct option_effect *e, const char *axes)
{
    (void)e;
    ((struct options *)options)->sweep = axes ? axes : "";
    return OPTIONS_GO;
}

static int map(void *options, const struct option_effect *e, const char *value)
{
    (void)e;
    int status = renames_add(&((struct options *)options)->map, value);
    return status ? status : OPTIONS_GO;
}

static int no_warn(void *options, const struct option_effect *e, const char *names)
{
    (void)e;
    int status = teach_silence(names, &((struct options *)options)->silent);
    return status ? status : OPTIONS_GO;
}

/* The choice goes into the environment, so that the compilers we run follow it too. */
static int colour(void *options, const struct option_effect *e, const char *mode)
{
    (void)options, (void)e;
    bool failed = false;
    if (strcmp(mode, "always") == 0)
        failed = unsetenv("NO_COLOR") != 0 || setenv("CLICOLOR_FORCE", "1", 1) != 0;
    else if (strcmp(mode, "never") == 0)
        failed = setenv("NO_COLOR", "1", 1) != 0;
    return failed ? complain(STATUS_INTERNAL, "out of memory") : OPTIONS_GO;
}

static int version(void *options, const struct option_effect *e, const char *value)
{
    (void)options, (void)e, (void)value;
    printf("netrun %s\n", PROJECT_VERSION);
    return 0;
}

static int help(void *options, const struct option_effect *e, const char *topic)
{
    (void)options, (void)e;
    if (topic && strcmp(topic, "events") == 0) {
        fields_print(stdout);
        return 0;
    }
    return options_help(&netrun_options, topic, stdout) ? 0 : wrong("help", topic, "all, events, man or completion");
}

#define WHAT "What to do"
#define HOW "How to train"
#define WEIGHTS "Weights and runs"
#define MACHINE "Machine"
#define TEXT "What is said"

static const struct option_row rows[] = {
    {"train", 0, "[DIR]", WHAT,
     "train on the data in DIR, testing after each epoch; without DIR on the samples in the plan", false,
     OPTION_CALL(act, ACTION_TRAIN, NULL)},
    {"test", 0, "[DIR]", WHAT,
     "loss and metrics on the test set in DIR; of classes also precision, recall, F1, and which are confused", false,
     OPTION_CALL(act, ACTION_TEST, NULL)},
    {"predict", 0, "FILE|DIR|INDEX|test", WHAT,
     "class and probabilities, or values, of an image (.png, .jpg, .pgm, .npy), of the images in DIR, of each row of a table "
     "(.csv), of a sample of the test set or of all of it (see --data); may be repeated, and what follows PLAN is predicted too",
     false, OPTION_CALL(ask, ACTION_PREDICT, NULL)},
    {"inspect", 0, "DIR|RUN|FILE", WHAT,
     "counts, shapes, classes and first images of the data in DIR, with --output FILE.png a picture of each class; of weights "
     "(.safetensors), a run, a plan or a model each parameter's mean, deviation and range; of two FILEs the difference",
     false, OPTION_CALL(act, ACTION_INSPECT, NULL)},
    {"augment", 0, NULL, WHAT,
     "with PLAN|MODEL.net --inspect DIR: the same pictures as training sees them in its first epochs, into augmented.png, or the file of "
     "--output",
     false, OPTION_FLAG(augment)},
    {"plot", 0, NULL, WHAT,
     "curves of the runs that follow (names or folders; without any, of the newest) as SVG and PNG: in the run's folder, of several "
     "runs here or by --output; those that differ in seeds alone become a mean with a band; of a sweep its results against each value",
     false, OPTION_CALL(ask_runs, ACTION_PLOT, NULL)},
    {"report", 0, NULL, WHAT,
     "report.html of the runs or sweeps that follow (without any, of the newest run), made again in their folders; with --data DIR "
     "where the data lie elsewhere now",
     false, OPTION_CALL(ask_runs, ACTION_REPORT, NULL)},
    {"watch", 0, NULL, WHAT, "follow a run (the newest, or the one that follows) from another terminal, as curves",
     false, OPTION_CALL(ask_runs, ACTION_WATCH, NULL)},
    {"profile", 0, "[DIR]", WHAT,
     "time of each kernel and layer in a training step and in the test, on the data in DIR, beside what this machine could do; nothing "
     "is kept. With --train, behind it: profile.json in the run's folder",
     false, OPTION_CALL(profile_on, 0, NULL)},
    {"devices", 0, NULL, WHAT, "what can compute here: what was found, what is missing, every path tried", false,
     OPTION_CALL(act, ACTION_DEVICES, NULL)},
    {"worst", 0, "N", WHAT,
     "with --test: draw the N mistakes that the network is surest of into worst.png, or the file of --output", false,
     OPTION_WHOLE(worst, 1, 1000, NULL)},
    {"dry-run", 0, NULL, WHAT, "with --train: prepare everything, run one step, write nothing", false,
     OPTION_FLAG(dry_run)},

    {"epochs", 0, "N", HOW, "passes over the training set: --set train.epochs=N", false, SETTING("train.epochs=")},
    {"batch", 0, "N|auto", HOW, "samples of one step: --set train.batch=N", false, SETTING("train.batch=")},
    {"allow-batch-stats-change", 0, NULL, HOW,
     "let a batch that does not fit run in parts, although BatchNorm then takes its statistics over the parts", true,
     OPTION_FLAG(split_statistics)},
    {"lr", 0, "RATE", HOW, "learning rate: --set train.optimizer.lr=RATE", false, SETTING("train.optimizer.lr=")},
    {"seed", 0, "N", HOW, "seed of weights, order and dropout: --set train.seed=N", false, SETTING("train.seed=")},
    {"steps", 0, "N", HOW, "stop when N steps are done in all, with a checkpoint; with --profile: measure N", false,
     OPTION_WHOLE(steps, 1, INT64_MAX, NULL)},
    {"checkpoint-every", 0, "STEPS|TIME", HOW,
     "write last.safetensors within epochs too, every so many steps, or after 30s, 10min or 2h: a killed run goes on from there",
     false, OPTION_CALL(checkpoint_every, 0, NULL)},
    {"set", 0, "KEY=VALUE", HOW, "change a setting that leaves the network as it is; may be repeated", false,
     SETTING("")},
    {"sweep", 0, "[AXES]", HOW,
     "train once for each combination of values, such as \"train.batch=100,1000; hidden=64,128; seed=1,2\": settings, params, "
     "device; without AXES those of the model's `sweep` section",
     false, OPTION_CALL(go_over, 0, NULL)},
    {"jobs", 0, "N", HOW, "runs of a sweep side by side on the CPU, one thread each; the same bits", false,
     OPTION_WHOLE(jobs, 1, 256, NULL)},
    {"define", 'D', "NAME=VALUE", HOW, "set a `param` of MODEL.net; may be repeated", false,
     OPTION_CALL(define, 0, NULL)},

    {"weights", 0, "best|last|none|RUN|FILE", WEIGHTS,
     "weights to start from, or to test and predict with: a file (.safetensors), a run, `best` or `last` of the newest run, or `none`: "
     "untrained, of the seed; "
     "without it --test and --predict take the newest run's best where an epoch is over, else its last",
     false, OPTION_TEXT(weights)},
    {"partial", 0, NULL, WEIGHTS,
     "take those tensors of FILE that the network has, although others are missing, which keep their initial values, or unknown; shapes must "
     "agree",
     true, OPTION_FLAG(partial)},
    {"map", 0, "OLD=NEW|FILE", WEIGHTS,
     "what FILE calls OLD is NEW here: a tensor, or all that begin with OLD and a dot; may be repeated, or lie in a file, a line each",
     true, OPTION_CALL(map, 0, NULL)},
    {"resume", 0, "last|RUN", WEIGHTS,
     "continue run or sweep RUN (a folder, or its name in runs/), or the `last` that was started or resumed, to the same bits; settings given "
     "with it stay with the run",
     false, OPTION_TEXT(resume)},
    {"rerun", 0, "last|RUN", WEIGHTS,
     "make run RUN once more, from its folder, and say whether that gives the same bits, or what is different here",
     false, OPTION_TEXT(rerun)},
    {"data-changed", 0, NULL, WEIGHTS,
     "with --resume: go on although the data are not those that the run was trained with", true,
     OPTION_FLAG(data_changed)},
    {"skip-damaged", 0, NULL, WEIGHTS, "leave out pictures and sounds of the data that are damaged, and say how many",
     true, OPTION_FLAG(skip_damaged)},
    {"data", 0, "DIR", WEIGHTS, "data set of --predict INDEX and --predict test, and of --report", false,
     OPTION_CALL(take_folder, 0, NULL)},
    {"runs", 0, "[DIR]", WEIGHTS,
     "where run folders are made (runs); without anything else to do: the runs there as a table, with the settings in which they "
     "differ",
     false, OPTION_CALL(runs_in, 0, NULL)},
    {"sort", 0, "COLUMN", WEIGHTS, "of --runs: by which column, the best accuracy first", false, OPTION_TEXT(sort)},

    {"device", 0, "auto|cpu|cuda[:N]", MACHINE, "where to run (auto)", false, OPTION_TEXT(device)},
    {"precision", 0, "fp32|tf32|bf16", MACHINE,
     "of the operands of convolutions and fully connected layers on a GPU; sums are always fp32 (fp32)", true,
     OPTION_CHOICE(enum precision, precision)},
    {"threads", 0, "N", MACHINE, "threads of the CPU; results do not depend on them (all cores)", false,
     OPTION_WHOLE(threads, 1, 1024, NULL)},
    {"loaders", 0, "N", MACHINE,
     "read samples from their files as they are needed, by N threads for each set (if they do not fit)", false,
     OPTION_WHOLE(loaders, 1, 64, NULL)},
    {"memory", 0, "SIZE", MACHINE, "budget on the device: 512MiB, 8GiB, or 80% of its memory", false,
     OPTION_TEXT(memory)},
    {"emit-dir", 0, "DIR", MACHINE, "keep the emitted kernels there", true, OPTION_TEXT(emit_dir)},

    {"output", 'o', "FILE", TEXT,
     "with --predict and --test: write a table to FILE (CSV), a line a sample, with --sweep and --runs a line a run, with --profile a line "
     "a kernel (of both JSON if FILE ends in .json), - is stdout; with --plot, --worst and --inspect, and with --predict where the "
     "network makes masks: the picture's name",
     false, OPTION_TEXT(output)},
    {"raw", 0, NULL, TEXT, "with --predict: the values of every output, no classes and probabilities", false,
     OPTION_FLAG(raw)},
    {"log-every", 0, "N", TEXT, "print the loss of every Nth step", false, OPTION_WHOLE(log_every, 1, INT64_MAX, NULL)},
    {"no-tensorboard", 0, NULL, TEXT, "write no event file of TensorBoard into the run's folder", true,
     OPTION_FLAG(no_tensorboard)},
    {"no-report", 0, NULL, TEXT, "write no report.html into the run's folder", true, OPTION_FLAG(no_report)},
    {"progress", 0, "auto|bar|lines|none", TEXT, "live bar on a terminal, lines elsewhere (auto)", true,
     OPTION_CHOICE(enum progress_mode, progress)},
    {"json", 0, NULL, TEXT,
     "events as JSON Lines on stdout, with --runs and --inspect one JSON text; texts go to stderr", false,
     OPTION_FLAG(json)},
    {"color", 0, "auto|always|never", TEXT, "colour of messages (auto)", true, OPTION_CALL(colour, 0, NULL)},
    {"no-warn", 0, "NAME,...", TEXT,
     "warnings of a training that are not said, by the names that they give; they stay with the run; `all`", true,
     OPTION_CALL(no_warn, 0, NULL)},
    {"quiet", 'q', NULL, TEXT, "results and errors only; of --test one line", false, OPTION_FLAG(quiet)},
    {"verbose", 'v', NULL, TEXT, "say what is compiled, and with what", false, OPTION_FLAG(verbose)},
    {"version", 0, NULL, TEXT, "name and version", false, OPTION_CALL(version, 0, NULL)},
    {"help", 'h', "[=TOPIC]", TEXT,
     "this text; --help=all, --help=events (of --json), --help=man (roff), --help=completion (bash)", false,
     OPTION_CALL(help, 0, NULL)},
    {0},
};

static const char training[] = "--train or --resume", steps[] = "--train, --resume or --profile",
                  weights[] = "--weights, --test or --predict";
static const struct option_pair pairs[] = {
    {"epochs", training},
    {"batch", steps},
    {"lr", steps},
    {"seed", "--train, --resume, --profile, --inspect or --weights none"},
    {"steps", steps},
    {"log-every", training},
    {"no-tensorboard", training},
    {"no-report", training},
    {"checkpoint-every", training},
    {"no-warn", training},
    {"allow-batch-stats-change", steps},
    {"dry-run", "--train"},
    {"data-changed", "--resume"},
    {"partial", weights},
    {"map", weights},
    {"output", "--predict, --test, --profile, --inspect, --sweep, --resume, --plot or --runs"},
    {"sweep", "--train"},
    {"worst", "--test"},
    {"jobs", "--sweep or --resume"},
    {"raw", "--predict"},
    {"augment", "--inspect"},
    {NULL, NULL},
};

const struct option_table netrun_options = {
    .program = "netrun",
    .purpose = "trains, tests and uses networks that netc has planned",
    .usage = "PLAN|MODEL.net --train [DIR] | --test [DIR] | --predict FILE|DIR|INDEX|test [options]",
    .example = netrun_examples,
    .row = rows,
    .section = netrun_sections,
    .pair = pairs,
    .refuse = wrong,
};

int options_read(int argc, char **argv, struct options *o)
{
    *o = (struct options){.runs = "runs", .device = "auto", .precision = PRECISION_COUNT, .argc = argc, .argv = argv};
    int rest, status = options_parse(&netrun_options, argc, argv, o, &rest);
    if (status != OPTIONS_GO)
        return status;
    if (rest < argc && o->action == ACTION_INSPECT && !o->augment)
        o->beside = argv[rest++];
    else if (rest < argc && !options_of_runs(o->action))
        o->plan = argv[rest++];
    while ((o->action == ACTION_PREDICT || options_of_runs(o->action)) && rest < argc)
        o->predict[o->predictions++] = argv[rest++];
    if (rest < argc)
        return complain(STATUS_USAGE, "one plan, please; what is `%s`?", argv[rest]);
    return options_consistent(o);
}

void options_free(struct options *o)
{
    while (o->overrides > 0)
        free(o->override[--o->overrides]);
    renames_free(&o->map);
    free(o->predict);
    free(o->recalled);
}
