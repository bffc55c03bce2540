/* sheet.c: a grid of images is laid out, drawn and made a PNG. */
#include "sheet.h"

#include "base/atomic_file.h"
#include "font.h"

#include <inttypes.h>
#include <math.h>
#include <png.h>
#include <stdlib.h>
#include <string.h>

#define MOST_PIXELS ((int64_t)1 << 27)

enum {
    NAME = 12,        /* characters that a cell has room for where nobody says how large it is */
    BARE = 56,        /* pixels of an image without text below it, at least */
    RGB = 3,          /* bytes of a pixel */
    PAPER = 0xff,     /* of the page */
    FRAME = 0xc8c8c8, /* around an image */
};

/* In pixels. */
struct layout {
    int64_t scale, text;
    int64_t gap; /* between cells, and around all */
    int64_t cell_width, cell_height;
    int64_t left, top;   /* where the first cell begins */
    int64_t line;        /* from one of text to the next */
    int64_t rows, lines; /* of cells; of text below each */
    int64_t height, width;
};

struct canvas {
    unsigned char *pixel;
    int64_t height, width;
};

/* ---- layout ---- */

static int64_t characters(const char *text)
{
    int64_t n = 0;
    for (; text && *text; text++)
        n += ((unsigned char)*text & 0xc0) != 0x80;
    return n;
}

static int64_t lines_below(const struct sheet *s)
{
    int64_t lines = 0;
    for (int64_t i = 0; i < s->cells; i++)
        for (int k = 0; k < SHEET_LINES; k++)
            if (s->cell[i].line[k].text && lines <= k)
                lines = k + 1;
    return lines;
}

static int64_t at_least_one(int64_t n)
{
    return n > 0 ? n : 1;
}

static bool lay_out(const struct sheet *s, struct layout *l)
{
    int64_t columns = s->columns < s->cells ? s->columns : s->cells, label = 0;
    *l = (struct layout){.text = s->text ? s->text : 2, .lines = lines_below(s)};
    int64_t wanted = l->lines ? NAME * FONT_STEP * l->text : BARE;
    if (s->cells < 1 || s->columns < 1 || s->channels < 1 || s->height < 1 || s->width < 1 || s->height > MOST_PIXELS ||
        s->width > MOST_PIXELS || s->cells > MOST_PIXELS || s->columns > MOST_PIXELS)
        return false;
    l->scale = s->scale ? s->scale : at_least_one((wanted + s->width - 1) / s->width);
    l->rows = (s->cells + columns - 1) / columns;
    l->gap = 4 * l->text;
    l->line = (FONT_HEIGHT + 2) * l->text;
    l->cell_width = s->width * l->scale;
    l->cell_height = s->height * l->scale + (l->lines ? l->text + l->lines * l->line + l->gap : 0);
    for (int64_t r = 0; s->row && r < l->rows; r++)
        label = characters(s->row[r]) > label ? characters(s->row[r]) : label;
    l->left = l->gap + (label ? label * FONT_STEP * l->text + l->gap : 0);
    l->top = l->gap + (s->title ? l->line + l->gap : 0);
    int64_t height = 0, width = 0, pixels;
    bool over = __builtin_mul_overflow(l->rows, l->cell_height + l->gap, &height) ||
                __builtin_mul_overflow(columns, l->cell_width + l->gap, &width);
    int64_t title = 2 * l->gap + characters(s->title) * FONT_STEP * l->text;
    if (over || height > MOST_PIXELS || width > MOST_PIXELS)
        return false;
    l->height = l->top + height;
    l->width = l->left + width > title ? l->left + width : title;
    return !__builtin_mul_overflow(l->height, l->width, &pixels) && pixels <= MOST_PIXELS;
}

/* ---- drawing ---- */

static void fill(struct canvas *c, int64_t y, int64_t x, int64_t height, int64_t width, uint32_t colour)
{
    const unsigned char rgb[RGB] = {(unsigned char)(colour >> 16), (unsigned char)(colour >> 8), (unsigned char)colour};
    for (int64_t v = y < 0 ? 0 : y; v < y + height && v < c->height; v++)
        for (int64_t u = x < 0 ? 0 : x; u < x + width && u < c->width; u++)
            memcpy(c->pixel + (v * c->width + u) * RGB, rgb, RGB);
}

/* At most `most` characters. */
static void write_text(struct canvas *c, int64_t y, int64_t x, int64_t most, int64_t dot, const struct sheet_line *line)
{
    for (const char *at = line->text; at && *at && most > 0; at++) {
        if (((unsigned char)*at & 0xc0) == 0x80)
            continue; /* the inside of a character of UTF-8 */
        for (int row = 0; row < FONT_HEIGHT; row++)
            for (int column = 0; column < FONT_WIDTH; column++)
                if (font_ink(*at, row, column))
                    fill(c, y + row * dot, x + column * dot, dot, dot, line->colour);
        x += FONT_STEP * dot;
        most--;
    }
}

/* Of a pixel, in one channel. */
static double value(const struct sheet *s, const void *image, int64_t index)
{
    if (s->type == DATA_U8)
        return ((const unsigned char *)image)[index];
    float f;
    memcpy(&f, (const char *)image + index * (int64_t)sizeof f, sizeof f);
    double grey = 255 * ((double)f - s->black) / ((double)s->white - s->black);
    return grey > 0 ? grey < 255 ? grey : 255 : 0; /* NaN is black */
}

static uint32_t colour(const struct sheet *s, const void *image, int64_t y, int64_t x)
{
    int64_t area = s->height * s->width, at = y * s->width + x;
    uint32_t rgb = 0;
    double sum = 0;
    for (int64_t c = 0; c < s->channels; c++) {
        double v = value(s, image, c * area + at);
        rgb = rgb << 8 | (uint32_t)(v + 0.5);
        sum += v;
    }
    return s->channels == RGB ? rgb : (uint32_t)(sum / (double)s->channels + 0.5) * 0x010101;
}

static void draw_cell(const struct sheet *s, const struct layout *l, struct canvas *c, int64_t index)
{
    const struct sheet_cell *cell = &s->cell[index];
    int64_t y = l->top + index / s->columns * (l->cell_height + l->gap);
    int64_t x = l->left + index % s->columns * (l->cell_width + l->gap);
    if (cell->image) {
        fill(c, y - 1, x - 1, s->height * l->scale + 2, s->width * l->scale + 2, FRAME);
        for (int64_t v = 0; v < s->height; v++)
            for (int64_t u = 0; u < s->width; u++)
                fill(c, y + v * l->scale, x + u * l->scale, l->scale, l->scale, colour(s, cell->image, v, u));
    }
    y += s->height * l->scale + 3 * l->text;
    for (int k = 0; k < SHEET_LINES; k++, y += l->line)
        write_text(c, y, x, (l->cell_width + l->text) / (FONT_STEP * l->text), l->text, &cell->line[k]);
}

void sheet_range(struct sheet *s)
{
    float least = INFINITY, largest = -INFINITY;
    int64_t n = s->channels * s->height * s->width;
    for (int64_t i = 0; s->type == DATA_F32 && i < s->cells; i++)
        for (int64_t k = 0; s->cell[i].image && k < n; k++) {
            float f;
            memcpy(&f, (const char *)s->cell[i].image + k * (int64_t)sizeof f, sizeof f);
            if (!isfinite(f))
                continue;
            least = f < least ? f : least;
            largest = f > largest ? f : largest;
        }
    bool unit = least >= 0 && largest <= 1, bytes = least >= 0 && largest <= 255;
    s->black = unit || bytes || !(least < largest) ? 0 : least;
    s->white = unit || !(least < largest) ? 1 : bytes ? 255 : largest;
}

/* ---- PNG ---- */

static bool pack(const struct canvas *c, struct picture *p, struct data_error *error)
{
    png_image image = {.version = PNG_IMAGE_VERSION,
                       .width = (uint32_t)c->width,
                       .height = (uint32_t)c->height,
                       .format = PNG_FORMAT_RGB};
    png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(image);
    *p = (struct picture){malloc(size), 0, c->height, c->width, RGB};
    if (!p->png)
        return data_fail(error, "a picture of %" PRId64 " x %" PRId64 " pixels: out of memory", c->width, c->height);
    if (!png_image_write_to_memory(&image, p->png, &size, 0, c->pixel, 0, NULL)) {
        picture_free(p);
        return data_fail(error, "a picture of %" PRId64 " x %" PRId64 " pixels: %s", c->width, c->height,
                         image.message);
    }
    unsigned char *tight = realloc(p->png, size);
    p->png = tight ? tight : p->png;
    p->bytes = size;
    return true;
}

bool sheet_draw(const struct sheet *sheet, struct picture *p, struct data_error *error)
{
    struct sheet s = *sheet;
    struct layout l;
    *p = (struct picture){0};
    if (!lay_out(&s, &l))
        return data_fail(
            error, "%" PRId64 " images of %" PRId64 " x %" PRId64 " make no picture of at most %" PRId64 " pixels",
            s.cells, s.width, s.height, MOST_PIXELS);
    struct canvas c = {malloc((size_t)(l.height * l.width * RGB)), l.height, l.width};
    if (!c.pixel)
        return data_fail(error, "a picture of %" PRId64 " x %" PRId64 " pixels: out of memory", l.width, l.height);
    memset(c.pixel, PAPER, (size_t)(l.height * l.width * RGB));
    if (s.black == s.white)
        sheet_range(&s);
    write_text(&c, l.gap, l.gap, INT64_MAX, l.text, &(struct sheet_line){s.title, 0});
    for (int64_t r = 0; s.row && r < l.rows; r++)
        write_text(&c, l.top + r * (l.cell_height + l.gap) + (s.height * l.scale - FONT_HEIGHT * l.text) / 2, l.gap,
                   INT64_MAX, l.text, &(struct sheet_line){s.row[r], 0});
    for (int64_t i = 0; i < s.cells; i++)
        draw_cell(&s, &l, &c, i);
    bool good = pack(&c, p, error);
    free(c.pixel);
    return good;
}

bool sheet_save(const struct sheet *s, const char *path, struct data_error *error)
{
    struct picture p;
    bool good = sheet_draw(s, &p, error) && atomic_save(path, p.png, p.bytes, error);
    picture_free(&p);
    return good;
}

void picture_free(struct picture *p)
{
    free(p->png);
    *p = (struct picture){0};
}
