#define _GNU_SOURCE 1
#include "cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { NAME_ROOM = 40 };
static const char magic[8] = "nrseal1";

struct seal {
    char magic[8];
    uint64_t size;
    XXH128_canonical_t hash;
};

static void object_name(char name[NAME_ROOM], XXH128_hash_t key)
{
    snprintf(name, NAME_ROOM, "%016" PRIx64 "%016" PRIx64 ".so", (uint64_t)key.high64, (uint64_t)key.low64);
}

static bool refuse(struct cache *c, const char *what)
{
    snprintf(c->why, sizeof c->why, "%s%s%s", c->path ? c->path : "", c->path ? ": " : "", what);
    cache_close(c);
    return false;
}

static bool only_ours(const struct stat *s)
{
    return s->st_uid == geteuid() && !(s->st_mode & (S_IWGRP | S_IWOTH));
}

/* ---- what is being made, and what is left of it ---- */

static const char made_here[] = "build-";

/* A file, or a folder of files. */
static void remove_entry(int parent, const char *name, int entry)
{
    DIR *dir = fdopendir(dup(entry));
    for (struct dirent *inside; dir && (inside = readdir(dir));)
        unlinkat(entry, inside->d_name, 0);
    unlinkat(parent, name, dir ? AT_REMOVEDIR : 0);
    if (dir)
        closedir(dir);
}

/* Who makes an entry holds the folder (shared) until the entry is locked, so that none is taken for a dead one's. */
static void sweep(const struct cache *c)
{
    DIR *dir = flock(c->folder, LOCK_EX | LOCK_NB) == 0 ? fdopendir(dup(c->folder)) : NULL;
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        if (strncmp(entry->d_name, made_here, sizeof made_here - 1) != 0)
            continue;
        int held = openat(c->folder, entry->d_name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        if (held >= 0 && flock(held, LOCK_EX | LOCK_NB) == 0)
            remove_entry(c->folder, entry->d_name, held);
        if (held >= 0)
            close(held);
    }
    if (dir)
        closedir(dir);
    flock(c->folder, LOCK_UN);
}

int cache_make(const struct cache *c, const char *parent, bool folder, char **path)
{
    int held = -1;
    if (asprintf(path, "%s/%sXXXXXX", parent, made_here) < 0) {
        *path = NULL;
        return -1;
    }
    flock(c->folder, LOCK_SH);
    if (!folder)
        held = mkostemp(*path, O_CLOEXEC);
    else if (mkdtemp(*path))
        held = open(*path, O_RDONLY | O_DIRECTORY);
    if (held >= 0)
        flock(held, LOCK_EX); /* where there are no locks, nothing is swept either */
    int cause = errno;
    flock(c->folder, LOCK_UN);
    if (held < 0) {
        free(*path);
        *path = NULL;
        errno = cause;
    }
    return held;
}

bool cache_open(struct cache *c)
{
    *c = (struct cache){.folder = -1};
    const char *parent = getenv("XDG_CACHE_HOME"), *home = getenv("HOME"), *rest = "";
    if (!parent || *parent != '/') { /* the XDG rules: a relative path is as none */
        if (!home || *home != '/')
            return refuse(c, "neither XDG_CACHE_HOME nor HOME names a folder");
        parent = home;
        rest = "/.cache";
    }
    if (asprintf(&c->path, "%s%s", parent, rest) < 0) {
        c->path = NULL;
        return refuse(c, strerror(ENOMEM));
    }
    if (mkdir(c->path, 0700) != 0 && errno != EEXIST)
        return refuse(c, strerror(errno));
    free(c->path);
    if (asprintf(&c->path, "%s%s/netrun", parent, rest) < 0) {
        c->path = NULL;
        return refuse(c, strerror(ENOMEM));
    }
    if (mkdir(c->path, 0700) != 0 && errno != EEXIST)
        return refuse(c, strerror(errno));
    c->folder = open(c->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    struct stat s;
    if (c->folder < 0 || fstat(c->folder, &s) != 0)
        return refuse(c, strerror(errno));
    if (!only_ours(&s))
        return refuse(c, "others may write to it, so nothing in it is trusted");
    sweep(c);
    return true;
}

void cache_close(struct cache *c)
{
    if (c->folder >= 0)
        close(c->folder);
    free(c->path);
    c->folder = -1;
    c->path = NULL;
}

/* Hash of the first `size` bytes and the key. False with errno set. */
static bool hash_file(int file, uint64_t size, XXH128_hash_t key, XXH128_canonical_t *hash)
{
    void *bytes = size ? mmap(NULL, size, PROT_READ, MAP_PRIVATE, file, 0) : MAP_FAILED;
    if (bytes == MAP_FAILED)
        return false;
    XXH128_canonicalFromHash(hash, XXH3_128bits_withSeed(bytes, size, key.high64 ^ key.low64));
    munmap(bytes, size);
    return true;
}

static bool seal_holds(int file, const struct stat *s, XXH128_hash_t key)
{
    struct seal seal;
    XXH128_canonical_t hash;
    if (s->st_size <= (off_t)sizeof seal)
        return false;
    uint64_t size = (uint64_t)s->st_size - sizeof seal;
    return pread(file, &seal, sizeof seal, (off_t)size) == sizeof seal &&
           memcmp(seal.magic, magic, sizeof magic) == 0 && seal.size == size && hash_file(file, size, key, &hash) &&
           memcmp(&seal.hash, &hash, sizeof hash) == 0;
}

int cache_find(const struct cache *c, const char *name)
{
    int file = openat(c->folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    struct stat s;
    if (file < 0 || (fstat(file, &s) == 0 && S_ISREG(s.st_mode) && only_ours(&s)))
        return file;
    close(file);
    return -1;
}

int cache_get(const struct cache *c, XXH128_hash_t key)
{
    if (c->folder < 0)
        return -1;
    char name[NAME_ROOM];
    object_name(name, key);
    int file = cache_find(c, name);
    struct stat s;
    if (file >= 0 && fstat(file, &s) == 0 && seal_holds(file, &s, key))
        return file;
    if (file >= 0)
        close(file);
    return -1;
}

bool cache_seal(int file, XXH128_hash_t key)
{
    struct stat s;
    if (fchmod(file, 0600) != 0 || fstat(file, &s) != 0)
        return false;
    struct seal seal = {.size = (uint64_t)s.st_size};
    memcpy(seal.magic, magic, sizeof magic);
    if (!hash_file(file, seal.size, key, &seal.hash))
        return false;
    ssize_t n = pwrite(file, &seal, sizeof seal, s.st_size);
    if (n >= 0 && n != sizeof seal)
        errno = ENOSPC;
    return n == sizeof seal && fsync(file) == 0;
}

bool cache_put(const struct cache *c, const char *path, XXH128_hash_t key)
{
    char name[NAME_ROOM];
    object_name(name, key);
    return cache_place(c, path, name);
}

bool cache_place(const struct cache *c, const char *path, const char *name)
{
    return renameat(AT_FDCWD, path, c->folder, name) == 0;
}

bool cache_affords(const struct cache *c, int64_t bytes, int64_t most)
{
    struct statvfs s;
    if (bytes > most / 2 || fstatvfs(c->folder, &s) != 0)
        return false;
    return (double)bytes <= (double)s.f_bavail * (double)s.f_frsize / 2;
}

/* All bytes of files whose names end so, and the oldest of them in `name`. */
static int64_t oldest(const struct cache *c, const char *suffix, char name[NAME_MAX + 1])
{
    int folder = openat(c->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC); /* with a position of its own */
    DIR *dir = folder >= 0 ? fdopendir(folder) : NULL;
    struct timespec first = {0};
    int64_t bytes = 0;
    *name = '\0';
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        size_t n = strlen(entry->d_name), end = strlen(suffix);
        struct stat s;
        if (n < end || strcmp(entry->d_name + n - end, suffix) != 0 || fstatat(folder, entry->d_name, &s, 0) != 0)
            continue;
        bytes += s.st_size;
        if (*name && (s.st_mtim.tv_sec > first.tv_sec ||
                      (s.st_mtim.tv_sec == first.tv_sec && s.st_mtim.tv_nsec >= first.tv_nsec)))
            continue;
        first = s.st_mtim;
        snprintf(name, NAME_MAX + 1, "%s", entry->d_name);
    }
    if (dir)
        closedir(dir);
    return bytes;
}

void cache_trim(const struct cache *c, const char *suffix, int64_t most)
{
    char name[NAME_MAX + 1];
    while (oldest(c, suffix, name) > most && *name && unlinkat(c->folder, name, 0) == 0)
        ;
}

void cache_tell(const char *why)
{
    fprintf(stderr,
            "netrun: kernels are compiled anew at every start, for they cannot be kept: %s\n"
            "  = help: with XDG_CACHE_HOME=DIR in the environment they are kept in DIR/netrun\n",
            why);
}
