/* transformed.c: transforms of pictures for data sets that come as one array. */
#include "format.h"
#include "parallel.h"

#include "graph/word.h"

#include <inttypes.h>
#include <stdlib.h>

struct change {
    const struct data_source *from;
    const struct data_field *field;
    uint64_t bytes; /* of a sample afterwards */
    unsigned char *values;
};

static bool change_one(void *ctx, int64_t i)
{
    const struct change *c = ctx;
    const int64_t *dim = c->field->dims;
    struct pixels p = {
        .height = dim[1], .width = dim[2], .channels = (int)dim[0], .at = malloc((size_t)c->field->bytes)};
    if (!p.at)
        return false;
    pixels_from_planes(&p, c->field->values + (uint64_t)i * c->field->bytes);
    bool ok = picture_made(c->from->wish.step, c->from->wish.steps, &p);
    if (ok)
        pixels_to_planes(&p, c->values + (uint64_t)i * c->bytes);
    free(p.at);
    return ok;
}

bool data_transformed(const struct data_source *from, struct data_field *field, struct data_error *error)
{
    const bool image = field->type == DATA_U8 && field->rank == 3 && (field->dims[0] == 1 || field->dims[0] == 3);
    if (!image)
        return data_fail(error, "%s: `%s` is for pictures, and these samples are none", field->path,
                         from->wish.step[0].word->name);
    struct pixels p = {.height = field->dims[1], .width = field->dims[2], .channels = (int)field->dims[0]};
    const char *why =
        p.height * p.width <= PIXELS_MOST ? picture_sized(from->wish.step, from->wish.steps, &p) : "is too large";
    if (why)
        return data_fail(error, "%s: a picture of %" PRId64 " rows of %" PRId64 " pixels %s", field->path,
                         field->dims[1], field->dims[2], why);
    field->dims[0] = p.channels;
    field->dims[1] = p.height;
    field->dims[2] = p.width;
    field->bytes = (uint64_t)(p.height * p.width * p.channels);
    return true;
}

bool data_transform(const struct data_source *from, struct data_split *split, struct data_error *error)
{
    struct data_field now = split->sample;
    if (!data_transformed(from, &now, error))
        return false;
    struct change c = {from, &split->sample, now.bytes, NULL};
    if ((uint64_t)split->count <= DATA_MAX_BYTES / now.bytes)
        c.values = malloc((size_t)split->count * (size_t)now.bytes);
    bool ok = c.values && parallel_for(split->count, change_one, &c) == split->count;
    if (!ok) {
        free(c.values);
        return data_fail(error, "%s: out of memory for %" PRId64 " pictures of %" PRIu64 " bytes", now.path,
                         split->count, now.bytes);
    }
    free(split->sample.values);
    now.values = c.values;
    now.header = 0;
    split->sample = now;
    return true;
}
