/* sources.c: what `train` and `test` of the data name: from where samples are read. Which bytes that takes is the formats' business:
 * the one whose row in runtime/data has the word, or of `files` that which knows its own. */
#include "graph/word.h"

static const char *const channels[] = {"auto", "first", "last", NULL};
static const char *const labels[] = {"fine", "coarse", NULL};

/* clang-format off */
#define CHANNELS {.name = "channels", .help = "of images: last is [n, h, w, c]", .type = ARG_TEXT, .choice = channels}
static const struct word word[] = {
    {.kind = WORD_SOURCE, .name = "files", .doc = "a folder, or a file of samples and one of their labels",
     .arg = {{.name = "samples", .help = "a file or folder", .type = ARG_TEXT, .required = true, .path = true},
             {.name = "labels", .help = "a file; left out: they are in that of the samples", .type = ARG_TEXT, .path = true}}},
    {.kind = WORD_SOURCE, .name = "npy", .doc = "two arrays of NumPy",
     .arg = {{.name = "samples", .help = "a file", .type = ARG_TEXT, .required = true, .path = true},
             {.name = "labels", .help = "a file", .type = ARG_TEXT, .required = true, .path = true},
             CHANNELS}},
    {.kind = WORD_SOURCE, .name = "npz", .doc = "two arrays of an archive of NumPy",
     .arg = {{.name = "file", .help = "an archive", .type = ARG_TEXT, .required = true, .path = true},
             {.name = "x", .help = "the array of samples; left out: x_train or x_test", .type = ARG_TEXT},
             {.name = "y", .help = "the array of labels; left out: y_train or y_test", .type = ARG_TEXT},
             CHANNELS}},
    {.kind = WORD_SOURCE, .name = "cifar100", .doc = "a file of CIFAR-100",
     .arg = {{.name = "file", .help = "train.bin or test.bin", .type = ARG_TEXT, .required = true, .path = true},
             {.name = "label", .help = "fine: one of 100; coarse: one of 20", .type = ARG_TEXT, .choice = labels}}},
};
/* clang-format on */

const struct module module_sources = {NULL, 0, word, COUNT(word)};
