/* inspect_masks.c: pictures with a class at each place. */
#include "sheet.h"

#include "base/atomic_file.h"

#include <inttypes.h>
#include <png.h>
#include <stdlib.h>

enum { COLUMNS = 10, ROWS = 10 }; /* a picture, its mask, the next picture */

void masks_shares(const struct data_split *split, double share[])
{
    const int64_t n = split->count * split->label.dims[0] * split->label.dims[1];
    int64_t count[MASK_IGNORED + 1] = {0};
    for (int64_t i = 0; i < n; i++)
        count[data_class(split, i)]++; /* none is above, as data_open has seen */
    for (int k = 0; k <= MASK_IGNORED; k++)
        share[k] = (double)count[k] / (double)n;
}

void inspect_masks(const struct dataset *set, FILE *out)
{
    double share[MASK_IGNORED + 1];
    masks_shares(data_first(set), share);
    fprintf(out, "\nclass  share of the places\n");
    for (int k = 0; k <= MASK_IGNORED; k++)
        if (share[k] > 0)
            fprintf(out, "%5d  %6.2f %%%s\n", k, 100 * share[k], k == MASK_IGNORED ? "  ignored" : "");
}

/* PASCAL VOC's colours: bits 0, 3, 6 of a class are the highest ones of red, 1, 4, 7 of green, 2, 5 of blue; 255 is white. */
static unsigned char colour_of(unsigned class, int channel)
{
    unsigned value = 0;
    for (int bit = 0; bit < 3; bit++)
        value |= (class >> (3 * bit + channel) & 1) << (7 - bit);
    return class == MASK_IGNORED ? 255 : (unsigned char)value;
}

bool mask_save(const char *path, const unsigned char *class, int64_t height, int64_t width, struct data_error *error)
{
    unsigned char palette[MASK_IGNORED + 1][3];
    png_image image = {.version = PNG_IMAGE_VERSION,
                       .width = (uint32_t)width,
                       .height = (uint32_t)height,
                       .format = PNG_FORMAT_RGB_COLORMAP,
                       .colormap_entries = MASK_IGNORED + 1};
    png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(image);
    unsigned char *png = malloc(size);
    for (unsigned k = 0; k <= MASK_IGNORED; k++)
        for (int c = 0; c < 3; c++)
            palette[k][c] = colour_of(k, c);
    bool ok = png || data_fail(error, "%s: out of memory", path);
    if (ok && !png_image_write_to_memory(&image, png, &size, 0, class, 0, palette))
        ok = data_fail(error, "%s: %s", path, image.message);
    ok = ok && atomic_save(path, png, size, error);
    free(png);
    return ok;
}

/* Red, green and blue planes of a picture; F32 of 0..1. */
static void paint_picture(const struct data_field *f, int64_t i, int64_t area, unsigned char *to)
{
    const unsigned char *from = f->values + (uint64_t)i * f->bytes;
    for (int64_t e = 0; e < 3 * area; e++) {
        const int64_t at = f->dims[0] == 3 ? e : e % area;
        const float x = f->type == DATA_U8 ? 0 : 255 * ((const float *)(const void *)from)[at];
        to[e] = f->type == DATA_U8 ? from[at] : (unsigned char)(x > 0 ? x < 255 ? x : 255 : 0);
    }
}

bool masks_sheet(const struct dataset *set, const char *path, FILE *say, struct data_error *error)
{
    const struct data_split *split = data_first(set);
    const struct data_field *f = &split->sample;
    const int64_t area = f->dims[1] * f->dims[2], most = ROWS * COLUMNS / 2,
                  n = split->count < most ? split->count : most;
    struct sheet_cell cell[ROWS * COLUMNS] = {{0}};
    if (split->label.dims[0] != f->dims[1] || split->label.dims[1] != f->dims[2])
        return data_fail(error, "%s: the masks are of another size than the pictures", split->label.path);
    unsigned char *page = malloc((size_t)(6 * n * area));
    for (int64_t i = 0; page && i < n; i++) {
        unsigned char *picture = page + 6 * i * area, *mask = picture + 3 * area;
        paint_picture(f, i, area, picture);
        for (int64_t e = 0; e < 3 * area; e++)
            mask[e] = colour_of((unsigned)data_class(split, i * area + e % area), (int)(e / area));
        cell[2 * i].image = picture;
        cell[2 * i + 1].image = mask;
    }
    const struct sheet s = {.type = DATA_U8,
                            .channels = 3,
                            .height = f->dims[1],
                            .width = f->dims[2],
                            .cells = (2 * n + COLUMNS - 1) / COLUMNS * COLUMNS,
                            .columns = COLUMNS,
                            .cell = cell};
    bool ok = page ? sheet_save(&s, path, error) : data_fail(error, "out of memory");
    free(page);
    if (ok)
        fprintf(say, "\n%s: the first %" PRId64 " pictures, each with its mask beside it\n", path, n);
    return ok;
}
