/* One image from a file, for prediction: a picture (picture.h), a sound (sound.h) or .npy, recognised by content.
 *
 * Pixels of pictures come out as 0..255, whatever their depth, in the order [C, H, W]; the transforms of the
 * plan scale them, as they scale the training data. Nothing is inverted: a digit must be light on dark if the training
 * data are. Transparent pixels are laid over white; colour becomes grey by the luma weights of ITU-R BT.601; grey
 * becomes colour by repetition. The values of .npy files and of sounds are taken as they are. */
#ifndef IMAGE_H
#define IMAGE_H

#include "data.h"

#include <stdint.h>

/* Does the file begin as one of these formats does? */
bool image_is(const char *path);

/* What a message may need to know of a file. */
struct image_seen {
    bool transparent; /* some pixels were, and are mixed with white now */
    int rate;         /* of a sound: values a second */
};

/* Reads channels * height * width values of type F32 or U8 into `out`. Pictures need 1 or 3 channels. A .npy array
 * is in C order; its shape must be [channels, height, width], where sizes of 1 in front may be there or not
 * (so [H, W] and [1, 1, H, W] are fine). Where channels and height are 1, width is the size of a vector, and any image or array
 * of as many values will do. For U8, its values must be whole numbers 0..255. An image of another size is
 * an error that names both sizes; nothing is resized but by the transforms `step`. */
bool image_read(const char *path, const struct picture_step *step, int steps, int64_t channels, int64_t height,
                int64_t width, enum data_type type, void *out, struct image_seen *seen, struct data_error *error);

#endif
