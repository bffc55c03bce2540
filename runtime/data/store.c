#include "store.h"

#include "loaders.h"

#include "device/cache.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    FIRST = 256,
    BLOCK = 1 << 16,
    STEP = 1 << 26
}; /* samples; bytes of the file that are written at once, that it grows by */

/* Opens the file where there is none yet; `more` bytes have to find room on the disk. */
static bool room_on_disk(struct store *s, uint64_t more, struct data_error *error)
{
    struct cache cache;
    char *path = NULL;
    bool ok = cache_open(&cache) ||
              data_fail(error, "%s: no place on disk for %" PRIu64 " bytes of samples: %s", s->of, more, cache.why);
    if (ok && !cache_affords(&cache, (int64_t)more, INT64_MAX))
        ok = data_fail(error, "%s: the samples take %" PRIu64 " bytes in %s, more than half of what is free there",
                       s->of, more, cache.path);
    if (ok && !s->on_disk && !(s->on_disk = (s->file = cache_make(&cache, cache.path, false, &path)) >= 0))
        ok = data_fail(error, "%s: no file for its samples in %s: %s", s->of, cache.path, strerror(errno));
    if (path)
        unlink(path);
    free(path);
    cache_close(&cache);
    return ok;
}

static bool make_room(struct store *s, int64_t room, struct data_error *error)
{
    if ((uint64_t)room > DATA_MAX_BYTES / s->bytes)
        return data_fail(error, "%s: %" PRId64 " samples of %" PRIu64 " bytes are more than %" PRIu64 " GiB", s->of,
                         room, s->bytes, DATA_MAX_BYTES >> 30);
    const uint64_t bytes = (uint64_t)room * s->bytes, before = (uint64_t)s->room * s->bytes;
    const bool many = s->most > 0 && bytes > (uint64_t)s->most;
    if (many || s->on_disk) {
        const bool moves = !s->on_disk;
        if (!room_on_disk(s, moves ? bytes : bytes - before, error) ||
            (moves && !store_put(s, 0, s->values, s->count, error)))
            return false;
        free(s->values);
        s->values = NULL;
    } else {
        unsigned char *values = realloc(s->values, (size_t)bytes);
        if (!values)
            return data_fail(error, "%s: out of memory: %" PRIu64 " bytes wanted", s->of, bytes);
        s->values = values;
    }
    s->room = room;
    return true;
}

bool store_open(struct store *s, const char *of, uint64_t bytes, int64_t n, int64_t most, struct data_error *error)
{
    *s = (struct store){.of = of, .bytes = bytes, .most = most};
    return n == 0 || make_room(s, n, error);
}

void store_close(struct store *s)
{
    free(s->values);
    free(s->block);
    if (s->on_disk)
        close(s->file);
    *s = (struct store){.of = NULL};
}

/* Writes the block. */
static bool flush(struct store *s, struct data_error *error)
{
    const int64_t n = s->held;
    s->held = 0;
    return n == 0 || store_put(s, s->count - n, s->block, n, error);
}

bool store_add(struct store *s, const void *from, struct data_error *error)
{
    const int64_t block = s->bytes < BLOCK ? (int64_t)(BLOCK / s->bytes) : 1,
                  step = s->bytes < STEP ? (int64_t)(STEP / s->bytes) : 1;
    if (s->count == s->room && !make_room(s, s->on_disk ? s->room + step : s->room ? 2 * s->room : FIRST, error))
        return false;
    if (!s->on_disk) {
        s->count++;
        return store_put(s, s->count - 1, from, 1, error);
    }
    if (!s->block && !(s->block = malloc((size_t)block * (size_t)s->bytes)))
        return data_fail(error, "%s: out of memory", s->of);
    memcpy(s->block + (uint64_t)s->held * s->bytes, from, (size_t)s->bytes);
    s->count++;
    return ++s->held < block || flush(s, error);
}

bool store_put(const struct store *s, int64_t i, const void *from, int64_t n, struct data_error *error)
{
    const uint64_t at = (uint64_t)i * s->bytes;
    if (!s->on_disk) {
        memcpy(s->values + at, from, (size_t)((uint64_t)n * s->bytes));
        return true;
    }
    const char *rest = from;
    for (uint64_t left = (uint64_t)n * s->bytes, done = at; left > 0;) {
        const ssize_t put = pwrite(s->file, rest, (size_t)left, (off_t)done);
        if (put <= 0)
            return data_fail(error, "%s: its samples cannot be kept on disk: %s", s->of, strerror(errno));
        rest += put;
        done += (uint64_t)put;
        left -= (uint64_t)put;
    }
    return true;
}

bool store_get(const struct store *s, int64_t i, void *to, struct data_error *error)
{
    const uint64_t at = (uint64_t)i * s->bytes;
    if (!s->on_disk)
        memcpy(to, s->values + at, (size_t)s->bytes);
    return !s->on_disk || pread(s->file, to, (size_t)s->bytes, (off_t)at) == (ssize_t)s->bytes ||
           data_fail(error, "%s: its samples on disk cannot be read", s->of);
}

bool store_give(struct store *s, struct data_split *split, struct data_error *error)
{
    if (!flush(s, error))
        return false;
    split->sample.values = s->values;
    s->values = NULL;
    if (!s->on_disk)
        return true;
    s->on_disk = false; /* the reader has the file, or has closed it */
    split->reader = data_reader_of(s->file, split->sample.path, s->bytes, split->count, error);
    return split->reader;
}
