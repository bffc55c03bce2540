/* Arrays of NumPy and IDX as data sets: every type, every shape, and damage. tests/arrays/ was written by NumPy. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "data/data.h"
#include "data/zip.h"
#include "graph/word.h"
#include "temp_files.h"

enum { N = 6 }; /* samples of types.npz */

static bool open_parts(const char *folder, const char *file, const char *x, const char *y, const char *channels,
                       enum data_target target, struct dataset *set, struct data_error *error)
{
    const struct data_where where[DATA_SPLITS] = {
        {.word = word_find(WORD_SOURCE, "npz"), .text = {file, x, y, channels}},
    };
    const struct data_wish wish = {.where = where, .target = target};
    return data_open(folder, &wish, set, error);
}

static struct dataset open_types(const char *x, const char *y, enum data_target target)
{
    struct dataset set;
    struct data_error error;
    if (!open_parts("tests/arrays", "types.npz", x, y, "auto", target, &set, &error))
        fail_msg("%s", error.text);
    assert_int_equal(set.train.count, N);
    assert_int_equal(set.test.count, 0);
    return set;
}

static void assert_types_refused(const char *x, const char *y, enum data_target target, const char *said)
{
    struct dataset set;
    struct data_error error;
    assert_false(open_parts("tests/arrays", "types.npz", x, y, "auto", target, &set, &error));
    assert_contains(error.text, said);
}

static double value(const struct data_field *f, int64_t i)
{
    return f->type == DATA_U8    ? f->values[i]
           : f->type == DATA_I32 ? ((const int32_t *)(const void *)f->values)[i]
                                 : (double)((const float *)(const void *)f->values)[i];
}

static void test_types(void **state)
{
    static const char *const types[] = {"u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f2", "f4", "f8"};
    (void)state;
    for (size_t t = 0; t < 2 * sizeof types / sizeof *types; t++) {
        const char *type = types[t / 2];
        char x[32], y[32];
        snprintf(x, sizeof x, "x_%s_%s", type, t % 2 ? "big" : "little");
        snprintf(y, sizeof y, "y_%s_%s", type, t % 2 ? "big" : "little");
        struct dataset set = open_types(x, y, TARGET_ANY);
        const struct data_field *sample = &set.train.sample, *label = &set.train.label;
        assert_int_equal(sample->type, strcmp(type, "u1") ? DATA_F32 : DATA_U8);
        assert_int_equal(sample->rank, 1);
        assert_int_equal(sample->dims[0], 3);
        for (int i = 0; i < 3 * N; i++)
            assert_true(value(sample, i) == (*type == 'u' ? i : i - 5));
        assert_int_equal(label->type, *type == 'f' ? DATA_F32 : strcmp(type, "u1") ? DATA_I32 : DATA_U8);
        assert_int_equal(label->rank, *type == 'f');
        for (int i = 0; i < N; i++)
            assert_true(value(label, i) == 2 - i % 3);
        data_close(&set);
    }
}

static void test_labels(void **state)
{
    (void)state;
    struct dataset set = open_types("x_b1", "y_b1", TARGET_CLASS);
    assert_int_equal(set.train.sample.type, DATA_U8);
    assert_int_equal(set.classes, 2);
    assert_int_equal(data_class(&set.train, 3), 1);
    data_close(&set);
    /* [n, 1] are classes, as Keras has them, and values where the network wants these. */
    set = open_types("x_u1_little", "y_column", TARGET_CLASS);
    assert_int_equal(set.train.label.rank, 0);
    assert_int_equal(data_class(&set.train, 1), 1);
    data_close(&set);
    set = open_types("x_u1_little", "y_column", TARGET_VALUES);
    assert_int_equal(set.train.label.type, DATA_F32);
    assert_int_equal(set.train.label.rank, 1);
    data_close(&set);
    set = open_types("x_u1_little", "y_u1_little", TARGET_VALUES);
    assert_int_equal(set.train.label.type, DATA_F32);
    assert_true(value(&set.train.label, 1) == 1);
    data_close(&set);
    /* Several of 0 and 1 for a sample are values. */
    set = open_types("x_u1_little", "y_several", TARGET_ANY);
    assert_int_equal(set.train.label.type, DATA_F32);
    assert_int_equal(set.train.label.dims[0], 3);
    for (int i = 0; i < 3 * N; i++)
        assert_true(value(&set.train.label, i) == i % 2);
    data_close(&set);
    assert_types_refused("x_u1_little", "y_several", TARGET_CLASS, "class labels of rank 2; expected rank 1");
    assert_types_refused("x_u1_little", "y_wide", TARGET_CLASS,
                         "types.npz:y_wide.npy: byte 160: 1099511627776 in sample 4 is no class index");
}

static void test_inexact(void **state)
{
    (void)state;
    assert_types_refused("x_inexact", "y_b1", TARGET_ANY,
                         "byte 152: 16777217 in sample 1 is no 32-bit float (integers: up to 16777216)");
    assert_types_refused("x_beyond", "y_b1", TARGET_ANY, "in sample 1 is no 32-bit float");
}

/* Whatever the order in the file, the same images; which it is shows in the sizes or is told. */
static void test_channels(void **state)
{
    static const char *const x[] = {"x_first", "x_last", "x_last_float"};
    (void)state;
    for (int k = 0; k < 3; k++) {
        struct dataset set = open_types(x[k], "y_b1", TARGET_ANY);
        const struct data_field *f = &set.train.sample;
        assert_int_equal(f->dims[0], 3);
        assert_int_equal(f->dims[1], 4);
        assert_int_equal(f->dims[2], 5);
        for (int64_t i = 0; i < N * 60; i++) {
            const int64_t n = i / 60, c = i / 20 % 3, p = i % 20;
            assert_true(value(f, i) == (n * 60 + p * 3 + c) % 256);
        }
        data_close(&set);
    }
    struct dataset set =
        open_types("x_either", "y_b1", TARGET_ANY); /* as PyTorch has it, where both may be the channels */
    for (int64_t i = 0; i < N * 45; i++)
        assert_true(value(&set.train.sample, i) == (double)(i % 256));
    data_close(&set);
    struct data_error error;
    assert_true(open_parts("tests/arrays", "types.npz", "x_last", "y_b1", "first", TARGET_ANY, &set, &error));
    assert_int_equal(set.train.sample.dims[0], 4);
    data_close(&set);
    assert_true(open_parts("tests/arrays", "types.npz", "x_first", "y_b1", "last", TARGET_ANY, &set, &error));
    assert_int_equal(set.train.sample.dims[0], 5);
    data_close(&set);
}

static void test_refused(void **state)
{
    (void)state;
    assert_types_refused("x_fortran", "y_b1", TARGET_ANY, "fortran_order False (numpy.ascontiguousarray makes it so)");
    assert_types_refused("x_complex", "y_b1", TARGET_ANY,
                         "byte 25: damaged or unsupported .npy header; expected numbers");
    assert_types_refused("x_one", "y_b1", TARGET_ANY, "one number; expected an array with a row for each sample");
    assert_types_refused("x_none", "y_b1", TARGET_ANY, "size 1 is 0");
    assert_types_refused("x_first", "x_last", TARGET_CLASS, "x_last.npy: class labels of rank 4");
    assert_types_refused("x", "y_b1", TARGET_ANY, "types.npz: no array `x` among x_u1_little, y_u1_little, x_u1_big, ");
}

/* ---- folders ---- */

static unsigned char *kept;
static size_t kept_size;

static void assert_keras(const struct dataset *set)
{
    assert_int_equal(set->train.count, 5);
    assert_int_equal(set->test.count, 3);
    assert_int_equal(set->classes, 4);
    assert_int_equal(set->test.sample.dims[0], 1);
    for (int i = 0; i < 3 * 6; i++)
        assert_true(value(&set->test.sample, i) == 10 * (5 + i / 6) + i % 6);
    assert_int_equal(data_class(&set->test, 0), 1);
}

static void test_folder(void **state)
{
    struct temp *temp = *state;
    struct dataset set;
    struct data_error error;
    temp_write(temp, "mnist.npz", kept, kept_size);
    temp_write(temp, "mean.npy", "\x93NUMPY\1\0", 8);
    assert_true(data_open(temp->folder, NULL, &set, &error));
    assert_keras(&set);
    data_close(&set);
    assert_true(data_reads(temp->folder, NULL, temp_path(temp, "mnist.npz")));
    /* The same arrays, one a file. */
    struct zip zip;
    unsigned char array[512];
    assert_true(zip_read("tests/arrays/keras.npz", &zip, &error));
    for (size_t i = 0; i < zip.n; i++) {
        struct gz *part = zip_open("tests/arrays/keras.npz", &zip.part[i], &error);
        uint64_t got;
        assert_non_null(part);
        assert_true(gz_read_some(part, array, sizeof array, &got, &error) && gz_end(part, &error));
        gz_close(part);
        temp_write(temp, zip.part[i].name, array, got);
        if (strstr(zip.part[i].name, "test"))
            temp_write(temp, *zip.part[i].name == 'x' ? "x_val.npy" : "y_val.npy", array, got);
    }
    zip_free(&zip);
    assert_false(data_open(temp->folder, NULL, &set, &error));
    assert_contains(error.text, "a second file of test samples beside");
    unlink(temp_path(temp, "mnist.npz"));
    assert_true(data_open(temp->folder, NULL, &set, &error));
    assert_keras(&set);
    assert_int_equal(set.holdout.count, 3);
    data_close(&set);
}

static void test_not_told(void **state)
{
    struct temp *temp = *state;
    struct dataset set;
    struct data_error error;
    size_t size;
    unsigned char *types = temp_read("tests/arrays/types.npz", &size);
    temp_write(temp, "my.npz", types, size);
    free(types);
    assert_false(data_open(temp->folder, NULL, &set, &error));
    assert_contains(error.text, "my.npz: no array `x_train` among x_u1_little, ");
    assert_contains(error.text, "`data { train = npz(\"FILE\", \"SAMPLES\", \"LABELS\") }` says which they are");
}

/* ---- damage ---- */

/* Whatever one byte is: the same data, or a message that names the file. */
static void test_every_byte(void **state)
{
    struct temp *temp = *state;
    struct dataset set;
    struct data_error error;
    unsigned char *damaged = malloc(kept_size);
    assert_non_null(damaged);
    for (size_t at = 0; at < kept_size; at++)
        for (int change = 1; change < 256; change *= 2) {
            memcpy(damaged, kept, kept_size);
            damaged[at] ^= (unsigned char)change;
            const char *path = temp_write(temp, "mnist.npz", damaged, kept_size);
            if (!open_parts(temp->folder, "mnist.npz", "", "", "auto", TARGET_CLASS, &set, &error)) {
                assert_contains(error.text, path);
                continue;
            }
            assert_int_equal(set.train.count, 5);
            for (int i = 0; i < 5 * 6; i++)
                assert_true(value(&set.train.sample, i) == 10 * (i / 6) + i % 6);
            data_close(&set);
        }
    for (size_t size = 0; size < kept_size; size++) {
        temp_write(temp, "mnist.npz", kept, size);
        assert_false(open_parts(temp->folder, "mnist.npz", "", "", "auto", TARGET_CLASS, &set, &error));
        assert_contains(error.text, size ? "truncated or no ZIP archive" : "mnist.npz");
    }
    free(damaged);
}

static void put(unsigned char *to, uint64_t number, int bytes)
{
    for (int i = 0; i < bytes; i++)
        to[i] = (unsigned char)(number >> 8 * i);
}

static void test_zip_claims(void **state)
{
    enum { DIRECTORY_END = 22 };
    static const struct {
        int at, bytes; /* of the first entry of the directory; below 0: of the record at the end */
        uint64_t number;
        const char *said;
    } wrong[] = {
        {8, 2, 1, "x_train.npy is encrypted or packed by method 0"},
        {10, 2, 12, "x_train.npy is encrypted or packed by method 12"},
        {20, 4, UINT32_MAX, "x_train.npy has 4 GiB or more (zip64)"},
        {24, 4, 1000000, "damaged ZIP directory: x_train.npy has 1000000 bytes in"},
        {42, 4, 1000000, "from byte 1000000"},
        {42, 4, 4, "byte 4: damaged ZIP header of x_train.npy"},
        {16, 4, 0, "with the CRC-32"},
        {28, 2, 60000, "damaged ZIP directory"},
        {-DIRECTORY_END + 10, 2, 500, "damaged ZIP directory"},
        {-DIRECTORY_END + 10, 2, UINT16_MAX, "an archive of 4 GiB or more"},
        {-DIRECTORY_END + 12, 4, 1 << 25, "damaged ZIP directory: 33554432 bytes"},
        {-DIRECTORY_END + 16, 4, 1 << 25, "damaged ZIP directory"},
        {-DIRECTORY_END + 20, 2, 1, "truncated or no ZIP archive"},
    };
    struct temp *temp = *state;
    unsigned char *damaged = malloc(kept_size);
    assert_non_null(damaged);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct dataset set;
        struct data_error error;
        memcpy(damaged, kept, kept_size);
        unsigned char *end = damaged + kept_size, *directory = damaged + (end[-4] << 16 | end[-5] << 8 | end[-6]);
        put((wrong[i].at < 0 ? end : directory) + wrong[i].at, wrong[i].number, wrong[i].bytes);
        temp_write(temp, "mnist.npz", damaged, kept_size);
        assert_false(open_parts(temp->folder, "mnist.npz", "", "", "auto", TARGET_ANY, &set, &error));
        assert_contains(error.text, wrong[i].said);
    }
    free(damaged);
}

/* ---- IDX ---- */

static void test_idx_types(void **state)
{
    static const struct {
        unsigned char code, size, first[8], second[8]; /* of -3 and 100, or 3 and 100 without a sign */
    } type[] = {
        {0x08, 1, {3}, {100}},
        {0x09, 1, {0xfd}, {100}},
        {0x0B, 2, {0xff, 0xfd}, {0, 100}},
        {0x0C, 4, {0xff, 0xff, 0xff, 0xfd}, {0, 0, 0, 100}},
        {0x0D, 4, {0xc0, 0x40}, {0x42, 0xc8}},
        {0x0E, 8, {0xc0, 0x08}, {0x40, 0x59}},
    };
    struct temp *temp = *state;
    for (size_t t = 0; t < sizeof type / sizeof *type; t++)
        for (int rank = 1; rank <= 8; rank++) {
            unsigned char file[4 + 8 * 4 + 16] = {0, 0, type[t].code, (unsigned char)rank, 0, 0, 0, 2};
            size_t at = 8;
            for (int i = 1; i < rank; i++, at += 4)
                file[at + 3] = 1;
            for (int i = 0; i < 2; i++, at += type[t].size)
                memcpy(file + at, i ? type[t].second : type[t].first, type[t].size);
            temp_write(temp, "train-images", file, at);
            temp_write(temp, "train-labels", "\0\0\x0B\1\0\0\0\2\0\1\1\0", 12);
            struct dataset set;
            struct data_error error;
            if (!data_open(temp->folder, NULL, &set, &error))
                fail_msg("%s", error.text);
            assert_int_equal(set.train.sample.type, t ? DATA_F32 : DATA_U8);
            assert_true(value(&set.train.sample, 0) == (t ? -3 : 3));
            assert_true(value(&set.train.sample, 1) == 100);
            assert_int_equal(data_class(&set.train, 1), 256);
            data_close(&set);
        }
}

/* ---- CIFAR-100 ---- */

static struct dataset open_cifar100(struct temp *temp, const char *label)
{
    const struct data_where where[DATA_SPLITS] = {
        {.word = word_find(WORD_SOURCE, "cifar100"), .text = {"train.bin", label}},
    };
    const struct data_wish wish = {.where = *label ? where : NULL};
    struct dataset set;
    struct data_error error;
    if (!data_open(temp->folder, &wish, &set, &error))
        fail_msg("%s", error.text);
    assert_string_equal(set.format, "CIFAR-100");
    assert_int_equal(set.train.count, 2);
    assert_int_equal(set.train.sample.values[3072 + 5], 7);
    return set;
}

static void test_cifar100(void **state)
{
    enum { RECORD = 3074 };
    struct temp *temp = *state;
    unsigned char records[2 * RECORD] = {19, 99};
    char names[500] = "";
    for (int i = 0; i < 100; i++)
        strcat(strcat(names, i == 4 ? "beaver" : "x"), "\n");
    records[RECORD] = 3;
    records[RECORD + 1] = 4;
    records[RECORD + 2 + 5] = 7;
    temp_write(temp, "train.bin", records, sizeof records);
    temp_write(temp, "fine_label_names.txt", names, strlen(names));
    temp_write(temp, "coarse_label_names.txt", names, strlen(names));
    struct dataset set = open_cifar100(temp, "");
    assert_int_equal(data_class(&set.train, 0), 99);
    assert_int_equal(data_class(&set.train, 1), 4);
    assert_string_equal(set.class_name[4], "beaver");
    data_close(&set);
    unlink(temp_path(temp, "fine_label_names.txt"));
    set = open_cifar100(temp, "coarse");
    assert_int_equal(data_class(&set.train, 0), 19);
    assert_int_equal(data_class(&set.train, 1), 3);
    assert_int_equal(set.class_names, 100);
    data_close(&set);
    set = open_cifar100(temp, "fine");
    assert_int_equal(set.class_names, 0);
    data_close(&set);
    struct data_error error;
    records[RECORD] = 20;
    temp_write(temp, "train.bin", records, sizeof records);
    assert_false(data_open(temp->folder, NULL, &set, &error));
    assert_contains(error.text, "train.bin: byte 3074: label 20; expected 0 to 19 at the start of each record of 3074");
    temp_write(temp, "train.bin", records, RECORD + 1);
    assert_false(data_open(temp->folder, NULL, &set, &error));
    assert_contains(error.text, "truncated");
}

#define with_folder(test) cmocka_unit_test_setup_teardown(test, temp_open, temp_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_types),    cmocka_unit_test(test_labels),  cmocka_unit_test(test_inexact),
        cmocka_unit_test(test_channels), cmocka_unit_test(test_refused), with_folder(test_folder),
        with_folder(test_not_told),      with_folder(test_every_byte),   with_folder(test_zip_claims),
        with_folder(test_idx_types),     with_folder(test_cifar100),
    };
    kept = temp_read("tests/arrays/keras.npz", &kept_size);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    free(kept);
    return failed;
}
