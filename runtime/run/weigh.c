/* weigh.c: what the targets of samples weigh in the loss. Kernels divide by the mean over the whole batch, which a run of a part of it
 * could not know, but the host does: targets lie in its memory. */
#include "sampling.h"
#include "device/order.h"

#include <stdlib.h>
#include <string.h>

/* Mean weight over the places of a sample that have a class; one that has none weighs 0. */
static double weight_of(const int32_t *target, int64_t places, const double *weight, int64_t classes)
{
    double sum = 0;
    for (int64_t i = 0; i < places; i++)
        sum += target[i] < 0 || target[i] >= classes ? 0 : weight ? weight[target[i]] : 1;
    return sum / (double)places;
}

int weigh_targets(const struct plan *p, const void *targets, int64_t count, struct weighed *w)
{
    const int t = tensor_with_role(p, ROLE_TARGET);
    const int64_t classes = samples_classes(p);
    const double *weight = plan_class_weights(p, classes);
    *w = (struct weighed){.of = NULL};
    if (count == 0 || t < 0 || p->tensor[t].dtype != DT_I32 || (!weight && p->tensor[t].rank == 0))
        return 0;
    const int64_t places = tensor_elements(&p->tensor[t]);
    bool even = true;
    w->of = malloc((size_t)count * sizeof *w->of);
    if (!w->of)
        return complain(STATUS_INTERNAL, "out of memory");
    for (int64_t i = 0; i < count; i++) {
        w->of[i] = weight_of((const int32_t *)targets + i * places, places, weight, classes);
        w->sum += w->of[i];
        even &= w->of[i] == 1;
    }
    w->count = count;
    if (even)
        weigh_free(w);
    return 0;
}

void weigh_free(struct weighed *w)
{
    free(w->of);
    *w = (struct weighed){.of = NULL};
}

int weigh(struct job *j)
{
    int status = 0;
    for (int i = 0; status == 0 && i < DATA_SPLITS; i++) {
        const struct data_split *s = data_split_of(&j->data, i);
        weigh_free(&j->weighed[i]);
        status = weigh_targets(j->plan, s->label.values, s->count, &j->weighed[i]);
        j->weighed[i].draws = sampling_draws(s);
    }
    return status;
}

const struct weighed *weighed_of(const struct job *j, const struct data_split *split)
{
    int i = 0;
    while (i + 1 < DATA_SPLITS && data_split_of(&j->data, i) != split)
        i++;
    return &j->weighed[i];
}

/* Where nothing weighs anything, there is no loss. */
static void put_inverse(uint32_t control[CTL_WORDS], double sum, double count)
{
    const float inverse = sum > 0 ? (float)(count / sum) : 0;
    memcpy(&control[CTL_INV_WEIGHT], &inverse, sizeof inverse);
}

void control_weigh_batch(const struct weighed *w, uint32_t control[CTL_WORDS])
{
    const struct order order = order_of(control, w->draws);
    double sum = 0;
    for (uint32_t row = 0; w->of && row < control[CTL_ROWS]; row++)
        sum += w->of[order_at(&order, control[CTL_POSITION] + row)];
    if (w->of)
        put_inverse(control, sum, control[CTL_ROWS]);
}

void control_weigh_all(const struct weighed *w, uint32_t control[CTL_WORDS])
{
    if (w->of)
        put_inverse(control, w->sum, (double)w->count);
}
