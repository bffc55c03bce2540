/* Loading PTX, and what can be asked about it. */
#include "module.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "state.h"

enum { JIT_ERROR_LOG_BUFFER = 5, JIT_ERROR_LOG_BYTES = 6 };

static void unload(struct CUmod_st *m)
{
    for (uint32_t i = 0; m->ptx && m->variables && i < m->ptx->variable_count; i++)
        if (m->variables[i])
            memory_free(m->variables[i]);
    if (m->charged)
        memory_discharge(m->charged);
    ptx_free(m->ptx);
    free(m->functions);
    free(m->variables);
    free(m);
}

/* Module variables get their initial values; the module's code and variables are charged to the device. */
static CUresult place(struct CUmod_st *m, size_t image_bytes)
{
    const struct ptx_module *ptx = m->ptx;
    uint64_t bytes = image_bytes;
    for (uint32_t i = 0; i < ptx->variable_count; i++)
        bytes += ptx->variables[i].bytes;
    bytes = (bytes + config()->granule - 1) & ~(config()->granule - 1);
    m->functions = calloc(ptx->function_count + 1, sizeof *m->functions);
    m->variables = calloc(ptx->variable_count + 1, sizeof *m->variables);
    if (!m->functions || !m->variables || !memory_charge(bytes))
        return CUDA_ERROR_OUT_OF_MEMORY;
    m->charged = bytes;
    for (uint32_t i = 0; i < ptx->function_count; i++) {
        const uint32_t fixed = ptx->functions[i].static_shared;
        m->functions[i] = (struct CUfunc_st){&ptx->functions[i], fixed < SHARED_DEFAULT ? SHARED_DEFAULT - fixed : 0};
    }
    for (uint32_t i = 0; i < ptx->variable_count; i++) {
        const struct ptx_variable *v = &ptx->variables[i];
        m->variables[i] =
            memory_allocate_at(v->address, v->bytes, v->constant ? MEMORY_CONSTANT : MEMORY_VARIABLE, v->name);
        if (!m->variables[i])
            return CUDA_ERROR_OUT_OF_MEMORY;
        memcpy(m->variables[i]->host, v->initial, v->bytes);
        memory_mark_initialised(v->address, v->bytes);
    }
    return CUDA_SUCCESS;
}

static CUresult load(struct CUmod_st **module, const void *image, char message[MESSAGE_BYTES])
{
    static const unsigned char elf[4] = {0x7f, 'E', 'L', 'F'}, fatbin[4] = {0x50, 0xed, 0x55, 0xba};
    if (!memcmp(image, elf, 4) || !memcmp(image, fatbin, 4)) {
        snprintf(message, MESSAGE_BYTES, "the simulator executes PTX, this is a binary for a real device");
        return CUDA_ERROR_NO_BINARY_FOR_GPU;
    }
    struct CUmod_st *m = calloc(1, sizeof *m);
    if (!m)
        return CUDA_ERROR_OUT_OF_MEMORY;
    m->ptx = ptx_parse(image, memory_next_address(), message);
    CUresult rc = m->ptx ? CUDA_SUCCESS : CUDA_ERROR_INVALID_PTX;
    if (!rc && m->ptx->target > config()->capability) {
        snprintf(message, MESSAGE_BYTES, "PTX for sm_%u on a device of sm_%u (SIM_CC)", m->ptx->target,
                 config()->capability);
        rc = CUDA_ERROR_INVALID_PTX;
    }
    if (!rc)
        rc = place(m, strlen(image) + 1);
    if (rc)
        unload(m);
    else
        *module = m;
    return rc;
}

/* The size that came in is replaced by the bytes written, as by the real driver: whoever passes `values` twice has none left. */
static void fill_log(unsigned count, const CUjit_option *options, void **values, const char *message)
{
    char *buffer = NULL;
    void **bytes = NULL;
    for (unsigned i = 0; i < count; i++)
        if (options[i] == JIT_ERROR_LOG_BUFFER)
            buffer = values[i];
        else if (options[i] == JIT_ERROR_LOG_BYTES)
            bytes = &values[i];
    if (!buffer || !bytes)
        return;
    const size_t room = (size_t)(uintptr_t)*bytes;
    if (room)
        snprintf(buffer, room, "%s", message);
    *bytes = (void *)(uintptr_t)(room && strlen(message) >= room ? room - 1 : room ? strlen(message) : 0);
}

static CUresult load_module(const char *name, CUmodule *module, const void *image, unsigned count,
                            const CUjit_option *options, void **values)
{
    char message[MESSAGE_BYTES] = "";
    CUresult rc = api_enter(name, NEEDS_CONTEXT);
    if (!rc && (!image || !module))
        rc = CUDA_ERROR_INVALID_VALUE;
    if (!rc)
        rc = refuse_unsafe_in_capture();
    if (!rc) {
        rc = load(module, image, message);
        fill_log(count, options, values, message);
        if (!rc)
            object_add(&(*module)->object, OBJECT_MODULE);
        if (*message) {
            snprintf(state.report, sizeof state.report, "module refused: %s", message);
            fprintf(stderr, "cudasim: %s\n", state.report);
        }
    }
    return api_leave(rc);
}

CUresult cuModuleLoadData(CUmodule *module, const void *image)
{
    return load_module("cuModuleLoadData", module, image, 0, NULL, NULL);
}

CUresult cuModuleLoadDataEx(CUmodule *module, const void *image, unsigned count, CUjit_option *options, void **values)
{
    return load_module("cuModuleLoadDataEx", module, image, count, options, values);
}

CUresult cuModuleUnload(CUmodule module)
{
    CUresult rc = api_enter("cuModuleUnload", NEEDS_CONTEXT);
    if (!rc && !object_valid(module, OBJECT_MODULE))
        rc = CUDA_ERROR_INVALID_HANDLE;
    if (!rc) {
        drain_all();
        object_remove(&module->object);
        unload(module);
    }
    return api_leave(rc);
}

CUresult cuModuleGetFunction(CUfunction *function, CUmodule module, const char *name)
{
    CUresult rc = api_enter("cuModuleGetFunction", NEEDS_CONTEXT);
    if (!rc && !object_valid(module, OBJECT_MODULE))
        rc = CUDA_ERROR_INVALID_HANDLE;
    if (!rc) {
        rc = CUDA_ERROR_NOT_FOUND;
        for (uint32_t i = 0; i < module->ptx->function_count; i++)
            if (!strcmp(module->ptx->functions[i].name, name)) {
                *function = &module->functions[i];
                rc = CUDA_SUCCESS;
            }
    }
    return api_leave(rc);
}

CUresult cuModuleGetGlobal_v2(CUdeviceptr *address, size_t *bytes, CUmodule module, const char *name)
{
    CUresult rc = api_enter("cuModuleGetGlobal_v2", NEEDS_CONTEXT);
    if (!rc && !object_valid(module, OBJECT_MODULE))
        rc = CUDA_ERROR_INVALID_HANDLE;
    if (!rc) {
        rc = CUDA_ERROR_NOT_FOUND;
        for (uint32_t i = 0; i < module->ptx->variable_count; i++) {
            const struct ptx_variable *v = &module->ptx->variables[i];
            if (strcmp(v->name, name))
                continue;
            if (address)
                *address = v->address;
            if (bytes)
                *bytes = v->bytes;
            rc = CUDA_SUCCESS;
        }
    }
    return api_leave(rc);
}

/* ---- functions ---- */

bool function_valid(CUfunction function)
{
    for (const struct object *o = object_first(); o; o = o->next) {
        const struct CUmod_st *m = (const struct CUmod_st *)o;
        if (o->kind == OBJECT_MODULE && function >= m->functions && function < m->functions + m->ptx->function_count)
            return true;
    }
    return false;
}

unsigned function_max_threads(const struct CUfunc_st *function)
{
    const uint32_t stated = function->ptx->max_threads;
    return stated && stated < MAX_THREADS_PER_BLOCK ? stated : MAX_THREADS_PER_BLOCK;
}

CUresult cuFuncGetAttribute(int *value, CUfunction_attribute attribute, CUfunction function)
{
    CUresult rc = api_enter("cuFuncGetAttribute", NEEDS_CONTEXT);
    if (!rc && !function_valid(function))
        rc = CUDA_ERROR_INVALID_HANDLE;
    if (!rc)
        switch (attribute) {
        case CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK:
            *value = (int)function_max_threads(function);
            break;
        case CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES:
            *value = (int)function->ptx->static_shared;
            break;
        case CU_FUNC_ATTRIBUTE_CONST_SIZE_BYTES:
            *value = 0;
            break;
        case CU_FUNC_ATTRIBUTE_LOCAL_SIZE_BYTES:
            *value = (int)function->ptx->local_bytes;
            break;
        case CU_FUNC_ATTRIBUTE_NUM_REGS:
            *value = (int)function->ptx->register_count;
            break;
        case CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES:
            *value = (int)function->dynamic_limit;
            break;
        default:
            rc = CUDA_ERROR_INVALID_VALUE;
        }
    return api_leave(rc);
}

CUresult cuFuncSetAttribute(CUfunction function, CUfunction_attribute attribute, int value)
{
    CUresult rc = api_enter("cuFuncSetAttribute", NEEDS_CONTEXT);
    if (!rc && !function_valid(function))
        rc = CUDA_ERROR_INVALID_HANDLE;
    if (!rc && attribute == CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES) {
        if (value < 0 || (unsigned)value + function->ptx->static_shared > device_shared_optin())
            rc = CUDA_ERROR_INVALID_VALUE;
        else
            function->dynamic_limit = (uint32_t)value;
    } else if (!rc && attribute != CU_FUNC_ATTRIBUTE_PREFERRED_SHARED_MEMORY_CARVEOUT) {
        rc = CUDA_ERROR_INVALID_VALUE;
    }
    return api_leave(rc);
}

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

CUresult cuOccupancyMaxActiveBlocksPerMultiprocessor(int *blocks, CUfunction function, int threads, size_t shared)
{
    CUresult rc = api_enter("cuOccupancyMaxActiveBlocksPerMultiprocessor", NEEDS_CONTEXT);
    if (!rc && !function_valid(function))
        rc = CUDA_ERROR_INVALID_HANDLE;
    if (!rc && (threads <= 0 || shared > device_shared_optin()))
        rc = CUDA_ERROR_INVALID_VALUE;
    if (!rc) {
        const unsigned rounded = ((unsigned)threads + WARP_SIZE - 1) / WARP_SIZE * WARP_SIZE;
        const unsigned bytes = (unsigned)shared + function->ptx->static_shared + 1024;
        unsigned count = least(32, 2048 / rounded);
        count = least(count, device_shared_total() / bytes);
        count = least(count, REGISTERS_PER_BLOCK / (rounded * function->ptx->register_count));
        *blocks = (unsigned)threads > function_max_threads(function) ? 0 : (int)count;
    }
    return api_leave(rc);
}
