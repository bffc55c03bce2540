/* A libcuda.so.1 in front of the real one: writes every call that takes or gives back memory, or makes what may take
 * some, to the file $COUNTED_LOG; behind the last the number of launches. All other functions are the real library's,
 * which this one is linked to. NETRUN_CUDA_LIBDIR names its folder. */
#include "cuda/cuda.h"

#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define EXPORT __attribute__((visibility("default")))
#define DRIVER_CALL(result, symbol, arguments) EXPORT result symbol arguments;
#define CONSTANT(name, value)
#define FUNCTION(library, need, result, symbol, arguments) library##_CALL(result, symbol, arguments)
#define NVRTC_CALL(result, symbol, arguments)
#define CUBLAS_CALL(result, symbol, arguments)
#include "cuda/cuda_names.h"

static long long launches;

static void *real(const char *symbol)
{
    void *library = dlopen("libcuda.so.1", RTLD_NOW | RTLD_NOLOAD);
    void *address = library ? dlsym(library, symbol) : NULL;
    if (!address) {
        fprintf(stderr, "counted: the real libcuda.so.1 has no %s\n", symbol);
        exit(70);
    }
    return address;
}

static void put(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void put(const char *format, ...)
{
    static FILE *out;
    va_list arguments;
    const char *path = getenv("COUNTED_LOG");
    if (!out && !(out = path ? fopen(path, "w") : stderr))
        exit(70);
    va_start(arguments, format);
    vfprintf(out, format, arguments);
    va_end(arguments);
    fflush(out);
}

__attribute__((destructor)) static void put_launches(void)
{
    put("%lld launches\n", launches);
}

/* symbol(names), with the real one's result as `rc`; then `what`. */
#define FORWARD(symbol, parameters, names, what)                                                                       \
    CUresult symbol parameters                                                                                         \
    {                                                                                                                  \
        static CUresult(*call) parameters;                                                                             \
        if (!call)                                                                                                     \
            *(void **)&call = real(#symbol);                                                                           \
        CUresult rc = call names;                                                                                      \
        what;                                                                                                          \
        return rc;                                                                                                     \
    }

FORWARD(cuDevicePrimaryCtxRetain, (CUcontext * context, CUdevice device), (context, device), put("context %u\n", rc))
FORWARD(cuModuleLoadDataEx, (CUmodule * module, const void *image, unsigned n, CUjit_option *options, void **values),
        (module, image, n, options, values), put("module %u\n", rc))
FORWARD(cuModuleUnload, (CUmodule module), (module), put("module unloaded\n"))
FORWARD(cuMemAlloc_v2, (CUdeviceptr * address, size_t bytes), (address, bytes), put("alloc %zu bytes: %u\n", bytes, rc))
FORWARD(cuMemFree_v2, (CUdeviceptr address), (address), put("free\n"))
FORWARD(cuMemHostAlloc, (void **pointer, size_t bytes, unsigned flags), (pointer, bytes, flags),
        put("host %zu bytes: %u\n", bytes, rc))
FORWARD(cuMemFreeHost, (void *pointer), (pointer), put("host free\n"))
FORWARD(cuStreamCreate, (CUstream * stream, unsigned flags), (stream, flags), put("stream %u\n", rc))
FORWARD(cuEventCreate, (CUevent * event, unsigned flags), (event, flags), put("event %u\n", rc))
FORWARD(cuGraphInstantiateWithFlags, (CUgraphExec * exec, CUgraph graph, unsigned long long flags),
        (exec, graph, flags), put("graph %u\n", rc))
FORWARD(cuGraphExecDestroy, (CUgraphExec exec), (exec), put("graph destroyed\n"))
FORWARD(cuGraphLaunch, (CUgraphExec exec, CUstream stream), (exec, stream), launches++)
FORWARD(cuLaunchKernel,
        (CUfunction function, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz,
         unsigned shared, CUstream stream, void **params, void **extra),
        (function, gx, gy, gz, bx, by, bz, shared, stream, params, extra), launches++)
