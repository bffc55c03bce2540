/* The same bits whatever the threads and whatever lay in memory; dropout's masks; batches that do not fill a block. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "harness.h"
#include "cpu/device_cpu.h"

#include <xxhash.h>

enum { SAMPLES = 96, STEPS = 3 };

/* Bytes and classes that no formula made, the same in every run. */
static struct device_data make_data(int64_t pixels, int32_t classes)
{
    uint8_t *samples = malloc((size_t)(SAMPLES * pixels));
    int32_t *targets = malloc(SAMPLES * sizeof *targets);
    uint32_t x = 1;
    assert_true(samples && targets);
    for (int64_t i = 0; i < SAMPLES * pixels; i++) {
        x = x * 1664525u + 1013904223u;
        samples[i] = (uint8_t)(x >> 24);
    }
    for (int i = 0; i < SAMPLES; i++) {
        x = x * 1664525u + 1013904223u;
        targets[i] = (int32_t)((x >> 8) % (uint32_t)classes);
    }
    return (struct device_data){samples, targets, false, SAMPLES, pixels, sizeof *targets, NULL};
}

static void free_data(struct device_data *d)
{
    free((void *)d->samples);
    free((void *)d->targets);
}

/* ---- threads and memory ---- */

/* Parameters, states and losses after some steps with dropout and shuffling; the last batch of 96 is not full. */
static XXH64_hash_t trained(const struct plan *p, const struct device_data *data, int threads, int64_t batch)
{
    struct device_error e;
    struct job j = {.plan = (struct plan *)p, .phase = PHASE_TRAIN};
    uint32_t control[CTL_WORDS];
    XXH64_hash_t hash = 0;
    j.device = device_cpu_open(&(struct device_options){.threads = threads}, &e);
    j.rows.rows[PHASE_TRAIN] = (batch + ROW_BLOCK - 1) / ROW_BLOCK * ROW_BLOCK;
    if (!j.device || !j.device->compile(j.device, p, &e) || !j.device->arm(j.device, &j.rows, data, 1, INT64_MAX, &e))
        fail_msg("%s", e.text);
    assert_int_equal(recipe_read(p, &j.recipe), 0);
    j.recipe.batch = batch;
    recipe_count(&j.recipe, SAMPLES);
    assert_int_equal(init_weights(&j), 0);
    assert_true(j.device->data(j.device, data, &e));
    for (int64_t step = 0; step < STEPS; step++) {
        int64_t position = step * batch, left = SAMPLES - position;
        control_train(&j.recipe, step, 0, position, left < batch ? left : batch, SAMPLES, control);
        if (!j.device->run(j.device, PHASE_TRAIN, &control, 1, &e))
            fail_msg("%s", e.text);
        assert_int_equal(control[CTL_FINITE], 1);
        hash = XXH64(&control[CTL_LOSS], sizeof *control, hash);
    }
    for (int t = 0; t < p->ntensor; t++) {
        if (!tensor_is_named(p, t))
            continue;
        size_t bytes = (size_t)(tensor_elements(&p->tensor[t]) * 4);
        void *value = malloc(bytes);
        assert_true(value && j.device->read(j.device, PHASE_TRAIN, t, 0, value, (int64_t)bytes));
        hash = XXH64(value, bytes, hash);
        free(value);
    }
    j.device->close(j.device);
    return hash;
}

/* `optimizer` in the place of the model's own; NULL: that. */
static void check_bits(const char *path, int64_t pixels, const char *optimizer)
{
    static const int threads[] = {2, 7};
    struct trial t;
    struct device_data data = make_data(pixels, 10);
    char *text = read_text(path);
    if (optimizer) {
        char *line = strstr(text, "optimizer"), *end = strchr(line, '\n'), *rest = strdup(end);
        sprintf(line, "optimizer = %s%s", optimizer, rest);
        free(rest);
    }
    assert_true(trial_plan(&t, path, text, NULL, 0, stderr));
    use_flags("-O1");
    XXH64_hash_t once = trained(t.p, &data, 1, 40);
    for (int i = 0; i < COUNT(threads); i++)
        if (trained(t.p, &data, threads[i], 40) != once)
            fail_msg("%s: other bits on %d threads", path, threads[i]);
    setenv("NETRUN_POISON", "1", 1);
    XXH64_hash_t poisoned = trained(t.p, &data, 2, 40);
    unsetenv("NETRUN_POISON");
    if (poisoned != once)
        fail_msg("%s: what lay in memory before a step matters", path);
    free_data(&data);
    trial_close(&t);
}

static void test_mnist_cnn(void **state)
{
    (void)state;
    check_bits("models/mnist_cnn.net", 28 * 28, NULL);
}

static void test_resnet20(void **state)
{
    (void)state;
    check_bits("models/resnet20.net", 3 * 32 * 32, NULL);
}

static void test_lamb(void **state)
{
    (void)state;
    check_bits("models/mnist_cnn.net", 28 * 28, "LAMB");
}

static void test_muon(void **state)
{
    (void)state;
    check_bits("models/mnist_cnn.net", 28 * 28, "Muon");
}

/* ---- batches that do not fill a block ---- */

/* What the first `rows` of a batch of `capacity` give is what a device with no room beyond them gives. */
static void test_tails(void **state)
{
    static const int64_t batches[] = {1, 15, 16, 17, 33};
    (void)state;
    struct trial t;
    uint32_t control[CTL_WORDS];
    struct device_data data = make_data(28 * 28, 10);
    const char *path = "models/mnist_cnn.net";
    assert_true(trial_plan(&t, path, read_text(path), NULL, 0, stderr));
    trial_compile(&t, false);
    t.data = data;
    for (int b = 0; b < COUNT(batches); b++) {
        XXH64_hash_t hash[2] = {0};
        int64_t rows = batches[b];
        for (int roomy = 0; roomy < 2; roomy++) {
            for (int i = 0; t.own && i < t.p->ntensor; i++)
                free(t.own[i]);
            free(t.own);
            trial_arm(&t, roomy ? 96 : rows);
            for (int i = 0; i < t.p->ntensor; i++)
                for (int64_t e = 0; tensor_is_named(t.p, i) && e < tensor_elements(&t.p->tensor[i]); e++)
                    value_put(&t, i, 0, e, 0.01 * (double)(e % 7 - 3));
            control_train(&t.recipe, 0, 0, SAMPLES - rows, rows, SAMPLES, control);
            trial_run(&t, PHASE_TRAIN, control);
            assert_int_equal(control_of(&t)[CTL_FINITE], 1);
            for (int i = 0; i < t.p->ntensor; i++)
                if (tensor_is_named(t.p, i))
                    hash[roomy] = XXH64(tensor_at(&t, i), (size_t)(tensor_elements(&t.p->tensor[i]) * 4), hash[roomy]);
        }
        assert_true(hash[0] == hash[1]);
    }
    free_data(&data);
    trial_close(&t);
}

/* ---- dropout ---- */

static const char dropping[] = "net dropping\n"
                               "param p = 0.3\n"
                               "input x : f32[1, 64, 64]\n"
                               "target t : f32[1, 64, 64]\n"
                               "y = x -> pre: Conv(1, kernel = 1) -> Dropout(p)\n"
                               "output y\n"
                               "train {\n"
                               "    loss = MSE(y, t)\n"
                               "    optimizer = SGD(lr = 0)\n"
                               "    batch = 20\n"
                               "}\n";

/* With x = 1, weight 1 and bias 0 the output is the mask: 0 or 1 / (1 - p). With a target of 0 the gradient by the bias
 * is then the mean of 2 y^2, if the backward pass draws the same mask. */
static void check_dropout(const char *p_text, double p)
{
    enum { ROWS = 20, PIXELS = 64 * 64 };
    static float ones[2 * ROWS * PIXELS], zeros[2 * ROWS * PIXELS];
    struct define define = {"p", p_text, false};
    struct trial t;
    uint32_t control[CTL_WORDS];
    static char kept[3][ROWS * PIXELS];
    assert_true(trial_plan(&t, "dropping.net", strdup(dropping), &define, 1, stderr));
    trial_compile(&t, false);
    trial_arm(&t, ROWS);
    value_put(&t, tensor_named(&t, PHASE_TRAIN, "pre.weight"), 0, 0, 1);
    for (int i = 0; i < 2 * ROWS * PIXELS; i++)
        ones[i] = 1;
    t.data = (struct device_data){.samples = ones, .targets = zeros, .samples_f32 = true, .count = 2 * ROWS};
    int y = tensor_of_value(&t, PHASE_TRAIN, t.c.graph[PHASE_TRAIN]->output[0].value);
    for (int run = 0; run < 3; run++) { /* another step; another position in the epoch */
        double squares = 0;
        int64_t count = 0, per_row[ROWS] = {0};
        control_train(&t.recipe, run == 1, 0, run == 2 ? ROWS - 1 : 0, ROWS, 2 * ROWS, control);
        trial_begin(&t, PHASE_TRAIN, control);
        int made = step_of(&t, t.s, y) + 1;
        run_steps(&t, 0, made);
        for (int i = 0; i < ROWS * PIXELS; i++) {
            double v = value_get(&t, y, i / PIXELS, i % PIXELS);
            assert_true(v == 0 || fabs(v * (1 - p) - 1) < 1e-6);
            kept[run][i] = v != 0;
            per_row[i / PIXELS] += v != 0;
            squares += v * v;
        }
        for (int row = 0; row < ROWS; row++)
            count += per_row[row];
        run_steps(&t, made, -1);
        double n = ROWS * PIXELS, sd = sqrt(n * p * (1 - p));
        assert_true(fabs((double)count - n * (1 - p)) <= 5 * sd);
        for (int row = 0; row < ROWS; row++)
            assert_true(fabs((double)per_row[row] - PIXELS * (1 - p)) <= 6 * sqrt(PIXELS * p * (1 - p)));
        double slope = value_get(&t, tensor_named(&t, PHASE_TRAIN, "grad.pre.bias"), 0, 0);
        assert_true(fabs(slope - 2 * squares / n) <= 2e-6 * squares / n);
    }
    int64_t equal = 0;
    for (int i = 0; i < ROWS * PIXELS; i++)
        equal += kept[0][i] == kept[1][i];
    assert_true(fabs((double)equal / (ROWS * PIXELS) - (p * p + (1 - p) * (1 - p))) < 0.02);
    assert_memory_equal(kept[0] + (ROWS - 1) * PIXELS, kept[2], PIXELS); /* the sample, not its row, has the mask */
    trial_close(&t);
}

static void test_dropout(void **state)
{
    (void)state;
    check_dropout("0.3", 0.3);
    check_dropout("0.5", 0.5);
    check_dropout("0.9", 0.9);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mnist_cnn), cmocka_unit_test(test_resnet20), cmocka_unit_test(test_lamb),
        cmocka_unit_test(test_muon),      cmocka_unit_test(test_tails),    cmocka_unit_test(test_dropout),
    };
    (void)argc;
    use_cache(argv[0]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
