/* The training loop on a device that only pretends: resuming, stopping, diverging, and that no step allocates. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "count_allocations.h"
#include "fake_job.h"

#include <jansson.h>
#include <sys/stat.h>

/* ---- runs ---- */

static char base[] = "/tmp/netrun-test-XXXXXX";

static int make_base(void **state)
{
    (void)state;
    return mkdtemp(base) ? 0 : -1;
}

static const char *path_of(const char *run, const char *name)
{
    static char path[2][128];
    static int turn;
    turn = !turn;
    snprintf(path[turn], sizeof path[turn], "%s/%s%s%s", base, run, *name ? "/" : "", name);
    return path[turn];
}

static int remove_base(void **state)
{
    (void)state;
    static const char *const runs[] = {"a", "b"};
    static const char *const names[] = {"last.safetensors", "last.optimizer.safetensors", "best.safetensors",
                                        "metrics.jsonl"};
    for (int r = 0; r < 2; r++) {
        for (int n = 0; n < COUNT(names); n++)
            unlink(path_of(runs[r], names[n]));
        rmdir(path_of(runs[r], ""));
    }
    return rmdir(base);
}

struct run {
    struct job job;
    struct options options;
    struct fake_device device;
};

static void open_run(struct run *r, const char *name, bool resume)
{
    mkdir(path_of(name, ""), 0777);
    if (!resume)
        unlink(path_of(name, "metrics.jsonl"));
    fake_job(&r->job, &r->options, &r->device, path_of(name, ""));
}

/* Trains as `train` does once all is prepared. */
static int go(struct run *r, bool resume)
{
    struct job *j = &r->job;
    if (resume) {
        struct recall r;
        assert_int_equal(pair_settle(j->folder, &j->from), 0);
        assert_int_equal(checkpoint_recall(j->from.optimizer, j->plan, &r), 0);
        j->recipe.seed = r.seed;
        j->recipe.batch = r.batch;
        j->at = r.at;
        free(r.settings);
        assert_int_equal(checkpoint_resume(j, &j->from), 0);
    } else {
        assert_int_equal(init_weights(j), 0);
    }
    assert_int_equal(run_lock(j), 0);
    assert_int_equal(run_metrics(j), 0);
    j->tell.metrics = j->metrics;
    struct event_line line = {.to = j->metrics};
    event_begin(&line, "start");
    assert_true(event_end(&line, false));
    int status = train_loop(j);
    fclose(j->metrics);
    return status;
}

static char *contents(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    char *text = calloc(1, 1 << 16);
    assert_true(file && text);
    *size = fread(text, 1, (1 << 16) - 1, file);
    fclose(file);
    return text;
}

static void assert_same_file(const char *name)
{
    size_t n, m;
    char *a = contents(path_of("a", name), &n), *b = contents(path_of("b", name), &m);
    assert_int_equal(n, m);
    assert_memory_equal(a, b, n);
    free(a);
    free(b);
}

/* The training losses of the epochs in metrics.jsonl. */
static int epochs_of(const char *run, double *train_loss)
{
    size_t size;
    int epochs = 0;
    char *text = contents(path_of(run, "metrics.jsonl"), &size);
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        json_t *event = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
        assert_non_null(event);
        if (strcmp(json_string_value(json_object_get(event, "event")), "epoch") == 0)
            train_loss[epochs++] = json_number_value(json_object_get(json_object_get(event, "train"), "loss"));
        json_decref(event);
    }
    free(text);
    return epochs;
}

static void straight_run(void)
{
    struct run a;
    open_run(&a, "a", false);
    assert_int_equal(go(&a, false), 0);
    assert_int_equal(a.job.at.step, 9);
    assert_int_equal(a.job.at.epoch, 3);
    assert_int_equal(a.device.runs, 9);
}

static void assert_same_runs(void)
{
    double a[4], b[4];
    assert_same_file("best.safetensors");
    assert_same_file("last.safetensors");
    assert_same_file("last.optimizer.safetensors");
    int n = epochs_of("a", a);
    assert_int_equal(n, 3);
    assert_int_equal(epochs_of("b", b), 3);
    assert_memory_equal(a, b, (size_t)n * sizeof *a);
}

static void test_resume(void **state)
{
    (void)state;
    straight_run();
    for (int64_t stop = 1; stop < 9; stop++) {
        struct run b;
        open_run(&b, "b", false);
        b.options.steps = stop;
        assert_int_equal(go(&b, false), 0);
        assert_int_equal(b.job.at.step, stop);
        open_run(&b, "b", true);
        assert_int_equal(go(&b, true), 0);
        assert_int_equal(b.device.runs, 9 - stop);
        assert_int_equal(b.job.at.step, 9);
        assert_same_runs();
    }
}

static void test_interrupt(void **state)
{
    (void)state;
    straight_run();
    for (int64_t step = 0; step < 9; step++) {
        struct run b;
        open_run(&b, "b", false);
        b.device.interrupt_step = step;
        assert_int_equal(go(&b, false), step == 8 ? 0 : 130); /* after the last step there is nothing to resume */
        assert_int_equal(b.job.at.step, step + 1);
        open_run(&b, "b", true);
        assert_int_equal(go(&b, true), 0);
        assert_same_runs();
    }
}

/* What a crash left behind the checkpoint in metrics.jsonl is cut off. */
static void test_crash(void **state)
{
    (void)state;
    straight_run();
    struct run b;
    open_run(&b, "b", false);
    b.options.steps = 4;
    assert_int_equal(go(&b, false), 0);
    FILE *metrics = fopen(path_of("b", "metrics.jsonl"), "a");
    fputs("{\"event\":\"epoch\",\"epoch\":2,\"tra", metrics);
    fclose(metrics);
    open_run(&b, "b", true);
    assert_int_equal(go(&b, true), 0);
    assert_same_runs();
}

/* Within epochs a checkpoint comes after each Nth step of all, whatever a call of the device could run, and at no other. */
static void test_checkpoint_every(void **state)
{
    static const int64_t steps[][4] = {{1, 2, 4, 5}, {2, 4, 8}, {0}, {4, 8}, {5}}; /* of 3 epochs of 3 steps */
    (void)state;
    straight_run();
    for (int every = 1; every <= COUNT(steps); every++) {
        struct run b;
        size_t size;
        int found = 0;
        open_run(&b, "b", false);
        b.device.base.most_runs = 8;
        b.options.checkpoint_steps = every;
        assert_int_equal(go(&b, false), 0);
        assert_same_runs();
        char *text = contents(path_of("b", "metrics.jsonl"), &size);
        for (const char *at = text; found < 4 && (at = strstr(at, "\"event\":\"checkpoint\"")); at++)
            if (strtoll(strstr(at, "\"step\":") + 7, NULL, 10) > 0) { /* within an epoch */
                int64_t step = strtoll(strstr(at, "\"steps\":") + 8, NULL, 10);
                assert_int_equal(step, steps[every - 1][found++]);
            }
        assert_true(found == 4 || steps[every - 1][found] == 0);
        free(text);
    }
}

static void test_diverged(void **state)
{
    (void)state;
    struct run a, b;
    open_run(&a, "a", false);
    a.options.steps = 4;
    assert_int_equal(go(&a, false), 0);
    open_run(&b, "b", false);
    unlink(path_of("b", "last.safetensors"));
    b.device.bad_step = 4;
    assert_int_equal(go(&b, false), STATUS_DIVERGED);
    assert_int_equal(b.job.at.step, 4);
    struct recall kept; /* the state before that step is on disk */
    assert_int_equal(checkpoint_recall(path_of("b", "last.optimizer.safetensors"), b.job.plan, &kept), 0);
    assert_int_equal(kept.at.step, 4);
    free(kept.settings);
    assert_memory_equal(&a.device.value[1], &b.device.value[1], 6 * sizeof a.device.value[1]);
    open_run(&b, "b", true);
    assert_int_equal(go(&b, true), 0); /* here the second try succeeds */
}

/* All samples right, but the test loss is no finite number: that epoch is not the best, and no weights are kept as such. */
static void test_best_is_finite(void **state)
{
    (void)state;
    static const float bad[] = {NAN, INFINITY, -INFINITY};
    struct run a;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        open_run(&a, "a", false);
        a.job.recipe.epochs = 1;
        a.device.bad_test = bad[i];
        unlink(path_of("a", "best.safetensors"));
        assert_int_equal(go(&a, false), 0);
        assert_int_equal(a.job.at.best_epoch, 0);
        assert_int_not_equal(access(path_of("a", "best.safetensors"), F_OK), 0);
        open_run(&a, "a", false);
        a.device.bad_test = bad[i];
        assert_int_equal(go(&a, false), 0);
        assert_true(a.job.at.best_epoch > 1);
    }
}

/* Of epochs that are equally good the first is the best: it took less training. */
static void test_best_of_equals(void **state)
{
    (void)state;
    struct run a;
    open_run(&a, "a", false);
    a.device.even_tests = true;
    assert_int_equal(go(&a, false), 0);
    assert_int_equal(a.job.at.epoch, 3);
    assert_int_equal(a.job.at.best_epoch, 1);
}

/* The mean over samples, not over batches: 25 of them in batches of 10, of which each has its position as loss. */
static void test_mean_loss(void **state)
{
    (void)state;
    struct run a;
    struct result r;
    open_run(&a, "a", false);
    a.device.even_tests = true;
    assert_int_equal(evaluate(&a.job, &a.job.data.test, &r), 0);
    assert_true(fabs(r.loss - (0 * 10 + 10 * 10 + 20 * 5) / 25.0) < 1e-9);
    assert_int_equal(r.correct[0], 5 + 5 + 2);
}

/* Resumed within an epoch: what was told of its steps so far stays, what the run will tell again is cut off. */
static void test_steps_before_a_resume(void **state)
{
    (void)state;
    static const char kept[] = "{\"event\":\"start\"}\n{\"event\":\"step\",\"epoch\":1,\"step\":1}\n",
                      later[] = "{\"event\":\"step\",\"epoch\":1,\"step\":2}\n";
    char text[sizeof kept + sizeof later] = "";
    struct run a;
    open_run(&a, "a", false);
    FILE *file = fopen(path_of("a", "metrics.jsonl"), "w");
    assert_non_null(file);
    assert_true(fprintf(file, "%s%s", kept, later) > 0 && fclose(file) == 0);
    a.job.at = (struct position){.in_epoch = 1, .step = 1};
    assert_int_equal(run_lock(&a.job), 0);
    assert_int_equal(run_metrics(&a.job), 0);
    assert_int_equal(fclose(a.job.metrics), 0);
    file = fopen(path_of("a", "metrics.jsonl"), "r");
    assert_non_null(file);
    assert_true(fread(text, 1, sizeof text - 1, file) > 0 && fclose(file) == 0);
    assert_string_equal(text, kept);
}

static double epoch_loss; /* of all samples of the epoch together */

static void add_loss(const struct fake_device *d)
{
    epoch_loss += control_float(d->control, CTL_LOSS) * (double)d->control[CTL_ROWS];
}

/* Without a test set the training loss tells the best epoch: the mean over the samples, of which the last batch has fewer. */
static void test_train_loss(void **state)
{
    (void)state;
    struct run a;
    open_run(&a, "a", false);
    a.job.recipe.epochs = 1;
    a.job.data.test.count = 0;
    a.device.watch = add_loss;
    epoch_loss = 0;
    assert_int_equal(go(&a, false), 0);
    assert_true(fabs(-a.job.at.best - epoch_loss / 21) < 1e-9);
}

/* A run whose steps have been slow for a while already says so, once, and goes on. */
static void test_slow(void **state)
{
    (void)state;
    struct run a;
    char said[1024] = "";
    FILE *out = tmpfile();
    int saved = dup(STDERR_FILENO);
    assert_true(out && saved >= 0);
    open_run(&a, "a", false);
    a.job.pace = (struct pace){.best = 1e-15, .slow = 60};
    fflush(stderr);
    dup2(fileno(out), STDERR_FILENO);
    int status = go(&a, false);
    fflush(stderr);
    dup2(saved, STDERR_FILENO);
    close(saved);
    rewind(out);
    said[fread(said, 1, sizeof said - 1, out)] = '\0';
    fclose(out);
    assert_int_equal(status, 0);
    char *line = strstr(said, "times as long as they did");
    assert_non_null(line);
    assert_null(strstr(line + 1, "times as long"));
    assert_int_equal(a.job.at.step, 9);
}

/* Several steps in one call of the device leave the same files, and nothing happens after a loss that is not finite. */
static void test_calls(void **state)
{
    (void)state;
    static const int most[] = {2, 4, 64};
    straight_run();
    for (int i = 0; i < 3; i++) {
        struct run b, stopped;
        open_run(&b, "b", false);
        b.device.base.most_runs = most[i];
        assert_int_equal(go(&b, false), 0);
        assert_same_runs();
        for (int64_t bad = 0; bad < 9; bad++) {
            open_run(&stopped, "b", false);
            stopped.options.steps = bad;
            if (bad > 0)
                assert_int_equal(go(&stopped, false), 0);
            else
                assert_int_equal(init_weights(&stopped.job), 0);
            open_run(&b, "b", false);
            b.device.base.most_runs = most[i];
            b.device.bad_step = bad;
            assert_int_equal(go(&b, false), STATUS_DIVERGED);
            assert_int_equal(b.job.at.step, bad);
            assert_memory_equal(&stopped.device.value[1], &b.device.value[1], 6 * sizeof b.device.value[1]);
        }
        for (int64_t step = 0; step < 9; step++) {
            open_run(&b, "b", false);
            b.device.base.most_runs = most[i];
            b.device.interrupt_step = step;
            go(&b, false);
            assert_true(b.job.at.step > step); /* the call is brought to its end */
            open_run(&b, "b", true);
            b.device.base.most_runs = most[i];
            assert_int_equal(go(&b, true), 0);
            assert_same_runs();
        }
    }
}

/* ---- control words of a run ---- */

static uint32_t seen[9][CTL_WORDS];

static void record(const struct fake_device *d)
{
    assert_true(d->runs <= 9);
    memcpy(seen[d->runs - 1], d->control, sizeof d->control);
}

static void test_control(void **state)
{
    (void)state;
    struct run a;
    open_run(&a, "a", false);
    a.device.watch = record;
    assert_int_equal(go(&a, false), 0);
    for (uint32_t i = 0; i < 9; i++) {
        assert_int_equal(seen[i][CTL_STEP], i);
        assert_int_equal(seen[i][CTL_EPOCH], i / 3);
        assert_int_equal(seen[i][CTL_POSITION], i % 3 * 8);
        assert_int_equal(seen[i][CTL_ROWS], i % 3 == 2 ? 5 : 8);
        assert_int_equal(seen[i][CTL_COUNT_SAMPLES], 21);
        assert_true(control_float(seen[i], CTL_LR) == (float)rate_at(&a.job.recipe.rate, i));
    }
}

/* Batch 1, a batch as large as the data, and one larger. */
static void test_batches(void **state)
{
    (void)state;
    static const int64_t batch[] = {1, 21, 22, 1000}, steps[] = {63, 3, 3, 3};
    for (int i = 0; i < 4; i++) {
        struct run a;
        open_run(&a, "a", false);
        a.job.recipe.batch = batch[i];
        recipe_count(&a.job.recipe, 21);
        assert_int_equal(go(&a, false), 0);
        assert_int_equal(a.job.at.step, steps[i]);
        assert_int_equal(a.device.control[CTL_ROWS], 5); /* of the last evaluation: 25 in batches of 10 */
    }
}

/* ---- allocation ---- */

static long before, during;

static void count(const struct fake_device *d)
{
    if (d->control[CTL_POSITION] == 0)
        before = allocations;
    else
        during += allocations - before;
}

static void test_no_allocation(void **state)
{
    (void)state;
    if (!COUNTING)
        skip();
    struct run a;
    open_run(&a, "a", false);
    a.options.log_every = 1;
    a.options.progress = PROGRESS_LINES;
    tell_open(&a.job.tell, a.options.progress, a.options.quiet, a.options.json);
    FILE *lines = fopen("/dev/null", "w");
    assert_non_null(lines);
    a.job.tell.lines = lines;
    fputc('\n', lines); /* stdio takes the buffer at the first write: the start line of a run */
    a.device.watch = count;
    a.job.recipe.batch = 1;
    recipe_count(&a.job.recipe, 21);
    during = 0;
    assert_int_equal(go(&a, false), 0);
    fclose(lines);
    assert_true(allocations > 0);
    assert_int_equal(during, 0);
}

/* ---- an epoch is kept before it is told ---- */

static int64_t told;

static int64_t kept_epoch(void)
{
    struct origin o;
    checkpoint_origin(path_of("a", "last.safetensors"), &o);
    return o.epoch;
}

/* Lines and events of the run come here. */
static ssize_t listener(void *cookie, const char *text, size_t size)
{
    double losses[4];
    (void)cookie;
    if (memmem(text, size, "\"event\":\"epoch\"", 15) || memmem(text, size, " test ", 6)) {
        assert_int_equal(kept_epoch(), told / 2 + 1); /* the line first, then the event */
        assert_int_equal(epochs_of("a", losses), told / 2 + 1);
        told++;
    }
    return (ssize_t)size;
}

static void test_kept_before_told(void **state)
{
    (void)state;
    struct run a;
    open_run(&a, "a", false);
    unlink(path_of("a", "last.safetensors"));
    FILE *out = fopencookie(NULL, "w", (cookie_io_functions_t){.write = listener});
    assert_non_null(out);
    a.job.tell.json = a.job.tell.lines = out;
    told = 0;
    assert_int_equal(go(&a, false), 0);
    fclose(out);
    assert_int_equal(told, 2 * 3);
}

/* The seconds of an epoch that was stopped are those of both runs, and what is left is counted by them. */
static void test_seconds(void **state)
{
    (void)state;
    struct run b;
    char *text, *lines = NULL, *bar = NULL;
    size_t size;
    open_run(&b, "b", false);
    b.options.steps = 1;
    b.job.at.seconds = 1000; /* as if the run before had taken so long */
    assert_int_equal(go(&b, false), 0);
    open_run(&b, "b", true);
    b.options.log_every = 2;
    b.job.recipe.metrics = 0; /* a line with room for all that it may say */
    b.job.test_seconds = 600; /* as if tests took so long: three are still to come */
    b.job.tell.lines = open_memstream(&lines, &size);
    b.job.tell.bar = open_memstream(&bar, &size);
    assert_int_equal(go(&b, true), 0);
    fclose(b.job.tell.lines);
    fclose(b.job.tell.bar);
    assert_non_null(strstr(lines, "ETA 33")); /* two epochs of 1000 s */
    assert_non_null(strstr(bar, "ETA 30 min 00 s"));
    free(lines);
    free(bar);
    text = contents(path_of("b", "metrics.jsonl"), &size);
    assert_non_null(strstr(text, "\"epoch\":1,\"step\":2,\"steps\":"));
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        json_t *event = json_loads(line, 0, NULL);
        const char *kind = json_string_value(json_object_get(event, "event"));
        double seconds = json_number_value(json_object_get(event, "seconds"));
        bool first = json_integer_value(json_object_get(event, "epoch")) == 1;
        if (strcmp(kind, "end") == 0) /* the first end tells of the epoch, the second of the whole */
            assert_true(seconds >= 1000 && seconds < 1100);
        else if (strcmp(kind, "step") == 0 || strcmp(kind, "epoch") == 0)
            assert_true(first ? seconds >= 1000 && seconds < 1100 : seconds < 100);
        json_decref(event);
    }
    free(text);
}

/* Positions at the limits of their type are refused, and nothing overflows on the way. */
static void test_positions(void **state)
{
    (void)state;
    struct recipe r = {.epochs = INT64_C(9000000000000000), .batch = 1};
    recipe_count(&r, INT32_MAX);
    assert_int_equal(r.rate.total, INT64_MAX);
    const int64_t steps = r.rate.steps, wraps = INT64_MAX / steps + 2;
    assert_true(
        position_fits(&(struct position){.epoch = 3, .in_epoch = 5, .step = 3 * steps + 5, .best_epoch = 3}, &r));
    assert_false(
        position_fits(&(struct position){.epoch = 3, .in_epoch = 5, .step = 3 * steps + 5, .best_epoch = 4}, &r));
    assert_false(position_fits(&(struct position){.epoch = 3, .in_epoch = steps + 1, .step = 4 * steps + 1}, &r));
    assert_false(
        position_fits(&(struct position){.epoch = wraps, .step = (int64_t)((uint64_t)wraps * (uint64_t)steps)}, &r));
    assert_false(position_fits(&(struct position){.epoch = INT64_MAX, .in_epoch = steps, .step = INT64_MAX}, &r));
    assert_false(
        position_fits(&(struct position){.epoch = INT64_MAX / steps, .in_epoch = steps, .step = INT64_MIN}, &r));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_resume),         cmocka_unit_test(test_interrupt),
        cmocka_unit_test(test_crash),          cmocka_unit_test(test_checkpoint_every),
        cmocka_unit_test(test_diverged),       cmocka_unit_test(test_best_is_finite),
        cmocka_unit_test(test_best_of_equals), cmocka_unit_test(test_mean_loss),
        cmocka_unit_test(test_train_loss),     cmocka_unit_test(test_steps_before_a_resume),
        cmocka_unit_test(test_control),        cmocka_unit_test(test_batches),
        cmocka_unit_test(test_no_allocation),  cmocka_unit_test(test_calls),
        cmocka_unit_test(test_slow),           cmocka_unit_test(test_kept_before_told),
        cmocka_unit_test(test_seconds),        cmocka_unit_test(test_positions),
    };
    return cmocka_run_group_tests(tests, make_base, remove_base);
}
