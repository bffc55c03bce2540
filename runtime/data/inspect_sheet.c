/* inspect_sheet.c: a page of images, a row for each class. */
#include "sheet.h"

#include <inttypes.h>
#include <stdlib.h>

enum {
    COLUMNS = 10, /* images of a class */
    ROWS = 100,   /* classes, or rows of images without classes */
    LABEL = 80,   /* bytes of a class's number and name */
};

static const void *image(const struct data_split *split, int64_t i)
{
    return split->sample.values + (uint64_t)i * split->sample.bytes;
}

/* The first images of each class, in their order. */
static void choose(const struct data_split *split, int64_t classes, int64_t rows, struct sheet_cell *cell)
{
    int64_t chosen[ROWS] = {0}, all = classes ? 0 : rows * COLUMNS;
    for (int64_t i = 0; i < split->count && i < all; i++)
        cell[i].image = image(split, i);
    for (int64_t i = 0; i < split->count && classes; i++) {
        int64_t class = data_class(split, i);
        if (class < rows && chosen[class] < COLUMNS)
            cell[class * COLUMNS + chosen[class]++].image = image(split, i);
    }
}

bool inspect_sheet(const struct dataset *set, const char *path, FILE *say, struct data_error *error)
{
    const struct data_split *split = data_first(set);
    const struct data_field *f = &split->sample;
    static char label[ROWS][LABEL];
    const char *row[ROWS];
    struct sheet_cell cell[ROWS * COLUMNS] = {{0}};
    int64_t rows = set->classes ? set->classes : (split->count + COLUMNS - 1) / COLUMNS;
    rows = rows < ROWS ? rows : ROWS;
    if (data_is_mask(&split->label) && data_is_image(f))
        return masks_sheet(set, path, say, error);
    if (!data_is_image(f))
        return data_fail(error, "%s: these samples are no images [C, H, W], so there is no sheet of them", f->path);
    for (int64_t k = 0; k < rows; k++) {
        snprintf(label[k], LABEL, "%" PRId64 "%s%s", k, k < set->class_names ? " " : "",
                 k < set->class_names ? set->class_name[k] : "");
        row[k] = label[k];
    }
    choose(split, set->classes, rows, cell);
    const struct sheet s = {.type = f->type,
                            .channels = f->dims[0],
                            .height = f->dims[1],
                            .width = f->dims[2],
                            .cells = rows * COLUMNS,
                            .columns = COLUMNS,
                            .cell = cell,
                            .row = set->classes ? row : NULL};
    if (!sheet_save(&s, path, error))
        return false;
    fprintf(say, "\n%s: ", path);
    if (set->classes > rows)
        fprintf(say, "the first %" PRId64 " classes, ", rows);
    fprintf(say, set->classes ? "%d images of each class\n" : "the first images\n", COLUMNS);
    return true;
}
