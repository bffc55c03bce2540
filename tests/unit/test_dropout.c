/* Each Dropout draws a stream of its own: two beside each other drop different elements of equal inputs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "harness.h"

enum { ROWS = 16, SIZE = 24 };

/* Of ones, each of the two branches makes 0 or 2, and the loss is the mean of the squared sum: 0, 4 or 16 with
 * probabilities 1/4, 1/2, 1/4 if they are independent, so 6; 8 if they drop the same, 4 if they drop the opposite. */
static const char text[] =
    "net twins\ninput x : f32[1, 24, 24]\ntarget t : f32[1, 24, 24]\n"
    "a = x -> Dropout(0.5)\nb = x -> Dropout(0.5)\nsum = a + b\ny = sum -> one: Conv(1, kernel = 1)\noutput y\n"
    "train {\n    loss = MSE(y, t)\n    optimizer = SGD(lr = 0)\n    batch = 16\n}\n";

enum { STEPS = 4 };

/* The losses of some steps. */
static void run_twins(const struct target *target, double loss[STEPS])
{
    static float ones[ROWS * SIZE * SIZE], zeros[ROWS * SIZE * SIZE];
    struct trial t;
    uint32_t control[CTL_WORDS];
    for (int i = 0; i < COUNT(ones); i++)
        ones[i] = 1;
    assert_true(trial_plan(&t, "twins.net", strdup(text), NULL, 0, stderr));
    t.target = target;
    trial_compile(&t, false);
    trial_arm(&t, ROWS);
    value_put(&t, tensor_named(&t, PHASE_TRAIN, "one.weight"), 0, 0, 1);
    t.data = (struct device_data){ones, zeros, true, ROWS, sizeof ones / ROWS, sizeof zeros / ROWS, NULL};
    recipe_count(&t.recipe, ROWS);
    for (int64_t step = 0; step < STEPS; step++) {
        control_train(&t.recipe, step, 0, 0, ROWS, ROWS, control);
        trial_run(&t, PHASE_TRAIN, control);
        loss[step] = control_float(control_of(&t), CTL_LOSS);
    }
    trial_close(&t);
}

static void test_streams(void **state)
{
    double loss[STEPS], plain[STEPS];
    (void)state;
    run_twins(&target_cpu, loss);
    run_twins(&target_c_scalar, plain);
    for (int step = 0; step < STEPS; step++) {
        assert_true(fabs(loss[step] - 6) < 0.4);            /* its deviation is 0.06 */
        assert_true(!step || loss[step] != loss[step - 1]); /* each step draws anew */
        assert_true(fabs(loss[step] - plain[step]) < 1e-4); /* every target the same */
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_streams)};
    (void)argc;
    use_cache(argv[0]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
