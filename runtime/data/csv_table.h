/* csv_table.h: the columns of a CSV or TSV file as samples and targets, as the transforms of a network have it. */
#ifndef CSV_TABLE_H
#define CSV_TABLE_H

#include "csv.h"
#include "format.h"
#include "store.h"

#include "base/base.h"
#include "graph/columns.h"

struct csv_table {
    struct data_split split; /* F32 [n] samples; I32 classes, or F32 [targets] */
    int64_t *line;           /* of the file, of each sample */
    bool labelled;           /* the columns of the target are there */
    /* While it is read: the samples, and the labels that differ, whose numbers, in the order of the rows, the labels are. */
    struct store store;
    struct lookup texts;
    int ntext;
    const char **text;
    struct region *region; /* of all names and texts */
    struct csv csv;
};

/* Reads a file whose first row names the columns. `set` has the inputs in their order and the names of classes, if they are known
 * already: of the training set, or, where the wish names them, of the weights; else they are taken from this file. Where a network
 * predicts, columns that are no inputs may be missing. To be freed with csv_table_close, after a failure
 * as well. */
bool csv_table_read(const char *path, const struct data_source *from, bool predicts, struct csv_table *t,
                    struct data_error *error);
void csv_table_close(struct csv_table *t);

/* csv_classes.c: t->text as classes: numbers from 0 on, or names. */
bool csv_classes(struct csv_table *t, const struct data_wish *wish, struct dataset *set, struct data_error *error);

#endif
