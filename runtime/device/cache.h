/* Compiled objects kept on disk, in a folder that nobody else can write to; and what else is dear to make again.
 *
 * Each object ends with a seal: a magic word, the size, and a hash over key and bytes. A loader runs the code of what
 * it opens, and dies by a bus error on a shortened file; so an object counts only if folder and file belong to this
 * user, nobody else may write to them, and the seal holds. What does not count is as if it were not there. */
#ifndef CACHE_H
#define CACHE_H

#include <stdbool.h>
#include <stdint.h>
#include <xxhash.h>

struct cache {
    int folder; /* descriptor; -1: no cache can be used */
    char *path;
    char why[256]; /* if not: the reason */
};

/* $XDG_CACHE_HOME/netrun, else $HOME/.cache/netrun; made if missing. What killed processes were making there is removed.
 * False, with `why`, if it cannot be trusted. */
bool cache_open(struct cache *c);
void cache_close(struct cache *c);

/* Makes a file or a folder of our own below `parent`, the cache's path or another, and sets *path, which the caller frees. It is
 * held, by a lock that ends with its holders, until the descriptor is closed: the one of a folder by programs that are run
 * meanwhile, too. -1 with errno set. */
int cache_make(const struct cache *c, const char *parent, bool folder, char **path);

/* Descriptor of the object of a key, open for reading; -1: there is none. */
int cache_get(const struct cache *c, XXH128_hash_t key);
/* Seals the file behind a descriptor opened for reading and writing, takes others' rights from it, and syncs it. False
 * with errno set. */
bool cache_seal(int file, XXH128_hash_t key);
/* Moves a sealed file into the cache; an older object of that key is replaced at once. False with errno set. */
bool cache_put(const struct cache *c, const char *path, XXH128_hash_t key);

/* The same for files that are no code, by names of their own and without a seal: who reads them checks what is in them. */
int cache_find(const struct cache *c, const char *name);
bool cache_place(const struct cache *c, const char *path, const char *name);
/* May so many bytes be kept: at most half of `most`, and of what is free on the disk? */
bool cache_affords(const struct cache *c, int64_t bytes, int64_t most);
/* Removes files whose names end so, those first that were written or marked as used longest ago, until they take `most` bytes. */
void cache_trim(const struct cache *c, const char *suffix, int64_t most);

/* On stderr, for people: nothing is kept, why, and what helps. */
void cache_tell(const char *why);

#endif
