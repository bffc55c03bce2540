/* format_csv.c: a table: CSV or TSV with the names of the columns in its first row; the network says which of them is the target. */
#include "csv_table.h"

#include <stdlib.h>
#include <string.h>

static bool read(const struct data_source *from, struct data_split *split, struct data_error *error)
{
    struct csv_table t;
    if (!from->wish.columns)
        return data_fail(error,
                         "%s: a table, of which the network names no column; write for example "
                         "`target y : class[3] from \"species\"`",
                         from->samples[0]);
    bool ok = csv_table_read(from->samples[0], from, false, &t, error);
    if (ok) {
        *split = t.split;
        t.split = (struct data_split){.count = 0};
    }
    csv_table_close(&t);
    return ok;
}

/* By its name. A file whose name does not say that it is for testing is for training. */
static enum data_claim claim(const struct data_file *file, enum data_part *part, struct data_error *error)
{
    (void)error;
    *part = strncasecmp(file->name, "test", 4) == 0  ? TEST_SAMPLES
            : strncasecmp(file->name, "val", 3) == 0 ? HOLDOUT_SAMPLES
                                                     : TRAIN_SAMPLES;
    return csv_is(file->name) ? DATA_MINE : DATA_NOT_MINE;
}

const struct data_format format_csv = {
    .name = "table",
    .usual = {[TRAIN_SAMPLES] = "train.csv", [TEST_SAMPLES] = "test.csv"},
    .table = true,
    .claim = claim,
    .read = read,
};
