/* Data sets: what is read, how damage is named, and what inspection prints. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <zlib.h>

#include "data/data.h"
#include "data/gz.h"
#include "real_data.h"
#include "temp_files.h"

/* Three images of 2 x 3 with pixels 0, 1, 2, ... and labels 1, 0, 4. */
static const unsigned char images[16 + 18] = {0, 0, 8, 3, 0, 0, 0, 3, 0, 0,  0,  2,  0,  0,  0,  3,  0,
                                              1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17};
static const unsigned char labels[8 + 3] = {0, 0, 8, 1, 0, 0, 0, 3, 1, 0, 4};

#define TRAIN_IMAGES "train-images-idx3-ubyte"
#define TRAIN_LABELS "train-labels-idx1-ubyte"
#define TEST_IMAGES "t10k-images-idx3-ubyte"
#define TEST_LABELS "t10k-labels-idx1-ubyte"

static void write_good(struct temp *temp)
{
    temp_write(temp, TRAIN_IMAGES, images, sizeof images);
    temp_write(temp, TRAIN_LABELS, labels, sizeof labels);
    temp_write(temp, TEST_IMAGES, images, sizeof images);
    temp_write(temp, TEST_LABELS, labels, sizeof labels);
}

static size_t pack(const void *data, size_t size, unsigned char *out, size_t room)
{
    z_stream z = {0};
    assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
    z.next_in = (Bytef *)(uintptr_t)data;
    z.avail_in = (uInt)size;
    z.next_out = out;
    z.avail_out = (uInt)room;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    deflateEnd(&z);
    return z.total_out;
}

static void write_packed(struct temp *temp, const char *name, const void *data, size_t size)
{
    unsigned char packed[1 << 16];
    temp_write(temp, name, packed, pack(data, size, packed, sizeof packed));
}

/* The folder must be refused, and the message hold all pieces (ended by NULL). */
static void assert_refused(struct temp *temp, ...)
{
    struct dataset set;
    struct data_error error = {""};
    assert_false(data_open(temp->folder, NULL, &set, &error));
    assert_null(set.train.sample.values);
    va_list pieces;
    va_start(pieces, temp);
    for (const char *piece; (piece = va_arg(pieces, const char *));)
        assert_contains(error.text, piece);
    va_end(pieces);
}

static struct dataset open_good(struct temp *temp)
{
    struct dataset set;
    struct data_error error;
    if (!data_open(temp->folder, NULL, &set, &error))
        fail_msg("%s", error.text);
    return set;
}

static void assert_is_sample(const struct data_split *split)
{
    assert_int_equal(split->count, 3);
    assert_int_equal(split->sample.type, DATA_U8);
    assert_int_equal(split->sample.rank, 3);
    assert_int_equal(split->sample.dims[0], 1);
    assert_int_equal(split->sample.dims[1], 2);
    assert_int_equal(split->sample.dims[2], 3);
    assert_int_equal(split->sample.bytes, 6);
    assert_memory_equal(split->sample.values, images + 16, 18);
    assert_int_equal(data_class(split, 0), 1);
    assert_int_equal(data_class(split, 2), 4);
}

static void test_idx(void **state)
{
    write_good(*state);
    struct dataset set = open_good(*state);
    assert_string_equal(set.format, "IDX");
    assert_is_sample(&set.train);
    assert_is_sample(&set.test);
    assert_int_equal(set.classes, 5);
    data_close(&set);
}

/* Content decides: names need no extension, packed files no .gz, and other files are passed over. */
static void test_recognised_by_content(void **state)
{
    struct temp *temp = *state;
    write_packed(temp, "my-train-pictures", images, sizeof images);
    write_packed(temp, "my-train-answers", labels, sizeof labels);
    temp_write(temp, "README.md", "train and test images", 21);
    temp_write(temp, "empty", "", 0);
    struct dataset set = open_good(temp);
    assert_is_sample(&set.train);
    assert_int_equal(set.test.count, 0);
    data_close(&set);
}

static void test_only_test_set(void **state)
{
    struct temp *temp = *state;
    temp_write(temp, TEST_IMAGES, images, sizeof images);
    temp_write(temp, TEST_LABELS, labels, sizeof labels);
    struct dataset set = open_good(temp);
    assert_int_equal(set.train.count, 0);
    assert_is_sample(&set.test);
    data_close(&set);
}

/* The packed twin of a plain file is not looked at. */
static void test_packed_twin(void **state)
{
    struct temp *temp = *state;
    write_good(temp);
    temp_write(temp, TRAIN_IMAGES ".gz", "damaged", 7);
    struct dataset set = open_good(temp);
    assert_is_sample(&set.train);
    data_close(&set);
}

/* A gzip file may have several members. */
static void test_gzip_members(void **state)
{
    struct temp *temp = *state;
    unsigned char packed[200];
    size_t first = pack(images, 10, packed, sizeof packed);
    size_t second = pack(images + 10, sizeof images - 10, packed + first, sizeof packed - first);
    temp_write(temp, TRAIN_IMAGES ".gz", packed, first + second);
    write_packed(temp, TRAIN_LABELS ".gz", labels, sizeof labels);
    struct dataset set = open_good(temp);
    assert_is_sample(&set.train);
    data_close(&set);
}

/* Zeros behind the last member, as a tape or a disk image leaves them, are no more data: gzip takes them too. Other bytes are. */
static void test_gzip_padding(void **state)
{
    struct temp *temp = *state;
    enum { ZEROS = 70000 }; /* more than is read at once */
    unsigned char *packed = calloc(1, 200 + ZEROS);
    assert_non_null(packed);
    size_t size = pack(images, sizeof images, packed, 200);
    write_packed(temp, TRAIN_LABELS ".gz", labels, sizeof labels);
    for (size_t zeros = 1; zeros <= ZEROS; zeros += ZEROS - 1) {
        temp_write(temp, TRAIN_IMAGES ".gz", packed, size + zeros);
        struct dataset set = open_good(temp);
        assert_is_sample(&set.train);
        data_close(&set);
    }
    memset(packed + size + 5, 'x', 20);
    temp_write(temp, TRAIN_IMAGES ".gz", packed, size + 25);
    assert_refused(temp, "corrupt at packed byte", NULL);
    free(packed);
}

static void test_float_regression(void **state)
{
    struct temp *temp = *state;
    static const unsigned char samples[12 + 16] = {0, 0, 0x0D, 2, 0, 0, 0,    2, 0, 0, 0,    2,    0x3f, 0x80,
                                                   0, 0, 0xc0, 0, 0, 0, 0x3f, 0, 0, 0, 0x40, 0x40, 0,    0};
    static const unsigned char targets[12 + 8] = {0, 0, 0x0D, 2,    0, 0, 0,    2,    0, 0,
                                                  0, 1, 0x3e, 0x80, 0, 0, 0xbf, 0x80, 0, 0};
    temp_write(temp, "train-samples", samples, sizeof samples);
    temp_write(temp, "train-targets", targets, sizeof targets);
    struct dataset set = open_good(temp);
    assert_int_equal(set.classes, 0);
    assert_int_equal(set.train.count, 2);
    assert_int_equal(set.train.sample.type, DATA_F32);
    assert_int_equal(set.train.sample.rank, 1);
    assert_int_equal(set.train.label.rank, 1);
    const float expected[4] = {1, -2, 0.5f, 3}, expected_targets[2] = {0.25f, -1};
    assert_memory_equal(set.train.sample.values, expected, sizeof expected);
    assert_memory_equal(set.train.label.values, expected_targets, sizeof expected_targets);
    data_close(&set);
}

static void test_int32_labels(void **state)
{
    struct temp *temp = *state;
    unsigned char wide[8 + 12] = {0, 0, 0x0C, 1, 0, 0, 0, 3, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0};
    temp_write(temp, TRAIN_IMAGES, images, sizeof images);
    temp_write(temp, TRAIN_LABELS, wide, sizeof wide);
    struct dataset set = open_good(temp);
    assert_int_equal(set.classes, 257);
    assert_int_equal(data_class(&set.train, 1), 256);
    data_close(&set);
    wide[16] = 0xff;
    temp_write(temp, TRAIN_LABELS, wide, sizeof wide);
    assert_refused(temp, TRAIN_LABELS ": byte 16: label -16777216 of sample 2; expected 0 to", NULL);
}

enum { RECORD = 3073 };

static void write_cifar(struct temp *temp, const char *name, int records, int first_label, bool packed)
{
    static unsigned char data[3 * RECORD];
    for (int i = 0; i < records; i++) {
        memset(data + i * RECORD, first_label + i, RECORD);
        data[i * RECORD + 1] = (unsigned char)(100 + i);
    }
    if (packed)
        write_packed(temp, name, data, (size_t)(records * RECORD));
    else
        temp_write(temp, name, data, (size_t)(records * RECORD));
}

static void test_cifar(void **state)
{
    struct temp *temp = *state;
    write_cifar(temp, "data_batch_2.bin", 2, 7, false);
    write_cifar(temp, "data_batch_1.bin.gz", 3, 0, true);
    write_cifar(temp, "test_batch.bin", 1, 9, false);
    const char *const read[] = {"data_batch_2.bin", "data_batch_1.bin.gz", "test_batch.bin"};
    for (int i = 0; i < 3; i++)
        assert_true(data_reads(temp->folder, NULL, temp_path(temp, read[i])));
    assert_false(data_reads(temp->folder, NULL, temp_path(temp, "table.csv")));
    static const char names[] = "airplane\nautomobile\r\nbird\ncat\ndeer\ndog\nfrog\nhorse\nship\ntruck\n\n";
    temp_write(temp, "batches.meta.txt", names, sizeof names - 1);
    struct dataset set = open_good(temp);
    assert_string_equal(set.format, "CIFAR-10");
    assert_int_equal(set.class_names, 10);
    assert_string_equal(set.class_name[1], "automobile");
    assert_string_equal(set.class_name[9], "truck");
    assert_int_equal(set.train.count, 5);
    assert_int_equal(set.test.count, 1);
    assert_int_equal(set.classes, 10);
    static const int expected[5] = {0, 1, 2, 7, 8};
    for (int i = 0; i < 5; i++)
        assert_int_equal(data_class(&set.train, i), expected[i]);
    assert_int_equal(set.train.sample.bytes, 3072);
    assert_int_equal(set.train.sample.values[4 * 3072], 101);
    assert_int_equal(set.train.sample.values[4 * 3072 + 1], 8);
    struct data_error error;
    assert_true(data_check_classes(&set.train, 9, &error));
    assert_false(data_check_classes(&set.train, 8, &error));
    assert_contains(error.text, "label 8 of sample 4; the network has classes 0 to 7");
    data_close(&set);
}

static void test_check_classes(void **state)
{
    write_good(*state);
    struct dataset set = open_good(*state);
    struct data_error error;
    assert_true(data_check_classes(&set.train, 5, &error));
    assert_false(data_check_classes(&set.train, 4, &error));
    assert_contains(error.text, TRAIN_LABELS ": byte 10: label 4 of sample 2; the network has classes 0 to 3");
    data_close(&set);
}

/* A name for each class, of 64 bytes at most and not through a character; or what is wrong. */
static void test_class_names(void **state)
{
    struct temp *temp = *state;
    static const struct {
        const char *text, *error;
    } wrong[] = {
        {"a\nb\nc\nd\n", "classes.txt: 4 names, but the classes are 0 to 4"},
        {"a\nb\n\nd\ne\n", "classes.txt:4: an empty line"},
        {"a\nb\nc\x1b[2J\nd\ne\n", "classes.txt:3: a control character"},
    };
    write_good(temp);
    struct dataset set = open_good(temp);
    assert_int_equal(set.class_names, 0);
    data_close(&set);
    char names[200] = "";
    for (int i = 0; i < 64; i++)
        strcat(names, i < 63 ? "x" : "\xc3\xa9\nb\n c c \nd\ne\nsixth");
    temp_write(temp, "classes.txt", names, strlen(names));
    set = open_good(temp);
    assert_int_equal(set.class_names, 6);
    assert_int_equal(strlen(set.class_name[0]), 63);
    assert_string_equal(set.class_name[2], "c c");
    data_close(&set);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct data_error error;
        temp_write(temp, "classes.txt", wrong[i].text, strlen(wrong[i].text));
        assert_false(data_open(temp->folder, NULL, &set, &error));
        assert_contains(error.text, wrong[i].error);
    }
}

/* Damage */

static void damage(struct temp *temp, const char *name, const unsigned char *good, size_t size, size_t at, int value)
{
    unsigned char bad[64];
    memcpy(bad, good, size);
    bad[at] = (unsigned char)value;
    temp_write(temp, name, bad, size);
}

static void test_missing(void **state)
{
    struct temp *temp = *state;
    assert_refused(
        temp, temp->folder,
        "no data recognised; expected data_batch_1.bin and test_batch.bin, or train.bin and test.bin, or train.csv and "
        "test.csv, or " TRAIN_IMAGES ", " TRAIN_LABELS ", " TEST_IMAGES " and " TEST_LABELS
        ", or x_train.npy, y_train.npy, x_test.npy and y_test.npy, or an .npz with x_train, y_train, x_test and y_test (each plain or .gz)",
        NULL);
    temp_write(temp, TRAIN_IMAGES, images, sizeof images);
    assert_refused(temp, TRAIN_IMAGES, "training labels are missing", "such as " TRAIN_LABELS, NULL);
    temp_write(temp, TEST_LABELS, labels, sizeof labels);
    temp_write(temp, TRAIN_LABELS, labels, sizeof labels);
    assert_refused(temp, TEST_LABELS, "test samples are missing", NULL);
    struct temp nowhere = {.folder = "/nonexistent"};
    assert_refused(&nowhere, "/nonexistent: No such file or directory; expected a folder", NULL);
}

static void test_subfolders_are_named(void **state)
{
    struct temp *temp = *state;
    mkdir(temp_path(temp, "mnist"), 0777);
    assert_refused(temp, "no data recognised", "its subfolders are mnist", NULL);
    rmdir(temp_path(temp, "mnist"));
}

static void test_wrong_magic(void **state)
{
    struct temp *temp = *state;
    write_good(temp);
    damage(temp, TRAIN_IMAGES, images, sizeof images, 0, 0x52);
    assert_refused(temp, TRAIN_IMAGES ": byte 0: 52 00 08 03 is no IDX magic number; expected 00 00", NULL);
    damage(temp, TRAIN_IMAGES, images, sizeof images, 2, 0x0A);
    assert_refused(temp, TRAIN_IMAGES ": byte 0: 00 00 0a 03 is no IDX magic number", "an element type (08, 09", NULL);
    damage(temp, TRAIN_IMAGES, images, sizeof images, 3, 0);
    assert_refused(temp, TRAIN_IMAGES ": byte 0: 00 00 08 00 is no IDX magic number", NULL);
}

static void test_truncated(void **state)
{
    struct temp *temp = *state;
    write_good(temp);
    for (size_t size = 0; size < sizeof images; size++) {
        temp_write(temp, TRAIN_IMAGES, images, size);
        assert_refused(temp, TRAIN_IMAGES ": truncated: ", NULL);
    }
    temp_write(temp, TRAIN_IMAGES, images, sizeof images - 1);
    assert_refused(temp, "announce 34 bytes in all, the file holds at most 33", NULL);
    temp_write(temp, TRAIN_IMAGES, images, 10);
    assert_refused(temp, "ends at byte 10; expected the IDX sizes in bytes 8 to 11", NULL);
}

static void test_trailing_bytes(void **state)
{
    struct temp *temp = *state;
    unsigned char longer[sizeof labels + 1] = {0};
    memcpy(longer, labels, sizeof labels);
    write_good(temp);
    temp_write(temp, TRAIN_LABELS, longer, sizeof longer);
    assert_refused(temp, TRAIN_LABELS ": byte 11: more data follow, but the file should end here", NULL);
}

static void test_count_mismatch(void **state)
{
    struct temp *temp = *state;
    write_good(temp);
    damage(temp, TRAIN_LABELS, labels, sizeof labels - 1, 7, 2);
    assert_refused(temp, TRAIN_LABELS ": 2 labels, but", TRAIN_IMAGES " has 3 samples", NULL);
}

static void test_absurd_sizes(void **state)
{
    struct temp *temp = *state;
    write_good(temp);
    damage(temp, TRAIN_IMAGES, images, sizeof images, 7, 0);
    assert_refused(temp, TRAIN_IMAGES ": byte 4: size 1 is 0; expected at least 1", NULL);
    damage(temp, TRAIN_IMAGES, images, sizeof images, 8, 0x7f);
    assert_refused(temp, TRAIN_IMAGES ": truncated: ", "the file holds at most 34", NULL);
    unsigned char huge[36];
    memset(huge, 0xff, sizeof huge);
    memcpy(huge, "\0\0\x08\x08", 4);
    temp_write(temp, TRAIN_IMAGES, huge, sizeof huge);
    assert_refused(temp, TRAIN_IMAGES ": byte 8: size 4294967295 makes the array larger than", NULL);
    /* A small gzip file cannot hold a large array, whatever it says. */
    unlink(temp_path(temp, TRAIN_IMAGES));
    memcpy(huge, "\0\0\x08\x03\x00\x10\x00\x00\x00\x00\x00\x10\x00\x00\x00\x10", 16);
    write_packed(temp, TRAIN_IMAGES ".gz", huge, sizeof huge);
    assert_refused(temp, TRAIN_IMAGES ".gz: truncated: ", "announce 268435472 bytes", NULL);
}

static void test_gzip_damage(void **state)
{
    struct temp *temp = *state;
    unsigned char packed[200];
    size_t size = pack(images, sizeof images, packed, sizeof packed);
    if (size < 18) {
        fail_msg("a gzip file of %zu bytes", size);
        return; /* the compiler does not know that it fails */
    }
    temp_write(temp, TRAIN_LABELS, labels, sizeof labels);
    for (size_t cut = 2; cut < size; cut++) {
        temp_write(temp, TRAIN_IMAGES ".gz", packed, cut);
        assert_refused(temp, TRAIN_IMAGES ".gz: ", "truncated", NULL);
    }
    temp_write(temp, TRAIN_IMAGES ".gz", packed, size - 1);
    assert_refused(temp, "the packed file is truncated: it ends at packed byte", NULL);
    packed[size - 6] ^= 1;
    temp_write(temp, TRAIN_IMAGES ".gz", packed, size);
    assert_refused(temp, "the packed file is corrupt at packed byte", "incorrect data check", NULL);
    packed[size - 6] ^= 1;
    packed[size] = 'x';
    temp_write(temp, TRAIN_IMAGES ".gz", packed, size + 1);
    assert_refused(temp, "the packed file is", "at packed byte", NULL);
}

static void test_flipped_bits_never_crash(void **state)
{
    struct temp *temp = *state;
    unsigned char packed[200];
    size_t size = pack(images, sizeof images, packed, sizeof packed);
    if (size < 18) {
        fail_msg("a gzip file of %zu bytes", size);
        return; /* the compiler does not know that it fails */
    }
    temp_write(temp, TRAIN_LABELS, labels, sizeof labels);
    for (size_t bit = 16; bit < size * 8; bit++) {
        struct dataset set;
        struct data_error error = {""};
        packed[bit / 8] ^= (unsigned char)(1 << bit % 8);
        temp_write(temp, TRAIN_IMAGES ".gz", packed, size);
        if (data_open(temp->folder, NULL, &set, &error)) /* time stamp and the like */
            data_close(&set);
        else
            assert_contains(error.text, TRAIN_IMAGES);
        packed[bit / 8] ^= (unsigned char)(1 << bit % 8);
    }
}

static void test_cifar_damage(void **state)
{
    struct temp *temp = *state;
    write_cifar(temp, "data_batch_1.bin", 2, 9, false);
    assert_refused(temp, "data_batch_1.bin: byte 3073: label 10; expected 0 to 9 at the start of each record of 3073",
                   NULL);
    temp_write(temp, "data_batch_1.bin", images, sizeof images);
    assert_refused(
        temp,
        "data_batch_1.bin: truncated: it ends at byte 34; expected the image of the last record in bytes 1 to 3072",
        NULL);
    temp_write(temp, "data_batch_1.bin", "", 0);
    assert_refused(temp, "data_batch_1.bin: empty; expected records of 3073 bytes", NULL);
    temp_write(temp, "data_batch_1.bin", "", 1);
    write_good(temp);
    assert_refused(temp, "IDX, but beside it are files of CIFAR-10; expected one data set", NULL);
}

/* Cut off, lengthened or written to between its beginning and its end. */
static void test_changes_while_read(void **state)
{
    struct temp *temp = *state;
    static unsigned char block[200000], got[sizeof block + 1];
    static const char *const said[] = {"it had 200000 bytes, and has 150000", "it had 200000 bytes, and has 200001",
                                       "it was written to"};
    struct data_error error;
    for (int i = 0; i < 3; i++) {
        const char *path = temp_write(temp, "data", block, sizeof block);
        struct timespec later[2] = {{.tv_nsec = UTIME_NOW}, {.tv_sec = 5000}};
        struct gz *file = gz_open(path, &error);
        assert_true(file && gz_read(file, got, 1000, "its beginning", &error));
        assert_int_equal(i == 2 ? utimensat(AT_FDCWD, path, later, 0) : truncate(path, i ? 200001 : 150000), 0);
        assert_false(gz_read(file, got, sizeof block - 1000, "the rest", &error) && gz_end(file, &error));
        assert_non_null(strstr(error.text, "/data: changed while it was read: "));
        assert_non_null(strstr(error.text, said[i]));
        gz_close(file);
    }
}

static void test_ambiguous_names(void **state)
{
    struct temp *temp = *state;
    write_good(temp);
    temp_write(temp, "train-images-again", images, sizeof images);
    assert_refused(temp, "a second file of training samples beside", NULL);
    unlink(temp_path(temp, "train-images-again"));
    temp_write(temp, "validation", images, sizeof images);
    assert_refused(temp, "validation: an IDX file that is neither named train", NULL);
}

static void test_wrong_kinds(void **state)
{
    struct temp *temp = *state;
    write_good(temp);
    const unsigned char deep[20 + 12] = {0, 0, 8, 4, 0, 0, 0, 3, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 2};
    temp_write(temp, TRAIN_LABELS, deep, sizeof deep);
    assert_refused(temp, TRAIN_LABELS ": class labels of rank 4; expected rank 1", NULL);
    write_good(temp);
    unsigned char other[sizeof images];
    memcpy(other, images, sizeof images);
    other[11] = 3;
    other[15] = 2;
    temp_write(temp, TEST_IMAGES, other, sizeof other);
    assert_refused(temp, TEST_IMAGES ": samples differ in type or shape from those of", TRAIN_IMAGES, NULL);
}

static void test_unreadable(void **state)
{
    struct temp *temp = *state;
    struct data_error error;
    assert_null(gz_open(temp->folder, &error));
    assert_contains(error.text, "is not a regular file");
    assert_null(gz_open(temp_path(temp, "nothing"), &error));
    assert_contains(error.text, "nothing: No such file or directory");
    data_fail(&error, "%s", "a\nb\x1b[31m");
    assert_string_equal(error.text, "a?b?[31m");
}

/* Inspection */

static void assert_inspects_as(struct temp *temp, const char *expected)
{
    struct dataset set = open_good(temp);
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    inspect_print(&set, out);
    fclose(out);
    assert_string_equal(text, expected);
    free(text);
    data_close(&set);
}

static void test_inspect(void **state)
{
    struct temp *temp = *state;
    unsigned char bright[sizeof images];
    memcpy(bright, images, 16);
    for (int i = 0; i < 18; i++)
        bright[16 + i] = (unsigned char)(i * 15);
    temp_write(temp, TRAIN_IMAGES, bright, sizeof bright);
    temp_write(temp, TRAIN_LABELS, labels, sizeof labels);
    assert_inspects_as(temp, "IDX\n"
                             "train  3 samples  u8[1, 2, 3]  class[5] as u8\n"
                             "test   none\n"
                             "\n"
                             "class     train      test\n"
                             "    0         1         0\n"
                             "    1         1         0\n"
                             "    2         0         0\n"
                             "    3         0         0\n"
                             "    4         1         0\n"
                             "\n"
                             "training set, pixels scaled to 0..1:\n"
                             "  mean 0.5000  std 0.3052\n"
                             "\n"
                             "1   0   4\n"
                             "..: =++ #%%\n");
}

static void test_inspect_without_images(void **state)
{
    struct temp *temp = *state;
    static const unsigned char samples[12 + 16] = {0, 0, 0x0D, 2, 0, 0, 0,    2, 0, 0, 0,    2,    0x3f, 0x80,
                                                   0, 0, 0xc0, 0, 0, 0, 0x3f, 0, 0, 0, 0x40, 0x40, 0,    0};
    temp_write(temp, "train-samples", samples, sizeof samples);
    temp_write(temp, "train-targets", samples, sizeof samples);
    assert_inspects_as(temp, "IDX\n"
                             "train  2 samples  f32[2]  target f32[2]\n"
                             "test   none\n"
                             "\n"
                             "training set:\n"
                             "  mean 0.6250  std 1.7810\n");
}

/* The real files, found through DATA. */

static struct dataset open_real(const char *name)
{
    struct dataset set;
    struct data_error error;
    const char *folder = real_data("DATA", name);
    if (!folder)
        skip();
    if (!data_open(folder, NULL, &set, &error))
        fail_msg("%s", error.text);
    return set;
}

static void assert_class_counts(const struct data_split *split, const int64_t expected[10])
{
    int64_t counts[10] = {0};
    for (int64_t i = 0; i < split->count; i++)
        counts[data_class(split, i)]++;
    assert_memory_equal(counts, expected, sizeof counts);
}

static void test_real_mnist(void **state)
{
    (void)state;
    struct dataset set = open_real("mnist");
    assert_int_equal(set.train.count, 60000);
    assert_int_equal(set.test.count, 10000);
    assert_class_counts(&set.train, (int64_t[]){5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949});
    assert_class_counts(&set.test, (int64_t[]){980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009});
    data_close(&set);
}

static void test_real_fashion(void **state)
{
    (void)state;
    struct dataset set = open_real("fashion");
    assert_int_equal(set.train.sample.dims[2], 28);
    assert_class_counts(&set.train, (int64_t[]){6000, 6000, 6000, 6000, 6000, 6000, 6000, 6000, 6000, 6000});
    data_close(&set);
}

static void test_real_cifar(void **state)
{
    (void)state;
    struct dataset set = open_real("cifar10");
    assert_int_equal(set.train.sample.dims[0], 3);
    assert_class_counts(&set.train, (int64_t[]){1005, 974, 1032, 1016, 999, 937, 1030, 1001, 1025, 981});
    assert_class_counts(&set.test, (int64_t[]){1000, 1000, 1000, 1000, 1000, 1000, 1000, 1000, 1000, 1000});
    data_close(&set);
}

#define with_folder(test) cmocka_unit_test_setup_teardown(test, temp_open, temp_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_folder(test_idx),
        with_folder(test_recognised_by_content),
        with_folder(test_only_test_set),
        with_folder(test_packed_twin),
        with_folder(test_gzip_members),
        with_folder(test_gzip_padding),
        with_folder(test_float_regression),
        with_folder(test_int32_labels),
        with_folder(test_cifar),
        with_folder(test_check_classes),
        with_folder(test_class_names),
        with_folder(test_missing),
        with_folder(test_subfolders_are_named),
        with_folder(test_wrong_magic),
        with_folder(test_truncated),
        with_folder(test_trailing_bytes),
        with_folder(test_count_mismatch),
        with_folder(test_absurd_sizes),
        with_folder(test_gzip_damage),
        with_folder(test_flipped_bits_never_crash),
        with_folder(test_cifar_damage),
        with_folder(test_changes_while_read),
        with_folder(test_ambiguous_names),
        with_folder(test_wrong_kinds),
        with_folder(test_unreadable),
        with_folder(test_inspect),
        with_folder(test_inspect_without_images),
        cmocka_unit_test(test_real_mnist),
        cmocka_unit_test(test_real_fashion),
        cmocka_unit_test(test_real_cifar),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
