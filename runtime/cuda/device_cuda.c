/* The cuda device. Its memory is one allocation: the arena as planned, and behind it the data set or staging. */
#define _GNU_SOURCE 1
#include "device_cuda.h"

#include "gpu.h"
#include "device/device_error.h"

#include <stdlib.h>
#include <string.h>

enum {
    GRANULE = 2 << 20,  /* drivers hand out memory in multiples of this */
    OWN_MOST = 1 << 30, /* no context takes more (seen are 107 to 555 MiB), and no code: the rest is other processes' */
    RESERVE_LEAST = 64 << 20,
    RESERVE_PART = 64, /* of all memory */
};

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
    if (wanted && !cuda_products_open(&g->library, &g->api, g->options.precision, &why) && !g->options.again)
        fprintf(stderr, "netrun: large products are made without cuBLAS, which may be slower: %s\n", why.text);
    g->report.library = g->library.handle != NULL;
}

static bool compile(struct device *d, const struct plan *p, struct device_error *e)
{
    struct gpu *g = gpu_of(d);
    struct nvrtc_options o = {
        .name = p->net, .emit_dir = g->options.emit_dir, .verbose = g->options.verbose, .quiet = g->options.quiet};
    int64_t before, total;
    gpu_disarm(g);
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
        control_give(to, control[i]);
        cuda_data_words(&g->data, i, to);
    }
}

static bool queue(struct gpu *g, const struct cuda_phase *f, int n, void *to, struct device_error *e)
{
    (void)to;
    const uint32_t *ring = g->ring.at;
    bool ok = true;
    for (int i = 0, runs; ok && i < n; i += runs) {
        ok = cuda_data_before(&g->data, &g->api, i, ring + (1 + i) * CTL_WORDS, g->stream, e);
        runs = ok ? cuda_phase_launch(f, &g->api, g->stream, g->data.staged ? 1 : n - i, e) : 0;
        ok = runs && cuda_data_after(&g->data, &g->api, i, g->stream, e);
    }
    return ok;
}

static bool download_ring(struct gpu *g, const struct cuda_phase *f, int n, struct device_error *e)
{
    size_t block = CTL_WORDS * sizeof(uint32_t);
    return CUDA_CALL(&g->api, e, cuMemcpyDtoHAsync_v2, (char *)g->ring.at + block, f->ring + block, (size_t)n * block,
                     g->stream);
}

/* Nothing but what persists, and the sums between the runs of a batch, may outlive a call. */
static bool poison(struct gpu *g, const struct cuda_phase *f, bool first, struct device_error *e)
{
    int64_t end = first || !phase_trains(f->schedule->phase) ? g->planned
                                                             : schedule_arena(g->plan, f->schedule, f->rows) - g->skip;
    return gpu_fill(g, 0xff, g->plan->persistent - g->skip, end, e);
}

static bool ready(const struct cuda_phase *f, enum phase ph, uint32_t (*control)[CTL_WORDS], int n,
                  struct device_error *e)
{
    if (n <= 0 || n > RING_STEPS)
        return device_fail(e, 70, "%d runs at once", n);
    for (int i = 0; i < n; i++)
        if (!f->schedule || !control[i][CTL_ROWS] || control[i][CTL_ROWS] > f->rows)
            return device_fail(e, 70, "phase %d cannot run %u rows, it is armed for %lld", ph, control[i][CTL_ROWS],
                               (long long)f->rows);
    return true;
}

static void take_results(struct gpu *g, uint32_t (*control)[CTL_WORDS], int n)
{
    for (int i = 0; i < n; i++)
        memcpy(&control[i][CTL_LOSS], (uint32_t *)g->ring.at + (1 + i) * CTL_WORDS + CTL_LOSS,
               (CTL_RESULTS_END - CTL_LOSS) * sizeof **control);
}

/* How the runs of a call reach the GPU: queued, or traced. */
typedef bool runner(struct gpu *g, const struct cuda_phase *f, int n, void *to, struct device_error *e);

static bool call(struct device *d, enum phase ph, uint32_t (*control)[CTL_WORDS], int n, runner *runs, void *to,
                 struct device_error *e)
{
    struct gpu *g = gpu_of(d);
    struct cuda_phase *f = &g->phase[ph];
    if (!ready(f, ph, control, n, e))
        return false;
    g->last = ph;
    fill_ring(g, control, n);
    struct device_error later;
    bool ok = (!g->poison || poison(g, f, control[0][CTL_FIRST], e)) && gpu_upload_ring(g, f, n, e) &&
              runs(g, f, n, to, e) && download_ring(g, f, n, e);
    ok = gpu_finish(g, ok ? e : &later) && ok; /* whatever happened, nothing is left running */
    if (ok)
        take_results(g, control, n);
    return ok;
}

static bool run(struct device *d, enum phase ph, uint32_t (*control)[CTL_WORDS], int n, struct device_error *e)
{
    return call(d, ph, control, n, queue, NULL, e);
}

struct follower {
    device_traced *traced;
    void *to;
};

static bool follow(struct gpu *g, const struct cuda_phase *f, int n, void *to, struct device_error *e)
{
    (void)n;
    const struct follower *follower = to;
    const uint32_t *ring = g->ring.at;
    return cuda_data_before(&g->data, &g->api, 0, ring + CTL_WORDS, g->stream, e) &&
           cuda_phase_trace(f, &g->api, g->stream, follower->traced, follower->to, e) &&
           cuda_data_after(&g->data, &g->api, 0, g->stream, e);
}

static bool trace(struct device *d, enum phase ph, uint32_t control[CTL_WORDS], device_traced *traced, void *to,
                  struct device_error *e)
{
    return call(d, ph, (uint32_t(*)[CTL_WORDS])control, 1, follow, &(struct follower){traced, to}, e);
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
    return gpu_finish(g, e) || (gpu_finish(g, &later) && false);
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
        gpu_disarm(g);
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
    cuda_versions(&g->api, g->compiler, sizeof g->compiler, g->driver);
    g->device.compiler = *g->compiler ? g->compiler : NULL;
    g->device.driver = *g->driver ? g->driver : NULL;
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
                   .arm = gpu_arm,
                   .data = select_data,
                   .run = run,
                   .trace = trace,
                   .peak = gpu_peak,
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
