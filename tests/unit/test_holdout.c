/* A share of the training set held out: of each class alike, by the seed alone, nothing lost and nothing twice. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/base.h"
#include "run/run.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 3000, CLASSES = 5, ELEMENTS = 3 };

/* Sample i is {i, i + 0.5, -i} with the class classes[i]; NULL: with the value i as its target. */
static void make(struct dataset *set, int64_t n, const int32_t *classes)
{
    *set = (struct dataset){.format = "made up"};
    struct data_split *s = &set->train;
    s->count = n;
    s->sample = (struct data_field){
        .type = DATA_F32, .rank = 1, .dims = {ELEMENTS}, .bytes = ELEMENTS * sizeof(float), .path = strdup("made")};
    s->label = (struct data_field){.type = classes ? DATA_I32 : DATA_F32,
                                   .rank = classes ? 0 : 1,
                                   .dims = {1},
                                   .bytes = 4,
                                   .path = strdup("made")};
    float *x = calloc((size_t)n, (size_t)s->sample.bytes), *y = calloc((size_t)n, 4);
    assert_true(x && y);
    for (int64_t i = 0; i < n; i++) {
        const float row[ELEMENTS] = {(float)i, (float)i + 0.5f, (float)-i};
        memcpy(x + i * ELEMENTS, row, sizeof row);
        y[i] = (float)i;
        if (classes)
            memcpy(y + i, &classes[i], sizeof *classes);
    }
    s->sample.values = (unsigned char *)x;
    s->label.values = (unsigned char *)y;
}

/* Marks the samples of a split, which lie in their order, each with its own target. */
static void mark(const struct data_split *s, const int32_t *classes, char *seen, char with)
{
    int64_t before = -1;
    for (int64_t k = 0; k < s->count; k++) {
        float row[ELEMENTS], value;
        memcpy(row, s->sample.values + k * (int64_t)s->sample.bytes, sizeof row);
        int64_t i = (int64_t)row[0];
        assert_true(i > before && row[1] == (float)i + 0.5f && row[2] == (float)-i);
        assert_int_equal(seen[i], 0);
        memcpy(&value, s->label.values + k * 4, 4);
        if (classes)
            assert_int_equal(data_class(s, k), classes[i]);
        else
            assert_true(value == (float)i);
        seen[i] = with;
        before = i;
    }
}

/* Which are held out: 'h', or 't' for those that are trained. */
static void take(int64_t n, const int32_t *classes, double share, uint32_t seed, char *seen)
{
    struct dataset set;
    make(&set, n, classes);
    memset(seen, 0, (size_t)n);
    assert_int_equal(holdout_take(&set, share, seed), 0);
    assert_int_equal(set.train.count + set.holdout.count, n);
    mark(&set.train, classes, seen, 't');
    mark(&set.holdout, classes, seen, 'h');
    samples_close(&set);
}

static int32_t classes[MOST];

/* Class 0 has half of the samples, class 1 a quarter, and so on. */
static void fill(void)
{
    for (int i = 0; i < MOST; i++)
        for (classes[i] = 0; classes[i] < CLASSES - 1 && (i * 7 >> classes[i] & 1);)
            classes[i]++;
}

static void test_strata(void **state)
{
    static const double shares[] = {0.1, 0.25, 0.5, 0.9, 0.333, 0.01};
    char seen[MOST];
    (void)state;
    fill();
    for (int s = 0; s < COUNT(shares); s++) {
        int64_t of[CLASSES] = {0}, held[CLASSES] = {0}, sum = 0;
        take(MOST, classes, shares[s], 1, seen);
        for (int i = 0; i < MOST; i++) {
            of[classes[i]]++;
            held[classes[i]] += seen[i] == 'h';
            sum += seen[i] == 'h';
        }
        assert_int_equal(sum, (int64_t)floor(shares[s] * MOST + 0.5));
        for (int c = 0; c < CLASSES; c++)
            assert_true(fabs((double)held[c] - shares[s] * (double)of[c]) <= 1);
    }
}

/* The seed decides, and it alone; each sample is held out about as often as another. */
static void test_seed(void **state)
{
    enum { SEEDS = 400, FEW = 200 };
    char seen[MOST], again[MOST];
    int times[FEW] = {0};
    (void)state;
    fill();
    take(MOST, classes, 0.2, 7, seen);
    take(MOST, classes, 0.2, 7, again);
    assert_memory_equal(seen, again, MOST);
    take(MOST, classes, 0.2, 8, again);
    assert_memory_not_equal(seen, again, MOST);
    for (uint32_t seed = 0; seed < SEEDS; seed++) {
        take(FEW, NULL, 0.25, seed, seen);
        for (int i = 0; i < FEW; i++)
            times[i] += seen[i] == 'h';
    }
    for (int i = 0; i < FEW; i++) /* 100 with a deviation of 8.7 */
        assert_in_range(times[i], 60, 140);
}

/* Values are of no class. A class of one sample is trained. What would be none is refused. */
static void test_few(void **state)
{
    static const int32_t lonely[] = {0, 3, 0, 0, 0}, apart[] = {0, 1, 2, 3};
    char seen[MOST];
    struct dataset set;
    (void)state;
    take(5, NULL, 0.4, 1, seen);
    assert_int_equal(memchr(seen, 'h', 5) != NULL, 1);
    for (uint32_t seed = 0; seed < 20; seed++) {
        take(5, lonely, 0.6, seed, seen);
        assert_int_equal(seen[1], 't');
    }
    make(&set, 4, apart);
    assert_int_equal(holdout_take(&set, 0.5, 1), STATUS_DATA);
    assert_int_equal(set.train.count, 4);
    samples_close(&set);
    make(&set, 4, NULL);
    assert_int_equal(holdout_take(&set, 0.1, 1), STATUS_DATA);
    samples_close(&set);
    take(4, NULL, 0.99, 1, seen); /* one stays */
    assert_non_null(memchr(seen, 't', 4));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_strata), cmocka_unit_test(test_seed),
                                       cmocka_unit_test(test_few)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
