/* Sheets: what is drawn where, read back by the reader of PNG; how values become grey. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "data/image.h"
#include "data/sheet.h"
#include "temp_files.h"

#include <math.h>

enum { PAPER = 0xffffff, FRAME = 0xc8c8c8 };

struct page {
    int64_t height, width;
    unsigned char *pixel; /* [3, height, width] */
};

/* Draws, and reads the file back. */
static struct page drawn(struct temp *temp, const struct sheet *s)
{
    struct picture p;
    struct page page;
    struct data_error e;
    struct image_seen seen;
    assert_true(sheet_draw(s, &p, &e));
    page = (struct page){p.height, p.width, calloc(3, (size_t)(p.height * p.width))};
    temp_write(temp, "sheet.png", p.png, p.bytes);
    if (!image_read(temp->path, NULL, 0, 3, p.height, p.width, DATA_U8, page.pixel, &seen, &e))
        fail_msg("%s", e.text);
    assert_false(seen.transparent);
    picture_free(&p);
    return page;
}

static int at(const struct page *p, int64_t y, int64_t x)
{
    int64_t i = y * p->width + x, area = p->height * p->width;
    assert_true(y >= 0 && y < p->height && x >= 0 && x < p->width);
    return p->pixel[i] << 16 | p->pixel[area + i] << 8 | p->pixel[2 * area + i];
}

/* Two images of 2 x 3, the second below the first; no text. Each pixel is four by four, gaps are 4. */
static void test_grid(void **state)
{
    const unsigned char image[2][6] = {{0, 50, 100, 150, 200, 255}, {6, 5, 4, 3, 2, 1}};
    const struct sheet_cell cell[] = {{.image = image[0]}, {0}, {.image = image[1]}};
    const struct sheet s = {.type = DATA_U8,
                            .channels = 1,
                            .height = 2,
                            .width = 3,
                            .cells = 3,
                            .columns = 2,
                            .cell = cell,
                            .scale = 4,
                            .text = 1};
    struct page p = drawn(*state, &s);
    assert_int_equal(p.width, 4 + 2 * (12 + 4));
    assert_int_equal(p.height, 4 + 2 * (8 + 4));
    for (int y = 0; y < 8; y++)
        for (int x = 0; x < 12; x++) {
            assert_int_equal(at(&p, 4 + y, 4 + x), image[0][y / 4 * 3 + x / 4] * 0x010101);
            assert_int_equal(at(&p, 4 + 12 + y, 4 + x), image[1][y / 4 * 3 + x / 4] * 0x010101);
            assert_int_equal(at(&p, 4 + y, 4 + 16 + x), PAPER);
        }
    assert_int_equal(at(&p, 3, 3), FRAME);
    assert_int_equal(at(&p, 12, 16), FRAME);
    assert_int_equal(at(&p, 2, 2), PAPER);
    free(p.pixel);
}

/* Red, green, blue; of two channels the mean. */
static void test_channels(void **state)
{
    const unsigned char image[3] = {10, 20, 30};
    const struct sheet_cell cell = {.image = image};
    struct sheet s = {.type = DATA_U8, .channels = 3, .height = 1, .width = 1, .cells = 1, .columns = 1, .cell = &cell};
    s.scale = s.text = 1;
    struct page p = drawn(*state, &s);
    assert_int_equal(at(&p, 4, 4), 0x0a141e);
    free(p.pixel);
    s.channels = 2;
    p = drawn(*state, &s);
    assert_int_equal(at(&p, 4, 4), 0x0f0f0f);
    free(p.pixel);
}

/* Ink of `colour` in a part of the page. */
static int64_t ink(const struct page *p, int64_t y, int64_t x, int64_t height, int64_t width, int colour)
{
    int64_t n = 0;
    for (int64_t v = y; v < y + height; v++)
        for (int64_t u = x; u < x + width; u++)
            n += at(p, v, u) == colour;
    return n;
}

/* A title, a row's label, lines below the image, which end with the cell. `-` is five dots, `|` seven. */
static void test_text(void **state)
{
    const unsigned char image[400] = {0};
    const char *const row[] = {"||"};
    const struct sheet_cell cell = {
        image, {{"----", 0xff0000}, {NULL, 0}, {"\xc3\xa9-", 0x00ff00}}}; /* of the first a box: 20 dots */
    const struct sheet s = {.type = DATA_U8,
                            .channels = 1,
                            .height = 20,
                            .width = 20,
                            .cells = 1,
                            .columns = 1,
                            .cell = &cell,
                            .scale = 1,
                            .text = 1,
                            .title = "-",
                            .row = row};
    struct page p = drawn(*state, &s);
    int64_t left = 4 + 2 * 6 + 4, top = 4 + 10 + 4;
    assert_int_equal(p.width, left + 20 + 4);
    assert_int_equal(ink(&p, 4, 4, 8, 6, 0), 5);
    assert_int_equal(ink(&p, top, 4, 20, 12, 0), 14);
    assert_int_equal(ink(&p, top, left, 20, 20, 0), 400);
    assert_int_equal(ink(&p, top + 20, left, 12, 20, 0xff0000), 3 * 5); /* the fourth does not fit */
    assert_int_equal(ink(&p, top + 20 + 20, left, 13, 20, 0x00ff00), 20 + 5);
    free(p.pixel);
}

static void range(const float *value, float black, float white)
{
    const struct sheet_cell cell = {.image = value};
    struct sheet s = {
        .type = DATA_F32, .channels = 1, .height = 1, .width = 4, .cells = 1, .columns = 1, .cell = &cell};
    sheet_range(&s);
    assert_true(s.black == black && s.white == white);
}

static void test_floats(void **state)
{
    const float value[4] = {-1, 0, 3, NAN};
    range((float[]){0, 0.5f, 0.25f, NAN}, 0, 1);
    range((float[]){0, 200, 3, INFINITY}, 0, 255);
    range(value, -1, 3);
    range((float[]){300, 300, 300, 300}, 0, 1);
    range((float[]){NAN, NAN, NAN, NAN}, 0, 1);
    const struct sheet_cell cell = {.image = value};
    const struct sheet s = {.type = DATA_F32,
                            .channels = 1,
                            .height = 1,
                            .width = 4,
                            .cells = 1,
                            .columns = 1,
                            .cell = &cell,
                            .scale = 1,
                            .text = 1};
    struct page p = drawn(*state, &s);
    static const int grey[] = {0, 64, 255, 0};
    for (int x = 0; x < 4; x++)
        assert_int_equal(at(&p, 4, 4 + x), grey[x] * 0x010101);
    free(p.pixel);
}

/* Three images of 1 x 2 pixels, the second of class 0, the others of class 1. */
static void test_classes(void **state)
{
    struct temp *temp = *state;
    unsigned char pixels[6] = {10, 20, 30, 40, 50, 60}, labels[3] = {1, 0, 1};
    char *name[] = {"nought", "one"}, *said = NULL;
    size_t size;
    const struct dataset set = {.train = {.count = 3,
                                          .sample = {DATA_U8, 3, {1, 1, 2}, 2, pixels, NULL, 0, 0},
                                          .label = {DATA_U8, 0, {0}, 1, labels, NULL, 0, 0}},
                                .classes = 2,
                                .class_name = name,
                                .class_names = 2};
    struct page p = {.height = 8 + 2 * (28 + 8), .width = 8 + 8 * 12 + 8 + 10 * (56 + 8)};
    struct data_error e;
    struct image_seen seen;
    FILE *out = open_memstream(&said, &size);
    temp_path(temp, "sheet.png");
    assert_true(inspect_sheet(&set, temp->path, out, &e));
    fclose(out);
    assert_contains(said, "sheet.png: 10 images of each class");
    free(said);
    p.pixel = calloc(3, (size_t)(p.height * p.width));
    assert_true(image_read(temp->path, NULL, 0, 3, p.height, p.width, DATA_U8, p.pixel, &seen, &e));
    int64_t left = 8 + 8 * 12 + 8; /* "0 nought" */
    assert_int_equal(at(&p, 8, left), 30 * 0x010101);
    assert_int_equal(at(&p, 8, left + 55), 40 * 0x010101);
    assert_int_equal(at(&p, 8, left + 64), PAPER);
    assert_int_equal(at(&p, 8 + 36, left), 10 * 0x010101);
    assert_int_equal(at(&p, 8 + 36, left + 64), 50 * 0x010101);
    free(p.pixel);
}

static void test_too_large(void **state)
{
    (void)state;
    const struct sheet_cell cell = {0};
    struct sheet s = {
        .channels = 1, .height = 28, .width = 28, .cells = 1, .columns = 1, .cell = &cell, .scale = 100000};
    struct picture p;
    struct data_error e;
    assert_false(sheet_draw(&s, &p, &e));
    assert_contains(e.text, "no picture of at most");
    s.width = s.height = INT64_MAX / 2;
    assert_false(sheet_draw(&s, &p, &e));
    s.width = 0;
    assert_false(sheet_draw(&s, &p, &e));
}

#define with_folder(test) cmocka_unit_test_setup_teardown(test, temp_open, temp_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_folder(test_grid),   with_folder(test_channels), with_folder(test_text),
        with_folder(test_floats), with_folder(test_classes),  cmocka_unit_test(test_too_large),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
