/* mma.sync against products in double precision; mma.cu writes out the fragment layouts of the PTX manual. */
#include <math.h>

#include "convert.h"
#include "simtest.h"

enum { M = 16, N = 8 };

static char *ptx;

static float pseudo(unsigned i)
{
    return (float)((i * 2654435761u) >> 8) / 8388608.f - 1;
}

static void compare(const double *a, const double *b, int k_size, const float *d)
{
    for (int m = 0; m < M; m++)
        for (int n = 0; n < N; n++) {
            double sum = 1;
            for (int k = 0; k < k_size; k++)
                sum += a[m * k_size + k] * b[k * N + n];
            CHECK(fabs(d[m * N + n] - sum) < 2e-6);
        }
}

static void tf32(void)
{
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

static void halves(const char *name, uint16_t (*to)(float), float (*from)(uint16_t))
{
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

static void bf16(void)
{
    halves("bf16", bfloat_from_float, float_from_bfloat);
}

static void f16(void)
{
    halves("f16", half_from_float, float_from_half);
}

/* B = A through two asynchronous groups; forgetting the second wait leaves its half as it was. */
static void copies(void)
{
    enum { ROWS = 256 };
    float a[ROWS], b[ROWS];
    CUmodule m = load(ptx);
    for (unsigned i = 0; i < ROWS; i++)
        a[i] = pseudo(i);
    CUdeviceptr da = upload(a, sizeof a), db = allocate(sizeof b);
    for (int pending = 0; pending < 2; pending++) {
        OK(LAUNCH(function(m, "copies"), 1, 32, &da, &db, &pending));
        download(b, db, sizeof b);
        for (int i = 0; i < ROWS; i++)
            CHECK(b[i] == (i < ROWS / 2 ? a[i] : pending ? 0 : i < 3 * ROWS / 4 ? a[i] : 5));
    }
}

static void matrices(void)
{
    enum { SIDE = 16 };
    uint16_t a[SIDE * SIDE], b[2][4][64];
    CUmodule m = load(ptx);
    for (unsigned i = 0; i < SIDE * SIDE; i++)
        a[i] = (uint16_t)i;
    CUdeviceptr da = upload(a, sizeof a), db = allocate(sizeof b);
    OK(LAUNCH(function(m, "matrices"), 1, 32, &da, &db));
    download(b, db, sizeof b);
    for (int matrix = 0; matrix < 4; matrix++)
        for (int r = 0; r < 8; r++)
            for (int c = 0; c < 8; c++) { /* matrices lie in order: upper left, lower left, upper right, lower right */
                const int row = r + 8 * (matrix % 2), column = c + 8 * (matrix / 2);
                CHECK(b[0][matrix][r * 8 + c] == row * SIDE + column);
                CHECK(b[1][matrix][c * 8 + r] == row * SIDE + column);
            }
}

int main(void)
{
    static const char *const targets[] = {"80", "90", "120"};
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
        char options[64], environment[64];
        snprintf(options, sizeof options, "--gpu-architecture=compute_%s", targets[i]);
        snprintf(environment, sizeof environment, "SIM_CC=%s", targets[i]);
        ptx = compile(read_text("tests/cudasim/tests/mma.cu"), options);
        CASE(tf32, environment);
        CASE(bf16, environment);
        CASE(f16, environment);
        CASE(copies, environment);
        CASE(matrices, environment);
    }
    return finish();
}
