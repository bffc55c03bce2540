/* Metrics that are more than a count, against scikit-learn's numbers in tests/expect/metrics: a pass over 23 samples in runs of 16 and 7,
 * tested and trained (with a learning rate that changes nothing), by the kernels of each target. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "harness.h"

enum { SAMPLES = 23, BATCH = 16, CLASSES = 16 };

static int tally_named(const struct trial *t, const char *name)
{
    for (int i = 0; i < t->p->ntensor; i++)
        if (tensor_is_tally(t->p, i) && !strcmp(t->p->tensor[i].name, name))
            return i;
    fail_msg("%s: there is no %s", t->c.file, name);
    return -1;
}

/* What the host reads of each sample. */
static void take_scores(const struct trial *t, int64_t position, int64_t rows, float *value, int32_t *class)
{
    for (int i = 0; i < t->p->ntensor; i++) {
        const struct tensor *x = &t->p->tensor[i];
        if (x->role != ROLE_SCORES || x->schedule != t->s - t->p->schedule)
            continue;
        for (int64_t r = 0; r < rows; r++)
            for (int64_t k = 0; k < tensor_elements(x); k++)
                value[(position + r) * tensor_elements(x) + k] = (float)value_get(t, i, r, k);
    }
    for (int64_t r = 0; r < rows; r++)
        class[position + r] = ((const int32_t *)t->data.targets)[position + r];
}

static double found(const struct trial *t, const struct word *w, const float *value, const int32_t *class,
                    int64_t classes)
{
    struct ranked ranked[SAMPLES];
    double total[SAMPLES];
    if (w->ranks)
        return w->ranks(&(struct scores){.value = value,
                                         .class = class,
                                         .n = SAMPLES,
                                         .classes = classes,
                                         .stride = classes,
                                         .room = ranked,
                                         .total = total});
    const int i = tally_named(t, w->tally);
    return w->sums(tensor_at(t, i), tensor_elements(&t->p->tensor[i]), SAMPLES);
}

static bool check_pass(struct trial *t, const struct st_file *f, enum phase ph)
{
    float value[SAMPLES * CLASSES];
    int32_t class[SAMPLES] = {0};
    bool good = true;
    int n = 0;
    trial_poison(t, true);
    put_state(t, f);
    for (int64_t position = 0; position < SAMPLES; position += BATCH) {
        uint32_t control[CTL_WORDS];
        const int64_t rows = SAMPLES - position < BATCH ? SAMPLES - position : BATCH;
        if (phase_trains(ph))
            control_train(&t->recipe, 0, 0, position, rows, SAMPLES, control);
        else
            control_evaluate(&t->recipe, position, rows, SAMPLES, control);
        trial_run(t, ph, control);
        if (!phase_trains(ph))
            take_scores(t, position, rows, value, class);
    }
    const int64_t classes = (int64_t)st_find(f, "input")->dims[1];
    for (int m = 0; m < t->recipe.metrics; m++) {
        const struct word *w = metric_named(t->recipe.metric[m]);
        char name[64];
        double want;
        struct closeness c = {0};
        snprintf(name, sizeof name, "want.%s", t->recipe.metric[m]);
        const struct st_tensor *x = st_find(f, name);
        if (!x || (w->ranks && phase_trains(ph)))
            continue;
        memcpy(&want, x->data, sizeof want);
        closer(&c, 0, found(t, w, value, class, classes), want);
        good &= is_close(&c, t->c.file, name, w->ranks || !strcmp(w->tally, "@tally.classes") ? 1e-12 : 1e-6, 0);
        n++;
    }
    assert_true(n >= 2);
    return good;
}

/* A run whose loss is not finite adds nothing in training, and in a test its rows count as they are. */
static bool check_not_finite(struct trial *t, const struct st_file *f)
{
    uint32_t control[CTL_WORDS];
    double sum[2] = {0};
    for (int ph = PHASE_TRAIN; ph <= PHASE_EVALUATE; ph++) {
        trial_poison(t, true);
        put_state(t, f);
        ((float *)t->data.samples)[0] = NAN;
        control_train(&t->recipe, 0, 0, 0, BATCH, SAMPLES, control);
        trial_run(t, (enum phase)ph, control);
        const int i = tally_named(t, "@tally.classes");
        const int64_t n = tensor_elements(&t->p->tensor[i]);
        for (int64_t k = 2 * n / 3; k < n; k++)
            sum[ph] += ((const double *)tensor_at(t, i))[k];
    }
    return sum[PHASE_TRAIN] == 0 && sum[PHASE_EVALUATE] == BATCH;
}

static const struct variant variants[] = {{&target_cpu, false}, {&target_cpu, true}, {&target_c_scalar, true}};

static void test_case(void **state)
{
    const char *path = *state;
    struct st_file f;
    bool good = true;
    open_beside(&f, path);
    for (int v = 0; v < (SANITIZED ? 1 : COUNT(variants)); v++) {
        struct trial t;
        assert_true(trial_plan(&t, path, read_text(path), NULL, 0, stderr));
        t.target = variants[v].target;
        trial_compile(&t, variants[v].wide);
        assert_int_equal(put_batch(&t, &f), SAMPLES);
        t.recipe.rate.lr = 0;
        trial_arm(&t, BATCH);
        recipe_count(&t.recipe, SAMPLES);
        good &= check_pass(&t, &f, PHASE_EVALUATE);
        good &= check_pass(&t, &f, PHASE_TRAIN);
        if (strstr(path, "five"))
            good &= check_not_finite(&t, &f);
        free_batch(&t);
        trial_close(&t);
    }
    st_free(&f);
    assert_true(good);
}

int main(int argc, char **argv)
{
    (void)argc;
    return run_expected(argv[0], "metrics", variants, SANITIZED ? 1 : COUNT(variants), test_case, NULL, 0);
}
