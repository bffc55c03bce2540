/* NumPy's archives: x_train, y_train, x_test and y_test (x_val, y_val) in one file, as Keras has its data sets, or arrays of other names that
 * `npz(file, x, y)` tells. */
#include "npy.h"
#include "zip.h"

#include "graph/word.h"

#include <stdlib.h>
#include <string.h>

static const char *const usual[DATA_PARTS] = {"x_train", "y_train", "x_test", "y_test", "x_val", "y_val"};

/* NULL: it is not there, and `error` tells what is. */
static const struct gz_part *find(const char *path, const struct zip *zip, const char *name, struct data_error *error)
{
    char file[256], all[400] = "";
    snprintf(file, sizeof file, "%s.npy", name);
    const struct gz_part *part = zip_find(zip, file);
    size_t used = 0;
    for (size_t i = 0; i < zip->n && used < sizeof all; i++) {
        const char *own = zip->part[i].name, *end = strstr(own, ".npy");
        used += (size_t)snprintf(all + used, sizeof all - used, "%s%.*s", i ? ", " : "",
                                 (int)(end && !end[4] ? end - own : (long)strlen(own)), own);
    }
    if (!part)
        data_fail(
            error,
            "%s: no array `%s` among %s; `data { train = npz(\"FILE\", \"SAMPLES\", \"LABELS\") }` says which they are",
            path, name, *all ? all : "none");
    return part;
}

static enum data_claim claim(const struct data_file *file, enum data_part *part, struct data_error *error)
{
    struct zip zip;
    const size_t length = strlen(file->name);
    const bool named = length > 4 && strcmp(file->name + length - 4, ".npz") == 0;
    if (file->got < 4 || memcmp(file->start, "PK\3\4", 4) != 0 || !(named || file->told))
        return DATA_NOT_MINE;
    if (file->told)
        return DATA_MINE;
    enum data_claim claim = DATA_DAMAGED;
    if (zip_read(file->path, &zip, error)) {
        *part = DATA_ALL_SAMPLES;
        claim = zip_find(&zip, "x_train.npy") || zip_find(&zip, "x_test.npy") ? DATA_MINE : DATA_NOT_TOLD;
        if (claim == DATA_NOT_TOLD)
            find(file->path, &zip, usual[TRAIN_SAMPLES], error);
    }
    zip_free(&zip);
    return claim;
}

static bool read_array(const char *path, const struct zip *zip, const char *name, const char *channels,
                       const struct data_source *from, struct data_split *split, struct data_field *field,
                       struct data_error *error)
{
    const struct gz_part *part = find(path, zip, name, error);
    return part && npy_read(zip_open(path, part, error), channels, from, split, field, error);
}

static bool read(const struct data_source *from, struct data_split *split, struct data_error *error)
{
    const bool word = from->where && strcmp(from->where->word->name, "npz") == 0;
    const char *path = from->samples[0], *channels = word ? from->where->text[3] : "auto";
    const char *x = word && *from->where->text[1] ? from->where->text[1] : usual[from->part],
               *y = word && *from->where->text[2] ? from->where->text[2] : usual[from->part + 1];
    struct zip zip;
    char file[16];
    snprintf(file, sizeof file, "%s.npy", usual[from->part]);
    bool ok = zip_read(path, &zip, error);
    if (ok && (from->where || zip_find(&zip, file)))
        ok = read_array(path, &zip, x, channels, from, split, &split->sample, error) &&
             read_array(path, &zip, y, channels, from, split, &split->label, error);
    zip_free(&zip);
    return ok;
}

const struct data_format format_npz = {
    .name = "NumPy's archive",
    .usual = {[TRAIN_SAMPLES] = "an .npz with x_train, y_train, x_test and y_test"},
    .word = "npz",
    .claim = claim,
    .read = read,
};
