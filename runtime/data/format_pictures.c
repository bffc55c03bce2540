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
    struct pixels first; /* what picture `like` became, the first; all are like it */
    int64_t like;
    pthread_mutex_t lock;
    unsigned char *left_out; /* for each picture: it is damaged, and that does not matter; NULL: it does */
};

struct asked {
    const struct reading *reading;
    bool refused; /* it is no damage that is the matter */
};

static const char *kind(int channels)
{
    return channels == 1 ? "grey" : "in colour";
}

/* Once a picture's size is known, and before it is decoded: will it be like the first? */
static bool alike(const struct reading *r, const struct pixels *picture, struct data_error *error)
{
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
            kind(p.channels), r->from->samples[r->like], kind(first->channels));
    if (first->channels && (p.height != first->height || p.width != first->width))
        return data_fail(error,
                         "the picture is %" PRId64 " wide and %" PRId64 " high, but %s is %" PRId64 " and %" PRId64
                         "; `data { transform = [Resize(%" PRId64 ", %" PRId64 "), ...] }` makes them alike",
                         p.width, p.height, r->from->samples[r->like], first->width, first->height, first->height,
                         first->width);
    return true;
}

static bool fits(void *wanted, const struct pixels *picture, struct data_error *error)
{
    struct asked *asked = wanted;
    asked->refused = !alike(asked->reading, picture, error);
    return !asked->refused;
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

/* p->at is to be freed; NULL: it is left out. `keep`: it is a sample, and not only looked at. */
static bool read_one(struct reading *r, int64_t i, bool keep, struct pixels *p, struct data_error *error)
{
    struct image_source source;
    struct asked asked = {r, false};
    *p = (struct pixels){0};
    bool ok = image_load(r->from->samples[i], &source, error), loaded = ok;
    ok = ok && picture_read(&source, fits, &asked, p, error);
    free(source.bytes);
    if (!ok && loaded && !asked.refused && r->left_out) {
        r->left_out[i] = true;
        return true;
    }
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
    if (p.at)
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

/* Those that are not left out move together; the first that is tells why. */
static void close_up(struct reading *r)
{
    struct data_split *split = r->split;
    struct data_pictures *all = r->from->pictures;
    const int64_t n = split->count, bytes = (int64_t)split->sample.bytes;
    unsigned char *left_out = r->left_out;
    struct pixels none;
    r->left_out = NULL;
    split->count = 0;
    for (int64_t i = 0; i < n; i++) {
        if (left_out[i]) {
            if (all->damaged++ == 0 && read_one(r, i, false, &none, &all->first_damage))
                free(none.at);
            continue;
        }
        if (i > split->count)
            memcpy(split->sample.values + split->count * bytes, split->sample.values + i * bytes, (size_t)bytes);
        ((int32_t *)(void *)split->label.values)[split->count++] = r->from->class[i];
    }
    r->left_out = left_out;
}

static bool read_all(struct reading *r, struct data_error *error)
{
    const int64_t n = (int64_t)r->from->n;
    struct pixels first = {0};
    bool ok = true;
    while (ok && !first.at && r->like < n)
        if ((ok = read_one(r, r->like, false, &first, error)) && !first.at)
            r->like++;
    if (ok && !first.at)
        return data_fail(error, "%s: damaged, like all %" PRId64 " pictures beside it", r->from->samples[0], n);
    r->first = first;
    ok = ok && begin(r, error);
    free(first.at);
    if (!ok)
        return false;
    int64_t wrong = parallel_for(n, keep_one, r);
    if (wrong == n && r->left_out)
        close_up(r);
    if (wrong < n && read_one(r, wrong, false, &first, error)) { /* which it was not: memory, or a file that changes */
        free(first.at);
        data_fail(error, "%s: cannot be read", r->from->samples[wrong]);
    }
    return wrong == n;
}

static bool read(const struct data_source *from, struct data_split *split, struct data_error *error)
{
    struct reading r = {.from = from, .split = split, .lock = PTHREAD_MUTEX_INITIALIZER};
    if (from->wish.skip_damaged && !(r.left_out = calloc(from->n, 1)))
        return data_fail(error, "out of memory");
    bool ok = read_all(&r, error);
    free(r.left_out);
    return ok;
}

_Static_assert((int)DATA_START == (int)PICTURE_START, "what the tree reads of a file is what tells a picture");

const struct data_format format_pictures = {
    .name = "pictures",
    .is = picture_is,
    .read = read,
};
