/* known.c: what weights know of the table that they were trained on: without it, nobody can tell what a column is. */
#include "keep.h"
#include "known.h"
#include "streamed.h"

#include "data/safetensors.h"

#include <stdlib.h>
#include <string.h>

static bool copy(const struct st_file *f, const char *key, char **text)
{
    const char *stored = st_metadata(f, key);
    *text = stored ? strdup(stored) : NULL;
    return !stored || *text;
}

static int read_known(const char *weights, struct known *k)
{
    struct st_file f;
    struct data_error e;
    if (!st_open(weights, &f, &e)) /* what is no such file is refused where it is read */
        return 0;
    bool good = copy(&f, checkpoint_inputs_key, &k->inputs) && copy(&f, checkpoint_classes_key, &k->classes);
    st_free(&f);
    return good ? 0 : complain(STATUS_INTERNAL, "out of memory");
}

int known_find(struct job *j, struct known *k)
{
    *k = (struct known){NULL, NULL, false};
    if (!samples_are_rows(j->plan) || weights_none(j->options))
        return 0;
    int status = weights_find(j);
    return status ? status : read_known(j->weights, k);
}

void known_free(struct known *k)
{
    free(k->inputs);
    free(k->classes);
}

static int open_samples(struct job *j, const struct known *k)
{
    const struct options *o = j->options;
    return samples_open_known(j->plan, o->folder, o->skip_damaged, samples_most(o), k, &j->data);
}

int known_samples(struct job *j)
{
    struct known k;
    int status = known_find(j, &k);
    if (status == 0)
        status = open_samples(j, &k);
    known_free(&k);
    return status;
}

int known_training(struct job *j, const char *weights)
{
    struct known k = {.renews = !j->options->resume};
    int status = 0;
    if (weights && samples_are_rows(j->plan) && !j->options->partial) /* a part of a network may have other inputs */
        status = read_known(weights, &k);
    if (status == 0)
        status = open_samples(j, &k);
    known_free(&k);
    return status;
}
