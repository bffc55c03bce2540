/* Files of weights by their tensors, and two of them by what is different: small numbers, by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "data/inspect_weights.h"
#include "temp_files.h"

#include <math.h>

static const float w[4] = {1, -2, 3, -4}, odd[3] = {NAN, 1, INFINITY};
static const int64_t count = 7;
static const uint16_t half[2] = {0x3f80, 0x4000}; /* bfloat16: 1, 2 */

static void save(struct temp *temp, const char *name, const struct st_tensor *tensors, size_t n)
{
    const struct st_pair meta[] = {{"net", "tiny"}, {"epoch", "3"}, {"else", "x"}};
    struct data_error e;
    assert_true(st_write(temp_path(temp, name), tensors, n, meta, 3, NULL, NULL, &e));
}

static void test_one(void **state)
{
    struct temp *temp = *state;
    const struct st_tensor tensors[] = {
        {.name = "w", .type = ST_F32, .rank = 2, .dims = {2, 2}, .data = w, .bytes = sizeof w},
        {.name = "odd", .type = ST_F32, .rank = 1, .dims = {3}, .data = odd, .bytes = sizeof odd},
        {.name = "count", .type = ST_I64, .data = &count, .bytes = sizeof count},
        {.name = "half", .type = ST_BF16, .rank = 1, .dims = {2}, .data = half, .bytes = sizeof half},
        {.name = "eight", .type = ST_F8_E4M3, .rank = 1, .dims = {2}, .data = "ab", .bytes = 2},
    };
    struct data_error e;
    char *text = NULL, expected[2000];
    size_t size;
    FILE *out = open_memstream(&text, &size);
    save(temp, "a.safetensors", tensors, 5);
    assert_true(inspect_weights(temp->path, out, &e));
    fclose(out);
    snprintf(expected, sizeof expected,
             "%s: 5 tensors, 12 values, 42 B\n"
             "net tiny, epoch 3\n"
             "tensor  shape      values       mean  deviation        min        max\n"
             "count   scalar          1          7          0          7          7   I64\n"
             "odd     3               3          1          0          1          1   2 not finite\n"
             "w       2x2             4       -0.5       2.69         -4          3\n" /* sqrt(30 / 4 - 1 / 4) */
             "half    2               2        1.5        0.5          1          2   BF16\n"
             "eight   2               2          -          -          -          -   F8_E4M3\n",
             temp->path);
    assert_string_equal(text, expected);
    free(text);
    temp_write(temp, "b.safetensors", "no", 2);
    assert_false(inspect_weights(temp->path, stdout, &e));
    assert_contains(e.text, "b.safetensors");
}

/* More than a part of the file holds, in parts of any size: as over all at once. */
static void test_large(void **state)
{
    enum { N = 50001 };
    struct temp *temp = *state;
    struct value_stats s = {0};
    double mean = 0, squares = 0, value[N];
    for (int i = 0; i < N; i++)
        mean += (value[i] = 1e6 + i % 1000) / N;
    for (int i = 0; i < N; i++)
        squares += (value[i] - mean) * (value[i] - mean) / N;
    for (int at = 0; at < N; at += 777)
        stats_add(&s, value + at, N - at < 777 ? N - at : 777);
    assert_int_equal(s.n, N);
    assert_true(fabs(s.mean - mean) < 1e-6 && fabs(stats_deviation(&s) - sqrt(squares)) < 1e-6);
    assert_true(s.min == 1e6 && s.max == 1e6 + 999);
    const struct st_tensor t = {
        .name = "x", .type = ST_F64, .rank = 1, .dims = {N}, .data = value, .bytes = sizeof value};
    char *text = NULL;
    size_t size;
    struct data_error e;
    FILE *out = open_memstream(&text, &size);
    save(temp, "a.safetensors", &t, 1);
    assert_true(inspect_weights(temp->path, out, &e));
    fclose(out);
    assert_contains(text, "x       50001      50001      1e+06        289      1e+06      1e+06   F64\n");
    free(text);
}

static void test_two(void **state)
{
    struct temp *temp = *state;
    const float other[4] = {1, -2, 3.5f, -4}, zero[3] = {0};
    const struct st_tensor a[] = {
        {.name = "w", .type = ST_F32, .rank = 2, .dims = {2, 2}, .data = w, .bytes = sizeof w},
        {.name = "half", .type = ST_BF16, .rank = 1, .dims = {2}, .data = half, .bytes = sizeof half},
        {.name = "turned", .type = ST_F32, .rank = 1, .dims = {4}, .data = w, .bytes = sizeof w},
        {.name = "mine", .type = ST_F32, .rank = 1, .dims = {3}, .data = zero, .bytes = sizeof zero},
        {.name = "odd", .type = ST_F32, .rank = 1, .dims = {3}, .data = odd, .bytes = sizeof odd},
    };
    const struct st_tensor b[] = {
        {.name = "w", .type = ST_F32, .rank = 2, .dims = {2, 2}, .data = other, .bytes = sizeof other},
        {.name = "half", .type = ST_F32, .rank = 1, .dims = {2}, .data = (float[]){1, 2}, .bytes = 8},
        {.name = "turned", .type = ST_F32, .rank = 2, .dims = {1, 4}, .data = w, .bytes = sizeof w},
        {.name = "yours", .type = ST_F32, .data = w, .bytes = 4},
        {.name = "odd", .type = ST_F32, .rank = 1, .dims = {3}, .data = zero, .bytes = sizeof zero},
    };
    struct data_error e;
    char *text = NULL, first[300], second[300], expected[3000];
    size_t size;
    save(temp, "a.safetensors", a, 5);
    strcpy(first, temp->path);
    save(temp, "b.safetensors", b, 5);
    strcpy(second, temp->path);
    FILE *out = open_memstream(&text, &size);
    assert_true(inspect_difference(first, second, out, &e));
    fclose(out);
    /* 0.5 of one value in four; sqrt(30) is the length of w. Of odd, 1 becomes 0, and two are no numbers any more. */
    snprintf(expected, sizeof expected,
             "%s, and %s beside it\n"
             "tensor  shape     values        max       mean   relative\n"
             "odd     3              3          1          1          1   2 not finite in one\n"
             "w       2x2            4        0.5      0.125     0.0913\n"
             "half    2              2          0          0          0\n"
             "all                    9          1      0.214      0.186   2 not finite in one\n"
             "only in %s: mine 3\n"
             "other shape: turned 4, in %s 1x4\n"
             "only in %s: yours scalar\n",
             first, second, first, second, second);
    assert_string_equal(text, expected);
    free(text);
}

#define with_folder(test) cmocka_unit_test_setup_teardown(test, temp_open, temp_close)

int main(void)
{
    const struct CMUnitTest tests[] = {with_folder(test_one), with_folder(test_large), with_folder(test_two)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
