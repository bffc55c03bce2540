/* Real models on the CUDA device: the CPU's numbers within rounding, and the same bits however the runs are queued
 * and wherever the data set is. */
#define _GNU_SOURCE 1
#include "cuda_sim.h"
#include "cuda/device_cuda.h"
#include "harness.h"
#include "cpu/device_cpu.h"

#include <xxhash.h>

enum { SAMPLES = 80, STEPS = 5 };

static uint8_t pixels[SAMPLES * 3 * 32 * 32];
static int32_t classes[SAMPLES];

struct lesson {
    const struct plan *plan;
    struct device_data data;
    int64_t batch;
    int steps;
    bool together, staged; /* all steps in one call; no room for the data set */
    bool traced;           /* kernel by kernel */
    enum precision precision;
    bool library;            /* cuBLAS makes some of the products */
    double tolerance, drift; /* of losses and of weights, against the CPU's */
    float **expected;        /* by tensor: what the CPU made */
    float loss[STEPS];
};

static int64_t room_for(struct device *d, const struct lesson *l, const struct device_rows *rows)
{
    int64_t arena = 0, most = 0;
    for (int ph = 0; ph < PHASE_COUNT; ph++) {
        const struct schedule *s = plan_schedule(l->plan, &target_cuda, ph);
        arena = rows->rows[ph] ? schedule_arena(l->plan, s, rows->rows[ph]) : 0;
        most = arena > most ? arena : most;
    }
    return l->staged ? most + 256 + device_cuda_beside(d, rows, &l->data, 1) : d->room(d, INT64_MAX);
}

struct follower {
    const struct plan *plan;
    int at; /* the next kernel */
    bool lost;
};

static void traced(void *to, int kernel, double seconds)
{
    struct follower *f = to;
    while (f->at < kernel && !kernel_runs(f->plan, f->at, false))
        f->at++;
    f->lost |= kernel != f->at++ || !(seconds >= 0);
}

/* Each kernel of the training once, in order. */
static bool follow(struct device *d, const struct plan *p, uint32_t control[CTL_WORDS], struct device_error *e)
{
    const struct schedule *s = plan_schedule(p, d->target, PHASE_TRAIN);
    struct follower f = {p, s->first_kernel, false};
    if (!d->trace(d, PHASE_TRAIN, control, traced, &f, e))
        return false;
    while (f.at < s->last_kernel && !kernel_runs(p, f.at, false))
        f.at++;
    if (f.lost || f.at != s->last_kernel)
        snprintf(e->text, sizeof e->text, "kernel %d is not followed", f.at);
    return !f.lost && f.at == s->last_kernel;
}

/* Trains and evaluates; false with a message. */
static bool learn(struct device *d, const struct lesson *l, float loss[STEPS], uint32_t *correct)
{
    struct device_error e = {0};
    struct job j = {.plan = (struct plan *)l->plan, .phase = PHASE_TRAIN, .device = d};
    static uint32_t control[STEPS][CTL_WORDS];
    int64_t rows = (l->batch + ROW_BLOCK - 1) / ROW_BLOCK * ROW_BLOCK;
    j.rows.rows[PHASE_TRAIN] = j.rows.rows[PHASE_EVALUATE] = rows;
    bool ok = d->compile(d, l->plan, &e);
    int64_t room = ok && d->target == &target_cuda ? room_for(d, l, &j.rows) : INT64_MAX;
    ok = ok && d->arm(d, &j.rows, &l->data, 1, room, &e) && recipe_read(l->plan, &j.recipe) == 0;
    j.recipe.batch = l->batch;
    recipe_count(&j.recipe, SAMPLES);
    ok = ok && init_weights(&j) == 0 && d->data(d, &l->data, &e);
    for (int i = 0; i < l->steps; i++) {
        int64_t position = i * l->batch % SAMPLES, left = SAMPLES - position;
        control_train(&j.recipe, i, 0, position, left < l->batch ? left : l->batch, SAMPLES, control[i]);
    }
    for (int i = 0; ok && i < l->steps; i += l->together ? l->steps : 1)
        ok = l->traced ? follow(d, l->plan, control[i], &e)
                       : d->run(d, PHASE_TRAIN, &control[i], l->together ? l->steps : 1, &e);
    for (int i = 0; i < l->steps; i++)
        loss[i] = control_float(control[i], CTL_LOSS);
    control_evaluate(&j.recipe, 3, l->batch, SAMPLES, control[0]);
    ok = ok && d->run(d, PHASE_EVALUATE, &control[0], 1, &e);
    *correct = control[0][CTL_METRIC];
    if (!ok)
        fprintf(stderr, "%s\n", e.text);
    return ok;
}

static int on_cuda(void *ctx)
{
    struct lesson *l = ctx;
    struct device_error e = {0};
    float loss[STEPS];
    uint32_t correct = 0;
    XXH64_hash_t hash = 0;
    struct device *d = device_cuda_open(&(struct device_options){.precision = l->precision}, 0, &e);
    if (!d)
        fprintf(stderr, "%s\n", e.text);
    if (!d || !learn(d, l, loss, &correct))
        return 1;
    struct device_cuda_report r;
    device_cuda_report(d, &r);
    if (r.resident == l->staged || r.library != l->library)
        return 2;
    for (int i = 0; i < l->steps; i++)
        if (!(fabs(loss[i] - l->loss[i]) <= l->tolerance)) {
            fprintf(stderr, "step %d: loss %.9g, the CPU's is %.9g\n", i, (double)loss[i], (double)l->loss[i]);
            return 3;
        }
    for (int t = 0; t < l->plan->ntensor; t++) {
        if (!l->expected[t])
            continue;
        int64_t n = tensor_elements(&l->plan->tensor[t]);
        float *value = malloc((size_t)n * sizeof *value);
        if (!d->read(d, PHASE_TRAIN, t, 0, value, n * 4))
            return 4;
        for (int64_t i = 0; i < n; i++)
            if (!(fabs(value[i] - l->expected[t][i]) <= l->drift * (1 + fabs(l->expected[t][i])))) {
                fprintf(stderr, "%s[%lld] is %.9g, the CPU's is %.9g\n", l->plan->tensor[t].name, (long long)i,
                        (double)value[i], (double)l->expected[t][i]);
                return 5;
            }
        hash = XXH64(value, (size_t)n * sizeof *value, hash);
        free(value);
    }
    hash = XXH64(loss, (size_t)l->steps * sizeof *loss, hash);
    hash = XXH64(&correct, sizeof correct, hash);
    fprintf(stderr, "bits %016llx\n", (unsigned long long)hash);
    d->close(d);
    return 0;
}

static void on_cpu(struct lesson *l)
{
    struct device_error e = {0};
    uint32_t correct;
    struct device *d = device_cpu_open(&(struct device_options){.threads = 1}, &e);
    bool together = l->together;
    l->together = false;
    if (!d || !learn(d, l, l->loss, &correct))
        fail_msg("the CPU");
    l->together = together;
    l->expected = calloc((size_t)l->plan->ntensor, sizeof *l->expected);
    for (int t = 0; t < l->plan->ntensor; t++)
        if (tensor_is_named(l->plan, t)) {
            int64_t bytes = tensor_elements(&l->plan->tensor[t]) * 4;
            l->expected[t] = malloc((size_t)bytes);
            assert_true(d->read(d, PHASE_TRAIN, t, 0, l->expected[t], bytes));
        }
    d->close(d);
}

static void check(const char *path, int64_t size, struct lesson l, int environments)
{
    static const struct {
        const char *environment;
        bool together, staged, traced;
    } way[] = {
        {"SIM_LEAK=77", false, false, false},
        {"SIM_LEAK=77", false, true, true},
        {"SIM_LEAK=77", true, true, false},
        {"SIM_ASYNC=defer NETRUN_CUDA_GRAPH=0", true, false, false},
        {"SIM_ASYNC=defer SIM_SEED=5", true, true, false},
        {"SIM_CHECK=1", false, true, false},
        {"NETRUN_POISON=1", false, false, false},
    };
    struct trial t;
    char log[16384], first[32] = "", environment[128];
    assert_true(trial_plan(&t, path, read_text(path), NULL, 0, stderr));
    l.plan = t.p;
    l.data = (struct device_data){pixels, classes, false, SAMPLES, size, sizeof *classes, NULL};
    on_cpu(&l);
    for (int i = 0; i < environments; i++) {
        l.together = way[i].together;
        l.staged = way[i].staged;
        l.traced = way[i].traced;
        snprintf(environment, sizeof environment, "%s%s", way[i].environment, l.library ? "" : " NETRUN_CUBLAS=0");
        int status = in_child(environment, on_cuda, &l, log, sizeof log);
        const char *bits = strstr(log, "bits ");
        if (status || !bits)
            fail_msg("%s [%s]: status %d: %s", path, environment, status, log);
        if (!*first)
            snprintf(first, sizeof first, "%.21s", bits);
        if (strncmp(bits, first, 21) != 0)
            fail_msg("%s [%s]: other bits", path, environment);
    }
    for (int i = 0; i < t.p->ntensor; i++)
        free(l.expected[i]);
    free(l.expected);
    trial_close(&t);
}

/* Adam divides a gradient by its own size: where it is nothing but rounding, a step may go the other way, by twice the rate.
 * Losses do not feel it. */
static void test_mnist_cnn(void **state)
{
    (void)state;
    if (!device_there())
        skip();
    check("models/mnist_cnn.net", 28 * 28,
          (struct lesson){.batch = 20, .steps = STEPS, .tolerance = 1e-5, .drift = 2e-3}, SANITIZED ? 1 : 7);
}

static void test_mlp(void **state)
{
    (void)state;
    if (!device_there())
        skip();
    check("models/mlp.net", 28 * 28, (struct lesson){.batch = 33, .steps = STEPS, .tolerance = 1e-5, .drift = 1e-5}, 7);
}

/* The last batch of the data is shorter than the ones before, so that matrices have rows behind it. */
static void test_library(void **state)
{
    static const struct lesson wide = {.batch = 33, .steps = STEPS, .tolerance = 1e-5, .drift = 1e-5};
    static const double tolerance[PRECISION_COUNT] = {1e-5, 1e-3, 1e-2};
    (void)state;
    if (!device_there())
        skip();
    check("tests/wide.net", 28 * 28, wide, 1);
    for (enum precision p = 0; p < (SANITIZED ? 1 : PRECISION_COUNT); p++) {
        struct lesson l = wide;
        l.library = true;
        l.precision = p;
        l.tolerance = l.drift = tolerance[p];
        check("tests/wide.net", 28 * 28, l, p != PRECISION_FP32 || SANITIZED ? 2 : 7);
    }
}

/* Twenty normalisations amplify rounding: the CPU's code with and without fused multiply-add is as far apart. */
static void test_resnet20(void **state)
{
    (void)state;
    if (!device_there())
        skip();
    check("models/resnet20.net", 3 * 32 * 32,
          (struct lesson){.batch = 16, .steps = 1, .tolerance = 2e-3, .drift = 2e-3}, 1);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mnist_cnn),
        cmocka_unit_test(test_mlp),
        cmocka_unit_test(test_library),
        cmocka_unit_test(test_resnet20),
    };
    uint32_t x = 1;
    (void)argc;
    for (size_t i = 0; i < sizeof pixels; i++)
        pixels[i] = (uint8_t)((x = x * 1664525u + 1013904223u) >> 24);
    for (int i = 0; i < SAMPLES; i++)
        classes[i] = (int32_t)(((x = x * 1664525u + 1013904223u) >> 8) % 10);
    use_cache(argv[0]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
