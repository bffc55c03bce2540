/* Draws a data set of pictures: a circle, a square or a triangle on each, as PNG and JPEG of many sizes in a folder for each class, so
 * that whoever has pictures of his own can see how they have to lie. Deterministic: picture i of a class depends on the seed and i. */
#include "base/base.h"
#include "base/philox.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <jpeglib.h>
#include <png.h>

enum { CLASSES = 3, MAX_COUNT = 1000000, LEAST = 40, MOST = 120, CHANNELS = 3, QUALITY = 90 };
static const char *const class_name[CLASSES] = {"circle", "square", "triangle"};
static const char *const split_name[2] = {"train", "test"};

struct options {
    const char *folder;
    uint32_t count[2]; /* of each class, training and test */
    uint64_t seed;
};

/* ---- random numbers of one picture ---- */

struct random {
    uint32_t key[2], counter[4], word[4];
    int used;
};

static double between(struct random *r, double low, double high)
{
    if (r->used == 4) {
        philox4x32(r->counter, r->key, r->word);
        r->counter[0]++;
        r->used = 0;
    }
    return low + (high - low) * (double)philox_unit(r->word[r->used++]);
}

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

static void draw(const struct options *o, int split, int class, uint32_t number, int *width, int *height,
                 unsigned char *pixel)
{
    struct random r = {.key = {(uint32_t)o->seed, (uint32_t)(o->seed >> 32)},
                       .counter = {0, number, (uint32_t)split, (uint32_t) class},
                       .used = 4};
    *width = (int)between(&r, LEAST, MOST);
    *height = (int)between(&r, LEAST, MOST);
    double least = fmin(*width, *height), size = between(&r, 0.22, 0.42) * least, colour[2][CHANNELS];
    struct shape s = {class, between(&r, size, *width - size), between(&r, size, *height - size), size,
                      between(&r, -0.3, 0.3)};
    for (int c = 0; c < CHANNELS; c++) {
        colour[0][c] = between(&r, 0, 110);
        colour[1][c] = between(&r, 120, 256);
    }
    for (int y = 0; y < *height; y++)
        for (int x = 0; x < *width; x++) {
            double in = fmin(1, fmax(0, depth(&s, x + 0.5, y + 0.5) + 0.5));
            for (int c = 0; c < CHANNELS; c++)
                pixel[(y * *width + x) * CHANNELS + c] = (unsigned char)fmin(
                    255, fmax(0, colour[0][c] + in * (colour[1][c] - colour[0][c]) + between(&r, -12, 12)));
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

static bool folder_made(const char *path)
{
    return mkdir(path, 0777) == 0 || errno == EEXIST;
}

/* Every second picture is a JPEG. False with errno, and the path. */
static bool make_class(const struct options *o, int split, int class, char *path, size_t size)
{
    static unsigned char pixel[MOST * MOST * CHANNELS];
    int used = snprintf(path, size, "%s/%s/%s", o->folder, split_name[split], class_name[class]);
    if (used < 0 || (size_t)used + 16 > size) {
        errno = ENAMETOOLONG;
        return false;
    }
    if (!folder_made(path))
        return false;
    for (uint32_t i = 0; i < o->count[split]; i++) {
        int width, height;
        draw(o, split, class, i, &width, &height, pixel);
        snprintf(path + used, size - (size_t)used, "/%06u.%s", i, i % 2 ? "jpg" : "png");
        if (!(i % 2 ? save_jpeg(path, width, height, pixel) : save_png(path, width, height, pixel)))
            return false;
    }
    return true;
}

static bool make_all(const struct options *o, char *path, size_t size)
{
    snprintf(path, size, "%s", o->folder);
    if (!folder_made(path))
        return false;
    snprintf(path, size, "%s/SYNTHETIC", o->folder); /* by it netrun knows that they are drawn; before the pictures */
    FILE *mark = fopen(path, "w");
    if (!mark || fputs("Shapes drawn by make_shapes: do not compare accuracies.\n", mark) < 0 || fclose(mark) != 0)
        return false;
    for (int split = 0; split < 2; split++) {
        snprintf(path, size, "%s/%s", o->folder, split_name[split]);
        if (!folder_made(path))
            return false;
        for (int class = 0; class < CLASSES; class ++)
            if (!make_class(o, split, class, path, size))
                return false;
    }
    return true;
}

/* ---- the command ---- */

static const char usage[] =
    "usage: make_shapes DIR [--train N] [--test N] [--seed S]\n"
    "\n"
    "Draws circles, squares and triangles into DIR/train/CLASS and DIR/test/CLASS, PNG and JPEG in turn.\n"
    "\n"
    "  --train N  pictures of each class (400)\n"
    "  --test N   the same (100)\n"
    "  --seed S   other pictures (1)\n";

static bool parse_number(const char *text, uint64_t most, uint64_t *number)
{
    char *end;
    errno = 0;
    *number = strtoull(text, &end, 10);
    return *text >= '0' && *text <= '9' && !*end && errno == 0 && *number <= most;
}

static bool parse_options(int argc, char **argv, struct options *o)
{
    static const struct option names[] = {{"train", required_argument, NULL, 0},
                                          {"test", required_argument, NULL, 1},
                                          {"seed", required_argument, NULL, 2},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    uint64_t number;
    for (int option; (option = getopt_long(argc, argv, "h", names, NULL)) != -1;) {
        if (option == 'h') {
            fputs(usage, stdout);
            exit(0);
        }
        if (option == '?' || !parse_number(optarg, option == 2 ? UINT64_MAX : MAX_COUNT, &number) ||
            (option < 2 && number == 0))
            return false;
        if (option == 2)
            o->seed = number;
        else
            o->count[option] = (uint32_t)number;
    }
    o->folder = argv[optind];
    return optind + 1 == argc;
}

int main(int argc, char **argv)
{
    struct options o = {.count = {400, 100}, .seed = 1};
    char path[4096];
    if (!parse_options(argc, argv, &o)) {
        fputs(usage, stderr);
        return 2;
    }
    errno = 0;
    if (make_all(&o, path, sizeof path))
        return 0;
    fprintf(stderr, "make_shapes: %s: %s\n", path, errno ? strerror(errno) : "cannot be written");
    return 4;
}
