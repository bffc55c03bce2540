/* printable.c: text of others, on a terminal. */
#include "printable.h"

#include "base.h"

#include <string.h>

enum { TAB = 4 };

/* One code point from `n` bytes; -1 if they do not start with valid UTF-8. */
static int decode(const unsigned char *s, size_t n, int *length)
{
    *length = 1;
    if (s[0] < 0x80)
        return s[0];
    int more = s[0] >= 0xF0 ? 3 : s[0] >= 0xE0 ? 2 : 1;
    static const int least[] = {0, 0x80, 0x800, 0x10000};
    if (s[0] < 0xC2 || s[0] > 0xF4 || (size_t)more >= n)
        return -1;
    int c = s[0] & (0x3F >> more);
    for (int i = 1; i <= more; i++) {
        if ((s[i] & 0xC0) != 0x80)
            return -1;
        c = c << 6 | (s[i] & 0x3F);
    }
    if (c < least[more] || c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF))
        return -1;
    *length = more + 1;
    return c;
}

/* Controls could change the terminal, direction marks could show other text than is there. */
static bool printable(int c)
{
    return c >= 0x20 && c != 0x7F && !(c >= 0x80 && c < 0xA0) && !(c >= 0x200B && c <= 0x200F) &&
           !(c >= 0x2028 && c <= 0x202E) && !(c >= 0x2060 && c <= 0x206F) && c != 0xFEFF;
}

static void add_cell(struct region *r, struct shown *row, const char *bytes, int n)
{
    region_grow(r, row->cell, row->ncell);
    struct cell *c = &row->cell[row->ncell++];
    memcpy(c->byte, bytes, (size_t)n);
    c->n = n;
}

struct shown printable_text(struct region *r, const char *text, size_t length)
{
    struct shown row = {.nbyte = (int)length};
    row.column = region_alloc(r, length + 1, sizeof *row.column);
    for (size_t i = 0; i < length;) {
        int used, c = decode((const unsigned char *)text + i, length - i, &used);
        for (int k = 0; k < used; k++)
            row.column[i + (size_t)k] = row.ncell;
        if (c == '\t') {
            do
                add_cell(r, &row, " ", 1);
            while (row.ncell % TAB);
        } else if (c >= 0 && printable(c)) {
            add_cell(r, &row, text + i, used);
        } else {
            char escape[16];
            int n = c > 0xFF ? snprintf(escape, sizeof escape, "\\u%04X", (unsigned)c)
                             : snprintf(escape, sizeof escape, "\\x%02X", (unsigned char)text[i + (size_t)used - 1]);
            for (int k = 0; k < n; k++)
                add_cell(r, &row, &escape[k], 1);
        }
        i += (size_t)used;
    }
    row.column[length] = row.ncell;
    return row;
}

void printable_put(FILE *out, const struct shown *row, int from, int to)
{
    for (int i = from; i < to && i < row->ncell; i++)
        fwrite(row->cell[i].byte, 1, (size_t)row->cell[i].n, out);
}
