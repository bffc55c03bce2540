/* A NaN in the input reaches the output through every layer: none takes it for a small number. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "harness.h"

static const char every[] =
    "net every\n"
    "input x : f32[2, 4, 4]\n"
    "target t : f32[2, 4, 4]\n"
    "relu = x -> ReLU\n"
    "leaky = x -> LeakyReLU\n"
    "sigmoid = x -> Sigmoid\n"
    "tanh = x -> Tanh\n"
    "gelu = x -> GELU\n"
    "drop = x -> Dropout(0.5)\n"
    "norm = x -> BatchNorm\n"
    "softmax = x -> Softmax\n"
    "max = x -> MaxPool(2)\n"
    "max_over = x -> MaxPool(3, stride = 1, pad = 1)\n"
    "average = x -> AvgPool(2)\n"
    "global_max = x -> GlobalMaxPool\n"
    "global_average = x -> GlobalAvgPool\n"
    "conv = x -> Conv(2, kernel = 3, pad = 1)\n"
    "fused = x -> Conv(2, kernel = 1) -> ReLU -> MaxPool(2)\n"
    "linear = x -> Flatten -> Linear(3)\n"
    "sum = x + x -> ReLU\n"
    "joined = Concat(x, x) -> ReLU\n"
    "output relu, leaky, sigmoid, tanh, gelu, drop, norm, softmax, max, max_over, average, global_max, global_average, "
    "conv, fused, linear, sum, joined\n"
    "train {\n"
    "    loss = MSE(conv, t)\n"
    "    optimizer = SGD(lr = 0.1)\n"
    "    batch = 17\n"
    "}\n";

/* Prediction with one NaN at element `at` of sample 1: in every output that sample has one and no other sample does. */
static void check_place(struct trial *t, int at)
{
    enum { ROWS = 17, ELEMENTS = 2 * 4 * 4 };
    float samples[ROWS * ELEMENTS], targets[ROWS * ELEMENTS] = {0};
    uint32_t control[CTL_WORDS];
    int outputs = 0;
    for (int i = 0; i < ROWS * ELEMENTS; i++)
        samples[i] = (float)(i % 5 - 2);
    samples[ELEMENTS + at] = NAN;
    t->data = (struct device_data){.samples = samples, .targets = targets, .samples_f32 = true, .count = ROWS};
    control_evaluate(&t->recipe, 0, ROWS, ROWS, control);
    trial_run(t, PHASE_PREDICT, control);
    for (int o = -1; (o = tensor_output(t->p, t->s, o)) >= 0; outputs++)
        for (int row = 0; row < ROWS; row++) {
            bool found = false;
            for (int64_t e = 0; e < tensor_elements(&t->p->tensor[o]); e++)
                found |= isnan(value_get(t, o, row, e));
            if (found != (row == 1))
                fail_msg("%s, NaN at %d: sample %d %s", t->p->tensor[o].name, at, row,
                         found ? "has it too" : "lost it");
        }
    assert_int_equal(outputs, 18);
    trial_run(t, PHASE_EVALUATE, control);
    assert_true(isnan(control_float(control_of(t), CTL_LOSS)));
}

static void check_everywhere(bool wide)
{
    struct trial t;
    FILE *silent = fopen("/dev/null", "w");
    assert_non_null(silent);
    assert_true(trial_plan(&t, "every.net", strdup(every), NULL, 0, silent));
    fclose(silent);
    trial_compile(&t, wide);
    trial_arm(&t, 17);
    for (int i = 0; i < t.p->ntensor; i++)
        for (int64_t e = 0; tensor_is_named(t.p, i) && e < tensor_elements(&t.p->tensor[i]); e++)
            value_put(&t, i, 0, e, 0.5);
    for (int at = 0; at < 2 * 4 * 4; at++)
        check_place(&t, at);
    trial_close(&t);
}

static void test_layers(void **state)
{
    (void)state;
    check_everywhere(false);
    if (!SANITIZED)
        check_everywhere(true);
}

/* A NaN among the logits makes the loss NaN, whichever class is wanted, and no hit. */
static void test_cross_entropy(void **state)
{
    enum { ROWS = 5, CLASSES = 4 };
    static const char text[] = "net classes\n"
                               "input x : f32[4]\n"
                               "target t : class[4]\n"
                               "y = x -> Linear(4, bias = false)\n"
                               "output y\n"
                               "train {\n"
                               "    loss = CrossEntropy(y, t)\n"
                               "    optimizer = SGD(lr = 0.1)\n"
                               "    metrics = [Accuracy, TopK(2)]\n"
                               "    batch = 5\n"
                               "}\n";
    struct trial t;
    uint32_t control[CTL_WORDS];
    float samples[ROWS * CLASSES];
    int32_t targets[ROWS];
    (void)state;
    assert_true(trial_plan(&t, "classes.net", strdup(text), NULL, 0, stderr));
    trial_compile(&t, false);
    trial_arm(&t, ROWS);
    int weight = tensor_with_role(t.p, ROLE_PARAM);
    for (int i = 0; i < t.p->ntensor; i++)
        if (tensor_is_named(t.p, i) && t.p->tensor[i].role == ROLE_PARAM)
            weight = i;
    for (int i = 0; i < CLASSES; i++)
        for (int k = 0; k < CLASSES; k++)
            value_put(&t, weight, 0, i * CLASSES + k, i == k);
    for (int bad = -1; bad < CLASSES; bad++) {
        for (int i = 0; i < ROWS; i++) {
            targets[i] = i % CLASSES;
            for (int k = 0; k < CLASSES; k++)
                samples[i * CLASSES + k] = k == targets[i] ? 2 : 1;
        }
        if (bad >= 0)
            samples[2 * CLASSES + bad] = NAN;
        t.data = (struct device_data){.samples = samples, .targets = targets, .samples_f32 = true, .count = ROWS};
        control_evaluate(&t.recipe, 0, ROWS, ROWS, control);
        trial_run(&t, PHASE_EVALUATE, control);
        assert_int_equal(isnan(control_float(control_of(&t), CTL_LOSS)) != 0, bad >= 0);
        assert_int_equal(control_of(&t)[CTL_METRIC], bad >= 0 ? ROWS - 1 : ROWS);
    }
    trial_close(&t);
}

/* One logit that is not finite, the wanted one or another: that sample is wrong, and no other. */
static void test_hits(void **state)
{
    enum { ROWS = 19, CLASSES = 4 };
    static const char text[] = "net hits\n"
                               "input x : f32[4]\n"
                               "target t : class[4]\n"
                               "y = x -> bn: BatchNorm\n"
                               "output y\n"
                               "train {\n"
                               "    loss = CrossEntropy(y, t)\n"
                               "    optimizer = SGD(lr = 0.1)\n"
                               "    metrics = [Accuracy, TopK(2)]\n"
                               "    batch = 19\n"
                               "}\n";
    static const float wrong[] = {NAN, INFINITY, -INFINITY};
    struct trial t;
    uint32_t control[CTL_WORDS];
    float samples[ROWS * CLASSES];
    int32_t targets[ROWS];
    (void)state;
    assert_true(trial_plan(&t, "hits.net", strdup(text), NULL, 0, stderr));
    trial_compile(&t, false);
    trial_arm(&t, ROWS);
    for (int k = 0; k < CLASSES; k++) {
        value_put(&t, tensor_named(&t, PHASE_EVALUATE, "bn.weight"), 0, k, 1);
        value_put(&t, tensor_named(&t, PHASE_EVALUATE, "bn.running_var"), 0, k, 1);
    }
    for (int at = 0; at < 3 * CLASSES; at++) {
        for (int i = 0; i < ROWS; i++) {
            targets[i] = i % CLASSES;
            for (int k = 0; k < CLASSES; k++)
                samples[i * CLASSES + k] = k == targets[i] ? 2 : 1;
        }
        samples[18 * CLASSES + at / 3] = wrong[at % 3];
        t.data = (struct device_data){.samples = samples, .targets = targets, .samples_f32 = true, .count = ROWS};
        control_evaluate(&t.recipe, 0, ROWS, ROWS, control);
        trial_run(&t, PHASE_EVALUATE, control);
        assert_int_equal(control_of(&t)[CTL_METRIC], ROWS - 1);
        assert_int_equal(control_of(&t)[CTL_METRIC + 1], ROWS - 1);
    }
    for (int i = 0; i < ROWS * CLASSES; i++) /* of equals the first is taken: class 0, and 1 as the second */
        samples[i] = 1;
    trial_run(&t, PHASE_EVALUATE, control);
    assert_int_equal(control_of(&t)[CTL_METRIC], 5);
    assert_int_equal(control_of(&t)[CTL_METRIC + 1], 10);
    trial_close(&t);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_layers), cmocka_unit_test(test_cross_entropy),
                                       cmocka_unit_test(test_hits)};
    (void)argc;
    use_cache(argv[0]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
