/* cuda_peak.c: what a GPU reaches at best, by events: multiply-adds that wait for nothing, and the triad of STREAM (McCalpin 1995)
 * over more and more of the arena. It takes no memory of its own but for the code. */
#include "gpu.h"

#include "device/device_error.h"

#include <string.h>

static const char loops[] = {
#include "peak_cuda.inc"
    0};

enum {
    THREADS = 256,
    WAVES = 24,             /* blocks for each multiprocessor: whole waves of 6 and of 8 */
    MULTIPLY_ADDS = 8 * 16, /* of a thread in a pass: peak.cu.txt */
    TRIES = 3,
    LEAST = 96 << 10, /* bytes of the smallest triad, where the arena has them, */
    STEP = 4          /* and how many times as large the next one is */
};
static const double long_enough = 0.0005, in_all = 0.05; /* seconds: of a try; of all of one loop */

struct bench {
    struct gpu *gpu;
    CUfunction function;
    unsigned blocks, passes;
    CUdeviceptr at;
    float x, y, never;
    unsigned long long n;
    void *parameter[5]; /* of these */
    CUevent event[2];
};

static bool time_once(struct bench *b, double *seconds, struct device_error *e)
{
    struct gpu *g = b->gpu;
    const struct cuda *c = &g->api;
    float milliseconds = 0;
    bool ok = CUDA_CALL(c, e, cuEventRecord, b->event[0], g->stream) &&
              CUDA_CALL(c, e, cuLaunchKernel, b->function, b->blocks, 1, 1, THREADS, 1, 1, 0, g->stream, b->parameter,
                        NULL) &&
              CUDA_CALL(c, e, cuEventRecord, b->event[1], g->stream) &&
              CUDA_CALL(c, e, cuEventSynchronize, b->event[1]) &&
              CUDA_CALL(c, e, cuEventElapsedTime, &milliseconds, b->event[0], b->event[1]);
    *seconds = 1e-3 * (double)milliseconds;
    return ok;
}

/* Seconds of one pass of the loop; `passes` is a parameter of it. */
static bool best_pass(struct bench *b, double *best, struct device_error *e)
{
    double took, spent = 0;
    b->passes = 1;
    for (int tries = 0; tries < TRIES || spent < in_all;) {
        if (!time_once(b, &took, e))
            return false;
        if (took < long_enough && b->passes < UINT32_MAX / 4) {
            b->passes *= took < long_enough / 4 ? 4 : 2;
            continue;
        }
        spent += took;
        *best = tries == 0 || took / b->passes < *best ? took / b->passes : *best;
        tries++;
    }
    return true;
}

static bool measure_triads(struct bench *b, struct device_peak *p, struct device_error *e)
{
    memcpy(b->parameter, (void *[]){&b->at, &b->x, &b->n, &b->passes}, 4 * sizeof(void *));
    const int64_t most = b->gpu->planned;
    for (int64_t bytes = most < LEAST ? most : LEAST; bytes <= most && p->sizes < PEAK_SIZES; bytes *= STEP) {
        double each;
        b->n = (unsigned long long)bytes / 48;
        if (!best_pass(b, &each, e))
            return false;
        if (each > 0)
            p->triad[p->sizes++] = (struct device_triad){(double)(48 * b->n), (double)(48 * b->n) / each};
    }
    return true;
}

static bool measure(struct bench *b, CUmodule module, struct device_peak *p, struct device_error *e)
{
    struct gpu *g = b->gpu;
    const struct cuda *c = &g->api;
    int processors;
    double each = 0;
    if (!CUDA_CALL(c, e, cuDeviceGetAttribute, &processors, CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT, g->card.device) ||
        !CUDA_CALL(c, e, cuModuleGetFunction, &b->function, module, "multiply_add"))
        return false;
    b->blocks = (unsigned)processors * WAVES;
    memcpy(b->parameter, (void *[]){&b->at, &b->x, &b->y, &b->never, &b->passes}, 5 * sizeof(void *));
    if (!best_pass(b, &each, e))
        return false;
    /* Products of tensor cores are rounded otherwise, and faster: their peak is not this one. */
    if (each > 0 && g->options.precision == PRECISION_FP32)
        p->flops = 2. * MULTIPLY_ADDS * THREADS * b->blocks / each;
    return CUDA_CALL(c, e, cuModuleGetFunction, &b->function, module, "triad") && measure_triads(b, p, e);
}

bool gpu_peak(struct device *d, struct device_peak *p, struct device_error *e)
{
    struct gpu *g = gpu_of(d);
    const struct cuda *c = &g->api;
    const struct nvrtc_options o = {.name = "peak", .quiet = g->options.quiet};
    struct nvrtc_code code = {0};
    struct cuda_module module = {0};
    struct bench b = {.gpu = g, .at = g->arena, .x = 0.5F, .y = 1, .never = -1};
    *p = (struct device_peak){0};
    bool ok = g->arena || device_fail(e, 70, "measured before it was armed");
    ok = ok && nvrtc_load(c, loops, &g->target, &o, &code, e) && cuda_module_image(&module, c, &code, e);
    nvrtc_free(&code);
    for (int i = 0; i < 2; i++)
        ok = ok && CUDA_CALL(c, e, cuEventCreate, &b.event[i], CU_EVENT_DEFAULT);
    ok = ok && measure(&b, module.handle, p, e);
    struct device_error later;
    ok = gpu_finish(g, ok ? e : &later) && ok;
    for (int i = 0; i < 2; i++)
        if (b.event[i])
            c->cuEventDestroy_v2(b.event[i]);
    cuda_module_unload(&module, c);
    return ok;
}
