/* What --flops counts, against what the tools themselves say: tests/expect/flops.json, of tests/oracle/flops.py. */
#include "netc/layers.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

enum { TEXT_MOST = 1 << 16 };

static void read_model(const char *name, char *text)
{
    char path[256];
    snprintf(path, sizeof path, "models/%s.net", name);
    FILE *f = fopen(path, "rb");
    if (!f)
        fail_msg("%s: cannot be read", path);
    text[fread(text, 1, TEXT_MOST - 1, f)] = 0;
    fclose(f);
}

/* The body alone predicts; beside it there is something to train. */
static void write_case(const json_t *of, char *text)
{
    const json_t *input = json_object_get(of, "input");
    int n = snprintf(text, TEXT_MOST, "net one\ninput x : f32[");
    for (size_t i = 0; i < json_array_size(input); i++)
        n += snprintf(text + n, (size_t)(TEXT_MOST - n), "%s%lld", i ? ", " : "",
                      (long long)json_integer_value(json_array_get(input, i)));
    snprintf(text + n, (size_t)(TEXT_MOST - n),
             "]\ntarget t : class[2]\n%s\nbeside = x -> Flatten -> Linear(2)\noutput y\n"
             "train {\n    loss = CrossEntropy(beside, t)\n    optimizer = SGD(lr = 0.1)\n}\n",
             json_string_value(json_object_get(of, "body")));
}

static void check_counts(const char *name, char *text, const json_t *want)
{
    struct region *r = region_new();
    struct compilation *c = region_alloc(r, 1, sizeof *c);
    *c = (struct compilation){.file = name, .target = &target_cpu, .text = text, .length = strlen(text), .region = r};
    c->diag = (struct diag){.file = name, .text = text, .out = stderr, .region = r};
    bool good = run_passes(c, NULL);
    diag_flush(&c->diag);
    assert_true(good);
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
    region_free(r);
}

static void test_tools(void **state)
{
    (void)state;
    static char text[TEXT_MOST];
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
        if (json_object_get(want, "body"))
            write_case(want, text);
        else
            read_model(name, text);
        check_counts(name, text, want);
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
