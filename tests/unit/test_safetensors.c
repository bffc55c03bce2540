/* Weights: each rule of the format refuses the file that breaks it, the writer makes the same bytes every time, and a
 * file is replaced whole or not at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/atomic_file.h"
#include "data/safetensors.h"
#include "temp_files.h"

/* Writes a file of this header and `data_size` bytes of data (0, 1, 2, ...). */
static const char *write_file(struct temp *temp, const char *header, size_t data_size)
{
    size_t length = strlen(header);
    unsigned char *bytes = calloc(1, 8 + length + data_size);
    for (int i = 0; i < 8; i++)
        bytes[i] = (unsigned char)(length >> 8 * i);
    memcpy(bytes + 8, header, length);
    for (size_t i = 0; i < data_size; i++)
        bytes[8 + length + i] = (unsigned char)i;
    temp_write(temp, "model.safetensors", bytes, 8 + length + data_size);
    free(bytes);
    return temp->path;
}

static void assert_path_refused(const char *path, const char *piece)
{
    struct st_file file;
    struct data_error error = {""};
    assert_false(st_read(path, &file, &error));
    assert_null(file.tensors);
    assert_null(file.buffer);
    assert_contains(error.text, path);
    assert_contains(error.text, piece);
}

static void assert_refused(struct temp *temp, const char *header, size_t data_size, const char *piece)
{
    assert_path_refused(write_file(temp, header, data_size), piece);
}

static struct st_file read_good(const char *path)
{
    struct st_file file;
    struct data_error error;
    if (!st_read(path, &file, &error))
        fail_msg("%s", error.text);
    return file;
}

/* Reading what is right */

static void test_read(void **state)
{
    struct st_file file = read_good(write_file(*state,
                                               "{\"b\":{\"dtype\":\"F32\",\"shape\":[2,1],\"data_offsets\":[3,11]},"
                                               "\"__metadata__\":{\"format\":\"pt\",\"epoch\":\"3\"},"
                                               "\"a\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[0,3]}}   ",
                                               11));
    assert_int_equal(file.n_tensors, 2);
    assert_string_equal(file.tensors[0].name, "a");
    const struct st_tensor *b = st_find(&file, "b");
    assert_non_null(b);
    assert_int_equal(b->type, ST_F32);
    assert_int_equal(b->rank, 2);
    assert_int_equal(b->dims[0], 2);
    assert_int_equal(b->dims[1], 1);
    assert_int_equal(b->bytes, 8);
    const unsigned char expected[8] = {3, 4, 5, 6, 7, 8, 9, 10};
    assert_memory_equal(b->data, expected, 8);
    assert_null(st_find(&file, "c"));
    assert_string_equal(st_metadata(&file, "epoch"), "3");
    assert_null(st_metadata(&file, "step"));
    st_free(&file);
}

static void test_empty_and_scalar(void **state)
{
    struct st_file file = read_good(write_file(*state, "{}", 0));
    assert_int_equal(file.n_tensors, 0);
    st_free(&file);
    file = read_good(write_file(*state,
                                "{\"none\":{\"dtype\":\"F32\",\"shape\":[4,0],\"data_offsets\":[8,8]},"
                                "\"steps\":{\"dtype\":\"I64\",\"shape\":[],\"data_offsets\":[0,8]}}",
                                8));
    assert_int_equal(st_find(&file, "steps")->rank, 0);
    assert_int_equal(st_find(&file, "steps")->bytes, 8);
    assert_int_equal(st_find(&file, "none")->bytes, 0);
    st_free(&file);
}

static void test_every_type(void **state)
{
    for (int type = 0; type < ST_N_TYPES; type++) {
        char header[120];
        size_t size = st_type_size((enum st_type)type);
        snprintf(header, sizeof header, "{\"t\":{\"dtype\":\"%s\",\"shape\":[2],\"data_offsets\":[0,%zu]}}",
                 st_type_name((enum st_type)type), 2 * size);
        struct st_file file = read_good(write_file(*state, header, 2 * size));
        assert_int_equal(file.tensors[0].type, type);
        st_free(&file);
    }
}

/* Reading what is wrong */

static void test_short_file(void **state)
{
    struct temp *temp = *state;
    assert_path_refused(temp_write(temp, "f", "", 0), "truncated: 0 bytes; expected at least 8");
    assert_path_refused(temp_write(temp, "f", "\2\0\0\0\0\0\0", 7), "truncated: 7 bytes");
    assert_path_refused(temp_write(temp, "f", "\3\0\0\0\0\0\0\0{}", 10),
                        "the header needs 3 bytes from byte 8, the file has 10");
    assert_path_refused(temp_write(temp, "f", "\xff\xff\xff\xff\xff\xff\xff\xff{}", 10), "expected at most 67108864");
    assert_path_refused(temp->folder, "is not a regular file");
    assert_path_refused(temp_path(temp, "missing"), "No such file");
}

static void test_header_size_cap(void **state)
{
    struct temp *temp = *state;
    size_t size = ST_MAX_HEADER + 1;
    unsigned char *bytes = malloc(8 + size);
    memset(bytes, ' ', 8 + size);
    memcpy(bytes, "\0\0\0\4\0\0\0\0{}", 10);
    temp_write(temp, "f", bytes, 8 + size - 1);
    struct st_file file = read_good(temp->path); /* exactly the cap */
    st_free(&file);
    bytes[0] = 1;
    assert_path_refused(temp_write(temp, "f", bytes, 8 + size), "byte 0: a header of 67108865 bytes");
    free(bytes);
}

static void test_header_form(void **state)
{
    assert_refused(*state, "", 0, "not a JSON object, padded with spaces only");
    assert_refused(*state, "        ", 0, "not a JSON object");
    assert_refused(*state, " {}", 0, "not a JSON object");
    assert_refused(*state, "[]", 0, "not a JSON object");
    assert_refused(*state, "{}\n", 0, "padded with spaces only");
    assert_refused(*state, "{} {}", 0, "not valid JSON");
    assert_refused(*state, "{\"a\"}", 0, "not valid JSON");
    assert_refused(*state, "{\"a\":}", 0, "not valid JSON");
    assert_refused(*state, "{\"\xff\":1}", 0, "not valid JSON");
    assert_refused(*state, "{\"\xc0\xaf\":1}", 0, "not valid JSON");
    assert_refused(*state, "{\"a\\u0000\":1}", 0, "not valid JSON");
}

static void test_duplicate_keys(void **state)
{
#define ENTRY "{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}"
    assert_refused(*state, "{\"a\":" ENTRY ",\"a\":" ENTRY "}", 1, "duplicate");
    assert_refused(*state, "{\"__metadata__\":{\"k\":\"1\",\"k\":\"2\"}}", 0, "duplicate");
    assert_refused(*state, "{\"a\":{\"dtype\":\"U8\",\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1,
                   "duplicate");
}

/* A parser that recursed once for each bracket would run out of stack. */
static void test_depth(void **state)
{
    enum { DEPTH = 4 << 20 };
    char *header = malloc(2 * DEPTH + 10);
    strcpy(header, "{\"a\":");
    memset(header + 5, '[', DEPTH);
    memset(header + 5 + DEPTH, ']', DEPTH);
    strcpy(header + 5 + 2 * DEPTH, "}");
    assert_refused(*state, header, 0, "depth");
    header[5 + 100] = '\0';
    strcat(header, "}");
    assert_refused(*state, header, 0, "not valid JSON");
    free(header);
}

static void test_metadata_strings_only(void **state)
{
    assert_refused(*state, "{\"__metadata__\":{\"epoch\":3}}", 0, "the value of `epoch` is not a string");
    assert_refused(*state, "{\"__metadata__\":{\"a\":{\"b\":\"c\"}}}", 0, "the value of `a` is not a string");
    assert_refused(*state, "{\"__metadata__\":\"x\"}", 0, "not an object of strings");
    assert_refused(*state, "{\"__metadata__\":null}", 0, "not an object of strings");
}

static void test_entry_form(void **state)
{
    assert_refused(*state, "{\"a\":3}", 0, "tensor `a`: expected exactly dtype, shape and data_offsets");
    assert_refused(*state, "{\"a\":{\"dtype\":\"U8\",\"shape\":[1]}}", 1, "expected exactly");
    assert_refused(*state, "{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1],\"x\":1}}", 1,
                   "expected exactly");
    assert_refused(*state, "{\"a\":{\"dtype\":\"F31\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1,
                   "F31 is not a known dtype");
    assert_refused(*state, "{\"a\":{\"dtype\":7,\"shape\":[1],\"data_offsets\":[0,1]}}", 1, "not a known dtype");
    assert_refused(*state, "{\"a\\n\":{\"dtype\":7,\"shape\":[1],\"data_offsets\":[0,1]}}", 1, "tensor `a?`");
}

static void test_shapes(void **state)
{
    assert_refused(*state, "{\"a\":{\"dtype\":\"U8\",\"shape\":1,\"data_offsets\":[0,1]}}", 1, "expected a shape");
    assert_refused(*state, "{\"a\":{\"dtype\":\"U8\",\"shape\":[-1],\"data_offsets\":[0,1]}}", 1, "not a whole number");
    assert_refused(*state, "{\"a\":{\"dtype\":\"U8\",\"shape\":[1.0],\"data_offsets\":[0,1]}}", 1,
                   "not a whole number");
    assert_refused(*state, "{\"a\":{\"dtype\":\"U8\",\"shape\":[99999999999999999999],\"data_offsets\":[0,1]}}", 1,
                   "too big integer");
    assert_refused(*state, "{\"a\":{\"dtype\":\"U8\",\"shape\":[1,1,1,1,1,1,1,1,1],\"data_offsets\":[0,1]}}", 1,
                   "at most 8 sizes");
    assert_refused(*state, "{\"a\":{\"dtype\":\"U8\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,0]}}", 0,
                   "larger than any memory");
    assert_refused(*state, "{\"a\":{\"dtype\":\"F64\",\"shape\":[2305843009213693952],\"data_offsets\":[0,0]}}", 0,
                   "larger than any memory");
    assert_refused(*state, "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,4]}}", 4,
                   "has 4 bytes of data, but its shape and dtype make 8");
}

static void test_offsets(void **state)
{
    assert_refused(*state, "{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0]}}", 1, "expected data_offsets");
    assert_refused(*state, "{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1,2]}}", 1,
                   "expected data_offsets");
    assert_refused(*state, "{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[-1,0]}}", 1,
                   "expected data_offsets");
    assert_refused(*state, "{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[1,0]}}", 1, "begin <= end");
    assert_refused(*state, "{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,\"1\"]}}", 1,
                   "expected data_offsets");
    assert_refused(*state, "{\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]}}", 1,
                   "ends at byte 2 of the data, which are 1 bytes");
}

/* clang-format off */
#define TWO(begin_a, end_a, begin_b, end_b)                                                                            \
    "{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[" #begin_a "," #end_a "]},"                              \
    "\"b\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[" #begin_b "," #end_b "]}}"
/* clang-format on */

static void test_exact_cover(void **state)
{
    struct st_file file = read_good(write_file(*state, TWO(4, 8, 0, 4), 8));
    assert_string_equal(file.tensors[0].name, "b");
    st_free(&file);
    assert_refused(*state, TWO(0, 4, 5, 9), 9, "`b` begins at byte 5 of the data; expected 4, so there is a hole");
    assert_refused(*state, TWO(1, 5, 5, 9), 9, "`a` begins at byte 1 of the data; expected 0, so there is a hole");
    assert_refused(*state, TWO(0, 4, 3, 7), 8, "`b` begins at byte 3 of the data; expected 4, so tensors overlap");
    assert_refused(*state, TWO(0, 4, 0, 4), 4, "so tensors overlap");
    assert_refused(*state, TWO(0, 4, 4, 8), 9, "1 bytes follow the last tensor; expected the end");
    assert_refused(*state, "{}", 1, "byte 10: 1 bytes follow the last tensor");
}

/* Each byte of a good file takes other values: read or refused, never a crash. */
static void test_damaged_bytes(void **state)
{
    struct temp *temp = *state;
    size_t size;
    unsigned char *good = temp_read(write_file(temp, TWO(0, 4, 4, 8), 8), &size);
    static const unsigned char values[] = {0,   1,   ' ', '"', '-', '0',  '9',  '[',
                                           ']', '{', '}', ',', ':', '\\', 0x80, 0xff};
    for (size_t at = 0; at < size; at++)
        for (size_t v = 0; v < sizeof values; v++) {
            struct st_file file;
            struct data_error error = {""};
            unsigned char kept = good[at];
            good[at] = values[v];
            if (st_read(temp_write(temp, "f", good, size), &file, &error))
                st_free(&file);
            else
                assert_true(error.text[0] != '\0');
            good[at] = kept;
        }
    free(good);
}

/* Writing */

static const float weights[3] = {1, 2, 3}, bias[1] = {-1};
static const int64_t steps = 7;
static const unsigned char mask[3] = {1, 0, 1};

static const struct st_tensor tensors[] = {
    {"fc1.weight", ST_F32, 2, {1, 3}, weights, sizeof weights, 0},
    {"fc1.bias", ST_F32, 1, {1}, bias, sizeof bias, 0},
    {"steps", ST_I64, 0, {0}, &steps, sizeof steps, 0},
    {"mask", ST_BOOL, 1, {3}, mask, sizeof mask, 0},
};
static const struct st_pair metadata[] = {{"format", "pt"}, {"epoch", "3 \"of\" 5"}};

static const char *write_good(struct temp *temp, const char *name)
{
    struct data_error error;
    if (!st_write(temp_path(temp, name), tensors, 4, metadata, 2, NULL, NULL, &error))
        fail_msg("%s", error.text);
    return temp->path;
}

static void test_written_bytes(void **state)
{
    size_t size;
    unsigned char *bytes = temp_read(write_good(*state, "f"), &size);
    static const char header[] = "{\"__metadata__\":{\"epoch\":\"3 \\\"of\\\" 5\",\"format\":\"pt\"},"
                                 "\"steps\":{\"dtype\":\"I64\",\"shape\":[],\"data_offsets\":[0,8]},"
                                 "\"fc1.bias\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[8,12]},"
                                 "\"fc1.weight\":{\"dtype\":\"F32\",\"shape\":[1,3],\"data_offsets\":[12,24]},"
                                 "\"mask\":{\"dtype\":\"BOOL\",\"shape\":[3],\"data_offsets\":[24,27]}}";
    size_t length = sizeof header - 1, padded = (length + 7) / 8 * 8;
    assert_int_equal(bytes[0] | bytes[1] << 8, padded);
    assert_memory_equal(bytes + 8, header, length);
    for (size_t i = length; i < padded; i++)
        assert_int_equal(bytes[8 + i], ' ');
    assert_int_equal(size, 8 + padded + 27);
    assert_memory_equal(bytes + 8 + padded + 8, bias, sizeof bias);
    free(bytes);
}

static void test_round_trip(void **state)
{
    struct st_file file = read_good(write_good(*state, "f"));
    assert_int_equal(file.n_tensors, 4);
    for (int i = 0; i < 4; i++) {
        const struct st_tensor *found = st_find(&file, tensors[i].name);
        assert_non_null(found);
        assert_int_equal(found->type, tensors[i].type);
        assert_int_equal(found->rank, tensors[i].rank);
        assert_int_equal(found->bytes, tensors[i].bytes);
        assert_memory_equal(found->data, tensors[i].data, tensors[i].bytes);
    }
    assert_string_equal(st_metadata(&file, "epoch"), "3 \"of\" 5");
    st_free(&file);
}

static void test_same_bytes_in_any_order(void **state)
{
    struct temp *temp = *state;
    struct st_tensor backwards[4];
    for (int i = 0; i < 4; i++)
        backwards[i] = tensors[3 - i];
    const struct st_pair swapped[2] = {metadata[1], metadata[0]};
    size_t size, other_size;
    struct data_error error;
    unsigned char *bytes = temp_read(write_good(temp, "f"), &size);
    assert_true(st_write(temp_path(temp, "g"), backwards, 4, swapped, 2, NULL, NULL, &error));
    unsigned char *other = temp_read(temp->path, &other_size);
    assert_int_equal(size, other_size);
    assert_memory_equal(bytes, other, size);
    free(bytes);
    free(other);
}

static void assert_unwritable(struct temp *temp, const struct st_tensor *bad, size_t n, const struct st_pair *pairs,
                              size_t n_pairs, const char *piece)
{
    struct data_error error = {""};
    assert_false(st_write(temp_path(temp, "f"), bad, n, pairs, n_pairs, NULL, NULL, &error));
    assert_contains(error.text, piece);
    assert_int_equal(temp_count(temp), 0);
}

static void test_writer_refuses(void **state)
{
    const struct st_tensor twice[2] = {tensors[0], tensors[0]};
    assert_unwritable(*state, twice, 2, NULL, 0, "`fc1.weight` is there twice");
    struct st_tensor one = tensors[0];
    one.bytes = 8;
    assert_unwritable(*state, &one, 1, NULL, 0, "its shape and its 8 bytes do not agree");
    one = tensors[0];
    one.name = "__metadata__";
    assert_unwritable(*state, &one, 1, NULL, 0, "no tensor can be called __metadata__");
    one.name = "\xff";
    assert_unwritable(*state, &one, 1, NULL, 0, "not valid UTF-8");
    const struct st_pair bad[2] = {{"k", "v"}, {"k", "w"}};
    assert_unwritable(*state, tensors, 1, bad, 2, "`k` is there twice");
    const struct st_pair binary = {"k", "\xc3"};
    assert_unwritable(*state, tensors, 1, &binary, 1, "not valid UTF-8");
    assert_unwritable(*state, NULL, 0, &binary, 1, "not valid UTF-8");
}

/* Replacing files */

static void test_full_disk_keeps_old_file(void **state)
{
    struct temp *temp = *state;
    size_t size, size_after;
    unsigned char *before = temp_read(write_good(temp, "f"), &size);
    struct st_tensor large = {"large", ST_U8, 1, {1 << 20}, calloc(1, 1 << 20), 1 << 20, 0};
    struct rlimit old, limit;
    struct data_error error = {""};
    getrlimit(RLIMIT_FSIZE, &old);
    limit = old;
    limit.rlim_cur = 1 << 16; /* writing beyond fails, as on a full disk */
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &limit);
    bool ok = st_write(temp->path, &large, 1, NULL, 0, NULL, NULL, &error);
    setrlimit(RLIMIT_FSIZE, &old);
    assert_false(ok);
    assert_contains(error.text, temp->path);
    assert_contains(error.text, strerror(EFBIG));
    unsigned char *after = temp_read(temp->path, &size_after);
    assert_int_equal(size, size_after);
    assert_memory_equal(before, after, size);
    assert_int_equal(temp_count(temp), 1); /* no temporary file is left */
    free((void *)(uintptr_t)large.data);
    free(before);
    free(after);
}

static void test_atomic_save(void **state)
{
    struct temp *temp = *state;
    struct data_error error;
    size_t size;
    assert_true(atomic_save(temp_path(temp, "f"), "one", 3, &error));
    assert_true(atomic_save(temp->path, "longer", 6, &error));
    unsigned char *bytes = temp_read(temp->path, &size);
    assert_int_equal(size, 6);
    assert_memory_equal(bytes, "longer", 6);
    free(bytes);
    assert_int_equal(temp_count(temp), 1);
}

static void test_atomic_failures(void **state)
{
    struct temp *temp = *state;
    struct data_error error;
    assert_false(atomic_save("/nonexistent/f", "x", 1, &error));
    assert_contains(error.text, "/nonexistent/f: cannot create a temporary file beside it: No such file");
    mkdir(temp_path(temp, "folder"), 0777);
    assert_false(atomic_save(temp->path, "x", 1, &error));
    assert_contains(error.text, "cannot be opened for writing: Is a directory");
    rmdir(temp->path);
    assert_int_equal(temp_count(temp), 0);
}

static void test_atomic_abandon(void **state)
{
    struct temp *temp = *state;
    struct atomic_file file;
    struct data_error error;
    assert_true(atomic_open(&file, temp_path(temp, "f"), &error));
    fprintf(file.stream, "half");
    assert_int_equal(temp_count(temp), 1);
    atomic_abandon(&file);
    atomic_abandon(&file);
    assert_int_equal(temp_count(temp), 0);
}

#define with_folder(test) cmocka_unit_test_setup_teardown(test, temp_open, temp_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_folder(test_read),
        with_folder(test_empty_and_scalar),
        with_folder(test_every_type),
        with_folder(test_short_file),
        with_folder(test_header_size_cap),
        with_folder(test_header_form),
        with_folder(test_duplicate_keys),
        with_folder(test_depth),
        with_folder(test_metadata_strings_only),
        with_folder(test_entry_form),
        with_folder(test_shapes),
        with_folder(test_offsets),
        with_folder(test_exact_cover),
        with_folder(test_damaged_bytes),
        with_folder(test_written_bytes),
        with_folder(test_round_trip),
        with_folder(test_same_bytes_in_any_order),
        with_folder(test_writer_refuses),
        with_folder(test_full_disk_keeps_old_file),
        with_folder(test_atomic_save),
        with_folder(test_atomic_failures),
        with_folder(test_atomic_abandon),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
