/* sample_plan.h: a small plan made by hand, with everything a plan can hold, and the few ops it needs. The ops,
 * targets and plan_check stand in for the real ones, so that the text form and the judge are tested alone. */
#ifndef SAMPLE_PLAN_H
#define SAMPLE_PLAN_H

#include "netc/compile.h"

#include <stdlib.h>
#include <string.h>

/* clang-format off */
static const struct op sample_op[] = {
    {.name = "gather", .nin = 1, .nout = 1, .attr = {"scale", "shift"}},
    {.name = "linear", .nin = 3, .nout = 1},
    {.name = "relu", .nin = 1, .nout = 1, .attr = {"slope"}},
    {.name = "loss", .nin = 1, .nout = 2},
    {.name = "relu.da", .nin = 2, .nout = 1},
    {.name = "linear_grad", .nin = 2, .nout = 3},
    {.name = "sgd", .nin = -1, .nout = 1, .attr = {"momentum", "nesterov"}},
    {.name = "accumulate", .nin = 2, .nout = 2, .gate = GATE_PARTS},
};
/* clang-format on */

const struct op *op_find(const char *name)
{
    for (int i = 0; i < COUNT(sample_op); i++)
        if (!strcmp(sample_op[i].name, name))
            return &sample_op[i];
    return NULL;
}

bool op_knows(const struct op *op, const char *algorithm)
{
    return !strcmp(op->name, "linear") && !strcmp(algorithm, "plain");
}

const struct target target_cpu = {.name = "cpu"}, target_cuda = {.name = "cuda"};

const struct target *target_planned(int i)
{
    return i == 0 ? &target_cpu : i == 1 ? &target_cuda : NULL;
}

const struct target *target_schedules(const struct target *t)
{
    return t;
}

bool plan_check(const struct plan *p, struct plan_error *e)
{
    (void)p, (void)e;
    return true;
}

enum {
    CONTROL,
    PARAMETERS,
    WEIGHT,
    BIAS,
    MEAN,
    IMAGE,
    SUM,
    Y,
    LOSS,
    GY,
    GSUM,
    GRADIENTS,
    WEIGHT_GRAD,
    BIAS_GRAD,
    PARTIAL,
    IMAGE2,
    LOGITS,
    TENSORS,
    SUMS = TENSORS /* of summing_plan */
};

#define PERSISTENT .schedule = -1, .last = 1
#define LIVES(from, to) .first = from, .last = to
#define ROWS(s, place, size)                                                                                           \
    .rows = true, .layout = &layout_block, .schedule = s, .base = -1, .offset = place, .bytes = size

static const struct tensor sample_tensor[TENSORS] = {
    [CONTROL] = {"control", ROLE_CONTROL, DT_U32, .rank = 1, .dim = {CTL_WORDS}, .base = -1, .bytes = 256, PERSISTENT},
    [PARAMETERS] = {"parameters", ROLE_PARAM, .rank = 1, .dim = {48}, .base = -1, .bytes = 192, .offset = 256,
                    PERSISTENT},
    [WEIGHT] = {"fc.weight", ROLE_PARAM, .rank = 2, .dim = {4, 8}, .base = PARAMETERS, .bytes = 128, .line = 4,
                .init = INIT_UNIFORM, .bound = 0.35355339059327379, .fan_in = 8, PERSISTENT},
    [BIAS] = {"fc.bias", ROLE_PARAM, .rank = 1, .dim = {4}, .base = PARAMETERS, .at = 128, .bytes = 16, .line = 4,
              .init = INIT_UNIFORM, .bound = 0.1, .fan_in = 8, PERSISTENT},
    [MEAN] = {"running_mean", ROLE_STATE, .rank = 1, .dim = {4}, .base = -1, .bytes = 16, .offset = 512,
              .init = INIT_ONE, PERSISTENT},
    [IMAGE] = {"image", ROLE_INPUT, .rank = 3, .dim = {1, 2, 4}, ROWS(0, 0, 32), LIVES(0, 4), .line = 2},
    [SUM] = {"fc", .rank = 1, .dim = {4}, ROWS(0, 0, 16), LIVES(1, 1), .line = 4},
    [Y] = {"relu_1", .rank = 1, .dim = {4}, ROWS(0, 32, 16), LIVES(1, 4), .line = 5},
    [LOSS] = {"loss", ROWS(0, 48, 16), LIVES(2, 3)},
    [GY] = {"relu_1.grad", .rank = 1, .dim = {4}, ROWS(0, 64, 16), LIVES(2, 4), .line = 5},
    [GSUM] = {"fc.grad", .rows = true, .layout = &layout_block, .rank = 1, .dim = {4}, .base = GY, .bytes = 16,
              LIVES(3, 4)},
    [GRADIENTS] = {"gradients", ROLE_GRAD, .rank = 1, .dim = {48}, .base = -1, .bytes = 192, LIVES(3, 5)},
    [WEIGHT_GRAD] = {"fc.weight.grad", ROLE_GRAD, .rank = 2, .dim = {4, 8}, .base = GRADIENTS, .bytes = 128,
                     LIVES(3, 5)},
    [BIAS_GRAD] = {"fc.bias.grad", ROLE_GRAD, .rank = 1, .dim = {4}, .base = GRADIENTS, .at = 128, .bytes = 16,
                   LIVES(3, 5)},
    [PARTIAL] = {"partial", ROLE_VALUE, .rank = 1, .dim = {50}, .base = -1, .bytes = 200, .offset = 256, LIVES(3, 4)},
    [IMAGE2] = {"image", ROLE_INPUT, .rank = 3, .dim = {1, 2, 4}, ROWS(1, 0, 32), LIVES(0, 2), .line = 2},
    [LOGITS] = {"logits", .rank = 1, .dim = {4}, ROWS(1, 32, 16), LIVES(1, 2), .line = 4},
};

#undef PERSISTENT
#undef LIVES
#undef ROWS

enum { KERNELS = 7, SCHEDULES = 2, SETTINGS = 4 };

static inline void sample_stage(struct region *r, struct kernel *k, const char *op, const int *in, int nin,
                                const int *out, int nout, double attr)
{
    struct stage *s = &k->stage[k->nstage++];
    s->op = op_find(op);
    s->attr = region_alloc(r, (size_t)op_attrs(s->op), sizeof *s->attr);
    s->in = region_alloc(r, (size_t)nin, sizeof *in);
    s->out = region_alloc(r, (size_t)nout, sizeof *out);
    memcpy(s->in, in, (size_t)nin * sizeof *in);
    memcpy(s->out, out, (size_t)nout * sizeof *out);
    s->nin = nin;
    s->nout = nout;
    s->line = 4;
    if (s->op->attr[0])
        s->attr[0] = attr;
    if (op_knows(s->op, "plain"))
        s->algorithm = "plain";
}

/* clang-format off */
#define LIST(...) (const int[]){__VA_ARGS__}, COUNT(((const int[]){__VA_ARGS__}))
/* clang-format on */

/* Writable, freed by plan_free. */
static inline struct plan *sample_plan(void)
{
    static const struct schedule schedules[SCHEDULES] = {
        {&target_cpu, PHASE_TRAIN, 0, 5, .fixed = 512, .per_row = 80, .bound_per_row = 80, .peak_step = 2},
        {&target_cpu, PHASE_PREDICT, 5, 7, .fixed = 0, .per_row = 48, .bound_per_row = 48, .peak_step = 1},
    };
    static const char *const names[KERNELS] = {"gather", "fc", "loss", "fc_grad", "update", "gather", "fc"};
    struct region *r = region_new();
    struct plan *p = region_alloc(r, 1, sizeof *p);
    *p = (struct plan){.net = "sample",
                       .file = "models/\"odd\" \\name\n.net",
                       .nsetting = SETTINGS,
                       .ntensor = TENSORS,
                       .nkernel = KERNELS,
                       .nschedule = SCHEDULES,
                       .persistent = 768,
                       .params = 36,
                       .macs = 32,
                       .region = r};
    p->source = "net sample\ninput image : f32[1, 2, 4]\n\n# end\nlogits = image -> fc: Linear(4)";
    p->source = region_copy(r, p->source);
    p->tensor = region_alloc(r, TENSORS, sizeof *p->tensor);
    memcpy(p->tensor, sample_tensor, sizeof sample_tensor);
    for (int i = 0; i < TENSORS; i++)
        p->tensor[i].name = region_copy(r, sample_tensor[i].name);
    p->schedule = region_alloc(r, SCHEDULES, sizeof *p->schedule);
    memcpy(p->schedule, schedules, sizeof schedules);
    p->kernel = region_alloc(r, KERNELS, sizeof *p->kernel);
    for (int k = 0; k < KERNELS; k++) {
        p->kernel[k].name = region_copy(r, names[k]);
        p->kernel[k].schedule = k >= 5;
        p->kernel[k].stage = region_alloc(r, MAX_STAGES, sizeof *p->kernel[k].stage);
    }
    sample_stage(r, &p->kernel[0], "gather", LIST(CONTROL), LIST(IMAGE), 1.0 / 255);
    sample_stage(r, &p->kernel[1], "linear", LIST(IMAGE, WEIGHT, BIAS), LIST(SUM), 0);
    sample_stage(r, &p->kernel[1], "relu", LIST(SUM), LIST(Y), -0.01);
    sample_stage(r, &p->kernel[2], "loss", LIST(Y), LIST(LOSS, GY), 0);
    sample_stage(r, &p->kernel[3], "relu.da", LIST(GY, Y), LIST(GSUM), 0);
    sample_stage(r, &p->kernel[3], "linear_grad", LIST(GSUM, IMAGE), LIST(WEIGHT_GRAD, BIAS_GRAD, PARTIAL), 0);
    sample_stage(r, &p->kernel[4], "sgd", LIST(WEIGHT, WEIGHT_GRAD, CONTROL), LIST(WEIGHT), 0.9);
    sample_stage(r, &p->kernel[4], "sgd", LIST(BIAS, BIAS_GRAD, CONTROL), LIST(BIAS), 1e-300);
    sample_stage(r, &p->kernel[5], "gather", LIST(CONTROL), LIST(IMAGE2), 1.0 / 255);
    sample_stage(r, &p->kernel[6], "linear", LIST(IMAGE2, WEIGHT, BIAS), LIST(LOGITS), 0);

    static double one[] = {128}, list[] = {0.1307, -1e22, 3e-310, 1.0 / 3, -0.0};
    p->setting = region_alloc(r, SETTINGS, sizeof *p->setting);
    p->setting[0] = (struct setting){"train.batch", NULL, 1, one, false};
    p->setting[1] = (struct setting){"train.optimizer", "Adam", 0, NULL, true};
    p->setting[2] = (struct setting){"data.transform.0.mean", NULL, COUNT(list), list, true};
    p->setting[3] = (struct setting){"train.note", "a \"quoted\" \\ text # \t\xc3\xa9", 0, NULL, false};
    return p;
}

/* The same with kernel 4 summing gradients over the parts of a batch. */
static inline struct plan *summing_plan(void)
{
    struct plan *p = sample_plan();
    struct tensor *tensor = region_alloc(p->region, TENSORS + 1, sizeof *tensor);
    memcpy(tensor, p->tensor, TENSORS * sizeof *tensor);
    p->tensor = tensor;
    p->ntensor = TENSORS + 1;
    tensor[SUMS] = tensor[GRADIENTS];
    tensor[SUMS].name = region_copy(p->region, "sums");
    tensor[SUMS].role = ROLE_SUM;
    tensor[SUMS].first = 0;
    p->schedule[0].parts = 256;
    p->kernel[4].nstage = 0;
    sample_stage(p->region, &p->kernel[4], "accumulate", LIST(SUMS, GRADIENTS), LIST(SUMS, GRADIENTS), 0);
    return p;
}

/* The text of a plan; the caller frees it. */
static inline char *sample_text(const struct plan *p, size_t *size)
{
    char *text = NULL;
    FILE *out = open_memstream(&text, size);
    bool good = plan_write(p, out);
    fclose(out);
    return good ? text : NULL;
}

#endif
