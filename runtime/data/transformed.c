/* transformed.c: transforms of pictures for data sets that come as one array. */
#include "format.h"
#include "loaders.h"
#include "parallel.h"
#include "store.h"

#include "graph/word.h"

#include <inttypes.h>
#include <stdlib.h>

struct change {
    const struct data_source *from;
    const struct data_split *split;
    struct store store; /* of what they become */
};

static bool change_one(void *ctx, int64_t i)
{
    const struct change *c = ctx;
    const struct data_field *field = &c->split->sample;
    const int64_t *dim = field->dims;
    struct data_error ignored; /* said of all */
    const size_t most = (size_t)(field->bytes > c->store.bytes ? field->bytes : c->store.bytes);
    struct pixels p = {.height = dim[1], .width = dim[2], .channels = (int)dim[0], .at = malloc((size_t)field->bytes)};
    unsigned char *planes = malloc(most);
    bool ok = p.at && planes && data_sample(c->split, i, planes, &ignored);
    if (ok) {
        pixels_from_planes(&p, planes);
        ok = picture_made(c->from->wish.step, c->from->wish.steps, &p);
    }
    if (ok) {
        pixels_to_planes(&p, planes);
        ok = store_put(&c->store, i, planes, 1, &ignored);
    }
    free(planes);
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
    /* What is in memory before stays there meanwhile. */
    const int64_t before = split->reader ? 0 : split->count * (int64_t)split->sample.bytes,
                  left = from->most > before ? from->most - before : 1;
    struct change c = {.from = from, .split = split};
    bool ok = store_open(&c.store, now.path, now.bytes, split->count, from->most > 0 ? left : 0, error);
    if (ok && parallel_for(split->count, change_one, &c) < split->count)
        ok = data_fail(error, "%s: no memory, or no place on disk, for %" PRId64 " pictures of %" PRIu64 " bytes",
                       now.path, split->count, now.bytes);
    if (ok) {
        free(split->sample.values);
        data_reader_close(split->reader);
        split->reader = NULL;
        now.header = 0;
        split->sample = now;
        ok = store_give(&c.store, split, error);
    }
    store_close(&c.store);
    return ok;
}
