/* The cuda device. Its memory is one allocation: the arena as planned, and behind it the data set or staging. */
#define _GNU_SOURCE 1
#include "device_cuda.h"

#include "cuda_data.h"
#include "cuda_module.h"
#include "cuda_phase.h"
#include "device/device_error.h"

#include <stdlib.h>
#include <string.h>

enum {
    RING_BYTES = (1 + RING_STEPS) * CTL_WORDS * 4,
    GRANULE = 2 << 20,  /* drivers hand out memory in multiples of this */
    OWN_MOST = 1 << 30, /* no context takes more (seen are 107 to 555 MiB), and no code: the rest is other processes' */
    RESERVE_LEAST = 64 << 20,
    RESERVE_PART = 64, /* of all memory */
};

struct gpu {
    struct device device;
    struct device_options options;
    char name[16]; /* "cuda:0" */
    cuda_emitter *emit;
    struct cuda api;
    struct cuda_gpu card;
    struct nvrtc_target target;
    bool retained, poison;
    const struct plan *plan;
    struct cuda_module module;
    struct cuda_products library; /* for plans with products that are large enough */
    int64_t unused;               /* free bytes once the module was loaded */
    CUstream stream;
    struct cuda_host ring;
    CUdeviceptr arena;
    int64_t planned, bytes; /* of the arena alone, and with what is behind it */
    int64_t skip;           /* bytes of the places in the plan before the arena begins */
    struct cuda_phase phase[PHASE_COUNT];
    enum phase last; /* run last, or the first one armed */
    struct cuda_data data;
    struct device_cuda_report report;
};

static struct gpu *gpu_of(const struct device *d)
{
    return (struct gpu *)d;
}

static void disarm(struct gpu *g)
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

/* ---- compile ---- */

static void unload(struct gpu *g)
{
    cuda_products_close(&g->library, &g->api);
    cuda_module_unload(&g->module, &g->api);
}

/* Without a library our own kernels make all products, and that is said. */
static void open_library(struct gpu *g)
{
    struct device_error why;
    bool wanted = false;
    for (int i = 0; i < g->module.list.n; i++)
        wanted |= g->module.list.launch[i].multiplies;
    if (wanted && !cuda_products_open(&g->library, &g->api, g->options.precision, &why))
        fprintf(stderr, "netrun: large products are made without cuBLAS, which may be slower: %s\n", why.text);
    g->report.library = g->library.handle != NULL;
}

static bool compile(struct device *d, const struct plan *p, struct device_error *e)
{
    struct gpu *g = gpu_of(d);
    struct nvrtc_options o = {
        .name = p->net, .emit_dir = g->options.emit_dir, .verbose = g->options.verbose, .quiet = g->options.quiet};
    int64_t before, total;
    disarm(g);
    unload(g);
    g->report.library = false;
    g->plan = p;
    if (!cuda_gpu_memory(&g->api, &g->card, &before, &total, e) ||
        !cuda_module_load(&g->module, &g->api, p, g->options.precision, g->emit, &g->target, &o, e))
        return false;
    open_library(g);
    if (!cuda_gpu_memory(&g->api, &g->card, &g->unused, &total, e))
        return false;
    g->report.exact = g->module.exact;
    g->report.modules = before > g->unused ? before - g->unused : 0;
    g->report.lazy = 0;
    return true;
}

/* ---- room ---- */

static int64_t memory_of(const struct device *d)
{
    return gpu_of(d)->report.total;
}

/* Of bytes that were gone after something: what can be ours. */
static int64_t own(int64_t bytes)
{
    return bytes < OWN_MOST ? bytes : OWN_MOST;
}

static int64_t room_of(struct device *d, int64_t budget)
{
    const struct device_cuda_report *r = &gpu_of(d)->report;
    int64_t left = budget - own(r->context) - own(r->modules) - own(r->lazy), unused = gpu_of(d)->unused - r->reserve;
    int64_t room = left < unused ? left : unused;
    return (room < 0 ? room - GRANULE + 1 : room) / GRANULE * GRANULE;
}

/* ---- arm ---- */

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

static bool fill(struct gpu *g, unsigned char byte, int64_t from, int64_t end, struct device_error *e)
{
    return from == end ||
           CUDA_CALL(&g->api, e, cuMemsetD8Async, g->arena + (CUdeviceptr)from, byte, (size_t)(end - from), g->stream);
}

static bool finish(struct gpu *g, struct device_error *e)
{
    return CUDA_CALL(&g->api, e, cuStreamSynchronize, g->stream);
}

static bool upload_ring(struct gpu *g, const struct cuda_phase *f, int n, struct device_error *e)
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
    return fill(g, 0, 0, g->planned, e) && upload_ring(g, f, 1, e) && cuda_phase_launch(f, &g->api, g->stream, 1, e) &&
           finish(g, e);
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

static bool arm(struct device *d, const struct device_rows *rows, const struct device_data *split, int nsplit,
                int64_t room, struct device_error *e)
{
    struct gpu *g = gpu_of(d);
    int64_t before, after, total;
    disarm(g);
    if (!g->module.handle)
        return device_fail(e, 70, "armed before it was compiled");
    bool ok = measure(g, rows, e) && plan_data(g, rows, split, nsplit, room, e) &&
              CUDA_CALL(&g->api, e, cuStreamCreate, &g->stream, CU_STREAM_NON_BLOCKING) &&
              cuda_host_take(&g->ring, &g->api, RING_BYTES, "the ring of control blocks", e) && take(g, e) &&
              cuda_gpu_memory(&g->api, &g->card, &before, &total, e) && arm_phases(g, e) &&
              cuda_gpu_memory(&g->api, &g->card, &after, &total, e) && fill(g, 0, 0, g->planned, e) &&
              cuda_data_take(&g->data, &g->api, g->arena + (CUdeviceptr)g->planned, g->stream, e) && finish(g, e);
    if (!ok) {
        disarm(g);
        return false;
    }
    g->report.arena = g->planned;
    g->report.data = g->data.bytes;
    g->report.resident = g->data.resident;
    if (before - after > g->report.lazy) /* when the plan is armed again, most of it is there */
        g->report.lazy = before - after;
    return true;
}

/* ---- run ---- */

static bool select_data(struct device *d, const struct device_data *data, struct device_error *e)
{
    (void)e;
    cuda_data_select(&gpu_of(d)->data, data);
    return true;
}

static void fill_ring(struct gpu *g, uint32_t (*control)[CTL_WORDS], int n)
{
    uint32_t *ring = g->ring.at;
    memset(ring, 0, (size_t)(1 + n) * CTL_WORDS * sizeof *ring);
    for (int i = 0; i < n; i++) {
        uint32_t *to = ring + (1 + i) * CTL_WORDS;
        memcpy(to, control[i], CTL_LOSS * sizeof *to);
        cuda_data_words(&g->data, i, to);
    }
}

static bool queue(struct gpu *g, const struct cuda_phase *f, int n, struct device_error *e)
{
    const uint32_t *ring = g->ring.at;
    bool ok = upload_ring(g, f, n, e);
    for (int i = 0, runs; ok && i < n; i += runs) {
        ok = cuda_data_before(&g->data, &g->api, i, ring + (1 + i) * CTL_WORDS, g->stream, e);
        runs = ok ? cuda_phase_launch(f, &g->api, g->stream, g->data.staged ? 1 : n - i, e) : 0;
        ok = runs && cuda_data_after(&g->data, &g->api, i, g->stream, e);
    }
    size_t block = CTL_WORDS * sizeof(uint32_t);
    return ok && CUDA_CALL(&g->api, e, cuMemcpyDtoHAsync_v2, (char *)g->ring.at + block, f->ring + block,
                           (size_t)n * block, g->stream);
}

/* Nothing but what persists, and the sums between the runs of a batch, may outlive a call. */
static bool poison(struct gpu *g, const struct cuda_phase *f, bool first, struct device_error *e)
{
    int64_t end = first || !phase_trains(f->schedule->phase) ? g->planned
                                                             : schedule_arena(g->plan, f->schedule, f->rows) - g->skip;
    return fill(g, 0xff, g->plan->persistent - g->skip, end, e);
}

static bool run(struct device *d, enum phase ph, uint32_t (*control)[CTL_WORDS], int n, struct device_error *e)
{
    struct gpu *g = gpu_of(d);
    struct cuda_phase *f = &g->phase[ph];
    if (n <= 0 || n > RING_STEPS)
        return device_fail(e, 70, "%d runs at once", n);
    for (int i = 0; i < n; i++)
        if (!f->schedule || !control[i][CTL_ROWS] || control[i][CTL_ROWS] > f->rows)
            return device_fail(e, 70, "phase %d cannot run %u rows, it is armed for %lld", ph, control[i][CTL_ROWS],
                               (long long)f->rows);
    g->last = ph;
    fill_ring(g, control, n);
    struct device_error later;
    bool ok = (!g->poison || poison(g, f, control[0][CTL_FIRST], e)) && queue(g, f, n, e);
    ok = finish(g, ok ? e : &later) && ok; /* whatever happened, nothing is left running */
    for (int i = 0; ok && i < n; i++)
        memcpy(&control[i][CTL_LOSS], (uint32_t *)g->ring.at + (1 + i) * CTL_WORDS + CTL_LOSS,
               (CTL_RESULTS_END - CTL_LOSS) * sizeof **control);
    return ok;
}

/* ---- copies ---- */

/* Address of a range of a tensor, 0 if it is not there. A persistent tensor's place is the same in all phases. */
static CUdeviceptr range(struct gpu *g, enum phase ph, int tensor, int64_t at, int64_t bytes)
{
    if (!g->arena || tensor < 0 || tensor >= g->plan->ntensor || at < 0 || bytes < 0)
        return 0;
    const struct tensor *t = &g->plan->tensor[tensor];
    const struct cuda_phase *f = &g->phase[t->schedule < 0 ? g->last : ph];
    if (!f->schedule || (t->schedule >= 0 && t->schedule != f->schedule - g->plan->schedule) ||
        (t->role == ROLE_SUM && !f->parts))
        return 0;
    int64_t place = tensor_place(g->plan, f->schedule, tensor, f->rows) - g->skip,
            size = t->rows ? t->bytes * f->rows : t->bytes;
    return place >= 0 && at <= size && bytes <= size - at ? g->arena + (CUdeviceptr)(place + at) : 0;
}

/* These can only say that they failed, so why is said here. */
static bool copied(bool ok, const struct device_error *e)
{
    if (!ok)
        fprintf(stderr, "netrun: %s\n", e->text);
    return ok;
}

/* Waits for a copy; if that fails, once more, since the caller's memory is his again afterwards. */
static bool end_copy(struct gpu *g, struct device_error *e)
{
    struct device_error later;
    return finish(g, e) || (finish(g, &later) && false);
}

/* In the stream, and waited for: it does not wait for the default stream, in which a copy from pageable memory may be under
 * way after its call has returned. The caller's memory is his again when these return. */
static bool read_tensor(struct device *d, enum phase ph, int tensor, int64_t at, void *to, int64_t bytes)
{
    struct gpu *g = gpu_of(d);
    struct device_error e;
    CUdeviceptr from = range(g, ph, tensor, at, bytes);
    return from && (!bytes || copied(CUDA_CALL(&g->api, &e, cuMemcpyDtoHAsync_v2, to, from, (size_t)bytes, g->stream) &&
                                         end_copy(g, &e),
                                     &e));
}

static bool write_tensor(struct device *d, enum phase ph, int tensor, int64_t at, const void *from, int64_t bytes)
{
    struct gpu *g = gpu_of(d);
    struct device_error e;
    CUdeviceptr to = range(g, ph, tensor, at, bytes);
    return to && (!bytes || copied(CUDA_CALL(&g->api, &e, cuMemcpyHtoDAsync_v2, to, from, (size_t)bytes, g->stream) &&
                                       end_copy(g, &e),
                                   &e));
}

static int64_t arena_bytes(const struct device *d)
{
    return gpu_of(d)->bytes;
}

void device_cuda_report(const struct device *d, struct device_cuda_report *r)
{
    *r = gpu_of(d)->report;
}

/* ---- open and close ---- */

static void close_cuda(struct device *d)
{
    struct gpu *g = gpu_of(d);
    if (g->retained) {
        disarm(g);
        unload(g);
        cuda_context_release(&g->api, &g->card);
    }
    free(g);
}

static bool open_gpu(struct gpu *g, int ordinal, struct device_error *e)
{
    int count;
    int64_t unused;
    /* Older drivers load all of a library's kernels at once: hundreds of MiB. Ours are loaded when they are looked up, either way. */
    setenv("CUDA_MODULE_LOADING", "LAZY", 0);
    if (!cuda_start(&g->api, &count, e))
        return false;
    if (ordinal < 0 || ordinal >= count)
        return device_fail(e, 5, "there is no cuda:%d: the driver finds %d GPU%s", ordinal, count,
                           count > 1 ? "s" : "");
    if (!cuda_gpu(&g->api, ordinal, &g->card, e))
        return false;
    if (!cuda_open(&g->api, NVRTC))
        return device_fail(e, 5,
                           "libnvrtc is not found: it comes with the CUDA toolkit (netrun --devices says where "
                           "it was looked for)");
    if (g->options.precision != PRECISION_FP32 && g->card.arch < 80)
        return device_fail(e, 5, "%s (compute capability %d.%d) has no tensor cores for %s: that needs 8.0",
                           g->card.name, g->card.arch / 10, g->card.arch % 10, precision_word[g->options.precision]);
    if (!nvrtc_serve(&g->api, g->card.arch, &g->target, e) || !cuda_context(&g->api, &g->card, e))
        return false;
    g->retained = true;
    if (!cuda_gpu_memory(&g->api, &g->card, &unused, &g->report.total, e))
        return false;
    int64_t part = g->report.total / RESERVE_PART;
    g->report.gpu = g->device.gpu = g->card.name;
    g->report.arch = g->card.arch;
    g->report.context = g->report.total - unused;
    g->report.reserve = part > RESERVE_LEAST ? part : RESERVE_LEAST;
    return true;
}

struct device *device_cuda_open_with(const struct device_options *o, int ordinal, cuda_emitter *emit,
                                     struct device_error *e)
{
    const char *poison = getenv("NETRUN_POISON");
    struct gpu *g = calloc(1, sizeof *g);
    if (!g) {
        device_fail(e, 70, "out of memory");
        return NULL;
    }
    *g = (struct gpu){
        .device = {.name = g->name,
                   .target = &target_cuda,
                   .most_runs = RING_STEPS,
                   .compile = compile,
                   .memory = memory_of,
                   .room = room_of,
                   .beside = device_cuda_beside,
                   .arm = arm,
                   .data = select_data,
                   .run = run,
                   .read = read_tensor,
                   .write = write_tensor,
                   .arena = arena_bytes,
                   .close = close_cuda},
        .options = *o,
        .emit = emit,
        .poison = poison && strcmp(poison, "1") == 0,
        .last = PHASE_COUNT,
    };
    snprintf(g->name, sizeof g->name, "cuda:%d", ordinal);
    if (open_gpu(g, ordinal, e))
        return &g->device;
    close_cuda(&g->device);
    return NULL;
}

struct device *device_cuda_open(const struct device_options *o, int ordinal, struct device_error *e)
{
    return device_cuda_open_with(o, ordinal, emit_cuda, e);
}
