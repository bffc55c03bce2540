/* What people read: durations, rates, the epoch line, the bar; and silence where there is no terminal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "run/run.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void test_durations(void **state)
{
    (void)state;
    static const struct {
        double seconds;
        const char *text;
    } cases[] = {
        {0, "0.0 s"},         {1.94, "1.9 s"},     {9.96, "10 s"},         {21.4, "21 s"},
        {99.6, "1 min 40 s"}, {125, "2 min 05 s"}, {3599.9, "1 h 00 min"}, {11220, "3 h 07 min"},
    };
    char text[32];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(duration_text(cases[i].seconds, text, sizeof text), cases[i].text);
}

static void test_rates(void **state)
{
    (void)state;
    static const struct {
        double rate;
        const char *text;
    } cases[] = {
        {0.5, "0.5"}, {850.2, "850"}, {999.6, "1.0k"}, {31580, "31.6k"}, {999960, "1.0M"}, {2.1e6, "2.1M"},
    };
    char text[32];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(rate_text(cases[i].rate, text, sizeof text), cases[i].text);
}

/* No `-nan`: words. */
static void test_losses(void **state)
{
    (void)state;
    static const struct {
        double loss;
        const char *text;
    } cases[] = {
        {0, "0.0000"}, {0.31, "0.3100"},       {1.2e-5, "1.20e-05"},    {NAN, "NaN"},
        {-NAN, "NaN"}, {INFINITY, "infinite"}, {-INFINITY, "infinite"},
    };
    char text[32];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(loss_text(cases[i].loss, text, sizeof text), cases[i].text);
}

static void test_epoch_line(void **state)
{
    (void)state;
    char text[512];
    struct epoch_report r = {
        .epoch = 3,
        .epochs = 14,
        .train.loss = 0.0412,
        .best = true,
        .test = {.loss = 0.0335, .n = 10000, .metrics = 1, .metric = {"accuracy"}, .correct = {9891}},
        .seconds = 1.9,
        .per_second = 31600,
        .eta = 21};
    epoch_text(&r, false, text, sizeof text);
    assert_string_equal(text, "epoch  3/14  loss 0.0412  test 0.0335  accuracy 98.91 ± 0.20 %  best  1.9 s");
    epoch_text(&r, true, text, sizeof text);
    assert_string_equal(text, "epoch  3/14  loss 0.0412  test 0.0335  accuracy 98.91 %  synthetic  best  1.9 s");
    r.test.metrics = 0;
    epoch_text(&r, false, text, sizeof text);
    assert_string_equal(text, "epoch  3/14  loss 0.0412  test 0.0335  best  1.9 s  ETA 21 s  31.6k img/s");
    r = (struct epoch_report){
        .epoch = 200, .epochs = 200, .train.loss = 1.25e-5, .seconds = 0.01, .per_second = 400, .eta = -1};
    epoch_text(&r, false, text, sizeof text);
    assert_string_equal(text, "epoch 200/200  loss 1.25e-05        0.0 s  400 img/s");
}

static int widest_line(const char *text)
{
    int widest = 0, columns = 0;
    for (; *text; text++) {
        columns = *text == '\n' ? 0 : columns + (((unsigned char)*text & 0xc0) != 0x80);
        widest = columns > widest ? columns : widest;
    }
    return widest;
}

/* Nothing that a training may report makes a line wider than 80 columns, and nothing that matters is cut. */
static void test_epoch_width(void **state)
{
    (void)state;
    static const double losses[] = {0, 1e-300, 4.9e-4, 0.3, 99.99999, 123.456, 99999.999, 3.4e38, 1e300};
    static const double times[] = {0, 1.9, 99.4, 5996.9, 1e6, 1e9};
    static const int64_t epochs[] = {1, 14, 200, 1000000, INT64_MAX};
    char text[1024];
    struct epoch_report r = {.best = true, .test.n = 10000, .per_second = 999.9e6};
    for (int m = 0; m < MAX_METRICS; m++) {
        r.test.metric[m] = m % 2 ? "accuracy" : "top1234567890123456789"; /* as long as a recipe has room for */
        r.test.correct[m] = m % 3 ? 5000 : 10000;
    }
    for (size_t e = 0; e < sizeof epochs / sizeof *epochs; e++)
        for (size_t i = 0; i < sizeof losses / sizeof *losses; i++)
            for (size_t k = 0; k < sizeof times / sizeof *times; k++)
                for (int m = 0; m <= 2 * MAX_METRICS + 1; m++) {
                    r.epoch = r.epochs = epochs[e];
                    r.train.loss = r.test.loss = losses[i];
                    r.seconds = r.eta = times[k];
                    r.test.metrics = m / 2;
                    epoch_text(&r, m % 2, text, sizeof text);
                    assert_true(widest_line(text) <= 80);
                    assert_non_null(strstr(text, "best"));
                    for (int n = 0; n < r.test.metrics; n++)
                        assert_non_null(strstr(text, r.test.metric[n]));
                }
    r = (struct epoch_report){
        .epoch = 100,
        .epochs = 200,
        .train.loss = 12345.678,
        .best = true,
        .test = {.loss = 1e6, .n = 10000, .metrics = 2, .metric = {"accuracy", "top5"}, .correct = {9891, 10000}},
        .seconds = 754,
        .per_second = 400,
        .eta = 75400};
    epoch_text(&r, false, text, sizeof text);
    assert_string_equal(text, "epoch 100/200  loss 12345.68  test 1.00e+06  accuracy 98.91 ± 0.20 %\n"
                              "          top5 100.00 ± 0.02 %  best  12.6 min  ETA 20.9 h  400 img/s");
}

static void test_bar(void **state)
{
    (void)state;
    char text[256];
    const struct step_report s = {
        .epoch = 3, .epochs = 14, .step = 235, .steps = 470, .loss = 0.31, .per_second = 31600, .eta = 21};
    bar_text(&s, 100, text, sizeof text);
    assert_string_equal(text, "epoch  3/14  [============>           ]  235/470  loss 0.3100  31.6k img/s  ETA 21 s");
    for (int width = 1; width < 120; width++) {
        bar_text(&s, width, text, sizeof text);
        assert_true(strlen(text) <= (size_t)width);
    }
}

/* The tests run without a terminal: no bar, no carriage return; --log-every still prints. */
static void test_off_terminal(void **state)
{
    (void)state;
    struct tell t;
    char *text = NULL;
    size_t size;
    setenv("TERM", "dumb", 1);
    tell_open(&t, PROGRESS_BAR, false, false);
    assert_null(t.bar);
    FILE *out = open_memstream(&text, &size);
    t.lines = out;
    for (int step = 1; step <= 4; step++) {
        struct event e = {.kind = EVENT_STEP,
                          .step = {.epoch = 1,
                                   .epochs = 2,
                                   .step = step,
                                   .steps = 4,
                                   .loss = 1,
                                   .per_second = 10,
                                   .eta = 75400,
                                   .logged = step % 2 == 0}};
        assert_true(tell(&t, &e));
    }
    fclose(out);
    assert_string_equal(text, "epoch 1/2  step 2/4  loss 1.0000  10 img/s  ETA 20.9 h\n"
                              "epoch 1/2  step 4/4  loss 1.0000  10 img/s  ETA 20.9 h\n");
    free(text);
}

static void test_who_speaks_where(void **state)
{
    (void)state;
    struct tell t;
    tell_open(&t, PROGRESS_AUTO, false, false);
    assert_ptr_equal(t.lines, stdout);
    assert_null(t.json);
    tell_open(&t, PROGRESS_AUTO, false, true);
    assert_ptr_equal(t.lines, stderr);
    assert_ptr_equal(t.json, stdout);
    tell_open(&t, PROGRESS_NONE, false, false);
    assert_null(t.lines);
    tell_open(&t, PROGRESS_LINES, true, false);
    assert_null(t.lines);
    assert_ptr_equal(t.results, stdout);
}

/* Said once, after five seconds on end; a fast step in between begins them anew, and a short batch is no fast one. */
static void test_pace(void **state)
{
    (void)state;
    struct pace p = {0};
    double times, slow = 0;
    assert_false(pace_drops(&p, 128, 0.5, &times)); /* the first one, which loads things */
    for (int i = 0; i < 100; i++)
        assert_false(pace_drops(&p, 128, 0.001, &times));
    for (int i = 0; i < 1000; i++)
        assert_false(pace_drops(&p, 128, 0.0079, &times)); /* slower, but not by so much */
    for (int i = 0; i < 100; i++)
        assert_false(pace_drops(&p, 128, i % 40 ? 0.1 : 0.001, &times));
    assert_false(pace_drops(&p, 16, 0.001, &times)); /* the end of an epoch */
    assert_int_equal((int)(times + 0.5), 8);
    assert_false(pace_drops(&p, 128, 60, &times)); /* stopped, and let go on */
    assert_false(pace_drops(&p, 128, 0.001, &times));
    while (!pace_drops(&p, 128, 0.1, &times)) {
        slow += 0.1;
        assert_true(slow < 6);
    }
    assert_true(slow > 4 && times > 99 && times < 101);
    for (int i = 0; i < 1000; i++)
        assert_false(pace_drops(&p, 128, 0.1, &times));
}

/* No line is longer than it may be but one that is a single piece. */
static void test_wrapped(void **state)
{
    (void)state;
    char out[200];
    assert_string_equal(text_wrapped("short, it fits", 14, out, sizeof out), "short, it fits");
    assert_string_equal(text_wrapped("short, it fits", 13, out, sizeof out), "short,\n    it fits");
    assert_string_equal(text_wrapped("a: 12, b, c (NVIDIA H200), seed 1, runs/a-1", 18, out, sizeof out),
                        "a: 12, b,\n    c (NVIDIA H200),\n    seed 1,\n    runs/a-1");
    assert_string_equal(text_wrapped("one piece that is longer", 8, out, sizeof out), "one piece that is longer");
    assert_string_equal(text_wrapped("", 8, out, sizeof out), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wrapped),    cmocka_unit_test(test_durations),    cmocka_unit_test(test_rates),
        cmocka_unit_test(test_epoch_line), cmocka_unit_test(test_epoch_width),  cmocka_unit_test(test_losses),
        cmocka_unit_test(test_bar),        cmocka_unit_test(test_off_terminal), cmocka_unit_test(test_who_speaks_where),
        cmocka_unit_test(test_pace),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
