/* The grid: models, budgets across the edge of what fits, and batches. What is granted fits and nothing larger would, by
 * counting through all sizes; what is refused fits in no way; the least budget serves and a byte less does not. A sample of
 * them is armed and trains: within its budget, or refused as was said. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "harness.h"

#include <fcntl.h>

enum { BUDGETS = 64, TRAINED = 200, STEPS = 3, TRAIN = 60000, TEST = 10000, FEW = 64 };

#define CLASSES(layers, shape, optimizer)                                                                              \
    "net generated\ninput x : f32[" shape "]\ntarget y : class[4]\nout = x -> " layers " -> Linear(4)\noutput out\n"   \
    "train {\n    loss = CrossEntropy(out, y)\n    optimizer = " optimizer "\n}\n"

static const char *const generated[] = {
    CLASSES("Linear(40) -> ReLU -> Dropout(0.5) -> Linear(30) -> Tanh -> Linear(20) -> GELU", "9", "SGD(lr = 0.1)"),
    CLASSES("Conv(8, kernel = 3, pad = 1) -> ReLU -> MaxPool(2) -> Conv(4, kernel = 3) -> Flatten", "2, 10, 10",
            "Adam"),
    CLASSES("Conv(6, kernel = 3, stride = 2) -> Sigmoid -> AvgPool(2) -> Flatten -> Linear(50) -> ReLU", "1, 13, 13",
            "SGD(lr = 0.1, momentum = 0.9)"),
    CLASSES("Linear(16) -> BatchNorm -> ReLU -> Linear(16) -> BatchNorm -> ReLU", "12", "AdamW"),
    ("net generated\ninput x : f32[3]\ntarget y : f32[2]\nout = x -> Linear(5) -> LeakyReLU -> Linear(2)\noutput out\n"
     "train {\n    loss = MSE(out, y)\n    optimizer = Adam\n}\n"),
};
static const char *const models[] = {"xor", "mlp", "mlp3", "mnist_cnn", "strided_cnn", "fashion_lenet", "resnet20"};
enum { GENERATED = sizeof generated / sizeof *generated, MODELS = sizeof models / sizeof *models };

static const int64_t batches[] = {0, 1, 16, 50, 128, 1000, 4096, 60000}; /* 0: auto */

static struct trial planned(int i)
{
    struct trial t;
    static char path[64];
    snprintf(path, sizeof path, "models/%s.net", i < MODELS ? models[i] : "generated");
    assert_true(trial_plan(&t, path, i < MODELS ? read_text(path) : strdup(generated[i - MODELS]), NULL, 0, stderr));
    return t;
}

static struct wish wish_for(int64_t batch)
{
    return (struct wish){
        .batch = batch, .most = 256, .evaluation = 1000, .samples = {[PHASE_TRAIN] = TRAIN, [PHASE_EVALUATE] = TEST}};
}

/* ---- counting through all sizes ---- */

static bool fits(const struct plan *p, const struct schedule *s, int64_t rows, bool parts, int64_t budget)
{
    return p->persistent + s->fixed + (rows + 15) / 16 * 16 * s->per_row + (parts ? s->parts : 0) <= budget;
}

struct found {
    bool whole, parts, tests;
    int64_t runs, batch, evaluation;
};

static struct found look(const struct plan *p, const struct target *t, const struct wish *w, bool splits,
                         int64_t budget)
{
    const struct schedule *train = plan_schedule(p, t, PHASE_TRAIN);
    struct found f = {.batch = w->batch};
    for (int64_t rows = 16; w->batch == 0 && rows <= 256; rows += 16)
        if (fits(p, train, rows, false, budget))
            f.batch = rows;
    if (f.batch == 0)
        f.batch = 16;
    f.whole = fits(p, train, f.batch, false, budget);
    for (int64_t rows = 16; splits && rows < f.batch + 16; rows += 16)
        if (fits(p, train, rows, true, budget)) {
            f.parts = true;
            f.runs = (f.batch + rows - 1) / rows; /* fewer with each size that fits */
        }
    for (int64_t rows = 1; rows <= w->evaluation; rows++)
        if (fits(p, plan_schedule(p, t, PHASE_EVALUATE), rows, false, budget))
            f.evaluation = rows;
    f.tests = f.evaluation > 0;
    return f;
}

static void check_case(const struct plan *p, const struct target *t, int64_t batch, bool splits, int64_t budget)
{
    struct wish w = wish_for(batch);
    struct grant g;
    struct found f = look(p, t, &w, splits, budget);
    bool granted = budget_grant(p, t, &w, budget, &g);
    assert_int_equal(granted, (f.whole || f.parts) && f.tests);
    if (!granted)
        return;
    assert_true(budget_arena(p, t, &g) <= budget);
    assert_int_equal(g.batch, f.batch);
    assert_int_equal(g.evaluation, f.evaluation);
    assert_true(g.rows[PHASE_TRAIN] >= g.micro);
    assert_int_equal(g.parts, !f.whole);
    if (!f.whole)
        assert_int_equal((g.batch + g.micro - 1) / g.micro, f.runs);
    for (int ph = 0; ph < PHASE_COUNT; ph++)
        if (g.rows[ph] > 0)
            assert_true(fits(p, plan_schedule(p, t, ph), g.rows[ph], g.parts, budget));
}

static bool has_statistics(const struct plan *p)
{
    for (int i = 0; i < p->ntensor; i++)
        if (p->tensor[i].role == ROLE_STATE)
            return true;
    return false;
}

/* Budgets from half of what one block needs to twice of what the batch does. */
static int64_t budget_at(const struct plan *p, const struct target *t, int64_t batch, int i)
{
    struct wish w = wish_for(batch);
    double low = (double)budget_least(p, t, &w) / 2;
    double high = 2 * (double)schedule_arena(p, plan_schedule(p, t, PHASE_TRAIN), (batch + 271) / 16 * 16);
    return (int64_t)(low * pow(high / low, i / (BUDGETS - 1.0)));
}

static void every_case_is_right(void **state)
{
    (void)state;
    int cases = 0;
    for (int m = 0; m < MODELS + GENERATED; m++) {
        struct trial t = planned(m);
        bool splits = !has_statistics(t.p);
        for (int k = 0; target_planned(k); k++)
            for (int b = 0; b < COUNT(batches); b++, cases++) {
                struct wish w = wish_for(batches[b]);
                struct grant g;
                for (int i = 0; i < BUDGETS; i++, cases++)
                    check_case(t.p, target_planned(k), batches[b], splits,
                               budget_at(t.p, target_planned(k), batches[b], i));
                int64_t least = budget_least(t.p, target_planned(k), &w);
                assert_true(budget_grant(t.p, target_planned(k), &w, least, &g) &&
                            budget_arena(t.p, target_planned(k), &g) <= least);
                assert_false(budget_grant(t.p, target_planned(k), &w, least - 1, &g));
            }
        trial_close(&t);
    }
    printf("%d cases\n", cases);
    assert_true(cases >= 6000);
}

/* ---- a sample of them in earnest ---- */

/* Small models of the list: xor, mlp and those generated. */
static const int small[] = {0, 1, MODELS, MODELS + 1, MODELS + 2, MODELS + 3, MODELS + 4};

/* Status of fit(); then some steps. */
static int fit_and_train(const struct plan *p, int64_t batch, int64_t budget, int64_t *arena)
{
    static const int64_t samples[PHASE_COUNT] = {[PHASE_TRAIN] = FEW, [PHASE_EVALUATE] = FEW};
    char memory[32];
    struct options o = {
        .device = "cpu", .memory = memory, .threads = 1, .quiet = true, .progress = PROGRESS_NONE, .steps = STEPS};
    struct job j = {.options = &o, .plan = (struct plan *)p};
    snprintf(memory, sizeof memory, "%lld", (long long)budget);
    assert_int_equal(recipe_read(p, &j.recipe), 0);
    j.recipe.batch = batch;
    j.recipe.epochs = STEPS;
    j.data.train = j.data.test = samples_for(p, FEW);
    int status = fit(&j, samples);
    *arena = status ? 0 : j.device->arena(j.device);
    if (status == 0) {
        recipe_count(&j.recipe, FEW);
        assert_int_equal(init_weights(&j), 0);
        for (int step = 0; step < STEPS; step++) {
            uint32_t control[CTL_WORDS];
            struct device_data data = samples_of(&j.data.train);
            struct device_error e;
            int64_t rows = j.recipe.batch < FEW ? j.recipe.batch : FEW, micro = j.recipe.micro ? j.recipe.micro : rows;
            assert_true(j.device->data(j.device, &data, &e));
            for (int64_t done = 0; done < rows; done += micro) {
                control_train(&j.recipe, step, step, 0, rows, FEW, control);
                control_part(control, done, rows - done < micro ? rows - done : micro);
                assert_true(j.device->run(j.device, PHASE_TRAIN, &control, 1, &e));
                assert_int_equal(control[CTL_FINITE], 1);
            }
            struct result r;
            assert_int_equal(evaluate(&j, &j.data.test, &r), 0);
        }
    }
    if (j.device)
        j.device->close(j.device);
    free_samples(&j.data.train);
    measures_close(&j);
    return status;
}

/* What is refused says so on stderr, which is not to be read here. */
static int silent(int to)
{
    fflush(stderr);
    int kept = dup(2);
    dup2(to, 2);
    return kept;
}

static void what_is_granted_trains(void **state)
{
    (void)state;
    static const int64_t few[] = {0, 1, 20, 33, 64};
    int nowhere = open("/dev/null", O_WRONLY), refused = 0, parts = 0;
    for (int m = 0; m < COUNT(small); m++) {
        struct trial t = planned(small[m]);
        for (int i = 0; i < TRAINED / COUNT(small) + 1; i++) {
            struct wish w = wish_for(few[i % COUNT(few)]);
            struct grant g;
            w.samples[PHASE_TRAIN] = w.samples[PHASE_EVALUATE] = FEW;
            double least = (double)budget_least(t.p, &target_cpu, &w);
            int64_t budget = i % 3 ? (int64_t)(least * (0.8 + 0.02 * i)) : (int64_t)least - i % 2, arena;
            bool granted = budget_grant(t.p, &target_cpu, &w, budget, &g);
            int err = silent(nowhere);
            int status = fit_and_train(t.p, w.batch, budget, &arena);
            close(silent(err));
            close(err);
            assert_int_equal(status, granted ? 0 : STATUS_BUDGET);
            assert_true(arena <= budget);
            if (granted)
                assert_int_equal(arena, budget_arena(t.p, &target_cpu, &g));
            refused += !granted;
            parts += granted && g.parts;
        }
        trial_close(&t);
    }
    close(nowhere);
    printf("%d refused, %d in parts\n", refused, parts);
    assert_true(refused > 20 && parts > 20);
}

int main(int argc, char **argv)
{
    (void)argc;
    use_cache(argv[0]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_case_is_right),
        cmocka_unit_test(what_is_granted_trains),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
