/* What the readers of image formats share: image.c reads the file, and tells its format by the first bytes. */
#ifndef IMAGE_SOURCE_H
#define IMAGE_SOURCE_H

#include "data.h"

#include <xxhash.h>

/* The whole file, and how far it has been understood. */
struct image_source {
    const char *path;
    unsigned char *bytes; /* a zero follows the last one */
    size_t size, at;
    XXH128_hash_t stamp; /* of the file, from before it was read; 0: not settled (regular_file.h) */
};

/* The whole of a regular file, to be freed; false after a message, and then bytes may be there too. image.c */
bool image_load(const char *path, struct image_source *source, struct data_error *error);

/* What the caller wants, and where it goes. */
struct image_wanted {
    int64_t channels, height, width;
    enum data_type type;
    void *out;
};

bool image_is_vector(const struct image_wanted *wanted); /* any shape of as many values will do */
/* Of [channels, height, width] in order. */
void image_store(const struct image_wanted *wanted, int64_t index, float value);
/* The whole number at `at`, behind spaces and comments of PNM, and moves on. */
bool image_read_number(struct image_source *source, uint32_t most, uint32_t *number, struct data_error *error);

/* An array [channels, height, width], u8 or f32, dimensions of 1 in front left out or added. */
bool image_read_npy(struct image_source *source, struct image_wanted *wanted, struct data_error *error);

#endif
