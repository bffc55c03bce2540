// Kernels of test_mma.c.
typedef unsigned u32;
typedef unsigned short u16;
extern "C" {
__global__ void tf32(const float *a, const float *b, float *d) {
    int g = threadIdx.x / 4, t = threadIdx.x % 4;
    u32 a0 = __float_as_uint(a[g * 8 + t]), a1 = __float_as_uint(a[(g + 8) * 8 + t]);
    u32 a2 = __float_as_uint(a[g * 8 + t + 4]), a3 = __float_as_uint(a[(g + 8) * 8 + t + 4]);
    u32 b0 = __float_as_uint(b[t * 8 + g]), b1 = __float_as_uint(b[(t + 4) * 8 + g]);
    float d0 = 1, d1 = 1, d2 = 1, d3 = 1;
    asm("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0,%1,%2,%3},{%4,%5,%6,%7},{%8,%9},{%0,%1,%2,%3};"
        : "+f"(d0), "+f"(d1), "+f"(d2), "+f"(d3)
        : "r"(a0), "r"(a1), "r"(a2), "r"(a3), "r"(b0), "r"(b1));
    d[g * 8 + 2 * t] = d0;
    d[g * 8 + 2 * t + 1] = d1;
    d[(g + 8) * 8 + 2 * t] = d2;
    d[(g + 8) * 8 + 2 * t + 1] = d3;
}
#define HALVES(NAME, TYPE)                                                                                           \
    __global__ void NAME(const u16 *a, const u16 *b, float *d) {                                                     \
        int g = threadIdx.x / 4, t = threadIdx.x % 4;                                                                \
        u32 a0 = *(const u32 *)(a + g * 16 + 2 * t), a1 = *(const u32 *)(a + (g + 8) * 16 + 2 * t);                  \
        u32 a2 = *(const u32 *)(a + g * 16 + 2 * t + 8), a3 = *(const u32 *)(a + (g + 8) * 16 + 2 * t + 8);          \
        u32 b0 = b[2 * t * 8 + g] | (u32)b[(2 * t + 1) * 8 + g] << 16;                                               \
        u32 b1 = b[(2 * t + 8) * 8 + g] | (u32)b[(2 * t + 9) * 8 + g] << 16;                                         \
        float d0 = 1, d1 = 1, d2 = 1, d3 = 1;                                                                        \
        asm("mma.sync.aligned.m16n8k16.row.col.f32." TYPE "." TYPE                                                   \
            ".f32 {%0,%1,%2,%3},{%4,%5,%6,%7},{%8,%9},{%0,%1,%2,%3};"                                                \
            : "+f"(d0), "+f"(d1), "+f"(d2), "+f"(d3)                                                                 \
            : "r"(a0), "r"(a1), "r"(a2), "r"(a3), "r"(b0), "r"(b1));                                                 \
        d[g * 8 + 2 * t] = d0;                                                                                       \
        d[g * 8 + 2 * t + 1] = d1;                                                                                   \
        d[(g + 8) * 8 + 2 * t] = d2;                                                                                 \
        d[(g + 8) * 8 + 2 * t + 1] = d3;                                                                             \
    }
HALVES(bf16, "bf16")
HALVES(f16, "f16")

__global__ void copies(const float *a, float *b, int pending) {
    __shared__ __align__(16) float s[256];
    int t = threadIdx.x;
    for (int i = t; i < 256; i += 32)
        s[i] = i < 192 ? 0 : 5 * !pending;
    __syncwarp();
    u32 to = (u32)__cvta_generic_to_shared(s + 4 * t);
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(to), "l"(a + 4 * t));
    asm volatile("cp.async.commit_group;");
    if (t < 16) {
        to = (u32)__cvta_generic_to_shared(s + 128 + 4 * t);
        asm volatile("cp.async.ca.shared.global [%0], [%1], 16, %2;" ::"r"(to), "l"(a + 128 + 4 * t), "r"(16));
    }
    asm volatile("cp.async.commit_group;");
    if (pending)
        asm volatile("cp.async.wait_group 1;" ::: "memory");
    else
        asm volatile("cp.async.wait_group 0;" ::: "memory");
    __syncwarp();
    for (int i = t; i < 256; i += 32)
        b[i] = s[i];
}

__global__ void matrices(const u16 *a, u16 *b) {
    __shared__ __align__(16) u16 s[16 * 16];
    int t = threadIdx.x;
    for (int i = t; i < 256; i += 32)
        s[i] = a[i];
    __syncwarp();
    u32 from = (u32)__cvta_generic_to_shared(s + (t % 16) * 16 + 8 * (t / 16)), r[4], q[4];
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
                 : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
                 : "r"(from));
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];"
                 : "=r"(q[0]), "=r"(q[1]), "=r"(q[2]), "=r"(q[3])
                 : "r"(from));
    for (int i = 0; i < 4; i++) {
        ((u32 *)b)[i * 32 + t] = r[i];
        ((u32 *)b)[128 + i * 32 + t] = q[i];
    }
}
}
