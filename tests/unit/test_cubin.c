/* The CUBIN reader on what NVRTC makes for every architecture, and on damaged bytes. */
#define _GNU_SOURCE 1
#include "cuda/cubin.h"
#include "cuda_sim.h"
#include "cuda/nvrtc.h"

#include <elf.h>

static const char source[] =
    "extern \"C\" __global__ void __launch_bounds__(128) one(float *a, const float *b, int n, unsigned *control) {\n"
    "    __shared__ float s[200];\n"
    "    s[threadIdx.x] = b[threadIdx.x] * n;\n"
    "    __syncthreads();\n"
    "    a[threadIdx.x] = s[127 - threadIdx.x] * control[0];\n"
    "}\n"
    "extern \"C\" __global__ void spills(float *a) {\n"
    "    float t[100];\n"
    "    for (int i = 0; i < 100; i++) t[i] = a[i];\n"
    "    for (int i = 0; i < 100; i++) a[(int)t[i]] = t[(int)a[i] % 100];\n"
    "}\n"
    "extern \"C\" __global__ void none() {}\n";

static struct cuda cuda;

static void compile(const char *target, struct nvrtc_code *code)
{
    struct device_error e = {0};
    if (!nvrtc_compile(&cuda, source, target, code, &e))
        fail_msg("%s", e.text);
}

static void check(const char *target)
{
    static const uint16_t offset[] = {0, 8, 16, 24}, size[] = {8, 8, 4, 8};
    struct nvrtc_code code;
    struct cubin_kernel k;
    compile(target, &code);
    if (!cubin_kernel(code.bytes, code.cubin, "one", &k))
        fail_msg("%s: kernel `one` is not found", target);
    assert_in_range(k.registers, 4, 64);
    assert_int_equal(k.frame, 0);
    assert_true(k.shared == 800 || k.shared == 800 + 1024);
    assert_int_equal(k.max_threads, 128);
    assert_int_equal(k.parameter_bytes, 32);
    assert_int_equal(k.parameters, 4);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(k.parameter[i].offset, offset[i]);
        assert_int_equal(k.parameter[i].size, size[i]);
    }
    assert_true(cubin_kernel(code.bytes, code.cubin, "spills", &k));
    assert_true(k.frame >= 400 && k.parameters == 1 && k.max_threads == 0);
    assert_true(cubin_kernel(code.bytes, code.cubin, "none", &k));
    assert_true(k.parameters == 0 && k.parameter_bytes == 0 && k.frame == 0);
    assert_false(cubin_kernel(code.bytes, code.cubin, "non", &k));
    assert_false(cubin_kernel(code.bytes, code.cubin, "", &k));
    nvrtc_free(&code);
}

static void test_every_architecture(void **state)
{
    (void)state;
    int n = 0, known[64];
    if (!nvrtc_there())
        skip();
    assert_true(cuda_open(&cuda, NVRTC));
    assert_int_equal(cuda.nvrtcGetNumSupportedArchs(&n), 0);
    assert_in_range(n, 1, 64);
    assert_int_equal(cuda.nvrtcGetSupportedArchs(known), 0);
    for (int i = 0; i < n; i++) {
        char target[16];
        snprintf(target, sizeof target, "sm_%d", known[i]);
        check(target);
    }
    check("sm_90a");
    check("sm_100a");
    check("sm_120a");
}

/* Whatever the bytes are, it reads none outside of them: the sanitizer looks, and valgrind. */
static void test_damage(void **state)
{
    (void)state;
    if (!nvrtc_there())
        skip();
    assert_true(cuda_open(&cuda, NVRTC));
    struct nvrtc_code code;
    struct cubin_kernel k;
    compile("sm_90", &code);
    int good = 0;
    Elf64_Ehdr head;
    memcpy(&head, code.bytes, sizeof head);
    size_t needed = head.e_shoff + (size_t)head.e_shnum * sizeof(Elf64_Shdr);
    assert_in_range(needed, sizeof head, code.cubin);
    for (size_t n = 0; n < needed; n += n < 64 ? 1 : 37) {
        char *cut = malloc(n);
        memcpy(cut, code.bytes, n);
        good += cubin_kernel(n ? cut : NULL, n, "one", &k);
        free(cut);
    }
    assert_int_equal(good, 0);
    char *copy = malloc(code.cubin);
    uint32_t random = 1;
    for (int i = 0; i < 20000; i++) {
        memcpy(copy, code.bytes, code.cubin);
        for (int j = 0; j < 4; j++) {
            random = random * 1664525 + 1013904223;
            /* the tables at both ends more often than the code between */
            size_t at = random >> 8, zone = i % 3;
            at = zone == 0 ? at % 64 : zone == 1 ? at % 0xa00 : code.cubin - 1 - at % (64 * 23);
            copy[at] = (char)(random % 5 ? random >> 3 : 0xff);
        }
        good += cubin_kernel(copy, code.cubin, "one", &k);
        assert_in_range(k.parameters, 0, CUBIN_PARAMETERS);
    }
    assert_in_range(good, 1, 19999);
    free(copy);
    nvrtc_free(&code);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_architecture),
        cmocka_unit_test(test_damage),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    return failed;
}
