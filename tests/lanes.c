/* lanes: trains a network of bytes and classes for an epoch of drawn samples, as netrun does on the cpu, and prints in
 * words and numbers the losses, that of an evaluation, and all that persists. Without the libraries that read files of
 * data, so that a cross compiler makes it of this tree alone.
 *
 *     lanes PLAN [THREADS [LANES]]
 *
 * LANES: 4, 8 or 16 instead of what the processor has. Exit status: 0, that of the device's error, 2 usage, 4 no plan. */
#include "base/philox.h"
#include "cpu/device_cpu.h"
#include "device/device_error.h"
#include "run/run.h"

#include <math.h>
#include <stdlib.h>

enum { SAMPLES = 100, CLASSES = 5 }; /* batches end within a block, and the last one before the others */

static int lanes;

/* The linker's --wrap=jit_lanes. */
int __real_jit_lanes(void);
int __wrap_jit_lanes(void);
int __wrap_jit_lanes(void)
{
    return lanes ? lanes : __real_jit_lanes();
}

static struct plan *plan_of(const char *path)
{
    struct plan_error e = {.text = "it cannot be read"};
    char *text = NULL;
    size_t size = 0;
    FILE *in = fopen(path, "rb"), *out = open_memstream(&text, &size);
    for (int c; in && (c = getc(in)) != EOF;)
        putc(c, out);
    fclose(out);
    struct plan *p = in ? plan_read(text, size, &e) : NULL;
    if (!p)
        fprintf(stderr, "%s: %s\n", path, e.text);
    if (in)
        fclose(in);
    free(text);
    return p;
}

/* Samples that are equal on every machine. */
static struct device_data draw(int64_t bytes)
{
    static int32_t target[SAMPLES];
    uint8_t *samples = malloc((size_t)(SAMPLES * bytes));
    const uint32_t key[2] = {1, 2};
    for (int64_t i = 0; samples && i < SAMPLES * bytes; i++) {
        uint32_t word[4];
        philox4x32((const uint32_t[4]){(uint32_t)i}, key, word);
        samples[i] = (uint8_t)word[0];
        target[i / bytes] = (int32_t)(word[1] % CLASSES);
    }
    return (struct device_data){
        .samples = samples, .targets = target, .count = SAMPLES, .sample_bytes = bytes, .target_bytes = sizeof *target};
}

static bool run(struct job *j, enum phase ph, uint32_t control[1][CTL_WORDS], struct device_error *e)
{
    if (!j->device->run(j->device, ph, control, 1, e))
        return false;
    const float loss = control_float(control[0], CTL_LOSS);
    printf("loss %.9g\n", loss);
    return isfinite(loss) || device_fail(e, 6, "the loss is not finite");
}

static bool epoch(struct job *j, struct device_error *e)
{
    uint32_t control[1][CTL_WORDS];
    const int64_t batch = j->recipe.batch;
    for (int64_t step = 0; step < j->recipe.rate.steps; step++) {
        const int64_t at = step * batch, rows = SAMPLES - at < batch ? SAMPLES - at : batch;
        control_train(&j->recipe, step, 0, at, rows, SAMPLES, control[0]);
        if (!run(j, PHASE_TRAIN, control, e))
            return false;
    }
    control_evaluate(&j->recipe, 0, batch, SAMPLES, control[0]);
    return run(j, PHASE_EVALUATE, control, e);
}

static bool print(struct job *j, int t)
{
    const int64_t n = tensor_elements(&j->plan->tensor[t]);
    float *value = calloc((size_t)n, sizeof *value);
    const bool good = value && j->device->read(j->device, j->phase, t, 0, value, n * (int64_t)sizeof *value);
    printf("%s\n", j->plan->tensor[t].name);
    for (int64_t i = 0; good && i < n; i++)
        printf("%.9g\n", value[i]);
    free(value);
    return good;
}

static bool go(struct job *j, struct device_error *e)
{
    struct device *d = j->device;
    struct device_data data = draw(tensor_elements(&j->plan->tensor[tensor_with_role(j->plan, ROLE_INPUT)]));
    const int64_t rows = (j->recipe.batch + ROW_BLOCK - 1) / ROW_BLOCK * ROW_BLOCK;
    const struct device_rows armed = {.rows = {[PHASE_TRAIN] = rows, [PHASE_EVALUATE] = rows}};
    bool good = data.samples && d->compile(d, j->plan, e) && d->arm(d, &armed, &data, 1, INT64_MAX, e) &&
                d->data(d, &data, e) && init_weights(j) == 0 && epoch(j, e);
    for (int t = 0; good && t < j->plan->ntensor; t++)
        good = !tensor_is_named(j->plan, t) || print(j, t);
    free((void *)data.samples);
    return good;
}

int main(int argc, char **argv)
{
    struct device_error e = {.status = 1};
    struct job j = {.plan = argc > 1 ? plan_of(argv[1]) : NULL};
    if (argc < 2 || !j.plan)
        return argc < 2 ? 2 : 4;
    lanes = argc > 3 ? atoi(argv[3]) : 0;
    const struct device_options o = {.threads = argc > 2 ? atoi(argv[2]) : 1};
    j.device = recipe_read(j.plan, &j.recipe) == 0 ? device_cpu_open(&o, &e) : NULL;
    recipe_count(&j.recipe, SAMPLES);
    const bool good = j.device && go(&j, &e);
    fprintf(stderr, "%d lanes%s%s\n", __wrap_jit_lanes(), good ? "" : ": ", good ? "" : e.text);
    if (j.device)
        j.device->close(j.device);
    plan_free(j.plan);
    return good ? 0 : e.status;
}
