/* Entry of API calls, the device and its one context, and the report at exit. */
#include "driver.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config.h"
#include "state.h"

struct state state;

static _Thread_local CUcontext current;
static _Thread_local CUresult late; /* of a releasing call: returned although the call did its work */
static struct CUctx_st {
    int unused;
} primary;

static pthread_mutex_t driver_lock;

static void make_lock(void)
{
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE); /* host functions may look at simStats */
    pthread_mutex_init(&driver_lock, &attributes);
    pthread_mutexattr_destroy(&attributes);
}

void driver_enter(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_lock);
    pthread_mutex_lock(&driver_lock);
}

void driver_leave(void)
{
    pthread_mutex_unlock(&driver_lock);
}

CUresult api_enter(const char *name, enum api_needs needs)
{
    driver_enter();
    state.calls++;
    if (config()->trace)
        fprintf(stderr, "cudasim: %llu %s\n", (unsigned long long)state.calls, name);
    late = CUDA_SUCCESS;
    CUresult rc = inject_failure(name);
    if (!rc && needs >= NEEDS_INIT && !state.initialised)
        rc = CUDA_ERROR_NOT_INITIALIZED;
    if (!rc && needs == NEEDS_CONTEXT && (!current || !state.retained))
        return CUDA_ERROR_INVALID_CONTEXT;
    if (!rc && needs == NEEDS_CONTEXT)
        rc = state.sticky;
    if (rc && rc != CUDA_ERROR_NOT_INITIALIZED && is_release(name)) {
        late = rc;
        rc = CUDA_SUCCESS;
    }
    return rc;
}

CUresult api_leave(CUresult rc)
{
    if (!rc)
        rc = late;
    late = CUDA_SUCCESS;
    if (rc && rc != CUDA_ERROR_NOT_READY && config()->trace)
        fprintf(stderr, "cudasim: -> %u\n", rc);
    driver_leave();
    return rc;
}

void set_sticky(CUresult error, const char *report)
{
    snprintf(state.report, sizeof state.report, "%s", report);
    fprintf(stderr, "cudasim: error %u: %s\n", error, report);
    if (!state.sticky)
        state.sticky = error;
}

const char *simLastReport(void)
{
    return state.report;
}

/* ---- version and errors ---- */

CUresult cuInit(unsigned flags)
{
    CUresult rc = api_enter("cuInit", NEEDS_NOTHING);
    if (!rc && flags)
        rc = CUDA_ERROR_INVALID_VALUE;
    if (!rc && config()->devices == 0)
        rc = CUDA_ERROR_NO_DEVICE;
    if (!rc)
        state.initialised = true;
    return api_leave(rc);
}

CUresult cuDriverGetVersion(int *version)
{
    CUresult rc = api_enter("cuDriverGetVersion", NEEDS_NOTHING);
    if (!rc)
        *version = (int)config()->driver;
    return api_leave(rc);
}

static const struct {
    CUresult code;
    const char *name;
} constants[] = {
/* clang-format off */
#define CONSTANT(name, value) {value, #name},
/* clang-format on */
#include "cuda_constants.h"
#undef CONSTANT
};

/* Errors come first in the list of constants. */
CUresult cuGetErrorName(CUresult error, const char **text)
{
    for (size_t i = 0; i < sizeof constants / sizeof *constants; i++)
        if (constants[i].code == error && !strncmp(constants[i].name, "CUDA_", 5)) {
            *text = constants[i].name;
            return CUDA_SUCCESS;
        }
    *text = NULL;
    return CUDA_ERROR_INVALID_VALUE;
}

CUresult cuGetErrorString(CUresult error, const char **text)
{
    return cuGetErrorName(error, text);
}

/* NVRTC and the CUDA runtime ask for undocumented tables and give up politely when there are none. */
CUresult cuGetExportTable(const void **table, const CUuuid *id)
{
    (void)id;
    *table = NULL;
    return CUDA_ERROR_NOT_FOUND;
}

/* ---- the device: figures of a large recent card ---- */

CUresult cuDeviceGetCount(int *count)
{
    CUresult rc = api_enter("cuDeviceGetCount", NEEDS_INIT);
    if (!rc)
        *count = (int)config()->devices;
    return api_leave(rc);
}

CUresult cuDeviceGet(CUdevice *device, int ordinal)
{
    CUresult rc = api_enter("cuDeviceGet", NEEDS_INIT);
    if (!rc && (ordinal < 0 || ordinal >= (int)config()->devices))
        rc = CUDA_ERROR_INVALID_DEVICE;
    if (!rc)
        *device = ordinal;
    return api_leave(rc);
}

static CUresult device_text(const char *function, char *text, int bytes, CUdevice device, const char *value)
{
    CUresult rc = api_enter(function, NEEDS_INIT);
    if (!rc && device != 0)
        rc = CUDA_ERROR_INVALID_DEVICE;
    if (!rc && (!text || bytes <= 0))
        rc = CUDA_ERROR_INVALID_VALUE;
    if (!rc)
        snprintf(text, (size_t)bytes, "%s", value);
    return api_leave(rc);
}

CUresult cuDeviceGetName(char *name, int bytes, CUdevice device)
{
    return device_text("cuDeviceGetName", name, bytes, device, "Simulated CUDA device");
}

CUresult cuDeviceGetPCIBusId(char *text, int bytes, CUdevice device)
{
    return device_text("cuDeviceGetPCIBusId", text, bytes, device, "0000:00:00.0");
}

CUresult cuDeviceTotalMem_v2(size_t *bytes, CUdevice device)
{
    CUresult rc = api_enter("cuDeviceTotalMem_v2", NEEDS_INIT);
    if (!rc && device != 0)
        rc = CUDA_ERROR_INVALID_DEVICE;
    if (!rc)
        *bytes = memory_total();
    return api_leave(rc);
}

unsigned device_shared_optin(void)
{
    switch (config()->capability) {
    case 75:
        return 64 << 10;
    case 80:
    case 87:
        return 163 << 10;
    case 86:
    case 89:
    case 120:
    case 121:
        return 99 << 10;
    default:
        return 227 << 10;
    }
}

unsigned device_shared_total(void)
{
    return device_shared_optin() + (config()->capability == 75 ? 0 : 1 << 10);
}

CUresult cuDeviceGetAttribute(int *value, CUdevice_attribute attribute, CUdevice device)
{
    const struct {
        CUdevice_attribute attribute;
        int value;
    } known[] = {
        {CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_BLOCK, MAX_THREADS_PER_BLOCK},
        {CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_X, 1024},
        {CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_Y, 1024},
        {CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_Z, 64},
        {CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_X, 2147483647},
        {CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_Y, 65535},
        {CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_Z, 65535},
        {CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK, SHARED_DEFAULT},
        {CU_DEVICE_ATTRIBUTE_TOTAL_CONSTANT_MEMORY, 65536},
        {CU_DEVICE_ATTRIBUTE_WARP_SIZE, WARP_SIZE},
        {CU_DEVICE_ATTRIBUTE_MAX_REGISTERS_PER_BLOCK, REGISTERS_PER_BLOCK},
        {CU_DEVICE_ATTRIBUTE_CLOCK_RATE, 1500000},
        {CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT, 132},
        {CU_DEVICE_ATTRIBUTE_INTEGRATED, config()->integrated},
        {CU_DEVICE_ATTRIBUTE_COMPUTE_MODE, 0},
        {CU_DEVICE_ATTRIBUTE_L2_CACHE_SIZE, 50 << 20},
        {CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_MULTIPROCESSOR, config()->capability == 75 ? 1024 : 2048},
        {CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, (int)config()->capability / 10},
        {CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR, (int)config()->capability % 10},
        {CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_MULTIPROCESSOR, (int)device_shared_total()},
        {CU_DEVICE_ATTRIBUTE_MAX_REGISTERS_PER_MULTIPROCESSOR, 65536},
        {CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN, (int)device_shared_optin()},
        {CU_DEVICE_ATTRIBUTE_MAX_BLOCKS_PER_MULTIPROCESSOR, 32},
        {CU_DEVICE_ATTRIBUTE_RESERVED_SHARED_MEMORY_PER_BLOCK, config()->capability == 75 ? 0 : 1024},
    };
    CUresult rc = api_enter("cuDeviceGetAttribute", NEEDS_INIT);
    if (!rc && device != 0)
        rc = CUDA_ERROR_INVALID_DEVICE;
    if (!rc) {
        rc = CUDA_ERROR_INVALID_VALUE;
        for (size_t i = 0; i < sizeof known / sizeof *known; i++)
            if (known[i].attribute == attribute) {
                *value = known[i].value;
                rc = CUDA_SUCCESS;
            }
    }
    return api_leave(rc);
}

/* ---- the context ---- */

CUresult cuDevicePrimaryCtxRetain(CUcontext *context, CUdevice device)
{
    CUresult rc = api_enter("cuDevicePrimaryCtxRetain", NEEDS_INIT);
    if (!rc && device != 0)
        rc = CUDA_ERROR_INVALID_DEVICE;
    if (!rc && state.retained == 0 && !memory_charge(config()->reserve))
        rc = CUDA_ERROR_OUT_OF_MEMORY;
    if (!rc) {
        state.retained++;
        *context = (CUcontext)&primary;
    }
    return api_leave(rc);
}

/* The last release destroys the context with everything in it that was given back; what was not is a leak. */
CUresult cuDevicePrimaryCtxRelease_v2(CUdevice device)
{
    CUresult rc = api_enter("cuDevicePrimaryCtxRelease_v2", NEEDS_INIT);
    if (!rc && device != 0)
        rc = CUDA_ERROR_INVALID_DEVICE;
    if (!rc && state.retained == 0)
        rc = CUDA_ERROR_INVALID_CONTEXT;
    if (!rc && --state.retained == 0) {
        drain_all();
        memory_discharge(config()->reserve + state.lazy);
        state.lazy = 0;
        state.sticky = CUDA_SUCCESS;
    }
    return api_leave(rc);
}

CUresult cuDevicePrimaryCtxSetFlags_v2(CUdevice device, unsigned flags)
{
    CUresult rc = api_enter("cuDevicePrimaryCtxSetFlags_v2", NEEDS_INIT);
    (void)flags;
    if (!rc && device != 0)
        rc = CUDA_ERROR_INVALID_DEVICE;
    return api_leave(rc);
}

CUresult cuDevicePrimaryCtxGetState(CUdevice device, unsigned *flags, int *active)
{
    CUresult rc = api_enter("cuDevicePrimaryCtxGetState", NEEDS_INIT);
    if (!rc && device != 0)
        rc = CUDA_ERROR_INVALID_DEVICE;
    if (!rc) {
        *flags = 0;
        *active = state.retained != 0;
    }
    return api_leave(rc);
}

CUresult cuCtxSetCurrent(CUcontext context)
{
    CUresult rc = api_enter("cuCtxSetCurrent", NEEDS_INIT);
    if (!rc && context && context != (CUcontext)&primary)
        rc = CUDA_ERROR_INVALID_CONTEXT;
    if (!rc)
        current = context;
    return api_leave(rc);
}

CUresult cuCtxGetCurrent(CUcontext *context)
{
    CUresult rc = api_enter("cuCtxGetCurrent", NEEDS_INIT);
    if (!rc)
        *context = current;
    return api_leave(rc);
}

CUresult cuCtxGetDevice(CUdevice *device)
{
    CUresult rc = api_enter("cuCtxGetDevice", NEEDS_CONTEXT);
    if (!rc)
        *device = 0;
    return api_leave(rc);
}

CUresult cuCtxSynchronize(void)
{
    CUresult rc = api_enter("cuCtxSynchronize", NEEDS_CONTEXT);
    if (!rc)
        rc = refuse_unsafe_in_capture();
    if (!rc)
        rc = drain_all();
    return api_leave(rc);
}
