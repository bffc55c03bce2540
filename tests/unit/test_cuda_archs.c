/* Every kernel of every model on the oldest architecture that NVRTC serves, on sm_90 and on the newest; with ARCHS=all
 * on all of them, which takes many minutes. It compiles, keeps its values in registers, fits a block, and takes the
 * parameters that launches pass. Needs no GPU. */
#define _GNU_SOURCE 1
#include "cubin.h"
#include "cuda_sim.h"
#include "emit.h"
#include "harness.h"
#include "nvrtc.h"

enum { BLOCK_REGISTERS = 65536, BLOCK_SHARED = 48 << 10, RESERVED_SHARED = 1024, MAX_TARGETS = 80 };

static struct cuda cuda;
static char target[MAX_TARGETS][16];
static int targets;

static bool all_pointers(const struct cubin_kernel *k, int n)
{
    bool ok = k->parameters == n && k->parameter_bytes == 8 * (uint32_t)n;
    for (int i = 0; ok && i < n; i++)
        ok = k->parameter[i].offset == 8 * i && k->parameter[i].size == 8;
    return ok;
}

static int check_entry(const struct nvrtc_code *code, const char *path, const char *arch, const char *entry,
                       int parameters, int threads)
{
    struct cubin_kernel k;
    const char *wrong = NULL;
    int64_t shared = BLOCK_SHARED + (atoi(arch + strlen("sm_")) >= 90 ? RESERVED_SHARED : 0);
    /* registers are given out by warps, in steps of 256 */
    int64_t warps = (threads + 31) / 32;
    if (!cubin_kernel(code->bytes, code->cubin, entry, &k))
        wrong = "is not in the CUBIN";
    else if (k.frame)
        wrong = "uses local memory";
    else if (((int64_t)k.registers * 32 + 255) / 256 * 256 * warps > BLOCK_REGISTERS)
        wrong = "has too many registers for its threads";
    else if ((int64_t)k.shared > shared)
        wrong = "has too much shared memory";
    else if (k.max_threads && (int)k.max_threads < threads)
        wrong = "is launched with more threads than it is bound to";
    else if (!all_pointers(&k, parameters))
        wrong = "does not take the pointers that are passed";
    if (wrong)
        print_error("%s, %s: %s %s (%u registers, %u bytes of local and %llu of shared memory, %d parameters)\n", path,
                    arch, entry, wrong, k.registers, k.frame, (unsigned long long)k.shared, k.parameters);
    return wrong != NULL;
}

static int check_target(const struct plan *p, const struct emit_launches *l, const char *text, const char *path,
                        const char *arch)
{
    struct nvrtc_code code;
    struct device_error e;
    int list[MAX_STAGES * 2 * MAX_OPERANDS], wrong = 0;
    if (!nvrtc_compile(&cuda, text, arch, &code, &e))
        fail_msg("%s, %s: %s", path, arch, e.text);
    for (int i = 0; i < l->n; i++)
        wrong += check_entry(&code, path, arch, l->launch[i].entry, kernel_operands(p, l->launch[i].kernel, list) + 2,
                             l->launch[i].threads);
    wrong += check_entry(&code, path, arch, "nr_begin", 2, CTL_WORDS);
    wrong += check_entry(&code, path, arch, "nr_end", 2, CTL_WORDS);
    nvrtc_free(&code);
    return wrong;
}

static void test_models(void **state)
{
    (void)state;
    glob_t found;
    int wrong = 0;
    if (!nvrtc_there())
        skip();
    assert_int_equal(glob("models/*.net", 0, NULL, &found), 0);
    for (size_t m = 0; m < found.gl_pathc; m++) {
        const char *path = found.gl_pathv[m];
        struct trial t;
        struct emit_launches l = {0};
        char *text;
        size_t size;
        assert_true(trial_plan(&t, path, read_text(path), NULL, 0, stderr));
        FILE *out = open_memstream(&text, &size);
        assert_true(out && emit_cuda(t.p, &(struct emit_options){.file = path}, out, &l) && fclose(out) == 0);
        assert_true(l.n >= emit_row(t.p, TARGET_CUDA, t.p->nkernel));
        for (int i = 0; i < targets; i++)
            wrong += check_target(t.p, &l, text, path, target[i]);
        free(text);
        emit_launches_free(&l);
        trial_close(&t);
    }
    globfree(&found);
    assert_int_equal(wrong, 0);
}

/* Of all: those with instructions that only they have as well. */
static void find_targets(void)
{
    static const char *const special[] = {"sm_90a", "sm_100a", "sm_120a"};
    const char *wanted = getenv("ARCHS");
    bool all = wanted && strcmp(wanted, "all") == 0;
    int n = 0, known[MAX_TARGETS - COUNT(special)];
    if (!cuda_open(&cuda, NVRTC) || cuda.nvrtcGetNumSupportedArchs(&n) || n > COUNT(known) ||
        cuda.nvrtcGetSupportedArchs(known))
        return;
    for (int i = 0; i < n; i++)
        if (all || i == 0 || i == n - 1 || known[i] == 90)
            snprintf(target[targets++], sizeof *target, "sm_%d", known[i]);
    for (int i = 0; all && i < COUNT(special); i++)
        snprintf(target[targets++], sizeof *target, "%s", special[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_models)};
    find_targets();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
