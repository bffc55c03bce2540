/* image_npy.c: an image as an array of NumPy. */
#include "image_source.h"
#include "npy.h"

#include <inttypes.h>
#include <math.h>

/* The shape as text, for the message. */
static void format_shape(char *text, size_t room, const int64_t *dims, int rank)
{
    size_t used = (size_t)snprintf(text, room, "[");
    for (int i = 0; i < rank && used < room; i++)
        used += (size_t)snprintf(text + used, room - used, "%s%" PRId64, i ? ", " : "", dims[i]);
    if (used < room)
        snprintf(text + used, room - used, "]");
}

static int leading_ones(const int64_t *dims, int rank)
{
    int ones = 0;
    while (ones < rank && dims[ones] == 1)
        ones++;
    return ones;
}

static bool check_npy_shape(const struct image_source *source, const struct array *a, const struct image_wanted *wanted,
                            struct data_error *error)
{
    int64_t expected[3] = {wanted->channels, wanted->height, wanted->width};
    int skip = leading_ones(a->dims, a->rank), skip_expected = leading_ones(expected, 3);
    bool same = a->rank - skip == 3 - skip_expected;
    for (int i = 0; same && i < a->rank - skip; i++)
        same = a->dims[skip + i] == expected[skip_expected + i];
    int64_t values = 1;
    for (int i = 0; i < a->rank && values <= wanted->width; i++)
        values *= a->dims[i];
    same = same || (image_is_vector(wanted) && values == wanted->width);
    if (same)
        return true;
    char has[120], takes[80];
    format_shape(has, sizeof has, a->dims, a->rank);
    format_shape(takes, sizeof takes, expected, 3);
    return data_fail(error, "%s: the array is %s; the network takes %s", source->path, has, takes);
}

bool image_read_npy(struct image_source *source, struct image_wanted *wanted, struct data_error *error)
{
    struct array a;
    size_t start;
    if (!npy_parse(source->path, source->bytes, source->size, &a, &start, error) ||
        !check_npy_shape(source, &a, wanted, error))
        return false;
    if (source->size - start != a.total)
        return data_fail(error, "%s: %zu bytes from byte %zu; expected %" PRIu64 " for the array", source->path,
                         source->size - start, start, a.total);
    for (size_t at = start; at < source->size; at += (size_t)a.size) {
        const double value = array_number(&a, source->bytes + at);
        if (wanted->type == DATA_U8 && !(value >= 0 && value <= 255 && value == floor(value)))
            return data_fail(error, "%s: byte %zu: value %g; expected whole numbers 0 to 255", source->path, at, value);
        image_store(wanted, (int64_t)((at - start) / (size_t)a.size), (float)value);
    }
    return true;
}
