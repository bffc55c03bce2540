/* format_masks.c: pictures, and for each a mask, a PNG of class indices: images/a.jpg and masks/a.png. */
#include "each_file.h"

static bool read(const struct data_source *from, struct data_split *split, struct data_error *error)
{
    struct each_kind kind = each_picture;
    kind.mask = picture_mask;
    return each_file_read(&kind, from, split, error);
}

const struct data_format format_masks = {
    .name = "pictures with masks",
    .is = picture_is,
    .ends = picture_ends,
    .masks = true,
    .read = read,
};
