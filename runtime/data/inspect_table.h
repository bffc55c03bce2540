/* inspect_table.h: what the columns of a folder's tables hold, whatever a network makes of them. */
#ifndef INSPECT_TABLE_H
#define INSPECT_TABLE_H

#include "base/data_error.h"

#include <stdint.h>

enum { TABLE_LISTED = 8 }; /* different texts of a column */

struct table_column {
    char *name;
    int64_t missing, numbers, texts;
    double min, max, mean; /* of the numbers */
    int different;         /* texts; TABLE_LISTED + 1: more */
    char *text[TABLE_LISTED];
};

struct table_seen {
    const char *path;
    int64_t rows, columns;
    const struct table_column *column;
};

/* Of each table of a folder. *is false: it has none, and nothing is taken. */
bool table_see(const char *folder, void (*take)(void *context, const struct table_seen *t), void *context, bool *is,
               struct data_error *error);

#endif
