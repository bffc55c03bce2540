/* Augmentations on the CUDA device: the pictures that torchvision makes of the same numbers, whether the set is resident or staged,
 * and those of the CPU. On the simulator; NETRUN_CUDA_LIBDIR= runs it on a GPU. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "harness.h"
#include "cuda_sim.h"
#include "cuda/device_cuda.h"

enum { FIRST = 3, ROWS = 20, EPOCHS = 2, SAMPLES = 100 /* more than a stage holds */ };
static const uint32_t epochs[EPOCHS] = {0, 5};

/* The samples row by row: they stay until the gradient of the first layer, which is the last to read them. */
static int gathered(const struct plan *p)
{
    const struct schedule *s = plan_schedule(p, &target_cuda, PHASE_TRAIN);
    const struct stage *first = p->kernel[s->first_kernel].stage;
    assert_string_equal(first->op->name, "gather");
    return first->out[1];
}

/* Weights are those whose loss is stored. */
static void put_weights(const struct trial *t, struct device *d, const struct st_tensor *weight)
{
    for (int i = 0; weight && i < t->p->ntensor; i++)
        if (!strcmp(t->p->tensor[i].name, weight->name) && t->p->tensor[i].schedule < 0)
            assert_true(d->write(d, PHASE_TRAIN, i, 0, weight->data, (int64_t)weight->bytes));
}

static void check_epochs(struct trial *t, struct device *d, const struct st_tensor *output,
                         const struct st_tensor *losses)
{
    const int x = gathered(t->p);
    const struct tensor *tensor = &t->p->tensor[x];
    const int64_t each = tensor_elements(tensor), count = 2 * ROW_BLOCK * row_elements(tensor);
    float *got = calloc((size_t)count, sizeof *got);
    struct closeness c = {0}, loss = {0};
    struct device_error e;
    assert_non_null(got);
    for (int epoch = 0; epoch < EPOCHS; epoch++) {
        uint32_t control[1][CTL_WORDS];
        control_train(&t->recipe, 0, epochs[epoch], FIRST, ROWS, SAMPLES, control[0]);
        if (!d->run(d, PHASE_TRAIN, control, 1, &e))
            fail_msg("%s", e.text);
        assert_true(d->read(d, PHASE_TRAIN, x, 0, got, count * 4));
        if (losses)
            closer(&loss, epoch, (double)control_float(control[0], CTL_LOSS), stored_value(losses, epoch));
        for (int64_t i = 0; i < ROWS * each; i++)
            closer(&c, i, (double)got[index_of(tensor, i / each, i % each)],
                   stored_value(output, epoch * ROWS * each + i));
    }
    free(got);
    assert_true(is_close(&c, t->c.file, "against torchvision", 0, 0.02));
    assert_true(is_close(&loss, t->c.file, "loss", 1e-5, 0));
}

static void test_case(void **state)
{
    struct trial t;
    struct st_file f;
    struct device_error e = {0};
    int32_t targets[SAMPLES] = {0}; /* as many bytes as floats, and those are not looked at */
    if (getenv("NETRUN_CUDA_LIBDIR") && !strcmp(getenv("NETRUN_CUDA_LIBDIR"), SIM_FOLDER) && !sim_there())
        skip();
    open_beside(&f, *state);
    const struct st_tensor *input = st_find(&f, "input"), *output = st_find(&f, "output");
    assert_true(input && output && trial_plan(&t, *state, read_text(*state), NULL, 0, stderr));
    assert_int_equal(recipe_read(t.p, &t.recipe), 0);
    t.recipe.shuffle = false;
    recipe_count(&t.recipe, SAMPLES);
    const int64_t each = stored_count(input) / (FIRST + ROWS), stage = (2 * ROW_BLOCK * each + 255) / 256 * 256 + 256;
    unsigned char *u8 = calloc(SAMPLES, (size_t)each);
    assert_non_null(u8);
    for (int64_t i = 0; i < stored_count(input); i++)
        u8[i] = (unsigned char)stored_value(input, i);
    const struct st_tensor *label = st_find(&f, "label");
    for (int i = 0; label && i < FIRST + ROWS; i++)
        targets[i] = (int32_t)stored_value(label, i);
    t.data = (struct device_data){u8, targets, false, SAMPLES, each, sizeof *targets, NULL};
    struct device_rows capacity = {.rows = {[PHASE_TRAIN] = 2 * ROW_BLOCK}};
    const struct schedule *s = plan_schedule(t.p, &target_cuda, PHASE_TRAIN);
    for (int resident = 0; resident < 2; resident++) {
        struct device *d = device_cuda_open(&(struct device_options){0}, 0, &e);
        if (!d || !d->compile(d, t.p, &e))
            fail_msg("%s", e.text);
        const int64_t arena = (schedule_arena(t.p, s, 2 * ROW_BLOCK) + 255) / 256 * 256;
        if (!d->arm(d, &capacity, &t.data, 1, resident ? d->room(d, INT64_MAX) : arena + stage, &e) ||
            !d->data(d, &t.data, &e))
            fail_msg("%s", e.text);
        put_weights(&t, d, st_find(&f, "fc.weight"));
        check_epochs(&t, d, output, st_find(&f, "loss"));
        d->close(d);
    }
    free(u8);
    region_free(t.c.region);
    free(t.c.text);
    st_free(&f);
}

int main(int argc, char **argv)
{
    glob_t files;
    if (!getenv("NETRUN_CUDA_LIBDIR"))
        setenv("NETRUN_CUDA_LIBDIR", SIM_FOLDER, 1);
    use_cache(argv[0]);
    if (glob(argc > 1 ? argv[1] : "tests/expect/augment/*.net", 0, NULL, &files) != 0)
        return 2;
    int failed = run_files("augmentation on CUDA", &files, test_case, NULL, 0);
    globfree(&files);
    return failed;
}
