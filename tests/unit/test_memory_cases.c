/* What people suffer from elsewhere, a test for each, by its number in the list of pains: memory that moves, tails, batches that
 * do not fit, numbers that are too large, plans that lie. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "harness.h"
#include "cpu/device_cpu.h"

enum { SAMPLES = 55, PIXELS = 28 * 28, TEXT = 1 << 16 };

static uint8_t pixels[SAMPLES * PIXELS];
static int32_t classes[SAMPLES];
static const struct device_data data = {pixels, classes, false, SAMPLES, PIXELS, sizeof(int32_t), NULL};
static struct trial mlp, cnn, resnet;

static void plan_model(struct trial *t, const char *path)
{
    assert_true(trial_plan(t, path, read_text(path), NULL, 0, stderr));
}

static int make(void **state)
{
    (void)state;
    for (int i = 0; i < SAMPLES * PIXELS; i++)
        pixels[i] = (uint8_t)(i * 7919 >> 3);
    for (int i = 0; i < SAMPLES; i++)
        classes[i] = i % 10;
    plan_model(&mlp, "models/mlp.net");
    plan_model(&cnn, "models/mnist_cnn.net");
    plan_model(&resnet, "models/resnet20.net");
    use_flags("-O1");
    return 0;
}

static int unmake(void **state)
{
    (void)state;
    trial_close(&mlp);
    trial_close(&cnn);
    trial_close(&resnet);
    return 0;
}

static struct wish wish_of(int64_t batch, int64_t samples)
{
    return (struct wish){.batch = batch,
                         .most = 256,
                         .evaluation = 1000,
                         .samples = {[PHASE_TRAIN] = samples, [PHASE_EVALUATE] = samples}};
}

static int64_t arena_of(const struct plan *p, enum phase ph, int64_t rows)
{
    return schedule_arena(p, plan_schedule(p, &target_cpu, ph), rows);
}

/* A job with first weights, armed for so many rows in training and evaluation. */
static struct job armed(const struct plan *p, int64_t rows)
{
    struct device_error e;
    struct job j = {.plan = (struct plan *)p, .phase = PHASE_TRAIN};
    j.rows.rows[PHASE_TRAIN] = j.rows.rows[PHASE_EVALUATE] = rows;
    j.device = device_cpu_open(&(struct device_options){.threads = 1}, &e);
    if (!j.device || !j.device->compile(j.device, p, &e) ||
        !j.device->arm(j.device, &j.rows, &data, 1, INT64_MAX, &e) || !j.device->data(j.device, &data, &e))
        fail_msg("%s", e.text);
    assert_int_equal(recipe_read(p, &j.recipe), 0);
    j.recipe.shuffle = false;
    recipe_count(&j.recipe, SAMPLES);
    assert_int_equal(init_weights(&j), 0);
    return j;
}

static bool run(struct job *j, int64_t step, int64_t position, int64_t rows)
{
    struct device_error e;
    uint32_t control[CTL_WORDS];
    control_train(&j->recipe, step, 0, position, rows, SAMPLES, control);
    return j->device->run(j->device, PHASE_TRAIN, &control, 1, &e) && control[CTL_FINITE];
}

static float *weights(struct job *j, int64_t *bytes)
{
    int t = plan_find_tensor(j->plan, -1, "@parameters");
    *bytes = j->plan->tensor[t].bytes;
    float *value = malloc((size_t)*bytes);
    assert_true(value && j->device->read(j->device, PHASE_TRAIN, t, 0, value, *bytes));
    return value;
}

/* Into what is there already: a block that is taken meanwhile could be what moves the heap. */
static void read_mappings(char text[TEXT])
{
    FILE *f = fopen("/proc/self/maps", "r");
    assert_non_null(f);
    text[fread(text, 1, TEXT - 1, f)] = 0;
    assert_true(*text && !fclose(f));
}

static void case_1_nothing_moves(void **state)
{
    static char before[TEXT], after[TEXT];
    (void)state;
    if (SANITIZED)
        skip(); /* it maps what it likes */
    struct job j = armed(mlp.p, 32);
    assert_true(run(&j, 0, 0, 32));
    read_mappings(before);
    read_mappings(before);
    for (int64_t step = 1; step < 40; step++)
        assert_true(run(&j, step, step % 2 * 32, step % 2 ? 23 : 32));
    read_mappings(after);
    assert_string_equal(before, after);
    j.device->close(j.device);
}

/* As if there had never been room for more than its rows. */
static void case_3_tail_batch(void **state)
{
    (void)state;
    float *kept[2];
    int64_t bytes;
    for (int roomy = 0; roomy < 2; roomy++) {
        struct job j = armed(mlp.p, roomy ? 48 : 16);
        assert_true(run(&j, 0, 48, SAMPLES - 48));
        kept[roomy] = weights(&j, &bytes);
        j.device->close(j.device);
    }
    assert_memory_equal(kept[0], kept[1], (size_t)bytes);
    free(kept[0]);
    free(kept[1]);
}

static void case_4_fewer_samples_than_a_batch(void **state)
{
    (void)state;
    struct wish w = wish_of(1000, 5);
    struct grant g;
    assert_true(budget_grant(mlp.p, &target_cpu, &w, arena_of(mlp.p, PHASE_TRAIN, 16), &g));
    assert_int_equal(g.batch, 5);
    assert_int_equal(g.rows[PHASE_TRAIN], 16);
    struct job j = armed(mlp.p, g.rows[PHASE_TRAIN]);
    assert_true(run(&j, 0, 0, 5));
    j.device->close(j.device);
}

static void case_5_more_than_was_planned(void **state)
{
    (void)state;
    struct job j = armed(mlp.p, 16);
    int64_t bytes;
    float *before = weights(&j, &bytes);
    assert_false(run(&j, 0, 0, 17));
    float *after = weights(&j, &bytes);
    assert_memory_equal(before, after, (size_t)bytes);
    free(before);
    free(after);
    j.device->close(j.device);
}

/* The larger of two phases, never their sum; the batch to test with gives way; a phase that cannot fit is refused. */
static void case_6_evaluation(void **state)
{
    (void)state;
    struct wish w = wish_of(16, 10000);
    struct grant g;
    int64_t room = arena_of(cnn.p, PHASE_TRAIN, 16);
    assert_true(room < arena_of(cnn.p, PHASE_EVALUATE, 1008));
    assert_true(budget_grant(cnn.p, &target_cpu, &w, room, &g));
    assert_true(g.evaluation > 0 && g.evaluation < 1000);
    assert_int_equal(budget_arena(cnn.p, &target_cpu, &g), room);
    struct schedule *s = (struct schedule *)plan_schedule(cnn.p, &target_cpu, PHASE_EVALUATE), kept = *s;
    s->fixed += room;
    assert_false(budget_grant(cnn.p, &target_cpu, &w, room, &g));
    assert_int_equal(g.tight->phase, PHASE_EVALUATE);
    *s = kept;
}

/* No batch needs more than a larger one: every kernel's workspace is a planned buffer, and sizes are a line. */
static void case_7_a_smaller_batch_never_needs_more(void **state)
{
    (void)state;
    const struct plan *const plans[] = {mlp.p, cnn.p, resnet.p};
    for (int i = 0; i < COUNT(plans); i++)
        for (const struct schedule *s = plans[i]->schedule; s < plans[i]->schedule + plans[i]->nschedule; s++)
            for (int64_t rows = 16; rows <= 65536; rows += 16) {
                int64_t bytes = schedule_arena(plans[i], s, rows);
                assert_int_equal(bytes - schedule_arena(plans[i], s, rows - 16), 16 * s->per_row);
                assert_int_equal(schedule_fit(plans[i], s, bytes), rows);
                assert_int_equal(schedule_fit(plans[i], s, bytes - 1), rows - 16);
            }
}

static void case_17_optimizer_state_from_the_start(void **state)
{
    (void)state;
    int64_t slots = 0, parameters = 0;
    for (const struct tensor *t = mlp.p->tensor; t < mlp.p->tensor + mlp.p->ntensor; t++) {
        slots += t->role == ROLE_SLOT && t->base < 0 ? t->bytes : 0;
        parameters += t->role == ROLE_PARAM && t->base < 0 ? t->bytes : 0;
        assert_true(t->role != ROLE_SLOT || t->base >= 0 || t->schedule < 0);
    }
    assert_int_equal(slots, 2 * parameters); /* Adam's two means */
    assert_true(mlp.p->persistent >= slots + parameters);
    /* ... of training; what only measures is granted without them, and not with a byte less. */
    const struct wish forward = {.evaluation = 16, .samples = {[PHASE_PREDICT] = 1}};
    struct grant g;
    int64_t least = budget_least(mlp.p, &target_cpu, &forward);
    assert_in_range(arena_of(mlp.p, PHASE_PREDICT, 16) - least, slots, slots + 2 * FIXED_ALIGN);
    assert_true(budget_grant(mlp.p, &target_cpu, &forward, least, &g));
    assert_int_equal(budget_arena(mlp.p, &target_cpu, &g), least);
    assert_false(budget_grant(mlp.p, &target_cpu, &forward, least - 1, &g));
}

/* What is found is found again, and what was found is granted when it is asked for. */
static void case_19_the_answer_is_kept(void **state)
{
    (void)state;
    for (int64_t room = 5 << 20; room < 200 << 20; room += 1234567) {
        struct wish w = wish_of(0, 60000), again = w;
        struct grant g, h;
        assert_true(budget_grant(cnn.p, &target_cpu, &w, room, &g));
        again.batch = g.batch;
        assert_true(budget_grant(cnn.p, &target_cpu, &again, room, &h));
        assert_memory_equal(g.rows, h.rows, sizeof g.rows);
        assert_int_equal(g.batch % ROW_BLOCK, 0);
    }
    struct wish w = wish_of(100, 60000); /* parts as they were, although there is room for more */
    struct grant g;
    w.micro = 32;
    assert_true(budget_grant(cnn.p, &target_cpu, &w, INT64_MAX, &g));
    assert_int_equal(g.micro, 32);
}

static char *refusal(const struct plan *p, const struct wish *w, int64_t room)
{
    struct grant g;
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    assert_false(budget_grant(p, &target_cpu, w, room, &g));
    budget_refuse(p, &target_cpu, w, &g, room, 0, "netrun", "4.7 MiB", out);
    fclose(out);
    return text;
}

static void case_20_a_refusal_with_numbers(void **state)
{
    (void)state;
    struct wish w = wish_of(128, 60000);
    int64_t least = budget_least(cnn.p, &target_cpu, &w);
    char *text = refusal(cnn.p, &w, least - 1), bytes[40];
    struct grant g;
    snprintf(bytes, sizeof bytes, "is %lld bytes", (long long)least);
    assert_non_null(strstr(text, bytes));
    assert_non_null(strstr(text, "the largest batch is 32;"));
    assert_non_null(strstr(text, "the largest values there, a sample: "));
    assert_non_null(strstr(text, "peak is at fc1 backward (line "));
    assert_true(budget_grant(cnn.p, &target_cpu, &w, least, &g));
    w.batch = 16;
    assert_true(budget_grant(cnn.p, &target_cpu, &w, least - 1, &g));
    free(text);
}

/* Sizes are right on both sides of 2^31 bytes, elements and rows; more rows than a batch may have are refused or split. */
static void case_21_beyond_2_31(void **state)
{
    (void)state;
    const int64_t edge = INT64_C(1) << 31;
    const struct schedule *s = plan_schedule(cnn.p, &target_cpu, PHASE_TRAIN);
    for (int64_t rows = edge / s->per_row / 16 * 16; rows <= edge;
         rows = rows < edge / 8 ? rows + 16 + rows * 7 / 16 * 16 : rows * 2) {
        __int128 exact = (__int128)rows * s->per_row + s->fixed + cnn.p->persistent;
        assert_true((__int128)schedule_arena(cnn.p, s, rows) == exact);
    }
    assert_int_equal(schedule_fit(cnn.p, s, INT64_MAX), MAX_ROWS);
    for (int64_t batch = MAX_ROWS - 1; batch <= MAX_ROWS + 1; batch++) {
        struct wish w = wish_of(batch, INT64_MAX);
        struct grant g;
        assert_true(budget_grant(cnn.p, &target_cpu, &w, INT64_MAX, &g));
        assert_int_equal(g.parts, batch > MAX_ROWS);
        assert_true(g.micro <= MAX_ROWS);
    }
    struct wish w = wish_of(INT64_C(9000000000000000), INT64_MAX);
    struct grant g;
    assert_true(budget_grant(cnn.p, &target_cpu, &w, INT64_MAX, &g) && g.micro <= MAX_ROWS);
}

static void case_23_batch_statistics_are_not_split(void **state)
{
    (void)state;
    struct wish w = wish_of(128, 50000);
    struct grant g;
    char *text = refusal(resnet.p, &w, 64 << 20);
    assert_non_null(strstr(text, "error[N0502]"));
    assert_non_null(strstr(text, "`bn0` (line "));
    free(text);
    w.split_statistics = true;
    assert_true(budget_grant(resnet.p, &target_cpu, &w, 64 << 20, &g) && g.micro < 128);
}

/* Each buffer in turn is put where its neighbour lies; test_micro and test_bits train in poisoned memory. */
static void case_25_buffers_that_overlap(void **state)
{
    (void)state;
    struct plan_error e;
    struct plan *p = (struct plan *)cnn.p;
    int tried = 0;
    assert_true(plan_judge(p, &e));
    for (int i = 0; i < p->ntensor; i++)
        for (int k = 0; k < i; k++) {
            struct tensor *a = &p->tensor[i], *b = &p->tensor[k];
            if (a->schedule != b->schedule || a->rows != b->rows || (a->role == ROLE_SUM) != (b->role == ROLE_SUM) ||
                a->base >= 0 || b->base >= 0 || !tensor_stored(a) || !tensor_stored(b) ||
                (a->schedule >= 0 && (a->last <= b->first || b->last <= a->first)))
                continue;
            int64_t kept = a->offset;
            a->offset = b->offset;
            assert_false(plan_judge(p, &e));
            a->offset = kept;
            tried++;
        }
    assert_true(tried > 100 && plan_judge(p, &e));
}

static void case_26_a_plan_is_not_trusted(void **state)
{
    (void)state;
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    assert_true(plan_write(mlp.p, out) && fclose(out) == 0);
    struct plan_error e;
    struct plan *p = plan_read(text, size, &e);
    assert_non_null(p);
    plan_free(p);
    for (size_t cut = 0; cut < size; cut += 997) {
        assert_null(plan_read(text, cut, &e));
        text[cut] ^= 4;
        assert_null(plan_read(text, size, &e));
        text[cut] ^= 4;
    }
    free(text);
    struct wish w = wish_of(16, 100); /* a plan for one target only */
    struct plan other = *mlp.p;
    struct grant g;
    while (other.nschedule > 0 && other.schedule[other.nschedule - 1].target == &target_cuda)
        other.nschedule--;
    assert_false(budget_grant(&other, &target_cuda, &w, INT64_MAX, &g));
    assert_int_equal(g.verdict, NO_SCHEDULE);
}

/* What does not fit is not planned around: there is no grant, and so nothing to run. */
static void case_27_refused_before_anything_runs(void **state)
{
    (void)state;
    struct wish w = wish_of(64, 60000);
    for (int64_t room = 0; room < budget_least(mlp.p, &target_cpu, &w); room += 65521) {
        struct grant g;
        assert_false(budget_grant(mlp.p, &target_cpu, &w, room, &g));
        assert_int_equal(g.rows[PHASE_TRAIN], 0);
    }
}

/* What is taken is what was planned, to the byte. */
static void case_28_planned_is_taken(void **state)
{
    (void)state;
    for (int64_t rows = 16; rows <= 64; rows += 16) {
        struct job j = armed(mlp.p, rows);
        int64_t train = arena_of(mlp.p, PHASE_TRAIN, rows), evaluate = arena_of(mlp.p, PHASE_EVALUATE, rows);
        assert_int_equal(j.device->arena(j.device), train > evaluate ? train : evaluate);
        j.device->close(j.device);
    }
}

int main(int argc, char **argv)
{
    (void)argc;
    use_cache(argv[0]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(case_1_nothing_moves),
        cmocka_unit_test(case_3_tail_batch),
        cmocka_unit_test(case_4_fewer_samples_than_a_batch),
        cmocka_unit_test(case_5_more_than_was_planned),
        cmocka_unit_test(case_6_evaluation),
        cmocka_unit_test(case_7_a_smaller_batch_never_needs_more),
        cmocka_unit_test(case_17_optimizer_state_from_the_start),
        cmocka_unit_test(case_19_the_answer_is_kept),
        cmocka_unit_test(case_20_a_refusal_with_numbers),
        cmocka_unit_test(case_21_beyond_2_31),
        cmocka_unit_test(case_23_batch_statistics_are_not_split),
        cmocka_unit_test(case_25_buffers_that_overlap),
        cmocka_unit_test(case_26_a_plan_is_not_trusted),
        cmocka_unit_test(case_27_refused_before_anything_runs),
        cmocka_unit_test(case_28_planned_is_taken),
    };
    return cmocka_run_group_tests(tests, make, unmake);
}
