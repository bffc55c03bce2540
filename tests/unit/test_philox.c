/* Philox against the published vectors, and the shuffle: a permutation, different each epoch, without preferences. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/philox.h"

static const uint32_t key[2] = {42, 7};

/* kat_vectors of the Random123 library, philox4x32 with 10 rounds. */
static void test_known_answers(void **state)
{
    (void)state;
    static const struct {
        uint32_t counter[4], key[2], out[4];
    } known[] = {
        {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{~0u, ~0u, ~0u, ~0u}, {~0u, ~0u}, {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {0xa4093822, 0x299f31d0},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        uint32_t out[4];
        philox4x32(known[i].counter, known[i].key, out);
        assert_memory_equal(out, known[i].out, sizeof out);
    }
}

static void test_unit_interval(void **state)
{
    (void)state;
    assert_true(philox_unit(0) == 0.0f);
    assert_true(philox_unit(~0u) < 1.0f);
    assert_true(philox_unit(0x80000000u) == 0.5f);
    assert_true(philox_unit(0xffu) == 0.0f);
}

static void assert_permutation(uint32_t n, uint64_t epoch)
{
    uint32_t round_keys[SHUFFLE_ROUNDS];
    unsigned char *seen = calloc(n, 1);
    assert_non_null(seen);
    shuffle_keys(key, epoch, round_keys);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t at = shuffle_at(i, n, round_keys);
        assert_true(at < n);
        assert_int_equal(seen[at], 0);
        seen[at] = 1;
    }
    free(seen);
}

static void test_permutation(void **state)
{
    (void)state;
    for (uint32_t n = 1; n <= 300; n++)
        for (uint64_t epoch = 0; epoch < 5; epoch++)
            assert_permutation(n, epoch);
    static const uint32_t sizes[] = {1000, 1023, 1024, 1025, 10000, 32768, 32769, 50000, 60000, 65536, 65537, 1281167};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        assert_permutation(sizes[i], i);
}

/* The largest n: too many for an array, so inverses are not checked, only the range and that values differ. */
static void test_largest_range(void **state)
{
    (void)state;
    enum { COUNT = 1000 };
    static const uint64_t sizes[] = {(uint64_t)1 << 31, ((uint64_t)1 << 31) - 1, ((uint64_t)1 << 30) + 1};
    for (size_t s = 0; s < 3; s++) {
        uint64_t seen[COUNT];
        for (uint64_t i = 0; i < COUNT; i++) {
            seen[i] = shuffle_index(sizes[s] - 1 - i, sizes[s], key, 3);
            assert_true(seen[i] < sizes[s]);
            for (uint64_t j = 0; j < i; j++)
                assert_true(seen[i] != seen[j]);
        }
    }
}

static int equal_places(const uint32_t key_a[2], uint64_t epoch_a, const uint32_t key_b[2], uint64_t epoch_b)
{
    int equal = 0;
    for (uint64_t i = 0; i < 60000; i++)
        equal += shuffle_index(i, 60000, key_a, epoch_a) == shuffle_index(i, 60000, key_b, epoch_b);
    return equal;
}

/* Two random permutations agree at one place on average; ten and more have a probability of about 1e-7. */
static void test_epochs_and_keys_differ(void **state)
{
    (void)state;
    const uint32_t other[2] = {43, 7};
    assert_in_range(equal_places(key, 0, key, 1), 0, 9);
    assert_in_range(equal_places(key, 0, key, (uint64_t)1 << 32), 0, 9);
    assert_in_range(equal_places(key, 0, other, 0), 0, 9);
    assert_int_equal(equal_places(key, 5, key, 5), 60000);
}

/* Sum of (observed - expected)^2 / expected against its mean, the degrees of freedom, in standard deviations. */
static double chi_square_excess(const uint32_t *counts, size_t cells, double expected, double df)
{
    double chi = 0;
    for (size_t i = 0; i < cells; i++)
        chi += (counts[i] - expected) * (counts[i] - expected) / expected;
    return (chi - df) / sqrt(2 * df);
}

/* Over many epochs, each sample comes to each place equally often. */
static void test_places_are_uniform(void **state)
{
    (void)state;
    static const uint32_t sizes[] = {2, 3, 4, 5, 7, 10, 16, 50, 100, 200};
    enum { EPOCHS = 20000 };
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        uint32_t n = sizes[s];
        uint32_t *counts = calloc(n * n, sizeof *counts);
        for (uint64_t epoch = 0; epoch < EPOCHS; epoch++)
            for (uint32_t i = 0; i < n; i++)
                counts[i * n + shuffle_index(i, n, key, epoch)]++;
        double excess = chi_square_excess(counts, n * n, (double)EPOCHS / n, (n - 1.0) * (n - 1.0));
        if (excess > 6)
            fail_msg("n = %u: chi-square is %.1f standard deviations too large", n, excess);
        free(counts);
    }
}

/* Neighbours in the epoch are not neighbours in the set: where sample i + 1 goes does not depend on where i goes. */
static void test_neighbours_are_independent(void **state)
{
    (void)state;
    enum { N = 60000, BINS = 32 };
    for (uint64_t epoch = 0; epoch < 4; epoch++) {
        uint32_t pairs[BINS * BINS] = {0}, steps[BINS] = {0};
        for (uint64_t i = 0; i + 1 < N; i++) {
            uint64_t a = shuffle_index(i, N, key, epoch), b = shuffle_index(i + 1, N, key, epoch);
            pairs[a * BINS / N * BINS + b * BINS / N]++;
            steps[(b + N - a) % N * BINS / N]++;
        }
        assert_true(fabs(chi_square_excess(pairs, BINS * BINS, (double)(N - 1) / (BINS * BINS), BINS * BINS - 1)) < 6);
        assert_true(chi_square_excess(steps, BINS, (double)(N - 1) / BINS, BINS - 1) < 6);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_answers),
        cmocka_unit_test(test_unit_interval),
        cmocka_unit_test(test_permutation),
        cmocka_unit_test(test_largest_range),
        cmocka_unit_test(test_epochs_and_keys_differ),
        cmocka_unit_test(test_places_are_uniform),
        cmocka_unit_test(test_neighbours_are_independent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
