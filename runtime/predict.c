/* predict.c: what the network makes of one sample. */
#include "image.h"
#include "netrun.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SHOWN = 10 };         /* classes that people see at most */

struct sample {
    const char *name;
    struct device_data data; /* of one sample */
    const char *made_up;     /* what is to be told of data that are not real */
    void *pixels;            /* read from a file, to be freed */
    int64_t class;           /* -1: not known */
    const float *values;     /* the target, where it is values and known */
};

/* "7" is an index, unless there is a file of that name. */
static bool is_index(const char *what, int64_t *index)
{
    return option_integer(what, 0, INT64_MAX, index) && access(what, F_OK) != 0;
}

static int from_set(struct job *j, int64_t index, struct sample *s)
{
    const struct data_split *test = &j->data.test;
    int status = samples_open(j->plan, j->options->folder, &j->data);
    if (status)
        return status;
    if (index >= test->count)
        return complain(STATUS_USAGE, "--predict %lld: the test set has %lld samples, counted from 0", (long long)index,
                    (long long)test->count);
    s->data = samples_of(test);
    s->data.samples = test->sample.values + (uint64_t)index * test->sample.bytes;
    s->data.targets = test->label.values + (uint64_t)index * test->label.bytes;
    s->data.count = 1;
    if (j->recipe.classes)
        s->class = data_class(test, index);
    else
        s->values = s->data.targets;
    return 0;
}

static int from_file(struct job *j, struct sample *s)
{
    int t = tensor_with_role(j->plan, ROLE_INPUT);
    if (t < 0)
        return complain(STATUS_DATA, "net %s has no input", j->plan->net);
    const struct tensor *in = &j->plan->tensor[t];
    int64_t dim[3] = { 1, 1, 1 };
    struct data_error e;
    if (in->rank > 3)
        return complain(STATUS_DATA, "input `%s` is no image", in->name);
    for (int i = 0; i < in->rank; i++)
        dim[3 - in->rank + i] = in->dim[i];
    s->pixels = calloc((size_t)tensor_elements(in), sizeof(float));
    if (!s->pixels)
        return complain(STATUS_INTERNAL, "out of memory");
    s->data = (struct device_data){ .samples = s->pixels, .samples_f32 = true, .count = 1, .sample_bytes = tensor_elements(in) * 4 };
    if (!image_read(s->name, dim[0], dim[1], dim[2], DATA_F32, s->pixels, &e))
        return complain(STATUS_DATA, "%s", e.text);
    return 0;
}

/* Row 0 of an output, in the order of its elements. */
static int read_output(struct job *j, int t, float *value)
{
    const struct tensor *out = &j->plan->tensor[t];
    int64_t n = tensor_elements(out), step = out->layout == LAYOUT_BLOCK ? ROW_BLOCK : 1;
    for (int64_t i = 0; i < n; i++)
        if (!j->device->read(j->device, PHASE_PREDICT, t, i * step * (int64_t)sizeof *value, &value[i], sizeof *value))
            return complain(STATUS_DEVICE, "cannot read %s from the device", out->name);
    return 0;
}

static void say_class(FILE *out, const struct sample *s, const double *probability, int64_t n, int64_t best)
{
    if (!isfinite(probability[best])) {
        fprintf(out, "%s: no class: what the network makes of it is not finite\n", s->name);
        return;
    }
    fprintf(out, "%s: class %lld, %.2f %%", s->name, (long long)best, 100 * probability[best]);
    if (s->class >= 0)
        fprintf(out, " (it is %lld)", (long long)s->class);
    fprintf(out, "%s\n", s->made_up);
    double above = INFINITY;         /* descending, equals in the order of their classes */
    int64_t last = -1;
    for (int shown = 0; shown < SHOWN && shown < n; shown++) {
        int64_t next = -1;
        for (int64_t i = 0; i < n; i++) {
            bool remains = probability[i] < above || (probability[i] == above && i > last);
            if (remains && (next < 0 || probability[i] > probability[next]))
                next = i;
        }
        above = probability[next];
        last = next;
        fprintf(out, "  %4lld  %6.2f %%\n", (long long)next, 100 * above);
    }
}

static void say_values(FILE *out, const struct sample *s, const char *name, const float *value, int64_t n)
{
    fprintf(out, "%s: %s =", s->name, name);
    for (int64_t i = 0; i < n; i++)
        fprintf(out, " %.6g", value[i]);
    for (int64_t i = 0; s->values && i < n; i++)
        fprintf(out, "%s%.6g%s", i ? " " : " (it is ", s->values[i], i + 1 == n ? ")" : "");
    fprintf(out, "%s\n", s->made_up);
}

static bool tell(struct job *j, const struct sample *s, const char *key, const double *value, int64_t n, int64_t best)
{
    struct events *e = &j->events;
    event_begin(e, "predict");
    event_text(e, "sample", s->name);
    weights_tell(j);
    if (best >= 0)
        event_integer(e, "class", best);
    if (s->class >= 0)
        event_integer(e, "true", s->class);
    event_open(e, key, '[');
    for (int64_t i = 0; i < n; i++)
        event_number(e, NULL, value[i]);
    event_close(e, ']');
    return event_end(e);
}

static int report(struct job *j, const struct sample *s, int t)
{
    const char *name = j->plan->tensor[t].name + strlen("output.");
    int64_t n = tensor_elements(&j->plan->tensor[t]), best = -1;
    FILE *out = j->options->json ? stderr : stdout;
    float *value = calloc((size_t)n, sizeof *value);
    double *number = calloc((size_t)n, sizeof *number);
    int status = value && number ? read_output(j, t, value) : complain(STATUS_INTERNAL, "out of memory");
    if (status == 0 && j->recipe.classes) {
        best = largest(value, n);
        softmax(value, number, n);
        say_class(out, s, number, n, best);
    } else if (status == 0) {
        for (int64_t i = 0; i < n; i++)
            number[i] = value[i];
        say_values(out, s, name, value, n);
    }
    if (status == 0 && !tell(j, s, best < 0 ? name : "probabilities", number, n, best))
        status = complain(STATUS_DATA, "stdout: cannot be written");
    free(value);
    free(number);
    return status;
}

static int run(struct job *j, struct sample *s)
{
    uint32_t control[CTL_WORDS];
    struct device_error e;
    const struct schedule *schedule = plan_schedule(j->plan, j->device->target, PHASE_PREDICT);
    int status = weights_take(j), outputs = 0;
    if (status)
        return status;
    s->made_up = synthetic_text(j);
    control_evaluate(&j->recipe, 0, 1, 1, control);
    if (!j->device->data(j->device, &s->data, &e) || !j->device->run(j->device, PHASE_PREDICT, &control, 1, &e))
        return complain(e.status, "%s", e.text);
    for (int t = -1; status == 0 && (t = tensor_output(j->plan, schedule, t)) >= 0; outputs++)
        status = report(j, s, t);
    return status || outputs ? status : complain(STATUS_DATA, "net %s has no output", j->plan->net);
}

int predict(struct job *j)
{
    static const int64_t one[PHASE_COUNT] = { [PHASE_PREDICT] = 1 };
    struct sample s = { .name = j->options->predict, .class = -1 };
    int64_t index;
    int status = is_index(s.name, &index) ? from_set(j, index, &s) : from_file(j, &s);
    if (status == 0)
        status = fit(j, one);
    if (status == 0)
        status = run(j, &s);
    free(s.pixels);
    return status;
}
