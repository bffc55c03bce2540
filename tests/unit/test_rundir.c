/* Run folders: numbered without gaps, never used twice, complete, and found again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "fake_job.h"
#include "temp_files.h"

#include <jansson.h>
#include <sys/stat.h>

struct run {
    struct job job;
    struct options options;
    struct fake_device device;
};

static const char *in_runs(const struct run *r, const char *name)
{
    static char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", r->options.runs, name);
    return path;
}

static void open_run(struct run *r, struct temp *temp, const char *runs)
{
    static char *argv[] = {"netrun", "fake.plan", "--train", "\xff no UTF-8", NULL};
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", temp->folder, runs);
    fake_job(&r->job, &r->options, &r->device, "");
    r->options.runs = path;
    r->options.argc = 4;
    r->options.argv = argv;
}

static void remove_run(const struct run *r, const char *name)
{
    static const char *const files[] = {"model.plan", "model.net", "settings.json", "metrics.jsonl",
                                        "last.safetensors"};
    char path[PATH_MAX];
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (run_path(in_runs(r, name), files[i], path))
            unlink(path);
    rmdir(in_runs(r, name));
}

static void test_create(void **state)
{
    struct run r;
    struct stat s;
    open_run(&r, *state, "create");
    assert_int_equal(run_create(&r.job), 0);
    assert_string_equal(r.job.folder, in_runs(&r, "fake-1"));
    assert_int_equal(run_create(&r.job), 0);
    assert_string_equal(r.job.folder, in_runs(&r, "fake-2"));
    remove_run(&r, "fake-1");
    assert_int_equal(run_create(&r.job), 0); /* the smallest free number */
    assert_string_equal(r.job.folder, in_runs(&r, "fake-1"));

    assert_int_equal(stat(in_runs(&r, "fake-1/model.plan"), &s), 0);
    size_t size;
    char *net = (char *)temp_read(in_runs(&r, "fake-1/model.net"), &size);
    assert_int_equal(size, strlen(fake_plan.source));
    assert_memory_equal(net, fake_plan.source, size);
    free(net);
    json_t *settings = json_load_file(in_runs(&r, "fake-1/settings.json"), JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(settings);
    assert_int_equal(json_integer_value(json_object_get(settings, "seed")), 1);
    assert_int_equal(json_integer_value(json_object_get(settings, "batch")), 8);
    assert_string_equal(json_string_value(json_object_get(settings, "device")), "fake");
    json_t *command = json_object_get(settings, "command");
    assert_string_equal(json_string_value(json_array_get(command, 2)), "--train");
    assert_true(json_is_null(json_array_get(command, 3)));
    json_decref(settings);
    remove_run(&r, "fake-1");
    remove_run(&r, "fake-2");
    rmdir(r.options.runs);
}

/* A plan from a stranger must not write elsewhere. */
static void test_names(void **state)
{
    static const char *const names[] = {"", "../up", "a/b", "."};
    struct run r;
    struct plan plan = fake_plan;
    open_run(&r, *state, "names");
    r.job.plan = &plan;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        plan.net = (char *)names[i];
        assert_int_equal(run_create(&r.job), STATUS_DATA);
    }
    r.job.plan = &fake_plan;
    r.options.runs = "/dev/null/runs";
    assert_int_equal(run_create(&r.job), STATUS_DATA);
}

static void put(const struct run *r, const char *name, const char *file, const char *text, time_t second)
{
    char path[PATH_MAX];
    mkdir(in_runs(r, name), 0777);
    assert_true(run_path(in_runs(r, name), file, path));
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    fputs(text, out);
    fflush(out);
    const struct timespec times[2] = {{second, 0}, {second, 0}};
    assert_int_equal(futimens(fileno(out), times), 0);
    fclose(out);
}

/* A run with a checkpoint, started or resumed in that turn; its files have any times. */
static void save(const struct run *r, const char *name, int turn)
{
    char settings[32];
    snprintf(settings, sizeof settings, turn ? "{\"turn\": %d}" : "{}", turn);
    put(r, name, "settings.json", settings, 100000 - turn);
    put(r, name, "last.safetensors", "", 50000 - turn);
}

static void test_newest(void **state)
{
    struct run r;
    char folder[PATH_MAX];
    open_run(&r, *state, "newest");
    assert_false(run_newest(r.options.runs, "net", true, folder));
    mkdir(r.options.runs, 0777);
    assert_false(run_newest(r.options.runs, "net", true, folder));
    save(&r, "net-9", 0); /* nobody wrote down when */
    assert_true(run_newest(r.options.runs, "net", true, folder));
    assert_string_equal(folder, in_runs(&r, "net-9"));
    save(&r, "net-1", 1);
    save(&r, "net-2", 3);
    save(&r, "net-10", 2);
    save(&r, "net_b-1", 9);
    save(&r, "net-old", 99);
    assert_true(run_newest(r.options.runs, "net", true, folder));
    assert_string_equal(folder, in_runs(&r, "net-2"));
    assert_true(run_newest(r.options.runs, NULL, true, folder));
    assert_string_equal(folder, in_runs(&r, "net_b-1"));
    assert_false(run_newest(r.options.runs, "ne", true, folder));
    save(&r, "net-10", 3); /* two that started at the same moment */
    assert_true(run_newest(r.options.runs, "net", true, folder));
    assert_string_equal(folder, in_runs(&r, "net-10"));
    put(&r, "net-11", "settings.json", "{\"turn\": 4}", 1);
    assert_true(run_newest(r.options.runs, "net", true, folder));
    assert_string_equal(folder, in_runs(&r, "net-10"));
    assert_true(run_newest(r.options.runs, "net", false, folder));
    assert_string_equal(folder, in_runs(&r, "net-11"));

    /* Whoever starts or resumes next is the newest. */
    snprintf(r.job.folder, sizeof r.job.folder, "%s", in_runs(&r, "net-1"));
    r.options.resume = "net-1";
    assert_int_equal(run_settings_write(&r.job), 0);
    assert_int_equal(run_turn(in_runs(&r, "net-1")), 10);
    assert_true(run_newest(r.options.runs, NULL, true, folder));
    assert_string_equal(folder, in_runs(&r, "net-1"));
    static const char *const names[] = {"net-1", "net-2", "net-9", "net-10", "net-11", "net_b-1", "net-old"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        remove_run(&r, names[i]);
    rmdir(r.options.runs);
}

static void test_no_plan(void **state)
{
    struct temp *temp = *state;
    assert_null(plan_open("/nowhere/x.plan"));
    assert_null(plan_open(temp->folder));
    assert_null(plan_open(temp_write(temp, "x.plan", "nonsense", 8)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_create),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_newest),
        cmocka_unit_test(test_no_plan),
    };
    return cmocka_run_group_tests(tests, temp_open, temp_close);
}
