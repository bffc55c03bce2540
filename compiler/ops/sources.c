/* sources.c: what `train` and `test` of the data name: from where samples are read. Which bytes that takes is the formats' business:
 * the one whose row in runtime/data has the word, or of `files` that which knows its own. */
#include "graph/word.h"

/* clang-format off */
static const struct word word[] = {
    {.kind = WORD_SOURCE, .name = "files", .doc = "a folder, or a file of samples and one of their labels",
     .arg = {{.name = "samples", .help = "a file or folder", .type = ARG_TEXT, .required = true, .path = true},
             {.name = "labels", .help = "a file; left out: they are in that of the samples", .type = ARG_TEXT, .path = true}}},
};
/* clang-format on */

const struct module module_sources = {NULL, 0, word, COUNT(word)};
