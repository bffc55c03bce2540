/* consistent.c: which options must, and must not, be there together, as far as no table of pairs can say it. */
#include "options.h"

#include <string.h>

/* It is about runs that were made: what stands behind the options is their names. */
bool options_of_runs(enum action a)
{
    return a == ACTION_PLOT || a == ACTION_REPORT || a == ACTION_WATCH;
}

/* What only initial weights need, and what only others. */
static int weights_agree(const struct options *o)
{
    bool none = weights_none(o), seeded = false;
    for (int i = 0; i < o->overrides; i++)
        seeded |= strncmp(o->override[i], "train.seed=", 11) == 0;
    if (seeded && !none && (o->action == ACTION_TEST || o->action == ACTION_PREDICT))
        return complain(STATUS_USAGE, "a seed has no effect on weights that are there; beside --weights none it has");
    if (none && (o->partial || o->map.files + o->map.n > 0))
        return complain(STATUS_USAGE, "--weights none is no file: --partial and --map have no effect");
    return OPTIONS_GO;
}

static bool ends_in(const char *text, const char *end)
{
    size_t length = strlen(text), tail = strlen(end);
    return length > tail && strcmp(text + length - tail, end) == 0;
}

/* What must, and must not, be there together. */
int options_consistent(struct options *o)
{
    bool named = o->folder && (strstr(o->folder, ".plan") || strstr(o->folder, ".net"));
    if (o->rerun && (o->action != ACTION_NONE || o->plan || o->resume || o->weights || o->overrides || o->defines ||
                     o->steps || o->sweep || o->dry_run))
        return complain(STATUS_USAGE, "--rerun takes all from the run but --data, --device, --threads and --memory");
    if ((o->resume || o->rerun) && o->action == ACTION_NONE)
        o->action = ACTION_TRAIN;
    if (o->action == ACTION_NONE && o->list_runs && !o->plan)
        o->action = ACTION_RUNS;
    if (o->profile && o->action == ACTION_NONE)
        o->action = ACTION_PROFILE;
    if (o->profile &&
        (o->rerun || o->sweep || o->dry_run || (o->action != ACTION_PROFILE && o->action != ACTION_TRAIN)))
        return complain(STATUS_USAGE, "--profile goes alone, or with --train or --resume");
    if (o->profile && o->action == ACTION_TRAIN && o->output)
        return complain(STATUS_USAGE,
                        "--profile behind a training writes profile.json in its folder; --output has no effect");
    if (o->loaders > 0 && o->action != ACTION_TRAIN && o->action != ACTION_PROFILE && o->action != ACTION_TEST &&
        o->action != ACTION_PREDICT)
        return complain(STATUS_USAGE, "--loaders goes with --train, --resume, --profile, --test or --predict");
    if (o->sort && o->action != ACTION_RUNS)
        return complain(STATUS_USAGE, "--sort goes with --runs, and nothing else to do");
    if (o->action == ACTION_NONE)
        return complain(STATUS_USAGE, "say what to do: --train DIR, --test DIR, --predict FILE or --inspect DIR "
                                      "(`netrun --help` shows examples)");
    if (!o->plan && o->action != ACTION_INSPECT && o->action != ACTION_DEVICES && !options_of_runs(o->action) &&
        o->action != ACTION_RUNS && !o->resume && !o->rerun)
        return complain(STATUS_USAGE, "no plan or model given%s%s", named ? "; write it first: netrun " : "",
                        named ? o->folder : "");
    if (o->augment && (!o->plan || o->json))
        return complain(STATUS_USAGE,
                        o->json ? "--augment draws a picture; --json has no effect"
                                : "--augment needs a plan or model: netrun MODEL.net --inspect DIR --augment");
    if (o->plan && o->action == ACTION_DEVICES)
        return complain(STATUS_USAGE, "--devices needs no plan; what is `%s`?", o->plan);
    if (o->action == ACTION_WATCH && o->predictions > 1)
        return complain(STATUS_USAGE, "--watch follows one run; what is `%s`?", o->predict[1]);
    if (o->resume && o->action != ACTION_TRAIN)
        return complain(STATUS_USAGE, "--resume goes with --train only; to use a run's weights say --weights FILE");
    if (o->resume && o->defines > 0)
        return complain(STATUS_USAGE, "--resume takes no -D: a run that is resumed keeps its network");
    if (o->resume && (o->weights || o->dry_run))
        return complain(STATUS_USAGE, "--resume goes neither with --weights nor with --dry-run");
    if (o->sweep && (o->dry_run || o->steps))
        return complain(STATUS_USAGE, "--sweep goes with neither --dry-run nor --steps");
    if (o->output && strcmp(o->output, "-") == 0 && o->json)
        return complain(STATUS_USAGE, "--json and --output - cannot both write to stdout");
    if (o->worst && o->output && !ends_in(o->output, ".png"))
        return complain(STATUS_USAGE, "--output %s: beside --worst it names the picture, a .png", o->output);
    if ((o->action == ACTION_TEST || o->action == ACTION_PREDICT) && o->output && ends_in(o->output, ".json"))
        return complain(STATUS_USAGE, "--output %s: a table of samples is CSV; --json writes answers as JSON to stdout",
                        o->output);
    return weights_agree(o);
}
