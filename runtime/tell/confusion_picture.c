/* confusion_picture.c: the confusion matrix as a picture: a sheet whose images are of one pixel. */
#include "confusion.h"
#include "data/font.h"

#include <math.h>
#include <stdlib.h>

enum { RGB = 3, NAME = 24, NUMBERED = 30, MOST = 100, LARGE = 44, LARGER = 72, SMALL = 7 };

struct matrix {
    float *shade; /* [cells][RGB] */
    struct sheet_cell *cell;
    char (*text)[NAME]; /* of each cell */
    char (*label)[NAME];
    const char **row;
};

/* From white to blue where it is right, to red where it is wrong; by the share of a class, of which the root shows small ones. */
static void paint(float rgb[RGB], bool right, double share)
{
    static const float full[2][RGB] = {{0.70F, 0.15F, 0.12F}, {0.12F, 0.36F, 0.62F}};
    for (int i = 0; i < RGB; i++)
        rgb[i] = 1 - (1 - full[right][i]) * (float)sqrt(share);
}

static void name_class(const struct confusion *c, int64_t class, char text[NAME])
{
    if (class < c->names)
        snprintf(text, NAME, "%s", c->name[class]);
    else
        snprintf(text, NAME, "%lld", (long long)class);
}

static void put(const struct confusion *c, struct matrix *m, int64_t truth, int64_t predicted, int64_t n)
{
    const int64_t at = (truth + 1) * c->classes + predicted, all = c->count[truth].samples;
    paint(m->shade + at * RGB, truth == predicted, all > 0 ? (double)n / (double)all : 0);
    m->cell[at].image = m->shade + at * RGB;
    if (c->classes <= NUMBERED && n > 0) {
        snprintf(m->text[at], NAME, "%lld", (long long)n);
        m->cell[at].line[0] = (struct sheet_line){m->text[at], truth == predicted ? 0x1f5c9e : 0xb3261e};
    }
}

/* Below the names of what was predicted, a row for each class that was there. */
static void fill(const struct confusion *c, struct matrix *m)
{
    m->row[0] = "";
    for (int64_t k = 0; k < c->classes; k++) {
        name_class(c, k, m->label[k]);
        m->row[k + 1] = m->label[k];
        if (c->classes <= NUMBERED)
            m->cell[k].line[0] = (struct sheet_line){m->label[k], 0x5f5f5f};
        for (int64_t i = 0; i < c->classes; i++)
            put(c, m, k, i, i == k ? c->count[k].right : 0);
    }
    for (const struct class_pair *p = c->pair; p < c->pair + c->pairs; p++)
        if (p->predicted >= 0)
            put(c, m, p->truth, p->predicted, p->n);
}

/* Pixels of a cell: room for a name. */
static int side_of(const struct confusion *c)
{
    int side = c->classes <= NUMBERED ? LARGE : SMALL;
    for (int64_t k = 0; k < c->names && k < c->classes && c->classes <= NUMBERED; k++) {
        const int wanted = FONT_STEP * text_columns(c->name[k]);
        side = wanted > side ? wanted : side;
    }
    return side < LARGER ? side : LARGER;
}

bool confusion_draw(const struct confusion *c, struct picture *p, struct data_error *e)
{
    *p = (struct picture){0};
    if (c->classes < 1 || c->classes > MOST)
        return data_fail(e, "of %lld classes no matrix is drawn", (long long)c->classes);
    const size_t n = (size_t)c->classes, cells = (n + 1) * n;
    struct matrix m = {calloc(cells, RGB * sizeof *m.shade), calloc(cells, sizeof *m.cell),
                       calloc(cells, sizeof *m.text), calloc(n, sizeof *m.label), calloc(n + 1, sizeof *m.row)};
    bool good = m.shade && m.cell && m.text && m.label && m.row;
    if (good) {
        fill(c, &m);
        const struct sheet s = {.type = DATA_F32,
                                .channels = RGB,
                                .height = 1,
                                .width = 1,
                                .white = 1,
                                .cells = (int64_t)cells,
                                .columns = c->classes,
                                .cell = m.cell,
                                .scale = side_of(c),
                                .text = 1,
                                .title = "rows: what it is; columns: what it was taken for",
                                .row = m.row};
        good = sheet_draw(&s, p, e);
    } else
        data_fail(e, "no memory for a matrix of %lld classes", (long long)c->classes);
    free(m.shade);
    free(m.cell);
    free(m.text);
    free(m.label);
    free(m.row);
    return good;
}
