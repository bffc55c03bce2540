/* Files of the cache that are not code: the oldest go, and nothing is kept that would fill the disk. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "temp_files.h"

#include "device/cache.h"

#include <fcntl.h>
#include <sys/stat.h>

static void put(const struct cache *c, const char *name, off_t size, time_t used)
{
    const struct timespec times[2] = {{.tv_sec = used}, {.tv_sec = used}};
    int file = openat(c->folder, name, O_CREAT | O_WRONLY, 0600);
    assert_true(file >= 0 && ftruncate(file, size) == 0 && futimens(file, times) == 0);
    close(file);
}

static bool has(const struct cache *c, const char *name)
{
    int file = cache_find(c, name);
    if (file >= 0)
        close(file);
    return file >= 0;
}

static void test_oldest_go(void **state)
{
    struct temp *temp = *state;
    struct cache c;
    char path[320];
    setenv("XDG_CACHE_HOME", temp->folder, 1);
    assert_true(cache_open(&c));
    put(&c, "a.pictures", 100, 3000);
    put(&c, "b.pictures", 100, 1000);
    put(&c, "c.pictures", 100, 2000);
    put(&c, "d.so", 1000, 1);
    cache_trim(&c, ".pictures", 300);
    assert_true(has(&c, "a.pictures") && has(&c, "b.pictures") && has(&c, "c.pictures"));
    cache_trim(&c, ".pictures", 299);
    assert_true(has(&c, "a.pictures") && !has(&c, "b.pictures") && has(&c, "c.pictures"));
    cache_trim(&c, ".pictures", 100);
    assert_true(has(&c, "a.pictures") && !has(&c, "c.pictures") && has(&c, "d.so"));
    cache_trim(&c, ".pictures", 0);
    assert_true(!has(&c, "a.pictures") && has(&c, "d.so"));
    assert_true(cache_affords(&c, 100, 200) && !cache_affords(&c, 101, 200));
    assert_false(cache_affords(&c, INT64_MAX / 4, INT64_MAX));
    put(&c, "mine.pictures", 10, 1);
    snprintf(path, sizeof path, "%s/mine.pictures", c.path);
    assert_true(has(&c, "mine.pictures") && chmod(path, 0622) == 0 && !has(&c, "mine.pictures"));
    cache_trim(&c, ".pictures", 0);
    cache_trim(&c, ".so", 0);
    rmdir(c.path);
    cache_close(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(test_oldest_go, temp_open, temp_close)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
