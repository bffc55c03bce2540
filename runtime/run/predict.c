/* predict.c: what the network makes of samples: of files, of folders of them, and of the test set. In batches. */
#include "answers.h"
#include "asked.h"
#include "base/atomic_file.h"
#include "data/image.h"

#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
    ANSWERS = 1 << 20, /* bytes of an output that are read at once, if they are more than a row */
    PIXELS = 1 << 24,  /* bytes of the files of a batch, if they are more than one */
};

struct prediction {
    struct job *job;
    struct asked asked;
    int64_t batch;    /* samples at once */
    bool looked;      /* at the values of the first files */
    int64_t dim[3];   /* of an image: channels, height, width */
    float *pixels;    /* of a batch of files */
    bool transparent; /* one was, which has been said */
    float **value;    /* of each output: rows of a batch, as many as at_once() says */
    struct answer answer;
    struct answer_table table; /* out NULL: none */
    struct atomic_file file;   /* that it goes to, unless that is stdout */
};

/* ---- what comes out ---- */

static bool is_read(const struct prediction *p, const char *path)
{
    const char *folder = p->asked.set ? p->job->options->folder : NULL;
    bool read = atomic_destroys(path, p->job->options->plan) || atomic_destroys(path, p->job->weights) ||
                (folder && data_reads(folder, path));
    for (int64_t i = 0; i < p->asked.parts && !read; i++)
        read = p->asked.part[i].path && atomic_destroys(path, p->asked.part[i].path);
    for (size_t i = 0; i < p->job->options->map.files && !read; i++)
        read = atomic_destroys(path, p->job->options->map.file[i]);
    return read;
}

static int open_table(struct prediction *p)
{
    const char *path = p->job->options->output;
    struct data_error e;
    if (!path)
        return 0;
    bool aside = strcmp(path, "-") != 0;
    if (aside && is_read(p, path))
        return complain(STATUS_USAGE, "--output %s: this file is read here, and would be lost", path);
    if (aside && !atomic_open(&p->file, path, &e))
        return complain(STATUS_DATA, "%s", e.text);
    if (aside)
        stops_listen(); /* no part of a table is to be left */
    p->table = (struct answer_table){aside ? p->file.stream : stdout, p->asked.set,
                                     p->job->data.synthetic      ? "data"
                                     : p->job->synthetic_weights ? "weights"
                                                                 : NULL};
    answer_head(&p->answer, &p->table);
    return 0;
}

static int close_table(struct prediction *p)
{
    struct data_error e;
    if (p->table.out == stdout)
        return 0;
    if (!atomic_commit(&p->file, &e))
        return complain(STATUS_DATA, "%s", e.text);
    say(&p->job->tell, "%s: %lld sample%s%s", p->job->options->output, (long long)p->asked.samples,
        p->asked.samples == 1 ? "" : "s", synthetic_text(p->job->data.synthetic, p->job->synthetic_weights));
    return 0;
}

static int show(struct prediction *p)
{
    struct job *j = p->job;
    if (p->file.stream && stopped_by()) {
        note("stopped; %s is not written", j->options->output);
        return STATUS_SIGNAL + stopped_by();
    }
    p->answer.made_up = synthetic_text(j->data.synthetic, j->synthetic_weights);
    if (p->table.out)
        answer_row(&p->answer, &p->table);
    else
        answer_say(&p->answer, p->asked.samples == 1, j->tell.results);
    return answer_tell(&p->answer, j) ? 0 : complain(STATUS_DATA, "stdout: cannot be written");
}

static int64_t bytes_of(const struct answer_output *o)
{
    return o->stride * (int64_t)sizeof(float);
}

/* Rows of an output that are read at once. */
static int64_t at_once(const struct prediction *p, const struct answer_output *o)
{
    int64_t rows = ANSWERS / bytes_of(o);
    return rows < 1 ? 1 : rows < p->batch ? rows : p->batch;
}

static int open_output(struct prediction *p, int i, const struct tensor *t)
{
    struct answer_output *o = &p->answer.output[i];
    *o = (struct answer_output){.name = t->name + strlen(OUTPUT_PREFIX),
                                .role = t->role,
                                .n = tensor_elements(t),
                                .stride = row_elements(t),
                                .classes = t->role == ROLE_LOGITS && !p->job->options->raw};
    p->value[i] = calloc((size_t)at_once(p, o), (size_t)bytes_of(o));
    if (o->classes)
        o->probability = calloc((size_t)o->n, sizeof *o->probability);
    return p->value[i] && (!o->classes || o->probability) ? 0 : complain(STATUS_INTERNAL, "out of memory");
}

static int open_outputs(struct prediction *p)
{
    const struct plan *plan = p->job->plan;
    const struct schedule *s = plan_schedule(plan, p->job->device->target, PHASE_PREDICT);
    struct answer *a = &p->answer;
    int n = 0, target = tensor_with_role(plan, ROLE_TARGET), status = 0;
    for (int t = -1; (t = tensor_output(plan, s, t)) >= 0;)
        n++;
    if (n == 0)
        return complain(STATUS_DATA, "the plan of net %s has no outputs to predict with: compile it again", plan->net);
    *a = (struct answer){.output = calloc((size_t)n, sizeof *a->output), .outputs = n};
    a->targets = target < 0 || plan->tensor[target].dtype == DT_I32 ? 1 : tensor_elements(&plan->tensor[target]);
    p->value = calloc((size_t)n, sizeof *p->value);
    if (!a->output || !p->value)
        return complain(STATUS_INTERNAL, "out of memory");
    for (int i = 0, t = -1; status == 0 && i < n; i++)
        status = open_output(p, i, &plan->tensor[t = tensor_output(plan, s, t)]);
    return status;
}

/* The answer to a row of a batch of so many. */
static int answer(struct prediction *p, int64_t row, int64_t rows)
{
    struct device *d = p->job->device;
    const struct plan *plan = p->job->plan;
    const struct schedule *s = plan_schedule(plan, d->target, PHASE_PREDICT);
    for (int i = 0, t = -1; i < p->answer.outputs; i++) {
        struct answer_output *o = &p->answer.output[i];
        int64_t some = at_once(p, o), bytes = bytes_of(o);
        t = tensor_output(plan, s, t);
        if (row % some == 0) {
            int64_t n = rows - row < some ? rows - row : some;
            if (!d->read(d, PHASE_PREDICT, t, row * bytes, p->value[i], n * bytes))
                return complain(STATUS_DEVICE, "cannot read %s from the device", plan->tensor[t].name);
        }
        o->value = p->value[i] + row % some * o->stride;
        if (!o->classes)
            continue;
        softmax(o->value, o->probability, o->n);
        o->best = largest(o->value, o->n);
        o->best = isnan(o->probability[o->best]) ? -1 : o->best;
    }
    return show(p);
}

/* ---- running ---- */

/* Rows from a position of the data on. */
static int run(struct prediction *p, const struct device_data *data, int64_t position, int64_t rows)
{
    struct device *d = p->job->device;
    uint32_t control[CTL_WORDS];
    struct device_error e;
    control_evaluate(&p->job->recipe, position, rows, data->count, control);
    if (!d->data(d, data, &e) || !d->run(d, PHASE_PREDICT, &control, 1, &e))
        return complain(e.status, "%s", e.text);
    return 0;
}

static int predict_set(struct prediction *p, const struct asked_part *part)
{
    const struct data_split *test = &p->job->data.test;
    struct device_data data = samples_of(test);
    int64_t rows;
    bool values = test->label.type == DATA_F32;
    int status = 0;
    data.targets = NULL;
    for (int64_t first = part->first, end = first + part->count; status == 0 && first < end; first += rows) {
        rows = end - first < p->batch ? end - first : p->batch;
        status = run(p, &data, first, rows);
        for (int64_t row = 0; status == 0 && row < rows; row++) {
            char name[24];
            snprintf(name, sizeof name, "%lld", (long long)(first + row));
            p->answer.sample = name;
            p->answer.class = values ? -1 : data_class(test, first + row);
            p->answer.target = values ? (const float *)test->label.values + (first + row) * p->answer.targets : NULL;
            status = answer(p, row, rows);
        }
    }
    return status;
}

static int predict_files(struct prediction *p, const struct asked_part *part, int64_t rows)
{
    const struct tensor *in = &p->job->plan->tensor[tensor_with_role(p->job->plan, ROLE_INPUT)];
    const int64_t *dim = p->dim, elements = tensor_elements(in);
    struct device_data data = {
        .samples = p->pixels, .samples_f32 = true, .count = rows, .sample_bytes = elements * (int64_t)sizeof(float)};
    struct data_error e;
    for (int64_t i = 0; i < rows; i++) {
        bool transparent;
        if (!image_read(part[i].path, dim[0], dim[1], dim[2], DATA_F32, p->pixels + i * elements, &transparent, &e))
            return complain(STATUS_DATA, "%s", e.text);
        if (transparent && !p->transparent)
            note("%s: has transparent pixels, which are laid over white", part[i].path);
        p->transparent |= transparent;
    }
    const struct data_field sample = {
        .type = DATA_F32, .bytes = (uint64_t)data.sample_bytes, .values = (unsigned char *)p->pixels};
    if (!p->looked)
        caution_samples(p->job, &(struct data_split){.count = rows, .sample = sample});
    p->looked = true;
    int status = run(p, &data, 0, rows);
    for (int64_t row = 0; status == 0 && row < rows; row++) {
        p->answer.sample = part[row].path;
        p->answer.class = -1;
        p->answer.target = NULL;
        status = answer(p, row, rows);
    }
    return status;
}

static int predict_parts(struct prediction *p)
{
    int64_t files;
    int status = 0;
    for (int64_t i = 0; status == 0 && p->asked.parts > i; i += files ? files : 1) {
        for (files = 0; files < p->batch && i + files < p->asked.parts && p->asked.part[i + files].path;)
            files++;
        status = files > 0 ? predict_files(p, &p->asked.part[i], files) : predict_set(p, &p->asked.part[i]);
    }
    return status;
}

/* The last three sizes of the input, where all before them are 1. */
static int image_size(struct prediction *p, const struct tensor *in)
{
    for (int i = 0; i < 3; i++)
        p->dim[i] = in->rank - 3 + i < 0 ? 1 : in->dim[in->rank - 3 + i];
    for (int i = 0; i < in->rank - 3; i++)
        if (in->dim[i] != 1)
            return complain(STATUS_DATA, "input `%s` of the network has %d sizes and is no image", in->name, in->rank);
    return 0;
}

/* Samples, device, weights, and room for a batch. */
static int prepare(struct prediction *p)
{
    struct job *j = p->job;
    const struct tensor *in = &j->plan->tensor[tensor_with_role(j->plan, ROLE_INPUT)];
    int status = 0;
    for (int i = 0; status == 0 && i < j->options->predictions; i++)
        status = asked_add(&p->asked, j->options->predict[i]);
    if (status == 0 && p->asked.files)
        status = image_size(p, in);
    if (status)
        return status;
    if (p->asked.set)
        caution_samples(j, &j->data.test);
    int64_t bytes = tensor_elements(in) * (int64_t)sizeof(float), most = p->asked.samples;
    if (p->asked.files && most > PIXELS / bytes)
        most = PIXELS / bytes > 0 ? PIXELS / bytes : 1;
    j->asked = (struct device_data){.samples_f32 = true, .count = most, .sample_bytes = bytes};
    status = fit(j, (const int64_t[PHASE_COUNT]){[PHASE_PREDICT] = most});
    if (status == 0)
        status = weights_take(j);
    p->batch = j->recipe.evaluation_batch;
    if (status == 0 && p->asked.files && !(p->pixels = calloc((size_t)p->batch, (size_t)bytes)))
        status = complain(STATUS_INTERNAL, "out of memory");
    return status ? status : open_outputs(p);
}

int predict(struct job *j)
{
    struct prediction p = {.job = j, .asked.job = j};
    if (tensor_with_role(j->plan, ROLE_INPUT) < 0)
        return complain(STATUS_DATA, "net %s has no input", j->plan->net);
    int status = prepare(&p);
    if (status == 0)
        status = open_table(&p);
    if (status == 0)
        status = predict_parts(&p);
    if (status == 0 && p.table.out)
        status = close_table(&p);
    atomic_abandon(&p.file);
    if (p.table.out && p.table.out != stdout)
        stops_end();
    for (int i = 0; i < p.answer.outputs; i++) {
        if (p.value)
            free(p.value[i]);
        if (p.answer.output)
            free(p.answer.output[i].probability);
    }
    free(p.value);
    free(p.answer.output);
    free(p.pixels);
    asked_free(&p.asked);
    return status;
}
