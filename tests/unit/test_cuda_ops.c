/* Every op on the CUDA device against the CPU: the same text of the ops, emitted twice, must compute the same. The cases are
 * those with PyTorch's numbers, which test_ops holds the CPU to. On the simulator; NETRUN_CUDA_LIBDIR= runs it on a GPU. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "harness.h"
#include "cuda_sim.h"
#include "cuda/device_cuda.h"

static enum precision precision;
static int steps = 1; /* of training; of several, parameters and slots are compared as well */
/* Of the largest value of a tensor: sums are in another order; TF32 has 11 bits, BF16 has 8. */
static const double tolerance_of[] = {1e-5, 4e-3, 3e-2};
static const double addend = 3e-7;

static int cuda_tensor(const struct plan *p, enum phase ph, const char *name)
{
    int schedule = (int)(plan_schedule(p, &target_cuda, ph) - p->schedule);
    for (int i = 0; i < p->ntensor; i++)
        if ((p->tensor[i].schedule < 0 || p->tensor[i].schedule == schedule) && !strcmp(p->tensor[i].name, name))
            return i;
    return -1;
}

/* A tensor on the device against the same of the trial, `rows` of it. */
static bool same(const struct trial *t, struct device *d, enum phase ph, int cpu, int64_t rows)
{
    const struct tensor *x = &t->p->tensor[cpu];
    int cuda = cuda_tensor(t->p, ph, x->name);
    int64_t n = tensor_elements(x), count = x->rows ? (rows + 15) / 16 * 16 * row_elements(x) : n;
    float *got = calloc((size_t)count, sizeof *got);
    struct closeness c = {0};
    assert_true(cuda >= 0 && got);
    if (!d->read(d, ph, cuda, 0, got, count * 4))
        fail_msg("%s cannot be read", x->name);
    for (int64_t row = 0; row < (x->rows ? rows : 1); row++)
        for (int64_t e = 0; e < n; e++)
            closer(&c, row * n + e, got[index_of(x, row, e)], value_get(t, cpu, row, e));
    free(got);
    return is_close(&c, t->c.file, x->name, tolerance_of[precision], addend);
}

/* What persists goes from the trial to the device. */
static void copy_state(const struct trial *t, struct device *d)
{
    for (int i = 0; i < t->p->ntensor; i++)
        if (tensor_is_named(t->p, i))
            assert_true(d->write(d, PHASE_TRAIN, i, 0, tensor_at(t, i), tensor_elements(&t->p->tensor[i]) * 4));
}

static void run_both(struct trial *t, struct device *d, enum phase ph, uint32_t control[CTL_WORDS])
{
    struct device_error e;
    struct closeness c = {0};
    trial_run(t, ph, control);
    if (!d->run(d, ph, (uint32_t(*)[CTL_WORDS])control, 1, &e))
        fail_msg("%s: %s", t->c.file, e.text);
    if (ph == PHASE_PREDICT)
        return;
    closer(&c, 0, control_float(control, CTL_LOSS), control_float(control_of(t), CTL_LOSS));
    assert_true(is_close(&c, t->c.file, "loss", tolerance_of[precision], addend));
    assert_int_equal(control[CTL_FINITE], control_of(t)[CTL_FINITE]);
    if (precision == PRECISION_FP32)
        assert_memory_equal(&control[CTL_METRIC], &control_of(t)[CTL_METRIC], 8 * sizeof *control);
}

static bool compare(struct trial *t, struct device *d, int64_t rows)
{
    uint32_t control[CTL_WORDS];
    bool good = true;
    control_evaluate(&t->recipe, 0, rows, rows, control);
    weigh_batch(t, control);
    run_both(t, d, PHASE_PREDICT, control);
    for (int o = -1; (o = tensor_output(t->p, plan_schedule(t->p, &target_cpu, PHASE_PREDICT), o)) >= 0;)
        good &= same(t, d, PHASE_PREDICT, o, rows);
    run_both(t, d, PHASE_EVALUATE, control);
    for (int step = 0; step < steps; step++) {
        control_train(&t->recipe, step, 0, 0, rows, rows, control);
        weigh_batch(t, control);
        run_both(t, d, PHASE_TRAIN, control);
    }
    for (int i = 0; i < t->p->ntensor; i++) {
        const struct tensor *x = &t->p->tensor[i];
        bool gradient = !strncmp(x->name, "grad.", 5) &&
                        x->schedule == plan_schedule(t->p, &target_cpu, PHASE_TRAIN) - t->p->schedule;
        if (gradient || (tensor_is_named(t->p, i) && (x->role == ROLE_STATE || steps > 1)))
            good &= same(t, d, PHASE_TRAIN, i, rows);
    }
    return good;
}

static void test_case(void **state)
{
    struct trial t;
    struct st_file f;
    struct device_error e = {0};
    if (getenv("NETRUN_CUDA_LIBDIR") && !strcmp(getenv("NETRUN_CUDA_LIBDIR"), SIM_FOLDER) && !sim_there())
        skip();
    open_beside(&f, *state);
    assert_true(trial_plan(&t, *state, read_text(*state), NULL, 0, stderr));
    trial_compile(&t, false);
    int64_t rows = put_batch(&t, &f);
    trial_arm(&t, rows);
    put_state(&t, &f);
    recipe_count(&t.recipe, rows);
    struct device *d = device_cuda_open(&(struct device_options){.precision = precision}, 0, &e);
    struct device_rows capacity = {
        .rows = {[PHASE_TRAIN] = t.capacity, [PHASE_EVALUATE] = t.capacity, [PHASE_PREDICT] = t.capacity}};
    if (!d || !d->compile(d, t.p, &e) || !d->arm(d, &capacity, &t.data, 1, d->room(d, INT64_MAX), &e) ||
        !d->data(d, &t.data, &e))
        fail_msg("%s", e.text);
    copy_state(&t, d);
    bool good = compare(&t, d, rows);
    d->close(d);
    free_batch(&t);
    trial_close(&t);
    st_free(&f);
    assert_true(good);
}

/* ---- tensor cores: those cases that are large enough for them ---- */

static void test_rounded(void **state)
{
    static const char *const cases[] = {"conv_3x3_pad_1_16_to_17", "conv_3x3_pad_1_17_to_16", "conv_3x3_stride_2",
                                        "conv_1x1_groups_2", "chain_linear_relu_linear"};
    char path[128], *at = path;
    for (int i = 0; i < COUNT(cases); i++)
        for (precision = PRECISION_TF32; precision < PRECISION_COUNT; precision++) {
            snprintf(path, sizeof path, "tests/expect/ops/%s.net", cases[i]);
            test_case((void **)&at);
        }
    precision = PRECISION_FP32;
    (void)state;
}

/* ---- optimizers: one case for each update, a few steps each, of which RAdam rectifies the last ---- */

static void test_updates(void **state)
{
    glob_t files;
    const struct op *seen[64];
    int nseen = 0;
    (void)state;
    assert_int_equal(glob("tests/expect/optimizers/*.net", 0, NULL, &files), 0);
    for (size_t i = 0; i < files.gl_pathc; i++) {
        struct trial t;
        const struct op *op = NULL;
        int k = 0;
        assert_true(trial_plan(&t, files.gl_pathv[i], read_text(files.gl_pathv[i]), NULL, 0, stderr));
        for (int n = 0; n < t.c.graph[PHASE_TRAIN]->nnode; n++)
            if (t.c.graph[PHASE_TRAIN]->node[n]->op->gate == GATE_STEP)
                op = t.c.graph[PHASE_TRAIN]->node[n]->op;
        trial_close(&t);
        while (k < nseen && seen[k] != op)
            k++;
        if (k < nseen)
            continue;
        assert_true(op && nseen < COUNT(seen));
        seen[nseen++] = op;
        steps = 7;
        test_case((void **)&files.gl_pathv[i]);
        steps = 1;
    }
    globfree(&files);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest more[] = {cmocka_unit_test(test_rounded), cmocka_unit_test(test_updates)};
    const char *cases = SANITIZED ? "tests/expect/ops/*3x3_p*.net" : "tests/expect/ops/*.net";
    glob_t files;
    if (!getenv("NETRUN_CUDA_LIBDIR"))
        setenv("NETRUN_CUDA_LIBDIR", SIM_FOLDER, 1);
    use_cache(argv[0]);
    if (glob(argc > 1 ? argv[1] : cases, 0, NULL, &files) != 0)
        return 2;
    compile_all(&files, &(struct variant){&target_cpu, false}, 1);
    int failed = run_files("every op on CUDA", &files, test_case, more, COUNT(more));
    globfree(&files);
    return failed;
}
