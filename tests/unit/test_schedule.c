/* Learning rates, and the control words that carry them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "harness.h"

static void near(double a, double b)
{
    if (!(fabs(a - b) <= 1e-12 * fmax(1, fabs(b))))
        fail_msg("%.15g is not %.15g", a, b);
}

static void test_constant(void **state)
{
    (void)state;
    struct rate r = {.lr = 0.1, .steps = 10, .total = 30};
    near(rate_at(&r, 0), 0.1);
    near(rate_at(&r, 1000), 0.1);
}

static void test_step(void **state)
{
    (void)state;
    struct rate r = {.schedule = word_find(WORD_SCHEDULE, "Step"),
                     .num = {2, 0.5, 4},
                     .lr = 0.1,
                     .warmup = 4,
                     .steps = 3,
                     .total = 30};
    near(rate_at(&r, 0), 0.025); /* warm-up: a quarter, a half, ... */
    near(rate_at(&r, 1), 0.05);
    near(rate_at(&r, 3), 0.1);
    near(rate_at(&r, 5), 0.1);  /* last step of epoch 1 */
    near(rate_at(&r, 6), 0.05); /* first of epoch 2 */
    near(rate_at(&r, 12), 0.025);
}

static void test_cosine(void **state)
{
    (void)state;
    struct rate r = {
        .schedule = word_find(WORD_SCHEDULE, "Cosine"), .num = {5, 0.2}, .lr = 1, .warmup = 5, .steps = 5, .total = 25};
    near(rate_at(&r, 0), 0.2);
    near(rate_at(&r, 4), 1);
    near(rate_at(&r, 5), 1);
    near(rate_at(&r, 10), 0.2 + 0.8 * (1 + sqrt(0.5)) / 2);
    near(rate_at(&r, 15), 0.6);
    near(rate_at(&r, 25), 0.2);
    near(rate_at(&r, 99), 0.2);
    r.warmup = 25; /* nothing left for the cosine */
    near(rate_at(&r, 24), 1);
    near(rate_at(&r, 25), 0.2);
}

static void test_counts(void **state)
{
    (void)state;
    static const int64_t cases[][3] = {
        {60000, 128, 469}, {60000, 64, 938}, {4, 16, 1}, {7, 1, 7}, {16, 16, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct recipe r = {.epochs = 3, .batch = cases[i][1]};
        recipe_count(&r, cases[i][0]);
        assert_int_equal(r.rate.steps, cases[i][2]);
        assert_int_equal(r.rate.total, 3 * cases[i][2]);
    }
}

static void test_control(void **state)
{
    (void)state;
    struct recipe r = {.epochs = 2, .batch = 8, .seed = 42, .shuffle = true, .rate = {.lr = 1e-3}};
    uint32_t c[CTL_WORDS];
    recipe_count(&r, 21);
    control_train(&r, 5, 1, 16, 5, 21, c);
    assert_int_equal(c[CTL_ROWS], 5);
    assert_int_equal(c[CTL_STEP], 5);
    assert_int_equal(c[CTL_EPOCH], 1);
    assert_int_equal(c[CTL_POSITION], 16);
    assert_int_equal(c[CTL_COUNT_SAMPLES], 21);
    assert_int_equal(c[CTL_SHUFFLE], 1);
    assert_int_equal(c[CTL_SEED0], 42);
    assert_int_equal(c[CTL_SEED1], 0);
    assert_true(c[CTL_BATCH] == 5);
    assert_true(control_float(c, CTL_LR) == 1e-3f);
    control_evaluate(&r, 8, 8, 21, c);
    assert_int_equal(c[CTL_SHUFFLE], 0);
    assert_int_equal(c[CTL_POSITION], 8);
    assert_true(c[CTL_BATCH] == 8);
}

/* In double until they are stored: 1.f - 0.999f is another number. */
static void test_numbers(void **state)
{
    const struct {
        const char *name;
        float value;
    } of_step_6[] = {
        {"beta1", 0.9f},
        {"{1 - beta1}", (float)(1 - 0.9)},
        {"decay", 0.25f},
        {"beta2", 0.999f},
        {"{1 - beta2}", (float)(1 - 0.999)},
        {"{1 - pow(beta1, t)}", (float)(1 - pow(0.9, 6))},
        {"{sqrt(1 - pow(beta2, t))}", (float)sqrt(1 - pow(0.999, 6))},
        {"eps", 1e-8f},
    };
    struct trial t;
    const char *list[CTL_NUMBERS];
    uint32_t c[CTL_WORDS];
    (void)state;
    assert_true(trial_plan(&t, "adam.net",
                           strdup("net a\ninput x : f32[2]\ntarget y : f32[1]\nz = x -> Linear(1)\noutput z\n"
                                  "train {\n    loss = MSE(z, y)\n    optimizer = Adam(decay = 0.25)\n}\n"),
                           NULL, 0, stderr));
    assert_int_equal(recipe_read(t.p, &t.recipe), 0);
    assert_int_equal(op_numbers(op_find("adam"), t.p->region, list), COUNT(of_step_6));
    control_train(&t.recipe, 5, 0, 0, 1, 1, c);
    for (int i = 0; i < COUNT(of_step_6); i++) {
        assert_string_equal(list[i], of_step_6[i].name);
        if (control_float(c, CTL_NUMBER + i) != of_step_6[i].value)
            fail_msg("%s: %.9g is not %.9g", list[i], (double)control_float(c, CTL_NUMBER + i),
                     (double)of_step_6[i].value);
    }
    trial_close(&t);
}

/* A plan from anywhere: its word does not give what its op names. */
static void test_numbers_missing(void **state)
{
    struct trial t;
    (void)state;
    assert_true(trial_plan(&t, "models/xor.net", read_text("models/xor.net"), NULL, 0, stderr));
    ((struct setting *)plan_setting(t.p, "train.optimizer"))->text = "SGD";
    assert_int_equal(recipe_read(t.p, &t.recipe), STATUS_DATA);
    trial_close(&t);
}

/* Nor does it take another word's rule for one that it does not know. */
static void test_words_unknown(void **state)
{
    static const char *const keys[] = {"train.schedule", "train.metrics.0"};
    static const char text[] =
        "net words\ninput x : f32[2]\ntarget t : class[2]\nz = x -> Linear(2)\noutput z\ntrain {\n"
        "loss = CrossEntropy(z, t)\noptimizer = SGD(lr = 1)\nschedule = Step(2)\nmetrics = [Accuracy]\n}\n";
    (void)state;
    for (int i = 0; i < COUNT(keys); i++) {
        struct trial t;
        assert_true(trial_plan(&t, "words.net", strdup(text), NULL, 0, stderr));
        assert_int_equal(recipe_read(t.p, &t.recipe), 0);
        ((struct setting *)plan_setting(t.p, keys[i]))->text = "Unheard";
        assert_int_equal(recipe_read(t.p, &t.recipe), STATUS_INTERNAL);
        trial_close(&t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_constant),        cmocka_unit_test(test_step),          cmocka_unit_test(test_cosine),
        cmocka_unit_test(test_counts),          cmocka_unit_test(test_control),       cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_numbers_missing), cmocka_unit_test(test_words_unknown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
