/* picture.h: pixels of a picture in memory: PNG, JPEG, PGM or PPM, told by its first bytes. picture_NAME.c reads a format. */
#ifndef PICTURE_H
#define PICTURE_H

#include "image_source.h"

#include "base/pixels.h"

/* Asked when all but `transparent` is known, before the pixels are unpacked. False, with the reason: they are not wanted. */
typedef bool picture_fits(void *wanted, const struct pixels *p, struct data_error *error);

enum { PICTURE_START = 12 };
extern const char picture_formats[]; /* for messages: "PNG, JPEG, PGM, PPM (P2, P3, P5, P6)" */
extern const char picture_ends[];    /* of the names that they mostly have */
/* Do its first bytes, with zeros behind the end of a shorter file, say that it is one? */
bool picture_is(const unsigned char start[PICTURE_START]);
/* As people see it: the EXIF orientation of a JPEG or PNG is obeyed. p->at is to be freed; NULL after a message. */
bool picture_read(struct image_source *source, picture_fits *fits, void *wanted, struct pixels *p,
                  struct data_error *error);

/* ---- the formats ---- */

/* What a reader does once it knows height, width and channels. */
bool picture_wanted(const struct image_source *source, picture_fits *fits, void *wanted, const struct pixels *p,
                    struct data_error *error);
typedef bool picture_reader(struct image_source *source, picture_fits *fits, void *wanted, struct pixels *p,
                            struct data_error *error);
/* W3C Recommendation, third edition, through libpng. gAMA and colour profiles change nothing, as in Pillow. */
picture_reader picture_png;
/* Of a mask the values as they are stored, which are classes: grey or palette, of at most 8 bits. */
picture_reader picture_mask;
/* ITU-T T.81 through libjpeg-turbo, with its default inverse DCT and smooth chroma, as Pillow has it; CMYK becomes colour as there.
 * A file that ends early is refused. */
picture_reader picture_jpeg;
/* Netpbm's PGM and PPM, as text or bytes, to 16 bits. */
picture_reader picture_pnm;

#endif
