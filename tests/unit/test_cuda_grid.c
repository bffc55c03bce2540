/* The grid on the device: models, budgets across the edge of what fits, and batches, one compiled module a model. What is
 * granted is armed in exactly the bytes that were planned, which are the peak that the simulator sees, and in no byte less;
 * afterwards nothing is allocated. What is refused does not arm. At the least budget that netrun names it arms, on
 * a device of that size too, and below it refuses. */
#define _GNU_SOURCE 1
#include "cuda_sim.h"
#include "cuda/device_cuda.h"
#include "harness.h"

enum { SAMPLES = 64, STEPS = 3, GRANULE = 2 << 20, RESERVE = 64 << 20, LIBRARY_OWN = 4 << 20 };

#define CLASSES(layers, shape, optimizer)                                                                              \
    "net generated\ninput x : f32[" shape "]\ntarget y : class[4]\nout = x -> " layers " -> Linear(4)\noutput out\n"   \
    "train {\n    loss = CrossEntropy(out, y)\n    optimizer = " optimizer "\n}\n"

/* How many cases of a model are tried, and whether they train: kernels of the large ones take seconds on the simulator. */
static const struct subject {
    const char *name, *text;
    int cases;
    bool trains;
} subjects[] = {
    {"xor", NULL, 24, true},
    {"mlp", NULL, 20, true},
    {"mlp3", NULL, 20, false},
    {"mnist_cnn", NULL, 10, false},
    {"strided_cnn", NULL, 10, false},
    {"fashion_lenet", NULL, 10, false},
    {"resnet20", NULL, 1, false},
    {"linear",
     CLASSES("Linear(40) -> ReLU -> Dropout(0.5) -> Linear(30) -> Tanh -> Linear(20) -> GELU", "9", "SGD(lr = 0.1)"),
     24, true},
    {"conv",
     CLASSES("Conv(8, kernel = 3, pad = 1) -> ReLU -> MaxPool(2) -> Conv(4, kernel = 3) -> Flatten", "2, 10, 10",
             "Adam"),
     24, true},
    {"strided",
     CLASSES("Conv(6, kernel = 3, stride = 2) -> Sigmoid -> AvgPool(2) -> Flatten -> Linear(50) -> ReLU", "1, 13, 13",
             "SGD(lr = 0.1, momentum = 0.9)"),
     24, true},
    {"normal", CLASSES("Linear(16) -> BatchNorm -> ReLU -> Linear(16) -> BatchNorm -> ReLU", "12", "AdamW"), 24, true},
    {"wide", CLASSES("Linear(1453) -> Tanh -> Linear(1447) -> Tanh", "9", "SGD(lr = 0.1)"), 8, true},
    {"regression",
     "net generated\ninput x : f32[3]\ntarget y : f32[2]\nout = x -> Linear(5) -> LeakyReLU -> Linear(2)\noutput out\n"
     "train {\n    loss = MSE(out, y)\n    optimizer = Adam\n}\n",
     24, true},
};
static const int64_t batches[] = {0, 1, 20, 33, 64}; /* 0: auto */

static struct trial planned(const struct subject *m)
{
    struct trial t;
    static char path[64]; /* a trial keeps it; there is one at a time */
    snprintf(path, sizeof path, "models/%s.net", m->name);
    assert_true(trial_plan(&t, path, m->text ? strdup(m->text) : read_text(path), NULL, 0, stderr));
    return t;
}

static struct wish wish_for(int64_t batch)
{
    return (struct wish){.batch = batch,
                         .most = 256,
                         .evaluation = SAMPLES,
                         .samples = {[PHASE_TRAIN] = SAMPLES, [PHASE_EVALUATE] = SAMPLES}};
}

/* ---- a sample of the grid ---- */

struct grid {
    struct job j;
    struct device_data split;
    int granted, refused, parts, resident;
    uint64_t peak;
};

static int64_t arena_of(const struct plan *p, const struct device_rows *rows)
{
    int64_t most = 0;
    for (int ph = 0; ph < PHASE_COUNT; ph++) {
        const struct schedule *s = plan_schedule(p, &target_cuda, ph);
        int64_t bytes =
            rows->rows[ph] ? p->persistent + s->fixed + rows->rows[ph] * s->per_row + (rows->parts ? s->parts : 0) : 0;
        most = bytes > most ? bytes : most;
    }
    return (most + FIXED_ALIGN - 1) / FIXED_ALIGN * FIXED_ALIGN;
}

static void train_steps(struct job *j, int64_t batch, int64_t micro)
{
    struct device *d = j->device;
    struct device_error e;
    struct device_data data = samples_of(&j->data.train);
    struct result r;
    j->recipe.batch = batch < SAMPLES ? batch : SAMPLES;
    recipe_count(&j->recipe, SAMPLES);
    NEED(init_weights(j) == 0);
    for (int step = 0; step < STEPS; step++) {
        uint32_t control[CTL_WORDS];
        int64_t rows = j->recipe.batch, part = micro ? micro : rows;
        NEED(d->data(d, &data, &e));
        for (int64_t done = 0; done < rows; done += part) {
            control_train(&j->recipe, step, step, 0, rows, SAMPLES, control);
            control_part(control, done, rows - done < part ? rows - done : part);
            NEED(d->run(d, PHASE_TRAIN, &control, 1, &e) && control[CTL_FINITE] == 1);
        }
    }
    NEED(evaluate(j, &j->data.test, &r) == 0 && r.n == SAMPLES);
}

/* All that is needed arms, a byte less does not; what is taken is what was planned. */
static void try_grant(struct grid *g, const struct grant *grant, bool trains)
{
    struct job *j = &g->j;
    struct device *d = j->device;
    struct device_error e = {0};
    struct device_cuda_report report;
    struct device_rows rows = {.parts = grant->parts};
    memcpy(rows.rows, grant->rows, sizeof rows.rows);
    int64_t arena = arena_of(j->plan, &rows), least = arena + device_cuda_beside(d, &rows, &g->split, 1);
    NEED(!d->arm(d, &rows, &g->split, 1, least - 1, &e) && e.status == STATUS_BUDGET);
    struct sim_stats before = stats_now();
    NEED(d->arm(d, &rows, &g->split, 1, least, &e));
    struct sim_stats armed = stats_now();
    device_cuda_report(d, &report);
    int64_t taken = d->arena(d);
    NEED(report.arena == arena && arena - budget_arena(j->plan, &target_cuda, grant) < FIXED_ALIGN);
    NEED(taken == report.arena + report.data && taken <= least);
    NEED(before.requested == 0 && armed.requested == (uint64_t)taken);
    int64_t returned = report.library && !g->granted ? LIBRARY_OWN : 0; /* for a workspace of the plan */
    NEED(armed.charged - before.charged + (uint64_t)returned == (uint64_t)(taken + GRANULE - 1) / GRANULE * GRANULE);
    NEED(armed.allocations == before.allocations + 1 && armed.live_buffers == 1);
    j->rows = rows;
    j->phase = PHASE_EVALUATE;
    j->recipe.evaluation_batch = grant->evaluation;
    if (trains)
        train_steps(j, grant->batch, grant->parts ? grant->micro : 0);
    struct sim_stats after = stats_now();
    g->peak = (uint64_t)taken > g->peak ? (uint64_t)taken : g->peak;
    NEED(after.requested == armed.requested && after.requested_peak == g->peak);
    NEED(after.allocations == armed.allocations && after.refusals == 0 && after.charged_peak >= after.charged);
    g->granted++;
    g->parts += grant->parts;
    g->resident += report.resident;
}

/* Not even the least rows are armed in a room in which nothing was granted. */
static void try_refused(struct grid *g, const struct wish *w, int64_t room)
{
    struct device *d = g->j.device;
    struct device_error e = {0};
    struct device_rows rows = {0};
    struct grant least;
    NEED(budget_grant(g->j.plan, &target_cuda, w, budget_least(g->j.plan, &target_cuda, w), &least));
    rows.parts = least.parts;
    memcpy(rows.rows, least.rows, sizeof rows.rows);
    NEED(!d->arm(d, &rows, &g->split, 1, room, &e) && e.status == STATUS_BUDGET && d->arena(d) == 0);
    NEED(stats_now().requested == 0 && stats_now().refusals == 0);
    g->refused++;
}

static int sample_grid(void *ctx)
{
    const struct subject *m = ctx;
    struct trial t = planned(m);
    struct device_error e = {0};
    struct grid g = {.j = {.plan = (struct plan *)t.p, .device = device_cuda_open(&(struct device_options){0}, 0, &e)}};
    NEED(g.j.device && g.j.device->compile(g.j.device, t.p, &e) && recipe_read(t.p, &g.j.recipe) == 0);
    g.j.recipe.epochs = STEPS;
    g.j.data.train = g.j.data.test = samples_for(t.p, SAMPLES);
    g.split = samples_of(&g.j.data.train);
    for (int i = 0; i < m->cases; i++) {
        struct wish w = wish_for(batches[i % COUNT(batches)]);
        struct grant grant;
        double least = (double)budget_least(t.p, &target_cuda, &w);
        int64_t room = i % 6 ? (int64_t)(least * (0.8 + 1.5 * i / m->cases)) : (int64_t)least - i % 4 / 2;
        if (budget_grant(t.p, &target_cuda, &w, room, &grant))
            try_grant(&g, &grant, m->trains);
        else
            try_refused(&g, &w, room);
    }
    g.j.device->close(g.j.device);
    free_samples(&g.j.data.train);
    trial_close(&t);
    fprintf(stderr, "%d granted, %d refused, %d in parts, %d resident\n", g.granted, g.refused, g.parts, g.resident);
    return 0;
}

static void what_is_granted_arms(void **state)
{
    (void)state;
    int granted = 0, refused = 0, parts = 0, resident = 0;
    if (!sim_there())
        skip();
    for (int m = 0; m < COUNT(subjects); m++) {
        char log[8192];
        int n[4], status = in_child("SIM_LEAK=77", sample_grid, (void *)&subjects[m], log, sizeof log);
        const char *said = strstr(log, " granted");
        while (said && said > log && said[-1] != '\n')
            said--;
        if (status || !said ||
            sscanf(said, "%d granted, %d refused, %d in parts, %d resident", &n[0], &n[1], &n[2], &n[3]) != 4)
            fail_msg("%s: status %d: %s", subjects[m].name, status, log);
        granted += n[0], refused += n[1], parts += n[2], resident += n[3];
    }
    print_message("%d granted, %d of them in parts and %d with the data on the device; %d refused\n", granted, parts,
                  resident, refused);
    assert_true(granted + refused >= 200 && refused > 20 && parts > 20 && resident > 20 && resident < granted);
}

/* ---- the least that is named ---- */

static int fit_once(void *ctx)
{
    const struct subject *m = ctx;
    static const int64_t samples[PHASE_COUNT] = {[PHASE_TRAIN] = SAMPLES, [PHASE_EVALUATE] = SAMPLES};
    struct trial t = planned(m);
    struct options o = {.device = "cuda", .memory = getenv("MEMORY"), .quiet = true, .progress = PROGRESS_NONE};
    struct job j = {.options = &o, .plan = (struct plan *)t.p};
    NEED(recipe_read(t.p, &j.recipe) == 0);
    j.recipe.batch = SAMPLES;
    j.data.train = j.data.test = samples_for(t.p, SAMPLES);
    int status = fit(&j, samples);
    if (status == 0 && o.memory)
        NEED(stats_now().charged <= strtoull(o.memory, NULL, 10));
    if (j.device)
        j.device->close(j.device);
    free_samples(&j.data.train);
    measures_close(&j);
    trial_close(&t);
    return status;
}

/* Bounded by --memory, or by the device, of which a reserve is left alone. */
static int fit_with(const struct subject *m, const char *setting, long long bytes, char *log, size_t size)
{
    char environment[128];
    snprintf(environment, sizeof environment, "%s=%lld SIM_LEAK=77", setting, bytes);
    return in_child(environment, fit_once, (void *)m, log, size);
}

/* What netrun names as the least when it has too little. */
static long long least_for(const struct subject *m, const char *setting, long long too_little)
{
    char log[8192];
    long long least = 0;
    int status = fit_with(m, setting, too_little, log, sizeof log);
    const char *said = strstr(log, "the least");
    if (status != STATUS_BUDGET || !said || sscanf(said + strcspn(said, "0123456789"), "%lld bytes", &least) != 1)
        fail_msg("%s: status %d: %s", m->name, status, log);
    return least;
}

static void check_least(const struct subject *m)
{
    char log[8192];
    long long least = least_for(m, "MEMORY", 1 << 20), card = least_for(m, "SIM_VRAM", 150 << 20);
    if (card < least || card > least + RESERVE)
        fail_msg("%s: %lld bytes of budget, but a card of %lld", m->name, least, card);
    if (fit_with(m, "SIM_VRAM", (card + GRANULE - 1) / GRANULE * GRANULE, log, sizeof log) != 0)
        fail_msg("%s: a card of %lld bytes is not enough: %s", m->name, card, log);
    if (fit_with(m, "MEMORY", least, log, sizeof log) != 0 ||
        fit_with(m, "SIM_VRAM", least + RESERVE, log, sizeof log) != 0)
        fail_msg("%s: %lld bytes are not enough: %s", m->name, least, log);
    if (fit_with(m, "MEMORY", least - 1, log, sizeof log) != STATUS_BUDGET ||
        fit_with(m, "SIM_VRAM", least + RESERVE - GRANULE, log, sizeof log) != STATUS_BUDGET)
        fail_msg("%s: less than %lld bytes are enough: %s", m->name, least, log);
}

static void at_the_least_it_arms(void **state)
{
    (void)state;
    if (!sim_there())
        skip();
    for (int m = 0; m < COUNT(subjects); m++)
        if (subjects[m].cases > 1)
            check_least(&subjects[m]);
}

/* What the driver takes only when kernels run is the budget's too. */
static void lazy_memory_is_counted(void **state)
{
    (void)state;
    enum { LAZY = 32 << 20 };
    char log[8192];
    const struct subject *m = &subjects[1];
    if (!sim_there())
        skip();
    long long least = least_for(m, "MEMORY", 1 << 20);
    setenv("SIM_LAZY", "32MiB", 1);
    assert_int_equal(fit_with(m, "MEMORY", least + LAZY, log, sizeof log), 0);
    if (fit_with(m, "MEMORY", least + LAZY - 1, log, sizeof log) != STATUS_BUDGET ||
        !strstr(log, "the driver took more memory when kernels ran"))
        fail_msg("%s", log);
    assert_int_equal(fit_with(m, "MEMORY", least + 4LL * LAZY, log, sizeof log), 0);
    unsetenv("SIM_LAZY");
}

int main(int argc, char **argv)
{
    (void)argc;
    use_cache(argv[0]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_granted_arms),
        cmocka_unit_test(at_the_least_it_arms),
        cmocka_unit_test(lazy_memory_is_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
