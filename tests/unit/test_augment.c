/* Augmentations against torchvision: the pictures that kernels make of numbers drawn from Philox, and how those numbers are
 * distributed (tests/oracle/augment.py). Every target, bytes and floats, and the reference on the host must agree. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "harness.h"

enum { FIRST = 3, ROWS = 20, EPOCHS = 2, DRAWS = 40000 };
static const uint32_t epochs[EPOCHS] = {0, 5};

static const struct target *const targets[] = {&target_cpu, &target_c_scalar};

struct set {
    struct st_file f;
    const struct st_tensor *input, *output;
    int64_t samples, each;
    unsigned char *u8;
    float *f32;
    int32_t label[FIRST + ROWS];
};

static void set_open(struct set *s, const char *net)
{
    open_beside(&s->f, net);
    s->input = st_find(&s->f, "input");
    s->output = st_find(&s->f, "output");
    assert_true(s->input && s->output);
    s->samples = FIRST + ROWS;
    s->each = stored_count(s->input) / s->samples;
    assert_int_equal(stored_count(s->output), EPOCHS * ROWS * s->each);
    s->u8 = malloc((size_t)(s->samples * s->each));
    s->f32 = malloc((size_t)(s->samples * s->each) * sizeof *s->f32);
    assert_true(s->u8 && s->f32);
    const struct st_tensor *label = st_find(&s->f, "label");
    for (int i = 0; i < FIRST + ROWS; i++)
        s->label[i] = label ? (int32_t)stored_value(label, i) : 0;
    for (int64_t i = 0; i < s->samples * s->each; i++) {
        s->u8[i] = (unsigned char)stored_value(s->input, i);
        s->f32[i] = (float)s->u8[i] / 255;
    }
}

static void set_close(struct set *s)
{
    free(s->u8);
    free(s->f32);
    st_free(&s->f);
}

/* The reference's picture of a sample, in 0..255. */
static void reference(const struct plan *p, const struct set *s, uint32_t epoch, int64_t sample, double *to)
{
    struct augment_step step[MAX_AUGMENT];
    struct augment_sample a = {.step = step,
                               .steps = plan_augment(p, step),
                               .size = augment_size(&p->tensor[tensor_with_role(p, ROLE_INPUT)]),
                               .id = {{(uint32_t)plan_number(p, "train.seed", 0), 0}, (uint32_t)sample, epoch},
                               .from = {.u8 = s->u8 + sample * s->each}};
    const int width = a.size.width, height = a.size.height;
    const int64_t other = FIRST + augment_partner(sample - FIRST, ROWS);
    assert_true(a.steps > 0);
    augment_draw(&a);
    struct augment_sample mixed = a;
    mixed.id.position = (uint32_t)other;
    mixed.from.u8 = s->u8 + other * s->each;
    augment_draw(&mixed);
    a.other = &mixed;
    for (int64_t e = 0; e < s->each; e++)
        to[e] = (double)augmented(&a, a.steps, (int)(e / width / height), (int)(e / width % height), (int)(e % width));
}

/* What a run of rows from FIRST + done on, of the batch of ROWS, leaves in the input. */
static void check_run(struct trial *t, const struct set *s, int epoch, int64_t done, int64_t rows)
{
    uint32_t control[CTL_WORDS];
    double *host = calloc((size_t)s->each, sizeof *host);
    struct closeness stored = {0}, near = {0};
    const int x = tensor_named(t, PHASE_TRAIN, "x");
    assert_true(host && x >= 0);
    control_train(&t->recipe, 0, epochs[epoch], FIRST, ROWS, s->samples, control);
    control_part(control, done, rows);
    trial_begin(t, PHASE_TRAIN, control);
    run_steps(t, 0, step_of(t, t->s, x) + 1);
    for (int64_t row = 0; row < rows; row++) {
        reference(t->p, s, epochs[epoch], FIRST + done + row, host);
        for (int64_t e = 0; e < s->each; e++) {
            const double got = value_get(t, x, row, e) * (t->data.samples_f32 ? 255 : 1);
            closer(&stored, e, got, stored_value(s->output, ((epoch * ROWS) + done + row) * s->each + e));
            closer(&near, e, got, host[e]);
        }
    }
    assert_true(is_close(&stored, t->c.file, "against torchvision", 0, 0.02));
    assert_true(is_close(&near, t->c.file, "against the host", 0, 0.002));
    free(host);
}

/* Of mixed targets, and the gradient of the weights. */
static void check_loss(struct trial *t, const struct set *s, int epoch)
{
    uint32_t control[CTL_WORDS];
    struct closeness loss = {0}, gradient = {0};
    const struct st_tensor *weight = st_find(&s->f, "fc.weight"), *losses = st_find(&s->f, "loss"),
                           *gradients = st_find(&s->f, "grad.fc.weight");
    const int w = tensor_named(t, PHASE_TRAIN, "fc.weight"), g = tensor_named(t, PHASE_TRAIN, "grad.fc.weight");
    assert_true(weight && losses && gradients && w >= 0 && g >= 0);
    for (int64_t i = 0; i < stored_count(weight); i++)
        value_put(t, w, 0, i, stored_value(weight, i) * (t->data.samples_f32 ? 255 : 1));
    control_train(&t->recipe, 0, epochs[epoch], FIRST, ROWS, s->samples, control);
    trial_run(t, PHASE_TRAIN, control);
    closer(&loss, 0, (double)control_float(control_of(t), CTL_LOSS), stored_value(losses, epoch));
    for (int64_t i = 0; i < stored_count(weight); i++)
        closer(&gradient, i, value_get(t, g, 0, i) * (t->data.samples_f32 ? 255 : 1),
               stored_value(gradients, epoch * stored_count(weight) + i));
    assert_true(is_close(&loss, t->c.file, "loss", 1e-5, 0));
    assert_true(is_close(&gradient, t->c.file, "gradient", 1e-4, 0));
}

static void test_case(void **state)
{
    struct set s;
    set_open(&s, *state);
    for (int i = 0; i < COUNT(targets) * 2; i++) {
        struct trial t;
        assert_true(trial_plan(&t, *state, read_text(*state), NULL, 0, stderr));
        t.target = targets[i / 2];
        trial_compile(&t, false);
        trial_arm(&t, ROWS);
        t.data = (struct device_data){.samples = i % 2 ? (void *)s.f32 : (void *)s.u8,
                                      .targets = s.label,
                                      .samples_f32 = i % 2,
                                      .count = s.samples,
                                      .sample_bytes = s.each * (i % 2 ? 4 : 1)};
        recipe_count(&t.recipe, s.samples);
        for (int epoch = 0; epoch < EPOCHS; epoch++) {
            check_run(&t, &s, epoch, 0, ROWS);
            check_run(&t, &s, epoch, 0, 16); /* parts of it see the same */
            check_run(&t, &s, epoch, 16, 4);
            if (augment_mixes(t.p))
                check_loss(&t, &s, epoch);
            else
                check_run(&t, &s, epoch, 7, 13);
        }
        trial_close(&t);
    }
    set_close(&s);
}

/* Neither evaluation nor prediction augments. */
static void test_only_training(void **state)
{
    struct trial t;
    struct set s;
    char path[] = "tests/expect/augment/crop_flip_cutout.net";
    (void)state;
    set_open(&s, path);
    assert_true(trial_plan(&t, path, read_text(path), NULL, 0, stderr));
    trial_compile(&t, false);
    trial_arm(&t, s.samples);
    t.data = (struct device_data){.samples = s.u8, .count = s.samples, .sample_bytes = s.each};
    for (enum phase ph = PHASE_EVALUATE; ph < PHASE_COUNT; ph++) {
        uint32_t control[CTL_WORDS];
        control_evaluate(&t.recipe, 0, s.samples, s.samples, control);
        trial_begin(&t, ph, control);
        const int x = tensor_named(&t, ph, "x");
        run_steps(&t, 0, step_of(&t, t.s, x) + 1);
        for (int64_t i = 0; i < s.samples * s.each; i++)
            assert_true(value_get(&t, x, i / s.each, i % s.each) == s.u8[i]);
    }
    trial_close(&t);
    set_close(&s);
}

/* ---- distributions ---- */

static const struct distribution {
    const char *name, *word;
    double arg[MAX_WORD_ARGS][2];
    int numbers; /* the first ones */
    int drawn;   /* a number that is 0 where nothing was drawn; -1: none */
} distributions[] = {
    {"RandomCrop.pad4", "RandomCrop", {{4, 4}}, 2, -1},
    {"RandomShift.shares", "RandomShift", {{0.2, 0.2}, {0.3, 0.3}}, 2, -1},
    {"RandomFlip.p", "RandomFlip", {{0.3, 0.3}}, 1, -1},
    {"Erase.default", "Erase", {{1, 1}, {0.02, 0.33}, {0.3, 3.3}}, 4, 2},
    {"RandomResizedCrop.default", "RandomResizedCrop", {{0.08, 1}, {3.0 / 4, 4.0 / 3}}, 4, -1},
    {"RandomRotate.degrees30", "RandomRotate", {{30, 30}}, 3, -1},
    {"ColorJitter.some", "ColorJitter", {{0.4}, {1.5}, {0.3}, {0.2}}, 5, -1},
    {"Mixup.alpha0.2", "Mixup", {{0.2}, {1}}, 1, -1},
    {"Mixup.alpha1", "Mixup", {{1}, {1}}, 1, -1},
    {"Mixup.alpha3", "Mixup", {{3}, {1}}, 1, -1},
    {"CutMix.default", "CutMix", {{1}, {1}}, 5, -1},
    {"Cutout.size16", "Cutout", {{16, 16}}, 2, -1},
};

static void test_distribution(void **state)
{
    const struct distribution *d = *state;
    const struct word *w = word_find(WORD_AUGMENT, d->word);
    struct st_file f;
    open_stored(&f, "tests/expect/augment/distributions.safetensors");
    float(*n)[AUGMENT_NUMBERS] = calloc(DRAWS, sizeof *n);
    int drawn = 0, compared = 0;
    assert_true(w && n);
    for (int i = 0; i < DRAWS; i++) {
        const struct augment_id id = {{1, 0}, (uint32_t)i % 1000, (uint32_t)i / 1000};
        struct augment_stream s = augment_stream(&id, 0);
        w->augment->draw(&s, d->arg, 32, 24, n[drawn]);
        drawn += d->drawn < 0 || n[drawn][d->drawn] != 0;
    }
    for (int k = 0; k < d->numbers; k++) {
        char name[64];
        snprintf(name, sizeof name, "%s.%d", d->name, k);
        const struct st_tensor *x = st_find(&f, name);
        if (!x) /* made of another number */
            continue;
        compared++;
        for (int64_t i = 0; i < stored_count(x) / 2; i++) {
            const double at = stored_value(x, i), share = stored_value(x, stored_count(x) / 2 + i);
            int below = 0;
            for (int j = 0; j < drawn; j++)
                below += (double)n[j][k] <= at + 1e-6 * fabs(at);
            if (fabs((double)below / drawn - share) > 0.012)
                fail_msg("%s: %g of the draws up to %g, torchvision has %g", name, (double)below / drawn, at, share);
        }
    }
    assert_true(compared > 0);
    free(n);
    st_free(&f);
}

int main(int argc, char **argv)
{
    struct CMUnitTest more[COUNT(distributions) + 1] = {cmocka_unit_test(test_only_training)};
    glob_t files;
    use_cache(argv[0]);
    if (glob(argc > 1 ? argv[1] : "tests/expect/augment/*.net", 0, NULL, &files) != 0)
        return 2;
    for (int i = 0; i < COUNT(distributions); i++)
        more[i + 1] = (struct CMUnitTest){
            .name = distributions[i].name, .test_func = test_distribution, .initial_state = (void *)&distributions[i]};
    int failed = run_files("augmentation", &files, test_case, more, COUNT(more));
    globfree(&files);
    return failed;
}
