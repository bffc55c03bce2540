/* The IDX format: two zero bytes, element type, rank; the sizes as big-endian 32-bit numbers; the elements in row-major
 * order, big-endian. The first size counts the samples. */
#include "format.h"
#include "gz.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { IDX_U8 = 0x08, IDX_I32 = 0x0C, IDX_F32 = 0x0D };

static uint32_t big_endian(const unsigned char b[4])
{
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static bool is_magic(const unsigned char b[4])
{
    bool known_type = b[2] == 0x08 || b[2] == 0x09 || (b[2] >= 0x0B && b[2] <= 0x0E);
    return b[0] == 0 && b[1] == 0 && known_type && b[3] >= 1 && b[3] <= DATA_MAX_RANK + 1;
}

static bool read_magic(struct gz *file, enum data_type *type, int *rank, struct data_error *error)
{
    unsigned char magic[4];
    if (!gz_read(file, magic, sizeof magic, "the IDX magic number", error))
        return false;
    if (!is_magic(magic))
        return data_fail(error,
                         "%s: byte 0: %02x %02x %02x %02x is no IDX magic number; expected 00 00, an element type, "
                         "and a rank of 1 to %d",
                         gz_path(file), magic[0], magic[1], magic[2], magic[3], DATA_MAX_RANK + 1);
    switch (magic[2]) {
    case IDX_U8:
        *type = DATA_U8;
        break;
    case IDX_I32:
        *type = DATA_I32;
        break;
    case IDX_F32:
        *type = DATA_F32;
        break;
    default:
        return data_fail(error,
                         "%s: byte 2: IDX element type 0x%02x is not supported; expected 0x08 (8-bit), 0x0c "
                         "(32-bit integer) or 0x0d (32-bit float)",
                         gz_path(file), magic[2]);
    }
    *rank = magic[3];
    return true;
}

/* Reads the sizes; `total` gets the bytes of all elements, no more than what the file can hold. */
static bool read_sizes(struct gz *file, int rank, uint64_t element, uint64_t sizes[], uint64_t *total,
                       struct data_error *error)
{
    *total = element;
    for (int i = 0; i < rank; i++) {
        unsigned char size[4];
        uint64_t at = gz_offset(file);
        if (!gz_read(file, size, sizeof size, "the IDX sizes", error))
            return false;
        sizes[i] = big_endian(size);
        if (sizes[i] == 0)
            return data_fail(error, "%s: byte %" PRIu64 ": size %d of %d is 0; expected at least 1", gz_path(file), at,
                             i + 1, rank);
        if (__builtin_mul_overflow(*total, sizes[i], total) || *total > DATA_MAX_BYTES)
            return data_fail(error,
                             "%s: byte %" PRIu64 ": size %" PRIu64 " makes the array larger than %" PRIu64
                             " GiB, which no file here can be",
                             gz_path(file), at, sizes[i], DATA_MAX_BYTES >> 30);
    }
    uint64_t at_most = gz_at_most(file);
    if (*total > at_most || gz_offset(file) > at_most - *total)
        return data_fail(error,
                         "%s: truncated: the sizes in bytes 4 to %" PRIu64 " announce %" PRIu64 " bytes in all, "
                         "the file holds at most %" PRIu64,
                         gz_path(file), gz_offset(file) - 1, gz_offset(file) + *total, at_most);
    return true;
}

static bool read_values(struct gz *file, uint64_t total, struct data_field *field, struct data_error *error)
{
    field->header = gz_offset(file);
    field->values = malloc(total);
    if (!field->values)
        return data_fail(error, "%s: out of memory: %" PRIu64 " bytes wanted", gz_path(file), total);
    if (!gz_read(file, field->values, total, "the array", error) || !gz_end(file, error))
        return false;
    if (field->type != DATA_U8)
        for (uint64_t i = 0; i < total; i += 4) {
            uint32_t value = big_endian(field->values + i);
            memcpy(field->values + i, &value, sizeof value);
        }
    return true;
}

static bool read_file(struct gz *file, const struct data_source *from, struct data_split *split, int64_t *count,
                      struct data_field *field, struct data_error *error)
{
    uint64_t sizes[DATA_MAX_RANK + 1], total;
    int rank = 0;
    if (!read_magic(file, &field->type, &rank, error))
        return false;
    if (!read_sizes(file, rank, field->type == DATA_U8 ? 1 : 4, sizes, &total, error))
        return false;
    *count = (int64_t)sizes[0];
    field->rank = rank - 1;
    for (int i = 1; i < rank; i++)
        field->dims[i - 1] = (int64_t)sizes[i];
    field->bytes = total / sizes[0];
    field->path = strdup(gz_path(file));
    if (!field->path)
        return data_fail(error, "%s: out of memory", gz_path(file));
    return data_head(from, split, *count, field, error) && read_values(file, total, field, error);
}

static bool read_path(const char *path, const struct data_source *from, struct data_split *split, int64_t *count,
                      struct data_field *field, struct data_error *error)
{
    struct gz *file = gz_open(path, error);
    bool ok = file && read_file(file, from, split, count, field, error);
    gz_close(file);
    return ok;
}

static bool read(const struct data_source *from, struct data_split *split, struct data_error *error)
{
    int64_t labels;
    return read_path(from->samples[0], from, split, &split->count, &split->sample, error) &&
           read_path(from->labels, from, split, &labels, &split->label, error);
}

static bool has(const char *name, const char *piece)
{
    return strstr(name, piece) != NULL;
}

static bool is_named_so(const char *name)
{
    bool split = has(name, "train") || has(name, "t10k") || has(name, "test");
    bool part = has(name, "images") || has(name, "labels") || has(name, "samples") || has(name, "targets");
    return has(name, "-idx") || (split && part);
}

static enum data_claim claim(const struct data_file *file, enum data_part *part, struct data_error *error)
{
    const char *name = file->name;
    if (file->got < 4 || !is_magic(file->start)) {
        if (!is_named_so(name))
            return DATA_NOT_MINE;
        /* Its name promises IDX, so what is wrong with it matters: the reader says it. */
        struct data_source any = {0};
        struct data_split split = {0};
        read_path(file->path, &any, &split, &split.count, &split.sample, error);
        free(split.sample.values);
        free(split.sample.path);
        return DATA_DAMAGED;
    }
    if (file->told)
        return DATA_MINE;
    bool train = has(name, "train");
    if (!train && !has(name, "t10k") && !has(name, "test")) {
        data_fail(error, "%s: an IDX file that is neither named train... nor t10k... or test...", file->path);
        return DATA_DAMAGED;
    }
    bool label = has(name, "label") || has(name, "target");
    bool sample = has(name, "image") || has(name, "sample");
    if (!label && !sample)
        label = file->start[3] == 1;
    *part = (train ? TRAIN_SAMPLES : TEST_SAMPLES) + label;
    return DATA_MINE;
}

const struct data_format format_idx = {
    .name = "IDX",
    .usual = {"train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"},
    .claim = claim,
    .read = read,
};
