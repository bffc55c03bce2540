/* holdout.c: a share of the training set that is tested after each epoch instead of trained. Which samples those are is a function of
 * their number, their classes and the seed, so that resuming and testing find them again. */
#include "base/philox.h"
#include "data/loaders.h"
#include "run.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define HOLDOUT_STREAM 0x484F4C44u /* last word of the counters; see SHUFFLE_STREAM */

/* What is still to be decided of one class: of `left` samples `wanted` are to be held out. */
struct portion {
    int64_t left, wanted;
};

/* Targets that are no classes are all of one. */
static int64_t class_of(const struct data_split *s, int64_t i)
{
    return s->label.rank == 0 && s->label.type != DATA_F32 ? data_class(s, i) : 0;
}

/* Of each class its share, rounded so that the sums over the first classes are right to half a sample; one is left to train. */
static int64_t portion_out(struct portion *p, int64_t classes, int64_t count, int64_t held)
{
    int64_t before = 0, rounded = 0, sum = 0;
    for (int64_t c = 0; c < classes; c++) {
        before += p[c].left;
        int64_t upto = (int64_t)floor((double)held * (double)before / (double)count + 0.5), own = upto - rounded;
        rounded = upto;
        p[c].wanted = own < p[c].left ? own : p[c].left > 0 ? p[c].left - 1 : 0;
        sum += p[c].wanted;
    }
    return sum;
}

/* Knuth, The Art of Computer Programming 2, 3.4.2, algorithm S: each choice of so many is as likely. */
static bool draw(struct portion *p, int64_t i, uint32_t seed)
{
    const uint32_t key[2] = {0, seed}, counter[4] = {(uint32_t)(i / 4), 0, 0, HOLDOUT_STREAM};
    uint32_t word[4];
    philox4x32(counter, key, word);
    bool held = (uint64_t)word[i % 4] * (uint64_t)p->left < (uint64_t)p->wanted << 32;
    p->left--;
    p->wanted -= held;
    return held;
}

static bool room_for(const struct data_field *from, struct data_field *to, int64_t count)
{
    *to = *from;
    to->values = from->values ? malloc((size_t)count * (size_t)from->bytes) : NULL;
    to->path = strdup(from->path);
    return (to->values || !from->values) && to->path;
}

static void move(struct data_field *field, int64_t from, struct data_field *to, int64_t at)
{
    size_t bytes = (size_t)field->bytes;
    if (field->values)
        memmove(to->values + (size_t)at * bytes, field->values + (size_t)from * bytes, bytes);
}

/* Samples that stay in their files are found there by their numbers. */
static void split(struct data_split *train, struct data_split *out, struct portion *p, uint32_t seed)
{
    int64_t kept = 0;
    for (int64_t i = 0; i < train->count; i++) {
        bool held = draw(&p[class_of(train, i)], i, seed);
        int64_t at = held ? out->count++ : kept++;
        move(&train->sample, i, held ? &out->sample : &train->sample, at);
        move(&train->label, i, held ? &out->label : &train->label, at);
        (held ? out : train)->number[at] = i;
    }
    train->count = kept;
    if (train->reader)
        out->reader = data_reader_share(train->reader);
}

int holdout_take(struct dataset *set, double share, uint32_t seed)
{
    struct data_split *train = &set->train;
    int64_t classes = 1, held = (int64_t)floor(share * (double)train->count + 0.5);
    for (int64_t i = 0; i < train->count; i++)
        classes = class_of(train, i) >= classes ? class_of(train, i) + 1 : classes;
    struct portion *p = calloc((size_t)classes, sizeof *p);
    int status = p ? 0 : complain(STATUS_INTERNAL, "out of memory");
    for (int64_t i = 0; status == 0 && i < train->count; i++)
        p[class_of(train, i)].left++;
    int64_t sum = status == 0 ? portion_out(p, classes, train->count, held) : 0;
    if (status == 0 && sum == 0)
        status = complain(STATUS_DATA, "a holdout of %g %% of %lld samples, of each class alike, is none: data.holdout",
                          100 * share, (long long)train->count);
    if (status == 0 &&
        (!room_for(&train->sample, &set->holdout.sample, sum) || !room_for(&train->label, &set->holdout.label, sum)))
        status = complain(STATUS_INTERNAL, "out of memory");
    if (status == 0 && (!(train->number = malloc((size_t)train->count * sizeof(int64_t))) ||
                        !(set->holdout.number = malloc((size_t)sum * sizeof(int64_t)))))
        status = complain(STATUS_INTERNAL, "out of memory");
    if (status == 0)
        split(train, &set->holdout, p, seed);
    free(p);
    return status;
}
