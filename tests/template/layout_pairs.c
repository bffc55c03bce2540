/* layout_pairs.c: a layout that is added by this file, of compiler/plan/: two samples side by side, each at a multiple of 32 bytes. */
#include "plan/layout.h"

const struct layout layout_pairs = {
    .name = "pairs",
    .samples = 2,
    .align = 32,
};
