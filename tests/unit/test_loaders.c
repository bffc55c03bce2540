/* Samples from files, in any order that runs ask for: the right ones, whatever the threads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "temp_files.h"

#include "base/philox.h"
#include "data/loaders.h"

enum { SAMPLES = 1000, BYTES = 300, ROWS = 64, FIRST = 400 };

static unsigned char all[SAMPLES][BYTES], got[ROWS][BYTES];

static void begin(struct temp *temp, struct data_split *split, int threads)
{
    struct data_error e;
    for (int i = 0; i < SAMPLES; i++)
        for (int k = 0; k < BYTES; k++)
            all[i][k] = (unsigned char)(i * 7 + k * i + (i >> 8));
    char rest[256];
    strcpy(rest, temp_write(temp, "rest", all[FIRST - 1], (SAMPLES - FIRST + 1) * BYTES));
    const char *first = temp_write(temp, "samples", all, FIRST * BYTES);
    const struct data_piece piece[] = {{first, 0, BYTES, FIRST}, {rest, BYTES, BYTES, SAMPLES - FIRST}};
    *split = (struct data_split){.count = SAMPLES, .sample = {.bytes = BYTES, .path = temp->path}};
    split->reader = data_reader_open(piece, 2, BYTES, false, &e);
    assert_non_null(split->reader);
    assert_true(loaders_start(split, threads, 20000, &e));
    assert_true(split->source->bytes >= 20000 - BYTES && split->source->bytes < 22000);
}

static void end(struct data_split *split)
{
    loaders_stop(split->source);
    data_reader_close(split->reader);
}

static void expect(struct device_source *s, uint32_t epoch, uint32_t position, uint32_t shuffle)
{
    struct device_error e;
    uint32_t control[CTL_WORDS] = {[CTL_ROWS] = ROWS,       [CTL_POSITION] = position,
                                   [CTL_EPOCH] = epoch,     [CTL_COUNT_SAMPLES] = SAMPLES,
                                   [CTL_SHUFFLE] = shuffle, [CTL_SEED1] = 5};
    assert_true(s->rows(s, control, got, &e));
    for (uint32_t row = 0; row < ROWS && position + row < SAMPLES; row++) {
        uint64_t at = position + row;
        at = shuffle ? shuffle_index(at, SAMPLES, &control[CTL_SEED0], epoch) : at;
        assert_memory_equal(got[row], all[at], BYTES);
    }
}

static void test_orders(void **state)
{
    for (int threads = 1; threads <= 5; threads += 2) {
        struct data_split split;
        begin(*state, &split, threads);
        for (uint32_t shuffle = 0; shuffle < 2; shuffle++)
            for (uint32_t epoch = 0; epoch < 3; epoch++)
                for (uint32_t at = 0; at < SAMPLES; at += ROWS)
                    expect(split.source, epoch, at, shuffle);
        /* Back, on, and to another epoch. */
        expect(split.source, 2, 960, 1);
        expect(split.source, 0, 64, 1);
        expect(split.source, 0, 512, 1);
        expect(split.source, 7, 576, 1);
        expect(split.source, 7, 640, 0);
        end(&split);
    }
}

static void test_cut_off(void **state)
{
    struct data_split split;
    struct device_error e;
    uint32_t control[CTL_WORDS] = {[CTL_ROWS] = ROWS, [CTL_COUNT_SAMPLES] = SAMPLES};
    bool good = true;
    begin(*state, &split, 2);
    expect(split.source, 0, 0, 0);
    assert_int_equal(truncate(((struct temp *)*state)->path, 1000), 0);
    for (int i = 0; i < 20 && good; i++) {
        control[CTL_EPOCH]++;
        good = split.source->rows(split.source, control, got, &e);
    }
    assert_false(good);
    assert_int_equal(e.status, 4);
    assert_non_null(strstr(e.text, "/samples: changed while it was read: it had 120000 bytes, and has 1000"));
    end(&split);
}

/* Between its head and its samples a file was cut off, or grew. */
static void test_size(void **state)
{
    const char *path = temp_write(*state, "samples", all, 10 * BYTES + 20);
    const struct data_piece right = {path, 20, BYTES, 10}, record = {path, 20 + 1, BYTES + 1, 10};
    struct data_error e;
    struct data_reader *r = data_reader_open(&right, 1, BYTES, false, &e);
    assert_non_null(r);
    data_reader_close(r);
    assert_null(data_reader_open(&record, 1, BYTES, false, &e));
    assert_contains(e.text, "/samples: 3020 bytes; expected 3030, for 10 samples");
    for (int more = -1; more <= 1; more += 2) {
        assert_int_equal(truncate(path, 10 * BYTES + 20 + more), 0);
        assert_null(data_reader_open(&right, 1, BYTES, false, &e));
        assert_contains(e.text, more < 0 ? "3019 bytes; expected 3020" : "3021 bytes; expected 3020");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_orders, temp_open, temp_close),
        cmocka_unit_test_setup_teardown(test_cut_off, temp_open, temp_close),
        cmocka_unit_test_setup_teardown(test_size, temp_open, temp_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
