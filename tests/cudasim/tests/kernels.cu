// Kernels of test_kernels.c, each checked against C on the host.
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;

__constant__ float table_f[4] = {1.f, 2.f, 3.f, 4.5f};
__constant__ float zeros[8];
__device__ int table_i[3] = {5, -6, 7};
__device__ double table_d[2] = {1.5, -2.25};
__device__ u8 table_b[5] = {1, 2, 3, 4, 5};
__device__ float scratch[16];

extern "C" {

__global__ void add(const float *a, const float *b, float *c, long n)
{
    long i = blockIdx.x * (long)blockDim.x + threadIdx.x;
    if (i < n)
        c[i] = a[i] + b[i];
}

__global__ __launch_bounds__(256) void reduce(const float *__restrict__ x, float *y, int n)
{
    __shared__ float s[256];
    float t = 0;
    for (int i = threadIdx.x; i < n; i += 256)
        t += x[blockIdx.x * n + i];
    s[threadIdx.x] = t;
    __syncthreads();
    for (int k = 128; k > 0; k >>= 1) {
        if (threadIdx.x < k)
            s[threadIdx.x] += s[threadIdx.x + k];
        __syncthreads();
    }
    if (!threadIdx.x)
        y[blockIdx.x] = s[0];
}

__global__ void shuffles(const int *x, int *y)
{
    int t = threadIdx.x, v = x[t];
    int *o = y + 12 * t;
    o[0] = __shfl_xor_sync(~0u, v, 5);
    o[1] = __shfl_down_sync(~0u, v, 3);
    o[2] = __shfl_up_sync(~0u, v, 2);
    o[3] = __shfl_sync(~0u, v, 5, 8);
    o[4] = __ballot_sync(~0u, v & 1);
    o[5] = __any_sync(~0u, v == 3) + 2 * __all_sync(~0u, v != 1 << 30);
    o[6] = __match_any_sync(~0u, v & 7);
    o[7] = __shfl_down_sync(~0u, v, 2, 16);
    int sum = v;
    for (int k = 16; k; k >>= 1)
        sum += __shfl_xor_sync(~0u, sum, k);
    o[8] = sum;
    o[9] = __activemask();
    if (t & 1) {
        o[10] = __shfl_xor_sync(0xaaaaaaaau, v, 2);
    } else {
        o[10] = __ballot_sync(0x55555555u, v > 0);
    }
    __syncwarp();
    o[11] = __syncthreads_count(v & 1) + 1000 * __syncthreads_or(v == 77) + 2000 * __syncthreads_and(v < 1 << 20);
}

__global__ void collatz(const u32 *x, u32 *steps, int n)
{
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n)
        return;
    u64 v = x[i];
    u32 count = 0;
    while (v != 1) {
        if (v & 1)
            v = 3 * v + 1;
        else
            v >>= 1;
        count++;
        if (count > 500)
            break;
    }
    steps[i] = count;
}

__global__ void conv(const float *x, const float *w, const float *b, float *y, int C, int H, int W, int K)
{
    int k = blockIdx.y, q = blockIdx.x * blockDim.x + threadIdx.x;
    if (q >= H * W)
        return;
    int h = q / W, v = q % W;
    float s = b[k];
    for (int c = 0; c < C; c++)
        for (int r = -1; r <= 1; r++)
            for (int t = -1; t <= 1; t++)
                if (h + r >= 0 && h + r < H && v + t >= 0 && v + t < W)
                    s = fmaf(x[(c * H + h + r) * W + v + t], w[((k * C + c) * 3 + r + 1) * 3 + t + 1], s);
    y[k * H * W + q] = s > 0 ? s : 0;
}

__global__ void softmax(const float *x, float *y, int C)
{
    __shared__ float s[32];
    const float *row = x + (long)blockIdx.x * C;
    float m = -1e30f, t = 0;
    for (int c = threadIdx.x; c < C; c += blockDim.x)
        m = fmaxf(m, row[c]);
    for (int o = 16; o; o >>= 1)
        m = fmaxf(m, __shfl_xor_sync(~0u, m, o));
    if (!(threadIdx.x & 31))
        s[threadIdx.x >> 5] = m;
    __syncthreads();
    m = s[0];
    for (int k = 1; k < blockDim.x >> 5; k++)
        m = fmaxf(m, s[k]);
    __syncthreads();
    for (int c = threadIdx.x; c < C; c += blockDim.x)
        t += expf(row[c] - m);
    for (int o = 16; o; o >>= 1)
        t += __shfl_xor_sync(~0u, t, o);
    if (!(threadIdx.x & 31))
        s[threadIdx.x >> 5] = t;
    __syncthreads();
    t = 0;
    for (int k = 0; k < blockDim.x >> 5; k++)
        t += s[k];
    for (int c = threadIdx.x; c < C; c += blockDim.x)
        y[(long)blockIdx.x * C + c] = row[c] - m - logf(t);
}

__global__ void functions(const float *x, float *y, int n)
{
    int i = threadIdx.x;
    float v = x[i];
    float *o = y + 40 * i;
    o[0] = expf(v); o[1] = logf(v); o[2] = __expf(v); o[3] = __logf(v); o[4] = tanhf(v); o[5] = sqrtf(v);
    o[6] = rsqrtf(v); o[7] = 1.f / v; o[8] = 3.f / v; o[9] = erff(v); o[10] = powf(v, 1.7f); o[11] = sinf(v);
    o[12] = cosf(v); o[13] = floorf(v); o[14] = ceilf(v); o[15] = rintf(v); o[16] = truncf(v); o[17] = roundf(v);
    o[18] = fabsf(v); o[19] = fminf(v, 2.f); o[20] = fmaxf(v, 2.f); o[21] = copysignf(v, -1.f); o[22] = fmodf(v, 0.7f);
    o[23] = exp2f(v); o[24] = log2f(v); o[25] = log1pf(v); o[26] = expm1f(v); o[27] = __fdividef(v, 3.f);
    o[28] = __saturatef(v); o[29] = ldexpf(v, 3); o[30] = cbrtf(v); o[31] = atanf(v); o[32] = sinhf(v);
    o[33] = v * 100000.f > 0 ? sinf(v * 100000.f) : 0; o[34] = __fadd_rz(v, 1e-8f); o[35] = __fadd_ru(v, 1e-8f);
    o[36] = __fmaf_rd(v, v, 1e-9f); o[37] = (float)(int)v; o[38] = (float)(u32)v; o[39] = __float2int_rn(v);
}

__global__ void doubles(const double *d, double *y)
{
    int i = threadIdx.x;
    double e = d[i];
    double *o = y + 10 * i;
    o[0] = e * 1.5 + 2; o[1] = e / 3; o[2] = sqrt(e); o[3] = exp(e); o[4] = log(e); o[5] = floor(e);
    o[6] = fmin(e, 2.0);
    o[7] = (float)e; o[8] = (double)(long long)e; o[9] = tanh(e);
}

__global__ void integers(const int *a, const long long *b, int *y, long long *z)
{
    int i = threadIdx.x;
    int v = a[i], u = a[i + 1];
    long long p = b[i], q = b[i + 1];
    int *o = y + 26 * i;
    o[0] = v / u; o[1] = v % u; o[2] = v >> 3; o[3] = abs(v); o[4] = min(v, u); o[5] = max(v, u); o[6] = (u32)v / 7u;
    o[7] = (u32)v % (u32)u; o[8] = __mulhi(v, u); o[9] = __umulhi(v, u); o[10] = __popc(v); o[11] = __clz(v);
    o[12] = __brev(v); o[13] = __ffs(v); o[14] = __byte_perm(v, u, 0x5140); o[15] = __funnelshift_l(v, u, i);
    o[16] = __popcll(p); o[17] = __clzll(p); o[18] = __dp4a(v, u, 3); o[19] = __sad(v, u, 1); o[20] = v << (u & 31);
    o[21] = (short)v * (short)u; o[22] = (signed char)v + (u8)u; o[23] = (v & u) | (v ^ 5);
    asm("dp2a.lo.s32.u32 %0, %1, %2, %3;" : "=r"(o[24]) : "r"(v), "r"(u), "r"(3)); /* as NVRTC makes of small products */
    asm("dp2a.hi.s32.u32 %0, %1, %2, %3;" : "=r"(o[25]) : "r"(v), "r"(u), "r"(3));
    long long *r = z + 6 * i;
    r[0] = p / q; r[1] = p % q; r[2] = p >> 5; r[3] = p * q; r[4] = (u64)p / 1000u; r[5] = __mul64hi(p, q);
    switch (i) {
    case 0: o[3] += 1; break;
    case 1: o[3] += u; break;
    case 2: o[3] -= v; break;
    case 3: o[3] *= 3; break;
    case 4: o[3] ^= u; break;
    case 5: o[3] = 7; break;
    case 6: o[3] = u * v; break;
    }
}

__global__ void bytes(const u8 *a, float *f, u8 *o, signed char *s, u16 *h)
{
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    uchar4 c = ((const uchar4 *)a)[i];
    float4 q = {c.x / 255.f, c.y / 255.f, c.z / 255.f, c.w / 255.f};
    ((float4 *)f)[i] = q;
    o[i] = (u8)(a[i] + 200);
    s[i] = (signed char)(a[i] - 128) >> 1;
    h[i] = (u16)(a[i] * 300);
}

__global__ void philox(u32 *o, float *f, u32 k0, u32 k1)
{
    u32 i = blockIdx.x * blockDim.x + threadIdx.x, c0 = i, c1 = 1, c2 = 2, c3 = 3;
    for (int r = 0; r < 10; r++) {
        u64 p0 = (u64)0xD2511F53u * c0, p1 = (u64)0xCD9E8D57u * c2;
        u32 n0 = (u32)(p1 >> 32) ^ c1 ^ k0, n2 = (u32)(p0 >> 32) ^ c3 ^ k1;
        c1 = (u32)p1;
        c3 = (u32)p0;
        c0 = n0;
        c2 = n2;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    o[i] = c0 ^ c1 ^ c2 ^ c3;
    f[i] = (c0 >> 8) * (1.f / 16777216.f);
}

__global__ void atomics(int *c, u32 *u, u64 *l, u32 *order)
{
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    __shared__ u32 s;
    if (!threadIdx.x)
        s = 0;
    __syncthreads();
    atomicAdd(&s, i);
    __syncthreads();
    atomicAdd(c, i); atomicMax(c + 1, i); atomicMin(c + 2, -i); atomicSub(c + 3, 2);
    atomicOr(u, 1u << (i & 31)); atomicXor(u + 1, i); atomicAnd(u + 2, ~(1u << (i & 31)));
    atomicAdd(l, (u64)i << 20); atomicMax(l + 1, (u64)i << 33);
    if (!threadIdx.x) {
        atomicAdd(u + 3, s);
        order[blockIdx.x] = atomicInc(u + 4, 1000);
    }
}

struct P { float *p; int n[5]; float q; };
__global__ void tables(float *x, P p, int k)
{
    int i = threadIdx.x;
    x[i] = table_f[i & 3] + table_i[i % 3] + table_d[k] + table_b[k] + zeros[i & 7] + p.n[k] + p.p[i];
    if (i < 16)
        scratch[i] = p.q + i;
    float local[20];
    for (int j = 0; j < 20; j++)
        local[j] = j * i;
    for (int j = 0; j < 7; j++)
        local[(j * 7 + k + i) % 20] += 1;
    x[i] += local[(k + i) % 20];
}

__global__ void generic(float *x, int n)
{
    extern __shared__ float s[];
    __shared__ double t[4];
    int i = threadIdx.x;
    s[i] = x[i];
    if (i < 4)
        t[i] = i;
    __syncthreads();
    float *g = i & 1 ? s : x;
    g[n + i] = g[n - 1 - i] + (float)t[i & 3];
    __syncthreads();
    if (i & 1)
        x[2 * n + i] = s[n + i];
}

__global__ void narrow(u16 *h, float *f)
{
    int i = threadIdx.x;
    float v = f[i], z;
    u16 r;
    u32 t;
    asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(r) : "f"(v));
    h[4 * i] = r;
    asm("cvt.rn.f16.f32 %0, %1;" : "=h"(r) : "f"(v));
    h[4 * i + 1] = r;
    asm("cvt.f32.f16 %0, %1;" : "=f"(z) : "h"(r));
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(t) : "f"(v), "f"(z));
    h[4 * i + 2] = (u16)t;
    h[4 * i + 3] = (u16)(t >> 16);
    asm("{.reg .pred p; setp.gt.f32 p, %1, 0f00000000; @!p bra L1; mul.f32 %0, %1, 0f40000000; bra L2; "
        "L1: neg.f32 %0, %1; L2: }"
        : "=f"(z) : "f"(v));
    f[i] = z;
}

}
