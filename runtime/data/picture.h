/* picture.h: pixels of a picture in memory: PNG, JPEG, PGM or PPM, told by its first bytes. picture_NAME.c reads a format. */
#ifndef PICTURE_H
#define PICTURE_H

#include "image_source.h"

/* Rows of pixels from the top, as people see them: a JPEG's EXIF orientation is obeyed. */
struct picture {
    uint32_t height, width; /* height * width <= PICTURE_MOST */
    int channels;           /* 1: grey, 3: red, green and blue, side by side */
    bool transparent;       /* some pixels were, more or less: they are laid over white */
    unsigned char *pixels;  /* [height, width, channels], 0..255 whatever the depth; to be freed */
};
#define PICTURE_MOST ((uint64_t)1 << 28) /* more pixels are taken for damage, or for a trap */

/* Asked when all but `transparent` is known, before the pixels are unpacked. False, with the reason: they are not wanted. */
typedef bool picture_fits(void *wanted, const struct picture *p, struct data_error *error);

enum { PICTURE_START = 8 };
extern const char picture_formats[]; /* for messages: "PNG, JPEG, PGM, PPM (P2, P3, P5, P6)" */
/* Do its first bytes, with zeros behind the end of a shorter file, say that it is one? */
bool picture_is(const unsigned char start[PICTURE_START]);
/* False after a message; pixels is NULL then. */
bool picture_read(struct image_source *source, picture_fits *fits, void *wanted, struct picture *p,
                  struct data_error *error);

/* ---- the formats ---- */

/* What a reader does once it knows height, width and channels. */
bool picture_wanted(const struct image_source *source, picture_fits *fits, void *wanted, const struct picture *p,
                    struct data_error *error);
typedef bool picture_reader(struct image_source *source, picture_fits *fits, void *wanted, struct picture *p,
                            struct data_error *error);
/* W3C Recommendation, third edition, through libpng. gAMA and colour profiles change nothing, as in Pillow. */
picture_reader picture_png;
/* ITU-T T.81 through libjpeg-turbo, with its default inverse DCT and smooth chroma, as Pillow has it; CMYK becomes colour as there.
 * A file that ends early is refused. */
picture_reader picture_jpeg;
/* Netpbm's PGM and PPM, as text or bytes, to 16 bits. */
picture_reader picture_pnm;

#endif
