/* What --flops counts, against what the tools themselves say: tests/expect/flops.json, of tests/oracle/flops.py. */
#include "compiled.h"
#include "netc/layers.h"

#include <jansson.h>

enum { TEXT_MOST = 1 << 16 };

/* The body alone predicts; beside it there is something to train. */
static char *case_text(const json_t *of)
{
    char *text = calloc(TEXT_MOST, 1);
    assert_non_null(text);
    const json_t *input = json_object_get(of, "input");
    int n = snprintf(text, TEXT_MOST, "net one\ninput x : f32[");
    for (size_t i = 0; i < json_array_size(input); i++)
        n += snprintf(text + n, (size_t)(TEXT_MOST - n), "%s%lld", i ? ", " : "",
                      (long long)json_integer_value(json_array_get(input, i)));
    snprintf(text + n, (size_t)(TEXT_MOST - n),
             "]\ntarget t : class[2]\n%s\nbeside = x -> Flatten -> Linear(2)\noutput y\n"
             "train {\n    loss = CrossEntropy(beside, t)\n    optimizer = SGD(lr = 0.1)\n}\n",
             json_string_value(json_object_get(of, "body")));
    return text;
}

/* Takes `c`. */
static void check_counts(const char *name, struct compilation *c, const json_t *want)
{
    int n;
    const struct layer *list = layers_of(c, &n);
    for (int rule = 0; rule < FLOPS_STEP; rule++) {
        int64_t sum = 0, expected = json_integer_value(json_object_get(want, flops_rules[rule].name));
        for (int i = 0; i < n; i++)
            sum += layer_flops(list, i, (enum flops)rule);
        if (sum != expected)
            fail_msg("%s by the rule of %s: %lld, not %lld", name, flops_rules[rule].name, (long long)sum,
                     (long long)expected);
        if (rule == FLOPS_MACS)
            assert_int_equal(sum, c->macs);
    }
    compiled_free(c);
}

static void test_tools(void **state)
{
    (void)state;
    json_error_t e;
    json_t *all = json_load_file("tests/expect/flops.json", JSON_REJECT_DUPLICATES, &e), *want;
    const char *name;
    int models = 0;
    assert_non_null(all);
    json_object_foreach(all, name, want)
    {
        for (int rule = 0; rule < FLOPS_STEP; rule++)
            assert_true(json_is_integer(json_object_get(want, flops_rules[rule].name)));
        models += !json_object_get(want, "body");
        check_counts(name, json_object_get(want, "body") ? compiled(case_text(want), name) : compiled_model(name),
                     want);
    }
    assert_int_equal(models, 7);
    assert_true(json_object_size(all) > 20);
    json_decref(all);
}

static int64_t step_flops(const struct compilation *c)
{
    int n;
    const struct layer *list = layers_of(c, &n);
    int64_t sum = 0;
    for (int i = 0; i < n; i++)
        sum += layer_flops(list, i, FLOPS_STEP);
    return sum;
}

/* Of a training step, by hand: a layer is as many multiply-adds forward, for its weight, and for what comes into it, but the first
 * layer has none of these. */
static void test_step(void **state)
{
    (void)state;
    static const struct {
        const char *model;
        int64_t first, others;
    } of[] = {
        {"mlp", 784 * 128, 128 * 10},
        {"mlp3", 784 * 128, 128 * 64 + 64 * 10},
        {"mnist_cnn", 28 * 28 * 16 * 9, 14 * 14 * 32 * 16 * 9 + 1568 * 128 + 128 * 10},
        {"strided_cnn", 28 * 28 * 32 * 9, 14 * 14 * 64 * 32 * 9 + 7 * 7 * 128 * 64 * 9 + 128 * 64 + 64 * 10},
        {"fashion_lenet", 24 * 24 * 6 * 25, 8 * 8 * 12 * 6 * 25 + 192 * 120 + 120 * 60 + 60 * 10},
        {"resnet20", 32 * 32 * 16 * 3 * 9, 40813184 - 32 * 32 * 16 * 3 * 9},
    };
    for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
        struct compilation *c = compiled_model(of[i].model);
        assert_int_equal(step_flops(c), 2 * (2 * of[i].first + 3 * of[i].others));
        compiled_free(c);
    }
    struct compilation *c = compiled(
        strdup("net two\ninput x : f32[4, 8, 8]\ntarget t : class[2]\n"
               "y = x -> Conv(8, kernel = 3, stride = 2, pad = 1, groups = 2) -> Conv(6, kernel = 1, groups = 2)"
               " -> Flatten -> Linear(2)\noutput y\n"
               "train {\n    loss = CrossEntropy(y, t)\n    optimizer = SGD(lr = 0.1)\n}\n"),
        "two");
    assert_int_equal(step_flops(c), 2 * (2 * (4 * 4 * 8 * 2 * 9) + 3 * (4 * 4 * 6 * 4) + 3 * (96 * 2)));
    compiled_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tools),
        cmocka_unit_test(test_step),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
