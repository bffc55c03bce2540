/* Which epoch is the best, and when `stop = patience(...)` has had enough, by the losses and right answers of the epochs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "fake_job.h"

enum { MOST = 8, SAMPLES = 100 };

/* Epochs as long as they last; `best` and `end` are what must come of them. */
struct training {
    int save, stop;            /* measures */
    double patience, delta;    /* 0: none */
    double loss[MOST];         /* of the test; 0 ends */
    int64_t right[MOST];       /* of SAMPLES; of the second metric the rest is */
    int64_t best, since, ends; /* epochs; since: of the last improvement for `stop` */
};

static const struct training trainings[] = {
    /* a loss falls, accuracy rises, the second metric has the other answers right */
    {MEASURE_LOSS, 0, 0, 0, {3, 2, 1, 2}, {10, 30, 20, 30}, 3, 0, 4},
    {0, 0, 0, 0, {3, 2, 1, 2}, {10, 30, 20, 30}, 2, 0, 4},
    {1, 0, 0, 0, {3, 2, 1, 2}, {10, 30, 20, 30}, 1, 0, 4},
    {MEASURE_AUTO, 0, 0, 0, {3, 2, 1, 2}, {10, 30, 20, 30}, 2, 0, 4},
    /* n epochs on end, equals are none better */
    {MEASURE_LOSS, MEASURE_LOSS, 2, 0, {3, 2, 2, 1.5, 1.5, 1.6, 1}, {0}, 4, 4, 6},
    {MEASURE_LOSS, MEASURE_LOSS, 1, 0, {3, 2, 1, 1, 0.5}, {0}, 3, 3, 4},
    {MEASURE_LOSS, MEASURE_LOSS, 3, 0, {3, 2, 2, 2, 1, 1, 1, 1}, {0}, 5, 5, 8},
    /* what is less than min_delta better neither counts nor moves what is compared with: as in Keras */
    {MEASURE_LOSS, MEASURE_LOSS, 2, 0.5, {3, 2.75, 2.25, 2, 2.25, 1}, {0}, 4, 3, 5},
    {MEASURE_LOSS, MEASURE_LOSS, 3, 0.5, {3, 2.75, 2.25, 2, 1.75, 1.75}, {0}, 5, 3, 6},
    /* another measure than that of `save` */
    {0, MEASURE_LOSS, 2, 0, {1, 2, 3, 4}, {10, 20, 30, 40}, 3, 1, 3},
    {MEASURE_LOSS, 0, 2, 0.1, {4, 3, 2, 1, 0.5}, {50, 55, 60, 65, 70}, 3, 1, 3},
    /* no improvement is not a number */
    {MEASURE_LOSS, MEASURE_LOSS, 2, 0, {NAN, NAN, 1}, {0}, 0, 0, 2},
    {0, 0, 2, 0, {1, NAN, INFINITY, 1}, {50, 90, 90, 90}, 1, 1, 3},
};

static void check(const struct training *t)
{
    struct fake_device device;
    struct options options;
    struct job j;
    fake_job(&j, &options, &device, "");
    j.recipe.epochs = MOST;
    j.recipe.metrics = 2;
    snprintf(j.recipe.metric[1], sizeof j.recipe.metric[1], "top5");
    j.recipe.save.measure = t->save;
    if (t->patience > 0)
        j.recipe.stop =
            (struct rule){.word = word_find(WORD_STOP, "patience"), .num = {t->patience, t->delta}, .measure = t->stop};
    int64_t best = 0;
    for (; !choose_over(&j) && t->loss[j.at.epoch] != 0;) {
        int64_t right = t->right[j.at.epoch];
        const struct result r = {
            .loss = t->loss[j.at.epoch], .n = SAMPLES, .metrics = 2, .correct = {right, SAMPLES - right}};
        j.at.epoch++;
        if (choose_epoch(&j, 7, &r))
            best = j.at.epoch;
    }
    assert_int_equal(best, t->best);
    assert_int_equal(j.at.best_epoch, t->best);
    assert_int_equal(j.at.stop_epoch, t->since);
    assert_int_equal(j.at.epoch, t->ends);
    assert_int_equal(choose_stops(&j), t->patience > 0);
}

static void test_trainings(void **state)
{
    (void)state;
    for (int i = 0; i < COUNT(trainings); i++) {
        print_message("training %d\n", i);
        check(&trainings[i]);
    }
}

/* Without a test set the loss is that of the training; a metric that is asked for is refused. */
static void test_without_tests(void **state)
{
    struct fake_device device;
    struct options options;
    struct job j;
    (void)state;
    fake_job(&j, &options, &device, "");
    j.data.test.count = 0;
    const struct result none = {.n = 0};
    assert_string_equal(choose_measure(&j, &j.recipe.save), "loss");
    assert_int_equal(choose_check(&j), 0);
    for (j.at.epoch = 1; j.at.epoch <= 3; j.at.epoch++)
        assert_int_equal(choose_epoch(&j, j.at.epoch == 2 ? 1 : 2, &none), j.at.epoch < 3);
    assert_true(choose_value(&j, &j.recipe.save, j.at.best) == 1);
    j.recipe.save.measure = 0;
    assert_int_equal(choose_check(&j), STATUS_DATA);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_trainings), cmocka_unit_test(test_without_tests)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
