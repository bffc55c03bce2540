#include "cifar.h"

#include "gz.h"
#include "loaders.h"
#include "store.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { CHANNELS = 3, SIDE = 32, PIXELS = CHANNELS * SIDE * SIDE };

/* A gzip file does not tell how many records it has. */
static bool add_label(struct data_split *split, int64_t *room, unsigned char label, const char *path,
                      struct data_error *error)
{
    if (split->count == *room) {
        const int64_t more = *room ? 2 * *room : 1024;
        unsigned char *labels = realloc(split->label.values, (size_t)more);
        if (!labels)
            return data_fail(error, "%s: out of memory for %" PRId64 " records", path, more);
        split->label.values = labels;
        *room = more;
    }
    split->label.values[split->count++] = label;
    return true;
}

/* `store` NULL: the pixels are only gone over. */
static bool read_records(const struct cifar *kind, struct gz *file, struct store *store, struct data_split *split,
                         int64_t *room, struct data_error *error)
{
    unsigned char pixels[PIXELS];
    const int record = kind->labels + PIXELS;
    for (;;) {
        uint64_t at = gz_offset(file), got;
        unsigned char label[2];
        if (!gz_read_some(file, label, 1, &got, error))
            return false;
        if (got == 0)
            return at > 0 || data_fail(error, "%s: empty; expected records of %d bytes", gz_path(file), record);
        if (kind->labels > 1 && !gz_read(file, label + 1, 1, "the second label of the last record", error))
            return false;
        for (int i = 0; i < kind->labels; i++)
            if (label[i] >= kind->classes[i])
                return data_fail(error,
                                 "%s: byte %" PRIu64 ": label %d; expected 0 to %d at the start of each record of %d "
                                 "bytes",
                                 gz_path(file), at + (uint64_t)i, label[i], kind->classes[i] - 1, record);
        if (!gz_read(file, pixels, PIXELS, "the image of the last record", error) ||
            (store && !store_add(store, pixels, error)) ||
            !add_label(split, room, label[kind->which], gz_path(file), error))
            return false;
    }
}

/* More pixels than memory is meant for, in files that are not packed. */
static bool stay(const struct cifar *kind, const struct data_source *from)
{
    uint64_t all = 0;
    bool plain = from->most > 0;
    for (size_t i = 0; plain && i < from->n; i++) {
        struct data_error ignored;
        struct gz *file = gz_open(from->samples[i], &ignored);
        plain = file && gz_is_plain(file);
        all += plain ? gz_at_most(file) / (uint64_t)(kind->labels + PIXELS) * PIXELS : 0;
        gz_close(file);
    }
    return plain && all > (uint64_t)from->most;
}

static bool read_files(const struct cifar *kind, const struct data_source *from, struct data_piece *piece,
                       struct store *store, struct data_split *split, struct data_error *error)
{
    int64_t room = 0;
    const bool stays = stay(kind, from);
    const uint64_t labels = (uint64_t)kind->labels;
    for (size_t i = 0; i < from->n; i++) {
        const int64_t before = split->count;
        struct gz *file = gz_open(from->samples[i], error);
        bool ok = file && read_records(kind, file, stays ? NULL : store, split, &room, error);
        gz_close(file);
        if (!ok)
            return false;
        piece[i] = (struct data_piece){from->samples[i], labels, labels + PIXELS, split->count - before};
    }
    if (!stays)
        return store_give(store, split, error);
    split->reader = data_reader_open(piece, (int)from->n, PIXELS, false, error);
    return split->reader;
}

bool cifar_read(const struct cifar *kind, const struct data_source *from, struct data_split *split,
                struct data_error *error)
{
    *split = (struct data_split){
        .sample = {.type = DATA_U8, .rank = 3, .dims = {CHANNELS, SIDE, SIDE}, .bytes = PIXELS},
        .label = {.type = DATA_U8, .bytes = 1},
    };
    struct data_piece *piece = calloc(from->n, sizeof *piece);
    struct store store = {.of = NULL};
    split->sample.path = strdup(from->samples[0]);
    split->label.path = strdup(from->samples[0]);
    bool ok =
        (piece && split->sample.path && split->label.path) || data_fail(error, "%s: out of memory", from->samples[0]);
    ok = ok && data_head(from, split, 0, &split->sample, error) && data_head(from, split, 0, &split->label, error);
    ok = ok && store_open(&store, split->sample.path, PIXELS, 0, from->most, error) &&
         read_files(kind, from, piece, &store, split, error);
    store_close(&store);
    free(piece);
    return ok;
}
