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
    for (int rule = 0; rule < FLOPS_RULES; rule++) {
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
        for (int rule = 0; rule < FLOPS_RULES; rule++)
            assert_true(json_is_integer(json_object_get(want, flops_rules[rule].name)));
        models += !json_object_get(want, "body");
        check_counts(name, json_object_get(want, "body") ? compiled(case_text(want), name) : compiled_model(name),
                     want);
    }
    assert_int_equal(models, 7);
    assert_true(json_object_size(all) > 20);
    json_decref(all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tools),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
