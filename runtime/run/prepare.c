/* prepare.c: what must be there before the first step of a training: data, memory, weights. */
#include "run.h"

#include <string.h>

/* Takes down which data these are, and compares them with those that the run has been trained with. */
static int know_data(struct job *j)
{
    const struct data_split *split[2] = {&j->data.train, &j->data.test};
    for (int i = 0; i < 2; i++) {
        char hash[HASH_TEXT];
        samples_hash(split[i], hash);
        bool other = *j->hash[i] && strcmp(j->hash[i], hash) != 0;
        if (other && !j->options->data_changed)
            return complain(
                STATUS_DATA,
                "%s: the %s set is not the one that %s was trained with (hash %.8s, not %.8s)\n"
                "  = help: --data-changed goes on with it; --train DIR names the data where they lie elsewhere now",
                j->options->folder, i ? "test" : "training", j->folder, hash, j->hash[i]);
        j->altered |= other;
        memcpy(j->hash[i], hash, sizeof hash);
    }
    return 0;
}

int train_prepare(struct job *j)
{
    const struct options *o = j->options;
    char path[PATH_MAX] = "";
    if (o->resume && !run_path(j->folder, "last.safetensors", path))
        return STATUS_DATA;
    int status = samples_open(j->plan, o->folder, &j->data);
    if (status == 0 && j->data.train.count == 0)
        status = complain(STATUS_DATA, "%s: no training set there", o->folder);
    if (status == 0)
        status = know_data(j);
    const int64_t samples[PHASE_COUNT] = {[PHASE_TRAIN] = j->data.train.count, [PHASE_EVALUATE] = j->data.test.count};
    if (status == 0)
        status = fit(j, samples);
    if (status)
        return status;
    recipe_count(&j->recipe, j->data.train.count);
    if (!position_fits(&j->at, &j->recipe))
        return complain(STATUS_DATA,
                        "%s: %lld steps, %lld epochs and %lld steps of the next: these data make %lld steps an epoch\n"
                        "  = help: --weights %s begins a new run with what was learnt",
                        path, (long long)j->at.step, (long long)j->at.epoch, (long long)j->at.in_epoch,
                        (long long)j->recipe.rate.steps, path);
    status = caution_training(j);
    if (status == 0 && o->resume)
        return checkpoint_resume(j, path);
    status = status ? status : init_weights(j);
    return status == 0 && o->weights ? weights_take(j) : status;
}
