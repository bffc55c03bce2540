/* PNG (W3C Recommendation, third edition) through libpng: pixels as the file stores them, as Pillow takes them. */
#ifndef IMAGE_PNG_H
#define IMAGE_PNG_H

#include "base/data_error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct png_reader; /* a file that is being read */

/* The PNG in these bytes, which stay the caller's; `path` for messages. NULL if it is damaged. */
struct png_reader *png_reader_open(const char *path, const unsigned char *bytes, size_t size, uint32_t *height,
                                   uint32_t *width, struct data_error *error);
/* Its pixels [H, W, *channels], 1 (grey) or 3, 0..255, whatever their depth; to be freed. gAMA and colour profiles change
 * nothing. Transparent pixels are laid over white, in stored values; *transparent says whether there were any. */
unsigned char *png_reader_pixels(struct png_reader *reader, int *channels, bool *transparent, struct data_error *error);
void png_reader_close(struct png_reader *reader);

#endif
