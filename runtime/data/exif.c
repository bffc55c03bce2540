#include "exif.h"

#include <stdlib.h>
#include <string.h>

static uint32_t number(const unsigned char *at, int bytes, bool big)
{
    uint32_t value = 0;
    for (int i = 0; i < bytes; i++)
        value = value << 8 | at[big ? i : bytes - 1 - i];
    return value;
}

int exif_orientation(const unsigned char *b, size_t size)
{
    enum { ENTRY = 12, TAG = 0x0112, SHORT = 3 };
    if (size < 8)
        return 1;
    const bool big = b[0] == 'M';
    uint64_t at = number(b + 4, 4, big);
    if (at + 2 > size)
        return 1;
    for (uint32_t n = number(b + at, 2, big), i = 0; i < n; i++) {
        uint64_t entry = at + 2 + (uint64_t)ENTRY * i;
        if (entry + ENTRY > size)
            break;
        uint32_t value = number(b + entry + 8, 2, big);
        if (number(b + entry, 2, big) == TAG && number(b + entry + 2, 2, big) == SHORT && value >= 1 && value <= 8)
            return (int)value;
    }
    return 1;
}

/* What is stored as rows is seen as columns from orientation 5 on; some begin with the last row or column. */
bool exif_turn(struct pixels *p, int orientation)
{
    static const bool last_row[] = {[3] = 1, [4] = 1, [6] = 1, [7] = 1, [8] = 0},
                      last_column[] = {[2] = 1, [3] = 1, [7] = 1, [8] = 1};
    const int64_t height = p->height, width = p->width, n = p->channels;
    unsigned char *from = p->at;
    if (orientation == 1)
        return true;
    if (!(p->at = malloc((size_t)(height * width * n)))) {
        p->at = from;
        return false;
    }
    p->height = orientation >= 5 ? width : height;
    p->width = orientation >= 5 ? height : width;
    for (int64_t y = 0; y < p->height; y++)
        for (int64_t x = 0; x < p->width; x++) {
            int64_t row = orientation >= 5 ? x : y, column = orientation >= 5 ? y : x;
            row = last_row[orientation] ? height - 1 - row : row;
            column = last_column[orientation] ? width - 1 - column : column;
            memcpy(p->at + (y * p->width + x) * n, from + (row * width + column) * n, (size_t)n);
        }
    free(from);
    return true;
}
