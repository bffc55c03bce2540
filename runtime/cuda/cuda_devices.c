#define _GNU_SOURCE 1
#include "cuda.h"
#include "device/device_error.h"
#include "nvrtc.h"
#include "base/options.h"

#include <string.h>

bool cuda_start(struct cuda *c, int *count, struct device_error *e)
{
    *count = 0;
    if (!cuda_open(c, DRIVER))
        return device_fail(e, 5,
                           "there is no CUDA driver: libcuda.so.1 is not found (netrun --devices says where it "
                           "was looked for)");
    CUresult rc = c->cuInit(0);
    if (rc == CUDA_ERROR_NO_DEVICE || rc == CUDA_ERROR_STUB_LIBRARY)
        return device_fail(
            e, 5, rc == CUDA_ERROR_NO_DEVICE ? "the driver finds no GPU" : "%s is the toolkit's stub, not a driver",
            c->library[DRIVER].path);
    if (!cuda_checked(c, "cuInit", rc, e) || !CUDA_CALL(c, e, cuDeviceGetCount, count))
        return false;
    return *count > 0 || device_fail(e, 5, "the driver finds no GPU");
}

bool cuda_gpu(const struct cuda *c, int ordinal, struct cuda_gpu *g, struct device_error *e)
{
    int major = 0, minor = 0, integrated = 0;
    *g = (struct cuda_gpu){.ordinal = ordinal};
    if (!CUDA_CALL(c, e, cuDeviceGet, &g->device, ordinal) ||
        !CUDA_CALL(c, e, cuDeviceGetName, g->name, sizeof g->name, g->device) ||
        !CUDA_CALL(c, e, cuDeviceGetAttribute, &major, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, g->device) ||
        !CUDA_CALL(c, e, cuDeviceGetAttribute, &minor, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR, g->device) ||
        !CUDA_CALL(c, e, cuDeviceGetAttribute, &integrated, CU_DEVICE_ATTRIBUTE_INTEGRATED, g->device))
        return false;
    g->name[sizeof g->name - 1] = '\0';
    g->arch = 10 * major + minor;
    g->integrated = integrated;
    return true;
}

bool cuda_context(const struct cuda *c, const struct cuda_gpu *g, struct device_error *e)
{
    CUcontext context;
    size_t bytes = 0;
    char total[32];
    CUresult rc = c->cuDevicePrimaryCtxRetain(&context, g->device);
    if (rc == CUDA_ERROR_OUT_OF_MEMORY && !c->cuDeviceTotalMem_v2(&bytes, g->device) && bytes <= INT64_MAX)
        return device_fail(
            e, 3,
            "cuda:%d (%s) has %s of memory, and too little of it is free for a CUDA context, which takes "
            "some 100 to 600 MiB; nvidia-smi shows which programs hold the rest",
            g->ordinal, g->name, bytes_text((int64_t)bytes, total, sizeof total));
    if (!cuda_checked(c, "cuDevicePrimaryCtxRetain", rc, e))
        return false;
    if (CUDA_CALL(c, e, cuCtxSetCurrent, context))
        return true;
    c->cuDevicePrimaryCtxRelease_v2(g->device);
    return false;
}

void cuda_context_release(const struct cuda *c, const struct cuda_gpu *g)
{
    c->cuCtxSetCurrent(NULL);
    c->cuDevicePrimaryCtxRelease_v2(g->device);
}

/* MemAvailable of Linux, -1: it does not say. */
static int64_t host_available(void)
{
    FILE *in = fopen("/proc/meminfo", "r");
    char line[128];
    long long kib = -1;
    while (in && fgets(line, sizeof line, in) && sscanf(line, "MemAvailable: %lld kB", &kib) != 1)
        continue;
    if (in)
        fclose(in);
    return kib >= 0 && kib < INT64_MAX >> 10 ? kib << 10 : -1;
}

bool cuda_gpu_memory(const struct cuda *c, const struct cuda_gpu *g, int64_t *free_bytes, int64_t *total,
                     struct device_error *e)
{
    if (!cuda_memory(c, free_bytes, total, e))
        return false;
    int64_t available = g->integrated ? host_available() : -1;
    if (available >= 0)
        *free_bytes = available < *total ? available : *total;
    return true;
}

/* ---- versions ---- */

/* "580.65.06" out of "NVRM version: NVIDIA UNIX x86_64 Kernel Module  580.65.06  Sun ..."; "" where the system does not say. */
static void driver_release(char *text, size_t size)
{
    char line[256] = "";
    FILE *in = fopen("/proc/driver/nvidia/version", "re");
    *text = '\0';
    if (!in)
        return;
    char *rest = NULL, *word = fgets(line, sizeof line, in) ? strtok_r(line, " \t\n", &rest) : NULL;
    while (word && !(strchr("123456789", *word) && strchr(word, '.')))
        word = strtok_r(NULL, " \t\n", &rest);
    if (word)
        snprintf(text, size, "%s", word);
    fclose(in);
}

void cuda_versions(const struct cuda *c, char *nvrtc, size_t size, char driver[CUDA_VERSION_TEXT])
{
    int version = 0, minor = 0;
    char release[40];
    *nvrtc = '\0';
    driver_release(release, sizeof release);
    if (!c->nvrtcVersion(&version, &minor))
        snprintf(nvrtc, size, "NVRTC %d.%d", version, minor);
    version = 0;
    bool known = !c->cuDriverGetVersion(&version) && version > 0;
    snprintf(driver, CUDA_VERSION_TEXT, "%s%s", release, *release && known ? ", " : "");
    if (known)
        snprintf(driver + strlen(driver), CUDA_VERSION_TEXT - strlen(driver), "for CUDA up to %d.%d", version / 1000,
                 version % 1000 / 10);
}

/* ---- netrun --devices ---- */

static void print_tried(FILE *out, const struct cuda *c, enum cuda_library which)
{
    for (const char *line = c->library[which].tried; *line;) {
        size_t n = strcspn(line, "\n");
        fprintf(out, "            tried %.*s\n", (int)n, line);
        line += n + (line[n] == '\n');
    }
}

static void print_library(FILE *out, const struct cuda *c, enum cuda_library which, const char *what)
{
    bool found = c->library[which].handle;
    fprintf(out, "%-10s  %s%s%s\n", cuda_library_name(which), found ? c->library[which].path : "not found",
            *what ? ", " : "", what);
    print_tried(out, c, which);
}

static void print_libraries(FILE *out, struct cuda *c)
{
    char text[80] = "";
    int version = 0, minor = 0;
    if (c->library[DRIVER].handle && !c->cuDriverGetVersion(&version))
        snprintf(text, sizeof text, "for CUDA up to %d.%d", version / 1000, version % 1000 / 10);
    print_library(out, c, DRIVER, *text ? text : "it comes with NVIDIA's driver");
    *text = '\0';
    if (cuda_open(c, NVRTC) && !c->nvrtcVersion(&version, &minor))
        snprintf(text, sizeof text, "version %d.%d", version, minor);
    print_library(out, c, NVRTC, *text ? text : "it comes with the CUDA toolkit, or alone as cuda-nvrtc");
    *text = '\0';
    if (cuda_open(c, CUBLAS) && c->cublasGetProperty && !c->cublasGetProperty(0, &version) &&
        !c->cublasGetProperty(1, &minor))
        snprintf(text, sizeof text, "version %d.%d", version, minor);
    print_library(out, c, CUBLAS, text);
}

/* Memory is known only to a context, which takes some hundred MB while it is open. */
static bool measure(const struct cuda *c, const struct cuda_gpu *g, int64_t *unused, int64_t *total,
                    struct device_error *e)
{
    if (!cuda_context(c, g, e))
        return false;
    bool ok = cuda_gpu_memory(c, g, unused, total, e);
    cuda_context_release(c, g);
    return ok;
}

static bool print_gpu(FILE *out, const struct cuda *c, int ordinal)
{
    struct device_error e;
    struct cuda_gpu g;
    struct nvrtc_target t;
    char total[32], unused[32];
    int64_t bytes[2];
    fprintf(out, "cuda:%d      ", ordinal);
    if (!cuda_gpu(c, ordinal, &g, &e)) {
        fprintf(out, "%s\n", e.text);
        return false;
    }
    fprintf(out, "%s, sm_%d", g.name, g.arch);
    bool ok = measure(c, &g, &bytes[0], &bytes[1], &e);
    if (ok)
        fprintf(out, ", %s of memory, %s free", bytes_text(bytes[1], total, sizeof total),
                bytes_text(bytes[0], unused, sizeof unused));
    if (ok && !c->library[NVRTC].handle)
        ok = device_fail(&e, 5, "libnvrtc is missing");
    ok = ok && nvrtc_serve(c, g.arch, &t, &e);
    fprintf(out, "\n            %s%s\n", ok ? "usable" : "not usable: ",
            !ok       ? e.text
            : t.exact ? ""
                      : ", compiled by the driver: it is newer than NVRTC");
    return ok;
}

bool cuda_report(FILE *out)
{
    static struct cuda c;
    struct device_error e;
    int count = 0, usable = 0;
    bool started = cuda_start(&c, &count, &e);
    print_libraries(out, &c);
    for (int i = 0; i < count; i++)
        usable += print_gpu(out, &c, i);
    char *hint = started ? NULL : strstr(e.text, " (netrun --devices");
    if (hint) /* that is what stands above */
        *hint = '\0';
    if (!started)
        fprintf(out, "no GPU: %s\n", e.text);
    return usable > 0;
}
