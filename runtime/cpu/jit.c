#define _GNU_SOURCE 1
#include "jit.h"

#include "device/cache.h"
#include "device/device_error.h"
#include "device/keep_source.h"
#include "toolchain.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char elsewhere[] = "\n  = help: set TMPDIR to a folder that can be written, and whose files may be run";

/* A private folder with the source and the object to be, and the descriptor that holds it. */
struct workshop {
    char *folder, *source, *object;
    int held;
};

struct order {
    const char *source;
    size_t length;
    const struct jit_options *o;
    const struct toolchain *tool;
    const struct cache *cache;
    XXH128_hash_t key;
    char stem[STEM_ROOM];
};

enum { PATH_BITS = 32 };

/* A way to the descriptor that no other load has: a number in slashes and dots, which lead nowhere. */
static void path_of(int file, char path[40 + 2 * PATH_BITS])
{
    static atomic_uint loads;
    char *at = path + sprintf(path, "/proc/self/fd");
    for (unsigned rest = atomic_fetch_add(&loads, 1); rest; rest /= 2)
        at += sprintf(at, rest % 2 ? "/." : "/");
    sprintf(at, "/%d", file);
}

/* By descriptor, so that what was checked is what is loaded. The loader takes equal paths for equal objects, also when the first
 * was closed and its descriptor is another file now, as long as somebody else has the same object: so no path comes twice. Takes
 * over `file` if it succeeds. */
static bool load(int file, const struct jit_options *o, struct jit *j, struct device_error *e)
{
    char path[40 + 2 * PATH_BITS];
    path_of(file, path);
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!handle)
        return device_fail(e, 5, "the compiled kernels cannot be loaded: %s%s", dlerror(), elsewhere);
    const struct nr_object *object = dlsym(handle, "nr_object");
    if (!object || object->abi != EMIT_ABI || object->kernels != o->kernels || object->lanes != o->lanes ||
        object->real_bytes != o->real_bytes || (o->kernels && !object->kernel)) {
        dlclose(handle);
        return device_fail(e, 70, "the compiled object is not the one that was emitted");
    }
    *j = (struct jit){.handle = handle, .object = object, .file = file};
    return true;
}

static bool write_file(const char *path, const char *text, size_t length)
{
    FILE *out = fopen(path, "wxe");
    if (!out)
        return false;
    bool ok = fwrite(text, 1, length, out) == length;
    return fclose(out) == 0 && ok;
}

static bool workshop_open(struct workshop *w, const struct cache *cache, const char *parent, const char *stem)
{
    *w = (struct workshop){0};
    w->held = cache_make(cache, parent, true, &w->folder);
    if (w->held < 0)
        return false;
    if (asprintf(&w->source, "%s/%s.c", w->folder, stem) < 0)
        w->source = NULL;
    if (asprintf(&w->object, "%s/%s.so", w->folder, stem) < 0)
        w->object = NULL;
    return w->source && w->object;
}

static void workshop_close(struct workshop *w, bool keep)
{
    if (!keep) {
        if (w->source)
            unlink(w->source);
        if (w->object)
            unlink(w->object);
        if (w->folder)
            rmdir(w->folder);
    }
    if (w->held >= 0)
        close(w->held);
    free(w->folder);
    free(w->source);
    free(w->object);
}

/* Compiles and loads below `parent`. On failure the source stays if `last` is set and the compiler has read it. */
static bool build(const struct order *r, const char *parent, bool last, struct jit *j, struct device_error *e)
{
    struct workshop w;
    bool read = false, ok = false;
    if (!workshop_open(&w, r->cache, parent, r->stem) || !write_file(w.source, r->source, r->length)) {
        device_fail(e, 5, "the kernels cannot be written below %s to be compiled: %s%s", parent, strerror(errno),
                    last ? elsewhere : "");
    } else {
        read = true;
        ok = toolchain_compile(r->tool, w.source, r->length, w.object, r->o->verbose, e);
    }
    if (ok) {
        int file = open(w.object, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
        ok = file >= 0 && cache_seal(file, r->key);
        if (!ok)
            device_fail(e, 5, "the compiled kernels in %s cannot be used: %s", w.folder, strerror(errno));
        ok = ok && load(file, r->o, j, e);
        if (!ok && file >= 0)
            close(file);
    }
    if (ok && parent == r->cache->path && !cache_put(r->cache, w.object, r->key) && !r->o->quiet)
        cache_tell(strerror(errno));
    workshop_close(&w, !ok && read && last);
    return ok;
}

/* The cache first, because a rename works only within a file system. It may be full, or forbid execution. */
static bool build_somewhere(const struct order *r, struct jit *j, struct device_error *e)
{
    const char *temporary = getenv("TMPDIR");
    if (!temporary || *temporary != '/')
        temporary = "/tmp";
    bool cache = r->cache->folder >= 0;
    if (cache && build(r, r->cache->path, false, j, e))
        return true;
    struct device_error why = *e;
    bool ok = build(r, temporary, true, j, e);
    if (ok && cache && !r->o->quiet)
        cache_tell(why.text);
    return ok;
}

/* ---- threads that want the same kernels ---- */

/* They are made once, and the others take them out of the cache. */
struct making {
    XXH128_hash_t key;
    struct making *next;
};
static struct making *all_making;
static pthread_mutex_t making_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t making_done = PTHREAD_COND_INITIALIZER;

static bool is_made_elsewhere(XXH128_hash_t key)
{
    const struct making *m = all_making;
    while (m && !XXH128_isEqual(m->key, key))
        m = m->next;
    return m;
}

static void making_begin(struct making *m)
{
    pthread_mutex_lock(&making_lock);
    while (is_made_elsewhere(m->key))
        pthread_cond_wait(&making_done, &making_lock);
    m->next = all_making;
    all_making = m;
    pthread_mutex_unlock(&making_lock);
}

static void making_end(const struct making *m)
{
    pthread_mutex_lock(&making_lock);
    struct making **at = &all_making;
    while (*at != m)
        at = &(*at)->next;
    *at = m->next;
    pthread_cond_broadcast(&making_done);
    pthread_mutex_unlock(&making_lock);
}

bool jit_load(const char *source, size_t length, const struct jit_options *o, struct jit *j, struct device_error *e)
{
    struct toolchain tool;
    struct cache cache;
    struct order r = {.source = source, .length = length, .o = o, .tool = &tool, .cache = &cache};
    source_stem(r.stem, o->name);
    *j = (struct jit){0};
    if ((o->emit_dir && !keep_source(o->emit_dir, o->name, ".c", source, length, e)) ||
        !toolchain_find(&tool, o->lanes, e))
        return false;
    if (!cache_open(&cache) && !o->quiet)
        cache_tell(cache.why);
    bool keyed = toolchain_key(&tool, source, length, &r.key) || device_fail(e, 70, "out of memory");
    struct making making = {.key = r.key};
    const bool alone = keyed && cache.folder >= 0;
    if (alone)
        making_begin(&making);
    int file = keyed ? cache_get(&cache, r.key) : -1;
    bool ok = file >= 0 && load(file, o, j, e);
    if (ok) {
        j->cached = true;
        if (o->verbose)
            fprintf(stderr, "netrun: the kernels come from %s\n", cache.path);
    } else {
        if (file >= 0)
            close(file);
        ok = keyed && build_somewhere(&r, j, e);
    }
    if (alone)
        making_end(&making);
    snprintf(j->compiler, sizeof j->compiler, "%.*s", (int)strcspn(tool.version, "\n"), tool.version);
    cache_close(&cache);
    toolchain_free(&tool);
    return ok;
}

void jit_unload(struct jit *j)
{
    if (!j->handle)
        return;
    dlclose(j->handle);
    close(j->file);
    *j = (struct jit){0};
}

int jit_lanes(void)
{
#if defined(__x86_64__) || defined(__i386__)
    if (__builtin_cpu_supports("avx512f"))
        return 16;
    if (__builtin_cpu_supports("avx"))
        return 8;
#endif
    return 4;
}
