/* First values: torch.nn.init's bounds and deviations, orthogonality, and the same bits whatever the parts in which they are made. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "harness.h"

enum { C = 24, K = 32, R = 3 }; /* of a convolution in 2 groups; the Linear behind it has as many inputs as it makes */

static const double root = 1.4142135623730951;
static const double in = C / 2 * R * R, out = K * R * R;

/* The distribution by its deviation; bound 0: none. */
static const struct {
    const char *word;
    double deviation, bound, mean;
} cases[] = {
    {"normal(0.02)", 0.02, 0, 0},
    {"normal", 1, 0, 0},
    {"uniform(0.3)", 0.3 / 1.7320508, 0.3, 0},
    {"trunc_normal(0.02)", 0.02, 2, 0},
    {"trunc_normal", 0.8796, 2, 0}, /* of N(0, 1) within -2 and 2 */
    {"constant(-0.25)", 0, 0.25, -0.25},
    {"zeros", 0, 1e-30, 0},
    {"ones", 0, 1, 1},
    {"kaiming_normal", -1, 0, 0},
    {"kaiming_normal(fan = out)", -2, 0, 0},
    {"kaiming_uniform(slope = 1)", -3, 0, 0},
    {"xavier_normal", -4, 0, 0},
    {"xavier_uniform(gain = 2)", -5, 0, 0},
};

static double deviation_of(int code)
{
    const double all[] = {root / sqrt(in), root / sqrt(out), 1 / sqrt(in), sqrt(2 / (in + out)),
                          2 * sqrt(2 / (in + out))};
    return all[-code - 1];
}

static char *model(const char *word, const char *bias)
{
    char *text = calloc(1, 2048);
    assert_non_null(text);
    snprintf(
        text, 2048,
        "net begun\ninput x : f32[%d, 4, 4]\ntarget t : class[3]\n"
        "y = x -> conv: Conv(%d, kernel = %d, groups = 2, init = %s%s%s) -> Flatten -> wide: Linear(40, init = %s)\n"
        "  -> high: Linear(3)\noutput y\n"
        "train {\n    loss = CrossEntropy(y, t)\n    optimizer = SGD(lr = 0.1)\n}\n",
        C, K, R, word, *bias ? ", bias_init = " : "", bias, word);
    return text;
}

static const struct tensor *parameter(const struct plan *p, const char *name, uint32_t *index)
{
    *index = 0;
    for (int i = 0; i < p->ntensor; i++) {
        if (!strcmp(p->tensor[i].name, name))
            return &p->tensor[i];
        *index += p->tensor[i].role == ROLE_PARAM && tensor_is_named(p, i);
    }
    fail_msg("there is no %s", name);
    return NULL;
}

static float *values(const struct tensor *t, uint32_t index, uint32_t seed, int64_t part)
{
    const int64_t n = tensor_elements(t);
    float *value = calloc((size_t)n, sizeof *value);
    double *matrix;
    assert_true(value && init_begin(t, index, seed, &matrix));
    for (int64_t at = 0; at < n; at += part)
        init_values(t, matrix, index, seed, at, n - at < part ? n - at : part, value + at);
    free(matrix);
    return value;
}

static void test_distributions(void **state)
{
    (void)state;
    for (int i = 0; i < COUNT(cases); i++) {
        struct trial t;
        uint32_t index;
        double sum = 0, squares = 0, most = 0;
        assert_true(trial_plan(&t, "begun.net", model(cases[i].word, ""), NULL, 0, stderr));
        const struct tensor *w = parameter(t.p, "conv.weight", &index);
        const int64_t n = tensor_elements(w);
        float *value = values(w, index, 7, n), *again = values(w, index, 7, 20);
        assert_memory_equal(value, again, (size_t)n * sizeof *value);
        for (int64_t k = 0; k < n; k++) {
            sum += value[k];
            squares += (double)value[k] * value[k];
            most = fmax(most, fabs((double)value[k]));
        }
        const double mean = sum / (double)n, deviation = sqrt(fmax(squares / (double)n - mean * mean, 0));
        const double want = cases[i].deviation < 0 ? deviation_of((int)cases[i].deviation) : cases[i].deviation;
        if (fabs(mean - cases[i].mean) > 4 * want / sqrt((double)n) + 1e-9 ||
            fabs(deviation - want) > 0.05 * want + 1e-9 || (cases[i].bound > 0 && most > cases[i].bound * (1 + 1e-6)))
            fail_msg("%s: mean %g, deviation %g, not %g, up to %g", cases[i].word, mean, deviation, want, most);
        free(value);
        free(again);
        trial_close(&t);
    }
}

/* The shorter side: rows of `conv` and `wide`, of which it is both. */
static void test_orthogonal(void **state)
{
    (void)state;
    struct trial t;
    static const char *const name[] = {"conv.weight", "wide.weight"};
    assert_true(trial_plan(&t, "begun.net", model("orthogonal(gain = 3)", "constant(0.5)"), NULL, 0, stderr));
    for (int i = 0; i < COUNT(name); i++) {
        uint32_t index;
        const struct tensor *w = parameter(t.p, name[i], &index);
        const int64_t rows = w->dim[0], columns = tensor_elements(w) / rows;
        float *v = values(w, index, 1, 64);
        assert_true(rows <= columns);
        for (int64_t a = 0; a < rows; a++)
            for (int64_t b = 0; b <= a; b++) {
                double dot = 0;
                for (int64_t k = 0; k < columns; k++)
                    dot += (double)v[a * columns + k] * v[b * columns + k];
                assert_true(fabs(dot - (a == b ? 9 : 0)) < 1e-4);
            }
        free(v);
    }
    struct tensor high = {.init = INIT_ORTHOGONAL, .bound = 1, .rank = 2, .dim = {9, 4}};
    float *v = values(&high, 0, 1, 8);
    for (int a = 0; a < 4; a++)
        for (int b = 0; b <= a; b++) {
            double dot = 0;
            for (int k = 0; k < 9; k++)
                dot += (double)v[k * 4 + a] * v[k * 4 + b];
            assert_true(fabs(dot - (a == b)) < 1e-6);
        }
    free(v);
    uint32_t index;
    const struct tensor *bias = parameter(t.p, "conv.bias", &index);
    assert_true(bias->init == INIT_CONSTANT && bias->bound == 0.5);
    trial_close(&t);
}

/* train { init = ... }: weights begin so whose layers say nothing, and no biases. */
static void test_of_all(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum init init;
        double bound;
    } want[] = {
        {"conv.weight", INIT_NORMAL, 1.4142135623730951 / 6},
        {"conv.bias", INIT_UNIFORM, 1.0 / 6},
        {"norm.weight", INIT_CONSTANT, 0},
        {"norm.bias", INIT_ZERO, 0},
        {"plain.weight", INIT_ONE, 0},
        {"own.weight", INIT_UNIFORM, 0.25},
        {"last.weight", INIT_NORMAL, 0.5},
    };
    struct trial t;
    uint32_t index;
    assert_true(trial_plan(
        &t, "all.net",
        strdup("net all\ninput x : f32[4, 4, 4]\ntarget t : class[3]\n"
               "y = x -> conv: Conv(8, kernel = 3) -> norm: BatchNorm(init = constant(0))\n"
               "  -> plain: BatchNorm -> Flatten -> own: Linear(8, init = uniform(0.25)) -> last: Linear(3)\n"
               "output y\ntrain {\n    loss = CrossEntropy(y, t)\n    optimizer = SGD(lr = 0.1)\n"
               "    init = kaiming_normal\n}\n"),
        NULL, 0, stderr));
    for (int i = 0; i < COUNT(want); i++) {
        const struct tensor *p = parameter(t.p, want[i].name, &index);
        if (p->init != want[i].init || fabs(p->bound - want[i].bound) > 1e-12)
            fail_msg("%s: %d with %g", want[i].name, (int)p->init, p->bound);
    }
    trial_close(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_distributions), cmocka_unit_test(test_orthogonal),
                                       cmocka_unit_test(test_of_all)};
    return cmocka_run_group_tests_name("init", tests, NULL, NULL);
}
