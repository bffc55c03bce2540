/* picture_jpeg.c: through libjpeg-turbo, whose errors do not return. */
#include "exif.h"

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

static void find_orientation(struct reader *r)
{
    enum { HEAD = 6 };
    r->orientation = 1;
    for (jpeg_saved_marker_ptr m = r->jpeg.marker_list; m; m = m->next)
        if (m->marker == JPEG_APP0 + 1 && r->orientation == 1)
            r->orientation = m->data_length > HEAD && memcmp(m->data, "Exif\0", HEAD) == 0
                                 ? exif_orientation(m->data + HEAD, m->data_length - HEAD)
                                 : 1;
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

/* CMYK is stored as what is left of white, as Adobe's programs do and Pillow takes for granted; to colour by its arithmetic, in place. */
static void to_colour(unsigned char *pixels, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const unsigned char *from = pixels + 4 * i;
        const int black = from[3];
        for (int c = 0; c < 3; c++) {
            int product = (255 - from[c]) * black + 128;
            pixels[3 * i + (size_t)c] = (unsigned char)(black - (((product >> 8) + product) >> 8));
        }
    }
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
    p->height = r->jpeg.output_height;
    p->width = r->jpeg.output_width;
    if (!read_rows(r))
        return damaged(r, source, error);
    if (r->jpeg.out_color_space == JCS_CMYK)
        to_colour(r->pixels, (size_t)(p->height * p->width));
    p->at = r->pixels;
    r->pixels = NULL;
    return exif_turn(p, r->orientation) || damaged(r, source, error);
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
