/* picture_jpeg.c: through libjpeg-turbo, whose errors do not return. */
#include "picture.h"

#include <stdio.h>
#include <jpeglib.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

struct reader {
    struct jpeg_decompress_struct jpeg;
    struct jpeg_error_mgr errors;
    jmp_buf back;
    char message[JMSG_LENGTH_MAX];
    int orientation;       /* of EXIF: 1 to 8 */
    unsigned char *pixels; /* as they are stored, of jpeg.output_components */
};

static void failed(j_common_ptr jpeg)
{
    struct reader *r = jpeg->client_data;
    jpeg->err->format_message(jpeg, r->message);
    longjmp(r->back, 1);
}

/* Level -1 is damage that libjpeg would paint over: the end is missing, or codes that are none. */
static void warned(j_common_ptr jpeg, int level)
{
    if (level < 0)
        failed(jpeg);
}

/* ---- EXIF 2.32, 4.6: tag 0x0112 of the first directory says which row and column come first ---- */

static uint32_t number(const unsigned char *at, int bytes, bool big)
{
    uint32_t value = 0;
    for (int i = 0; i < bytes; i++)
        value = value << 8 | at[big ? i : bytes - 1 - i];
    return value;
}

/* 1 where the bytes of a marker do not say. */
static int orientation_of(const unsigned char *b, size_t size)
{
    enum { HEAD = 6, ENTRY = 12, TAG = 0x0112, SHORT = 3 };
    if (size < HEAD + 8 || memcmp(b, "Exif\0", HEAD) != 0)
        return 1;
    b += HEAD;
    size -= HEAD;
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

static void find_orientation(struct reader *r)
{
    r->orientation = 1;
    for (jpeg_saved_marker_ptr m = r->jpeg.marker_list; m; m = m->next)
        if (m->marker == JPEG_APP0 + 1 && r->orientation == 1)
            r->orientation = orientation_of(m->data, m->data_length);
}

/* ---- pixels ---- */

/* setjmp is in these two alone: their variables are not looked at after it has returned twice. */
static bool read_head(struct reader *r, const struct image_source *source)
{
    if (setjmp(r->back))
        return false;
    jpeg_create_decompress(&r->jpeg);
    jpeg_mem_src(&r->jpeg, source->bytes, (unsigned long)source->size);
    jpeg_save_markers(&r->jpeg, JPEG_APP0 + 1, 0xffff);
    jpeg_read_header(&r->jpeg, TRUE);
    J_COLOR_SPACE space = r->jpeg.jpeg_color_space;
    r->jpeg.out_color_space = space == JCS_GRAYSCALE                   ? JCS_GRAYSCALE
                              : space == JCS_CMYK || space == JCS_YCCK ? JCS_CMYK
                                                                       : JCS_RGB;
    jpeg_calc_output_dimensions(&r->jpeg);
    find_orientation(r);
    return true;
}

static bool read_rows(struct reader *r)
{
    if (setjmp(r->back))
        return false;
    jpeg_start_decompress(&r->jpeg);
    size_t stride = (size_t)r->jpeg.output_width * (size_t)r->jpeg.output_components;
    r->pixels = calloc(r->jpeg.output_height, stride);
    if (!r->pixels)
        return false;
    while (r->jpeg.output_scanline < r->jpeg.output_height) {
        JSAMPROW row = r->pixels + r->jpeg.output_scanline * stride;
        jpeg_read_scanlines(&r->jpeg, &row, 1);
    }
    jpeg_finish_decompress(&r->jpeg);
    return true;
}

/* CMYK is stored as what is left of white, as Adobe's programs do and Pillow takes for granted; to colour by its arithmetic. */
static void store(const struct reader *r, const unsigned char *from, unsigned char *to)
{
    if (r->jpeg.out_color_space != JCS_CMYK) {
        memcpy(to, from, (size_t)r->jpeg.output_components);
        return;
    }
    for (int c = 0; c < 3; c++) {
        int product = (255 - from[c]) * from[3] + 128;
        to[c] = (unsigned char)(from[3] - (((product >> 8) + product) >> 8));
    }
}

/* What is stored as rows is seen as columns from orientation 5 on; some begin with the last row or column. */
static bool turn(const struct reader *r, struct pixels *p)
{
    static const bool last_row[] = {[3] = 1, [4] = 1, [6] = 1, [7] = 1, [8] = 0},
                      last_column[] = {[2] = 1, [3] = 1, [7] = 1, [8] = 1};
    const size_t width = r->jpeg.output_width, height = r->jpeg.output_height, n = (size_t)r->jpeg.output_components;
    p->at = malloc((size_t)(p->height * p->width * p->channels));
    for (int64_t y = 0; p->at && y < p->height; y++)
        for (int64_t x = 0; x < p->width; x++) {
            size_t row = (size_t)(r->orientation >= 5 ? x : y), column = (size_t)(r->orientation >= 5 ? y : x);
            row = last_row[r->orientation] ? height - 1 - row : row;
            column = last_column[r->orientation] ? width - 1 - column : column;
            store(r, r->pixels + (row * width + column) * n, p->at + (y * p->width + x) * p->channels);
        }
    return p->at;
}

static bool damaged(const struct reader *r, const struct image_source *source, struct data_error *error)
{
    return data_fail(error, "%s: damaged JPEG: %s", source->path, *r->message ? r->message : "out of memory");
}

static bool read(struct reader *r, struct image_source *source, picture_fits *fits, void *wanted, struct pixels *p,
                 struct data_error *error)
{
    if (!read_head(r, source))
        return damaged(r, source, error);
    p->height = r->orientation >= 5 ? r->jpeg.output_width : r->jpeg.output_height;
    p->width = r->orientation >= 5 ? r->jpeg.output_height : r->jpeg.output_width;
    p->channels = r->jpeg.out_color_space == JCS_GRAYSCALE ? 1 : 3;
    if (!picture_wanted(source, fits, wanted, p, error))
        return false;
    return (read_rows(r) && turn(r, p)) || damaged(r, source, error);
}

bool picture_jpeg(struct image_source *source, picture_fits *fits, void *wanted, struct pixels *p,
                  struct data_error *error)
{
    struct reader r = {.jpeg.err = jpeg_std_error(&r.errors), .jpeg.client_data = &r};
    r.errors.error_exit = failed;
    r.errors.emit_message = warned;
    bool ok = read(&r, source, fits, wanted, p, error);
    jpeg_destroy_decompress(&r.jpeg);
    free(r.pixels);
    return ok;
}
