/* What a GPU's driver costs, one figure a line: `NAME VALUE UNIT`, or `NAME not measured: why`. Times are the best of
 * several, by the host's clock, with the card's clocks up. gpu.py puts them into its results. */
#include "gpu.h"
#include "cuda/nvrtc.h"

#include <dlfcn.h>
#include <string.h>
#include <time.h>

enum {
    ROUNDS = 1000, /* of a barrier inside a kernel */
    SHORT = 100,
    LONG = 1100, /* nodes of two graphs: their difference is that of 1,000 nodes */
    TRIES = 7,
    SPIN_US = 300000,          /* before each measurement: a card that was idle takes that long to raise its clocks */
    THREADS = 256,             /* of a block of a full grid */
    MULTIPROCESSORS = 16,      /* CUdevice_attribute */
    NON_PORTABLE_CLUSTER = 14, /* CUfunction_attribute: clusters of more than 8 blocks */
    PROGRAMMATIC_LAUNCH = 6,   /* CUlaunchAttributeID: stream serialization */
};

static const char empty_text[] = "extern \"C\" __global__ void empty(void) {}\n"
                                 "extern \"C\" __global__ void spin(void)\n"
                                 "{ __shared__ volatile int word; for (int i = 0; i < 1000; i++) word = i; }\n";

/* The next kernel starts early, and waits where it would read. */
static const char early_text[] =
    "extern \"C\" __global__ void early(void)\n"
    "{ asm volatile(\"griddepcontrol.launch_dependents; griddepcontrol.wait;\" ::: \"memory\"); }\n";

static const char grid_text[] = "extern \"C\" __global__ void grid(unsigned *count, int rounds)\n"
                                "{\n"
                                "    for (int i = 1; i <= rounds; i++) {\n"
                                "        __syncthreads();\n"
                                "        if (threadIdx.x == 0) {\n"
                                "            __threadfence();\n"
                                "            atomicAdd(count, 1u);\n"
                                "            while (*(volatile unsigned *)count < i * gridDim.x) {}\n"
                                "            __threadfence();\n"
                                "        }\n"
                                "        __syncthreads();\n"
                                "    }\n"
                                "}\n";

/* Each block writes into the next one's shared memory, between barriers of the cluster; the first of them because no block
 * may be written to before it runs. */
static const char cluster_text[] =
    "extern \"C\" __global__ void __cluster_dims__(BLOCKS, 1, 1) cluster(unsigned *out, int rounds)\n"
    "{\n"
    "    __shared__ unsigned word[128];\n"
    "    unsigned at = (unsigned)__cvta_generic_to_shared(&word[threadIdx.x]), next, rank = (blockIdx.x + 1) % BLOCKS;\n"
    "    word[threadIdx.x] = 0;\n"
    "    asm volatile(\"mapa.shared::cluster.u32 %0, %1, %2;\" : \"=r\"(next) : \"r\"(at), \"r\"(rank));\n"
    "    asm volatile(\"barrier.cluster.arrive.aligned;\\nbarrier.cluster.wait.aligned;\" ::: \"memory\");\n"
    "    for (int i = 0; i < rounds; i++) {\n"
    "        if (EXCHANGE)\n"
    "            asm volatile(\"st.shared::cluster.u32 [%0], %1;\" :: \"r\"(next), \"r\"(word[threadIdx.x] + 1) : \"memory\");\n"
    "        asm volatile(\"barrier.cluster.arrive.aligned;\\nbarrier.cluster.wait.aligned;\" ::: \"memory\");\n"
    "    }\n"
    "    out[blockIdx.x * 128 + threadIdx.x] = word[threadIdx.x];\n"
    "}\n";

/* CUlaunchConfig and CUlaunchAttribute, as the driver has them since 12.0. */
struct launch_attribute {
    int id, unused;
    union {
        int value;
        char room[64];
    } of;
};
struct launch_config {
    unsigned grid[3], block[3], shared;
    CUstream stream;
    struct launch_attribute *attribute;
    unsigned attributes;
};
typedef CUresult launch_ex(const struct launch_config *config, CUfunction f, void **params, void **extra);
typedef CUresult set_attribute(CUfunction f, CUfunction_attribute attribute, int value);

static struct cuda c;
static struct cuda_gpu gpu;
static struct nvrtc_target target;
static CUstream stream;
static CUfunction spin;
static int multiprocessors;

static double clock_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec * 1e-3;
}

static void say(const char *name, double value, const char *unit)
{
    printf("%-32s %.4g %s\n", name, value, unit);
    fflush(stdout);
}

static void say_not(const char *name, const struct device_error *e)
{
    printf("%-32s not measured: %.*s\n", name, (int)strcspn(e->text, "\n"), e->text);
    fflush(stdout);
}

/* ---- code ---- */

static bool load(const char *text, CUmodule *module, struct device_error *e)
{
    struct nvrtc_code code = {0};
    char name[32];
    snprintf(name, sizeof name, "%s_%d", target.exact ? "sm" : "compute", target.arch);
    if (!nvrtc_compile(&c, text, name, &code, e))
        return false;
    CUresult rc = CUDA_ERROR_NO_BINARY_FOR_GPU;
    if (code.cubin)
        rc = c.cuModuleLoadDataEx(module, code.bytes, 0, NULL, NULL);
    if (rc == CUDA_ERROR_NO_BINARY_FOR_GPU)
        rc = c.cuModuleLoadDataEx(module, code.bytes + code.cubin, 0, NULL, NULL);
    nvrtc_free(&code);
    return cuda_checked(&c, "cuModuleLoadDataEx", rc, e);
}

static bool load_kernel(const char *text, const char *name, CUmodule *module, CUfunction *f, struct device_error *e)
{
    return load(text, module, e) && CUDA_CALL(&c, e, cuModuleGetFunction, f, *module, name);
}

static bool finish(struct device_error *e)
{
    return CUDA_CALL(&c, e, cuStreamSynchronize, stream);
}

/* ---- starting ---- */

static bool measure_start(struct device_error *e)
{
    int count;
    double start = clock_us();
    if (!cuda_start(&c, &count, e) || !cuda_gpu(&c, 0, &gpu, e))
        return false;
    say("driver_open_and_start", (clock_us() - start) * 1e-3, "ms");
    start = clock_us();
    if (!cuda_context(&c, &gpu, e) ||
        !CUDA_CALL(&c, e, cuDeviceGetAttribute, &multiprocessors, MULTIPROCESSORS, gpu.device))
        return false;
    say("context", (clock_us() - start) * 1e-3, "ms");
    say("memory_in_use_with_context", (double)(gpu_total(&c) - gpu_free(&c)) / (1 << 20), "MiB");
    return CUDA_CALL(&c, e, cuStreamCreate, &stream, CU_STREAM_NON_BLOCKING);
}

static bool measure_nvrtc(CUmodule *module, CUfunction *f, struct device_error *e)
{
    double start = clock_us();
    if (!cuda_open(&c, NVRTC)) {
        snprintf(e->text, sizeof e->text, "libnvrtc is not found");
        return false;
    }
    say("nvrtc_open", (clock_us() - start) * 1e-3, "ms");
    if (!nvrtc_serve(&c, gpu.arch, &target, e))
        return false;
    start = clock_us();
    if (!load_kernel(empty_text, "empty", module, f, e))
        return false;
    say("nvrtc_first_compile_and_load", (clock_us() - start) * 1e-3, "ms");
    start = clock_us();
    if (!load_kernel(empty_text, "empty", module, f, e))
        return false;
    say("nvrtc_same_source_again", (clock_us() - start) * 1e-3, "ms");
    return CUDA_CALL(&c, e, cuModuleGetFunction, &spin, *module, "spin");
}

static bool measure_cublas(struct device_error *e)
{
    cublasHandle_t handle;
    int64_t before = gpu_free(&c);
    double start = clock_us();
    if (!cuda_open(&c, CUBLAS)) {
        snprintf(e->text, sizeof e->text, "libcublas is not found");
        return false;
    }
    say("cublas_open", (clock_us() - start) * 1e-3, "ms");
    start = clock_us();
    cublasStatus_t status = c.cublasCreate_v2(&handle);
    if (status) {
        snprintf(e->text, sizeof e->text, "cublasCreate_v2: %s", c.cublasGetStatusString(status));
        return false;
    }
    say("cublas_first_handle", (clock_us() - start) * 1e-3, "ms");
    say("cublas_memory", (double)(before - gpu_free(&c)) / (1 << 20), "MiB");
    c.cublasDestroy_v2(handle);
    return true;
}

/* ---- launches ---- */

static bool launch(CUfunction f, unsigned blocks, unsigned threads, void **params, struct device_error *e)
{
    return CUDA_CALL(&c, e, cuLaunchKernel, f, blocks, 1, 1, threads, 1, 1, 0, stream, params, NULL);
}

static bool raise_clocks(struct device_error *e)
{
    for (double end = clock_us() + SPIN_US; clock_us() < end;)
        if (!launch(spin, (unsigned)multiprocessors, THREADS, NULL, e) || !finish(e))
            return false;
    return true;
}

static bool launch_early(CUfunction f, unsigned blocks, unsigned threads, struct device_error *e)
{
    launch_ex *call;
    *(void **)&call = dlsym(c.library[DRIVER].handle, "cuLaunchKernelEx");
    struct launch_attribute attribute = {.id = PROGRAMMATIC_LAUNCH, .of.value = 1};
    struct launch_config config = {{blocks, 1, 1}, {threads, 1, 1}, 0, stream, &attribute, 1};
    if (call)
        return cuda_checked(&c, "cuLaunchKernelEx", call(&config, f, NULL, NULL), e);
    snprintf(e->text, sizeof e->text, "the driver has no cuLaunchKernelEx");
    return false;
}

static bool measure_launch(CUfunction f, struct device_error *e)
{
    double start = clock_us(), best = 1e9, queue = 1e9;
    if (!launch(f, 1, 32, NULL, e) || !finish(e))
        return false;
    say("first_launch", clock_us() - start, "us");
    if (!raise_clocks(e))
        return false;
    for (int i = 0; i < 10 * TRIES; i++) {
        start = clock_us();
        if (!launch(f, 1, 32, NULL, e))
            return false;
        double queued = clock_us() - start;
        if (!finish(e))
            return false;
        double done = clock_us() - start;
        best = done < best ? done : best;
        queue = queued < queue ? queued : queue;
    }
    say("launch_queued", queue, "us");
    say("launch_and_wait", best, "us");
    return true;
}

/* ---- graphs ---- */

/* What one node is: a kernel of one warp, or of a block for each multiprocessor; started early or not. */
struct node {
    CUfunction f;
    bool full, early;
};

static bool make_graph(struct node node, int nodes, CUgraphExec *exec, struct device_error *e)
{
    CUgraph graph;
    struct device_error later;
    if (!CUDA_CALL(&c, e, cuStreamBeginCapture_v2, stream, CU_STREAM_CAPTURE_MODE_THREAD_LOCAL))
        return false;
    bool ok = true;
    unsigned blocks = node.full ? (unsigned)multiprocessors : 1, threads = node.full ? THREADS : 32;
    for (int i = 0; ok && i < nodes; i++)
        ok = node.early ? launch_early(node.f, blocks, threads, e) : launch(node.f, blocks, threads, NULL, e);
    ok = CUDA_CALL(&c, ok ? e : &later, cuStreamEndCapture, stream, &graph) && ok;
    return ok && CUDA_CALL(&c, e, cuGraphInstantiateWithFlags, exec, graph, 0);
}

/* Microseconds of a graph of so many kernels, one after the other. */
static bool time_graph(struct node node, int nodes, double *best, struct device_error *e)
{
    CUgraphExec exec;
    if (!make_graph(node, nodes, &exec, e) || !raise_clocks(e))
        return false;
    *best = 1e9;
    for (int i = 0; i < TRIES; i++) {
        double start = clock_us();
        if (!CUDA_CALL(&c, e, cuGraphLaunch, exec, stream) || !finish(e))
            return false;
        double time = clock_us() - start;
        *best = time < *best && i ? time : *best;
    }
    return CUDA_CALL(&c, e, cuGraphExecDestroy, exec);
}

static bool measure_graph(struct node node, const char *name, const char *fixed, struct device_error *e)
{
    double a, b;
    if (!time_graph(node, SHORT, &a, e) || !time_graph(node, LONG, &b, e))
        return false;
    double each = (b - a) / (LONG - SHORT);
    say(name, each, "us");
    if (fixed)
        say(fixed, a - each * SHORT, "us");
    return true;
}

/* ---- barriers inside a kernel ---- */

static bool time_rounds(CUfunction f, unsigned blocks, CUdeviceptr memory, int rounds, double *best,
                        struct device_error *e)
{
    void *params[] = {&memory, &rounds};
    *best = 1e9;
    if (!raise_clocks(e))
        return false;
    for (int i = 0; i < TRIES; i++) {
        if (!CUDA_CALL(&c, e, cuMemsetD8Async, memory, 0, 16 * 128 * 4, stream) || !finish(e))
            return false;
        double start = clock_us();
        if (!launch(f, blocks, 128, params, e) || !finish(e))
            return false;
        double time = clock_us() - start;
        *best = time < *best ? time : *best;
    }
    return true;
}

static bool measure_rounds(CUfunction f, unsigned blocks, const char *name, struct device_error *e)
{
    CUdeviceptr memory;
    double none, all;
    if (!CUDA_CALL(&c, e, cuMemAlloc_v2, &memory, 16 * 128 * 4))
        return false;
    bool ok = time_rounds(f, blocks, memory, 1, &none, e) && time_rounds(f, blocks, memory, 1 + ROUNDS, &all, e);
    c.cuMemFree_v2(memory);
    if (ok)
        say(name, (all - none) / ROUNDS, "us");
    return ok;
}

/* One block on each multiprocessor, so that all of them run at once. */
static bool measure_grid(struct device_error *e)
{
    CUmodule module;
    CUfunction f;
    return load_kernel(grid_text, "grid", &module, &f, e) &&
           measure_rounds(f, (unsigned)multiprocessors, "grid_barrier", e);
}

static bool measure_cluster(int blocks, bool exchange, const char *name, struct device_error *e)
{
    char text[2048];
    CUmodule module;
    CUfunction f;
    set_attribute *set;
    *(void **)&set = dlsym(c.library[DRIVER].handle, "cuFuncSetAttribute");
    snprintf(text, sizeof text, "#define BLOCKS %d\n#define EXCHANGE %d\n%s", blocks, exchange, cluster_text);
    if (!set) {
        snprintf(e->text, sizeof e->text, "the driver has no cuFuncSetAttribute");
        return false;
    }
    return load_kernel(text, "cluster", &module, &f, e) &&
           (blocks <= 8 || cuda_checked(&c, "cuFuncSetAttribute", set(f, NON_PORTABLE_CLUSTER, 1), e)) &&
           measure_rounds(f, (unsigned)blocks, name, e);
}

static void measure_clusters(void)
{
    static const struct {
        int blocks;
        bool exchange;
        const char *name;
    } way[] = {
        {8, false, "cluster_barrier_8"},
        {16, false, "cluster_barrier_16"},
        {8, true, "cluster_exchange_8"},
        {16, true, "cluster_exchange_16"},
    };
    struct device_error e;
    for (size_t i = 0; i < sizeof way / sizeof *way; i++)
        if (!measure_cluster(way[i].blocks, way[i].exchange, way[i].name, &e))
            say_not(way[i].name, &e);
}

int main(void)
{
    CUmodule module;
    CUfunction empty, early;
    struct device_error e;
    if (!measure_start(&e) || !measure_nvrtc(&module, &empty, &e))
        gpu_stop(&e);
    if (!measure_launch(empty, &e) ||
        !measure_graph((struct node){empty, true, false}, "graph_node", "graph_launch", &e) ||
        !measure_graph((struct node){empty, false, false}, "graph_node_one_block", NULL, &e))
        gpu_stop(&e);
    if (!measure_cublas(&e))
        say_not("cublas", &e);
    if (!load_kernel(early_text, "early", &module, &early, &e) ||
        !measure_graph((struct node){early, true, true}, "graph_node_programmatic", NULL, &e))
        say_not("graph_node_programmatic", &e);
    if (!measure_grid(&e))
        say_not("grid_barrier", &e);
    measure_clusters();
    return 0;
}
