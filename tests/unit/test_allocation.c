/* Once armed, the cpu device and the training loop allocate nothing between the first and the last step of an epoch:
 * real kernels, real threads. An allocation planted in the loop or in a kernel is seen. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "count_allocations.h"
#include "cpu/device_cpu.h"
#include "harness.h"
#include "temp_files.h"

static const char net[] =
    "net small\n"
    "input x : f32[2, 6, 6]\n"
    "target t : class[4]\n"
    "y = x -> Conv(4, kernel = 3, pad = 1) -> BatchNorm -> ReLU -> MaxPool(2) -> Flatten -> Linear(8) -> ReLU\n"
    "    -> Dropout(0.5) -> Linear(4)\n"
    "output y\n"
    "train {\n"
    "    loss = CrossEntropy(y, t)\n"
    "    optimizer = Adam\n"
    "    epochs = 2\n"
    "    batch = 16\n"
    "    evaluation_batch = 16\n"
    "    metrics = [Accuracy]\n"
    "}\n";

enum { SAMPLES = 100, STEPS = 7, ELEMENTS = 2 * 6 * 6 };

/* ---- every way to allocate counts ---- */

static void test_counter(void **state)
{
    (void)state;
    if (!COUNTING)
        skip();
    void *volatile p;
    void *q = NULL;
    long before = allocations;
    p = malloc(1);
    p = realloc(p, 100);
    free(p);
    p = calloc(1, 1);
    free(p);
    p = aligned_alloc(64, 64);
    free(p);
    assert_int_equal(posix_memalign(&q, 64, 64), 0);
    free(q);
    p = strdup("libc allocates too");
    free(p);
    p = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(p != MAP_FAILED);
    munmap(p, 4096);
    assert_int_equal(allocations - before, 7);
}

/* ---- the device, watched ---- */

static bool (*real_run)(struct device *d, enum phase ph, uint32_t (*control)[CTL_WORDS], int n, struct device_error *e);
static long mark, during, runs[PHASE_COUNT];
static long planted_run; /* a training run that allocates besides; 0: none */

/* Counts from the beginning of the first run of an epoch, or of an evaluation, to the end of its last. */
static bool watched_run(struct device *d, enum phase ph, uint32_t (*control)[CTL_WORDS], int n, struct device_error *e)
{
    if (control[0][CTL_POSITION] == 0)
        mark = allocations;
    bool good = real_run(d, ph, control, n, e);
    if (++runs[ph] == planted_run && ph == PHASE_TRAIN)
        free((void *volatile){malloc(1)});
    during += allocations - mark;
    mark = allocations;
    return good;
}

/* The kernels, of which the first allocates. */
static bool emit_planted(const struct plan *p, const struct emit_options *o, FILE *out)
{
    static const char head[] = "int64_t last)\n{\n";
    char *text = NULL;
    size_t length = 0;
    FILE *memory = open_memstream(&text, &length);
    bool good = memory && emit_kernels(p, o, memory);
    good = memory && fclose(memory) == 0 && good;
    char *body = good ? strstr(text, head) : NULL;
    if (body) {
        body += strlen(head);
        fprintf(out, "%.*s    void *volatile planted = __builtin_malloc(1);\n    __builtin_free(planted);\n%s",
                (int)(body - text), text, body);
    }
    free(text);
    return body != NULL;
}

/* ---- a run of two epochs ---- */

static struct data_split random_split(void)
{
    static float samples[SAMPLES * ELEMENTS];
    static int32_t targets[SAMPLES];
    for (int i = 0; i < SAMPLES; i++) {
        targets[i] = i % 4;
        for (int e = 0; e < ELEMENTS; e++)
            samples[i * ELEMENTS + e] = (float)((i * 7 + e * 3) % 11) / 11 + (float)(i % 4 == e % 4);
    }
    return (struct data_split){
        .count = SAMPLES,
        .sample = {.type = DATA_F32, .bytes = sizeof samples / SAMPLES, .values = (unsigned char *)samples},
        .label = {.type = DATA_I32, .bytes = sizeof *targets, .values = (unsigned char *)targets}};
}

static void open_device(struct job *j, emitter *emit)
{
    const struct device_data split[] = {samples_of(&j->data.train), samples_of(&j->data.test)};
    const struct device_rows rows = {.rows = {[PHASE_TRAIN] = 16, [PHASE_EVALUATE] = 16}};
    struct device_error e = {0};
    j->device = device_cpu_open_with(&(struct device_options){.threads = 2}, emit, &e);
    assert_non_null(j->device);
    if (!j->device->compile(j->device, j->plan, &e) || !j->device->arm(j->device, &rows, split, 2, INT64_MAX, &e))
        fail_msg("%s", e.text);
    real_run = j->device->run;
    j->device->run = watched_run;
}

/* Allocations during the steps; what is written meanwhile goes to a file and to lines of progress. */
static long count_steps(struct temp *temp, emitter *emit)
{
    struct trial t;
    struct options options = {.log_every = 1, .progress = PROGRESS_LINES};
    assert_true(trial_plan(&t, "small.net", strdup(net), NULL, 0, stderr));
    struct job j = {.options = &options, .plan = t.c.plan, .data = {.train = random_split(), .test = random_split()}};
    snprintf(j.folder, sizeof j.folder, "%s", temp->folder);
    assert_int_equal(recipe_read(j.plan, &j.recipe), 0);
    recipe_count(&j.recipe, SAMPLES);
    open_device(&j, emit);
    assert_int_equal(init_weights(&j), 0);
    assert_int_equal(run_lock(&j), 0);
    assert_int_equal(run_metrics(&j), 0);
    tell_open(&j.tell, options.progress, options.quiet, options.json);
    run_board(&j);
    assert_non_null(j.tell.board.to);
    assert_non_null(j.parameters);
    j.tell.metrics = j.metrics;
    j.tell.lines = fopen("/dev/null", "w");
    assert_non_null(j.tell.lines);
    fputc('\n', j.tell.lines); /* stdio takes a buffer at the first write: the start of a run */
    struct event_line line = {.to = j.metrics};
    event_begin(&line, "start");
    assert_true(event_end(&line, false));
    during = 0;
    memset(runs, 0, sizeof runs);
    assert_int_equal(train_loop(&j), 0);
    assert_int_equal(runs[PHASE_TRAIN], 2 * STEPS);
    assert_int_equal(runs[PHASE_EVALUATE], 2 * STEPS);
    fclose(j.tell.lines);
    fclose(j.metrics);
    board_close(&j);
    parameters_close(&j);
    j.device->close(j.device);
    trial_close(&t);
    return during;
}

static void test_steps(void **state)
{
    assert_int_equal(count_steps(*state, emit_kernels), 0);
}

static void test_planted_in_loop(void **state)
{
    if (!COUNTING)
        skip();
    planted_run = STEPS;
    long seen = count_steps(*state, emit_kernels);
    planted_run = 0;
    assert_int_equal(seen, 1);
}

static void test_planted_in_kernel(void **state)
{
    if (!COUNTING)
        skip();
    assert_true(count_steps(*state, emit_planted) >= 2 * STEPS);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counter),
        cmocka_unit_test_setup_teardown(test_steps, temp_open, temp_close),
        cmocka_unit_test_setup_teardown(test_planted_in_loop, temp_open, temp_close),
        cmocka_unit_test_setup_teardown(test_planted_in_kernel, temp_open, temp_close),
    };
    (void)argc;
    use_cache(argv[0]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
