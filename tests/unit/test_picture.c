/* Pictures of other programs: JPEG and PNG files give the pixels that Pillow gives (tests/oracle/images.py, tests/pictures), turned as
 * their EXIF says; damage is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "data/picture.h"
#include "graph/word.h"
#include "temp_files.h"

static struct pixels read_bytes(unsigned char *bytes, size_t size, struct data_error *error)
{
    struct pixels p;
    struct image_source source = {.path = "it.jpg", .bytes = bytes, .size = size};
    *error = (struct data_error){""};
    if (!picture_read(&source, NULL, NULL, &p, error))
        assert_null(p.at);
    return p;
}

/* A zero follows what the file holds. */
static unsigned char *load(const char *name, const char *kind, size_t *size)
{
    char path[200];
    snprintf(path, sizeof path, "tests/pictures/%s.%s", name, kind);
    unsigned char *bytes = temp_read(path, size), *more = realloc(bytes, *size + 1);
    more[*size] = 0;
    return more;
}

static struct pixels read_file(const char *name, const char *kind)
{
    size_t size;
    struct data_error error;
    unsigned char *bytes = load(name, kind, &size);
    struct pixels p = read_bytes(bytes, size, &error);
    free(bytes);
    if (!p.at)
        fail_msg("%s.%s: %s", name, kind, error.text);
    return p;
}

/* Versions of libjpeg may round differently by one. */
static void test_pixels(void **state)
{
    static const char *const names[] = {"colour",  "fine",    "grey",    "cmyk",    "turned1", "turned2", "turned3",
                                        "turned4", "turned5", "turned6", "turned7", "turned8", "exif1",   "exif2",
                                        "exif3",   "exif4",   "exif5",   "exif6",   "exif7",   "exif8"};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct pixels jpeg = read_file(names[i], *names[i] == 'e' ? "png" : "jpg"), pillow = read_file(names[i], "ppm");
        assert_int_equal(jpeg.height, pillow.height);
        assert_int_equal(jpeg.width, pillow.width);
        assert_int_equal(jpeg.channels, pillow.channels);
        for (size_t at = 0; at < (size_t)(jpeg.height * jpeg.width * jpeg.channels); at++)
            if (abs(jpeg.at[at] - pillow.at[at]) > 1)
                fail_msg("%s: value %zu is %d, Pillow's %d", names[i], at, jpeg.at[at], pillow.at[at]);
        free(jpeg.at);
        free(pillow.at);
    }
}

/* Of a file that ends early nothing is painted over. */
static void test_cut(void **state)
{
    (void)state;
    static const char *const names[] = {"colour", "fine", "grey", "cmyk", "turned6"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        size_t size;
        unsigned char *bytes = load(names[i], "jpg", &size);
        for (size_t n = 0; n < size; n++) {
            struct data_error error;
            unsigned char kept = bytes[n];
            bytes[n] = 0;
            struct pixels p = read_bytes(bytes, n, &error);
            if (p.at)
                fail_msg("%s: %zu of %zu bytes will do", names[i], n, size);
            assert_contains(error.text, "it.jpg: ");
            bytes[n] = kept;
        }
        free(bytes);
    }
}

/* Any byte may be any other: a picture comes of it, or a message. */
static void test_changed(void **state)
{
    (void)state;
    uint32_t x = 1;
    size_t size;
    unsigned char *bytes = load("turned6", "jpg", &size);
    for (int i = 0; i < 20000; i++) {
        struct data_error error;
        x = x * 1664525u + 1013904223u;
        unsigned char *at = &bytes[(x >> 8) % size], kept = *at;
        *at = (unsigned char)(x >> 3);
        struct pixels p = read_bytes(bytes, size, &error);
        assert_true(p.at || *error.text);
        free(p.at);
        *at = kept;
    }
    free(bytes);
}

static bool refuse(void *wanted, const struct pixels *p, struct data_error *error)
{
    assert_ptr_equal(wanted, refuse);
    assert_null(p->at);
    return data_fail(error, "%d x %d, %d channels", (int)p->width, (int)p->height, p->channels);
}

static void test_refused_by_size(void **state)
{
    (void)state;
    static const char *const files[][3] = {{"turned6", "jpg", "it.jpg: 3 x 5, 1 channels"},
                                           {"colour", "jpg", "it.jpg: 21 x 18, 3 channels"},
                                           {"colour", "ppm", "it.jpg: 21 x 18, 3 channels"}};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        size_t size;
        struct pixels p;
        struct data_error error;
        struct image_source source = {.path = "it.jpg", .bytes = load(files[i][0], files[i][1], &size)};
        source.size = size;
        assert_false(picture_read(&source, refuse, refuse, &p, &error));
        assert_string_equal(error.text, files[i][2]);
        free(source.bytes);
    }
    struct data_error error;
    unsigned char traps[][24] = {"P5 65535 65535 255 ", "P5 0 5 255 "};
    for (int i = 0; i < 2; i++) {
        read_bytes(traps[i], strlen((char *)traps[i]), &error);
        assert_contains(error.text, "expected at least one, and at most 2^28");
    }
}

/* Every transform, by the numbers of Pillow and torchvision. */
static void test_transforms(void **state)
{
    static const struct {
        const char *word, *file;
        double num[2];
    } cases[] = {
        {"Resize", "small", {7, 9}},   {"Resize", "large", {31, 50}},    {"Resize", "narrow", {23, 12}},
        {"Resize", "short", {10, 0}},  {"CenterCrop", "crop", {10, 16}}, {"Gray", "grey", {0}},
        {"Resize", "noise", {23, 37}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char name[32];
        bool same = strcmp(cases[i].file, "noise") == 0;
        snprintf(name, sizeof name, "noise%s%s", same ? "" : "_", same ? "" : cases[i].file);
        struct pixels noise = read_file("noise", "ppm"), wanted = read_file(name, "ppm");
        struct picture_step step = {.word = word_find(WORD_TRANSFORM, cases[i].word)};
        memcpy(step.num, cases[i].num, sizeof cases[i].num);
        struct pixels p = noise, size = p;
        assert_null(picture_sized(&step, 1, &size));
        assert_true(picture_made(&step, 1, &p));
        assert_true(p.height == wanted.height && p.width == wanted.width && p.channels == wanted.channels);
        assert_true(size.height == p.height && size.width == p.width && size.channels == p.channels);
        assert_memory_equal(p.at, wanted.at, (size_t)(p.height * p.width * p.channels));
        free(p.at);
        free(wanted.at);
    }
}

static void test_steps(void **state)
{
    (void)state;
    const struct word *resize = word_find(WORD_TRANSFORM, "Resize"), *crop = word_find(WORD_TRANSFORM, "CenterCrop");
    struct picture_step step[] = {{resize, {20, 0}}, {crop, {16, 0}}, {word_find(WORD_TRANSFORM, "Color"), {0}}};
    struct pixels p = {.height = 31, .width = 20, .channels = 1}, unknown = {0};
    assert_null(picture_sized(step, 3, &p));
    assert_true(p.height == 16 && p.width == 16 && p.channels == 3);
    assert_null(picture_sized(step, 3, &unknown));
    assert_true(unknown.height == 16 && unknown.width == 16 && unknown.channels == 3);
    p = (struct pixels){.height = 15, .width = 40, .channels = 1};
    assert_string_equal(picture_sized(step + 1, 2, &p), "is smaller than CenterCrop leaves: put Resize before it");
    p = (struct pixels){.height = 1, .width = 65535, .channels = 3};
    step[0].num[0] = 65535;
    assert_string_equal(picture_sized(step, 1, &p), "is too long for Resize");
    struct pixels made = {.height = 2, .width = 2, .channels = 1, .at = malloc(4)};
    step[0].num[0] = 1;
    memcpy(made.at, "\x0a\x14\x1e\x28", 4);
    step[1] = step[2];
    assert_true(picture_made(step, 2, &made));
    assert_true(made.height == 1 && made.width == 1 && made.channels == 3);
    assert_memory_equal(made.at, "\x19\x19\x19", 3);
    free(made.at);
}

static struct pixels read_mask(const char *name, const char *kind, struct data_error *error)
{
    struct pixels p;
    struct image_source source = {.path = "it.png"};
    source.bytes = load(name, kind, &source.size);
    *error = (struct data_error){""};
    if (!picture_mask(&source, NULL, NULL, &p, error))
        assert_null(p.at);
    free(source.bytes);
    return p;
}

/* Values as they are stored, and Pillow's NEAREST; anything that would mix them is refused. */
static void test_masks(void **state)
{
    static const struct {
        const char *file;
        double num[2];
    } cases[] = {{"mask_same", {23, 37}}, {"mask_small", {7, 9}}, {"mask_large", {31, 50}}};
    struct data_error error;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct pixels p = read_mask("mask", "png", &error), wanted = read_file(cases[i].file, "pgm");
        struct picture_step step[] = {{.word = word_find(WORD_TRANSFORM, "Color")},
                                      {.word = word_find(WORD_TRANSFORM, "Resize")},
                                      {.word = word_find(WORD_TRANSFORM, "Gray")}};
        memcpy(step[1].num, cases[i].num, sizeof cases[i].num);
        assert_true(p.at && p.mask && p.channels == 1 && picture_made(step, 3, &p));
        assert_true(p.height == wanted.height && p.width == wanted.width && p.channels == 1);
        assert_memory_equal(p.at, wanted.at, (size_t)(p.height * p.width));
        free(p.at);
        free(wanted.at);
    }
    struct pixels few = read_mask("mask_few", "png", &error);
    for (int i = 0; i < 15; i++)
        assert_int_equal(few.at[i], i * i % 4);
    free(few.at);
    read_mask("colour", "jpg", &error);
    assert_string_equal(error.text,
                        "it.png: byte 0: no PNG; expected a mask, grey or with a palette, whose values are classes");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pixels),          cmocka_unit_test(test_cut),        cmocka_unit_test(test_changed),
        cmocka_unit_test(test_refused_by_size), cmocka_unit_test(test_transforms), cmocka_unit_test(test_steps),
        cmocka_unit_test(test_masks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
