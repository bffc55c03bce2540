/* picture_cache.h: the pictures of a folder as its transforms leave them, kept on disk, so that each is decoded once.
 *
 * One file of the cache (device/cache.h) for each folder and list of transforms that settles the size: a header, a record for each
 * picture, their bytes in that order. A picture is the same if size, inode and times of its file are (file_stamp); else, if the
 * content of its file is. All that is read is checked against hashes of it; what does not agree is as if it were not there. Files are
 * written whole and renamed, the oldest go where all take more than PICTURE_CACHE_MOST, and where nothing can be kept, nothing is. */
#ifndef PICTURE_CACHE_H
#define PICTURE_CACHE_H

#include "data.h"

#include "device/cache.h"

#define PICTURE_CACHE_MOST ((int64_t)8 << 30) /* bytes of all such files */

struct picture_record {
    XXH128_hash_t file, content;             /* file 0: written while the clock could not have told a change since */
    uint64_t sample;                         /* hash of its bytes here */
    int32_t height, width, channels, unused; /* of the picture in its file */
};

/* What is there, and what will be. */
struct picture_cache {
    struct cache cache;
    int file; /* descriptor; -1: nothing is there */
    XXH128_hash_t key;
    int64_t count, bytes; /* of pictures in the file, of each */
    int32_t dims[3];      /* of each: channels, height, width */
    struct picture_record *record;
    int64_t *by_file, *by_content;           /* their numbers, sorted */
    struct picture_record *now[DATA_SPLITS]; /* of each set as it has been read; owned */
};

/* Finds what is kept of the folder. What `wish` makes of pictures is not of one size, or nothing can be kept: the other functions do
 * nothing. Needs picture_cache_close in any case. */
void picture_cache_open(struct picture_cache *c, const char *folder, const struct data_wish *wish);
void picture_cache_close(struct picture_cache *c);
bool picture_cache_works(const struct picture_cache *c);

/* The number of the picture with that stamp, or that content; -1: there is none. */
int64_t picture_cache_file(const struct picture_cache *c, XXH128_hash_t stamp);
int64_t picture_cache_content(const struct picture_cache *c, XXH128_hash_t content);
/* Its bytes, if they are what they were. Threads may read at once. */
bool picture_cache_read(const struct picture_cache *c, int64_t number, unsigned char *to);

/* Keeps all sets, of which c->now tells, unless they are what is kept already. */
void picture_cache_write(struct picture_cache *c, const struct dataset *set);

#endif
