#define _GNU_SOURCE 1
#include "nvrtc.h"

#include "device/cache.h"
#include "device/device_error.h"
#include "device/keep_source.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ARCHS = 256, OPTIONS = 4, TARGET_ROOM = 32, VERSION_SPLIT = 13 };

/* ---- architectures ---- */

static bool failed(const struct cuda *c, const char *call, nvrtcResult result, struct device_error *e)
{
    return device_fail(e, 5, "%s failed with %u: %s", call, result, c->nvrtcGetErrorString(result));
}

bool nvrtc_serve(const struct cuda *c, int arch, struct nvrtc_target *t, struct device_error *e)
{
    int n = 0, known[ARCHS], least = INT_MAX, most = 0;
    nvrtcResult rc = c->nvrtcGetNumSupportedArchs(&n);
    if (!rc && (n <= 0 || n > ARCHS))
        return device_fail(e, 5, "NVRTC says that it serves %d architectures", n);
    if (rc || (rc = c->nvrtcGetSupportedArchs(known)))
        return failed(c, "nvrtcGetSupportedArchs", rc, e);
    *t = (struct nvrtc_target){0};
    for (int i = 0; i < n; i++) {
        least = known[i] < least ? known[i] : least;
        most = known[i] > most ? known[i] : most;
        if (known[i] <= arch && known[i] > t->arch)
            *t = (struct nvrtc_target){.arch = known[i], .exact = known[i] == arch};
    }
    return t->arch || device_fail(e, 5, "this NVRTC serves sm_%d to sm_%d, not sm_%d", least, most, arch);
}

/* ---- compiling ---- */

static int version(const struct cuda *c, int *minor)
{
    int major = 0;
    *minor = 0;
    return c->nvrtcVersion(&major, minor) ? 0 : major;
}

/* Emitted text has no #include, and functions without a word about where they run are the device's. */
static int set_options(const struct cuda *c, const char *target, char arch[TARGET_ROOM + 24],
                       const char *option[OPTIONS])
{
    int n = 0, minor;
    snprintf(arch, TARGET_ROOM + 24, "--gpu-architecture=%s", target);
    option[n++] = arch;
    option[n++] = "--device-as-default-execution-space";
    option[n++] = "--std=c++17"; /* what 11 takes for C++14 by default */
    if (version(c, &minor) >= VERSION_SPLIT)
        option[n++] = "--split-compile=0"; /* as many threads as there are cores */
    return n;
}

static bool refused(const struct cuda *c, nvrtcProgram program, const char *target, struct device_error *e)
{
    size_t size = 0;
    char *log = NULL;
    if (!c->nvrtcGetProgramLogSize(program, &size) && size)
        log = calloc(size + 1, 1);
    if (log)
        c->nvrtcGetProgramLog(program, log);
    device_fail(e, 70, "NVRTC refuses the kernels for %s: %s", target, log ? log : "without a word");
    free(log);
    return false;
}

static bool fetch(const struct cuda *c, nvrtcProgram program, bool cubin, struct nvrtc_code *code,
                  struct device_error *e)
{
    size_t size = 0, ptx = 0;
    nvrtcResult rc = cubin ? c->nvrtcGetCUBINSize(program, &size) : 0;
    if (rc || (rc = c->nvrtcGetPTXSize(program, &ptx)))
        return failed(c, "asking NVRTC for the size of its code", rc, e);
    *code = (struct nvrtc_code){.bytes = calloc(size + ptx + 1, 1), .cubin = size, .ptx = ptx};
    if (!code->bytes)
        return device_fail(e, 70, "out of memory");
    rc = size ? c->nvrtcGetCUBIN(program, code->bytes) : 0;
    if (rc || (rc = c->nvrtcGetPTX(program, code->bytes + size))) {
        nvrtc_free(code);
        return failed(c, "taking the code from NVRTC", rc, e);
    }
    return true;
}

bool nvrtc_compile(const struct cuda *c, const char *source, const char *target, struct nvrtc_code *code,
                   struct device_error *e)
{
    nvrtcProgram program = NULL;
    char arch[TARGET_ROOM + 24];
    const char *option[OPTIONS];
    *code = (struct nvrtc_code){0};
    int n = set_options(c, target, arch, option);
    nvrtcResult rc = c->nvrtcCreateProgram(&program, source, "kernels.cu", 0, NULL, NULL);
    if (rc)
        return failed(c, "nvrtcCreateProgram", rc, e);
    rc = c->nvrtcCompileProgram(program, n, option);
    bool ok;
    if (rc == NVRTC_ERROR_COMPILATION)
        ok = refused(c, program, target, e);
    else
        ok = rc ? failed(c, "nvrtcCompileProgram", rc, e) : fetch(c, program, strncmp(target, "sm_", 3) == 0, code, e);
    c->nvrtcDestroyProgram(&program);
    return ok;
}

void nvrtc_free(struct nvrtc_code *code)
{
    free(code->bytes);
    *code = (struct nvrtc_code){0};
}

/* ---- cache ---- */

struct head {
    char magic[8];
    uint64_t cubin, ptx;
};
static const char magic[8] = "nrcuda1";

static bool key_of(const struct cuda *c, const char *source, const char *target, XXH128_hash_t *key)
{
    char arch[TARGET_ROOM + 24], *text;
    const char *option[OPTIONS];
    int minor, major = version(c, &minor), n = set_options(c, target, arch, option);
    size_t size;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        return false;
    fprintf(out, "NVRTC %d.%d\n", major, minor);
    for (int i = 0; i < n; i++)
        fprintf(out, "%s\n", option[i]);
    fputs(source, out);
    bool ok = !ferror(out);
    ok = fclose(out) == 0 && ok;
    if (ok)
        *key = XXH3_128bits(text, size);
    free(text);
    return ok;
}

static bool read_all(int file, void *to, size_t size, off_t at)
{
    char *next = to;
    while (size) {
        ssize_t n = pread(file, next, size, at);
        if (n <= 0)
            return false;
        next += n;
        at += n;
        size -= (size_t)n;
    }
    return true;
}

static bool recall(const struct cache *cache, XXH128_hash_t key, struct nvrtc_code *code)
{
    struct head head;
    struct stat s;
    int file = cache_get(cache, key);
    if (file < 0)
        return false;
    bool ok = fstat(file, &s) == 0 && read_all(file, &head, sizeof head, 0) &&
              memcmp(head.magic, magic, sizeof magic) == 0 && head.ptx > 0 && head.cubin <= (uint64_t)s.st_size &&
              head.ptx <= (uint64_t)s.st_size - head.cubin;
    if (ok) {
        *code = (struct nvrtc_code){.cubin = head.cubin, .ptx = head.ptx, .cached = true};
        code->bytes = malloc(head.cubin + head.ptx);
        ok = code->bytes && read_all(file, code->bytes, head.cubin + head.ptx, sizeof head) &&
             code->bytes[head.cubin + head.ptx - 1] == '\0';
        if (!ok)
            nvrtc_free(code);
    }
    close(file);
    return ok;
}

static bool write_all(int file, const void *from, size_t size)
{
    const char *next = from;
    while (size) {
        ssize_t n = write(file, next, size);
        if (n < 0)
            return false;
        next += n;
        size -= (size_t)n;
    }
    return true;
}

/* A cache that cannot take it is no error. */
static void store(const struct cache *cache, XXH128_hash_t key, const struct nvrtc_code *code, bool quiet)
{
    struct head head = {.cubin = code->cubin, .ptx = code->ptx};
    char *path;
    memcpy(head.magic, magic, sizeof magic);
    int file = cache_make(cache, cache->path, false, &path);
    bool ok = file >= 0 && write_all(file, &head, sizeof head) &&
              write_all(file, code->bytes, code->cubin + code->ptx) && cache_seal(file, key) &&
              cache_put(cache, path, key);
    if (!ok && !quiet) {
        char why[PATH_MAX];
        snprintf(why, sizeof why, "%s: %s", cache->path, strerror(errno));
        cache_tell(why);
    }
    if (file >= 0) {
        close(file);
        if (!ok)
            unlink(path);
    }
    free(path);
}

bool nvrtc_load(const struct cuda *c, const char *source, const struct nvrtc_target *t, const struct nvrtc_options *o,
                struct nvrtc_code *code, struct device_error *e)
{
    struct cache cache;
    XXH128_hash_t key;
    char target[TARGET_ROOM];
    int minor, major = version(c, &minor);
    *code = (struct nvrtc_code){0};
    snprintf(target, sizeof target, "%s_%d", t->exact ? "sm" : "compute", t->arch);
    if (o->emit_dir && !keep_source(o->emit_dir, o->name, ".cu", source, strlen(source), e))
        return false;
    if (!key_of(c, source, target, &key))
        return device_fail(e, 70, "out of memory");
    bool open = cache_open(&cache), ok = open && recall(&cache, key, code);
    if (!open && !o->quiet)
        cache_tell(cache.why);
    if (ok && o->verbose)
        fprintf(stderr, "netrun: the kernels come from %s\n", cache.path);
    if (!ok) {
        if (o->verbose)
            fprintf(stderr, "netrun: NVRTC %d.%d (%s) compiles for %s\n", major, minor, c->library[NVRTC].path, target);
        ok = nvrtc_compile(c, source, target, code, e);
        if (ok && open)
            store(&cache, key, code, o->quiet);
    }
    cache_close(&cache);
    return ok;
}
