/* A batch that runs in parts is the same batch: gradients, weights, optimizer and dropout's masks, tails included. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "harness.h"
#include "cpu/device_cpu.h"
#include "plan/op.h"

enum { SAMPLES = 104, PIXELS = 5, CLASSES = 3, STEPS = 4, MOST = 4096 };

static float samples[SAMPLES * PIXELS];
static int32_t targets[SAMPLES];

static int32_t masks[SAMPLES * PIXELS];

static const struct device_data of_classes = {samples,         targets, true, SAMPLES, PIXELS * sizeof(float),
                                              sizeof(int32_t), NULL};
static const struct device_data of_masks = {
    samples, masks, true, SAMPLES, PIXELS * sizeof(float), PIXELS * sizeof(int32_t), NULL};
static struct device_data data;
static struct weighed weighed; /* its targets */

static int make_data(void **state)
{
    (void)state;
    uint32_t x = 1;
    for (int i = 0; i < SAMPLES * PIXELS; i++) {
        x = x * 1664525u + 1013904223u;
        samples[i] = (float)(x >> 8) / (1 << 23) - 1;
    }
    for (int i = 0; i < SAMPLES; i++) {
        x = x * 1664525u + 1013904223u;
        targets[i] = (int32_t)((x >> 8) % CLASSES);
    }
    for (int i = 0; i < SAMPLES * PIXELS; i++) { /* few samples have all their places, and some have none */
        x = x * 1664525u + 1013904223u;
        masks[i] = (x >> 8) % SAMPLES > (uint32_t)(i / PIXELS) ? (int32_t)((x >> 16) % CLASSES) : 255;
    }
    data = of_classes;
    return 0;
}

static const char *loss = "CrossEntropy(logits, y)";

static struct trial planned(const char *optimizer, const char *layer)
{
    static char text[1024];
    const bool mask = data.targets == masks;
    struct trial t;
    snprintf(
        text, sizeof text,
        "net micro\ninput x : f32[%s%d%s]\ntarget y : class[%d%s]\nlogits = x -> fc1: %s -> ReLU -> %s -> fc2: %s\n"
        "output logits\ntrain {\n    loss = %s\n    optimizer = %s\n}\n",
        mask ? "1, " : "", PIXELS, mask ? ", 1" : "", CLASSES, mask ? ", 5, 1" : "",
        mask ? "Conv(12, kernel = 1)" : "Linear(12)", layer, mask ? "Conv(3, kernel = 1)" : "Linear(3)", loss,
        optimizer);
    assert_true(trial_plan(&t, "micro.net", strdup(text), NULL, 0, stderr));
    use_flags("-O1");
    return t;
}

/* What some steps left: losses, every parameter, state and slot, and the gradients of the last batch. */
struct trained {
    int n;
    float value[MOST];
};

static void keep(struct trained *r, const void *value, int n)
{
    assert_true(r->n + n <= MOST);
    memcpy(r->value + r->n, value, (size_t)n * sizeof(float));
    r->n += n;
}

static void keep_tensor(struct trained *r, struct device *d, int t, int64_t at, int64_t bytes)
{
    float value[MOST];
    assert_true(bytes <= (int64_t)sizeof value && d->read(d, PHASE_TRAIN, t, at, value, bytes));
    keep(r, value, (int)(bytes / 4));
}

/* Micro 0: for batches in one piece. */
static struct device *armed(const struct plan *p, int64_t batch, int64_t micro, int threads)
{
    struct device_error e;
    const int64_t rows = micro ? micro : batch;
    struct device_rows capacity = {.rows = {[PHASE_TRAIN] = (rows + ROW_BLOCK - 1) / ROW_BLOCK * ROW_BLOCK},
                                   .parts = micro > 0};
    struct device *d = device_cpu_open(&(struct device_options){.threads = threads}, &e);
    if (!d || !d->compile(d, p, &e) || !d->arm(d, &capacity, &data, 1, INT64_MAX, &e) || !d->data(d, &data, &e))
        fail_msg("%s", e.text);
    return d;
}

/* One step; the mean loss of its batch, NaN if it is not finite. */
static float step(struct device *d, const struct recipe *r, int64_t micro, int64_t at)
{
    struct device_error e;
    int64_t steps = (SAMPLES - 1) / r->batch + 1, position = at % steps * r->batch, left = SAMPLES - position;
    int64_t rows = left < r->batch ? left : r->batch;
    double loss = 0;
    uint32_t finite = 1;
    for (int64_t done = 0; done < rows;) {
        uint32_t control[CTL_WORDS];
        int64_t part = micro && micro < rows - done ? micro : rows - done;
        control_train(r, at, at / steps, position, rows, SAMPLES, control);
        control_weigh_batch(&weighed, control);
        if (micro)
            control_part(control, done, part);
        if (!d->run(d, PHASE_TRAIN, &control, 1, &e))
            fail_msg("%s", e.text);
        loss += (double)control_float(control, CTL_LOSS) * (double)part;
        finite = control[CTL_FINITE];
        done += part;
    }
    return finite ? (float)(loss / (double)rows) : NAN;
}

/* Micro 0: in one piece. */
static struct trained train_parts(const struct plan *p, int64_t batch, int64_t micro, int threads)
{
    struct trained r = {0};
    struct job j = {.plan = (struct plan *)p, .phase = PHASE_TRAIN, .device = armed(p, batch, micro, threads)};
    assert_int_equal(recipe_read(p, &j.recipe), 0);
    j.recipe.batch = batch;
    recipe_count(&j.recipe, SAMPLES);
    assert_int_equal(init_weights(&j), 0);
    for (int64_t at = 0; at < STEPS; at++) {
        float loss = step(j.device, &j.recipe, micro, at);
        keep(&r, &loss, 1);
    }
    int schedule = (int)(plan_schedule(p, &target_cpu, PHASE_TRAIN) - p->schedule);
    int gradients = plan_find_tensor(p, schedule, "@gradients");
    for (int t = 0; t < p->ntensor; t++)
        if (tensor_is_named(p, t))
            keep_tensor(&r, j.device, t, 0, p->tensor[t].bytes);
        else if (p->tensor[t].role == ROLE_GRAD && p->tensor[t].schedule == schedule &&
                 !strncmp(p->tensor[t].name, "grad.", 5))
            keep_tensor(&r, j.device, gradients, p->tensor[t].at, p->tensor[t].bytes);
    j.device->close(j.device);
    return r;
}

static void assert_close(const struct trained *a, const struct trained *b, double tolerance)
{
    double most = 0, error = 0;
    assert_int_equal(a->n, b->n);
    for (int i = 0; i < a->n; i++) {
        most = fmax(most, fabs((double)b->value[i]));
        error = fmax(error, fabs((double)a->value[i] - (double)b->value[i]));
    }
    if (!(error <= tolerance * most))
        fail_msg("off by %g, the largest value is %g", error, most);
}

/* Rows of batch and micro-batch; epochs of 104 samples end with a tail for all but the first. */
static const struct {
    int64_t batch, micro;
} splits[] = {{104, 16}, {96, 32}, {80, 48}, {40, 16}, {33, 32}, {24, 16}};

static void check_splits(const char *optimizer, const char *layer)
{
    struct trial t = planned(optimizer, layer);
    for (int s = 0; s < COUNT(splits); s++) {
        struct trained whole = train_parts(t.p, splits[s].batch, 0, 1),
                       parts = train_parts(t.p, splits[s].batch, splits[s].micro, 1);
        assert_close(&parts, &whole, 1e-6);
    }
    trial_close(&t);
}

static void parts_give_the_same_step(void **state)
{
    (void)state;
    check_splits("SGD(lr = 0.1)", "ReLU");
    check_splits("SGD(lr = 0.1, momentum = 0.9, decay = 0.01)", "ReLU");
    check_splits("Adam(lr = 1e-2, eps = 1e-4)", "ReLU");
    check_splits("AdamW(lr = 1e-2, eps = 1e-4)", "ReLU");
    check_splits("LAMB(lr = 1e-3, eps = 1e-3)", "ReLU");
    check_splits("Muon(lr = 1e-3, adam_eps = 1e-3, eps = 1)", "ReLU");
}

/* What a batch's loss is divided by is a sum over all of its targets: its parts know it, too. */
static void parts_weigh_the_same(void **state)
{
    static const char *const losses[] = {"CrossEntropy(logits, y)",
                                         "CrossEntropy(logits, y, smoothing = 0.1, weights = [1, 20, 0.05])"};
    (void)state;
    for (int i = 0; i < 2 * COUNT(losses); i++) {
        data = i / 2 ? of_masks : of_classes;
        loss = losses[i % 2];
        struct trial t = planned("SGD(lr = 0.1)", "ReLU");
        assert_int_equal(weigh_targets(t.p, data.targets, SAMPLES, &weighed), 0);
        assert_int_equal(weighed.of != NULL, i > 0);
        trial_close(&t);
        check_splits("SGD(lr = 0.1)", "ReLU");
        weigh_free(&weighed);
    }
    data = of_classes;
    loss = losses[0];
}

static void parts_draw_the_same_masks(void **state)
{
    (void)state;
    check_splits("SGD(lr = 0.1, momentum = 0.9)", "Dropout(0.4)");
}

/* With one part nothing is rounded otherwise. */
static void one_part_gives_the_same_bits(void **state)
{
    (void)state;
    struct trial t = planned("Adam", "Dropout(0.4)");
    struct trained whole = train_parts(t.p, 40, 0, 1), part = train_parts(t.p, 40, 48, 1);
    assert_int_equal(whole.n, part.n);
    assert_memory_equal(whole.value, part.value, (size_t)whole.n * sizeof(float));
    trial_close(&t);
}

/* The sum outlives a run; nothing else does. */
static void check_memory_and_threads(const char *optimizer)
{
    struct trial t = planned(optimizer, "Dropout(0.4)");
    struct trained plain = train_parts(t.p, 80, 32, 1), threads = train_parts(t.p, 80, 32, 3);
    setenv("NETRUN_POISON", "1", 1);
    struct trained poisoned = train_parts(t.p, 80, 32, 2);
    unsetenv("NETRUN_POISON");
    assert_memory_equal(plain.value, threads.value, (size_t)plain.n * sizeof(float));
    assert_memory_equal(plain.value, poisoned.value, (size_t)plain.n * sizeof(float));
    trial_close(&t);
}

static void memory_and_threads_do_not_matter(void **state)
{
    (void)state;
    check_memory_and_threads("Adam");
    check_memory_and_threads("LAMB");
    check_memory_and_threads("Muon");
}

/* A loss that is not finite in any part changes no weight, and the batch after it is right again. */
static void any_part_stops_the_update(void **state)
{
    (void)state;
    struct trial t = planned("SGD(lr = 0.1, momentum = 0.9)", "ReLU");
    struct job j = {.plan = (struct plan *)t.p, .phase = PHASE_TRAIN, .device = armed(t.p, 48, 16, 1)};
    assert_int_equal(recipe_read(t.p, &j.recipe), 0);
    j.recipe.batch = 48;
    j.recipe.shuffle = false;
    recipe_count(&j.recipe, SAMPLES);
    assert_int_equal(init_weights(&j), 0);
    int weight = plan_find_tensor(t.p, -1, "fc1.weight");
    float was = samples[0];
    for (int part = 0; part < 3; part++) {
        struct trained before = {0}, after = {0};
        keep_tensor(&before, j.device, weight, 0, t.p->tensor[weight].bytes);
        float *bad = &samples[part * 16 * PIXELS], good = *bad;
        *bad = NAN;
        assert_true(isnan(step(j.device, &j.recipe, 16, 0)));
        *bad = good;
        keep_tensor(&after, j.device, weight, 0, t.p->tensor[weight].bytes);
        assert_memory_equal(before.value, after.value, (size_t)before.n * sizeof(float));
        assert_true(isfinite(step(j.device, &j.recipe, 16, 0)));
        after.n = 0;
        keep_tensor(&after, j.device, weight, 0, t.p->tensor[weight].bytes);
        assert_memory_not_equal(before.value, after.value, (size_t)before.n * sizeof(float));
        for (int i = 0; i < after.n; i++)
            assert_true(isfinite(after.value[i]));
    }
    assert_true(samples[0] == was);
    j.device->close(j.device);
    trial_close(&t);
}

/* Statistics of parts are means over the rows of the part: the running mean of a batch of 32 in two parts is the one after
 * two batches of 16, if nothing is learned. */
static void statistics_are_those_of_the_parts(void **state)
{
    (void)state;
    struct trial t = planned("SGD(lr = 0)", "BatchNorm");
    int mean = -1;
    for (int i = 0; i < t.p->ntensor; i++)
        if (tensor_is_named(t.p, i) && strstr(t.p->tensor[i].name, "running_mean"))
            mean = i;
    struct trained found[2] = {{0}};
    for (int parts = 0; parts < 2; parts++) {
        struct job j = {.plan = (struct plan *)t.p, .phase = PHASE_TRAIN, .device = armed(t.p, 16, parts ? 16 : 0, 1)};
        assert_int_equal(recipe_read(t.p, &j.recipe), 0);
        j.recipe.batch = parts ? 32 : 16;
        j.recipe.shuffle = false;
        recipe_count(&j.recipe, SAMPLES);
        assert_int_equal(init_weights(&j), 0);
        for (int at = 0; at < 2 / (1 + parts); at++)
            step(j.device, &j.recipe, parts ? 16 : 0, at);
        keep_tensor(&found[parts], j.device, mean, 0, t.p->tensor[mean].bytes);
        j.device->close(j.device);
    }
    assert_memory_equal(found[0].value, found[1].value, (size_t)found[0].n * sizeof(float));
    trial_close(&t);
}

/* A batch in one piece runs every kernel but the one that sums, in the arena without the bytes of the sum; in parts these lie
 * behind all others. */
static void one_piece_pays_nothing(void **state)
{
    (void)state;
    struct trial t = planned("Adam", "ReLU");
    const struct schedule *s = plan_schedule(t.p, &target_cpu, PHASE_TRAIN);
    int sum = plan_find_tensor(t.p, (int)(s - t.p->schedule), "@gradients.sum"), summing = 0;
    struct device *whole = armed(t.p, 48, 0, 1), *parts = armed(t.p, 96, 48, 1);
    float value;
    for (int k = s->first_kernel; k < s->last_kernel; k++) {
        int list[MAX_STAGES * 2 * MAX_OPERANDS], n = kernel_operands(t.p, k, list);
        bool touches = false;
        for (int i = 0; i < n; i++)
            touches |= t.p->tensor[list[i]].role == ROLE_SUM;
        assert_true(kernel_runs(t.p, k, true));
        assert_int_equal(kernel_runs(t.p, k, false), !touches);
        summing += touches;
    }
    assert_int_equal(summing, 1);
    assert_int_equal(whole->arena(whole), schedule_arena(t.p, s, 48));
    assert_int_equal(parts->arena(parts), schedule_arena(t.p, s, 48) + s->parts);
    assert_int_equal(s->parts, (t.p->tensor[sum].bytes + FIXED_ALIGN - 1) / FIXED_ALIGN * FIXED_ALIGN);
    assert_int_equal(tensor_place(t.p, s, sum, 48), schedule_arena(t.p, s, 48));
    assert_false(whole->read(whole, PHASE_TRAIN, sum, 0, &value, sizeof value));
    assert_true(parts->read(parts, PHASE_TRAIN, sum, 0, &value, sizeof value));
    whole->close(whole);
    parts->close(parts);
    trial_close(&t);
}

/* After a step the gradients are still there, of the whole batch: plain SGD has moved each weight by lr times its own. */
static void gradients_outlive_the_step(void **state)
{
    const float lr = 0.125F;
    struct trial t = planned("SGD(lr = 0.125)", "ReLU");
    const struct schedule *s = plan_schedule(t.p, &target_cpu, PHASE_TRAIN);
    (void)state;
    for (int64_t micro = 0; micro <= 16; micro += 16) {
        struct job j = {.plan = t.c.plan, .phase = PHASE_TRAIN, .device = armed(t.p, 40, micro, 2)};
        struct trained before = {0}, after = {0}, gradient = {0};
        assert_int_equal(recipe_read(t.p, &j.recipe), 0);
        j.recipe.batch = 40;
        recipe_count(&j.recipe, SAMPLES);
        assert_int_equal(init_weights(&j), 0);
        for (int p = 0; p < t.p->ntensor; p++)
            if (t.p->tensor[p].role == ROLE_PARAM && tensor_is_named(t.p, p))
                keep_tensor(&before, j.device, p, 0, t.p->tensor[p].bytes);
        step(j.device, &j.recipe, micro, 0);
        for (int p = 0; p < t.p->ntensor; p++)
            if (t.p->tensor[p].role == ROLE_PARAM && tensor_is_named(t.p, p)) {
                keep_tensor(&after, j.device, p, 0, t.p->tensor[p].bytes);
                keep_tensor(&gradient, j.device, tensor_gradient(t.p, s, p), 0, t.p->tensor[p].bytes);
            }
        assert_int_equal(before.n, PIXELS * 12 + 12 + 12 * CLASSES + CLASSES);
        for (int i = 0; i < before.n; i++)
            before.value[i] -= lr * gradient.value[i];
        assert_close(&after, &before, 1e-6);
        assert_true(gradient.value[0] != 0);
        j.device->close(j.device);
    }
    assert_int_equal(tensor_gradient(t.p, s, tensor_with_role(t.p, ROLE_INPUT)), -1);
    trial_close(&t);
}

int main(int argc, char **argv)
{
    (void)argc;
    use_cache(argv[0]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_give_the_same_step),
        cmocka_unit_test(parts_draw_the_same_masks),
        cmocka_unit_test(parts_weigh_the_same),
        cmocka_unit_test(one_part_gives_the_same_bits),
        cmocka_unit_test(memory_and_threads_do_not_matter),
        cmocka_unit_test(any_part_stops_the_update),
        cmocka_unit_test(statistics_are_those_of_the_parts),
        cmocka_unit_test(one_piece_pays_nothing),
        cmocka_unit_test(gradients_outlive_the_step),
    };
    return cmocka_run_group_tests(tests, make_data, NULL);
}
