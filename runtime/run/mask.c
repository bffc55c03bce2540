#include "mask.h"
#include "table.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct tensor *target_of(const struct job *j)
{
    const int target = tensor_with_role(j->plan, ROLE_TARGET);
    const struct tensor *t = target < 0 ? NULL : &j->plan->tensor[target];
    return t && t->dtype == DT_I32 && t->rank == 2 ? t : NULL;
}

bool mask_wanted(const struct job *j)
{
    const char *path = j->options->output;
    const size_t n = path ? strlen(path) : 0;
    return n > 4 && strcmp(path + n - 4, ".png") == 0 && target_of(j);
}

int mask_check(const struct job *j, const struct asked *asked)
{
    if (asked->samples != 1)
        return complain(STATUS_USAGE, "--output %s: a mask is of one sample, and %lld are asked for",
                        j->options->output, (long long)asked->samples);
    return output_spares(j, asked, j->options->output);
}

/* Where values are not numbers there is no class. */
static unsigned char class_at(const float *value, int64_t classes, int64_t stride)
{
    int64_t best = 0;
    for (int64_t k = 0; k < classes; k++) {
        if (isnan(value[k * stride]))
            return MASK_IGNORED;
        best = value[k * stride] > value[best * stride] ? k : best;
    }
    return (unsigned char)best;
}

int mask_write(const struct answer *a, const struct job *j)
{
    const struct tensor *t = target_of(j);
    const int64_t classes = samples_classes(j->plan), area = tensor_elements(t);
    const struct answer_output *o = a->output;
    int64_t count[MASK_IGNORED + 1] = {0};
    struct data_error e;
    while (o < a->output + a->outputs && o->n != classes * area)
        o++;
    if (o == a->output + a->outputs)
        return complain(STATUS_DATA, "net %s has no output of %lld classes at each of %lld places", j->plan->net,
                        (long long)classes, (long long)area);
    unsigned char *mask = malloc((size_t)area);
    if (!mask)
        return complain(STATUS_INTERNAL, "out of memory");
    for (int64_t i = 0; i < area; i++)
        count[mask[i] = class_at(o->value + i, classes, area)]++;
    const bool ok = mask_save(j->options->output, mask, t->dim[0], t->dim[1], &e);
    free(mask);
    if (!ok)
        return complain(STATUS_DATA, "%s", e.text);
    fprintf(j->tell.results, "%s: the mask of %s, %lld x %lld%s\n", j->options->output, a->sample, (long long)t->dim[1],
            (long long)t->dim[0], a->made_up);
    for (int k = 0; k <= MASK_IGNORED; k++)
        if (count[k] > 0)
            fprintf(j->tell.results, "%5d  %6.2f %%%s%s\n", k, 100 * (double)count[k] / (double)area,
                    k < a->names        ? "  "
                    : k == MASK_IGNORED ? "  not finite"
                                        : "",
                    k < a->names ? a->name[k] : "");
    return 0;
}
