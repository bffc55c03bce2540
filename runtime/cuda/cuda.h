/* CUDA's libraries, opened at run time by name: nothing of CUDA is needed to build, and the program runs where there is
 * none. Types and prototypes are our own; a test compares them with the toolkit's headers. */
#ifndef CUDA_H
#define CUDA_H

#include "device/device.h"

#include <limits.h>

typedef unsigned CUresult, CUdevice_attribute, CUfunction_attribute, CUstreamCaptureMode, CUjit_option, nvrtcResult,
    cublasStatus_t, cublasOperation_t, cublasComputeType_t, cudaDataType, libraryPropertyType;
typedef int CUdevice, cublasGemmAlgo_t;
typedef unsigned long long CUdeviceptr;
typedef struct CUctx_st *CUcontext;
typedef struct CUmod_st *CUmodule;
typedef struct CUfunc_st *CUfunction;
typedef struct CUstream_st *CUstream, *cudaStream_t;
typedef struct CUevent_st *CUevent;
typedef struct CUgraph_st *CUgraph;
typedef struct CUgraphExec_st *CUgraphExec;
typedef struct _nvrtcProgram *nvrtcProgram;
typedef struct cublasContext *cublasHandle_t;

enum {
#define CONSTANT(name, value) name = value,
#define FUNCTION(library, need, result, symbol, arguments)
#include "cuda_names.h"
#undef CONSTANT
#undef FUNCTION
};

enum cuda_library { DRIVER, NVRTC, CUBLAS, CUDA_LIBRARIES };

struct cuda {
    struct {
        void *handle;        /* NULL: not opened */
        char path[PATH_MAX]; /* where it was found */
        char tried[2048];    /* a line for each place where it was not, with the reason */
    } library[CUDA_LIBRARIES];
#define CONSTANT(name, value)
#define FUNCTION(library, need, result, symbol, arguments) result(*symbol) arguments;
#include "cuda_names.h"
#undef CONSTANT
#undef FUNCTION
};

/* ---- cuda.c ---- */

/* Opens a library and finds its functions; true at once if that was done before. Looked for in $NETRUN_CUDA_LIBDIR, by
 * the loader's own rules, then where toolkits are installed: the newest of a version that the driver knows, a newer one only
 * if there is no other. NVRTC asks for the driver itself, so open DRIVER first.
 * Libraries stay loaded until the process ends: they have threads and exit handlers of their own. */
bool cuda_open(struct cuda *c, enum cuda_library which);
const char *cuda_library_name(enum cuda_library which); /* "libnvrtc" */

/* The call failed: fills *e with call, code, name and text; status 3 for want of memory, else 5. Returns false. */
bool cuda_failed(const struct cuda *c, const char *call, CUresult result, struct device_error *e);
#define CUDA_CALL(c, e, symbol, ...) cuda_checked(c, #symbol, (c)->symbol(__VA_ARGS__), e)
static inline bool cuda_checked(const struct cuda *c, const char *call, CUresult result, struct device_error *e)
{
    return !result || cuda_failed(c, call, result, e);
}

/* Free and total bytes of the device whose context is current. Figures that cannot be are refused. */
bool cuda_memory(const struct cuda *c, int64_t *free_bytes, int64_t *total, struct device_error *e);
/* The same of this GPU. Where its memory is the host's, the driver counts the cache of files as used; free is then what the
 * host has available. */
struct cuda_gpu;
bool cuda_gpu_memory(const struct cuda *c, const struct cuda_gpu *g, int64_t *free_bytes, int64_t *total,
                     struct device_error *e);

/* ---- cuda_devices.c ---- */

struct cuda_gpu {
    CUdevice device;
    int ordinal, arch; /* compute capability times ten: 90 */
    bool integrated;   /* its memory is the host's */
    char name[128];
};

/* "NVRTC 13.0"; "580.65.06, for CUDA up to 13.0", or what of it is known. Both are open. */
enum { CUDA_VERSION_TEXT = 80 };
void cuda_versions(const struct cuda *c, char *nvrtc, size_t size, char driver[CUDA_VERSION_TEXT]);

/* Starts the driver and counts the GPUs. Status 5 if there is none. */
bool cuda_start(struct cuda *c, int *count, struct device_error *e);
/* Looks at one GPU. Status 5 if it is not there. */
bool cuda_gpu(const struct cuda *c, int ordinal, struct cuda_gpu *g, struct device_error *e);
/* Retains its primary context and makes it current. Status 3, with numbers, if there is too little memory for one. */
bool cuda_context(const struct cuda *c, const struct cuda_gpu *g, struct device_error *e);
/* Lets go of that. */
void cuda_context_release(const struct cuda *c, const struct cuda_gpu *g);
/* `netrun --devices`: what was found, what is missing, every path tried. False if no GPU can be used. */
bool cuda_report(FILE *out);

#endif
