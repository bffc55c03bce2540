/* zip.h: the directory of a ZIP archive, as numpy.savez writes one: PKWARE's APPNOTE.TXT 6.3, without encryption, archives of several
 * files, and files of 4 GiB and more (zip64). */
#ifndef ZIP_H
#define ZIP_H

#include "gz.h"

struct zip {
    size_t n;
    struct gz_part *part; /* at: of its local header, which zip_open reads on from */
};

/* Needs zip_free, after a failure as well. Sizes and places lie within the file, and nothing is larger than DEFLATE can make it. */
bool zip_read(const char *path, struct zip *zip, struct data_error *error);
void zip_free(struct zip *zip);
const struct gz_part *zip_find(const struct zip *zip, const char *name); /* NULL: there is none */
struct gz *zip_open(const char *path, const struct gz_part *part, struct data_error *error);

#endif
