/* 20 or 100 steps of every optimizer and schedule against PyTorch's: rates, losses, and each parameter after each stored step. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "harness.h"

enum { FEWEST_STEPS = 20 };

/* Rounding grows from step to step, and losses become small. */
static double tolerance(const struct trial *t)
{
    return t->recipe.rate.total == FEWEST_STEPS ? 1e-6 : 3e-5;
}

static double addend(const struct trial *t)
{
    return t->recipe.rate.total == FEWEST_STEPS ? 1e-9 : 1e-8;
}

static bool number_close(const struct trial *t, const struct st_file *f, const char *what, int step, double got)
{
    char text[64];
    struct closeness c = {0};
    snprintf(text, sizeof text, "%s of step %d", what, step + 1);
    closer(&c, 0, got, stored_value(st_find(f, what), step));
    return is_close(&c, t->c.file, text, tolerance(t), addend(t));
}

static bool step_close(struct trial *t, const struct st_file *f, int step)
{
    bool good = true;
    char name[128];
    for (int i = 0; i < t->p->ntensor; i++) {
        const char *const tensor = t->p->tensor[i].name, *const mean = strstr(tensor, "ema.");
        if (!tensor_is_named(t->p, i) || (t->p->tensor[i].role != ROLE_PARAM && !mean))
            continue;
        snprintf(name, sizeof name, "step%d.%s", step + 1, mean ? mean : tensor);
        const struct st_tensor *want = st_find(f, name);
        if (!want && ((step + 1) % 10 == 0 || t->recipe.rate.total == FEWEST_STEPS))
            fail_msg("%s: %s is not stored", t->c.file, name);
        good &= !want || tensor_close(t, i, want, tolerance(t), addend(t));
    }
    return good;
}

/* One batch is the epoch. */
static bool check_steps(struct trial *t, const struct st_file *f)
{
    bool good = true;
    uint32_t control[CTL_WORDS];
    int64_t rows = t->data.count;
    for (int step = 0; step < (int)t->recipe.rate.total; step++) {
        control_train(&t->recipe, step, step, 0, rows, rows, control);
        good &= number_close(t, f, "lr", step, rate_at(&t->recipe.rate, step));
        good &= number_close(t, f, "lr", step, control_float(control, CTL_LR));
        trial_run(t, PHASE_TRAIN, control);
        good &= number_close(t, f, "loss", step, control_float(control_of(t), CTL_LOSS));
        good &= step_close(t, f, step);
    }
    return good;
}

/* A step whose loss is not finite changes no parameter and no slot. */
static bool check_refusal(struct trial *t)
{
    uint32_t control[CTL_WORDS];
    double before[4096];
    int64_t rows = t->data.count;
    ((float *)t->data.samples)[0] = NAN;
    for (int pass = 0; pass < 2; pass++) {
        int n = 0;
        for (int i = 0; i < t->p->ntensor; i++)
            for (int64_t k = 0; tensor_is_named(t->p, i) && k < tensor_elements(&t->p->tensor[i]); k++, n++) {
                assert_true(n < COUNT(before));
                if (pass == 0)
                    before[n] = value_get(t, i, 0, k);
                else if (before[n] != value_get(t, i, 0, k)) {
                    print_error("%s: a loss of NaN changed %s\n", t->c.file, t->p->tensor[i].name);
                    return false;
                }
            }
        control_train(&t->recipe, t->recipe.rate.total, t->recipe.rate.total, 0, rows, rows, control);
        trial_run(t, PHASE_TRAIN, control);
        assert_int_equal(control_of(t)[CTL_FINITE], 0);
        assert_true(isnan(control_float(control_of(t), CTL_LOSS)));
    }
    return true;
}

static void test_case(void **state)
{
    const char *path = *state;
    struct st_file f;
    struct trial t;
    open_beside(&f, path);
    assert_true(trial_plan(&t, path, read_text(path), NULL, 0, stderr));
    trial_compile(&t, false);
    int64_t rows = put_batch(&t, &f);
    trial_arm(&t, rows);
    put_state(&t, &f);
    recipe_count(&t.recipe, rows);
    assert_int_equal(t.recipe.rate.total, (int64_t)st_find(&f, "lr")->dims[0]);
    bool good = check_steps(&t, &f);
    good &= check_refusal(&t);
    free_batch(&t);
    trial_close(&t);
    st_free(&f);
    assert_true(good);
}

int main(int argc, char **argv)
{
    (void)argc;
    return run_expected(argv[0], "optimizers", &(struct variant){&target_cpu, false}, 1, test_case, NULL, 0);
}
