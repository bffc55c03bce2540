/* Images in a grid, each with lines of text below it, as a PNG: for files, for pages and for whoever takes a picture. */
#ifndef SHEET_H
#define SHEET_H

#include "data.h"

enum { SHEET_LINES = 3 };

struct sheet_line {
    const char *text; /* NULL: none. UTF-8, cut to the width of the cell; the font has ASCII */
    uint32_t colour;  /* 0xRRGGBB; 0: black */
};

struct sheet_cell {
    const void *image; /* [channels, height, width]; NULL: nothing is drawn there */
    struct sheet_line line[SHEET_LINES];
};

struct sheet {
    enum data_type type; /* of the values: DATA_U8, 0 black, or DATA_F32 */
    int64_t channels, height,
        width;              /* of every image; 3 channels are red, green, blue, of other numbers the mean is drawn */
    float black, white;     /* F32: these values; equal: what sheet_range() finds */
    int64_t cells, columns; /* row by row */
    const struct sheet_cell *cell;
    int scale, text;        /* pixels of a pixel, and of a dot of the font; 0: a cell has room for about a name */
    const char *title;      /* NULL: none */
    const char *const *row; /* what stands on the left of each row of cells; NULL: nothing */
};

/* A PNG in memory. */
struct picture {
    unsigned char *png;
    size_t bytes;
    int64_t height, width;
    int channels; /* 3: red, green, blue */
};

/* Takes down what is drawn black and white: 0 and 1 if all values lie there, 0 and 255 if they lie there, or else the least and the
 * largest. Values that are not finite are passed over. */
void sheet_range(struct sheet *s);
/* False: out of memory, or more than 2^27 pixels. */
bool sheet_draw(const struct sheet *s, struct picture *p, struct data_error *error);
/* The same, to a file, which is replaced in one piece. */
bool sheet_save(const struct sheet *s, const char *path, struct data_error *error);
void picture_free(struct picture *p);

#endif
