/* answering.c: the network over samples, and what comes out of it. */
#include "answering.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ANSWERS = 1 << 20 }; /* bytes of an output that are read at once, if they are more than a row */

static int64_t bytes_of(const struct answer_output *o)
{
    return o->stride * (int64_t)sizeof(float);
}

/* Rows of an output that are read at once. */
static int64_t at_once(const struct answering *w, const struct answer_output *o)
{
    int64_t rows = ANSWERS / bytes_of(o), batch = w->job->recipe.evaluation_batch;
    return rows < 1 ? 1 : rows < batch ? rows : batch;
}

static int open_output(struct answering *w, int i, const struct tensor *t)
{
    struct answer_output *o = &w->answer.output[i];
    *o = (struct answer_output){.name = t->name + strlen(OUTPUT_PREFIX),
                                .role = t->role,
                                .n = tensor_elements(t),
                                .stride = row_elements(t),
                                .classes = t->role == ROLE_LOGITS && !w->raw};
    w->value[i] = calloc((size_t)at_once(w, o), (size_t)bytes_of(o));
    if (o->classes)
        o->probability = calloc((size_t)o->n, sizeof *o->probability);
    return w->value[i] && (!o->classes || o->probability) ? 0 : complain(STATUS_INTERNAL, "out of memory");
}

int answering_open(struct answering *w)
{
    const struct plan *plan = w->job->plan;
    const struct schedule *s = plan_schedule(plan, w->job->device->target, PHASE_PREDICT);
    struct answer *a = &w->answer;
    int n = 0, target = tensor_with_role(plan, ROLE_TARGET), status = 0;
    for (int t = -1; (t = tensor_output(plan, s, t)) >= 0;)
        n++;
    if (n == 0)
        return complain(STATUS_DATA, "the plan of net %s has no outputs to predict with: compile it again", plan->net);
    *a = (struct answer){.output = calloc((size_t)n, sizeof *a->output),
                         .outputs = n,
                         .name = (const char *const *)w->job->data.class_name,
                         .names = w->job->data.class_names};
    a->targets = target < 0 || plan->tensor[target].dtype == DT_I32 ? 1 : tensor_elements(&plan->tensor[target]);
    w->value = calloc((size_t)n, sizeof *w->value);
    if (!a->output || !w->value)
        return complain(STATUS_INTERNAL, "out of memory");
    for (int i = 0, t = -1; status == 0 && i < n; i++)
        status = open_output(w, i, &plan->tensor[t = tensor_output(plan, s, t)]);
    return status;
}

void answering_close(struct answering *w)
{
    for (int i = 0; i < w->answer.outputs; i++) {
        if (w->value)
            free(w->value[i]);
        if (w->answer.output)
            free(w->answer.output[i].probability);
    }
    free(w->value);
    free(w->answer.output);
}

int answering_run(const struct answering *w, const struct device_data *data, int64_t position, int64_t rows)
{
    struct device *d = w->job->device;
    uint32_t control[CTL_WORDS];
    struct device_error e;
    control_evaluate(&w->job->recipe, position, rows, data->count, control);
    if (!d->data(d, data, &e) || !d->run(d, PHASE_PREDICT, &control, 1, &e))
        return complain(e.status, "%s", e.text);
    return 0;
}

int answering_row(struct answering *w, int64_t row, int64_t rows)
{
    struct device *d = w->job->device;
    const struct plan *plan = w->job->plan;
    const struct schedule *s = plan_schedule(plan, d->target, PHASE_PREDICT);
    for (int i = 0, t = -1; i < w->answer.outputs; i++) {
        struct answer_output *o = &w->answer.output[i];
        int64_t some = at_once(w, o), bytes = bytes_of(o);
        t = tensor_output(plan, s, t);
        if (row % some == 0) {
            int64_t n = rows - row < some ? rows - row : some;
            if (!d->read(d, PHASE_PREDICT, t, row * bytes, w->value[i], n * bytes))
                return complain(STATUS_DEVICE, "cannot read %s from the device", plan->tensor[t].name);
        }
        o->value = w->value[i] + row % some * o->stride;
        if (!o->classes)
            continue;
        softmax(o->value, o->probability, o->n);
        o->best = largest(o->value, o->n);
        o->best = isnan(o->probability[o->best]) ? -1 : o->best;
    }
    w->answer.made_up = synthetic_text(w->job->data.synthetic, w->job->synthetic_weights);
    return w->take(w->context, &w->answer);
}

int answering_set(struct answering *w, const struct device_data *data, int64_t first, int64_t count)
{
    const struct data_split *test = &w->job->data.test;
    int64_t rows, batch = w->job->recipe.evaluation_batch;
    const bool values = test->label.type == DATA_F32, class = data_is_class(&test->label);
    int status = 0;
    for (int64_t end = first + count; status == 0 && first < end; first += rows) {
        rows = end - first < batch ? end - first : batch;
        status = answering_run(w, data, first, rows);
        for (int64_t row = 0; status == 0 && row < rows; row++) {
            char name[24];
            snprintf(name, sizeof name, "%lld", (long long)(first + row));
            w->answer.sample = name;
            w->answer.index = first + row;
            w->answer.class = class ? data_class(test, first + row) : -1;
            w->answer.target = values ? (const float *)test->label.values + (first + row) * w->answer.targets : NULL;
            status = answering_row(w, row, rows);
        }
    }
    return status;
}
