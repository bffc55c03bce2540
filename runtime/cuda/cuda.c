#define _GNU_SOURCE 1
#include "cuda.h"

#include "device/device_error.h"

#include <dlfcn.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>

enum { REQUIRED, OPTIONAL };

static const struct {
    enum cuda_library library;
    int need;
    const char *symbol;
    size_t place; /* in struct cuda */
} functions[] = {
#define CONSTANT(name, value)
/* clang-format off */
#define FUNCTION(library, need, result, symbol, arguments) {library, need, #symbol, offsetof(struct cuda, symbol)},
/* clang-format on */
#include "cuda_names.h"
#undef CONSTANT
#undef FUNCTION
};

static const char *const names[CUDA_LIBRARIES] = {"libcuda", "libnvrtc", "libcublas"};

/* Newest first, with the version of CUDA that they belong to. The driver's number never changes. */
static const struct {
    const char *name;
    int major;
} sonames[CUDA_LIBRARIES][4] = {
    {{"libcuda.so.1", 0}},
    {{"libnvrtc.so.13", 13}, {"libnvrtc.so.12", 12}, {"libnvrtc.so.11.2", 11}},
    {{"libcublas.so.13", 13}, {"libcublas.so.12", 12}, {"libcublas.so.11", 11}},
};

/* Where toolkits put NVRTC and cuBLAS; WSL its driver. Never .../stubs. */
static const char *const folders[] = {
    "/usr/local/cuda/lib64",
#if defined(__aarch64__)
    "/usr/local/cuda/targets/sbsa-linux/lib",
#else
    "/usr/local/cuda/targets/x86_64-linux/lib",
#endif
    "/usr/lib/wsl/lib",
};

const char *cuda_library_name(enum cuda_library which)
{
    return names[which];
}

static void note_try(struct cuda *c, enum cuda_library which, const char *path, const char *why)
{
    char *text = c->library[which].tried;
    size_t used = strlen(text), room = sizeof c->library[which].tried - used;
    size_t known = why && strncmp(why, path, strlen(path)) == 0 ? strlen(path) : 0; /* dlerror begins with it */
    snprintf(text + used, room, "%s%s%s\n", path, known ? "" : ": ", (why ? why : "cannot be opened") + known);
}

/* The first required function that is not there, NULL: all are. */
static const char *bind(struct cuda *c, enum cuda_library which, void *handle)
{
    const char *missing = NULL;
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        if (functions[i].library != which)
            continue;
        void *address = handle ? dlsym(handle, functions[i].symbol) : NULL;
        memcpy((char *)c + functions[i].place, &address, sizeof address);
        if (!address && functions[i].need == REQUIRED && !missing)
            missing = functions[i].symbol;
    }
    return missing;
}

static bool open_at(struct cuda *c, enum cuda_library which, const char *path, bool named)
{
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    const char *why = handle ? NULL : dlerror(), *missing = NULL;
    char text[128];
    struct link_map *map;
    if (handle && which == DRIVER && !named && dlsym(handle, "simStats"))
        why = "a simulated device, used only where NETRUN_CUDA_LIBDIR names it";
    else if (handle && (missing = bind(c, which, handle))) {
        snprintf(text, sizeof text, "is too old, it has no %s", missing);
        why = text;
    }
    if (!handle || why) {
        note_try(c, which, path, why);
        bind(c, which, NULL);
        if (handle)
            dlclose(handle);
        return false;
    }
    bool known = dlinfo(handle, RTLD_DI_LINKMAP, &map) == 0 && *map->l_name;
    snprintf(c->library[which].path, sizeof c->library[which].path, "%s", known ? map->l_name : path);
    c->library[which].handle = handle;
    return true;
}

struct versions {
    int least, most;
}; /* of CUDA, both included */

/* The versions wanted, in one folder; NULL: wherever the loader looks. */
static bool open_in(struct cuda *c, enum cuda_library which, const char *folder, bool named, struct versions v)
{
    char path[PATH_MAX];
    for (int i = 0; i < 4 && sonames[which][i].name; i++) {
        int n = snprintf(path, sizeof path, "%s%s%s", folder ? folder : "", folder ? "/" : "", sonames[which][i].name);
        if (sonames[which][i].major >= v.least && sonames[which][i].major <= v.most && n < (int)sizeof path &&
            open_at(c, which, path, named))
            return true;
    }
    return false;
}

static bool open_versions(struct cuda *c, enum cuda_library which, struct versions v)
{
    const char *named = getenv("NETRUN_CUDA_LIBDIR");
    bool found = (named && *named && open_in(c, which, named, true, v)) || open_in(c, which, NULL, false, v);
    for (size_t i = 0; !found && i < sizeof folders / sizeof *folders; i++)
        found = open_in(c, which, folders[i], false, v);
    return found;
}

/* The newest CUDA whose code the driver runs. */
static int driver_major(const struct cuda *c)
{
    int version;
    return c->library[DRIVER].handle && !c->cuDriverGetVersion(&version) && version > 0 ? version / 1000 : INT_MAX;
}

/* NVRTC opens a second library by its bare name, which the loader finds only if it is open or on its own path. */
static void open_builtins(struct cuda *c)
{
    char path[PATH_MAX + 64];
    const char *nvrtc = c->library[NVRTC].path, *slash = strrchr(nvrtc, '/');
    int major, minor;
    if (!slash || c->nvrtcVersion(&major, &minor))
        return;
    snprintf(path, sizeof path, "%.*s/libnvrtc-builtins.so.%d.%d", (int)(slash - nvrtc), nvrtc, major, minor);
    dlopen(path, RTLD_NOW | RTLD_LOCAL);
}

#ifdef __SANITIZE_ADDRESS__
/* Up to gcc 13, ASan takes the thread-locals of an opened library, where they begin 16 bytes into a page, for memory with a
 * header, as glibc before 2.25 had it, and LeakSanitizer crashes. It sees all of ld.so's memory without following them. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "intercept_tls_get_addr=0";
}

/* Of what a compiler keeps until the process ends. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libnvrtc\n";
}
#endif

bool cuda_open(struct cuda *c, enum cuda_library which)
{
    if (c->library[which].handle)
        return true;
    *c->library[which].tried = '\0';
    int most = driver_major(c);
    bool found = open_versions(c, which, (struct versions){0, most}) ||
                 (most < INT_MAX && open_versions(c, which, (struct versions){most + 1, INT_MAX}));
    if (found && which == NVRTC)
        open_builtins(c);
    return found;
}

bool cuda_failed(const struct cuda *c, const char *call, CUresult result, struct device_error *e)
{
    const char *name = NULL, *text = NULL;
    c->cuGetErrorName(result, &name);
    c->cuGetErrorString(result, &text);
    return device_fail(e, result == CUDA_ERROR_OUT_OF_MEMORY ? 3 : 5, "%s failed with %u, %s: %s", call, result,
                       name ? name : "an unknown error", text ? text : "no more is known");
}

bool cuda_memory(const struct cuda *c, int64_t *free_bytes, int64_t *total, struct device_error *e)
{
    size_t f = 0, t = 0;
    if (!CUDA_CALL(c, e, cuMemGetInfo_v2, &f, &t))
        return false;
    if (!t || t > (size_t)1 << 50 || f > t)
        return device_fail(e, 5, "cuMemGetInfo_v2 cannot be right: %zu bytes free of %zu", f, t);
    *free_bytes = (int64_t)f;
    *total = (int64_t)t;
    return true;
}
