/* Sums over 10 to 10 million terms with large means, on both devices: never more than twice as far from float64 as PyTorch's
 * float32 is. tests/oracle/sums.py made what is expected, and README.md beside it says how. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "harness.h"
#include "cuda_sim.h"
#include "cuda/device_cuda.h"
#include "cpu/device_cpu.h"

/* The finalizer of MurmurHash3. */
static uint32_t hash_of(uint64_t i, uint32_t stream)
{
    uint32_t h = (uint32_t)i + stream * 0x9E3779B9u;
    h ^= h >> 16;
    h *= 0x85EBCA6Bu;
    h ^= h >> 13;
    h *= 0xC2B2AE35u;
    return h ^ h >> 16;
}

static double stored(const struct st_file *f, const char *name, int64_t i)
{
    const struct st_tensor *x = st_find(f, name);
    double value;
    if (!x || x->type != ST_F64 || i >= stored_count(x))
        fail_msg("%s is not stored", name);
    memcpy(&value, (const char *)x->data + 8 * i, 8);
    return value;
}

static float *values(int64_t count, uint32_t stream, double mean)
{
    float *v = malloc((size_t)count * sizeof *v);
    assert_non_null(v);
    for (int64_t i = 0; i < count; i++)
        v[i] = (float)(mean + 2 * ((hash_of((uint64_t)i, stream) >> 8) * 0x1p-24) - 1);
    return v;
}

static struct device_data data_of(const struct plan *p, const struct st_file *f)
{
    const struct tensor *in = &p->tensor[tensor_with_role(p, ROLE_INPUT)],
                        *out = &p->tensor[tensor_with_role(p, ROLE_TARGET)];
    int64_t rows = (int64_t)stored_value(st_find(f, "rows"), 0), n = tensor_elements(in), m = tensor_elements(out);
    float *targets = values(rows * m, 2, stored(f, "means", 1));
    for (int64_t i = 0; out->dtype == DT_I32 && i < rows; i++)
        ((int32_t *)targets)[i] = (int32_t)(hash_of((uint64_t)i, 2) % stored_count(st_find(f, "fc.bias")));
    return (struct device_data){values(rows * n, 1, stored(f, "means", 0)), targets, true, rows, n * 4, m * 4, NULL};
}

/* Behind one step; the loss, which is in the control words, too. */
static bool compare(const struct plan *p, struct device *d, const struct st_file *f, float loss)
{
    const int schedule = (int)(plan_schedule(p, d->target, PHASE_TRAIN) - p->schedule);
    bool good = true;
    int compared = 0;
    for (size_t k = 0; k < f->n_tensors; k++) {
        const char *name = f->tensors[k].name, *bare = name + strlen("want.");
        if (strncmp(name, "want.", strlen("want.")))
            continue;
        char torch[128];
        snprintf(torch, sizeof torch, "torch.%s", bare);
        int64_t n = stored_count(&f->tensors[k]);
        float *got = calloc((size_t)n, sizeof *got);
        assert_non_null(got);
        bool state = !strncmp(bare, "after.", strlen("after."));
        int t = 0;
        while (t < p->ntensor && (strcmp(p->tensor[t].name, state ? bare + strlen("after.") : bare) ||
                                  (p->tensor[t].schedule >= 0 && p->tensor[t].schedule != schedule)))
            t++;
        if (!strcmp(bare, "loss"))
            *got = loss;
        else if (t == p->ntensor || !d->read(d, PHASE_TRAIN, t, 0, got, n * 4))
            fail_msg("%s: no %s", p->net, bare);
        double error = 0, largest = 0, theirs = stored(f, torch, 0);
        for (int64_t i = 0; i < n; i++) {
            double want = stored(f, name, i);
            error = isfinite(got[i]) ? fmax(error, fabs(got[i] - want)) : INFINITY;
            largest = fmax(largest, fabs(want));
        }
        /* PyTorch may have been lucky by a rounding; and what is zero but for rounding is nobody's. */
        double allowed = 2 * theirs + (largest < theirs ? 6 * theirs : 0x1p-23 * largest);
        if (error > allowed)
            print_error("%s on %s: %s is off by %.2g of %.3g, PyTorch by %.2g\n", p->net, d->name, bare, error, largest,
                        theirs);
        good &= error <= allowed;
        compared++;
        free(got);
    }
    assert_true(compared >= 3);
    return good;
}

static bool on_device(struct trial *t, struct device *d, const struct st_file *f, const struct device_data *data,
                      struct device_error *e)
{
    uint32_t control[1][CTL_WORDS];
    int64_t rows = (data->count + ROW_BLOCK - 1) / ROW_BLOCK * ROW_BLOCK;
    struct device_rows capacity = {.rows = {[PHASE_TRAIN] = rows}};
    if (!d || !d->compile(d, t->p, e) || !d->arm(d, &capacity, data, 1, d->room(d, INT64_MAX), e) ||
        !d->data(d, data, e))
        fail_msg("%s: %s", t->c.file, e->text);
    for (int i = 0; i < t->p->ntensor; i++)
        if (t->p->tensor[i].role == ROLE_PARAM && tensor_is_named(t->p, i)) {
            const struct st_tensor *from = st_find(f, t->p->tensor[i].name);
            assert_true(from && d->write(d, PHASE_TRAIN, i, 0, from->data, (int64_t)from->bytes));
        }
    assert_int_equal(recipe_read(t->p, &t->recipe), 0);
    t->recipe.shuffle = false;
    recipe_count(&t->recipe, data->count);
    control_train(&t->recipe, 0, 0, 0, data->count, data->count, control[0]);
    if (!d->run(d, PHASE_TRAIN, control, 1, e))
        fail_msg("%s: %s", t->c.file, e->text);
    bool good = compare(t->p, d, f, control_float(control[0], CTL_LOSS));
    d->close(d);
    return good;
}

/* The simulated device computes thread by thread: small cases, and those that CUDA kernels sum in several pieces. */
static bool for_cuda(const char *file, const struct device_data *data)
{
    return on_gpu() || data->count * data->sample_bytes <= 4 * 50000 || strstr(file, "_pieces");
}

static void test_case(void **state)
{
    struct trial t;
    struct st_file f;
    struct device_error e = {0};
    open_beside(&f, *state);
    assert_true(trial_plan(&t, *state, read_text(*state), NULL, 0, stderr));
    struct device_data data = data_of(t.p, &f);
    bool good = on_device(&t, device_cpu_open(&(struct device_options){.threads = 1}, &e), &f, &data, &e);
    if (for_cuda(*state, &data) && device_there())
        good &= on_device(&t, device_cuda_open(&(struct device_options){0}, 0, &e), &f, &data, &e);
    free((void *)data.samples);
    free((void *)data.targets);
    trial_close(&t);
    st_free(&f);
    assert_true(good);
}

int main(int argc, char **argv)
{
    const char *cases = SANITIZED ? "tests/expect/sums/*_10.net" : "tests/expect/sums/*.net";
    glob_t files;
    if (!getenv("NETRUN_CUDA_LIBDIR"))
        setenv("NETRUN_CUDA_LIBDIR", SIM_FOLDER, 1);
    use_cache(argv[0]);
    use_flags("-O2"); /* as users have it: multiply-adds round once */
    if (glob(argc > 1 ? argv[1] : cases, 0, NULL, &files) != 0)
        return 2;
    int failed = run_files("sums", &files, test_case, NULL, 0);
    globfree(&files);
    return failed;
}
