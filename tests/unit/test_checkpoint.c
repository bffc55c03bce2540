/* Initial weights, and weights and positions in files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "fake_job.h"
#include "base/philox.h"
#include "data/safetensors.h"

#include <fcntl.h>
#include <sys/wait.h>

static char folder[] = "/tmp/netrun-test-XXXXXX";

static const char *in_folder(const char *name)
{
    static char path[64];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    static const char *const names[] = {"a",
                                        "w",
                                        "last.safetensors",
                                        "last.next.safetensors",
                                        "last.optimizer.safetensors",
                                        "one.safetensors",
                                        "two.safetensors"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        unlink(in_folder(names[i]));
    return rmdir(folder);
}

static struct job job;
static struct options options;
static struct fake_device device;

static int fresh(void **state)
{
    (void)state;
    fake_job(&job, &options, &device, folder);
    return 0;
}

static void test_init(void **state)
{
    (void)state;
    job.recipe.seed = 99;
    assert_int_equal(init_weights(&job), 0);
    for (uint32_t p = 0; p < 2; p++) {
        uint32_t word[4];
        philox4x32((uint32_t[]){0, 0, 0, 0}, (uint32_t[]){p, 99}, word);
        for (int i = 0; i < (p ? 2 : 4); i++) {
            double u = (word[i] >> 8) * 0x1p-24;
            assert_true(device.value[1 + p][i] == (float)(fake_tensors[1 + p].bound * (2 * u - 1)));
        }
    }
    assert_true(device.value[3][0] == 0 && device.value[5][0] == 0);
}

static void fill(float start)
{
    for (int t = 0; t < FAKE_TENSORS; t++)
        for (int i = 0; i < FAKE_FLOATS; i++)
            device.value[t][i] = start + (float)(4 * t + i);
}

static void test_round_trip(void **state)
{
    (void)state;
    fill(0.5f);
    job.at =
        (struct position){.epoch = 1, .in_epoch = 2, .step = 5, .loss_sum = 0.1, .best_epoch = 1, .best = -1 / 3.0};
    job.recipe.seed = 4294967295;
    job.recipe.batch = 8;
    assert_int_equal(pair_save(&job), 0);

    struct recall r;
    struct pair pair;
    assert_int_equal(pair_find(folder, &pair), 0);
    assert_string_equal(pair.weights, in_folder("last.safetensors"));
    assert_string_equal(pair.optimizer, in_folder("last.optimizer.safetensors"));
    assert_int_equal(checkpoint_recall(pair.optimizer, &fake_plan, &r), 0);
    assert_memory_equal(&r.at, &job.at, sizeof r.at);
    assert_true(r.seed == 4294967295 && r.batch == 8);
    free(r.settings);
    fresh(NULL);
    assert_int_equal(checkpoint_resume(&job, &pair), 0);
    assert_true(device.value[1][3] == 7.5f && device.value[2][1] == 9.5f && device.value[3][1] == 13.5f);
    assert_true(device.value[5][0] == 20.5f && device.value[6][1] == 25.5f);
}

static void test_contents(void **state)
{
    (void)state;
    struct st_file f;
    struct data_error e;
    job.at.step = 12;
    assert_int_equal(checkpoint_save(&job, in_folder("a")), 0);
    assert_true(st_read(in_folder("a"), &f, &e));
    assert_int_equal(f.n_tensors, 4); /* no slots, no groups, inputs or targets */
    const struct st_tensor *count = st_find(&f, "bn.num_batches_tracked");
    int64_t steps;
    assert_true(count && count->type == ST_I64 && count->rank == 0);
    memcpy(&steps, count->data, sizeof steps);
    assert_int_equal(steps, 12);
    assert_string_equal(st_metadata(&f, "format"), "pt");
    assert_string_equal(st_metadata(&f, "net"), "fake");
    assert_string_equal(st_metadata(&f, "source_hash"), "0000000000001234");
    st_free(&f);
    assert_int_equal(checkpoint_load(&job, in_folder("a"), false), 0);
    struct pair twice;
    snprintf(twice.weights, sizeof twice.weights, "%s", in_folder("a"));
    memcpy(twice.optimizer, twice.weights, sizeof twice.optimizer);
    assert_int_equal(checkpoint_resume(&job, &twice), STATUS_DATA); /* the slots are missing */
}

/* ---- two files that belong together ---- */

static int renames_left = -1; /* the process is killed instead of one more; -1: never */

int rename(const char *from, const char *to)
{
    if (renames_left == 0)
        _exit(9);
    renames_left -= renames_left > 0;
    return renameat(AT_FDCWD, from, AT_FDCWD, to);
}

/* Slots, position and settings too, all made from `start`. */
static void state_of(int start)
{
    fill((float)start);
    job.at = (struct position){.epoch = start, .step = 3 * start};
}

/* What lies in the folder is the one or the other, whole. Returns which. */
static int state_found(void)
{
    struct pair pair;
    struct recall r;
    fresh(NULL);
    assert_int_equal(pair_settle(folder, &pair), 0);
    assert_string_equal(pair.weights, in_folder("last.safetensors"));
    assert_int_not_equal(access(in_folder("last.next.safetensors"), F_OK), 0);
    assert_int_equal(checkpoint_recall(pair.optimizer, &fake_plan, &r), 0);
    free(r.settings);
    assert_int_equal(checkpoint_resume(&job, &pair), 0);
    int start = (int)r.at.epoch;
    assert_int_equal(r.at.step, 3 * start);
    for (int t = 1; t <= 6; t++)
        for (int i = 0; t != 4 && i < (t == 1 || t == 5 ? 4 : 2); i++)
            assert_true(device.value[t][i] == (float)(start + 4 * t + i));
    return start;
}

/* Killed before any of the names changes, both files are of one checkpoint: the old one, or the new one from some moment on. */
static void test_killed(void **state)
{
    (void)state;
    int last = 100, seen[2] = {0};
    for (int before = 0;; before++) {
        int status = 0;
        state_of(100);
        assert_int_equal(pair_save(&job), 0);
        fflush(NULL);
        pid_t child = fork();
        if (child == 0) {
            renames_left = before;
            state_of(200);
            _exit(pair_save(&job));
        }
        assert_true(child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status));
        int found = state_found();
        assert_true(found >= last);
        last = found;
        seen[found == 200]++;
        if (WEXITSTATUS(status) == 0)
            break;
        assert_int_equal(WEXITSTATUS(status), 9);
    }
    assert_true(last == 200 && seen[0] >= 2 && seen[1] >= 2);
}

static void copy(const char *from, const char *to)
{
    char part[1 << 14], path[64];
    snprintf(path, sizeof path, "%s", in_folder(to));
    FILE *in = fopen(in_folder(from), "rb"), *out = fopen(path, "wb");
    assert_true(in && out);
    size_t n = fread(part, 1, sizeof part, in);
    assert_true(n < sizeof part && fwrite(part, 1, n, out) == n && fclose(out) == 0);
    fclose(in);
}

/* Files of two checkpoints, one alone, and one that somebody has changed. */
static void test_no_pair(void **state)
{
    (void)state;
    struct pair pair;
    unlink(in_folder("last.safetensors"));
    unlink(in_folder("last.optimizer.safetensors"));
    assert_false(pair_there(folder));
    assert_int_equal(pair_find(folder, &pair), STATUS_DATA);
    state_of(1);
    assert_int_equal(pair_save(&job), 0);
    copy("last.safetensors", "one.safetensors");
    state_of(2);
    assert_int_equal(pair_save(&job), 0);
    copy("last.safetensors", "two.safetensors");
    assert_int_equal(state_found(), 2);
    copy("one.safetensors", "last.safetensors");
    assert_int_equal(pair_find(folder, &pair), STATUS_DATA);
    assert_int_equal(pair_settle(folder, &pair), STATUS_DATA);
    copy("two.safetensors", "last.next.safetensors"); /* as if it had been killed then */
    assert_int_equal(state_found(), 2);
    copy("one.safetensors", "last.next.safetensors");
    assert_int_equal(state_found(), 2);
    unlink(in_folder("last.safetensors"));
    assert_true(pair_there(folder));
    assert_int_equal(pair_find(folder, &pair), STATUS_DATA);
}

/* An older netrun's checkpoint: all in one file. */
static void test_one_file(void **state)
{
    (void)state;
    struct st_file f[2];
    struct data_error e;
    struct st_tensor both[16];
    size_t n = 0;
    state_of(5);
    assert_int_equal(pair_save(&job), 0);
    assert_true(st_read(in_folder("last.safetensors"), &f[0], &e));
    assert_true(st_read(in_folder("last.optimizer.safetensors"), &f[1], &e));
    assert_int_equal(f[0].n_tensors, 4);
    assert_int_equal(f[1].n_tensors, 2);
    for (int k = 0; k < 2; k++)
        for (size_t i = 0; i < f[k].n_tensors; i++)
            both[n++] = f[k].tensors[i];
    assert_true(st_write(in_folder("one.safetensors"), both, n, f[1].metadata, f[1].n_metadata, NULL, NULL, &e));
    st_free(&f[0]);
    st_free(&f[1]);
    unlink(in_folder("last.optimizer.safetensors"));
    copy("one.safetensors", "last.safetensors");
    assert_int_equal(state_found(), 5);
    /* ... whose next checkpoint is killed before its optimizer's file is there. */
    copy("one.safetensors", "last.next.safetensors");
    assert_int_equal(state_found(), 5);
}

/* Writes tensors of ones with these names and shapes to "w". */
static void write_weights(const struct st_tensor *tensor, size_t n)
{
    static const float ones[16] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
    struct st_tensor copy[8];
    struct data_error e;
    for (size_t i = 0; i < n; i++) {
        copy[i] = tensor[i];
        copy[i].data = ones;
        copy[i].bytes = st_type_size(tensor[i].type);
        for (int d = 0; d < tensor[i].rank; d++)
            copy[i].bytes *= tensor[i].dims[d];
    }
    if (!st_write(in_folder("w"), copy, n, NULL, 0, NULL, NULL, &e))
        fail_msg("%s", e.text);
}

/* clang-format off */
#define WEIGHT(name_) { .name = name_, .type = ST_F32, .rank = 2, .dims = { 2, 2 } }
#define VECTOR(name_) { .name = name_, .type = ST_F32, .rank = 1, .dims = { 2 } }
/* clang-format on */

static void test_foreign_weights(void **state)
{
    (void)state;
    write_weights((struct st_tensor[]){WEIGHT("module._orig_mod.fc.weight"),
                                       VECTOR("module._orig_mod.fc.bias"),
                                       VECTOR("module._orig_mod.bn.running_mean"),
                                       {.name = "module._orig_mod.bn.num_batches_tracked", .type = ST_I64}},
                  4);
    assert_int_equal(checkpoint_load(&job, in_folder("w"), false), 0);
    assert_true(device.value[1][3] == 1 && device.value[2][1] == 1 && device.value[3][0] == 1);
    assert_true(device.value[5][0] == 0);
}

/* --map speaks of names with their prefix, else without it; not of what the network itself calls module.fc. */
static void test_map_prefix(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {{"features.0=fc", "bn.running_mean=bn.running_mean"},
                                           {"module._orig_mod.features.0=fc", "features.0=bn"}};
    const struct st_tensor file[] = {WEIGHT("module._orig_mod.features.0.weight"),
                                     VECTOR("module._orig_mod.features.0.bias"), VECTOR("module.bn.running_mean")};
    for (int i = 0; i < 2; i++) {
        fresh(NULL);
        write_weights(file, 3);
        for (int k = 0; k < 2 - i; k++)
            assert_int_equal(renames_add(&options.map, pairs[i][k]), 0);
        assert_int_equal(checkpoint_load(&job, in_folder("w"), false), 0);
        assert_true(device.value[1][3] == 1 && device.value[2][1] == 1 && device.value[3][1] == 1);
        renames_free(&options.map);
    }

    fresh(NULL);
    struct tensor renamed[FAKE_TENSORS];
    memcpy(renamed, fake_tensors, sizeof renamed);
    renamed[1].name = "module.fc.weight";
    struct plan plan = fake_plan;
    plan.tensor = renamed;
    job.plan = &plan;
    write_weights((struct st_tensor[]){WEIGHT("module.fc.weight"), VECTOR("fc.b"), VECTOR("bn.running_mean")}, 3);
    assert_int_equal(renames_add(&options.map, "fc.weight=fc.other"), 0);
    assert_int_equal(renames_add(&options.map, "fc.b=fc.bias"), 0);
    assert_int_equal(checkpoint_load(&job, in_folder("w"), false), STATUS_USAGE); /* nothing is fc.weight */
    renames_free(&options.map);
}

/* The file of a network in which a layer is called module, and one that has both names for one tensor. */
static void test_exact_first(void **state)
{
    (void)state;
    struct tensor renamed[FAKE_TENSORS];
    memcpy(renamed, fake_tensors, sizeof renamed);
    renamed[1].name = "module.weight";
    renamed[2].name = "module._orig_mod.bias";
    struct plan plan = fake_plan;
    plan.tensor = renamed;
    job.plan = &plan;
    write_weights((struct st_tensor[]){WEIGHT("module.weight"), VECTOR("module.module._orig_mod.bias"),
                                       VECTOR("_orig_mod.bn.running_mean")},
                  3);
    assert_int_equal(checkpoint_load(&job, in_folder("w"), false), 0);
    assert_true(device.value[1][3] == 1 && device.value[2][1] == 1 && device.value[3][1] == 1);

    fresh(NULL);
    write_weights((struct st_tensor[]){WEIGHT("fc.weight"), WEIGHT("module.fc.weight"), VECTOR("fc.bias"),
                                       VECTOR("bn.running_mean")},
                  4);
    assert_int_equal(checkpoint_load(&job, in_folder("w"), true), STATUS_DATA);
    assert_true(device.value[1][0] == 0 && device.value[2][0] == 0);
}

static void test_strict(void **state)
{
    (void)state;
    const struct st_tensor missing[] = {WEIGHT("fc.weight"), VECTOR("bn.running_mean")};
    const struct st_tensor unknown[] = {WEIGHT("fc.weight"), VECTOR("fc.bias"), VECTOR("bn.running_mean"),
                                        VECTOR("fd")};
    const struct st_tensor shape[] = {VECTOR("fc.weight"), VECTOR("fc.bias"), VECTOR("bn.running_mean")};
    const struct st_tensor type[] = {
        {.name = "fc.weight", .type = ST_I16, .rank = 2, .dims = {2, 2}}, VECTOR("fc.bias"), VECTOR("bn.running_mean")};
    write_weights(missing, 2);
    assert_int_equal(checkpoint_load(&job, in_folder("w"), false), STATUS_DATA);
    assert_true(device.value[1][0] == 0); /* nothing was taken */
    assert_int_equal(checkpoint_load(&job, in_folder("w"), true), 0);
    assert_true(device.value[1][0] == 1 && device.value[2][0] == 0);
    write_weights(unknown, 4);
    assert_int_equal(checkpoint_load(&job, in_folder("w"), false), STATUS_DATA);
    assert_int_equal(checkpoint_load(&job, in_folder("w"), true), 0);
    write_weights(shape, 3);
    assert_int_equal(checkpoint_load(&job, in_folder("w"), true), STATUS_DATA);
    write_weights(type, 3);
    assert_int_equal(checkpoint_load(&job, in_folder("w"), true), STATUS_DATA);
    assert_int_equal(checkpoint_load(&job, in_folder("none"), true), STATUS_DATA);
}

static void test_no_checkpoint(void **state)
{
    (void)state;
    struct recall r;
    struct pair pair;
    write_weights((struct st_tensor[]){WEIGHT("fc.weight")}, 1);
    assert_int_equal(checkpoint_recall(in_folder("w"), &fake_plan, &r), STATUS_DATA);
    struct plan other = fake_plan;
    other.source_hash = 1;
    assert_int_equal(pair_save(&job), 0);
    assert_int_equal(pair_find(folder, &pair), 0);
    assert_int_equal(checkpoint_recall(pair.weights, &fake_plan, &r), STATUS_DATA);
    assert_int_equal(checkpoint_recall(pair.optimizer, &other, &r), STATUS_DATA);
}

static void test_full_disk(void **state)
{
    (void)state;
    assert_int_equal(checkpoint_save(&job, "/dev/null/last.safetensors"), STATUS_DATA);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_init, fresh),       cmocka_unit_test_setup(test_round_trip, fresh),
        cmocka_unit_test_setup(test_contents, fresh),   cmocka_unit_test_setup(test_foreign_weights, fresh),
        cmocka_unit_test_setup(test_strict, fresh),     cmocka_unit_test_setup(test_no_checkpoint, fresh),
        cmocka_unit_test_setup(test_full_disk, fresh),  cmocka_unit_test_setup(test_exact_first, fresh),
        cmocka_unit_test_setup(test_map_prefix, fresh), cmocka_unit_test_setup(test_killed, fresh),
        cmocka_unit_test_setup(test_no_pair, fresh),    cmocka_unit_test_setup(test_one_file, fresh),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
