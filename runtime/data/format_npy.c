/* NumPy's arrays, one a file: x_train.npy, y_train.npy and so on, or those that `npy(samples, labels)` names. */
#include "npy.h"

#include "graph/word.h"

#include <string.h>

static enum data_claim claim(const struct data_file *file, enum data_part *part, struct data_error *error)
{
    const char *name = file->name;
    int label;
    if (file->got < DATA_START || !npy_is(file->start))
        return DATA_NOT_MINE;
    if (file->told)
        return DATA_MINE;
    bool named = data_named(name, part, &label);
    if (!named && strstr(name, "val")) {
        *part = HOLDOUT_SAMPLES;
        named = true;
    }
    label = label >= 0 ? label : *name == 'y' ? 1 : *name == 'x' ? 0 : -1;
    *part += label == 1;
    if (named && label >= 0)
        return DATA_MINE;
    data_fail(
        error,
        "%s: of the data by its name? expected x_train.npy, y_train.npy, x_test.npy and y_test.npy; `data { train = "
        "npy(\"SAMPLES\", \"LABELS\") }` names others",
        file->path);
    return DATA_NOT_TOLD;
}

static bool read(const struct data_source *from, struct data_split *split, struct data_error *error)
{
    const bool word = from->where && strcmp(from->where->word->name, "npy") == 0;
    const char *channels = word ? from->where->text[2] : "auto";
    return npy_read(gz_open(from->samples[0], error), channels, from, split, &split->sample, error) &&
           npy_read(gz_open(from->labels, error), channels, from, split, &split->label, error);
}

const struct data_format format_npy = {
    .name = "NumPy's arrays",
    .usual = {"x_train.npy", "y_train.npy", "x_test.npy", "y_test.npy", "x_val.npy", "y_val.npy"},
    .word = "npy",
    .claim = claim,
    .read = read,
};
