/* options.c: the command line of netrun. */
#include "options.h"

#include <stdlib.h>
#include <string.h>

static const struct option_example examples[] = {
    { "netrun mnist.plan --train data/", "train; writes runs/mnist_cnn-1/" },
    { "netrun mnist.plan --train data/ --epochs 3", "the same with other settings" },
    { "netrun mnist.plan --test data/", "test the newest run's best weights" },
    { "netrun mnist.plan --predict seven.png", "class and probabilities of an image" },
    { "netrun mnist.plan --predict 7 --data data/", "the same for image 7 of the test set" },
    { "netrun mnist.plan --predict test --data data/ -o all.csv", "for the whole test set, as a table" },
    { "netrun --resume last", "go on after Ctrl-C, to the same bits" },
    { "netrun --inspect data/", "what is in the data folder" },
    { "netrun --devices", "CPU and GPUs, and why one is not used" },
    { NULL, NULL },
};

#define WHAT "What to do"
#define HOW "How to train"
#define WEIGHTS "Weights and runs"
#define MACHINE "Machine"
#define TEXT "What is said"

static const struct option_row rows[] = {
    { "train", 0, "[DIR]", WHAT,
      "train on the data in DIR, testing after each epoch; without DIR on the samples in the plan", false },
    { "test", 0, "[DIR]", WHAT, "loss and metrics on the test set in DIR", false },
    { "predict", 0, "FILE|DIR|INDEX|test", WHAT,
      "class and probabilities, or values, of an image (.png, .pgm, .npy), of the images in DIR, of a sample of the test "
      "set or of all of it (see --data); may be repeated, and what follows PLAN is predicted too", false },
    { "inspect", 0, "DIR", WHAT, "counts, shapes, classes and first images of the data in DIR", false },
    { "devices", 0, NULL, WHAT, "what can compute here: what was found, what is missing, every path tried", false },
    { "dry-run", 0, NULL, WHAT, "with --train: prepare everything, run one step, write nothing", false },

    { "epochs", 0, "N", HOW, "passes over the training set: --set train.epochs=N", false },
    { "batch", 0, "N|auto", HOW, "samples of one step: --set train.batch=N", false },
    { "allow-batch-stats-change", 0, NULL, HOW,
      "let a batch that does not fit run in parts, although BatchNorm then takes its statistics over the parts", true },
    { "lr", 0, "RATE", HOW, "learning rate: --set train.optimizer.lr=RATE", false },
    { "seed", 0, "N", HOW, "seed of weights, order and dropout: --set train.seed=N", false },
    { "steps", 0, "N", HOW, "stop when N steps are done in all, with a checkpoint", false },
    { "set", 0, "KEY=VALUE", HOW, "change a setting that leaves the network as it is; may be repeated", false },

    { "weights", 0, "best|last|RUN|FILE", WEIGHTS,
      "weights to start from, or to test and predict with: a file (.safetensors), a run, or `best` or `last` of the newest run; "
      "without it --test and --predict take the newest run's best where an epoch is over, else its last", false },
    { "partial", 0, NULL, WEIGHTS, "take what FILE has, although tensors are missing or unknown", true },
    { "map", 0, "OLD=NEW|FILE", WEIGHTS,
      "what FILE calls OLD is NEW here: a tensor, or all that begin with OLD and a dot; may be repeated, or lie in a file, a line each", true },
    { "resume", 0, "last|RUN", WEIGHTS,
      "continue run RUN (a folder, or its name in runs/), or the `last` that was started or resumed, to the same bits; settings given "
      "with it stay with the run", false },
    { "data-changed", 0, NULL, WEIGHTS,
      "with --resume: go on although the data are not those that the run was trained with", true },
    { "data", 0, "DIR", WEIGHTS, "data set of --predict INDEX and --predict test", false },
    { "runs", 0, "DIR", WEIGHTS, "where run folders are made (runs)", true },

    { "device", 0, "auto|cpu|cuda[:N]", MACHINE, "where to run (auto)", false },
    { "precision", 0, "fp32|tf32|bf16", MACHINE,
      "of the operands of convolutions and fully connected layers on a GPU; sums are always fp32 (fp32)", true },
    { "threads", 0, "N", MACHINE, "threads of the CPU; results do not depend on them (all cores)", false },
    { "memory", 0, "SIZE", MACHINE, "budget on the device: 512MiB, 8GiB, or 80% of its memory", false },
    { "emit-dir", 0, "DIR", MACHINE, "keep the emitted kernels there", true },

    { "output", 'o', "FILE", TEXT, "with --predict: write a table to FILE (CSV), a line a sample; - is stdout", false },
    { "raw", 0, NULL, TEXT, "with --predict: the values of every output, no classes and probabilities", false },
    { "log-every", 0, "N", TEXT, "print the loss of every Nth step", false },
    { "progress", 0, "auto|bar|lines|none", TEXT, "live bar on a terminal, lines elsewhere (auto)", true },
    { "json", 0, NULL, TEXT, "events as JSON Lines on stdout; texts go to stderr", false },
    { "color", 0, "auto|always|never", TEXT, "colour of messages (auto)", true },
    { "quiet", 'q', NULL, TEXT, "results and errors only", false },
    { "verbose", 'v', NULL, TEXT, "say what is compiled, and with what", false },
    { "version", 0, NULL, TEXT, "name and version", false },
    { "help", 'h', "[=TOPIC]", TEXT, "this text; --help=all, --help=man (roff), --help=completion (bash)", false },
    { 0 },
};

static const struct option_section sections[] = {
    { "Exit status", "0 success, 2 usage, 3 does not fit the budget, 4 data or file, 5 device missing or failed,\n"
                     "6 training diverged, 70 internal error, 128+n stopped by signal n (130: Ctrl-C; the checkpoint "
                     "is written)\n" },
    { "Files", "runs/NET-N/model.plan, model.net   the network\n"
               "runs/NET-N/settings.json           what is in force: settings, seed, data, device; who started and resumed it\n"
               "runs/NET-N/metrics.jsonl           the events of --json\n"
               "runs/NET-N/last.safetensors        weights, optimizer and position: enough to resume\n"
               "runs/NET-N/best.safetensors        weights of the best epoch\n" },
    { "Environment", "CC               compiler of the kernels\n"
                     "XDG_CACHE_HOME   kernels are kept in its folder netrun (~/.cache)\n"
                     "TMPDIR           where they are compiled if they cannot be kept (/tmp)\n"
                     "NO_COLOR         if not empty: no colour\n" },
    { NULL, NULL },
};

static const char training[] = "--train or --resume", weights[] = "--weights, --test or --predict";
static const struct option_pair pairs[] = {
    { "epochs", training }, { "batch", training }, { "lr", training }, { "seed", training }, { "steps", training }, { "log-every", training },
    { "allow-batch-stats-change", training }, { "dry-run", "--train" }, { "data-changed", "--resume" },
    { "partial", weights }, { "map", weights }, { "output", "--predict" }, { "raw", "--predict" }, { NULL, NULL },
};

const struct option_table netrun_options = {
    .program = "netrun",
    .purpose = "trains, tests and uses networks that netc has planned",
    .usage = "PLAN --train [DIR] | --test [DIR] | --predict FILE|DIR|INDEX|test [options]",
    .example = examples,
    .row = rows,
    .section = sections,
    .pair = pairs,
};

static int wrong(const char *option, const char *value, const char *expected)
{
    return complain(STATUS_USAGE, "--%s %s: expected %s", option, value, expected);
}

/* Behind --train, --test, --inspect or --data: the last of two must not silently be the one. */
static int take_folder(struct options *o, const char *folder)
{
    if (o->folder && strcmp(o->folder, folder) != 0)
        return complain(STATUS_USAGE, "%s and %s: one data folder, please", o->folder, folder);
    o->folder = folder;
    return OPTIONS_GO;
}

static int act(struct options *o, enum action action, const char *folder)
{
    if (o->action != ACTION_NONE && o->action != action)
        return complain(STATUS_USAGE, "give one of --train, --test, --predict, --inspect and --devices");
    o->action = action;
    return folder ? take_folder(o, folder) : OPTIONS_GO;
}

static int ask(struct options *o, const char *what)
{
    if (!o->predict && !(o->predict = calloc((size_t)o->argc, sizeof *o->predict)))
        return complain(STATUS_INTERNAL, "out of memory");
    o->predict[o->predictions++] = what;
    return act(o, ACTION_PREDICT, NULL);
}

static int override(struct options *o, const char *key, const char *value)
{
    if (o->overrides == MAX_OVERRIDES)
        return complain(STATUS_USAGE, "more than %d settings", MAX_OVERRIDES);
    if (!*key && (!strchr(value, '=') || *value == '='))
        return wrong("set", value, "KEY=VALUE, such as train.epochs=3");
    size_t size = strlen(key) + strlen(value) + 1;
    char *text = malloc(size);
    if (!text)
        return complain(STATUS_INTERNAL, "out of memory");
    snprintf(text, size, "%s%s", key, value);
    o->override[o->overrides++] = text;
    return OPTIONS_GO;
}

static int integer(const char *option, const char *value, int64_t min, int64_t max, int64_t *out)
{
    char expected[80];
    if (option_integer(value, min, max, out))
        return OPTIONS_GO;
    if (max == INT64_MAX)
        snprintf(expected, sizeof expected, "a whole number from %lld", (long long)min);
    else
        snprintf(expected, sizeof expected, "a whole number from %lld to %lld", (long long)min, (long long)max);
    return wrong(option, value, expected);
}

static int help(const char *topic)
{
    return options_help(&netrun_options, topic, stdout) ? 0 : wrong("help", topic, "all, man or completion");
}

/* Options that take text or nothing, and go to one member each. */
static bool plain(struct options *o, const char *name, const char *value)
{
    const struct { const char *name; const char **text; bool *flag; } member[] = {
        { "weights", &o->weights, NULL },   { "resume", &o->resume, NULL },    { "runs", &o->runs, NULL },
        { "device", &o->device, NULL },     { "memory", &o->memory, NULL },    { "emit-dir", &o->emit_dir, NULL },
        { "progress", &o->progress, NULL }, { "partial", NULL, &o->partial },
        { "output", &o->output, NULL },     { "raw", NULL, &o->raw },
        { "json", NULL, &o->json },         { "dry-run", NULL, &o->dry_run },  { "quiet", NULL, &o->quiet },
        { "verbose", NULL, &o->verbose },       { "allow-batch-stats-change", NULL, &o->split_statistics },
        { "data-changed", NULL, &o->data_changed },
    };
    for (size_t i = 0; i < sizeof member / sizeof *member; i++) {
        if (strcmp(member[i].name, name) != 0)
            continue;
        if (member[i].text)
            *member[i].text = value;
        else
            *member[i].flag = true;
        return true;
    }
    return false;
}

/* The choice goes into the environment, so that the compilers we run follow it too. */
static int colour(const char *mode)
{
    bool failed = false;
    if (strcmp(mode, "always") == 0)
        failed = unsetenv("NO_COLOR") != 0 || setenv("CLICOLOR_FORCE", "1", 1) != 0;
    else if (strcmp(mode, "never") == 0)
        failed = setenv("NO_COLOR", "1", 1) != 0;
    return failed ? complain(STATUS_INTERNAL, "out of memory") : OPTIONS_GO;
}

static int take(struct options *o, const char *name, const char *value)
{
    int64_t n;
    if (plain(o, name, value))
        return OPTIONS_GO;
    if (strcmp(name, "train") == 0)
        return act(o, ACTION_TRAIN, value);
    if (strcmp(name, "test") == 0)
        return act(o, ACTION_TEST, value);
    if (strcmp(name, "inspect") == 0)
        return act(o, ACTION_INSPECT, value);
    if (strcmp(name, "predict") == 0)
        return ask(o, value);
    if (strcmp(name, "data") == 0)
        return take_folder(o, value);
    if (strcmp(name, "set") == 0)
        return override(o, "", value);
    if (strcmp(name, "map") == 0) {
        int status = renames_add(&o->map, value);
        return status ? status : OPTIONS_GO;
    }
    if (strcmp(name, "epochs") == 0)
        return override(o, "train.epochs=", value);
    if (strcmp(name, "batch") == 0)
        return override(o, "train.batch=", value);
    if (strcmp(name, "lr") == 0)
        return override(o, "train.optimizer.lr=", value);
    if (strcmp(name, "seed") == 0)
        return override(o, "train.seed=", value);
    if (strcmp(name, "steps") == 0)
        return integer(name, value, 1, INT64_MAX, &o->steps);
    if (strcmp(name, "log-every") == 0)
        return integer(name, value, 1, INT64_MAX, &o->log_every);
    if (strcmp(name, "threads") == 0) {
        int status = integer(name, value, 1, 1024, &n);
        o->threads = status == OPTIONS_GO ? (int)n : 0;
        return status;
    }
    if (strcmp(name, "precision") == 0) {
        for (int p = 0; p < PRECISION_COUNT; p++)
            if (strcmp(value, precision_word[p]) == 0) {
                o->precision = (enum precision)p;
                return OPTIONS_GO;
            }
        return wrong(name, value, "fp32, tf32 or bf16");
    }
    if (strcmp(name, "devices") == 0)
        return act(o, ACTION_DEVICES, NULL);
    if (strcmp(name, "color") == 0)
        return colour(value);
    if (strcmp(name, "version") == 0) {
        printf("netrun %s\n", PROJECT_VERSION);
        return 0;
    }
    return help(value);
}

/* What must, and must not, be there together. */
static int consistent(struct options *o)
{
    if (o->resume && o->action == ACTION_NONE)
        o->action = ACTION_TRAIN;
    if (o->action == ACTION_NONE)
        return complain(STATUS_USAGE, "say what to do: --train DIR, --test DIR, --predict FILE or --inspect DIR "
                                  "(`netrun --help` shows examples)");
    if (!o->plan && o->action != ACTION_INSPECT && o->action != ACTION_DEVICES && !o->resume)
        return complain(STATUS_USAGE, "no plan given%s%s",
                    o->folder && strstr(o->folder, ".plan") ? "; write it first: netrun " : "",
                    o->folder && strstr(o->folder, ".plan") ? o->folder : "");
    if (o->plan && (o->action == ACTION_INSPECT || o->action == ACTION_DEVICES))
        return complain(STATUS_USAGE, "--%s needs no plan; what is `%s`?", o->action == ACTION_DEVICES ? "devices" : "inspect", o->plan);
    if (o->resume && o->action != ACTION_TRAIN)
        return complain(STATUS_USAGE, "--resume goes with --train only; to use a run's weights say --weights FILE");
    if (o->resume && (o->weights || o->dry_run))
        return complain(STATUS_USAGE, "--resume goes neither with --weights nor with --dry-run");
    if (o->output && strcmp(o->output, "-") == 0 && o->json)
        return complain(STATUS_USAGE, "--json and --output - cannot both write to stdout");
    return OPTIONS_GO;
}

int options_read(int argc, char **argv, struct options *o)
{
    *o = (struct options){ .runs = "runs", .device = "auto", .progress = "auto", .precision = PRECISION_COUNT,
                            .argc = argc, .argv = argv };
    struct option_reader *r = options_open(&netrun_options, argc, argv);
    int status = OPTIONS_GO, i = 0;
    const char *value;
    while (status == OPTIONS_GO && (i = options_next(r, &value, stderr)) >= 0)
        status = take(o, rows[i].name, value);
    int rest = options_rest(r);
    options_close(r);
    if (status != OPTIONS_GO)
        return status;
    if (i == OPTIONS_WRONG)
        return STATUS_USAGE;
    if (rest < argc)
        o->plan = argv[rest++];
    for (; o->action == ACTION_PREDICT && rest < argc; rest++)
        if ((status = ask(o, argv[rest])) != OPTIONS_GO)
            return status;
    if (rest < argc)
        return complain(STATUS_USAGE, "one plan, please; what is `%s`?", argv[rest]);
    return consistent(o);
}

void options_free(struct options *o)
{
    while (o->overrides > 0)
        free(o->override[--o->overrides]);
    renames_free(&o->map);
    free(o->predict);
    free(o->recalled);
}
