/* gpu_arm.c: takes the memory of a plan and makes its phases ready to run. */
#define _GNU_SOURCE 1
#include "gpu.h"

#include "device/device_error.h"

#include <stdlib.h>
#include <string.h>

void gpu_disarm(struct gpu *g)
{
    if (g->stream) { /* first: a capture that it is still in forbids what follows */
        g->api.cuStreamSynchronize(g->stream);
        g->api.cuStreamDestroy_v2(g->stream);
    }
    for (int ph = 0; ph < PHASE_COUNT; ph++)
        cuda_phase_free(&g->phase[ph], &g->api);
    cuda_data_free(&g->data, &g->api);
    cuda_host_free(&g->ring, &g->api);
    if (g->arena)
        g->api.cuMemFree_v2(g->arena);
    g->arena = 0;
    g->stream = NULL;
    g->planned = g->bytes = 0;
    g->last = PHASE_COUNT;
}

static bool measure(struct gpu *g, const struct device_rows *rows, struct device_error *e)
{
    for (int ph = 0; ph < PHASE_COUNT; ph++) {
        int64_t n = rows->rows[ph];
        if (!n)
            continue;
        const struct schedule *s = plan_schedule(g->plan, &target_cuda, ph);
        if (!s || n < 0 || n % ROW_BLOCK)
            return device_fail(e, 70, "phase %d cannot be armed with %lld rows", ph, (long long)n);
        int64_t bytes = schedule_needs(g->plan, s, n, rows->parts);
        if (bytes < 0 || bytes > INT64_MAX / 2)
            return device_fail(e, 3, "an arena of %lld rows is larger than any memory", (long long)n);
        g->phase[ph] = (struct cuda_phase){.schedule = s, .rows = n, .parts = rows->parts};
        g->planned = bytes > g->planned ? bytes : g->planned;
        g->last = ph < (int)g->last ? (enum phase)ph : g->last;
    }
    g->skip = arena_skip(g->plan, rows->rows);
    g->planned -= g->planned > 0 ? g->skip : 0;
    g->planned = (g->planned + FIXED_ALIGN - 1) / FIXED_ALIGN * FIXED_ALIGN;
    return g->planned > 0 || device_fail(e, 70, "no phase to arm");
}

static int64_t most_rows(const struct device_rows *rows)
{
    int64_t most = 0;
    for (int ph = 0; ph < PHASE_COUNT; ph++)
        most = rows->rows[ph] > most ? rows->rows[ph] : most;
    return most;
}

int64_t device_cuda_beside(const struct device *d, const struct device_rows *rows, const struct device_data *split,
                           int nsplit)
{
    return cuda_data_least(split, nsplit, most_rows(rows), gpu_of(d)->card.integrated);
}

static bool plan_data(struct gpu *g, const struct device_rows *rows, const struct device_data *split, int nsplit,
                      int64_t room, struct device_error *e)
{
    if (g->planned > room)
        return device_fail(e, 3, "an arena of %lld bytes is more than the %lld allowed", (long long)g->planned,
                           (long long)room);
    if (!cuda_data_plan(&g->data, split, nsplit, most_rows(rows), g->card.integrated, room - g->planned, e))
        return false;
    g->bytes = g->planned + g->data.bytes;
    return true;
}

static bool take(struct gpu *g, struct device_error *e)
{
    CUresult rc = g->api.cuMemAlloc_v2(&g->arena, (size_t)g->bytes);
    int64_t unused, total;
    struct device_error cause;
    if (!rc)
        return true;
    g->arena = 0;
    if (rc != CUDA_ERROR_OUT_OF_MEMORY || !cuda_gpu_memory(&g->api, &g->card, &unused, &total, &cause))
        return cuda_failed(&g->api, "cuMemAlloc_v2", rc, e);
    g->unused = unused; /* what room_of goes by, when it is asked again */
    return device_fail(e, 3, "%s has %lld bytes free of %lld, and the arena needs %lld: cuMemAlloc_v2 failed", g->name,
                       (long long)unused, (long long)total, (long long)g->bytes);
}

bool gpu_fill(struct gpu *g, unsigned char byte, int64_t from, int64_t end, struct device_error *e)
{
    return from == end ||
           CUDA_CALL(&g->api, e, cuMemsetD8Async, g->arena + (CUdeviceptr)from, byte, (size_t)(end - from), g->stream);
}

bool gpu_finish(struct gpu *g, struct device_error *e)
{
    return CUDA_CALL(&g->api, e, cuStreamSynchronize, g->stream);
}

bool gpu_upload_ring(struct gpu *g, const struct cuda_phase *f, int n, struct device_error *e)
{
    size_t bytes = (size_t)(1 + n) * CTL_WORDS * sizeof(uint32_t);
    return CUDA_CALL(&g->api, e, cuMemcpyHtoDAsync_v2, f->ring, g->ring.at, bytes, g->stream);
}

/* Once with a sample of zeros, which is the arena's beginning: what the driver takes when a kernel runs for the first
 * time it takes now, a library before its products are captured. Whatever it does to the arena is undone by zeros. */
static bool rehearse(struct gpu *g, struct cuda_phase *f, struct device_error *e)
{
    uint32_t *ring = g->ring.at, *control = ring + CTL_WORDS;
    memset(ring, 0, RING_BYTES);
    control[CTL_ROWS] = control[CTL_COUNT_SAMPLES] = 1;
    control[CTL_SAMPLES] = control[CTL_TARGETS] = (uint32_t)g->arena;
    control[CTL_SAMPLES + 1] = control[CTL_TARGETS + 1] = (uint32_t)(g->arena >> 32);
    control[CTL_DATA] = SAMPLES_STAGED;
    return gpu_fill(g, 0, 0, g->planned, e) && gpu_upload_ring(g, f, 1, e) &&
           cuda_phase_launch(f, &g->api, g->stream, 1, e) && gpu_finish(g, e);
}

static bool arm_phase(struct gpu *g, struct cuda_phase *f, struct device_error *e)
{
    return cuda_phase_bind(f, g->plan, &g->module, &g->library, g->arena - (CUdeviceptr)g->skip, e) &&
           (!f->library || !g->report.graphs || rehearse(g, f, e)) &&
           (!g->report.graphs || cuda_phase_capture(f, &g->api, g->stream, e)) && rehearse(g, f, e);
}

static bool arm_phases(struct gpu *g, struct device_error *e)
{
    const char *graphs = getenv("NETRUN_CUDA_GRAPH");
    g->report.graphs = !graphs || strcmp(graphs, "0") != 0;
    if (g->library.handle && !cuda_products_stream(&g->library, &g->api, g->stream, e))
        return false;
    for (int ph = 0; ph < PHASE_COUNT; ph++)
        if (g->phase[ph].schedule && !arm_phase(g, &g->phase[ph], e))
            return false;
    return true;
}

bool gpu_arm(struct device *d, const struct device_rows *rows, const struct device_data *split, int nsplit,
             int64_t room, struct device_error *e)
{
    struct gpu *g = gpu_of(d);
    int64_t before, after, total;
    gpu_disarm(g);
    if (!g->module.handle)
        return device_fail(e, 70, "armed before it was compiled");
    bool ok = measure(g, rows, e) && plan_data(g, rows, split, nsplit, room, e) &&
              CUDA_CALL(&g->api, e, cuStreamCreate, &g->stream, CU_STREAM_NON_BLOCKING) &&
              cuda_host_take(&g->ring, &g->api, RING_BYTES, "the ring of control blocks", e) && take(g, e) &&
              cuda_gpu_memory(&g->api, &g->card, &before, &total, e) && arm_phases(g, e) &&
              cuda_gpu_memory(&g->api, &g->card, &after, &total, e) && gpu_fill(g, 0, 0, g->planned, e) &&
              cuda_data_take(&g->data, &g->api, g->arena + (CUdeviceptr)g->planned, g->stream, e) && gpu_finish(g, e);
    if (!ok) {
        gpu_disarm(g);
        return false;
    }
    g->report.arena = g->planned;
    g->report.data = g->data.bytes;
    g->report.resident = g->data.resident;
    if (before - after > g->report.lazy) /* when the plan is armed again, most of it is there */
        g->report.lazy = before - after;
    return true;
}
