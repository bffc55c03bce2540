/* mean.c: the moving mean of the weights (`ema`), which is what is tested and what the best are; training goes on with the weights
 * themselves. The optimizer's update keeps it in a slot, so that checkpoints hold it (plan/op.c). States of BatchNorm are those of the
 * training in both, as in PyTorch's AveragedModel without use_buffers. */
#include "keep.h"

#include <string.h>

/* The group of that role whose name ends so; -1: none. */
static int group(const struct plan *p, enum role role, const char *end)
{
    for (int i = 0; i < p->ntensor; i++) {
        const struct tensor *t = &p->tensor[i];
        const size_t n = strlen(t->name), m = strlen(end);
        if (t->role == role && t->base < 0 && t->schedule < 0 && n >= m && strcmp(t->name + n - m, end) == 0)
            return i;
    }
    return -1;
}

int mean_exchange(struct job *j)
{
    enum { PART = 1 << 14 };
    static const char lost[] = "cannot exchange the weights and their mean on the device";
    char part[2][PART];
    const int of[2] = {group(j->plan, ROLE_PARAM, "@parameters"), group(j->plan, ROLE_SLOT, ".ema")};
    struct device *d = j->device;
    if (of[0] < 0 || of[1] < 0)
        return 0;
    const int64_t bytes = tensor_elements(&j->plan->tensor[of[0]]) * 4;
    for (int64_t at = 0, n; at < bytes; at += n) {
        n = bytes - at < PART ? bytes - at : PART;
        for (int i = 0; i < 2; i++)
            if (!d->read(d, j->phase, of[i], at, part[i], n))
                return complain(STATUS_DEVICE, lost);
        for (int i = 0; i < 2; i++)
            if (!d->write(d, j->phase, of[i], at, part[!i], n))
                return complain(STATUS_DEVICE, lost);
    }
    return 0;
}
