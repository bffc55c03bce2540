/* init.c: initial weights from the seed alone, the same on every device. */
#include "run.h"
#include "base/philox.h"

enum { PART = 1 << 14 }; /* values that are made at a time; a multiple of 4 */

/* Values [at, at + n); at is a multiple of 4. */
static void uniform(float *value, int64_t at, int64_t n, double bound, uint32_t index, uint32_t seed)
{
    const uint32_t key[2] = {index, seed};
    uint32_t word[4];
    for (int64_t i = 0; i < n; i++) {
        const uint32_t counter[4] = {(uint32_t)((at + i) / 4), 0, 0, 0};
        if (i % 4 == 0)
            philox4x32(counter, key, word);
        value[i] = (float)(bound * (2.0 * philox_unit(word[i % 4]) - 1));
    }
}

void init_values(const struct tensor *t, uint32_t index, uint32_t seed, int64_t at, int64_t n, float *value)
{
    if (t->init == INIT_UNIFORM)
        uniform(value, at, n, t->bound, index, seed);
    else
        for (int64_t i = 0; i < n; i++)
            value[i] = t->init == INIT_ONE;
}

static int init_tensor(struct job *j, int t, uint32_t index)
{
    const struct tensor *tensor = &j->plan->tensor[t];
    float value[PART];
    for (int64_t at = 0, n, all = tensor_elements(tensor); at < all; at += n) {
        n = all - at < PART ? all - at : PART;
        init_values(tensor, index, j->recipe.seed, at, n, value);
        if (!j->device->write(j->device, j->phase, t, at * (int64_t)sizeof *value, value, n * (int64_t)sizeof *value))
            return complain(STATUS_DEVICE, "cannot write %s to the device", tensor->name);
    }
    return 0;
}

int init_weights(struct job *j)
{
    uint32_t index = 0;
    for (int t = 0; t < j->plan->ntensor; t++) {
        enum role role = j->plan->tensor[t].role;
        if (!tensor_is_named(j->plan, t) || role == ROLE_SLOT)
            continue;
        int status = init_tensor(j, t, index);
        if (status)
            return status;
        if (role == ROLE_PARAM)
            index++;
    }
    return 0;
}
