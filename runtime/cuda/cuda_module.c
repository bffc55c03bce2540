/* The code of a plan on a GPU: emitted, compiled, loaded; every entry found and checked. */
#define _GNU_SOURCE 1
#include "cuda_module.h"

#include "cubin.h"
#include "device/device_error.h"
#include "plan/op.h"

#include <stdlib.h>
#include <string.h>

enum { LOG_ROOM = 4096, OPERANDS = MAX_STAGES * 2 * MAX_OPERANDS };

static bool emit_text(struct cuda_module *m, const struct plan *p, enum precision precision, const char *file,
                      cuda_emitter *emit, char **text, struct device_error *e)
{
    struct emit_options o = {.lanes = 1, .precision = precision, .file = file};
    size_t length;
    FILE *out = open_memstream(text, &length);
    bool ok = out && emit(p, &o, out, &m->list);
    ok = out && fclose(out) == 0 && ok;
    return ok || device_fail(e, 70, "the kernels cannot be emitted");
}

/* A driver older than NVRTC is the usual reason, so the versions are said. */
static bool refused(const struct cuda *c, const char *log, struct device_error *e)
{
    struct device_error cause = *e;
    int driver = 0, major = 0, minor = 0;
    c->cuDriverGetVersion(&driver);
    c->nvrtcVersion(&major, &minor);
    return device_fail(e, cause.status, "%s (the driver is for CUDA up to %d.%d, the code was made by NVRTC %d.%d)%s%s",
                       cause.text, driver / 1000, driver % 1000 / 10, major, minor, *log ? ": " : "", log);
}

/* The driver puts the bytes written where it read the room of the log, so each load has options of its own. */
static CUresult load_image(struct cuda_module *m, const struct cuda *c, const char *image, char log[LOG_ROOM])
{
    CUjit_option option[] = {CU_JIT_ERROR_LOG_BUFFER, CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES};
    void *value[] = {log, (void *)(uintptr_t)LOG_ROOM};
    *log = '\0';
    CUresult rc = c->cuModuleLoadDataEx(&m->handle, image, 2, option, value);
    log[LOG_ROOM - 1] = '\0';
    if (rc)
        m->handle = NULL;
    return rc;
}

bool cuda_module_image(struct cuda_module *m, const struct cuda *c, const struct nvrtc_code *code,
                       struct device_error *e)
{
    char log[LOG_ROOM] = "";
    CUresult rc = code->cubin ? load_image(m, c, code->bytes, log) : CUDA_ERROR_NO_BINARY_FOR_GPU;
    m->exact = !rc;
    if (rc == CUDA_ERROR_NO_BINARY_FOR_GPU)
        rc = load_image(m, c, code->bytes + code->cubin, log);
    return cuda_checked(c, "cuModuleLoadDataEx", rc, e) || refused(c, log, e);
}

/* What the launcher packs is what the kernel reads: n pointers. */
static bool check_entry(const struct nvrtc_code *code, const char *entry, int n, struct device_error *e)
{
    struct cubin_kernel k;
    if (!code->cubin)
        return true;
    bool ok = cubin_kernel(code->bytes, code->cubin, entry, &k) && k.parameters == n &&
              k.parameter_bytes == (unsigned)n * sizeof(CUdeviceptr);
    for (int i = 0; ok && i < n; i++)
        ok = k.parameter[i].offset == i * (int)sizeof(CUdeviceptr) && k.parameter[i].size == sizeof(CUdeviceptr);
    return ok || device_fail(e, 70, "kernel %s does not take %d pointers", entry, n);
}

static bool find(struct cuda_module *m, const struct cuda *c, const struct plan *p, const struct nvrtc_code *code,
                 struct device_error *e)
{
    int list[OPERANDS], threads;
    uint32_t stream[MAX_STAGES];
    m->function = calloc((size_t)m->list.n + 1, sizeof *m->function);
    if (!m->function)
        return device_fail(e, 70, "out of memory");
    if (!CUDA_CALL(c, e, cuModuleGetFunction, &m->begin, m->handle, "nr_begin") ||
        !CUDA_CALL(c, e, cuModuleGetFunction, &m->end, m->handle, "nr_end"))
        return false;
    for (int i = 0; i < m->list.n; i++) {
        const struct emit_launch *l = &m->list.launch[i];
        if (!check_entry(code, l->entry, kernel_operands(p, l->kernel, list) + 2 + kernel_streams(p, l->kernel, stream),
                         e) ||
            !CUDA_CALL(c, e, cuModuleGetFunction, &m->function[i], m->handle, l->entry) ||
            !CUDA_CALL(c, e, cuFuncGetAttribute, &threads, CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK, m->function[i]))
            return false;
        if (l->threads <= 0 || l->threads > threads)
            return device_fail(e, 70, "kernel %s can have %d threads in a block, not %d", l->entry, threads,
                               l->threads);
    }
    return true;
}

bool cuda_module_load(struct cuda_module *m, const struct cuda *c, const struct plan *p, enum precision precision,
                      cuda_emitter *emit, const struct nvrtc_target *t, const struct nvrtc_options *o,
                      struct device_error *e)
{
    struct nvrtc_code code = {0};
    char *text = NULL;
    bool ok = emit_text(m, p, precision, o->emit_dir ? p->file : NULL, emit, &text, e) &&
              nvrtc_load(c, text, t, o, &code, e) && cuda_module_image(m, c, &code, e) && find(m, c, p, &code, e);
    free(text);
    nvrtc_free(&code);
    if (!ok)
        cuda_module_unload(m, c);
    return ok;
}

void cuda_module_unload(struct cuda_module *m, const struct cuda *c)
{
    if (m->handle)
        c->cuModuleUnload(m->handle);
    free(m->function);
    emit_launches_free(&m->list);
    *m = (struct cuda_module){0};
}
