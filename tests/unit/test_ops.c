/* Every op against PyTorch's numbers in tests/expect/ops: forward, gradients, running statistics; in float, in double, by
 * the plain body that each op has, and by finite differences. Every layer and loss of the table of words by finite differences alone, for which nothing has
 * to be stored. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "harness.h"
#include "word_model.h"

/* Of the largest value of a tensor; PyTorch's own float32 needs 1.2e-6. The double run misses what storing as float
 * rounds, and 1 / rows, which is a float. */
static const double tolerance[2] = {1e-5, 2e-7};
/* For gradients that are zero but for rounding: of a bias before BatchNorm. */
static const double addend[2] = {2e-7, 1e-8};

static double mean_loss(const struct trial *t, enum phase ph, int64_t rows)
{
    int loss = tensor_of_value(t, ph, t->c.graph[ph]->loss);
    double sum = 0;
    for (int64_t i = 0; i < rows; i++)
        sum += value_get(t, loss, i, 0);
    return sum / (double)rows;
}

static bool loss_close(const struct trial *t, enum phase ph, double got, const struct st_file *f)
{
    struct closeness c = {0};
    closer(&c, 0, got, stored_value(st_find(f, "loss"), 0));
    return is_close(&c, t->c.file, ph == PHASE_TRAIN ? "loss" : "loss in evaluation", tolerance[t->wide],
                    addend[t->wide]);
}

/* Output, loss, gradients and running statistics of one training step. */
static bool check_training(struct trial *t, const struct st_file *f, const uint32_t control[CTL_WORDS])
{
    const struct graph *g = t->c.graph[PHASE_TRAIN];
    double allowed = tolerance[t->wide], more = addend[t->wide];
    int64_t rows = t->data.count;
    trial_begin(t, PHASE_TRAIN, control);
    int output = tensor_of_value(t, PHASE_TRAIN, g->output[0].value), made = step_of(t, t->s, output) + 1;
    run_steps(t, 0, made);
    bool good = !tensor_stored(&t->p->tensor[output]) || tensor_close(t, output, st_find(f, "output"), allowed, more);
    int loss_made = step_of(t, t->s, tensor_of_value(t, PHASE_TRAIN, g->loss)) + 1;
    run_steps(t, made, loss_made);
    good &= loss_close(t, PHASE_TRAIN, mean_loss(t, PHASE_TRAIN, rows), f);
    run_steps(t, loss_made, -1);
    good &= loss_close(t, PHASE_TRAIN, control_float(control_of(t), CTL_LOSS), f);
    assert_int_equal(control_of(t)[CTL_FINITE], 1);
    int gradients = 0;
    for (size_t i = 0; i < f->n_tensors; i++) {
        const struct st_tensor *want = &f->tensors[i];
        bool after = !strncmp(want->name, "after.", 6);
        int got = after ? tensor_named(t, PHASE_TRAIN, want->name + 6) : tensor_named(t, PHASE_TRAIN, want->name);
        if (!after && (strncmp(want->name, "grad.", 5) || !strcmp(want->name, "grad.input")))
            continue;
        if (got < 0)
            fail_msg("%s: no tensor for %s", t->c.file, want->name);
        good &= tensor_close(t, got, want, allowed, more);
        gradients++;
    }
    assert_true(gradients > 0);
    return good;
}

/* Prediction; evaluation too where it is no different from training. */
static bool check_inference(struct trial *t, const struct st_file *f, const uint32_t control[CTL_WORDS])
{
    const struct st_tensor *eval = st_find(f, "eval_output"), *want = eval ? eval : st_find(f, "output");
    trial_run(t, PHASE_PREDICT, control);
    bool good = tensor_close(t, tensor_output(t->p, t->s, -1), want, tolerance[t->wide], addend[t->wide]);
    if (!eval) {
        trial_run(t, PHASE_EVALUATE, control);
        good &= loss_close(t, PHASE_EVALUATE, control_float(control_of(t), CTL_LOSS), f);
    }
    return good;
}

/* ---- finite differences, in double ---- */

/* The loss with one element of a tensor moved by h: a parameter, or the input (in both layouts) after the gather. */
static double loss_moved(struct trial *t, const uint32_t control[CTL_WORDS], const int tensor[2], int64_t row,
                         int64_t e, double h)
{
    trial_begin(t, PHASE_TRAIN, control);
    bool rows = t->p->tensor[tensor[0]].rows;
    int from = rows ? step_of(t, t->s, tensor[0]) + 1 : 0;
    double old[2] = {0};
    run_steps(t, 0, from);
    for (int i = 0; i < 2 && tensor[i] >= 0; i++) {
        old[i] = value_get(t, tensor[i], row, e);
        value_put(t, tensor[i], row, e, old[i] + h);
    }
    run_steps(t, from, step_of(t, t->s, tensor_of_value(t, PHASE_TRAIN, t->c.graph[PHASE_TRAIN]->loss)) + 1);
    for (int i = 0; i < 2 && tensor[i] >= 0 && !rows; i++)
        value_put(t, tensor[i], row, e, old[i]);
    return mean_loss(t, PHASE_TRAIN, (int64_t)control[CTL_ROWS]);
}

/* Some elements of the derivative by a tensor against differences; `want` in row-major order. */
static bool check_differences(struct trial *t, const uint32_t control[CTL_WORDS], const int tensor[2],
                              const struct st_tensor *want)
{
    enum { SAMPLES = 8 };
    const double h = 3e-6;
    int64_t n = tensor_elements(&t->p->tensor[tensor[0]]), count = stored_count(want);
    struct closeness c = {0};
    for (int64_t i = 0; i < count; i++)
        c.largest = fmax(c.largest, fabs(stored_value(want, i)));
    for (int k = 0; k < SAMPLES && k < count; k++) {
        int64_t i = count <= SAMPLES ? k : k * (count - 1) / (SAMPLES - 1);
        double up = loss_moved(t, control, tensor, i / n, i % n, h);
        double down = loss_moved(t, control, tensor, i / n, i % n, -h);
        closer(&c, i, (up - down) / (2 * h), stored_value(want, i));
    }
    return is_close(&c, t->c.file, want->name, 1e-6, addend[true]);
}

static bool check_all_differences(struct trial *t, const struct st_file *f, const uint32_t control[CTL_WORDS])
{
    bool good = true;
    for (size_t i = 0; i < f->n_tensors; i++) {
        const struct st_tensor *want = &f->tensors[i];
        if (strncmp(want->name, "grad.", 5))
            continue;
        bool input = !strcmp(want->name, "grad.input");
        int tensor[2] = {tensor_named(t, PHASE_TRAIN, input ? "x" : want->name + 5), -1};
        const struct schedule *s = plan_schedule(t->p, &target_cpu, PHASE_TRAIN);
        const struct stage *gather = &t->p->kernel[s->first_kernel].stage[0];
        if (input) {
            for (int k = 0; k < 2; k++)
                tensor[k] = tensor_stored(&t->p->tensor[gather->out[k]]) ? gather->out[k] : -1;
            assert_string_equal(gather->op->name, "gather");
            if (tensor[0] < 0) {
                tensor[0] = tensor[1];
                tensor[1] = -1;
            }
        }
        good &= check_differences(t, control, tensor, want);
    }
    return good;
}

/* ---- one case ---- */

/* Whole numbers everywhere: gradients at kinks, where there is no difference quotient. */
static bool has_kinks(const char *path)
{
    return strstr(path, "ties") || strstr(path, "zeros");
}

static const struct variant variants[] = {{&target_cpu, false}, {&target_cpu, true}, {&target_c_scalar, true}};

static bool check_case(const char *path, const struct st_file *f, const struct variant *v)
{
    struct trial t;
    uint32_t control[CTL_WORDS];
    assert_true(trial_plan(&t, path, read_text(path), NULL, 0, stderr));
    t.target = v->target;
    trial_compile(&t, v->wide);
    int64_t rows = put_batch(&t, f);
    assert_int_equal(rows, t.recipe.batch);
    trial_arm(&t, rows);
    put_state(&t, f);
    recipe_count(&t.recipe, rows);
    control_train(&t.recipe, 0, 0, 0, rows, rows, control);
    weigh_batch(&t, control);
    bool good = check_inference(&t, f, control);
    if (v->wide && v->target == &target_cpu && !has_kinks(path))
        good &= check_all_differences(&t, f, control);
    good &= check_training(&t, f, control);
    free_batch(&t);
    trial_close(&t);
    return good;
}

static void test_case(void **state)
{
    const char *path = *state;
    struct st_file f;
    open_beside(&f, path);
    bool good = true;
    for (int v = 0; v < (SANITIZED ? 1 : COUNT(variants)); v++) { /* compilers are slow then */
        bool right = check_case(path, &f, &variants[v]);
        if (!right)
            print_error("%s: by the kernels for %s\n", path, variants[v].target->name);
        good &= right;
    }
    st_free(&f);
    assert_true(good);
}

/* ---- every word, with nothing stored ---- */

/* What stands before the layer, so that a gradient passes through it: a picture, or a flat vector. */
static const char *const before[] = {"x = image -> pre: Conv(4, kernel = 3, pad = 1)",
                                     "x = image -> Flatten -> pre: Linear(12)"};

static bool is_differentiable(const struct word *w)
{
    return w->kind == WORD_LAYER || w->kind == WORD_LOSS;
}

/* A model with the word and its defaults; false if it takes neither shape. */
static bool plan_word(struct trial *t, const struct word *w)
{
    char call[512];
    call_text(w, -1, "", call, sizeof call);
    for (int i = 0; i < COUNT(before); i++) {
        static char *said;
        static size_t size;
        FILE *out = open_memstream(&said, &size);
        assert_non_null(out);
        bool good = trial_plan(t, w->name, model_with(w, call, before[i]), NULL, 0, out);
        fclose(out);
        free(said);
        if (good)
            return true;
        trial_close(t);
    }
    return false;
}

/* The same numbers each time, off the kinks; variances are positive. */
static void put_numbers(struct trial *t)
{
    uint32_t random = 1;
    for (int i = 0; i < t->p->ntensor; i++)
        for (int64_t k = 0; tensor_is_named(t->p, i) && k < tensor_elements(&t->p->tensor[i]); k++) {
            random = random * 1664525 + 1013904223;
            double u = (double)(random >> 8) / (1 << 24);
            value_put(t, i, 0, k, t->p->tensor[i].role == ROLE_PARAM ? u - 0.5 : u + 0.5);
        }
}

/* Copies what the step made of a gradient. */
static struct st_tensor keep(const struct trial *t, int tensor, const char *name)
{
    int64_t n = tensor_elements(&t->p->tensor[tensor]);
    float *value = calloc((size_t)n, sizeof *value);
    struct st_tensor kept = {.name = name, .type = ST_F32, .data = value, .bytes = (size_t)n * sizeof *value};
    assert_non_null(value);
    for (int64_t i = 0; i < n; i++)
        value[i] = (float)value_get(t, tensor, 0, i);
    return kept;
}

/* Gradients of all parameters against differences. */
static bool check_word(const struct word *w)
{
    struct trial t;
    uint32_t control[CTL_WORDS];
    bool good = true;
    if (!plan_word(&t, w)) {
        print_error("%s: no small model takes it\n", w->name);
        return false;
    }
    trial_compile(&t, true);
    trial_arm(&t, t.recipe.batch);
    struct data_split split = samples_for(t.p, t.recipe.batch);
    for (int64_t i = 0; split.label.type == DATA_I32 && i < split.count; i++)
        ((int32_t *)split.label.values)[i] = (int32_t)i % 3;
    t.data = samples_of(&split);
    recipe_count(&t.recipe, split.count);
    control_train(&t.recipe, 0, 0, 0, split.count, split.count, control);
    put_numbers(&t);
    trial_run(&t, PHASE_TRAIN, control);
    for (int i = 0; i < t.p->ntensor; i++) {
        if (t.p->tensor[i].role != ROLE_PARAM || !tensor_is_named(t.p, i))
            continue;
        char name[600];
        snprintf(name, sizeof name, "grad.%s", t.p->tensor[i].name);
        struct st_tensor kept = keep(&t, tensor_named(&t, PHASE_TRAIN, name), name);
        put_numbers(&t);
        good &= check_differences(&t, control, (int[]){i, -1}, &kept);
        put_numbers(&t);
        trial_run(&t, PHASE_TRAIN, control);
        free((void *)kept.data);
    }
    free_samples(&split);
    trial_close(&t);
    return good;
}

static void test_every_word(void **state)
{
    bool good = true;
    int n = 0;
    (void)state;
    if (SANITIZED)
        skip();
    for (int k = 0; word_at(k); k++)
        if (is_differentiable(word_at(k))) {
            good &= check_word(word_at(k));
            n++;
        }
    assert_true(good && n > 10);
}

/* ---- the table of ops ---- */

static void note_ops(const struct trial *t, bool seen[])
{
    for (int ph = 0; ph < PHASE_COUNT; ph++)
        for (int n = 0; n < t->c.graph[ph]->nnode; n++)
            for (int o = 0; op_at(o); o++)
                seen[o] |= op_at(o) == t->c.graph[ph]->node[n]->op;
}

/* Every op stands in some graph whose numbers are looked at: stored ones, or the differences above. */
static void test_every_op_has_a_case(void **state)
{
    static const char *const patterns[] = {"tests/expect/ops/*.net", "tests/expect/optimizers/*.net",
                                           "tests/expect/metrics/*.net", "tests/expect/augment/*.net", "models/*.net"};
    bool seen[256] = {false}, good = true;
    (void)state;
    for (int i = 0; i < COUNT(patterns); i++) {
        glob_t files;
        assert_int_equal(glob(patterns[i], 0, NULL, &files), 0);
        for (size_t k = 0; k < files.gl_pathc; k++) {
            struct trial t;
            assert_true(trial_plan(&t, files.gl_pathv[k], read_text(files.gl_pathv[k]), NULL, 0, stderr));
            note_ops(&t, seen);
            trial_close(&t);
        }
        globfree(&files);
    }
    for (int k = 0; word_at(k); k++) {
        struct trial t;
        if (is_differentiable(word_at(k)) && plan_word(&t, word_at(k))) {
            note_ops(&t, seen);
            trial_close(&t);
        }
    }
    for (int o = 0; op_at(o); o++)
        if (!seen[o]) {
            print_error("op %s stands in no case\n", op_at(o)->name);
            good = false;
        }
    assert_true(good);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest more[] = {cmocka_unit_test(test_every_word), cmocka_unit_test(test_every_op_has_a_case)};
    (void)argc;
    return run_expected(argv[0], "ops", variants, SANITIZED ? 1 : COUNT(variants), test_case, more, COUNT(more));
}
