/* exif.h: how a camera was held (EXIF 2.32, 4.6: tag 0x0112 of the first directory says which row and column come first). */
#ifndef EXIF_H
#define EXIF_H

#include "picture.h"

/* 1 to 8; 1, as it is stored, where the bytes, those of a TIFF file, do not say. */
int exif_orientation(const unsigned char *bytes, size_t size);
/* From there on as people see it. False: out of memory. */
bool exif_turn(struct pixels *p, int orientation);

#endif
