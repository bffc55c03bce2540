/* Epochs that are drawn: as often as the weights say, of all samples alike, and the same whoever asks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "run/sampling.h"
#include "device/order.h"
#include "device/staged.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 1000 };

/* What the table itself says of each sample. */
static void assert_shares(const double *weight, int64_t n)
{
    double sum = 0, got[MOST] = {0};
    uint32_t *table = sampling_table(weight, n);
    assert_non_null(table);
    for (int64_t i = 0; i < n; i++) {
        const double own = table[2 * i + 1] == i ? 1 : table[2 * i] / 0x1p32;
        sum += weight[i];
        got[i] += own / (double)n;
        got[table[2 * i + 1]] += (1 - own) / (double)n;
    }
    for (int64_t i = 0; i < n; i++) {
        assert_true(fabs(got[i] - weight[i] / sum) <= 0x1p-32);
        assert_true(weight[i] > 0 || got[i] == 0);
    }
    free(table);
}

static void test_tables(void **state)
{
    double weight[MOST];
    (void)state;
    for (int n = 1; n <= MOST; n = 3 * n + 1) {
        for (int kind = 0; kind < 5; kind++) {
            for (int i = 0; i < n; i++)
                weight[i] = kind == 0   ? 1
                            : kind == 1 ? 1.0 / (i + 1)
                            : kind == 2 ? i == n / 2
                            : kind == 3 ? i % 3 == 0 ? 0 : 1e6
                                        : pow(10, i % 13 - 6);
            weight[0] = kind == 3 && n == 1 ? 1 : weight[0];
            assert_shares(weight, n);
        }
    }
}

/* Pearson's sum of what was drawn against what was to be expected. Where nothing is expected, nothing may be drawn. */
static double chi_square(const int64_t *drawn, const double *share, int n, double draws)
{
    double sum = 0;
    for (int i = 0; i < n; i++) {
        const double wanted = share[i] * draws;
        assert_true(wanted > 0 || drawn[i] == 0);
        sum += wanted > 0 ? ((double)drawn[i] - wanted) * ((double)drawn[i] - wanted) / wanted : 0;
    }
    return sum;
}

/* Ten classes of 1, 2, ... samples each; below the 99.9 % quantiles of chi-square with 9 and 54 degrees of freedom. */
static void test_draws(void **state)
{
    enum { CLASSES = 10, N = CLASSES * (CLASSES + 1) / 2, EPOCHS = 400 };
    const uint32_t seed[2] = {1, 0};
    int class[N], n = 0;
    (void)state;
    for (int c = 0; c < CLASSES; c++)
        for (int i = 0; i <= c; i++)
            class[n++] = c;
    for (int kind = 0; kind < 2; kind++) { /* balanced, and by the number of the class, of which 0 never comes */
        double weight[N], sum = 0, of_sample[N], of_class[CLASSES] = {0};
        int64_t samples[N] = {0}, classes[CLASSES] = {0};
        for (int i = 0; i < N; i++)
            sum += weight[i] = kind == 0 ? 1.0 / (class[i] + 1) : class[i];
        for (int i = 0; i < N; i++)
            of_class[class[i]] += of_sample[i] = weight[i] / sum;
        uint32_t *table = sampling_table(weight, N);
        for (uint32_t epoch = 0; epoch < EPOCHS; epoch++) {
            const struct order o = order_in(seed, epoch, N, true, table);
            for (uint32_t at = 0; at < N; at++) {
                const int64_t i = order_at(&o, at);
                assert_true(i >= 0 && i < N);
                samples[i]++;
                classes[class[i]]++;
            }
        }
        assert_true(chi_square(classes, of_class, CLASSES, N * EPOCHS) < 27.88);
        assert_true(chi_square(samples, of_sample, N, N * EPOCHS) < 91.9);
        free(table);
    }
}

/* With replacement: within an epoch some come more than once. Places and epochs draw apart. */
static void test_epochs_differ(void **state)
{
    enum { N = 500 };
    const uint32_t seed[2] = {7, 0};
    double weight[N];
    bool seen[N] = {false};
    int different = 0, equal = 0;
    (void)state;
    for (int i = 0; i < N; i++)
        weight[i] = 1;
    uint32_t *table = sampling_table(weight, N);
    const struct order a = order_in(seed, 0, N, true, table), b = order_in(seed, 1, N, true, table);
    for (uint32_t at = 0; at < N; at++) {
        different += !seen[order_at(&a, at)];
        seen[order_at(&a, at)] = true;
        equal += order_at(&a, at) == order_at(&b, at);
    }
    assert_true(different > 280 && different < 350); /* 1 - 1/e of them are 316 */
    assert_true(equal < 10);
    free(table);
}

/* A source in memory, and its targets: those samples. */
static void test_rows(void **state)
{
    enum { N = 40, ROWS = 16 };
    float sample[N][2];
    int32_t target[N], got_target[ROWS];
    double weight[N];
    (void)state;
    for (int i = 0; i < N; i++) {
        sample[i][0] = sample[i][1] = (float)i;
        target[i] = 100 + i;
        weight[i] = i % 4;
    }
    uint32_t *table = sampling_table(weight, N);
    struct device_source source = {.draws = table};
    const struct device_data data = {
        .targets = target, .count = N, .sample_bytes = sizeof *sample, .target_bytes = 4, .source = &source};
    for (uint32_t position = 0; position < N; position += ROWS) {
        const uint32_t control[CTL_WORDS] = {[CTL_ROWS] = ROWS,       [CTL_POSITION] = position, [CTL_EPOCH] = 3,
                                             [CTL_COUNT_SAMPLES] = N, [CTL_SHUFFLE] = 1,         [CTL_SEED0] = 5};
        float got[ROWS][2];
        staged_rows(got, sample, sizeof *sample, table, control);
        staged_targets(got_target, &data, control);
        const struct order o = order_of(control, table);
        for (uint32_t row = 0; row < ROWS && position + row < N; row++) {
            const int64_t i = order_at(&o, position + row);
            assert_true(i % 4 > 0 && got[row][0] == (float)i && got[row][1] == (float)i);
            assert_int_equal(got_target[row], 100 + i);
        }
    }
    free(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tables),
        cmocka_unit_test(test_draws),
        cmocka_unit_test(test_epochs_differ),
        cmocka_unit_test(test_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
