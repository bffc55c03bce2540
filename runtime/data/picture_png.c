/* picture_png.c: through libpng, whose errors do not return. */
#include "exif.h"

#include <png.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK = 1 << 20 }; /* bytes that a chunk may unpack to beyond that */

struct reader {
    const char *path;
    const unsigned char *bytes;
    size_t size, at;
    png_structp png;
    png_infop info;
    uint32_t height, width;
    bool colour, mask; /* mask: values are kept as they are stored */
    int type, depth, orientation;
    unsigned char *pixels; /* here, so that an error can free them */
    png_bytep *row;
    char message[128];
};

/* libpng wants these not to return. */
static void failed(png_structp png, png_const_charp message)
{
    struct reader *reader = png_get_error_ptr(png);
    snprintf(reader->message, sizeof reader->message, "%s", message);
    png_longjmp(png, 1);
}

static void warned(png_structp png, png_const_charp message)
{
    (void)png, (void)message;
}

static void take(png_structp png, png_bytep to, size_t size)
{
    struct reader *reader = png_get_io_ptr(png);
    if (size > reader->size - reader->at)
        png_error(png, "it ends too early");
    memcpy(to, reader->bytes + reader->at, size);
    reader->at += size;
}

static bool damaged(const struct reader *reader, struct data_error *error)
{
    return data_fail(error, "%s: damaged PNG: %s", reader->path, *reader->message ? reader->message : "out of memory");
}

static bool read_head(struct reader *reader)
{
    if (setjmp(png_jmpbuf(reader->png)))
        return false;
    png_set_read_fn(reader->png, reader, take);
    /* No chunk is longer than the file, whatever its head says; libpng asks so of those that it does not take for its own. */
    png_set_chunk_malloc_max(reader->png, reader->size + CHUNK);
    png_set_keep_unknown_chunks(reader->png, PNG_HANDLE_CHUNK_ALWAYS, (png_const_bytep) "eXIf", 1);
    png_read_info(reader->png, reader->info);
    reader->height = png_get_image_height(reader->png, reader->info);
    reader->width = png_get_image_width(reader->png, reader->info);
    reader->type = png_get_color_type(reader->png, reader->info);
    reader->depth = png_get_bit_depth(reader->png, reader->info);
    reader->colour = reader->type & PNG_COLOR_MASK_COLOR;
    png_unknown_chunkp exif;
    reader->orientation = 1;
    if (!reader->mask && png_get_unknown_chunks(reader->png, reader->info, &exif) > 0)
        reader->orientation = exif_orientation(exif->data, exif->size);
    return true;
}

/* To 8 bits a channel, palettes to colours, tRNS to alpha. Returns the channels of a row: 1 to 4. */
static int read_rows(struct reader *reader)
{
    png_structp png = reader->png;
    if (setjmp(png_jmpbuf(png)))
        return 0;
    if (reader->mask)
        png_set_packing(png);
    else {
        png_set_expand(png);
        png_set_scale_16(png);
    }
    png_set_interlace_handling(png);
    png_read_update_info(png, reader->info);
    size_t stride = png_get_rowbytes(png, reader->info);
    reader->pixels = calloc(reader->height, stride);
    reader->row = calloc(reader->height, sizeof *reader->row);
    if (!reader->pixels || !reader->row)
        return 0;
    for (uint32_t y = 0; y < reader->height; y++)
        reader->row[y] = reader->pixels + (size_t)y * stride;
    png_read_image(png, reader->row);
    png_read_end(png, NULL);
    return png_get_channels(png, reader->info);
}

/* Takes the alpha out of pixels of `channels`, in place. */
static bool lay_over_white(unsigned char *pixels, size_t count, int channels)
{
    bool transparent = false;
    int colours = channels - 1;
    for (size_t i = 0; i < count; i++) {
        const unsigned char *from = pixels + i * (size_t)channels;
        unsigned alpha = from[colours];
        transparent |= alpha < 255;
        for (int c = 0; c < colours; c++)
            pixels[i * (size_t)colours + (size_t)c] =
                (unsigned char)((from[c] * alpha + 255 * (255 - alpha) + 127) / 255);
    }
    return transparent;
}

static bool read(struct reader *reader, picture_fits *fits, void *wanted, const struct image_source *source,
                 struct pixels *p, struct data_error *error)
{
    reader->png = png_create_read_struct(PNG_LIBPNG_VER_STRING, reader, failed, warned);
    reader->info = reader->png ? png_create_info_struct(reader->png) : NULL;
    if (!reader->info || !read_head(reader))
        return damaged(reader, error);
    p->height = reader->orientation >= 5 ? reader->width : reader->height;
    p->width = reader->orientation >= 5 ? reader->height : reader->width;
    p->channels = reader->colour && !reader->mask ? 3 : 1;
    p->mask = reader->mask;
    if (reader->mask &&
        ((reader->type != PNG_COLOR_TYPE_GRAY && reader->type != PNG_COLOR_TYPE_PALETTE) || reader->depth > 8))
        return data_fail(error,
                         "%s: a mask is a grey or palette PNG of at most 8 bits, whose values are classes; this one %s",
                         source->path,
                         reader->depth > 8 ? "has 16 bits"
                         : reader->colour  ? "is in colour"
                                           : "has alpha");
    if (!picture_wanted(source, fits, wanted, p, error))
        return false;
    p->height = reader->height;
    p->width = reader->width;
    int n = read_rows(reader);
    if (n == 0)
        return damaged(reader, error);
    p->transparent = n > p->channels && lay_over_white(reader->pixels, (size_t)(p->height * p->width), n);
    p->at = reader->pixels;
    reader->pixels = NULL;
    return exif_turn(p, reader->orientation) || damaged(reader, error);
}

static bool read_png(struct image_source *source, bool mask, picture_fits *fits, void *wanted, struct pixels *p,
                     struct data_error *error)
{
    struct reader reader = {.path = source->path, .bytes = source->bytes, .size = source->size, .mask = mask};
    bool ok = read(&reader, fits, wanted, source, p, error);
    png_destroy_read_struct(&reader.png, &reader.info, NULL);
    free(reader.pixels);
    free(reader.row);
    return ok;
}

bool picture_png(struct image_source *source, picture_fits *fits, void *wanted, struct pixels *p,
                 struct data_error *error)
{
    return read_png(source, false, fits, wanted, p, error);
}

bool picture_mask(struct image_source *source, picture_fits *fits, void *wanted, struct pixels *p,
                  struct data_error *error)
{
    *p = (struct pixels){0};
    if (source->size < 8 || png_sig_cmp(source->bytes, 0, 8) != 0)
        return data_fail(error, "%s: byte 0: no PNG; expected a mask, grey or with a palette, whose values are classes",
                         source->path);
    return read_png(source, true, fits, wanted, p, error);
}
