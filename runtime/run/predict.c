/* predict.c: what the network makes of samples: of files, of folders of them, and of the test set. In batches. */
#include "answering.h"
#include "keep.h"
#include "mask.h"
#include "streamed.h"
#include "table.h"
#include "data/csv_table.h"
#include "data/image.h"

#include <stdlib.h>

enum { PIXELS = 1 << 24 }; /* bytes of the files of a batch, if they are more than one */

struct prediction {
    struct job *job;
    struct asked asked;
    int64_t batch;    /* samples at once */
    bool looked;      /* at the values of the first files */
    int64_t dim[3];   /* of an image: channels, height, width */
    float *pixels;    /* of a batch of files */
    bool transparent; /* one was, which has been said */
    struct answering answering;
    struct answer_table table;
};

static int show(void *context, const struct answer *a)
{
    struct prediction *p = context;
    struct job *j = p->job;
    if (table_stops(&p->table))
        return STATUS_SIGNAL + stopped_by();
    if (mask_wanted(j)) {
        const int status = mask_write(a, j);
        if (status)
            return status;
    } else if (p->table.out)
        answer_row(a, &p->table);
    else
        answer_say(a, p->asked.samples == 1, j->tell.results);
    return answer_tell(a, j) ? 0 : complain(STATUS_DATA, "stdout: cannot be written");
}

/* ---- running ---- */

static int predict_set(struct prediction *p, const struct asked_part *part)
{
    struct device_data data = samples_of(&p->job->data.test);
    data.targets = NULL;
    return answering_set(&p->answering, &data, part->first, part->count);
}

static int predict_files(struct prediction *p, const struct asked_part *part, int64_t rows)
{
    const struct tensor *in = &p->job->plan->tensor[tensor_with_role(p->job->plan, ROLE_INPUT)];
    const int64_t *dim = p->dim, elements = tensor_elements(in);
    struct device_data data = {
        .samples = p->pixels, .samples_f32 = true, .count = rows, .sample_bytes = elements * (int64_t)sizeof(float)};
    struct picture_step step[MAX_METRICS];
    const int steps = plan_picture_steps(p->job->plan, step);
    struct data_error e;
    for (int64_t i = 0; i < rows; i++) {
        struct image_seen seen;
        if (!image_read(part[i].path, step, steps, dim[0], dim[1], dim[2], DATA_F32, p->pixels + i * elements, &seen,
                        &e))
            return complain(STATUS_DATA, "%s", e.text);
        if (seen.rate && p->job->data.rate && seen.rate != p->job->data.rate)
            return rate_differs(part[i].path, seen.rate, p->job);
        if (seen.transparent && !p->transparent)
            note("%s: has transparent pixels, which are laid over white", part[i].path);
        p->transparent |= seen.transparent;
    }
    const struct data_field sample = {
        .type = DATA_F32, .bytes = (uint64_t)data.sample_bytes, .values = (unsigned char *)p->pixels};
    if (!p->looked)
        caution_samples(p->job, &(struct data_split){.count = rows, .sample = sample});
    p->looked = true;
    int status = answering_run(&p->answering, &data, 0, rows);
    for (int64_t row = 0; status == 0 && row < rows; row++) {
        struct answer *a = &p->answering.answer;
        a->sample = part[row].path;
        a->index = a->class = -1;
        a->target = NULL;
        status = answering_row(&p->answering, row, rows);
    }
    return status;
}

/* Rows [first, first + rows) of a table, whose samples are called by the lines where they stand. */
static int predict_rows(struct prediction *p, const struct asked_part *part, int64_t first, int64_t rows)
{
    const struct csv_table *t = part->table;
    const struct data_split *s = &t->split;
    struct answer *a = &p->answering.answer;
    struct device_data data = samples_of(s);
    data.samples = s->sample.values + (uint64_t)first * s->sample.bytes;
    data.targets = NULL;
    data.count = rows;
    int status = answering_run(&p->answering, &data, 0, rows);
    for (int64_t row = 0; status == 0 && row < rows; row++) {
        char name[PATH_MAX + 24];
        snprintf(name, sizeof name, "%s:%lld", part->path, (long long)t->line[first + row]);
        a->sample = name;
        a->index = a->class = -1;
        a->target = NULL;
        if (t->labelled && s->label.type == DATA_F32)
            a->target = (const float *)(const void *)s->label.values + (first + row) * a->targets;
        else if (t->labelled)
            a->class = data_class(s, first + row);
        status = answering_row(&p->answering, row, rows);
    }
    return status;
}

static int predict_table(struct prediction *p, const struct asked_part *part)
{
    int status = 0;
    for (int64_t first = 0, rows; status == 0 && first < part->count; first += rows) {
        rows = part->count - first < p->batch ? part->count - first : p->batch;
        status = predict_rows(p, part, first, rows);
    }
    return status;
}

static int predict_parts(struct prediction *p)
{
    int64_t files;
    int status = 0;
    for (int64_t i = 0; status == 0 && p->asked.parts > i; i += files ? files : 1) {
        const struct asked_part *part = &p->asked.part[i];
        for (files = 0; files < p->batch && i + files < p->asked.parts && part[files].path && !part[files].table;)
            files++;
        status = files > 0     ? predict_files(p, part, files)
                 : part->table ? predict_table(p, part)
                               : predict_set(p, part);
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
    if (!weights_none(j->options))
        status = weights_find(j);
    if (status == 0)
        status = learnt_take(j, weights_none(j->options) ? NULL : j->weights);
    if (status)
        return status;
    for (int64_t i = 0; i < p->asked.parts; i++)
        if (p->asked.part[i].table)
            learnt_fill(j->plan, &p->asked.part[i].table->split);
    if (p->asked.set)
        caution_samples(j, &j->data.test);
    status = samples_stream(j, false);
    if (status)
        return status;
    int64_t bytes = tensor_elements(in) * (int64_t)sizeof(float), most = p->asked.samples;
    if (p->asked.files && most > PIXELS / bytes)
        most = PIXELS / bytes > 0 ? PIXELS / bytes : 1;
    j->asked = (struct device_data){.samples_f32 = true, .count = most, .sample_bytes = bytes};
    if (j->data.test.source) { /* which brings its targets beside each sample */
        j->asked.source = j->data.test.source;
        j->asked.target_bytes = (int64_t)j->data.test.label.bytes;
    }
    status = fit(j, (const int64_t[PHASE_COUNT]){[PHASE_PREDICT] = most});
    if (status == 0)
        status = weights_take(j);
    p->batch = j->recipe.evaluation_batch;
    if (status == 0 && p->asked.files && !(p->pixels = calloc((size_t)p->batch, (size_t)bytes)))
        status = complain(STATUS_INTERNAL, "out of memory");
    return status ? status : answering_open(&p->answering);
}

int predict(struct job *j)
{
    struct prediction p = {.job = j, .asked.job = j};
    p.answering = (struct answering){.job = j, .raw = j->options->raw, .take = show, .context = &p};
    if (tensor_with_role(j->plan, ROLE_INPUT) < 0)
        return complain(STATUS_DATA, "net %s has no input", j->plan->net);
    int status = prepare(&p);
    const bool mask = mask_wanted(j);
    if (status == 0 && mask)
        status = mask_check(j, &p.asked);
    else if (status == 0 && j->options->output)
        status = table_open(&p.table, j, &p.asked, &p.answering.answer);
    if (status == 0)
        status = predict_parts(&p);
    if (status == 0)
        status = table_commit(&p.table, j, p.asked.samples);
    table_close(&p.table);
    answering_close(&p.answering);
    free(p.pixels);
    asked_free(&p.asked);
    return status;
}
