/* Draws a data set of pictures: a circle, a square or a triangle on each, as PNG and JPEG of many sizes in a folder for each class, so
 * that whoever has pictures of his own can see how they have to lie. */
#include "drawing.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include <jpeglib.h>
#include <png.h>

enum { CLASSES = 3, LEAST = 40, MOST = 120, CHANNELS = 3, QUALITY = 90 };
static const char *const class_name[CLASSES] = {"circle", "square", "triangle"};

/* ---- drawing ---- */

struct shape {
    int class;
    double x, y, size; /* its centre; from there to its sides or corners */
    double angle;
};

/* How far inside it a point is, in pixels; below 0: outside. */
static double depth(const struct shape *s, double x, double y)
{
    double dx = x - s->x, dy = y - s->y, c = cos(s->angle), n = sin(s->angle);
    double u = c * dx + n * dy, v = c * dy - n * dx;
    if (s->class == 0)
        return s->size - hypot(u, v);
    if (s->class == 1)
        return 0.8 * s->size - fmax(fabs(u), fabs(v));
    return fmin(0.5 * s->size - v, 0.5 * (s->size + v) - 0.866 * fabs(u)); /* three sides */
}

static void draw(int class, struct random *r, int *width, int *height, unsigned char *pixel)
{
    *width = (int)between(r, LEAST, MOST);
    *height = (int)between(r, LEAST, MOST);
    double least = fmin(*width, *height), size = between(r, 0.22, 0.42) * least, colour[2][CHANNELS];
    struct shape s = {class, between(r, size, *width - size), between(r, size, *height - size), size,
                      between(r, -0.3, 0.3)};
    for (int c = 0; c < CHANNELS; c++) {
        colour[0][c] = between(r, 0, 110);
        colour[1][c] = between(r, 120, 256);
    }
    for (int y = 0; y < *height; y++)
        for (int x = 0; x < *width; x++) {
            double in = fmin(1, fmax(0, depth(&s, x + 0.5, y + 0.5) + 0.5));
            for (int c = 0; c < CHANNELS; c++)
                pixel[(y * *width + x) * CHANNELS + c] = (unsigned char)fmin(
                    255, fmax(0, colour[0][c] + in * (colour[1][c] - colour[0][c]) + between(r, -12, 12)));
        }
}

/* ---- files ---- */

static bool save_png(const char *path, int width, int height, const unsigned char *pixel)
{
    png_image image = {.version = PNG_IMAGE_VERSION,
                       .width = (png_uint_32)width,
                       .height = (png_uint_32)height,
                       .format = PNG_FORMAT_RGB};
    return png_image_write_to_file(&image, path, 0, pixel, 0, NULL);
}

/* libjpeg ends the program where it cannot write. */
static bool save_jpeg(const char *path, int width, int height, unsigned char *pixel)
{
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr errors;
    FILE *out = fopen(path, "wb");
    if (!out)
        return false;
    jpeg.err = jpeg_std_error(&errors);
    jpeg_create_compress(&jpeg);
    jpeg_stdio_dest(&jpeg, out);
    jpeg.image_width = (JDIMENSION)width;
    jpeg.image_height = (JDIMENSION)height;
    jpeg.input_components = CHANNELS;
    jpeg.in_color_space = JCS_RGB;
    jpeg_set_defaults(&jpeg);
    jpeg_set_quality(&jpeg, QUALITY, TRUE);
    jpeg_start_compress(&jpeg, TRUE);
    while (jpeg.next_scanline < jpeg.image_height) {
        JSAMPROW row = pixel + (size_t)jpeg.next_scanline * (size_t)width * CHANNELS;
        jpeg_write_scanlines(&jpeg, &row, 1);
    }
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    return fclose(out) == 0;
}

/* Every second picture is a JPEG. */
static bool make(const char *path, int class, uint32_t number, struct random *r)
{
    static unsigned char pixel[MOST * MOST * CHANNELS];
    int width, height;
    draw(class, r, &width, &height, pixel);
    return number % 2 ? save_jpeg(path, width, height, pixel) : save_png(path, width, height, pixel);
}

static const struct drawing shapes = {
    .program = "make_shapes",
    .usage = "usage: make_shapes DIR [--train N] [--test N] [--seed S]\n"
             "\n"
             "Draws circles, squares and triangles into DIR/train/CLASS and DIR/test/CLASS, PNG and JPEG in turn.\n"
             "\n"
             "  --train N  pictures of each class (400)\n"
             "  --test N   the same (100)\n"
             "  --seed S   other pictures (1)\n",
    .mark = "Shapes drawn by make_shapes: do not compare accuracies.\n",
    .class_name = class_name,
    .classes = CLASSES,
    .count = {400, 100},
    .ending = {"png", "jpg"},
    .make = make,
};

int main(int argc, char **argv)
{
    return draw_folders(&shapes, argc, argv);
}
