/* Weights, gradients and updates at the end of an epoch: of real kernels, beside what is read from the device and what plain SGD does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "harness.h"
#include "cpu/device_cpu.h"
#include "tell/confusion.h"
#include "tell/histogram.h"

/* A layer of more than 2^18 weights, of which only some are counted. */
static const char net[] = "net looked\n"
                          "input x : f32[40]\n"
                          "target t : class[4]\n"
                          "y = x -> wide: Linear(8192) -> ReLU -> last: Linear(4)\n"
                          "output y\n"
                          "train {\n"
                          "    loss = CrossEntropy(y, t)\n"
                          "    optimizer = SGD(lr = 0.125)\n"
                          "    epochs = 3\n"
                          "    batch = 32\n"
                          "}\n";

enum { SAMPLES = 400, STEPS = 13, INPUTS = 40, WIDE = 8192, CLASSES = 4, BIAS = 3 };
#define LR 0.125

static struct data_split make_split(void)
{
    static float samples[SAMPLES * INPUTS];
    static int32_t targets[SAMPLES];
    for (int i = 0; i < SAMPLES; i++) {
        targets[i] = i % CLASSES;
        for (int e = 0; e < INPUTS; e++)
            samples[i * INPUTS + e] =
                (float)((i * 7 + e * 3) % 11) / 11; /* tells nothing of the class: gradients stay large */
    }
    return (struct data_split){
        .count = SAMPLES,
        .sample = {.type = DATA_F32, .bytes = sizeof samples / SAMPLES, .values = (unsigned char *)samples},
        .label = {.type = DATA_I32, .bytes = sizeof *targets, .values = (unsigned char *)targets}};
}

struct bench {
    struct trial trial;
    struct options options;
    struct job job;
};

/* With `micro` rows a part; 0: in one piece. */
static void open_bench(struct bench *b, int64_t micro)
{
    struct device_error e = {0};
    assert_true(trial_plan(&b->trial, "looked.net", strdup(net), NULL, 0, stderr));
    use_flags("-O1");
    b->options = (struct options){.progress = PROGRESS_NONE};
    b->job = (struct job){.options = &b->options, .plan = b->trial.c.plan, .data.train = make_split()};
    struct job *j = &b->job;
    const struct device_data split = samples_of(&j->data.train);
    const struct device_rows rows = {.rows = {[PHASE_TRAIN] = micro ? micro : 32}, .parts = micro > 0};
    assert_int_equal(recipe_read(j->plan, &j->recipe), 0);
    j->recipe.micro = micro;
    recipe_count(&j->recipe, SAMPLES);
    j->device = device_cpu_open(&(struct device_options){.threads = 2}, &e);
    if (!j->device || !j->device->compile(j->device, j->plan, &e) ||
        !j->device->arm(j->device, &rows, &split, 1, INT64_MAX, &e))
        fail_msg("%s", e.text);
    j->device->most_runs = 8; /* as a GPU, it is given many steps at a time */
    assert_int_equal(init_weights(j), 0);
    tell_open(&j->tell, PROGRESS_NONE, true, false);
}

static void close_bench(struct bench *b)
{
    parameters_close(&b->job);
    b->job.device->close(b->job.device);
    trial_close(&b->trial);
}

/* To the end of the epoch. */
static const struct parameters_report *run_epoch(struct bench *b)
{
    int64_t seen = 0;
    assert_int_equal(steps_run(&b->job, &seen, now()), 0);
    const struct parameters_report *r = parameters_after(&b->job);
    b->job.at.epoch++;
    b->job.at.in_epoch = 0;
    return r;
}

static void read_tensor(struct bench *b, int t, float *to)
{
    assert_true(t >= 0 && b->job.device->read(b->job.device, PHASE_TRAIN, t, 0, to, b->job.plan->tensor[t].bytes));
}

static void assert_near(double got, double wanted)
{
    if (!(fabs(got - wanted) <= 1e-5 * fabs(wanted) + 2e-8) /* weights of 0.1 are rounded to 7e-9 */)
        fail_msg("%g, not %g", got, wanted);
}

/* The numbers of a histogram, from the values. */
static void assert_of(const struct histogram *h, const float *value, int64_t n)
{
    double min = INFINITY, max = -INFINITY, sum = 0, counted = 0;
    for (int64_t i = 0; i < n; i++) {
        min = fmin(min, (double)value[i]);
        max = fmax(max, (double)value[i]);
        sum += (double)value[i];
    }
    for (int i = 0; i < HISTOGRAM_BINS; i++)
        counted += h->count[i];
    assert_true(h->n == (double)n && counted == (double)n && h->min == min && h->max == max);
    assert_near(h->sum, sum);
}

static void check_small(int64_t micro)
{
    struct bench b;
    float weight[CLASSES], gradient[CLASSES];
    open_bench(&b, micro);
    assert_true(parameters_open(&b.job));
    const struct parameters_report *r = run_epoch(&b);
    assert_non_null(r);
    assert_int_equal(r->n, 4);
    const struct parameter_values *bias = &r->of[BIAS];
    const int t = plan_find_tensor(b.job.plan, -1, "last.bias");
    assert_string_equal(bias->name, "last.bias");
    read_tensor(&b, t, weight);
    read_tensor(&b, tensor_gradient(b.job.plan, plan_schedule(b.job.plan, &target_cpu, PHASE_TRAIN), t), gradient);
    assert_of(&bias->weights, weight, CLASSES);
    assert_of(&bias->gradients, gradient, CLASSES);
    assert_true(bias->gradients.max > 0 && bias->gradients.min < 0);
    assert_near(bias->updates.min, -LR * bias->gradients.max); /* one step, not the epoch */
    assert_near(bias->updates.max, -LR * bias->gradients.min);
    close_bench(&b);
}

static void of_the_last_step(void **state)
{
    (void)state;
    check_small(0);
}

static void of_a_batch_in_parts(void **state)
{
    (void)state;
    check_small(16);
}

/* Of 327680 weights 2^18 are counted, and gradients, updates and weights are of the same ones. */
static void of_large_tensors_some(void **state)
{
    struct bench b;
    (void)state;
    open_bench(&b, 0);
    assert_true(parameters_open(&b.job));
    const struct parameters_report *r = run_epoch(&b);
    assert_non_null(r);
    assert_int_equal(r->of[0].elements, INPUTS * WIDE);
    assert_true(r->of[0].weights.n == 1 << 18 && r->of[0].updates.n == 1 << 18);
    assert_near(r->of[0].updates.min, -LR * r->of[0].gradients.max);
    assert_near(r->of[0].updates.max, -LR * r->of[0].gradients.min);
    assert_true(r->of[1].weights.n == WIDE && r->of[2].weights.n == WIDE * CLASSES);
    close_bench(&b);
}

/* Whoever looks changes nothing. */
static void weights_stay_the_same(void **state)
{
    static float value[2][INPUTS * WIDE];
    (void)state;
    for (int looked = 0; looked < 2; looked++) {
        struct bench b;
        open_bench(&b, 0);
        if (looked)
            assert_true(parameters_open(&b.job));
        for (int epoch = 0; epoch < 2; epoch++)
            assert_int_equal(run_epoch(&b) != NULL, looked);
        read_tensor(&b, plan_find_tensor(b.job.plan, -1, "wide.weight"), value[looked]);
        close_bench(&b);
    }
    assert_memory_equal(value[0], value[1], sizeof *value);
}

/* Every epoch at first, then ever fewer, and always the last. */
static void ever_fewer(void **state)
{
    struct bench b;
    int64_t looked = 0;
    (void)state;
    open_bench(&b, 0);
    assert_true(parameters_open(&b.job));
    b.job.recipe.epochs = 999;
    for (int64_t epoch = 0; epoch < 999; epoch++) {
        b.job.at = (struct position){.epoch = epoch, .in_epoch = 1, .step = STEPS * epoch + 1};
        bool wanted = parameters_next(&b.job) == STEPS * epoch + STEPS - 1;
        assert_true(wanted || parameters_next(&b.job) == INT64_MAX);
        assert_true(wanted || epoch >= 64);
        assert_true(wanted || epoch + 1 < 999);
        looked += wanted;
    }
    assert_int_equal(looked, 64 + 32 + 32 + 32 + 30 + 1);
    close_bench(&b);
}

/* One warning, and the training goes on without. */
static void a_full_disk_ends_the_board(void **state)
{
    struct bench b;
    struct confusion none = {.classes = 1};
    (void)state;
    open_bench(&b, 0);
    if (!(b.job.tell.board.to = fopen("/dev/full", "wb")))
        skip();
    board_network(&b.job);
    assert_null(b.job.tell.board.to);
    assert_int_equal(b.job.tell.warnings, 1); /* told behind the start */
    board_confusion(&b.job, &none, "test set");
    assert_int_equal(b.job.tell.warnings, 1);
    run_epoch(&b);
    close_bench(&b);
}

int main(int argc, char **argv)
{
    (void)argc;
    use_cache(argv[0]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_the_last_step),
        cmocka_unit_test(of_a_batch_in_parts),
        cmocka_unit_test(of_large_tensors_some),
        cmocka_unit_test(weights_stay_the_same),
        cmocka_unit_test(ever_fewer),
        cmocka_unit_test(a_full_disk_ends_the_board),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
