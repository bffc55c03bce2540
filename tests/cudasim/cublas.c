/* A stand-in for cuBLAS: the few functions that the framework uses, run as operations of the simulated driver's
 * streams, so that deferred execution and stream capture cover them. */
#include "cublas_types.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "convert.h"
#include "sim.h"

/* What the library takes from the device by itself when it is given no workspace. */
enum { OWN_WORKSPACE = 4 << 20, VERSION = 130100, TILE = 64 };

struct cublasContext {
    void *stream;
    cublasMath_t math;
    cublasPointerMode_t pointers;
    size_t charged;
};

struct matrix {
    uint64_t address;
    int64_t ld, stride;
    cudaDataType type;
    bool transposed;
};

struct gemm {
    struct matrix a, b, c;
    int64_t m, n, k, batch;
    float alpha, beta;
    cublasComputeType_t compute;
};

/* Destroying works even when it is told to fail, as releases do in the driver. */
static cublasStatus_t injected(const char *name)
{
    const bool allocates = !strcmp(name, "cublasCreate_v2") || !strcmp(name, "cublasSetWorkspace_v2");
    return (cublasStatus_t)simInject(name, allocates ? CUBLAS_STATUS_ALLOC_FAILED : CUBLAS_STATUS_INTERNAL_ERROR);
}

cublasStatus_t cublasCreate_v2(cublasHandle_t *handle)
{
    const cublasStatus_t failure = injected("cublasCreate_v2");
    if (failure)
        return failure;
    struct cublasContext *h = calloc(1, sizeof *h);
    if (!h || !simCharge(OWN_WORKSPACE)) {
        free(h);
        return CUBLAS_STATUS_ALLOC_FAILED;
    }
    h->charged = OWN_WORKSPACE;
    simTrack("cuBLAS handles", 1);
    *handle = h;
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasDestroy_v2(cublasHandle_t handle)
{
    const cublasStatus_t failure = injected("cublasDestroy_v2");
    if (!handle)
        return CUBLAS_STATUS_NOT_INITIALIZED;
    simDischarge(handle->charged);
    simTrack("cuBLAS handles", -1);
    free(handle);
    return failure;
}

cublasStatus_t cublasGetVersion_v2(cublasHandle_t handle, int *version)
{
    const cublasStatus_t failure = injected("cublasGetVersion_v2");
    if (failure || !handle)
        return failure ? failure : CUBLAS_STATUS_NOT_INITIALIZED;
    *version = VERSION;
    return CUBLAS_STATUS_SUCCESS;
}

const char *cublasGetStatusString(cublasStatus_t status)
{
    switch (status) {
    case CUBLAS_STATUS_SUCCESS:
        return "CUBLAS_STATUS_SUCCESS";
    case CUBLAS_STATUS_NOT_INITIALIZED:
        return "CUBLAS_STATUS_NOT_INITIALIZED";
    case CUBLAS_STATUS_ALLOC_FAILED:
        return "CUBLAS_STATUS_ALLOC_FAILED";
    case CUBLAS_STATUS_INVALID_VALUE:
        return "CUBLAS_STATUS_INVALID_VALUE";
    case CUBLAS_STATUS_MAPPING_ERROR:
        return "CUBLAS_STATUS_MAPPING_ERROR";
    case CUBLAS_STATUS_EXECUTION_FAILED:
        return "CUBLAS_STATUS_EXECUTION_FAILED";
    case CUBLAS_STATUS_INTERNAL_ERROR:
        return "CUBLAS_STATUS_INTERNAL_ERROR";
    case CUBLAS_STATUS_NOT_SUPPORTED:
        return "CUBLAS_STATUS_NOT_SUPPORTED";
    default:
        return "unknown cuBLAS status";
    }
}

/* As in the library, choosing a stream gives the user's workspace back. */
cublasStatus_t cublasSetStream_v2(cublasHandle_t handle, void *stream)
{
    const cublasStatus_t failure = injected("cublasSetStream_v2");
    if (failure || !handle)
        return failure ? failure : CUBLAS_STATUS_NOT_INITIALIZED;
    if (handle->charged == 0) {
        if (!simCharge(OWN_WORKSPACE))
            return CUBLAS_STATUS_ALLOC_FAILED;
        handle->charged = OWN_WORKSPACE;
    }
    handle->stream = stream;
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasSetWorkspace_v2(cublasHandle_t handle, void *workspace, size_t bytes)
{
    const cublasStatus_t failure = injected("cublasSetWorkspace_v2");
    if (failure || !handle)
        return failure ? failure : CUBLAS_STATUS_NOT_INITIALIZED;
    const uint64_t address = (uint64_t)(uintptr_t)workspace;
    if (bytes && (address % 256 || !simReal(address, bytes)))
        return CUBLAS_STATUS_INVALID_VALUE;
    simDischarge(handle->charged);
    handle->charged = 0;
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasSetMathMode(cublasHandle_t handle, cublasMath_t mode)
{
    const cublasStatus_t failure = injected("cublasSetMathMode");
    if (failure || !handle)
        return failure ? failure : CUBLAS_STATUS_NOT_INITIALIZED;
    const cublasMath_t base = mode & ~(cublasMath_t)CUBLAS_MATH_DISALLOW_REDUCED_PRECISION_REDUCTION;
    if (base != CUBLAS_DEFAULT_MATH && base != CUBLAS_PEDANTIC_MATH && base != CUBLAS_TF32_TENSOR_OP_MATH)
        return CUBLAS_STATUS_INVALID_VALUE;
    handle->math = base;
    return CUBLAS_STATUS_SUCCESS;
}

/* alpha and beta are read at call time: device pointers are not offered. */
cublasStatus_t cublasSetPointerMode_v2(cublasHandle_t handle, cublasPointerMode_t mode)
{
    const cublasStatus_t failure = injected("cublasSetPointerMode_v2");
    if (failure || !handle)
        return failure ? failure : CUBLAS_STATUS_NOT_INITIALIZED;
    return mode == CUBLAS_POINTER_MODE_HOST ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_NOT_SUPPORTED;
}

/* ---- products ---- */

static size_t type_bytes(cudaDataType type)
{
    return type == CUDA_R_32F ? 4 : type == CUDA_R_16F || type == CUDA_R_16BF ? 2 : 0;
}

static float load(const uint8_t *from, cudaDataType type, int64_t index)
{
    uint16_t half;
    float value;
    if (type == CUDA_R_32F) {
        memcpy(&value, from + 4 * index, 4);
        return value;
    }
    memcpy(&half, from + 2 * index, 2);
    return type == CUDA_R_16F ? float_from_half(half) : float_from_bfloat(half);
}

static void store(uint8_t *to, cudaDataType type, int64_t index, float value)
{
    if (type == CUDA_R_32F) {
        memcpy(to + 4 * index, &value, 4);
        return;
    }
    const uint16_t half = type == CUDA_R_16F ? half_from_float(value) : bfloat_from_float(value);
    memcpy(to + 2 * index, &half, 2);
}

/* Elements from the first to the last of a matrix of `columns` columns of `rows`, over all of the batch; 0 if empty. */
static int64_t extent(const struct matrix *x, int64_t rows, int64_t columns, int64_t batch)
{
    return rows && columns && batch ? (batch - 1) * x->stride + (columns - 1) * x->ld + rows : 0;
}

static int64_t rows_of(const struct matrix *x, int64_t rows, int64_t columns)
{
    return x->transposed ? columns : rows;
}

static int64_t columns_of(const struct matrix *x, int64_t rows, int64_t columns)
{
    return x->transposed ? rows : columns;
}

static size_t bytes_of(const struct matrix *x, int64_t rows, int64_t columns, int64_t batch)
{
    return (size_t)extent(x, rows_of(x, rows, columns), columns_of(x, rows, columns), batch) * type_bytes(x->type);
}

/* What the tensor cores make of a float: TF32 keeps 10 bits of fraction, BF16 7. */
static float narrow(float value, cublasComputeType_t compute)
{
    return compute == CUBLAS_COMPUTE_32F_FAST_TF32   ? bits_float(tf32_from_float(value))
           : compute == CUBLAS_COMPUTE_32F_FAST_16BF ? float_from_bfloat(bfloat_from_float(value))
                                                     : value;
}

/* Copies a stored matrix as floats, packed. */
static void unpack(float *to, const struct matrix *x, const uint8_t *from, int64_t rows, int64_t columns, int64_t batch,
                   cublasComputeType_t compute)
{
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < columns; j++) {
            const int64_t at = batch * x->stride + (x->transposed ? j + i * x->ld : i + j * x->ld);
            const float value = load(from, x->type, at);
            to[i + j * rows] = x->type == CUDA_R_32F ? narrow(value, compute) : value;
        }
}

/* One fixed order of summation: k ascending, with fused multiply-add. */
static void multiply(const struct gemm *g, const float *a, const float *b, uint8_t *c, int64_t batch)
{
    float sums[TILE];
    for (int64_t j = 0; j < g->n; j++)
        for (int64_t first = 0; first < g->m; first += TILE) {
            const int64_t count = g->m - first < TILE ? g->m - first : TILE;
            memset(sums, 0, sizeof sums);
            for (int64_t k = 0; k < g->k; k++) {
                const float factor = b[k + j * g->k];
                for (int64_t i = 0; i < count; i++)
                    sums[i] = __builtin_fmaf(a[first + i + k * g->m], factor, sums[i]);
            }
            for (int64_t i = 0; i < count; i++) {
                const int64_t at = batch * g->c.stride + first + i + j * g->c.ld;
                const float old = g->beta != 0 ? g->beta * load(c, g->c.type, at) : 0;
                store(c, g->c.type, at, g->alpha * sums[i] + old);
            }
        }
}

/* The marks of initialised bytes are column by column: what lies between columns stays as it is. */
static int check_columns(const struct gemm *g, const struct matrix *x, int64_t rows, int64_t columns, bool writes)
{
    const size_t element = type_bytes(x->type);
    for (int64_t b = 0; b < g->batch; b++)
        for (int64_t j = 0; j < columns_of(x, rows, columns); j++) {
            const uint64_t at = x->address + (uint64_t)(b * x->stride + j * x->ld) * element;
            const size_t bytes = (size_t)rows_of(x, rows, columns) * element;
            const int rc = writes ? 0 : simRequireInit(at, bytes, "cuBLAS");
            if (rc)
                return rc;
            if (writes)
                simMarkInit(at, bytes);
        }
    return 0;
}

static int run(void *data)
{
    const struct gemm *g = data;
    const uint8_t *from_a = simReal(g->a.address, bytes_of(&g->a, g->m, g->k, g->batch));
    const uint8_t *from_b = simReal(g->b.address, bytes_of(&g->b, g->k, g->n, g->batch));
    uint8_t *to = simReal(g->c.address, bytes_of(&g->c, g->m, g->n, g->batch));
    if (!from_a || !from_b || !to)
        return 700;
    int rc = check_columns(g, &g->a, g->m, g->k, false);
    rc = rc ? rc : check_columns(g, &g->b, g->k, g->n, false);
    rc = rc || g->beta == 0 ? rc : check_columns(g, &g->c, g->m, g->n, false);
    float *a = malloc((size_t)(g->m * g->k + 1) * sizeof *a), *b = malloc((size_t)(g->k * g->n + 1) * sizeof *b);
    rc = rc || (a && b) ? rc : 2;
    for (int64_t i = 0; i < g->batch && !rc; i++) {
        unpack(a, &g->a, from_a, g->m, g->k, i, g->compute);
        unpack(b, &g->b, from_b, g->k, g->n, i, g->compute);
        multiply(g, a, b, to, i);
    }
    free(a);
    free(b);
    if (!rc)
        check_columns(g, &g->c, g->m, g->n, true);
    return rc;
}

static bool fits(const struct matrix *x, int64_t rows, int64_t columns)
{
    const int64_t least = rows_of(x, rows, columns);
    return x->ld >= (least > 1 ? least : 1);
}

static cublasStatus_t enqueue(cublasHandle_t handle, const struct gemm *g)
{
    if (g->m < 0 || g->n < 0 || g->k < 0 || g->batch < 0 || !fits(&g->a, g->m, g->k) || !fits(&g->b, g->k, g->n) ||
        !fits(&g->c, g->m, g->n))
        return CUBLAS_STATUS_INVALID_VALUE;
    if (!type_bytes(g->a.type) || g->a.type != g->b.type || !type_bytes(g->c.type) ||
        (g->c.type != g->a.type && g->c.type != CUDA_R_32F))
        return CUBLAS_STATUS_NOT_SUPPORTED;
    if (g->m == 0 || g->n == 0 || g->batch == 0)
        return CUBLAS_STATUS_SUCCESS;
    if (!simReal(g->a.address, bytes_of(&g->a, g->m, g->k, g->batch)) ||
        !simReal(g->b.address, bytes_of(&g->b, g->k, g->n, g->batch)) ||
        !simReal(g->c.address, bytes_of(&g->c, g->m, g->n, g->batch)))
        return CUBLAS_STATUS_EXECUTION_FAILED;
    return simEnqueueHost(handle->stream, run, g, sizeof *g) ? CUBLAS_STATUS_EXECUTION_FAILED : CUBLAS_STATUS_SUCCESS;
}

static struct matrix matrix(const void *address, cudaDataType type, int ld, long long stride, cublasOperation_t op)
{
    return (struct matrix){(uint64_t)(uintptr_t)address, ld, stride, type, op != CUBLAS_OP_N};
}

/* The part that the three forms of product share. */
static cublasStatus_t product(const char *name, cublasHandle_t handle, cublasOperation_t op_a, cublasOperation_t op_b,
                              const void *alpha, const void *beta, cublasComputeType_t compute, struct gemm g)
{
    const cublasStatus_t failure = injected(name);
    if (failure)
        return failure;
    if (!handle)
        return CUBLAS_STATUS_NOT_INITIALIZED;
    if (!alpha || !beta || op_a > CUBLAS_OP_C || op_b > CUBLAS_OP_C || g.a.stride < 0 || g.b.stride < 0 ||
        g.c.stride < 0)
        return CUBLAS_STATUS_INVALID_VALUE;
    if (compute != CUBLAS_COMPUTE_32F && compute != CUBLAS_COMPUTE_32F_PEDANTIC &&
        compute != CUBLAS_COMPUTE_32F_FAST_TF32 && compute != CUBLAS_COMPUTE_32F_FAST_16BF)
        return CUBLAS_STATUS_NOT_SUPPORTED;
    const bool tf32_mode = compute == CUBLAS_COMPUTE_32F && handle->math == CUBLAS_TF32_TENSOR_OP_MATH;
    g.compute = tf32_mode ? CUBLAS_COMPUTE_32F_FAST_TF32 : compute;
    g.alpha = *(const float *)alpha;
    g.beta = *(const float *)beta;
    return enqueue(handle, &g);
}

cublasStatus_t cublasGemmStridedBatchedEx(cublasHandle_t handle, cublasOperation_t op_a, cublasOperation_t op_b, int m,
                                          int n, int k, const void *alpha, const void *a, cudaDataType type_a, int lda,
                                          long long stride_a, const void *b, cudaDataType type_b, int ldb,
                                          long long stride_b, const void *beta, void *c, cudaDataType type_c, int ldc,
                                          long long stride_c, int batch, cublasComputeType_t compute,
                                          cublasGemmAlgo_t algorithm)
{
    (void)algorithm;
    const struct gemm g = {.a = matrix(a, type_a, lda, stride_a, op_a),
                           .b = matrix(b, type_b, ldb, stride_b, op_b),
                           .c = matrix(c, type_c, ldc, stride_c, CUBLAS_OP_N),
                           .m = m,
                           .n = n,
                           .k = k,
                           .batch = batch};
    return product("cublasGemmStridedBatchedEx", handle, op_a, op_b, alpha, beta, compute, g);
}

cublasStatus_t cublasGemmEx(cublasHandle_t handle, cublasOperation_t op_a, cublasOperation_t op_b, int m, int n, int k,
                            const void *alpha, const void *a, cudaDataType type_a, int lda, const void *b,
                            cudaDataType type_b, int ldb, const void *beta, void *c, cudaDataType type_c, int ldc,
                            cublasComputeType_t compute, cublasGemmAlgo_t algorithm)
{
    (void)algorithm;
    const struct gemm g = {.a = matrix(a, type_a, lda, 0, op_a),
                           .b = matrix(b, type_b, ldb, 0, op_b),
                           .c = matrix(c, type_c, ldc, 0, CUBLAS_OP_N),
                           .m = m,
                           .n = n,
                           .k = k,
                           .batch = 1};
    return product("cublasGemmEx", handle, op_a, op_b, alpha, beta, compute, g);
}

cublasStatus_t cublasSgemm_v2(cublasHandle_t handle, cublasOperation_t op_a, cublasOperation_t op_b, int m, int n,
                              int k, const float *alpha, const float *a, int lda, const float *b, int ldb,
                              const float *beta, float *c, int ldc)
{
    const struct gemm g = {.a = matrix(a, CUDA_R_32F, lda, 0, op_a),
                           .b = matrix(b, CUDA_R_32F, ldb, 0, op_b),
                           .c = matrix(c, CUDA_R_32F, ldc, 0, CUBLAS_OP_N),
                           .m = m,
                           .n = n,
                           .k = k,
                           .batch = 1};
    return product("cublasSgemm_v2", handle, op_a, op_b, alpha, beta, CUBLAS_COMPUTE_32F, g);
}
