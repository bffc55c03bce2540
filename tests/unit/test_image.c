/* Single images: every format gives the same pixels; damage and wrong sizes are named. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <png.h>

#include "data/image.h"
#include "temp_files.h"

enum { H = 2, W = 3, AREA = H * W };

static struct image_seen seen; /* what image_read said last */
static const unsigned char grey[AREA] = {0, 10, 20, 128, 250, 255};
static const unsigned char rgb[3 * AREA] = {255, 0, 0, 0, 255, 0, 0, 0, 255, 10, 20, 30, 255, 255, 255, 0, 0, 0};
/* tests/oracle/images.py: Pillow lays these over white */
static const unsigned char pillow_la[2 * AREA] = {0, 0, 0, 255, 0, 128, 200, 0, 90, 17, 255, 200};
static const unsigned char pillow_grey[AREA] = {255, 0, 127, 255, 244, 255};
static const unsigned char pillow_rgba[4 * AREA] = {255, 0, 0,   255, 0,  0,  0,  0,   10,  200, 30,  128,
                                                    0,   0, 255, 64,  12, 34, 56, 200, 255, 255, 255, 9};
static const unsigned char pillow_planes[3 * AREA] = {255, 255, 132, 191, 64,  255, 0,   255, 227,
                                                      191, 82,  255, 0,   255, 142, 255, 99,  255};
static const unsigned char rgb_as_grey[AREA] = {76, 150, 29, 18, 255, 0};

/* The file must give these planes, as floats and as bytes. */
static void assert_reads(const char *path, int channels, const unsigned char *planes)
{
    float floats[3 * AREA];
    unsigned char bytes[3 * AREA];
    struct data_error error;
    if (!image_read(path, NULL, 0, channels, H, W, DATA_F32, floats, &seen, &error) ||
        !image_read(path, NULL, 0, channels, H, W, DATA_U8, bytes, &seen, &error))
        fail_msg("%s", error.text);
    for (int i = 0; i < channels * AREA; i++) {
        assert_int_equal(bytes[i], planes[i]);
        assert_true(floats[i] == (float)planes[i]);
    }
}

static void assert_reads_grey(const char *path)
{
    unsigned char planes[3 * AREA];
    for (int c = 0; c < 3; c++)
        memcpy(planes + c * AREA, grey, AREA);
    assert_reads(path, 1, grey);
    assert_reads(path, 3, planes);
}

static void assert_reads_colour(const char *path)
{
    unsigned char planes[3 * AREA];
    for (int i = 0; i < AREA; i++)
        for (int c = 0; c < 3; c++)
            planes[c * AREA + i] = rgb[3 * i + c];
    assert_reads(path, 1, rgb_as_grey);
    assert_reads(path, 3, planes);
}

static void assert_refused_as(const char *path, int channels, int height, int width, enum data_type type,
                              const char *piece)
{
    float out[3 * AREA];
    struct data_error error = {""};
    assert_false(image_read(path, NULL, 0, channels, height, width, type, out, &seen, &error));
    assert_contains(error.text, path);
    assert_contains(error.text, piece);
}

static void assert_refused(const char *path, const char *piece)
{
    assert_refused_as(path, 1, H, W, DATA_F32, piece);
}

/* A vector of as many values takes them from an image or array of any size. */
static void assert_reads_vector(const char *path, int n, const unsigned char *values)
{
    float out[3 * AREA];
    struct data_error error;
    if (!image_read(path, NULL, 0, 1, 1, n, DATA_F32, out, &seen, &error))
        fail_msg("%s", error.text);
    for (int i = 0; i < n; i++)
        assert_true(out[i] == (float)values[i]);
    assert_refused_as(path, 1, 1, n - 1, DATA_F32, "");
    assert_refused_as(path, 1, 1, n + 1, DATA_F32, "");
}

/* PNG */

/* Rows of `stride` bytes; for 16 bits, big-endian. */
static const char *write_png(struct temp *temp, const void *rows, size_t stride, int depth, int colour_type)
{
    FILE *stream = fopen(temp_path(temp, "image.png"), "wb");
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(png);
    png_init_io(png, stream);
    png_set_IHDR(png, info, W, H, depth, colour_type, PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
                 PNG_FILTER_TYPE_DEFAULT);
    png_set_gAMA(png, info, 1.0); /* which changes no pixel */
    if (colour_type == PNG_COLOR_TYPE_PALETTE) {
        png_color palette[AREA];
        for (int i = 0; i < AREA; i++)
            palette[i] = (png_color){rgb[3 * i], rgb[3 * i + 1], rgb[3 * i + 2]};
        png_set_PLTE(png, info, palette, AREA);
    }
    png_write_info(png, info);
    for (int y = 0; y < H; y++)
        png_write_row(png, (png_const_bytep)rows + (size_t)y * stride);
    png_write_end(png, info);
    png_destroy_write_struct(&png, &info);
    fclose(stream);
    return temp->path;
}

static void test_png(void **state)
{
    struct temp *temp = *state;
    assert_reads_grey(write_png(temp, grey, W, 8, PNG_COLOR_TYPE_GRAY));
    assert_reads_colour(write_png(temp, rgb, 3 * W, 8, PNG_COLOR_TYPE_RGB));
    const unsigned char indices[AREA] = {0, 1, 2, 3, 4, 5};
    assert_reads_colour(write_png(temp, indices, W, 8, PNG_COLOR_TYPE_PALETTE));
    unsigned char deep[2 * AREA];
    for (int i = 0; i < AREA; i++)
        deep[2 * i] = deep[2 * i + 1] = grey[i];
    assert_reads_grey(write_png(temp, deep, 2 * W, 16, PNG_COLOR_TYPE_GRAY));
}

static void test_png_alpha(void **state)
{
    struct temp *temp = *state;
    unsigned char with_alpha[2 * AREA], rgba[4 * AREA];
    for (int i = 0; i < AREA; i++) {
        with_alpha[2 * i] = grey[i];
        with_alpha[2 * i + 1] = 255;
        memcpy(rgba + 4 * i, rgb + 3 * i, 3);
        rgba[4 * i + 3] = 255;
    }
    assert_reads_grey(write_png(temp, with_alpha, 2 * W, 8, PNG_COLOR_TYPE_GRAY_ALPHA));
    assert_reads_colour(write_png(temp, rgba, 4 * W, 8, PNG_COLOR_TYPE_RGB_ALPHA));
    assert_false(seen.transparent);
    assert_reads(write_png(temp, pillow_la, 2 * W, 8, PNG_COLOR_TYPE_GRAY_ALPHA), 1, pillow_grey);
    assert_true(seen.transparent);
    assert_reads(write_png(temp, pillow_rgba, 4 * W, 8, PNG_COLOR_TYPE_RGB_ALPHA), 3, pillow_planes);
    assert_true(seen.transparent);
}

static void test_png_damage(void **state)
{
    struct temp *temp = *state;
    size_t size;
    unsigned char *good = temp_read(write_png(temp, grey, W, 8, PNG_COLOR_TYPE_GRAY), &size);
    assert_refused(temp_write(temp, "short.png", good, 20), "damaged PNG: ");
    assert_refused(temp_write(temp, "short.png", good, size - 20), "damaged PNG: ");
    good[61] ^= 0xff; /* in the pixels */
    assert_refused(temp_write(temp, "bad.png", good, size), "damaged PNG: ");
    free(good);
}

/* PGM and PPM */

static const char *write_text(struct temp *temp, const char *text)
{
    return temp_write(temp, "image", text, strlen(text));
}

static const char *write_raw(struct temp *temp, const char *header, const void *pixels, size_t size)
{
    char bytes[200];
    size_t length = strlen(header);
    memcpy(bytes, header, length);
    memcpy(bytes + length, pixels, size);
    return temp_write(temp, "image", bytes, length + size);
}

static void test_pnm(void **state)
{
    struct temp *temp = *state;
    assert_reads_grey(write_raw(temp, "P5\n# made by hand\n3 2 # size\n255\n", grey, sizeof grey));
    assert_reads_colour(write_raw(temp, "P6 3 2 255 ", rgb, sizeof rgb));
    assert_reads_grey(write_text(temp, "P2 3 2 255\n0 10 20 # first row\n128 250 255\n"));
    assert_reads_colour(write_text(temp, "P3\n3\n2\n255\n255 0 0  0 255 0  0 0 255  10 20 30  255 255 255  0 0 0"));
}

static void test_pnm_depths(void **state)
{
    struct temp *temp = *state;
    const unsigned char expected[AREA] = {0, 17, 34, 51, 238, 255};
    assert_reads(write_text(temp, "P2 3 2 15\n0 1 2 3 14 15"), 1, expected);
    const unsigned char deep[2 * AREA] = {0, 0, 0x11, 0x11, 0x22, 0x22, 0x33, 0x33, 0xee, 0xee, 0xff, 0xff};
    assert_reads(write_raw(temp, "P5 3 2 65535\n", deep, sizeof deep), 1, expected);
}

static void test_pnm_damage(void **state)
{
    struct temp *temp = *state;
    assert_refused(write_raw(temp, "P5 3 2 255 ", grey, 5), "truncated: it ends at byte 16, within the pixels");
    assert_refused(write_raw(temp, "P5 3 2 255 ", rgb, 7), "byte 17: more data follow; expected one image");
    assert_refused(write_text(temp, "P2 3 2 255 1 2 3 4 5"),
                   "byte 20: expected a number of at most 255, but the file ends");
    assert_refused(write_text(temp, "P2 3 2 255 1 2 3 4 5 256"), "expected a number of at most 255");
    assert_refused(write_text(temp, "P2 3 2 255 1 2 3 4 5 x"), "byte 21: expected a number");
    assert_refused(write_text(temp, "P2 3 2 255 1 2 3 4 5 6 7"), "more data follow");
    assert_refused(write_text(temp, "P5 3 2 0 "), "expected a largest value of 1 to 65535");
    assert_refused(write_text(temp, "P5 3 2 65536 "), "expected a number of at most 65535");
    assert_refused(write_text(temp, "P5 3"), "expected a number");
    assert_refused(write_text(temp, "P5"), "expected a number");
    assert_refused(write_raw(temp, "P5 3 2 9 ", grey, 6), "pixel 10; expected at most 9");
}

/* .npy */

static const char *write_npy(struct temp *temp, int version, const char *dict, const void *data, size_t size)
{
    char bytes[400] = "\x93NUMPY";
    size_t length = strlen(dict), start = version == 1 ? 10 : 12;
    bytes[6] = (char)version;
    bytes[8] = (char)length;
    memcpy(bytes + start, dict, length);
    memcpy(bytes + start + length, data, size);
    return temp_write(temp, "image.npy", bytes, start + length + size);
}

#define DICT(type, order, shape) "{'descr': '" type "', 'fortran_order': " order ", 'shape': " shape ", }  \n"

static void test_npy(void **state)
{
    struct temp *temp = *state;
    static const char *const shapes[] = {"(2, 3)", "(1, 2, 3)", "(1, 1, 2, 3,)"};
    for (int version = 1; version <= 3; version++)
        for (int i = 0; i < 3; i++) {
            char dict[120];
            snprintf(dict, sizeof dict, DICT("|u1", "False", "%s"), shapes[i]);
            assert_reads(write_npy(temp, version, dict, grey, sizeof grey), 1, grey);
        }
    float floats[3 * AREA];
    for (int i = 0; i < 3 * AREA; i++)
        floats[i] = rgb[i];
    assert_reads(write_npy(temp, 1, DICT("<f4", "False", "(3, 2, 3)"), floats, sizeof floats), 3, rgb);
    assert_reads(
        write_npy(temp, 1, "{\"shape\":(3,2,3),\"descr\":\"<f4\",\"fortran_order\":False}", floats, sizeof floats), 3,
        rgb);
}

static void test_npy_vector(void **state)
{
    const float values[2] = {0.5f, -1};
    float out[2];
    struct data_error error;
    const char *path = write_npy(*state, 1, DICT("<f4", "False", "(2,)"), values, sizeof values);
    assert_true(image_read(path, NULL, 0, 1, 1, 2, DATA_F32, out, &seen, &error));
    assert_memory_equal(out, values, sizeof values);
    assert_refused_as(path, 1, 1, 2, DATA_U8, "value 0.5; expected whole numbers 0 to 255");
}

static void test_vectors(void **state)
{
    struct temp *temp = *state;
    unsigned char planes[3 * AREA];
    for (int i = 0; i < 3 * AREA; i++)
        planes[i] = rgb[3 * (i % AREA) + i / AREA];
    assert_reads_vector(write_png(temp, grey, W, 8, PNG_COLOR_TYPE_GRAY), AREA, grey);
    assert_reads_vector(write_png(temp, rgb, 3 * W, 8, PNG_COLOR_TYPE_RGB), 3 * AREA, planes);
    assert_reads_vector(write_raw(temp, "P5 3 2 255 ", grey, sizeof grey), AREA, grey);
    assert_reads_vector(write_npy(temp, 1, DICT("|u1", "False", "(2, 3)"), grey, sizeof grey), AREA, grey);
    assert_reads_vector(write_npy(temp, 1, DICT("|u1", "False", "(3, 2, 3)"), planes, sizeof planes), 3 * AREA, planes);
}

static void test_npy_damage(void **state)
{
    struct temp *temp = *state;
#define U8(shape) DICT("|u1", "False", shape)
    static const char *const types[] = {"<c8", "|O", "<U4", "<i3", "<f1", "<b2", "x", ""};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        char dict[120];
        snprintf(dict, sizeof dict, DICT("%s", "False", "(2, 3)"), types[i]);
        assert_refused(write_npy(temp, 1, dict, grey, 6),
                       "expected numbers: bool, u8 to u64, i8 to i64, f16, f32 or f64 (.astype(np.float32)");
    }
    assert_refused(write_npy(temp, 1, DICT("|u1", "True", "(2, 3)"), grey, 6), "expected fortran_order False");
    assert_refused(write_npy(temp, 1, U8("(2, 3"), grey, 6), "expected a size");
    assert_refused(write_npy(temp, 1, U8("(2, -3)"), grey, 6), "expected a size");
    assert_refused(write_npy(temp, 1, U8("(1,1,1,1,1,1,1,2,3)"), grey, 6), "more than 8 sizes");
    assert_refused(write_npy(temp, 1, "{'descr': '|u1', 'shape': (2, 3)}", grey, 6),
                   "expected descr, fortran_order and shape");
    assert_refused(write_npy(temp, 1, "{'descr': '|u1', 'x': 1}", grey, 6), "expected descr, fortran_order and shape");
    assert_refused(write_npy(temp, 1, "{'descr", grey, 0), "expected a key in quotes");
    assert_refused(write_npy(temp, 1, "", grey, 6), "expected a dict");
    assert_refused(write_npy(temp, 4, U8("(2, 3)"), grey, 6), "expected version 1, 2 or 3");
    assert_refused(write_npy(temp, 1, U8("(2, 3)"), grey, 5), "5 bytes from byte 72; expected 6 for the array");
    assert_refused(write_npy(temp, 1, U8("(2, 3)"), rgb, 7), "7 bytes from byte 72; expected 6 for the array");
    assert_refused(temp_write(temp, "image.npy", "\x93NUMPY\1\0\xff\0{    ", 15),
                   "truncated: the header needs 255 bytes from byte 10");
    assert_refused(temp_write(temp, "image.npy", "\x93NUMPY\1", 7), "truncated: 7 bytes are no .npy file");
}

/* All formats */

static void test_wrong_size(void **state)
{
    struct temp *temp = *state;
    assert_refused_as(write_png(temp, grey, W, 8, PNG_COLOR_TYPE_GRAY), 1, 28, 28, DATA_F32,
                      "the image is 3 wide and 2 high; the network takes 28 wide and 28 high");
    assert_refused_as(write_raw(temp, "P5 3 2 255 ", grey, 6), 1, 3, 2, DATA_F32,
                      "3 wide and 2 high; the network takes 2 wide");
    assert_refused_as(write_raw(temp, "P5 65535 65535 255 ", grey, 6), 1, 3, 2, DATA_F32, "the image is 65535 wide");
    assert_refused_as(write_npy(temp, 1, U8("(2, 3)"), grey, 6), 3, 2, 3, DATA_F32,
                      "the array is [2, 3]; the network takes [3, 2, 3]");
    assert_refused_as(write_raw(temp, "P5 3 2 255 ", grey, 6), 4, 2, 3, DATA_F32,
                      "takes 4 channels; an image file has 1 or 3");
}

static void test_not_an_image(void **state)
{
    struct temp *temp = *state;
    assert_refused(write_text(temp, ""),
                   "not an image known here; expected PNG, JPEG, PGM, PPM (P2, P3, P5, P6), WAV, FLAC or .npy");
    assert_refused(write_text(temp, "P4 3 2 "), "not an image known here");
    assert_refused(write_text(temp, "P"), "not an image known here");
    assert_refused(write_text(temp, "GIF89a"), "not an image known here");
    assert_refused(temp_path(temp, "missing.png"), "No such file");
    assert_refused(temp->folder, "is not a regular file");
}

#define with_folder(test) cmocka_unit_test_setup_teardown(test, temp_open, temp_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_folder(test_png),        with_folder(test_png_alpha),    with_folder(test_png_damage),
        with_folder(test_pnm),        with_folder(test_pnm_depths),   with_folder(test_pnm_damage),
        with_folder(test_npy),        with_folder(test_npy_vector),   with_folder(test_npy_damage),
        with_folder(test_wrong_size), with_folder(test_not_an_image), with_folder(test_vectors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
