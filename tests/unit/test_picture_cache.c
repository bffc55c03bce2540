/* A file of the cache that was made up: its hash is right, and what it says of its pictures is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "temp_files.h"

#include "data/data.h"
#include "graph/word.h"

#include <glob.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <xxhash.h>

enum {
    SIDE = 2,
    HASH = 24,
    COUNT = 40,
    DIMS = 48,
    HEAD = 64,
    RECORD = 56
}; /* where they are in the header, and sizes */

/* Instead of the library's: files were written long ago, so that their times tell a change. */
int clock_gettime(clockid_t clock, struct timespec *now)
{
    const int failed = (int)syscall(SYS_clock_gettime, clock, now);
    now->tv_sec += 10;
    return failed;
}

/* Gives the file of the cache other dims, and its hash. */
static void make_up(const struct temp *temp, const int32_t dims[3])
{
    char pattern[128];
    glob_t found;
    size_t size;
    snprintf(pattern, sizeof pattern, "%s/netrun/*.pictures", temp->folder);
    assert_int_equal(glob(pattern, 0, NULL, &found), 0);
    unsigned char *file = temp_read(found.gl_pathv[0], &size);
    assert_int_equal(size, HEAD + RECORD + SIDE * SIDE);
    memcpy(file + DIMS, dims, 3 * sizeof *dims);
    memset(file + HASH, 0, sizeof(XXH128_canonical_t));
    XXH128_canonicalFromHash((XXH128_canonical_t *)(void *)(file + HASH), XXH3_128bits(file, HEAD + RECORD));
    FILE *to = fopen(found.gl_pathv[0], "wb");
    assert_non_null(to);
    assert_int_equal(fwrite(file, 1, size, to), size);
    fclose(to);
    free(file);
    globfree(&found);
}

static void test_dims(void **state)
{
    static const int32_t made_up[][3] = {{1, SIDE, SIDE}, {0, SIDE, SIDE},     {1, 0, SIDE},       {1, -SIDE, -SIDE},
                                         {2, SIDE, SIDE}, {1, SIDE, SIDE / 2}, {1, 1 << 30, SIDE}, {-1, -1, 4}};
    struct temp *temp = *state;
    struct picture_step step = {word_find(WORD_TRANSFORM, "Resize"), {SIDE, SIDE}};
    const struct data_wish wish = {.step = &step, .steps = 1};
    struct data_error e;
    struct dataset set;
    assert_int_equal(setenv("XDG_CACHE_HOME", temp->folder, 1), 0);
    assert_int_equal(mkdir(temp_path(temp, "set"), 0777), 0);
    assert_int_equal(mkdir(temp_path(temp, "set/class"), 0777), 0);
    temp_write(temp, "set/class/0.pgm", "P5 2 2 255\n1234", 15);
    const char *folder = temp_path(temp, "set");
    assert_true(data_open(folder, &wish, &set, &e));
    data_close(&set);
    for (size_t i = 0; i < sizeof made_up / sizeof *made_up; i++) {
        make_up(temp, made_up[i]);
        assert_true(data_open(folder, &wish, &set, &e));
        assert_int_equal(set.files.decoded, i > 0);
        assert_memory_equal(set.train.sample.dims, ((int64_t[]){1, SIDE, SIDE}), 3 * sizeof(int64_t));
        assert_memory_equal(set.train.sample.values, "1234", SIDE * SIDE);
        data_close(&set);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(test_dims, temp_open, temp_close)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
