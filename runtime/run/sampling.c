/* sampling.c: tables that epochs are drawn by, and a source of samples in memory that brings them so. */
#include "sampling.h"
#include "device/staged.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- the table ---- */

/* Vose's, in the order of the samples: `small` holds those with less than the mean from the front, and from the back those with more. */
static void fill_table(const double *weight, double sum, int64_t n, double *share, uint32_t *stack, uint32_t *table)
{
    int64_t small = 0, large = n, heaviest = 0;
    for (int64_t i = 0; i < n; i++) {
        share[i] = weight[i] / sum * (double)n;
        stack[share[i] < 1 ? small++ : --large] = (uint32_t)i;
        heaviest = weight[i] > weight[heaviest] ? i : heaviest;
    }
    while (small > 0 && large < n) {
        const uint32_t less = stack[--small], more = stack[large];
        table[2 * (size_t)less] = (uint32_t)(share[less] * 0x1p32);
        table[2 * (size_t)less + 1] = more;
        share[more] -= 1 - share[less];
        if (share[more] < 1) {
            large++;
            stack[small++] = more;
        }
    }
    for (int64_t k = 0; k < n; k++) { /* those that are left have all of their share but for rounding */
        if (k >= small && k < large)
            continue;
        const uint32_t i = stack[k];
        table[2 * (size_t)i] = weight[i] > 0 ? UINT32_MAX : 0;
        table[2 * (size_t)i + 1] = weight[i] > 0 ? i : (uint32_t)heaviest;
    }
}

uint32_t *sampling_table(const double *weight, int64_t n)
{
    double sum = 0, *share = malloc((size_t)n * sizeof *share);
    uint32_t *stack = malloc((size_t)n * sizeof *stack), *table = malloc((size_t)n * 2 * sizeof *table);
    for (int64_t i = 0; i < n; i++)
        sum += weight[i];
    if (share && stack && table)
        fill_table(weight, sum, n, share, stack, table);
    else {
        free(table);
        table = NULL;
    }
    free(share);
    free(stack);
    return table;
}

/* ---- samples in memory, as they are drawn ---- */

struct drawn {
    struct device_source source;
    const struct data_split *split;
};

static bool drawn_rows(struct device_source *s, const uint32_t control[CTL_WORDS], void *to, struct device_error *e)
{
    const struct data_split *split = ((const struct drawn *)s)->split;
    (void)e;
    staged_rows(to, split->sample.values, (int64_t)split->sample.bytes, s->draws, control);
    return true;
}

static void drawn_close(struct device_source *s)
{
    free((void *)s->draws);
    free(s);
}

static bool bring(struct data_split *split, const uint32_t *table)
{
    if (!split->source) {
        struct drawn *d = calloc(1, sizeof *d);
        if (!d)
            return false;
        d->split = split;
        d->source = (struct device_source){.rows = drawn_rows, .close = drawn_close};
        split->source = &d->source;
    }
    split->source->draws = table;
    split->source->bytes += split->count * 2 * (int64_t)sizeof *table;
    return true;
}

const uint32_t *sampling_draws(const struct data_split *split)
{
    return split->source ? split->source->draws : NULL;
}

/* ---- the plan's sampling ---- */

struct shares {
    const struct word *word;
    int64_t classes, *count; /* samples of each class */
    double *weight;          /* of one sample of each */
    double sum;              /* of all samples */
};

static void free_shares(struct shares *s)
{
    free(s->count);
    free(s->weight);
}

static int read_shares(const struct job *j, struct shares *s)
{
    const struct setting *given = plan_setting(j->plan, "data.sampling");
    const struct data_split *train = &j->data.train;
    *s = (struct shares){.word = given && given->text ? word_find(WORD_SAMPLING, given->text) : NULL,
                         .classes = samples_classes(j->plan)};
    if (!s->word || train->count == 0)
        return 0;
    if (!data_is_class(&train->label) || s->classes < 1)
        return complain(STATUS_DATA, "%s: data.sampling goes by classes, and these targets are none",
                        train->label.path);
    const struct setting *list = word_setting(j->plan, "data.sampling", s->word, 0);
    s->count = calloc((size_t)s->classes, sizeof *s->count);
    s->weight = calloc((size_t)s->classes, sizeof *s->weight);
    if (!s->count || !s->weight)
        return complain(STATUS_INTERNAL, "out of memory");
    for (int64_t i = 0; i < train->count; i++)
        s->count[data_class(train, i)]++;
    for (int64_t c = 0; c < s->classes; c++) {
        s->weight[c] = s->word->weighs(list ? list->num : NULL, list ? list->n : 0, c, s->count[c]);
        s->sum += s->weight[c] * (double)s->count[c];
    }
    return 0;
}

static int draw_by(struct job *j, const struct shares *s)
{
    struct data_split *train = &j->data.train;
    if (!j->recipe.shuffle)
        return complain(STATUS_USAGE,
                        "data.sampling = %s draws samples: data.shuffle = false has no effect, leave it out",
                        s->word->name);
    if (!(s->sum > 0))
        return complain(STATUS_DATA, "%s: by data.sampling.weights the samples of all classes there weigh nothing",
                        train->label.path);
    double *weight = malloc((size_t)train->count * sizeof *weight);
    for (int64_t i = 0; weight && i < train->count; i++)
        weight[i] = s->weight[data_class(train, i)];
    uint32_t *table = weight ? sampling_table(weight, train->count) : NULL;
    free(weight);
    if (table && bring(train, table))
        return 0;
    free(table);
    return complain(STATUS_INTERNAL, "out of memory");
}

int sampling_take(struct job *j)
{
    struct shares s;
    int status = read_shares(j, &s);
    if (status == 0 && s.word && j->data.train.count > 0)
        status = draw_by(j, &s);
    free_shares(&s);
    return status;
}

void sampling_say(struct job *j)
{
    struct shares s;
    double low = INFINITY, high = 0, before = INFINITY, most = 0;
    if (read_shares(j, &s) == 0 && s.word && j->data.train.count > 0) {
        for (int64_t c = 0; c < s.classes; c++) {
            const double own = s.weight[c] * (double)s.count[c] / s.sum;
            if (s.count[c] == 0)
                continue;
            low = own < low ? own : low;
            high = own > high ? own : high;
            before = (double)s.count[c] < before ? (double)s.count[c] : before;
            most = (double)s.count[c] > most ? (double)s.count[c] : most;
        }
        say(&j->tell, "sampling %s: classes of %.0f to %.0f samples are %.3g %% to %.3g %% of what is drawn",
            s.word->name, before, most, 100 * low, 100 * high);
    }
    free_shares(&s);
}
