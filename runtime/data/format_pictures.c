/* format_pictures.c: a folder of pictures for each class (tree.c). Decoded by all cores; the transforms of pictures are applied at once. */
#include "format.h"
#include "parallel.h"
#include "picture.h"

#include "graph/word.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct reading {
    const struct data_source *from;
    struct data_split *split;
    struct pixels first; /* what the first picture became; all are like it */
    pthread_mutex_t lock;
};

struct asked {
    const struct reading *reading;
    int64_t i;
};

static const char *kind(int channels)
{
    return channels == 1 ? "grey" : "in colour";
}

/* Once a picture's size is known, and before it is decoded: will it be like the first? */
static bool fits(void *wanted, const struct pixels *picture, struct data_error *error)
{
    const struct asked *asked = wanted;
    const struct reading *r = asked->reading;
    const struct pixels *first = &r->first;
    struct pixels p = *picture;
    const char *why = picture_sized(r->from->wish.step, r->from->wish.steps, &p);
    if (why)
        return data_fail(error, "the picture is %" PRId64 " wide and %" PRId64 " high, and %s", picture->width,
                         picture->height, why);
    if (first->channels && p.channels != first->channels)
        return data_fail(
            error,
            "the picture is %s, but %s is %s; `Gray` or `Color` makes them alike: `data { transform = [Gray, ...] }`",
            kind(p.channels), r->from->samples[0], kind(first->channels));
    if (first->channels && (p.height != first->height || p.width != first->width))
        return data_fail(error,
                         "the picture is %" PRId64 " wide and %" PRId64 " high, but %s is %" PRId64 " and %" PRId64
                         "; `data { transform = [Resize(%" PRId64 ", %" PRId64 "), ...] }` makes them alike",
                         p.width, p.height, r->from->samples[0], first->width, first->height, first->height,
                         first->width);
    return true;
}

static void widen(int64_t range[2], int64_t value)
{
    if (range[1] == 0 || value < range[0])
        range[0] = value;
    if (value > range[1])
        range[1] = value;
}

static void count(struct reading *r, const struct pixels *p)
{
    struct data_pictures *all = r->from->pictures;
    pthread_mutex_lock(&r->lock);
    all->grey += p->channels == 1;
    all->colour += p->channels == 3;
    widen(all->height, p->height);
    widen(all->width, p->width);
    pthread_mutex_unlock(&r->lock);
}

/* p->at is to be freed. `keep`: it is a sample, and not only looked at. */
static bool read_one(struct reading *r, int64_t i, bool keep, struct pixels *p, struct data_error *error)
{
    struct image_source source;
    struct asked asked = {r, i};
    *p = (struct pixels){0};
    bool ok = image_load(r->from->samples[i], &source, error) && picture_read(&source, fits, &asked, p, error);
    free(source.bytes);
    if (ok && keep)
        count(r, p);
    return ok && (picture_made(r->from->wish.step, r->from->wish.steps, p) ||
                  data_fail(error, "%s: out of memory", r->from->samples[i]));
}

static bool keep_one(void *ctx, int64_t i)
{
    struct reading *r = ctx;
    struct pixels p;
    struct data_error error; /* that of the first that fails is found again */
    bool ok = read_one(r, i, true, &p, &error);
    if (ok)
        pixels_to_planes(&p, r->split->sample.values + (uint64_t)i * r->split->sample.bytes);
    free(p.at);
    return ok;
}

/* All but what the samples are. */
static bool begin(const struct reading *r, struct data_error *error)
{
    struct data_split *split = r->split;
    const int64_t n = (int64_t)r->from->n, bytes = r->first.height * r->first.width * r->first.channels;
    const struct data_source made = {.wish = {.fits = r->from->wish.fits, .wanted = r->from->wish.wanted}};
    *split = (struct data_split){
        .count = n,
        .sample = {.type = DATA_U8,
                   .rank = 3,
                   .dims = {r->first.channels, r->first.height, r->first.width},
                   .bytes = (uint64_t)bytes,
                   .path = strdup(r->from->samples[0])},
        .label = {.type = DATA_I32, .bytes = sizeof(int32_t), .path = strdup(r->from->samples[0])},
    };
    if (!split->sample.path || !split->label.path)
        return data_fail(error, "out of memory");
    if (!data_head(&made, split, n, &split->sample, error) || !data_head(&made, split, n, &split->label, error))
        return false;
    if ((uint64_t)n > DATA_MAX_BYTES / (uint64_t)bytes)
        return data_fail(error, "%s: %" PRId64 " such pictures are more than %" PRIu64 " GiB", r->from->samples[0], n,
                         (uint64_t)DATA_MAX_BYTES >> 30);
    split->sample.values = malloc((size_t)(n * bytes));
    split->label.values = malloc((size_t)n * sizeof(int32_t));
    if (!split->sample.values || !split->label.values)
        return data_fail(error, "out of memory for %" PRId64 " pictures of %" PRId64 " bytes", n, bytes);
    memcpy(split->label.values, r->from->class, (size_t)n * sizeof(int32_t));
    return true;
}

static bool read(const struct data_source *from, struct data_split *split, struct data_error *error)
{
    struct reading r = {.from = from, .split = split, .lock = PTHREAD_MUTEX_INITIALIZER};
    struct pixels first;
    bool ok = read_one(&r, 0, false, &first, error);
    r.first = first;
    ok = ok && begin(&r, error);
    free(first.at);
    if (!ok)
        return false;
    int64_t n = (int64_t)from->n, wrong = parallel_for(n, keep_one, &r);
    if (wrong < n && read_one(&r, wrong, false, &first, error)) /* which it was not: memory, or a file that changes */
        data_fail(error, "%s: cannot be read", from->samples[wrong]);
    return wrong == n;
}

const struct data_format format_pictures = {
    .name = "pictures",
    .is = picture_is,
    .read = read,
};
