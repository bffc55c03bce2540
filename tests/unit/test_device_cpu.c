/* The cpu device with a plan and kernels written by hand: places, tasks, barriers, copies, refusals. */
#define _GNU_SOURCE 1
#include "cpu/device_cpu.h"
#include "netc/compile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

/* train:   made = weight[0] * sample; twice = 2 * made (in six slices of a block pair); weight[1] = loss = sum(twice);
 *          weight[2] = weight[1] + 1
 * predict: twice = weight[1] + sample */
static const char kernels[] =
    "struct args { void *const *t; uint32_t *control; const float *samples; const void *targets; int32_t f32, blocks; };\n"
    "typedef struct args args;\n"
    "static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }\n"
    "static void make(const args *a, int64_t first, int64_t last) {\n"
    "    const float *weight = a->t[0]; float *made = a->t[1];\n"
    "    for (int64_t n = first * BLOCK; n < least(last * BLOCK, a->control[ROWS]); n++)\n"
    "        made[4 * n] = weight[0] * a->samples[n];\n"
    "}\n"
    "static void twice(const args *a, int64_t first, int64_t last) {\n"
    "    const float *made = a->t[0]; float *out = a->t[1];\n"
    "    for (int64_t task = first; task < last; task++)\n"
    "        for (int64_t n = task / 6 * 2 * BLOCK; n < least((task / 6 + 1) * 2 * BLOCK, a->control[ROWS]); n++)\n"
    "            if (n % 6 == task % 6)\n"
    "                out[4 * n] = 2 * made[4 * n];\n"
    "}\n"
    "static void sum(const args *a, int64_t first, int64_t last) {\n"
    "    const float *in = a->t[0]; float *weight = a->t[1], s = 0;\n"
    "    for (int64_t n = 0; first < last && n < a->control[ROWS]; n++)\n"
    "        s += in[4 * n];\n"
    "    weight[1] = s;\n"
    "    __builtin_memcpy(&a->control[LOSS], &s, sizeof s);\n"
    "}\n"
    "static void next(const args *a, int64_t first, int64_t last) {\n"
    "    float *weight = a->t[0];\n"
    "    weight[2] = weight[1] + (float)(last - first);\n"
    "}\n"
    "static void answer(const args *a, int64_t first, int64_t last) {\n"
    "    const float *weight = a->t[0]; float *out = a->t[1];\n"
    "    for (int64_t n = first * BLOCK; n < least(last * BLOCK, a->control[ROWS]); n++)\n"
    "        out[4 * n] = weight[1] + a->samples[n];\n"
    "}\n"
    "static const struct { void (*run)(const args *, int64_t, int64_t); int32_t blocks, splits; const void *stream; }\n"
    "    table[] = {{make, 1, 1}, {twice, 2, 6}, {sum, 0, 1}, {next, 0, 1}, {answer, 1, 1}};\n"
    "const struct { int32_t abi, kernels, lanes, real_bytes; const void *kernel; }\n"
    "    nr_object = {3, 5, LANES, 4, table};\n";

static bool emit_by_hand(const struct plan *p, const struct emit_options *o, FILE *out)
{
    (void)p;
    return fprintf(out, "#include <stdint.h>\nenum { BLOCK = %d, ROWS = %d, LOSS = %d, LANES = %d };\n%s", ROW_BLOCK,
                   CTL_ROWS, CTL_LOSS, o->lanes, kernels) > 0;
}

/* Good kernels, of which the emitter says that they are not whole. */
static bool emit_in_vain(const struct plan *p, const struct emit_options *o, FILE *out)
{
    emit_by_hand(p, o, out);
    return false;
}

enum { WEIGHT, CONTROL, MADE, TWICE, PREDICT_CONTROL, ANSWER, TENSORS };

static struct tensor tensors[TENSORS] = {
    [WEIGHT] = {.name = "weight",
                .role = ROLE_PARAM,
                .rank = 1,
                .dim = {4},
                .schedule = -1,
                .base = -1,
                .bytes = 256,
                .last = 4},
    [CONTROL] = {.name = "control",
                 .role = ROLE_CONTROL,
                 .dtype = DT_U32,
                 .rank = 1,
                 .dim = {CTL_WORDS},
                 .schedule = 0,
                 .base = -1,
                 .bytes = 256,
                 .offset = 256,
                 .last = 4},
    [MADE] = {.name = "made", .rows = true, .rank = 1, .dim = {4}, .schedule = 0, .base = -1, .bytes = 16, .last = 2},
    [TWICE] = {.name = "twice",
               .rows = true,
               .rank = 1,
               .dim = {4},
               .schedule = 0,
               .base = -1,
               .bytes = 16,
               .offset = 16,
               .first = 1,
               .last = 3},
    [PREDICT_CONTROL] = {.name = "control",
                         .role = ROLE_CONTROL,
                         .dtype = DT_U32,
                         .rank = 1,
                         .dim = {CTL_WORDS},
                         .schedule = 1,
                         .base = -1,
                         .bytes = 256,
                         .last = 1},
    [ANSWER] =
        {.name = "answer", .rows = true, .rank = 1, .dim = {4}, .schedule = 1, .base = -1, .bytes = 16, .last = 1},
};

static const struct op by_hand = {.name = "by_hand"};
/* clang-format off */
#define STAGE(a, b) .nstage = 1, .stage = (struct stage[]){{.op = &by_hand, .nin = 1, .nout = 1, .in = (int[]){a}, .out = (int[]){b}}}

static struct kernel table[] = {
    {.name = "make", STAGE(WEIGHT, MADE)},  {.name = "twice", STAGE(MADE, TWICE)}, {.name = "sum", STAGE(TWICE, WEIGHT)},
    {.name = "next", STAGE(WEIGHT, WEIGHT)}, {.name = "answer", .schedule = 1, STAGE(WEIGHT, ANSWER)},
};

static struct schedule schedules[] = {
    {.target = &target_cpu, .phase = PHASE_TRAIN, .last_kernel = 4, .fixed = 512, .per_row = 32, .bound_per_row = 32},
    {.target = &target_cpu, .phase = PHASE_PREDICT, .first_kernel = 4, .last_kernel = 5, .fixed = 256, .per_row = 16,
     .bound_per_row = 16},
};
/* clang-format on */

static struct plan plan = {
    .net = "by_hand",
    .source = "",
    .file = "by_hand.net",
    .ntensor = TENSORS,
    .nkernel = 5,
    .nschedule = 2,
    .tensor = tensors,
    .kernel = table,
    .schedule = schedules,
    .persistent = 256,
};

enum { ROWS = 160, SAMPLES = 160 };
static float samples[SAMPLES];
static char folder[] = "/tmp/test_device_cpu-XXXXXX";

static struct device *open_compiled(int threads)
{
    struct device_options o = {.threads = threads};
    struct device_error e = {0};
    struct device *d = device_cpu_open_with(&o, emit_by_hand, &e);
    assert_non_null(d);
    if (!d->compile(d, &plan, &e))
        fail_msg("%s", e.text);
    return d;
}

static struct device *open_armed(int threads)
{
    struct device_rows rows = {.rows = {[PHASE_TRAIN] = ROWS, [PHASE_PREDICT] = ROWS}};
    struct device_error e = {0};
    struct device *d = open_compiled(threads);
    if (!d->arm(d, &rows, NULL, 0, INT64_MAX, &e))
        fail_msg("%s", e.text);
    assert_true(d->data(d, &(struct device_data){.samples = samples, .samples_f32 = true, .count = SAMPLES}, &e));
    return d;
}

static float weight_at(struct device *d, int index)
{
    float w = 0;
    assert_true(d->read(d, PHASE_TRAIN, WEIGHT, index * (int64_t)sizeof w, &w, sizeof w));
    return w;
}

static uint32_t control[CTL_WORDS]; /* of the last run */

static void run(struct device *d, enum phase ph, uint32_t rows)
{
    struct device_error e = {0};
    memset(control, 0, sizeof control);
    control[CTL_ROWS] = rows;
    control[CTL_LOSS] = 77;
    if (!d->run(d, ph, &control, 1, &e))
        fail_msg("%s", e.text);
}

/* One training run and one prediction, for every kind of batch; the sum in the same order as the kernel's. */
static void check_runs(int threads)
{
    static const uint32_t batches[] = {1, 15, 16, 17, 32, 33, 100, 159, 160};
    struct device *d = open_armed(threads);
    for (size_t b = 0; b < sizeof batches / sizeof *batches; b++) {
        uint32_t rows = batches[b];
        float start = 0.1f + (float)b, sum = 0, loss, answers[ROWS][4];
        assert_true(d->write(d, PHASE_TRAIN, WEIGHT, 0, &start, sizeof start));
        run(d, PHASE_TRAIN, rows);
        for (uint32_t n = 0; n < rows; n++)
            sum += 2 * (start * samples[n]);
        memcpy(&loss, &control[CTL_LOSS], sizeof loss);
        assert_int_equal(control[CTL_ROWS], rows);
        assert_memory_equal(&loss, &sum, sizeof sum);
        assert_true(weight_at(d, 0) == start);
        assert_true(weight_at(d, 1) == sum);
        assert_true(weight_at(d, 2) == sum + 1);
        run(d, PHASE_PREDICT, rows);
        assert_true(d->read(d, PHASE_PREDICT, ANSWER, 0, answers, sizeof answers));
        for (uint32_t n = 0; n < rows; n++)
            assert_true(answers[n][0] == sum + samples[n]);
    }
    d->close(d);
}

static void test_same_bits_for_any_threads(void **state)
{
    (void)state;
    for (int threads = 1; threads <= 7; threads += threads == 1 ? 1 : 5)
        check_runs(threads);
}

static struct {
    struct device *device;
    int kernels;
    float made, twice, next; /* when their kernels are done */
} trail;

static void traced(void *to, int kernel, double seconds)
{
    assert_ptr_equal(to, &trail);
    assert_int_equal(kernel, trail.kernels++);
    assert_true(seconds >= 0);
    float *value = kernel == 0 ? &trail.made : &trail.twice;
    if (kernel < 2)
        assert_true(
            trail.device->read(trail.device, PHASE_TRAIN, kernel ? TWICE : MADE, 16 * 32, value, sizeof *value));
    if (kernel == 2)
        assert_true(weight_at(trail.device, 2) == 0); /* the next one has not begun */
}

/* Kernel by kernel, each seen when it is done; and it comes to the same. */
static void test_trace(void **state)
{
    (void)state;
    struct device_error e = {0};
    float start = 0.3f, zero = 0, sum;
    for (int threads = 1; threads <= 2; threads++) {
        struct device *d = open_armed(threads);
        memset(&trail, 0, sizeof trail);
        trail.device = d;
        assert_true(d->write(d, PHASE_TRAIN, WEIGHT, 0, &start, sizeof start));
        run(d, PHASE_TRAIN, 33);
        sum = weight_at(d, 1);
        assert_true(d->write(d, PHASE_TRAIN, WEIGHT, 4, &zero, sizeof zero));
        assert_true(d->write(d, PHASE_TRAIN, WEIGHT, 8, &zero, sizeof zero));
        control[CTL_LOSS] = 77;
        assert_true(d->trace(d, PHASE_TRAIN, control, traced, &trail, &e));
        assert_int_equal(trail.kernels, 4);
        assert_true(trail.made == start * samples[32] && trail.twice == 2 * trail.made);
        assert_true(weight_at(d, 1) == sum && weight_at(d, 2) == sum + 1);
        assert_memory_equal(&control[CTL_LOSS], &sum, sizeof sum);
        control[CTL_ROWS] = 161;
        assert_false(d->trace(d, PHASE_TRAIN, control, traced, &trail, &e));
        assert_int_equal(trail.kernels, 4);
        d->close(d);
    }
}

static void test_poison_reaches_all_but_what_persists(void **state)
{
    (void)state;
    uint32_t words[4 * ROWS];
    setenv("NETRUN_POISON", "1", 1);
    check_runs(2);
    struct device *d = open_armed(1);
    unsetenv("NETRUN_POISON");
    run(d, PHASE_TRAIN, 16);
    assert_true(d->read(d, PHASE_TRAIN, MADE, 0, words, sizeof words));
    assert_true(words[4 * 15] != UINT32_MAX);
    assert_true(words[1] == UINT32_MAX && words[4 * 16] == UINT32_MAX && words[4 * ROWS - 1] == UINT32_MAX);
    assert_true(weight_at(d, 3) == 0);
    d->close(d);
}

static void test_arena_is_as_planned(void **state)
{
    (void)state;
    struct device_rows rows = {.rows = {[PHASE_TRAIN] = 16, [PHASE_PREDICT] = 4096 * ROW_BLOCK}};
    struct device_error e = {0};
    struct device *d = open_compiled(2);
    for (int i = 0; i < 2; i++) { /* armed again: zero again */
        float one = 1;
        assert_true(d->arm(d, &rows, NULL, 0, INT64_MAX, &e));
        assert_int_equal(d->arena(d), 256 + 256 + 16 * rows.rows[PHASE_PREDICT]);
        assert_true(weight_at(d, 0) == 0);
        assert_true(d->write(d, PHASE_PREDICT, WEIGHT, 0, &one, sizeof one));
        assert_true(weight_at(d, 0) == 1);
        assert_true(d->write(d, PHASE_PREDICT, ANSWER, 16 * rows.rows[PHASE_PREDICT] - 4, &one, sizeof one));
    }
    rows.rows[PHASE_TRAIN] = 4096 * ROW_BLOCK;
    assert_true(d->arm(d, &rows, NULL, 0, INT64_MAX, &e));
    assert_int_equal(d->arena(d), 256 + 512 + 32 * rows.rows[PHASE_TRAIN]);
    d->close(d);
}

static void test_ranges(void **state)
{
    (void)state;
    char bytes[512];
    struct device_rows rows = {.rows = {[PHASE_TRAIN] = 16}};
    struct device_error e = {0};
    struct device *d = open_compiled(1);
    assert_false(d->read(d, PHASE_TRAIN, WEIGHT, 0, bytes, 4));
    assert_true(d->arm(d, &rows, NULL, 0, INT64_MAX, &e));
    assert_true(d->read(d, PHASE_TRAIN, WEIGHT, 0, bytes, 256));
    assert_true(d->read(d, PHASE_PREDICT, WEIGHT, 256, bytes, 0));
    assert_true(d->read(d, PHASE_TRAIN, MADE, 0, bytes, 256));
    assert_false(d->read(d, PHASE_TRAIN, MADE, 0, bytes, 257));
    assert_false(d->read(d, PHASE_TRAIN, MADE, INT64_MAX, bytes, INT64_MAX));
    assert_false(d->read(d, PHASE_TRAIN, WEIGHT, -1, bytes, 4));
    assert_false(d->read(d, PHASE_TRAIN, WEIGHT, 0, bytes, -4));
    assert_false(d->write(d, PHASE_TRAIN, WEIGHT, 253, bytes, 4));
    assert_false(d->read(d, PHASE_TRAIN, ANSWER, 0, bytes, 4));
    assert_false(d->read(d, PHASE_PREDICT, ANSWER, 0, bytes, 4));
    assert_false(d->read(d, PHASE_TRAIN, TENSORS, 0, bytes, 4));
    assert_false(d->read(d, PHASE_TRAIN, -1, 0, bytes, 4));
    d->close(d);
}

static void refuse_arm(struct device *d, struct device_rows rows, int status)
{
    struct device_error e = {0};
    uint32_t one[1][CTL_WORDS] = {{[CTL_ROWS] = 1}};
    assert_false(d->arm(d, &rows, NULL, 0, INT64_MAX, &e));
    assert_int_equal(e.status, status);
    assert_int_equal(d->arena(d), 0);
    assert_false(d->run(d, PHASE_TRAIN, one, 1, &e));
}

static void test_refusals(void **state)
{
    (void)state;
    uint32_t words[1][CTL_WORDS] = {{[CTL_ROWS] = 17}};
    struct device_options o = {.threads = 1};
    struct device_error e = {0};
    struct device *d = device_cpu_open_with(&o, emit_in_vain, &e);
    assert_non_null(d);
    assert_false(d->compile(d, &plan, &e));
    assert_int_equal(e.status, 70);
    assert_string_equal(e.text, "the kernels cannot be emitted");
    refuse_arm(d, (struct device_rows){.rows = {16}}, 70);
    d->close(d);

    d = open_compiled(1);
    refuse_arm(d, (struct device_rows){.rows = {0}}, 70);
    refuse_arm(d, (struct device_rows){.rows = {17}}, 70);
    refuse_arm(d, (struct device_rows){.rows = {-16}}, 70);
    refuse_arm(d, (struct device_rows){.rows = {[PHASE_EVALUATE] = 16}}, 70);
    refuse_arm(d, (struct device_rows){.rows = {INT64_MAX / 16 * 16}}, 3);
    refuse_arm(d, (struct device_rows){.rows = {(int64_t)1 << 57}}, 3);
    refuse_arm(d, (struct device_rows){.rows = {(int64_t)1 << 50}}, 3);
    assert_false(d->arm(d, &(struct device_rows){.rows = {16}}, NULL, 0, 256, &e));
    assert_int_equal(e.status, 3);
    assert_true(d->arm(d, &(struct device_rows){.rows = {16}}, NULL, 0, INT64_MAX, &e));
    assert_false(d->run(d, PHASE_TRAIN, words, 1, &e));
    words[0][CTL_ROWS] = 0;
    assert_false(d->run(d, PHASE_TRAIN, words, 1, &e));
    words[0][CTL_ROWS] = 1;
    assert_false(d->run(d, PHASE_PREDICT, words, 1, &e));
    assert_int_equal(e.status, 70);
    d->close(d);

    o.threads = 1000;
    d = device_cpu_open_with(&o, emit_by_hand, &e);
    assert_true(d->compile(d, &plan, &e));
    refuse_arm(d, (struct device_rows){.rows = {16}}, 5);
    d->close(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_bits_for_any_threads),
        cmocka_unit_test(test_trace),
        cmocka_unit_test(test_poison_reaches_all_but_what_persists),
        cmocka_unit_test(test_arena_is_as_planned),
        cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_refusals),
    };
    if (!mkdtemp(folder))
        return 1;
    setenv("XDG_CACHE_HOME", folder, 1);
    for (int n = 0; n < SAMPLES; n++)
        samples[n] = 1.0f / (float)(n + 1);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    char command[64];
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command) ? 1 : failed;
}
