/* Wilson's interval, softmax, the largest value; and the events that carry them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "run/run.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void near(double a, double b, double within)
{
    if (!(fabs(a - b) <= within))
        fail_msg("%.12g is not %.12g", a, b);
}

/* Wilson's formula, solved the other way: each bound p satisfies |x - p| = z sqrt(p (1 - p) / n). */
static void test_wilson(void **state)
{
    (void)state;
    static const int64_t cases[][2] = {{9891, 10000}, {1, 2}, {3, 4}, {0, 10}, {10, 10}, {59999, 60000}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double n = (double)cases[i][1], x = (double)cases[i][0] / n, z = 1.959963984540054;
        struct interval w = wilson(cases[i][0], cases[i][1]);
        assert_true(0 <= w.low && w.low <= x && x <= w.high && w.high <= 1);
        near(x - w.low, z * sqrt(w.low * (1 - w.low) / n), 1e-12);
        near(w.high - x, z * sqrt(w.high * (1 - w.high) / n), 1e-12);
    }
    assert_true(wilson(0, 10).low == 0 && wilson(10, 10).high == 1);
}

static void test_largest(void **state)
{
    (void)state;
    assert_int_equal(largest((float[]){1, 3, 3, 2}, 4), 1);
    assert_int_equal(largest((float[]){-INFINITY, -5}, 2), 1);
    assert_int_equal(largest((float[]){1, NAN, 7}, 3), 1);
    assert_int_equal(largest((float[]){4}, 1), 0);
}

static void test_softmax(void **state)
{
    (void)state;
    double p[3];
    softmax((float[]){1000, 1000 + logf(2), 1000 + logf(5)}, p, 3);
    near(p[0], 0.125, 1e-4); /* 1000 + x has 6e-5 to the next float */
    near(p[2], 0.625, 1e-4);
    near(p[0] + p[1] + p[2], 1, 1e-15);
    softmax((float[]){0, NAN, 1}, p, 3);
    assert_true(isnan(p[0]) && isnan(p[2]));
}

static void test_events(void **state)
{
    (void)state;
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    struct event_line e = {.to = out};
    event_begin(&e, "epoch");
    event_text(&e, "name", "a \"quoted\\ \n\x01 name µ");
    event_open(&e, "test", '{');
    event_number(&e, "loss", 0.25);
    event_number(&e, "bad", INFINITY);
    event_close(&e, '}');
    event_open(&e, "list", '[');
    event_integer(&e, NULL, -7);
    event_integer(&e, NULL, INT64_MAX);
    event_close(&e, ']');
    event_integer(&e, "n", 10000);
    assert_true(event_end(&e, false));
    fclose(out);
    assert_int_equal(strchr(text, '\n') - text, size - 1);
    json_t *j = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(j);
    assert_string_equal(json_string_value(json_object_get(j, "event")), "epoch");
    assert_string_equal(json_string_value(json_object_get(j, "name")), "a \"quoted\\ \n\x01 name µ");
    near(json_number_value(json_object_get(json_object_get(j, "test"), "loss")), 0.25, 0);
    assert_true(json_is_null(json_object_get(json_object_get(j, "test"), "bad")));
    assert_true(json_integer_value(json_array_get(json_object_get(j, "list"), 1)) == INT64_MAX);
    json_decref(j);
    free(text);
}

static void test_full_disk(void **state)
{
    (void)state;
    FILE *full = fopen("/dev/full", "w");
    if (!full)
        skip();
    struct event_line e = {.to = full};
    event_begin(&e, "start");
    assert_false(event_end(&e, false));
    fclose(full);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wilson), cmocka_unit_test(test_largest),   cmocka_unit_test(test_softmax),
        cmocka_unit_test(test_events), cmocka_unit_test(test_full_disk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
