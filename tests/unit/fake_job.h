/* A job without kernels: a plan of six small tensors, and a device whose step is a line of arithmetic that depends on
 * everything a real one depends on (weights, slots, seed, step, position, rows, learning rate). */
#ifndef FAKE_JOB_H
#define FAKE_JOB_H

#include "run/keep.h"

#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FAKE_TENSORS = 9, FAKE_FLOATS = 4 };

/* clang-format off */
static struct tensor fake_tensors[FAKE_TENSORS] = {
    { .name = "parameters", .role = ROLE_PARAM, .schedule = -1, .base = -1, .bytes = 128 },
    { .name = "fc.weight", .role = ROLE_PARAM, .rank = 2, .dim = { 2, 2 }, .schedule = -1, .base = 0, .bytes = 16,
      .init = INIT_UNIFORM, .bound = 0.5 },
    { .name = "fc.bias", .role = ROLE_PARAM, .rank = 1, .dim = { 2 }, .schedule = -1, .base = 0, .at = 64, .bytes = 8,
      .init = INIT_UNIFORM, .bound = 0.25 },
    { .name = "bn.running_mean", .role = ROLE_STATE, .rank = 1, .dim = { 2 }, .schedule = -1, .base = -1, .bytes = 8 },
    { .name = "momentum", .role = ROLE_SLOT, .schedule = -1, .base = -1, .bytes = 128 },
    { .name = "optimizer.momentum.fc.weight", .role = ROLE_SLOT, .rank = 2, .dim = { 2, 2 }, .schedule = -1, .base = 4,
      .bytes = 16 },
    { .name = "optimizer.momentum.fc.bias", .role = ROLE_SLOT, .rank = 1, .dim = { 2 }, .schedule = -1, .base = 4,
      .at = 64, .bytes = 8 },
    { .name = "x", .role = ROLE_INPUT, .rows = true, .rank = 1, .dim = { 2 }, .base = -1, .bytes = 16 },
    { .name = "t", .role = ROLE_TARGET, .dtype = DT_I32, .rows = true, .base = -1, .bytes = 16 },
};
/* clang-format on */

static struct plan fake_plan = {.net = "fake",
                                .source = "net fake\n",
                                .file = "fake.net",
                                .source_hash = 0x1234,
                                .ntensor = FAKE_TENSORS,
                                .tensor = fake_tensors,
                                .params = 6};

struct fake_device {
    struct device base;
    float value[FAKE_TENSORS][FAKE_FLOATS];
    uint32_t control[CTL_WORDS];
    int64_t runs;           /* training steps */
    bool finite;            /* the loss of the last of them */
    int64_t bad_step;       /* the loss of that step is NaN; -1: none */
    int64_t tests;          /* calls of the evaluation */
    float bad_test;         /* loss of the first of them, where all samples are then right; 0: as it is */
    bool even_tests;        /* every test has the same result */
    int64_t interrupt_step; /* SIGINT comes during that step; -1: none */
    void (*watch)(const struct fake_device *d); /* called at each training step */
};

static bool fake_data(struct device *d, const struct device_data *data, struct device_error *e)
{
    (void)d, (void)data, (void)e;
    return true;
}

static void fake_put(uint32_t *word, float value)
{
    memcpy(word, &value, sizeof value);
}

static void fake_train(struct fake_device *f)
{
    uint32_t *c = f->control;
    float loss = 0, lr = control_float(c, CTL_LR);
    bool finite = f->finite = c[CTL_STEP] != f->bad_step && (f->finite || !c[CTL_CHAIN]);
    for (int t = 1; t <= 2; t++)
        for (int i = 0; i < tensor_elements(&fake_tensors[t]); i++) {
            float w = f->value[t][i];
            float g = w + sinf((float)(c[CTL_SEED0] + 3 * c[CTL_STEP] + c[CTL_POSITION] + 7 * c[CTL_ROWS]));
            loss += w * w;
            if (!finite)
                continue;
            f->value[t + 4][i] = 0.9f * f->value[t + 4][i] + g;
            f->value[t][i] -= lr * f->value[t + 4][i];
        }
    for (int i = 0; finite && i < 2; i++)
        f->value[3][i] = 0.9f * f->value[3][i] + 0.1f * f->value[1][i];
    fake_put(&c[CTL_LOSS], finite ? loss : NAN);
    c[CTL_FINITE] = finite;
}

static void fake_once(struct fake_device *f, enum phase ph, const uint32_t control[CTL_WORDS])
{
    memcpy(f->control, control, sizeof f->control);
    if (ph != PHASE_TRAIN) {
        fake_put(&f->control[CTL_LOSS], f->even_tests ? (float)control[CTL_POSITION] : fabsf(f->value[1][0]));
        f->control[CTL_METRIC] =
            (uint32_t)(control[CTL_ROWS] * (f->even_tests ? 0.5f : fabsf(sinf(100 * f->value[1][1]))));
        if (f->tests++ == 0 && f->bad_test != 0) {
            fake_put(&f->control[CTL_LOSS], f->bad_test);
            f->control[CTL_METRIC] = control[CTL_ROWS];
        }
        return;
    }
    f->runs++;
    if (control[CTL_STEP] == f->interrupt_step)
        raise(SIGINT);
    fake_train(f);
    if (f->watch)
        f->watch(f);
}

static bool fake_run(struct device *d, enum phase ph, uint32_t (*control)[CTL_WORDS], int n, struct device_error *e)
{
    struct fake_device *f = (struct fake_device *)d;
    (void)e;
    for (int i = 0; i < n; i++) {
        fake_once(f, ph, control[i]);
        memcpy(control[i], f->control, sizeof f->control);
    }
    return true;
}

static bool fake_inside(int t, int64_t at, int64_t bytes)
{
    return t >= 0 && t < FAKE_TENSORS && at >= 0 && bytes >= 0 && at + bytes <= FAKE_FLOATS * 4;
}

static bool fake_read(struct device *d, enum phase ph, int t, int64_t at, void *to, int64_t bytes)
{
    (void)ph;
    if (!fake_inside(t, at, bytes))
        return false;
    memcpy(to, (char *)((struct fake_device *)d)->value[t] + at, (size_t)bytes);
    return true;
}

static bool fake_write(struct device *d, enum phase ph, int t, int64_t at, const void *from, int64_t bytes)
{
    (void)ph;
    if (!fake_inside(t, at, bytes))
        return false;
    memcpy((char *)((struct fake_device *)d)->value[t] + at, from, (size_t)bytes);
    return true;
}

static int64_t fake_arena(const struct device *d)
{
    (void)d;
    return 4096;
}

static struct fake_device fake_device(void)
{
    return (struct fake_device){
        .base = {.name = "fake",
                 .most_runs = 1,
                 .data = fake_data,
                 .run = fake_run,
                 .read = fake_read,
                 .write = fake_write,
                 .arena = fake_arena},
        .bad_step = -1,
        .interrupt_step = -1,
    };
}

/* 21 samples in batches of 8: two full steps and a tail of 5. */
static void fake_job(struct job *j, struct options *o, struct fake_device *d, const char *folder)
{
    *d = fake_device();
    *o = (struct options){.progress = PROGRESS_NONE};
    *j = (struct job){.options = o, .plan = &fake_plan, .device = &d->base};
    j->recipe =
        (struct recipe){.epochs = 3,
                        .batch = 8,
                        .evaluation_batch = 10,
                        .seed = 1,
                        .shuffle = true,
                        .rate = {.lr = 0.05,
                                 .pieces = 1,
                                 .piece = {{.schedule = word_find(WORD_SCHEDULE, "Cosine"), .num = {2}, .warmup = 2}}},
                        .metrics = 1,
                        .metric = {"accuracy"},
                        .save = {.word = word_find(WORD_SAVE, "best"), .measure = MEASURE_AUTO}};
    j->data.train.count = 21;
    j->data.test.count = 25;
    recipe_count(&j->recipe, j->data.train.count);
    snprintf(j->folder, sizeof j->folder, "%s", folder);
    tell_open(&j->tell, o->progress, o->quiet, o->json);
}

#endif
