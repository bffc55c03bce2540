/* The IDX format: two zero bytes, element type, rank; the sizes as big-endian 32-bit numbers; the elements in row-major
 * order, big-endian. The first size counts the samples. */
#include "array.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    char kind;
    int size;
} types[] = {
    [0x08] = {'u', 1}, [0x09] = {'i', 1}, [0x0B] = {'i', 2}, [0x0C] = {'i', 4}, [0x0D] = {'f', 4}, [0x0E] = {'f', 8}};

static bool is_magic(const unsigned char b[4])
{
    bool known_type = b[2] < sizeof types / sizeof *types && types[b[2]].size;
    return b[0] == 0 && b[1] == 0 && known_type && b[3] >= 1 && b[3] <= DATA_MAX_RANK + 1;
}

static bool read_head(struct gz *file, struct array *a, struct data_error *error)
{
    unsigned char b[4];
    if (!gz_read(file, b, sizeof b, "the IDX magic number", error))
        return false;
    if (!is_magic(b))
        return data_fail(error,
                         "%s: byte 0: %02x %02x %02x %02x is no IDX magic number; expected 00 00, an element type "
                         "(08, 09, 0b, 0c, 0d or 0e), and a rank of 1 to %d",
                         gz_path(file), b[0], b[1], b[2], b[3], DATA_MAX_RANK + 1);
    *a = (struct array){
        .kind = types[b[2]].kind, .size = types[b[2]].size, .big = true, .total = (uint64_t)types[b[2]].size};
    for (int left = b[3]; left > 0; left--) {
        uint64_t at = gz_offset(file);
        if (!gz_read(file, b, sizeof b, "the IDX sizes", error))
            return false;
        uint32_t size = (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
        if (!array_add_size(a, size, gz_path(file), at, error))
            return false;
    }
    return true;
}

static bool read_path(const char *path, const struct data_source *from, struct data_split *split,
                      struct data_field *field, struct data_error *error)
{
    struct array a;
    struct gz *file = gz_open(path, error);
    bool ok = file && read_head(file, &a, error) && array_read(file, &a, from, split, field, error);
    gz_close(file);
    return ok;
}

static bool read(const struct data_source *from, struct data_split *split, struct data_error *error)
{
    return read_path(from->samples[0], from, split, &split->sample, error) &&
           read_path(from->labels, from, split, &split->label, error);
}

static bool is_named_so(const char *name)
{
    enum data_part part;
    int label;
    return strstr(name, "-idx") || (data_named(name, &part, &label) && label >= 0);
}

static enum data_claim claim(const struct data_file *file, enum data_part *part, struct data_error *error)
{
    const char *name = file->name;
    int label;
    if (file->got < 4 || !is_magic(file->start)) {
        if (!is_named_so(name))
            return DATA_NOT_MINE;
        /* Its name promises IDX, so what is wrong with it matters: the reader says it. */
        struct data_source any = {0};
        struct data_split split = {0};
        read_path(file->path, &any, &split, &split.sample, error);
        free(split.sample.values);
        free(split.sample.path);
        return DATA_DAMAGED;
    }
    if (file->told)
        return DATA_MINE;
    if (!data_named(name, part, &label)) {
        data_fail(error, "%s: an IDX file that is neither named train... nor t10k... or test...", file->path);
        return DATA_DAMAGED;
    }
    *part += label < 0 ? file->start[3] == 1 : label;
    return DATA_MINE;
}

const struct data_format format_idx = {
    .name = "IDX",
    .usual = {"train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"},
    .claim = claim,
    .read = read,
};
