/* weights.c: which weights --weights means, and which are taken without it. */
#include "keep.h"

#include <string.h>
#include <unistd.h>

/* A file of a run, and the words for it. */
struct choice {
    const char *file, *word, *why;
};
static const struct choice best = {"best.safetensors", "best", ""}, last = {"last.safetensors", "last", ""},
                           best_by_default = {"best.safetensors", "best", " (--weights last takes its last)"},
                           last_for_want = {"last.safetensors", "last", ", which has no best yet"};

static bool has(const char *folder, const struct choice *c)
{
    char path[PATH_MAX];
    return run_path(folder, c->file, path) && access(path, F_OK) == 0;
}

/* Sets j->weights, and *chosen if it is one of a run's files; `whose` run it is. */
static int find(struct job *j, const struct choice **chosen, const char **whose)
{
    const char *given = j->options->weights, *runs = j->options->runs;
    const struct choice *asked = NULL;
    char folder[PATH_MAX];
    if (given && strcmp(given, best.word) == 0)
        asked = &best;
    if (given && strcmp(given, last.word) == 0)
        asked = &last;
    *chosen = asked;
    *whose = "the newest";
    if ((!given || asked) && !run_newest(runs, j->plan->net, true, folder))
        return complain(STATUS_DATA, "%s/: no run of net %s yet; train one, or name the weights: --weights FILE", runs,
                        j->plan->net);
    if (given && !asked) {
        *whose = "that";
        if (!run_named(runs, given, folder)) {
            snprintf(j->weights, sizeof j->weights, "%s", given);
            if (access(given, F_OK) == 0)
                return 0;
            return complain(STATUS_DATA, "%s: no such file, nor a run of that name here or in %s/", given, runs);
        }
    }
    if (!asked)
        *chosen = !has(folder, &best) ? &last_for_want : given ? &best : &best_by_default;
    if (asked == &best && !has(folder, &best))
        return complain(STATUS_DATA, "%s: no epoch is over, so none is the best; --weights last takes what is there",
                        folder);
    return run_path(folder, (*chosen)->file, j->weights) ? 0 : STATUS_DATA;
}

int weights_find(struct job *j)
{
    const struct choice *chosen;
    const char *whose;
    return find(j, &chosen, &whose);
}

/* "weights of runs/mlp-1/best.safetensors: epoch 3, the best of the newest run (--weights last takes its last)" */
static void say_origin(const struct job *j, const struct choice *c, const char *whose, const struct origin *from)
{
    char epoch[96] = "", run[160] = "";
    if (from->in_epoch > 0)
        snprintf(epoch, sizeof epoch, ": epoch %lld, step %lld", (long long)from->epoch + 1, (long long)from->in_epoch);
    else if (from->epoch > 0)
        snprintf(epoch, sizeof epoch, ": epoch %lld", (long long)from->epoch);
    if (c)
        snprintf(run, sizeof run, "%s the %s of %s run%s", *epoch ? "," : ":", c->word, whose, c->why);
    note("weights of %s%s%s%s", j->weights, epoch, run, from->synthetic ? "; trained on SYNTHETIC data" : "");
}

static int take_none(struct job *j)
{
    snprintf(j->weights, sizeof j->weights, "none");
    if (!j->options->quiet)
        note("weights as they are before training, of seed %lu", (unsigned long)j->recipe.seed);
    return init_weights(j);
}

bool weights_none(const struct options *o)
{
    return o->weights && strcmp(o->weights, "none") == 0;
}

int weights_take(struct job *j)
{
    const struct choice *chosen;
    const char *whose;
    struct origin from;
    if (weights_none(j->options))
        return take_none(j);
    int status = find(j, &chosen, &whose);
    if (status == 0)
        status = checkpoint_load(j, j->weights, j->options->partial);
    if (status)
        return status;
    checkpoint_origin(j->weights, &from);
    j->synthetic_weights = from.synthetic;
    if (j->options->action != ACTION_TRAIN) /* which may teach old weights new classes */
        status = classes_take(j);
    if (status)
        return status;
    if (!j->options->quiet)
        say_origin(j, chosen, whose, &from);
    return 0;
}

struct event event_of(const struct job *j, enum event_kind kind)
{
    return (struct event){.kind = kind,
                          .time = wall_time(),
                          .synthetic = j->data.synthetic,
                          .weights_synthetic = j->synthetic_weights,
                          .weights = j->weights};
}
