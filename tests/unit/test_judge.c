/* The judge: the sample plan is good, and each single lie in it is found. */
#include "netc/compile.h"
#include "sample_plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void good_plan(void **state)
{
    (void)state;
    struct plan *p = sample_plan();
    struct plan_error e = {0};
    if (!plan_judge(p, &e))
        fail_msg("%s", e.text);
    plan_free(p);
}

/* Changes one thing of a good plan; the judge must refuse with `message` in its words. */
static void refuse_(const char *what, struct plan *p, void change(struct plan *p), const char *message)
{
    struct plan_error e = {0};
    change(p);
    bool good = plan_judge(p, &e);
    if (good || !strstr(e.text, message))
        fail_msg("%s: %s", what, good ? "accepted" : e.text);
    plan_free(p);
}

/* clang-format off */
#define LIE(name, statement) static void name(struct plan *p) { statement; }
/* clang-format on */
#define REFUSE(lie, message) refuse_(#lie, sample_plan(), lie, message)
#define REFUSE_SUM(lie, message) refuse_(#lie, summing_plan(), lie, message)

/* The struct members that lies are about. */
#define T(i) p->tensor[i]
#define S(i) p->schedule[i]
#define STAGE(k, i) p->kernel[k].stage[i]

LIE(negative_bytes, T(Y).bytes = -16)
LIE(too_few_bytes, T(BIAS).bytes = 15)
LIE(shape_overflows, T(MEAN).rank = 2; T(MEAN).dim[0] = T(MEAN).dim[1] = INT64_C(1) << 40)
LIE(no_extent, T(MEAN).dim[0] = 0)
LIE(row_bytes_not_aligned, T(Y).bytes = 24)
LIE(blocks_without_rows, T(MEAN).layout = &layout_block)
LIE(persistent_rows, T(MEAN).rows = true)
LIE(life_backwards, T(Y).first = 4; T(Y).last = 1)
LIE(life_past_the_end, T(Y).last = 6)

LIE(row_offset_not_aligned, T(Y).offset = 40)
LIE(fixed_offset_not_aligned, T(PARTIAL).offset = 192)
LIE(negative_offset, T(PARTIAL).offset = -256)
LIE(past_the_persistent, T(MEAN).offset = 768)
LIE(past_the_fixed, T(PARTIAL).offset = 512)
LIE(past_the_rows, T(GY).offset = 80)
LIE(offset_overflows, T(GY).offset = INT64_MAX - 15)
LIE(bytes_overflow, T(GY).bytes = INT64_MAX - 15)

LIE(part_of_a_part, T(WEIGHT_GRAD).base = BIAS_GRAD)
LIE(part_of_itself, T(GSUM).base = GSUM)
LIE(part_of_registers, T(GSUM).base = SUM)
LIE(part_without_rows, T(GSUM).base = GRADIENTS)
LIE(part_of_another_schedule, T(GSUM).base = LOGITS)
LIE(part_past_its_base, T(BIAS).at = 192)
LIE(part_below_its_base, T(BIAS).at = -64)
LIE(part_not_aligned, T(BIAS).at = 136)
LIE(part_larger_than_its_base, T(GSUM).bytes = 32)
LIE(part_of_a_workspace, T(GY).role = ROLE_WORKSPACE; T(GY).last = T(GY).first + 1)
LIE(persistent_part_of_a_phase, T(BIAS).base = GRADIENTS)

LIE(persistent_overlap, T(MEAN).offset = 256)
LIE(workspace_for_a_while, T(PARTIAL).role = ROLE_WORKSPACE)
LIE(workspace_of_two_steps, T(GY).role = ROLE_WORKSPACE; T(GY).last = T(GY).first + 2)
LIE(workspace_of_no_step, T(GY).role = ROLE_WORKSPACE; T(GY).last = T(GY).first)
LIE(workspace_in_registers, T(PARTIAL).role = ROLE_WORKSPACE; T(PARTIAL).first = T(PARTIAL).last = 3)
LIE(ring_for_a_while, T(PARTIAL).role = ROLE_RING)
LIE(ring_of_floats, T(PARTIAL).role = ROLE_RING; T(PARTIAL).first = 0; T(PARTIAL).last = 5)
LIE(fixed_overlap, T(PARTIAL).offset = 0)
LIE(row_overlap, T(LOSS).offset = 32)
LIE(row_overlap_in_part, T(IMAGE).bytes = 48)
LIE(life_overlap, T(LOSS).offset = 64)
LIE(parameters_overlap, T(BIAS).at = 64)

LIE(bound_too_small, S(0).bound_per_row = 64)
LIE(bound_too_large, S(0).bound_per_row = 96; S(0).per_row = 96)
LIE(rows_below_the_bound, S(1).per_row = 32; T(LOGITS).offset = 16; T(LOGITS).first = 0; T(IMAGE2).bytes = 32)
LIE(not_the_peak, S(0).peak_step = 1)
LIE(peak_out_of_range, S(0).peak_step = 5)
LIE(same_phase_twice, S(1).phase = PHASE_TRAIN)
LIE(gap_between_schedules, S(1).first_kernel = 6)
LIE(schedules_share_a_kernel, S(1).first_kernel = 4)
LIE(schedules_end_early, S(1).last_kernel = 6)
LIE(schedules_end_late, S(1).last_kernel = 8)
LIE(empty_schedule, S(0).last_kernel = 0)
LIE(persistent_not_aligned, p->persistent = 800)
LIE(fixed_not_aligned, S(0).fixed = 520)
LIE(per_row_not_aligned, S(0).per_row = 88)
LIE(arena_overflows, S(0).per_row = INT64_C(1) << 40)
LIE(kernel_of_another_schedule, p->kernel[6].schedule = 0)

LIE(read_before_birth, STAGE(1, 0).in[0] = GY)
LIE(read_after_death, STAGE(4, 0).in[1] = Y)
LIE(read_of_another_phase, STAGE(6, 0).in[0] = IMAGE)
LIE(written_after_death, STAGE(4, 0).out[0] = LOSS)
LIE(part_read_after_death, T(GY).last = 3)
LIE(never_written, STAGE(0, 0).out[0] = CONTROL)
LIE(read_before_written, T(GY).first = 1; STAGE(1, 0).in[0] = GY)
LIE(register_of_another_kernel, T(SUM).first = T(SUM).last = 2)
LIE(register_leaves_its_kernel, STAGE(3, 0).in[0] = SUM)
LIE(register_made_twice, STAGE(1, 1).out[0] = SUM)
LIE(register_read_first, STAGE(1, 0).in[0] = SUM)
LIE(register_never_made, STAGE(1, 0).out[0] = STAGE(1, 1).in[0] = Y)
LIE(written_twice_at_once, STAGE(2, 0).out[1] = LOSS)
LIE(slot_without_training, T(PARAMETERS).role = ROLE_SLOT)
LIE(part_of_a_slot_without_training, T(WEIGHT).role = ROLE_SLOT)

LIE(no_control, T(CONTROL).role = ROLE_STATE)
LIE(two_controls, T(MEAN) = T(CONTROL))
LIE(short_control, T(CONTROL).dim[0] = 63)
LIE(control_of_floats, T(CONTROL).dtype = DT_F32)

LIE(sum_past_the_parts, T(SUMS).offset = 256)
LIE(sum_without_parts, S(0).parts = 0)
LIE(sum_not_aligned, T(SUMS).offset = 64)
LIE(parts_not_aligned, S(0).parts = 320)
LIE(negative_parts, S(0).parts = -256)
LIE(parts_overflow, S(0).parts = INT64_MAX / 256 * 256)
LIE(parts_without_training, S(1).parts = 256)
LIE(sum_for_a_while, T(SUMS).first = 1)
LIE(sum_that_persists, T(SUMS).schedule = -1; T(SUMS).offset = 768; p->persistent = 1024)
LIE(sum_with_rows, T(SUMS).rows = true)
LIE(sum_without_training, T(SUMS).schedule = 1; T(SUMS).last = 2)
LIE(part_of_a_sum, T(BIAS_GRAD).base = SUMS)
LIE(sum_within_a_gradient, T(BIAS_GRAD).role = ROLE_SUM)
LIE(two_sums_in_one_place, static char other[] = "other"; T(PARTIAL) = T(SUMS); T(PARTIAL).name = other)
LIE(sum_read_in_one_piece, STAGE(3, 0).in[0] = SUMS)
LIE(sum_made_in_one_piece, STAGE(3, 1).out[2] = SUMS)
LIE(summed_without_training, STAGE(6, 0).op = op_find("accumulate"))

static void sizes(void **state)
{
    (void)state;
    REFUSE(negative_bytes, "needs more");
    REFUSE(too_few_bytes, "needs more");
    REFUSE(shape_overflows, "needs more");
    REFUSE(no_extent, "needs more");
    REFUSE(row_bytes_not_aligned, "multiple");
    REFUSE(blocks_without_rows, "blocks need rows");
    REFUSE(persistent_rows, "rows need");
    REFUSE(life_backwards, "lives during");
    REFUSE(life_past_the_end, "lives during");
}

static void regions(void **state)
{
    (void)state;
    REFUSE(row_offset_not_aligned, "outside of its region");
    REFUSE(fixed_offset_not_aligned, "outside of its region");
    REFUSE(negative_offset, "outside of its region");
    REFUSE(past_the_persistent, "outside of its region");
    REFUSE(past_the_fixed, "outside of its region");
    REFUSE(past_the_rows, "outside of its region");
    REFUSE(offset_overflows, "outside of its region");
    REFUSE(bytes_overflow, "outside of its region");
}

static void parts(void **state)
{
    (void)state;
    REFUSE(part_of_a_part, "part of");
    REFUSE(part_of_itself, "part of");
    REFUSE(part_of_registers, "part of");
    REFUSE(part_without_rows, "part of");
    REFUSE(part_of_another_schedule, "part of");
    REFUSE(persistent_part_of_a_phase, "part of");
    REFUSE(part_past_its_base, "outside of parameters");
    REFUSE(part_below_its_base, "outside of parameters");
    REFUSE(part_not_aligned, "outside of parameters");
    REFUSE(part_of_a_workspace, "cannot be a part of");
    REFUSE(part_larger_than_its_base, "outside of relu_1.grad");
}

static void overlaps(void **state)
{
    (void)state;
    REFUSE(persistent_overlap, "overlap");
    REFUSE(fixed_overlap, "overlap");
    REFUSE(row_overlap, "overlap");
    REFUSE(row_overlap_in_part, "overlap");
    REFUSE(life_overlap, "overlap");
    REFUSE(parameters_overlap, "overlap");
}

static void schedules(void **state)
{
    (void)state;
    REFUSE(bound_too_small, "the bound is 80");
    REFUSE(bound_too_large, "the bound is 80");
    REFUSE(rows_below_the_bound, "");
    REFUSE(not_the_peak, "peak");
    REFUSE(peak_out_of_range, "peak");
    REFUSE(same_phase_twice, "same target");
    REFUSE(gap_between_schedules, "");
    REFUSE(schedules_share_a_kernel, "do not follow");
    REFUSE(schedules_end_early, "kernels");
    REFUSE(schedules_end_late, "kernels");
    REFUSE(empty_schedule, "");
    REFUSE(persistent_not_aligned, "multiple");
    REFUSE(fixed_not_aligned, "multiple");
    REFUSE(per_row_not_aligned, "multiple");
    REFUSE(arena_overflows, "64-bit");
    REFUSE(kernel_of_another_schedule, "not one of schedule 0");
}

static void lives(void **state)
{
    (void)state;
    REFUSE(read_before_birth, "does not live");
    REFUSE(read_after_death, "does not live");
    REFUSE(read_of_another_phase, "does not live");
    REFUSE(written_after_death, "does not live");
    REFUSE(part_read_after_death, "does not live");
    REFUSE(never_written, "before it is made");
    REFUSE(read_before_written, "");
    REFUSE(register_of_another_kernel, "does not live");
    REFUSE(register_leaves_its_kernel, "does not live");
    REFUSE(register_made_twice, "made twice");
    REFUSE(register_read_first, "before it is made");
    REFUSE(register_never_made, "no kernel makes it");
    REFUSE(slot_without_training, "does not train");
    REFUSE(part_of_a_slot_without_training, "does not train");
    REFUSE(written_twice_at_once, "twice");
}

static void control(void **state)
{
    (void)state;
    REFUSE(workspace_for_a_while, "through their whole phase");
    REFUSE(workspace_of_two_steps, "through their whole phase");
    REFUSE(workspace_of_no_step, "through their whole phase");
    REFUSE(workspace_in_registers, "through their whole phase");
    REFUSE(ring_for_a_while, "through their whole phase");
    REFUSE(ring_of_floats, "words u32");
    REFUSE(no_control, "0 control blocks");
    REFUSE(two_controls, "2 control blocks");
    REFUSE(short_control, "64 persistent words");
    REFUSE(control_of_floats, "64 persistent words");
}

/* What only a batch in parts has: its bytes, and who may touch them. */
static void sums(void **state)
{
    (void)state;
    struct plan *p = summing_plan();
    struct plan_error e = {0};
    if (!plan_judge(p, &e))
        fail_msg("%s", e.text);
    plan_free(p);
    REFUSE_SUM(sum_past_the_parts, "outside of its region");
    REFUSE_SUM(sum_without_parts, "outside of its region");
    REFUSE_SUM(sum_not_aligned, "outside of its region");
    REFUSE_SUM(parts_not_aligned, "multiples");
    REFUSE_SUM(negative_parts, "outside of its region");
    REFUSE_SUM(parts_overflow, "64-bit");
    REFUSE_SUM(parts_without_training, "only training");
    REFUSE_SUM(sum_for_a_while, "from run to run");
    REFUSE_SUM(sum_that_persists, "from run to run");
    REFUSE_SUM(sum_with_rows, "from run to run");
    REFUSE_SUM(sum_without_training, "outside of its region");
    REFUSE_SUM(part_of_a_sum, "no bytes in common");
    REFUSE_SUM(sum_within_a_gradient, "no bytes in common");
    REFUSE_SUM(two_sums_in_one_place, "overlap");
    REFUSE_SUM(sum_read_in_one_piece, "runs in one piece");
    REFUSE_SUM(sum_made_in_one_piece, "runs in one piece");
    REFUSE_SUM(summed_without_training, "only training runs in parts");
}

/* What is harmless stays allowed: wasted bytes, a longer life where there is room, the same bytes in two shapes. */
static void harmless(void **state)
{
    (void)state;
    struct plan *p = sample_plan();
    struct plan_error e = {0};
    S(0).per_row = 96;
    T(LOSS).offset = 80;
    T(BIAS).at = 0;
    T(BIAS).bytes = T(WEIGHT).bytes;
    T(GSUM).first = T(GSUM).last = 0;
    T(MEAN).last = 0;
    if (!plan_judge(p, &e))
        fail_msg("%s", e.text);
    plan_free(p);
}

/* ---- places at random, against a judge of pairs ---- */

enum { RANDOM_TENSORS = 14, RANDOM_STEPS = 8 };

static bool share_bytes(const struct tensor *a, const struct tensor *b)
{
    if (a->schedule != b->schedule || a->rows != b->rows || a->base != b->base ||
        (a->role == ROLE_SUM) != (b->role == ROLE_SUM))
        return false;
    int64_t at = a->base < 0 ? a->offset : a->at, bt = b->base < 0 ? b->offset : b->at;
    if (a->base >= 0 && at == bt && a->bytes == b->bytes)
        return false;
    if (a->base >= 0 && a->schedule >= 0 &&
        ((at <= bt && bt + b->bytes <= at + a->bytes) || (bt <= at && at + a->bytes <= bt + b->bytes)))
        return false; /* a part of a part */
    bool together = a->schedule < 0 || a->base >= 0 || (a->first < b->last && b->first < a->last);
    return together && at < bt + b->bytes && bt < at + a->bytes;
}

/* Persistent, of the whole phase, with rows, a sum over parts, or a part of tensor 1. */
static struct tensor random_tensor(void)
{
    static char name[] = "random";
    struct tensor t = {.name = name, .dtype = DT_U8, .schedule = -1, .base = -1, .bytes = 1 + rand() % 600};
    switch (rand() % 5) {
    case 0:
        t.offset = 2048 + rand() % 24 * FIXED_ALIGN;
        break;
    case 1:
        t.schedule = 0;
        t.offset = rand() % 24 * FIXED_ALIGN;
        break;
    case 2:
        t.schedule = 0;
        t.rows = true;
        t.layout = rand() % 2 ? &layout_plain : &layout_block;
        t.bytes = (1 + rand() % 6) * PLACE_ALIGN;
        t.offset = rand() % 40 * PLACE_ALIGN;
        break;
    case 3:
        t.schedule = 0;
        t.role = ROLE_SUM;
        t.offset = rand() % 24 * FIXED_ALIGN;
        break;
    default:
        t.base = 1;
        t.schedule = rand() % 2 - 1;
        t.bytes = (1 + rand() % 2) * PARAM_ALIGN;
        t.at = rand() % 14 * PARAM_ALIGN;
    }
    t.first = rand() % RANDOM_STEPS;
    t.last = t.first + 1 + rand() % (RANDOM_STEPS - t.first);
    if (t.role == ROLE_SUM) {
        t.first = 0;
        t.last = RANDOM_STEPS;
    }
    return t;
}

static void random_places(void **state)
{
    (void)state;
    /* clang-format off */
    struct tensor tensor[RANDOM_TENSORS] = {
        {.name = "control", .role = ROLE_CONTROL, .dtype = DT_U32, .rank = 1, .dim = {CTL_WORDS}, .schedule = -1, .base = -1,
         .bytes = 256},
        {.name = "parameters", .role = ROLE_PARAM, .schedule = -1, .base = -1, .bytes = 1024, .offset = 256},
    };
    /* clang-format on */
    struct schedule schedule = {.last_kernel = RANDOM_STEPS, .fixed = 8192, .parts = 8192, .per_row = 1024};
    struct plan p = {.persistent = 16384,
                     .ntensor = RANDOM_TENSORS,
                     .tensor = tensor,
                     .nkernel = RANDOM_STEPS,
                     .nschedule = 1,
                     .schedule = &schedule};
    int refused = 0, rounds = 4000;
    srand(1);
    for (int round = 0; round < rounds; round++) {
        struct plan_error e = {0};
        bool expected = false;
        for (int i = 2; i < RANDOM_TENSORS; i++)
            tensor[i] = random_tensor();
        for (int i = 0; i < RANDOM_TENSORS; i++)
            for (int j = 0; j < i; j++)
                expected |= share_bytes(&tensor[i], &tensor[j]);
        schedule.peak_step = -1; /* places are judged before: it is never right */
        assert_false(plan_judge(&p, &e));
        assert_true(strstr(e.text, expected ? "overlap" : "schedule 0: "));
        refused += expected;
    }
    assert_in_range(refused, rounds / 8, rounds / 8 * 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_plan), cmocka_unit_test(sizes),         cmocka_unit_test(regions),
        cmocka_unit_test(parts),     cmocka_unit_test(overlaps),      cmocka_unit_test(schedules),
        cmocka_unit_test(lives),     cmocka_unit_test(control),       cmocka_unit_test(harmless),
        cmocka_unit_test(sums),      cmocka_unit_test(random_places),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
