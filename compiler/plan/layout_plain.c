/* layout_plain.c: [N][C][H][W], one sample after the other, each at a multiple of PLACE_ALIGN. */
#include "layout.h"

const struct layout layout_plain = {
    .name = "plain",
    .samples = 1,
    .align = PLACE_ALIGN,
};
