// Planted faults of test_checks.c, and correct kernels beside them.
extern "C" {

__global__ void out_of_bounds(float *x, int n)
{
    x[threadIdx.x + n] = 1;
}

__global__ void one_past(const float *x, float *y)
{
    y[threadIdx.x] = x[threadIdx.x + 1];
}

__global__ void misaligned(char *x)
{
    *(float *)(x + threadIdx.x * 4 + 2) = 1;
}

__global__ void null_pointer(float *x)
{
    if (threadIdx.x == 3)
        *(volatile float *)0x10 = x[0];
}

__global__ void vector_past_end(float4 *x)
{
    x[threadIdx.x] = float4{1, 2, 3, 4};
}

__global__ void shared_out_of_bounds(float *x, int n)
{
    __shared__ float s[32];
    s[threadIdx.x + n] = x[threadIdx.x];
    __syncthreads();
    x[threadIdx.x] = s[threadIdx.x ^ 1];
}

__global__ void endless(volatile int *x)
{
    while (*x == 0)
        ;
}

__global__ void trapped(int *x)
{
    if (x[threadIdx.x] == 5)
        __trap();
}

__global__ void early_exit(float *x, int n)
{
    if (threadIdx.x >= n)
        return;
    __syncthreads();
    x[threadIdx.x] = 1;
}

__global__ void two_barriers(float *x)
{
    if (threadIdx.x & 1) {
        x[threadIdx.x] = 1;
        __syncthreads();
    } else {
        x[threadIdx.x] = 2;
        __syncthreads();
        x[threadIdx.x] = 3;
    }
}

__global__ void warps_at_two_barriers(float *x)
{
    if (threadIdx.x < 32) {
        x[threadIdx.x] = 1;
        __syncthreads();
    } else {
        x[threadIdx.x] = 2;
        __syncthreads();
        x[threadIdx.x] = 3;
    }
}

__global__ void absent_member(int *x)
{
    if (threadIdx.x < 16)
        x[threadIdx.x] = __shfl_xor_sync(~0u, x[threadIdx.x], 1);
    else
        x[threadIdx.x] += __ballot_sync(~0u, x[threadIdx.x] > 2);
}

__global__ void exited_member(int *x)
{
    if (threadIdx.x == 7)
        return;
    x[threadIdx.x] = __shfl_sync(~0u, x[threadIdx.x], 0);
}

__global__ void shuffle_from_absent(int *x)
{
    if (threadIdx.x < 16)
        x[threadIdx.x] = __shfl_xor_sync(0xffffu, x[threadIdx.x], 16);
}

__global__ void writes_constant(float *x, const float *c)
{
    x[threadIdx.x] = c[threadIdx.x];
    ((float *)c)[threadIdx.x] = 1;
}

__constant__ float constants[32] = {1, 2, 3};
__global__ void constant_address(const float **where)
{
    *where = constants;
}

__global__ void copies(const float *x, float *y)
{
    y[threadIdx.x] = x[threadIdx.x];
}

__global__ void shared_uninitialised(float *x)
{
    __shared__ float s[64];
    s[threadIdx.x] = x[threadIdx.x];
    __syncthreads();
    x[threadIdx.x] = s[threadIdx.x + 1];
}

__global__ void race_write_read(float *x)
{
    __shared__ float s[64];
    s[threadIdx.x] = 0;
    __syncthreads();
    s[threadIdx.x] = x[threadIdx.x];
    x[threadIdx.x] = s[63 - threadIdx.x];
}

__global__ void race_read_write(float *x)
{
    __shared__ float s[64];
    s[threadIdx.x] = x[threadIdx.x];
    __syncthreads();
    float v = 0;
    if (threadIdx.x < 32)
        v = s[63 - threadIdx.x];
    else
        s[threadIdx.x] = 1;
    __syncthreads();
    x[threadIdx.x] = s[threadIdx.x] + v;
}

__global__ void race_write_write(float *x)
{
    __shared__ float s[64];
    s[threadIdx.x >> 1] = x[threadIdx.x];
    __syncthreads();
    if (threadIdx.x < 32)
        x[threadIdx.x] = s[threadIdx.x];
}

__global__ void race_in_warp(float *x)
{
    __shared__ float s[32];
    s[threadIdx.x] = x[threadIdx.x];
    x[threadIdx.x] = s[threadIdx.x ^ 1];
}

__global__ void ordered_in_warp(float *x)
{
    __shared__ volatile float s[32];
    s[threadIdx.x] = x[threadIdx.x];
    __syncwarp();
    float v = s[threadIdx.x ^ 1];
    __syncwarp();
    s[threadIdx.x] = v * 2;
    __syncwarp();
    x[threadIdx.x] = s[31 - threadIdx.x];
}

__global__ void ordered_in_block(float *x)
{
    __shared__ float s[64];
    __shared__ unsigned char b[64];
    s[threadIdx.x] = x[threadIdx.x];
    b[threadIdx.x] = (unsigned char)threadIdx.x;
    __syncthreads();
    float v = s[63 - threadIdx.x] + b[threadIdx.x ^ 32];
    __syncthreads();
    s[threadIdx.x] = v;
    __syncthreads();
    x[threadIdx.x] = s[threadIdx.x ^ 33];
}

__global__ void blocks_write_same(float *x)
{
    x[threadIdx.x] = blockIdx.x;
}

__global__ void blocks_read_others(const float *x, float *y)
{
    y[blockIdx.x * 32 + threadIdx.x] = x[threadIdx.x] + (blockIdx.x ? y[threadIdx.x] : 0);
}

__global__ void blocks_write_what_others_read(float *x, float *y)
{
    y[blockIdx.x * 32 + threadIdx.x] = x[(threadIdx.x + blockIdx.x * 32 + 32) & 63];
    x[blockIdx.x * 32 + threadIdx.x] = 0;
}

__global__ void last_block_sums(const float *x, float *partial, float *y, unsigned *count)
{
    __shared__ bool last;
    if (!threadIdx.x) {
        partial[blockIdx.x] = x[blockIdx.x];
        __threadfence();
        last = atomicAdd(count, 1u) == gridDim.x - 1;
    }
    __syncthreads();
    if (last && !threadIdx.x) {
        __threadfence();
        float s = 0;
        for (int i = 0; i < gridDim.x; i++)
            s += ((volatile float *)partial)[i];
        *y = s;
    }
}

__global__ __launch_bounds__(64) void bounded(float *x)
{
    x[threadIdx.x] = 1;
}

}
