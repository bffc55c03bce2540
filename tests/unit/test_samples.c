/* Samples in the plan, and whether data agree with it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "run/run.h"
#include "run/streamed.h"

#include <string.h>

static struct tensor tensors[3];
static double numbers[] = {0, 0, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0};
static struct setting samples = {.key = "data.samples", .n = 12, .num = numbers};
static struct stage compare = {.nin = 2, .in = (int[]){2, 1}};
static struct kernel kernel = {.stage = &compare};
static struct plan plan = {.net = "xor",
                           .file = "xor.net",
                           .nsetting = 1,
                           .setting = &samples,
                           .ntensor = 3,
                           .tensor = tensors,
                           .nkernel = 1,
                           .kernel = &kernel};

static int fresh(void **state)
{
    (void)state;
    tensors[0] = (struct tensor){.name = "x", .role = ROLE_INPUT, .rows = true, .rank = 1, .dim = {2}, .base = -1};
    tensors[1] = (struct tensor){.name = "y", .role = ROLE_TARGET, .dtype = DT_I32, .rows = true, .base = -1};
    tensors[2] = (struct tensor){.name = "logits", .rows = true, .rank = 1, .dim = {2}, .base = -1};
    samples.n = 12;
    numbers[11] = 0;
    plan.nsetting = 1;
    kernel.nstage = 1;
    return 0;
}

static void test_classes(void **state)
{
    (void)state;
    struct dataset set;
    assert_int_equal(samples_open(&plan, NULL, false, INT64_MAX, &set), 0);
    assert_int_equal(set.train.count, 4);
    assert_int_equal(set.test.count, 4);
    const struct device_data d = samples_of(&set.train);
    assert_true(d.samples_f32 && d.count == 4);
    assert_memory_equal(d.samples, ((float[]){0, 0, 0, 1, 1, 0, 1, 1}), 8 * sizeof(float));
    assert_memory_equal(d.targets, ((int32_t[]){0, 1, 1, 0}), 4 * sizeof(int32_t));
    samples_close(&set);
}

static void test_values(void **state)
{
    (void)state;
    struct dataset set;
    tensors[1].dtype = DT_F32;
    tensors[1].rank = 1;
    tensors[1].dim[0] = 1;
    numbers[11] = 0.5;
    assert_int_equal(samples_open(&plan, NULL, false, INT64_MAX, &set), 0);
    assert_memory_equal(samples_of(&set.test).targets, ((float[]){0, 1, 1, 0.5f}), 4 * sizeof(float));
    samples_close(&set);
}

/* Every value counts, and the shape; where the values lie does not. */
static void test_hash(void **state)
{
    (void)state;
    unsigned char pixels[2][6] = {{1, 2, 3, 4, 5, 6}, {1, 2, 3, 4, 5, 6}};
    int32_t labels[2] = {0, 1};
    struct data_split split = {.count = 2,
                               .sample = {DATA_U8, 1, {3}, 3, pixels[0], NULL, 0, 0},
                               .label = {DATA_I32, 0, {0}, 4, (unsigned char *)labels, NULL, 0, 0}};
    char first[HASH_TEXT], other[HASH_TEXT];
    samples_hash(&split, first);
    assert_int_equal(strlen(first), HASH_TEXT - 1);
    split.sample.values = pixels[1];
    samples_hash(&split, other);
    assert_string_equal(first, other);
    for (int i = 0; i < 6; i++) {
        pixels[1][i] ^= 1;
        samples_hash(&split, other);
        assert_string_not_equal(first, other);
        pixels[1][i] ^= 1;
    }
    labels[1] = 2;
    samples_hash(&split, other);
    assert_string_not_equal(first, other);
    labels[1] = 1;
    split.sample.rank = 2;
    split.sample.dims[1] = 1;
    samples_hash(&split, other);
    assert_string_not_equal(first, other);
    split.count = 0;
    samples_hash(&split, other);
    assert_string_equal(other, "-");
}

static void test_wrong_samples(void **state)
{
    (void)state;
    struct dataset set;
    samples.n = 11;
    assert_int_equal(samples_open(&plan, NULL, false, INT64_MAX, &set), STATUS_DATA);
    samples.n = 12;
    numbers[11] = 0.5; /* no class index */
    assert_int_equal(samples_open(&plan, NULL, false, INT64_MAX, &set), STATUS_DATA);
    numbers[11] = 2; /* a third class, for two logits */
    assert_int_equal(samples_open(&plan, NULL, false, INT64_MAX, &set), STATUS_DATA);
    plan.nsetting = 0;
    assert_int_equal(samples_open(&plan, NULL, false, INT64_MAX, &set), STATUS_USAGE);
    assert_int_equal(samples_open(&plan, "/nowhere", false, INT64_MAX, &set), STATUS_DATA);
}

static void test_names(void **state)
{
    (void)state;
    char text[64];
    assert_string_equal(shape_text_of(3, (int64_t[]){1, 28, 28}, text, sizeof text), "1x28x28");
    assert_string_equal(shape_text_of(0, NULL, text, sizeof text), "scalar");
    assert_int_equal(tensor_with_role(&plan, ROLE_TARGET), 1);
    assert_int_equal(tensor_with_role(&plan, ROLE_SLOT), -1);
    assert_false(tensor_is_named(&plan, 0));
}

/* Runs of a sweep that train side by side lie in one memory. */
static void test_side_by_side(void **state)
{
    (void)state;
    struct options o = {.memory = NULL};
    const int64_t whole = samples_most(&o);
    for (o.jobs = 1; o.jobs <= 4; o.jobs++)
        assert_true(samples_most(&o) <= whole / o.jobs && samples_most(&o) * o.jobs > whole - whole / 8);
    o.memory = "512MiB"; /* less than half of any machine that builds this */
    for (o.jobs = 1; o.jobs <= 4; o.jobs *= 2)
        assert_int_equal(samples_most(&o), ((int64_t)512 << 20) / o.jobs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_classes, fresh),
        cmocka_unit_test_setup(test_values, fresh),
        cmocka_unit_test_setup(test_wrong_samples, fresh),
        cmocka_unit_test_setup(test_names, fresh),
        cmocka_unit_test(test_hash),
        cmocka_unit_test(test_side_by_side),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
