#include "cuda_products.h"

#include "device/device_error.h"

#include <stdlib.h>
#include <string.h>

static bool done(const struct cuda *c, const char *call, cublasStatus_t status, struct device_error *e)
{
    return !status || device_fail(e, status == CUBLAS_STATUS_ALLOC_FAILED ? 3 : 5, "%s failed: %s", call,
                                  c->cublasGetStatusString(status));
}
#define CUBLAS_CALL(c, e, symbol, ...) done(c, #symbol, (c)->symbol(__VA_ARGS__), e)

bool cuda_products_open(struct cuda_products *l, struct cuda *c, enum precision precision, struct device_error *e)
{
    static const cublasComputeType_t compute[PRECISION_COUNT] = {CUBLAS_COMPUTE_32F, CUBLAS_COMPUTE_32F_FAST_TF32,
                                                                 CUBLAS_COMPUTE_32F_FAST_16BF};
    const char *wanted = getenv("NETRUN_CUBLAS");
    *l = (struct cuda_products){.compute = compute[precision]};
    if (wanted && !strcmp(wanted, "0"))
        return device_fail(e, 5, "NETRUN_CUBLAS=0");
    if (!cuda_open(c, CUBLAS))
        return device_fail(e, 5, "libcublas is not found (netrun --devices says where it was looked for)");
    if (CUBLAS_CALL(c, e, cublasCreate_v2, &l->handle))
        return true;
    l->handle = NULL;
    return false;
}

void cuda_products_close(struct cuda_products *l, const struct cuda *c)
{
    if (l->handle)
        c->cublasDestroy_v2(l->handle);
    l->handle = NULL;
}

bool cuda_products_stream(const struct cuda_products *l, const struct cuda *c, CUstream stream, struct device_error *e)
{
    return CUBLAS_CALL(c, e, cublasSetStream_v2, l->handle, stream);
}

bool cuda_products_workspace(const struct cuda_products *l, const struct cuda *c, CUdeviceptr workspace, int64_t bytes,
                             struct device_error *e)
{
    return CUBLAS_CALL(c, e, cublasSetWorkspace_v2, l->handle, (void *)(uintptr_t)workspace, (size_t)bytes);
}

/* cuBLAS's matrices lie column by column, so it is given the transposed product: c' = b' a'. */
bool cuda_products_multiply(const struct cuda_products *l, const struct cuda *c, const struct cuda_product *p,
                            struct device_error *e)
{
    const float one = 1, zero = 0;
    const void *a = (const void *)(uintptr_t)p->a, *b = (const void *)(uintptr_t)p->b;
    return CUBLAS_CALL(c, e, cublasGemmEx, l->handle, CUBLAS_OP_N, p->transposed ? CUBLAS_OP_T : CUBLAS_OP_N, p->n,
                       p->m, p->k, &one, b, CUDA_R_32F, p->step_b, a, CUDA_R_32F, p->step_a, &zero,
                       (void *)(uintptr_t)p->c, CUDA_R_32F, p->step_c, l->compute, CUBLAS_GEMM_DEFAULT);
}
