/* recall.c: what a checkpoint tells of its training, from its metadata alone. */
#include "keep.h"
#include "data/safetensors.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

const char *const checkpoint_hash_key[DATA_SPLITS] = {"train_hash", "test_hash", "holdout_hash"};

static bool whole_number(const struct st_file *f, const char *key, int64_t *out)
{
    const char *text = st_metadata(f, key);
    return text && option_integer(text, 0, INT64_C(1) << 53, out); /* more than was ever counted */
}

static bool real_number(const struct st_file *f, const char *key, double *out)
{
    const char *text = st_metadata(f, key);
    char *end = NULL;
    *out = text ? strtod(text, &end) : 0; /* infinities are fine: a loss may have been one */
    return text && end != text && *end == '\0';
}

/* Files without them are from before they were counted. */
static bool read_hits(const struct st_file *f, struct position *at)
{
    const char *text = st_metadata(f, "hits");
    at->uncounted = !text && at->in_epoch > 0;
    for (int m = 0; text && *text && m < MAX_METRICS; m++) {
        char *end;
        errno = 0;
        at->hits[m] = strtoll(text, &end, 10);
        if (end == text || errno || at->hits[m] < 0 || (*end && *end != ' '))
            return false;
        text = end + (*end == ' ');
    }
    return true;
}

/* Of a schedule that goes by what is measured; without it there is none. */
static bool read_watched(const struct st_file *f, struct watched *w)
{
    const char *text = st_metadata(f, "schedule");
    int64_t *const count[] = {&w->reduced, &w->epochs, &w->bad, &w->rest};
    char *end = NULL;
    if (!text)
        return true;
    w->best = strtod(text, &end);
    if (end == text)
        return false;
    for (int i = 0; i < COUNT(count); i++) {
        text = end;
        errno = 0;
        *count[i] = strtoll(text, &end, 10);
        if (*text != ' ' || end == text || errno || *count[i] < 0)
            return false;
    }
    return *end == '\0';
}

static bool read_position(const struct st_file *f, struct position *at)
{
    bool stops = st_metadata(f, "stop_epoch") != NULL;
    if (stops && !(whole_number(f, "stop_epoch", &at->stop_epoch) && real_number(f, "stop_best", &at->stop_best)))
        return false;
    return whole_number(f, "epoch", &at->epoch) && whole_number(f, "in_epoch", &at->in_epoch) &&
           whole_number(f, "step", &at->step) && whole_number(f, "best_epoch", &at->best_epoch) &&
           real_number(f, "loss_sum", &at->loss_sum) && real_number(f, "best", &at->best) && read_hits(f, at) &&
           read_watched(f, &at->watched);
}

static bool was_synthetic(const struct st_file *f)
{
    const char *data = st_metadata(f, "data");
    return data && strcmp(data, "synthetic") == 0;
}

void checkpoint_origin(const char *path, struct origin *o)
{
    struct st_file f;
    struct data_error e;
    *o = (struct origin){0};
    if (!st_open(path, &f, &e))
        return;
    if (!whole_number(&f, "epoch", &o->epoch) || !whole_number(&f, "in_epoch", &o->in_epoch))
        o->epoch = o->in_epoch = 0;
    o->synthetic = was_synthetic(&f);
    const char *hash = st_metadata(&f, checkpoint_hash_key[0]);
    int64_t seed;
    if (hash && whole_number(&f, "seed", &seed) && real_number(&f, "holdout", &o->holdout)) {
        o->seed = (uint32_t)seed;
        snprintf(o->hash, sizeof o->hash, "%s", hash);
    }
    st_free(&f);
}

static enum precision read_precision(const struct st_file *f)
{
    const char *text = st_metadata(f, "precision");
    for (int p = 0; text && p < PRECISION_COUNT; p++)
        if (strcmp(text, precision_word[p]) == 0)
            return (enum precision)p;
    return PRECISION_FP32;
}

int checkpoint_recall(const char *path, const struct plan *p, struct recall *r)
{
    struct st_file f;
    struct data_error e;
    int64_t seed;
    char hash[17];
    *r = (struct recall){0};
    if (!st_open(path, &f, &e))
        return complain(STATUS_DATA, "%s", e.text);
    snprintf(hash, sizeof hash, "%016llx", (unsigned long long)p->source_hash);
    const char *stored = st_metadata(&f, "source_hash"), *settings = st_metadata(&f, "settings");
    bool good = read_position(&f, &r->at) && whole_number(&f, "seed", &seed) && seed <= UINT32_MAX &&
                whole_number(&f, "batch", &r->batch) && r->batch > 0;
    int status = 0;
    if (!good)
        status = complain(STATUS_DATA, "%s: no checkpoint of netrun: its metadata lack the position in training", path);
    else if (!stored || strcmp(stored, hash) != 0)
        status = complain(STATUS_DATA, "%s: made by another version of net %s", path, p->net);
    else if (settings && !(r->settings = strdup(settings)))
        status = complain(STATUS_INTERNAL, "out of memory");
    else
        r->seed = (uint32_t)seed;
    if (!whole_number(&f, "micro_batch", &r->micro))
        r->micro = 0;
    r->precision = read_precision(&f);
    r->synthetic = was_synthetic(&f);
    for (int i = 0; i < DATA_SPLITS; i++) {
        const char *hash = st_metadata(&f, checkpoint_hash_key[i]);
        snprintf(r->hash[i], sizeof r->hash[i], "%s", hash ? hash : "");
    }
    st_free(&f);
    return status;
}
