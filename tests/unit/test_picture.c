/* Pictures of other programs: JPEG files give the pixels that Pillow gives (tests/oracle/images.py, tests/pictures), turned as
 * their EXIF says; damage is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "data/picture.h"
#include "temp_files.h"

static struct picture read_bytes(unsigned char *bytes, size_t size, struct data_error *error)
{
    struct picture p;
    struct image_source source = {.path = "it.jpg", .bytes = bytes, .size = size};
    *error = (struct data_error){""};
    if (!picture_read(&source, NULL, NULL, &p, error))
        assert_null(p.pixels);
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

static struct picture read_file(const char *name, const char *kind)
{
    size_t size;
    struct data_error error;
    unsigned char *bytes = load(name, kind, &size);
    struct picture p = read_bytes(bytes, size, &error);
    free(bytes);
    if (!p.pixels)
        fail_msg("%s.%s: %s", name, kind, error.text);
    return p;
}

/* Versions of libjpeg may round differently by one. */
static void test_pixels(void **state)
{
    static const char *const names[] = {"colour",  "fine",    "grey",    "cmyk",    "turned1", "turned2",
                                        "turned3", "turned4", "turned5", "turned6", "turned7", "turned8"};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct picture jpeg = read_file(names[i], "jpg"), pillow = read_file(names[i], "ppm");
        assert_int_equal(jpeg.height, pillow.height);
        assert_int_equal(jpeg.width, pillow.width);
        assert_int_equal(jpeg.channels, pillow.channels);
        for (size_t at = 0; at < (size_t)jpeg.height * jpeg.width * (size_t)jpeg.channels; at++)
            if (abs(jpeg.pixels[at] - pillow.pixels[at]) > 1)
                fail_msg("%s: value %zu is %d, Pillow's %d", names[i], at, jpeg.pixels[at], pillow.pixels[at]);
        free(jpeg.pixels);
        free(pillow.pixels);
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
            struct picture p = read_bytes(bytes, n, &error);
            if (p.pixels)
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
        struct picture p = read_bytes(bytes, size, &error);
        assert_true(p.pixels || *error.text);
        free(p.pixels);
        *at = kept;
    }
    free(bytes);
}

static bool refuse(void *wanted, const struct picture *p, struct data_error *error)
{
    assert_ptr_equal(wanted, refuse);
    assert_null(p->pixels);
    return data_fail(error, "%u x %u, %d channels", p->width, p->height, p->channels);
}

static void test_refused_by_size(void **state)
{
    (void)state;
    static const char *const files[][3] = {{"turned6", "jpg", "it.jpg: 3 x 5, 1 channels"},
                                           {"colour", "jpg", "it.jpg: 21 x 18, 3 channels"},
                                           {"colour", "ppm", "it.jpg: 21 x 18, 3 channels"}};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        size_t size;
        struct picture p;
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pixels),
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_changed),
        cmocka_unit_test(test_refused_by_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
