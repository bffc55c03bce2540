#include "cifar.h"

#include "gz.h"
#include "loaders.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { CHANNELS = 3, SIDE = 32, PIXELS = CHANNELS * SIDE * SIDE };

/* How much room the arrays have; it doubles, since a gzip file does not tell its size. */
static bool make_room(struct data_split *split, bool stays, uint64_t *room, const char *path, struct data_error *error)
{
    if ((uint64_t)split->count < *room)
        return true;
    uint64_t wanted = *room ? 2 * *room : 1024;
    if (wanted > DATA_MAX_BYTES / PIXELS)
        return data_fail(error, "%s: more than %" PRIu64 " GiB of records, which no data set here can be", path,
                         DATA_MAX_BYTES >> 30);
    unsigned char *samples = stays ? NULL : realloc(split->sample.values, wanted * PIXELS);
    if (samples)
        split->sample.values = samples;
    unsigned char *labels = realloc(split->label.values, wanted);
    if (labels)
        split->label.values = labels;
    if ((!samples && !stays) || !labels)
        return data_fail(error, "%s: out of memory for %" PRIu64 " records", path, wanted);
    *room = wanted;
    return true;
}

/* `stays`: the pixels are only gone over. */
static bool read_records(const struct cifar *kind, struct gz *file, bool stays, struct data_split *split,
                         uint64_t *room, struct data_error *error)
{
    unsigned char passed[PIXELS];
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
        if (!make_room(split, stays, room, gz_path(file), error))
            return false;
        unsigned char *pixels = stays ? passed : split->sample.values + (uint64_t)split->count * PIXELS;
        if (!gz_read(file, pixels, PIXELS, "the image of the last record", error))
            return false;
        split->label.values[split->count++] = label[kind->which];
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
                       struct data_split *split, struct data_error *error)
{
    uint64_t room = 0;
    const bool stays = stay(kind, from);
    const uint64_t labels = (uint64_t)kind->labels;
    for (size_t i = 0; i < from->n; i++) {
        const int64_t before = split->count;
        struct gz *file = gz_open(from->samples[i], error);
        bool ok = file && read_records(kind, file, stays, split, &room, error);
        gz_close(file);
        if (!ok)
            return false;
        piece[i] = (struct data_piece){from->samples[i], labels, labels + PIXELS, split->count - before};
    }
    if (stays)
        split->reader = data_reader_open(piece, (int)from->n, PIXELS, false, error);
    return !stays || split->reader;
}

bool cifar_read(const struct cifar *kind, const struct data_source *from, struct data_split *split,
                struct data_error *error)
{
    *split = (struct data_split){
        .sample = {.type = DATA_U8, .rank = 3, .dims = {CHANNELS, SIDE, SIDE}, .bytes = PIXELS},
        .label = {.type = DATA_U8, .bytes = 1},
    };
    struct data_piece *piece = calloc(from->n, sizeof *piece);
    split->sample.path = strdup(from->samples[0]);
    split->label.path = strdup(from->samples[0]);
    bool ok =
        (piece && split->sample.path && split->label.path) || data_fail(error, "%s: out of memory", from->samples[0]);
    ok = ok && data_head(from, split, 0, &split->sample, error) && data_head(from, split, 0, &split->label, error);
    ok = ok && read_files(kind, from, piece, split, error);
    free(piece);
    return ok;
}
