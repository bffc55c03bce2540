/* Draws a data set of digits: strokes under random distortions, so that networks can be tried and tested where the real
 * data sets cannot be had. Deterministic: sample i of a split depends on the seed and i only. */
#include "base/atomic_file.h"
#include "base/philox.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

enum { CLASSES = 10, GREY_SIDE = 28, COLOUR_SIDE = 32, MAX_SIDE = 32, MAX_COUNT = 10000000, PIECES = 20 };

/* Glyphs in a box of 100 by 100, y downwards. Angles are in degrees, clockwise from the right. */

struct stroke {
    enum { END, LINE, ARC } kind;
    int a, b, c, d;  /* LINE: from (a, b) to (c, d).  ARC: centre (a, b), radii c and d ... */
    int from, until; /* ... between these angles */
};

enum { MAX_STROKES = 4, MAX_VARIANTS = 2 };

static const struct stroke glyphs[CLASSES][MAX_VARIANTS][MAX_STROKES + 1] = {
    {{{ARC, 50, 50, 32, 46, 0, 360}}, {{ARC, 50, 50, 25, 46, -80, 285}}},
    {{{LINE, 50, 5, 50, 95, 0, 0}}, {{LINE, 52, 5, 52, 95, 0, 0}, {LINE, 52, 5, 33, 24, 0, 0}}},
    {{{ARC, 50, 30, 30, 26, 190, 390}, {LINE, 76, 43, 20, 95, 0, 0}, {LINE, 20, 95, 82, 95, 0, 0}},
     {{ARC, 48, 28, 28, 24, 200, 400},
      {LINE, 69, 43, 22, 88, 0, 0},
      {ARC, 30, 86, 9, 9, 0, 360},
      {LINE, 34, 86, 84, 95, 0, 0}}},
    {{{ARC, 45, 28, 30, 23, 200, 450}, {ARC, 45, 73, 33, 23, 270, 520}},
     {{LINE, 20, 7, 75, 7, 0, 0}, {LINE, 75, 7, 45, 42, 0, 0}, {ARC, 44, 69, 32, 27, 270, 515}}},
    {{{LINE, 62, 5, 18, 62, 0, 0}, {LINE, 18, 62, 86, 62, 0, 0}, {LINE, 62, 5, 62, 95, 0, 0}},
     {{LINE, 26, 8, 20, 52, 0, 0}, {LINE, 20, 52, 80, 52, 0, 0}, {LINE, 74, 8, 70, 95, 0, 0}}},
    {{{LINE, 78, 6, 30, 6, 0, 0}, {LINE, 30, 6, 27, 46, 0, 0}, {ARC, 47, 67, 32, 27, 232, 510}},
     {{LINE, 80, 10, 36, 6, 0, 0}, {LINE, 36, 6, 24, 50, 0, 0}, {ARC, 42, 70, 30, 24, 236, 500}}},
    {{{ARC, 50, 69, 28, 26, 0, 360}, {ARC, 72, 66, 50, 60, 180, 262}},
     {{ARC, 50, 72, 26, 22, 0, 360}, {LINE, 25, 68, 50, 5, 0, 0}}},
    {{{LINE, 20, 8, 80, 8, 0, 0}, {LINE, 80, 8, 40, 95, 0, 0}},
     {{LINE, 20, 10, 80, 6, 0, 0}, {LINE, 80, 6, 46, 95, 0, 0}, {LINE, 40, 50, 78, 50, 0, 0}}},
    {{{ARC, 50, 27, 24, 22, 0, 360}, {ARC, 50, 72, 29, 24, 0, 360}},
     {{ARC, 52, 26, 20, 20, 0, 360}, {ARC, 48, 71, 24, 25, 0, 360}}},
    {{{ARC, 50, 31, 28, 26, 0, 360}, {LINE, 78, 31, 70, 95, 0, 0}},
     {{ARC, 50, 30, 26, 24, 0, 360}, {ARC, 26, 36, 50, 60, 0, 82}}},
};

/* Random numbers of one sample. */

struct random {
    uint32_t key[2], counter[4], words[4];
    int used;
};

static struct random random_of(uint64_t seed, uint32_t split, uint32_t sample)
{
    return (struct random){{(uint32_t)seed, (uint32_t)(seed >> 32)}, {0, sample, split, 0}, {0}, 4};
}

static float between(struct random *r, float low, float high)
{
    if (r->used == 4) {
        philox4x32(r->counter, r->key, r->words);
        r->counter[0]++;
        r->used = 0;
    }
    return low + (high - low) * philox_unit(r->words[r->used++]);
}

/* Drawing */

/* How the box of a glyph, scaled to -1/2..1/2, comes to lie on the picture, and the pen. Lengths are in pixels. */
struct hand {
    float xx, xy, yx, yy, x0, y0; /* affine */
    float sway, sway_phase;       /* first, x moves by sway * sin(4 y + phase) */
    float radius;                 /* of the pen */
};

struct canvas {
    int side;
    float ink[MAX_SIDE * MAX_SIDE]; /* 0..1 */
};

static struct hand random_hand(struct random *r, int side)
{
    float height = 20.0f / GREY_SIDE * (float)side * between(r, 0.80f, 1.05f),
          width = height * between(r, 0.65f, 0.95f);
    float angle = between(r, -0.22f, 0.22f), slant = between(r, -0.30f, 0.15f);
    return (struct hand){
        .xx = width * cosf(angle),
        .xy = height * (slant * cosf(angle) - sinf(angle)),
        .yx = width * sinf(angle),
        .yy = height * (slant * sinf(angle) + cosf(angle)),
        .x0 = (float)side / 2 + between(r, -2, 2),
        .y0 = (float)side / 2 + between(r, -2, 2),
        .sway = between(r, 0, 0.06f),
        .sway_phase = between(r, 0, 6.28f),
        .radius = (float)side / GREY_SIDE * between(r, 0.8f, 1.7f),
    };
}

static void place(const struct hand *hand, float x, float y, float point[2])
{
    y = y / 100 - 0.5f;
    x = x / 100 - 0.5f + hand->sway * sinf(4 * y + hand->sway_phase);
    point[0] = hand->xx * x + hand->xy * y + hand->x0;
    point[1] = hand->yx * x + hand->yy * y + hand->y0;
}

static float distance_to(const float p[2], const float q[2], float x, float y)
{
    float dx = q[0] - p[0], dy = q[1] - p[1], length2 = dx * dx + dy * dy;
    float t = length2 > 0 ? ((x - p[0]) * dx + (y - p[1]) * dy) / length2 : 0;
    t = fminf(fmaxf(t, 0), 1);
    return hypotf(p[0] + t * dx - x, p[1] + t * dy - y);
}

static int clamp_pixel(float value, int side)
{
    return value < 0 ? 0 : value > (float)(side - 1) ? side - 1 : (int)value;
}

static void draw_segment(struct canvas *canvas, const struct hand *hand, const float p[2], const float q[2])
{
    float reach = hand->radius + 1;
    int left = clamp_pixel(fminf(p[0], q[0]) - reach, canvas->side),
        top = clamp_pixel(fminf(p[1], q[1]) - reach, canvas->side);
    int right = clamp_pixel(fmaxf(p[0], q[0]) + reach, canvas->side);
    int bottom = clamp_pixel(fmaxf(p[1], q[1]) + reach, canvas->side);
    for (int y = top; y <= bottom; y++)
        for (int x = left; x <= right; x++) {
            float cover = hand->radius + 0.5f - distance_to(p, q, (float)x + 0.5f, (float)y + 0.5f);
            float *ink = &canvas->ink[y * canvas->side + x];
            *ink = fmaxf(*ink, fminf(cover, 1));
        }
}

static void draw_stroke(struct canvas *canvas, const struct hand *hand, const struct stroke *stroke)
{
    float last[2], next[2], a = (float)stroke->a, b = (float)stroke->b, c = (float)stroke->c, d = (float)stroke->d;
    for (int i = 0; i <= PIECES; i++) {
        float t = (float)i / PIECES;
        float angle = ((float)stroke->from + t * (float)(stroke->until - stroke->from)) * 0.01745329f;
        if (stroke->kind == ARC)
            place(hand, a + c * cosf(angle), b + d * sinf(angle), next);
        else
            place(hand, a + t * (c - a), b + t * (d - b), next);
        if (i > 0)
            draw_segment(canvas, hand, last, next);
        memcpy(last, next, sizeof last);
    }
}

/* The label of the sample; its picture goes to `canvas`. */
static int draw_digit(struct canvas *canvas, struct random *r, int side)
{
    int digit = (int)between(r, 0, CLASSES), variant = (int)between(r, 0, MAX_VARIANTS);
    struct hand hand = random_hand(r, side);
    *canvas = (struct canvas){.side = side};
    for (const struct stroke *stroke = glyphs[digit][variant]; stroke->kind != END; stroke++)
        draw_stroke(canvas, &hand, stroke);
    return digit;
}

static unsigned char to_byte(float value)
{
    return (unsigned char)(fminf(fmaxf(value, 0), 1) * 255 + 0.5f);
}

static void paint_grey(const struct canvas *canvas, struct random *r, unsigned char *pixels)
{
    float strength = between(r, 0.8f, 1);
    for (int i = 0; i < canvas->side * canvas->side; i++) {
        float noise = canvas->ink[i] > 0 ? between(r, -0.08f, 0.08f) : 0;
        pixels[i] = to_byte(canvas->ink[i] * strength + noise);
    }
}

/* Planes of red, green and blue: a light digit on a dark ground or the other way round. */
static void paint_colour(const struct canvas *canvas, struct random *r, unsigned char *pixels)
{
    int area = canvas->side * canvas->side;
    float light_ground = between(r, 0, 1) < 0.5f ? 0 : 1;
    for (int channel = 0; channel < 3; channel++) {
        float dark = between(r, 0, 0.4f), light = between(r, 0.6f, 1), slope = between(r, -0.15f, 0.15f);
        float ground = light_ground > 0 ? light : dark, pen = light_ground > 0 ? dark : light;
        for (int i = 0; i < area; i++) {
            float shade = ground + slope * ((float)(i / canvas->side) / (float)canvas->side - 0.5f);
            float value = shade + canvas->ink[i] * (pen - shade) + between(r, -0.06f, 0.06f);
            pixels[channel * area + i] = to_byte(value);
        }
    }
}

/* Files */

struct options {
    const char *folder;
    uint32_t counts[2]; /* train, test */
    uint64_t seed;
    bool cifar, gzip;
};

static bool save_packed(const char *path, const void *data, uint64_t size, struct data_error *error)
{
    z_stream z = {0};
    if (size > UINT32_MAX || deflateInit2(&z, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        return data_fail(error, "%s: cannot be packed", path);
    uLong room = deflateBound(&z, (uLong)size);
    unsigned char *packed = malloc(room);
    z.next_in = (Bytef *)(uintptr_t)data;
    z.avail_in = (uInt)size;
    z.next_out = packed;
    z.avail_out = (uInt)room;
    bool ok = packed && deflate(&z, Z_FINISH) == Z_STREAM_END ? atomic_save(path, packed, z.total_out, error)
                                                              : data_fail(error, "%s: cannot be packed", path);
    deflateEnd(&z);
    free(packed);
    return ok;
}

static bool save_as(const struct options *options, const char *name, const void *data, uint64_t size, bool gzip,
                    struct data_error *error)
{
    size_t room = strlen(options->folder) + strlen(name) + 5;
    char *path = malloc(room);
    if (!path)
        return data_fail(error, "out of memory");
    snprintf(path, room, "%s/%s%s", options->folder, name, gzip ? ".gz" : "");
    bool ok = (gzip ? save_packed : atomic_save)(path, data, size, error);
    free(path);
    return ok;
}

static bool save(const struct options *options, const char *name, const unsigned char *data, uint64_t size,
                 struct data_error *error)
{
    return save_as(options, name, data, size, options->gzip, error);
}

enum { FILES = 4 };
static const char *const idx_names[FILES] = {"train-images-idx3-ubyte", "train-labels-idx1-ubyte",
                                             "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"};
static const char *const cifar_names[FILES] = {"data_batch_1.bin", "test_batch.bin", NULL};

/* A set without the mark is somebody's: false where a file of it, packed or not, would be replaced or have a drawn one beside it. */
static bool spare_others(const struct options *options, struct data_error *error)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/SYNTHETIC", options->folder);
    if (access(path, F_OK) == 0)
        return true;
    const char *const *names = options->cifar ? cifar_names : idx_names;
    for (int i = 0; i < 2 * FILES; i++) {
        const char *name = names[i / 2];
        if (name &&
            (size_t)snprintf(path, sizeof path, "%s/%s%s", options->folder, name, i % 2 ? ".gz" : "") < sizeof path &&
            access(path, F_OK) == 0)
            return data_fail(
                error, "%s is there and no drawn digits (there is no file SYNTHETIC beside it); name another folder",
                path);
    }
    return true;
}

/* By this file netrun and the examples know drawn data, whatever their files are called. It is written before them, so
 * that no crash leaves them without it. */
static bool save_mark(const struct options *options, struct data_error *error)
{
    static const char text[] = "Digits drawn by make_digits: do not compare accuracies.\n";
    return save_as(options, "SYNTHETIC", text, sizeof text - 1, false, error);
}

static void put_big_endian(unsigned char *bytes, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        bytes[i] = (unsigned char)(value >> (24 - 8 * i));
}

static bool make_idx(const struct options *options, uint32_t split, struct data_error *error)
{
    enum { AREA = GREY_SIDE * GREY_SIDE, IMAGE_HEADER = 16, LABEL_HEADER = 8 };
    uint64_t n = options->counts[split];
    unsigned char *images = malloc(IMAGE_HEADER + n * AREA), *labels = malloc(LABEL_HEADER + n);
    bool ok = images && labels;
    if (ok) {
        const uint32_t header[4] = {0x00000803, (uint32_t)n, GREY_SIDE, GREY_SIDE};
        for (int i = 0; i < 4; i++)
            put_big_endian(images + 4 * i, header[i]);
        put_big_endian(labels, 0x00000801);
        put_big_endian(labels + 4, (uint32_t)n);
        for (uint32_t i = 0; i < n; i++) {
            struct random random = random_of(options->seed, split, i);
            struct canvas canvas;
            labels[LABEL_HEADER + i] = (unsigned char)draw_digit(&canvas, &random, GREY_SIDE);
            paint_grey(&canvas, &random, images + IMAGE_HEADER + (uint64_t)i * AREA);
        }
        ok = save(options, idx_names[2 * split], images, IMAGE_HEADER + n * AREA, error) &&
             save(options, idx_names[2 * split + 1], labels, LABEL_HEADER + n, error);
    } else {
        data_fail(error, "out of memory for %" PRIu64 " digits", n);
    }
    free(images);
    free(labels);
    return ok;
}

static bool make_cifar(const struct options *options, uint32_t split, struct data_error *error)
{
    enum { RECORD = 1 + 3 * COLOUR_SIDE * COLOUR_SIDE };
    uint64_t n = options->counts[split];
    unsigned char *records = malloc(n * RECORD);
    if (!records)
        return data_fail(error, "out of memory for %" PRIu64 " digits", n);
    for (uint32_t i = 0; i < n; i++) {
        struct random random = random_of(options->seed, split, i);
        struct canvas canvas;
        unsigned char *record = records + (uint64_t)i * RECORD;
        record[0] = (unsigned char)draw_digit(&canvas, &random, COLOUR_SIDE);
        paint_colour(&canvas, &random, record + 1);
    }
    bool ok = save(options, cifar_names[split], records, n * RECORD, error);
    free(records);
    return ok;
}

static const char usage[] = "usage: make_digits DIR [--train N] [--test N] [--seed S] [--cifar] [--gzip]\n"
                            "\n"
                            "Draws digits, 0 to 9, and writes them as a data set into the folder DIR:\n"
                            "four IDX files of 28 x 28 grey pixels named as MNIST's, or, with --cifar,\n"
                            "two CIFAR-10 files of 32 x 32 coloured ones. A file SYNTHETIC beside them\n"
                            "tells that they are drawn.\n"
                            "\n"
                            "  --train N   training samples (10000)\n"
                            "  --test N    test samples (2000)\n"
                            "  --seed S    another set of the same kind (1)\n"
                            "  --cifar     CIFAR-10 binary format\n"
                            "  --gzip      pack the files, names end in .gz\n";

static bool parse_number(const char *text, uint64_t least, uint64_t most, uint64_t *number)
{
    char *end;
    errno = 0;
    *number = strtoull(text, &end, 10);
    return text[0] >= '0' && text[0] <= '9' && *end == '\0' && errno == 0 && *number >= least && *number <= most;
}

/* False: the command line is wrong. */
static bool parse_options(int argc, char **argv, struct options *options)
{
    static const struct option names[] = {
        {"train", required_argument, NULL, 't'},
        {"test", required_argument, NULL, 'e'},
        {"seed", required_argument, NULL, 's'},
        {"cifar", no_argument, NULL, 'c'},
        {"gzip", no_argument, NULL, 'z'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    uint64_t number;
    for (int option; (option = getopt_long(argc, argv, "h", names, NULL)) != -1;) {
        switch (option) {
        case 't':
        case 'e':
            if (!parse_number(optarg, 1, MAX_COUNT, &number)) {
                fprintf(stderr, "make_digits: --%s takes 1 to %d\n", option == 't' ? "train" : "test", MAX_COUNT);
                return false;
            }
            options->counts[option == 'e'] = (uint32_t)number;
            break;
        case 's':
            if (!parse_number(optarg, 0, UINT64_MAX, &options->seed)) {
                fprintf(stderr, "make_digits: --seed takes a whole number\n");
                return false;
            }
            break;
        case 'c':
            options->cifar = true;
            break;
        case 'z':
            options->gzip = true;
            break;
        case 'h':
            fputs(usage, stdout);
            exit(0);
        default:
            return false;
        }
    }
    if (optind + 1 != argc)
        return false;
    options->folder = argv[optind];
    return true;
}

int main(int argc, char **argv)
{
    struct options options = {.counts = {10000, 2000}, .seed = 1};
    struct data_error error;
    if (!parse_options(argc, argv, &options)) {
        fputs(usage, stderr);
        return 2;
    }
    if (mkdir(options.folder, 0777) != 0 && errno != EEXIST) {
        fprintf(stderr, "make_digits: %s: %s\n", options.folder, strerror(errno));
        return 4;
    }
    bool ok = spare_others(&options, &error) && save_mark(&options, &error);
    for (uint32_t split = 0; ok && split < 2; split++)
        ok = (options.cifar ? make_cifar : make_idx)(&options, split, &error);
    if (!ok)
        fprintf(stderr, "make_digits: %s\n", error.text);
    return ok ? 0 : 4;
}
