/* The stand-in cuBLAS against sums in double precision. */
#include <math.h>

#include "convert.h"
#include "cublas_types.h"
#include "simtest.h"

enum { M = 37, N = 70, K = 19, LDA = 41, LDB = 75, LDC = 39, BATCH = 3 };

static float pseudo(unsigned i)
{
    return (float)((i * 2654435761u) >> 8) / 8388608.f - 1;
}

static float as_stored(float x, unsigned type)
{
    return type == CUDA_R_16F    ? float_from_half(half_from_float(x))
           : type == CUDA_R_16BF ? float_from_bfloat(bfloat_from_float(x))
                                 : x;
}

static void put(void *to, size_t i, float x, unsigned type)
{
    if (type == CUDA_R_32F)
        ((float *)to)[i] = x;
    else
        ((uint16_t *)to)[i] = type == CUDA_R_16F ? half_from_float(x) : bfloat_from_float(x);
}

static void *device(CUdeviceptr address)
{
    return (void *)(uintptr_t)address;
}

/* Every operand layout of one storage type; `precision` is the relative error that the compute type allows. */
static void products(unsigned type, unsigned compute, double precision)
{
    enum { ELEMENTS = 75 * 75 };
    static float a[BATCH * ELEMENTS], b[BATCH * ELEMENTS], c[BATCH * ELEMENTS], result[BATCH * ELEMENTS];
    static unsigned char stored[BATCH * ELEMENTS * 4];
    const size_t bytes = type == CUDA_R_32F ? 4 : 2;
    cublasHandle_t handle;
    CUstream stream;
    start();
    OK(cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING));
    OK(cublasCreate_v2(&handle));
    OK(cublasSetStream_v2(handle, stream));
    for (unsigned i = 0; i < BATCH * ELEMENTS; i++)
        put(stored, i, a[i] = as_stored(pseudo(i), type), type);
    CUdeviceptr da = upload(stored, BATCH * ELEMENTS * bytes);
    for (unsigned i = 0; i < BATCH * ELEMENTS; i++)
        put(stored, i, b[i] = as_stored(pseudo(i + 99999), type), type);
    CUdeviceptr db = upload(stored, BATCH * ELEMENTS * bytes);
    for (unsigned i = 0; i < BATCH * ELEMENTS; i++)
        c[i] = pseudo(i + 55555);
    CUdeviceptr dc = allocate(sizeof c);
    for (unsigned form = 0; form < 4; form++) {
        const unsigned ta = form & 1, tb = form >> 1;
        const float alpha = 1.5f, beta = form == 3 ? 0 : -0.5f;
        OK(cuMemcpyHtoD_v2(dc, c, sizeof c));
        OK(cuStreamSynchronize(NULL));
        OK(cublasGemmStridedBatchedEx(handle, ta, tb, M, N, K, &alpha, device(da), type, LDA, ELEMENTS, device(db),
                                      type, LDB, ELEMENTS, &beta, device(dc), CUDA_R_32F, LDC, ELEMENTS, BATCH, compute,
                                      -1));
        OK(cuStreamSynchronize(stream));
        download(result, dc, sizeof result);
        for (int batch = 0; batch < BATCH; batch++)
            for (int i = 0; i < M; i++)
                for (int j = 0; j < N; j++) {
                    double sum = 0;
                    for (int k = 0; k < K; k++)
                        sum += (double)a[batch * ELEMENTS + (ta ? k + i * LDA : i + k * LDA)] *
                               b[batch * ELEMENTS + (tb ? j + k * LDB : k + j * LDB)];
                    const int at = batch * ELEMENTS + i + j * LDC;
                    CHECK(fabs(result[at] - (1.5 * sum + (double)beta * c[at])) < precision * K);
                }
        CHECK(result[M] == c[M]); /* between the columns */
    }
    OK(cublasDestroy_v2(handle));
}

static void single_precision(void)
{
    products(CUDA_R_32F, CUBLAS_COMPUTE_32F, 2e-7);
}

static void tf32(void)
{
    products(CUDA_R_32F, CUBLAS_COMPUTE_32F_FAST_TF32, 1e-3);
}

static void bf16(void)
{
    products(CUDA_R_32F, CUBLAS_COMPUTE_32F_FAST_16BF, 8e-3);
    products(CUDA_R_16BF, CUBLAS_COMPUTE_32F, 2e-7);
}

static void f16(void)
{
    products(CUDA_R_16F, CUBLAS_COMPUTE_32F, 2e-7);
}

static void misuse(void)
{
    static const float values[64];
    const float one = 1, zero = 0;
    cublasHandle_t handle;
    start();
    struct sim_stats before, after;
    simStats(&before);
    OK(cublasCreate_v2(&handle));
    simStats(&after);
    CHECK(after.charged == before.charged + (4 << 20));
    CUdeviceptr a = upload(values, sizeof values), w = allocate(1 << 20);
    OK(cublasSetWorkspace_v2(handle, device(w), 1 << 20));
    simStats(&after);
    CHECK(after.charged == before.charged + (4 << 20)); /* two buffers of a granule; the library's own given back */
    float *p = device(a);
    RETURNS(CUBLAS_STATUS_INVALID_VALUE, cublasSgemm_v2(handle, 0, 0, 8, 8, 8, &one, p, 7, p, 8, &zero, p, 8));
    RETURNS(CUBLAS_STATUS_INVALID_VALUE, cublasSgemm_v2(handle, 0, 0, 8, 8, 8, &one, p, 8, p, 8, &zero, p, 7));
    RETURNS(CUBLAS_STATUS_EXECUTION_FAILED, cublasSgemm_v2(handle, 0, 0, 8, 8, 8, &one, p, 9, p, 8, &zero, p, 8));
    RETURNS(CUBLAS_STATUS_NOT_INITIALIZED, cublasSgemm_v2(NULL, 0, 0, 8, 8, 8, &one, p, 8, p, 8, &zero, p, 8));
    OK(cublasSgemm_v2(handle, 0, 0, 8, 8, 8, &one, p, 8, p, 8, &zero, p, 8));
    RETURNS(CUBLAS_STATUS_INTERNAL_ERROR, cublasSgemm_v2(handle, 0, 0, 8, 8, 8, &one, p, 8, p, 8, &zero, p, 8));
    OK(cublasDestroy_v2(handle));
}

/* A product runs with its stream, not before. */
static void deferred(void)
{
    static const float identity[4] = {1, 0, 0, 1}, first[4] = {1, 2, 3, 4}, second[4] = {5, 6, 7, 8};
    const float one = 1, zero = 0;
    float result[4];
    cublasHandle_t handle;
    CUstream stream;
    start();
    OK(cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING));
    OK(cublasCreate_v2(&handle));
    OK(cublasSetStream_v2(handle, stream));
    CUdeviceptr a = upload(identity, sizeof identity), b = upload(first, sizeof first), c = allocate(sizeof result);
    OK(cublasSgemm_v2(handle, 0, 0, 2, 2, 2, &one, device(a), 2, device(b), 2, &zero, device(c), 2));
    OK(cuMemcpyHtoD_v2(b, second, sizeof second));
    OK(cuStreamSynchronize(NULL)); /* not ordered with the stream: overtakes the product */
    OK(cuStreamSynchronize(stream));
    download(result, c, sizeof result);
    CHECK(!memcmp(result, second, sizeof result));
    OK(cublasDestroy_v2(handle));
}

static void uninitialised(void)
{
    static const float values[64];
    const float one = 1, zero = 0;
    cublasHandle_t handle;
    start();
    OK(cublasCreate_v2(&handle));
    CUdeviceptr a = upload(values, sizeof values), b = allocate(256), c = allocate(256);
    OK(cublasSgemm_v2(handle, 0, 0, 8, 8, 8, &one, device(a), 8, device(a), 8, &zero, device(c), 8));
    OK(cuCtxSynchronize());
    OK(cublasSgemm_v2(handle, 0, 0, 8, 8, 8, &one, device(a), 8, device(b), 8, &zero, device(c), 8));
    RETURNS(719, cuCtxSynchronize());
    CHECK(report_has("cuBLAS reads uninitialised memory"));
    OK(cublasDestroy_v2(handle));
}

int main(void)
{
    CASE(single_precision, "");
    CASE(tf32, "");
    CASE(bf16, "SIM_ASYNC=defer");
    CASE(f16, "SIM_CHECK=1");
    CASE(misuse, "SIM_FAIL=cublasSgemm_v2:6");
    CASE(deferred, "SIM_ASYNC=defer");
    CASE(uninitialised, "SIM_CHECK=1");
    return finish();
}
