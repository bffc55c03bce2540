/* The binary version of CIFAR-10: records of one label byte and the red, green and blue planes of a 32 x 32 image. */
#include "format.h"
#include "gz.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { CLASSES = 10, CHANNELS = 3, SIDE = 32, PIXELS = CHANNELS * SIDE * SIDE, RECORD = 1 + PIXELS };

/* How much room the arrays have; it doubles, since a gzip file does not tell its size. */
static bool make_room(struct data_split *split, uint64_t *room, const char *path, struct data_error *error)
{
    if ((uint64_t)split->count < *room)
        return true;
    uint64_t wanted = *room ? 2 * *room : 1024;
    if (wanted > DATA_MAX_BYTES / RECORD)
        return data_fail(error, "%s: more than %" PRIu64 " GiB of records, which no data set here can be", path,
                         DATA_MAX_BYTES >> 30);
    unsigned char *samples = realloc(split->sample.values, wanted * PIXELS);
    if (samples)
        split->sample.values = samples;
    unsigned char *labels = realloc(split->label.values, wanted);
    if (labels)
        split->label.values = labels;
    if (!samples || !labels)
        return data_fail(error, "%s: out of memory for %" PRIu64 " records", path, wanted);
    *room = wanted;
    return true;
}

static bool read_records(struct gz *file, struct data_split *split, uint64_t *room, struct data_error *error)
{
    for (;;) {
        uint64_t at = gz_offset(file), got;
        unsigned char label;
        if (!gz_read_some(file, &label, 1, &got, error))
            return false;
        if (got == 0)
            return at > 0 || data_fail(error, "%s: empty; expected records of %d bytes", gz_path(file), RECORD);
        if (label >= CLASSES)
            return data_fail(error,
                             "%s: byte %" PRIu64 ": label %d; expected 0 to %d at the start of each record of %d "
                             "bytes",
                             gz_path(file), at, label, CLASSES - 1, RECORD);
        if (!make_room(split, room, gz_path(file), error))
            return false;
        unsigned char *pixels = split->sample.values + (uint64_t)split->count * PIXELS;
        if (!gz_read(file, pixels, PIXELS, "the image of the last record", error))
            return false;
        split->label.values[split->count++] = label;
    }
}

static bool read(const struct data_source *from, struct data_split *split, struct data_error *error)
{
    *split = (struct data_split){
        .sample = {.type = DATA_U8, .rank = 3, .dims = {CHANNELS, SIDE, SIDE}, .bytes = PIXELS},
        .label = {.type = DATA_U8, .bytes = 1},
    };
    uint64_t room = 0;
    split->sample.path = strdup(from->samples[0]);
    split->label.path = strdup(from->samples[0]);
    bool ok = (split->sample.path && split->label.path) || data_fail(error, "%s: out of memory", from->samples[0]);
    ok = ok && data_head(from, split, 0, &split->sample, error) && data_head(from, split, 0, &split->label, error);
    for (size_t i = 0; ok && i < from->n; i++) {
        struct gz *file = gz_open(from->samples[i], error);
        ok = file && read_records(file, split, &room, error);
        gz_close(file);
    }
    return ok;
}

/* By its name: any bytes up to 9 may begin it. */
static enum data_claim claim(const struct data_file *file, enum data_part *part, struct data_error *error)
{
    (void)error;
    bool train = strstr(file->name, "data_batch") != NULL;
    *part = train ? TRAIN_SAMPLES : TEST_SAMPLES;
    return train || strstr(file->name, "test_batch") ? DATA_MINE : DATA_NOT_MINE;
}

const struct data_format format_cifar = {
    .name = "CIFAR-10",
    .usual = {[TRAIN_SAMPLES] = "data_batch_1.bin", [TEST_SAMPLES] = "test_batch.bin"},
    .many = true,
    .claim = claim,
    .read = read,
};
