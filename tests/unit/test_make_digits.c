/* make_digits: what it draws is a data set, the same for the same seed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <sys/wait.h>

#include "data/data.h"
#include "temp_files.h"

/* In the build tree that is tested. */
static const char *program(void)
{
    static char path[1000];
    snprintf(path, sizeof path, "%s/make_digits", getenv("B") ? getenv("B") : "build");
    return path;
}

static int make_digits(struct temp *temp, const char *options)
{
    char command[1400];
    if (access(program(), X_OK) != 0) {
        print_message("%s is not built\n", program());
        skip();
    }
    snprintf(command, sizeof command, "'%s' %s %s 2>/dev/null", program(), temp->folder, options);
    return WEXITSTATUS(system(command));
}

static void assert_is_set(struct temp *temp, const char *format, int64_t channels, int64_t side)
{
    struct dataset set;
    struct data_error error;
    if (!data_open(temp->folder, NULL, &set, &error))
        fail_msg("%s", error.text);
    assert_string_equal(set.format, format);
    assert_int_equal(set.train.count, 200);
    assert_int_equal(set.test.count, 50);
    assert_int_equal(set.classes, 10);
    assert_int_equal(set.train.sample.dims[0], channels);
    assert_int_equal(set.train.sample.dims[2], side);
    /* Whatever the files are called, the folder says that they are drawn. */
    size_t size;
    unsigned char *mark = temp_read(temp_path(temp, "SYNTHETIC"), &size);
    assert_true(size > 30 && memcmp(mark, "Digits drawn by make_digits", 27) == 0);
    free(mark);
    /* The splits have nothing in common. */
    assert_memory_not_equal(set.train.sample.values, set.test.sample.values, (size_t)set.train.sample.bytes);
    data_close(&set);
}

static void test_idx(void **state)
{
    assert_int_equal(make_digits(*state, "--train 200 --test 50"), 0);
    assert_is_set(*state, "IDX", 1, 28);
}

static void test_packed_cifar(void **state)
{
    struct temp *temp = *state;
    assert_int_equal(make_digits(temp, "--train 200 --test 50 --cifar --gzip"), 0);
    assert_int_equal(access(temp_path(temp, "data_batch_1.bin.gz"), F_OK), 0);
    assert_is_set(temp, "CIFAR-10", 3, 32);
}

static unsigned char *images_of(struct temp *temp, const char *options, size_t *size)
{
    assert_int_equal(make_digits(temp, options), 0);
    return temp_read(temp_path(temp, "train-images-idx3-ubyte"), size);
}

static void test_seed(void **state)
{
    size_t size, same_size, other_size, longer_size;
    unsigned char *first = images_of(*state, "--train 20 --test 1 --seed 5", &size);
    unsigned char *same = images_of(*state, "--train 20 --test 1 --seed 5", &same_size);
    unsigned char *other = images_of(*state, "--train 20 --test 1 --seed 6", &other_size);
    unsigned char *longer = images_of(*state, "--train 30 --test 1 --seed 5", &longer_size);
    assert_int_equal(size, 16 + 20 * 784);
    assert_memory_equal(first, same, size);
    assert_memory_not_equal(first, other, size);
    assert_memory_equal(first + 16, longer + 16, size - 16); /* more samples begin with the same ones */
    free(first);
    free(same);
    free(other);
    free(longer);
}

/* Somebody's set stays as it is, packed or not. */
static void test_others(void **state)
{
    struct temp *temp = *state;
    assert_int_equal(make_digits(temp, "--train 20 --test 1 --cifar --gzip"), 0);
    assert_int_equal(make_digits(temp, "--train 20 --test 1 --cifar"), 0);
    assert_int_equal(unlink(temp_path(temp, "SYNTHETIC")), 0);
    assert_int_equal(unlink(temp_path(temp, "test_batch.bin")), 0);
    assert_int_equal(unlink(temp_path(temp, "data_batch_1.bin")), 0);
    const int before = temp_count(temp);
    assert_int_equal(make_digits(temp, "--train 20 --test 1 --cifar"), 4);
    assert_int_equal(temp_count(temp), before);
    assert_int_equal(make_digits(temp, "--train 20 --test 1"), 0); /* MNIST's names are free */
}

static void test_usage(void **state)
{
    assert_int_equal(make_digits(*state, "--train 0"), 2);
    assert_int_equal(make_digits(*state, "--train 10x"), 2);
    assert_int_equal(make_digits(*state, "--seed -1"), 2);
    assert_int_equal(make_digits(*state, "another"), 2);
    assert_int_equal(make_digits(*state, "--colour"), 2);
    struct temp below = {.folder = "/nonexistent/below"};
    assert_int_equal(make_digits(&below, ""), 4);
    assert_int_equal(temp_count(*state), 0);
}

#define with_folder(test) cmocka_unit_test_setup_teardown(test, temp_open, temp_close)

int main(void)
{
    const struct CMUnitTest tests[] = {with_folder(test_idx), with_folder(test_packed_cifar), with_folder(test_seed),
                                       with_folder(test_others), with_folder(test_usage)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
