/* Kernel launches and host functions as stream operations. */
#include <stdio.h>
#include <string.h>

#include "config.h"
#include "module.h"
#include "state.h"

static void add_counters(const struct prof_counters *c)
{
    struct prof_counters *sum = &state.counters;
    sum->warp_instructions += c->warp_instructions;
    sum->lane_instructions += c->lane_instructions;
    sum->global_requests += c->global_requests;
    sum->global_sectors += c->global_sectors;
    sum->global_ideal += c->global_ideal;
    sum->shared_requests += c->shared_requests;
    sum->shared_wavefronts += c->shared_wavefronts;
}

/* The data are a struct launch, and behind it the parameters. */
static CUresult run_kernel(struct op *op)
{
    struct launch *launch = (struct launch *)op->data;
    struct fault fault;
    struct prof_counters counters;
    launch->params = op->data + sizeof *launch;
    launch->number = (uint32_t)++state.launches;
    exec_launch(launch, &fault, &counters);
    add_counters(&counters);
    if (launch->profile)
        prof_add(launch->function->name, &counters);
    if (fault.kind != FAULT_NONE)
        set_sticky((CUresult)fault.kind, fault.text);
    return (CUresult)fault.kind;
}

static CUresult check_shape(const struct CUfunc_st *f, const struct launch *l, uint64_t threads)
{
    for (int i = 0; i < 3; i++) {
        const uint32_t grid_limit = i == 0 ? 2147483647u : 65535u, block_limit = i == 2 ? 64u : 1024u;
        if (l->grid[i] == 0 || l->block[i] == 0 || l->grid[i] > grid_limit || l->block[i] > block_limit)
            return CUDA_ERROR_INVALID_VALUE;
    }
    if (threads > MAX_THREADS_PER_BLOCK || l->dynamic_shared > f->dynamic_limit)
        return CUDA_ERROR_INVALID_VALUE;
    return threads > function_max_threads(f) ? CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES : CUDA_SUCCESS;
}

static CUresult pack(uint8_t *to, const struct ptx_function *f, void **params)
{
    for (uint32_t i = 0; i < f->param_count; i++) {
        if (!params || !params[i])
            return CUDA_ERROR_INVALID_VALUE;
        memcpy(to + f->params[i].offset, params[i], f->params[i].bytes);
    }
    return CUDA_SUCCESS;
}

/* What a driver takes without being asked once there is a kernel to run. */
static CUresult take_lazily(void)
{
    if (state.lazy == config()->lazy)
        return CUDA_SUCCESS;
    if (!memory_charge(config()->lazy))
        return CUDA_ERROR_OUT_OF_MEMORY;
    state.lazy = config()->lazy;
    return CUDA_SUCCESS;
}

CUresult cuLaunchKernel(CUfunction function, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x,
                        unsigned block_y, unsigned block_z, unsigned shared_bytes, CUstream stream, void **params,
                        void **extra)
{
    CUresult rc = api_enter("cuLaunchKernel", NEEDS_CONTEXT);
    if (!rc && !function_valid(function))
        rc = CUDA_ERROR_INVALID_HANDLE;
    if (!rc && extra) /* the packed form of parameters is not simulated */
        rc = CUDA_ERROR_INVALID_VALUE;
    if (rc)
        return api_leave(rc);
    const uint64_t threads = (uint64_t)block_x * block_y * block_z;
    const struct ptx_function *f = function->ptx;
    struct launch launch = {.function = f,
                            .grid = {grid_x, grid_y, grid_z},
                            .block = {block_x, block_y, block_z},
                            .threads = (uint32_t)threads,
                            .warps = (uint32_t)((threads + LANES - 1) / LANES),
                            .shared_bytes = f->static_shared + shared_bytes,
                            .dynamic_shared = shared_bytes,
                            .blocks = (uint64_t)grid_x * grid_y * grid_z,
                            .check = config()->check,
                            .profile = config()->profile,
                            .budget = config()->budget};
    rc = check_shape(function, &launch, threads);
    rc = rc ? rc : take_lazily();
    struct op *op = rc ? NULL : op_new(run_kernel, sizeof launch + f->param_bytes);
    if (!rc && !op)
        rc = CUDA_ERROR_OUT_OF_MEMORY;
    if (!rc) {
        memcpy(op->data, &launch, sizeof launch);
        rc = pack(op->data + sizeof launch, f, params);
        if (rc)
            op_release(op);
        else
            rc = stream_enqueue(stream, op);
    }
    return api_leave(rc);
}

/* ---- host functions ---- */

struct host_call {
    CUhostFn function;
    void *data;
};

static CUresult run_host(struct op *op)
{
    const struct host_call *call = (const struct host_call *)op->data;
    call->function(call->data);
    return CUDA_SUCCESS;
}

CUresult cuLaunchHostFunc(CUstream stream, CUhostFn function, void *data)
{
    CUresult rc = api_enter("cuLaunchHostFunc", NEEDS_CONTEXT);
    if (!rc && !function)
        rc = CUDA_ERROR_INVALID_VALUE;
    if (!rc) {
        struct op *op = op_new(run_host, sizeof(struct host_call));
        if (op)
            memcpy(op->data, &(struct host_call){function, data}, sizeof(struct host_call));
        rc = stream_enqueue(stream, op);
    }
    return api_leave(rc);
}

/* ---- for libraries ---- */

struct library_call {
    _Alignas(16) int (*function)(void *data); /* its data follow, aligned */
};

static CUresult run_library(struct op *op)
{
    const struct library_call *call = (const struct library_call *)op->data;
    return (CUresult)call->function(op->data + sizeof *call);
}

int simEnqueueHost(void *stream, int (*function)(void *data), const void *data, size_t bytes)
{
    driver_enter();
    CUresult rc = state.sticky;
    if (!rc) {
        struct op *op = op_new(run_library, sizeof(struct library_call) + bytes);
        if (op) {
            memcpy(op->data, &(struct library_call){function}, sizeof(struct library_call));
            memcpy(op->data + sizeof(struct library_call), data, bytes);
        }
        rc = stream_enqueue((CUstream)stream, op);
    }
    driver_leave();
    return (int)rc;
}

void *simReal(unsigned long long address, size_t bytes)
{
    driver_enter();
    const struct allocation *a = memory_range(address, bytes);
    void *real = a ? a->host + (address - a->base) : NULL;
    driver_leave();
    return real;
}

void simMarkInit(unsigned long long address, size_t bytes)
{
    driver_enter();
    memory_mark_initialised(address, bytes);
    driver_leave();
}

int simRequireInit(unsigned long long address, size_t bytes, const char *who)
{
    driver_enter();
    int rc = 0;
    const struct allocation *a = memory_range(address, bytes);
    for (size_t i = 0; a && a->initialised && i < bytes && !rc; i++)
        if (!a->initialised[address - a->base + i]) {
            char text[256];
            snprintf(text, sizeof text, "%s reads uninitialised memory: address 0x%llx, offset %llu of allocation %u",
                     who, address + i, address + i - a->base, a->number);
            set_sticky(CUDA_ERROR_LAUNCH_FAILED, text);
            rc = CUDA_ERROR_LAUNCH_FAILED;
        }
    driver_leave();
    return rc;
}

int simCharge(size_t bytes)
{
    driver_enter();
    const bool charged = memory_charge(bytes);
    driver_leave();
    return charged;
}

void simDischarge(size_t bytes)
{
    driver_enter();
    memory_discharge(bytes);
    driver_leave();
}
