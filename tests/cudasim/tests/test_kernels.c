/* The interpreter: kernels that the real NVRTC compiled for several architectures, against C on the host. */
#include <math.h>

#include "simtest.h"

static char *ptx;
static CUmodule module;

static bool near(double a, double b, double relative)
{
    return (isnan(a) && isnan(b)) || a == b || fabs(a - b) <= relative * fmax(fabs(b), 1e-3);
}

static float pseudo(unsigned i)
{ /* in [-1, 1) */
    return (float)((i * 2654435761u) >> 8) / 8388608.f - 1;
}

static void test_add(void)
{
    enum { N = 1000 };
    float a[N], b[N], c[N];
    for (int i = 0; i < N; i++)
        a[i] = pseudo((unsigned)i), b[i] = pseudo((unsigned)i + 7000);
    CUdeviceptr da = upload(a, sizeof a), db = upload(b, sizeof b), dc = allocate(sizeof c);
    long n = N;
    OK(LAUNCH(function(module, "add"), 8, 128, &da, &db, &dc, &n));
    download(c, dc, sizeof c);
    for (int i = 0; i < N; i++)
        CHECK(c[i] == a[i] + b[i]);
}

static void test_reduce(void)
{
    enum { ROWS = 5, N = 777 };
    static float x[ROWS * N];
    float y[ROWS], s[256];
    for (int i = 0; i < ROWS * N; i++)
        x[i] = pseudo((unsigned)i);
    CUdeviceptr dx = upload(x, sizeof x), dy = allocate(sizeof y);
    int n = N;
    OK(LAUNCH(function(module, "reduce"), ROWS, 256, &dx, &dy, &n));
    download(y, dy, sizeof y);
    for (int r = 0; r < ROWS; r++) {
        for (int t = 0; t < 256; t++) {
            s[t] = 0;
            for (int i = t; i < N; i += 256)
                s[t] += x[r * N + i];
        }
        for (int k = 128; k; k >>= 1)
            for (int t = 0; t < k; t++)
                s[t] += s[t + k];
        CHECK(near(y[r], s[0], 1e-6));
    }
}

static void test_shuffles(void)
{
    int x[32], y[32][12], odd = 0;
    for (int i = 0; i < 32; i++)
        x[i] = i * i + 1, odd += x[i] & 1;
    CUdeviceptr dx = upload(x, sizeof x), dy = allocate(sizeof y);
    OK(LAUNCH(function(module, "shuffles"), 1, 32, &dx, &dy));
    download(y, dy, sizeof y);
    int sum = 0;
    unsigned ballot = 0;
    for (int i = 0; i < 32; i++)
        sum += x[i], ballot |= (unsigned)(x[i] & 1) << i;
    for (int i = 0; i < 32; i++) {
        unsigned same = 0;
        for (int k = 0; k < 32; k++)
            same |= (unsigned)((x[k] & 7) == (x[i] & 7)) << k;
        CHECK(y[i][0] == x[i ^ 5]);
        CHECK(y[i][1] == x[i + 3 < 32 ? i + 3 : i]);
        CHECK(y[i][2] == x[i >= 2 ? i - 2 : i]);
        CHECK(y[i][3] == x[(i & ~7) + 5]);
        CHECK((unsigned)y[i][4] == ballot);
        CHECK(y[i][5] == 2);
        CHECK((unsigned)y[i][6] == same);
        CHECK(y[i][7] == x[(i & 15) + 2 < 16 ? i + 2 : i]);
        CHECK(y[i][8] == sum);
        CHECK(y[i][9] == -1);
        CHECK(i & 1 ? y[i][10] == x[i ^ 2] : (unsigned)y[i][10] == 0x55555555u);
        CHECK(y[i][11] == odd + 2000);
    }
}

static void test_collatz(void)
{
    enum { N = 300 };
    unsigned x[N], steps[N];
    for (unsigned i = 0; i < N; i++)
        x[i] = i * 37 + 1;
    CUdeviceptr dx = upload(x, sizeof x), ds = allocate(sizeof steps);
    int n = N;
    OK(LAUNCH(function(module, "collatz"), 5, 64, &dx, &ds, &n));
    download(steps, ds, sizeof steps);
    for (int i = 0; i < N; i++) {
        unsigned count = 0;
        for (unsigned long long v = x[i]; v != 1 && count <= 500; count++)
            v = v & 1 ? 3 * v + 1 : v >> 1;
        CHECK(steps[i] == count);
    }
}

static void test_conv(void)
{
    enum { C = 3, H = 9, W = 11, K = 4 };
    float x[C * H * W], w[K * C * 9], b[K], y[K * H * W];
    for (unsigned i = 0; i < C * H * W; i++)
        x[i] = pseudo(i);
    for (unsigned i = 0; i < K * C * 9; i++)
        w[i] = pseudo(i + 500);
    for (unsigned i = 0; i < K; i++)
        b[i] = pseudo(i + 900);
    CUdeviceptr dx = upload(x, sizeof x), dw = upload(w, sizeof w), db = upload(b, sizeof b), dy = allocate(sizeof y);
    int c = C, h = H, v = W, k = K;
    void *params[] = {&dx, &dw, &db, &dy, &c, &h, &v, &k};
    OK(cuLaunchKernel(function(module, "conv"), 4, K, 1, 32, 1, 1, 0, NULL, params, NULL));
    download(y, dy, sizeof y);
    for (k = 0; k < K; k++)
        for (h = 0; h < H; h++)
            for (v = 0; v < W; v++) {
                float s = b[k];
                for (c = 0; c < C; c++)
                    for (int r = -1; r <= 1; r++)
                        for (int t = -1; t <= 1; t++)
                            if (h + r >= 0 && h + r < H && v + t >= 0 && v + t < W)
                                s = fmaf(x[(c * H + h + r) * W + v + t], w[((k * C + c) * 3 + r + 1) * 3 + t + 1], s);
                CHECK(near(y[(k * H + h) * W + v], s > 0 ? s : 0, 1e-6));
            }
}

static void test_softmax(void)
{
    enum { ROWS = 3, C = 100 };
    float x[ROWS * C], y[ROWS * C];
    for (unsigned i = 0; i < ROWS * C; i++)
        x[i] = 5 * pseudo(i);
    CUdeviceptr dx = upload(x, sizeof x), dy = allocate(sizeof y);
    int c = C;
    OK(LAUNCH(function(module, "softmax"), ROWS, 64, &dx, &dy, &c));
    download(y, dy, sizeof y);
    for (int r = 0; r < ROWS; r++) {
        double m = -1e30, t = 0;
        for (int i = 0; i < C; i++)
            m = fmax(m, x[r * C + i]);
        for (int i = 0; i < C; i++)
            t += exp(x[r * C + i] - m);
        for (int i = 0; i < C; i++)
            CHECK(near(y[r * C + i], x[r * C + i] - m - log(t), 3e-6));
    }
}

/* Conversions saturate, NaN gives 0. */
static float to_int(float v)
{
    return v != v ? 0 : v >= 0x1p31f ? 0x1p31f : v <= -0x1p31f ? -0x1p31f : v;
}

static void test_functions(void)
{
    static const float x[] = {0.5f,  1.5f, -0.3f, 2.75f, 10.f, -7.5f, 0.f,  -0.f, 3.5f,     2.5f,      1e-40f,
                              1e30f, 88.f, 1.f,   -1.f,  0.1f, 100.f, 0.9f, 1.1f, INFINITY, -INFINITY, NAN};
    enum { N = sizeof x / sizeof *x };
    static float y[N][40];
    CUdeviceptr dx = upload(x, sizeof x), dy = allocate(sizeof y);
    int n = N;
    OK(LAUNCH(function(module, "functions"), 1, N, &dx, &dy, &n));
    download(y, dy, sizeof y);
    for (int i = 0; i < N; i++) {
        const float v = x[i];
        const float *o = y[i];
        const double want[] = {
            exp(v),    log(v),    exp(v),       log(v),      tanh(v),     sqrtf(v),         1 / sqrt(v),    1.f / v,
            3.f / v,   erf(v),    pow(v, 1.7f), sin(v),      cos(v),      floorf(v),        ceilf(v),       rintf(v),
            truncf(v), roundf(v), fabsf(v),     fminf(v, 2), fmaxf(v, 2), copysignf(v, -1), fmodf(v, 0.7f), exp2(v),
            log2(v),   log1p(v),  expm1(v),     v / 3,       0,           8 * (double)v,    cbrt(v),        atan(v),
            sinh(v)};
        for (int k = 0; k < 33; k++) {
            const bool unbounded = k == 2 || k == 3 || k == 27;
            if (k == 28 || (unbounded && !(fabs(v) > 1e-30 && fabs(v) < 80)))
                continue;
            const double limit = fabs(want[k]) > 3.4e38 ? INFINITY : 0;
            if (!near(o[k], limit ? copysign(limit, want[k]) : want[k], k == 2 || k == 22 ? 2e-5 : 2e-6)) {
                fprintf(stderr, "function %d of %g: %g, expected %g\n", k, v, o[k], want[k]);
                exit(1);
            }
        }
        CHECK(o[28] == (v > 0 ? v < 1 ? v : 1 : 0));
        if (fabsf(v) < 1e6f)
            CHECK(v <= 0 || near(o[33], sin(v * 100000.f), 1e-5));
        CHECK(v != 1 || (o[34] == 1 && o[35] == nextafterf(1, 2) && o[36] == 1));
        CHECK(o[37] == to_int(truncf(v)) && o[39] == to_int(rintf(v)));
    }
}

static void test_doubles(void)
{
    static const double d[] = {0.5, 2.75, 10, 1e-3, 123.456, 1, 7e5};
    enum { N = sizeof d / sizeof *d };
    double y[N][10];
    CUdeviceptr dd = upload(d, sizeof d), dy = allocate(sizeof y);
    OK(LAUNCH(function(module, "doubles"), 1, N, &dd, &dy));
    download(y, dy, sizeof y);
    for (int i = 0; i < N; i++) {
        const double e = d[i], want[] = {fma(e, 1.5, 2), e / 3,      sqrt(e),  exp(e),   log(e),
                                         floor(e),       fmin(e, 2), (float)e, trunc(e), tanh(e)};
        for (int k = 0; k < 10; k++)
            CHECK(near(y[i][k], want[k], 1e-14));
    }
}

static int dot4(int a, int b)
{
    int sum = 0;
    for (int i = 0; i < 4; i++)
        sum += (signed char)(a >> 8 * i) * (signed char)(b >> 8 * i);
    return sum;
}

static void test_integers(void)
{
    static const int a[] = {100, -7, 13, 1 << 30, -123456, 77, 3, 0x12345678, -1};
    static const long long b[] = {1000000007, -13, 1ll << 40, 12345, -99, 17, 1ll << 62, 5, -3};
    enum { N = 8 };
    int y[N][26];
    long long z[N][6];
    CUdeviceptr da = upload(a, sizeof a), db = upload(b, sizeof b), dy = allocate(sizeof y), dz = allocate(sizeof z);
    OK(LAUNCH(function(module, "integers"), 1, N, &da, &db, &dy, &dz));
    download(y, dy, sizeof y);
    download(z, dz, sizeof z);
    for (int i = 0; i < N; i++) {
        const int v = a[i], u = a[i + 1], *o = y[i];
        const unsigned uv = (unsigned)v, uu = (unsigned)u;
        const long long p = b[i], q = b[i + 1];
        CHECK(o[0] == v / u && o[1] == v % u && o[2] == v >> 3);
        const unsigned base = (unsigned)abs(v);
        const unsigned want3[] = {base + 1, base + uu, base - uv, 3 * base, base ^ uu, 7, uu * uv, base};
        CHECK((unsigned)o[3] == want3[i]);
        CHECK(o[4] == (v < u ? v : u) && o[5] == (v > u ? v : u));
        CHECK((unsigned)o[6] == uv / 7 && (unsigned)o[7] == uv % uu);
        CHECK(o[8] == (int)((long long)v * u >> 32) && (unsigned)o[9] == (unsigned)((unsigned long long)uv * uu >> 32));
        CHECK(o[10] == __builtin_popcount(uv) && o[11] == (v ? __builtin_clz(uv) : 32) && o[13] == __builtin_ffs(v));
        unsigned reversed = 0;
        for (int k = 0; k < 32; k++)
            reversed |= (uv >> k & 1) << (31 - k);
        CHECK((unsigned)o[12] == reversed);
        CHECK((unsigned)o[14] == ((uv & 255) | (uu & 255) << 8 | (uv & 0xff00) << 8 | (uu & 0xff00) << 16));
        CHECK((unsigned)o[15] == (i ? uu << i | uv >> (32 - i) : uu));
        CHECK(o[16] == __builtin_popcountll((unsigned long long)p) && o[17] == __builtin_clzll((unsigned long long)p));
        CHECK(o[18] == dot4(v, u) + 3 && (unsigned)o[19] == (v > u ? uv - uu : uu - uv) + 1);
        CHECK((unsigned)o[20] == uv << (u & 31) && o[21] == (short)v * (short)u);
        CHECK(o[22] == (signed char)v + (unsigned char)u);
        CHECK(o[23] == ((v & u) | (v ^ 5)));
        CHECK(o[24] == (short)v * (unsigned char)u + (short)(v >> 16) * (unsigned char)(u >> 8) + 3);
        CHECK(o[25] == (short)v * (unsigned char)(u >> 16) + (short)(v >> 16) * (unsigned char)(u >> 24) + 3);
        CHECK(z[i][0] == p / q && z[i][1] == p % q && z[i][2] == p >> 5);
        CHECK((unsigned long long)z[i][3] == (unsigned long long)p * (unsigned long long)q);
        CHECK((unsigned long long)z[i][4] == (unsigned long long)p / 1000);
        CHECK(z[i][5] == (long long)((__int128)p * q >> 64));
    }
}

static void test_bytes(void)
{
    enum { N = 64 };
    unsigned char a[4 * N], o[N];
    signed char s[N];
    unsigned short h[N];
    float f[4 * N];
    for (int i = 0; i < 4 * N; i++)
        a[i] = (unsigned char)(i * 77);
    CUdeviceptr da = upload(a, sizeof a), df = allocate(sizeof f), d_o = allocate(sizeof o), ds = allocate(sizeof s),
                dh = allocate(sizeof h);
    OK(LAUNCH(function(module, "bytes"), 2, 32, &da, &df, &d_o, &ds, &dh));
    download(f, df, sizeof f);
    download(o, d_o, sizeof o);
    download(s, ds, sizeof s);
    download(h, dh, sizeof h);
    for (int i = 0; i < 4 * N; i++)
        CHECK(f[i] == (float)a[i] / 255.f);
    for (int i = 0; i < N; i++)
        CHECK(o[i] == (unsigned char)(a[i] + 200) && s[i] == (signed char)(a[i] - 128) >> 1 &&
              h[i] == (unsigned short)(a[i] * 300));
}

static void test_philox(void)
{
    enum { N = 256 };
    unsigned o[N], key0 = 0x12345, key1 = 0x6789;
    float f[N];
    CUdeviceptr d_o = allocate(sizeof o), df = allocate(sizeof f);
    OK(LAUNCH(function(module, "philox"), 4, 64, &d_o, &df, &key0, &key1));
    download(o, d_o, sizeof o);
    download(f, df, sizeof f);
    for (unsigned i = 0; i < N; i++) {
        unsigned c0 = i, c1 = 1, c2 = 2, c3 = 3, k0 = key0, k1 = key1;
        for (int r = 0; r < 10; r++, k0 += 0x9E3779B9u, k1 += 0xBB67AE85u) {
            const unsigned long long p0 = 0xD2511F53ull * c0, p1 = 0xCD9E8D57ull * c2;
            c0 = (unsigned)(p1 >> 32) ^ c1 ^ k0;
            c2 = (unsigned)(p0 >> 32) ^ c3 ^ k1;
            c1 = (unsigned)p1;
            c3 = (unsigned)p0;
        }
        CHECK(o[i] == (c0 ^ c1 ^ c2 ^ c3) && f[i] == (float)(c0 >> 8) / 16777216.f);
    }
}

static void test_atomics(void)
{
    enum { BLOCKS = 6, THREADS = 48, N = BLOCKS * THREADS };
    int c[4] = {0, -5, 5, 0};
    unsigned u[5] = {0, 0, ~0u, 0, 0}, order[BLOCKS], xor = 0, and = ~0u;
    unsigned long long l[2] = {0, 0}, sum = 0;
    CUdeviceptr dc = upload(c, sizeof c), du = upload(u, sizeof u), dl = upload(l, sizeof l);
    CUdeviceptr d_o = allocate(sizeof order);
    OK(LAUNCH(function(module, "atomics"), BLOCKS, THREADS, &dc, &du, &dl, &d_o));
    download(c, dc, sizeof c);
    download(u, du, sizeof u);
    download(l, dl, sizeof l);
    download(order, d_o, sizeof order);
    for (unsigned i = 0; i < N; i++)
        sum += i, xor ^= i, and &= ~(1u << (i & 31));
    CHECK(c[0] == (int)sum && c[1] == N - 1 && c[2] == -(N - 1) && c[3] == -2 * N);
    CHECK(u[0] == ~0u && u[1] == xor&&u[2] == and&&u[3] == sum &&u[4] == BLOCKS);
    CHECK(l[0] == sum << 20 && l[1] == (unsigned long long)(N - 1) << 33);
    for (unsigned i = 0; i < BLOCKS; i++)
        CHECK(order[i] == i);
}

static void test_tables(void)
{
    enum { N = 32 };
    struct {
        CUdeviceptr p;
        int n[5];
        float q;
    } p = {0, {1, 2, 3, 4, 5}, 2.5f};
    float x[N], y[N], scratch[16];
    static const double ti[] = {5, -6, 7}, tf[] = {1, 2, 3, 4.5}, td[] = {1.5, -2.25};
    for (int i = 0; i < N; i++)
        y[i] = (float)i * 10;
    CUdeviceptr dx = allocate(sizeof x), at;
    size_t bytes;
    p.p = upload(y, sizeof y);
    int k = 1;
    OK(LAUNCH(function(module, "tables"), 1, N, &dx, &p, &k));
    download(x, dx, sizeof x);
    OK(cuModuleGetGlobal_v2(&at, &bytes, module, "scratch"));
    CHECK(bytes == sizeof scratch);
    download(scratch, at, sizeof scratch);
    for (int i = 0; i < 16; i++)
        CHECK(scratch[i] == 2.5f + (float)i);
    for (int i = 0; i < N; i++) {
        float local[20];
        for (int j = 0; j < 20; j++)
            local[j] = (float)(j * i);
        for (int j = 0; j < 7; j++)
            local[(j * 7 + k + i) % 20] += 1;
        CHECK(x[i] == (float)(tf[i & 3] + ti[i % 3] + td[k] + 2 + 0 + 2 + y[i]) + local[(k + i) % 20]);
    }
}

static void test_generic(void)
{
    enum { N = 32 };
    float x[3 * N];
    for (int i = 0; i < 3 * N; i++)
        x[i] = (float)i;
    CUdeviceptr dx = upload(x, sizeof x);
    int n = N;
    OK(launch(function(module, "generic"), 1, N, 2 * N * sizeof(float), (void *[]){&dx, &n}));
    download(x, dx, sizeof x);
    for (int i = 0; i < N; i++)
        CHECK(i & 1 ? x[2 * N + i] == (float)(N - 1 - i + (i & 3)) : x[N + i] == (float)(N - 1 - i + (i & 3)));
}

static void test_narrow(void)
{
    static const float v[] = {1.00390625f, -3.14159f, 65504.f, 1e-7f, 70000.f, 0.333333f};
    enum { N = sizeof v / sizeof *v };
    static const unsigned short bf16[N] = {0x3f80, 0xc049, 0x4780, 0x33d7, 0x4789, 0x3eab};
    static const unsigned short f16[N] = {0x3c04, 0xc248, 0x7bff, 0x0002, 0x7c00, 0x3555};
    unsigned short h[N][4];
    float f[N];
    CUdeviceptr dh = allocate(sizeof h), df = upload(v, sizeof v);
    OK(LAUNCH(function(module, "narrow"), 1, N, &dh, &df));
    download(h, dh, sizeof h);
    download(f, df, sizeof f);
    for (int i = 0; i < N; i++) {
        CHECK(h[i][0] == bf16[i]);
        CHECK(h[i][1] == f16[i]);
        CHECK(h[i][3] == bf16[i]);
        CHECK(f[i] == (v[i] > 0 ? 2 * v[i] : -v[i]));
    }
}

static void all(void)
{
    module = load(ptx);
    test_add();
    test_reduce();
    test_shuffles();
    test_collatz();
    test_conv();
    test_softmax();
    test_functions();
    test_doubles();
    test_integers();
    test_bytes();
    test_philox();
    test_atomics();
    test_tables();
    test_generic();
    test_narrow();
}

/* What does not depend on fast approximations. */
static void fast(void)
{
    module = load(ptx);
    test_add();
    test_reduce();
    test_shuffles();
    test_conv();
    test_integers();
    test_philox();
    test_tables();
}

/* An instruction that the simulator does not know is named with its line when the module is loaded. */
static void unknown(void)
{
    CUmodule m;
    start();
    RETURNS(CUDA_ERROR_INVALID_PTX, cuModuleLoadData(&m, ".version 8.0\n.target sm_80\n.address_size 64\n"
                                                         ".visible .entry f()\n{\n.reg .b32 %r<2>;\n"
                                                         "frobnicate.b32 %r1, 3;\nret;\n}\n"));
    CHECK(report_has("PTX line 7") && report_has("frobnicate.b32"));
    RETURNS(CUDA_ERROR_NO_BINARY_FOR_GPU, cuModuleLoadData(&m, "\x7f"
                                                               "ELF...."));
    RETURNS(CUDA_ERROR_INVALID_PTX, cuModuleLoadData(&m, ".version 8.0\n.target sm_120\n.address_size 64\n"));
    CHECK(report_has("SIM_CC"));
}

int main(void)
{
    static const char *const targets[] = {"80", "90", "100", "120"};
    char *source = read_text("tests/cudasim/tests/kernels.cu");
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
        char options[128], environment[64];
        snprintf(options, sizeof options, "--gpu-architecture=compute_%s%s", targets[i],
                 i % 2 ? " --generate-line-info" : "");
        ptx = compile(source, options);
        snprintf(environment, sizeof environment, "SIM_CC=%s", targets[i]);
        CASE(all, environment);
        snprintf(environment, sizeof environment, "SIM_THREADS=1 SIM_CHECK=1 SIM_PROF=1 SIM_CC=%s", targets[i]);
        CASE(all, environment);
    }
    ptx = compile(source, "--gpu-architecture=compute_90 --use_fast_math");
    CASE(fast, "");
    CASE(unknown, "SIM_CC=90");
    return finish();
}
