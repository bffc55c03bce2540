/* known.c: what weights know of the table that they were trained on: without it, nobody can tell what a column is. */
#include "keep.h"
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

int known_find(struct job *j, struct known *k)
{
    struct st_file f;
    struct data_error e;
    *k = (struct known){NULL, NULL};
    if (!samples_are_rows(j->plan) || weights_none(j->options))
        return 0;
    int status = weights_find(j);
    if (status || !st_open(j->weights, &f, &e)) /* what is no such file is refused where it is read */
        return status;
    bool good = copy(&f, checkpoint_inputs_key, &k->inputs) && copy(&f, checkpoint_classes_key, &k->classes);
    st_free(&f);
    return good ? 0 : complain(STATUS_INTERNAL, "out of memory");
}

void known_free(struct known *k)
{
    free(k->inputs);
    free(k->classes);
}

int known_samples(struct job *j)
{
    struct known k;
    int status = known_find(j, &k);
    if (status == 0)
        status = samples_open_known(j->plan, j->options->folder, j->options->skip_damaged, samples_most(j->options), &k,
                                    &j->data);
    known_free(&k);
    return status;
}
