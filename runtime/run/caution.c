/* caution.c: what can be run, but was hardly meant: said once, before it runs. */
#include "run.h"
#include "graph/word.h"

#include <math.h>
#include <stdlib.h>

/* ---- values ---- */

enum { LOOKED_AT = 1 << 22 }; /* values: enough to tell bytes from 0..1 */

struct range {
    double low, high;
    bool whole;
}; /* whole: of whole numbers alone */

static void widen(struct range *r, double x)
{
    if (!isfinite(x))
        return;
    r->low = x < r->low ? x : r->low;
    r->high = x > r->high ? x : r->high;
    r->whole &= x == floor(x);
}

static struct range range_of(const struct data_split *split)
{
    const struct data_field *f = &split->sample;
    struct range r = {INFINITY, -INFINITY, true};
    struct data_error e; /* who trains on them says it */
    const size_t n = (size_t)f->bytes / (f->type == DATA_F32 ? sizeof(float) : 1);
    unsigned char *one = malloc((size_t)f->bytes);
    for (int64_t i = 0; one && i < split->count && (size_t)i * n < LOOKED_AT && data_sample(split, i, one, &e); i++)
        for (size_t k = 0; k < n && (size_t)i * n + k < LOOKED_AT; k++)
            widen(&r, f->type == DATA_F32 ? (double)((const float *)(const void *)one)[k] : one[k]);
    free(one);
    return r;
}

/* Bytes, or an image of the numbers that bytes have. */
static bool are_bytes(const struct data_field *f, const struct range *r)
{
    return f->type == DATA_U8 || (f->rank > 1 && r->whole && r->low >= 0 && r->high <= 255);
}

/* What the transforms make of the range, over all channels; *most: the widest that one channel keeps. */
static bool transformed(const struct plan *p, struct range from, struct range *to, double *most)
{
    int64_t channels = plan_channels(p);
    double *scale = calloc((size_t)channels + 1, sizeof *scale), *shift = calloc((size_t)channels + 1, sizeof *shift);
    bool good = scale && shift;
    *to = (struct range){INFINITY, -INFINITY, false};
    *most = 0;
    if (good)
        plan_transform(p, channels, scale, shift);
    for (int64_t c = 0; good && c < channels; c++) {
        widen(to, scale[c] * from.low + shift[c]);
        widen(to, scale[c] * from.high + shift[c]);
        *most = fmax(*most, fabs(scale[c]) * (from.high - from.low));
    }
    free(scale);
    free(shift);
    return good && to->low <= to->high;
}

/* An untrained network gives each class about the same share. */
static const char *first_loss(struct job *j, char *text, size_t size)
{
    int64_t classes = samples_classes(j->plan);
    *text = 0;
    if (classes > 1)
        snprintf(text, size, ", and the first loss may be far above ln %lld = %.3g", (long long)classes,
                 log((double)classes));
    return text;
}

void caution_samples(struct job *j, const struct data_split *split)
{
    static const double large = 20, small = 0.02; /* no sane preparation of pixels gives more, or leaves less */
    struct range from = range_of(split), to;
    double most;
    char loss[80];
    if (from.low >= from.high || !transformed(j->plan, from, &to, &most))
        return;
    if (are_bytes(&split->sample, &from) && from.high - from.low > large && fmax(fabs(to.low), fabs(to.high)) > large) {
        if (!j->options->quiet)
            note(
                "pixels reach the network as %.4g..%.4g: %s%s\n  = help: `data { transform = [Scale(1/255)] }` brings them to 0..1",
                to.low, to.high,
                plan_setting(j->plan, "data.transform.0") ? "its transforms do not bring them near 0..1"
                                                          : "it has no transform",
                first_loss(j, loss, sizeof loss));
    } else if (most < small && most < (from.high - from.low) / 50) {
        warn(
            &j->tell,
            "samples lie in %.4g..%.4g, and the transforms leave %.4g..%.4g of that: hardly a difference to learn from%s",
            from.low, from.high, to.low, to.high,
            from.high <= 1 ? "\n  = help: they are no bytes: leave out Scale(1/255)" : "");
    }
}

/* ---- batches ---- */

/* Is there a run of one sample among those of a batch? */
static bool leaves_one(const struct recipe *r, int64_t rows)
{
    return rows == 1 || (r->micro > 0 && rows % r->micro == 1);
}

static int caution_batch(struct job *j)
{
    const struct recipe *r = &j->recipe;
    int64_t samples = j->data.train.count, tail = samples % r->batch, other = r->batch + 1;
    int line = plan_lone_variance(j->plan, j->device->target);
    if (samples < r->batch && !j->options->quiet)
        note("a batch of %lld is more than the %lld samples of the training set: every step takes them all",
             (long long)r->batch, (long long)samples);
    if (line == 0)
        return 0;
    if (r->micro == 1 || r->batch == 1 || samples == 1)
        return complain(STATUS_USAGE,
                        "%s:%d: %s of one sample has one value a channel there, and no variance\n"
                        "  = help: %s",
                        j->plan->file, line, r->micro == 1 ? "a part" : "a batch",
                        samples == 1 ? "the training set needs more samples" : "--batch 2 or more");
    while (samples % other == 1)
        other++;
    if (tail > 0 && leaves_one(r, tail))
        warn(&j->tell,
             "%s:%d: the last batch of an epoch has one sample: one value a channel there, whose variance is 0\n"
             "  = help: another batch, such as --batch %lld",
             j->plan->file, line, (long long)other);
    else if (leaves_one(r, r->batch))
        warn(&j->tell, "%s:%d: the last part of a batch has one sample: one value a channel there, whose variance is 0",
             j->plan->file, line);
    return 0;
}

/* ---- rates ---- */

enum { MOST_EPOCHS = 10000 }; /* that are looked at */

/* A schedule whose rate is that of the recipe in every epoch. */
static bool does_nothing(const struct rate *r, int64_t epochs)
{
    for (int64_t e = 0; e < epochs && e < MOST_EPOCHS; e++)
        if (rate_at(r, e * r->steps) != r->lr)
            return false;
    return r->pieces == 1 && r->piece->schedule && !rate_watches(r) && epochs < MOST_EPOCHS;
}

static void caution_rate(struct job *j)
{
    const struct rate *r = &j->recipe.rate;
    if (r->lr == 0)
        warn(&j->tell, "the learning rate is 0: nothing is learned");
    else if (r->piece->warmup > 0 && r->piece->warmup >= r->total)
        warn(&j->tell,
             "the warm-up of %lld steps is not shorter than the training, %lld epochs of %lld steps: the learning rate "
             "ends at %.3g of %g",
             (long long)r->piece->warmup, (long long)j->recipe.epochs, (long long)r->steps, rate_at(r, r->total - 1),
             r->lr);
    else if (does_nothing(r, j->recipe.epochs) && !j->options->quiet)
        note("schedule %s(%s = %g) changes nothing in %lld epoch%s", r->piece->schedule->name,
             r->piece->schedule->arg[0].name, r->piece->num[0], (long long)j->recipe.epochs,
             j->recipe.epochs == 1 ? "" : "s");
}

/* A run that is resumed with other epochs than it was started for. */
static void caution_epochs(struct job *j)
{
    struct rate now = j->recipe.rate, before = now;
    if (j->epochs_before == 0 || !rate_spans(&now))
        return;
    before.total = now.total / j->recipe.epochs * j->epochs_before;
    warn(
        &j->tell,
        "schedule %s spans the whole training: with %lld epochs instead of %lld the next learning rate is %.3g, and was "
        "to be %.3g; weights will not be those of %lld epochs from the start",
        now.piece[now.pieces - 1].schedule->name, (long long)j->recipe.epochs, (long long)j->epochs_before,
        rate_at(&now, j->at.step), rate_at(&before, j->at.step), (long long)j->recipe.epochs);
}

int caution_training(struct job *j)
{
    caution_epochs(j);
    caution_samples(j, &j->data.train);
    caution_rate(j);
    int status = choose_check(j);
    if (status)
        return status;
    if (j->recipe.metrics > 0 && choose_split(j)->count == 0 && !j->options->quiet)
        note("there is no test set: %s is not measured, and the best epoch is that of the least training loss",
             j->recipe.metric[0]);
    return caution_batch(j);
}
