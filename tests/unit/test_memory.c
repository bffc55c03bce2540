/* The memory plans of the seed models: as small as their schedules allow in every phase and batch, and no schedule worse
 * than what PyTorch peaks at in the same training step, its gradients kept as ours are (tests/expect/memory.json, made by
 * tests/oracle/memory.py), so that a tight packing of a bad schedule would show. */
#include "compiled.h"

#include <jansson.h>

static const char *const models[] = {"xor", "mlp", "mlp3", "mnist_cnn", "strided_cnn", "fashion_lenet", "resnet20"};

static int64_t blocks(double rows)
{
    return ((int64_t)rows + ROW_BLOCK - 1) / ROW_BLOCK * ROW_BLOCK;
}

static void arena_is_the_bound(void **state)
{
    (void)state;
    static const int64_t rows[] = {16, 48, 256, 60000};
    for (int m = 0; m < COUNT(models); m++) {
        struct compilation *c = compiled_model(models[m]);
        for (int s = 0; s < c->plan->nschedule; s++) {
            const struct schedule *p = &c->plan->schedule[s];
            assert_int_equal(p->per_row, p->bound_per_row);
            for (int i = 0; i < COUNT(rows); i++)
                assert_int_equal(schedule_arena(c->plan, p, rows[i]),
                                 c->plan->persistent + p->fixed + rows[i] * p->bound_per_row);
        }
        compiled_free(c);
    }
}

static void schedules_need_no_more_than_pytorch(void **state)
{
    (void)state;
    json_t *expect = json_load_file("tests/expect/memory.json", JSON_REJECT_DUPLICATES, NULL);
    json_t *peaks = json_object_get(expect, "models");
    assert_non_null(peaks);
    printf("%-14s %6s %12s %12s   bytes of one training step\n", "model", "batch", "arena", "PyTorch");
    for (int m = 0; m < COUNT(models); m++) {
        json_t *of = json_object_get(peaks, models[m]);
        int64_t batch = json_integer_value(json_object_get(of, "batch")),
                peak = json_integer_value(json_object_get(of, "peak_kept"));
        struct compilation *c = compiled_model(models[m]);
        assert_int_equal(plan_number(c->plan, "train.batch", 0), batch);
        int64_t arena =
            schedule_arena(c->plan, plan_schedule(c->plan, &target_cpu, PHASE_TRAIN), blocks((double)batch));
        printf("%-14s %6lld %12lld %12lld\n", models[m], (long long)batch, (long long)arena, (long long)peak);
        if (strcmp(models[m], "xor")) /* four samples in a block of sixteen */
            assert_true(arena <= peak);
        compiled_free(c);
    }
    json_decref(expect);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arena_is_the_bound),
        cmocka_unit_test(schedules_need_no_more_than_pytorch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
