/* What --predict is asked for. */
#ifndef ASKED_H
#define ASKED_H

#include "run.h"

/* A file, a table of `count` rows, or samples [first, first + count) of the test set. */
struct asked_part {
    char *path;
    struct csv_table *table;
    int64_t first, count;
};

struct asked {
    struct job *job;
    int64_t parts, room;
    struct asked_part *part;
    int64_t samples;         /* of all parts */
    bool files, tables, set; /* there are parts of this kind */
    bool known;              /* the target of some rows is */
};

/* Numbers and the word `test` mean the test set, whatever files there are: ./7 and ./test are files. A folder gives
 * its images in the order of their names, and says what it passed over. A status, 0 if it was added. */
int asked_add(struct asked *a, const char *what);
void asked_free(struct asked *a);

#endif
