/* mma.sync against products in double precision; mma.cu writes out the fragment layouts of the PTX manual. */
#include <math.h>

#include "convert.h"
#include "simtest.h"

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
        ptx = compile(read_text("tests/cudasim/tests/mma.cu"), options);
        CASE(tf32, environment);
        CASE(bf16, environment);
        CASE(f16, environment);
    }
    return finish();
}
