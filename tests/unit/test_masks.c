/* Pictures with masks where a file is damaged and disk or memory fails besides. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "temp_files.h"

#include "data/data.h"

#include <png.h>
#include <sys/stat.h>
#include <sys/syscall.h>

enum { PICTURES = 5, DAMAGED = 1, SIDE = 2 };

static bool failing;

/* Instead of the library's: what is read again to be moved cannot be. */
ssize_t pread(int file, void *to, size_t size, off_t at)
{
    return failing ? -1 : syscall(SYS_pread64, file, to, size, at);
}

/* Picture i is of grey i, and its mask of class i. */
static void make(struct temp *temp)
{
    png_image image = {.version = PNG_IMAGE_VERSION, .width = SIDE, .height = SIDE, .format = PNG_FORMAT_GRAY};
    assert_int_equal(mkdir(temp_path(temp, "images"), 0777), 0);
    assert_int_equal(mkdir(temp_path(temp, "masks"), 0777), 0);
    for (int i = 0; i < PICTURES; i++) {
        char name[32], file[32] = "P5 2 2 255\n";
        const size_t head = strlen(file);
        memset(file + head, i, SIDE * SIDE);
        snprintf(name, sizeof name, "images/%d.pgm", i);
        temp_write(temp, name, file, head + (i == DAMAGED ? 1 : SIDE * SIDE));
        snprintf(name, sizeof name, "masks/%d.png", i);
        assert_true(png_image_write_to_file(&image, temp_path(temp, name), 0, file + head, 0, NULL));
    }
    assert_int_equal(setenv("XDG_CACHE_HOME", temp->folder, 1), 0);
}

static void test_left_out(void **state)
{
    struct data_error e;
    struct dataset set;
    make(*state);
    for (int64_t most = 0; most < 2; most++) { /* in memory, and on disk */
        const struct data_wish wish = {.skip_damaged = true, .most = most};
        const struct data_split *s = &set.train;
        assert_true(data_open(((struct temp *)*state)->folder, &wish, &set, &e));
        assert_int_equal(s->count, PICTURES - 1);
        assert_int_equal(set.files.damaged, 1);
        for (int64_t i = 0; i < s->count; i++) {
            const int file = (int)i + (i >= DAMAGED);
            unsigned char sample[SIDE * SIDE];
            char name[32];
            snprintf(name, sizeof name, "masks/%d.png", file);
            assert_true(data_sample(s, i, sample, &e));
            assert_int_equal(sample[3], file);
            assert_int_equal(s->label.values[4 * i + 3], file);
            assert_contains(s->mask[i], name);
        }
        data_close(&set);
    }
}

static void test_not_moved(void **state)
{
    const struct data_wish wish = {.skip_damaged = true, .most = 1};
    struct data_error e;
    struct dataset set;
    make(*state);
    failing = true;
    const bool ok = data_open(((struct temp *)*state)->folder, &wish, &set, &e);
    failing = false;
    assert_false(ok);
    assert_contains(e.text, ": its samples on disk cannot be read");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_left_out, temp_open, temp_close),
        cmocka_unit_test_setup_teardown(test_not_moved, temp_open, temp_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
