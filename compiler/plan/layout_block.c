/* layout_block.c: [N / ROW_BLOCK][C][H][W][ROW_BLOCK samples], so that vector lanes and threads of a warp are samples. */
#include "layout.h"

const struct layout layout_block = {
    .name = "block",
    .samples = ROW_BLOCK,
    .align = 1,
};
