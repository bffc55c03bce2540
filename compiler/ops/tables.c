/* tables.c: transforms that say which columns of a table are inputs, and what they become; applied once, when it is read. */
#include "graph/word.h"

/* clang-format off */
static const char *const with[] = {"mean", NULL};
static const struct word word[] = {
    {.kind = WORD_TRANSFORM, .name = "Drop", .doc = "columns that are no inputs", .use = COLUMN_DROP,
     .arg = {{.name = "columns", .help = "their names", .type = ARG_TEXTS, .required = true}}},
    {.kind = WORD_TRANSFORM, .name = "OneHot", .doc = "a column of text: a number for each value, 1 for the one that is there, else 0", .use = COLUMN_CATEGORY,
     .arg = {{.name = "column", .help = "its name", .type = ARG_TEXT, .required = true},
             {.name = "values", .help = "all that it may hold", .type = ARG_TEXTS, .required = true}}},
    {.kind = WORD_TRANSFORM, .name = "Missing", .doc = "numbers that are missing become the mean of their column in the training set", .use = COLUMN_FILL,
     .arg = {{.name = "with", .help = "what takes their place", .type = ARG_TEXT, .required = true, .choice = with}}},
};
/* clang-format on */

const struct module module_tables = {NULL, 0, word, COUNT(word)};
