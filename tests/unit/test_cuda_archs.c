/* The kernels of all models on all architectures that NVRTC serves, and on those with instructions that only they have:
 * each kernel on one of them, in turn, in tf32 and bf16 too. ARCHS=all: every kernel on every architecture, which takes
 * a quarter of an hour; ARCHS=sm_86: on that one. It compiles, keeps its values in registers,
 * fits a block, and takes the parameters that launches pass. Needs no GPU. */
#define _GNU_SOURCE 1
#include "cuda/cubin.h"
#include "cuda_sim.h"
#include "emit/emit.h"
#include "harness.h"
#include "cuda/nvrtc.h"
#include "plan/op.h"

#include <ctype.h>
#include <xxhash.h>

enum {
    BLOCK_REGISTERS = 65536,
    BLOCK_SHARED = 48 << 10,
    RESERVED_SHARED = 1024,
    MAX_TARGETS = 80,
    MAX_DISTINCT = 10000,
    TENSOR_CORES = 80
};

static struct cuda cuda;
static char target[MAX_TARGETS][16];
static int targets, with_tensor_cores; /* how many; the first with tensor cores */
static bool whole;                     /* every kernel on each of them */
static int kernels;                    /* compiled */

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

/* ---- the text of some kernels of a model ---- */

struct text {
    char *whole;
    size_t head; /* bytes before the first kernel */
    int n;
    char **kernel; /* where each begins, and the end: n + 1 of them */
    struct emit_launches launches;
};

static char *next_kernel(char *from)
{
    char *at = from;
    while ((at = strstr(at, "\n// k")) && !isdigit((unsigned char)at[5]))
        at++;
    return at ? at + 1 : from + strlen(from);
}

static void open_text(struct text *x, const struct plan *p, enum precision precision)
{
    size_t size;
    *x = (struct text){0};
    FILE *out = open_memstream(&x->whole, &size);
    assert_true(out && emit_cuda(p, &(struct emit_options){.precision = precision}, out, &x->launches));
    assert_int_equal(fclose(out), 0);
    char *at = next_kernel(x->whole);
    x->head = (size_t)(at - x->whole);
    x->kernel = calloc(size / strlen("\n// k") + 2, sizeof *x->kernel);
    assert_non_null(x->kernel);
    for (x->kernel[0] = at; *at; x->kernel[++x->n] = at)
        at = next_kernel(at);
    assert_true(x->n > 0);
}

static void close_text(struct text *x)
{
    free(x->whole);
    free(x->kernel);
    emit_launches_free(&x->launches);
}

/* Of a kernel's text without comments and the names of its operands and of itself. */
static XXH64_hash_t hash_of(const struct text *x, int i)
{
    XXH64_hash_t hash = 0;
    for (const char *at = x->kernel[i], *end = x->kernel[i + 1]; at < end; at++) {
        size_t digits = *at == 't' || *at == 'k' ? strspn(at + 1, "0123456789") : 0;
        if (strncmp(at, "//", 2) == 0) {
            at += strcspn(at, "\n");
        } else if (digits && at[1 + digits] == '_') {
            hash = XXH64(at, *at == 't' ? 1 + digits : 1, hash);
            while (at[1] == '_' || isalnum((unsigned char)at[1]))
                at++;
        } else {
            hash = XXH64(at, 1, hash);
        }
    }
    return hash;
}

/* Each kernel once: in the order in which they are met, with the targets on which they were compiled (`whole`), or whether. */
static struct {
    XXH64_hash_t hash;
    bool on[MAX_TARGETS];
} distinct[MAX_DISTINCT];
static int ndistinct;

static int number_of(XXH64_hash_t hash)
{
    int i = 0;
    while (i < ndistinct && distinct[i].hash != hash)
        i++;
    assert_true(i < MAX_DISTINCT);
    distinct[i].hash = hash;
    ndistinct += i == ndistinct;
    return i;
}

/* Targets before `first` cannot do it. */
static bool wanted(int number, int on, int first)
{
    bool *done = &distinct[number].on[whole ? on : 0];
    bool yes = !*done && (whole || first + number % (targets - first) == on);
    *done = *done || yes;
    return yes;
}

/* The text with those kernels that are to be compiled for this target. NULL: none. */
static char *take(const struct text *x, int on, int first)
{
    bool any = false;
    char *text = malloc(strlen(x->whole) + 1), *to;
    assert_non_null(text);
    to = mempcpy(text, x->whole, x->head);
    for (int i = 0; i < x->n; i++)
        if (wanted(number_of(hash_of(x, i)), on, first)) {
            to = mempcpy(to, x->kernel[i], (size_t)(x->kernel[i + 1] - x->kernel[i]));
            any = true;
            kernels++;
        }
    *to = '\0';
    if (any)
        return text;
    free(text);
    return NULL;
}

static bool defines(const char *text, const char *entry)
{
    for (const char *at = text; (at = strstr(at, entry)); at++)
        if (at[strlen(entry)] == '(' && at[-1] == ' ')
            return true;
    return false;
}

/* ---- checking them ---- */

static int check_text(const struct plan *p, const struct emit_launches *l, const char *text, const char *path,
                      const char *arch)
{
    struct nvrtc_code code;
    struct device_error e;
    int list[MAX_STAGES * 2 * MAX_OPERANDS], wrong = 0;
    uint32_t stream[MAX_STAGES];
    if (!nvrtc_compile(&cuda, text, arch, &code, &e))
        fail_msg("%s, %s: %s", path, arch, e.text);
    for (int i = 0; i < l->n; i++)
        if (defines(text, l->launch[i].entry))
            wrong += check_entry(&code, path, arch, l->launch[i].entry,
                                 kernel_operands(p, l->launch[i].kernel, list) + 2 +
                                     kernel_streams(p, l->launch[i].kernel, stream),
                                 l->launch[i].threads);
    wrong += check_entry(&code, path, arch, "nr_begin", 2, CTL_WORDS);
    wrong += check_entry(&code, path, arch, "nr_end", 2, CTL_WORDS);
    nvrtc_free(&code);
    return wrong;
}

static int check_model(const struct plan *p, const char *path)
{
    int wrong = 0;
    for (int precision = 0; precision < PRECISION_COUNT; precision++) {
        struct text x;
        char name[300];
        int first = precision == PRECISION_FP32 ? 0 : with_tensor_cores;
        open_text(&x, p, (enum precision)precision);
        assert_true(x.launches.n >= emit_row(p, &target_cuda, p->nkernel));
        snprintf(name, sizeof name, "%s, %s", path, precision_word[precision]);
        for (int i = first; i < targets; i++) {
            char *text = take(&x, i, first);
            if (text)
                wrong += check_text(p, &x.launches, text, name, target[i]);
            free(text);
        }
        close_text(&x);
    }
    return wrong;
}

static void test_models(void **state)
{
    (void)state;
    glob_t found;
    int wrong = 0;
    if (!nvrtc_there())
        skip();
    assert_true(targets > 0);
    assert_int_equal(glob("models/*.net", 0, NULL, &found), 0);
    assert_int_equal(glob("tests/wide.net", GLOB_APPEND, NULL, &found), 0);
    for (size_t m = 0; m < found.gl_pathc; m++) {
        struct trial t;
        assert_true(trial_plan(&t, found.gl_pathv[m], read_text(found.gl_pathv[m]), NULL, 0, stderr));
        wrong += check_model(t.p, found.gl_pathv[m]);
        trial_close(&t);
    }
    globfree(&found);
    print_message("%d kernels, %d architectures, %d compiled\n", ndistinct, targets, kernels);
    assert_int_equal(wrong, 0);
}

/* In ascending order, so that those without tensor cores stand first. */
static void find_targets(void)
{
    static const int special[] = {90, 100, 120};
    const char *only = getenv("ARCHS");
    int n = 0, known[MAX_TARGETS / 2];
    if (!cuda_open(&cuda, NVRTC) || cuda.nvrtcGetNumSupportedArchs(&n) || n > COUNT(known) ||
        cuda.nvrtcGetSupportedArchs(known))
        return;
    whole = only && *only;
    for (int i = 0; i < n; i++)
        for (int k = -1; k < COUNT(special); k++) {
            char *name = target[targets];
            snprintf(name, sizeof *target, "sm_%d%s", known[i], k < 0 ? "" : "a");
            if ((k < 0 || special[k] == known[i]) && (!whole || strcmp(only, "all") == 0 || strcmp(only, name) == 0)) {
                targets++;
                with_tensor_cores += known[i] < TENSOR_CORES;
            }
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_models)};
    find_targets();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
