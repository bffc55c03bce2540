/* The driver's behaviour: memory, streams, deferral, graphs, failures on demand, leaks. */
#include <math.h>

#include "simtest.h"

static char *ptx;

enum { N = 32 };
static float host[N];

static CUresult go(CUmodule m, const char *name, CUstream stream, void **params)
{
    return cuLaunchKernel(function(m, name), 1, 1, 1, N, 1, 1, 0, stream, params, NULL);
}

/* ---- memory ---- */

static void memory_to_the_byte(void)
{
    struct sim_stats s;
    size_t free_bytes, total;
    CUdeviceptr a, b, c;
    start();
    OK(cuMemGetInfo_v2(&free_bytes, &total));
    CHECK(total == 64 << 20 && free_bytes == 48 << 20);
    RETURNS(2, cuMemAlloc_v2(&a, (48 << 20) + 1));
    OK(cuMemAlloc_v2(&a, (46 << 20) + 1)); /* a granule of 1 MiB more */
    OK(cuMemAlloc_v2(&b, 1 << 20));
    RETURNS(2, cuMemAlloc_v2(&c, 1));
    simStats(&s);
    CHECK(s.requested == (47u << 20) + 1 && s.charged == 64u << 20 && s.refusals == 2 && s.live_buffers == 2);
    OK(cuMemFree_v2(b));
    RETURNS(1, cuMemFree_v2(b));
    RETURNS(1, cuMemFree_v2(a + 256));
    OK(cuMemAlloc_v2(&c, 1));
    CHECK(c != b && c % 256 == 0);
    OK(cuMemFree_v2(a));
    OK(cuMemFree_v2(c));
    OK(cuMemFree_v2(0));
    RETURNS(1, cuMemAlloc_v2(&a, 0));
    simStats(&s);
    CHECK(s.requested == 0 && s.requested_peak == (47u << 20) + 1 && s.charged_peak == 64u << 20);
    OK(cuDevicePrimaryCtxRelease_v2(0));
    simStats(&s);
    CHECK(s.leaks == 0 && s.charged == 0);
}

static void no_device(void)
{
    RETURNS(100, cuInit(0));
}

static void no_context(void)
{
    CUdeviceptr p;
    CUcontext c;
    RETURNS(3, cuMemAlloc_v2(&p, 1));
    RETURNS(3, cuDevicePrimaryCtxRetain(&c, 0));
    OK(cuInit(0));
    RETURNS(201, cuMemAlloc_v2(&p, 1));
    RETURNS(2, cuDevicePrimaryCtxRetain(&c, 0)); /* SIM_RESERVE does not fit */
}

static void device_pointer_as_host(void)
{
    start();
    CUdeviceptr a = allocate(64);
    RETURNS(1, cuMemcpyHtoD_v2(a, (void *)(uintptr_t)a, 64));
    void *pinned;
    OK(cuMemHostAlloc(&pinned, 100, 0));
    OK(cuMemcpyHtoD_v2(a, pinned, 64));
    OK(cuMemFreeHost(pinned));
    RETURNS(1, cuMemFreeHost(pinned));
}

/* A buffer larger than the host's memory costs only what is touched, and holds NaN everywhere. */
static void huge(void)
{
    const uint64_t bytes = 900ull << 30;
    unsigned word = 5;
    start();
    CUdeviceptr a = allocate(bytes);
    download(&word, a + bytes - 4, sizeof word);
    CHECK(word == UINT32_MAX);
    word = 7;
    OK(cuMemcpyHtoD_v2(a + (100ull << 30), &word, sizeof word));
    word = 0;
    download(&word, a + (100ull << 30), sizeof word);
    CHECK(word == 7);
    download(&word, a + (100ull << 30) + 4, sizeof word);
    CHECK(word == UINT32_MAX);
    OK(cuMemFree_v2(a));
}

/* ---- streams ---- */

/* A host buffer that is used again before the copy has run: the copy sees the new contents when deferred. */
static void reused_host_buffer(bool waits, float expected)
{
    CUstream s;
    float staging[N];
    start();
    OK(cuStreamCreate(&s, CU_STREAM_NON_BLOCKING));
    CUdeviceptr a = allocate(sizeof staging), b = allocate(sizeof staging);
    for (int i = 0; i < N; i++)
        staging[i] = 1;
    OK(cuMemcpyHtoDAsync_v2(a, staging, sizeof staging, s));
    if (waits)
        OK(cuStreamSynchronize(s));
    for (int i = 0; i < N; i++)
        staging[i] = 2;
    OK(cuMemcpyHtoDAsync_v2(b, staging, sizeof staging, s));
    OK(cuStreamSynchronize(s));
    download(host, a, sizeof host);
    CHECK(host[0] == expected);
}

static void reused_buffer_deferred(void)
{
    reused_host_buffer(false, 2);
}

static void reused_buffer_eager(void)
{
    reused_host_buffer(false, 1);
}

static void reused_buffer_after_wait(void)
{
    reused_host_buffer(true, 1);
}

/* A synchronous copy from pageable memory may return before the data are there, and a stream that is not blocking does not
 * wait for it. From pinned memory, and for the default stream, it is done. */
static void pageable_copy(void)
{
    CUstream s;
    void *pinned;
    start();
    OK(cuStreamCreate(&s, CU_STREAM_NON_BLOCKING));
    OK(cuMemHostAlloc(&pinned, sizeof host, 0));
    CUdeviceptr a = allocate(sizeof host);
    float got = 0, *staging = pinned;
    OK(cuMemsetD8_v2(a, 0, sizeof host));
    OK(cuStreamSynchronize(NULL));
    host[0] = 1;
    OK(cuMemcpyHtoD_v2(a, host, sizeof host));
    host[0] = 2; /* it has been read */
    OK(cuMemcpyDtoHAsync_v2(&got, a, sizeof got, s));
    OK(cuStreamSynchronize(s));
    CHECK(got == 0);
    OK(cuMemcpyDtoH_v2(&got, a, sizeof got));
    CHECK(got == 1);
    staging[0] = 3;
    OK(cuMemcpyHtoD_v2(a, staging, sizeof host));
    OK(cuMemcpyDtoHAsync_v2(&got, a, sizeof got, s));
    OK(cuStreamSynchronize(s));
    CHECK(got == 3);
    OK(cuMemsetD32_v2(a, 0, 1)); /* so may a fill */
    OK(cuMemcpyDtoHAsync_v2(&got, a, sizeof got, s));
    OK(cuStreamSynchronize(s));
    CHECK(got == 3);
}

/* One stream writes, the other reads: right only with an event between them. */
static void two_streams(bool event, float expected)
{
    CUmodule m = load(ptx);
    CUstream s1, s2;
    CUevent e;
    OK(cuStreamCreate(&s1, CU_STREAM_NON_BLOCKING));
    OK(cuStreamCreate(&s2, CU_STREAM_NON_BLOCKING));
    OK(cuEventCreate(&e, CU_EVENT_DISABLE_TIMING));
    CUdeviceptr a = upload(host, sizeof host), b = upload(host, sizeof host);
    float v = 3;
    int n = N;
    OK(go(m, "fill", s1, (void *[]){&a, &v, &n}));
    if (event) {
        OK(cuEventRecord(e, s1));
        OK(cuStreamWaitEvent(s2, e, 0));
    }
    OK(go(m, "step", s2, (void *[]){&a, &b}));
    OK(cuStreamSynchronize(s2));
    OK(cuMemcpyDtoHAsync_v2(host, b, sizeof host, s2));
    OK(cuStreamSynchronize(s2));
    CHECK(host[5] == expected);
    OK(cuEventDestroy_v2(e));
    OK(cuStreamDestroy_v2(s1));
    OK(cuStreamDestroy_v2(s2));
}

static void missing_event(void)
{
    two_streams(false, 1);
}

static void with_event(void)
{
    two_streams(true, 7);
}

/* The default stream orders itself with blocking streams, both ways. */
static void legacy_stream(void)
{
    CUmodule m = load(ptx);
    CUstream s;
    OK(cuStreamCreate(&s, CU_STREAM_DEFAULT));
    CUdeviceptr a = upload(host, sizeof host), b = upload(host, sizeof host), c = upload(host, sizeof host);
    float v = 3;
    int n = N;
    OK(go(m, "fill", s, (void *[]){&a, &v, &n}));
    OK(go(m, "step", NULL, (void *[]){&a, &b}));
    OK(go(m, "step", s, (void *[]){&b, &c}));
    OK(cuMemcpyDtoHAsync_v2(host, c, sizeof host, s));
    CHECK(host[3] == 0);
    OK(cuStreamSynchronize(s));
    CHECK(host[3] == 15);
}

static void queries(void)
{
    CUmodule m = load(ptx);
    CUstream s;
    CUevent e1, e2;
    float v = 3, ms;
    int n = N;
    OK(cuStreamCreate(&s, CU_STREAM_NON_BLOCKING));
    OK(cuEventCreate(&e1, 0));
    OK(cuEventCreate(&e2, 0));
    CUdeviceptr a = upload(host, sizeof host);
    OK(cuStreamQuery(s));
    OK(cuEventQuery(e1)); /* never recorded */
    OK(cuEventRecord(e1, s));
    OK(go(m, "fill", s, (void *[]){&a, &v, &n}));
    RETURNS(600, cuStreamQuery(s));
    OK(cuStreamQuery(s));
    OK(cuEventRecord(e2, s));
    RETURNS(600, cuEventElapsedTime(&ms, e1, e2));
    RETURNS(600, cuEventQuery(e2));
    OK(cuEventQuery(e2));
    OK(cuEventSynchronize(e2));
    OK(cuEventElapsedTime(&ms, e1, e2));
    CHECK(ms >= 0);
}

static void sticky(void)
{
    CUmodule m = load(ptx);
    CUstream s;
    CUdeviceptr a = upload(host, sizeof host), b;
    CUcontext c;
    OK(cuStreamCreate(&s, CU_STREAM_NON_BLOCKING));
    OK(go(m, "bad", s, (void *[]){&a})); /* seen when somebody waits */
    RETURNS(700, cuStreamSynchronize(s));
    RETURNS(700, cuMemAlloc_v2(&b, 4));
    RETURNS(700, cuMemcpyDtoH_v2(host, a, sizeof host));
    RETURNS(700, cuMemFree_v2(a)); /* given back all the same */
    RETURNS(700, cuModuleUnload(m));
    RETURNS(700, cuStreamDestroy_v2(s));
    OK(cuDevicePrimaryCtxRelease_v2(0));
    struct sim_stats stats;
    simStats(&stats);
    CHECK(stats.leaks == 0);
    OK(cuDevicePrimaryCtxRetain(&c, 0)); /* a new context works */
    OK(cuMemAlloc_v2(&b, 4));
}

static void count_call(void *data)
{
    ++*(int *)data;
}

static void host_functions(void)
{
    CUstream s;
    int calls = 0;
    start();
    OK(cuStreamCreate(&s, CU_STREAM_NON_BLOCKING));
    OK(cuLaunchHostFunc(s, count_call, &calls));
    CHECK(calls == 0);
    OK(cuStreamSynchronize(s));
    CHECK(calls == 1);
}

/* ---- graphs ---- */

/* a -> b on one stream, a -> c on another, then d = b + c. Without the join's edge, a random order goes wrong. */
static CUgraphExec diamond(CUmodule m, CUstream s1, CUstream s2, CUdeviceptr *x, bool last_edge)
{
    CUevent fork, join;
    CUgraph graph;
    CUgraphExec exec;
    size_t nodes = 0;
    float v = 3;
    int n = N;
    OK(cuEventCreate(&fork, CU_EVENT_DISABLE_TIMING));
    OK(cuEventCreate(&join, CU_EVENT_DISABLE_TIMING));
    OK(cuStreamBeginCapture_v2(s1, CU_STREAM_CAPTURE_MODE_THREAD_LOCAL));
    OK(go(m, "fill", s1, (void *[]){&x[0], &v, &n}));
    OK(cuEventRecord(fork, s1));
    OK(cuStreamWaitEvent(s2, fork, 0));
    OK(go(m, "step", s1, (void *[]){&x[0], &x[1]}));
    OK(go(m, "step", s2, (void *[]){&x[0], &x[2]}));
    if (last_edge) {
        OK(cuEventRecord(join, s2));
        OK(cuStreamWaitEvent(s1, join, 0));
        OK(go(m, "sum", s1, (void *[]){&x[1], &x[2], &x[3]}));
    } else {
        OK(go(m, "sum", s1, (void *[]){&x[1], &x[2], &x[3]}));
        OK(cuEventRecord(join, s2));
        OK(cuStreamWaitEvent(s1, join, 0));
    }
    RETURNS(907, cuEventSynchronize(join));
    OK(cuStreamEndCapture(s1, &graph));
    OK(cuGraphGetNodes(graph, NULL, &nodes));
    CHECK(nodes == 4);
    OK(cuGraphInstantiateWithFlags(&exec, graph, 0));
    OK(cuGraphDestroy(graph));
    OK(cuEventDestroy_v2(fork));
    OK(cuEventDestroy_v2(join));
    return exec;
}

static int wrong_replays(bool last_edge)
{
    CUmodule m = load(ptx);
    CUstream s1, s2;
    CUdeviceptr x[4];
    int wrong = 0;
    OK(cuStreamCreate(&s1, CU_STREAM_NON_BLOCKING));
    OK(cuStreamCreate(&s2, CU_STREAM_NON_BLOCKING));
    for (int i = 0; i < 4; i++)
        x[i] = upload(host, sizeof host);
    CUgraphExec exec = diamond(m, s1, s2, x, last_edge);
    for (int replay = 0; replay < 20; replay++) {
        for (int i = 0; i < 4; i++)
            OK(cuMemsetD32Async(x[i], 0, N, s1));
        OK(cuGraphLaunch(exec, s1));
        OK(cuMemcpyDtoHAsync_v2(host, x[3], sizeof host, s1));
        OK(cuStreamSynchronize(s1));
        wrong += host[9] != 14;
    }
    OK(cuGraphLaunch(exec, s1));
    OK(cuGraphExecDestroy(exec)); /* what is queued still runs */
    OK(cuStreamSynchronize(s1));
    for (int i = 0; i < 4; i++)
        OK(cuMemFree_v2(x[i]));
    OK(cuModuleUnload(m));
    OK(cuStreamDestroy_v2(s1));
    OK(cuStreamDestroy_v2(s2));
    OK(cuDevicePrimaryCtxRelease_v2(0));
    return wrong;
}

static void graph(void)
{
    CHECK(wrong_replays(true) == 0);
}

static void graph_without_edge(void)
{
    CHECK(wrong_replays(false) > 0);
}

static void capture_errors(void)
{
    CUstream s, blocking, other;
    CUgraph graph;
    CUdeviceptr p;
    CUevent e;
    CUstreamCaptureStatus status;
    CUmodule m = load(ptx);
    float v = 3;
    int n = N;
    CUdeviceptr a = upload(host, sizeof host);
    OK(cuStreamCreate(&s, CU_STREAM_NON_BLOCKING));
    OK(cuStreamCreate(&other, CU_STREAM_NON_BLOCKING));
    OK(cuStreamCreate(&blocking, CU_STREAM_DEFAULT));
    OK(cuEventCreate(&e, CU_EVENT_DISABLE_TIMING));
    RETURNS(900, cuStreamBeginCapture_v2(NULL, 0));
    /* waiting */
    OK(cuStreamBeginCapture_v2(s, 0));
    OK(cuStreamIsCapturing(s, &status));
    CHECK(status == CU_STREAM_CAPTURE_STATUS_ACTIVE);
    RETURNS(900, cuStreamSynchronize(s));
    RETURNS(901, go(m, "fill", s, (void *[]){&a, &v, &n}));
    RETURNS(901, cuStreamEndCapture(s, &graph));
    CHECK(graph == NULL);
    /* allocating, unless the capture is relaxed */
    OK(cuStreamBeginCapture_v2(s, CU_STREAM_CAPTURE_MODE_GLOBAL));
    RETURNS(900, cuMemAlloc_v2(&p, 4));
    RETURNS(901, cuStreamEndCapture(s, &graph));
    OK(cuStreamBeginCapture_v2(s, CU_STREAM_CAPTURE_MODE_RELAXED));
    OK(cuMemAlloc_v2(&p, 4));
    OK(cuStreamEndCapture(s, &graph));
    OK(cuGraphDestroy(graph));
    /* the default stream */
    OK(cuStreamBeginCapture_v2(blocking, CU_STREAM_CAPTURE_MODE_RELAXED));
    RETURNS(906, go(m, "fill", NULL, (void *[]){&a, &v, &n}));
    RETURNS(901, cuStreamEndCapture(blocking, &graph));
    /* a stream that joined and did not come back */
    OK(cuStreamBeginCapture_v2(s, CU_STREAM_CAPTURE_MODE_THREAD_LOCAL));
    OK(cuEventRecord(e, s));
    OK(cuStreamWaitEvent(other, e, 0));
    OK(go(m, "fill", other, (void *[]){&a, &v, &n}));
    RETURNS(903, cuStreamEndCapture(other, &graph));
    RETURNS(904, cuStreamEndCapture(s, &graph));
    OK(cuStreamIsCapturing(other, &status));
    CHECK(status == CU_STREAM_CAPTURE_STATUS_NONE);
    RETURNS(1, cuStreamEndCapture(s, &graph));
    /* an event from outside */
    OK(cuEventRecord(e, other));
    OK(cuStreamBeginCapture_v2(s, CU_STREAM_CAPTURE_MODE_THREAD_LOCAL));
    RETURNS(905, cuStreamWaitEvent(s, e, 0));
    RETURNS(901, cuStreamEndCapture(s, &graph));
}

/* ---- failures on demand, and leaks ---- */

static void injected(void)
{
    CUdeviceptr a, b;
    start();
    OK(cuMemAlloc_v2(&a, 4));
    RETURNS(2, cuMemAlloc_v2(&b, 4));
    OK(cuMemAlloc_v2(&b, 4));
    RETURNS(77, cuMemFree_v2(b)); /* done all the same */
    OK(cuMemFree_v2(a));
    RETURNS(999, cuCtxSynchronize());
    OK(cuCtxSynchronize());
    OK(cuDevicePrimaryCtxRelease_v2(0));
    struct sim_stats s;
    simStats(&s);
    CHECK(s.leaks == 0);
}

static void leak(void)
{
    start();
    allocate(100);
}

static void no_leak(void)
{
    start();
    OK(cuMemFree_v2(allocate(100)));
    OK(cuDevicePrimaryCtxRelease_v2(0));
}

/* Fails each call of a small program once: all are noticed, nothing leaks. */
static bool tidy_program(void)
{
    CUcontext c;
    CUmodule m = NULL;
    CUdeviceptr a = 0;
    CUstream s = NULL;
    CUfunction f;
    float v = 4;
    int n = N;
    bool bad = cuInit(0) != 0;
    if (bad || cuDevicePrimaryCtxRetain(&c, 0))
        return true;
    bad = cuCtxSetCurrent(c) || cuStreamCreate(&s, 1) || cuMemAlloc_v2(&a, sizeof host) || cuModuleLoadData(&m, ptx) ||
          cuModuleGetFunction(&f, m, "fill") ||
          cuLaunchKernel(f, 1, 1, 1, N, 1, 1, 0, s, (void *[]){&a, &v, &n}, NULL) ||
          cuMemcpyDtoHAsync_v2(host, a, sizeof host, s) || cuStreamSynchronize(s) || host[4] != 4;
    if (m)
        bad |= cuModuleUnload(m) != 0;
    if (a)
        bad |= cuMemFree_v2(a) != 0;
    if (s)
        bad |= cuStreamDestroy_v2(s) != 0;
    bad |= cuDevicePrimaryCtxRelease_v2(0) != 0;
    return bad;
}

static void failing(void)
{
    CHECK(tidy_program());
}

static void succeeding(void)
{
    CHECK(!tidy_program());
    struct sim_stats s;
    simStats(&s);
    CHECK(s.calls == 14);
}

int main(void)
{
    ptx = compile(read_text("tests/cudasim/tests/driver.cu"), "--gpu-architecture=compute_90");
    CASE(memory_to_the_byte, "SIM_VRAM=64MiB SIM_GRANULE=1MiB SIM_RESERVE=16MiB");
    CASE(no_device, "SIM_DEVICES=0");
    CASE(no_context, "SIM_VRAM=64MiB");
    CASE(device_pointer_as_host, "");
    CASE(huge, "SIM_VRAM=1000GiB");
    CASE(reused_buffer_deferred, "SIM_ASYNC=defer");
    CASE(reused_buffer_eager, "SIM_ASYNC=eager");
    CASE(reused_buffer_after_wait, "SIM_ASYNC=defer");
    CASE(pageable_copy, "SIM_ASYNC=defer");
    CASE(missing_event, "SIM_ASYNC=defer");
    CASE(with_event, "SIM_ASYNC=defer");
    CASE(with_event, "");
    CASE(legacy_stream, "SIM_ASYNC=defer");
    CASE(queries, "SIM_ASYNC=defer");
    CASE(sticky, "");
    CASE(sticky, "SIM_ASYNC=defer");
    CASE(host_functions, "SIM_ASYNC=defer");
    CASE(graph, "SIM_LEAK=3");
    CASE(graph, "SIM_ASYNC=defer SIM_SEED=7 SIM_LEAK=3");
    CASE(graph_without_edge, "SIM_SEED=7");
    CASE(capture_errors, "");
    CASE(capture_errors, "SIM_ASYNC=defer");
    CASE(injected, "SIM_FAIL=cuMemAlloc_v2:2,cuMemFree_v2:1:77,cuCtxSynchronize:1 SIM_LEAK=3");
    run_case("leak", "SIM_LEAK=3", leak, 3);
    CASE(leak, "");
    CASE(no_leak, "SIM_LEAK=3");
    CASE(succeeding, "SIM_LEAK=3");
    for (int i = 1; i <= 14; i++) {
        char environment[64];
        snprintf(environment, sizeof environment, "SIM_LEAK=3 SIM_FAIL=*:%d", i);
        CASE(failing, environment);
    }
    run_case("nonsense", "SIM_VRAM=lots", no_leak, 125);
    return finish();
}
