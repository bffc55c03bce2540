#include "fuzz.h"

#include "data/csv_table.h"

/* The first byte says of what kind the target is, and whether it may be missing. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const char *const kind[] = {"p", "q", ""};
    static struct column_rule rule[] = {{.use = COLUMN_TARGET, .name = "y"},
                                        {.use = COLUMN_DROP, .name = "n"},
                                        {.use = COLUMN_CATEGORY, .name = "k", .n = 3, .value = kind}};
    const unsigned choice = size > 0 ? *bytes : 0;
    const struct columns columns = {.n = choice & 8 ? 1 : 3, .targets = 1, .rule = rule, .fills = choice & 4};
    struct dataset set = {0};
    const struct data_source from = {.wish = {.columns = &columns, .classes = choice & 2 ? 3 : 0}, .set = &set};
    char path[64];
    snprintf(path, sizeof path, "%s/%s", FUZZ_FOLDER, fuzz_file(bytes + (size > 0), size - (size > 0)));
    struct csv_table t;
    struct data_error error;
    if (csv_table_read(path, &from, choice & 1, &t, &error)) {
        volatile unsigned char seen = 0;
        for (uint64_t i = 0; i < (uint64_t)t.split.count * t.split.sample.bytes; i++)
            seen ^= t.split.sample.values[i];
        for (uint64_t i = 0; t.labelled && i < (uint64_t)t.split.count * t.split.label.bytes; i++)
            seen ^= t.split.label.values[i];
        (void)seen;
        set.train = t.split;
        t.split = (struct data_split){.count = 0};
    }
    csv_table_close(&t);
    data_close(&set);
    return 0;
}
