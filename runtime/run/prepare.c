/* prepare.c: what must be there before the first step of a training: data, memory, weights. */
#include "keep.h"
#include "known.h"
#include "sampling.h"
#include "streamed.h"

#include <string.h>
#include <unistd.h>

/* Takes down which data these are, and compares them with those that the run has been trained with. */
static int know_data(struct job *j)
{
    static const char *const name[DATA_SPLITS] = {"training set", "test set", "holdout"};
    for (int i = 0; i < DATA_SPLITS; i++) {
        char hash[HASH_TEXT];
        int status = samples_hash(data_split_of(&j->data, i), hash);
        if (status)
            return status;
        bool other = *j->hash[i] && strcmp(j->hash[i], hash) != 0;
        if (other && !j->options->data_changed)
            return complain(
                STATUS_DATA,
                "%s: the %s is not the one that %s was trained with (hash %.8s, not %.8s)\n"
                "  = help: --data-changed goes on with it; --train DIR names the data where they lie elsewhere now",
                j->options->folder, name[i], j->folder, hash, j->hash[i]);
        j->altered |= other;
        memcpy(j->hash[i], hash, sizeof hash);
    }
    return 0;
}

/* Samples in the plan are training set and test set at once: with a holdout there is no other test. */
static int hold_out(struct job *j)
{
    if (j->recipe.holdout == 0)
        return 0;
    if (j->data.holdout.count > 0)
        return complain(
            STATUS_DATA,
            "%s: of the holdout that the folder has; data.holdout = %g %% of the training set would be another",
            j->data.holdout.sample.path, 100 * j->recipe.holdout);
    if (!j->options->folder)
        j->data.test.count = 0;
    return holdout_take(&j->data, j->recipe.holdout, j->recipe.seed);
}

/* Weights that a training goes on with, or begins with; NULL: none. They know their columns, and have seen their own means. */
static int find_weights(struct job *j, const char **weights)
{
    const bool begins = j->options->weights && !weights_none(j->options);
    int status = begins && !j->options->resume ? weights_find(j) : 0;
    *weights = j->options->resume ? j->from.weights : begins ? j->weights : NULL;
    return status;
}

int train_prepare(struct job *j)
{
    const struct options *o = j->options;
    const char *weights;
    int status = find_weights(j, &weights);
    if (status)
        return status;
    status = known_training(j, weights);
    if (status && o->recalled && access(o->folder, F_OK) != 0)
        note("that is where the data of the run lay; --data DIR says where they lie now");
    if (status == 0 && o->verbose && j->data.files.single + j->data.files.several > 0 && !j->data.rate)
        note("%s: %lld pictures, of which %lld were read and %lld decoded; the others are in the cache", o->folder,
             (long long)(j->data.files.single + j->data.files.several), (long long)j->data.files.read,
             (long long)j->data.files.decoded);
    if (status == 0 && j->data.train.count == 0)
        status = complain(STATUS_DATA, "%s: no training set there", o->folder);
    if (status == 0)
        status = know_data(j);
    if (status == 0)
        status = hold_out(j);
    if (status == 0)
        status = learnt_take(j, weights);
    if (status == 0)
        status = samples_stream(j, true);
    if (status == 0)
        status = sampling_take(j);
    const int64_t held = j->data.holdout.count, test = j->data.test.count;
    const int64_t samples[PHASE_COUNT] = {
        [PHASE_TRAIN] = j->data.train.count, [PHASE_EVALUATE] = held > test ? held : test};
    if (status == 0)
        status = fit(j, samples);
    if (status)
        return status;
    samples_say(j);
    sampling_say(j);
    recipe_count(&j->recipe, j->data.train.count);
    if (!position_fits(&j->at, &j->recipe))
        return complain(STATUS_DATA,
                        "%s: %lld steps, %lld epochs and %lld steps of the next: these data make %lld steps an epoch\n"
                        "  = help: --weights %s begins a new run with what was learnt",
                        j->from.optimizer, (long long)j->at.step, (long long)j->at.epoch, (long long)j->at.in_epoch,
                        (long long)j->recipe.rate.steps, j->from.weights);
    status = caution_training(j);
    if (status == 0 && o->resume)
        return checkpoint_resume(j, &j->from);
    status = status ? status : init_weights(j);
    return status == 0 && o->weights && !weights_none(o) ? weights_take(j) : status;
}

int test_prepare(struct job *j)
{
    const char *folder = j->options->folder;
    struct origin from;
    char hash[HASH_TEXT];
    if (folder && j->data.test.count > 0)
        return 0;
    if (j->data.holdout.count > 0) {
        j->data.test = j->data.holdout;
        j->data.holdout = (struct data_split){.count = 0};
        j->held_out = true;
        return 0;
    }
    if (weights_none(j->options))
        return folder ? complain(STATUS_DATA, "%s: no test set there", folder) : 0;
    int status = weights_find(j);
    if (status)
        return status;
    checkpoint_origin(j->weights, &from);
    if (!folder && from.holdout == 0)
        return 0;
    if (from.holdout == 0)
        return complain(STATUS_DATA, "%s: no test set there, and the weights were trained without a holdout", folder);
    status = samples_hash(&j->data.train, hash);
    if (status)
        return status;
    if (strcmp(hash, from.hash) != 0)
        return complain(STATUS_DATA, "%s: no test set there, nor the training set that %s held a part of out",
                        folder ? folder : j->options->plan, j->weights);
    status = holdout_take(&j->data, from.holdout, from.seed);
    struct dataset no_more = {.test = j->data.test};
    j->data.test = j->data.holdout;
    j->data.holdout = (struct data_split){.count = 0};
    j->held_out = true;
    data_close(&no_more);
    return status;
}
