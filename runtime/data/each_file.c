#include "each_file.h"
#include "parallel.h"
#include "picture_cache.h"
#include "regular_file.h"
#include "store.h"

#include "graph/word.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct reading {
    const struct each_kind *kind;
    const struct data_source *from;
    struct picture_step step[MAX_METRICS]; /* the transforms, those of this kind if they may be of others */
    int steps;
    struct data_split *split;
    struct pixels first; /* what file `like` became, the first; all are like it */
    int64_t like;
    pthread_mutex_t lock;
    struct store store;
    unsigned char *left_out; /* for each file: it is damaged, and that does not matter; NULL: it does */
};

struct asked {
    const struct reading *reading;
    bool refused; /* it is no damage that is the matter */
};

/* Once its size is known, and before it is decoded: will it be like the first? */
static bool alike(const struct reading *r, const struct pixels *found, struct data_error *error)
{
    struct pixels p = *found;
    const char *why = picture_sized(r->step, r->steps, &p);
    char size[EACH_TEXT];
    r->kind->say(found, size);
    if (why)
        return data_fail(error, "the %s is %s, and %s", r->kind->one, size, why);
    return !r->first.channels || r->kind->alike(&p, &r->first, r->from->samples[r->like], error);
}

static bool fits(void *wanted, const struct pixels *p, struct data_error *error)
{
    struct asked *asked = wanted;
    asked->refused = !alike(asked->reading, p, error);
    return !asked->refused;
}

static void widen(int64_t range[2], int64_t value)
{
    if (range[1] == 0 || value < range[0])
        range[0] = value;
    if (value > range[1])
        range[1] = value;
}

enum origin { KNOWN, READ, DECODED };

static void count(struct reading *r, const struct picture_record *p, enum origin origin)
{
    struct data_files *all = r->from->files;
    pthread_mutex_lock(&r->lock);
    all->read += origin >= READ;
    all->decoded += origin == DECODED;
    *(p->channels == 1 ? &all->single : &all->several) += 1;
    widen(all->height, p->height);
    widen(all->width, p->width);
    pthread_mutex_unlock(&r->lock);
}

/* The mask of sample i, as large as the picture was, goes the same way; `to` NULL: it is only looked at. */
static bool read_mask(struct reading *r, int64_t i, const struct pixels *picture, unsigned char *to,
                      struct data_error *error)
{
    const char *path = r->from->masks[i];
    struct image_source source;
    struct pixels m = {0};
    bool ok = image_load(path, &source, error) && r->kind->mask(&source, NULL, NULL, &m, error);
    free(source.bytes);
    if (ok && (m.height != picture->height || m.width != picture->width))
        ok = data_fail(error,
                       "%s: the mask is %" PRId64 " wide and %" PRId64 " high, but %s is %" PRId64 " and %" PRId64,
                       path, m.width, m.height, r->from->samples[i], picture->width, picture->height);
    ok = ok && (picture_made(r->step, r->steps, &m) || data_fail(error, "%s: out of memory", path));
    if (ok && to)
        memcpy(to, m.at, r->split->label.bytes);
    free(m.at);
    return ok;
}

/* p->at is to be freed; NULL: it is left out. `about`: it is a sample, and this is what it was; NULL: it is only looked at. */
static bool decode(struct reading *r, int64_t i, struct image_source *source, struct picture_record *about,
                   struct pixels *p, struct data_error *error)
{
    struct asked asked = {r, false};
    bool ok = r->kind->read(source, fits, &asked, p, error);
    if (ok && r->kind->mask) {
        const struct data_field *label = &r->split->label;
        ok = read_mask(r, i, p, about ? label->values + (uint64_t)i * label->bytes : NULL, error);
    }
    if (!ok) {
        free(p->at);
        p->at = NULL;
    }
    if (!ok && !asked.refused && r->left_out) {
        r->left_out[i] = true;
        return true;
    }
    if (ok && about) {
        about->height = (int32_t)p->height;
        about->width = (int32_t)p->width;
        about->channels = p->channels;
        count(r, about, DECODED);
    }
    return ok && (picture_made(r->step, r->steps, p) || data_fail(error, "%s: out of memory", r->from->samples[i]));
}

static bool look_at(struct reading *r, int64_t i, struct pixels *p, struct data_error *error)
{
    struct image_source source;
    *p = (struct pixels){0};
    bool ok = image_load(r->from->samples[i], &source, error) && decode(r, i, &source, NULL, p, error);
    free(source.bytes);
    return ok;
}

/* ---- one sample, by any thread ---- */

/* Takes file `number` of the cache for sample i. */
static bool recall(struct reading *r, int64_t i, int64_t number, enum origin origin, unsigned char *to)
{
    const struct picture_cache *cache = r->from->cache;
    const int32_t *dims = cache->dims;
    if (number < 0 || dims[0] != r->first.channels || dims[1] != r->first.height || dims[2] != r->first.width ||
        !picture_cache_read(cache, number, to))
        return false;
    r->from->now[i] = cache->record[number];
    count(r, &cache->record[number], origin);
    return true;
}

static bool keep_loaded(struct reading *r, int64_t i, struct image_source *source, unsigned char *to)
{
    struct picture_record about = {.file = source->stamp};
    struct pixels p = {0};
    struct data_error error; /* that of the first that fails is found again */
    if (r->from->now)
        about.content = XXH3_128bits(source->bytes, source->size);
    if (r->from->now && recall(r, i, picture_cache_content(r->from->cache, about.content), READ, to)) {
        r->from->now[i].file = about.file;
        return true;
    }
    bool ok = decode(r, i, source, &about, &p, &error);
    if (ok && p.at)
        pixels_to_planes(&p, to);
    if (ok && p.at && r->from->now) {
        about.sample = XXH3_64bits(to, r->split->sample.bytes);
        r->from->now[i] = about;
    }
    free(p.at);
    return ok;
}

static bool keep_at(struct reading *r, int64_t i, unsigned char *to)
{
    struct image_source source;
    struct data_error error;
    if (r->from->now && recall(r, i, r->from->kept[i], KNOWN, to))
        return true;
    bool ok = image_load(r->from->samples[i], &source, &error) && keep_loaded(r, i, &source, to);
    free(source.bytes);
    return ok;
}

static bool keep_one(void *ctx, int64_t i)
{
    struct reading *r = ctx;
    const size_t bytes = (size_t)r->split->sample.bytes;
    struct data_error ignored; /* said of all */
    if (r->store.values)
        return keep_at(r, i, r->store.values + (size_t)i * bytes);
    unsigned char *own = calloc(1, bytes);
    bool ok = own && keep_at(r, i, own) && store_put(&r->store, i, own, 1, &ignored);
    free(own);
    return ok;
}

/* ---- the whole ---- */

/* All but what the samples are. */
static bool begin(struct reading *r, struct data_error *error)
{
    struct data_split *split = r->split;
    const int64_t n = (int64_t)r->from->n, bytes = (int64_t)pixels_bytes(&r->first);
    const struct data_source made = {.wish = {.fits = r->from->wish.fits, .wanted = r->from->wish.wanted}};
    *split = (struct data_split){
        .count = n,
        .sample = {.type = r->kind->type,
                   .rank = 3,
                   .dims = {r->first.channels, r->first.height, r->first.width},
                   .bytes = (uint64_t)bytes,
                   .path = strdup(r->from->samples[r->like]),
                   .rate = r->first.rate},
        .label = {.type = DATA_I32, .bytes = sizeof(int32_t), .path = strdup(r->from->samples[0])},
    };
    if (r->kind->mask) {
        split->label.type = DATA_U8;
        split->label.rank = 2;
        memcpy(split->label.dims, split->sample.dims + 1, 2 * sizeof *split->label.dims);
        split->label.bytes = (uint64_t)(r->first.height * r->first.width);
    }
    if (!split->sample.path || !split->label.path)
        return data_fail(error, "out of memory");
    if (!data_head(&made, split, n, &split->sample, error) || !data_head(&made, split, n, &split->label, error))
        return false;
    if ((uint64_t)n > DATA_MAX_BYTES / (uint64_t)bytes)
        return data_fail(error, "%s: %" PRId64 " such %ss are more than %" PRIu64 " GiB", r->from->samples[0], n,
                         r->kind->one, (uint64_t)DATA_MAX_BYTES >> 30);
    split->label.values = malloc((size_t)n * (size_t)split->label.bytes);
    if (!split->label.values)
        return data_fail(error, "out of memory for %" PRId64 " %ss", n, r->kind->one);
    if (!store_open(&r->store, r->from->samples[0], (uint64_t)bytes, n, r->from->most, error))
        return false;
    if (!r->kind->mask)
        memcpy(split->label.values, r->from->class, (size_t)n * sizeof(int32_t));
    else if (!(split->mask = calloc((size_t)n, sizeof *split->mask)))
        return data_fail(error, "out of memory");
    for (; split->mask && split->masks < n; split->masks++)
        if (!(split->mask[split->masks] = strdup(r->from->masks[split->masks])))
            return data_fail(error, "out of memory");
    return true;
}

static char *take_mask(struct data_split *split, int64_t i)
{
    char *mask = split->mask[i];
    split->mask[i] = NULL;
    return mask;
}

/* Those that are not left out move together; the first that is tells why. */
static bool close_up(struct reading *r, struct data_error *error)
{
    struct data_split *split = r->split;
    struct data_files *all = r->from->files;
    const int64_t n = split->count, label = (int64_t)split->label.bytes;
    unsigned char *left_out = r->left_out, *one = malloc((size_t)split->sample.bytes);
    struct pixels none;
    bool ok = one || data_fail(error, "out of memory");
    r->left_out = NULL;
    split->count = 0;
    for (int64_t i = 0; ok && i < n; i++) {
        if (left_out[i]) {
            if (all->damaged++ == 0 && look_at(r, i, &none, &all->first_damage))
                free(none.at);
            if (split->mask)
                free(take_mask(split, i));
            continue;
        }
        if (r->from->now)
            r->from->now[split->count] = r->from->now[i];
        if (i > split->count) {
            ok = store_get(&r->store, i, one, error) && store_put(&r->store, split->count, one, 1, error);
            memcpy(split->label.values + split->count * label, split->label.values + i * label, (size_t)label);
        }
        if (split->mask)
            split->mask[split->count] = take_mask(split, i);
        split->count++;
    }
    if (ok && split->mask)
        split->masks = split->count;
    r->left_out = left_out;
    free(one);
    return ok;
}

/* What all files are to be like, from the first that is not left out. */
static bool begin_with_first(struct reading *r, struct data_error *error)
{
    const int64_t n = (int64_t)r->from->n;
    bool ok = true;
    if (r->from->now && r->from->kept[0] >= 0) {
        const int32_t *dims = r->from->cache->dims;
        r->first = (struct pixels){.channels = dims[0], .height = dims[1], .width = dims[2]};
        return begin(r, error);
    }
    struct pixels first = {0};
    while (ok && !first.at && r->like < n)
        if ((ok = look_at(r, r->like, &first, error)) && !first.at)
            r->like++;
    if (ok && !first.at)
        return data_fail(error, "%s: damaged, like all %" PRId64 " %ss beside it", r->from->samples[0], n,
                         r->kind->one);
    r->first = first;
    ok = ok && begin(r, error);
    free(first.at);
    return ok;
}

static bool read_all(struct reading *r, struct data_error *error)
{
    const int64_t n = (int64_t)r->from->n;
    if (!begin_with_first(r, error))
        return false;
    int64_t wrong = parallel_for(n, keep_one, r);
    struct pixels again;
    if (wrong == n && r->left_out && !close_up(r, error))
        return false;
    if (wrong < n && look_at(r, wrong, &again, error)) { /* which it was not: memory, or a file that changes */
        free(again.at);
        data_fail(error, r->store.values ? "%s: cannot be read" : "%s: cannot be read, or its sample not kept on disk",
                  r->from->samples[wrong]);
    }
    return wrong == n && store_give(&r->store, r->split, error);
}

bool each_file_read(const struct each_kind *kind, const struct data_source *from, struct data_split *split,
                    struct data_error *error)
{
    struct reading r = {.kind = kind, .from = from, .split = split, .lock = PTHREAD_MUTEX_INITIALIZER};
    for (int i = 0; i < from->wish.steps; i++)
        if (!from->wish.alone || from->wish.step[i].word->sound == kind->sound)
            r.step[r.steps++] = from->wish.step[i];
    if (from->wish.skip_damaged && !(r.left_out = calloc(from->n, 1)))
        return data_fail(error, "out of memory");
    unsigned char *left_out = r.left_out;
    bool ok = read_all(&r, error);
    store_close(&r.store);
    free(left_out);
    return ok;
}
