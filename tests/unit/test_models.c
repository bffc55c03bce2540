/* The first updates of the networks of models/ on real data against PyTorch's, in file order and without dropout:
 * initial weights; output, gradients and running statistics of the first; the losses of all. DATA names the folder of
 * the data. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "harness.h"
#include "base/philox.h"
#include "real_data.h"

#include <jansson.h>

struct record { /* what is stored of one model */
    json_t *json;
    struct st_file f;
    const char *net, *data;
    int64_t batch, steps, warmup;
    uint32_t variant;
    bool large; /* so many ReLU inputs that some flip: no gradients */
    bool deep;  /* some flip in later updates: losses are near, but in double they are close */
};

static const char *text_of(const json_t *o, const char *key)
{
    const char *text = json_string_value(json_object_get(o, key));
    assert_non_null(text);
    return text;
}

static int64_t integer_of(const json_t *o, const char *key)
{
    assert_true(json_is_integer(json_object_get(o, key)));
    return json_integer_value(json_object_get(o, key));
}

static double number_of(const json_t *o, const char *key)
{
    assert_true(json_is_number(json_object_get(o, key)));
    return json_number_value(json_object_get(o, key));
}

static void record_open(struct record *r, const char *path)
{
    char other[512];
    json_error_t e;
    *r = (struct record){.json = json_load_file(path, JSON_REJECT_DUPLICATES, &e)};
    if (!r->json)
        fail_msg("%s:%d: %s", path, e.line, e.text);
    snprintf(other, sizeof other, "%.*s.safetensors", (int)(strlen(path) - strlen(".json")), path);
    open_stored(&r->f, other);
    r->net = text_of(r->json, "net");
    r->data = text_of(r->json, "data");
    r->batch = integer_of(r->json, "batch");
    r->steps = integer_of(r->json, "steps");
    r->warmup = integer_of(r->json, "warmup");
    r->variant = (uint32_t)integer_of(r->json, "variant");
    r->deep = !strcmp(r->net, "resnet20");
    r->large = r->deep && r->batch == 128;
}

static void record_close(struct record *r)
{
    json_decref(r->json);
    st_free(&r->f);
}

/* ---- initial weights ---- */

static float initial(const json_t *param, uint32_t variant, int64_t i)
{
    const uint32_t counter[4] = {(uint32_t)(i / 4), 0, 0, 0};
    const uint32_t key[2] = {(uint32_t)integer_of(param, "index"), variant};
    uint32_t word[4];
    const char *init = text_of(param, "init");
    if (strcmp(init, "uniform"))
        return !strcmp(init, "one");
    philox4x32(counter, key, word);
    return (float)number_of(param, "bound") * (2 * philox_unit(word[i % 4]) - 1);
}

/* Sets parameters and states; the first, the last and the sum of each parameter are stored. */
static void put_initial(struct trial *t, const struct record *r)
{
    size_t k;
    json_t *param, *value;
    for (int i = 0; i < t->p->ntensor; i++)
        for (int64_t e = 0; tensor_is_named(t->p, i) && e < tensor_elements(&t->p->tensor[i]); e++)
            value_put(t, i, 0, e, t->p->tensor[i].init == INIT_ONE);
    json_array_foreach(json_object_get(r->json, "params"), k, param)
    {
        int tensor = tensor_named(t, PHASE_TRAIN, text_of(param, "name"));
        if (tensor < 0)
            fail_msg("%s has no %s", t->c.file, text_of(param, "name"));
        const struct tensor *x = &t->p->tensor[tensor];
        int64_t n = tensor_elements(x);
        double sum = 0;
        assert_int_equal(x->init == INIT_UNIFORM, !strcmp(text_of(param, "init"), "uniform"));
        assert_true(fabs(x->bound - number_of(param, "bound")) <= 1e-7);
        for (int64_t e = 0; e < n; e++) {
            value_put(t, tensor, 0, e, initial(param, r->variant, e));
            sum += value_get(t, tensor, 0, e);
        }
        size_t e;
        json_array_foreach(json_object_get(param, "first"), e, value)
            assert_true(value_get(t, tensor, 0, (int64_t)e) == json_number_value(value));
        assert_true(value_get(t, tensor, 0, n - 1) == number_of(param, "last"));
        assert_true(fabs(sum - number_of(param, "sum")) <= 1e-9 * (double)n);
    }
}

/* ---- steps ---- */

/* A gradient of which only some elements are stored. */
static bool sample_close(const struct trial *t, int tensor, const struct st_tensor *at, const struct st_tensor *want)
{
    struct closeness c = {0};
    for (int64_t i = 0; i < stored_count(want); i++) {
        int64_t e = (int64_t)stored_value(at, i);
        closer(&c, e, value_get(t, tensor, 0, e), stored_value(want, i));
    }
    return is_close(&c, t->c.file, want->name, t->wide ? 1e-6 : 1e-5, 1e-9);
}

/* What the files hold of the first update. */
static bool first_close(const struct trial *t, const struct record *r)
{
    bool good = true;
    char name[256];
    for (size_t i = 0; i < r->f.n_tensors; i++) {
        const struct st_tensor *want = &r->f.tensors[i];
        bool after = !strncmp(want->name, "after.", 6), part = !strncmp(want->name, "grad_value.", 11);
        bool whole = !strncmp(want->name, "grad.", 5);
        if (!after && (r->large || !(part || whole)))
            continue;
        snprintf(name, sizeof name, "%s%s", part ? "grad." : "", want->name + (after ? 6 : part ? 11 : 0));
        int tensor = tensor_named(t, PHASE_TRAIN, name);
        if (tensor < 0)
            fail_msg("%s: no tensor %s", t->c.file, name);
        if (part) {
            snprintf(name, sizeof name, "grad_index.%s", want->name + 11);
            good &= sample_close(t, tensor, st_find(&r->f, name), want);
        } else
            good &= tensor_close(t, tensor, want, t->wide ? 1e-6 : 1e-5, 1e-9);
    }
    return good;
}

static bool loss_close(const struct trial *t, const struct record *r, int64_t step, double got)
{
    char text[64];
    struct closeness c = {0};
    snprintf(text, sizeof text, "loss of step %lld", (long long)step + 1);
    closer(&c, 0, got, json_number_value(json_array_get(json_object_get(r->json, "loss64"), (size_t)step)));
    double allowed = step == 0 || t->wide ? 1e-6 : r->deep && !r->large ? 1e-3 : 1e-4;
    return is_close(&c, t->c.file, text, allowed, strcmp(r->net, "xor") ? 0 : 1e-6);
}

static bool check_steps(struct trial *t, const struct record *r)
{
    bool good = true;
    uint32_t control[CTL_WORDS];
    const struct value *output = t->c.graph[PHASE_TRAIN]->output[0].value;
    for (int64_t step = 0; step < r->steps; step++) {
        int64_t position = step * r->batch % t->data.count;
        control_train(&t->recipe, step, 0, position, r->batch, t->data.count, control);
        trial_begin(t, PHASE_TRAIN, control);
        int tensor = tensor_of_value(t, PHASE_TRAIN, output), made = step_of(t, t->s, tensor) + 1;
        run_steps(t, 0, made);
        if (step == 0)
            good &= tensor_close(t, tensor, st_find(&r->f, "output"), 1e-5, 0);
        run_steps(t, made, -1);
        good &= loss_close(t, r, step, control_float(control_of(t), CTL_LOSS));
        if (step == 0)
            good &= first_close(t, r);
    }
    return good;
}

static bool check_model(const struct record *r, const char *folder, bool wide)
{
    struct trial t;
    struct dataset set;
    struct define off = {"drop", "0", false};
    char path[512];
    snprintf(path, sizeof path, "models/%s.net", r->net);
    assert_true(trial_plan(&t, path, read_text(path), &off, !strcmp(r->net, "mnist_cnn"), stderr));
    trial_compile(&t, wide);
    assert_int_equal(samples_open(t.p, folder, false, INT64_MAX, &set), 0);
    t.data = samples_of(&set.train);
    t.recipe.batch = r->batch;
    t.recipe.rate = (struct rate){.lr = t.recipe.rate.lr, .pieces = 1, .piece = {{.warmup = r->warmup}}};
    trial_arm(&t, r->batch);
    put_initial(&t, r);
    bool good = check_steps(&t, r);
    samples_close(&set);
    trial_close(&t);
    return good;
}

static void test_case(void **state)
{
    struct record r;
    record_open(&r, *state);
    bool inside = !strcmp(r.data, "xor");
    const char *folder = inside ? NULL : real_data("DATA", r.data);
    if (!inside && !folder) {
        record_close(&r);
        skip();
    }
    bool good = check_model(&r, folder, false);
    if (r.batch == 4) /* in double that is quick */
        good &= check_model(&r, folder, true);
    record_close(&r);
    assert_true(good);
}

int main(int argc, char **argv)
{
    glob_t files;
    (void)argc;
    use_cache(argv[0]);
    /* Compilers are slow under sanitizers: resnet20 has ops that the others or test_ops have. */
    if (glob(SANITIZED ? "tests/expect/models/[!r]*.json" : "tests/expect/models/*.json", 0, NULL, &files))
        return 1;
    int failed = run_files("models", &files, test_case, NULL, 0);
    globfree(&files);
    return failed;
}
