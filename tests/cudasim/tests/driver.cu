// Kernels of test_driver.c.
extern "C" {
__global__ void fill(float *x, float v, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n)
        x[i] = v;
}
__global__ void step(const float *a, float *b) {
    b[threadIdx.x] = a[threadIdx.x] * 2 + 1;
}
__global__ void sum(const float *a, const float *b, float *c) {
    c[threadIdx.x] = a[threadIdx.x] + b[threadIdx.x];
}
__global__ void bad(float *a) {
    a[threadIdx.x + 100] = 1;
}
}
