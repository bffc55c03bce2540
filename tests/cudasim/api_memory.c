/* Device and pinned host memory; copies and fills as stream operations. Host buffers are read and written when the
 * operation runs, but for synchronous copies from pageable memory. Of the calls without a stream only copies that the
 * host can see the end of wait for it: to host memory, and from pinned memory. (API synchronization behavior, CUDA Driver
 * API: a copy from pageable memory returns once that memory has been read; copies on the device and fills may return
 * before they are done.) They are in the legacy default stream, for which no CU_STREAM_NON_BLOCKING stream waits. */
#include <stdlib.h>
#include <string.h>

#include "state.h"

enum direction { TO_DEVICE, TO_HOST, ON_DEVICE };

struct copy {
    enum direction direction;
    uint64_t to, from; /* device addresses */
    void *host;
    size_t bytes;
};

struct fill {
    uint64_t to;
    uint32_t value;
    unsigned width;
    size_t count;
};

CUresult cuMemGetInfo_v2(size_t *free_bytes, size_t *total_bytes)
{
    CUresult rc = api_enter("cuMemGetInfo_v2", NEEDS_CONTEXT);
    if (!rc) {
        *total_bytes = memory_total();
        *free_bytes = memory_total() - memory_used();
    }
    return api_leave(rc);
}

CUresult cuMemAlloc_v2(CUdeviceptr *address, size_t bytes)
{
    CUresult rc = api_enter("cuMemAlloc_v2", NEEDS_CONTEXT);
    if (!rc && (bytes == 0 || !address))
        rc = CUDA_ERROR_INVALID_VALUE;
    if (!rc)
        rc = refuse_unsafe_in_capture();
    const struct allocation *a = rc ? NULL : memory_allocate(bytes, MEMORY_BUFFER);
    if (!rc && !a)
        rc = CUDA_ERROR_OUT_OF_MEMORY;
    if (!rc)
        *address = a->base;
    return api_leave(rc);
}

/* Waits for all that runs, as the real call does. */
CUresult cuMemFree_v2(CUdeviceptr address)
{
    CUresult rc = api_enter("cuMemFree_v2", NEEDS_CONTEXT);
    if (!rc && address) {
        struct allocation *a = memory_find(address);
        if (!a || !a->host || a->base != address || a->kind != MEMORY_BUFFER)
            rc = CUDA_ERROR_INVALID_VALUE;
        else if (!(rc = refuse_unsafe_in_capture())) {
            drain_all();
            memory_free(a);
        }
    }
    return api_leave(rc);
}

CUresult cuMemGetAddressRange_v2(CUdeviceptr *base, size_t *bytes, CUdeviceptr address)
{
    CUresult rc = api_enter("cuMemGetAddressRange_v2", NEEDS_CONTEXT);
    const struct allocation *a = memory_range(address, 1);
    if (!rc && !a)
        rc = CUDA_ERROR_NOT_FOUND;
    if (!rc) {
        if (base)
            *base = a->base;
        if (bytes)
            *bytes = a->bytes;
    }
    return api_leave(rc);
}

/* ---- host memory ---- */

struct pinned {
    struct object object;
    void *pointer;
    size_t bytes;
    bool registered; /* by the user, who owns it */
};

/* Whether a copy from there is one transfer by the device. */
static bool is_pinned(const void *pointer)
{
    for (struct object *o = object_first(); o; o = o->next) {
        const struct pinned *p = (const struct pinned *)o;
        if (o->kind == OBJECT_HOST && (uintptr_t)pointer - (uintptr_t)p->pointer < p->bytes)
            return true;
    }
    return false;
}

static struct pinned *find_pinned(const void *pointer, bool registered)
{
    for (struct object *o = object_first(); o; o = o->next) {
        struct pinned *p = (struct pinned *)o;
        if (o->kind == OBJECT_HOST && p->pointer == pointer && p->registered == registered)
            return p;
    }
    return NULL;
}

static CUresult pin(const char *name, void **pointer, size_t bytes)
{
    CUresult rc = api_enter(name, NEEDS_CONTEXT);
    if (!rc && (bytes == 0 || !pointer))
        rc = CUDA_ERROR_INVALID_VALUE;
    if (!rc) {
        struct pinned *p = calloc(1, sizeof *p);
        void *memory = p ? aligned_alloc(4096, (bytes + 4095) / 4096 * 4096) : NULL;
        if (!memory) {
            free(p);
            rc = CUDA_ERROR_OUT_OF_MEMORY;
        } else {
            p->pointer = *pointer = memory;
            p->bytes = bytes;
            object_add(&p->object, OBJECT_HOST);
        }
    }
    return api_leave(rc);
}

CUresult cuMemHostAlloc(void **pointer, size_t bytes, unsigned flags)
{
    (void)flags;
    return pin("cuMemHostAlloc", pointer, bytes);
}

CUresult cuMemAllocHost_v2(void **pointer, size_t bytes)
{
    return pin("cuMemAllocHost_v2", pointer, bytes);
}

CUresult cuMemFreeHost(void *pointer)
{
    CUresult rc = api_enter("cuMemFreeHost", NEEDS_CONTEXT);
    struct pinned *p = find_pinned(pointer, false);
    if (!rc && !p)
        rc = CUDA_ERROR_INVALID_VALUE;
    if (!rc) {
        drain_all();
        object_remove(&p->object);
        free(p->pointer);
        free(p);
    }
    return api_leave(rc);
}

CUresult cuMemHostRegister_v2(void *pointer, size_t bytes, unsigned flags)
{
    CUresult rc = api_enter("cuMemHostRegister_v2", NEEDS_CONTEXT);
    (void)flags;
    if (!rc && (!pointer || bytes == 0))
        rc = CUDA_ERROR_INVALID_VALUE;
    if (!rc && find_pinned(pointer, true))
        rc = CUDA_ERROR_HOST_MEMORY_ALREADY_REGISTERED;
    struct pinned *p = rc ? NULL : calloc(1, sizeof *p);
    if (!rc && !p)
        rc = CUDA_ERROR_OUT_OF_MEMORY;
    if (!rc) {
        p->pointer = pointer;
        p->bytes = bytes;
        p->registered = true;
        object_add(&p->object, OBJECT_HOST);
    }
    return api_leave(rc);
}

CUresult cuMemHostUnregister(void *pointer)
{
    CUresult rc = api_enter("cuMemHostUnregister", NEEDS_CONTEXT);
    struct pinned *p = find_pinned(pointer, true);
    if (!rc && !p)
        rc = CUDA_ERROR_HOST_MEMORY_NOT_REGISTERED;
    if (!rc) {
        drain_all();
        object_remove(&p->object);
        free(p);
    }
    return api_leave(rc);
}

/* ---- copies ---- */

static uint8_t *real(uint64_t address, size_t bytes)
{
    const struct allocation *a = memory_range(address, bytes);
    return a ? a->host + (address - a->base) : NULL;
}

static CUresult run_copy(struct op *op)
{
    const struct copy *c = (const struct copy *)op->data;
    void *to = c->direction == TO_HOST ? c->host : real(c->to, c->bytes);
    const void *from = c->direction == TO_DEVICE ? c->host : real(c->from, c->bytes);
    if (!to || !from) {
        set_sticky(CUDA_ERROR_ILLEGAL_ADDRESS, "a copy runs on device memory that was freed after it was queued");
        return CUDA_ERROR_ILLEGAL_ADDRESS;
    }
    memmove(to, from, c->bytes);
    if (c->direction == TO_DEVICE) {
        memory_mark_initialised(c->to, c->bytes);
    } else if (c->direction == ON_DEVICE) {
        const struct allocation *source = memory_range(c->from, c->bytes), *target = memory_range(c->to, c->bytes);
        if (source->initialised)
            memmove(target->initialised + (c->to - target->base), source->initialised + (c->from - source->base),
                    c->bytes);
    }
    return CUDA_SUCCESS;
}

static bool is_device_address(const void *pointer)
{
    return (uint64_t)(uintptr_t)pointer - GLOBAL_BASE < GLOBAL_END - GLOBAL_BASE;
}

static CUresult copy(const char *name, struct copy c, CUstream stream, bool wait)
{
    CUresult rc = api_enter(name, NEEDS_CONTEXT);
    const bool valid = (c.direction == TO_HOST || real(c.to, c.bytes)) &&
                       (c.direction == TO_DEVICE || real(c.from, c.bytes)) &&
                       (c.direction == ON_DEVICE || (c.host && !is_device_address(c.host)));
    if (!rc && wait && !(rc = refuse_in_capture(NULL)))
        rc = refuse_unsafe_in_capture();
    if (!rc && c.bytes && !valid)
        rc = CUDA_ERROR_INVALID_VALUE;
    if (!rc && c.bytes) {
        const bool staged = wait && c.direction == TO_DEVICE && !is_pinned(c.host);
        struct op *op = op_new(run_copy, sizeof c + (staged ? c.bytes : 0));
        if (op && staged)
            c.host = memcpy(op->data + sizeof c, c.host, c.bytes);
        if (op)
            memcpy(op->data, &c, sizeof c);
        rc = stream_enqueue(stream, op);
        if (!rc && wait && !staged && c.direction != ON_DEVICE)
            rc = stream_drain(stream_of(NULL));
    }
    return api_leave(rc);
}

CUresult cuMemcpyHtoD_v2(CUdeviceptr to, const void *from, size_t bytes)
{
    return copy("cuMemcpyHtoD_v2", (struct copy){TO_DEVICE, to, 0, (void *)from, bytes}, NULL, true);
}

CUresult cuMemcpyDtoH_v2(void *to, CUdeviceptr from, size_t bytes)
{
    return copy("cuMemcpyDtoH_v2", (struct copy){TO_HOST, 0, from, to, bytes}, NULL, true);
}

CUresult cuMemcpyDtoD_v2(CUdeviceptr to, CUdeviceptr from, size_t bytes)
{
    return copy("cuMemcpyDtoD_v2", (struct copy){ON_DEVICE, to, from, NULL, bytes}, NULL, true);
}

CUresult cuMemcpyHtoDAsync_v2(CUdeviceptr to, const void *from, size_t bytes, CUstream stream)
{
    return copy("cuMemcpyHtoDAsync_v2", (struct copy){TO_DEVICE, to, 0, (void *)from, bytes}, stream, false);
}

CUresult cuMemcpyDtoHAsync_v2(void *to, CUdeviceptr from, size_t bytes, CUstream stream)
{
    return copy("cuMemcpyDtoHAsync_v2", (struct copy){TO_HOST, 0, from, to, bytes}, stream, false);
}

CUresult cuMemcpyDtoDAsync_v2(CUdeviceptr to, CUdeviceptr from, size_t bytes, CUstream stream)
{
    return copy("cuMemcpyDtoDAsync_v2", (struct copy){ON_DEVICE, to, from, NULL, bytes}, stream, false);
}

/* ---- fills ---- */

static CUresult run_fill(struct op *op)
{
    const struct fill *f = (const struct fill *)op->data;
    uint8_t *to = real(f->to, f->count * f->width);
    if (!to) {
        set_sticky(CUDA_ERROR_ILLEGAL_ADDRESS, "a fill runs on device memory that was freed after it was queued");
        return CUDA_ERROR_ILLEGAL_ADDRESS;
    }
    if (f->width == 1)
        memset(to, (int)f->value, f->count);
    for (size_t i = 0; i < f->count && f->width == 4; i++)
        memcpy(to + 4 * i, &f->value, 4);
    memory_mark_initialised(f->to, f->count * f->width);
    return CUDA_SUCCESS;
}

static CUresult fill(const char *name, struct fill f, CUstream stream, bool wait)
{
    CUresult rc = api_enter(name, NEEDS_CONTEXT);
    size_t bytes;
    if (!rc && wait)
        rc = refuse_unsafe_in_capture();
    if (!rc && (__builtin_mul_overflow(f.count, f.width, &bytes) || f.to % f.width || !real(f.to, bytes)))
        rc = CUDA_ERROR_INVALID_VALUE;
    if (!rc) {
        struct op *op = op_new(run_fill, sizeof f);
        if (op)
            memcpy(op->data, &f, sizeof f);
        rc = stream_enqueue(stream, op);
    }
    return api_leave(rc);
}

CUresult cuMemsetD8_v2(CUdeviceptr to, unsigned char value, size_t count)
{
    return fill("cuMemsetD8_v2", (struct fill){to, value, 1, count}, NULL, true);
}

CUresult cuMemsetD32_v2(CUdeviceptr to, unsigned value, size_t count)
{
    return fill("cuMemsetD32_v2", (struct fill){to, value, 4, count}, NULL, true);
}

CUresult cuMemsetD8Async(CUdeviceptr to, unsigned char value, size_t count, CUstream stream)
{
    return fill("cuMemsetD8Async", (struct fill){to, value, 1, count}, stream, false);
}

CUresult cuMemsetD32Async(CUdeviceptr to, unsigned value, size_t count, CUstream stream)
{
    return fill("cuMemsetD32Async", (struct fill){to, value, 4, count}, stream, false);
}
