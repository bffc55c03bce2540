/* Checks on a plan that is armed on the first GPU. Each prints its figures, and ends with 1 if they are wrong.
 *   armed bytes PLAN BATCH           what was predicted and what is gone
 *   armed flat PLAN BATCH STEPS      free memory after each launch of that many steps, with evaluations between them
 *   armed cycles PLAN BATCH SECONDS  free memory after each arming and each disarming, at most 1,000 of them
 *   armed local PLAN...              no kernel has local memory */
#include "gpu.h"

#include "cuda/cuda_module.h"
#include "cuda/device_cuda.h"
#include "run/run.h"
#include "cuda/nvrtc.h"

#include <stdarg.h>
#include <string.h>

enum { SAMPLES = 4096, SLACK = 2 << 20, LOCAL_SIZE_BYTES = 3 }; /* a CUfunction_attribute */

struct lesson {
    struct cuda c;
    struct cuda_gpu gpu;
    struct job job;
    struct device_data data;
    int64_t batch;
};

static bool wrong(const char *format, ...) __attribute__((format(printf, 1, 2)));
static bool wrong(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    putchar('\n');
    return false;
}

static void need(bool good, const struct device_error *e)
{
    if (!good)
        gpu_stop(e);
}

/* ---- a plan, samples, a device ---- */

static void make_data(struct lesson *l)
{
    int input = tensor_with_role(l->job.plan, ROLE_INPUT);
    int64_t bytes = tensor_elements(&l->job.plan->tensor[input]);
    uint8_t *pixel = malloc((size_t)(SAMPLES * bytes));
    int32_t *class = malloc(SAMPLES * sizeof *class);
    uint32_t x = 1;
    if (!pixel || !class || !samples_classes(l->job.plan))
        exit(70);
    for (int64_t i = 0; i < SAMPLES * bytes; i++)
        pixel[i] = (uint8_t)((x = x * 1664525u + 1013904223u) >> 24);
    for (int i = 0; i < SAMPLES; i++)
        class[i] = (int32_t)(((x = x * 1664525u + 1013904223u) >> 8) % 10);
    l->data = (struct device_data){
        .samples = pixel, .targets = class, .count = SAMPLES, .sample_bytes = bytes, .target_bytes = sizeof *class};
}

static void open_lesson(struct lesson *l, const char *plan, const char *batch)
{
    struct device_error e;
    struct job *j = &l->job;
    l->batch = strtol(batch, NULL, 10);
    if (!(j->plan = plan_open(plan)) || recipe_read(j->plan, &j->recipe) != 0 || l->batch < 1 || l->batch > SAMPLES)
        exit(2);
    j->recipe.batch = l->batch;
    recipe_count(&j->recipe, SAMPLES);
    make_data(l);
    j->phase = PHASE_TRAIN;
    j->device = device_cuda_open(&(struct device_options){0}, 0, &e);
    need(j->device, &e);
    gpu_open(&l->c, &l->gpu);
    j->rows.rows[PHASE_TRAIN] = j->rows.rows[PHASE_EVALUATE] = (l->batch + ROW_BLOCK - 1) / ROW_BLOCK * ROW_BLOCK;
}

static void compile(struct lesson *l)
{
    struct device_error e;
    need(l->job.device->compile(l->job.device, l->job.plan, &e), &e);
}

static void arm(struct lesson *l)
{
    struct device_error e;
    struct device *d = l->job.device;
    need(d->arm(d, &l->job.rows, &l->data, 1, d->room(d, INT64_MAX), &e) && d->data(d, &l->data, &e), &e);
    if (init_weights(&l->job) != 0)
        exit(5);
}

/* Trains `n` steps from `step` on in one launch. */
static void train_steps(struct lesson *l, int64_t step, int n)
{
    static uint32_t control[RING_STEPS][CTL_WORDS];
    struct device *d = l->job.device;
    struct device_error e;
    int64_t steps = SAMPLES / l->batch;
    for (int i = 0; i < n; i++)
        control_train(&l->job.recipe, step + i, (step + i) / steps, (step + i) % steps * l->batch, l->batch, SAMPLES,
                      control[i]);
    need(d->run(d, PHASE_TRAIN, control, n, &e), &e);
}

static void test_once(struct lesson *l)
{
    static uint32_t control[1][CTL_WORDS];
    struct device *d = l->job.device;
    struct device_error e;
    control_evaluate(&l->job.recipe, 0, l->batch, SAMPLES, control[0]);
    need(d->run(d, PHASE_EVALUATE, control, 1, &e), &e);
}

static int launch_steps(const struct lesson *l)
{
    int most = l->job.device->most_runs;
    return most < RING_STEPS ? most : RING_STEPS;
}

/* ---- the checks ---- */

static int64_t planned(const struct lesson *l)
{
    int64_t most = 0;
    for (int ph = 0; ph < PHASE_COUNT; ph++) {
        int64_t rows = l->job.rows.rows[ph];
        const struct schedule *s = plan_schedule(l->job.plan, &target_cuda, (enum phase)ph);
        int64_t bytes = rows ? schedule_arena(l->job.plan, s, rows) : 0;
        most = bytes > most ? bytes : most;
    }
    return most;
}

static bool check_bytes(struct lesson *l, char **word)
{
    struct device_cuda_report r;
    (void)word;
    compile(l);
    device_cuda_report(l->job.device, &r);
    if (r.library) { /* its code is loaded with the first products, and stays */
        arm(l);
        compile(l);
    }
    int64_t before = gpu_free(&l->c);
    arm(l);
    int64_t armed = gpu_free(&l->c), arena = planned(l), taken = l->job.device->arena(l->job.device);
    train_steps(l, 0, launch_steps(l));
    test_once(l);
    int64_t after = gpu_free(&l->c);
    device_cuda_report(l->job.device, &r);
    printf("planned %lld, arena %lld, data %lld, allocated %lld, gone %lld, besides %lld; context %lld, modules %lld; "
           "after the first runs %lld more; %s, data %s, %s\n",
           (long long)arena, (long long)r.arena, (long long)r.data, (long long)taken, (long long)(before - armed),
           (long long)r.lazy, (long long)r.context, (long long)r.modules, (long long)(armed - after),
           r.exact ? "exact code" : "PTX", r.resident ? "resident" : "staged", r.graphs ? "graphs" : "plain launches");
    if (r.arena < arena || r.arena >= arena + FIXED_ALIGN || taken != r.arena + r.data)
        return wrong("the arena is not what the plan says");
    if ((before - armed < taken && !r.library) || before - armed >= taken + SLACK + SLACK)
        return wrong("more than a granule and 2 MiB is gone besides");
    return after == armed || wrong("memory was taken after arming");
}

static bool check_flat(struct lesson *l, char **word)
{
    int64_t steps = strtol(word[0], NULL, 10), done = 0, tests = 0;
    compile(l);
    arm(l);
    int64_t first = gpu_free(&l->c);
    while (done < steps) {
        int n = launch_steps(l);
        n = n < steps - done ? n : (int)(steps - done);
        train_steps(l, done, n);
        done += n;
        if (done % 1000 < n && ++tests)
            test_once(l);
        if (gpu_free(&l->c) != first)
            return wrong("%lld bytes free after arming, %lld after %lld steps", (long long)first,
                         (long long)gpu_free(&l->c), (long long)done);
    }
    printf("%lld bytes free after arming, and after each of %lld launches, %lld steps and %lld evaluations\n",
           (long long)first, (long long)((steps + launch_steps(l) - 1) / launch_steps(l)), (long long)done,
           (long long)tests);
    return true;
}

static bool check_cycles(struct lesson *l, char **word)
{
    double until = now() + strtod(word[0], NULL);
    int64_t disarmed = 0, armed = 0;
    int cycles = 0;
    for (; cycles < 1000 && (cycles < 3 || now() < until); cycles++) {
        compile(l); /* disarms first */
        int64_t loose = gpu_free(&l->c);
        arm(l);
        train_steps(l, 0, 1);
        int64_t tight = gpu_free(&l->c);
        if (cycles && (loose != disarmed || tight != armed))
            return wrong("cycle %d: %lld and %lld bytes free, first %lld and %lld", cycles, (long long)loose,
                         (long long)tight, (long long)disarmed, (long long)armed);
        disarmed = loose;
        armed = tight;
    }
    printf("%d cycles: %lld bytes free disarmed and %lld armed each time\n", cycles, (long long)disarmed,
           (long long)armed);
    return cycles > 1;
}

/* ---- local memory ---- */

struct kernels {
    int n, local, most_local;
};

static void look_at(struct kernels *k, const struct cuda *c, CUfunction f, const char *net, const char *entry)
{
    struct device_error e;
    int local = 0;
    need(CUDA_CALL(c, &e, cuFuncGetAttribute, &local, LOCAL_SIZE_BYTES, f), &e);
    if (local > 0)
        wrong("%s: %s has %d bytes of local memory", net, entry, local);
    k->n++;
    k->local += local > 0;
    k->most_local = local > k->most_local ? local : k->most_local;
}

static void look_at_plan(struct kernels *k, const struct cuda *c, const struct nvrtc_target *t, const struct plan *p,
                         enum precision precision)
{
    struct device_error e;
    struct cuda_module m = {0};
    need(cuda_module_load(&m, c, p, precision, emit_cuda, t, &(struct nvrtc_options){.name = p->net}, &e), &e);
    look_at(k, c, m.begin, p->net, "nr_begin");
    look_at(k, c, m.end, p->net, "nr_end");
    for (int i = 0; i < m.list.n; i++)
        look_at(k, c, m.function[i], p->net, m.list.launch[i].entry);
    cuda_module_unload(&m, c);
}

static bool check_local(int plans, char **path)
{
    static struct cuda c;
    struct cuda_gpu g;
    struct kernels k = {0};
    struct device_error e;
    struct nvrtc_target target;
    gpu_open(&c, &g);
    if (!cuda_open(&c, NVRTC))
        return wrong("no NVRTC");
    need(nvrtc_serve(&c, g.arch, &target, &e), &e);
    for (int i = 0; i < plans; i++) {
        struct plan *p = plan_open(path[i]);
        if (!p)
            return false;
        for (int precision = 0; precision < PRECISION_COUNT; precision++)
            look_at_plan(&k, &c, &target, p, (enum precision)precision);
        plan_free(p);
    }
    gpu_close(&c, &g);
    printf("%d kernels of %d plans in each precision, %d with local memory, at most %d bytes\n", k.n, plans, k.local,
           k.most_local);
    return k.local == 0 && k.n > 0;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int words;
        bool (*check)(struct lesson *l, char **word);
    } check[] = {
        {"bytes", 4, check_bytes},
        {"flat", 5, check_flat},
        {"cycles", 5, check_cycles},
    };
    static struct lesson l;
    if (argc > 2 && strcmp(argv[1], "local") == 0)
        return check_local(argc - 2, argv + 2) ? 0 : 1;
    for (size_t i = 0; i < sizeof check / sizeof *check; i++)
        if (argc == check[i].words && strcmp(argv[1], check[i].name) == 0) {
            open_lesson(&l, argv[2], argv[3]);
            bool good = check[i].check(&l, argv + 4);
            l.job.device->close(l.job.device);
            gpu_close(&l.c, &l.gpu);
            return good ? 0 : 1;
        }
    fprintf(stderr, "usage: armed bytes|flat|cycles PLAN BATCH ..., armed local PLAN...\n");
    return 2;
}
