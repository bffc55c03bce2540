/* mma.sync against products in double precision, with the fragment layouts of the PTX manual written out on the CUDA side. */
#include <math.h>

#include "convert.h"
#include "simtest.h"

static const char *const source =
    "typedef unsigned u32; typedef unsigned short u16;\n"
    "extern \"C\" {\n"
    "__global__ void tf32(const float *a, const float *b, float *d) {\n"
    "  int g = threadIdx.x / 4, t = threadIdx.x % 4;\n"
    "  u32 a0 = __float_as_uint(a[g * 8 + t]), a1 = __float_as_uint(a[(g + 8) * 8 + t]);\n"
    "  u32 a2 = __float_as_uint(a[g * 8 + t + 4]), a3 = __float_as_uint(a[(g + 8) * 8 + t + 4]);\n"
    "  u32 b0 = __float_as_uint(b[t * 8 + g]), b1 = __float_as_uint(b[(t + 4) * 8 + g]);\n"
    "  float d0 = 1, d1 = 1, d2 = 1, d3 = 1;\n"
    "  asm(\"mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0,%1,%2,%3},{%4,%5,%6,%7},{%8,%9},{%0,%1,%2,%3};\"\n"
    "    : \"+f\"(d0), \"+f\"(d1), \"+f\"(d2), \"+f\"(d3) : \"r\"(a0), \"r\"(a1), \"r\"(a2), \"r\"(a3), \"r\"(b0), \"r\"(b1));\n"
    "  d[g * 8 + 2 * t] = d0; d[g * 8 + 2 * t + 1] = d1; d[(g + 8) * 8 + 2 * t] = d2; d[(g + 8) * 8 + 2 * t + 1] = d3;\n"
    "}\n"
    "#define HALVES(NAME, TYPE) \\\n"
    "__global__ void NAME(const u16 *a, const u16 *b, float *d) { \\\n"
    "  int g = threadIdx.x / 4, t = threadIdx.x % 4; \\\n"
    "  u32 a0 = *(const u32 *)(a + g * 16 + 2 * t), a1 = *(const u32 *)(a + (g + 8) * 16 + 2 * t); \\\n"
    "  u32 a2 = *(const u32 *)(a + g * 16 + 2 * t + 8), a3 = *(const u32 *)(a + (g + 8) * 16 + 2 * t + 8); \\\n"
    "  u32 b0 = b[2 * t * 8 + g] | (u32)b[(2 * t + 1) * 8 + g] << 16; \\\n"
    "  u32 b1 = b[(2 * t + 8) * 8 + g] | (u32)b[(2 * t + 9) * 8 + g] << 16; \\\n"
    "  float d0 = 1, d1 = 1, d2 = 1, d3 = 1; \\\n"
    "  asm(\"mma.sync.aligned.m16n8k16.row.col.f32.\" TYPE \".\" TYPE \".f32 {%0,%1,%2,%3},{%4,%5,%6,%7},{%8,%9},{%0,%1,%2,%3};\" \\\n"
    "    : \"+f\"(d0), \"+f\"(d1), \"+f\"(d2), \"+f\"(d3) : \"r\"(a0), \"r\"(a1), \"r\"(a2), \"r\"(a3), \"r\"(b0), \"r\"(b1)); \\\n"
    "  d[g * 8 + 2 * t] = d0; d[g * 8 + 2 * t + 1] = d1; d[(g + 8) * 8 + 2 * t] = d2; d[(g + 8) * 8 + 2 * t + 1] = d3; \\\n"
    "}\n"
    "HALVES(bf16, \"bf16\")\n"
    "HALVES(f16, \"f16\")\n"
    "}\n";

enum { M = 16, N = 8 };

static char *ptx;

static float pseudo(unsigned i) {
    return (float)((i * 2654435761u) >> 8) / 8388608.f - 1;
}

static void compare(const double *a, const double *b, int k_size, const float *d) {
    for (int m = 0; m < M; m++)
        for (int n = 0; n < N; n++) {
            double sum = 1;
            for (int k = 0; k < k_size; k++)
                sum += a[m * k_size + k] * b[k * N + n];
            CHECK(fabs(d[m * N + n] - sum) < 2e-6);
        }
}

static void tf32(void) {
    enum { K = 8 };
    float a[M * K], b[K * N], d[M * N];
    double exact_a[M * K], exact_b[K * N];
    CUmodule m = load(ptx);
    for (unsigned i = 0; i < M * K; i++) {
        a[i] = pseudo(i);
        exact_a[i] = bits_float(float_bits(a[i]) & ~0x1fffu); /* the lower 13 bits are dropped */
    }
    for (unsigned i = 0; i < K * N; i++) {
        b[i] = pseudo(i + 1000);
        exact_b[i] = bits_float(float_bits(b[i]) & ~0x1fffu);
    }
    CUdeviceptr da = upload(a, sizeof a), db = upload(b, sizeof b), dd = allocate(sizeof d);
    OK(LAUNCH(function(m, "tf32"), 1, 32, &da, &db, &dd));
    download(d, dd, sizeof d);
    compare(exact_a, exact_b, K, d);
    RETURNS(719, LAUNCH(function(m, "tf32"), 1, 31, &da, &db, &dd));
    CHECK(report_has("mma needs all 32 threads"));
}

static void halves(const char *name, uint16_t (*to)(float), float (*from)(uint16_t)) {
    enum { K = 16 };
    uint16_t a[M * K], b[K * N];
    float d[M * N];
    double exact_a[M * K], exact_b[K * N];
    CUmodule m = load(ptx);
    for (unsigned i = 0; i < M * K; i++)
        exact_a[i] = from(a[i] = to(pseudo(i)));
    for (unsigned i = 0; i < K * N; i++)
        exact_b[i] = from(b[i] = to(pseudo(i + 1000)));
    CUdeviceptr da = upload(a, sizeof a), db = upload(b, sizeof b), dd = allocate(sizeof d);
    OK(LAUNCH(function(m, name), 1, 32, &da, &db, &dd));
    download(d, dd, sizeof d);
    compare(exact_a, exact_b, K, d);
}

static void bf16(void) {
    halves("bf16", bfloat_from_float, float_from_bfloat);
}

static void f16(void) {
    halves("f16", half_from_float, float_from_half);
}

int main(void) {
    static const char *const targets[] = {"80", "90", "120"};
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
        char options[64], environment[64];
        snprintf(options, sizeof options, "--gpu-architecture=compute_%s", targets[i]);
        snprintf(environment, sizeof environment, "SIM_CC=%s", targets[i]);
        ptx = compile(source, options);
        CASE(tf32, environment);
        CASE(bf16, environment);
        CASE(f16, environment);
    }
    return finish();
}
