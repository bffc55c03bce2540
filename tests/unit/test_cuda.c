/* CUDA's libraries: found by name, refused with reasons; devices and what is said of them. */
#define _GNU_SOURCE 1
#include "cuda_sim.h"
#include "cuda/nvrtc.h"

#include <dlfcn.h>

static char folder[] = "/tmp/test_cuda-XXXXXX";

/* ---- our own declarations and the toolkit's ---- */

#if __has_include("/usr/local/cuda/include/cuda.h")
static void test_headers(void **state)
{
    (void)state;
    char command[512];
    snprintf(command, sizeof command,
             "cat > %s/headers.c <<'END'\n"
             "#include \"/usr/local/cuda/include/cuda.h\"\n#include \"/usr/local/cuda/include/nvrtc.h\"\n"
             "#include \"/usr/local/cuda/include/cublas_v2.h\"\n"
             "#define CONSTANT(name, value) _Static_assert((int)(name) == value, #name);\n"
             "#define FUNCTION(library, need, result, symbol, arguments) result (*my_##symbol) arguments = symbol;\n"
             "#include \"runtime/cuda/cuda_names.h\"\n"
             "_Static_assert(sizeof(CUresult) == 4 && sizeof(nvrtcResult) == 4 && sizeof(CUdeviceptr) == 8, \"\");\n"
             "END\n",
             folder);
    assert_int_equal(system(command), 0);
    snprintf(command, sizeof command,
             "${CC:-cc} -Werror -I. -isystem /usr/local/cuda/include -fsyntax-only %s/headers.c", folder);
    assert_int_equal(system(command), 0);
}
#else
static void test_headers(void **state)
{
    (void)state;
    print_message("the toolkit's headers are not installed\n");
    skip();
}
#endif

/* ---- libraries ---- */

static int report_of(void *text)
{
    char *said = NULL;
    size_t size;
    FILE *out = open_memstream(&said, &size);
    bool usable = cuda_report(out);
    fclose(out);
    for (const char *word = text; *word; word += strlen(word) + 1)
        if (!strstr(said, word)) {
            fprintf(stderr, "`%s` is not in:\n%s", word, said);
            return 2;
        }
    free(said);
    return usable ? 0 : 1;
}

static void check_report(const char *environment, int status, char *words)
{
    char log[4096];
    int got = in_child(environment, report_of, words, log, sizeof log);
    if (got != status)
        fail_msg("[%s]: status %d, not %d: %s", environment, got, status, log);
}

static void test_report(void **state)
{
    (void)state;
    if (!sim_there())
        skip();
    check_report("SIM_VRAM=2GiB", 0,
                 "libnvrtc\0version\0cuda:0      Simulated CUDA device, sm_90, 2.0 GiB of memory\0"
                 "\n            usable\n\0");
    check_report("SIM_CC=60", 1, "sm_60\0not usable: this NVRTC serves sm_75 to\0");
    check_report("SIM_CC=123", 0, "usable, compiled by the driver: it is newer than NVRTC\0");
    check_report("SIM_DEVICES=0", 1, "no GPU: the driver finds no GPU\0");
    check_report("SIM_FAIL=cuInit:1", 1, "cuInit failed with 999, CUDA_ERROR_UNKNOWN\0");
    check_report("SIM_FAIL=cuInit:1:34", 1, "is the toolkit's stub, not a driver\0");
    check_report("SIM_FAIL=cuMemGetInfo_v2:1", 1, "not usable: cuMemGetInfo_v2 failed\0");
    check_report("SIM_VRAM=64MiB SIM_RESERVE=128MiB", 1,
                 "cuda:0 (Simulated CUDA device) has 64 MiB of memory, and too little "
                 "of it is free for a CUDA context, which takes some 100 to 600 MiB\0");
}

/* The simulator is no GPU that anybody is offered. */
static void test_simulator_must_be_named(void **state)
{
    (void)state;
    if (!sim_there())
        skip();
    char command[128];
    snprintf(command, sizeof command, "ln -s \"$PWD\"/" SIM_FOLDER "/libcuda.so.1 %s/libcuda.so.1", folder);
    assert_int_equal(system(command), 0);
    snprintf(command, sizeof command, "NETRUN_CUDA_LIBDIR=%s", folder);
    check_report(command, 0, "Simulated\0");
    static struct cuda c;
    unsetenv("NETRUN_CUDA_LIBDIR");
    /* opened before, it is what the loader's own rules find */
    void *handle = dlopen(SIM_FOLDER "/libcuda.so.1", RTLD_NOW);
    assert_non_null(handle);
    assert_false(cuda_open(&c, DRIVER) && strstr(c.library[DRIVER].path, "cudasim"));
    assert_non_null(strstr(c.library[DRIVER].tried, "libcuda.so.1: a simulated device, used only where"));
    dlclose(handle);
}

static void test_every_path_is_told(void **state)
{
    (void)state;
    static struct cuda c;
    char path[128], text[256];
    snprintf(path, sizeof path, "%s/libnvrtc.so.13", folder);
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    fputs("no library\n", out);
    fclose(out);
    snprintf(path, sizeof path, "%s/libcublas.so.13", folder);
    /* a library that has none of the functions */
    snprintf(text, sizeof text, "echo 'int nothing;' | ${CC:-cc} -shared -x c -o %s -", path);
    assert_int_equal(system(text), 0);
    setenv("NETRUN_CUDA_LIBDIR", folder, 1);
    cuda_open(&c, NVRTC);
    cuda_open(&c, CUBLAS);
    snprintf(text, sizeof text, "%s/libnvrtc.so.13: ", folder);
    assert_non_null(strstr(c.library[NVRTC].tried, text));
    snprintf(text, sizeof text, "%s/libnvrtc.so.12: ", folder);
    assert_non_null(strstr(c.library[NVRTC].tried, text));
    snprintf(text, sizeof text, "%s: is too old, it has no cublasCreate_v2", path);
    assert_non_null(strstr(c.library[CUBLAS].tried, text));
    unsetenv("NETRUN_CUDA_LIBDIR");
}

static int say_nvrtc(void *ctx)
{
    (void)ctx;
    static struct cuda c;
    if (cuda_open(&c, NVRTC))
        fputs(c.library[NVRTC].path, stderr);
    return 0;
}

/* Several toolkits, one driver: the newest that it knows is taken, a newer one only where there is no other. Each is an empty
 * library that needs the real one. */
static void test_driver_decides(void **state)
{
    (void)state;
    static const struct {
        const char *driver;
        char *words;
    } cases[] = {
        {"SIM_DRIVER=13010", "/libnvrtc.so.13, version\0"},
        {"SIM_DRIVER=12080", "/libnvrtc.so.12, version\0"},
        {"SIM_DRIVER=11080", "/libnvrtc.so.11.2, version\0"},
        {"SIM_DRIVER=10020", "/libnvrtc.so.13, version\0"},
    };
    char command[2 * PATH_MAX], environment[128], nvrtc[PATH_MAX];
    if (!sim_there() || in_child("", say_nvrtc, NULL, nvrtc, sizeof nvrtc) || !*nvrtc)
        skip();
    snprintf(command, sizeof command,
             "mkdir %s/toolkits && cd %s/toolkits && ln -s \"$OLDPWD\"/" SIM_FOLDER "/libcuda.so.1 . && "
             "for v in 13 12 11.2; do ${CC:-cc} -shared -o libnvrtc.so.$v -Wl,--no-as-needed %s || exit 1; done",
             folder, folder, nvrtc);
    assert_int_equal(system(command), 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        snprintf(environment, sizeof environment, "%s NETRUN_CUDA_LIBDIR=%s/toolkits", cases[i].driver, folder);
        check_report(environment, 0, cases[i].words);
    }
}

/* ---- memory ---- */

static size_t said_free, said_total;

static CUresult say(size_t *unused, size_t *total)
{
    *unused = said_free;
    *total = said_total;
    return 0;
}

/* As a process on WSL was told that 17179869184 GiB are used (microsoft/WSL#11050). */
static void test_impossible_sizes(void **state)
{
    (void)state;
    static const size_t sizes[][2] = {{0, 0}, {9, 8}, {8, ((size_t)1 << 50) + 1}, {SIZE_MAX, SIZE_MAX}};
    static struct cuda c = {.cuMemGetInfo_v2 = say};
    struct device_error e = {0};
    int64_t unused = 7, total = 7;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        said_free = sizes[i][0];
        said_total = sizes[i][1];
        assert_false(cuda_memory(&c, &unused, &total, &e));
        assert_int_equal(e.status, 5);
        assert_non_null(strstr(e.text, "cuMemGetInfo_v2 cannot be right"));
    }
    assert_true(unused == 7 && total == 7);
    said_free = 0;
    said_total = (size_t)1 << 50;
    assert_true(cuda_memory(&c, &unused, &total, &e));
    assert_true(unused == 0 && total == (int64_t)1 << 50);
}

/* ---- NVRTC ---- */

static nvrtcResult (*real_compile)(nvrtcProgram, int, const char *const *);
static bool language_named;

static nvrtcResult watch_options(nvrtcProgram program, int n, const char *const *option)
{
    for (int i = 0; i < n; i++)
        language_named |= !strcmp(option[i], "--std=c++17");
    return real_compile(program, n, option);
}

static const char source[] = "extern \"C\" __global__ void one(float *a) { a[threadIdx.x] += 1; }\n";

static void test_compile(void **state)
{
    (void)state;
    if (!nvrtc_there())
        skip();
    static struct cuda c;
    struct device_error e = {0};
    struct nvrtc_target t, newer;
    struct nvrtc_code code, again;
    char path[128], text[256];
    assert_true(cuda_open(&c, NVRTC));
    assert_true(nvrtc_serve(&c, 90, &t, &e) && t.arch == 90 && t.exact);
    assert_true(nvrtc_serve(&c, 999, &newer, &e) && newer.arch >= 120 && !newer.exact);
    assert_false(nvrtc_serve(&c, 20, &newer, &e));
    assert_int_equal(e.status, 5);
    real_compile = c.nvrtcCompileProgram;
    c.nvrtcCompileProgram = watch_options; /* NVRTC 11 takes C++14 unless told */

    snprintf(path, sizeof path, "%s/kept", folder);
    struct nvrtc_options o = {.name = "../a net", .emit_dir = path};
    assert_true(nvrtc_load(&c, source, &t, &o, &code, &e));
    assert_true(!code.cached && code.cubin > 0 && memcmp(code.bytes, "\177ELF", 4) == 0);
    assert_non_null(strstr(code.bytes + code.cubin, ".target sm_90"));
    assert_int_equal(code.bytes[code.cubin + code.ptx - 1], '\0');
    snprintf(path, sizeof path, "%s/kept/___a_net.cu", folder);
    FILE *kept = fopen(path, "r");
    assert_non_null(kept);
    text[fread(text, 1, sizeof text - 1, kept)] = '\0';
    fclose(kept);
    assert_string_equal(text, source);

    o.emit_dir = NULL;
    assert_true(nvrtc_load(&c, source, &t, &o, &again, &e));
    assert_true(again.cached && again.cubin == code.cubin && again.ptx == code.ptx);
    assert_memory_equal(again.bytes, code.bytes, code.cubin + code.ptx);
    nvrtc_free(&code);
    nvrtc_free(&again);

    t.exact = false; /* PTX alone is another object */
    assert_true(nvrtc_load(&c, source, &t, &o, &code, &e));
    assert_true(!code.cached && code.cubin == 0 && code.ptx > 0);
    nvrtc_free(&code);
    snprintf(text, sizeof text,
             "for f in %s/netrun/*; do echo x | dd of=$f bs=1 seek=99 conv=notrunc; done 2>/dev/null", folder);
    assert_int_equal(system(text), 0);
    assert_true(nvrtc_load(&c, source, &t, &o, &code, &e));
    assert_false(code.cached);
    nvrtc_free(&code);

    assert_false(nvrtc_load(&c, "__global__ void one() { nonsense; }", &t, &o, &code, &e));
    assert_int_equal(e.status, 70);
    assert_non_null(strstr(e.text, "\"nonsense\" is undefined"));
    assert_null(code.bytes);
    assert_true(language_named);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_report),
        cmocka_unit_test(test_driver_decides),
        cmocka_unit_test(test_simulator_must_be_named),
        cmocka_unit_test(test_every_path_is_told),
        cmocka_unit_test(test_impossible_sizes),
        cmocka_unit_test(test_compile),
    };
    if (!mkdtemp(folder))
        return 1;
    setenv("XDG_CACHE_HOME", folder, 1);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    char command[64];
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command) ? 1 : failed;
}
