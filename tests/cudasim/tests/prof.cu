// Kernels of test_prof.c.
extern "C" {
__global__ void dense(const float *a, float *b) {
    b[threadIdx.x] = a[threadIdx.x];
}
__global__ void strided(const float *a, float *b) {
    b[threadIdx.x] = a[threadIdx.x * 8];
}
__global__ void broadcast(const float *a, float *b) {
    b[threadIdx.x] = a[0];
}
__global__ void conflict(float *b, int n) {
    __shared__ float s[1024];
    s[threadIdx.x * n] = 1;
    __syncthreads();
    b[threadIdx.x] = s[(31 - threadIdx.x) * n];
}
__global__ void half_idle(float *b) {
    if (threadIdx.x & 1)
        for (int i = 0; i < 100; i++)
            b[threadIdx.x] += b[i];
}
}
