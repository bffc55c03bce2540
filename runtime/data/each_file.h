/* each_file.h: samples in files of their own, one a file, in a folder for each class (tree.c): decoded by all cores, and made alike by
 * the transforms at once. A kind of such files is a row, of format_pictures.c or format_sounds.c. */
#ifndef EACH_FILE_H
#define EACH_FILE_H

#include "format.h"
#include "picture.h"

enum { EACH_TEXT = 80 };

struct each_kind {
    const char *one;     /* "picture" */
    enum data_type type; /* of the values */
    bool sound;
    picture_reader *read;
    picture_reader *mask; /* of the file that is the label, as large as the sample; NULL: the folder is its class */
    /* Size for people, such as "3 wide and 5 high". */
    void (*say)(const struct pixels *p, char text[EACH_TEXT]);
    /* What the transforms have left of one is as it is of the first, whose file is `path`; or says what makes it so. */
    bool (*alike)(const struct pixels *p, const struct pixels *first, const char *path, struct data_error *error);
};

extern const struct each_kind each_picture; /* format_pictures.c */

/* As `read` of a format. */
bool each_file_read(const struct each_kind *kind, const struct data_source *from, struct data_split *split,
                    struct data_error *error);

#endif
