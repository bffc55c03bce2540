/* Products of large matrices by cuBLAS, where it is found. Its bits hold for one version of it and one card. */
#ifndef CUDA_PRODUCTS_H
#define CUDA_PRODUCTS_H

#include "cuda.h"
#include "emit/emit.h"

struct cuda_products {
    cublasHandle_t handle;       /* NULL: not used */
    cublasComputeType_t compute; /* what becomes of the operands */
};

/* A product bound to its memory; sizes as in struct emit_product. */
struct cuda_product {
    int m, n, k, step_a, step_b, step_c;
    bool transposed;
    CUdeviceptr a, b, c;
};

/* Opens cuBLAS, which may take memory of the device. False with the reason if it cannot be used. */
bool cuda_products_open(struct cuda_products *l, struct cuda *c, enum precision precision, struct device_error *e);
void cuda_products_close(struct cuda_products *l, const struct cuda *c);
/* Products go to this stream from now on. Takes their workspace away. */
bool cuda_products_stream(const struct cuda_products *l, const struct cuda *c, CUstream stream, struct device_error *e);
/* They work in this memory, and take none of the device. */
bool cuda_products_workspace(const struct cuda_products *l, const struct cuda *c, CUdeviceptr workspace, int64_t bytes,
                             struct device_error *e);
bool cuda_products_multiply(const struct cuda_products *l, const struct cuda *c, const struct cuda_product *p,
                            struct device_error *e);

#endif
