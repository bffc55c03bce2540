/* Draws a data set of pictures: a circle, a square or a triangle on each, as PNG and JPEG of many sizes in a folder for each class, so
 * that whoever has pictures of his own can see how they have to lie; or several on each, with a mask that says what each pixel is. */
#include "drawing.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <jpeglib.h>
#include <png.h>

enum { CLASSES = 3, SHAPES = 3, LEAST = 40, MOST = 120, CHANNELS = 3, QUALITY = 90 };
static const char *const class_name[CLASSES] = {"circle", "square", "triangle"};
static const double EDGE = 0.75; /* pixels on both sides of it are of no class */

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

/* Paints `n` shapes, the later over the earlier, with the class of each pixel + 1 into `mask`, 0 where there is none, and 255 at edges;
 * NULL: nowhere. */
static void paint(struct random *r, const struct shape *s, int n, int width, int height, unsigned char *pixel,
                  unsigned char *mask)
{
    double colour[SHAPES + 1][CHANNELS];
    for (int c = 0; c < CHANNELS; c++)
        for (int k = 0; k <= n; k++)
            colour[k][c] = k ? between(r, 120, 256) : between(r, 0, 110);
    for (int i = 0; i < height * width; i++) {
        double in[SHAPES], x = i % width + 0.5, y = i / width + 0.5;
        int class = 0;
        for (int k = 0; k < n; k++) {
            double inside = depth(&s[k], x, y);
            in[k] = fmin(1, fmax(0, inside + 0.5));
            class = fabs(inside) < EDGE ? 255 : inside > 0 ? s[k].class + 1 : class;
        }
        for (int c = 0; c < CHANNELS; c++) {
            double value = colour[0][c];
            for (int k = 0; k < n; k++)
                value += in[k] * (colour[k + 1][c] - value);
            pixel[i * CHANNELS + c] = (unsigned char)fmin(255, fmax(0, value + between(r, -12, 12)));
        }
        if (mask)
            mask[i] = (unsigned char)class;
    }
}

static struct shape place(struct random *r, int class, int width, int height, double most)
{
    double size = between(r, 0.22, most) * fmin(width, height);
    return (struct shape){class, between(r, size, width - size), between(r, size, height - size), size,
                          between(r, -0.3, 0.3)};
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
static bool save(const char *path, uint32_t number, int width, int height, unsigned char *pixel)
{
    return number % 2 ? save_jpeg(path, width, height, pixel) : save_png(path, width, height, pixel);
}

static bool make(const char *path, int class, uint32_t number, struct random *r)
{
    static unsigned char pixel[MOST * MOST * CHANNELS];
    const int width = (int)between(r, LEAST, MOST), height = (int)between(r, LEAST, MOST);
    const struct shape s = place(r, class, width, height, 0.42);
    paint(r, &s, 1, width, height, pixel, NULL);
    return save(path, number, width, height, pixel);
}

/* ---- masks ---- */

/* Grey, and with a palette, in turn. */
static bool save_mask(const char *path, uint32_t number, int width, int height, const unsigned char *mask)
{
    static const unsigned char palette[256][CHANNELS] = {
        [1] = {128, 0, 0}, [2] = {0, 128, 0}, [3] = {128, 128, 0}, [255] = {255, 255, 255}};
    png_image image = {.version = PNG_IMAGE_VERSION,
                       .width = (png_uint_32)width,
                       .height = (png_uint_32)height,
                       .format = number % 2 ? PNG_FORMAT_RGB_COLORMAP : PNG_FORMAT_GRAY,
                       .colormap_entries = 256};
    return png_image_write_to_file(&image, path, 0, mask, 0, palette);
}

/* DIR/train/images/000001.jpg has DIR/train/masks/000001.png. */
static bool make_masked(const char *path, int class, uint32_t number, struct random *r)
{
    static unsigned char pixel[MOST * MOST * CHANNELS], mask[MOST * MOST];
    static char beside[4096];
    const int folder = (int)strlen(path) - (int)strlen("images/000000.png");
    const int width = (int)between(r, LEAST, MOST), height = (int)between(r, LEAST, MOST);
    const int n = (int)between(r, 1, SHAPES + 1);
    struct shape s[SHAPES];
    (void)class;
    for (int k = 0; k < n; k++)
        s[k] = place(r, (int)between(r, 0, CLASSES), width, height, 0.35);
    paint(r, s, n, width, height, pixel, mask);
    snprintf(beside, sizeof beside, "%.*smasks", folder, path);
    if (number == 0 && mkdir(beside, 0777) != 0 && errno != EEXIST)
        return false;
    snprintf(beside, sizeof beside, "%.*smasks/%06u.png", folder, path, number);
    return save(path, number, width, height, pixel) && save_mask(beside, number, width, height, mask);
}

#define OPTIONS                                                                                                        \
    "  --train N  pictures, without --masks of each class (400)\n"                                                     \
    "  --test N   the same (100)\n"                                                                                    \
    "  --seed S   other pictures (1)\n"
static const char usage[] =
    "usage: make_shapes [--masks] DIR [--train N] [--test N] [--seed S]\n"
    "\n"
    "Draws circles, squares and triangles into DIR/train/CLASS and DIR/test/CLASS, PNG and JPEG in turn.\n"
    "\n"
    "  --masks    first: several shapes on each picture, DIR/train/images, and what they are in DIR/train/masks\n" OPTIONS;
static const char *const images[] = {"images"};

static const struct drawing drawings[] = {{.program = "make_shapes",
                                           .usage = usage,
                                           .mark = "Shapes drawn by make_shapes: do not compare accuracies.\n",
                                           .class_name = class_name,
                                           .classes = CLASSES,
                                           .count = {400, 100},
                                           .ending = {"png", "jpg"},
                                           .make = make},
                                          {.program = "make_shapes",
                                           .usage = usage,
                                           .mark = "Shapes and masks drawn by make_shapes: do not compare results.\n",
                                           .class_name = images,
                                           .classes = 1,
                                           .count = {400, 100},
                                           .ending = {"png", "jpg"},
                                           .make = make_masked}};

int main(int argc, char **argv)
{
    const bool masks = argc > 1 && strcmp(argv[1], "--masks") == 0;
    return draw_folders(&drawings[masks], argc - masks, argv + masks);
}
