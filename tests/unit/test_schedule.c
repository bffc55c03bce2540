/* Learning rates, and the control words that carry them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <jansson.h>

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
    struct rate r = {.pieces = 1,
                     .piece = {{.schedule = word_find(WORD_SCHEDULE, "Step"), .num = {2, 0.5, 4}, .warmup = 4}},
                     .lr = 0.1,
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
    struct rate r = {.pieces = 1,
                     .piece = {{.schedule = word_find(WORD_SCHEDULE, "Cosine"), .num = {5, 0.2}, .warmup = 5}},
                     .lr = 1,
                     .steps = 5,
                     .total = 25};
    near(rate_at(&r, 0), 0.2);
    near(rate_at(&r, 4), 1);
    near(rate_at(&r, 5), 1);
    near(rate_at(&r, 10), 0.2 + 0.8 * (1 + sqrt(0.5)) / 2);
    near(rate_at(&r, 15), 0.6);
    near(rate_at(&r, 25), 0.2);
    near(rate_at(&r, 99), 0.2);
    r.piece->warmup = 25; /* nothing left for the cosine */
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

static int place_of_number(const struct trial *t, const char *name)
{
    const char *list[CTL_NUMBERS];
    int n = op_numbers(op_find("sgd_momentum"), t->p->region, list), i = 0;
    while (i < n && strcmp(list[i], name))
        i++;
    assert_true(i < n);
    return CTL_NUMBER + i;
}

static bool plan_with(struct trial *t, const char *train)
{
    char text[600];
    snprintf(
        text, sizeof text,
        "net a\ninput x : f32[2]\ntarget y : f32[1]\nz = x -> Linear(1)\noutput z\ntrain {\nloss = MSE(z, y)\n%s\n}\n",
        train);
    return trial_plan(t, "schedule.net", strdup(text), NULL, 0, stderr) && recipe_read(t->p, &t->recipe) == 0;
}

/* PyTorch's schedulers, step by step: the rate, and what the control block has of the momentum. */
static void test_torch(void **state)
{
    json_error_t e;
    json_t *all = json_load_file("tests/expect/schedules.json", 0, &e), *one;
    size_t i;
    (void)state;
    assert_non_null(all);
    assert_true(json_array_size(json_object_get(all, "cases")) > 15);
    json_array_foreach(json_object_get(all, "cases"), i, one)
    {
        struct trial t;
        char train[300];
        uint32_t control[CTL_WORDS];
        const json_int_t epochs = json_integer_value(json_object_get(one, "epochs")),
                         steps = json_integer_value(json_object_get(one, "steps"));
        const char *schedule = json_string_value(json_object_get(one, "schedule"));
        snprintf(train, sizeof train, "optimizer = %s\nschedule = %s\nepochs = %lld\nbatch = 4",
                 json_string_value(json_object_get(one, "optimizer")), schedule, (long long)epochs);
        assert_true(plan_with(&t, train));
        recipe_count(&t.recipe, 4 * steps);
        assert_int_equal(t.recipe.rate.total, epochs * steps);
        for (json_int_t step = 0; step < epochs * steps; step++) {
            const double lr = json_number_value(json_array_get(json_object_get(one, "lr"), (size_t)step)),
                         momentum = json_number_value(json_array_get(json_object_get(one, "momentum"), (size_t)step)),
                         got = rate_at(&t.recipe.rate, step);
            control_train(&t.recipe, step, step / steps, 0, 4, 4 * steps, control);
            if (!(fabs(got - lr) <= 1e-12))
                fail_msg("%s: rate of step %d is %.15g, not %.15g", schedule, (int)step, got, lr);
            if (control_float(control, place_of_number(&t, "momentum")) != (float)momentum)
                fail_msg("%s: momentum of step %d is not %.15g", schedule, (int)step, momentum);
        }
        trial_close(&t);
    }
    json_decref(all);
}

/* Its ReduceLROnPlateau: the rate behind each epoch. */
static void test_plateau(void **state)
{
    json_error_t e;
    json_t *all = json_load_file("tests/expect/schedules.json", 0, &e), *one, *values = json_object_get(all, "values");
    size_t i;
    (void)state;
    assert_true(json_array_size(json_object_get(all, "watched")) == 10);
    json_array_foreach(json_object_get(all, "watched"), i, one)
    {
        struct trial t;
        struct watched w = {0};
        char train[300];
        const char *schedule = json_string_value(json_object_get(one, "schedule"));
        snprintf(train, sizeof train, "optimizer = SGD(lr = 0.1)\nschedule = %s\nepochs = 30\nbatch = 4", schedule);
        assert_true(plan_with(&t, train));
        recipe_count(&t.recipe, 8);
        for (size_t k = 0; k < json_array_size(values); k++) {
            const double lr = json_number_value(json_array_get(json_object_get(one, "lr"), k));
            rate_watch(&t.recipe.rate, &w, atof(json_string_value(json_array_get(values, k))),
                       json_is_true(json_object_get(one, "falls")));
            t.recipe.rate.reduced = w.reduced;
            if (!(fabs(rate_at(&t.recipe.rate, 5) - lr) <= 1e-15 + 1e-12 * lr))
                fail_msg("%s: rate after epoch %zu is %.15g, not %.15g", schedule, k + 1, rate_at(&t.recipe.rate, 5),
                         lr);
        }
        trial_close(&t);
    }
    json_decref(all);
}

/* Schedules of momentum and decay move those. */
static void test_others(void **state)
{
    struct trial t;
    uint32_t c[CTL_WORDS];
    (void)state;
    assert_true(plan_with(&t, "optimizer = SGD(lr = 1, momentum = 0.8, decay = 0.5)\nepochs = 4\nbatch = 4\n"
                              "momentum_schedule = [Linear(0.5, 1, epochs = 2), Constant]\n"
                              "decay_schedule = MultiStep([1, 3], gamma = 0.5)"));
    recipe_count(&t.recipe, 8);
    static const float momentum[] = {0.4f, 0.5f, 0.6f, 0.7f, 0.8f, 0.8f, 0.8f, 0.8f},
                       decay[] = {0.5f, 0.5f, 0.25f, 0.25f, 0.25f, 0.25f, 0.125f, 0.125f};
    for (int step = 0; step < 8; step++) {
        control_train(&t.recipe, step, step / 2, 0, 4, 8, c);
        near(control_float(c, place_of_number(&t, "momentum")), momentum[step]);
        near(control_float(c, place_of_number(&t, "decay")), decay[step]);
        near(control_float(c, CTL_LR), 1);
    }
    trial_close(&t);
    assert_true(plan_with(&t, "optimizer = Adam\nschedule = OneCycle\nepochs = 10\nbatch = 4"));
    recipe_count(&t.recipe, 40);
    control_train(&t.recipe, 0, 0, 0, 4, 40, c);
    const char *list[CTL_NUMBERS];
    assert_true(op_numbers(op_find("adam"), t.p->region, list) > 0);
    assert_string_equal(list[0], "beta1");
    near(control_float(c, CTL_NUMBER), 0.95f);
    assert_string_equal(list[5], "{1 - pow(beta1, t)}");
    near(control_float(c, CTL_NUMBER + 5), (float)(1 - 0.95));
    trial_close(&t);
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
        cmocka_unit_test(test_torch),           cmocka_unit_test(test_plateau),       cmocka_unit_test(test_others),
        cmocka_unit_test(test_counts),          cmocka_unit_test(test_control),       cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_numbers_missing), cmocka_unit_test(test_words_unknown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
