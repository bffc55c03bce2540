/* Initial weights, and weights and positions in files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "fake_job.h"
#include "base/philox.h"
#include "data/safetensors.h"

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
    static const char *const names[] = {"a", "b", "w"};
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
    assert_int_equal(checkpoint_save(&job, in_folder("a"), true), 0);
    assert_int_equal(checkpoint_save(&job, in_folder("b"), true), 0);

    struct recall r;
    assert_int_equal(checkpoint_recall(in_folder("a"), &fake_plan, &r), 0);
    assert_memory_equal(&r.at, &job.at, sizeof r.at);
    assert_true(r.seed == 4294967295 && r.batch == 8);
    free(r.settings);
    fresh(NULL);
    assert_int_equal(checkpoint_resume(&job, in_folder("a")), 0);
    assert_true(device.value[1][3] == 7.5f && device.value[2][1] == 9.5f && device.value[3][1] == 13.5f);
    assert_true(device.value[5][0] == 20.5f && device.value[6][1] == 25.5f);
}

static void test_contents(void **state)
{
    (void)state;
    struct st_file f;
    struct data_error e;
    job.at.step = 12;
    assert_int_equal(checkpoint_save(&job, in_folder("a"), false), 0);
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
    assert_int_equal(checkpoint_resume(&job, in_folder("a")), STATUS_DATA); /* the slots are missing */
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
    write_weights((struct st_tensor[]){WEIGHT("fc.weight")}, 1);
    assert_int_equal(checkpoint_recall(in_folder("w"), &fake_plan, &r), STATUS_DATA);
    struct plan other = fake_plan;
    other.source_hash = 1;
    assert_int_equal(checkpoint_save(&job, in_folder("a"), true), 0);
    assert_int_equal(checkpoint_recall(in_folder("a"), &other, &r), STATUS_DATA);
}

static void test_full_disk(void **state)
{
    (void)state;
    assert_int_equal(checkpoint_save(&job, "/dev/null/last.safetensors", true), STATUS_DATA);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_init, fresh),       cmocka_unit_test_setup(test_round_trip, fresh),
        cmocka_unit_test_setup(test_contents, fresh),   cmocka_unit_test_setup(test_foreign_weights, fresh),
        cmocka_unit_test_setup(test_strict, fresh),     cmocka_unit_test_setup(test_no_checkpoint, fresh),
        cmocka_unit_test_setup(test_full_disk, fresh),  cmocka_unit_test_setup(test_exact_first, fresh),
        cmocka_unit_test_setup(test_map_prefix, fresh),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
