/* Every argument of every word: its default and its bounds are taken, what lies beyond is refused with a message. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "harness.h"
#include "word_model.h"
#include "front/override.h"

static const char *const input[] = {"x = image", "x = image -> Flatten"};

/* Errors of the model; their text in *said, to be freed. */
static int errors_with(const struct word *w, int which, const char *value, const char *x, char **said)
{
    static char *text;
    static size_t size;
    char call[512];
    struct trial t;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    call_text(w, which, value, call, sizeof call);
    trial_plan(&t, "word.net", model_with(w, call, x), NULL, 0, out);
    int errors = t.c.diag.errors;
    trial_close(&t);
    fclose(out);
    *said = text;
    return errors;
}

/* The value of argument i is refused, for its own sake. */
static bool refused(const struct word *w, int i, const char *value, const char *x)
{
    char *said;
    bool good = errors_with(w, i, value, x, &said) > 0 && (strstr(said, "N0403") || strstr(said, "N0404"));
    if (!good)
        print_error("%s(%s = %s) is not refused:\n%s", w->name, w->arg[i].name, value, said);
    free(said);
    return good;
}

static bool check_argument(const struct word *w, int i, const char *x)
{
    const struct arg *a = &w->arg[i];
    char value[64];
    bool good = true, number = a->type != ARG_BOOL && a->type < ARG_VALUE;
    bool integer =
        a->type == ARG_INT || a->type == ARG_INTS || (a->type == ARG_PAIR && a->otherwise == floor(a->otherwise));
    if (number && !(a->min == 0 && a->max == 0)) {
        snprintf(value, sizeof value, "%.17g", a->min - 1 - fabs(a->min));
        good &= refused(w, i, value, x);
        snprintf(value, sizeof value, "%.17g", a->max + 1 + fabs(a->max));
        good &= refused(w, i, value, x);
    }
    if (integer)
        good &= refused(w, i, "1.5", x);
    if (a->type == ARG_PAIR)
        good &= refused(w, i, "[1, 1, 1]", x);
    if (number)
        good &= refused(w, i, "true", x);
    else
        good &= refused(w, i, "2", x);
    return good;
}

static void test_every_argument(void **state)
{
    bool good = true;
    (void)state;
    for (int k = 0; word_at(k); k++) {
        const struct word *w = word_at(k);
        char *said;
        int shape = 0;
        while (shape < COUNT(input) && errors_with(w, -1, "", input[shape], &said)) {
            if (shape + 1 == COUNT(input)) {
                print_error("%s is refused:\n%s", w->name, said);
                good = false;
            }
            free(said);
            shape++;
        }
        if (shape == COUNT(input))
            continue;
        free(said);
        for (int i = 0; i < MAX_WORD_ARGS && w->arg[i].name; i++)
            good &= check_argument(w, i, input[shape]);
    }
    assert_true(good);
}

/* A path that leads out of the folder of data is refused in a plan too. */
static void test_paths_of_a_plan(void **state)
{
    static char *const wrong[] = {"/etc", "a/../../b", "..", ""}, *const right[] = {"a", "a/b.x", "..a/b..", "."};
    struct trial t;
    struct plan_error e;
    (void)state;
    assert_true(trial_plan(&t, "word.net", model_with(word_find(WORD_SOURCE, "files"), "\"train\"", input[0]), NULL, 0,
                           stderr));
    struct setting *s = (struct setting *)plan_setting(t.p, "data.train.samples");
    assert_non_null(s);
    for (int i = 0; i < COUNT(wrong); i++) {
        s->text = wrong[i];
        assert_false(settings_check(t.p, &e));
        assert_non_null(strstr(e.text, "setting data.train.samples is a path within the folder"));
        s->text = right[i];
        assert_true(settings_check(t.p, &e));
    }
    s->text = NULL;
    assert_false(settings_check(t.p, &e));
    trial_close(&t);
}

/* A plan from anywhere: what its settings say is checked against the same tables. */
static void test_settings_of_a_plan(void **state)
{
    static double two[] = {0.5, 0.5}, half[] = {2.5};
    const struct {
        const char *key, *text;
        int n;
        double *num;
        const char *why;
    } wrong[] = {
        {"data.transform.0", "Twist", 0, NULL, "knows no transform Twist"},
        {"train.metrics.0", "Recall", 0, NULL, "knows no metric Recall"},
        {"train.optimizer", NULL, 0, NULL, "knows no optimizer without a name"},
        {"train.loss", "MeanSquare", 0, NULL, "knows no loss MeanSquare"},
        {"data.transform.1.mean", NULL, 2, two, "a number or a list of 3"},
        {"data.transform.1.std", NULL, 0, NULL, "a number or a list of 3"},
        {"train.schedule.warmup", NULL, 1, half, "an integer"},
        {"train.optimizer.lr", NULL, 2, two, "a number"},
        {"data.shuffle", NULL, 1, half, "`true` or `false`"},
        {"train.epochs", NULL, 1, half, "an integer"},
        {"train.epochs", "auto", 0, NULL, "an integer"},
        {"train.batch", "many", 0, NULL, "an integer"},
        {"train.optimizer.lr", "fast", 0, NULL, "a number"},
        {"data.shuffle", "true", 0, NULL, "`true` or `false`"},
        {"data.transform.1.mean", "auto", 1, half, "a number or a list of 3"},
    };
    struct trial t;
    struct plan_error e;
    (void)state;
    assert_true(trial_plan(&t, "models/resnet20.net", read_text("models/resnet20.net"), NULL, 0, stderr));
    assert_true(settings_check(t.p, &e));
    for (int i = 0; i < COUNT(wrong); i++) {
        struct setting *s = (struct setting *)plan_setting(t.p, wrong[i].key);
        assert_non_null(s);
        const struct setting kept = *s;
        s->text = (char *)wrong[i].text;
        s->n = wrong[i].n;
        s->num = wrong[i].num;
        assert_false(settings_check(t.p, &e));
        if (!strstr(e.text, wrong[i].why))
            fail_msg("%s: %s", wrong[i].key, e.text);
        *s = kept;
    }
    struct setting *batch = (struct setting *)plan_setting(t.p, "train.batch");
    *batch = (struct setting){.key = batch->key, .text = "auto"};
    assert_true(settings_check(t.p, &e));
    trial_close(&t);
}

/* A metric without that which it is made of. */
static void test_metrics_of_a_plan(void **state)
{
    static char *const wrong[] = {"AUC", "F1", "Perplexity"};
    struct trial t;
    struct plan_error e;
    (void)state;
    assert_true(trial_plan(&t, "models/mlp.net", read_text("models/mlp.net"), NULL, 0, stderr));
    struct setting *s = (struct setting *)plan_setting(t.p, "train.metrics.0");
    assert_non_null(s);
    assert_true(settings_check(t.p, &e));
    for (int i = 0; i < COUNT(wrong); i++) {
        s->text = wrong[i];
        assert_false(settings_check(t.p, &e));
        assert_non_null(strstr(e.text, "setting train.metrics.0: the plan measures no "));
    }
    trial_close(&t);
}

/* What moves pixels or mixes classes, beside targets that would not bear it. */
static void test_augmentations_of_a_plan(void **state)
{
    static const struct {
        const char *target, *loss;
        bool flips, mixes;
    } row[] = {
        {"f32[3, 8, 8]", "MSE(y, t)", false, false},
        {"class[3, 8, 8]", "CrossEntropy(y, t)", false, false},
        {"class[192]", "CrossEntropy(y -> Flatten, t)", true, true},
        {"f32[192]", "MSE(y -> Flatten, t)", true, false},
    };
    (void)state;
    for (int i = 0; i < COUNT(row); i++) {
        char text[500];
        struct trial t;
        struct plan_error e;
        snprintf(text, sizeof text,
                 "net t\ninput x : f32[3, 8, 8]\ntarget t : %s\ny = x -> Conv(3, kernel = 3, pad = 1)\noutput y\n"
                 "data {\n augment = [Noise]\n}\ntrain {\n loss = %s\n optimizer = SGD(lr = 0.1)\n}\n",
                 row[i].target, row[i].loss);
        assert_true(trial_plan(&t, "word.net", strdup(text), NULL, 0, stderr));
        assert_true(settings_check(t.p, &e));
        const struct word *flip = word_find(WORD_AUGMENT, "RandomFlip"), *mix = word_find(WORD_AUGMENT, "Mixup");
        const char *name;
        struct setting *s = (struct setting *)plan_setting(t.p, "data.augment.0");
        s->text = (char *)flip->name;
        assert_int_equal(plan_augment_unfit(t.p, &name) == NULL, row[i].flips);
        s->text = (char *)mix->name;
        assert_int_equal(plan_augment_unfit(t.p, &name) == NULL, row[i].mixes);
        trial_close(&t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_argument), cmocka_unit_test(test_paths_of_a_plan),
                                       cmocka_unit_test(test_settings_of_a_plan),
                                       cmocka_unit_test(test_metrics_of_a_plan),
                                       cmocka_unit_test(test_augmentations_of_a_plan)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
